"""What is counted of each unit: statements that read nothing but the index by path, and sum as they read."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, func, select

from gmsafety.duties import BEIJING

from ...planning import MOVED_AT_MOST
from ...tables import slots
from .repository import Reach, counted, word_at
from .tallies import Counts

_SLOT = slots.c
_SECOND = timedelta(seconds=1)


def unit_at(path: str) -> str:
    """The unit at a path."""
    return path.strip("/").rpartition("/")[2]


def counts(tx: Connection, reach: Reach, now: datetime, only: Collection[str] | None = None) -> dict[str, Counts]:
    """The counts of every unit, or of some; a unit that was moved has slots at several paths."""
    some = _unbounded(tx, reach).along_paths(tx) if only is None else and_(reach.condition, _SLOT.unit.in_(only))
    query = select(_SLOT.path, *counted(now)).where(some).group_by(_SLOT.path)
    found: dict[str, Counts] = {}
    for path, *numbers in tx.execute(query):
        unit = unit_at(path)
        found[unit] = Counts.sum((found[unit], numbers)) if unit in found else Counts(*numbers)
    return found


def _unbounded(tx: Connection, reach: Reach) -> Reach:
    """The same slots, without a bound that leaves nothing out: it would be looked at with every row."""
    of_item = and_(_SLOT.campaign == reach.campaign, _SLOT.item == reach.item)
    first = tx.execute(select(func.min(_SLOT.period)).where(of_item)).scalar()
    last = tx.execute(select(func.max(_SLOT.period)).where(of_item)).scalar()
    bounds: dict[str, Any] = {}
    if first is None or (reach.first is not None and reach.first <= first):
        bounds["first"] = None
    if last is None or (reach.last is not None and reach.last >= last):
        bounds["last"] = None
    return replace(reach, **bounds)


def bearing(tx: Connection, reach: Reach, now: datetime, word: str) -> set[str]:
    """The units that have a slot with this word."""
    query: Any = select(_SLOT.path).where(reach.along_paths(tx), word_at(now) == word).distinct()
    return {unit_at(path) for path in tx.execute(query).scalars()}


def ends_at(tx: Connection, reach: Reach, now: datetime) -> datetime | None:
    """The first moment of this day at which a slot of the item may change its word by itself; None for none."""
    today = now.astimezone(BEIJING).date()
    near = _SLOT.period.between(today - MOVED_AT_MOST, today + MOVED_AT_MOST)
    query = select(func.min(_SLOT.due_at)).where(_SLOT.campaign == reach.campaign, _SLOT.item == reach.item, near)
    due: datetime | None = tx.execute(query.where(_SLOT.due_at >= now.replace(microsecond=0))).scalar()
    return due + _SECOND if due is not None else None
