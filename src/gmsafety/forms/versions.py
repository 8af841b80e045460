"""One form through its versions: which one is open when, and a record of one carried over to another."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import Enum
from typing import Any

from .record import Origin, Record, Rows
from .spec import Form
from .types import fold


class State(Enum):
    """What a version is on a day."""

    DRAFT = "草稿"
    TEST = "试填"
    COMING = "尚未启用"
    OPEN = "使用中"
    CLOSING = "已有新版，仍可接收"
    CLOSED = "已停用"


@dataclass(frozen=True, slots=True)
class Carried:
    """A record in another version, and the names of what was filled in that this version does not ask."""

    record: Record
    left: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Versions:
    """All versions of one form, the oldest first; those that are drafts or tests follow what they will replace."""

    forms: tuple[Form, ...]

    @classmethod
    def of(cls, forms: Iterable[Form]) -> "Versions":
        """Put versions in order: each after the one it follows."""
        waiting, ordered = list(forms), list[Form]()
        while waiting:
            known = {f.version for f in ordered}
            ready = [f for f in waiting if not f.follows or f.follows in known] or waiting[:1]
            ordered += ready
            waiting = [f for f in waiting if f not in ready]
        return cls(tuple(ordered))

    @property
    def published(self) -> tuple[Form, ...]:
        """The versions that are asked for, or were."""
        return tuple(f for f in self.forms if f.status == "published")

    @property
    def current(self) -> Form | None:
        """The newest published version; None where nothing is published yet."""
        return self.published[-1] if self.published else None

    def on(self, day: date) -> Form | None:
        """The version asked for on a day: the newest that is opened by then; before all of them the first."""
        opened = [f for f in self.published if f.opens is None or f.opens <= day]
        return opened[-1] if opened else next(iter(self.published), None)

    def get(self, version: str) -> Form | None:
        """The version of this name."""
        return next((f for f in self.forms if f.version == version), None)

    def state(self, form: Form, day: date) -> State:
        """What a version is on a day; one that has a successor is taken until the day it `closes`."""
        if form.status != "published":
            return State.DRAFT if form.status == "draft" else State.TEST
        if form.opens is not None and form.opens > day:
            return State.COMING
        if form.closes is not None and form.closes < day:
            return State.CLOSED
        return State.OPEN if form.version == getattr(self.on(day), "version", None) else State.CLOSING

    def carry(self, record: Record, to: Form) -> Carried:
        """Carry a record over to another version, step by step along the field maps; what has no place is named."""
        names = [f.version for f in self.forms]
        if record.form.version == to.version or {record.form.version, to.version} - set(names):
            return Carried(record)
        here, there = names.index(record.form.version), names.index(to.version)
        left: list[str] = []
        for at in range(here, there, 1 if there > here else -1):
            older, newer = sorted((at, at + (1 if there > here else -1)))
            pairs = dict(field_map(self.forms[older], self.forms[newer]))
            into = self.forms[newer if there > here else older]
            record, lost = _step(record, into, pairs if there > here else {b: a for a, b in pairs.items()})
            left += lost
        return Carried(record, tuple(left))


def asked(form: Form) -> dict[str, str]:
    """Everything a form asks by path, with its type: `header.unit`, blanks or columns, `signatures.leader`."""
    found = {f"header.{h.id}": h.type for h in form.header}
    found |= {c.id: c.type for c in form.columns} if form.is_grid else {p: b.kind.name for p, b in form.blanks.items()}
    return found | {f"signatures.{f.id}": f.type for f in form.signatures}


def field_map(older: Form, newer: Form) -> Iterator[tuple[str, str]]:
    """Which field of the older version is which of the newer: as `moved` says, else the one of the same id."""
    after = asked(newer)
    for path in asked(older):
        name = newer.moved.get(path, path)
        if path not in newer.dropped and name in after:
            yield path, name


def _step(record: Record, into: Form, pairs: Mapping[str, str]) -> tuple[Record, list[str]]:
    form = record.form
    given: dict[str, Any] = {f"header.{k}": v for k, v in record.header.items()}
    given |= {f"signatures.{k}": v for k, v in record.signatures.items()}
    given |= {} if form.is_grid else dict(record.values)
    taken = {pairs[path]: value for path, value in given.items() if path in pairs}
    left = [form.label_of(p) for p, value in given.items() if value is not None and p not in pairs]
    rows, more = _rows(record, into, pairs) if form.is_grid and into.is_grid else (Rows(), [])
    carried = Record(
        into,
        {h.id: taken.get(f"header.{h.id}") for h in into.header},
        {} if into.is_grid else {p: taken.get(p) for p in into.blanks},
        rows,
        record.nil,
        {k: v for k, v in record.remarks.items() if k in {c.id for c in into.clauses}},
        _origin(record, pairs),
        {f.id: taken.get(f"signatures.{f.id}") for f in into.signatures},
    )
    return carried, [*left, *more]


def _rows(record: Record, into: Form, pairs: Mapping[str, str]) -> tuple[Rows, list[str]]:
    """The rows under the columns of the other version; printed rows each beside the one that says the same."""
    kept = {pairs[c]: list(values) for c, values in record.rows.columns.items() if c in pairs}
    left = [
        record.form.by_id[c].title
        for c, values in record.rows.columns.items()
        if c not in pairs and any(v is not None for v in values)
    ]
    if not (into.fixed and record.form.fixed):
        return Rows(kept, record.rows.count), left
    by = max(into.fixed, key=lambda c: sum(len(str(row.get(c) or "")) for row in into.printed_rows))
    have = {fold(text): index for index, text in enumerate(kept.get(by, ())) if text}
    rows = []
    for printed in into.printed_rows:
        index = have.pop(fold(printed.get(by)), None)
        filled = {c: values[index] for c, values in kept.items()} if index is not None else {}
        rows.append({**filled, **printed})
    open_columns = [c for c in kept if c not in into.fixed]
    gone = [i for i in have.values() if any(kept[c][i] is not None for c in open_columns)]
    return Rows.of(rows, into), left + [str(kept[by][i]) for i in gone]


def _origin(record: Record, pairs: Mapping[str, str]) -> Origin | None:
    """Where everything stands in the file, under the names of the other version."""
    origin = record.origin
    if origin is None or (record.form.is_grid and record.form.fixed):
        return origin and replace(origin, letters={}, lines=[], moved={}, cells=dict(origin.cells))
    named = {new: origin.cells[old] for old, new in pairs.items() if old in origin.cells}
    named |= {new: record.place(old).where for old, new in pairs.items() if old in record.form.blanks}
    named |= {k: v for k, v in origin.cells.items() if k not in pairs and k not in named}
    letters = {pairs[c]: letter for c, letter in origin.letters.items() if c in pairs}
    moved = {(index, pairs[c]): line for (index, c), line in origin.moved.items() if c in pairs}
    return replace(origin, cells=named, letters=letters, moved=moved)
