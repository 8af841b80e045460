"""The audit log (审计记录): rows chained by their hashes, each batch sealed by a signature; also as a file.

The file is JSON lines: a signed head that names the range, every row as an array, every seal after its last row.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, BinaryIO, Literal, Self

from pydantic import Field, model_validator

from ..provenance import Value
from .canonical import canonical, digest
from .errors import Malformed
from .receipts import Signature, Verdict
from .signatures import verdict_on_all
from .signing import PublicKey
from .wire import Count, Line, Moment, Sha256, take

START = "0" * 64
LONGEST_LINE = 16 * 2**20
MOST_FAULTS = 1000
_Seq = Annotated[Count, Field(ge=1)]


class Span(Value):
    """A range of the log: its first and last row, the hash before the first, the hash of the last."""

    first: _Seq
    last: _Seq
    before: Sha256
    hash: Sha256

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if self.last < self.first:
            raise ValueError("last小于first")
        return self


class Log(Value):
    """What the file says of itself."""

    format: Literal["gmsafety-audit"] = "gmsafety-audit"
    version: Literal[1] = 1
    protocol: Literal["gmsafety/1"] = "gmsafety/1"
    node: Line
    made_at: Moment
    span: Span


class SignedLog(Value):
    """The head of the file, with the signatures of the node."""

    log: Log
    signatures: Annotated[tuple[Signature, ...], Field(min_length=1, max_length=4)]

    def verify(self, keys: Iterable[PublicKey]) -> Verdict:
        """Check the signatures."""
        return verdict_on_all(self.log, self.signatures, keys)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the log as a file holds it."""

    seq: int
    id: int
    at: str
    actor: str
    action: str
    object: str
    path: str
    data: str
    hash: str


@dataclass(frozen=True, slots=True)
class Seal:
    """A seal: the rows from the first to the last, with the hash of the last, signed."""

    first_seq: int
    last_seq: int
    hash: str
    at: str
    key_id: str
    signature: str


def link(previous: str, row: Any, seq: int) -> str:
    """The hash of a row, which stands for all rows up to it."""
    told = [seq, row.id, row.at, row.actor, row.action, row.object, row.path, row.data]
    return digest(previous.encode() + canonical(told))


def sealed(first: int, last: int, chain: str) -> bytes:
    """What a seal signs."""
    return canonical({"first": first, "last": last, "hash": chain})


def row_line(row: Any) -> bytes:
    """A row as a line of the file."""
    told = [row.seq, row.id, row.at, row.actor, row.action, row.object, row.path, row.data, row.hash]
    return canonical(told) + b"\n"


def seal_line(mark: Any) -> bytes:
    """A seal as a line of the file."""
    return canonical({name: getattr(mark, name) for name in Seal.__slots__}) + b"\n"


def head_line(signed: SignedLog) -> bytes:
    """The head as the first line."""
    return canonical(signed.model_dump()) + b"\n"


class Walk:
    """The verifier's way through the log: where it is, and what it found."""

    def __init__(self, keys: Iterable[PublicKey], *, after: int = 0, chain: str = START) -> None:
        self.chain, self.last, self.count = chain, after, 0
        self.faults: list[str] = []
        self.heads: dict[int, str] = {}
        self._keys = {k.key_id: k for k in keys}
        self._sealed_to = after
        self._wrong: tuple[int, int, str] | None = None

    def step(self, row: Any) -> None:
        """Look at the next row; after a fault go on from what the row says, so that each is told once."""
        self.count += 1
        if row.seq <= self.last:
            self._tell_wrong()
            self._add(f"第{row.seq}条排在第{self.last}条之后，次序被改动，或重复")
            return
        if row.seq != self.last + 1:
            self._tell_wrong()
            self._add(f"第{span(self.last + 1, row.seq - 1)}条缺失")
        elif link(self.chain, row, row.seq) != row.hash:
            self._note_wrong(row)
        self.chain, self.last = row.hash or "", row.seq
        if self.heads.pop(row.seq, row.hash) != row.hash:
            self._add(f"第{row.seq}条与另处记下的链头不符")

    def seal(self, mark: Any) -> None:
        """Look at the seal that ends with the row of the last step."""
        for fault in self._seal_faults(mark):
            self._add(fault)
        self._sealed_to = max(self._sealed_to, min(mark.last_seq, self.last))

    def end(self, left: Iterable[Any] = ()) -> list[str]:
        """What is left over at the end: seals without rows, hashes noted of rows that are not there."""
        self._tell_wrong()
        for m in left:
            self._add(f"封印第{span(m.first_seq, m.last_seq)}条没有对应的记录，可能被截去")
        for number in self.heads:
            if number > self.last:
                self._add(f"记下的链头是第{number}条，现在只到第{self.last}条，可能被截去")
        if self.last != self._sealed_to:
            self._add(f"第{span(self._sealed_to + 1, self.last)}条没有封印")
        return self.faults

    def _add(self, fault: str) -> None:
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(fault)

    def _note_wrong(self, row: Any) -> None:
        if self._wrong is not None and self._wrong[1] == row.seq - 1:
            self._wrong = (self._wrong[0], row.seq, self._wrong[2])
            return
        self._tell_wrong()
        self._wrong = (row.seq, row.seq, f"{row.action} {row.object}")

    def _tell_wrong(self) -> None:
        if self._wrong is not None:
            first, last, what = self._wrong
            self._add(f"第{span(first, last)}条（{what}{'等' if last > first else ''}）内容或次序与封存时不符")
            self._wrong = None

    def _seal_faults(self, mark: Any) -> Iterator[str]:
        name = f"封印第{span(mark.first_seq, mark.last_seq)}条"
        if mark.last_seq != self.last or mark.first_seq != self._sealed_to + 1 or mark.hash != self.chain:
            yield f"{name}与记录不符"
        signer = self._keys.get(mark.key_id)
        if signer is None:
            yield f"{name}的签名密钥 {mark.key_id} 没有登记，无法核对"
        elif not signer.verify(sealed(mark.first_seq, mark.last_seq, mark.hash), mark.signature):
            yield f"{name}的签名无效"


def span(first: int, last: int) -> str:
    """A range in words."""
    return f"{first}" if first == last else f"{first}至{last}"


def read_head(file: BinaryIO) -> SignedLog:
    """The head of a file; Malformed (a ValueError) where it has none. Does not verify."""
    line = file.readline(LONGEST_LINE)
    if not line.endswith(b"\n"):
        raise Malformed("审计记录", ["第一行不完整"])
    return take(SignedLog, line[:-1], noun="审计记录的第一行")


def walk_through(file: BinaryIO, told: Span, keys: Iterable[PublicKey], *, asked: Iterable[int] = ()) -> Looked:
    """Go through the lines after the head; `asked` are rows whose hash is wanted."""
    walk, wanted = Walk(keys, after=told.first - 1, chain=told.before), set(asked)
    seen = {told.first - 1: told.before}
    for number, line in enumerate(iter(lambda: file.readline(LONGEST_LINE), b""), 2):
        try:
            _take(walk, line)
        except (ValueError, TypeError, RecursionError):
            walk.faults.append(f"第{number}行不能读取")
            if len(walk.faults) >= MOST_FAULTS:
                break
        if walk.last in wanted:
            seen[walk.last] = walk.chain
    faults = walk.end()
    if walk.last < told.last:
        faults.append(f"写明到第{told.last}条，只到第{walk.last}条，后面的被截去")
    elif walk.last > told.last:
        faults.append(f"写明到第{told.last}条，却有第{walk.last}条，后面的是加进去的")
    elif walk.chain != told.hash:
        faults.append("最后一条的校验值与写明的不符")
    return Looked(walk.count, tuple(faults), seen)


@dataclass(frozen=True, slots=True)
class Looked:
    """What going through a file came to: rows, what is wrong, hashes of rows by number."""

    rows: int
    faults: tuple[str, ...]
    seen: Mapping[int, str]


def _take(walk: Walk, line: bytes) -> None:
    """Take one line of the file; ValueError or TypeError where it is neither row nor seal."""
    if not line.endswith(b"\n"):
        raise ValueError("cut off")
    told = json.loads(line)
    given = list(told) if isinstance(told, list) else [told[name] for name in Seal.__slots__ if name in told]
    made: Row | Seal = Row(*given) if isinstance(told, list) else Seal(*given)
    numbers = (made.seq, made.id) if isinstance(made, Row) else (made.first_seq, made.last_seq)
    if not all(type(n) is int and 0 <= n < 2**53 for n in numbers):
        raise ValueError("no number")
    if not all(isinstance(v, str) for v in given[2:]):
        raise TypeError("no text")
    walk.step(made) if isinstance(made, Row) else walk.seal(made)
