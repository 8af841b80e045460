"""The interface for programs to what belongs to submissions: files, official forms, receipts, differences, refusals."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from ...scope import Viewer
from ...web import Here, Page, paged, problems, signed_in
from . import comparing, copies, papers, views
from .schemas import DiffOut, Name, RefusalList, RefusalOut

router = APIRouter(prefix="/api/v1", tags=["报送"])
Reader = Annotated[Viewer, Depends(signed_in("submission.read"))]
_BYTES = "application/octet-stream"
Responses = dict[int | str, dict[str, Any]]
_FILE: Responses = {200: {"content": {"*/*": {}}, "description": "文件"}}
_TEXT: Responses = {200: {"content": {"text/plain": {}}, "description": "回执"}}
_JSON: Responses = {200: {"content": {"application/json": {}}, "description": "回执"}}


@router.get("/submissions/{uid}/files/{digest}", response_class=Response, responses={**problems("not-found"), **_FILE})
def get_file(uid: str, digest: str, node: Here, viewer: Reader) -> Response:
    """原始文件，一字节不差。"""
    with node.db.read() as tx:
        name, media_type, content = views.original(tx, viewer, uid, digest)
    return views.attachment(name, media_type, content)


@router.get(
    "/submissions/{uid}/record.{suffix}", response_class=Response, responses={**problems("not-found"), **papers.PAPERS}
)
def get_record(uid: str, suffix: papers.Suffix, node: Here, viewer: Reader) -> Response:
    """按表样填好的正式表（xlsx、docx），表的 JSON（json），或按表上的字写的 JSON（printed.json）。"""
    with node.db.read() as tx:
        name, content = papers.record_file(tx, node, viewer, uid, suffix)
    return views.attachment(name, papers.TYPES[suffix], content)


@router.get(
    "/submissions/{uid}/annotated",
    response_class=Response,
    responses={**problems("not-found", "not-valid"), **_FILE},
)
def get_annotated(uid: str, node: Here, viewer: Reader) -> Response:
    """标注的副本：报来的表（xlsx、docx）原样，有问题的格涂色并加批注，另附核对结果一页。"""
    with node.db.read() as tx:
        name, content = copies.annotated(tx, node, viewer, uid)
    return views.attachment(name, papers.TYPES[name.rpartition(".")[2].lower()], content)


@router.get(
    "/submissions/{uid}/receipts/{number}.txt", response_class=Response, responses={**problems("not-found"), **_TEXT}
)
def get_receipt_words(uid: str, number: int, node: Here, viewer: Reader) -> Response:
    """第几份回执，写成文字，可以打印或转发。"""
    with node.db.read() as tx:
        signed = papers.receipt(tx, viewer, uid, number)
    return Response(papers.receipt_words(signed), media_type="text/plain; charset=utf-8")


@router.get("/submissions/{uid}/receipts/{number}", responses={**problems("not-found"), **_JSON})
def get_receipt(uid: str, number: int, node: Here, viewer: Reader) -> Response:
    """第几份回执，带签名，与发出时一字节不差。"""
    with node.db.read() as tx:
        signed = papers.receipt(tx, viewer, uid, number)
    return Response(signed, media_type="application/json")


@router.get("/submissions/{uid}/diff", response_model=DiffOut, responses=problems("not-found"))
def get_diff(uid: str, against: Annotated[Name, Query()], node: Here, viewer: Reader) -> dict[str, Any]:
    """与同一期另一版相比，改了哪些格。"""
    with node.db.read() as tx:
        return comparing.compared(tx, node, viewer, uid, against)


@router.get("/refusals", response_model=RefusalList, responses=problems())
def list_refusals(
    node: Here,
    viewer: Reader,
    paging: Page,
    unit: Annotated[Name | None, Query()] = None,
    item: Annotated[Name | None, Query()] = None,
    period: Annotated[date | None, Query()] = None,
) -> dict[str, Any]:
    """没有收下的文件：不能读取的，或不是所需的表；原件已留存备查。最新的在前。"""
    filters = {"unit": unit, "item": item, "period": period}
    with node.db.read() as tx:
        items, total = views.refused(tx, node, viewer, filters, paging)
    return paged(items, total, paging)


@router.get("/refusals/{uid}", response_model=RefusalOut, responses=problems("not-found"))
def get_refusal(uid: str, node: Here, viewer: Reader) -> dict[str, Any]:
    """一份没有收下的文件：为什么。"""
    with node.db.read() as tx:
        return views.refusal(node, node.directory(tx), views.find_refusal(tx, viewer, uid))


@router.get("/refusals/{uid}/file", response_class=Response, responses={**problems("not-found"), **_FILE})
def get_refused_file(uid: str, node: Here, viewer: Reader) -> Response:
    """留存的原件，一字节不差。"""
    with node.db.read() as tx:
        name, content = views.refused_file(tx, viewer, uid)
    return views.attachment(name, _BYTES, content)
