"""The interface of submissions for programs."""

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, File, Form, Query, Response, UploadFile
from sqlalchemy.exc import IntegrityError

from ...errors import Problem
from ...node import Node
from ...scope import Viewer
from ...web import Here, IfMatch, Page, etag, paged, problems, signed_in
from . import service, views
from .judging import Looked, find_desk, look
from .schemas import (
    AcceptIn,
    Action,
    Enclosure,
    Envelope,
    EventOut,
    FormIn,
    MessageId,
    Name,
    Parcel,
    ReopenIn,
    ReturnIn,
    SubmissionDetail,
    SubmissionList,
    SubmitIn,
    Words,
)
from .service import Decision

router = APIRouter(prefix="/api/v1/submissions", tags=["报送"])
Reader = Annotated[Viewer, Depends(signed_in("submission.read"))]
Filer = Annotated[Viewer, Depends(signed_in("submission.file"))]
Decider = Annotated[Viewer, Depends(signed_in("submission.decide"))]
_BYTES = "application/octet-stream"
_FILING = problems(
    "not-owed", "unreadable", "wrong-form", "reason-needed", "artefact-missing", "other-content", "revision-exists",
    "accepted", "draft-exists", "closed", "too-early", "stale", "too-large", "wrong-type",
)  # fmt: skip

_REFILING = {**_FILING, **problems("not-found", "wrong-state", "if-match-missing")}


def take(node: Node, viewer: Viewer, parcel: Parcel) -> tuple[str, bool]:
    """Look at a parcel and store it; two equal ones that arrive together are one."""
    with node.db.read() as tx:
        desk = find_desk(tx, node, viewer, parcel)
    looked = look(node, desk, parcel)
    if looked.refusal:
        raise _kept(node, viewer, looked)
    try:
        with node.db.write() as tx:
            done = service.store(tx, node, viewer, looked)
    except IntegrityError:  # another request stored the same message or revision a moment ago
        with node.db.write() as tx:
            done = service.store(tx, node, viewer, looked)
    node.wake()
    return done


def _kept(node: Node, viewer: Viewer, looked: Looked) -> Problem:
    with node.db.write() as tx:
        return service.refuse(tx, node, viewer, looked)


def _answer(node: Node, viewer: Viewer, uid: str, response: Response) -> dict[str, Any]:
    with node.db.read() as tx:
        detail = views.detail(tx, node, viewer, uid)
    response.headers.update(etag(detail["etag"]))
    response.headers["Location"] = f"/api/v1/submissions/{uid}"
    return detail


@router.post("", status_code=201, response_model=SubmissionDetail, responses=_FILING)
def file_form(told: FormIn, node: Here, viewer: Filer, response: Response) -> dict[str, Any]:
    """报送一张表（JSON），或存为草稿。重发同一 `message_id` 得到第一次的回执（200）。"""
    parcel = Parcel(Envelope(**told.model_dump(exclude={"body", "nil"})), body=told.body, nil=told.nil)
    uid, fresh = take(node, viewer, parcel)
    response.status_code = 201 if fresh else 200
    return _answer(node, viewer, uid, response)


def envelope_of(
    message_id: Annotated[MessageId, Form()],
    item: Annotated[Name, Form()],
    period: Annotated[date, Form()],
    campaign: Annotated[Name | None, Form()] = None,
    unit: Annotated[Name | None, Form()] = None,
    action: Annotated[Action, Form()] = "submit",
    reason: Annotated[Words | None, Form()] = None,
    note: Annotated[Words | None, Form()] = None,
    supersedes: Annotated[str | None, Form(pattern="^[0-9a-f]{64}$")] = None,
) -> Envelope:
    """The envelope of a filing with files."""
    return Envelope(
        message_id=message_id, item=item, period=period, campaign=campaign, unit=unit, action=action,
        reason=reason, note=note, supersedes=supersedes,
    )  # fmt: skip


def enclosures_of(files: list[UploadFile], artefacts: list[str]) -> tuple[Enclosure, ...]:
    """The files of a request; without a word about them the first is the form and the others go with it."""
    names = artefacts or ["form", *["extra"] * (len(files) - 1)]
    if len(names) != len(files):
        raise Problem("not-valid", f"{len(files)}个文件写了{len(names)}个材料名称（artefact）")
    return tuple(
        Enclosure(name, (f.filename or "文件")[:255], (f.content_type or _BYTES)[:120], f.file.read())
        for name, f in zip(names, files, strict=True)
    )


Sent = Annotated[Envelope, Depends(envelope_of)]
Files = Annotated[list[UploadFile], File(description="表，或材料", min_length=1, max_length=20)]
Artefacts = Annotated[list[Name] | None, Form(description="每个文件是什么：form、editable、scan、extra")]


@router.post("/files", status_code=201, response_model=SubmissionDetail, responses=_FILING)
def file_files(
    told: Sent, file: Files, node: Here, viewer: Filer, response: Response, artefact: Artefacts = None
) -> dict[str, Any]:
    """报送文件（xlsx、docx；材料可附 pdf、jpg、png），或存为草稿。"""
    uid, fresh = take(node, viewer, Parcel(told, enclosures_of(file, artefact or [])))
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
        state: Annotated[Literal["draft", "submitted", "accepted", "returned", "superseded"] | None, Query()] = None,
    ) -> None:
        self.values = {"unit": unit, "campaign": campaign, "item": item, "period": period, "state": state}


@router.get("", response_model=SubmissionList, responses=problems())
def list_submissions(
    node: Here, viewer: Reader, paging: Page, filters: Annotated[Filters, Depends()]
) -> dict[str, Any]:
    """看得到的报送，最新的在前。"""
    with node.db.read() as tx:
        items, total = views.listed(tx, node, viewer, filters.values, paging)
    return paged(items, total, paging)


@router.get("/{uid}", response_model=SubmissionDetail, responses=problems("not-found"))
def get_submission(uid: str, node: Here, viewer: Reader, response: Response) -> dict[str, Any]:
    """一份报送：内容、核对结果、文件、回执。"""
    return _answer(node, viewer, uid, response)


@router.get("/{uid}/history", response_model=list[EventOut], responses=problems("not-found"))
def get_history(uid: str, node: Here, viewer: Reader) -> list[dict[str, Any]]:
    """办理经过。"""
    with node.db.read() as tx:
        return views.history(tx, node, viewer, uid)


@router.get("/{uid}/files/{digest}", responses={**problems("not-found"), 200: {"content": {_BYTES: {}}}})
def get_file(uid: str, digest: str, node: Here, viewer: Reader) -> Response:
    """原始文件，一字节不差。"""
    with node.db.read() as tx:
        name, media_type, content = views.original(tx, viewer, uid, digest)
    return views.attachment(name, media_type, content)


@router.put("/{uid}/form", response_model=SubmissionDetail, responses=_REFILING)
def replace_form(
    uid: str, told: FormIn, node: Here, viewer: Filer, seen: IfMatch, response: Response
) -> dict[str, Any]:
    """更换草稿的内容（JSON）。"""
    parcel = Parcel(Envelope(**told.model_dump(exclude={"body", "nil"})), body=told.body, nil=told.nil)
    change(node, viewer, uid, seen, parcel)
    return _answer(node, viewer, uid, response)


@router.put("/{uid}/files", response_model=SubmissionDetail, responses=_REFILING)
def replace_files(
    uid: str, told: Sent, file: Files, node: Here, viewer: Filer, seen: IfMatch, response: Response,
    artefact: Artefacts = None,
) -> dict[str, Any]:  # fmt: skip
    """更换草稿的文件。"""
    change(node, viewer, uid, seen, Parcel(told, enclosures_of(file, artefact or [])))
    return _answer(node, viewer, uid, response)


def change(node: Node, viewer: Viewer, uid: str, seen: int, parcel: Parcel) -> None:
    """Look at another content for a draft, and give it to the draft."""
    with node.db.read() as tx:
        service.find(tx, viewer, "submission.file", uid)
        desk = find_desk(tx, node, viewer, parcel)
    looked = look(node, desk, parcel)
    if looked.refusal:
        raise _kept(node, viewer, looked)
    with node.db.write() as tx:
        service.replace(tx, node, viewer, uid, seen=seen, looked=looked)


@router.post(
    "/{uid}/submit",
    response_model=SubmissionDetail,
    responses=_REFILING,
)
def submit(uid: str, told: SubmitIn, node: Here, viewer: Filer, seen: IfMatch, response: Response) -> dict[str, Any]:
    """报送草稿。"""
    with node.db.write() as tx:
        service.submit(tx, node, viewer, uid, seen=seen, reason=told.reason)
    node.wake()
    return _answer(node, viewer, uid, response)


@router.delete("/{uid}", status_code=204, responses=problems("not-found", "wrong-state", "stale", "if-match-missing"))
def discard(uid: str, node: Here, viewer: Filer, seen: IfMatch) -> None:
    """删除草稿。"""
    with node.db.write() as tx:
        service.discard(tx, node, viewer, uid, seen=seen)


_DECIDING = problems("not-found", "wrong-state", "stale", "if-match-missing")


@router.post("/{uid}/accept", response_model=SubmissionDetail, responses=_DECIDING)
def accept(uid: str, told: AcceptIn, node: Here, viewer: Decider, seen: IfMatch, response: Response) -> dict[str, Any]:
    """接受；接受后下级不能再更改。"""
    with node.db.write() as tx:
        service.decide(tx, node, viewer, uid, seen=seen, decision=Decision("accepted", note=told.note))
    return _answer(node, viewer, uid, response)


@router.post("/{uid}/return", response_model=SubmissionDetail, responses=_DECIDING)
def give_back(
    uid: str, told: ReturnIn, node: Here, viewer: Decider, seen: IfMatch, response: Response
) -> dict[str, Any]:
    """退回，写明原因。"""
    reasons = tuple(r.model_dump() for r in told.reasons)
    with node.db.write() as tx:
        service.decide(tx, node, viewer, uid, seen=seen, decision=Decision("returned", reasons, told.note))
    return _answer(node, viewer, uid, response)


@router.post("/{uid}/reopen", response_model=SubmissionDetail, responses=_DECIDING)
def reopen(uid: str, told: ReopenIn, node: Here, viewer: Decider, seen: IfMatch, response: Response) -> dict[str, Any]:
    """撤销接受。"""
    with node.db.write() as tx:
        service.decide(tx, node, viewer, uid, seen=seen, decision=Decision("reopened", note=told.note))
    return _answer(node, viewer, uid, response)
