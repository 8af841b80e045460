"""To whom a submission goes: to the unit above, or to those that its slot names, each perhaps on another node."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, or_, select

from gmsafety.exchange.envelope import Subject
from gmsafety.exchange.payloads import To

from ...mail.stations import Stations
from ...planning import NO_DEADLINE
from ...scope import Relation, Viewer, visible
from ...tables import addressees, slots
from . import marks

_OUT_OF_SIGHT = (Relation.OTHER, Relation.ABOVE)


@dataclass(frozen=True, slots=True)
class Way:
    """One addressee; `path` is where the submission stands in its view: directly below it."""

    unit: str
    path: str
    decides: bool


def is_upon_event(slot: Any) -> bool:
    """Tell whether something is filed upon an event, and by no day."""
    return bool(slot.due_at >= NO_DEADLINE)


def ways(tx: Connection, slot: Any, number: int) -> list[Way]:
    """All to whom what is filed in a slot goes; `number` is that of the slot."""
    if not is_upon_event(slot):
        return [Way(slot.upper or slot.unit, slot.path, True)]
    query = select(addressees).where(addressees.c.slot_id == number).order_by(addressees.c.position)
    return [Way(r.unit, r.path, r.decides) for r in tx.execute(query)]


def sent_to(around: Stations, those: Iterable[Way]) -> tuple[To, ...]:
    """All addressees, with the node to which it is sent for each, as the message tells it."""
    return tuple(To(unit=way.unit, node=around.above(way.path) or around.own) for way in those)


def may_answer(tx: Connection, around: Stations, sender: str, subject: Subject, path: str) -> bool:
    """Tell whether a node may give receipts: that of the unit above, and those to which a thing was sent."""
    if around.above(path) == sender and (around.of(path) is None or marks.went_over(tx, path) is not None):
        return True
    same = [slots.c[name] == getattr(subject, name) for name in ("campaign", "item", "period", "unit")]
    query = select(addressees.c.path).join(slots, slots.c.id == addressees.c.slot_id).where(*same)
    return any(around.above(to) == sender for to in tx.execute(query).scalars())


def nodes(around: Stations, those: Iterable[Way]) -> dict[str, str]:
    """The other nodes to which it goes, each once, and by which unit."""
    found: dict[str, str] = {}
    for way in those:
        name = around.above(way.path)
        if name is not None:
            found.setdefault(name, way.unit)
    return found


def decider(tx: Connection, slot: Any, number: int) -> Way:
    """The one that decides."""
    return next(way for way in ways(tx, slot, number) if way.decides)


def place(tx: Connection, viewer: Viewer, slot: Any, number: int) -> str:
    """Where a slot stands for a viewer: in the tree of units, or directly below the addressee in their sight."""
    path = str(slot.path)
    if viewer.relation(path) not in _OUT_OF_SIGHT or not is_upon_event(slot):
        return path
    seen = (way.path for way in ways(tx, slot, number) if viewer.relation(way.path) not in _OUT_OF_SIGHT)
    return next(seen, path)


def in_sight(viewer: Viewer, action: str) -> ColumnElement[bool]:
    """The slots on which the viewer may do the action, as a condition: those below, and those addressed to them."""
    addressed = select(addressees.c.slot_id).where(visible(viewer, action, addressees.c.path))
    return or_(visible(viewer, action, slots.c.path), slots.c.id.in_(addressed))
