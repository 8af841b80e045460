"""Messages between nodes: an envelope that is signed, a payload it names by hash, files that travel beside it.

A message is sealed once; what is sent, sent again and carried on a stick are the same bytes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from ..provenance import Value
from .canonical import canonical, canonical_simple, canonical_typed, digest, is_simple
from .receipts import Signature, Verdict
from .signatures import verdict_on_all, verdict_over
from .signing import PublicKey, SigningKey
from .wire import Count, Line, Moment, Sha256, take

PROTOCOL = "gmsafety/1"
MessageKind = Literal[
    "submission", "receipt", "report", "decision", "withdraw", "outdated", "notice", "definitions", "digest", "ask",
    "copies", "keys", "ping", "handover",
]  # fmt: skip
ABOUT_A_FORM = frozenset(("submission", "receipt", "report", "decision", "withdraw", "outdated"))


class Subject(Value):
    """The form a message is about; `supersedes` is the payload hash of the revision before this one."""

    campaign: Line
    item: Line
    version: Line | None = None
    spec_hash: Sha256 | None = None
    period: dt.date
    unit: Line
    revision: Annotated[Count, Field(ge=1)]
    action: Literal["normal", "replace", "withdraw"] = "normal"
    supersedes: Sha256 | None = None

    @property
    def key(self) -> tuple[str, str, str, str, int]:
        """What makes two submissions the same one."""
        return self.campaign, self.item, self.period.isoformat(), self.unit, self.revision


class Attachment(Value):
    """A file that belongs to a message: the original, the annotated copy, a scan."""

    role: Line
    name: Line
    media_type: Line
    size: Count
    hash: Sha256


class Link(Value):
    """The place of a message in its channel: all that one node sends to another, counted from 1, each naming the last.

    A channel begins anew, with another `epoch`, when a node was restored from a backup and cannot know what it sent.
    """

    epoch: Line
    sequence: Annotated[Count, Field(ge=1)]
    previous: Sha256 | None

    @model_validator(mode="after")
    def _the_first_follows_nothing(self) -> Self:
        if (self.sequence == 1) != (self.previous is None):
            raise ValueError("previous是且只是第一条消息没有的")
        return self


class Envelope(Value):
    """What is signed. `answers` is the id of the message that this one answers, `applied` the definitions in force."""

    protocol: Literal["gmsafety/1"] = "gmsafety/1"
    id: Line
    kind: MessageKind
    sender: Line
    receiver: Line
    link: Link
    sealed_at: Moment
    test: bool = False
    subject: Subject | None = None
    answers: Line | None = None
    applied: Sha256 | None = None
    payload_hash: Sha256
    attachments: tuple[Attachment, ...] = ()

    @model_validator(mode="after")
    def _says_what_its_kind_says(self) -> Self:
        if (self.kind in ABOUT_A_FORM) != (self.subject is not None):
            raise ValueError("subject是且只是有关报送的消息的一部分")
        return self

    def body(self) -> bytes:
        """The bytes that are hashed and signed."""
        return canonical_typed(self.model_dump())


class Message(Value):
    """An envelope with its payload and the signatures over the envelope; made by `seal` or `opened`."""

    envelope: Envelope
    payload: Any
    signatures: Annotated[tuple[Signature, ...], Field(min_length=1, max_length=4)]

    @property
    def hash(self) -> str:
        """That of the envelope, which names payload and files by theirs; the signatures are not part of it."""
        return digest(self.envelope.body())

    @property
    def payload_fits(self) -> bool:
        """Tell whether the payload is the one that the envelope names."""
        return digest(canonical(self.payload)) == self.envelope.payload_hash

    def verify(self, keys: Iterable[PublicKey]) -> Verdict:
        """Check the signatures with keys of the sender: one by a known key is needed, and none may be wrong."""
        return verdict_on_all(self.envelope, self.signatures, keys)

    def to_bytes(self) -> bytes:
        """The message as it travels: canonical JSON."""
        return canonical(self.model_dump())


@dataclass(frozen=True, slots=True)
class Letter:
    """A message that came in, with what is hashed and signed of it: written once, and looked at as often as asked."""

    content: bytes
    message: Message
    body: bytes
    hash: str
    payload_fits: bool
    _verdicts: dict[tuple[PublicKey, ...], Verdict] = field(default_factory=dict, compare=False, repr=False)

    def verify(self, keys: Iterable[PublicKey]) -> Verdict:
        """As that of the message; the same keys are asked once."""
        asked = tuple(keys)
        if asked not in self._verdicts:
            self._verdicts[asked] = verdict_over(self.body, self.message.signatures, asked)
        return self._verdicts[asked]


def seal(envelope: Envelope, payload: Any, *keys: SigningKey) -> Message:
    """Sign an envelope for its payload; ValueError where it names another one."""
    return seal_letter(envelope, payload, *keys).message


def seal_letter(envelope: Envelope, payload: Any, *keys: SigningKey) -> Letter:
    """As `seal`, with the message as it travels."""
    body = envelope.body()
    signatures = tuple(Signature(algorithm=k.algorithm, key_id=k.key_id, value=k.sign(body)) for k in keys)
    message = Message(envelope=envelope, payload=payload, signatures=signatures)
    written = canonical(payload)
    if digest(written) != envelope.payload_hash:
        raise ValueError("信封所写的内容校验值不是这份内容的")
    return Letter(_put_together(body, written, _signed(message)), message, body, digest(body), payload_fits=True)


def read_letter(content: bytes) -> Letter:
    """Read a message; Malformed and NotCanonical (ValueErrors) say what is not as it should be. Does not verify."""
    return _as_we_write(content) or _letter(content, take(Message, content, noun="消息"))


def _as_we_write(content: bytes) -> Letter | None:
    """Read what is written as we write it; all else is to be compared value by value."""
    if not is_simple(content):
        return None
    try:
        message = Message.model_validate_json(content, strict=True)
    except ValueError:
        return None
    payload = canonical_simple(message.payload)
    if payload is None:
        return None
    letter = _letter(content, message, payload)
    return letter if _put_together(letter.body, payload, _signed(message)) == content else None


def _letter(content: bytes, message: Message, payload: bytes | None = None) -> Letter:
    body, written = message.envelope.body(), canonical(message.payload) if payload is None else payload
    return Letter(content, message, body, digest(body), digest(written) == message.envelope.payload_hash)


def _signed(message: Message) -> bytes:
    return canonical_typed([s.model_dump() for s in message.signatures])


def _put_together(body: bytes, payload: bytes, signatures: bytes) -> bytes:
    """A message in canonical JSON, of parts that are."""
    return b'{"envelope":%b,"payload":%b,"signatures":%b}' % (body, payload, signatures)


def opened(content: bytes) -> Message:
    """Read a message as `read_letter` does, and forget how it was written."""
    return read_letter(content).message


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be said, before it has a place in a channel."""

    kind: MessageKind
    receiver: str
    payload: Any
    subject: Subject | None = None
    answers: str | None = None
    attachments: tuple[Attachment, ...] = ()
    test: bool = False
    applied: str | None = None
