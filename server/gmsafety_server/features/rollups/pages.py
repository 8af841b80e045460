"""The pages of roll-ups: what is to be rolled up, one result with everything it is made of, what is done with it."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Form, Query, Request, Response, UploadFile
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse
from pydantic import ValidationError

from ...carried import record_of
from ...errors import Problem
from ...node import Node
from ...scope import Viewer
from ...templating import page, say
from ...web import Here, Paging, posting, visiting
from ..submissions.papers import Suffix
from ..submissions.views import attachment
from . import entry, handling, repository, screens, service, views
from .gathering import made_of
from .schemas import AdjustmentIn, Basis, FileIn, RollupIn

router = APIRouter(include_in_schema=False)
Reader = Annotated[Viewer, Depends(visiting("rollup.read"))]
Writer = Annotated[Viewer, Depends(visiting("rollup.write"))]
Doer = Annotated[Viewer, Depends(posting("rollup.write"))]
Text = Annotated[str, Form(max_length=4000)]
Etag = Annotated[int, Form(ge=0, le=10**9)]
_LINES = 40


@router.get("/rollups")
def board(
    request: Request,
    node: Here,
    viewer: Reader,
    item: Annotated[str, Query(max_length=200)] = "",
    of: Annotated[str, Query(max_length=10)] = "",
    number: Annotated[int, Query(alias="page", ge=1, le=10_000)] = 1,
) -> Response:
    """What is to be rolled up, and how far it has come; or the roll-ups of the units below."""
    paging = Paging(page=number, size=_LINES)
    with node.db.read() as tx:
        lines, total = screens.below(tx, node, viewer, paging) if of == "below" else (
            screens.board(tx, node, viewer, item, paging)
        )  # fmt: skip
        items = screens.items_of(tx, node, viewer)
        _, lower = screens.below(tx, node, viewer, Paging(page=1, size=1))
    pages = max(1, -(-total // _LINES))
    return page(
        request, "rollups/board.html", lines=lines, items=items, item=item, of=of, below=lower,
        may_write=viewer.may("rollup.write", viewer.path), pager={"number": number, "pages": pages, "total": total},
    )  # fmt: skip


@router.post("/rollups")
def make(
    node: Here, viewer: Doer, campaign: Text, item: Text, period: Annotated[date, Form()],
    basis: Annotated[Basis, Form()] = "accepted",
) -> Response:  # fmt: skip
    """Roll up, and go and look at it."""
    told = RollupIn(item=item, period=period, campaign=campaign, basis=basis)
    uid, _ = handling.make_or_find(node, viewer, told, None)
    return _back(uid, "已汇总。请核对各数的来源，补上本级的部分，再报送上级。")


def _back(uid: str, words: str = "", *, kind: str = "success", to: str = "") -> Response:
    response = RedirectResponse(f"/rollups/{uid}{to}", 303)
    if words:
        say(response, words, kind=kind)
    return response


@router.get("/rollups/{uid}")
def show(uid: str, request: Request, node: Here, viewer: Reader) -> Response:
    """A roll-up: the table as it is printed, where its numbers come from, what is missing, what has changed."""
    with node.db.read() as tx:
        shown = screens.screen(tx, node, viewer, uid)
    return page(request, "rollups/rollup.html", s=shown)


@router.get("/rollups/{uid}/cells/{path}")
def show_cell(uid: str, path: str, request: Request, node: Here, viewer: Reader) -> Response:
    """Where a number comes from."""
    with node.db.read() as tx:
        told = screens.traced(tx, node, viewer, uid, path)
    return page(request, "rollups/cell.html", **told)


@router.get("/rollups/{uid}/download.{suffix}")
def download(uid: str, suffix: Suffix, node: Here, viewer: Reader) -> Response:
    """The result as a file."""
    return handling.downloaded(node, viewer, uid, suffix)


@router.get("/rollups/{uid}/own/file")
def own_file(uid: str, node: Here, viewer: Reader) -> Response:
    """The file of the own part."""
    with node.db.read() as tx:
        return attachment(*views.own_file(tx, viewer, uid))


@router.post("/rollups/{uid}/refresh")
def refresh(uid: str, node: Here, viewer: Doer, etag: Etag, basis: Annotated[Basis | None, Form()] = None) -> Response:
    """Count what is in force now."""
    with node.db.write() as tx:
        service.refresh(tx, node, viewer, uid, seen=etag, basis=basis)
    return _back(uid, "已按下级现在有效的各版重新汇总。")


def _own_page(request: Request, node: Node, viewer: Viewer, uid: str, typed: entry.Typed | None = None) -> Response:
    with node.db.read() as tx:
        row = service.find(tx, viewer, "rollup.write", uid)
        made = made_of(tx, node, row)
        last = repository.own_before(tx, row)
        before = record_of(last["body"], last["origin"], node.catalog) if last else None
        period = screens.caption(tx, node, row)
    sections = [] if made.parts.form.is_grid else entry.sections(made, before, typed)
    return page(
        request, "rollups/own.html", status=422 if typed else 200, row=row, made=made, sections=sections,
        errors=typed.errors if typed else {}, own=views.own(made), period=period, form=made.parts.form,
    )  # fmt: skip


@router.get("/rollups/{uid}/own")
def own(uid: str, request: Request, node: Here, viewer: Writer) -> Response:
    """The unit's own part, to be filled in."""
    return _own_page(request, node, viewer, uid)


@router.post("/rollups/{uid}/own")
async def sent_own(uid: str, request: Request, node: Here, viewer: Doer) -> Response:
    """Take what was typed; what was not understood is said at its blank."""
    fields = {str(k): str(v) for k, v in (await request.form()).items()}
    return await run_in_threadpool(_take_typed, request, node, viewer, uid, fields)


def _take_typed(request: Request, node: Node, viewer: Viewer, uid: str, fields: dict[str, str]) -> Response:
    with node.db.read() as tx:
        made = made_of(tx, node, service.find(tx, viewer, "rollup.write", uid))
    taken, typed = entry.read_back(made, fields)
    if taken is None:
        return _own_page(request, node, viewer, uid, typed)
    with node.db.write() as tx:
        service.set_own(tx, node, viewer, uid, seen=_etag(fields), own=taken)
    return _back(uid, "本级部分已保存，汇总数已随之更新。")


def _etag(fields: dict[str, str]) -> int:
    text = fields.get("etag", "")
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise Problem("stale")
    return int(text)


@router.post("/rollups/{uid}/own/file")
def sent_own_file(uid: str, node: Here, viewer: Doer, etag: Etag, file: Annotated[UploadFile, File()]) -> Response:
    """Take the own part out of a file."""
    handling.take_own(node, viewer, uid, etag, handling.enclosed(file))
    return _back(uid, "已读取本级的表，汇总数已随之更新。")


@router.post("/rollups/{uid}/own/drop")
def drop_own(uid: str, node: Here, viewer: Doer, etag: Etag) -> Response:
    """Take the own part away."""
    with node.db.write() as tx:
        service.set_own(tx, node, viewer, uid, seen=etag, own=None)
    return _back(uid, "已去掉本级部分。", kind="info")


def _adjusting(
    request: Request, node: Node, viewer: Viewer, uid: str, *, asked: dict[str, Any], wrong: list[str]
) -> Response:
    with node.db.read() as tx:
        row = service.find(tx, viewer, "rollup.write", uid)
        made = made_of(tx, node, row)
        period = screens.caption(tx, node, row)
    return page(
        request, "rollups/adjustments.html", status=422 if wrong else 200, row=row, form=made.parts.form, wrong=wrong,
        asked=asked, adjustments=views.adjustments(made), numbers=screens.numbers_of(made), period=period,
    )  # fmt: skip


@router.get("/rollups/{uid}/adjustments")
def adjustments(
    uid: str, request: Request, node: Here, viewer: Writer, path: Annotated[str, Query(max_length=200)] = ""
) -> Response:
    """The adjustments, and one more."""
    return _adjusting(request, node, viewer, uid, asked={"path": path}, wrong=[])


@router.post("/rollups/{uid}/adjustments")
def adjust(
    uid: str, request: Request, node: Here, viewer: Doer, etag: Etag, path: Text = "", how: Text = "delta",
    amount: Text = "", reason: Text = "",
) -> Response:  # fmt: skip
    """Add an adjustment; the amount is in the words of the paper (万元)."""
    asked = {"path": path, "how": how, "amount": amount, "reason": reason}
    try:
        with node.db.write() as tx:
            row = service.find(tx, viewer, "rollup.write", uid)
            kept = [AdjustmentIn.model_validate(_plain(a)) for a in row.adjustments]
            value = screens.amount_of(made_of(tx, node, row), path, amount)
            told = AdjustmentIn.model_validate({"path": path, "reason": reason, how: value})
            service.adjust(tx, node, viewer, uid, seen=etag, told=[*kept, told])
    except ValidationError as error:
        wrong = ["请写明原因" if "reason" in e["loc"] else "请核对调整的数" for e in error.errors()]
        return _adjusting(request, node, viewer, uid, asked=asked, wrong=list(dict.fromkeys(wrong)))
    except Problem as problem:
        if problem.type.slug != "not-valid":
            raise
        wrong = [e["message"] for e in problem.more.get("errors", ())] or [problem.detail]
        return _adjusting(request, node, viewer, uid, asked=asked, wrong=wrong)
    return _back(uid, "已调整，原因随表记录。", to="#adjustments")


def _plain(told: dict[str, Any]) -> dict[str, Any]:
    return {n: told.get(n) for n in ("path", "delta", "value", "reason")}


@router.post("/rollups/{uid}/adjustments/{index}/drop")
def drop_adjustment(uid: str, index: int, node: Here, viewer: Doer, etag: Etag) -> Response:
    """Take an adjustment back."""
    with node.db.write() as tx:
        row = service.find(tx, viewer, "rollup.write", uid)
        if not 0 <= index < len(row.adjustments):
            raise Problem("stale")
        kept = [AdjustmentIn.model_validate(_plain(a)) for n, a in enumerate(row.adjustments) if n != index]
        service.adjust(tx, node, viewer, uid, seen=etag, told=kept)
    return _back(uid, "已撤销一项调整。", kind="info", to="#adjustments")


def _filing(
    request: Request, node: Node, viewer: Viewer, uid: str, *, asked: dict[str, str], wrong: str = ""
) -> Response:
    with node.db.read() as tx:
        service.find(tx, viewer, "rollup.write", uid)
        shown = screens.screen(tx, node, viewer, uid)
    return page(
        request, "rollups/file.html", status=422 if wrong else 200, s=shown, asked=asked, wrong=wrong,
        late=screens.is_late(shown, node.clock.now()),
    )  # fmt: skip


@router.get("/rollups/{uid}/file")
def filing(uid: str, request: Request, node: Here, viewer: Writer) -> Response:
    """What is about to be filed, and with whom."""
    return _filing(request, node, viewer, uid, asked={})


def _corrects_nothing(node: Node, viewer: Viewer, uid: str, supersedes: str) -> int:
    """The revision that is to be corrected, where it says the very same."""
    with node.db.read() as tx:
        shown = screens.screen(tx, node, viewer, uid)
    upward = shown.told["upward"] or {}
    return shown.same_as if upward.get("current_hash") == supersedes else 0


@router.post("/rollups/{uid}/file")
def file_it(
    uid: str, request: Request, node: Here, viewer: Doer, etag: Etag, reason: Text = "", note: Text = "",
    supersedes: Text = "",
) -> Response:  # fmt: skip
    """File it; pressed twice, it is filed once."""
    words = {"reason": reason.strip() or None, "note": note.strip() or None, "supersedes": supersedes or None}
    if supersedes and not words["note"] and (same := _corrects_nothing(node, viewer, uid, supersedes)):
        wrong = f"与已报的第{same}版内容相同；仍要报送的，请在报送说明里写明原因。"
        return _filing(request, node, viewer, uid, asked={"reason": reason, "note": note}, wrong=wrong)
    try:
        told = FileIn.model_validate({"message_id": f"rollup-{uid}-{etag}", **words})
        handling.file_upward(node, viewer, uid, etag, told)
    except ValidationError:
        return _filing(request, node, viewer, uid, asked={"reason": reason, "note": note}, wrong="请核对所填的文字")
    except Problem as problem:
        if problem.type.slug not in ("reason-needed", "not-valid"):
            raise
        wrong = f"{problem.detail}。{problem.type.remedy}。"
        return _filing(request, node, viewer, uid, asked={"reason": reason, "note": note}, wrong=wrong)
    return _back(uid, "已报送上级，回执见报送记录。")
