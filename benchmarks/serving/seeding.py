"""Millions of stored submissions, made inside the database: slots, submissions, receipts, history, sealed audit log.

They are of units and weeks of long ago, so that none is in the way of what is filed and measured afterwards. Bodies and
receipts are shorter than real ones; rows and indexes are as the server makes them.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, MetaData, Table, UniqueConstraint, create_engine, event, func, select, text
from sqlalchemy.schema import AddConstraint, CreateIndex, DropConstraint, DropIndex

from gmsafety_server.tables import audit, events, receipts, seals, slots, submissions, users

from . import world

UNITS = 20_000
_FILLED: tuple[Table, ...] = (slots, submissions, receipts, events, audit, seals)
_SEALED = 500
_BODY = '{"form": "shanxi.weekly-dispatch", "version": "2024-1", "header": {"unit": "-", "date": null}, "nil": true}'
_RECEIPT = '{"receipt":{"protocol":"gmsafety/1","kind":"stored","note":"' + 300 * "." + '"},"signature":{}}'


@dataclass(frozen=True, slots=True)
class Words:
    """What a database says in its own way; `n` is the number of the row."""

    numbers: str
    day: str
    moment: str
    chance: str
    json: str


_SQLITE = Words(
    numbers="WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < {count}) {select} FROM t",
    day="date('2001-01-05', '+' || (n / {units} * 7) || ' days')",
    moment="date('2001-01-05', '+' || (n / {units} * 7) || ' days') || ' 04:00:00.000000'",
    chance="lower(hex(randomblob(32)))",
    json="'{json}'",
)
_POSTGRESQL = Words(
    numbers="{select} FROM generate_series(1, {count}) AS t(n)",
    day="DATE '2001-01-05' + n / {units} * 7",
    moment="(DATE '2001-01-05' + n / {units} * 7)::timestamptz",
    chance="encode(sha256(('{salt}' || n)::bytea), 'hex')",
    json="'{json}'::jsonb",
)


def seed(address: str, count: int) -> None:
    """Store so many submissions, each accepted: two receipts, two lines of history, two rows of audit log."""
    engine = open_fast(address)
    with engine.begin() as tx:
        if tx.dialect.name == "postgresql":
            tx.exec_driver_sql("SET LOCAL session_replication_role = replica")  # no look-up of a foreign key per row
            tx.exec_driver_sql("SET LOCAL maintenance_work_mem = '512MB'")
        with without_indexes(tx, _FILLED):
            _fill(tx, _POSTGRESQL if tx.dialect.name == "postgresql" else _SQLITE, count)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE" if connection.dialect.name == "postgresql" else "ANALYZE")
    engine.dispose()


def open_fast(address: str) -> Engine:
    """A database that is filled, and thrown away where that fails."""
    engine = create_engine(address.replace("postgresql://", "postgresql+psycopg://"))
    if engine.dialect.name != "sqlite":
        return engine

    @event.listens_for(engine, "connect")
    def _open(connection: Any, _record: object) -> None:
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-4000000", "foreign_keys=OFF"):
            connection.execute(f"PRAGMA {pragma}")

    return engine


@contextmanager
def without_indexes(tx: Connection, filled: Sequence[Table]) -> Iterator[None]:
    """Indexes are made again at the end, sorted; a unique constraint of SQLite is part of its table and stays."""
    there = MetaData()
    there.reflect(tx, only=[table.name for table in filled])
    tables = [there.tables[table.name] for table in filled]
    unique = [c for table in tables for c in table.constraints if isinstance(c, UniqueConstraint)]
    constraints = unique if tx.dialect.name == "postgresql" else []
    indexes = [index for table in tables for index in table.indexes]
    for index in indexes:
        tx.execute(DropIndex(index))
    for constraint in constraints:
        tx.execute(DropConstraint(constraint))
    yield
    for constraint in constraints:
        tx.execute(AddConstraint(constraint))
    for index in indexes:
        tx.execute(CreateIndex(index))


def _fill(tx: Connection, words: Words, count: int) -> None:
    user = tx.execute(select(func.min(users.c.id))).scalar_one()
    first = {table: tx.execute(select(func.coalesce(func.max(table.c.id), 0))).scalar_one() for table in _FILLED}
    sealed = tx.execute(select(func.coalesce(func.max(audit.c.seq), 0))).scalar_one()
    slot, submission, record = (f"{first[t]} + n" for t in (slots, submissions, audit))
    day, moment = words.day.format(units=UNITS), words.moment.format(units=UNITS)

    def chance(salt: str) -> str:
        return words.chance.format(salt=salt)

    unit = f"'old.unit-' || (10000 + n % {UNITS})"
    city = "'old.city-' || (100 + n % 150)"
    path = f"'/{world.PROVINCE}/' || {city} || '/' || {unit} || '/'"
    same = {"campaign": f"'{world.CAMPAIGN}'", "item": f"'{world.WEEKLY}'", "period": day, "unit": unit}
    state = {"state": "'accepted'", "nil": "TRUE", "revision": "1", "received_at": moment}
    _insert(tx, words, slots, count, {
        **same, **state, "id": slot, "duty": "'weekly-forms'", "kind": "'form'", "opens": day, "due_at": moment,
        "area": "'140525'", "upper": city, "path": path, "submission_id": submission,
    })  # fmt: skip
    _insert(tx, words, submissions, count, {
        **same, **state, "id": submission, "slot_id": slot, "uid": "'00000000-0000-7000-8000-' || (100000000000 + n)",
        "sender": unit, "message_id": "'message-' || n", "message_hash": chance("m"), "payload_hash": chance("p"),
        "body": words.json.format(json=_BODY), "findings": words.json.format(json="[]"), "etag": "3", "test": "FALSE",
        "created_by": str(user), "created_at": moment, "changed_at": moment,
    })  # fmt: skip
    for kind in ("stored", "checked"):
        _insert(tx, words, receipts, count, {
            "submission_id": submission, "uid": f"'{kind[0]}0000000-0000-7000-8000-' || (100000000000 + n)",
            "kind": f"'{kind}'", "hash": chance(kind), "code": f"substr({chance(kind + 'code')}, 1, 9)",
            "signed": f"'{_RECEIPT}'", "issued_at": moment,
        })  # fmt: skip
    for turn, kind in enumerate(("submitted", "accepted")):
        line = {"submission_id": submission, "kind": f"'{kind}'", "at": moment, "by_user": str(user), "unit": unit}
        _insert(tx, words, events, count, line)
        place = f"{turn * count} + n"
        _insert(tx, words, audit, count, {
            "id": f"{record} + {turn * count}", "at": moment, "actor": "'clerk'", "action": f"'submission.{kind}'",
            "object": "'00000000-0000-7000-8000-' || (100000000000 + n)", "path": path, "data": "'{}'",
            "seq": f"{sealed} + {place}", "hash": chance(kind + "a"),
        })  # fmt: skip
    _insert(tx, words, seals, 2 * count // _SEALED, {
        "first_seq": f"{sealed} + (n - 1) * {_SEALED} + 1", "last_seq": f"{sealed} + n * {_SEALED}",
        "hash": chance("s"), "at": moment, "key_id": "'bench'", "signature": "'-'",
    })  # fmt: skip
    if tx.dialect.name == "postgresql":
        for name in ("slots", "submissions", "audit"):
            last = f"(SELECT max(id) FROM {name})"
            tx.execute(text(f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), {last})"))


def _insert(tx: Connection, words: Words, table: Table, count: int, values: Mapping[str, str]) -> None:
    chosen = f"SELECT {', '.join(values.values())}"
    rows = words.numbers.replace("{select}", chosen).replace("{count}", str(count))
    into = f"INSERT INTO {table.name} ({', '.join(values)})"
    tx.exec_driver_sql(f"{into} {rows}".replace("%", "%%") if tx.dialect.name == "postgresql" else f"{into} {rows}")
