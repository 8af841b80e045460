"""Township tables summed to provinces: the server's totals beside sums written by hand over the same JSON."""

from collections.abc import Iterator
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

from measure import Figure, Goal, alternate, figure, ratios, seconds
from sqlalchemy import JSON, Column, Connection, Integer, MetaData, String, Table, insert, select, text
from sqlalchemy.dialects.postgresql import JSONB

from gmsafety import Catalog, load_catalog
from gmsafety.codes import Level
from gmsafety_server.db import Database
from gmsafety_server.features.rollups.totals import Question, summed_paths, totals
from gmsafety_server.tables import AnyRow, slots, submissions, unit_changes, units

from . import world
from .filing import NAMES, databases
from .stored import file_all

TOWNSHIPS, PROVINCES = 38_600, 31
PERIOD = world.FRIDAYS[2]
_AT_ONCE = 5000
_BARE = Table(
    "bare_bodies",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("province", String(40), nullable=False),
    Column("body", JSON().with_variant(JSONB(), "postgresql"), nullable=False),
)


def rollup_figures(folder: Path, rounds: int) -> list[Figure]:
    """Measure the sums on both databases."""
    catalog = load_catalog()
    found = []
    for kind in NAMES:
        place = folder / f"rollup-{kind}"
        place.mkdir()
        with databases(kind, place) as made:
            world.build(made.node, 1, catalog=catalog)
            db = Database(made.node)
            found += _summed(db, kind, catalog, rounds)
            db.close()
    return found


def _summed(db: Database, kind: str, catalog: Catalog, rounds: int) -> list[Figure]:
    _enter(db, catalog)
    form = catalog.form(world.WEEKLY)
    paths = summed_paths(form, Level.TOWNSHIP, Level.PROVINCE)
    asked = Question(form.ref, paths, PERIOD, 1, level=Level.TOWNSHIP)
    by_hand = _by_hand(kind, paths)

    def ours(tx: Connection) -> list[list[Any]]:
        return [[t.path.strip("/"), t.reporting, *t.sums] for t in totals(tx, asked)]

    def theirs(tx: Connection) -> list[list[Any]]:
        return [list(row) for row in tx.execute(by_hand)]

    with db.read() as tx:
        _same(ours(tx), theirs(tx))
        mine, hand = alternate([lambda: seconds(lambda: ours(tx)), lambda: seconds(lambda: theirs(tx))], rounds=rounds)
    what = f"{NAMES[kind]}, {TOWNSHIPS:,} township tables to {PROVINCES} provinces"
    return [
        figure(f"rollup-{kind}", ratios(mine, hand), "×", f"{what}: totals ÷ sums by hand", goal=Goal(2)),
        figure(f"rollup-{kind}-ours", [s * 1e3 for s in mine], "ms", f"– totals, {len(paths)} numbers a table"),
        figure(f"rollup-{kind}-hand", [s * 1e3 for s in hand], "ms", "– sums written by hand over the same JSON"),
    ]


def _same(ours: list[list[Any]], theirs: list[list[Any]]) -> None:
    """RuntimeError where the two do not agree: a fast wrong answer is no figure."""
    told = [[row[0], row[1], *(float(v or 0) for v in row[2:])] for row in (*ours, *theirs)]
    if told[: len(ours)] != told[len(ours) :] or len(ours) != PROVINCES:
        raise RuntimeError(f"the sums differ: {told[0]} and {told[len(ours)]}")


def _by_hand(kind: str, paths: list[str]) -> Any:
    if kind == "sqlite":
        sums = [f"sum(json_extract(body, '$.values.{p}'))" for p in paths]
    else:
        sums = [f"sum((body #>> '{{values,{p.replace('.', ',')}}}')::numeric)" for p in paths]
    return text(f"SELECT province, count(*), {', '.join(sums)} FROM bare_bodies GROUP BY province ORDER BY province")


def _enter(db: Database, catalog: Catalog) -> None:
    """Provinces of ten cities, of nine counties each, and the townships under them, each with its table."""
    sample = world.sample_body(catalog)
    with db.write() as tx:
        change = tx.execute(select(unit_changes.c.id).limit(1)).scalar_one()
        for part in _parts(list(_units(change))):
            tx.execute(insert(units), part)
        for part in _parts(list(_slots())):
            tx.execute(insert(slots), part)
        file_all(tx, world.WEEKLY, lambda row: _body(sample, row), _state)
        _BARE.create(tx)
        rows = tx.execute(
            select(submissions.c.unit, submissions.c.body).where(submissions.c.campaign == "bench.rollup")
        )
        for part in _parts([{"province": _path(int(row.unit[-5:]))[0], "body": row.body} for row in rows]):
            tx.execute(insert(_BARE), part)
    with db.writer.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")


def _parts(rows: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    return (rows[start : start + _AT_ONCE] for start in range(0, len(rows), _AT_ONCE))


def _path(number: int) -> list[str]:
    """The units above a township and itself."""
    province, city, county = number % PROVINCES, number // PROVINCES % 10, number // PROVINCES // 10 % 9
    above = [f"bench.p{province:02d}", f"bench.p{province:02d}-c{city}", f"bench.p{province:02d}-c{city}-{county}"]
    return [*above, f"bench.t{number:05d}"]


def _units(change: int) -> Iterator[dict[str, Any]]:
    levels = ("province", "city", "county", "township")
    seen = set()
    for number in range(TOWNSHIPS):
        path = _path(number)
        for depth, ref in enumerate(path):
            if ref in seen:
                continue
            seen.add(ref)
            yield {
                "ref": ref, "name": ref, "area": "140525", "level": levels[depth], "role": levels[depth],
                "parent": path[depth - 1] if depth else None, "aliases": [], "since": world.BEGINNING, "until": None,
                "path": f"/{'/'.join(path[: depth + 1])}/", "change_id": change,
            }  # fmt: skip


def _slots() -> Iterator[dict[str, Any]]:
    due = datetime.combine(PERIOD, time(4), UTC)
    for number in range(TOWNSHIPS):
        path = _path(number)
        yield {
            "campaign": "bench.rollup", "duty": "weekly-forms", "item": world.WEEKLY, "kind": "form", "period": PERIOD,
            "opens": PERIOD, "due_at": due, "unit": path[-1], "area": "140525", "upper": path[-2],
            "path": f"/{'/'.join(path)}/", "state": "open", "nil": False, "revision": 0, "submission_id": None,
            "received_at": None,
        }  # fmt: skip


def _state(slot: AnyRow) -> str:
    return "accepted" if slot.campaign == "bench.rollup" else "open"


def _body(sample: dict[str, Any], slot: AnyRow) -> dict[str, Any]:
    return world.body_of(sample, world.County(int(slot.unit[-5:])), slot.period)
