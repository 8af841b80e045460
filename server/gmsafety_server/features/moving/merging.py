"""Entering the history of a unit that comes over; what is here already is brought up to date, and entered once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from gmsafety.exchange.errors import Malformed
from gmsafety.exchange.receipts import SignedReceipt

from ... import audit
from ...carried import content_hash
from ...errors import Problem
from ...node import Node
from ...tables import AnyRow
from ..rollups import repository as made
from ..submissions import repository as papers
from ..submissions.receipting import receipt_values
from . import repository
from .history import Filed, Happening, History, Rolled, Slot

_OWN = ("campaign", "item", "period", "unit")
_KEPT = (
    "uid", "message_id", "message_hash", *_OWN, "revision", "state", "nil", "body", "origin", "findings", "reason",
    "note", "payload_hash", "supersedes", "made_of", "etag", "test", "created_at", "received_at", "changed_at",
)  # fmt: skip
_SLOT = ("campaign", "duty", "item", "kind", "period", "opens", "due_at", "unit", "area", "upper", "path")


@dataclass(frozen=True, slots=True)
class Coming:
    """How a history comes: from which node, entered by which account.

    What `judged` has filed was filed to a unit of this node: of that this node's own word stands. With `more` it is
    what came in for the unit since it came over.
    """

    sender: str
    account: int
    judged: str | None
    more: bool


class Merge:
    """One history on its way into the database."""

    def __init__(self, tx: Connection, node: Node, history: History, coming: Coming) -> None:
        self._tx, self._node, self._history, self._coming = tx, node, history, coming
        self._now = node.clock.now()
        self._slots: dict[tuple[Any, ...], AnyRow] = {}

    def run(self) -> None:
        """Enter everything."""
        for told in self._history.slots:
            self._slots[_key(told)] = self._slot(told)
        self._free(self._history)
        known = repository.known(self._tx, [s.uid for s in self._history.submissions])
        for filed in self._history.submissions:
            self._enter(filed, known.get(filed.uid))
        for told in self._history.slots:
            if told.unit != self._coming.judged:
                self._mark(told)
        for refused in self._history.refusals:
            repository.add_refusal(self._tx, {**refused.model_dump(), "by_user": self._coming.account})
        for rolled in self._history.rollups:
            self._roll(rolled)

    def _slot(self, told: Slot) -> AnyRow:
        key = {n: getattr(told, n) for n in _OWN}
        if repository.slot_of(self._tx, key) is None:
            values = {n: getattr(told, n) for n in _SLOT}
            fresh = {"state": "open", "nil": False, "revision": 0, "submission_id": None, "received_at": None}
            repository.add_slot(self._tx, {**values, **fresh}, [a.model_dump() for a in told.addressees])
        found = repository.slot_of(self._tx, key)
        assert found is not None
        papers.lock_slot(self._tx, found.id)
        return found

    def _free(self, history: History) -> None:
        """Drop the drafts that stayed here when the unit went: they were gone on with, or thrown away, where it was."""
        if self._coming.more:
            return
        numbers = [row.id for row in self._slots.values()]
        for row in repository.drafts_in(self._tx, repository.in_slots(numbers)):
            papers.remove(self._tx, row.id, row.etag)
            self._log(row, "discarded")

    def _enter(self, filed: Filed, present: AnyRow | None) -> None:
        if present is not None and present.state == "draft":
            present = None  # it was dropped a moment ago
        is_ours = filed.unit == self._coming.judged and filed.state != "draft"
        if present is None and not is_ours:
            self._add(filed)
        elif present is not None and not is_ours:
            self._bring_up(filed, present)

    def _add(self, filed: Filed) -> None:
        slot = self._slots.get(_key(filed))
        if slot is None:
            raise Problem("not-valid", f"交接的历史缺少任务：{filed.item} {filed.period}")
        values = {n: getattr(filed, n) for n in _KEPT}
        values |= {"slot_id": slot.id, "sender": filed.unit, "created_by": self._coming.account}
        number = papers.add(self._tx, values, [f.model_dump() for f in filed.files])
        self._receipts(filed, number)
        for line in filed.happened:
            self._happened(filed, number, slot.path, line)
        if filed.state != "draft":
            note = Happening(kind="handed-over", at=self._now, unit=filed.unit, who="", text=None, data=None)
            self._happened(filed, number, slot.path, note)
        if filed.outdated is not None:
            made.set_outdated(self._tx, number, filed.outdated.model_dump(mode="python"))

    def _bring_up(self, filed: Filed, present: AnyRow) -> None:
        """Add what has happened since to one that is here; its content is the same for ever."""
        slot = self._slots[_key(filed)]
        known = {(e.kind, e.at, e.text) for e in papers.events_of(self._tx, present.id)}
        self._receipts(filed, present.id)
        for line in filed.happened:
            if (line.kind, line.at, line.text) not in known:
                self._happened(filed, present.id, slot.path, line)
        if self._coming.more and present.state == "superseded":
            return
        values = {n: getattr(filed, n) for n in ("state", "findings", "received_at", "changed_at", "supersedes")}
        if not papers.change(self._tx, present.id, present.etag, values):
            raise Problem("busy")
        told = filed.outdated.model_dump(mode="python") if filed.outdated is not None else None
        made.set_outdated(self._tx, present.id, told)

    def _receipts(self, filed: Filed, number: int) -> None:
        there = {SignedReceipt.from_json(text).hash for text in papers.receipts_of(self._tx, number)}
        try:
            signed = [SignedReceipt.from_json(text) for text in filed.receipts]
        except Malformed as error:
            raise Problem("not-valid", f"交接的回执不能读取：{error}") from error
        fresh = [receipt_values(number, each) for each in signed if each.hash not in there]
        if fresh:
            papers.add_receipts(self._tx, fresh)

    def _happened(self, filed: Filed, number: int, path: str, line: Happening) -> None:
        data = {**(line.data or {}), "who": line.who} if line.who else line.data
        told = {"submission_id": number, "kind": line.kind, "at": line.at, "by_user": None, "unit": line.unit}
        papers.add_event(self._tx, {**told, "text": line.text, "data": data})
        said = {"item": filed.item, "period": filed.period, "revision": filed.revision, "hash": filed.payload_hash}
        if line.kind == "submitted":
            said["content"] = content_hash(filed.body)
        actor = f"@{self._coming.sender}"
        audit.record(self._tx, self._now, actor, f"submission.{line.kind}", filed.uid, path=path, **said)

    def _log(self, row: AnyRow, kind: str) -> None:
        said = {"item": row.item, "period": row.period, "hash": row.payload_hash}
        actor = f"@{self._coming.sender}"
        audit.record(self._tx, self._now, actor, f"submission.{kind}", row.uid, path=row.path, **said)

    def _mark(self, told: Slot) -> None:
        """Have a slot stand as it stood where it comes from; of what came in since only where nothing else did."""
        slot, names = self._slots[_key(told)], [told.submission] if told.submission else []
        current = repository.known(self._tx, names).get(told.submission or "")
        if self._coming.more and (current is None or slot.submission_id != current.id):
            return
        values = {n: getattr(told, n) for n in ("state", "nil", "revision", "received_at")}
        number = current.id if current is not None else None
        papers.mark_slot(self._tx, slot.id, {**values, "submission_id": number})

    def _roll(self, rolled: Rolled) -> None:
        names = {*rolled.sources, *(n for f in rolled.filings for n in f.sources)}
        names |= {n for n in (rolled.submission, *(f.submission for f in rolled.filings)) if n}
        known = {uid: row.id for uid, row in repository.known(self._tx, names).items()}
        values = rolled.model_dump(exclude={"sources", "filings", "submission"})
        values |= {"submission_id": known.get(rolled.submission or ""), "created_by": self._coming.account}
        number = repository.put_rollup(self._tx, values)
        filings = [
            {"submission_id": known[f.submission], "basis": f.basis, "own": f.own, "adjustments": f.adjustments,
             "sources": sorted(known[n] for n in f.sources if n in known)}
            for f in rolled.filings if f.submission in known
        ]  # fmt: skip
        repository.add_made_of(self._tx, number, [known[n] for n in rolled.sources if n in known], filings)


def _key(told: Any) -> tuple[Any, ...]:
    return tuple(getattr(told, n) for n in _OWN)


def counts(history: History) -> Mapping[str, int]:
    """How much a history holds."""
    drafts = sum(s.state == "draft" for s in history.submissions)
    return {
        "submissions": len(history.submissions) - drafts, "drafts": drafts, "files": len(history.files),
        "refusals": len(history.refusals), "rollups": len(history.rollups),
    }  # fmt: skip
