"""The counties and townships of a country, and what each owes and has filed in a year: a row for each week.

The year reaches from 39 weeks ago to 12 weeks ahead, so that every word of the board is there. Rows are made inside the
database; what was filed has no submission behind it, for a list of counts reads none.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, insert, select, text

from gmsafety_server.tables import slots, unit_changes, units

from . import world
from .seeding import open_fast, without_indexes

UNITS, COUNTIES, PROVINCES = 41_000, 2_790, 31
WEEKS, PAST = 52, 39
TOP = "bench.country"
_AT_ONCE = 5000
_MIX = "(u.id * 7919 + w.n * 104729) % 1000"
_SQLITE = {
    "weeks": "(WITH RECURSIVE t(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM t WHERE n < {last}) SELECT n FROM t) AS w",
    "day": "date('{first}', '+' || (w.n * 7) || ' days')",
    "opens": "date('{first}', '+' || (w.n * 7) || ' days', '-6 days')",
    "moment": "date('{first}', '+' || (w.n * 7) || ' days') || ' {clock}:00:00.000000'",
}
_POSTGRESQL = {
    "weeks": "generate_series(0, {last}) AS w(n)",
    "day": "(DATE '{first}' + w.n * 7)",
    "opens": "(DATE '{first}' + w.n * 7 - 6)",
    "moment": "((DATE '{first}' + w.n * 7 + TIME '{clock}:00') AT TIME ZONE 'UTC')",
}


def fridays(today: date) -> list[date]:
    """The days of the year's weeks."""
    friday = today + timedelta(days=(4 - today.weekday()) % 7)
    return [friday + timedelta(weeks=n - PAST) for n in range(WEEKS)]


def settle(address: str, today: date) -> None:
    """Enter units and slots into a node's database."""
    engine = open_fast(address)
    with engine.begin() as tx:
        change = tx.execute(select(unit_changes.c.id).limit(1)).scalar_one()
        rows = list(_units(change))
        for start in range(0, len(rows), _AT_ONCE):
            tx.execute(insert(units), rows[start : start + _AT_ONCE])
        with without_indexes(tx, (slots,)):
            _owe(tx, fridays(today)[0], today)
    if engine.dialect.name == "postgresql":  # it does so by itself, some minutes later; SQLite never does
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")
    engine.dispose()


def _above(number: int) -> list[str]:
    """The units above a county or township, and itself."""
    province, city, county = number % PROVINCES, number // PROVINCES % 10, number // PROVINCES // 10 % 9
    path = [TOP, f"bench.p{province:02d}", f"bench.p{province:02d}-c{city}", f"bench.p{province:02d}-c{city}-{county}"]
    return path if number < COUNTIES else [*path, f"bench.t{number:05d}"]


def _units(change: int) -> Iterator[dict[str, Any]]:
    levels = ("country", "province", "city", "county", "township")
    seen = set()
    for number in range(UNITS):
        path = _above(number)
        code = (
            f"{11 + number % PROVINCES:02d}{1 + number // PROVINCES % 10:02d}{21 + number // PROVINCES // 10 % 9:02d}"
        )
        for depth, ref in enumerate(path):
            if ref in seen:
                continue
            seen.add(ref)
            yield {
                "ref": ref, "name": f"示范{ref[6:]}", "area": code[: 2 * min(depth, 3)].ljust(6, "0"),
                "level": levels[depth], "role": levels[depth], "parent": path[depth - 1] if depth else None,
                "aliases": [], "since": world.BEGINNING, "until": None, "path": f"/{'/'.join(path[: depth + 1])}/",
                "change_id": change,
            }  # fmt: skip


def _owe(tx: Connection, first: date, today: date) -> None:
    """Of a hundred that were due 4 are missing, 2 returned, 4 wait, 90 are accepted; 5 came late, 10 are nil."""
    words = _POSTGRESQL if tx.dialect.name == "postgresql" else _SQLITE
    said = {name: form.format(first=first, last=WEEKS - 1, clock="{clock}") for name, form in words.items()}
    due, early, late = (said["moment"].format(clock=clock) for clock in ("04", "01", "06"))
    came = f"({said['day']} < '{today}' AND {_MIX} >= 40)"
    values = {
        "campaign": f"'{world.CAMPAIGN}'", "duty": "'weekly-forms'", "item": f"'{world.WEEKLY}'", "kind": "'form'",
        "period": said["day"], "opens": said["opens"], "due_at": due, "unit": "u.ref", "area": "u.area",
        "upper": "u.parent", "path": "u.path",
        "state": f"CASE WHEN NOT {came} THEN 'open' WHEN {_MIX} < 60 THEN 'returned' "
                 f"WHEN {_MIX} < 100 THEN 'submitted' ELSE 'accepted' END",
        "nil": f"{came} AND {_MIX} BETWEEN 80 AND 179", "revision": f"CASE WHEN {came} THEN 1 ELSE 0 END",
        "received_at": f"CASE WHEN NOT {came} THEN NULL WHEN {_MIX} % 20 = 7 THEN {late} ELSE {early} END",
    }  # fmt: skip
    owing = "u.ref LIKE 'bench.%' AND u.level IN ('county', 'township')"
    chosen = f"SELECT {', '.join(values.values())} FROM units AS u CROSS JOIN {said['weeks']} WHERE {owing}"
    tx.execute(text(f"INSERT INTO slots ({', '.join(values)}) {chosen}".replace(":00:", r"\:00\:")))
