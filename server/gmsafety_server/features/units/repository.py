"""The dated rows of units and of what they owe; nothing here decides."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from sqlalchemy import Connection, String, and_, cast, func, insert, or_, select, update

from ...directory import in_force
from ...scope import within
from ...tables import AnyRow, assignments, unit_changes, units, users

_COPIED = [c.name for c in units.c if c.name != "id"]


def on(tx: Connection, ref: str, day: date) -> AnyRow | None:
    """The row of a unit that holds on a day."""
    return tx.execute(select(units).where(units.c.ref == ref, in_force(units, day))).first()


def spells(tx: Connection, ref: str) -> list[AnyRow]:
    """All rows of a unit, the latest first."""
    return list(tx.execute(select(units).where(units.c.ref == ref).order_by(units.c.since.desc())))


def beginning_after(tx: Connection, refs: Iterable[str], day: date) -> AnyRow | None:
    """A row of one of these units that begins after a day: somebody entered a later change already."""
    query = select(units).where(units.c.ref.in_(list(refs)), units.c.since > day)
    return tx.execute(query.order_by(units.c.since).limit(1)).first()


def children(tx: Connection, ref: str, day: date) -> list[AnyRow]:
    """The units directly below one, on a day or later."""
    query = select(units).where(units.c.parent == ref, or_(units.c.until.is_(None), units.c.until > day))
    return list(tx.execute(query.order_by(units.c.area, units.c.ref, units.c.since)))


def subtree(tx: Connection, path: str, day: date) -> list[AnyRow]:
    """The rows of a unit and all below it that hold on a day or later."""
    lasting = or_(units.c.until.is_(None), units.c.until > day)
    return list(tx.execute(select(units).where(within(units.c.path, path), lasting).order_by(units.c.path)))


def begin_change(tx: Connection, values: Mapping[str, Any]) -> int:
    """Write down a change; returns its number."""
    return int(tx.execute(insert(unit_changes).values(values).returning(unit_changes.c.id)).scalar_one())


def tell_change(tx: Connection, number: int, values: Mapping[str, Any]) -> None:
    """Complete what a change says."""
    tx.execute(update(unit_changes).where(unit_changes.c.id == number).values(values))


def add(tx: Connection, values: Mapping[str, Any]) -> None:
    """Begin a row of a unit."""
    tx.execute(insert(units).values(values))


def turn(tx: Connection, row: AnyRow, day: date, change: int, values: Mapping[str, Any]) -> None:
    """A unit is otherwise from a day on: its row ends and another begins, or the row that begins then is changed."""
    if row.since >= day:
        tx.execute(update(units).where(units.c.id == row.id).values({**values, "change_id": change}))
        return
    end(tx, row, day)
    copied = {name: getattr(row, name) for name in _COPIED}
    add(tx, {**copied, **values, "since": day, "change_id": change})


def end(tx: Connection, row: AnyRow, day: date) -> None:
    """A row of a unit holds until a day, that day not included."""
    tx.execute(update(units).where(units.c.id == row.id).values(until=day))


def owed(tx: Connection, unit: str, day: date) -> list[AnyRow]:
    """What a unit owes on a day or later."""
    lasting = or_(assignments.c.until.is_(None), assignments.c.until > day)
    return list(tx.execute(select(assignments).where(assignments.c.unit == unit, lasting)))


def ever_owed(tx: Connection, unit: str) -> list[AnyRow]:
    """What a unit owes or owed."""
    query = select(assignments).where(assignments.c.unit == unit)
    return list(tx.execute(query.order_by(assignments.c.campaign, assignments.c.duty, assignments.c.since)))


def owe(tx: Connection, rows: list[dict[str, Any]]) -> None:
    """Enter duties."""
    if rows:
        tx.execute(insert(assignments), rows)


def owe_no_longer(tx: Connection, rows: Iterable[AnyRow], day: date) -> None:
    """End duties from a day on; what was to begin later does not begin."""
    for row in rows:
        change = update(assignments).where(assignments.c.id == row.id)
        tx.execute(change.values(until=max(day, row.since)))


def changes_of(tx: Connection, ref: str) -> list[AnyRow]:
    """The changes that name a unit, in the order of their days."""
    named = cast(unit_changes.c.units, String).contains(f'"{ref}"', autoescape=True)
    query = select(unit_changes, users.c.name.label("who")).outerjoin(users, users.c.id == unit_changes.c.by_user)
    return list(tx.execute(query.where(named).order_by(unit_changes.c.day, unit_changes.c.id)))


def accounts_of(tx: Connection, refs: Iterable[str]) -> int:
    """How many accounts in use belong to these units."""
    query = select(func.count()).select_from(users)
    inside = and_(users.c.unit.in_(list(refs)), users.c.disabled_at.is_(None))
    return int(tx.execute(query.where(inside)).scalar_one())
