"""Broken promises. What a clerk's file gets wrong is never here: that is a finding, a value.

GmsafetyError
├── ContentError      a plugin's YAML cannot be taken as it stands (file, line, remedy)
├── CatalogError      plugins that do not fit together; holds every problem found at once
└── UnknownName       a form, unit or campaign nobody registered
"""

from collections.abc import Iterable
from dataclasses import dataclass


class GmsafetyError(Exception):
    """Root of all exceptions raised by gmsafety; its text is fit to be shown to a user.

    `is_usage` tells what the caller asked for wrongly from what failed.
    """

    is_usage = False


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a plugin: which, where, what, and what to do; `laxer` where less is asked than above."""

    plugin: str
    file: str
    line: int
    text: str
    remedy: str
    slug: str = ""

    def __str__(self) -> str:
        return f"{self.plugin}: {self.file}:{self.line}: {self.text}（{self.remedy}）"


class ContentError(GmsafetyError):
    """A content file of a plugin does not say what its model needs."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(p) for p in self.problems))


class CatalogError(GmsafetyError):
    """The plugins do not fit together; nothing was loaded."""

    def __init__(self, problems: Iterable[Problem], others: Iterable[str] = ()) -> None:
        self.problems = tuple(problems)
        self.others = tuple(others)
        tail = f"\n未受影响的插件：{'、'.join(self.others)}" if self.others else ""
        super().__init__("插件无法载入，已停止：\n" + "\n".join(str(p) for p in self.problems) + tail)


_FEW = 5


class UnknownName(GmsafetyError):
    """A name that no plugin registered, with those that are."""

    is_usage = True

    def __init__(self, noun: str, name: str, known: Iterable[str]) -> None:
        self.noun, self.name, self.known = noun, name, tuple(known)
        several = [k for k in self.known if k.partition(".")[2] == name]
        if len(several) > 1:
            super().__init__(f"有几个{noun}叫“{name}”：{'、'.join(several)}。请写全名。")
            return
        told, near = "、".join(self.known) or "无", self.near
        if len(self.known) > _FEW:
            told = f"{'、'.join(near or self.known[:_FEW])}等{len(self.known)}个"
        super().__init__(
            f"没有名为“{name}”的{noun}。{'相近的' if near and len(self.known) > _FEW else '已登记的'}{noun}：{told}"
        )

    @property
    def near(self) -> tuple[str, ...]:
        """A few registered names that are like the one asked for."""
        from difflib import get_close_matches  # noqa: PLC0415 - for a mistake only

        holding = [k for k in self.known if self.name and self.name in k]
        return tuple(holding or get_close_matches(self.name, self.known, _FEW, 0.5))[:_FEW]
