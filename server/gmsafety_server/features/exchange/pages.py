"""The pages of the exchange (数据交换): other nodes, what waits, what was not taken up; for those who look after it."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import Connection

from ...errors import Problem
from ...mail.stations import own_row
from ...node import Node
from ...scope import Viewer
from ...templating import page, say
from ...web import Here, Paging, posting, visiting
from . import repository, service
from .words import BOXES, COUNTS, KINDS, line

router = APIRouter(prefix="/admin/exchange", include_in_schema=False)
Looker = Annotated[Viewer, Depends(visiting("exchange.read"))]
Keeper = Annotated[Viewer, Depends(posting("exchange.change"))]
Number = Annotated[int, Query(alias="page", ge=1, le=100_000)]
Standing = Annotated[str, Query(max_length=20)]
_SIZE = 50


def _keeps(tx: Connection, viewer: Viewer) -> bool:
    """Tell whether somebody looks after the node: an administrator of a unit that it serves by name."""
    own = own_row(tx)
    return own is None or viewer.unit in own.units


@router.get("")
def overview(request: Request, node: Here, viewer: Looker) -> Response:
    """How the exchange stands: what is wrong, the queues, the other nodes."""
    with node.db.read() as tx:
        if not _keeps(tx, viewer):
            own = own_row(tx)
            return page(request, "exchange/elsewhere.html", own=own)
        directory = node.directory(tx)
        told: dict[str, Any] = {
            "own": own_row(tx), "counts": repository.counts(tx, node.clock.now()), "faults": service.faults(tx, node),
            "peers": service.peer_states(tx),
        }  # fmt: skip
    return page(
        request, "exchange/overview.html", words=COUNTS, name_of=directory.name, node_id=node.settings.node, **told
    )


@router.get("/{box}")
def list_messages(
    box: str, request: Request, node: Here, viewer: Looker, standing: Standing = "", number: Number = 1
) -> Response:
    """The messages of a box, the newest first."""
    if box not in BOXES:
        raise Problem("not-found")
    paging = Paging(page=number, size=_SIZE)
    with node.db.read() as tx:
        if not _keeps(tx, viewer):
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
            if not _keeps(tx, viewer):
                raise Problem("not-allowed")
            do = service.take_again if box == "inbox" else service.send_again
            do(tx, node, number, actor=viewer.actor)
    except Problem as problem:
        say(response, f"{problem.detail}。{problem.type.remedy}。", kind="error")
        return response
    node.wake()
    say(response, f"第{number}件已{'再办理' if box == 'inbox' else '列入待发'}。")
    return response
