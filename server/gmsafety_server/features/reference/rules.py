"""Checklists, tasks, routes and gates: looked up, and asked about one enterprise. Nothing of it is stored."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from gmsafety import Catalog
from gmsafety.campaigns import Campaign
from gmsafety.checklists import Checklist
from gmsafety.errors import UnknownName
from gmsafety.gates import Verdict
from gmsafety.routing import find_route

from ...errors import Problem
from ...scope import Viewer
from ...web import Here, problems, signed_in
from ..submissions.schemas import Name
from .schemas import JsonObject

router = APIRouter(prefix="/api/v1", tags=["查阅"])
Reader = Annotated[Viewer, Depends(signed_in("catalog.read"))]
Told = bool | int | str
_NOBODY: dict[str, Any] = {"to": [], "may_delegate": [], "experts": False}


class ChecklistLine(BaseModel):
    """A checklist in a list."""

    ref: str
    title: str
    campaign: str | None
    items: int = Field(description="检查项数")


class ChecklistOut(ChecklistLine):
    """A checklist with its declaration."""

    declaration: JsonObject = Field(description="插件里的定义全文：各组各项、不合格的回答、依据、订正")


class RulesOut(BaseModel):
    """What a campaign asks for beside its duties, as the plugin declares it."""

    tasks: list[JsonObject]
    targets: list[JsonObject]
    quotas: list[JsonObject] = Field(description="每月、每季度、每半年、每年至少几次")
    routes: list[JsonObject]
    gates: list[JsonObject]
    watches: list[JsonObject]


class EnterpriseIn(BaseModel):
    """What is known of an enterprise."""

    model_config = ConfigDict(extra="forbid")

    tags: dict[str, Told] = Field(
        default_factory=dict, max_length=100, description="标签；不知道的不写",
        examples=[{"metal_smelting": True, "blast_furnace": False, "key_level": "county"}],
    )  # fmt: skip
    facts: dict[str, Told] = Field(
        default_factory=dict, max_length=100, description="关口要看的情况；不知道的不写", examples=[{"open_majors": 0}]
    )
    waivers: dict[str, str] = Field(default_factory=dict, max_length=100, description="豁免及理由；只记录，不改变结论")


class RoutedOut(BaseModel):
    """Which bodies an enterprise goes to."""

    purpose: str
    route: str | None = Field(description="适用的路由；尚不能判定或没有规定时为空")
    to: list[str] = Field(description="单位的类别")
    may_delegate: list[str]
    experts: bool
    open: list[str] = Field(description="还须知道的标签")


class ReasonOut(BaseModel):
    """Why a gate does not open."""

    condition: str
    verdict: Literal["deny", "unknown"]
    text: str


class VerdictOut(BaseModel):
    """What a gate says."""

    gate: str
    title: str
    verdict: Literal["allow", "deny", "unknown"]
    reasons: list[ReasonOut]
    waivers: dict[str, str]


@router.get("/checklists", response_model=list[ChecklistLine], responses=problems())
def list_checklists(node: Here, viewer: Reader) -> list[ChecklistLine]:
    """所有的检查表。"""
    return [ChecklistLine(**_line(c)) for c in node.catalog.checklists.values()]


@router.get("/checklists/{ref}", response_model=ChecklistOut, responses=problems("not-found"))
def get_checklist(ref: Name, node: Here, viewer: Reader) -> ChecklistOut:
    """一张检查表：各项、哪种回答不合格、依据、原文订正。"""
    try:
        found = node.catalog.checklist(ref)
    except UnknownName as error:
        raise Problem("not-found", "没有这张检查表") from error
    return ChecklistOut(**_line(found), declaration=_plain(found))


@router.get("/campaigns/{ref}/rules", response_model=RulesOut, responses=problems("not-found"))
def get_rules(ref: Name, node: Here, viewer: Reader) -> RulesOut:
    """一个专项行动的重点任务、目标、次数、路由、关口和提示。"""
    campaign = _campaign(node.catalog, ref)
    kinds = ("tasks", "targets", "routes", "gates", "watches")
    told = {kind: [_plain(v) for v in getattr(campaign, kind)] for kind in kinds}
    return RulesOut(**told, quotas=[_plain(d) for d in campaign.duties if d.kind == "quota"])


@router.post("/campaigns/{ref}/route", response_model=list[RoutedOut], responses=problems("not-found"))
def ask_routes(ref: Name, told: EnterpriseIn, node: Here, viewer: Reader) -> list[RoutedOut]:
    """一家企业由谁检查、由谁指导。"""
    routes = _campaign(node.catalog, ref).routes
    found = []
    for purpose in dict.fromkeys(r.purpose for r in routes):
        routed = find_route(routes, told.tags, purpose)
        route = routed.route
        told_of = route.model_dump(include={"to", "may_delegate", "experts"}) if route else _NOBODY
        found.append(RoutedOut(purpose=purpose, route=route.id if route else None, open=list(routed.open), **told_of))
    return found


@router.post("/campaigns/{ref}/gate", response_model=list[VerdictOut], responses=problems("not-found"))
def ask_gates(ref: Name, told: EnterpriseIn, node: Here, viewer: Reader) -> list[VerdictOut]:
    """一家企业可否复工复产等：可以、不得、尚不能判定，并列出理由。"""
    gates = _campaign(node.catalog, ref).gates
    try:
        return [_verdict(g.judge(told.facts, told.tags, told.waivers)) for g in gates]
    except ValueError as error:
        raise Problem("not-valid", str(error), errors=[{"field": "facts", "message": str(error)}]) from error


def _verdict(verdict: Verdict) -> VerdictOut:
    reasons = [
        ReasonOut(condition=r.condition.id, verdict="deny" if r.state == "deny" else "unknown", text=r.text)
        for r in verdict.reasons
    ]
    return VerdictOut(
        gate=verdict.gate.id, title=verdict.gate.title, verdict=verdict.state.value, reasons=reasons,
        waivers=dict(verdict.waivers or {}),
    )  # fmt: skip


def _campaign(catalog: Catalog, ref: str) -> Campaign:
    try:
        return catalog.campaign(ref)
    except UnknownName as error:
        raise Problem("not-found", "没有这个专项行动") from error


def _line(checklist: Checklist) -> dict[str, Any]:
    return {
        "ref": checklist.ref, "title": checklist.title, "campaign": checklist.campaign, "items": len(checklist.items),
    }  # fmt: skip


def _plain(value: BaseModel) -> JsonObject:
    return value.model_dump(mode="json", by_alias=True, exclude_none=True)
