"""A client of a server: log in, or bring a token; then one attribute per room."""

from collections.abc import Mapping
from functools import cached_property
from types import TracebackType
from typing import Self, Unpack

from .accounts import Account, TokenTerms, Users
from .board import Boards, Feeds
from .connection import PATIENT, Connection, Patience
from .occasions import Occasions
from .reference import Node, Reference
from .rollups import Rollups
from .rules import Rules
from .submissions import Submissions
from .units import Units


class Client:
    """A client with a token; close it, or use it as a context manager. May be shared between threads."""

    def __init__(
        self, address: str, token: str | None = None, *, patience: Patience = PATIENT, headers: Mapping[str, str] = {}
    ) -> None:
        self.connection = Connection(address, token, patience=patience, headers=headers)

    @classmethod
    def log_in(cls, address: str, login: str, password: str, **terms: Unpack[TokenTerms]) -> Self:
        """Exchange log-in name and password for a token, and use it."""
        with cls(address) as stranger:
            made = stranger.account.make_token(login, password, **terms)
        return cls(address, made.token.get_secret_value())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self.connection.close()

    @cached_property
    def submissions(self) -> Submissions:
        """Filing forms and deliverables, and deciding on them."""
        return Submissions(self.connection)

    @cached_property
    def occasions(self) -> Occasions:
        """What is filed when something happens, and to whom it goes."""
        return Occasions(self.connection)

    @cached_property
    def account(self) -> Account:
        """One's own account and tokens."""
        return Account(self.connection)

    @cached_property
    def users(self) -> Users:
        """Accounts of one's own unit and those below it, for administrators."""
        return Users(self.connection)

    @cached_property
    def rollups(self) -> Rollups:
        """Roll-ups of one's own unit and those below it, and sums over levels."""
        return Rollups(self.connection)

    @cached_property
    def board(self) -> Boards:
        """Due list and board."""
        return Boards(self.connection)

    @cached_property
    def feeds(self) -> Feeds:
        """Calendar feeds of one's own unit."""
        return Feeds(self.connection)

    @cached_property
    def reference(self) -> Reference:
        """Campaigns, duties, forms; checking without filing."""
        return Reference(self.connection)

    @cached_property
    def rules(self) -> Rules:
        """Checklists, tasks, routes and gates."""
        return Rules(self.connection)

    @cached_property
    def node(self) -> Node:
        """The installation itself: clock, version, public keys."""
        return Node(self.connection)

    @cached_property
    def units(self) -> Units:
        """Units in sight, and what happens to them."""
        return Units(self.connection)
