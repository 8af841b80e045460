"""The books of this node: what reconciling asks of the database besides; a channel is told without its messages."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Table, and_, func, insert, or_, select, update

from gmsafety.exchange.envelope import Link, opened
from gmsafety.exchange.mailroom import Entry, Mark
from gmsafety.exchange.reconciling import Channel, Copy, Number
from gmsafety.exchange.settling import Waits, begin_anew

from ..tables import channels_in, channels_out, inbox, outbox, peers
from .shelf import Shelf, told_of

Run = tuple[str, int, int]
"""Numbers that follow each other: epoch, first, last."""
_RUNS_AT_ONCE = 100


class Books(Shelf):
    """`Books` (gmsafety.exchange.settling) over a transaction."""

    _held: dict[str, dict[str, list[int]]] | None = None

    def channels(self, sender: str) -> list[Mark]:
        """The channels from another node, of all epochs."""
        rows = self._tx.execute(select(channels_in).where(channels_in.c.sender == sender))
        marks = [Mark(r.epoch, r.sequence, r.hash, r.last, tuple(r.lost)) for r in rows]
        return sorted(marks, key=lambda mark: mark.epoch)

    def held(self, sender: str, epoch: str) -> list[int]:
        """The numbers of the messages that wait for an earlier one; asked for all epochs at once."""
        if self._held is None or sender not in self._held:
            query = select(inbox.c.epoch, inbox.c.sequence).where(inbox.c.sender == sender, inbox.c.held)
            found: dict[str, list[int]] = {}
            for name, number in self._tx.execute(query.order_by(inbox.c.sequence)):
                found.setdefault(name, []).append(number)
            self._held = {sender: found}
        return self._held[sender].get(epoch, [])

    def release(self, entry: Entry) -> None:
        """Mark a message as held no more."""
        super().release(entry)
        self._held = None

    def sent(self, receiver: str) -> list[Channel]:
        """What the outbox holds for another node, of all epochs; those before the present one may have gaps."""
        now, found = self.outgoing(receiver), outbox.c.receiver == receiver
        place = func.row_number().over(partition_by=outbox.c.epoch, order_by=outbox.c.sequence).label("place")
        older = select(outbox.c.epoch, outbox.c.sequence, place).where(found, outbox.c.epoch < now.epoch).subquery()
        ends = select(older.c.epoch, func.max(older.c.sequence).label("last"))
        ends_of = ends.where(older.c.sequence == older.c.place).group_by(older.c.epoch).subquery()
        same = and_(outbox.c.epoch == ends_of.c.epoch, outbox.c.sequence == ends_of.c.last)
        query = select(outbox.c.epoch, outbox.c.sequence, outbox.c.hash).join(ends_of, same).where(found)
        whole = {row.epoch: (row.sequence, row.hash) for row in self._tx.execute(query)}
        beyond: dict[str, list[int]] = {}
        after_gaps = select(older.c.epoch, older.c.sequence).where(older.c.sequence != older.c.place)
        for epoch, number in self._tx.execute(after_gaps):
            beyond.setdefault(epoch, []).append(number)
        told = [
            Channel(epoch=e, sequence=n, hash=h, beyond=tuple(sorted(beyond.get(e, ()))))
            for e in sorted(whole.keys() | beyond.keys())
            for n, h in [whole.get(e, (0, None))]
        ]
        return [*told, Channel(epoch=now.epoch, sequence=now.sequence, hash=now.hash)] if now.sequence else told

    def settle(self, sender: str, epoch: str) -> None:
        """Note the epoch in which another node has said what it still knows of older ones."""
        self._tx.execute(update(peers).where(peers.c.name == sender).values(settled=epoch))

    def posted(self, receiver: str, message: str) -> Link | None:
        """Where a message in the outbox stands."""
        query = select(outbox.c.content).where(outbox.c.receiver == receiver, outbox.c.message_id == message)
        content = self._tx.execute(query).scalar()
        return opened(bytes(content)).envelope.link if content is not None else None

    def hash_received(self, sender: str, epoch: str, sequence: int) -> str | None:
        """The hash of a message in the inbox, held or not, by its number."""
        place = (inbox.c.sender == sender, inbox.c.epoch == epoch, inbox.c.sequence == sequence)
        found: str | None = self._tx.execute(select(inbox.c.hash).where(*place)).scalar()
        return found

    def hash_sent(self, receiver: str, epoch: str, sequence: int) -> str | None:
        """The hash of a message in the outbox by its number."""
        place = (outbox.c.receiver == receiver, outbox.c.epoch == epoch, outbox.c.sequence == sequence)
        found: str | None = self._tx.execute(select(outbox.c.hash).where(*place)).scalar()
        return found

    def waits(self, peer: str) -> Waits:
        """What we wait for from another node before we speak about forms."""
        self.outgoing(peer)
        return self.asks

    def wait(self, peer: str, what: Waits) -> None:
        """Note what we wait for."""
        self._tx.execute(update(channels_out).where(channels_out.c.receiver == peer).values(asking=what or None))

    def begin(self, receiver: str, epoch: str) -> None:
        """Go on in another epoch of our channel, from number 1."""
        anew = {"epoch": epoch, "sequence": 0, "hash": None}
        self._tx.execute(update(channels_out).where(channels_out.c.receiver == receiver).values(anew))

    def stated(self, receiver: str) -> None:
        """Note that another node was told what we have."""
        self._tx.execute(update(peers).where(peers.c.name == receiver).values(stated_at=self._now))

    def entries(self, sender: str, numbers: Iterable[Number]) -> Iterator[tuple[bytes, bytes]]:
        """Messages of the inbox by their numbers, in their order, and the answers given to them."""
        for where in within(inbox, runs(numbers)):
            query = select(inbox.c.content, inbox.c.answer).where(inbox.c.sender == sender, where)
            query = query.order_by(inbox.c.epoch, inbox.c.sequence)
            rows = self._tx.execute(query, execution_options={"yield_per": 100})
            yield from ((bytes(row.content), bytes(row.answer)) for row in rows)

    def delivered(self, receiver: str, numbers: Iterable[Number], before: datetime) -> list[Number]:
        """Those of our messages that another node had said it has, before a moment."""
        here = (outbox.c.receiver == receiver, outbox.c.answered_at < before)
        found: list[Number] = []
        for where in within(outbox, runs(numbers)):
            rows = self._tx.execute(select(outbox.c.epoch, outbox.c.sequence).where(*here, where))
            found += [(row.epoch, row.sequence) for row in rows]
        return sorted(found)

    def send_again(self, receiver: str, numbers: Iterable[Number]) -> int:
        """Have messages be sent again although they were answered, or given up; returns how many."""
        again = {"answered_at": None, "dead_at": None, "leased_until": None, "next_try": self._now}
        done = or_(outbox.c.answered_at.is_not(None), outbox.c.dead_at.is_not(None))
        return sum(
            self._tx.execute(update(outbox).where(outbox.c.receiver == receiver, done, where).values(again)).rowcount
            for where in within(outbox, runs(numbers))
        )

    def get_back(self, copy: Copy) -> None:
        """Put a message of ours that was lost into the outbox again, with the answer that was given to it."""
        message, answer = copy.message, copy.answer
        envelope, content = message.envelope, message.to_bytes()
        told = told_of(content)
        posted_at = told.pop("sealed_at")
        values = {
            "receiver": envelope.receiver, "message_id": envelope.id, "hash": message.hash,
            "epoch": envelope.link.epoch, "sequence": envelope.link.sequence, **told, "content": content,
            "attachments": [a.model_dump() for a in envelope.attachments], "posted_at": posted_at, "failures": 0,
            "next_try": posted_at, "answered_at": answer.stored.stored_at, "answer": answer.to_bytes(),
        }  # fmt: skip
        self._tx.execute(insert(outbox).values(values))


def begin_epochs(tx: Connection, now: datetime) -> None:
    """Begin all our channels anew, and wait for every other node: one that was restored cannot know what it said."""
    books = Books(tx, now)
    for name in tx.execute(select(peers.c.name).where(~peers.c.is_own).order_by(peers.c.name)).scalars().all():
        begin_anew(books, name, now)


def runs(numbers: Iterable[Number]) -> list[Run]:
    """Numbers as runs."""
    found: list[Run] = []
    for epoch, number in sorted(numbers):
        if found and found[-1][0] == epoch and found[-1][2] == number - 1:
            found[-1] = (epoch, found[-1][1], number)
        else:
            found.append((epoch, number, number))
    return found


def within(box: Table, of: Sequence[Run]) -> Iterator[ColumnElement[bool]]:
    """The messages of a box that are of these runs, a part of the runs at a time."""
    for start in range(0, len(of), _RUNS_AT_ONCE):
        part = of[start : start + _RUNS_AT_ONCE]
        yield or_(*(and_(box.c.epoch == epoch, box.c.sequence.between(a, b)) for epoch, a, b in part))


__all__ = ["Books", "Run", "begin_epochs", "runs", "within"]
