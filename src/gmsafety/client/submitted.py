"""What a server tells of submissions: content, findings, files, signed receipts, history."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, PlainSerializer

from ..exchange.receipts import SignedReceipt
from ..exchange.signing import PublicKey
from .receipts import faults_in
from .values import Answer, Finding

State = Literal["draft", "submitted", "accepted", "returned", "superseded", "withdrawn"]


class Submission(Answer):
    """A submission as a list shows it; `etag` is the version a decision rests on, `current` the last of its period."""

    uid: str
    campaign: str
    item: str
    title: str
    period: date
    unit: str
    unit_name: str
    upper: str | None
    upper_name: str
    revision: int
    state: State
    current: bool
    nil: bool
    due_at: datetime | None
    received_at: datetime | None
    late_minutes: int
    message_id: str
    payload_hash: str
    supersedes: str | None
    reason: str | None
    note: str | None
    errors: int
    warnings: int
    etag: int
    test: bool
    changed_at: datetime
    outdated: bool = False


class MadeOf(Answer):
    """A submission below that a roll-up was added up from."""

    unit: str
    revision: int
    payload_hash: str


class FiledFile(Answer):
    """A file that came with a submission; `hash` is the SHA-256 of its bytes."""

    artefact: str
    name: str
    media_type: str
    size: int
    hash: str


Signed = Annotated[
    SignedReceipt, BeforeValidator(SignedReceipt.from_json), PlainSerializer(lambda receipt: receipt.to_json())
]


class SubmissionDetail(Submission):
    """A submission with its content, findings, files and signed receipts."""

    body: dict[str, Any] | None
    findings: tuple[Finding, ...]
    files: tuple[FiledFile, ...]
    receipts: tuple[Signed, ...]
    made_of: tuple[MadeOf, ...] = ()

    def faults(self, keys: Iterable[PublicKey]) -> tuple[str, ...]:
        """What does not hold in the receipts, checked here with the node's public keys; empty where all hold."""
        told = [faults_in(self.receipts, keys)] if self.receipts else []
        others = [r for r in self.receipts if r.receipt.payload_hash != self.payload_hash]
        return tuple(f for faults in told for f in faults) + tuple(f"回执{r.code}是另一份内容的" for r in others)


class Event(Answer):
    """One thing that happened to a submission."""

    kind: str
    at: datetime
    who: str
    unit: str
    unit_name: str
    text: str | None
    data: dict[str, Any] | None


class Reason(Answer):
    """Why a form is returned: the cell (or column, or nothing for the whole), and what is wrong there."""

    where: str
    text: str


class Change(Answer):
    """One value that differs between two revisions, in the words of the paper."""

    path: str
    where: str
    label: str
    before: str
    after: str
    kind: Literal["changed", "added", "removed", "moved", "renumbered"]


class Difference(Answer):
    """What one revision says otherwise than another."""

    uid: str
    against: str
    count: int
    counts: dict[str, int]
    words: str
    changes: tuple[Change, ...]


class Refusal(Answer):
    """A file that could not be filed: kept for evidence, with what was found in it."""

    uid: str
    unit: str
    unit_name: str
    campaign: str
    item: str
    title: str
    period: date
    problem: str
    name: str
    size: int
    hash: str
    findings: tuple[Finding, ...]
    at: datetime
