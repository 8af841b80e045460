"""Are the tables those of the program, is the file sound, and is everything there once that must be there once."""

from collections.abc import Iterator
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Table, UniqueConstraint, func, select, text

from ..tables import metadata
from .report import Check, Faults


def verify_structure(tx: Connection) -> Check:
    """Tables, constraints, references and unique keys."""
    faults = Faults()
    faults.extend(differences(tx))
    if tx.dialect.name == "sqlite":
        sound = tx.execute(text("PRAGMA integrity_check(100)")).scalars().all()
        faults.extend(f"数据库文件损坏：{line}" for line in sound if line != "ok")
    keys = 0
    for table in metadata.sorted_tables:
        for columns in _unique(table):
            keys += 1
            faults.extend(_twice(tx, table, columns))
        faults.extend(_dangling(tx, table))
    counts = {"tables": len(metadata.sorted_tables), "unique_keys": keys}
    return Check("structure", "表和唯一键", counts, faults.all())


def differences(tx: Connection) -> Iterator[str]:
    """How the tables of the database differ from those of the program."""
    for found in compare_metadata(MigrationContext.configure(tx, opts={"compare_type": True}), metadata):
        for kind, *what in [found] if isinstance(found, tuple) else found:
            yield f"表结构不符：{kind} {' '.join(_name(w) for w in what if w is not None)}"


def _name(part: Any) -> str:
    table = getattr(getattr(part, "table", None), "name", None)
    name = str(getattr(part, "name", None) or part)
    return f"{table}.{name}" if table else name


def _unique(table: Table) -> Iterator[tuple[str, ...]]:
    yield tuple(c.name for c in table.primary_key)
    yield from (tuple(c.name for c in u.columns) for u in table.constraints if isinstance(u, UniqueConstraint))


def _twice(tx: Connection, table: Table, columns: tuple[str, ...]) -> Iterator[str]:
    chosen = [table.c[c] for c in columns]
    given = [c.is_not(None) for c in chosen]
    query = select(*chosen, func.count()).where(*given).group_by(*chosen).having(func.count() > 1).limit(100)
    for *values, times in tx.execute(query):
        key = "，".join(f"{c}={v}" for c, v in zip(columns, values, strict=True))
        yield f"表 {table.name} 中 {key} 有{times}行，应只有一行"


def _dangling(tx: Connection, table: Table) -> Iterator[str]:
    for key in table.foreign_keys:
        there, here = key.column.table.alias(), key.parent
        gone = select(func.count()).select_from(table.outerjoin(there, here == there.c[key.column.name]))
        count = tx.execute(gone.where(here.is_not(None), there.c[key.column.name].is_(None))).scalar_one()
        if count:
            yield f"表 {table.name} 有{count}行的 {here.name} 在表 {key.column.table.name} 中不存在"
