"""Moving a unit from one node to another: agreed on here, handed over there; each step is one transaction."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from gmsafety.exchange.envelope import Draft
from gmsafety.exchange.payloads import Handover

from ... import audit
from ...errors import Problem
from ...mail.posting import post
from ...mail.stations import find_peer, own_row, stations
from ...node import Node
from ...tables import AnyRow
from ..exchange import repository as peers
from ..submissions import marks
from ..submissions import repository as papers
from . import repository
from .history import read_history
from .merging import Coming, Merge, counts
from .packing import check, enclose, pack, pack_one, units_in

STATES = {"expected": "等对方交来", "done": "已交接", "refused": "对方未能接收，仍在本节点", "over": "后来又交回"}
"""The words for how a hand-over stands."""
WAYS = {"out": "交给", "in": "接自"}


def expect(tx: Connection, node: Node, unit: str, sender: str, *, actor: str) -> None:
    """Agree that another node hands a unit over to this one."""
    path = _path_of(tx, node, unit)
    if find_peer(tx, sender) is None:
        raise Problem("not-found", f"没有登记节点“{sender}”")
    if stations(tx, node.settings.node).of(path) != sender:
        raise Problem("wrong-state", f"据本节点的登记，它不由节点“{sender}”服务")
    if repository.handover(tx, unit, "in", "expected", sender) is None:
        _note(tx, node, unit, path, sender, direction="in", state="expected")
    audit.record(tx, node.clock.now(), actor, "handover.expected", unit, path=path, peer=sender)


def hand_over(tx: Connection, node: Node, unit: str, receiver: str, *, actor: str) -> Mapping[str, int]:
    """Hand a unit over to another node with all it has filed; from the commit on it files there."""
    path, directory = _path_of(tx, node, unit), node.directory(tx)
    refs = units_in(directory, path)
    _may_go(tx, node, path, refs, receiver)
    repository.hold(tx, repository.of_units(refs, path))
    history = pack(tx, unit, refs, path)
    enclosed, now = enclose(tx, history), node.clock.now()
    told = Handover(unit=unit, handed_at=now, history=enclosed[0].hash, submissions=len(history.submissions))
    message = post(tx, node, Draft("handover", receiver, told.model_dump(), attachments=enclosed, test=node.test))
    _serve(tx, node, unit, path, receiver)
    repository.end(tx, unit, "in", now)
    said = dict(counts(history))
    _note(tx, node, unit, path, receiver, direction="out", state="done", message=message.envelope.id, counts=said)
    audit.record(tx, now, actor, "handover.sent", unit, path=path, peer=receiver, history=told.history, **said)
    return said


def _may_go(tx: Connection, node: Node, path: str, refs: list[str], receiver: str) -> None:
    around, peer = stations(tx, node.settings.node), find_peer(tx, receiver)
    if peer is None or not peer.is_open:
        raise Problem("not-found", f"没有登记节点“{receiver}”，或已停用")
    if around.node_of(path) != around.own:
        raise Problem("wrong-state", "这个单位不由本节点服务")
    others = sorted({n for ref, n in around.served.items() if n != around.own and ref in refs})
    if others:
        raise Problem("wrong-state", f"它下面有单位由节点{'、'.join(others)}服务，请先把它们交回本节点")
    waiting = repository.under_way(tx, refs, besides=receiver)
    if waiting:
        to = "、".join(sorted({r.receiver for r in waiting}))
        raise Problem("wrong-state", f"还有{len(waiting)}件在途（发往 {to}），送达后再交接")


def assign(tx: Connection, node: Node, unit: str, sender: str, receiver: str, *, actor: str) -> None:
    """Note on a third node that a unit went from one node to another."""
    path = _path_of(tx, node, unit)
    if find_peer(tx, receiver) is None:
        raise Problem("not-found", f"没有登记节点“{receiver}”")
    if stations(tx, node.settings.node).of(path) != sender:
        raise Problem("wrong-state", f"据本节点的登记，它不由节点“{sender}”服务")
    _serve(tx, node, unit, path, receiver)
    audit.record(tx, node.clock.now(), actor, "handover.noted", unit, path=path, sender=sender, peer=receiver)


def take_up(tx: Connection, node: Node, sender: str, account: int, told: Handover) -> None:
    """Take a unit over that was expected, or what has come in for it since."""
    path, directory = _path_of(tx, node, told.unit), node.directory(tx)
    here = stations(tx, node.settings.node)
    expected = repository.handover(tx, told.unit, "in", "done" if told.more else "expected", sender)
    if expected is None or (here.of(path) if told.more else None) is not None:
        raise Problem("not-allowed", f"本节点没有登记从“{sender}”接收 {told.unit}")
    if not told.more and here.of(path) != sender:
        raise Problem("wrong-state", f"据本节点的登记，{told.unit} 不由“{sender}”服务")
    history = read_history(papers.blob(tx, told.history) or b"")
    check(tx, history, directory, path)
    repository.hold(tx, repository.of_units(units_in(directory, path), path))
    upper = path.rstrip("/").rpartition("/")[0] + "/"
    judged = told.unit if not told.more and here.node_of(upper) == here.own else None
    Merge(tx, node, history, Coming(sender, account, judged, told.more)).run()
    now, said = node.clock.now(), dict(counts(history))
    if not told.more:
        _serve(tx, node, told.unit, path, None)
        repository.end(tx, told.unit, "out", now)
        repository.finish(tx, expected.id, said, now)
    audit.record(tx, now, f"@{sender}", "handover.taken", told.unit, path=path, history=told.history, **said)


def turned_down(tx: Connection, node: Node, receiver: str, message: str, text: str) -> None:
    """The other node could not take a unit over: it is served here again, as if nothing had been handed over."""
    row = repository.handover_of(tx, message)
    if row is None or row.state != "done" or row.peer != receiver:
        return
    now = node.clock.now()
    _serve(tx, node, row.unit, row.path, None)
    repository.mark(tx, [row.id], "refused", now)
    audit.record(tx, now, f"@{receiver}", "handover.refused", row.unit, path=row.path, text=text)


def gone_again(tx: Connection, node: Node, receiver: str, told: Handover, message: str) -> None:
    """Have a unit be gone that went before this node was restored; its history is on the other one."""
    if told.more or repository.handover_of(tx, message) is not None:
        return
    path, now = _path_of(tx, node, told.unit), node.clock.now()
    _serve(tx, node, told.unit, path, receiver)
    repository.end(tx, told.unit, "in", now)
    _note(tx, node, told.unit, path, receiver, direction="out", state="done", message=message)
    audit.record(tx, now, f"@{receiver}", "handover.regained", told.unit, path=path, peer=receiver)


def pass_on(tx: Connection, node: Node, sender: str, uid: str) -> None:
    """Hand over what has come in for a unit since it went."""
    row = papers.with_slot(tx, uid)
    gone = marks.went_over(tx, row.path) if row is not None else None
    if row is None or gone is None or gone.peer == sender:
        return
    history = pack_one(tx, gone.unit, uid)
    enclosed, now = enclose(tx, history), node.clock.now()
    told = Handover(unit=gone.unit, handed_at=now, history=enclosed[0].hash, submissions=1, more=True)
    post(tx, node, Draft("handover", gone.peer, told.model_dump(), attachments=enclosed, test=node.test))


def _path_of(tx: Connection, node: Node, unit: str) -> str:
    directory = node.directory(tx)
    if unit not in directory.units:
        raise Problem("not-found", f"没有这个单位：{unit}")
    return directory.path(unit)


def _note(tx: Connection, node: Node, unit: str, path: str, peer: str, **more: Any) -> None:
    now, message = node.clock.now(), more.pop("message", None)
    values = {"unit": unit, "path": path, "peer": peer, "message_id": message, "counts": None}
    repository.add_handover(tx, {**values, "at": now, "changed_at": now, **more})


def _serve(tx: Connection, node: Node, unit: str, path: str, name: str | None) -> None:
    """Have a unit be served by another node, or by this one (None); named only where it does not follow from above."""
    for before in peers.rows_serving(tx, unit):
        _put_units(tx, node, before, [u for u in before.units if u != unit])
    around = stations(tx, node.settings.node)
    wanted = name or around.own
    if around.node_of(path) != wanted:
        row = peers.peer_row(tx, wanted) if name else own_row(tx)
        if row is None:
            raise Problem("wrong-state", "请先运行 gmsafety node init")
        _put_units(tx, node, row, [*row.units, unit])


def _put_units(tx: Connection, node: Node, row: AnyRow, units: list[str]) -> None:
    peers.put_peer(tx, {**row._mapping, "units": units, "changed_at": node.clock.now()})
