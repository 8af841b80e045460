"""What nodes exchange messages about, as small as it can be: forms filed, receipts given, decisions taken.

The desk is a function of the messages of its node, its own and those of others, in the order of the journal.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from typing import Any

from gmsafety.exchange.envelope import Message, Subject
from gmsafety.exchange.receipts import Party, Receipt, SignedReceipt, sign_receipt
from gmsafety.exchange.signing import SigningKey

Desk = dict[tuple[str, str, str], "Dossier"]
Chain = tuple[SignedReceipt, ...]


@dataclass(frozen=True)
class Dossier:
    """One form of one unit for one period: its revisions in the order they came, and the receipts of each."""

    revisions: tuple[tuple[int, str], ...] = ()
    receipts: dict[int, Chain] = field(default_factory=dict)
    sources: tuple[tuple[str, str], ...] = ()

    @property
    def newest(self) -> int:
        """The greatest revision of which anything is known, if only its receipt: two restores can lose a form."""
        return max((*(n for n, _ in self.revisions), *self.receipts), default=0)

    def hash_of(self, revision: int) -> str | None:
        return dict(self.revisions).get(revision)

    @property
    def state(self) -> str:
        """What the newest receipt of the newest revision says; "gone" where the revision itself is nowhere."""
        if self.hash_of(self.newest) is None:
            return "gone"
        chain = self.receipts.get(self.newest, ())
        return "submitted" if not chain else chain[-1].receipt.decision or "submitted"


def key_of(subject: Subject) -> tuple[str, str, str]:
    return subject.unit, subject.item, subject.period.isoformat()


def record(desk: Desk, message: Message) -> None:
    """Note what a message says: a revision, or receipts for one."""
    subject = message.envelope.subject
    if subject is None:
        return
    key, before = key_of(subject), desk.get(key_of(subject), Dossier())
    if message.envelope.kind == "submission":
        assert before.hash_of(subject.revision) is None, f"{key} 第{subject.revision}版 is taken up twice"
        known = max((n for n, _ in before.revisions), default=0)
        assert subject.revision > known, f"{key} 第{subject.revision}版 after 第{known}版"
        if subject.revision == known + 1:
            assert before.hash_of(known) == subject.supersedes
        revisions = (*before.revisions, (subject.revision, message.envelope.payload_hash))
        desk[key] = replace(before, revisions=revisions, sources=_sources(message.payload))
        return
    told = tuple(SignedReceipt.from_json(r) for r in message.payload["receipts"])
    chain = _joined(before.receipts.get(subject.revision, ()), told)
    desk[key] = replace(before, receipts={**before.receipts, subject.revision: chain})


def _sources(payload: Any) -> tuple[tuple[str, str], ...]:
    return tuple((unit, hashed) for unit, hashed in payload.get("of", ()))


def _joined(one: Chain, other: Chain) -> Chain:
    """The longer of two chains; the shorter is its beginning, or two receipts say different things."""
    short, long = sorted((one, other), key=len)
    assert [r.hash for r in short] == [r.hash for r in long[: len(short)]], "receipts contradict each other"
    return long


def next_receipt(subject: Subject, dossier: Dossier, said: str, by: tuple[str, SigningKey], now: dt.datetime) -> Chain:
    """The receipts of a revision with one more: `stored`, or a decision."""
    node, key = by
    chain = dossier.receipts.get(subject.revision, ())
    receipt = Receipt(
        id=f"{node}-{subject.unit}-{subject.item}-{subject.period}-{subject.revision}-{len(chain)}",
        kind="stored" if said == "stored" else "decided",
        decision=None if said == "stored" else said,
        node=node, sender=Party(unit=subject.unit, name=subject.unit), receiver=Party(unit=node, name=node),
        campaign=subject.campaign, item=subject.item, title=subject.item, period=subject.period,
        revision=subject.revision, submission="-".join(key_of(subject)), message_id="-",
        payload_hash=dossier.hash_of(subject.revision), received_at=now, due_at=now, issued_at=now,
        previous=chain[-1].hash if chain else None,
    )  # fmt: skip
    return (*chain, sign_receipt(receipt, key))
