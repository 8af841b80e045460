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

from gmsafety.exchange.canonical import canonical, digest
from gmsafety.exchange.signing import PublicKey, SigningKey

from .db import SEALING, take_turn
from .tables import AnyRow, audit, seals

START = "0" * 64
BATCH = 500
_ADD = insert(audit)


def record(tx: Connection, at: datetime, actor: str, action: str, subject: str, *, path: str, **data: Any) -> None:
    """Write one row; `subject` is what it was done to, `path` the unit it concerns."""
    text = canonical(data).decode()
    values = {"at": at, "actor": actor, "action": action, "object": subject, "path": path, "data": text}
    tx.execute(_ADD, values)


def _link(previous: str, row: AnyRow, seq: int) -> str:
    told = [seq, row.id, row.at, row.actor, row.action, row.object, row.path, row.data]
    return digest(previous.encode() + canonical(told))


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
    walk = _Walk({k.key_id: k for k in keys}, dict(heads))
    walk.marks = {row.last_seq: row for row in tx.execute(select(seals).order_by(seals.c.last_seq))}
    count = len(walk.marks)
    for row in _sealed_rows(tx):
        walk.step(row)
    faults = walk.end()
    unsealed = tx.execute(select(func.count()).select_from(audit).where(audit.c.seq.is_(None))).scalar_one()
    return Verdict(walk.last, count, unsealed, walk.chain, tuple(faults))


def _sealed_rows(tx: Connection) -> Iterator[AnyRow]:
    query = select(audit).where(audit.c.seq.is_not(None)).order_by(audit.c.seq)
    yield from tx.execute(query, execution_options={"yield_per": 2000})


class _Walk:
    """The verifier's way through the log: where it is, and what it found."""

    def __init__(self, keys: Mapping[str, PublicKey], heads: dict[int, str]) -> None:
        self.chain, self.last = START, 0
        self.marks: dict[int, AnyRow] = {}
        self.faults: list[str] = []
        self._keys, self._heads, self._sealed_to = keys, heads, 0
        self._wrong: tuple[int, int, str] | None = None

    def step(self, row: AnyRow) -> None:
        """Look at the next sealed row; after a fault go on from what the row says, so that each is told once."""
        if row.seq != self.last + 1:
            self._tell_wrong()
            self.faults.append(f"第{_span(self.last + 1, row.seq - 1)}条缺失")
        elif _link(self.chain, row, row.seq) != row.hash:
            self._note_wrong(row)
        self.chain, self.last = row.hash or "", row.seq
        if self._heads.pop(row.seq, row.hash) != row.hash:
            self.faults.append(f"第{row.seq}条与另处记下的链头不符")
        if (mark := self.marks.pop(row.seq, None)) is not None:
            self.faults += self._seal_faults(mark)
            self._sealed_to = row.seq

    def end(self) -> list[str]:
        """What is left over at the end."""
        self._tell_wrong()
        self.faults += [
            f"封印第{_span(m.first_seq, m.last_seq)}条没有对应的记录，可能被截去" for m in self.marks.values()
        ]
        self.faults += [
            f"记下的链头是第{n}条，现在只到第{self.last}条，可能被截去" for n in self._heads if n > self.last
        ]
        if self.last != self._sealed_to:
            self.faults.append(f"第{_span(self._sealed_to + 1, self.last)}条没有封印")
        return self.faults

    def _note_wrong(self, row: AnyRow) -> None:
        if self._wrong is not None and self._wrong[1] == row.seq - 1:
            self._wrong = (self._wrong[0], row.seq, self._wrong[2])
            return
        self._tell_wrong()
        self._wrong = (row.seq, row.seq, f"{row.action} {row.object}")

    def _tell_wrong(self) -> None:
        if self._wrong is not None:
            first, last, what = self._wrong
            self.faults.append(
                f"第{_span(first, last)}条（{what}{'等' if last > first else ''}）内容或次序与封存时不符"
            )
            self._wrong = None

    def _seal_faults(self, mark: AnyRow) -> Iterator[str]:
        name = f"封印第{_span(mark.first_seq, mark.last_seq)}条"
        if mark.first_seq != self._sealed_to + 1 or mark.hash != self.chain:
            yield f"{name}与记录不符"
        signer = self._keys.get(mark.key_id)
        if signer is None:
            yield f"{name}的签名密钥 {mark.key_id} 没有登记，无法核对"
        elif not signer.verify(_sealed(mark.first_seq, mark.last_seq, mark.hash), mark.signature):
            yield f"{name}的签名无效"


def _span(first: int, last: int) -> str:
    return f"{first}" if first == last else f"{first}至{last}"
