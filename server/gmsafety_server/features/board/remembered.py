"""Counts over thousands of slots, made once and given again while they are still true.

They are true while no slot that they are about was changed (`repository.version`, `repository.touched`), and none has
come to its deadline or its opening day since. Where a few were changed, only these are counted anew; so what is given
is the very value that would be made from the beginning.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import date, datetime
from threading import Lock
from typing import Annotated, Any, Generic, TypeAlias, TypeVar

from fastapi import Depends, Request
from sqlalchemy import Connection

from . import repository
from .repository import Reach

_T = TypeVar("_T")
_MOST = 64

Touched: TypeAlias = list[tuple[str, date]]
"""Slots that were changed: unit and period."""


@dataclass(frozen=True, slots=True)
class Counted(Generic[_T]):
    """Something counted; `until` is the first moment at which it may have changed by itself."""

    value: _T
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Kept:
    counted: Counted[Any]
    written: int
    planned: int
    since: datetime

    def holds(self, planned: int, now: datetime) -> bool:
        """Tell whether units and time are still the same."""
        until = self.counted.until
        return self.planned == planned and self.since <= now and (until is None or now < until)


class Remembered:
    """What was counted, with the version and the time for which it holds."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: dict[Hashable, _Kept] = {}

    def within(self, tx: Connection, now: datetime) -> "Look":
        """For one look at the database, which sees one state of it."""
        return Look(self, tx, now)

    def find(self, key: Hashable) -> _Kept | None:
        """What is remembered under a key."""
        return self._known.get(key)

    def keep(self, key: Hashable, kept: _Kept) -> None:
        """Remember."""
        with self._lock:
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[key] = kept


class Look:
    """One look: it remembers only what a settled state of the database says."""

    def __init__(self, remembered: Remembered, tx: Connection, now: datetime) -> None:
        self._remembered, self._tx, self._now = remembered, tx, now
        self._written, self._planned, self._settled = repository.version(tx)
        self._touched: dict[int, repository.Changes | None] = {}

    def get(
        self, key: Hashable, reach: Reach | None, count: Callable[[], Counted[_T]],
        renew: Callable[[_T, Touched], Counted[_T]] | None = None,
    ) -> Counted[_T]:  # fmt: skip
        """What is remembered under a key, or what is counted now.

        `reach` is what it is about; without one, only a change of units changes it. `renew` makes it from what it was
        and from the slots that were changed since.
        """
        kept = self._remembered.find(key)
        counted: Counted[_T] | None = None
        if kept is not None and kept.holds(self._planned, self._now):
            if reach is None or kept.written == self._written:
                return kept.counted
            counted = self._renewed(kept, reach, renew)
        if counted is None:
            counted = count()
        if self._settled:
            self._remembered.keep(key, _Kept(counted, self._written, self._planned, self._now))
        return counted

    def _renewed(
        self, kept: _Kept, reach: Reach, renew: Callable[[Any, Touched], Counted[_T]] | None
    ) -> Counted[_T] | None:
        """What was remembered, brought up to date; None where it is to be counted from the beginning."""
        changes = self._changes(kept.written)
        if changes is None:
            return None
        touched = [(c.unit, c.period) for c in changes if reach.holds(c.campaign, c.item, c.period)]
        if not touched:
            return kept.counted
        return renew(kept.counted.value, touched) if renew else None

    def _changes(self, since: int) -> repository.Changes | None:
        if since not in self._touched:
            self._touched[since] = repository.touched(self._tx, since)
        return self._touched[since]


def remembered_of(request: Request) -> Remembered:
    """What the application remembers."""
    found: Remembered = request.app.state.remembered
    return found


Memory = Annotated[Remembered, Depends(remembered_of)]
