"""The tray: the shelf for messages that come in together. What they need is fetched at once, and put in at once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import CompoundSelect, Connection, Select, insert, select, union_all

from gmsafety.exchange.envelope import Attachment, Letter
from gmsafety.exchange.mailroom import Entry, Mark
from gmsafety.exchange.peers import Peer

from ..columns import KINDS, among
from ..tables import blobs, channels_in, inbox
from .shelf import Shelf, entry_of, mark_of, put_marks, values_of
from .stations import may_speak_from, peer_of, senders

_Place = tuple[str, str, int]
_ENTRY = [
    inbox.c[name]
    for name in ("sender", "message_id", "hash", "epoch", "sequence", "previous", "content", "answer", "held")
]


@dataclass(frozen=True, slots=True)
class _Questions:
    """What is asked for all messages of a tray: put together once, for that takes longer than the answer."""

    entries: CompoundSelect[Any]
    marks: Select[Any]
    sizes: Select[Any]

    @classmethod
    def to(cls, kind: str) -> "_Questions":
        """As a kind of database understands them."""
        senders = among(inbox.c.sender, "by", kind)
        waiting = (inbox.c.taken_at.is_(None), inbox.c.held, among(inbox.c.sequence, "numbers", kind))
        return cls(
            union_all(
                select(*_ENTRY).where(senders, among(inbox.c.message_id, "ids", kind)),
                select(*_ENTRY).where(senders, *waiting),
            ),
            select(channels_in).where(among(channels_in.c.sender, "by", kind)),
            select(blobs.c.hash, blobs.c.size).where(among(blobs.c.hash, "files", kind)),
        )  # fmt: skip


_QUESTIONS = {kind: _Questions.to(kind) for kind in KINDS}
_PUT = insert(inbox)


class Tray(Shelf):
    """A `Store` (gmsafety.exchange.mailroom) that asks the database as often for thirty messages as for one.

    What is put in is written by `put_in`, at the end. `origin` is where the message at hand was sent from.
    """

    def __init__(self, tx: Connection, now: datetime, letters: Sequence[Letter]) -> None:
        super().__init__(tx, now)
        self.origin: str | None = None
        envelopes = [letter.message.envelope for letter in letters]
        by = sorted({e.sender for e in envelopes})
        names = {(e.sender, e.id) for e in envelopes}
        places = {(e.sender, e.link.epoch, e.link.sequence + n) for e in envelopes for n in (0, 1)}
        files = sorted({a.hash for e in envelopes for a in e.attachments})
        ask = _QUESTIONS[tx.dialect.name]
        self._senders = senders(tx, by)
        told = {"by": by, "ids": sorted({id_ for _, id_ in names}), "numbers": sorted({n for _, _, n in places})}
        found = [entry_of(row) for row in tx.execute(ask.entries, told)]
        self._named: dict[tuple[str, str], Entry | None] = dict.fromkeys(names, None)
        self._named |= {(e.sender, e.id): e for e in found}
        self._held: dict[_Place, Entry | None] = dict.fromkeys(places, None)
        self._held |= {_place_of(e): e for e in found if e.held}
        marks = tx.execute(ask.marks, {"by": by})
        self._marks = {(row.sender, row.epoch): mark_of(row) for row in marks}
        sizes = tx.execute(ask.sizes, {"files": files}) if files else ()
        self._sizes: dict[str, int] = {row.hash: row.size for row in sizes}
        self._new: dict[tuple[str, str], Entry] = {}
        self._further: dict[tuple[str, str], Mark] = {}

    def peer(self, name: str) -> Peer | None:
        """Another node by name, held to the end; one that speaks from where it may not is not known."""
        row = self._senders.get(name)
        return peer_of(row) if row is not None and may_speak_from(self.origin, row) else None

    def received(self, sender: str, message: str) -> Entry | None:
        """A message in the inbox, or on the tray."""
        return self._named[sender, message]

    def incoming(self, sender: str, epoch: str) -> Mark | None:
        """How far a channel from another node has come."""
        return self._marks.get((sender, epoch))

    def settled(self, sender: str) -> str | None:
        """The epoch in which another node has said what it still knows of older ones."""
        epoch: str | None = self._senders[sender].settled
        return epoch

    def waiting(self, sender: str, epoch: str, sequence: int) -> Entry | None:
        """A message that is held, by its number."""
        place = (sender, epoch, sequence)
        if place not in self._held:
            self._held[place] = super().waiting(*place)
        return self._held[place]

    def keep(self, entry: Entry) -> None:
        """Add a message to those to be put in."""
        self._new[entry.sender, entry.id] = self._named[entry.sender, entry.id] = entry
        self._held[_place_of(entry)] = entry if entry.held else None

    def release(self, entry: Entry) -> None:
        """Mark a message as held no more."""
        self._held[_place_of(entry)] = None
        if (entry.sender, entry.id) in self._new:
            self._new[entry.sender, entry.id] = replace(entry, held=False)
        else:
            super().release(entry)

    def advance(self, sender: str, mark: Mark) -> None:
        """Note how far a channel from another node has come."""
        self._marks[sender, mark.epoch] = self._further[sender, mark.epoch] = mark

    def has(self, attachment: Attachment) -> bool:
        """Tell whether the bytes of an attachment are here."""
        return self._sizes.get(attachment.hash) == attachment.size

    def put_in(self) -> None:
        """Write what is new."""
        if self._new:
            self._tx.execute(_PUT, [values_of(entry, self._now) for entry in self._new.values()])
        put_marks(self._tx, [(sender, mark) for (sender, _), mark in self._further.items()])


def _place_of(entry: Entry) -> _Place:
    return entry.sender, entry.link.epoch, entry.link.sequence


__all__ = ["Tray"]
