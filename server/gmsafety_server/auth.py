"""Who somebody is: passwords (argon2id), lock-out, sessions of browsers, tokens of programs.

Sessions, tokens and feed addresses are kept as hashes only; a stolen database opens nothing.
"""

import secrets
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from threading import BoundedSemaphore
from typing import TYPE_CHECKING

from sqlalchemy import Connection, delete, insert, select, update

from gmsafety.exchange.canonical import digest

from . import audit
from .directory import Directory
from .errors import Problem
from .scope import SCOPES, Role, Viewer
from .tables import AnyRow, sessions, tokens, users

if TYPE_CHECKING:
    from argon2 import PasswordHasher

FAILURES_ALLOWED = 5
LOCKED = timedelta(minutes=15)
PASSWORD_LENGTH = 10
TOKEN_PREFIX = "gms_"
_AT_ONCE = BoundedSemaphore(2)  # argon2 takes 64 MB and all of a core


@cache
def _hasher() -> "PasswordHasher":
    from argon2 import PasswordHasher  # noqa: PLC0415 - loads a compiled library

    return PasswordHasher()


@cache
def _nobody() -> str:
    return _hasher().hash(secrets.token_hex())


def hash_password(password: str) -> str:
    """Hash a password; one that is too short is refused."""
    if len(password) < PASSWORD_LENGTH:
        raise Problem("not-valid", f"密码至少{PASSWORD_LENGTH}位", errors=[{"field": "password", "message": "太短"}])
    with _AT_ONCE:
        return _hasher().hash(password)


def _matches(hashed: str, password: str) -> bool:
    from argon2.exceptions import VerificationError  # noqa: PLC0415 - as above

    with _AT_ONCE:
        try:
            return _hasher().verify(hashed, password)
        except VerificationError:
            return False


def find_user(tx: Connection, login: str) -> AnyRow | None:
    """The account of a log-in name."""
    return tx.execute(select(users).where(users.c.login == login)).first()


def check_password(row: AnyRow | None, password: str, now: datetime) -> None:
    """Refuse a wrong password, an unknown account and a locked one; takes as long for each. Needs no transaction."""
    right = _matches(row.password if row is not None else _nobody(), password)
    if row is not None and row.locked_until is not None and row.locked_until > now:
        minutes = int((row.locked_until - now).total_seconds() // 60) + 1
        headers = {"Retry-After": str(minutes * 60)}
        raise Problem("locked-out", f"密码错误次数过多，请{minutes}分钟后再试", headers=headers)
    if row is None or not right or row.disabled_at is not None:
        raise Problem("wrong-password")


def count_failure(tx: Connection, row: AnyRow | None, now: datetime) -> None:
    """Count a wrong password; at the fifth the account is locked for a quarter of an hour."""
    if row is None or (row.locked_until is not None and row.locked_until > now):
        return
    failures = row.failures + 1
    locked = now + LOCKED if failures >= FAILURES_ALLOWED else None
    values = {"failures": 0 if locked else users.c.failures + 1, "locked_until": locked}
    tx.execute(update(users).where(users.c.id == row.id).values(values))
    audit.record(tx, now, row.login, "login.failed", row.login, path="/", failures=failures, locked=locked is not None)


def clear_failures(tx: Connection, row: AnyRow) -> None:
    """Forget wrong passwords after a right one."""
    if row.failures or row.locked_until:
        tx.execute(update(users).where(users.c.id == row.id).values(failures=0, locked_until=None))


def open_session(tx: Connection, user: int, now: datetime, *, hours: int, agent: str) -> str:
    """Begin a session; returns the secret for the cookie."""
    secret = secrets.token_urlsafe(32)
    tx.execute(delete(sessions).where(sessions.c.expires_at < now))
    values = {"hash": digest(secret.encode()), "user_id": user, "csrf": secrets.token_urlsafe(24), "created_at": now}
    tx.execute(insert(sessions).values(**values, expires_at=now + timedelta(hours=hours), agent=agent[:200]))
    return secret


def close_session(tx: Connection, secret: str) -> None:
    """End a session."""
    tx.execute(delete(sessions).where(sessions.c.hash == digest(secret.encode())))


def viewer_of_session(tx: Connection, secret: str, now: datetime, directory: Directory) -> Viewer | None:
    """Whose session it is, or None where it is unknown or over."""
    query = select(users, sessions.c.csrf, sessions.c.expires_at).join(sessions, sessions.c.user_id == users.c.id)
    row = tx.execute(query.where(sessions.c.hash == digest(secret.encode()))).first()
    if row is None or row.expires_at <= now or row.disabled_at is not None:
        return None
    return replace(_viewer(row, directory), csrf=row.csrf)


def new_token(
    tx: Connection, user: int, name: str, *, scopes: Iterable[str], now: datetime, expires_at: datetime
) -> tuple[int, str]:
    """Make a token; returns its number and the secret, which is shown once."""
    chosen = sorted(set(scopes))
    if strange := [s for s in chosen if s not in SCOPES]:
        raise Problem("not-valid", f"没有这种权限：{'、'.join(strange)}。可用：{'、'.join(SCOPES)}")
    secret = f"{TOKEN_PREFIX}{secrets.token_urlsafe(32)}"
    values = {"hash": digest(secret.encode()), "user_id": user, "name": name, "hint": secret[:9], "scopes": chosen}
    row = insert(tokens).values(**values, created_at=now, expires_at=expires_at).returning(tokens.c.id)
    return int(tx.execute(row).scalar_one()), secret


def viewer_of_token(tx: Connection, secret: str, now: datetime, directory: Directory) -> Viewer:
    """Whose token it is; refuses one that is unknown, over or revoked."""
    query = select(users, tokens.c.scopes, tokens.c.expires_at, tokens.c.revoked_at).join(tokens)
    row = tx.execute(query.where(tokens.c.hash == digest(secret.encode()))).first()
    if row is None or row.disabled_at is not None:
        raise Problem("not-logged-in", headers={"WWW-Authenticate": "Bearer"})
    if row.revoked_at is not None or row.expires_at <= now:
        raise Problem("token-expired", headers={"WWW-Authenticate": "Bearer"})
    return replace(_viewer(row, directory), scopes=frozenset(row.scopes))


def _viewer(row: AnyRow, directory: Directory) -> Viewer:
    roles = frozenset(Role(r) for r in row.roles)
    path = directory.path(row.unit)
    return Viewer(row.id, row.login, row.name, row.unit, path, roles, must_change=row.must_change)
