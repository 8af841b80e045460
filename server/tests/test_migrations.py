"""The steps of the database lead to the tables of the program, and back; everything refuses another state."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import MetaData, UniqueConstraint, inspect, select, text

from gmsafety import Catalog
from gmsafety_server.cli.opening import opened
from gmsafety_server.db import Database
from gmsafety_server.migrations import (
    NotUpToDate,
    Schema,
    check_schema,
    downgrade,
    is_current,
    revisions,
    schema_of,
    upgrade,
)
from gmsafety_server.node import open_node, public_keys
from gmsafety_server.settings import Settings
from gmsafety_server.tables import keys, metadata, slots, units
from gmsafety_server.verification.structure import differences
from world import StandingClock


def state(address: str) -> Schema:
    db = Database(address)
    with db.read() as tx:
        found = schema_of(tx)
    db.close()
    return found


def described(tables: MetaData) -> dict[str, Any]:
    """A schema in words: columns, keys, indexes and references of every table."""
    return {
        t.name: {
            "columns": [(c.name, c.nullable, c.primary_key) for c in t.columns],
            "unique": sorted(
                tuple(c.name for c in u.columns) for u in t.constraints if isinstance(u, UniqueConstraint)
            ),
            "indexes": sorted((i.name, tuple(c.name for c in i.columns), bool(i.unique)) for i in t.indexes),
            "references": sorted((k.parent.name, k.target_fullname, k.ondelete or "") for k in t.foreign_keys),
        }
        for t in tables.sorted_tables
        if t.name != "alembic_version"
    }


def test_the_steps_lead_to_the_tables_of_the_program(empty_database: str) -> None:
    db = Database(empty_database)
    upgrade(db)
    present = MetaData()
    with db.read() as tx:
        present.reflect(tx)

        assert [] == list(differences(tx))
        assert described(metadata) == described(present)
    db.close()


def test_there_and_back(empty_database: str) -> None:
    db = Database(empty_database)

    assert Schema.NONE is state(empty_database)
    upgrade(db)
    assert Schema.CURRENT is state(empty_database)
    assert is_current(db)
    downgrade(db, "base")
    with db.read() as tx:
        assert {"alembic_version"} >= set(inspect(tx).get_table_names())
    assert Schema.NONE is state(empty_database)
    upgrade(db)
    assert Schema.CURRENT is state(empty_database)
    db.close()


@pytest.mark.parametrize(
    ("revision", "found", "said"),
    [
        ("9999", Schema.NEWER, "数据库比程序新，请先升级程序"),
        (None, Schema.FOREIGN, "这个数据库里是别的程序的表，请换一个数据库"),
    ],
)
def test_another_state_is_refused(database: str, revision: str | None, found: Schema, said: str) -> None:
    db = Database(database)
    with db.write() as tx:
        tx.execute(text("DELETE FROM alembic_version"))
        if revision:
            tx.execute(text("INSERT INTO alembic_version VALUES (:r)"), {"r": revision})
    db.close()

    assert found is state(database)
    with pytest.raises(NotUpToDate, match=said):
        check_schema(database)
    with pytest.raises(NotUpToDate, match=said), opened(Settings(database=database)):
        pass


def test_an_older_database_is_told_what_to_do(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    newer = ("0002-of-a-later-program", *revisions())
    monkeypatch.setattr("gmsafety_server.migrations.revisions", lambda: newer)

    assert Schema.OUTDATED is state(database)
    with pytest.raises(NotUpToDate, match=r"请先备份（gmsafety db backup），再运行 gmsafety db upgrade"):
        check_schema(database)


def test_a_step_that_fails_leaves_nothing(empty_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    db = Database(empty_database)

    def broken(*_: Any) -> None:
        raise RuntimeError("power cut")

    with monkeypatch.context() as patch:
        patch.setattr("alembic.runtime.migration.HeadMaintainer.update_to_step", broken)
        with pytest.raises(RuntimeError, match="power cut"):
            upgrade(db)
    with db.read() as tx:
        assert set() == set(inspect(tx).get_table_names()) - {"alembic_version"}
    assert Schema.NONE is state(empty_database)
    upgrade(db)
    assert Schema.CURRENT is state(empty_database)
    db.close()


def test_several_upgrade_and_open_at_once(empty_database: str, catalog: Catalog) -> None:
    def begin(_: int) -> str:
        db = Database(empty_database)
        upgrade(db)
        db.close()
        node = open_node(Settings(database=empty_database), catalog=catalog, clock=StandingClock())
        name = node.key.public.key_id
        node.db.close()
        return name

    with ThreadPoolExecutor(4) as pool:
        names = set(pool.map(begin, range(4)))

    db = Database(empty_database)
    with db.read() as tx:
        assert names == {k.key_id for k in public_keys(tx)}
        assert 1 == len(tx.execute(select(keys)).all())
        refs = tx.execute(select(units.c.ref)).scalars().all()
        assert len(refs) == len(set(refs))
        owed = tx.execute(select(slots.c.unit, slots.c.campaign, slots.c.item, slots.c.period)).all()
        assert len(owed) == len(set(owed)) > 0
    db.close()
