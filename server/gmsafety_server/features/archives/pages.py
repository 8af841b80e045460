"""The page of the archives (归档): what was put away, and putting a campaign away; for who looks after the node."""

from pathlib import Path
from tempfile import mkdtemp
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import FileResponse, RedirectResponse
from sqlalchemy import Connection
from starlette.background import BackgroundTask

from ...errors import Problem
from ...mail.stations import own_row
from ...node import Node
from ...scope import Viewer
from ...templating import beijing, page, say
from ...web import Here, posting, visiting
from . import making, repository

router = APIRouter(prefix="/admin/exchange/archives", include_in_schema=False)
Looker = Annotated[Viewer, Depends(visiting("exchange.read"))]
Keeper = Annotated[Viewer, Depends(posting("exchange.change"))]


def _keeps(tx: Connection, viewer: Viewer) -> bool:
    own = own_row(tx)
    return own is None or viewer.unit in own.units


@router.get("")
def overview(request: Request, node: Here, viewer: Looker) -> Response:
    """The campaigns that something was filed for, and the archives that were made."""
    with node.db.read() as tx:
        if not _keeps(tx, viewer):
            return page(request, "exchange/elsewhere.html", own=own_row(tx))
        filed, made = repository.campaigns(tx), repository.made(tx)
    last = {row.campaign: row for row in reversed(made)}
    campaigns = [
        {"ref": ref, "title": _title(node, ref), "count": count, "last": last.get(ref)} for ref, count in filed.items()
    ]
    lines = [{"row": row, "title": _title(node, row.campaign)} for row in made]
    return page(request, "exchange/archives.html", campaigns=campaigns, lines=lines)


def _title(node: Node, campaign: str) -> str:
    known = node.catalog.campaigns.get(campaign)
    return known.title if known is not None else campaign


@router.post("")
def make(
    node: Here, viewer: Keeper, campaign: Annotated[str, Form(max_length=200)],
    again: Annotated[bool, Form()] = False,
) -> Response:  # fmt: skip
    """Make an archive and send it; it is not kept here."""
    back = RedirectResponse("/admin/exchange/archives", 303)
    with node.db.read() as tx:
        if not _keeps(tx, viewer):
            raise Problem("not-allowed")
    folder = Path(mkdtemp(prefix="gmsafety-"))
    file = folder / f"{campaign}-{beijing(node.clock.now(), '%Y%m%d')}.tar".replace("/", "-")
    try:
        made = making.make(node, campaign, file, actor=viewer.actor, again=again, progress=lambda *_: None)
    except Problem as problem:
        _clear(folder)
        say(back, f"{problem.detail}。{problem.type.remedy}。", kind="error")
        return back
    except BaseException:
        _clear(folder)
        raise
    if not made.is_new:
        _clear(folder)
        say(back, f"第{made.number}份归档以后没有变化，没有另写。", kind="info")
        return back
    node.wake()
    return FileResponse(
        file, media_type="application/x-tar", filename=file.name, background=BackgroundTask(_clear, folder)
    )


def _clear(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
