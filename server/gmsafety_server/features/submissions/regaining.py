"""What was filed or given here, lost with the database, and comes back: a submission, a receipt, a decision."""

from collections.abc import Iterable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Connection

from gmsafety.exchange.canonical import canonical
from gmsafety.exchange.envelope import Subject
from gmsafety.exchange.payloads import Decision, Part, Received, Report
from gmsafety.exchange.receipts import SignedReceipt

from ...errors import Problem
from ...node import Node
from ...scope import Viewer
from ...tables import AnyRow
from . import echoing, marks, repository, service
from .judging import Arrival, Looked, find_slot, lay_out, look
from .receipting import receipt_values
from .schemas import Parcel

_IN_FORCE = ("submitted", "accepted")


def look_at(
    node: Node, viewer: Viewer, parcel: Parcel, arrival: Arrival, made_of: tuple[Part, ...]
) -> Looked:  # fmt: skip
    """Read and check again what was filed here; holds no transaction."""
    with node.db.read() as tx:
        directory = node.directory(tx)
        slot = find_slot(tx, directory, viewer, parcel.envelope)
        desk = lay_out(tx, node, slot, drafts=False, directory=directory)
    looked = look(node, desk, parcel)
    if looked.refusal is not None:
        raise Problem(looked.refusal, looked.findings[0].message)
    looked = replace(looked, payload_hash=arrival.content_hash, message_hash=arrival.message_hash)
    return replace(looked, arrival=arrival, made_of=made_of)


def put_back(tx: Connection, node: Node, viewer: Viewer, looked: Looked) -> None:
    """Enter a submission as it was filed here, without telling anybody: its receipts come from where it was filed to.

    The draft that it was made of becomes it; another draft of the slot becomes a correction of it.
    """
    arrival, envelope = looked.arrival, looked.parcel.envelope
    slot, _ = repository.lock_period(tx, looked.slot.id, looked.slot)
    if slot is None or arrival is None:
        raise Problem("not-owed")
    present = repository.with_slot(tx, arrival.uid)
    if present is not None and present.state != "draft":
        return
    named, draft = repository.met(tx, slot, envelope.message_id)
    if named is not None and named.uid != arrival.uid:
        raise Problem("other-content", uid=named.uid)
    if any(r.revision == arrival.revision and r.state != "draft" for r in repository.revisions_of(tx, slot.id)):
        raise Problem("revision-exists", f"第{arrival.revision}版已经另有一份")
    now = node.clock.now()
    if draft is not None and draft.uid != arrival.uid:
        _make_way(tx, draft, arrival)
    values = service.row_values(node, viewer, looked, revision=arrival.revision)
    values |= {"uid": arrival.uid, "supersedes": envelope.supersedes, "changed_at": now, "state": "submitted"}
    values |= {"received_at": arrival.stored_at, "etag": 2}
    number = _enter(tx, {**values, "created_at": now}, service.keep_files(tx, looked), present)
    row = SimpleNamespace(**{**slot._mapping, **values, "id": number})
    _in_its_place(tx, row, slot)
    wrong = service.to_be_answered(row.findings)
    service.tell(tx, node, viewer, row, "submitted", text=row.reason, findings=wrong)


def _make_way(tx: Connection, draft: AnyRow, arrival: Arrival) -> None:
    values = {"revision": max(draft.revision, arrival.revision + 1), "supersedes": arrival.content_hash}
    if not repository.change(tx, draft.id, draft.etag, values):
        raise Problem("busy")


def _enter(tx: Connection, values: dict[str, Any], files: list[dict[str, Any]], present: AnyRow | None) -> int:
    if present is None:
        return repository.add(tx, values, files)
    kept = {k: v for k, v in values.items() if k not in ("uid", "created_at", "created_by", "etag")}
    if not repository.change(tx, present.id, present.etag, kept):
        raise Problem("busy")
    repository.replace_files(tx, present.id, files)
    return int(present.id)


def _in_its_place(tx: Connection, row: Any, slot: AnyRow) -> None:
    """Have the slot name the submission, and the one before it be superseded, as they were."""
    current = repository.by_id(tx, slot.submission_id)
    if current is not None and current.revision > row.revision:
        repository.change(tx, row.id, _etag(tx, row), {"state": "superseded"})
        return
    if current is not None and current.state in _IN_FORCE:
        repository.change(tx, current.id, current.etag, {"state": "superseded", "changed_at": row.changed_at})
    first = slot.received_at or row.received_at.replace(microsecond=0)
    mark = {"state": "submitted", "nil": row.nil, "revision": row.revision, "submission_id": row.id}
    repository.mark_slot(tx, slot.id, {**mark, "received_at": first})


def _etag(tx: Connection, row: Any) -> int:
    found = repository.by_id(tx, row.id)
    assert found is not None
    return int(found.etag)


def ask_again(tx: Connection, node: Node, viewer: Viewer, subject: Subject, reason: str) -> None:
    """It was asked to take a submission back: it is asked still, until the receipt of that is here."""
    row = repository.by_subject(tx, subject.model_dump(include={"campaign", "item", "period", "unit", "revision"}))
    if row is not None and row.state in ("submitted", "returned"):
        service.tell(tx, node, viewer, row, "withdrawing", text=reason or None)


def take_given(tx: Connection, node: Node, viewer: Viewer, told: Received | Report | Decision) -> None:
    """Take back a receipt that this node gave; where its submission is not here yet, it waits for that."""
    signed = told.receipt
    uid = signed.receipt.submission
    found = repository.with_slot(tx, uid)
    if found is None:
        findings = told.findings if isinstance(told, Report) else ()
        repository.keep_given(tx, uid, canonical(signed.model_dump()).decode(), findings)
        return
    repository.lock_slot(tx, found.slot_id)
    if repository.has_receipt(tx, signed.receipt.id):
        return
    told_of = signed.receipt
    last = repository.last_receipt(tx, found.id, node=told_of.node, receiver=told_of.receiver.unit)
    if told_of.previous != last:
        raise Problem("not-valid", f"回执 {told_of.id} 之前缺少一份回执")
    repository.add_receipts(tx, [receipt_values(found.id, signed)])
    if signed.receipt.kind == "decided":
        _decide(tx, node, viewer, uid, signed)


def store(tx: Connection, node: Node, viewer: Viewer, looked: Looked) -> None:
    """Store what another node has filed; with the receipts that it was given before this node was restored."""
    arrival = looked.arrival
    rows = repository.given_of(tx, arrival.uid) if arrival is not None else []
    if arrival is None or not rows:
        service.store(tx, node, viewer, looked)
        return
    given = _in_chains(SignedReceipt.from_json(row.signed) for row in rows)
    told = next((row.findings for row in rows if SignedReceipt.from_json(row.signed).receipt.kind == "checked"), None)
    findings = tuple({**f, "place": echoing.place_of(f)} for f in told) if told is not None else None
    begun = tuple(s for s in given if s.receipt.kind != "decided")
    at = begun[0].receipt.received_at if begun else arrival.stored_at
    again = replace(arrival, stored_at=at, given=begun, findings=findings)
    service.store(tx, node, viewer, replace(looked, arrival=again))
    decided = [s for s in given if s.receipt.kind == "decided"]
    row = repository.with_slot(tx, arrival.uid)
    assert row is not None
    repository.drop_given(tx, arrival.uid)
    for signed in decided:
        repository.add_receipts(tx, [receipt_values(row.id, signed)])
        _decide(tx, node, viewer, arrival.uid, signed)


def _in_chains(given: Iterable[SignedReceipt]) -> list[SignedReceipt]:
    """The receipts for each addressee from the first on, as far as each names the one before it."""
    chains: dict[str, list[SignedReceipt]] = {}
    for signed in given:
        found = chains.setdefault(signed.receipt.receiver.unit, [])
        begins = ("stored", "checked")[len(found)] if len(found) < len(("stored", "checked")) else "decided"
        if signed.receipt.previous == (found[-1].hash if found else None) and signed.receipt.kind == begins:
            found.append(signed)
    return [signed for found in chains.values() for signed in found]


def _decide(tx: Connection, node: Node, viewer: Viewer, uid: str, signed: SignedReceipt) -> None:
    """What was decided is decided, in the words of the receipt."""
    row, told = repository.with_slot(tx, uid), signed.receipt
    assert row is not None
    echoing.follow(tx, node, row, str(told.decision))
    marks.doubt_above(tx, row)
    reasons = [r.model_dump() for r in told.reasons]
    service.tell(tx, node, viewer, row, str(told.decision), text=told.note, reasons=reasons)
