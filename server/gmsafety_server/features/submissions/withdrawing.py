"""Taking back (撤回) what was filed and is not accepted: the period is open again; what was filed stays as evidence.

Where another node serves the upper unit, it is asked to; its signed receipt is what takes back, here and there.
"""

from typing import Any

from sqlalchemy import Connection

from gmsafety.exchange.envelope import Subject
from gmsafety.exchange.payloads import Withdrawal

from ...errors import Problem
from ...mail.letters import answer_down, withdraw_upward
from ...mail.stations import stations
from ...node import Node
from ...planning import find_item
from ...scope import Viewer
from ...tables import AnyRow
from . import addressing, marks, repository
from .receipting import Receipts
from .service import STATES, closing, done_before, hold, tell, unchanged

_OPEN = ("submitted", "returned")
_ASKED, _KEPT = "withdrawing", "kept"


def withdraw(tx: Connection, node: Node, viewer: Viewer, uid: str, *, seen: int, reason: str) -> None:
    """Take back; done twice, it answers as the first time."""
    row, slot = hold(tx, viewer, "submission.withdraw", uid)
    around = stations(tx, node.settings.node)
    if (elsewhere := around.of(row.path)) is not None:
        raise Problem("not-allowed", f"本单位在节点“{elsewhere}”报送，不在这里")
    upper = around.above(row.path)
    kind = _ASKED if upper is not None else "withdrawn"
    if done_before(tx, viewer, row, seen, {"kind": kind, "text": reason}):
        return
    unchanged(row, seen)
    if node.clock.now() > closing(node, slot):
        raise Problem("closed", f"{row.period}期已停止接收，撤回后不能再报；要改的，请报更正版")
    _may_be_taken_back(row)
    if upper is None:
        _take_back(tx, node, viewer, row, reason)
        return
    if is_asked(tx, row):
        raise Problem("wrong-state", "已申请撤回，等上级单位的节点回执", state=row.state)
    _change(tx, row, {"changed_at": node.clock.now()})
    withdraw_upward(tx, node, upper, row, reason=reason)
    tell(tx, node, viewer, row, _ASKED, text=reason)


def is_asked(tx: Connection, row: AnyRow) -> bool:
    """Tell whether the upper node was asked to take a submission back, and has not answered yet."""
    return row.state in _OPEN and marks.last_kind(tx, row.id, (_ASKED, _KEPT)) == _ASKED


def _may_be_taken_back(row: AnyRow) -> None:
    if addressing.is_upon_event(row):
        raise Problem("not-allowed", "移交和反馈不能撤回；要改的，请报更正版")
    if row.state == "accepted":
        raise Problem("accepted", f"第{row.revision}版已被接受，不能撤回")
    if row.state not in _OPEN or row.current_id != row.id:
        raise Problem("wrong-state", f"第{row.revision}版现在是“{STATES[row.state]}”", state=row.state)


def _take_back(tx: Connection, node: Node, viewer: Viewer, row: AnyRow, reason: str) -> None:
    """Give the receipt of it, and open the period again."""
    now = node.clock.now()
    empty(tx, node, row)
    item = find_item(node.catalog, row.campaign, row.item)
    title = item.title if item else row.item
    last = repository.last_receipt(tx, row.id, node=node.settings.node, receiver=row.upper or row.unit)
    receipts = Receipts(node, node.directory(tx), row, title=title, previous=last)
    receipts.decided(now, "withdrawn", reasons=[], note=reason or None)
    repository.add_receipts(tx, receipts.given)
    if (lower := stations(tx, node.settings.node).of(row.path)) is not None:
        answer_down(tx, node, lower, row, [given["signed"] for given in receipts.given])
    tell(tx, node, viewer, row, "withdrawn", text=reason or None)


def empty(tx: Connection, node: Node, row: AnyRow) -> None:
    """Have a slot be as if nothing had come in; the numbers of its revisions go on, and a draft corrects nothing."""
    _change(tx, row, {"state": "withdrawn", "changed_at": node.clock.now()})
    repository.mark_slot(tx, row.slot_id, {"state": "open", "nil": False, "submission_id": None, "received_at": None})
    marks.free_draft(tx, row.slot_id)
    marks.unfile_rollup(tx, row.id)
    marks.doubt_above(tx, row)


def take_up(
    tx: Connection, node: Node, viewer: Viewer, sender: str, subject: Subject, told: Withdrawal
) -> None:  # fmt: skip
    """Do what a unit of another node asks for; what was accepted meanwhile stays accepted, and it is told so."""
    found = repository.by_subject(tx, subject.model_dump(include={"campaign", "item", "period", "unit", "revision"}))
    if found is None or stations(tx, node.settings.node).of(found.path) != sender:
        raise Problem("not-found", f"没有收到第{subject.revision}版，无可撤回")
    repository.lock_slot(tx, found.slot_id)
    row = repository.with_slot(tx, found.uid)
    assert row is not None
    if row.payload_hash != told.payload_hash:
        raise Problem("not-valid", "要撤回的不是所报的内容")
    if row.state == "withdrawn":
        return
    _may_be_taken_back(row)
    _take_back(tx, node, viewer, row, told.reason)


def kept(tx: Connection, node: Node, viewer: Viewer, sender: str, subject: Subject, text: str) -> None:
    """The upper node did not take back: what was filed stands, and the reason is in the history."""
    row = repository.by_subject(tx, subject.model_dump(include={"campaign", "item", "period", "unit", "revision"}))
    if row is not None and stations(tx, node.settings.node).above(row.path) == sender:
        tell(tx, node, viewer, row, _KEPT, text=text)


def _change(tx: Connection, row: Any, values: dict[str, Any]) -> None:
    if not repository.change(tx, row.id, row.etag, values):
        raise Problem("stale")
