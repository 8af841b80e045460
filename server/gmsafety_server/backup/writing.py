"""Making a backup: everything is read in one transaction, so that it is of one moment, whoever writes meanwhile."""

import hashlib
import os
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from datetime import datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZipFile

from sqlalchemy import ColumnClause, ColumnElement, Connection, MetaData, String, Table, func, select, table
from sqlalchemy import column as named

from .. import audit
from ..db import Database
from ..migrations import revision_of
from .archive import (
    MANIFEST,
    TYPES,
    AuditManifest,
    ColumnManifest,
    Manifest,
    Progress,
    TableManifest,
    columns_of,
    lines_of,
    open_backup,
    write_row,
)

AT_ONCE, LARGE_AT_ONCE = 2000, 4
_FAST = 3  # of nine: most of what is large is packed already


def write_backup(db: Database, path: Path, *, node: str, now: datetime, progress: Progress) -> Manifest:
    """Write a backup beside its place, read it once more, and put it there; nothing is left of one that fails."""
    part = path.with_name(f"{path.name}.part")
    try:
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)  # it holds the signing key
        with os.fdopen(handle, "wb") as file:
            manifest = _write(db, file, node=node, now=now, progress=progress)
            file.flush()
            os.fsync(file.fileno())
        check(part, progress)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return manifest


def _write(db: Database, file: IO[bytes], *, node: str, now: datetime, progress: Progress) -> Manifest:
    with db.read() as tx, ZipFile(file, "w", ZIP_DEFLATED, compresslevel=_FAST) as archive:
        tables = tables_of(tx)
        total = sum(tx.execute(select(func.count()).select_from(table(t.name))).scalar_one() for t in tables)
        done, written = 0, []
        for source in tables:
            told = _write_table(tx, archive, source, partial(_further, progress, f"备份 {source.name}", done, total))
            written.append(told)
            done += told.rows
        sealed, last = audit.head(tx)
        manifest = Manifest(
            program=version("gmsafety-server"), node=node, database=tx.dialect.name, revision=revision_of(tx) or "",
            made_at=now, audit=AuditManifest(sealed=sealed, hash=last), tables=tuple(written),
        )  # fmt: skip
        archive.writestr(MANIFEST, manifest.model_dump_json(indent=1))
    return manifest


def _further(progress: Progress, what: str, done: int, total: int, rows: int) -> None:
    progress(what, done + rows, total)


def _write_table(tx: Connection, archive: ZipFile, source: Table, step: Callable[[int], None]) -> TableManifest:
    columns, found, rows = columns_of(source), hashlib.sha256(), 0
    key = [c.name for c in source.primary_key]
    with (
        archive.open(f"tables/{source.name}.jsonl", "w", force_zip64=True) as entry,
        closing(rows_of(tx, source.name, columns, key)) as lines,
    ):
        for line in lines:
            found.update(line)
            entry.write(line)
            rows += 1
            step(rows)
    return TableManifest(name=source.name, columns=columns, rows=rows, hash=found.hexdigest())


def tables_of(tx: Connection) -> list[Table]:
    """The tables as they are in the database, which may be older than the program; those referred to come first."""
    present = MetaData()
    present.reflect(tx)
    return [t for t in present.sorted_tables if t.name != "alembic_version"]


def rows_of(
    tx: Connection, name: str, columns: Sequence[ColumnManifest], key: Iterable[str]
) -> Generator[bytes, None, None]:
    """The rows of a table as the lines of a backup, in the order of its key."""
    taken = {c.name: named(c.name, TYPES[c.kind]) for c in columns}
    large = any(c.kind == "bytes" for c in columns)
    query = select(*taken.values()).select_from(table(name)).order_by(*(_bytewise(tx, taken[k]) for k in key))
    with tx.execute(query, execution_options={"yield_per": LARGE_AT_ONCE if large else AT_ONCE}) as rows:
        for row in rows:
            yield write_row(row)


def _bytewise(tx: Connection, column: ColumnClause[Any]) -> ColumnElement[Any]:
    """A text is sorted by its bytes, as SQLite does; PostgreSQL would sort by the customs of a language."""
    text = isinstance(column.type, String) and tx.dialect.name == "postgresql"
    return column.collate("C") if text else column


def check(path: Path, progress: Progress) -> Manifest:
    """Read a whole backup without restoring it; BackupUnusable says what is wrong with it."""
    with open_backup(path) as (archive, manifest):
        done = 0
        for told in manifest.tables:
            for _ in lines_of(archive, told):
                done += 1
                progress("核对备份", done, manifest.rows)
    return manifest
