"""Counts over thousands of slots, made once and given again while they are still true.

They are true while nothing was written (`repository.version`) and no slot has come to its deadline or its opening day
since; so a remembered count is the very one that would be made anew.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Depends, Request
from sqlalchemy import Connection

from . import repository

_T = TypeVar("_T")
_MOST = 64


@dataclass(frozen=True, slots=True)
class Counted(Generic[_T]):
    """Something counted; `until` is the first moment at which it may have changed by itself."""

    value: _T
    until: datetime | None = None


class Remembered:
    """What was counted, with the version and the time for which it holds."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: dict[Hashable, tuple[tuple[int, int], datetime, Counted[Any]]] = {}

    def within(self, tx: Connection, now: datetime) -> "Look":
        """For one look at the database, which sees one state of it."""
        written, planned, settled = repository.version(tx)
        return Look(self, (written, planned), now, settled=settled)

    def find(self, key: Hashable, version: tuple[int, int], now: datetime) -> Counted[Any] | None:
        """What is remembered under a key, where it still holds."""
        known = self._known.get(key)
        if known is None or known[0] != version:
            return None
        _, since, counted = known
        return counted if since <= now and (counted.until is None or now < counted.until) else None

    def keep(self, key: Hashable, version: tuple[int, int], now: datetime, counted: Counted[Any]) -> None:
        """Remember."""
        with self._lock:
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[key] = (version, now, counted)


class Look:
    """One look: it remembers only what a settled state of the database says."""

    def __init__(self, remembered: Remembered, version: tuple[int, int], now: datetime, *, settled: bool) -> None:
        self._remembered, self._version, self._now, self._settled = remembered, version, now, settled

    def get(self, key: Hashable, count: Callable[[], Counted[_T]], *, planned: bool = False) -> Counted[_T]:
        """What is remembered under a key, or what is counted now; `planned` is what only a change of units changes."""
        version = (0, self._version[1]) if planned else self._version
        known: Counted[_T] | None = self._remembered.find(key, version, self._now)
        if known is None:
            known = count()
            if self._settled:
                self._remembered.keep(key, version, self._now, known)
        return known


def remembered_of(request: Request) -> Remembered:
    """What the application remembers."""
    found: Remembered = request.app.state.remembered
    return found


Memory = Annotated[Remembered, Depends(remembered_of)]
