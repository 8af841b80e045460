"""Two nodes compare what they sent each other, and each gets back what it lost (对账).

A channel is a chain, so that its last number and hash stand for all before them: a statement stays short however much
was sent. Statements are exchanged daily, at each deadline, and by a node that was restored from a backup before it
says anything else; that node goes on in a new epoch, and its statement ends the older ones. What is done about a
statement stands in `settling`.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Self

from pydantic import model_validator

from ..provenance import Value
from .answers import SignedStored
from .envelope import Attachment, Link, Message, MessageKind
from .mailroom import WIDEST_GAP, Mark
from .wire import Count, Line, Sha256

BETWEEN_NODES: frozenset[MessageKind] = frozenset(("digest", "ask", "copies", "keys", "ping", "notice"))
"""Kinds that are taken up although older messages are missing; the others are about forms, and wait their turn."""

Number = tuple[str, int]
"""Where a message stands: the epoch of its channel and its number."""

MOST_ASKED = 10_000
"""So many numbers are asked for in one message; what else is missing comes up with the next statement."""


def new_epoch(now: dt.datetime, *, after: Iterable[str] = ()) -> str:
    """Name an epoch by the moment it is opened; of two the later one has the greater name, even by a clock put back.

    No two have the same name, though both are opened `after` the same ones.
    """
    name, latest = now.astimezone(dt.UTC).strftime("%Y%m%dT%H%M%S.%fZ"), max(after, default="")
    return name if name > latest else f"{latest}+{name}"


class Channel(Value):
    """What one side has of a channel: all up to `sequence`, whose hash is `hash`, and single ones `beyond` a gap.

    Numbers that are `lost` were passed over.
    """

    epoch: Line
    sequence: Count = 0
    hash: Sha256 | None = None
    beyond: tuple[Count, ...] = ()
    lost: tuple[Count, ...] = ()

    @model_validator(mode="after")
    def _stands_in_order(self) -> Self:
        ends = (self.sequence, *self.beyond, self.sequence + WIDEST_GAP + 1)
        if any(a >= b for a, b in itertools.pairwise(ends)) or list(self.lost) != sorted(set(self.lost)):
            raise ValueError("编号没有按顺序，或相隔太远")
        return self

    def without(self, other: Channel | None) -> Iterator[int]:
        """The numbers that are here and not with the other."""
        other = other or Channel(epoch=self.epoch)
        passed = {*self.lost, *other.beyond}
        ours = itertools.chain(range(other.sequence + 1, self.sequence + 1), self.beyond)
        return (n for n in ours if n > other.sequence and n not in passed)

    @classmethod
    def of(cls, epoch: str, hashes: Mapping[int, str]) -> Channel:
        """A channel of which these messages are there."""
        sequence = 0
        while sequence + 1 in hashes:
            sequence += 1
        beyond = tuple(sorted(n for n in hashes if n > sequence))
        return cls(epoch=epoch, sequence=sequence, hash=hashes.get(sequence), beyond=beyond)


class Statement(Value):
    """The payload of a `digest`: what its sender has of all that went to and came from the receiver.

    One that is `waiting` was restored itself and has not heard from the receiver since: it tells what it has, but can
    give nothing back yet.
    """

    waiting: bool = False
    sent: tuple[Channel, ...] = ()
    received: tuple[Channel, ...] = ()


class Asked(Value):
    """The numbers of one epoch that are asked for."""

    epoch: Line
    numbers: tuple[Count, ...]


class Ask(Value):
    """The payload of an `ask`: send these of yours again, they are not here. Numbers that never were go unheeded."""

    missing: tuple[Asked, ...]

    @model_validator(mode="after")
    def _is_not_too_much(self) -> Self:
        if sum(len(a.numbers) for a in self.missing) > MOST_ASKED:
            raise ValueError(f"一次最多请求{MOST_ASKED:,}条")
        return self

    @classmethod
    def of(cls, numbers: Iterable[Number]) -> Ask:
        """Ask for messages by their numbers, the first of them where they are too many."""
        by_epoch: dict[str, list[int]] = {}
        for epoch, number in sorted(numbers)[:MOST_ASKED]:
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

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        """The files of the messages, each once: they go along, for they are lost, too."""
        return tuple({a.hash: a for copy in self.messages for a in copy.message.envelope.attachments}.values())


@dataclass(frozen=True, slots=True)
class Difference:
    """What two statements come to, for the one who compares.

    `send_again` are own messages that the other lacks, `give_back` those of the other that it has lost; `missing` are
    its messages that are not here, `lost` own ones that only the other has. Of the last two, which rest on what the
    other claims, there are at most `MOST_ASKED`.
    """

    send_again: tuple[Number, ...] = ()
    give_back: tuple[Number, ...] = ()
    missing: tuple[Number, ...] = ()
    lost: tuple[Number, ...] = ()


def compare(own: Statement, theirs: Statement, said_in: Link) -> Difference:
    """Compare the statement of another node with ours; `said_in` is the place of theirs in its channel.

    What it has sent since is not lost to it.
    """
    sent, received = _by_epoch(own.sent), _by_epoch(own.received)
    they_sent, they_received = _by_epoch(theirs.sent), _by_epoch(theirs.received)
    return Difference(
        send_again=tuple(_without(sent, they_received)),
        give_back=tuple(n for n in _without(received, they_sent) if n < (said_in.epoch, said_in.sequence)),
        missing=tuple(itertools.islice(_without(they_sent, received), MOST_ASKED)),
        lost=tuple(itertools.islice(_without(they_received, sent), MOST_ASKED)),
    )


def _by_epoch(channels: Iterable[Channel]) -> dict[str, Channel]:
    return {channel.epoch: channel for channel in channels}


def _without(here: Mapping[str, Channel], there: Mapping[str, Channel]) -> Iterator[Number]:
    return ((epoch, n) for epoch in sorted(here) for n in here[epoch].without(there.get(epoch)))


def ended(mark: Mark, held: Iterable[int], known: Channel | None) -> Mark:
    """The mark of a channel whose sender goes on in another epoch, and of which it still knows this much.

    What neither of the two has is lost. A later statement of the same sender counts instead of an earlier one.
    """
    theirs = known or Channel(epoch=mark.epoch)
    there = {*held, *theirs.beyond}
    last = max(mark.sequence, theirs.sequence, *there)
    passed = tuple(n for n in mark.lost if n <= mark.sequence)
    lost = tuple(n for n in range(max(mark.sequence, theirs.sequence) + 1, last + 1) if n not in there)
    return replace(mark, last=last, lost=(*passed, *lost))


def is_answer(asked: Link | None, now: Mark) -> bool:
    """Tell whether a statement answers one of ours of the epoch that is open now; it need not be the first.

    A node that was restored goes by such a one only: what comes again of older ones is less than the other knows now.
    It speaks of forms again once the answer is of one that is not waiting itself.
    """
    return asked is not None and asked.epoch == now.epoch


def is_out_of_date(said_in: Link, channels: Iterable[Mark]) -> bool:
    """Tell whether a statement, or copies, come of an epoch that their sender has left: they count no more.

    A node that waits for an answer asks again.
    """
    return any(m.epoch > said_in.epoch and m.sequence > 0 for m in channels)


def is_turn(kind: MessageKind, link: Link, channels: Iterable[Mark], keys: Iterable[Link] = ()) -> bool:
    """Tell whether a message that is not held may be taken up: what is about a form waits for all older epochs.

    It waits, too, for the keys that its sender told before it: `keys` are the links of those not taken up.
    """
    if kind in BETWEEN_NODES:
        return True
    place = link.epoch, link.sequence
    return all(m.is_complete for m in channels if m.epoch < link.epoch) and all(
        place < (told.epoch, told.sequence) for told in keys
    )
