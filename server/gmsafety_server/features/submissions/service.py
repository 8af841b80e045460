"""The life of a submission. Every function works inside a transaction that the endpoint opened, and commits nothing."""

from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Connection

from ... import audit
from ...errors import Problem
from ...names import new_uid
from ...node import Node
from ...planning import find_item
from ...scope import Viewer, require
from ...tables import AnyRow
from . import repository
from .judging import Looked, as_json, judge, lay_out
from .receipting import Receipts


def store(tx: Connection, node: Node, viewer: Viewer, looked: Looked) -> tuple[str, bool]:
    """Store a parcel as a draft or a filed submission; returns its uid, and False where it was stored before."""
    envelope = looked.parcel.envelope
    before = repository.by_message(tx, looked.slot.unit, envelope.message_id)
    if before is not None:
        _same_message(before, looked)
        return before.uid, False
    slot = repository.lock_slot(tx, looked.slot.id)
    now = node.clock.now()
    _reception_open(node, slot)
    current = repository.by_id(tx, slot.submission_id)
    _may_follow(current, looked)
    if (draft := repository.draft_of(tx, slot.id)) is not None:
        raise Problem("draft-exists", uid=draft.uid, revision=draft.revision)
    values = _row(node, viewer, looked, revision=slot.revision + 1)
    values |= {"created_at": now, "changed_at": now, "uid": new_uid(now), "supersedes": envelope.supersedes}
    number = repository.add(tx, values, _keep_files(tx, looked))
    row = SimpleNamespace(**values, id=number, path=slot.path, upper=slot.upper, due_at=slot.due_at)
    _tell(tx, node, viewer, row, "drafted")
    if envelope.action == "submit":
        _hand_in(tx, node, viewer, SimpleNamespace(row=row, slot=slot, item=looked.item, seen=0))
    return values["uid"], True


def _same_message(before: AnyRow, looked: Looked) -> None:
    if before.message_hash != looked.message_hash:
        said = {"stored_hash": before.message_hash, "received_hash": looked.message_hash, "uid": before.uid}
        raise Problem("other-content", **said)


def _reception_open(node: Node, slot: AnyRow) -> None:
    if node.clock.today() < slot.opens:
        raise Problem("too-early", f"{slot.opens}起接收{slot.period}期")
    if node.clock.now() > slot.due_at + timedelta(days=node.settings.late_days):
        raise Problem("closed", f"{slot.period}期已于截止{node.settings.late_days}天后停止接收")


def _may_follow(current: AnyRow | None, looked: Looked) -> None:
    """A correction names what it corrects; what was accepted is not corrected."""
    if current is None:
        return
    told = {name: getattr(current, name) for name in ("uid", "revision", "state", "payload_hash")}
    if current.state == "accepted":
        raise Problem("accepted", current=told)
    if looked.parcel.envelope.supersedes is None:
        raise Problem("revision-exists", current=told)
    if looked.parcel.envelope.supersedes != current.payload_hash:
        raise Problem("stale", current=told)


def _row(node: Node, viewer: Viewer, looked: Looked, *, revision: int) -> dict[str, Any]:
    envelope, slot = looked.parcel.envelope, looked.slot
    body, origin = looked.carried
    return {
        "slot_id": slot.id, "sender": slot.unit, "message_id": envelope.message_id,
        "message_hash": looked.message_hash, "campaign": slot.campaign, "item": slot.item, "period": slot.period,
        "unit": slot.unit, "revision": revision, "state": "draft",
        "nil": bool(looked.record and looked.record.nil), "body": body, "origin": origin,
        "findings": [as_json(f) for f in looked.findings], "reason": envelope.reason, "note": envelope.note,
        "payload_hash": looked.payload_hash, "etag": 1, "test": node.test, "created_by": viewer.user_id,
        "received_at": None,
    }  # fmt: skip


def _keep_files(tx: Connection, looked: Looked) -> list[dict[str, Any]]:
    from gmsafety.exchange.canonical import digest  # noqa: PLC0415 - only where files come

    kept = []
    for enclosure in looked.parcel.enclosures:
        name = digest(enclosure.content)
        repository.keep_blob(tx, name, enclosure.content)
        told = {"artefact": enclosure.artefact, "name": enclosure.name, "media_type": enclosure.media_type}
        kept.append({**told, "size": len(enclosure.content), "hash": name})
    return kept


def _hand_in(tx: Connection, node: Node, viewer: Viewer, work: Any) -> None:
    """Turn a draft into a submission: stored and checked receipts, the slot, the one it corrects."""
    row, slot, now = work.row, work.slot, node.clock.now()
    wrong = [f for f in row.findings if f["severity"] != "info"]
    if wrong and not row.reason:
        raise Problem("reason-needed", f"有{len(wrong)}处需要处理", findings=row.findings)
    current = repository.by_id(tx, slot.submission_id)
    if current is not None and current.state == "submitted":
        repository.change(tx, current.id, current.etag, {"state": "superseded", "changed_at": now})
    values = {
        "state": "submitted",
        "received_at": now,
        "changed_at": now,
        "reason": row.reason,
        "findings": row.findings,
    }
    if not repository.change(tx, row.id, row.etag, values):
        raise Problem("stale")
    row.received_at = now
    receipts = Receipts(tx, node, node.directory(tx), row, title=work.item.title)
    receipts.stored(now)
    receipts.checked(now, row.findings)
    first = slot.received_at or now
    mark = {
        "state": "submitted",
        "nil": row.nil,
        "revision": row.revision,
        "submission_id": row.id,
        "received_at": first,
    }
    repository.mark_slot(tx, slot.id, mark)
    _tell(tx, node, viewer, row, "submitted", text=row.reason, findings=len(wrong))


def _tell(
    tx: Connection, node: Node, viewer: Viewer, row: Any, kind: str, *, text: str | None = None, **data: Any
) -> None:
    """Write the history and the audit log."""
    now = node.clock.now()
    line = {"submission_id": row.id, "kind": kind, "at": now, "by_user": viewer.user_id, "unit": viewer.unit}
    repository.add_event(tx, {**line, "text": text, "data": data or None})
    told = {"item": row.item, "period": row.period, "revision": row.revision, "hash": row.payload_hash, **data}
    audit.record(tx, now, viewer.actor, f"submission.{kind}", row.uid, path=row.path, **told)


def find(tx: Connection, viewer: Viewer, action: str, uid: str, *, lock: bool = False) -> AnyRow:
    """A submission in sight; a draft is in sight of its own unit only."""
    row = repository.with_slot(tx, uid, lock=lock)
    if row is None or (row.state == "draft" and row.unit != viewer.unit):
        raise Problem("not-found")
    require(viewer, action, row.path)
    return row


def _unchanged(row: AnyRow, seen: int) -> None:
    if row.etag != seen:
        raise Problem("stale", current={"uid": row.uid, "state": row.state, "etag": row.etag})


def submit(tx: Connection, node: Node, viewer: Viewer, uid: str, *, seen: int, reason: str | None) -> None:
    """Hand in a draft, checked once more; done twice, it answers as the first time."""
    row = find(tx, viewer, "submission.file", uid, lock=True)
    if row.state == "submitted" and row.etag == seen + 1:
        return
    _unchanged(row, seen)
    if row.state != "draft":
        raise Problem("wrong-state", f"现在是“{row.state}”，不是草稿")
    slot = repository.lock_slot(tx, row.slot_id)
    _reception_open(node, slot)
    current = repository.by_id(tx, slot.submission_id)
    if current is not None and (current.state == "accepted" or current.payload_hash != row.supersedes):
        raise Problem("accepted" if current.state == "accepted" else "stale")
    draft = SimpleNamespace(**row._mapping)
    draft.reason = reason or row.reason
    desk = lay_out(tx, node, slot)
    if row.body is not None:
        draft.findings = _checked_again(node, desk, row)
    _hand_in(tx, node, viewer, SimpleNamespace(row=draft, slot=slot, item=desk.item, seen=seen))


def _checked_again(node: Node, desk: Any, row: AnyRow) -> list[dict[str, Any]]:
    """What was found while reading stays; what the check finds is found anew, for the forms beside it may have come."""
    from ...carried import record_of  # noqa: PLC0415 - only for drafts

    now = [as_json(f) for f in judge(desk, record_of(row.body, row.origin, node.catalog))]
    told = {(f["code"], f["where"], f.get("file")) for f in now}
    reading = [f for f in row.findings if f["code"][3] in "FST" and (f["code"], f["where"], f.get("file")) not in told]
    return [*reading, *now]


def replace(tx: Connection, node: Node, viewer: Viewer, uid: str, *, seen: int, looked: Looked) -> None:
    """Give a draft another content."""
    row = find(tx, viewer, "submission.file", uid, lock=True)
    _unchanged(row, seen)
    if row.state != "draft":
        raise Problem("wrong-state", "已报送的内容不能更改，请报送更正版")
    if looked.slot.id != row.slot_id:
        raise Problem("not-valid", "不是这份草稿的表或期次")
    told = _row(node, viewer, looked, revision=row.revision)
    kept = ("message_hash", "nil", "body", "origin", "findings", "reason", "note", "payload_hash")
    values = {name: told[name] for name in kept} | {"changed_at": node.clock.now()}
    if not repository.change(tx, row.id, seen, values):
        raise Problem("stale")
    repository.replace_files(tx, row.id, _keep_files(tx, looked))
    _tell(tx, node, viewer, row, "redrafted")


def discard(tx: Connection, node: Node, viewer: Viewer, uid: str, *, seen: int) -> None:
    """Throw a draft away."""
    row = find(tx, viewer, "submission.file", uid, lock=True)
    if row.state != "draft":
        raise Problem("wrong-state", "已报送的不能删除")
    _unchanged(row, seen)
    audit.record(tx, node.clock.now(), viewer.actor, "submission.discarded", uid, path=row.path, item=row.item)
    if not repository.remove(tx, row.id, seen):
        raise Problem("stale")


_DECISIONS = {
    "accepted": ("submitted", "accepted"),
    "returned": ("submitted", "returned"),
    "reopened": ("accepted", "submitted"),
}
STATES = {
    "draft": "草稿",
    "submitted": "已报待审",
    "accepted": "已接受",
    "returned": "已退回",
    "superseded": "已被更正",
}
"""The words for the states of a submission."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What the upper unit decided: `accepted`, `returned` with reasons, or `reopened`."""

    kind: str
    reasons: tuple[dict[str, str], ...] = ()
    note: str | None = None


def decide(tx: Connection, node: Node, viewer: Viewer, uid: str, *, seen: int, decision: Decision) -> None:
    """Accept or return what is submitted, or withdraw an acceptance; done twice, it answers as the first time."""
    row = find(tx, viewer, "submission.decide", uid, lock=True)
    needed, after = _DECISIONS[decision.kind]
    if row.state == after and row.etag == seen + 1:
        return
    _unchanged(row, seen)
    if row.state != needed or row.current_id != row.id:
        raise Problem("wrong-state", f"现在是“{STATES[row.state]}”", state=row.state)
    if decision.kind == "returned" and not decision.reasons and not decision.note:
        raise Problem("not-valid", "退回要写明原因", errors=[{"field": "reasons", "message": "没有写原因"}])
    now = node.clock.now()
    repository.lock_slot(tx, row.slot_id)
    if not repository.change(tx, row.id, seen, {"state": after, "changed_at": now}):
        raise Problem("stale")
    repository.mark_slot(tx, row.slot_id, {"state": after})
    item = find_item(node.catalog, row.campaign, row.item)
    receipts = Receipts(tx, node, node.directory(tx), row, title=item.title if item else row.item)
    receipts.decided(now, decision.kind, reasons=list(decision.reasons), note=decision.note)
    _tell(tx, node, viewer, row, decision.kind, text=decision.note, reasons=list(decision.reasons))


def refuse(tx: Connection, node: Node, viewer: Viewer, looked: Looked) -> Problem:
    """Keep a file that cannot be filed, for evidence, and say why it cannot."""
    now, slot = node.clock.now(), looked.slot
    findings = [as_json(f) for f in looked.findings]
    kept = _keep_files(tx, looked)
    uid = new_uid(now)
    told = {"unit": slot.unit, "path": slot.path, "item": slot.item, "period": slot.period, "problem": looked.refusal}
    if kept:
        file = {"name": kept[0]["name"], "hash": kept[0]["hash"], "findings": findings}
        repository.refuse(tx, {"uid": uid, **told, **file, "by_user": viewer.user_id, "at": now})
    audit.record(tx, now, viewer.actor, "submission.refused", uid, **told, file=kept[0]["hash"] if kept else None)
    first = findings[0]["message"] if findings else ""
    return Problem(looked.refusal or "unreadable", first, findings=findings, kept=uid)
