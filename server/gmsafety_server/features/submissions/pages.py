"""The pages on which submissions are looked at: the list, a slot, one submission, its receipts, what was refused."""

import secrets
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BeforeValidator
from sqlalchemy import Connection, and_, or_

from ...captions import item_caption
from ...errors import Problem
from ...node import Node
from ...planning import find_item
from ...scope import Viewer, visible
from ...tables import AnyRow, refusals, slots, submissions
from ...templating import page
from ...web import Here, Paging, paged, visiting
from ..board.states import standing
from . import comparing, judging, papers, repository, service, showing, views
from .artefacts import NAMES
from .schemas import Name

router = APIRouter(include_in_schema=False)
Reader = Annotated[Viewer, Depends(visiting("submission.read"))]
Word = Annotated[Name | None, BeforeValidator(lambda v: v or None), Query()]
Day = Annotated[date | None, BeforeValidator(lambda v: v or None), Query()]
Number = Annotated[int, Query(ge=1, le=100_000)]
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
    unit: Word = None, page_number: Annotated[int, Query(alias="page", ge=1, le=100_000)] = 1,
) -> Response:  # fmt: skip
    """Everything in sight, the newest first."""
    paging = Paging(page=page_number, size=_SIZE)
    filters = {"item": item, "period": period, "state": state, "unit": unit}
    drafts = or_(submissions.c.state != "draft", submissions.c.unit == viewer.unit)
    with node.db.read() as tx:
        seen = and_(visible(viewer, "submission.read", slots.c.path), drafts)
        rows, total = repository.listed(tx, seen, filters, offset=paging.offset, limit=paging.size)
        directory = node.directory(tx)
        lines = [showing.line(node, directory, row) for row in rows]
        options = _options(tx, node, viewer)
    return page(
        request, "submissions/list.html", lines=lines, filters=filters, options=options, states=service.STATES,
        pager={**paged([], total, paging), "number": paging.page, "href": _narrowed(request)},
    )  # fmt: skip


@router.get("/refusals")
def refusals_page(
    request: Request, node: Here, viewer: Reader, page_number: Annotated[int, Query(alias="page", ge=1, le=100_000)] = 1
) -> Response:
    """The files that were not taken, kept for evidence."""
    paging = Paging(page=page_number, size=_SIZE)
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
def slot_page(request: Request, number: int, node: Here, viewer: Reader, refused: Word = None) -> Response:
    """What is asked of a unit for a period; the unit's own clerk files it here."""
    with node.db.read() as tx:
        slot = service.find_slot(tx, viewer, "submission.read", number)
        context = slot_context(tx, node, viewer, slot)
        kept = repository.refusal(tx, refused) if refused else None
        context["refused"] = (
            views.refusal(node, node.directory(tx), kept) if kept is not None and kept.unit == slot.unit else None
        )
    return page(request, "submissions/slot.html", **context)


def slot_context(tx: Connection, node: Node, viewer: Viewer, slot: AnyRow) -> dict[str, Any]:
    """What every page about a slot tells: what is asked, by when, how it stands, what came before."""
    directory, now = node.directory(tx), node.clock.now()
    item = find_item(node.catalog, slot.campaign, slot.item)
    revisions = repository.revisions_of(tx, slot.id)
    own = slot.unit == viewer.unit
    current = next((r for r in revisions if r.id == slot.submission_id), None)
    before = repository.slot_before(tx, slot)
    last = repository.by_id(tx, before.submission_id) if before is not None else None
    filters = {"unit": slot.unit, "campaign": slot.campaign, "item": slot.item, "period": slot.period}
    evidence, _ = repository.refused(
        tx, visible(viewer, "submission.read", refusals.c.path), filters, offset=0, limit=20
    )
    return {
        "slot": slot,
        "title": showing.caption(node, slot),
        "unit": directory.name(slot.unit),
        "upper": directory.name(slot.upper),
        "stands": standing(slot, now),
        "due": showing.open_until(slot.due_at, node.clock.today()),
        "asked": showing.asked(node, slot),
        "fields": showing.fields_of(item.artefacts if item else (), slot.kind),
        "mine": own and viewer.may("submission.file", slot.path),
        "early": node.clock.today() < slot.opens,
        "draft": next((r for r in revisions if r.state == "draft" and own), None),
        "current": current,
        "revisions": [showing.line(node, directory, r) for r in revisions if own or r.state != "draft"],
        "beside": [showing.line(node, directory, r) for r in repository.in_force_beside(tx, slot)],
        "last": {"href": f"/submissions/{last.uid}", "caption": showing.caption(node, before)} if last else None,
        "evidence": [views.refusal(node, directory, r) for r in evidence],
        "returned": _returned(tx, node, current),
        "message_id": f"web-{secrets.token_hex(12)}",
    }


def _returned(tx: Connection, node: Node, row: AnyRow | None) -> dict[str, Any] | None:
    """Why a revision was returned, where it was: the reasons as they were given, and with their places in words."""
    if row is None or row.state != "returned":
        return None
    events = repository.events_of(tx, row.id)
    event = next((e for e in reversed(events) if e.kind == "returned"), None)
    reasons = (event.data or {}).get("reasons", []) if event is not None else []
    full = repository.with_slot(tx, row.uid)
    sheet = showing.paper(node, full, (), reasons)["sheet"] if full is not None else None
    told = {"uid": row.uid, "revision": row.revision, "at": row.changed_at, "note": event.text if event else None}
    return {**told, "given": reasons, "reasons": showing.reasons_in_words(reasons, sheet)}


@router.get("/slots/{number}/blank.{suffix}")
def blank_form(number: int, suffix: str, node: Here, viewer: Reader) -> Response:
    """The blank form that is to be filled in."""
    with node.db.read() as tx:
        slot = service.find_slot(tx, viewer, "submission.read", number)
    form = node.catalog.forms.get(slot.item)
    if form is None or suffix not in ("xlsx", "docx"):
        raise Problem("not-found")
    name = f"{item_caption(node.catalog, slot.campaign, slot.item)}（空表）.{suffix}"
    return views.attachment(name, papers.TYPES[suffix], papers.written(form, None, suffix))


@router.get("/submissions/{uid}")
def submission_page(request: Request, uid: str, node: Here, viewer: Reader) -> Response:
    """One submission: a draft to be filed, or what was filed with all that happened."""
    with node.db.read() as tx:
        row = service.find(tx, viewer, "submission.read", uid)
        slot = service.find_slot(tx, viewer, "submission.read", row.slot_id)
        context = {**slot_context(tx, node, viewer, slot), **_told(tx, node, viewer, row, slot)}
    if row.state == "draft":
        return page(request, "submissions/draft.html", **context)
    return page(request, "submissions/submission.html", **context)


def _told(tx: Connection, node: Node, viewer: Viewer, row: AnyRow, slot: AnyRow) -> dict[str, Any]:
    """What is told of one submission."""
    directory = node.directory(tx)
    earlier = [r for r in repository.revisions_of(tx, slot.id) if r.revision < row.revision]
    previous = repository.with_slot(tx, earlier[0].uid) if earlier else None
    returned = _returned(tx, node, previous if row.state == "draft" else row)
    findings = judging.findings_now(tx, node, row)
    shown = showing.paper(node, row, findings, returned["given"] if returned else ())
    waiting = [w.uid for w in waiting_rows(tx, viewer, {})] if viewer.may("submission.decide", row.path) else []
    return {
        "row": row,
        "line": showing.line(node, directory, row),
        "to_answer": service.to_be_answered(findings),
        **shown,
        "returned": returned and _placed(returned, shown["sheet"]),
        "files": repository.files_of(tx, row.id),
        "names": NAMES,
        "receipts": showing.receipt_cards(repository.receipts_of(tx, row.id)),
        "story": showing.story(repository.events_of_slot(tx, slot.id), directory, own=slot.unit == viewer.unit),
        "changes": list(comparing.between(node, previous, row)) if previous is not None else [],
        "before": previous,
        "decides": viewer.may("submission.decide", row.path) and row.upper == viewer.unit,
        "is_current": row.id == slot.submission_id,
        "waiting": _neighbours(waiting, row.uid),
    }


def _placed(returned: dict[str, Any], sheet: Any) -> dict[str, Any]:
    """The reasons of a return at the cells of the paper on this page, which may be another revision."""
    return {**returned, "reasons": showing.reasons_in_words(returned["given"], sheet)}


def waiting_rows(tx: Connection, viewer: Viewer, filters: dict[str, Any]) -> list[AnyRow]:
    """What waits for a decision of the viewer's unit."""
    seen = and_(visible(viewer, "submission.decide", slots.c.path), slots.c.upper == viewer.unit)
    return repository.waiting(tx, seen, filters)


def _neighbours(waiting: list[str], uid: str) -> dict[str, Any]:
    """The ones before and after in the waiting list, and how many wait besides."""
    others = [w for w in waiting if w != uid]
    if uid not in waiting:
        return {"before": None, "after": others[0] if others else None, "others": len(others), "at": None}
    at = waiting.index(uid)
    after = waiting[at + 1] if at + 1 < len(waiting) else None
    return {"before": waiting[at - 1] if at else None, "after": after, "others": len(others), "at": at + 1}


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


@router.get("/submissions/{uid}/receipts/{number}.json")
def receipt_download(uid: str, number: int, node: Here, viewer: Reader) -> Response:
    """A receipt with its signature, byte for byte."""
    with node.db.read() as tx:
        signed = papers.receipt(tx, viewer, uid, number)
    return views.attachment(f"回执_{uid}_{number}.json", "application/json", signed.encode())
