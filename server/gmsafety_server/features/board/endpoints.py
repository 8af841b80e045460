"""The interface of due list, board and calendar feeds for programs."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response

from ...errors import Problem
from ...scope import Viewer
from ...web import Here, problems, signed_in
from . import calendar, feeds, listing, owing, service
from .remembered import Memory
from .schemas import (
    Asked,
    Board,
    BoardAsked,
    DueList,
    FeedOut,
    Name,
    NewFeed,
    Range,
    Summary,
    UnitList,
    UnitsAsked,
)

router = APIRouter(prefix="/api/v1", tags=["进度"])
public = APIRouter(tags=["进度"])
Reader = Annotated[Viewer, Depends(signed_in("board.read"))]
Owner = Annotated[Viewer, Depends(signed_in("feed.own"))]
Number = Annotated[int, Path(ge=1, le=2**53)]
_ICS: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/calendar": {}}, "description": "日历（iCalendar）"},
    304: {"description": "没有变化"},
}


class DueAsked(Range):
    """Whose due list, and of which time."""

    unit: Name | None = None


def due_asked(
    unit: Annotated[Name | None, Query(description="单位；不写则为本单位")] = None,
    first: Annotated[date | None, Query(alias="from", description="从哪一期起（含）；不写则为60天前")] = None,
    last: Annotated[date | None, Query(alias="to", description="到哪一期止（含）；不写则为31天后")] = None,
) -> DueAsked:
    """The question of a due list."""
    return DueAsked.model_validate({"unit": unit, "from": first, "to": last})


@router.get("/due", response_model=DueList, responses=problems("not-found"))
def get_due(node: Here, viewer: Reader, asked: Annotated[DueAsked, Depends(due_asked)]) -> DueList:
    """一个单位要报的：期限、状态、剩余时间、现行一版、草稿、退回原因、节假日提示、依据。"""
    with node.db.read() as tx:
        return owing.due_list(tx, node, viewer, unit=asked.unit, between=(asked.first, asked.last))


@router.get("/board", response_model=Board, responses=problems("not-found"))
def get_board(node: Here, viewer: Reader, memory: Memory, asked: Annotated[BoardAsked, Query()]) -> Response:
    """报送进度：行为单位（分页），列为期次，附各期和总的合计。

    应报为已到报送期的应报数；已报含零报告和已退回的；按时与否以首次收到的时间（回执）为准。
    报送率 = 已报 ÷ 应报；按时率 = 按时 ÷（按时＋迟报＋未报）；分母为0时为空。
    """
    with node.db.read() as tx:
        made = service.board(tx, node, memory, viewer, asked)
    return Response(made.model_dump_json(), media_type="application/json")


@router.get("/board/units", response_model=UnitList, responses=problems("not-found"))
def get_units(node: Here, viewer: Reader, memory: Memory, asked: Annotated[UnitsAsked, Query()]) -> Response:
    """各单位在所选期次内的报送数（分页），可按状态、层级、行政区划筛选，可排序；合计为所列全部单位。

    各数和比率的定义同 `/board`。按状态筛选，列出该状态的数不为0的单位。
    """
    with node.db.read() as tx:
        made = listing.list_units(tx, node, memory, viewer, asked)
    return Response(made.model_dump_json(), media_type="application/json")


@router.get("/board/summary", response_model=Summary, responses=problems("not-found"))
def get_summary(node: Here, viewer: Reader, memory: Memory, asked: Annotated[Asked, Query()]) -> Summary:
    """报送进度，按直属下级汇总（各含其全部下级）；比率的定义同 `/board`。"""
    with node.db.read() as tx:
        return service.summary(tx, node, memory, viewer, asked)


@router.post("/feeds", status_code=201, response_model=NewFeed, responses=problems())
def make_feed(request: Request, node: Here, viewer: Owner) -> NewFeed:
    """为本单位生成一个日历订阅地址。地址只显示这一次；知道地址的人不用登录就能看到本单位的报送期限。"""
    with node.db.write() as tx:
        return feeds.make(tx, node, viewer, base=str(request.base_url))


@router.get("/feeds", response_model=list[FeedOut], responses=problems())
def list_feeds(node: Here, viewer: Owner) -> list[FeedOut]:
    """本单位的日历订阅，最新的在前；不含地址。"""
    with node.db.read() as tx:
        return feeds.listed(tx, viewer)


@router.delete("/feeds/{number}", status_code=204, responses=problems("not-found"))
def revoke_feed(number: Number, node: Here, viewer: Owner) -> None:
    """撤销本单位的一个日历订阅；已撤销的再撤销一次也无妨。"""
    with node.db.write() as tx:
        feeds.revoke(tx, node, viewer, number)


@public.head("/feeds/{secret}.ics", include_in_schema=False)
@public.get("/feeds/{secret}.ics", response_class=Response, responses={**_ICS, **problems("not-found", public=True)})
def get_feed(
    secret: Annotated[str, Path(max_length=200)],
    node: Here,
    seen: Annotated[str | None, Header(alias="If-None-Match")] = None,
    since: Annotated[str | None, Header(alias="If-Modified-Since")] = None,
) -> Response:
    """一个单位的报送期限，日历程序可以订阅；不用登录，地址即凭据。"""
    with node.db.read() as tx:
        made = calendar.of_feed(tx, node, secret)
    if made is None:
        raise Problem("not-found")
    if made.is_known(seen, since):
        return Response(status_code=304, headers=made.headers)
    return Response(made.content, headers=made.headers, media_type="text/calendar; charset=utf-8")
