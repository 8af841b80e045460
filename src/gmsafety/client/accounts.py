"""One's own account and tokens, and the accounts that an administrator looks after."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Literal, TypedDict, Unpack

from pydantic import SecretStr

from .connection import Connection, body
from .values import Answer

Role = Literal["clerk", "reviewer", "leader", "administrator", "auditor"]
Scope = Literal["read", "file", "review", "rollup", "account", "admin", "audit"]


class User(Answer):
    """An account."""

    login: str
    name: str
    unit: str
    unit_name: str
    roles: tuple[Role, ...]
    must_change: bool
    locked_until: datetime | None
    disabled_at: datetime | None
    created_at: datetime


class NewUser(User):
    """An account just made; `password` only where the server chose it, and this once."""

    password: SecretStr | None = None


class Me(User):
    """One's own account, and what the token in use is good for."""

    scopes: tuple[Scope, ...]


class Token(Answer):
    """A token, without its secret."""

    id: int
    name: str
    hint: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


class NewToken(Token):
    """A token with its secret, which is told this once."""

    token: SecretStr


class TokenTerms(TypedDict, total=False):
    """What a token is to be good for (`scopes`), for how long, and what it is for (`name`)."""

    scopes: Iterable[Scope]
    days: int
    name: str


class Account:
    """One's own account."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def make_token(self, login: str, password: str, **terms: Unpack[TokenTerms]) -> NewToken:
        """Exchange log-in name and password for a token; needs no token."""
        scopes = {"scopes": list(terms["scopes"])} if "scopes" in terms else {}
        told = body(login=login, password=password, **{**terms, **scopes})
        return self._connection.take(NewToken, "POST /api/v1/tokens", json=told)

    def me(self) -> Me:
        """Who one is."""
        return self._connection.take(Me, "GET /api/v1/me")

    def change_password(self, old: str, new: str) -> None:
        """Change one's own password; sessions of browsers end, tokens stay."""
        self._connection.ask("POST /api/v1/me/password", json=body(old=old, new=new))

    def tokens(self) -> tuple[Token, ...]:
        """One's own tokens, the newest first."""
        return self._connection.take(tuple[Token, ...], "GET /api/v1/tokens")

    def revoke(self, token: Token | int) -> None:
        """End one of one's own tokens."""
        self._connection.ask(
            "DELETE /api/v1/tokens/{number}", token if isinstance(token, int) else token.id, again=True
        )


class UserFilters(TypedDict, total=False):
    """What a list of accounts is narrowed to; `q` is part of a name."""

    unit: str
    role: Role
    disabled: bool
    q: str


class UserChange(TypedDict, total=False):
    """What of an account is changed; `unlock` lifts the lock after wrong passwords."""

    name: str
    unit: str
    roles: Iterable[Role]
    disabled: bool
    unlock: Literal[True]
    password: str


class Users:
    """The accounts of one's own unit and those below it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find(self, **filters: Unpack[UserFilters]) -> Iterator[User]:
        """Accounts in sight."""
        return self._connection.leaf(User, "GET /api/v1/users", **filters)

    def get(self, login: str) -> User:
        """One account."""
        return self._connection.take(User, "GET /api/v1/users/{login}", login)

    def add(self, login: str, *, name: str, unit: str, roles: Iterable[Role], password: str | None = None) -> NewUser:
        """Make an account; without a password the server chooses one. It is changed at the first log-in."""
        told = body(login=login, name=name, unit=unit, roles=list(roles), password=password)
        return self._connection.take(NewUser, "POST /api/v1/users", json=told)

    def change(self, login: str, **change: Unpack[UserChange]) -> User:
        """Change an account."""
        told = {**change, **({"roles": list(change["roles"])} if "roles" in change else {})}
        return self._connection.take(User, "PATCH /api/v1/users/{login}", login, json=told)
