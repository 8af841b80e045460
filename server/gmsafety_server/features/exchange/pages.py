"""The pages of the exchange (数据交换): other nodes, what waits, what was not taken up; for those who look after it."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import Connection

from ...errors import Problem
from ...mail.stations import own_row
from ...node import Node
from ...scope import Viewer
from ...templating import page, say
from ...web import Here, Paging, posting, visiting
from ..moving.repository import all_handovers as handovers
from ..moving.service import STATES, WAYS
from . import differences, repository, service
from .reconciling import state_now
from .words import BOXES, COUNTS, KINDS, line

router = APIRouter(prefix="/admin/exchange", include_in_schema=False)
Looker = Annotated[Viewer, Depends(visiting("exchange.read"))]
Keeper = Annotated[Viewer, Depends(posting("exchange.change"))]
Number = Annotated[int, Query(alias="page", ge=1, le=100_000)]
Standing = Annotated[str, Query(max_length=20)]
Peer = Annotated[str, Query(max_length=80)]
Reason = Annotated[str, Form(max_length=1000)]
_SIZE = 50


def _must_keep(tx: Connection, viewer: Viewer) -> None:
    if not service.keeps(tx, viewer):
        raise Problem("not-allowed")


@router.get("")
def overview(request: Request, node: Here, viewer: Looker) -> Response:
    """How the exchange stands: what is wrong, the queues, the other nodes."""
    with node.db.read() as tx:
        if not service.keeps(tx, viewer):
            own = own_row(tx)
            return page(request, "exchange/elsewhere.html", own=own)
        directory = node.directory(tx)
        told: dict[str, Any] = {
            "handovers": handovers(tx), "ways": WAYS, "handover_states": STATES,
            "own": own_row(tx), "faults": service.faults(tx, node), "peers": service.peer_states(tx),
            "counts": repository.counts(tx, node.clock.now()) | {"tasks": sum(differences.open_counts(tx).values())},
        }  # fmt: skip
    return page(
        request, "exchange/overview.html", words=COUNTS, name_of=directory.name, node_id=node.settings.node, **told
    )


@router.post("/reconcile")
def reconcile(node: Here, viewer: Keeper, peer: Annotated[str, Form(max_length=80)] = "") -> Response:
    """Tell a node, or all, what we have, and have it say what it has."""
    response = RedirectResponse("/admin/exchange", 303)
    try:
        with node.db.write() as tx:
            _must_keep(tx, viewer)
            names = state_now(tx, node, peer or None, actor=viewer.actor)
    except Problem as problem:
        say(response, f"{problem.detail}。{problem.type.remedy}。", kind="error")
        return response
    node.wake()
    told = f"对账单已列入待发：{'、'.join(names)}。对方答复后，有差异的列在“对账”。"
    say(response, told if names else "没有登记对方节点。")
    return response


@router.get("/tasks")
def list_tasks(
    request: Request, node: Here, viewer: Looker, standing: Standing = "open", kind: Standing = "",
    peer: Peer = "", number: Number = 1,
) -> Response:  # fmt: skip
    """What differs between this node and others, what was changed last first."""
    paging = Paging(page=number, size=_SIZE)
    chosen = {"state": "" if standing == "all" else standing, "kind": kind, "peer": peer}
    with node.db.read() as tx:
        if not service.keeps(tx, viewer):
            return page(request, "exchange/elsewhere.html", own=own_row(tx))
        rows, total = differences.listed(tx, **chosen, offset=paging.offset, limit=paging.size)
        names = {p.name: p.title for p in service.peer_states(tx)}
    asked = urlencode({"standing": standing, "kind": kind, "peer": peer})
    pager = {"number": number, "pages": -(-total // _SIZE) or 1, "total": total, "href": f"?{asked}&page={{page}}"}
    return page(
        request, "exchange/tasks.html", lines=[differences.line(row) for row in rows], pager=pager, names=names,
        standing=standing, kind=kind, peer=peer, kinds=differences.KINDS, states=differences.STATES,
    )  # fmt: skip


@router.post("/tasks/{number}/{to}")
def put_task(number: int, to: str, node: Here, viewer: Keeper, reason: Reason = "") -> Response:
    """Say of a difference that it is done, or needs nothing; or open it again."""
    if to not in ("done", "dismissed", "open"):
        raise Problem("not-found")
    response = RedirectResponse("/admin/exchange/tasks", 303)
    try:
        with node.db.write() as tx:
            _must_keep(tx, viewer)
            differences.put(tx, node, number, to, reason=reason.strip() or None, actor=viewer.actor)
    except Problem as problem:
        say(response, f"{problem.detail}。{problem.type.remedy}。", kind="error")
        return response
    again = "" if to == "open" else "在“已处理”“不需处理”里可重新打开。"
    say(response, f"第{number}项：{differences.STATES[to]}。{again}")
    return response


@router.get("/{box}")
def list_messages(
    box: str, request: Request, node: Here, viewer: Looker, standing: Standing = "", number: Number = 1
) -> Response:
    """The messages of a box, the newest first."""
    if box not in BOXES:
        raise Problem("not-found")
    paging = Paging(page=number, size=_SIZE)
    with node.db.read() as tx:
        if not service.keeps(tx, viewer):
            return page(request, "exchange/elsewhere.html", own=own_row(tx))
        listed = repository.inbox_rows if box == "inbox" else repository.outbox_rows
        rows, total = listed(tx, standing, offset=paging.offset, limit=paging.size)
        directory = node.directory(tx)
    pager = {
        "number": number, "pages": -(-total // _SIZE) or 1, "total": total,
        "href": f"?standing={standing if standing in BOXES[box] else ''}&page={{page}}",
    }  # fmt: skip
    return page(
        request, "exchange/box.html", box=box, boxes=BOXES, standing=standing, pager=pager, kinds=KINDS,
        lines=[_shown(node, directory.name, row) for row in rows],
    )  # fmt: skip


def _shown(node: Node, name_of: Any, row: Any) -> dict[str, Any]:
    told = line(row)
    form = node.catalog.forms.get(row.item or "")
    return {**told, "unit": name_of(row.unit), "title": form.title if form else row.item or ""}


@router.post("/{box}/{number}/again")
def again(box: str, number: int, node: Here, viewer: Keeper) -> Response:
    """Send a message again, or take it up again."""
    if box not in BOXES:
        raise Problem("not-found")
    response = RedirectResponse(f"/admin/exchange/{box}", 303)
    try:
        with node.db.write() as tx:
            if not service.keeps(tx, viewer):
                raise Problem("not-allowed")
            do = service.take_again if box == "inbox" else service.send_again
            do(tx, node, number, actor=viewer.actor)
    except Problem as problem:
        say(response, f"{problem.detail}。{problem.type.remedy}。", kind="error")
        return response
    node.wake()
    say(response, f"第{number}件已{'再办理' if box == 'inbox' else '列入待发'}。")
    return response
