"""The 64 situations of 工贸企业重大事故隐患判定标准 (应急管理部令第10号, in force 2023-05-15), as a code list.

The short titles are our own wording (短题，自拟); the binding text is the order's. Two of its rules are no
situations: 第十四条 (a device that the standard names counts as missing where it has failed), and 第二条 (dangerous
chemicals, fire, gas and special equipment have standards of their own).
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType

CONJUNCTIVE = MappingProxyType({"第十三条（一）": ("辨识并建立台账", "设置明显安全警示标志")})
"""Situations that need both parts: one alone is a finding, but no major hazard yet."""
_WORDS = MappingProxyType({"辨识并建立台账": ("辨识", "台账"), "设置明显安全警示标志": ("标志", "标识", "警示")})
"""Words by which a description names a part."""

DEVICES = "第十四条"
"""A device named by the standard that has failed counts as missing."""

_NUMBER = "[一二三四五六七八九十]+"
_ITEM = rf"(?:第?[（(]({_NUMBER})[)）]|第({_NUMBER})项)"
_CITED = re.compile(rf"第?({_NUMBER})条?\s*((?:{_ITEM}项?[、，,和及\s]*)+)")
_ITEMS = re.compile(_ITEM)


@dataclass(frozen=True, slots=True)
class Situation:
    """One situation in which there is a major hazard; `title` is our own short title."""

    citation: str
    article: str
    item: int
    field: str
    title: str

    @property
    def parts(self) -> tuple[str, ...]:
        """What must both be missing; empty where the situation is one thing."""
        return CONJUNCTIVE.get(self.citation, ())

    def unnamed(self, text: str) -> tuple[str, ...]:
        """Parts that a description of the hazard does not name."""
        return tuple(part for part in self.parts if not any(word in text for word in _WORDS[part]))


@cache
def situations() -> MappingProxyType[str, Situation]:
    """All situations by citation: `第四条（一）`."""
    text = (resources.files("gmsafety.codes") / "order10.tsv").read_text("utf-8")
    rows = (line.split("\t") for line in text.splitlines()[1:])
    return MappingProxyType({r[0]: Situation(r[0], r[1], int(r[2]), r[3], r[4]) for r in rows})


def situation(text: str) -> Situation | None:
    """Find a situation however it is cited: 第四条（一）, 四(一), 《…判定标准》第四条（一）."""
    return next(iter(cited(text)), None)


def cited(text: str) -> list[Situation]:
    """Every situation that a text cites, in order."""
    return [found for name in citations(text) if (found := situations().get(name))]


def unknown(text: str) -> list[str]:
    """What a text cites and the order does not have; the text itself where it cites nothing."""
    names = list(citations(text))
    return [name for name in names if name not in situations()] if names else [text]


def citations(text: str) -> Iterator[str]:
    """What a text cites, written as the order does, whether the order has it or not."""
    for found in _CITED.finditer(text):
        for inside, plain in _ITEMS.findall(found[2]):
            yield f"第{found[1]}条（{inside or plain}）"


def fields() -> tuple[str, ...]:
    """The industries and fields, in the order of the articles."""
    return tuple(dict.fromkeys(s.field for s in situations().values()))


def search(words: str, field: str | None = None) -> list[Situation]:
    """Situations that are cited, or whose short title or field holds every word; for a picker."""
    wanted = words.split()
    named = cited(words)
    fits: Iterable[Situation] = (s for s in situations().values() if field in (None, s.field))
    if named:
        return [s for s in fits if s in named]
    return [s for s in fits if all(w in s.title or w in s.field or w in s.citation for w in wanted)]
