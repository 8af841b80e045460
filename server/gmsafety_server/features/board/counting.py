"""The counts of each of many units: made once in SQL, brought up to date where something was filed, and sorted."""

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import TypeAlias

from sqlalchemy import Connection

from gmsafety.duties import BEIJING

from . import unit_rows
from .bodies import Body
from .choosing import Chosen
from .remembered import Counted, Look, Touched
from .schemas import Order
from .tallies import Counts

UnitCounts: TypeAlias = Mapping[str, Counts]
NONE = Counts()


def count_units(tx: Connection, look: Look, chosen: Chosen, now: datetime) -> Counted[UnitCounts]:
    """The counts of every unit; where something was filed, only those of its unit are made anew."""

    def count() -> Counted[UnitCounts]:
        return Counted(unit_rows.counts(tx, chosen.reach, now), unit_rows.ends_at(tx, chosen.reach, now))

    def renew(known: UnitCounts, touched: Touched) -> Counted[UnitCounts]:
        anew = unit_rows.counts(tx, chosen.reach, now, {unit for unit, _ in touched})
        return Counted({**known, **anew}, unit_rows.ends_at(tx, chosen.reach, now))

    today = now.astimezone(BEIJING).date()  # what opens, opens with the day
    return look.get(("counts", chosen.key, today), chosen.reach, count, renew)


def in_order(bodies: list[Body], order: Order, counts: UnitCounts) -> list[Body]:
    """Sort units that are in the order of their areas; those alike stay in it."""
    if order == "area":
        return bodies
    place = _PLACES[order]
    return sorted(bodies, key=lambda b: place(counts.get(b.ref, NONE)))


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 2.0  # what has no rate stands last


_PLACES: Mapping[str, Callable[[Counts], float]] = MappingProxyType(
    {
        "missing": lambda c: -c.missing,
        "late": lambda c: -c.late,
        "due": lambda c: -c.due,
        "nil": lambda c: -c.nil,
        "submitted": lambda c: -c.submitted,
        "returned": lambda c: -c.returned,
        "completeness": lambda c: _share(c.received, c.expected),
        "timeliness": lambda c: _share(c.received - c.late, c.received + c.missing),
    }
)
