"""Checking a form: everything that is wrong with it, at once, in the order of its cells."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import Protocol

from ..entities import Units
from ..findings import Finding, Kind, Place, Severity
from .columns import Column
from .computed import too_few
from .judge import Bench, judge
from .reading import Forms, Reading
from .reconcile import against_previous, row_keys
from .record import Record
from .spec import Form, Rule
from .stamped import sent_to_another
from .types import fold
from .types.dates import Window
from .types.text import shorten
from .versions import Carried, State, Versions

_WEEK = timedelta(days=7)
_LATE = timedelta(days=60)


class Shelf(Forms, Protocol):
    """What checking needs of a catalog."""

    @property
    def kinds(self) -> Mapping[str, Kind]: ...

    @property
    def units(self) -> Units: ...

    @property
    def versions(self) -> Mapping[str, Versions]: ...

    def carry(self, record: Record, to: Form) -> Carried:
        """Carry a record over to another version of its form."""


def check(
    form: Reading | Record,
    catalog: Shelf,
    *,
    previous: Reading | Record | None = None,
    beside: Iterable[Reading | Record] = (),
) -> tuple[Finding, ...]:
    """Return every finding of a form: what was found while reading it, then its rules.

    `previous` is last period's form of the same unit, `beside` other forms of the same unit and period (the ledger of
    a weekly table). Never raises for what a form holds.
    """
    found = list(form.findings) if isinstance(form, Reading) else []
    record = form.record if isinstance(form, Reading) else form
    if record is None:
        return tuple(found)
    if isinstance(form, Reading) and form.stamp:
        found += sent_to_another(record, form.stamp, catalog.units)
    found += _Checker(record, catalog, found).all(_record(previous), [r for b in beside if (r := _record(b))])
    return in_order(found)


def version_finding(record: Record, catalog: Shelf, day: date | None) -> Finding | None:
    """Say that a form is in another version than is asked for on a day; without a day, than the newest."""
    versions = catalog.versions.get(record.form.ref, Versions(()))
    current = versions.on(day) if day else versions.current
    if current is None or current.version == record.form.version:
        return None
    state = versions.state(record.form, day) if day else State.CLOSING
    refused = state in (State.CLOSED, State.DRAFT, State.COMING)
    kind, place = catalog.kinds["closed-version" if refused else "old-version"], record.place("header.date")
    severity = Severity.WARNING if state is State.TEST else None
    return kind.at(place, severity=severity, version=record.form.version, state=state.value, current=current.version)


def in_order(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """Each finding once: those on the whole file first, then from top to bottom; remarks last."""
    return tuple(sorted(dict.fromkeys(found), key=_order))


def _record(form: Reading | Record | None) -> Record | None:
    return form.record if isinstance(form, Reading) else form


def _order(finding: Finding) -> tuple[bool, bool, list[int], str]:
    digits = [int(n) for n in re.findall(r"\d+", finding.place.where)]
    return finding.severity is Severity.INFO, bool(digits), digits, finding.place.where


class _Checker:
    def __init__(self, record: Record, catalog: Shelf, found: list[Finding]) -> None:
        self.record, self.catalog, self.kinds = record, catalog, catalog.kinds
        first, last = catalog.window(record.form)
        self.window = Window(first, last, record.filed)
        self.unread = {f.place for f in found if f.severity is Severity.ERROR}

    def all(self, previous: Record | None, beside: list[Record]) -> Iterator[Finding]:
        yield from [f for f in (version_finding(self.record, self.catalog, self.record.filed),) if f]
        yield from self._unit()
        yield from self._filed()
        if self.record.form.is_grid:
            yield from self._columns()
            yield from self._required()
            yield from self._duplicates()
            yield from self._among()
        yield from self._below_zero()
        for rule in self.record.form.rules:
            if not rule.with_:
                yield from judge(self.record, rule, Bench(self.kinds, self.window))
        if previous is not None:
            yield from self._previous(previous)
        yield from self._beside(beside)

    def _unit(self) -> Iterator[Finding]:
        name = self.record.header.get("unit")
        if name and self.catalog.units.named(str(name)) is None:
            yield self.kinds["unknown-unit"].at(self.record.place("header.unit"), text=name)

    def _filed(self) -> Iterator[Finding]:
        """A filing date before the campaign, or long after it: mostly last year's number in January."""
        filed, first, last = self.record.filed, self.window.first, self.window.last
        if filed and ((first and filed < first) or (last and filed > last + _LATE)):
            place = self.record.place("header.date")
            yield self.kinds["filed-outside-campaign"].at(place, text=filed, first=first, last=last)

    def _below_zero(self) -> Iterator[Finding]:
        """Numbers below zero, also in a record that was not read from a file."""
        for path, blank in self.record.form.blanks.items():
            value = self.record.values.get(path)
            if blank.kind.numeric and value is not None and value < 0:
                label = self.record.form.label_of(path)
                yield self.kinds["negative-number"].at(
                    self.record.place(path), field=label, text=blank.kind.show(value)
                )

    def _columns(self) -> Iterator[Finding]:
        """What the type of a column has to say about values that were understood: measures, completion."""
        for column in self.record.form.columns:
            values = self.record.rows.columns.get(column.id)
            if values is None or column.type not in ("measure", "completion"):
                continue
            setting = column.setting.within(self.window)
            wrong = {v: t for v in set(values) if v is not None and (t := column.kind.check(v, setting))}
            for index, value in enumerate(values) if wrong else ():
                for trouble in wrong.get(value, ()):
                    yield self.kinds[trouble.slug].at(
                        self.record.cell(index, column.id), **{"field": column.label, **trouble.data}
                    )

    def _among(self) -> Iterator[Finding]:
        """Printed rows that say less than those of which they are a part (其中)."""
        form = self.record.form
        for wrong in too_few(form, self.record.rows.columns, self.record.rows.count):
            column = form.by_id[wrong.column]
            own, among = column.kind.show(wrong.typed), column.kind.show(wrong.computed)
            say = f"“{column.title}”为{own}，其中各行相加为{among}。"
            yield self.kinds["part-exceeds-total"].at(self.record.cell(wrong.index, wrong.column), say=say)

    def _required(self) -> Iterator[Finding]:
        form = self.record.form
        if form.fixed and not self.record.rows.filled(apart=form.fixed):
            return  # a form as it is sent out
        for column in self.record.form.columns:
            values = self.record.rows.columns.get(column.id, [])
            if column.required and None in values:
                for index, value in enumerate(values):
                    place = self.record.cell(index, column.id)
                    if value is None and place not in self.unread and not self._is_said_blank(index, column):
                        yield self.kinds["missing-value"].at(place, field=column.label)

    def _is_said_blank(self, index: int, column: Column) -> bool:
        """Tell whether a number or an answer was not left out: / or 无 says that there is none."""
        typed = self.record.origin.typed if self.record.origin else {}
        return (column.kind.numeric or column.type == "answer") and f"{index}.{column.id}" in typed

    def _duplicates(self) -> Iterator[Finding]:
        form, rows = self.record.form, self.record.rows
        serial = next((c.id for c in form.columns if c.type == "serial"), "")
        first: dict[object, int] = {}
        numbers = [] if serial in form.merged else rows.columns.get(serial, [])  # one number for a group of rows
        for index, number in enumerate(numbers):
            inherited = self.record.origin is not None and (index, serial) in self.record.origin.moved
            if number is not None and not inherited and first.setdefault(number, index) != index:
                other = self.record.cell(first[number], serial)
                yield self.kinds["duplicate-number"].at(self.record.cell(index, serial), text=number, other=other.where)
        seen: dict[tuple[object, ...], int] = {}
        labels = "、".join(form.by_id[k].label for k in form.key)
        for index, key in enumerate(row_keys(self.record)):
            if all(key) and len(key) == len(form.key) and seen.setdefault(key, index) != index:
                line = self._row_name(seen[key])
                yield self.kinds["duplicate-row"].at(self.record.cell(index, form.key[0]), other=line, keys=labels)

    def _row_name(self, index: int) -> int:
        origin = self.record.origin
        return origin.lines[index] if origin and index < len(origin.lines) else index + 1

    def _previous(self, previous: Record) -> Iterator[Finding]:
        why = None
        if previous.form.id != self.record.form.id:
            why = f"它是《{previous.form.title}》"
        elif not self._same_unit(previous):
            why = f"它的填报单位是“{previous.header.get('unit')}”"
        elif previous.filed and self.record.filed and previous.filed >= self.record.filed:
            why = f"它的填报时间{previous.filed}不早于本期"
        if why:
            yield self.kinds["not-comparable"].at(Place(), why=why)
        else:
            before = self.catalog.carry(previous, self.record.form).record
            yield from against_previous(self.record, before, self.kinds, self.unread)

    def _beside(self, beside: list[Record]) -> Iterator[Finding]:
        for rule in self.record.form.rules:
            for other in beside if rule.with_ else ():
                if rule.with_ in (other.form.id, other.form.ref):
                    yield from self._pair(rule, other)

    def _pair(self, rule: Rule, other: Record) -> Iterator[Finding]:
        why = None
        if not self._same_unit(other):
            why = f"它的填报单位是“{shorten(other.header.get('unit'))}”"
        elif self.record.filed and other.filed and abs(self.record.filed - other.filed) >= _WEEK:
            why = f"它的填报时间是{other.filed}，不是同一期"
        if why:
            file = other.origin.file if other.origin else other.form.title
            yield self.kinds["pair-not-comparable"].at(Place(), file=file, why=why)
            return
        bench = Bench(
            self.kinds,
            self.window,
            ledger=other if other.form.is_grid else None,
            table=None if other.form.is_grid else other,
        )
        yield from judge(self.record, rule, bench)

    def _same_unit(self, other: Record) -> bool:
        return same_unit(self.record, other, self.catalog.units)


def same_unit(one: Record, other: Record, units: Units) -> bool:
    """Tell whether two forms are of one unit: by the name as typed, or by what the names stand for."""
    mine, theirs = one.header.get("unit"), other.header.get("unit")
    if not mine or not theirs or fold(mine) == fold(theirs):
        return True
    known = units.named(str(mine))
    return known is not None and known is units.named(str(theirs))
