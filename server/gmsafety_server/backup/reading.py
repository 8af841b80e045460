"""Restoring a backup: into an empty database, in one transaction, and compared with the backup before the commit."""

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from sqlalchemy import Connection, MetaData, column, func, insert, inspect, select, table, text
from sqlalchemy.exc import DBAPIError

from .. import audit
from ..db import UPGRADING, Database, take_turn
from ..mail.books import begin_epochs
from ..migrations import Schema, revision_of, revisions, schema_of, upgrade_within
from .archive import TYPES, BackupUnusable, Manifest, Progress, TableManifest, lines_of, open_backup, read_row
from .writing import rows_of

_AT_ONCE, _LARGE_AT_ONCE = 500, 8


class NotEmpty(BackupUnusable):
    """The database to restore into holds something already."""

    is_usage = True


def restore(db: Database, path: Path, *, force: bool, now: datetime | None, progress: Progress) -> Manifest:
    """Fill a database from a backup and bring it up to date; it is as it was before where anything does not fit.

    `force` empties a database of this program first. Nobody else may be using the database. `now` is when, for the
    audit log; a copy that is only looked at has none.
    """
    with open_backup(path) as (archive, manifest):
        if manifest.revision not in revisions():
            raise BackupUnusable("备份文件来自更新的程序，请先升级程序")
        _no_other_process(db)
        with db.write() as tx:
            take_turn(tx, UPGRADING)
            _nobody_else(tx)
            _make_room(tx, force=force)
            upgrade_within(tx, manifest.revision)
            _fill(tx, archive, manifest, progress)
            _count_on(tx, manifest)
            _compare(tx, manifest, progress)
            upgrade_within(tx)
            if now is not None:
                begin_epochs(tx, now)
                told = manifest.model_dump(include={"made_at", "node", "database", "program"})
                audit.record(tx, now, "gmsafety db restore", "database.restored", path.name[:200], path="/", **told)
    return manifest


def _no_other_process(db: Database) -> None:
    """Refuse an SQLite file that another process has open: leaving WAL needs the file for oneself."""
    name = db.url.database or ""
    db.close()  # connections of this process are no others
    if not db.is_sqlite or not Path(name).is_file():
        return
    with closing(sqlite3.connect(name, timeout=1)) as connection:
        try:
            connection.execute("PRAGMA journal_mode=DELETE")
        except sqlite3.OperationalError as error:
            raise NotEmpty("别的程序正在使用这个数据库；请先停止服务器") from error


def _nobody_else(tx: Connection) -> None:
    """Refuse a PostgreSQL database that others are connected to."""
    if tx.dialect.name != "postgresql":
        return
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    if others := tx.execute(text(query)).scalar_one():
        raise NotEmpty(f"还有{others}个连接在使用这个数据库；请先停止服务器")


def is_empty(tx: Connection) -> bool:
    """Tell whether a database holds no row."""
    names = set(inspect(tx).get_table_names()) - {"alembic_version"}
    return all(tx.execute(select(1).select_from(table(n)).limit(1)).first() is None for n in names)


def _make_room(tx: Connection, *, force: bool) -> None:
    state = schema_of(tx)
    if state is Schema.NONE:
        return
    if state is Schema.FOREIGN:
        raise NotEmpty(state.chinese)
    if not force and not is_empty(tx):
        raise NotEmpty("数据库里已有内容；确要用备份替换，请加 --force（现有内容将全部清除）")
    present = MetaData()
    present.reflect(tx)
    present.drop_all(tx)


def _fill(tx: Connection, archive: ZipFile, manifest: Manifest, progress: Progress) -> None:
    done = 0
    for told in manifest.tables:
        target = table(told.name, *(column(c.name, TYPES[c.kind]) for c in told.columns))
        for batch in _batches(archive, told):
            try:
                tx.execute(insert(target), batch)
            except DBAPIError as error:
                said = str(error.orig).strip().splitlines()[0]
                raise BackupUnusable(f"表 {told.name} 中有这个数据库不能存的内容：{said}") from error
            done += len(batch)
            progress(f"恢复 {told.name}", done, manifest.rows)


def _batches(archive: ZipFile, told: TableManifest) -> Iterator[list[dict[str, Any]]]:
    names, kinds = [c.name for c in told.columns], [c.kind for c in told.columns]
    size = _LARGE_AT_ONCE if "bytes" in kinds else _AT_ONCE
    batch: list[dict[str, Any]] = []
    for line in lines_of(archive, told):
        try:
            batch.append(dict(zip(names, read_row(line, kinds), strict=True)))
        except (ValueError, TypeError) as error:
            raise BackupUnusable(f"备份中的表 {told.name} 有一行不能读取") from error
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _count_on(tx: Connection, manifest: Manifest) -> None:
    """Let new rows be numbered after the restored ones; SQLite does so by itself."""
    if tx.dialect.name != "postgresql":
        return
    for told in manifest.tables:
        if any(c.name == "id" and c.kind == "integer" for c in told.columns):
            last = select(func.max(column("id"))).select_from(table(told.name)).scalar_subquery()
            sequence = func.pg_get_serial_sequence(told.name, "id")
            tx.execute(select(func.setval(sequence, func.coalesce(last, 1), last.is_not(None))))


def _compare(tx: Connection, manifest: Manifest, progress: Progress) -> None:
    """Read everything back, and compare it with what the backup says."""
    done = 0
    for told in manifest.tables:
        key = inspect(tx).get_pk_constraint(told.name)["constrained_columns"]
        found, rows = hashlib.sha256(), 0
        for line in rows_of(tx, told.name, told.columns, key):
            found.update(line)
            rows += 1
            progress("恢复后核对", done + rows, manifest.rows)
        done += rows
        if (rows, found.hexdigest()) != (told.rows, told.hash):
            raise BackupUnusable(f"恢复后的表 {told.name} 与备份不一致，没有恢复任何内容")
    if revision_of(tx) != manifest.revision:
        raise BackupUnusable("恢复后的数据库版本与备份不一致，没有恢复任何内容")
