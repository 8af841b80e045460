"""The pages on which submissions are looked at: the list, a slot, one submission, its receipts, what was refused."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import Connection, and_, or_

from ...captions import item_caption
from ...errors import Problem
from ...node import Node
from ...planning import find_item
from ...scope import Viewer, visible
from ...tables import slots, submissions
from ...templating import page
from ...web import Here, Paging, paged, visiting
from . import addressing, comparing, copies, papers, repository, screens, service, showing, views
from .schemas import Day, Word

router = APIRouter(include_in_schema=False)
Reader = Annotated[Viewer, Depends(visiting("submission.read"))]
Number = Annotated[int, Query(alias="page", ge=1, le=100_000)]
Slot = Annotated[int, Path(ge=1, le=2**53)]
_SIZE = 30


def _narrowed(request: Request) -> str:
    """The address of the list with its filters, in which `{page}` stands for the number of the page."""
    return f"{request.url.path}?{request.url.remove_query_params('page').query}&page={{page}}".replace("?&", "?")


def _options(tx: Connection, node: Node, viewer: Viewer) -> dict[str, Any]:
    """What a list may be narrowed to."""
    items, periods = repository.choices(tx, visible(viewer, "submission.read", slots.c.path), node.clock.today())
    directory = node.directory(tx)
    below = [(u.ref, u.name) for u in directory.units.values() if directory.path(u.ref).startswith(viewer.path)]
    named = {ref: item_caption(node.catalog, campaign, ref) for campaign, ref in items}
    return {"items": list(named.items()), "periods": [p.isoformat() for p in periods], "units": below[:400]}


@router.get("/submissions")
def list_page(
    request: Request, node: Here, viewer: Reader, item: Word = None, period: Day = None, state: Word = None,
    unit: Word = None, number: Number = 1,
) -> Response:  # fmt: skip
    """Everything in sight, the newest first."""
    paging = Paging(page=number, size=_SIZE)
    filters = {"item": item, "period": period, "state": state, "unit": unit}
    drafts = or_(submissions.c.state != "draft", submissions.c.unit == viewer.unit)
    with node.db.read() as tx:
        seen = and_(addressing.in_sight(viewer, "submission.read"), drafts)
        rows, total = repository.listed(tx, seen, filters, offset=paging.offset, limit=paging.size)
        directory = node.directory(tx)
        lines = [showing.line(node, directory, row) for row in rows]
        options = _options(tx, node, viewer)
    return page(
        request, "submissions/list.html", lines=lines, filters=filters, options=options, states=service.STATES,
        pager={**paged([], total, paging), "number": paging.page, "href": _narrowed(request)},
    )  # fmt: skip


@router.get("/refusals")
def refusals_page(request: Request, node: Here, viewer: Reader, number: Number = 1) -> Response:
    """The files that were not taken, kept for evidence."""
    paging = Paging(page=number, size=_SIZE)
    with node.db.read() as tx:
        items, total = views.refused(tx, node, viewer, {}, paging)
    pager = {**paged([], total, paging), "number": paging.page, "href": _narrowed(request)}
    return page(request, "submissions/refusals.html", items=items, pager=pager)


@router.get("/refusals/{uid}/file")
def refused_file(uid: str, node: Here, viewer: Reader) -> Response:
    """The file that was kept."""
    with node.db.read() as tx:
        name, content = views.refused_file(tx, viewer, uid)
    return views.attachment(name, "application/octet-stream", content)


@router.get("/file")
def find_page(
    node: Here, viewer: Reader, item: Annotated[str, Query(max_length=200)], period: date, campaign: Word = None,
    unit: Word = None,
) -> Response:  # fmt: skip
    """The slot of a form and a period, by a lasting address."""
    with node.db.read() as tx:
        found = repository.find_slots(tx, unit or viewer.unit, item, period, campaign)
        if not found:
            raise Problem("not-found")
        slot = service.find_slot(tx, viewer, "submission.read", found[0].id)
    return RedirectResponse(f"/slots/{slot.id}", 303)


@router.get("/slots/{number}")
def slot_page(
    request: Request, number: Slot, node: Here, viewer: Reader, refused: Word = None, correct: bool = False
) -> Response:
    """What is asked of a unit for a period; the unit's own clerk files it here."""
    with node.db.read() as tx:
        slot = service.find_slot(tx, viewer, "submission.read", number)
        context = screens.slot_context(tx, node, viewer, slot)
        kept = repository.refusal(tx, refused) if refused else None
        context["refused"] = (
            views.refusal(node, node.directory(tx), kept) if kept is not None and kept.unit == slot.unit else None
        )
    return page(request, "submissions/slot.html", correct=correct, **context)


@router.get("/slots/{number}/blank.{suffix}")
def blank_form(number: Slot, suffix: str, node: Here, viewer: Reader) -> Response:
    """The blank form that is to be filled in, made for the unit and the period of the slot."""
    with node.db.read() as tx:
        slot = service.find_slot(tx, viewer, "submission.read", number)
        item = find_item(node.catalog, slot.campaign, slot.item)
        form = node.catalog.forms.get(item.form) if item is not None else None
        if form is None or suffix not in ("xlsx", "docx"):
            raise Problem("not-found")
        content = papers.blank_for(tx, node, slot, form, suffix)
    name = f"{item_caption(node.catalog, slot.campaign, slot.item)}（空表）.{suffix}"
    return views.attachment(name, papers.TYPES[suffix], content)


@router.get("/submissions/{uid}")
def submission_page(request: Request, uid: str, node: Here, viewer: Reader) -> Response:
    """One submission: a draft to be filed, or what was filed with all that happened."""
    with node.db.read() as tx:
        row = service.find(tx, viewer, "submission.read", uid)
        slot = service.find_slot(tx, viewer, "submission.read", row.slot_id)
        context = {**screens.slot_context(tx, node, viewer, slot), **screens.told_of(tx, node, viewer, row, slot)}
    if row.state == "draft":
        return page(request, "submissions/draft.html", **context)
    return page(request, "submissions/submission.html", **context)


@router.get("/submissions/{uid}/diff")
def diff_page(
    request: Request, uid: str, node: Here, viewer: Reader, against: Annotated[str, Query(max_length=64)]
) -> Response:
    """What one revision says otherwise than another of the same period."""
    with node.db.read() as tx:
        found = comparing.compared(tx, node, viewer, uid, against)
        directory = node.directory(tx)
        unit, title = directory.name(found["row"].unit), showing.caption(node, found["row"])
    return page(request, "submissions/diff.html", **found, unit=unit, title=title)


@router.get("/submissions/{uid}/receipt")
def receipt_page(request: Request, uid: str, node: Here, viewer: Reader) -> Response:
    """The receipts of a submission as a paper to be printed."""
    with node.db.read() as tx:
        row = service.find(tx, viewer, "submission.read", uid)
        cards = showing.receipt_cards(repository.receipts_of(tx, row.id))
        title = showing.caption(node, row)
    if not cards:
        raise Problem("not-found", "还没有报送，没有回执")
    return page(request, "submissions/receipt.html", row=row, cards=cards, title=title)


@router.get("/submissions/{uid}/files/{digest}")
def file_download(uid: str, digest: str, node: Here, viewer: Reader) -> Response:
    """A file as it came."""
    with node.db.read() as tx:
        name, media_type, content = views.original(tx, viewer, uid, digest)
    return views.attachment(name, media_type, content)


@router.get("/submissions/{uid}/record.{suffix}")
def record_download(uid: str, suffix: papers.Suffix, node: Here, viewer: Reader) -> Response:
    """The official form, or JSON."""
    with node.db.read() as tx:
        name, content = papers.record_file(tx, node, viewer, uid, suffix)
    return views.attachment(name, papers.TYPES[suffix], content)


@router.get("/submissions/{uid}/annotated")
def annotated_download(uid: str, node: Here, viewer: Reader) -> Response:
    """The file that was filed, with what was found marked at its cells."""
    with node.db.read() as tx:
        name, content = copies.annotated(tx, node, viewer, uid)
    return views.attachment(name, papers.TYPES[name.rpartition(".")[2].lower()], content)


@router.get("/submissions/{uid}/receipts/{number}.json")
def receipt_download(uid: str, number: int, node: Here, viewer: Reader) -> Response:
    """A receipt with its signature, byte for byte."""
    with node.db.read() as tx:
        signed = papers.receipt(tx, viewer, uid, number)
    return views.attachment(f"回执_{uid}_{number}.json", "application/json", signed.encode())
