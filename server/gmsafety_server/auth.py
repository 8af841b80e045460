"""Who somebody is: passwords (argon2id), lock-out, sessions of browsers, tokens of programs.

Sessions, tokens and feed addresses are kept as hashes only; a stolen database opens nothing. A log-in name that nobody
has is treated as one that somebody has: as slowly, and locked as soon.
"""

import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from math import ceil
from threading import BoundedSemaphore
from typing import TYPE_CHECKING

from sqlalchemy import Connection, bindparam, delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from gmsafety.exchange.canonical import digest

from . import audit
from .directory import LAST_CHANGE, Directory
from .errors import Problem
from .scope import SCOPES, Role, Viewer
from .tables import AnyRow, sessions, strangers, tokens, users

if TYPE_CHECKING:
    from argon2 import PasswordHasher

FAILURES_ALLOWED = 5
LOCKED = timedelta(minutes=15)
REMEMBERED = 4 * LOCKED
"""How long a wrong password is held against a name after the last one."""
PASSWORD_LENGTH = 10
WORK = {"time_cost": 3, "memory_cost": 64 * 1024, "parallelism": 4}
"""What a password costs to try, RFC 9106 (second recommended option): rounds, KiB, threads."""
TOKEN_PREFIX = "gms_"
TOKEN_DAYS = 365
_AT_ONCE = BoundedSemaphore(2)  # argon2 takes 64 MB and all of a core
_IN_QUEUE = BoundedSemaphore(12)  # those who wait hold threads that others need


@cache
def _hasher() -> "PasswordHasher":
    from argon2 import PasswordHasher  # noqa: PLC0415 - loads a compiled library

    return PasswordHasher(WORK["time_cost"], WORK["memory_cost"], WORK["parallelism"])


@cache
def _nobody() -> str:
    return _hasher().hash(secrets.token_hex())


@contextmanager
def _turn() -> Iterator[None]:
    if not _IN_QUEUE.acquire(blocking=False):
        raise Problem("busy", "登录的人太多，请稍后再试", headers={"Retry-After": "2"})
    try:
        with _AT_ONCE:
            yield
    finally:
        _IN_QUEUE.release()


def hash_password(password: str) -> str:
    """Hash a password; one that is too short is refused."""
    if len(password) < PASSWORD_LENGTH:
        raise Problem("not-valid", f"密码至少{PASSWORD_LENGTH}位", errors=[{"field": "password", "message": "太短"}])
    with _turn():
        return _hasher().hash(password)


def matches(hashed: str, password: str) -> bool:
    """Tell whether a password is the one that was hashed."""
    from argon2.exceptions import VerificationError  # noqa: PLC0415 - as above

    with _turn():
        try:
            return _hasher().verify(hashed, password)
        except VerificationError:
            return False


@dataclass(frozen=True, slots=True)
class Attempt:
    """A log-in name that was given: its account, or None, and until when it is locked."""

    login: str
    user: AnyRow | None
    locked_until: datetime | None


def find_user(tx: Connection, login: str) -> AnyRow | None:
    """The account of a log-in name."""
    return tx.execute(select(users).where(users.c.login == login)).first()


def begin_attempt(tx: Connection, login: str) -> Attempt:
    """What is known of a log-in name before its password is looked at."""
    user = find_user(tx, login)
    stranger = tx.execute(select(strangers).where(strangers.c.hash == digest(login.encode()))).first()
    known = user if user is not None else stranger
    return Attempt(login, user, known.locked_until if known is not None else None)


def check_password(attempt: Attempt, password: str, now: datetime) -> AnyRow:
    """The account, where the password is right; takes as long for each that is not. Needs no transaction."""
    user = attempt.user
    right = matches(user.password if user is not None else _nobody(), password)
    _refuse_locked(attempt.locked_until, now)
    if user is None or not right or user.disabled_at is not None:
        raise Problem("wrong-password")
    return user


def _refuse_locked(until: datetime | None, now: datetime) -> None:
    if until is not None and until > now:
        minutes = ceil((until - now).total_seconds() / 60)
        headers = {"Retry-After": str(minutes * 60)}
        raise Problem("locked-out", f"密码错误次数过多，请{minutes}分钟后再试", headers=headers)


def count_failure(tx: Connection, login: str, now: datetime, directory: Directory) -> None:
    """Count a wrong password; at the fifth the name is locked for a quarter of an hour. Names nobody has count too.

    A name that was locked while the password was looked at is told so, as it is to whoever has the right one: of
    guesses that come together, no answer says which was right.
    """
    user = tx.execute(select(users).where(users.c.login == login).with_for_update()).first()
    guessed = _guessed_at(tx, digest(login.encode()), now)
    before = user if user is not None else guessed
    _refuse_locked(before.locked_until, now)
    failures = min(before.failures, guessed.failures) + 1
    locked = failures >= FAILURES_ALLOWED
    values = {"failures": 0 if locked else failures, "locked_until": now + LOCKED if locked else None}
    tx.execute(update(strangers).where(strangers.c.hash == guessed.hash).values(values))
    if user is not None:
        tx.execute(update(users).where(users.c.id == user.id).values(values))
    who, path = (user.login, directory.place(user.unit)) if user is not None else ("-", "/")
    audit.record(tx, now, who, "login.failed", who, path=path, failures=failures, locked=locked)


def _guessed_at(tx: Connection, name: str, now: datetime) -> AnyRow:
    """What is remembered of wrong passwords for a name, held until the commit.

    Kept for names that somebody has too: they are forgotten as soon as the others, or the difference would tell.
    """
    tx.execute(delete(strangers).where(strangers.c.at < now - REMEMBERED))
    dialect = insert_postgresql if tx.dialect.name == "postgresql" else insert_sqlite
    fresh = dialect(strangers).values(hash=name, failures=0, locked_until=None, at=now)
    held = fresh.on_conflict_do_update(index_elements=[strangers.c.hash], set_={"at": now})
    return tx.execute(held.returning(strangers)).one()


def clear_failures(tx: Connection, user: int, now: datetime) -> None:
    """Forget the wrong passwords before a right one; refused where the account was locked while it was looked at."""
    until = tx.execute(select(users.c.locked_until).where(users.c.id == user).with_for_update()).scalar()
    _refuse_locked(until, now)
    tx.execute(update(users).where(users.c.id == user).values(failures=0, locked_until=None))


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


def close_sessions(tx: Connection, user: int) -> None:
    """End all sessions of an account."""
    tx.execute(delete(sessions).where(sessions.c.user_id == user))


def viewer_of_session(tx: Connection, secret: str, now: datetime, directory: Directory) -> Viewer | None:
    """Whose session it is, or None where it is unknown or over."""
    query = select(users, sessions.c.csrf, sessions.c.expires_at).join(sessions, sessions.c.user_id == users.c.id)
    row = tx.execute(query.where(sessions.c.hash == digest(secret.encode()))).first()
    if row is None or row.expires_at <= now or not _may_enter(row, directory):
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


def revoke_tokens(tx: Connection, user: int, now: datetime) -> None:
    """End all tokens of an account."""
    live = (tokens.c.user_id == user) & tokens.c.revoked_at.is_(None)
    tx.execute(update(tokens).where(live).values(revoked_at=now))


_TOKEN = (
    select(
        users, tokens.c.scopes, tokens.c.expires_at, tokens.c.revoked_at, LAST_CHANGE.scalar_subquery().label("as_of")
    )
    .join(tokens)
    .where(tokens.c.hash == bindparam("hashed"))
)


def find_token(tx: Connection, secret: str) -> AnyRow | None:
    """A token and its account; `as_of` is the last change of units at that moment. One statement."""
    return tx.execute(_TOKEN, {"hashed": digest(secret.encode())}).first()


def viewer_of_token(row: AnyRow | None, now: datetime, directory: Directory) -> Viewer:
    """Whose token it is; refuses one that is unknown, over or revoked."""
    if row is None or not _may_enter(row, directory):
        raise Problem("not-logged-in", headers={"WWW-Authenticate": "Bearer"})
    if row.revoked_at is not None or row.expires_at <= now:
        raise Problem("token-expired", headers={"WWW-Authenticate": "Bearer"})
    return replace(_viewer(row, directory), scopes=frozenset(row.scopes))


def viewer_of_user(row: AnyRow | None, directory: Directory) -> Viewer | None:
    """Whose account it is, where it may be used."""
    return _viewer(row, directory) if row is not None and _may_enter(row, directory) else None


def _may_enter(row: AnyRow, directory: Directory) -> bool:
    return row.disabled_at is None and row.unit in directory.paths


def _viewer(row: AnyRow, directory: Directory) -> Viewer:
    roles = frozenset(Role(r) for r in row.roles)
    path, former = directory.paths[row.unit], directory.former.get(row.unit, ())
    return Viewer(
        row.id, row.login, row.name, row.unit, path, roles, must_change=row.must_change, former=former
    )  # fmt: skip
