"""The pages of definitions (定义): which are in force, from whom, since when; handed down; an older one used again."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import Connection, select

from gmsafety.content import Content
from gmsafety.errors import GmsafetyError

from ...errors import Problem
from ...mail.stations import own_row
from ...node import Node
from ...regions import IN_FORCE, REFUSED, SUPERSEDED, content_in
from ...scope import Viewer
from ...tables import AnyRow, definitions
from ...templating import page, say
from ...web import Here, posting, visiting
from . import defining, handing_down, service

router = APIRouter(prefix="/admin/exchange/definitions", include_in_schema=False)
Looker = Annotated[Viewer, Depends(visiting("exchange.read"))]
Keeper = Annotated[Viewer, Depends(posting("exchange.change"))]
Reason = Annotated[str, Form(max_length=1000)]
STATES: Mapping[str, str] = {IN_FORCE: "在用", SUPERSEDED: "已被替换", REFUSED: "没有采用"}
_HOME = "/admin/exchange/definitions"


@router.get("")
def overview(request: Request, node: Here, viewer: Looker) -> Response:
    """What is in force, what each node below was sent, and every snapshot there ever was."""
    with node.db.read() as tx:
        if not service.keeps(tx, viewer):
            return page(request, "exchange/elsewhere.html", own=own_row(tx))
        titles = {p.name: p.title for p in service.peer_states(tx)}
        titles[node.settings.node] = "本节点的插件"
        rows = handing_down.all_rows(tx)
        sent = handing_down.sent_rows(tx)
        below = handing_down.has_below(tx, node)
    noted = {r.region for r in rows if r.state == IN_FORCE}
    bare = [c for c in node.catalog.contents if c.plugin not in noted]
    return page(
        request, "exchange/definitions.html", rows=rows, bare=bare, sent=sent, titles=titles, states=STATES,
        counted=_counted(node.catalog.contents), below=below,
    )  # fmt: skip


def _counted(contents: tuple[Content, ...]) -> dict[str, str]:
    """What the regions in force hold, in words."""
    return {c.plugin: _gist(c) for c in contents}


def _gist(content: Content) -> str:
    nouns = (("forms", "张表"), ("checklists", "份检查表"), ("campaigns", "项行动"), ("units", "个单位"))
    return (
        "、".join(f"{len(getattr(content, noun))}{word}" for noun, word in nouns if getattr(content, noun))
        or "没有内容"
    )


@router.get("/{number}")
def show(number: int, request: Request, node: Here, viewer: Looker) -> Response:
    """One snapshot: what it holds, why it was refused, in what it is looser than what is in force."""
    with node.db.read() as tx:
        if not service.keeps(tx, viewer):
            return page(request, "exchange/elsewhere.html", own=own_row(tx))
        row = tx.execute(select(definitions).where(definitions.c.id == number)).first()
        if row is None:
            response = RedirectResponse(_HOME, 303)
            say(response, "没有这份定义。", kind="error")
            return response
        told, wrong = _read(tx, node, row)
        titles = {p.name: p.title for p in service.peer_states(tx)} | {node.settings.node: "本节点的插件"}
    return page(
        request, "exchange/definition.html", row=row, told=told, wrong=wrong, titles=titles, states=STATES,
        gist=_gist(told) if told else "",
        looser=_looser(node, told, row) if told is not None and row.state != IN_FORCE else [],
    )  # fmt: skip


def _read(tx: Connection, node: Node, row: AnyRow) -> tuple[Content | None, str]:
    try:
        return content_in(row), ""
    except GmsafetyError as error:
        return None, str(error)


def _looser(node: Node, told: Content, row: AnyRow) -> list[str]:
    with node.db.read() as tx:
        return defining.looser_than_now(tx, node, told)


@router.post("/{region}/push")
def push(region: str, node: Here, viewer: Keeper) -> Response:
    """Hand a region's definitions down to all nodes below that they concern."""

    def do(tx: Connection) -> str:
        sent = handing_down.push(tx, node, region, to=None, actor=viewer.actor)
        told = "、".join(f"{s.region}第{s.number}号（{s.receiver}）" for s in sent)
        return f"已列入待发：{told}。" if sent else "下级节点都已有这一份，没有再发。"

    return _done(node, viewer, do)


@router.post("/{number}/use")
def use(number: int, node: Here, viewer: Keeper, reason: Reason = "", looser: str = Form("")) -> Response:
    """Put a snapshot in force that is not; where it is looser, that has to be ticked."""

    def do(tx: Connection) -> str:
        row = defining.use_again(tx, node, number, reason=reason, looser=bool(looser), actor=viewer.actor)
        return f"已改用{row.title}第{row.number}号定义。"

    return _done(node, viewer, do, f"{_HOME}/{number}")


def _done(node: Node, viewer: Viewer, do: Any, back: str = _HOME) -> Response:
    try:
        with node.db.write() as tx:
            if not service.keeps(tx, viewer):
                raise Problem("not-allowed")
            said = do(tx)
    except Problem as problem:
        response = RedirectResponse(back, 303)
        wrong = "；".join(
            e["message"] for e in problem.more.get("errors", ())[:3] if e["message"] not in problem.detail
        )
        say(response, f"{problem.detail}{'：' if wrong else ''}{wrong}。{problem.type.remedy}。", kind="error")
        return response
    node.wake()
    response = RedirectResponse(_HOME, 303)
    say(response, said)
    return response
