"""The store of a node in memory: transactions that are committed whole or not at all, a committed part that survives."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from typing import Any

from gmsafety.exchange.envelope import Attachment, Link
from gmsafety.exchange.mailroom import Entry, Mark, Outgoing
from gmsafety.exchange.peers import Peer
from gmsafety.exchange.reconciling import Channel
from gmsafety.exchange.settling import Waits


@dataclass(frozen=True)
class Row:
    """A message in the outbox, with what became of it: nothing yet, an answer, or a refusal for good."""

    out: Outgoing
    answer: bytes | None = None
    dead: str = ""
    failures: int = 0

    @property
    def is_waiting(self) -> bool:
        return self.answer is None and not self.dead


@dataclass
class Tables:
    """What is committed. Rows are values, so that a copy of the tables is a copy of everything."""

    peers: dict[str, Peer] = field(default_factory=dict)
    inbox: dict[tuple[str, str], Entry] = field(default_factory=dict)
    numbers: dict[tuple[str, str, int], str] = field(default_factory=dict)
    ready: dict[tuple[str, str], None] = field(default_factory=dict)
    marks: dict[tuple[str, str], Mark] = field(default_factory=dict)
    settled: dict[str, str] = field(default_factory=dict)
    heads: dict[str, Mark] = field(default_factory=dict)
    outbox: dict[tuple[str, str], Row] = field(default_factory=dict)
    files: dict[str, None] = field(default_factory=dict)
    journal: list[bytes] = field(default_factory=list)
    waits: dict[str, Waits] = field(default_factory=dict)
    confirmed: dict[tuple[str, str], None] = field(default_factory=dict)
    desk: dict[tuple[str, str, str], Any] = field(default_factory=dict)

    def copy(self) -> Tables:
        return Tables(**{f.name: getattr(self, f.name).copy() for f in fields(self)})


class Books:
    """One transaction on the tables; `commit` is left out by a crash."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables

    def peer(self, name: str) -> Peer | None:
        return self.tables.peers.get(name)

    def received(self, sender: str, message: str) -> Entry | None:
        return self.tables.inbox.get((sender, message))

    def incoming(self, sender: str, epoch: str) -> Mark | None:
        return self.tables.marks.get((sender, epoch))

    def settled(self, sender: str) -> str | None:
        return self.tables.settled.get(sender)

    def waiting(self, sender: str, epoch: str, sequence: int) -> Entry | None:
        message = self.tables.numbers.get((sender, epoch, sequence))
        entry = self.tables.inbox[sender, message] if message else None
        return entry if entry and entry.held else None

    def keep(self, entry: Entry) -> None:
        key = entry.sender, entry.id
        assert key not in self.tables.inbox, "the inbox only grows"
        number = entry.sender, entry.link.epoch, entry.link.sequence
        assert number not in self.tables.numbers, "a number of a channel is given once"
        self.tables.inbox[key] = entry
        self.tables.numbers[number] = entry.id
        if not entry.held:
            self.tables.ready[key] = None

    def release(self, entry: Entry) -> None:
        key = entry.sender, entry.id
        assert self.tables.inbox[key].held
        self.tables.inbox[key] = replace(entry, held=False)
        self.tables.ready[key] = None

    def advance(self, sender: str, mark: Mark) -> None:
        self.tables.marks[sender, mark.epoch] = mark

    def has(self, attachment: Attachment) -> bool:
        return attachment.hash in self.tables.files

    def outgoing(self, receiver: str) -> Mark:
        return self.tables.heads[receiver]

    def send(self, message: Outgoing) -> None:
        self.put(Row(message))
        self.tables.heads[message.receiver] = replace(
            self.tables.heads[message.receiver], sequence=message.link.sequence, hash=message.hash
        )

    def put(self, row: Row) -> None:
        self.tables.outbox[row.out.receiver, row.out.id] = row

    def channels(self, sender: str) -> Iterable[Mark]:
        return [mark for (name, _), mark in self.tables.marks.items() if name == sender]

    def held(self, sender: str, epoch: str) -> Iterable[int]:
        entries = (e for e in self.tables.inbox.values() if e.sender == sender and e.link.epoch == epoch)
        return [e.link.sequence for e in entries if e.held]

    def sent(self, receiver: str) -> Iterable[Channel]:
        hashes: dict[str, dict[int, str]] = {}
        for row in self.tables.outbox.values():
            if row.out.receiver == receiver:
                hashes.setdefault(row.out.link.epoch, {})[row.out.link.sequence] = row.out.hash
        return [Channel.of(epoch, by_number) for epoch, by_number in sorted(hashes.items())]

    def settle(self, sender: str, epoch: str) -> None:
        self.tables.settled[sender] = epoch

    def posted(self, receiver: str, message: str) -> Link | None:
        row = self.tables.outbox.get((receiver, message))
        return row.out.link if row else None

    def hash_received(self, sender: str, epoch: str, sequence: int) -> str | None:
        message = self.tables.numbers.get((sender, epoch, sequence))
        return self.tables.inbox[sender, message].hash if message else None

    def hash_sent(self, receiver: str, epoch: str, sequence: int) -> str | None:
        rows = (r.out for r in self.tables.outbox.values() if r.out.receiver == receiver)
        return next((o.hash for o in rows if (o.link.epoch, o.link.sequence) == (epoch, sequence)), None)

    def waits(self, peer: str) -> Waits:
        return self.tables.waits.get(peer, "")

    def wait(self, peer: str, what: Waits) -> None:
        self.tables.waits.pop(peer, None)
        if what:
            self.tables.waits[peer] = what

    def begin(self, receiver: str, epoch: str) -> None:
        self.tables.heads[receiver] = Mark(epoch)


class Disk:
    """The committed tables of a node, and its backups."""

    def __init__(self) -> None:
        self.tables = Tables()
        self.backups: list[Tables] = []

    @contextmanager
    def transaction(self) -> Iterator[Books]:
        """Everything done to the books is committed at the end, or, where something is raised, nothing."""
        books = Books(self.tables.copy())
        yield books
        self.tables = books.tables
