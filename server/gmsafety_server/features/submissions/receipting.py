"""Making receipts: three kinds, each names the one before it; they are kept at once and given out after the commit."""

from datetime import datetime
from typing import Any, Literal

from gmsafety.exchange.canonical import canonical, digest
from gmsafety.exchange.receipts import FindingCount, Party, Reason, Receipt, issue

from ...directory import Directory
from ...names import new_uid
from ...node import Node


class Receipts:
    """Receipts of one submission, made one after the other; `given` are their rows. `previous` is the last hash."""

    def __init__(
        self, node: Node, directory: Directory, submission: Any, *, title: str, previous: str | None = None
    ) -> None:
        self._node, self._directory, self.title, self._row = node, directory, title, submission
        self._last = previous
        self.given: list[dict[str, Any]] = []

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
        told = Receipt(
            protocol="gmsafety/1", id=new_uid(now), kind=kind, test=row.test, node=self._node.settings.node,
            sender=self._party(row.unit), receiver=self._party(row.upper or row.unit), campaign=row.campaign,
            item=row.item, title=self.title, period=row.period, revision=row.revision, submission=row.uid,
            message_id=row.message_id, payload_hash=row.payload_hash, received_at=row.received_at,
            due_at=row.due_at, issued_at=now, previous=self._last, nil=row.nil, **part,
        )  # fmt: skip
        issued = issue(told, self._node.key)
        values = {"submission_id": row.id, "uid": told.id, "kind": kind, "hash": issued.hash, "code": issued.code}
        self.given.append({**values, "signed": issued.text, "issued_at": now})
        self._last = issued.hash
