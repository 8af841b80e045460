"""Stored submissions a second, beside a bare endpoint that stores one row: over HTTP, on both databases."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from time import sleep

from measure import Figure, Goal, alternate, figure, ratios
from sqlalchemy import func, select

from gmsafety import Catalog, load_catalog
from gmsafety_server.db import Database
from gmsafety_server.tables import receipts, submissions

from . import bare, world
from .load import Load, post, put_on
from .processes import create_database, ours, postgresql, uvicorn

COUNTIES = 1500
CONNECTIONS = 16
FILED, INSERTED = 800, 3000  # requests of one round; about as long for one side as for the other
_SEALING = 1.5  # what was filed is sealed within a second; it shall not weigh on the other side
NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


@dataclass(frozen=True, slots=True)
class Databases:
    """Two databases on one machine, equally durable: a node's, and that of the bare endpoint."""

    kind: str
    node: str
    bare: str


@contextmanager
def databases(kind: str, folder: Path) -> Iterator[Databases]:
    """Empty ones."""
    if kind == "sqlite":
        yield Databases(kind, f"sqlite:///{folder / 'node.db'}", f"sqlite:///{folder / 'bare.db'}")
        return
    with postgresql(folder / "postgresql") as server:
        yield Databases(kind, create_database(server, "node"), create_database(server, "bare"))


def told_of(catalog: Catalog, count: int) -> Iterator[tuple[str, bytes]]:
    """Every county's table of every week, week by week: the token it is filed with, and the JSON."""
    sample = world.sample_body(catalog)
    for county, friday in world.in_turn(count):
        told = {"message_id": f"{county.ref}-{friday}", "item": world.WEEKLY, "period": friday.isoformat()}
        body = {**told, "body": world.body_of(sample, county, friday)}
        yield county.token, json.dumps(body, ensure_ascii=False).encode()


def filings(catalog: Catalog, count: int) -> Iterator[bytes]:
    """The same as requests."""
    return (post("/api/v1/submissions", body, token) for token, body in told_of(catalog, count))


def filing_figures(folder: Path, rounds: int) -> list[Figure]:
    """Measure filing with one worker and with two, on SQLite and on PostgreSQL."""
    catalog = load_catalog()
    found = []
    for kind in NAMES:
        place = folder / kind
        place.mkdir()
        with databases(kind, place) as made:
            world.build(made.node, COUNTIES, catalog=catalog)
            waiting = filings(catalog, COUNTIES)
            for workers in (1, 2):
                found += _beside_bare(made, workers, waiting, place, rounds)
    return found


def _beside_bare(made: Databases, workers: int, waiting: Iterator[bytes], folder: Path, rounds: int) -> list[Figure]:
    row = post("/rows", json.dumps(bare.BODY).encode())
    before = _stored(made.node)
    with ExitStack() as stack:
        port = stack.enter_context(ours(made.node, workers))
        other = stack.enter_context(uvicorn("serving.bare:app", workers, BARE_DATABASE=made.bare))

        def file() -> Load:
            load = put_on(port, list(islice(waiting, FILED)), connections=CONNECTIONS, folder=folder)
            sleep(_SEALING)
            return load

        def insert() -> Load:
            return put_on(other, [row] * INSERTED, connections=CONNECTIONS, folder=folder)

        filed, inserted = alternate([file, insert], rounds=rounds)
    _all_stored(made.node, before, FILED * (rounds + 1))
    return _figures(f"{made.kind}-{workers}", _where(made.kind, workers), filed, inserted)


def _where(kind: str, workers: int) -> str:
    return f"{NAMES[kind]}, {workers} worker{'s' if workers > 1 else ''}"


def _figures(name: str, where: str, filed: list[Load], inserted: list[Load]) -> list[Figure]:
    ours, theirs = [f.rate for f in filed], [i.rate for i in inserted]
    goal = Goal(0.15, later=0.25, is_least=True)
    return [
        figure(f"filing-{name}", ratios(ours, theirs), "×", f"{where}: filing ÷ bare insert", goal=goal),
        figure(f"filing-{name}-rate", ours, "/s", "– filed, checked, receipted, signed, audited"),
        figure(f"filing-{name}-bare", theirs, "/s", "– bare FastAPI + SQLAlchemy, one row of 42 columns"),
        figure(f"filing-{name}-p99", [f.slowest * 1e3 for f in filed], "ms", "– the slowest hundredth of filings"),
    ]


def _stored(address: str) -> tuple[int, int]:
    db = Database(address)
    with db.read() as tx:
        filed = select(func.count()).select_from(submissions).where(submissions.c.state == "submitted")
        count = tx.execute(filed).scalar_one(), tx.execute(select(func.count()).select_from(receipts)).scalar_one()
    db.close()
    return count


def _all_stored(address: str, before: tuple[int, int], count: int) -> None:
    """RuntimeError where not every answer has its submission and its two receipts: a fast wrong answer is no figure."""
    after = _stored(address)
    if after != (before[0] + count, before[1] + 2 * count):
        raise RuntimeError(f"{count} were filed, but of {before} there are {after} submissions and receipts")
