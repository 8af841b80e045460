"""The slots that a form looked at may be meant for."""

from datetime import date

from sqlalchemy import Connection, select

from ...tables import AnyRow, slots


def slots_on(tx: Connection, unit: str, item: str, day: date) -> list[AnyRow]:
    """The slots of a unit and an item whose time holds a day."""
    query = select(slots).where(slots.c.unit == unit, slots.c.item == item)
    query = query.where(slots.c.opens <= day, slots.c.period >= day)
    return list(tx.execute(query.order_by(slots.c.period, slots.c.campaign)))


def slots_of(tx: Connection, unit: str, item: str, period: date) -> list[AnyRow]:
    """The slots of a unit for an item and a period."""
    query = select(slots).where(slots.c.unit == unit, slots.c.item == item, slots.c.period == period)
    return list(tx.execute(query.order_by(slots.c.campaign)))
