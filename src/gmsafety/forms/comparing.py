"""Two versions of one form that was filled in: what the later says otherwise, by row and label, in words of the paper.

`compare(before, after)` → `Comparison`; rows are compared by what makes them the same row, not by where they stand.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from ..errors import GmsafetyError
from ..findings import Place
from .likeness import Pair, out_of_order, same_rows
from .record import Record
from .spec import Form

Kind = Literal["changed", "added", "removed", "moved", "renumbered"]
WORDS: dict[Kind, str] = {
    "changed": "改了",
    "added": "新增",
    "removed": "删去",
    "moved": "换了位置",
    "renumbered": "序号顺延",
}
"""The kinds of change in the order they are told."""


class NotTheSameForm(GmsafetyError):
    """Two records of different forms have nothing to compare."""

    is_usage = True


@dataclass(frozen=True, slots=True)
class Change:
    """One value that differs: its path, where it is in words, what stood there and what stands there now."""

    path: str
    where: str
    label: str
    before: str
    after: str
    old: Place
    new: Place

    def to_json(self) -> dict[str, Any]:
        """As `forms diff --json` prints it."""
        words = {"path": self.path, "where": self.where, "label": self.label}
        return {**words, "before": self.before, "after": self.after, "old": str(self.old), "new": str(self.new)}


@dataclass(frozen=True, slots=True)
class RowChange:
    """A row that was added, removed, changed (which cells), only moved, or only renumbered.

    `row` and `was` count from 0 in either record; `line` is what the row is told by; `moved` is also said of a row that
    changed and stands elsewhere among the others.
    """

    kind: Kind
    where: str
    line: str
    was: int | None
    row: int | None
    old: Place | None
    new: Place | None
    cells: tuple[Change, ...] = ()
    moved: bool = False

    def to_json(self) -> dict[str, Any]:
        """As `forms diff --json` prints it."""
        places = {"old": str(self.old) if self.old else None, "new": str(self.new) if self.new else None}
        told = {"kind": self.kind, "where": self.where, "line": self.line, "was": self.was, "row": self.row, **places}
        return {**told, "moved": self.moved, "cells": [c.to_json() for c in self.cells]}


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a record says otherwise than an earlier one of the same form."""

    form: Form
    versions: tuple[str, str]
    values: tuple[Change, ...]
    rows: tuple[RowChange, ...]

    @property
    def count(self) -> int:
        """How many values and rows differ; rows that were only renumbered because others came or went do not count."""
        return len(self.values) + sum(r.kind != "renumbered" for r in self.rows)

    @property
    def counts(self) -> dict[str, int]:
        """How many of each kind: `values`, then rows by kind."""
        return {"values": len(self.values), **{kind: sum(r.kind == kind for r in self.rows) for kind in WORDS}}

    @property
    def in_words(self) -> str:
        """The counts in a sentence."""
        rows = [f"{words}{n}行" for kind, words in WORDS.items() if (n := self.counts[kind]) and kind != "renumbered"]
        told = [*([f"表头和各栏改了{len(self.values)}处"] if self.values else []), *rows]
        renumbered = self.counts["renumbered"]
        tail = f"（另有{renumbered}行只是序号顺延）" if renumbered else ""
        version = "" if len(set(self.versions)) == 1 else f"表的版本不同：{self.versions[0]} → {self.versions[1]}。"
        return f"{version}{f'共{self.count}处不同：' + '，'.join(told) if told else '内容相同'}{tail}。"

    def to_json(self) -> dict[str, Any]:
        """As `forms diff --json` prints it."""
        named = {"form": self.form.ref, "versions": list(self.versions), "count": self.count, "counts": self.counts}
        return {
            **named,
            "values": [c.to_json() for c in self.values],
            "rows": [r.to_json() for r in self.rows],
        }


def compare(before: Record, after: Record) -> Comparison:
    """Compare two records of one form; NotTheSameForm names both where they are not."""
    form = after.form
    if before.form.ref != form.ref:
        told = (f"{_file(r)}《{r.form.title}》（{r.form.ref}）" for r in (before, after))
        raise NotTheSameForm(f"不是同一张表，不能比较：{'；'.join(told)}。")
    rows = tuple(_Rows(before, after).changes()) if form.is_grid else ()
    return Comparison(form, (before.form.version, form.version), tuple(_values(before, after)), rows)


def _file(record: Record) -> str:
    return f"“{record.origin.file}”是" if record.origin else ""


def _values(before: Record, after: Record) -> Iterator[Change]:
    """Header, nil report, blanks and remarks by clause, signatures."""
    form = after.form
    for field in form.header:
        shown = (field.kind.show(r.header.get(field.id)) for r in (before, after))
        yield from _told((before, after), f"header.{field.id}", "表头", field.label, *shown)
    yield from _told((before, after), "nil", "表头", "零报告", *("是" if r.nil else "" for r in (before, after)))
    for number, clause in enumerate(form.clauses, 1):
        where = f"第 {number} 行 · {clause.label}"
        for blank in clause.blanks:
            shown = (blank.kind.show(r.values.get(blank.path)) for r in (before, after))
            yield from _told((before, after), blank.path, where, form.label_of(blank.path), *shown)
        remarks = (r.remarks.get(clause.id, "") for r in (before, after))
        yield from _told((before, after), f"remark.{clause.id}", where, "备注", *remarks)
    for line in form.signatures:
        signed = (r.signatures.get(line.id) or "" for r in (before, after))
        yield from _told((before, after), f"signature.{line.id}", "签字栏", line.label, *signed)


def _told(records: tuple[Record, Record], path: str, where: str, label: str, old: str, new: str) -> Iterator[Change]:
    if old != new:
        places = (r.place(path) for r in records)
        yield Change(path, where, label, old, new, *places)


class _Rows:
    """The rows of two grids side by side."""

    def __init__(self, before: Record, after: Record) -> None:
        self.before, self.after, self.form = before, after, after.form
        self.serial = next((c.id for c in self.form.columns if c.type == "serial"), "")
        self.told_by = self.form.key or self.form.fixed or tuple(c.id for c in self.form.columns)[:3]

    def changes(self) -> Iterator[RowChange]:
        """Rows that changed or moved, then those that are new, those that are gone, those with another number."""
        pairs = same_rows(self.before, self.after)
        moved = out_of_order(pairs)
        paired = [c for p in pairs if (c := self._pair(p, p[1] in moved))]
        yield from (c for c in paired if c.kind != "renumbered")
        come = {*range(len(self.after.rows))} - {new for _, new in pairs}
        gone = {*range(len(self.before.rows))} - {old for old, _ in pairs}
        yield from (self._row("added", None, index) for index in sorted(come))
        yield from (self._row("removed", index, None) for index in sorted(gone))
        yield from (c for c in paired if c.kind == "renumbered")

    def _pair(self, pair: Pair, moved: bool) -> RowChange | None:
        """What a row says otherwise; a number that went along with the row's place is no change of its own."""
        old, new = pair
        cells = tuple(c for column in self.form.columns if (c := self._cell(column.id, old, new)))
        others = tuple(c for c in cells if c.path.rpartition(".")[2] != self.serial)
        if len(others) < len(cells) and self._went_along(old, new):
            if not others:
                return self._row("moved" if moved else "renumbered", old, new, cells, moved)
            return self._row("changed", old, new, others, moved)
        if not cells:
            return self._row("moved", old, new, (), moved) if moved else None
        return self._row("changed", old, new, cells, moved)

    def _went_along(self, old: int, new: int) -> bool:
        was, now = self._value(self.before, old, self.serial), self._value(self.after, new, self.serial)
        return isinstance(was, int) and isinstance(now, int) and now - was == new - old

    def _cell(self, name: str, old: int, new: int) -> Change | None:
        one, other = self._value(self.before, old, name), self._value(self.after, new, name)
        if one == other:
            return None
        column = self.form.by_id[name]
        shown = column.kind.show(one), column.kind.show(other)
        places = self.before.cell(old, name), self.after.cell(new, name)
        return Change(f"rows[{new}].{name}", self._name(self.after, new), column.label, *shown, *places)

    def _row(
        self, kind: Kind, was: int | None, row: int | None, cells: tuple[Change, ...] = (), moved: bool = False
    ) -> RowChange:
        record, index = (self.after, row) if row is not None else (self.before, was or 0)
        line, name = self._line(record, index), self._name(record, index)
        old, new = self._place(self.before, was), self._place(self.after, row)
        return RowChange(kind, name, line, was, row, old, new, cells, moved)

    def _place(self, record: Record, index: int | None) -> Place | None:
        first = next((n for n in (self.serial, *self.told_by) if n in record.rows.columns), "")
        return record.cell(index, first) if index is not None else None

    def _value(self, record: Record, index: int, name: str) -> Any:
        values = record.rows.columns.get(name)
        return values[index] if values is not None else None

    def _name(self, record: Record, index: int) -> str:
        number = self._value(record, index, self.serial)
        return f"序号 {number}" if number is not None else f"第 {index + 1} 条"

    def _line(self, record: Record, index: int) -> str:
        values = ((self.form.by_id[n].kind, self._value(record, index, n)) for n in self.told_by)
        return "，".join(kind.show(v) for kind, v in values if v is not None)


__all__ = ["WORDS", "Change", "Comparison", "NotTheSameForm", "RowChange", "compare"]
