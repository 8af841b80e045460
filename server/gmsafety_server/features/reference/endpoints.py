"""The interface for looking things up; node, problems and health are open to everybody."""

from datetime import date
from importlib.metadata import version
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, File, Form, Response, UploadFile

from gmsafety.exchange import SignedReceipt, in_words
from gmsafety.forms.writing import Issue

from ...errors import Problem
from ...mail.stations import keys_by_peer
from ...node import public_keys
from ...scope import Viewer
from ...web import Here, problems, signed_in
from ..submissions.artefacts import plain_name
from ..submissions.papers import TYPES
from ..submissions.schemas import Enclosure, Name
from ..submissions.views import attachment
from . import checking, service
from .checking import Brought
from .schemas import (
    RECEIPT,
    CampaignOut,
    CheckIn,
    CheckOut,
    DutyOut,
    FormLine,
    FormOut,
    Health,
    KeyOut,
    NodeOut,
    VerifyOut,
)

router = APIRouter(prefix="/api/v1", tags=["查阅"])
public = APIRouter(tags=["查阅"])
Reader = Annotated[Viewer, Depends(signed_in("catalog.read"))]
Filer = Annotated[Viewer, Depends(signed_in("submission.file"))]
Responses = dict[int | str, dict[str, Any]]
_FILE: Responses = {200: {"content": {TYPES[suffix]: {} for suffix in ("xlsx", "docx")}, "description": "文件"}}
_CHECKING = problems("not-found", "too-large", "wrong-type", "wrong-form", "artefact-missing")
_BYTES = "application/octet-stream"


@router.get("/campaigns", response_model=list[CampaignOut], responses=problems())
def list_campaigns(node: Here, viewer: Reader) -> list[CampaignOut]:
    """专项行动：起止、阶段、任务、所依据的文件、原文订正。"""
    return service.campaigns(node.catalog)


@router.get("/campaigns/{ref}/duties", response_model=list[DutyOut], responses=problems("not-found"))
def list_duties(ref: Name, node: Here, viewer: Reader) -> list[DutyOut]:
    """一个专项行动的报送任务：谁报、报给谁、报什么、每一期的截止时间和提示、依据。"""
    return service.duties(node.catalog, ref)


@router.get("/forms", response_model=list[FormLine], responses=problems())
def list_forms(node: Here, viewer: Reader) -> list[FormLine]:
    """所有的表。"""
    return service.forms(node.catalog)


@router.get("/forms/{ref}", response_model=FormOut, responses=problems("not-found"))
def get_form(ref: Name, node: Here, viewer: Reader) -> FormOut:
    """一张表：栏目、说明、订正和定义全文。"""
    return service.form_out(service.find_form(node.catalog, ref))


@router.get("/forms/{ref}/schema", responses=problems("not-found"))
def get_schema(ref: Name, node: Here, viewer: Reader) -> dict[str, Any]:
    """一张表的 JSON Schema；按它写的 JSON 可以直接报送。"""
    return service.schema(service.find_form(node.catalog, ref))


@router.get("/forms/{ref}/blank.{suffix}", response_class=Response, responses={**problems("not-found"), **_FILE})
def get_blank(ref: Name, suffix: service.Suffix, node: Here, viewer: Reader, period: date | None = None) -> Response:
    """空白表（xlsx、docx），与通知所附一字不差；写明期次的，表头写好本单位和日期，附填表说明。"""
    form = service.find_form(node.catalog, ref)
    if period is None:
        name, content = service.blank_file(form, suffix)
        return attachment(name, TYPES[suffix], content)
    with node.db.read() as tx:
        directory = node.directory(tx)
    issue = Issue(unit=viewer.unit, unit_name=directory.name(viewer.unit), period=period, instructions=True)
    printed = directory.catalog.printed_in(form, directory.units.get(viewer.unit))
    name, content = service.blank_file(printed, suffix, issue)
    return attachment(name, TYPES[suffix], content)


@router.post("/receipts/verify", response_model=VerifyOut, responses=problems())
def verify_receipt(
    told: Annotated[
        dict[str, Any], Body(description="回执，与收到时一样：receipt 和 signature", examples=[dict(RECEIPT)])
    ],
    node: Here,
    viewer: Reader,
) -> VerifyOut:
    """核对一份回执的签名：签名有效、没有可用来核对的公钥，或签名不符（回执可能被改动过）。"""
    try:
        signed = SignedReceipt.from_json(told)
    except ValueError as error:
        wrong = [{"field": "body", "message": part} for part in str(error).split("；")]
        raise Problem("not-valid", "这不是一份完整的回执", errors=wrong) from error
    with node.db.read() as tx:
        verdict = signed.verify(keys_by_peer(tx).get(signed.receipt.node) or public_keys(tx))
    return VerifyOut(
        verdict=verdict.value, words=verdict.chinese, test=signed.receipt.test, code=signed.code, hash=signed.hash,
        receipt=in_words(signed),
    )  # fmt: skip


@router.post("/check", response_model=CheckOut, responses=_CHECKING)
def check_form(told: CheckIn, node: Here, viewer: Filer) -> CheckOut:
    """核对一张表（JSON），不报送也不留存。所查与报送时相同：表内、与上期、与同期其他表。"""
    return checking.check(node, viewer, Brought(**told.model_dump()))


@router.post("/check/files", response_model=CheckOut, responses=_CHECKING)
def check_file(
    file: Annotated[UploadFile, File(description="表（xlsx、docx）")],
    node: Here,
    viewer: Filer,
    item: Annotated[Name | None, Form(description="表的编号；不写则由内容认出")] = None,
    period: Annotated[date | None, Form(description="期次；不写则按表上的日期，没有日期按今天")] = None,
    campaign: Annotated[Name | None, Form()] = None,
    unit: Annotated[Name | None, Form(description="填报单位；不写则为本单位")] = None,
) -> CheckOut:
    """核对一个文件，不报送也不留存；是哪张表由内容认出。读不出来也是结果，写在 refusal 里。"""
    brought = Enclosure("form", plain_name(file.filename), (file.content_type or _BYTES)[:120], file.file.read())
    return checking.check(
        node, viewer, Brought(item=item, period=period, campaign=campaign, unit=unit, file=brought)
    )  # fmt: skip


@public.get("/api/v1/node", response_model=NodeOut, responses=problems(public=True))
def get_node(node: Here) -> NodeOut:
    """本节点：名称、版本、是否测试、核对回执用的公钥。不用登录。"""
    with node.db.read() as tx:
        keys = public_keys(tx)
    return NodeOut(
        node=node.settings.node, title=node.settings.title, version=version("gmsafety-server"), test=node.test,
        now=node.clock.now(), keys=[KeyOut(**key.to_json(), fingerprint=key.fingerprint) for key in keys],
    )  # fmt: skip


@public.get("/health", response_model=Health, responses=problems(public=True))
def get_health(node: Here) -> Health:
    """服务器和数据库是否正常。不用登录。"""
    with node.db.read() as tx:
        public_keys(tx)
    return Health()


@public.head("/health", include_in_schema=False)
def head_health(node: Here) -> None:
    """The same, for those who ask without wanting an answer."""
    get_health(node)
