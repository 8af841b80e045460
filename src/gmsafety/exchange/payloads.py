"""What a message says, by its kind: one shape each, read as strictly as the envelope around it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from ..provenance import Value
from .canonical import canonical, digest
from .envelope import Message, MessageKind
from .peers import PeerKey
from .receipts import SignedReceipt
from .reconciling import Ask, Copies, Statement
from .wire import Count, Line, Moment, Sha256, take

_AT_MOST = 100_000


class Part(Value):
    """A submission of a unit below that went into a roll-up."""

    unit: Line
    revision: Annotated[Count, Field(ge=1)]
    payload_hash: Sha256


class To(Value):
    """An addressee, and the node to which it is sent for it: one that does not serve it sends on."""

    unit: Line
    node: Line


class Submission(Value):
    """A form that is filed; `record` is None where it consists of its attachments alone.

    `submission` and `message_id` are its names where it was filed, and `content_hash` is that of what was filed there:
    receipts name all three, and the `supersedes` of a correction is a `content_hash`. `reason` says why it is filed
    although something was found. `made_of` names what a roll-up was added up from, so that the upper level can tell
    when one of them was corrected. `to` names all to whom it is filed.
    """

    title: Line
    submission: Line
    message_id: Line
    content_hash: Sha256
    filed_at: Moment
    record: dict[str, Any] | None = None
    nil: bool = False
    reason: str | None = None
    note: str | None = None
    made_of: Annotated[tuple[Part, ...], Field(max_length=_AT_MOST)] = ()
    to: Annotated[tuple[To, ...], Field(max_length=_AT_MOST)] = ()


class _OfReceipt(Value):
    about: ClassVar[str]
    receipt: SignedReceipt

    @model_validator(mode="after")
    def _is_of_its_kind(self) -> Self:
        if self.receipt.receipt.kind != self.about:
            raise ValueError(f"回执的kind应为{self.about}")
        return self


class Received(_OfReceipt):
    """The receipt that a submission came in; the payload of the kind `receipt`."""

    about = "stored"


class Report(_OfReceipt):
    """The receipt that a submission was checked, with every finding; its `findings.digest` is the hash of these."""

    about = "checked"
    findings: Annotated[tuple[dict[str, Any], ...], Field(max_length=_AT_MOST)] = ()

    @model_validator(mode="after")
    def _are_those_counted(self) -> Self:
        count = self.receipt.receipt.findings
        if count is not None and digest(canonical(self.findings)) != count.digest:
            raise ValueError("findings不是回执所计的那些")
        return self


class Decision(_OfReceipt):
    """The receipt that a submission was accepted, returned with reasons, or its acceptance withdrawn."""

    about = "decided"


class Withdrawal(Value):
    """A unit takes back what it filed; `payload_hash` is the `content_hash` of the submission."""

    payload_hash: Sha256
    withdrawn_at: Moment
    reason: str = ""


class Version(Value):
    """A revision of a submission, by number and by what was filed."""

    revision: Annotated[Count, Field(ge=1)]
    payload_hash: Sha256


class PartChange(Value):
    """A unit below whose counted revision is another one now; None where there was or is none.

    Both are the same where that revision is itself a roll-up that is out of date.
    """

    unit: Line
    before: Version | None = None
    after: Version | None = None


class ColumnChange(Value):
    """A cell of a row that would be another one."""

    label: str
    before: str = ""
    after: str = ""


class CellChange(Value):
    """A cell (of a ledger: a row) of a roll-up that would be another one, as printed, and whose part makes it so."""

    kind: Literal["changed", "added", "removed"]
    path: Line
    label: str
    before: str = ""
    after: str = ""
    columns: Annotated[tuple[ColumnChange, ...], Field(max_length=_AT_MOST)] = ()
    units: Annotated[tuple[Line, ...], Field(max_length=_AT_MOST)] = ()


class Outdated(Value):
    """What was filed as a roll-up is no longer what its parts add up to; without `parts` it is again.

    It tells the whole of the present state: the last word counts, and none before it.
    """

    submission: Line
    content_hash: Sha256
    told_at: Moment
    parts: Annotated[tuple[PartChange, ...], Field(max_length=_AT_MOST)] = ()
    cells: Annotated[tuple[CellChange, ...], Field(max_length=_AT_MOST)] = ()


class Notice(Value):
    """A notice (通知) that is handed down; the paper itself is an attachment."""

    number: str | None = None
    title: Line
    issuer: Line
    issued: dt.date
    text: str = ""
    campaign: Line | None = None


class Definitions(Value):
    """All that a region declares, as one snapshot; `content` has the keys of the region's YAML.

    Numbers of one region only grow: a node in want takes the newest, and needs none of those between. `previous` is
    the hash of the content before it, for whoever keeps the history.
    """

    region: Line
    number: Annotated[Count, Field(ge=1)]
    issued_at: Moment
    content: dict[str, Any]
    previous: Sha256 | None = None

    @property
    def hash(self) -> str:
        """What later envelopes name as `applied`."""
        return digest(canonical(self.content))


class Keys(Value):
    """Keys of the sender. What is told of one that is known replaces it, but its public key never changes.

    Nor is a revocation ever taken back; a key that is not named stays as it is.
    """

    keys: Annotated[tuple[PeerKey, ...], Field(min_length=1, max_length=32)]

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len({k.key_id for k in self.keys}) != len(self.keys):
            raise ValueError("同一密钥编号写了两次")
        for each in self.keys:
            _ = each.key  # a key that is none is Malformed
        return self


class Handover(Value):
    """A unit, with all below it, goes over to the receiver; the attachment `history` holds all that was filed so far.

    With `more` it went over before, and this has come in for it since.
    """

    unit: Line
    handed_at: Moment
    history: Sha256
    submissions: Count
    more: bool = False


class Ping(Value):
    """How a node is: `state` as the interface tells it, how many messages wait to be taken up."""

    state: Literal["ready", "busy", "offline"]
    at: Moment
    program: Line
    waiting: Count = 0


Payload = (
    Submission
    | Received
    | Report
    | Decision
    | Withdrawal
    | Outdated
    | Notice
    | Definitions
    | Statement
    | Ask
    | Copies
    | Keys
    | Ping
    | Handover
)

PAYLOADS: Mapping[MessageKind, type[Payload]] = MappingProxyType(
    {
        "submission": Submission,
        "receipt": Received,
        "report": Report,
        "decision": Decision,
        "withdraw": Withdrawal,
        "outdated": Outdated,
        "notice": Notice,
        "definitions": Definitions,
        "digest": Statement,
        "ask": Ask,
        "copies": Copies,
        "keys": Keys,
        "ping": Ping,
        "handover": Handover,
    }
)
"""The shape of the payload of each kind."""


def read_payload(message: Message) -> Payload:
    """Read what a message says; Malformed (a ValueError) lists everything that does not fit its kind."""
    kind = message.envelope.kind
    return take(PAYLOADS[kind], message.payload, noun="消息内容")
