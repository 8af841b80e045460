"""How a value of the register stands in a cell, and how the cell is understood again."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from ..codes import Level, normalise_credit_code
from ..forms.types.dates import parse_date
from ..forms.types.fields import as_text
from ..forms.types.numbers import WAN, as_count, as_money, parse_number
from ..forms.types.problem import BLANK, Parsed, Trouble
from ..forms.types.text import fold, is_blank, shorten

_UNITS = ("人", "名", "座", "个", "台", "套", "处", "条", "次", "天")
_YES = frozenset({"是", "有", "涉及", "√", "✓", "✔", "1", "y", "yes", "true"})
_NO = frozenset({"否", "无", "没有", "不涉及", "×", "✗", "✘", "0", "n", "no", "false"})
_SEVERAL = re.compile(r"[、；;\n]")
_STEP = re.compile(r"(\d{4}-\d{2}-\d{2}) (\S+?)→([^\s：]+)(?: ([^：]+?))?(?:：(.*))?")


@dataclass(frozen=True, slots=True)
class CellKind:
    """A kind of cell: how it is read and written, and what may be chosen."""

    read: Callable[[object], Parsed]
    write: Callable[[Any], str | int | float | date | None]
    choices: tuple[str, ...] = ()


def _read_text(raw: object) -> Parsed:
    return BLANK if is_blank(raw) else Parsed(as_text(raw) or None)


def _read_lines(raw: object) -> Parsed:
    text = _read_text(raw).value
    return Parsed(tuple(part for line in text.split("\n") if (part := line.strip()))) if text else BLANK


def _read_flag(raw: object) -> Parsed:
    word = fold(as_text(raw)).lower()
    if word in _YES or word in _NO:
        return Parsed(word in _YES)
    return BLANK if is_blank(raw) else Parsed(None, Trouble("not-in-list", {"text": shorten(raw), "choices": "是、否"}))


def _read_steps(raw: object) -> Parsed:
    lines = _read_lines(raw).value or ()
    steps = []
    for line in lines:
        found = _STEP.fullmatch(line)
        if found is None:
            return Parsed(None, Trouble("value-not-allowed", {"why": f"“{shorten(line)}”不是一步经过"}))
        steps.append(dict(zip(("on", "deed", "state", "by", "note"), found.groups(), strict=True)))
    return Parsed(steps or None)


def _read_tags(raw: object) -> Parsed:
    tags = {}
    for line in _read_lines(raw).value or ():
        name, equals, value = line.partition("=")
        if not equals:
            return Parsed(None, Trouble("value-not-allowed", {"why": f"“{shorten(line)}”不是“名称=值”"}))
        try:
            tags[name.strip()] = json.loads(value)
        except ValueError:
            tags[name.strip()] = value.strip()
    return Parsed(tags or None)


def choice(words: Mapping[Any, str]) -> CellKind:
    """One of several words; how they are typed (width, spaces) does not matter."""
    by_word = {fold(word): value for value, word in words.items()}

    def read(raw: object) -> Parsed:
        return BLANK if is_blank(raw) else _chosen(as_text(raw), by_word, words.values())

    return CellKind(read, lambda value: words[value], tuple(words.values()))


def choices(words: Mapping[Any, str]) -> CellKind:
    """Any of several words, with 、 between them."""
    by_word = {fold(word): value for value, word in words.items()}

    def read(raw: object) -> Parsed:
        parts = [] if is_blank(raw) else [p for p in _SEVERAL.split(as_text(raw)) if p.strip()]
        found = [_chosen(part, by_word, words.values()) for part in parts]
        trouble = next((f.trouble for f in found if f.trouble), None)
        return Parsed(None, trouble) if trouble else Parsed(tuple(f.value for f in found) or None)

    return CellKind(read, lambda values: "、".join(words[value] for value in values) or None)


def one_of(kind: type[StrEnum]) -> dict[Any, str]:
    """The words of an enumeration whose values are Chinese."""
    return {member: member.value for member in kind}


def _chosen(text: str, by_word: Mapping[str, Any], words: Iterable[str]) -> Parsed:
    value = by_word.get(fold(text))
    if value is None:
        return Parsed(None, Trouble("not-in-list", {"text": shorten(text), "choices": "、".join(words)}))
    return Parsed(value)


def _money(value: Decimal) -> float:
    return float(value / WAN)


TEXT = CellKind(_read_text, str)
CREDIT = CellKind(lambda raw: Parsed(normalise_credit_code(as_text(raw)) or None), str)
LINES = CellKind(_read_lines, lambda lines: "\n".join(lines) or None)
COUNT = CellKind(lambda raw: as_count(parse_number(raw, units=_UNITS)), int)
MONEY = CellKind(lambda raw: as_money(parse_number(raw, units=("万元", "万"))), _money)
DAY = CellKind(parse_date, lambda day: day)
FLAG = CellKind(_read_flag, lambda flag: "是" if flag else "否", ("是", "否"))
LEVEL = choice({level: level.chinese for level in Level})
STEPS = CellKind(_read_steps, lambda steps: "\n".join(map(str, steps)) or None)
TAGS = CellKind(
    _read_tags, lambda tags: "\n".join(f"{k}={json.dumps(v, ensure_ascii=False)}" for k, v in tags.items()) or None
)
