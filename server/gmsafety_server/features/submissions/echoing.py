"""What the node of the upper unit says of a submission that was filed here: it came in, was checked, was decided."""

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Connection

from gmsafety.exchange.canonical import canonical
from gmsafety.exchange.receipts import SignedReceipt
from gmsafety.exchange.receipts import Verdict as Word
from gmsafety.findings import Place

from ...errors import Problem
from ...mail.letters import answer_down
from ...mail.stations import peer_keys, stations
from ...node import Node
from ...scope import Viewer
from ...tables import AnyRow
from . import addressing, marks, repository
from .receipting import Receipts
from .service import tell
from .withdrawing import empty

_AFTER = {"accepted": "accepted", "returned": "returned", "reopened": "submitted"}
_SAME = ("campaign", "item", "period", "revision", "message_id", "payload_hash", "nil")
_HEARD = {"stored": "received", "checked": "checked"}
Findings = Sequence[Mapping[str, Any]]


def take_receipt(
    tx: Connection, node: Node, viewer: Viewer, sender: str, signed: SignedReceipt, findings: Findings = ()
) -> None:
    """Keep a receipt of another node, and have the submission say what it says."""
    told, receiver = signed.receipt, signed.receipt.receiver.unit
    row, mine = _held(tx, node, sender, told.submission)
    way = next((w for w in mine if w.unit == receiver), None)
    if way is None:
        raise Problem("not-valid", f"回执 {told.id} 的收件单位“{receiver}”不是报给的单位")
    _is_true_of(tx, row, sender, signed)
    repository.add_receipt(tx, row.id, signed, canonical(signed.model_dump()).decode())
    if way.decides:
        _heed(tx, node, viewer, row, signed, findings)
    elif told.kind != "decided":
        tell(tx, node, viewer, row, _HEARD[told.kind])
    lower = stations(tx, node.settings.node).of(row.path)
    if lower is not None and marks.went_over(tx, row.path) is None:
        _pass_on(tx, node, row, signed, findings, lower)


def _heed(
    tx: Connection, node: Node, viewer: Viewer, row: AnyRow, signed: SignedReceipt, findings: Findings
) -> None:  # fmt: skip
    told = signed.receipt
    if told.kind == "stored":
        back = {"state": "submitted"} if row.state == "returned" and row.current_id == row.id else {}
        _change(tx, row, {"received_at": told.received_at, **back})  # it may have been turned down before
        repository.mark_slot(tx, row.slot_id, {"received_at": repository.first_received(tx, row.slot_id), **back})
        tell(tx, node, viewer, row, _HEARD["stored"])
    elif told.kind == "checked":
        _change(tx, row, {"findings": [{**f, "place": place_of(f)} for f in findings]})
        tell(tx, node, viewer, row, _HEARD["checked"])
    else:
        reasons = [r.model_dump() for r in told.reasons]
        follow(tx, node, row, str(told.decision))
        tell(tx, node, viewer, row, str(told.decision), text=told.note, reasons=reasons)


def _pass_on(
    tx: Connection, node: Node, row: AnyRow, signed: SignedReceipt, findings: Findings, lower: str
) -> None:  # fmt: skip
    """Say the same to the node that filed, in a receipt of this node: the other's key is not known there."""
    told, now = signed.receipt, node.clock.now()
    last = repository.last_receipt(tx, row.id, node=node.settings.node, receiver=told.receiver.unit)
    found = [{**f, "place": place_of(f)} for f in findings]
    seen = SimpleNamespace(**{**row._mapping, "received_at": told.received_at, "findings": found})
    own = Receipts(
        node, node.directory(tx), seen, title=told.title, previous=last, receiver=told.receiver.unit
    )  # fmt: skip
    if told.kind == "stored":
        own.stored(now)
    elif told.kind == "checked":
        own.checked(now, found)
    else:
        reasons = [r.model_dump() for r in told.reasons]
        own.decided(now, str(told.decision), reasons=reasons, note=told.note)
    repository.add_receipts(tx, own.given)
    answer_down(tx, node, lower, seen, [given["signed"] for given in own.given])


def turned_down(tx: Connection, node: Node, viewer: Viewer, sender: str, uid: str, text: str) -> None:
    """An addressee's node could not take up what was filed: from the one that decides it is back, with the reason."""
    row, mine = _held(tx, node, sender, uid)
    if not any(way.decides for way in mine):
        tell(tx, node, viewer, row, "not-taken", text=text)
        return
    if row.state == "submitted" and row.current_id == row.id:
        _change(tx, row, {"state": "returned", "changed_at": node.clock.now()})
        repository.mark_slot(tx, row.slot_id, {"state": "returned"})
    tell(tx, node, viewer, row, "returned", text=text)


def _held(tx: Connection, node: Node, sender: str, uid: str) -> tuple[AnyRow, list[addressing.Way]]:
    """The submission, held to the end, and those for whom the sender speaks; to others it does not exist."""
    found, around = repository.with_slot(tx, uid), stations(tx, node.settings.node)
    every = addressing.ways(tx, found, found.slot_id) if found is not None else []
    mine = [way for way in every if around.above(way.path) == sender]
    if found is None or not mine:
        raise Problem("not-found", f"没有报给“{sender}”的报送 {uid}")
    repository.lock_slot(tx, found.slot_id)
    row = repository.with_slot(tx, uid)
    assert row is not None
    return row, mine


def _is_true_of(tx: Connection, row: AnyRow, sender: str, signed: SignedReceipt) -> None:
    told = signed.receipt
    verdict = signed.verify(peer_keys(tx, sender, revoked=True))
    if told.node != sender or verdict is not Word.VALID:
        raise Problem("not-valid", f"回执 {told.id}：{verdict.chinese if told.node == sender else '不是对方节点的'}")
    differ = [n for n in _SAME if getattr(told, n) != getattr(row, n)]
    if told.sender.unit != row.unit or differ:
        raise Problem("not-valid", f"回执 {told.id} 与报送不符：{'、'.join(differ) or '单位'}")
    if told.previous != repository.last_receipt(tx, row.id, node=sender, receiver=told.receiver.unit):
        slug = "busy" if marks.came_over(tx, row.path) is not None else "not-valid"  # it may still be handed over
        raise Problem(slug, f"回执 {told.id} 之前缺少一份回执")


def follow(tx: Connection, node: Node, row: AnyRow, decision: str) -> None:
    """Follow the decision; of a revision that was corrected meanwhile only the receipt is kept.

    What was returned, or taken back, was so before it was corrected, whatever was known here: above it is so, too.
    """
    if row.state == "superseded" or row.current_id != row.id:
        if row.state == "superseded" and decision in ("returned", "withdrawn"):
            _change(tx, row, {"state": decision, "changed_at": node.clock.now()})
            repository.mark_slot(tx, row.slot_id, {"received_at": repository.first_received(tx, row.slot_id)})
        return
    if decision == "withdrawn":
        empty(tx, node, row)
        return
    _change(tx, row, {"state": _AFTER[decision], "changed_at": node.clock.now()})
    repository.mark_slot(tx, row.slot_id, {"state": _AFTER[decision]})


def _change(tx: Connection, row: AnyRow, values: Mapping[str, Any]) -> None:
    if not repository.change(tx, row.id, row.etag, values):
        raise Problem("busy")


def place_of(finding: Mapping[str, Any]) -> str:
    """The place of a finding in words, which does not travel."""
    return Place(str(finding["where"]), finding.get("sheet"), finding.get("file")).chinese
