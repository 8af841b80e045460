"""The interface of roll-ups for programs."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Header, Query, Response, UploadFile

from gmsafety.codes import Level

from ...node import Node
from ...scope import Viewer
from ...web import Here, IfMatch, Page, etag, if_match, paged, problems, signed_in
from ..submissions.papers import PAPERS, Suffix
from ..submissions.schemas import Name
from ..submissions.views import attachment
from . import handling, owning, service, views
from .gathering import form_of
from .schemas import (
    AdjustmentsIn,
    Basis,
    CellOut,
    FileIn,
    OwnIn,
    RollupDetail,
    RollupIn,
    RollupList,
    State,
    TotalsOut,
)
from .totals import TotalsAsked

router = APIRouter(prefix="/api/v1", tags=["汇总"])
Reader = Annotated[Viewer, Depends(signed_in("rollup.read"))]
Writer = Annotated[Viewer, Depends(signed_in("rollup.write"))]
_FILE: dict[int | str, dict[str, Any]] = {200: {"content": {"*/*": {}}, "description": "文件"}}
_CHANGING = problems("not-found", "stale", "if-match-missing")
_OWN = {**_CHANGING, **problems("unreadable", "wrong-form", "too-large")}
_FILING = {
    **_CHANGING,
    **problems(
        "not-owed", "reason-needed", "other-content", "revision-exists", "accepted", "draft-exists", "closed",
        "too-early", "too-large",
    ),
}  # fmt: skip


def _answer(node: Node, viewer: Viewer, uid: str, response: Response, action: str = "rollup.write") -> dict[str, Any]:
    with node.db.read() as tx:
        detail = views.detail(tx, node, viewer, uid, action=action)
    response.headers.update(etag(detail["etag"]))
    response.headers["Location"] = f"/api/v1/rollups/{uid}"
    return detail


def if_match_given(
    value: Annotated[str | None, Header(alias="If-Match", description="已汇总过、要更新时：读到的 ETag")] = None,
) -> int | None:
    """The version the client saw, where it names one."""
    return None if value is None else if_match(value)


@router.post(
    "/rollups",
    status_code=201,
    response_model=RollupDetail,
    responses={
        **problems("not-owed", "no-step", "stale", "if-match-missing"),
        200: {"model": RollupDetail, "description": "已汇总过"},
    },
)
def make_rollup(
    told: RollupIn, node: Here, viewer: Writer, response: Response, seen: Annotated[int | None, Depends(if_match_given)]
) -> dict[str, Any]:
    """汇总下级的一张表。已汇总过的，带 If-Match 则按现在有效的各版更新，不带则原样返回（200）。"""
    uid, fresh = handling.make_or_find(node, viewer, told, seen)
    response.status_code = 201 if fresh else 200
    return _answer(node, viewer, uid, response)


class Filters:
    """What a list is narrowed to."""

    def __init__(
        self,
        unit: Annotated[Name | None, Query()] = None,
        campaign: Annotated[Name | None, Query()] = None,
        item: Annotated[Name | None, Query()] = None,
        period: Annotated[date | None, Query()] = None,
        state: Annotated[State | None, Query()] = None,
    ) -> None:
        self.values = {"unit": unit, "campaign": campaign, "item": item, "period": period, "state": state}


@router.get("/rollups", response_model=RollupList, responses=problems())
def list_rollups(node: Here, viewer: Reader, paging: Page, filters: Annotated[Filters, Depends()]) -> dict[str, Any]:
    """看得到的汇总，最近的期次在前。"""
    with node.db.read() as tx:
        items, total = views.listed(tx, node, viewer, filters.values, paging)
    return paged(items, total, paging)


@router.get("/rollups/{uid}", response_model=RollupDetail, responses=problems("not-found"))
def get_rollup(uid: str, node: Here, viewer: Reader, response: Response) -> dict[str, Any]:
    """一份汇总：结果、每个数的出处、未计入的单位、核对结果、下级变化的影响。"""
    return _answer(node, viewer, uid, response, "rollup.read")


@router.get("/rollups/{uid}/cells/{path}", response_model=CellOut, responses=problems("not-found"))
def get_cell(uid: str, path: str, node: Here, viewer: Reader) -> dict[str, Any]:
    """一个数（台账：一行，`rows[0]`）的出处，一直到下级文件的单元格。"""
    with node.db.read() as tx:
        return views.cell(tx, node, viewer, uid, path)


@router.post("/rollups/{uid}/refresh", response_model=RollupDetail, responses=_CHANGING)
def refresh_rollup(uid: str, node: Here, viewer: Writer, seen: IfMatch, response: Response) -> dict[str, Any]:
    """按下级现在有效的各版重新汇总。"""
    with node.db.write() as tx:
        service.refresh(tx, node, viewer, uid, seen=seen)
    return _answer(node, viewer, uid, response)


@router.put("/rollups/{uid}/own", response_model=RollupDetail, responses=_OWN)
def set_own(uid: str, told: OwnIn, node: Here, viewer: Writer, seen: IfMatch, response: Response) -> dict[str, Any]:
    """填写本级自己的部分（JSON）。"""
    with node.db.read() as tx:
        row = service.find(tx, viewer, "rollup.write", uid)
        form = form_of(node, row.item, row.period)
    own = owning.from_body(form, told.body, told.file)
    with node.db.write() as tx:
        service.set_own(tx, node, viewer, uid, seen=seen, own=own)
    return _answer(node, viewer, uid, response)


@router.put("/rollups/{uid}/own/file", response_model=RollupDetail, responses=_OWN)
def set_own_file(
    uid: str,
    file: Annotated[UploadFile, File(description="本级的表：xlsx、docx 或 JSON")],
    node: Here,
    viewer: Writer,
    seen: IfMatch,
    response: Response,
) -> dict[str, Any]:
    """上传本级自己的部分。"""
    handling.take_own(node, viewer, uid, seen, handling.enclosed(file))
    return _answer(node, viewer, uid, response)


@router.get("/rollups/{uid}/own/file", response_class=Response, responses={**problems("not-found"), **_FILE})
def get_own_file(uid: str, node: Here, viewer: Reader) -> Response:
    """本级部分的原始文件，一字节不差。"""
    with node.db.read() as tx:
        return attachment(*views.own_file(tx, viewer, uid))


@router.delete("/rollups/{uid}/own", response_model=RollupDetail, responses=_CHANGING)
def drop_own(uid: str, node: Here, viewer: Writer, seen: IfMatch, response: Response) -> dict[str, Any]:
    """去掉本级自己的部分。"""
    with node.db.write() as tx:
        service.set_own(tx, node, viewer, uid, seen=seen, own=None)
    return _answer(node, viewer, uid, response)


@router.put("/rollups/{uid}/adjustments", response_model=RollupDetail, responses=_CHANGING)
def set_adjustments(
    uid: str, told: AdjustmentsIn, node: Here, viewer: Writer, seen: IfMatch, response: Response
) -> dict[str, Any]:
    """调整汇总出来的数，每项写明原因；整体替换以前的调整。台账不能调整。"""
    with node.db.write() as tx:
        service.adjust(tx, node, viewer, uid, seen=seen, told=told.adjustments)
    return _answer(node, viewer, uid, response)


@router.post("/rollups/{uid}/file", response_model=RollupDetail, responses=_FILING)
def file_rollup(
    uid: str, told: FileIn, node: Here, viewer: Writer, seen: IfMatch, response: Response
) -> dict[str, Any]:
    """把汇总结果作为本单位的报表报送上级。重发同一 `message_id` 不会重复报送。"""
    handling.file_upward(node, viewer, uid, seen, told)
    return _answer(node, viewer, uid, response)


@router.get("/rollups/{uid}/download.{suffix}", response_class=Response, responses={**problems("not-found"), **PAPERS})
def download(uid: str, suffix: Suffix, node: Here, viewer: Reader) -> Response:
    """下载：xlsx、docx 为正式样式，json 为记录，printed.json 为按表上的字写的内容和每个数的出处。"""
    return handling.downloaded(node, viewer, uid, suffix)


@router.get("/totals", response_model=TotalsOut, responses=problems("no-step"))
def get_totals(
    item: Annotated[Name, Query(examples=["shanxi.weekly-dispatch"])],
    period: Annotated[date, Query(examples=["2025-01-03"])],
    level: Annotated[Level, Query(description="汇总哪一级单位的表")],
    by: Annotated[Level, Query(description="按哪一级的上级分组")],
    node: Here,
    viewer: Reader,
    basis: Basis = "accepted",
    campaign: Annotated[Name | None, Query()] = None,
) -> dict[str, Any]:
    """看得到的某级单位的表，按上级分组求和；只含可以相加的数，金额以元计。"""
    form = form_of(node, item, period)
    asked = TotalsAsked(period, level, by, basis, campaign)
    with node.db.read() as tx:
        return views.totals_of(tx, node, viewer, form, asked)
