"""Nodes that exchange messages: a county, a city, a province; each with a database, people and a line to the others."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from itertools import pairwise
from typing import Any
from uuid import uuid4

from fastapi.testclient import TestClient
from sqlalchemy import delete, insert, select

from gmsafety import Catalog
from gmsafety_server import auth
from gmsafety_server.app import create_app
from gmsafety_server.audit import verify as verify_log
from gmsafety_server.db import Database
from gmsafety_server.features.exchange import introducing, repository
from gmsafety_server.features.exchange.postman import work
from gmsafety_server.features.exchange.wire import Reply, Unreached
from gmsafety_server.node import open_node, public_keys
from gmsafety_server.scope import SCOPES
from gmsafety_server.settings import Settings
from gmsafety_server.tables import inbox, keys, outbox, slots, users
from gmsafety_server.verification import verify_database
from gmsafety_server.verification.contents import verify_contents
from gmsafety_server.verification.files import verify_files
from gmsafety_server.verification.receipts import verify_receipts
from gmsafety_server.verification.slots import verify_slots
from world import CITY, PASSWORD, PROVINCE, ZEZHOU, Person

TITLES = {"zezhou": "泽州县节点", "jincheng": "晋城市节点", "shanxi": "山西省节点"}
UNITS = {"zezhou": ZEZHOU, "jincheng": CITY, "shanxi": PROVINCE}
ACTOR = "test"


class Lines:
    """The lines between nodes in one process: each address leads to an application. A line may be cut."""

    def __init__(self) -> None:
        self.there: dict[str, TestClient] = {}
        self.cut: set[str] = set()
        self.sent: list[tuple[str, str, bytes]] = []
        self.after: Callable[[str, Reply], Reply] = lambda _name, reply: reply

    def __call__(
        self, method: str, url: str, *, headers: Mapping[str, str] = {}, content: bytes = b""
    ) -> Reply:  # fmt: skip
        name, _, rest = url.removeprefix("https://").partition("/")
        if name in self.cut:
            raise Unreached("cut")
        self.sent.append((method, url, content))
        got = self.there[name].request(method, f"/{rest}", headers=dict(headers), content=content)
        told = {k.lower(): v for k, v in got.headers.items()}
        return self.after(name, Reply(got.status_code, got.content, told))


class Station:
    """A node with its people."""

    def __init__(
        self, name: str, database: str, catalog: Catalog, clock: Any, lines: Lines, *, unit: str = "", **settings: Any
    ) -> None:  # fmt: skip
        self.name, self.unit, self.lines, self.clock = name, unit or UNITS[name], lines, clock
        self._people: list[Person] = []
        self._settings, self._catalog = Settings(database=database, node=name, **settings), catalog
        _with_a_key_of_its_own(database)
        self.node = open_node(self._settings, catalog=catalog, clock=clock)
        self.http = TestClient(create_app(self.node), raise_server_exceptions=False)
        lines.there[name] = self.http

    def start_again(self) -> None:
        """Close the node and open it again, as after a power cut."""
        self.node.db.close()
        self.node = open_node(self._settings, catalog=self._catalog, clock=self.clock)
        self.http = TestClient(create_app(self.node), raise_server_exceptions=False)
        self.lines.there[self.name] = self.http
        for person in self._people:
            person.http = self.http

    def introduces_itself(self, *, own_address: bool = True) -> None:
        """Say which unit it serves, and whether it can be called."""
        with self.node.db.write() as tx:
            address = f"https://{self.name}" if own_address else None
            introducing.set_own(
                tx, self.node, title=TITLES.get(self.name, self.name), units=[self.unit], address=address, actor=ACTOR
            )  # fmt: skip

    def adds(self, other: "Station") -> None:
        with other.node.db.read() as tx:
            anchor = introducing.anchor_of(tx, other.node)
        with self.node.db.write() as tx:
            introducing.add_peer(tx, self.node, anchor, units=None, address=None, actor=ACTOR)

    def person(self, *roles: str, unit: str = "") -> Person:
        """Somebody of the unit that the node serves, with a token."""
        now, name = self.node.clock.now(), f"u{uuid4().hex[:10]}"
        values = {"login": name, "name": "某某", "unit": unit or self.unit, "roles": list(roles)}
        rest = {"must_change": False, "failures": 0, "created_at": now, "changed_at": now}
        password = auth.hash_password(PASSWORD)
        with self.node.db.write() as tx:
            number = tx.execute(insert(users).values(**values, password=password, **rest)).inserted_primary_key[0]
            end = now + timedelta(days=30)
            _, token = auth.new_token(tx, number, "test", scopes=list(SCOPES), now=now, expires_at=end)
        self._people.append(Person(self.http, number, name, token, unit or self.unit))
        return self._people[-1]

    def work(self) -> int:
        """One round of what the thread behind the server does."""
        return work(self.node, self.lines)

    def rows(self, table: Any) -> list[Any]:
        with self.node.db.read() as tx:
            return list(tx.execute(select(table).order_by(table.c.id)))

    def counts(self) -> dict[str, int]:
        with self.node.db.read() as tx:
            return repository.counts(tx, self.node.clock.now())

    def standing(self) -> dict[str, list[tuple[Any, ...]]]:
        """All that a refused message must not change."""
        with self.node.db.read() as tx:
            return {t.name: [tuple(r) for r in tx.execute(select(t))] for t in (inbox, outbox, slots)}

    def faults(self) -> list[str]:
        """What the verifier of the database finds in what was signed, filed and counted."""
        with self.node.db.read() as tx:
            known = public_keys(tx)
            checks = (verify_receipts(tx, known), verify_files(tx), verify_contents(tx), verify_slots(tx))
            return [fault for check in checks for fault in check.faults] + list(verify_log(tx, known, {}).faults)

    def faults_of_tables(self) -> list[str]:
        """What all of the verifier finds, the tables themselves included; takes its time."""
        with self.node.db.read() as tx:
            return [fault for check in verify_database(tx, public_keys(tx)) for fault in check.faults]


def _with_a_key_of_its_own(database: str) -> None:
    """The databases of the tests are copies of one, which has a key."""
    db = Database(database)
    with db.write() as tx:
        tx.execute(delete(keys))
    db.close()


def settle(*all_: Station) -> None:
    """Let all nodes work until nothing moves any more."""
    while sum(station.work() for station in all_):
        pass


@contextmanager
def connected(stations_: list[Station]) -> Iterator[None]:
    """Neighbours know each other, in the order from below to above."""
    for station in stations_:
        station.introduces_itself()
    for lower, upper in pairwise(stations_):
        lower.adds(upper)
        upper.adds(lower)
    yield
    for station in stations_:
        station.node.db.close()
