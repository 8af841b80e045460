"""The rows of calendar feeds, and of what they show."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from ...planning import NO_DEADLINE
from ...tables import AnyRow, feeds, slots, submissions, unit_changes


def add(tx: Connection, values: Mapping[str, Any]) -> AnyRow:
    """Enter a feed."""
    return tx.execute(insert(feeds).values(values).returning(feeds)).one()


def of_unit(tx: Connection, unit: str) -> list[AnyRow]:
    """The feeds of a unit, the newest first."""
    return list(tx.execute(select(feeds).where(feeds.c.unit == unit).order_by(feeds.c.id.desc())))


def by_id(tx: Connection, number: int) -> AnyRow | None:
    """A feed by its number."""
    return tx.execute(select(feeds).where(feeds.c.id == number)).first()


def by_hash(tx: Connection, digest: str) -> AnyRow | None:
    """The feed of an address that is in force."""
    return tx.execute(select(feeds).where(feeds.c.hash == digest, feeds.c.revoked_at.is_(None))).first()


def revoke(tx: Connection, number: int, now: datetime) -> None:
    """Mark a feed as revoked."""
    tx.execute(update(feeds).where(feeds.c.id == number).values(revoked_at=now))


def shown(tx: Connection, unit: str, between: tuple[date, date]) -> list[AnyRow]:
    """The slots that a feed shows, and when each last changed."""
    columns = (slots, submissions.c.changed_at)
    query = select(*columns).outerjoin(submissions, submissions.c.id == slots.c.submission_id)
    dated = slots.c.due_at < NO_DEADLINE
    query = query.where(slots.c.unit == unit, slots.c.period >= between[0], slots.c.period <= between[1], dated)
    return list(tx.execute(query.order_by(slots.c.due_at, slots.c.item)))


def last_planned(tx: Connection) -> datetime | None:
    """When units or assignments last changed, and with them perhaps the slots."""
    return tx.execute(select(func.max(unit_changes.c.at))).scalar()
