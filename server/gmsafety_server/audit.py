"""The audit log: rows are written in the transaction of what they tell; a sealer chains them after commit.

`hash(n) = SHA-256(hash(n-1) + canonical row n)`. A row changed, removed or put in afterwards does not verify.
A batch ends with a signed seal.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select, update

from gmsafety.exchange.canonical import canonical, digest
from gmsafety.exchange.signing import PublicKey, SigningKey

from .tables import AnyRow, audit, seals

START = "0" * 64
BATCH = 500


def record(tx: Connection, at: datetime, actor: str, action: str, subject: str, *, path: str, **data: Any) -> None:
    """Write one row; `subject` is what it was done to, `path` the unit it concerns."""
    text = canonical(data).decode()
    values = {"at": at, "actor": actor, "action": action, "object": subject, "path": path, "data": text}
    tx.execute(insert(audit).values(values))


def _link(previous: str, row: AnyRow, seq: int) -> str:
    told = [seq, row.id, row.at, row.actor, row.action, row.object, row.path, row.data]
    return digest(previous.encode() + canonical(told))


def _head(tx: Connection) -> tuple[int, str]:
    row = tx.execute(select(seals.c.last_seq, seals.c.hash).order_by(seals.c.last_seq.desc()).limit(1)).first()
    return (int(row.last_seq), str(row.hash)) if row else (0, START)


def seal(tx: Connection, key: SigningKey, now: datetime, *, limit: int = BATCH) -> int:
    """Chain the rows that are not sealed yet, at most `limit`; returns how many. One sealer at a time."""
    if tx.dialect.name == "postgresql":
        tx.execute(select(func.pg_advisory_xact_lock(7351)))
    rows = tx.execute(select(audit).where(audit.c.seq.is_(None)).order_by(audit.c.id).limit(limit)).all()
    if not rows:
        return 0
    first, chain = _head(tx)
    links = []
    for seq, row in enumerate(rows, first + 1):
        chain = _link(chain, row, seq)
        links.append({"row": row.id, "n": seq, "h": chain})
    change = update(audit).where(audit.c.id == bindparam("row")).values(seq=bindparam("n"), hash=bindparam("h"))
    tx.execute(change, links)
    last = first + len(rows)
    signature = key.sign(_sealed(first + 1, last, chain))
    values = {"first_seq": first + 1, "last_seq": last, "hash": chain, "at": now}
    tx.execute(insert(seals).values(**values, key_id=key.public.key_id, signature=signature))
    return len(rows)


def _sealed(first: int, last: int, chain: str) -> bytes:
    return canonical({"first": first, "last": last, "hash": chain})


def waiting(tx: Connection) -> bool:
    """Tell whether there are rows to seal."""
    return tx.execute(select(audit.c.id).where(audit.c.seq.is_(None)).limit(1)).first() is not None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the verifier found: sealed rows that hold, rows not sealed yet, and what does not hold."""

    sealed: int
    unsealed: int
    faults: tuple[str, ...]


def verify(tx: Connection, keys: list[PublicKey]) -> Verdict:
    """Go through the whole log, and name every row and seal that does not hold."""
    marks = {row.last_seq: row for row in tx.execute(select(seals).order_by(seals.c.last_seq))}
    faults: list[str] = []
    chain, expected, start = START, 1, 1
    for row in _sealed_rows(tx):
        if row.seq != expected:
            faults.append(f"第{expected}条缺失，下一条是第{row.seq}条")
        chain = _link(chain, row, row.seq)
        if chain != row.hash:
            faults.append(f"第{row.seq}条（{row.action} {row.object}）内容与封存时不符")
            chain = row.hash or ""
        mark = marks.pop(row.seq, None)
        if mark is not None:
            faults += _seal_faults(mark, start, chain, keys)
            start = row.seq + 1
        expected = row.seq + 1
    faults += [f"封印第{m.first_seq}至{m.last_seq}条没有对应的记录" for m in marks.values()]
    if expected != start:
        faults.append(f"第{start}至{expected - 1}条没有封印")
    unsealed = tx.execute(select(func.count()).select_from(audit).where(audit.c.seq.is_(None))).scalar_one()
    return Verdict(expected - 1, unsealed, tuple(faults))


def _sealed_rows(tx: Connection) -> Iterator[AnyRow]:
    query = select(audit).where(audit.c.seq.is_not(None)).order_by(audit.c.seq)
    yield from tx.execution_options(yield_per=2000).execute(query)


def _seal_faults(mark: AnyRow, start: int, chain: str, keys: list[PublicKey]) -> Iterator[str]:
    name = f"封印第{mark.first_seq}至{mark.last_seq}条"
    if mark.first_seq != start or mark.hash != chain:
        yield f"{name}与记录不符"
    signer = next((k for k in keys if k.key_id == mark.key_id), None)
    if signer is None or not signer.verify(_sealed(mark.first_seq, mark.last_seq, mark.hash), mark.signature):
        yield f"{name}的签名无效"
