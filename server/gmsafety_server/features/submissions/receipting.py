"""Making receipts: three kinds, each names the one before it; they are kept at once and given out after the commit."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

from gmsafety.exchange.canonical import canonical, digest
from gmsafety.exchange.receipts import FindingCount, Party, Reason, Receipt, SignedReceipt, issue

from ...directory import Directory
from ...names import new_uid
from ...node import Node
from ...planning import NO_DEADLINE


class Receipts:
    """Receipts of one submission, made one after the other; `given` are their rows. `previous` is the last hash.

    Those it is `having` already, from before this node was restored, are not given again: they are the rows `before`.
    """

    def __init__(
        self, node: Node, directory: Directory, submission: Any, *, title: str, previous: str | None = None,
        receiver: str | None = None,
    ) -> None:  # fmt: skip
        self._node, self._directory, self.title, self._row = node, directory, title, submission
        self._receiver = receiver or submission.upper or submission.unit
        self._last, self._had = previous, tuple[SignedReceipt, ...]()
        self.before: list[dict[str, Any]] = []
        self.given: list[dict[str, Any]] = []

    def having(self, given: Iterable[SignedReceipt]) -> "Receipts":
        """Go on from those that were given already, to whichever addressee."""
        self._had = tuple(given)
        mine = [signed for signed in self._had if signed.receipt.receiver.unit == self._receiver]
        self.before = [receipt_values(self._row.id, signed) for signed in mine]
        self._last = self.before[-1]["hash"] if self.before else self._last
        return self

    def towards(self, receiver: str) -> "Receipts":
        """Those of another addressee, which are a chain of their own."""
        other = Receipts(self._node, self._directory, self._row, title=self.title, receiver=receiver)
        return other.having(self._had)

    def stored(self, now: datetime) -> None:
        """It is stored."""
        self._give("stored", now)

    def checked(self, now: datetime, findings: list[dict[str, Any]]) -> None:
        """It was checked, and so much was found."""
        counts = [sum(f["severity"] == s for f in findings) for s in ("error", "warning", "info")]
        same = [{k: v for k, v in f.items() if k != "place"} for f in findings]  # as the core's own count has it
        told = FindingCount(errors=counts[0], warnings=counts[1], remarks=counts[2], digest=digest(canonical(same)))
        self._give("checked", now, findings=told)

    def decided(self, now: datetime, decision: str, *, reasons: list[dict[str, str]], note: str | None) -> None:
        """It was accepted or returned, or an acceptance was withdrawn."""
        told = tuple(Reason(**r) for r in reasons)
        self._give("decided", now, decision=decision, reasons=told, note=note)

    def _party(self, unit: str) -> Party:
        return Party(unit=unit, name=self._directory.name(unit))

    def _give(self, kind: Literal["stored", "checked", "decided"], now: datetime, **part: Any) -> None:
        row = self._row
        if kind != "decided" and kind in {before["kind"] for before in self.before}:
            return
        told = Receipt(
            protocol="gmsafety/1", id=new_uid(now), kind=kind, test=row.test, node=self._node.settings.node,
            sender=self._party(row.unit), receiver=self._party(self._receiver), campaign=row.campaign,
            item=row.item, title=self.title, period=row.period, revision=row.revision, submission=row.uid,
            message_id=row.message_id, payload_hash=row.payload_hash, received_at=row.received_at,
            due_at=None if row.due_at >= NO_DEADLINE else row.due_at, issued_at=now, previous=self._last,
            nil=row.nil, **part,
        )  # fmt: skip
        issued = issue(told, self._node.key)
        values = {"submission_id": row.id, "uid": told.id, "kind": kind, "hash": issued.hash, "code": issued.code}
        by = {"node": told.node, "receiver": told.receiver.unit}
        self.given.append({**values, **by, "signed": issued.text, "issued_at": now})
        self._last = issued.hash


def receipt_values(submission: int, signed: SignedReceipt) -> dict[str, Any]:
    """The row of a receipt that was signed elsewhere, or before."""
    told = signed.receipt
    values = {"submission_id": submission, "uid": told.id, "kind": told.kind, "hash": signed.hash}
    text = canonical(signed.model_dump()).decode()
    by = {"node": told.node, "receiver": told.receiver.unit}
    return {**values, **by, "code": signed.code, "signed": text, "issued_at": told.issued_at}
