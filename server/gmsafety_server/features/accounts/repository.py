"""The rows of accounts, sessions and tokens; nothing here decides."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, String, cast, delete, func, insert, or_, select, update

from ...tables import AnyRow, tokens, units, users


def placed(day: date) -> Select[Any]:
    """Accounts with the path of their unit on a day, or the last one it bore."""
    last = select(units.c.ref, func.max(units.c.since).label("since")).where(units.c.since <= day)
    last_rows = last.group_by(units.c.ref).subquery()
    query = select(users, units.c.path, units.c.name.label("unit_name"))
    return query.join(last_rows, last_rows.c.ref == users.c.unit).join(
        units, (units.c.ref == last_rows.c.ref) & (units.c.since == last_rows.c.since)
    )


def one(tx: Connection, login: str, day: date, *, lock: bool = False) -> AnyRow | None:
    """An account by its log-in name."""
    query = placed(day).where(users.c.login == login)
    return tx.execute(query.with_for_update(of=users) if lock else query).first()


def listed(
    tx: Connection, seen: ColumnElement[bool], filters: Mapping[str, Any], day: date, *, offset: int, limit: int
) -> tuple[list[AnyRow], int]:
    """A page of the accounts in sight, by unit and log-in name, and how many there are."""
    query = placed(day).where(seen)
    if unit := filters.get("unit"):
        query = query.where(users.c.unit == unit)
    if role := filters.get("role"):
        query = query.where(has_role(role))
    if filters.get("disabled") is not None:
        off = users.c.disabled_at.is_not(None)
        query = query.where(off if filters["disabled"] else ~off)
    if text := filters.get("q"):
        named = (users.c.login, users.c.name, units.c.name)
        query = query.where(or_(*(c.icontains(text, autoescape=True) for c in named)))
    total = tx.execute(select(func.count()).select_from(query.subquery())).scalar_one()
    rows = tx.execute(query.order_by(units.c.path, users.c.login).offset(offset).limit(limit))
    return list(rows), int(total)


def has_role(role: str) -> ColumnElement[bool]:
    """The accounts with a role, as a condition."""
    return cast(users.c.roles, String).contains(f'"{role}"')


def lock_with_role(tx: Connection, role: str) -> list[AnyRow]:
    """The accounts in use that have a role, held until the commit so that two cannot take away each other's."""
    query = select(users.c.id, users.c.unit).where(users.c.disabled_at.is_(None), has_role(role))
    return list(tx.execute(query.order_by(users.c.id).with_for_update()))


def add(tx: Connection, values: Mapping[str, Any]) -> int:
    """Enter an account."""
    return int(tx.execute(insert(users).values(values).returning(users.c.id)).scalar_one())


def change(tx: Connection, user: int, values: Mapping[str, Any]) -> None:
    """Change an account."""
    tx.execute(update(users).where(users.c.id == user).values(values))


def tokens_of(tx: Connection, user: int) -> list[AnyRow]:
    """The tokens of an account, the newest first."""
    return list(tx.execute(select(tokens).where(tokens.c.user_id == user).order_by(tokens.c.id.desc())))


def revoke(tx: Connection, user: int, token: int, now: datetime) -> bool:
    """End a token of an account; tells whether there is such a token. One that was ended keeps its time."""
    own = (tokens.c.user_id == user) & (tokens.c.id == token)
    done = tx.execute(update(tokens).where(own).values(revoked_at=func.coalesce(tokens.c.revoked_at, now)))
    return done.rowcount == 1


def forget_tokens(tx: Connection, user: int, before: datetime) -> None:
    """Remove the tokens of an account that ended long ago."""
    tx.execute(delete(tokens).where(tokens.c.user_id == user, tokens.c.expires_at < before))
