"""What the node of the upper unit says of a submission that was filed here: it came in, was checked, was decided."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from gmsafety.exchange.canonical import canonical
from gmsafety.exchange.receipts import SignedReceipt
from gmsafety.exchange.receipts import Verdict as Word
from gmsafety.findings import Place

from ...errors import Problem
from ...mail.stations import peer_keys, stations
from ...node import Node
from ...scope import Viewer
from ...tables import AnyRow
from . import repository
from .service import tell

_AFTER = {"accepted": "accepted", "returned": "returned", "reopened": "submitted"}
_SAME = ("campaign", "item", "period", "revision", "message_id", "payload_hash", "nil")
Findings = Sequence[Mapping[str, Any]]


def take_receipt(
    tx: Connection, node: Node, viewer: Viewer, sender: str, signed: SignedReceipt, findings: Findings = ()
) -> None:
    """Keep a receipt of another node, and have the submission say what it says."""
    told = signed.receipt
    row = _held(tx, node, sender, told.submission)
    _is_true_of(tx, row, sender, signed)
    repository.add_receipt(tx, row.id, signed, canonical(signed.model_dump()).decode())
    if told.kind == "stored":
        back = {"state": "submitted"} if row.state == "returned" and row.current_id == row.id else {}
        _change(tx, row, {"received_at": told.received_at, **back})  # it may have been turned down before
        repository.mark_slot(tx, row.slot_id, {"received_at": repository.first_received(tx, row.slot_id), **back})
        tell(tx, node, viewer, row, "received")
    elif told.kind == "checked":
        _change(tx, row, {"findings": [{**f, "place": _place(f)} for f in findings]})
        tell(tx, node, viewer, row, "checked")
    else:
        reasons = [r.model_dump() for r in told.reasons]
        _decided(tx, node, row, str(told.decision))
        tell(tx, node, viewer, row, str(told.decision), text=told.note, reasons=reasons)


def turned_down(tx: Connection, node: Node, viewer: Viewer, sender: str, uid: str, text: str) -> None:
    """The upper node could not take up what was filed: it is back, with the reason, and can be corrected."""
    row = _held(tx, node, sender, uid)
    if row.state == "submitted" and row.current_id == row.id:
        _change(tx, row, {"state": "returned", "changed_at": node.clock.now()})
        repository.mark_slot(tx, row.slot_id, {"state": "returned"})
    tell(tx, node, viewer, row, "returned", text=text)


def _held(tx: Connection, node: Node, sender: str, uid: str) -> AnyRow:
    """The submission, held to the end; one that is not filed to this sender does not exist for it."""
    found = repository.with_slot(tx, uid)
    if found is None or stations(tx, node.settings.node).above(found.path) != sender:
        raise Problem("not-found", f"没有报给“{sender}”的报送 {uid}")
    repository.lock_slot(tx, found.slot_id)
    row = repository.with_slot(tx, uid)
    assert row is not None
    return row


def _is_true_of(tx: Connection, row: AnyRow, sender: str, signed: SignedReceipt) -> None:
    told = signed.receipt
    verdict = signed.verify(peer_keys(tx, sender))
    if told.node != sender or verdict is not Word.VALID:
        raise Problem("not-valid", f"回执 {told.id}：{verdict.chinese if told.node == sender else '不是对方节点的'}")
    differ = [n for n in _SAME if getattr(told, n) != getattr(row, n)]
    if told.sender.unit != row.unit or differ:
        raise Problem("not-valid", f"回执 {told.id} 与报送不符：{'、'.join(differ) or '单位'}")
    if told.previous != repository.last_receipt(tx, row.id):
        raise Problem("not-valid", f"回执 {told.id} 之前缺少一份回执")


def _decided(tx: Connection, node: Node, row: AnyRow, decision: str) -> None:
    """Follow the decision; of a revision that was corrected here meanwhile only the receipt is kept."""
    if row.state == "superseded" or row.current_id != row.id:
        return
    _change(tx, row, {"state": _AFTER[decision], "changed_at": node.clock.now()})
    repository.mark_slot(tx, row.slot_id, {"state": _AFTER[decision]})


def _change(tx: Connection, row: AnyRow, values: Mapping[str, Any]) -> None:
    if not repository.change(tx, row.id, row.etag, values):
        raise Problem("busy")


def _place(finding: Mapping[str, Any]) -> str:
    return Place(str(finding["where"]), finding.get("sheet"), finding.get("file")).chinese
