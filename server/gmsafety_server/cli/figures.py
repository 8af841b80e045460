"""What `gmsafety db status` tells of a database."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select, text

from gmsafety.duties import BEIJING

from .. import audit
from ..db import Database
from ..migrations import Schema, revision_of, revisions, schema_of
from ..tables import audit as log
from ..tables import blobs, keys, receipts, seals, slots, submissions, units, users

_COUNTED = {"units": units, "users": users, "slots": slots, "submissions": submissions, "receipts": receipts}
_WORDS = {
    "units": "单位记录", "users": "账号", "slots": "任务", "submissions": "报送", "receipts": "回执", "files": "文件",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Figures:
    """A database in numbers; the counts and the log only where its tables are those of the program."""

    database: str
    schema: Schema
    revision: str | None
    newest: str
    bytes: int
    counts: dict[str, int]
    sealed: int = 0
    unsealed: int = 0
    head: str = ""
    sealed_at: datetime | None = None
    key_ids: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The figures for programs."""
        moment = self.sealed_at.isoformat() if self.sealed_at else None
        return {**asdict(self), "schema": self.schema.value, "sealed_at": moment}

    def lines(self) -> Iterator[str]:
        """The figures for people."""
        yield f"数据库　{self.database}　{self.bytes / 1e6:.1f} MB"
        yield f"版　本　{self.revision or '无'}（程序 {self.newest}）　{self.schema.chinese}"
        if self.schema is not Schema.CURRENT:
            return
        yield "数　量　" + "，".join(f"{_WORDS[name]} {number:,}" for name, number in self.counts.items())
        at = f"，最近封存 {self.sealed_at.astimezone(BEIJING):%Y-%m-%d %H:%M:%S}" if self.sealed_at else ""
        yield f"审　计　已封存 {self.sealed:,}，未封存 {self.unsealed:,}{at}"
        if self.sealed:
            yield f"链　头　{self.sealed}:{self.head}"
        yield f"密　钥　{'、'.join(self.key_ids) or '无'}"


def figures(db: Database) -> Figures:
    """Count what a database holds."""
    with db.read() as tx:
        state = schema_of(tx)
        shown: dict[str, Any] = {"database": db.shown, "schema": state}
        shown |= {"revision": revision_of(tx), "newest": revisions()[0]}
        if state is not Schema.CURRENT:
            return Figures(**shown, bytes=_size(tx, db), counts={})
        counts = {n: tx.execute(select(func.count()).select_from(t)).scalar_one() for n, t in _COUNTED.items()}
        counts["files"] = tx.execute(select(func.count()).select_from(blobs)).scalar_one()
        sealed, head = audit.head(tx)
        unsealed = tx.execute(select(func.count()).select_from(log).where(log.c.seq.is_(None))).scalar_one()
        at = tx.execute(select(seals.c.at).order_by(seals.c.last_seq.desc()).limit(1)).scalar()
        names = tx.execute(select(keys.c.key_id).order_by(keys.c.created_at)).scalars()
        return Figures(
            **shown, bytes=_size(tx, db), counts=counts, sealed=sealed, unsealed=unsealed, head=head, sealed_at=at,
            key_ids=tuple(names),
        )  # fmt: skip


def _size(tx: Connection, db: Database) -> int:
    if not db.is_sqlite:
        return int(tx.execute(text("SELECT pg_database_size(current_database())")).scalar_one())
    name = Path(db.url.database or "")
    return sum(f.stat().st_size for f in (name, name.with_name(f"{name.name}-wal")) if f.is_file())
