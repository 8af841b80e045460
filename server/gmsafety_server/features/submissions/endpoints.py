"""The interface of submissions for programs."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Form, Query, Response, UploadFile
from pydantic import TypeAdapter

from ...errors import Problem
from ...node import Node
from ...scope import Viewer
from ...web import Here, IfMatch, Page, etag, paged, problems, signed_in
from . import handling, views
from .artefacts import plain_name
from .deciding import Decision
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
    State,
    SubmissionDetail,
    SubmissionList,
    SubmitIn,
    WithdrawIn,
    Words,
)

router = APIRouter(prefix="/api/v1/submissions", tags=["报送"])
Reader = Annotated[Viewer, Depends(signed_in("submission.read"))]
Filer = Annotated[Viewer, Depends(signed_in("submission.file"))]
Withdrawer = Annotated[Viewer, Depends(signed_in("submission.withdraw"))]
Decider = Annotated[Viewer, Depends(signed_in("submission.decide"))]
_BYTES = "application/octet-stream"
_DETAIL = TypeAdapter(SubmissionDetail)
_FILED = (
    "not-owed", "unreadable", "wrong-form", "reason-needed", "artefact-missing", "other-content", "revision-exists",
    "accepted", "draft-exists", "closed", "too-early", "stale", "too-large", "wrong-type", "not-found",
)  # fmt: skip
_FILING = problems(*_FILED)
_WITHDRAWING = problems("not-found", "wrong-state", "accepted", "closed", "stale", "if-match-missing")
_REFILING = problems(*_FILED, "wrong-state", "if-match-missing")


def _answer(node: Node, viewer: Viewer, uid: str, action: str = "submission.file") -> Response:
    with node.db.read() as tx:
        detail = views.detail(tx, node, viewer, uid, action=action)
    return _told(detail, 200)


def _told(detail: dict[str, Any], status: int) -> Response:
    """The answer by its model. It is written in the thread of the request; FastAPI would take another for it."""
    content = _DETAIL.dump_json(_DETAIL.validate_python(detail))
    headers = {**etag(detail["etag"]), "Location": f"/api/v1/submissions/{detail['uid']}"}
    return Response(content, status, headers, media_type="application/json")


def _filed(node: Node, viewer: Viewer, parcel: Parcel) -> Response:
    """Store a parcel, and tell what was stored; it need not be read again where it is new."""
    stored = handling.store(node, viewer, parcel)
    if stored.row is None:
        return _answer(node, viewer, stored.uid)
    row = stored.row
    return _told(views.detail_of(node, row.directory, row, row.files, row.receipts), 201)


@router.post("", status_code=201, response_model=SubmissionDetail, responses=_FILING)
def file_form(told: FormIn, node: Here, viewer: Filer) -> Response:
    """报送一张表（JSON），或存为草稿。重发同一 `message_id` 得到第一次的回执（200）。"""
    parcel = Parcel(Envelope(**told.model_dump(exclude={"body", "nil"})), body=told.body, nil=told.nil)
    return _filed(node, viewer, parcel)


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
        Enclosure(name, plain_name(f.filename), (f.content_type or _BYTES)[:120], f.file.read())
        for name, f in zip(names, files, strict=True)
    )


Sent = Annotated[Envelope, Depends(envelope_of)]
Files = Annotated[list[UploadFile], File(description="表，或材料", min_length=1, max_length=20)]
Artefacts = Annotated[list[Name] | None, Form(description="每个文件是什么：form、editable、scan、extra")]


@router.post("/files", status_code=201, response_model=SubmissionDetail, responses=_FILING)
def file_files(told: Sent, file: Files, node: Here, viewer: Filer, artefact: Artefacts = None) -> Response:
    """报送文件（xlsx、docx；材料可附 pdf、jpg、png），或存为草稿。"""
    return _filed(node, viewer, Parcel(told, enclosures_of(file, artefact or [])))


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


@router.get("", response_model=SubmissionList, responses=problems())
def list_submissions(
    node: Here, viewer: Reader, paging: Page, filters: Annotated[Filters, Depends()]
) -> dict[str, Any]:
    """看得到的报送，最新的在前。"""
    with node.db.read() as tx:
        items, total = views.listed(tx, node, viewer, filters.values, paging)
    return paged(items, total, paging)


@router.get("/{uid}", response_model=SubmissionDetail, responses=problems("not-found"))
def get_submission(uid: str, node: Here, viewer: Reader) -> Response:
    """一份报送：内容、核对结果、文件、回执。"""
    return _answer(node, viewer, uid, "submission.read")


@router.get("/{uid}/history", response_model=list[EventOut], responses=problems("not-found"))
def get_history(uid: str, node: Here, viewer: Reader) -> list[dict[str, Any]]:
    """办理经过。"""
    with node.db.read() as tx:
        return views.history(tx, node, viewer, uid)


@router.put("/{uid}/form", response_model=SubmissionDetail, responses=_REFILING)
def replace_form(uid: str, told: FormIn, node: Here, viewer: Filer, seen: IfMatch) -> Response:
    """更换草稿的内容（JSON）；编号不变，另行报送。"""
    parcel = Parcel(Envelope(**told.model_dump(exclude={"body", "nil"})), body=told.body, nil=told.nil)
    handling.change(node, viewer, uid, seen=seen, parcel=parcel)
    return _answer(node, viewer, uid)


@router.put("/{uid}/files", response_model=SubmissionDetail, responses=_REFILING)
def replace_files(
    uid: str, told: Sent, file: Files, node: Here, viewer: Filer, seen: IfMatch,
    artefact: Artefacts = None,
) -> Response:  # fmt: skip
    """更换草稿的文件；编号不变，另行报送。"""
    handling.change(node, viewer, uid, seen=seen, parcel=Parcel(told, enclosures_of(file, artefact or [])))
    return _answer(node, viewer, uid)


@router.post("/{uid}/submit", response_model=SubmissionDetail, responses=_REFILING)
def submit(uid: str, told: SubmitIn, node: Here, viewer: Filer, seen: IfMatch) -> Response:
    """报送草稿；报送前再核对一遍。"""
    handling.hand_in(node, viewer, uid, seen=seen, reason=told.reason)
    return _answer(node, viewer, uid)


@router.delete("/{uid}", status_code=204, responses=problems("not-found", "wrong-state", "stale", "if-match-missing"))
def discard(uid: str, node: Here, viewer: Filer, seen: IfMatch) -> None:
    """删除草稿。"""
    handling.discard(node, viewer, uid, seen=seen)


@router.post("/{uid}/withdraw", response_model=SubmissionDetail, responses=_WITHDRAWING)
def withdraw(uid: str, told: WithdrawIn, node: Here, viewer: Withdrawer, seen: IfMatch) -> Response:
    """撤回已报而未被接受的；这一期回到未报。上级在另一节点的，等它的回执。"""
    handling.withdraw(node, viewer, uid, seen=seen, reason=told.reason)
    return _answer(node, viewer, uid, "submission.withdraw")


_DECIDING = problems("not-found", "wrong-state", "stale", "if-match-missing")


@router.post("/{uid}/accept", response_model=SubmissionDetail, responses=_DECIDING)
def accept(uid: str, told: AcceptIn, node: Here, viewer: Decider, seen: IfMatch) -> Response:
    """接受；接受后下级不能再更改。"""
    handling.decide(node, viewer, uid, seen=seen, decision=Decision("accepted", note=told.note))
    return _answer(node, viewer, uid, "submission.decide")


@router.post("/{uid}/return", response_model=SubmissionDetail, responses=_DECIDING)
def give_back(uid: str, told: ReturnIn, node: Here, viewer: Decider, seen: IfMatch) -> Response:
    """退回，写明原因。"""
    reasons = tuple(r.model_dump() for r in told.reasons)
    handling.decide(node, viewer, uid, seen=seen, decision=Decision("returned", reasons, told.note))
    return _answer(node, viewer, uid, "submission.decide")


@router.post("/{uid}/reopen", response_model=SubmissionDetail, responses=_DECIDING)
def reopen(uid: str, told: ReopenIn, node: Here, viewer: Decider, seen: IfMatch) -> Response:
    """撤销接受。"""
    handling.decide(node, viewer, uid, seen=seen, decision=Decision("reopened", note=told.note))
    return _answer(node, viewer, uid, "submission.decide")
