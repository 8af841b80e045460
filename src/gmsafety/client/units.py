"""Units of a server: who there is, and what happens to them."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any, Literal, NotRequired, TypedDict, Unpack

from .connection import Connection, body
from .values import Answer, Day


class Unit(Answer):
    """A unit on a day; `depth` counts the units above it."""

    ref: str
    name: str
    area: str
    area_name: str
    level: str
    role: str
    parent: str | None
    depth: int


class Spell(Answer):
    """A unit for as long as nothing about it changed: from `since`, included, to `until`, not included."""

    name: str
    area: str
    level: str
    role: str
    parent: str | None
    parent_name: str | None
    aliases: tuple[str, ...]
    since: date
    until: date | None


class UnitChange(Answer):
    """A change, as the history tells it."""

    id: int
    kind: str
    title: str
    day: date
    reason: str
    at: datetime
    by: str
    data: dict[str, Any]


class Owed(Answer):
    """A duty that a unit owes, or owed; `by_hand` where its role alone would not ask for it."""

    campaign: str
    duty: str
    title: str
    since: date
    until: date | None
    by_hand: bool


class UnitDetail(Unit):
    """A unit with its history, as far as it is in sight."""

    is_open: bool
    spells: tuple[Spell, ...]
    changes: tuple[UnitChange, ...]
    duties: tuple[Owed, ...]


class Effect(Answer):
    """What a change does to one unit."""

    ref: str
    name: str
    effect: str
    title: str


class SlotEffect(Answer):
    """Something to be filed that is added, taken away, or goes to another unit."""

    effect: Literal["added", "removed", "moved"]
    unit: str
    campaign: str
    item: str
    title: str
    period: date


class Outcome(Answer):
    """What a change did, or would do (`dry_run`); `slots` are the first 200 of what is counted."""

    id: int | None
    kind: str
    day: date
    dry_run: bool
    units: tuple[Effect, ...]
    added: int
    removed: int
    moved: int
    slots: tuple[SlotEffect, ...]
    drafts: tuple[str, ...]
    accounts: int


class NewUnit(Answer):
    """A unit to be set up; what is left out is as with the unit above it, or the one it comes from."""

    ref: str
    name: str
    parent: str | None = None
    area: str | None = None
    level: str | None = None
    role: str | None = None
    aliases: tuple[str, ...] = ()


class Successor(NewUnit):
    """A unit that comes out of another, and those below that go to it."""

    children: tuple[str, ...] = ()


class Filters(TypedDict, total=False):
    """What a list is narrowed to; `q` is part of a name, `day` the day whose units are meant."""

    under: str
    level: str
    role: str
    area: str
    q: str
    day: Day


class Terms(TypedDict):
    """From which day, and why; with `dry_run` only the outcome is told."""

    day: Day
    reason: str
    dry_run: NotRequired[bool]


class Units:
    """Units in sight, and the changes an administrator makes. A change holds from its day on and is never undone."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find(self, **filters: Unpack[Filters]) -> Iterator[Unit]:
        """Units in sight, each followed by those below it."""
        return self._connection.leaf(Unit, "GET /api/v1/units", **filters)

    def get(self, ref: str) -> UnitDetail:
        """A unit with its history and duties."""
        return self._connection.take(UnitDetail, "GET /api/v1/units/{ref}", ref)

    def open(self, unit: NewUnit, **terms: Unpack[Terms]) -> Outcome:
        """Set a unit up."""
        return self._change(terms, kind="open", **unit.model_dump(exclude_none=True))

    def close(self, unit: str, **terms: Unpack[Terms]) -> Outcome:
        """Close a unit; it has none below it any more."""
        return self._change(terms, kind="close", unit=unit)

    def rename(self, unit: str, name: str, **terms: Unpack[Terms]) -> Outcome:
        """Give a unit another name; the old one stays an alias."""
        return self._change(terms, kind="rename", unit=unit, name=name)

    def move(self, unit: str, to: str, **terms: Unpack[Terms]) -> Outcome:
        """Put a unit, with all below it, under another."""
        return self._change(terms, kind="move", unit=unit, to=to)

    def split(self, unit: str, into: Iterable[Successor], *, keep: bool = False, **terms: Unpack[Terms]) -> Outcome:
        """Make new units out of one; with `keep` it goes on beside them."""
        fresh = [s.model_dump(exclude_none=True) for s in into]
        return self._change(terms, kind="split", unit=unit, into=fresh, keep=keep)

    def merge(self, units: Iterable[str], into: str | NewUnit, **terms: Unpack[Terms]) -> Outcome:
        """Make several units one: one of them, another that exists, or a new one."""
        target = into if isinstance(into, str) else into.model_dump(exclude_none=True)
        return self._change(terms, kind="merge", units=list(units), into=target)

    def assign(self, unit: str, campaign: str, duty: str, **terms: Unpack[Terms]) -> Outcome:
        """Have a unit owe a duty, whatever its role."""
        return self._change(terms, kind="assign", unit=unit, campaign=campaign, duty=duty)

    def unassign(self, unit: str, campaign: str, duty: str, **terms: Unpack[Terms]) -> Outcome:
        """Have a unit owe a duty no longer."""
        return self._change(terms, kind="unassign", unit=unit, campaign=campaign, duty=duty)

    def _change(self, terms: Terms, **change: Any) -> Outcome:
        told = body(**change, **terms)
        return self._connection.take(Outcome, "POST /api/v1/units/changes", json=told)
