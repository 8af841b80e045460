"""The audit log: rows are written in the transaction of what they tell; a sealer chains them after commit.

`hash(n) = SHA-256(hash(n-1) + canonical row n)`. A row changed, removed or put in afterwards does not verify.
A batch ends with a signed seal.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select, update

from gmsafety.exchange.auditlog import START, Span, Walk, link, row_line, seal_line, sealed
from gmsafety.exchange.canonical import canonical
from gmsafety.exchange.signing import PublicKey, SigningKey

from .db import SEALING, take_turn
from .tables import AnyRow, audit, seals

BATCH = 500
_ADD = insert(audit)


def record(tx: Connection, at: datetime, actor: str, action: str, subject: str, *, path: str, **data: Any) -> None:
    """Write one row; `subject` is what it was done to, `path` the unit it concerns."""
    text = canonical(data).decode()
    values = {"at": at, "actor": actor, "action": action, "object": subject, "path": path, "data": text}
    tx.execute(_ADD, values)


def head(tx: Connection) -> tuple[int, str]:
    """The last sealed row: its number, and the hash that stands for everything up to it."""
    row = tx.execute(select(seals.c.last_seq, seals.c.hash).order_by(seals.c.last_seq.desc()).limit(1)).first()
    return (int(row.last_seq), str(row.hash)) if row else (0, START)


def seal(tx: Connection, key: SigningKey, now: datetime, *, limit: int = BATCH) -> int:
    """Chain the rows that are not sealed yet, at most `limit`; returns how many. One sealer at a time."""
    take_turn(tx, SEALING)
    rows = tx.execute(select(audit).where(audit.c.seq.is_(None)).order_by(audit.c.id).limit(limit)).all()
    if not rows:
        return 0
    first, chain = head(tx)
    links = []
    for seq, row in enumerate(rows, first + 1):
        chain = link(chain, row, seq)
        links.append({"row": row.id, "n": seq, "h": chain})
    change = update(audit).where(audit.c.id == bindparam("row")).values(seq=bindparam("n"), hash=bindparam("h"))
    tx.execute(change, links)
    last = first + len(rows)
    signature = key.sign(sealed(first + 1, last, chain))
    values = {"first_seq": first + 1, "last_seq": last, "hash": chain, "at": now}
    tx.execute(insert(seals).values(**values, key_id=key.public.key_id, signature=signature))
    return len(rows)


def waiting(tx: Connection) -> bool:
    """Tell whether there are rows to seal."""
    return tx.execute(select(audit.c.id).where(audit.c.seq.is_(None)).limit(1)).first() is not None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the verifier found: sealed rows, seals, rows not sealed yet, the hash of the last, and what is wrong."""

    sealed: int
    seals: int
    unsealed: int
    hash: str
    faults: tuple[str, ...]


def verify(tx: Connection, keys: Iterable[PublicKey], heads: Mapping[int, str] = MappingProxyType({})) -> Verdict:
    """Go through the whole log, and name every row and seal that does not hold.

    `heads` are hashes noted down elsewhere, by the number of their row: without one, an end cut off together with its
    seals cannot be told from a log that never went further.
    """
    walk = Walk(keys)
    walk.heads = dict(heads)
    marks = {row.last_seq: row for row in tx.execute(select(seals).order_by(seals.c.last_seq))}
    count = len(marks)
    for row in sealed_rows(tx):
        walk.step(row)
        if (mark := marks.pop(row.seq, None)) is not None:
            walk.seal(mark)
    faults = walk.end(marks.values())
    unsealed = tx.execute(select(func.count()).select_from(audit).where(audit.c.seq.is_(None))).scalar_one()
    return Verdict(walk.last, count, unsealed, walk.chain, tuple(faults))


def sealed_rows(tx: Connection, first: int = 1, last: int | None = None) -> Iterator[AnyRow]:
    """The sealed rows of a range, in their order."""
    chosen = audit.c.seq >= first if last is None else audit.c.seq.between(first, last)
    query = select(audit).where(audit.c.seq.is_not(None), chosen).order_by(audit.c.seq)
    yield from tx.execute(query, execution_options={"yield_per": 2000})


def edge(tx: Connection, number: int) -> tuple[int, str]:
    """The end of the last seal that ends at a row or before it, and its hash; the start of the log where none does."""
    if number < 1:
        return 0, START
    query = select(seals.c.last_seq, seals.c.hash).where(seals.c.last_seq <= number)
    row = tx.execute(query.order_by(seals.c.last_seq.desc()).limit(1)).first()
    return (int(row.last_seq), str(row.hash)) if row is not None else (0, START)


def lines(tx: Connection, told: Span) -> Iterator[bytes]:
    """A range of the log as the lines of a file, below its head; each seal after the row that it ends with."""
    query = select(seals).where(seals.c.last_seq.between(told.first, told.last)).order_by(seals.c.last_seq)
    marks = iter(tx.execute(query, execution_options={"yield_per": 2000}))
    mark = next(marks, None)
    for row in sealed_rows(tx, told.first, told.last):
        yield row_line(row)
        while mark is not None and mark.last_seq <= row.seq:
            yield seal_line(mark)
            mark = next(marks, None)
