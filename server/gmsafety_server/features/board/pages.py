"""The pages of desk, due list, board and calendar feeds."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Annotated, Any, Generic, TypeVar
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError
from sqlalchemy import Connection

from gmsafety.calendar import WorkCalendar
from gmsafety.codes import Level
from gmsafety.duties import Duty

from ...captions import period_caption
from ...directory import Directory
from ...errors import Problem
from ...node import Node
from ...scope import Viewer
from ...templating import page, say
from ...web import Here, posting, visiting
from ..submissions.views import attachment
from . import exports, feeds, listing, owing, service, unit_exports
from .choosing import choose, offers
from .desk import Task, desk, tasks_of
from .drawing import draw
from .endpoints import DueAsked, Number
from .remembered import Memory
from .schemas import Asked, BoardAsked, FeedOut, Range, Searched, UnitsAsked
from .states import WORDS
from .tallies import rate
from .words import weekday, when

router = APIRouter(include_in_schema=False)
Reader = Annotated[Viewer, Depends(visiting("board.read"))]
Owner = Annotated[Viewer, Depends(visiting("feed.own"))]
Changer = Annotated[Viewer, Depends(posting("feed.own"))]
_Asked = TypeVar("_Asked", bound=Range)
_Searched = TypeVar("_Searched", bound=Searched)
_COLUMNS = 6
_ALL = 10_000
_WEEK = timedelta(days=6)  # a week's time begins on Saturday
_EXPORTED = 5000
_EXPORTED_UNITS = 100_000
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@router.get("/")
def show_desk(request: Request, node: Here, viewer: Reader) -> Response:
    """The desk."""
    with node.db.read() as tx:
        laid = desk(tx, node, viewer)
    request.state.counts = {"/review": laid.waiting_total, "/": len(laid.returned) + len(laid.overdue)}
    today = node.clock.today()
    day = f"{today.month}月{today.day}日 {weekday(today)}"
    return page(
        request, "board/desk.html", desk=laid, day=day, may_file=viewer.may("submission.file"),
        may_decide=viewer.may("submission.decide"), rate=rate,
    )  # fmt: skip


@router.get("/due")
def show_due(request: Request, node: Here, viewer: Reader) -> Response:
    """Everything that a unit owes in a time."""
    asked = _taken(DueAsked, _queried(request))
    with node.db.read() as tx:
        told = owing.due_list(tx, node, viewer, unit=asked.unit, between=(asked.first, asked.last))
        own = told.unit == viewer.unit
        tasks = tasks_of(tx, viewer, told) if own else [Task(d, when(d.due_at, told.now), None) for d in told.items]
    return page(request, "board/due.html", told=told, tasks=tasks, asked=asked, own=own)


@dataclass(frozen=True, slots=True)
class Choice:
    """An option of a filter."""

    value: str
    label: str
    chosen: bool


@dataclass(frozen=True)
class Filters(Generic[_Searched]):
    """What a board is narrowed to, as its page offers it."""

    asked: _Searched
    what: list[tuple[str, list[Choice]]]
    first: list[Choice]
    last: list[Choice]
    levels: list[Choice]
    states: list[Choice]
    unit_name: str
    areas: list[Choice]

    def query(self, **changed: Any) -> str:
        """The address of the same board, with something changed."""
        told = self.asked.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        told = {**told, **changed}
        return urlencode({name: value for name, value in told.items() if value not in (None, "")})


def board_asked(request: Request) -> BoardAsked:
    """What the page asks for."""
    return _taken(BoardAsked, _with_item(_queried(request)))


def units_asked(request: Request) -> UnitsAsked:
    """What the page asks for."""
    return _taken(UnitsAsked, _with_item(_queried(request)))


def _with_item(told: dict[str, str]) -> dict[str, str]:
    """`what` is campaign and item in one field."""
    if "~" in told.get("what", ""):
        told["campaign"], _, told["item"] = told.pop("what").partition("~")
    return told


def _queried(request: Request) -> dict[str, str]:
    """What an address asks for: an empty field is none; days the other way round mean what lies between them."""
    told = {name: value for name, value in request.query_params.items() if value}
    if told.get("from", "") > told.get("to", "~"):
        told["from"], told["to"] = told["to"], told["from"]
    return told


def _taken(kind: type[_Asked], told: Mapping[str, str]) -> _Asked:
    try:
        return kind.model_validate(told)
    except ValidationError as error:
        wrong = [{"field": str(e["loc"][-1]) if e["loc"] else "", "message": e["msg"]} for e in error.errors()]
        raise Problem("not-valid", errors=wrong) from error


AskedOfPage = Annotated[BoardAsked, Depends(board_asked)]
UnitsOfPage = Annotated[UnitsAsked, Depends(units_asked)]


def _settled(
    tx: Connection, node: Node, viewer: Viewer, asked: _Searched, columns: int = _COLUMNS
) -> tuple[_Searched, Filters[_Searched]]:
    """The board that is meant: where no weeks are named, the last ones up to the current."""
    directory = node.directory(tx)
    chosen = choose(tx, node, directory, viewer, asked)
    days = _days(chosen.duty, node.catalog.calendar)
    begun = max(1, sum(day <= node.clock.today() + _WEEK for day in days))
    first, last = asked.first, asked.last
    if days and first not in days and last not in days:  # none is named, or those of another table
        first, last = days[max(0, begun - columns)], days[begun - 1]
    named = {"campaign": chosen.campaign.ref, "item": chosen.item.ref, "first": first, "last": last}
    settled = asked.model_copy(update=named)
    periods = {day: period_caption(node.catalog, chosen.campaign.ref, chosen.duty.id, day) for day in days}
    return settled, Filters(
        asked=settled, what=_what(node, viewer, directory, settled),
        first=_chosen_day(periods, first), last=_chosen_day(periods, last),
        levels=[Choice(level.value, level.chinese, level == asked.level) for level in Level if level.depth],
        states=[Choice(word, label, word == asked.state) for word, label in WORDS.items()],
        unit_name=directory.name(chosen.unit) if asked.unit else "",
        areas=_areas(directory, chosen.unit, getattr(asked, "area", None)),
    )  # fmt: skip


@lru_cache(maxsize=256)
def _days(duty: Duty, calendar: WorkCalendar) -> tuple[date, ...]:
    return tuple(o.period for o in duty.occurrences(calendar))


def _areas(directory: Directory, unit: str, chosen: str | None) -> list[Choice]:
    offered = {a.code: a.name for a in listing.areas_below(directory, unit)}
    known = directory.catalog.areas.get(chosen) if chosen else None
    if chosen and chosen not in offered:
        offered[chosen] = known.name if known else chosen
    return [Choice(code, name, code == chosen) for code, name in offered.items()]


def _what(node: Node, viewer: Viewer, directory: Any, asked: Searched) -> list[tuple[str, list[Choice]]]:
    groups: dict[str, list[Choice]] = {}
    for offer in offers(node, directory, viewer):
        is_chosen = (offer.campaign, offer.item) == (asked.campaign, asked.item)
        choice = Choice(f"{offer.campaign}~{offer.item}", offer.title, is_chosen)
        groups.setdefault(offer.campaign_title, []).append(choice)
    return list(groups.items())


def _chosen_day(periods: Mapping[date, str], chosen: date | None) -> list[Choice]:
    return [Choice(day.isoformat(), title, day == chosen) for day, title in periods.items()]


@router.get("/board")
def show_board(request: Request, node: Here, viewer: Reader, memory: Memory, asked: AskedOfPage) -> Response:
    """Units by periods."""
    with node.db.read() as tx:
        settled, filters = _settled(tx, node, viewer, asked)
        made, table = service.shown(tx, node, memory, viewer, settled, draw)
    href = f"/board?{filters.query(page=None)}&page={{page}}"
    pager = {"number": made.page, "pages": made.pages, "total": made.total, "href": href}
    return page(
        request, "board/board.html", board=made, table=table, filters=filters, pager=pager, rate=rate,
        definitions=exports.DEFINITIONS,
    )  # fmt: skip


@router.get("/board/units")
def show_units(request: Request, node: Here, viewer: Reader, memory: Memory, asked: UnitsOfPage) -> Response:
    """Every unit with its counts; where no weeks are named, of all up to the current."""
    with node.db.read() as tx:
        settled, filters = _settled(tx, node, viewer, asked, columns=_ALL)
        made = listing.list_units(tx, node, memory, viewer, settled)
    href = f"/board/units?{filters.query(page=None)}&page={{page}}"
    pager = {"number": made.page, "pages": made.pages, "total": made.total, "href": href}
    return page(
        request, "board/units.html", made=made, filters=filters, pager=pager, rate=rate,
        definitions=exports.DEFINITIONS,
    )  # fmt: skip


@router.get("/board/units.{suffix}")
def download_units(suffix: str, node: Here, viewer: Reader, memory: Memory, asked: UnitsOfPage) -> Response:
    """The list as a file, with all units that are listed."""
    if suffix not in ("csv", "xlsx"):
        raise Problem("not-found")
    with node.db.read() as tx:
        settled, _ = _settled(tx, node, viewer, asked, columns=_ALL)
        every = settled.model_copy(update={"page": 1, "size": _EXPORTED_UNITS})
        made = listing.list_units(tx, node, memory, viewer, every)
    name = f"{made.title} 各单位报送情况 {node.clock.today().isoformat()}.{suffix}"
    if suffix == "csv":
        return attachment(name, "text/csv; charset=utf-8", unit_exports.to_csv(made))
    return attachment(name, _XLSX, unit_exports.to_xlsx(made))


@router.get("/board/summary")
def show_summary(request: Request, node: Here, viewer: Reader, memory: Memory, asked: AskedOfPage) -> Response:
    """The units directly below, each with all that is under it."""
    with node.db.read() as tx:
        settled, filters = _settled(tx, node, viewer, asked)
        made = service.summary(tx, node, memory, viewer, Asked.model_validate(_plain(settled)))
    return page(
        request, "board/summary.html", made=made, filters=filters, rate=rate, definitions=exports.DEFINITIONS
    )  # fmt: skip


def _plain(asked: BoardAsked) -> Mapping[str, Any]:
    return asked.model_dump(by_alias=True)


@router.get("/board.{suffix}")
def download(suffix: str, node: Here, viewer: Reader, memory: Memory, asked: AskedOfPage) -> Response:
    """The board as a file, with all its units."""
    if suffix not in ("csv", "xlsx"):
        raise Problem("not-found")
    with node.db.read() as tx:
        settled, _ = _settled(tx, node, viewer, asked)
        made = service.board(tx, node, memory, viewer, settled.model_copy(update={"page": 1, "size": _EXPORTED}))
    if made.pages > 1:
        raise Problem("not-valid", f"单位太多（{made.total}个），请先按单位或层级缩小范围，再下载")
    name = f"{made.title} 报送进度 {node.clock.today().isoformat()}.{suffix}"
    if suffix == "csv":
        return attachment(name, "text/csv; charset=utf-8", exports.to_csv(made))
    return attachment(name, _XLSX, exports.to_xlsx(made))


def _feeds_page(request: Request, node: Node, viewer: Viewer, address: str = "") -> Response:
    with node.db.read() as tx:
        listed = feeds.listed(tx, viewer)
    return page(request, "board/feeds.html", feeds=listed, address=address, newest=_newest(listed))


def _newest(listed: list[FeedOut]) -> int:
    """What a form of this page has seen: sent a second time, it has not seen the address it made."""
    return max((f.id for f in listed), default=0)


@router.get("/feeds")
def show_feeds(request: Request, node: Here, viewer: Owner) -> Response:
    """The calendar feeds of one's own unit."""
    return _feeds_page(request, node, viewer)


@router.post("/feeds")
def make_feed(
    request: Request, node: Here, viewer: Changer, seen: Annotated[str, Form(max_length=20)] = ""
) -> Response:
    """Make a feed, and show its address this once; sent again, it makes no second."""
    with node.db.write() as tx:
        if seen != str(_newest(feeds.listed(tx, viewer))):
            return _back("没有再次生成：本页打开后已生成过地址，只显示一次。没有记下的，请撤销后另生成一个。", "info")
        made = feeds.make(tx, node, viewer, base=str(request.base_url))
    return _feeds_page(request, node, viewer, made.address)


@router.post("/feeds/{number}/revoke")
def revoke_feed(number: Number, node: Here, viewer: Changer) -> Response:
    """Close a feed for good."""
    with node.db.write() as tx:
        feeds.revoke(tx, node, viewer, number)
    return _back("日历订阅地址已撤销。")


def _back(words: str, kind: str = "success") -> Response:
    response = RedirectResponse("/feeds", 303)
    say(response, words, kind=kind)
    return response
