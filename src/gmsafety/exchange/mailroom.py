"""The mail room of a node: what comes in is stored once, in order, and answered; what goes out is sealed in order.

It keeps nothing itself. A `Store` holds inbox, outbox and channels, and everything one call does to it is one
transaction: either all of it is committed before the answer is given, or nothing is.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from .answers import REFUSALS, Refusal, SignedStored, Stored, read_answer, sign_refusal, sign_stored
from .canonical import canonical, digest
from .envelope import PROTOCOL, Attachment, Draft, Envelope, Letter, Link, Message, opened, read_letter, seal_letter
from .errors import Malformed, NotCanonical
from .peers import Peer
from .receipts import Verdict
from .signing import SigningKey

SKEW = dt.timedelta(minutes=15)
"""How far ahead of ours the clock of another node may be."""
LARGEST_MESSAGE = 32 * 2**20
LARGEST_SEALED = 24 * 2**20
"""What is sealed stays smaller than what is taken: a copy of any message fits into another one."""
WIDEST_GAP = 100_000
"""So far beyond the last in order a message may stand."""


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a channel has come: the last message in order, by number and hash.

    A channel that its sender has ended, for it was restored and goes on in another epoch, has a `last` number; the
    numbers that are `lost`, there and here, are passed over; they stand in order.
    """

    epoch: str
    sequence: int = 0
    hash: str | None = None
    last: int | None = None
    lost: tuple[int, ...] = ()

    @property
    def following(self) -> int:
        """The number of the message that is next."""
        number = self.sequence + 1
        while self._has_lost(number):
            number += 1
        return number

    def _has_lost(self, number: int) -> bool:
        index = bisect_left(self.lost, number)
        return index < len(self.lost) and self.lost[index] == number

    @property
    def is_complete(self) -> bool:
        """True where the channel has ended, and all that was not lost is here."""
        return self.last is not None and self.following > self.last

    def admits(self, link: Link) -> bool:
        """Tell whether a message may stand in the channel: next, or later; next to a lost one nothing is compared."""
        if not self.following <= link.sequence <= self.sequence + WIDEST_GAP or self._has_lost(link.sequence):
            return False
        if self.last is not None and link.sequence > self.last:
            return False
        return link.sequence != self.sequence + 1 or link.previous == self.hash

    def after(self, link: Link, message_hash: str) -> Mark:
        """The mark once a message was taken."""
        return replace(self, sequence=link.sequence, hash=message_hash)


@dataclass(frozen=True, slots=True)
class Entry:
    """A message in the inbox: its bytes as they came, the answer that was given, whether it waits for another."""

    sender: str
    id: str
    hash: str
    link: Link
    content: bytes
    answer: bytes
    held: bool


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message in the outbox: frozen bytes, sent as they are until they are answered."""

    receiver: str
    id: str
    hash: str
    link: Link
    content: bytes
    attachments: tuple[Attachment, ...] = ()


class Store(Protocol):
    """What a mail room keeps its things in; within one transaction."""

    def peer(self, name: str) -> Peer | None:
        """Another node by name."""

    def received(self, sender: str, message: str) -> Entry | None:
        """A message in the inbox."""

    def incoming(self, sender: str, epoch: str) -> Mark | None:
        """How far a channel from another node has come."""

    def settled(self, sender: str) -> str | None:
        """The epoch in which another node has said what it still knows of older ones: no more of these is opened."""

    def waiting(self, sender: str, epoch: str, sequence: int) -> Entry | None:
        """A message that is held, by its number."""

    def keep(self, entry: Entry) -> None:
        """Add a message to the inbox, which only ever grows; unless it is held, it is the next to be taken up."""

    def release(self, entry: Entry) -> None:
        """Mark a message as held no more: it is the next to be taken up."""

    def advance(self, sender: str, mark: Mark) -> None:
        """Note how far a channel from another node has come."""

    def has(self, attachment: Attachment) -> bool:
        """Tell whether the bytes of an attachment are here."""

    def outgoing(self, receiver: str) -> Mark:
        """How far our channel to another node has come."""

    def send(self, message: Outgoing) -> None:
        """Put a message into the outbox, and note how far the channel has come with it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered to a message: an HTTP status and signed bytes. `is_again`: it was here before.

    `slug` is the reason of a refusal.
    """

    status: int
    content: bytes
    is_again: bool = False
    slug: str = ""

    @property
    def is_stored(self) -> bool:
        """True where the message is in the inbox; otherwise nothing was changed."""
        return self.status < 300


Examine = Callable[[Message], str]
"""Looks at a message before it is stored; gives the slug of a refusal, or nothing. It changes nothing."""


def nothing_against(message: Message) -> str:
    """Take every message that is whole and of a peer."""
    return ""


@dataclass(frozen=True, slots=True)
class Seen:
    """Bytes that came in, looked at before a store is opened: the letter that they are, or why they are none."""

    content: bytes
    letter: Letter | None = None
    slug: str = ""


def look_at(content: bytes) -> Seen:
    """Read what came in; no store is needed for it, and nobody is kept waiting."""
    if len(content) > LARGEST_MESSAGE:
        return Seen(content, slug="too-large")
    try:
        letter = read_letter(content)
    except (Malformed, NotCanonical):
        return Seen(content, slug="version" if _is_other_version(content) else "malformed")
    return Seen(content, slug="too-large") if _is_too_large(letter.message, content) else Seen(content, letter)


@dataclass(frozen=True)
class MailRoom:
    """The mail room of one node. `key` signs; `others` sign beside it while a new key is not pinned everywhere.

    `revoked` are the ids of own keys that nobody is to trust any more.
    """

    node: str
    key: SigningKey
    others: tuple[SigningKey, ...] = ()
    revoked: frozenset[str] = frozenset()

    def receive(self, content: bytes, store: Store, *, now: dt.datetime, examine: Examine = nothing_against) -> Answer:
        """Take a message into the inbox. What it asks for is done later, in the order of the channel (`Store.keep`).

        The answer may be given after the transaction of the store is committed, and not before.
        """
        seen = look_at(content)
        if seen.letter is None:
            return self._refuse(seen.slug, content, now)
        return self.take_in(seen.letter, store, now=now, examine=examine)

    def take_in(self, letter: Letter, store: Store, *, now: dt.datetime, examine: Examine = nothing_against) -> Answer:
        """As `receive`, what was read before the transaction was begun."""
        content = letter.content
        peer = store.peer(letter.message.envelope.sender)
        slug = self.trouble(letter, peer, now) or ("" if letter.payload_fits else "payload-differs")
        if slug:
            return self._refuse(slug, content, now)
        message = letter.message
        before = store.received(message.envelope.sender, message.envelope.id)
        if before is not None:
            if before.hash == letter.hash:
                return Answer(200, self._still_good(before.answer), is_again=True)
            return self._refuse("other-content", content, now, stored_hash=before.hash)
        slug = examine(message)
        return self._refuse(slug, content, now) if slug else self._new(letter, store, now)

    def trouble(self, letter: Letter, peer: Peer | None, now: dt.datetime) -> str:
        """Why a message is not even looked up: who it is for, who it is from, whether it is theirs."""
        envelope = letter.message.envelope
        if envelope.receiver != self.node:
            return "not-for-us"
        if peer is None or not peer.is_open:
            return "unknown-sender"
        if letter.verify(peer.keys_at(envelope.sealed_at)) is not Verdict.VALID:
            return "bad-signature"
        return "clock" if envelope.sealed_at > now + SKEW else ""

    def _new(self, letter: Letter, store: Store, now: dt.datetime) -> Answer:
        content, envelope, link = letter.content, letter.message.envelope, letter.message.envelope.link
        missing = [a for a in envelope.attachments if not store.has(a)]
        if missing:
            return self._refuse("attachments-missing", content, now, missing=tuple(a.hash for a in missing))
        mark = store.incoming(envelope.sender, link.epoch) or self._unknown(store, envelope.sender, link.epoch)
        is_next = link.sequence == mark.following
        if not mark.admits(link) or store.waiting(envelope.sender, link.epoch, link.sequence):
            return self._refuse("broken-chain", content, now, stored_hash=mark.hash)
        answer = self._stored(letter, now, held=not is_next).to_bytes()
        store.keep(Entry(envelope.sender, envelope.id, letter.hash, link, content, answer, not is_next))
        self.advance(store, envelope.sender, mark.after(link, letter.hash) if is_next else mark)
        return Answer(200 if is_next else 202, answer)

    def _unknown(self, store: Store, sender: str, epoch: str) -> Mark:
        """The mark of a channel of which nothing was seen: it begins, unless its sender has left it behind."""
        settled = store.settled(sender)
        return Mark(epoch) if settled is None or epoch >= settled else Mark(epoch, last=0)

    def advance(self, store: Store, sender: str, mark: Mark) -> None:
        """Note how far a channel has come, with what was waiting for the message before it."""
        while True:
            following = store.waiting(sender, mark.epoch, mark.following)
            if following is None or not mark.admits(following.link):
                break
            store.release(following)
            mark = mark.after(following.link, following.hash)
        store.advance(sender, mark)

    def _stored(self, letter: Letter, now: dt.datetime, *, held: bool) -> SignedStored:
        envelope = letter.message.envelope
        stored = Stored(
            node=self.node, sender=envelope.sender, message=envelope.id, message_hash=letter.hash, stored_at=now,
            held=held,
        )  # fmt: skip
        return sign_stored(stored, self.key)

    def _still_good(self, answer: bytes) -> bytes:
        """The stored answer; the same statement, signed anew, where the key that signed it was revoked since."""
        said = read_answer(answer) if self.revoked else None
        if not isinstance(said, SignedStored) or said.signature.key_id not in self.revoked:
            return answer
        return sign_stored(said.stored, self.key).to_bytes()

    def sign_again(self, content: bytes) -> bytes:
        """The same message under the keys of now, for one that waits with the signature of a revoked key.

        Id and hash stay, for signatures are no part of them.
        """
        message = opened(content)
        return seal_letter(message.envelope, message.payload, self.key, *self.others).content

    def _refuse(
        self, slug: str, content: bytes, now: dt.datetime, *, said: str = "", stored_hash: str | None = None,
        missing: tuple[str, ...] = (),
    ) -> Answer:  # fmt: skip
        kind = REFUSALS[slug]
        refusal = Refusal(
            node=self.node, received=digest(content), code=kind.code, slug=kind.slug, status=kind.status,
            said=said or kind.words, refused_at=now, stored_hash=stored_hash, missing=missing,
        )  # fmt: skip
        return Answer(kind.status, sign_refusal(refusal, self.key).to_bytes(), slug=slug)

    def post(self, draft: Draft, store: Store, *, message_id: str, now: dt.datetime) -> Message:
        """Seal a message and put it into the outbox, in the transaction of what it tells."""
        mark = store.outgoing(draft.receiver)
        envelope = Envelope(
            id=message_id, kind=draft.kind, sender=self.node, receiver=draft.receiver,
            link=Link(epoch=mark.epoch, sequence=mark.sequence + 1, previous=mark.hash),
            sealed_at=now, test=draft.test, subject=draft.subject, answers=draft.answers,
            applied=draft.applied,
            payload_hash=digest(canonical(draft.payload)), attachments=draft.attachments,
        )  # fmt: skip
        letter = seal_letter(envelope, draft.payload, self.key, *self.others)
        if _is_too_large(letter.message, letter.content):
            raise Malformed("消息", ["过大"])
        store.send(Outgoing(draft.receiver, message_id, letter.hash, envelope.link, letter.content, draft.attachments))
        return letter.message


def _is_too_large(message: Message, content: bytes) -> bool:
    """Tell whether a message has no room for a copy of it; copies are not copied."""
    return len(content) > (LARGEST_MESSAGE if message.envelope.kind == "copies" else LARGEST_SEALED)


def _is_other_version(content: bytes) -> bool:
    """Tell whether bytes are a message of another version of the protocol."""
    return b'"protocol":"gmsafety/' in content and f'"protocol":"{PROTOCOL}"'.encode() not in content


__all__ = ["Answer", "Entry", "Examine", "MailRoom", "Mark", "Outgoing", "Seen", "Store", "look_at"]
