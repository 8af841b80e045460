"""The shelf of the mail room: inbox, outbox and channels in the database, within one transaction."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import Connection, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from gmsafety.exchange.envelope import Attachment, Link
from gmsafety.exchange.mailroom import Entry, Mark, Outgoing
from gmsafety.exchange.peers import Peer
from gmsafety.exchange.reconciling import new_epoch
from gmsafety.exchange.settling import Waits

from ..tables import AnyRow, blobs, channels_in, channels_out, inbox, outbox, peers
from .stations import find_peer

_ABOUT_NOTHING = dict.fromkeys(("unit", "item", "revision", "period"))


class Shelf:
    """A `Store` (gmsafety.exchange.mailroom) over a transaction."""

    def __init__(self, tx: Connection, now: datetime, *, due_at: datetime | None = None) -> None:
        self._tx, self._now, self._due_at = tx, now, due_at
        self.asks: Waits = ""

    def peer(self, name: str) -> Peer | None:
        """Another node by name, held to the end: its messages are taken in one after the other."""
        return find_peer(self._tx, name, lock=True)

    def received(self, sender: str, message: str) -> Entry | None:
        """A message in the inbox."""
        return self._entry(inbox.c.sender == sender, inbox.c.message_id == message)

    def incoming(self, sender: str, epoch: str) -> Mark | None:
        """How far a channel from another node has come."""
        query = select(channels_in).where(channels_in.c.sender == sender, channels_in.c.epoch == epoch)
        row = self._tx.execute(query).first()
        return mark_of(row) if row is not None else None

    def settled(self, sender: str) -> str | None:
        """The epoch in which another node has said what it still knows of older ones."""
        return self._tx.execute(select(peers.c.settled).where(peers.c.name == sender)).scalar()

    def waiting(self, sender: str, epoch: str, sequence: int) -> Entry | None:
        """A message that is held, by its number."""
        place = (inbox.c.sender == sender, inbox.c.epoch == epoch, inbox.c.sequence == sequence)
        return self._entry(*place, inbox.c.held)

    def _entry(self, *where: Any) -> Entry | None:
        row = self._tx.execute(select(inbox).where(*where)).first()
        return entry_of(row) if row is not None else None

    def keep(self, entry: Entry) -> None:
        """Add a message to the inbox."""
        self._tx.execute(insert(inbox), [values_of(entry, self._now)])

    def release(self, entry: Entry) -> None:
        """Mark a message as held no more."""
        same = (inbox.c.sender == entry.sender, inbox.c.message_id == entry.id)
        self._tx.execute(update(inbox).where(*same).values(held=False))

    def advance(self, sender: str, mark: Mark) -> None:
        """Note how far a channel from another node has come."""
        put_marks(self._tx, [(sender, mark)])

    def has(self, attachment: Attachment) -> bool:
        """Tell whether the bytes of an attachment are here."""
        size = self._tx.execute(select(blobs.c.size).where(blobs.c.hash == attachment.hash)).scalar()
        return size == attachment.size

    def outgoing(self, receiver: str) -> Mark:
        """How far our channel to another node has come, held to the end; `asks` is then whether we wait for it."""
        row = self._channel(receiver)
        if row is None:
            dialect = insert_postgresql if self._tx.dialect.name == "postgresql" else insert_sqlite
            fresh = dialect(channels_out).values(receiver=receiver, epoch=new_epoch(self._now), sequence=0, hash=None)
            self._tx.execute(fresh.on_conflict_do_nothing())
            row = self._channel(receiver)
        assert row is not None
        self.asks = row.asking or ""
        return Mark(row.epoch, row.sequence, row.hash)

    def _channel(self, receiver: str) -> AnyRow | None:
        query = select(channels_out).where(channels_out.c.receiver == receiver)
        return self._tx.execute(query.with_for_update()).first()

    def send(self, message: Outgoing) -> None:
        """Put a message into the outbox, and note how far the channel has come with it."""
        told = told_of(message.content)
        del told["sealed_at"]
        values = {
            "receiver": message.receiver, "message_id": message.id, "hash": message.hash, **_place(message.link),
            **told, "content": message.content, "attachments": [a.model_dump() for a in message.attachments],
            "posted_at": self._now, "due_at": self._due_at, "failures": 0, "next_try": self._now,
        }  # fmt: skip
        self._tx.execute(insert(outbox).values(values))
        further = {"sequence": message.link.sequence, "hash": message.hash}
        self._tx.execute(update(channels_out).where(channels_out.c.receiver == message.receiver).values(further))


def entry_of(row: AnyRow) -> Entry:
    """A row of the inbox as the mail room's entry."""
    link = Link(epoch=row.epoch, sequence=row.sequence, previous=row.previous)
    return Entry(row.sender, row.message_id, row.hash, link, bytes(row.content), bytes(row.answer), row.held)


def mark_of(row: AnyRow) -> Mark:
    """A row of the channels that come in."""
    return Mark(row.epoch, row.sequence, row.hash, row.last, tuple(row.lost))


def values_of(entry: Entry, now: datetime) -> dict[str, Any]:
    """An entry as a row of the inbox."""
    return {
        "sender": entry.sender, "message_id": entry.id, "hash": entry.hash, "previous": entry.link.previous,
        **_place(entry.link), **_ABOUT_NOTHING, **told_of(entry.content), "content": entry.content,
        "answer": entry.answer, "held": entry.held, "stored_at": now, "failures": 0,
    }  # fmt: skip


def _putting(insert_into: Any) -> Any:
    fresh = insert_into(channels_in)
    further = {name: fresh.excluded[name] for name in ("sequence", "hash", "last", "lost")}
    return fresh.on_conflict_do_update(index_elements=["sender", "epoch"], set_=further)


_PUT_MARKS = {"postgresql": _putting(insert_postgresql), "sqlite": _putting(insert_sqlite)}


def put_marks(tx: Connection, marks: Sequence[tuple[str, Mark]]) -> None:
    """Note how far channels from other nodes have come."""
    rows = [
        {"sender": sender, "epoch": m.epoch, "sequence": m.sequence, "hash": m.hash, "last": m.last, "lost": [*m.lost]}
        for sender, m in marks
    ]
    if rows:
        tx.execute(_PUT_MARKS[tx.dialect.name], rows)


def _place(link: Link) -> dict[str, Any]:
    return {"epoch": link.epoch, "sequence": link.sequence}


def told_of(content: bytes) -> dict[str, Any]:
    """What a list of messages shows of one."""
    envelope: Mapping[str, Any] = orjson.loads(content)["envelope"]
    subject = envelope["subject"]
    told = {"kind": envelope["kind"], "sealed_at": datetime.fromisoformat(envelope["sealed_at"])}
    if subject is None:
        return told
    about = {name: subject[name] for name in ("unit", "item", "revision")}
    return {**told, **about, "period": date.fromisoformat(subject["period"])}
