"""What the upper unit does: accept, return, withdraw an acceptance. And what nobody files: it is kept, and told why."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from ... import audit
from ...errors import Problem
from ...mail.letters import answer_down
from ...mail.stations import stations
from ...names import new_uid
from ...node import Node
from ...planning import find_item
from ...scope import Viewer
from . import addressing, marks, repository
from .judging import Looked, as_json
from .receipting import Receipts
from .service import STATES, done_before, hold, keep_files, tell, unchanged

_DECISIONS = {
    "accepted": ("submitted", "accepted"),
    "returned": ("submitted", "returned"),
    "reopened": ("accepted", "submitted"),
}


@dataclass(frozen=True, slots=True)
class Decision:
    """What the upper unit decided: `accepted`, `returned` with reasons, or `reopened`."""

    kind: str
    reasons: tuple[dict[str, str], ...] = ()
    note: str | None = None


def decide(tx: Connection, node: Node, viewer: Viewer, uid: str, *, seen: int, decision: Decision) -> None:
    """Accept or return what is submitted, or withdraw an acceptance; done twice, it answers as the first time."""
    row, _ = hold(tx, viewer, "submission.decide", uid)
    around = stations(tx, node.settings.node)
    if row.upper != viewer.unit:
        raise Problem("not-allowed", "这不是报给本单位的")
    way = addressing.decider(tx, row, row.slot_id)
    if (elsewhere := around.above(way.path)) is not None:
        raise Problem("not-allowed", f"上级单位在节点“{elsewhere}”审核，不在这里")
    needed, after = _DECISIONS[decision.kind]
    told = {"kind": decision.kind, "text": decision.note, "data": {"reasons": list(decision.reasons)}}
    if row.state == after and done_before(tx, viewer, row, seen, told):
        return
    unchanged(row, seen)
    if row.state != needed or row.current_id != row.id:
        raise Problem("wrong-state", f"现在是“{STATES[row.state]}”", state=row.state)
    if decision.kind == "returned" and not decision.reasons and not decision.note:
        raise Problem("not-valid", "退回要写明原因", errors=[{"field": "reasons", "message": "没有写原因"}])
    now = node.clock.now()
    if not repository.change(tx, row.id, seen, {"state": after, "changed_at": now}):
        raise Problem("stale")
    repository.mark_slot(tx, row.slot_id, {"state": after})
    marks.doubt_above(tx, row)
    item = find_item(node.catalog, row.campaign, row.item)
    title = item.title if item else row.item
    last = repository.last_receipt(tx, row.id, node=node.settings.node, receiver=way.unit)
    receipts = Receipts(node, node.directory(tx), row, title=title, previous=last)
    receipts.decided(now, decision.kind, reasons=list(decision.reasons), note=decision.note)
    repository.add_receipts(tx, receipts.given)
    if (lower := around.of(row.path)) is not None:
        answer_down(tx, node, lower, row, [given["signed"] for given in receipts.given])
    tell(tx, node, viewer, row, decision.kind, text=decision.note, reasons=list(decision.reasons))


def refuse(tx: Connection, node: Node, viewer: Viewer, looked: Looked) -> Problem:
    """Keep a file that cannot be filed, for evidence and once, and say why it cannot."""
    now, slot, first = node.clock.now(), looked.slot, looked.findings[0]
    findings = [as_json(f) for f in looked.findings]
    blamed = next((e.name for e in looked.parcel.enclosures if e.name == first.place.file), None)
    files = keep_files(tx, looked)
    kept = next((f for f in files if f["name"] == blamed), files[0])
    told = {"unit": slot.unit, "campaign": slot.campaign, "item": slot.item, "period": slot.period}
    file = {"name": kept["name"], "size": kept["size"], "hash": kept["hash"], "problem": looked.refusal}
    values: dict[str, Any] = {**told, **file, "path": slot.path, "findings": findings, "by_user": viewer.user_id}
    uid, fresh = repository.refuse(tx, {**values, "uid": new_uid(now), "at": now})
    if fresh:
        audit.record(tx, now, viewer.actor, "submission.refused", uid, path=slot.path, **told, **file)
    said = f"{first.message}原件已留存备查。"
    return Problem(looked.refusal or "unreadable", said, findings=findings, kept=uid)
