"""The page of what is filed upon an event (移交与反馈): what may be filed, what was filed, what was received."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import Connection

from ...captions import item_caption
from ...directory import Directory
from ...errors import Problem
from ...node import Node
from ...occasions import Occasion
from ...scope import Viewer
from ...tables import AnyRow
from ...templating import beijing, page
from ...web import Here, posting, visiting
from . import beginning, repository, sending, service
from .onward import Text, go, sorry
from .schemas import Day

router = APIRouter(include_in_schema=False)
Reader = Annotated[Viewer, Depends(visiting("submission.read"))]
Filer = Annotated[Viewer, Depends(posting("submission.file"))]


@router.get("/occasions")
def occasions_page(request: Request, node: Here, viewer: Reader) -> Response:
    """By duty: to begin one, and those that were filed and received."""
    with node.db.read() as tx:
        directory = node.directory(tx)
        every = [_told(tx, node, directory, matter) for matter in beginning.matters(tx, node, viewer)]
    return page(
        request, "submissions/occasions.html", matters=every, states=service.STATES, today=node.clock.today(),
        may_file=viewer.may("submission.file", viewer.path),
    )  # fmt: skip


def _told(tx: Connection, node: Node, directory: Directory, matter: beginning.Matter) -> dict[str, Any]:
    prefill = getattr(matter.duty, "prefill", None)
    may_file = [(one, _short(node, one)) for one in matter.may_file]
    return {
        "title": matter.duty.title, "campaign": matter.campaign.title, "on": getattr(matter.duty, "on", ""),
        "source": matter.duty.source, "may_file": may_file, "prefills": prefill is not None,
        "filed": [_line(tx, node, directory, matter, row, out=True) for row in matter.filed],
        "received": [_line(tx, node, directory, matter, row, out=False) for row in matter.received],
        "reached": matter.reached,
    }  # fmt: skip


def _short(node: Node, one: Occasion) -> str:
    """What a button says: the name that people use, without what stands in brackets."""
    return item_caption(node.catalog, one.campaign.ref, one.item.ref).partition("（")[0]


def _line(
    tx: Connection, node: Node, directory: Directory, matter: beginning.Matter, row: AnyRow, *, out: bool
) -> dict[str, Any]:  # fmt: skip
    slot = repository.slot(tx, row.slot) if out else None
    current = row if row.state != "draft" else None
    return {
        "href": f"/submissions/{row.uid}", "item": item_caption(node.catalog, row.campaign, row.item),
        "about": beginning.about(matter, row), "unit": directory.name(row.unit), "day": row.period,
        "revision": row.revision, "state": row.state, "nil": row.nil,
        "received": beijing(row.received_at) if row.received_at else "",
        "sent": sending.told(tx, node, slot, current) if slot is not None else [],
    }  # fmt: skip


@router.post("/occasions")
def begin(
    node: Here, viewer: Filer, item: Text, day: Annotated[Day, Form()] = None,
    prefilled: Annotated[bool, Form()] = False,
) -> Response:  # fmt: skip
    """Begin one, and go on to where it is filed."""
    try:
        number, uid = beginning.start(node, viewer, item, day, prefilled=prefilled)
    except Problem as problem:
        return sorry("/occasions", problem)
    if uid is not None:
        return go(f"/submissions/{uid}", "已按收到的清单填好各行，存为草稿。请下载正式表，补齐整改处理情况后更换文件。")
    if prefilled:
        return go(f"/slots/{number}", "还没有收到清单，请直接填报。", kind="info")
    return RedirectResponse(f"/slots/{number}", 303)
