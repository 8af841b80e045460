"""What a node does about the statement of another, until each has what it had lost; every node does the same.

A node that goes back to a backup cannot tell what it said since. It begins a new epoch with a statement and `waits`
for an answer: until then it says nothing about forms, and takes up nothing about them. An answer of one that waits
itself tells what that one has, and not yet what it gets back: after it a node gives back in its turn, and waits on.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from .answers import SignedStored, read_answer
from .canonical import canonical
from .envelope import Envelope, Link, Message, opened
from .errors import NotCanonical
from .mailroom import MailRoom, Mark, Store
from .peers import Peer
from .receipts import Verdict
from .reconciling import (
    Channel,
    Copies,
    Copy,
    Number,
    Statement,
    compare,
    ended,
    is_answer,
    is_out_of_date,
    new_epoch,
)
from .signing import PublicKey
from .wire import take

Waits = Literal["", "asking", "heard"]
"""What a node that was restored waits for from another: nothing, any answer, an answer of one that waits no more."""

LARGEST_COPIES = 4 * 2**20
"""So many bytes of copies go into one message, or a single copy."""


class Books(Store, Protocol):
    """What settling asks of a store besides."""

    def channels(self, sender: str) -> Iterable[Mark]:
        """The channels from another node, of all epochs."""

    def held(self, sender: str, epoch: str) -> Iterable[int]:
        """The numbers of the messages that wait for an earlier one."""

    def sent(self, receiver: str) -> Iterable[Channel]:
        """What the outbox holds for another node, of all epochs, answered or not."""

    def settle(self, sender: str, epoch: str) -> None:
        """Note the epoch in which another node has said what it still knows of older ones."""

    def posted(self, receiver: str, message: str) -> Link | None:
        """Where a message in the outbox stands."""

    def hash_received(self, sender: str, epoch: str, sequence: int) -> str | None:
        """The hash of a message in the inbox, held or not, by its number."""

    def hash_sent(self, receiver: str, epoch: str, sequence: int) -> str | None:
        """The hash of a message in the outbox by its number."""

    def waits(self, peer: str) -> Waits:
        """What we wait for from another node before we speak about forms."""

    def wait(self, peer: str, what: Waits) -> None:
        """Note what we wait for."""

    def begin(self, receiver: str, epoch: str) -> None:
        """Go on in another epoch of our channel, from number 1."""


def statement(books: Books, peer: str) -> Statement:
    """What we have of all that went to and came from another node."""
    received = tuple(_received(mark, books.held(peer, mark.epoch)) for mark in books.channels(peer))
    return Statement(waiting=books.waits(peer) == "asking", sent=tuple(books.sent(peer)), received=received)


def _received(mark: Mark, held: Iterable[int]) -> Channel:
    beyond = tuple(sorted(held))
    return Channel(epoch=mark.epoch, sequence=mark.sequence, hash=mark.hash, beyond=beyond, lost=mark.lost)


def begin_anew(books: Books, peer: str, now: dt.datetime) -> None:
    """Open another epoch, later than all that we know of, and wait; the first message in it is to be a statement."""
    known = (books.outgoing(peer).epoch, *(c.epoch for c in books.sent(peer)))
    books.begin(peer, new_epoch(now, after=known))
    books.wait(peer, "asking")


def is_cut_off(books: Books, peer: str, refused: Link, slug: str) -> bool:
    """Tell whether the refusal of a message shows that we were put back without knowing: its number was used before.

    The only way on is to begin anew. Who waits has done so; who is refused then needs a person to set the clock.
    """
    return slug == "broken-chain" and refused.epoch == books.outgoing(peer).epoch and not books.waits(peer)


@dataclass(frozen=True, slots=True)
class Reaction:
    """What is to be done about a statement once it is noted, in this order.

    It `asks`: a statement goes out that answers none. Messages of ours are sent again; copies are given back;
    what is missing is asked for. It `answers`: a statement goes out that answers this one.
    What is `lost` comes back, if at all, as copies of the other; where channels are `forked`, a person has to look.
    """

    asks: bool = False
    send_again: tuple[Number, ...] = ()
    give_back: tuple[Number, ...] = ()
    missing: tuple[Number, ...] = ()
    answers: bool = False
    lost: tuple[Number, ...] = ()
    forked: tuple[str, ...] = ()


def heed(room: MailRoom, books: Books, message: Message) -> Reaction:
    """Take up a statement, in one transaction with all that it leads to.

    What its sender lost was lost before its epoch began, and is given back once: asking again does not bring it twice.
    """
    envelope, peer = message.envelope, message.envelope.sender
    theirs = take(Statement, canonical(message.payload), noun="对账单")
    if is_out_of_date(envelope.link, books.channels(peer)):
        return Reaction(asks=bool(books.waits(peer)))
    has_heard = _hear(books, envelope, theirs)
    is_asking = books.waits(peer) == "asking"
    gives = not is_asking and (has_heard or books.settled(peer) != envelope.link.epoch)
    if not is_asking:
        settle(room, books, peer, theirs, envelope.link)
    found = compare(statement(books, peer), theirs, envelope.link)
    return Reaction(
        send_again=found.send_again, give_back=found.give_back if gives else (), missing=found.missing,
        answers=envelope.answers is None or has_heard, lost=found.lost,
        forked=tuple(sorted(set(_forked(books, peer, theirs)))),
    )  # fmt: skip


def _hear(books: Books, envelope: Envelope, theirs: Statement) -> bool:
    """Note an answer that we waited for; True for the first one, after which we give back."""
    peer, before = envelope.sender, books.waits(envelope.sender)
    if not before or not _is_answer(books, envelope):
        return False
    books.wait(peer, "heard" if theirs.waiting else "")
    return before == "asking"


def _is_answer(books: Books, envelope: Envelope) -> bool:
    """Tell whether a message answers a statement of our open epoch."""
    asked = books.posted(envelope.sender, envelope.answers) if envelope.answers is not None else None
    return is_answer(asked, books.outgoing(envelope.sender))


def settle(room: MailRoom, books: Books, sender: str, theirs: Statement, said_in: Link) -> None:
    """End the channels that the sender of a statement has left behind; what waited for lost messages waits no more."""
    known = {c.epoch: c for c in theirs.sent if c.epoch < said_in.epoch}
    marks = {m.epoch: m for m in books.channels(sender) if m.epoch < said_in.epoch}
    for epoch in sorted(known.keys() | marks.keys()):
        mark = ended(marks.get(epoch, Mark(epoch)), books.held(sender, epoch), known.get(epoch))
        room.advance(books, sender, mark)
    books.settle(sender, said_in.epoch)


def _forked(books: Books, peer: str, theirs: Statement) -> Iterator[str]:
    """The epochs in which a number is another message here than there, or a held one does not follow."""
    yield from (c.epoch for c in theirs.received if _differs(c, books.hash_sent(peer, c.epoch, c.sequence)))
    yield from (c.epoch for c in theirs.sent if _differs(c, books.hash_received(peer, c.epoch, c.sequence)))
    yield from (m.epoch for m in books.channels(peer) if m.following in books.held(peer, m.epoch))


def _differs(channel: Channel, own: str | None) -> bool:
    return own is not None and own != channel.hash


def copies_of(entries: Iterable[tuple[bytes, bytes]]) -> Iterator[Copies]:
    """Messages and the answers given to them, to be given back, in as many messages as their size asks for.

    Copies that were lost are not copied: they hold messages of ours, which we have.
    """
    room, taken = LARGEST_COPIES, list[Copy]()
    for content, answer in entries:
        message, said = opened(content), read_answer(answer)
        if message.envelope.kind == "copies" or not isinstance(said, SignedStored) or not _can_be_copied(message):
            continue
        if taken and len(content) + len(answer) > room:
            yield Copies(messages=tuple(taken))
            room, taken = LARGEST_COPIES, []
        taken.append(Copy(message=message, answer=said))
        room -= len(content) + len(answer)
    if taken:
        yield Copies(messages=tuple(taken))


def _can_be_copied(message: Message) -> bool:
    """False for a payload so deep that nothing around it can be written."""
    try:
        canonical([[[[[message.payload]]]]])
    except NotCanonical:
        return False
    return True


class Regained(NamedTuple):
    """What came of copies: what belongs into the outbox as answered, in order, and the ids that are not ours."""

    good: tuple[Copy, ...]
    bad: tuple[str, ...]


def regained(message: Message, peer: Peer, node: str, keys: Iterable[PublicKey], books: Books) -> Regained:
    """Take up copies. `keys` are all that we ever signed with: what they do not verify, we never said.

    Nor can we have lost what stands in the epoch that is open: the numbers to come are ours to give.
    """
    if not _is_for_now(books, message.envelope):
        return Regained((), ())
    keys, good, bad = tuple(keys), list[Copy](), list[str]()
    here, ids, present = dict[Number, str](), set[str](), books.outgoing(peer.name).epoch
    for copy in take(Copies, canonical(message.payload), noun="副本").messages:
        envelope, link = copy.message.envelope, copy.message.envelope.link
        place = link.epoch, link.sequence
        known = here.get(place) or books.hash_sent(peer.name, *place)
        if known == copy.message.hash:
            continue
        is_free = known is None and envelope.id not in ids and books.posted(peer.name, envelope.id) is None
        if is_free and link.epoch < present and _is_own(copy, peer, node, keys):
            good.append(copy)
            here[place] = copy.message.hash
            ids.add(envelope.id)
        else:
            bad.append(envelope.id)
    return Regained(tuple(good), tuple(bad))


def _is_for_now(books: Books, envelope: Envelope) -> bool:
    """Tell whether copies are for the restore that was the last; what others hold comes again, and in its order."""
    return _is_answer(books, envelope) and not is_out_of_date(envelope.link, books.channels(envelope.sender))


def _is_own(copy: Copy, peer: Peer, node: str, keys: tuple[PublicKey, ...]) -> bool:
    """Tell whether a message is one of ours to this node, and it says itself that it has stored it.

    Its answer may be signed by a key of which we knew, and do not know now.
    """
    envelope, stored = copy.message.envelope, copy.answer.stored
    return (
        (envelope.sender, envelope.receiver) == (node, peer.name)
        and copy.message.payload_fits
        and copy.message.verify(keys) is Verdict.VALID
        and (stored.node, stored.sender, stored.message) == (peer.name, node, envelope.id)
        and stored.message_hash == copy.message.hash
        and copy.answer.verify(k.key for k in peer.keys) in (Verdict.VALID, Verdict.UNKNOWN_KEY)
    )
