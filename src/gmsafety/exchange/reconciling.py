"""Two nodes compare what they sent each other, and each gets back what it lost (对账).

A channel is a chain, so that its last number and hash stand for all before them: a statement stays short however much
was sent. Statements are exchanged daily, at each deadline, and by a node that was restored from a backup before it
says anything else; that node goes on in a new epoch, and its statement ends the older ones.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from ..provenance import Value
from .answers import SignedStored
from .envelope import Link, Message, MessageKind
from .mailroom import MailRoom, Mark, Store
from .wire import Count, Line, Sha256

BETWEEN_NODES: frozenset[MessageKind] = frozenset(("digest", "ask", "copies", "keys", "ping", "notice"))
"""Kinds that are taken up although older messages are missing; the others are about forms, and wait their turn."""

Number = tuple[str, int]
"""Where a message stands: the epoch of its channel and its number."""


def new_epoch(now: dt.datetime) -> str:
    """Name an epoch by the moment it is opened; of two epochs the later one has the greater name."""
    return now.astimezone(dt.UTC).strftime("%Y%m%dT%H%M%S.%fZ")


class Channel(Value):
    """What one side has of a channel: all up to `sequence`, whose hash is `hash`, and single ones `beyond` a gap.

    Numbers that are `lost` were passed over.
    """

    epoch: Line
    sequence: Count = 0
    hash: Sha256 | None = None
    beyond: tuple[Count, ...] = ()
    lost: tuple[Count, ...] = ()

    def has(self, number: int) -> bool:
        """Tell whether a message is there, or was passed over."""
        return number <= self.sequence or number in self.beyond

    def without(self, other: Channel | None) -> tuple[int, ...]:
        """The numbers that are here and not with the other."""
        other = other or Channel(epoch=self.epoch)
        ours = (*range(other.sequence + 1, self.sequence + 1), *self.beyond)
        return tuple(n for n in ours if n not in self.lost and not other.has(n))

    @classmethod
    def of(cls, epoch: str, hashes: Mapping[int, str]) -> Channel:
        """A channel of which these messages are there."""
        sequence = 0
        while sequence + 1 in hashes:
            sequence += 1
        beyond = tuple(sorted(n for n in hashes if n > sequence))
        return cls(epoch=epoch, sequence=sequence, hash=hashes.get(sequence), beyond=beyond)


class Statement(Value):
    """The payload of a `digest`: what its sender has of all that went to and came from the receiver."""

    sent: tuple[Channel, ...] = ()
    received: tuple[Channel, ...] = ()


class Asked(Value):
    """The numbers of one epoch that are asked for."""

    epoch: Line
    numbers: tuple[Count, ...]


class Ask(Value):
    """The payload of an `ask`: send these of yours again, they are not here."""

    missing: tuple[Asked, ...]

    @classmethod
    def of(cls, numbers: Iterable[Number]) -> Ask:
        """Ask for messages by their numbers."""
        by_epoch: dict[str, list[int]] = {}
        for epoch, number in sorted(numbers):
            by_epoch.setdefault(epoch, []).append(number)
        return cls(missing=tuple(Asked(epoch=e, numbers=tuple(n)) for e, n in by_epoch.items()))

    @property
    def numbers(self) -> tuple[Number, ...]:
        """What is asked for."""
        return tuple((a.epoch, n) for a in self.missing for n in a.numbers)


class Copy(Value):
    """A message that its own sender has lost, as it came, with the answer that was given to it."""

    message: Message
    answer: SignedStored


class Copies(Value):
    """The payload of `copies`: what the receiver of this once sent, in the order of its channels."""

    messages: tuple[Copy, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """What two statements come to, for the one who compares.

    `send_again` are own messages that the other lacks, `give_back` those of the other that it has lost; `missing` are
    its messages that are not here, `lost` own ones that only the other has. In a channel that is `forked` both have
    the same number with another hash: a person has to look.
    """

    send_again: tuple[Number, ...] = ()
    give_back: tuple[Number, ...] = ()
    missing: tuple[Number, ...] = ()
    lost: tuple[Number, ...] = ()
    forked: tuple[str, ...] = ()


def compare(own: Statement, theirs: Statement, said_in: Link) -> Difference:
    """Compare the statement of another node with ours; `said_in` is the place of theirs in its channel.

    What it has sent since is not lost to it.
    """
    sent, received = _by_epoch(own.sent), _by_epoch(own.received)
    they_sent, they_received = _by_epoch(theirs.sent), _by_epoch(theirs.received)
    give_back = _without(received, they_sent)
    return Difference(
        send_again=_without(sent, they_received),
        give_back=tuple(n for n in give_back if n < (said_in.epoch, said_in.sequence)),
        missing=_without(they_sent, received),
        lost=_without(they_received, sent),
        forked=tuple(sorted({*_forked(sent, they_received), *_forked(received, they_sent)})),
    )  # fmt: skip


def _by_epoch(channels: Iterable[Channel]) -> dict[str, Channel]:
    return {channel.epoch: channel for channel in channels}


def _without(here: Mapping[str, Channel], there: Mapping[str, Channel]) -> tuple[Number, ...]:
    return tuple((epoch, n) for epoch in sorted(here) for n in here[epoch].without(there.get(epoch)))


def _forked(here: Mapping[str, Channel], there: Mapping[str, Channel]) -> Iterable[str]:
    for epoch in here.keys() & there.keys():
        one, other = here[epoch], there[epoch]
        if one.sequence == other.sequence and one.hash != other.hash:
            yield epoch


def ended(mark: Mark, held: Iterable[int], known: Channel | None) -> Mark:
    """The mark of a channel whose sender goes on in another epoch, and of which it still knows this much.

    What neither of the two has is lost. A later statement of the same sender counts instead of an earlier one.
    """
    theirs, waiting = known or Channel(epoch=mark.epoch), set(held)
    last = max(mark.sequence, theirs.sequence, *waiting, *theirs.beyond)
    passed = tuple(n for n in mark.lost if n <= mark.sequence)
    lost = tuple(n for n in range(mark.sequence + 1, last + 1) if n not in waiting and not theirs.has(n))
    return replace(mark, last=last, lost=(*passed, *lost))


class Books(Store, Protocol):
    """What reconciling asks of a store besides."""

    def channels(self, sender: str) -> Iterable[Mark]:
        """The channels from another node, of all epochs."""

    def held(self, sender: str, epoch: str) -> Iterable[int]:
        """The numbers of the messages that wait for an earlier one."""

    def sent(self, receiver: str) -> Iterable[Channel]:
        """What the outbox holds for another node, of all epochs, answered or not."""

    def settle(self, sender: str, epoch: str) -> None:
        """Note the epoch in which another node has said what it still knows of older ones."""


def statement(books: Books, peer: str) -> Statement:
    """What we have of all that went to and came from another node."""
    received = [_received(mark, books.held(peer, mark.epoch)) for mark in books.channels(peer)]
    return Statement(sent=tuple(books.sent(peer)), received=tuple(received))


def _received(mark: Mark, held: Iterable[int]) -> Channel:
    beyond = tuple(sorted(held))
    return Channel(epoch=mark.epoch, sequence=mark.sequence, hash=mark.hash, beyond=beyond, lost=mark.lost)


def settle(room: MailRoom, books: Books, sender: str, theirs: Statement, said_in: Link) -> None:
    """End the channels that the sender of a statement has left behind; what waited for lost messages waits no more.

    To be called for a statement that is not out of date and, where we were restored, is an answer to one of ours.
    """
    known = {c.epoch: c for c in theirs.sent if c.epoch < said_in.epoch}
    marks = {m.epoch: m for m in books.channels(sender) if m.epoch < said_in.epoch}
    for epoch in sorted(known.keys() | marks.keys()):
        mark = ended(marks.get(epoch, Mark(epoch)), books.held(sender, epoch), known.get(epoch))
        room.advance(books, sender, mark)
    books.settle(sender, said_in.epoch)


def is_answer(asked: Link | None, now: Mark) -> bool:
    """Tell whether a statement answers one of ours of the epoch that is open now; it need not be the first.

    A node that was restored goes by such a one only. What comes again of older ones is less than the other knows now,
    and what it would pass over as lost may be on its way.
    """
    return asked is not None and asked.epoch == now.epoch


def is_out_of_date(said_in: Link, channels: Iterable[Mark]) -> bool:
    """Tell whether a statement, or copies, come of an epoch that their sender has left: they count no more.

    A node that waits for an answer asks again.
    """
    return any(m.epoch > said_in.epoch and m.sequence > 0 for m in channels)


def is_turn(kind: MessageKind, link: Link, channels: Iterable[Mark]) -> bool:
    """Tell whether a message that is not held may be taken up: what is about a form waits for all older epochs."""
    return kind in BETWEEN_NODES or all(m.is_complete for m in channels if m.epoch < link.epoch)
