"""Making receipts: three kinds, each names the one before it; they are given out after the commit."""

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection

from gmsafety.exchange.canonical import canonical, digest
from gmsafety.exchange.receipts import FindingCount, Party, Reason, Receipt, SignedReceipt, sign_receipt

from ...directory import Directory
from ...names import new_uid
from ...node import Node
from . import repository


class Receipts:
    """The receipts of one submission, made one after the other."""

    def __init__(self, tx: Connection, node: Node, directory: Directory, submission: Any, *, title: str) -> None:
        self._tx, self._node, self._directory, self._title = tx, node, directory, title
        self._row = submission
        self._last = repository.last_receipt(tx, submission.id)

    def stored(self, now: datetime) -> SignedReceipt:
        """It is stored."""
        return self._give("stored", now)

    def checked(self, now: datetime, findings: list[dict[str, Any]]) -> SignedReceipt:
        """It was checked, and so much was found."""
        counts = [sum(f["severity"] == s for f in findings) for s in ("error", "warning", "info")]
        told = FindingCount(errors=counts[0], warnings=counts[1], remarks=counts[2], digest=digest(canonical(findings)))
        return self._give("checked", now, findings=told)

    def decided(
        self, now: datetime, decision: str, *, reasons: list[dict[str, str]], note: str | None
    ) -> SignedReceipt:
        """It was accepted or returned, or an acceptance was withdrawn."""
        told = tuple(Reason(**r) for r in reasons)
        return self._give("decided", now, decision=decision, reasons=told, note=note)

    def _party(self, unit: str) -> Party:
        return Party(unit=unit, name=self._directory.name(unit))

    def _give(self, kind: Literal["stored", "checked", "decided"], now: datetime, **part: Any) -> SignedReceipt:
        row = self._row
        told = Receipt(
            protocol="gmsafety/1", id=new_uid(now), kind=kind, test=row.test, node=self._node.settings.node,
            sender=self._party(row.unit), receiver=self._party(row.upper or row.unit), campaign=row.campaign,
            item=row.item, title=self._title, period=row.period, revision=row.revision, submission=row.uid,
            message_id=row.message_id, payload_hash=row.payload_hash, received_at=row.received_at,
            due_at=row.due_at, issued_at=now, previous=self._last, nil=row.nil, **part,
        )  # fmt: skip
        signed = sign_receipt(told, self._node.key)
        text = canonical(signed.to_json()).decode()
        values = {"submission_id": row.id, "uid": told.id, "kind": kind, "hash": signed.hash, "code": signed.code}
        repository.add_receipt(self._tx, {**values, "signed": text, "issued_at": now})
        self._last = signed.hash
        return signed
