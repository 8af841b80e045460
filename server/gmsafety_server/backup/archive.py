"""The file of a backup: its manifest, and how a row is written in it."""

import hashlib
import json
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal, TypeAlias
from zipfile import BadZipFile, ZipFile

from pydantic import BaseModel, ConfigDict, ValidationError
from sqlalchemy import JSON, BigInteger, Boolean, Column, Date, DateTime, Integer, LargeBinary, String, Table, Text
from sqlalchemy.types import TypeEngine

from gmsafety.errors import GmsafetyError

from ..carried import sorted_json
from ..tables import Json, Moment

FORMAT = "gmsafety-backup"
VERSION = 1
MANIFEST = "manifest.json"
Kind: TypeAlias = Literal["integer", "text", "boolean", "date", "moment", "json", "bytes"]
Progress: TypeAlias = Callable[[str, int, int], None]
"""Called with what is being done, how many are done, how many there are."""

TYPES: dict[Kind, TypeEngine[Any]] = {
    "integer": BigInteger(),
    "text": Text(),
    "boolean": Boolean(),
    "date": Date(),
    "moment": Moment(),
    "json": Json,
    "bytes": LargeBinary(),
}


class BackupUnusable(GmsafetyError):
    """A file that is no backup, is damaged, or comes from a newer program."""


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ColumnManifest(_Told):
    """A column of a table, and what its values are."""

    name: str
    kind: Kind


class TableManifest(_Told):
    """A table: its columns in the order of the values of each line; `hash` is that of its uncompressed lines."""

    name: str
    columns: tuple[ColumnManifest, ...]
    rows: int
    hash: str

    @property
    def entry(self) -> str:
        """Where its rows are in the file."""
        return f"tables/{self.name}.jsonl"


class AuditManifest(_Told):
    """Where the audit log ended: the last sealed row and its hash."""

    sealed: int
    hash: str


class Manifest(_Told):
    """What a backup says of itself; tables stand in the order in which they can be restored."""

    format: Literal["gmsafety-backup"] = "gmsafety-backup"
    version: Literal[1] = 1
    program: str
    node: str
    database: str
    revision: str
    made_at: datetime
    audit: AuditManifest
    tables: tuple[TableManifest, ...]

    @property
    def rows(self) -> int:
        """How many rows there are in all tables."""
        return sum(t.rows for t in self.tables)


def columns_of(table: Table) -> tuple[ColumnManifest, ...]:
    """The columns of a table, as it is in the database, as a backup names them."""
    return tuple(ColumnManifest(name=c.name, kind=_kind(c)) for c in table.columns)


def _kind(column: Column[Any]) -> Kind:
    kinds: tuple[tuple[type[TypeEngine[Any]], Kind], ...] = (
        (Boolean, "boolean"), (Integer, "integer"), (DateTime, "moment"), (Date, "date"), (JSON, "json"),
        (LargeBinary, "bytes"), (String, "text"),
    )  # fmt: skip
    return next(kind for known, kind in kinds if isinstance(column.type, known))


def write_row(row: Sequence[Any]) -> bytes:
    """A row as one line."""
    return sorted_json([_written(v) for v in row]) + b"\n"


def _written(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes | memoryview):
        return b64encode(value).decode("ascii")
    return value


def read_row(line: bytes, kinds: Sequence[Kind]) -> list[Any]:
    """A row from its line; ValueError where it is none."""
    values = json.loads(line)
    if not isinstance(values, list) or len(values) != len(kinds):
        raise ValueError("a line does not have a value for each column")
    return [None if v is None else _READ.get(kind, _same)(v) for v, kind in zip(values, kinds, strict=True)]


def _same(value: Any) -> Any:
    return value


_READ: dict[Kind, Callable[[Any], Any]] = {
    "date": date.fromisoformat,
    "moment": datetime.fromisoformat,
    "bytes": lambda text: b64decode(text, validate=True),
}


@contextmanager
def open_backup(path: Path) -> Iterator[tuple[ZipFile, Manifest]]:
    """A backup and its manifest; BackupUnusable says why a file is none."""
    try:
        with ZipFile(path) as archive:
            yield archive, _manifest(archive)
    except (BadZipFile, zlib.error, EOFError) as error:
        raise BackupUnusable(f"“{path.name}”不是备份文件，或已损坏：{error}") from error


def _manifest(archive: ZipFile) -> Manifest:
    try:
        told = json.loads(archive.read(MANIFEST))
    except (KeyError, ValueError) as error:
        raise BackupUnusable("这不是 gmsafety 的备份文件（没有 manifest.json）") from error
    if isinstance(told, dict) and told.get("format") == FORMAT and told.get("version", 0) != VERSION:
        raise BackupUnusable("备份文件来自更新的程序，请先升级程序")
    try:
        return Manifest.model_validate(told)
    except ValidationError as error:
        raise BackupUnusable(f"备份文件的清单不对（{error.error_count()}处）") from error


def lines_of(archive: ZipFile, table: TableManifest) -> Iterator[bytes]:
    """The lines of a table; BackupUnusable at their end where they are not those that were written."""
    found, rows = hashlib.sha256(), 0
    try:
        with archive.open(table.entry) as entry:
            for line in entry:
                found.update(line)
                rows += 1
                yield line
    except KeyError as error:
        raise BackupUnusable(f"备份缺少表 {table.name}") from error
    if (rows, found.hexdigest()) != (table.rows, table.hash):
        raise BackupUnusable(f"备份中的表 {table.name} 已损坏：应为{table.rows}行，现有{rows}行，或内容已改变")
