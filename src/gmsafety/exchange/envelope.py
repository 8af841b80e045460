"""Messages between nodes: an envelope that is signed, a payload it names by hash, files that travel beside it.

A message is sealed once; what is sent, sent again and carried on a stick are the same bytes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from ..provenance import Value
from .canonical import canonical, digest
from .receipts import Signature, Verdict
from .signatures import signature_over, verdict_on_all
from .signing import PublicKey, SigningKey
from .wire import Count, Line, Moment, Sha256, take

PROTOCOL = "gmsafety/1"
MessageKind = Literal[
    "submission", "receipt", "report", "decision", "withdraw", "notice", "definitions", "digest", "ask", "copies",
    "keys", "ping",
]  # fmt: skip
ABOUT_A_FORM = frozenset(("submission", "receipt", "report", "decision", "withdraw"))


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
        return canonical(self.model_dump())


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


def seal(envelope: Envelope, payload: Any, *keys: SigningKey) -> Message:
    """Sign an envelope for its payload; ValueError where it names another one."""
    signatures = tuple(signature_over(envelope, key) for key in keys)
    message = Message(envelope=envelope, payload=payload, signatures=signatures)
    if not message.payload_fits:
        raise ValueError("信封所写的内容校验值不是这份内容的")
    return message


def opened(content: bytes) -> Message:
    """Read a message; Malformed (a ValueError) lists everything that is not as it should be. Does not verify."""
    return take(Message, content, noun="消息")


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
