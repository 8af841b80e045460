"""The list of findings as an annotated copy shows it: a count, and one line for a mistake that repeats in a column."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from ...findings import Finding, Place, Severity
from ..record import Record
from ..types.text import shorten
from .sheetxml import coordinates

_REPEATED = 3
WORD_CELL = re.compile(r"table (\d+) row (\d+) col (\d+)")
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_SHOWN = 120

Where = tuple[str | None, str]
"""A sheet (None in a Word file) and a place in it."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the list: its number, the findings it stands for, the printed column, what stands there."""

    number: int
    findings: tuple[Finding, ...]
    column: str
    shown: str

    @property
    def first(self) -> Finding:
        """The finding that the line leads to."""
        return self.findings[0]

    @property
    def place(self) -> str:
        """Where it is, in words: a cell, or `C列第5–40行，共36处`."""
        if len(self.findings) == 1:
            return self.first.place.chinese
        rows = sorted(_cell(f.place)[1] for f in self.findings)  # type: ignore[index]  # only cells are put together
        word = WORD_CELL.fullmatch(self.first.place.where)
        sheet = f"工作表“{self.first.place.sheet}”" if self.first.place.sheet else ""
        column = f"第{word[1]}个表格第{word[3]}列" if word else f"{self.first.place.where.rstrip('0123456789')}列"
        return f"{sheet}{column}第{_spans(rows)}行，共{len(rows)}处"

    @property
    def message(self) -> str:
        """What is wrong; of several the first, and how many are like it."""
        same = len({f.message for f in self.findings}) == 1
        return self.first.message if same else f"{self.first.message}（其余{len(self.findings) - 1}处类同，见各格批注）"

    def cells(self) -> tuple[str, ...]:
        """The line as it is printed."""
        first = self.first
        told = (first.severity.chinese, self.place, self.column, self.shown, self.message, first.remedy, first.code)
        return (str(self.number), *(clean(t) for t in told))


def counted(findings: Iterable[Finding]) -> str:
    """The count that comes first: `3处错误，1处提醒`."""
    severities = [f.severity for f in findings]
    told = [f"{n}处{s.chinese}" for s in Severity if (n := severities.count(s))]
    return "，".join(told) or "没有发现问题"


def listed(findings: Iterable[Finding], title: Callable[[Place], str], values: Mapping[Where, Any]) -> list[Line]:
    """Put findings together into lines, in their order; a mistake made often in a column is one line."""
    groups: dict[Any, list[Finding]] = {}
    for number, finding in enumerate(findings):
        cell = None if finding.place.file else _cell(finding.place)
        same = (finding.code, finding.severity, finding.remedy, finding.place.sheet, cell[0]) if cell else number
        groups.setdefault(same, []).append(finding)
    lines: list[tuple[Finding, ...]] = []
    for group in groups.values():
        lines += [tuple(group)] if len(group) >= _REPEATED else [(f,) for f in group]
    return [
        Line(number, line, title(line[0].place), _together([shown(values.get(at(f.place))) for f in line]))
        for number, line in enumerate(lines, 1)
    ]


def at(place: Place) -> Where:
    """The key of a place."""
    return place.sheet, place.where


def titles(records: Iterable[Record]) -> Callable[[Place], str]:
    """Return what names the printed column (or row, or line of the header) in which a place is."""
    named: dict[Where, list[str]] = {}
    letters: dict[tuple[str | None, str], str] = {}
    for record in records:
        origin = record.origin
        if origin is None:
            continue
        labels = {c.id: c.label for c in record.form.clauses} | {f"header.{h.id}": h.label for h in record.form.header}
        for path, where in origin.cells.items():
            if path in labels:
                named.setdefault((origin.sheet, where), []).append(labels[path])
        for column, letter in origin.letters.items():
            letters[origin.sheet, letter] = record.form.by_id[column].label

    def title(place: Place) -> str:
        found = named.get(at(place))
        word = WORD_CELL.fullmatch(place.where)
        letter = word[3] if word else place.where.rstrip("0123456789")
        return "、".join(dict.fromkeys(found)) if found else letters.get((place.sheet, letter), "")

    return title


def note(findings: Iterable[Finding]) -> str:
    """What the comment at a cell says."""
    return "\n".join(clean(f"{f.severity.chinese}：{f.message}{f.remedy}（{f.code}）") for f in findings)


def worst(findings: Iterable[Finding]) -> str:
    """The severity that a cell is coloured by."""
    order = list(Severity)
    return min((f.severity for f in findings), key=order.index).value


def shown(value: Any) -> str:
    """A value of a cell as a clerk sees it, shortened."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, float):
        return f"{value:.15g}"
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    return clean(value.isoformat(" ") if isinstance(value, datetime) else _text(value))


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else shorten(str(value), _SHOWN)


def clean(text: str) -> str:
    """Text without what XML cannot carry."""
    return _UNFIT.sub("", text)


def _together(values: list[str]) -> str:
    different = list(dict.fromkeys(values))
    return different[0] if len(different) == 1 else f"{different[0] or '（空）'} 等"


def _cell(place: Place) -> tuple[str, int] | None:
    """Column and row of a place, if it is a cell."""
    word = WORD_CELL.fullmatch(place.where)
    if word:
        return f"{word[1]} {word[3]}", int(word[2])
    found = coordinates(place.where) if place.sheet else None
    return (str(found[1]), found[0]) if found else None


def _spans(rows: list[int]) -> str:
    """Row numbers told in spans: 5–12、15."""
    spans: list[list[int]] = []
    for row in rows:
        if spans and row <= spans[-1][1] + 1:
            spans[-1][1] = row
        else:
            spans.append([row, row])
    told = [str(a) if a == b else f"{a}–{b}" for a, b in spans]
    return "、".join(told) if len(told) <= 6 else f"{'、'.join(told[:5])}……{told[-1]}"
