"""`gmsafety route|gate|tasks|quotas`: who inspects an enterprise, whether it may resume, what a year asks for."""

import json as json_module
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import GmsafetyError
from .output import Json, console, print_json, print_table
from .shelf import open_catalog

if TYPE_CHECKING:
    from ..campaigns import Campaign
    from ..catalog import Catalog
    from ..duties import Quota
    from ..entities import Unit

_File = Annotated[Path, typer.Argument(metavar="ENTERPRISE.json", exists=True, dir_okay=False, help="企业（JSON）")]
_Campaign = Annotated[str | None, typer.Option(help="专项行动编号；不写则全部")]
_Year = Annotated[int | None, typer.Option(min=1949, max=2100, help="年份；不写则全部")]


class NotAnEnterprise(GmsafetyError):
    """A file that says nothing of an enterprise."""

    is_usage = True


def route(
    file: _File,
    campaign: _Campaign = None,
    purpose: Annotated[str | None, typer.Option(help="inspection 检查，guidance 指导；不写则全部")] = None,
    json: Json = False,
) -> None:
    """查一家企业由谁检查、由谁指导。"""
    from ..routing import find_route

    catalog, (tags, _) = open_catalog(), _told(file)
    found = []
    for chosen in _chosen(catalog, campaign):
        for kind in dict.fromkeys(r.purpose for r in chosen.routes):
            if purpose in (None, kind):
                found.append((chosen, kind, find_route(chosen.routes, tags, kind)))
    if json:
        print_json([_routed(*one, catalog=catalog) for one in found])
        return
    rows = []
    for chosen, kind, routed in found:
        told = _routed(chosen, kind, routed, catalog=catalog)
        words = "、".join(told["to_titles"]) + ("（聘请专家）" if told["experts"] else "")
        asked = f"尚不能判定，须知道：{'、'.join(routed.open)}" if routed.open else "没有规定"
        quote = routed.route.source.quote if routed.route else None
        rows.append((chosen.title, told["purpose"], words or asked, quote))
    print_table("由谁检查、指导", ["专项行动", "事项", "由谁", "依据"], rows)


def _routed(campaign: "Campaign", purpose: str, routed: Any, *, catalog: "Catalog") -> dict[str, Any]:
    route = routed.route
    return {
        "campaign": campaign.ref,
        "purpose": purpose,
        "route": route.id if route else None,
        "to": list(route.to) if route else [],
        "to_titles": [_title(catalog, r) for r in route.to] if route else [],
        "may_delegate": list(route.may_delegate) if route else [],
        "experts": bool(route and route.experts),
        "open": list(routed.open),
        "source": route.source if route else None,
    }


_ROLES = {
    "province-office": "省级办公室", "city-office": "市应急管理局", "county-office": "县应急管理局",
    "member-department": "成员单位",
}  # fmt: skip


def _title(catalog: "Catalog", role: str) -> str:
    actor = catalog.actors.get(role)
    return actor.title if actor else _ROLES.get(role, role)


def gate(
    file: _File,
    campaign: _Campaign = None,
    waive: Annotated[list[str] | None, typer.Option(help="豁免：条件=理由；只记录，不改变结论")] = None,
    json: Json = False,
) -> None:
    """查一家企业可否复工复产等，并列出理由。不得：退出码1。"""
    waivers = dict(w.partition("=")[::2] for w in waive or [])
    catalog, (tags, facts) = open_catalog(), _told(file)
    verdicts = [(c, g.judge(facts, tags, waivers)) for c in _chosen(catalog, campaign) for g in c.gates]
    if json:
        told = [
            {
                "campaign": c.ref, "gate": v.gate.id, "title": v.gate.title, "verdict": v.state.value,
                "reasons": [{"condition": r.condition.id, "verdict": r.state.value, "text": r.text} for r in v.reasons],
                "waivers": dict(v.waivers or {}),
            }
            for c, v in verdicts
        ]  # fmt: skip
        print_json(told)
    else:
        out = console()
        for chosen, verdict in verdicts:
            out.print(f"[bold]{verdict.state.chinese}[/]  {verdict.gate.title}（{chosen.title}）")
            for reason in verdict.reasons:
                quote = reason.condition.source.quote or ""
                out.print(f"  {reason.state.chinese}：{reason.text}  {quote}", markup=False)
            for name, why in (verdict.waivers or {}).items():
                out.print(f"  豁免（仅记录）：{name}  {why}", markup=False)
    if any(v.state.value == "deny" for _, v in verdicts):
        raise typer.Exit(1)


def tasks(
    campaign: _Campaign = None,
    unit: Annotated[str | None, typer.Option(help="单位的编号、名称或行政区划代码")] = None,
    year: _Year = None,
    all_industries: Annotated[bool, typer.Option("--all", help="也列出工贸以外的任务")] = False,
    json: Json = False,
) -> None:
    """列出年度重点任务。"""
    catalog = open_catalog()
    who = catalog.unit(unit) if unit else None
    found = [
        (c, t)
        for c in _chosen(catalog, campaign)
        if (year is None or c.first.year <= year <= c.last.year) and (who is None or _inside(catalog, c, who))
        for t in c.tasks
        if (all_industries or t.scope != "other") and (who is None or not t.by or who.role in t.by)
    ]
    if json:
        keep = {"group", "title", "scope", "by", "points", "duties", "targets", "watches", "note", "source"}
        print_json([{"campaign": c.ref, "id": t.id, **t.model_dump(mode="json", include=keep)} for c, t in found])
        return
    rows = [
        (t.id, t.group, t.title, "\n".join(t.points), "、".join((*t.duties, *t.targets, *t.watches))) for _, t in found
    ]
    print_table("重点任务", ["编号", "类别", "任务", "要点", "期限、目标、提示"], rows)


def quotas(
    campaign: _Campaign = None,
    year: _Year = None,
    file: Annotated[Path | None, typer.Option("--for", exists=True, dir_okay=False, help="企业（JSON）")] = None,
    json: Json = False,
) -> None:
    """列出每月、每季度、每半年、每年至少几次的任务；写 --for 则按该企业的情况。"""
    catalog = open_catalog()
    tags = _told(file)[0] if file else {}
    found = [
        (c, d, *d.needed(tags))
        for c in _chosen(catalog, campaign)
        if year is None or c.first.year <= year <= c.last.year
        for d in c.duties
        if d.kind == "quota"
    ]
    if json:
        told = [
            {
                "campaign": c.ref, "duty": d.id, "title": d.title, "from": list(d.from_), "per": per, "at_least": least,
                "periods": [[a, b] for a, b in _periods(d, per)], "variants": d.variants, "source": d.source,
            }
            for c, d, per, least in found
        ]  # fmt: skip
        print_json(told)
        return
    rows = [
        (d.title, "、".join(_title(catalog, r) for r in d.from_), f"每{_SPANS[p]}{n}次", d.source.quote)
        for _, d, p, n in found
    ]
    print_table("次数要求", ["任务", "由谁", "至少", "依据"], rows)


_SPANS = {"month": "月", "quarter": "季度", "half-year": "半年", "year": "年"}


def _periods(duty: "Quota", per: Any) -> list[tuple[date, date]]:
    from ..duties import periods

    return list(periods(per, duty.first, duty.last))


def _chosen(catalog: "Catalog", campaign: str | None) -> list["Campaign"]:
    return [catalog.campaign(campaign)] if campaign else list(catalog.campaigns.values())


def _inside(catalog: "Catalog", campaign: "Campaign", unit: "Unit") -> bool:
    return campaign.area in (unit.area, *(a.code for a in catalog.areas.ancestors(unit.area)))


def _told(file: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The tags and the facts of an enterprise: an enterprise's record, or `tags` alone; `facts` beside either."""
    from pydantic import ValidationError

    from ..enterprises import Enterprise

    try:
        data = json_module.loads(file.read_text("utf-8-sig"))
        if not isinstance(data, dict):
            raise NotAnEnterprise(f"{file}：应为一个JSON对象")
        facts, tags = dict(data.pop("facts", None) or {}), dict(data.pop("tags", None) or {})
        record = data.pop("enterprise", data)
        known = dict(Enterprise.model_validate(record).tags) if record else {}
    except ValidationError as error:
        wrong = "；".join(
            f"{'.'.join(map(str, e['loc']))}：{str(e['msg']).removeprefix('Value error, ')}" for e in error.errors()
        )
        raise NotAnEnterprise(f"{file}：{wrong}") from error
    except (ValueError, TypeError) as error:
        raise NotAnEnterprise(f"{file}：不是合法的JSON（{error}）") from error
    return known | tags, facts
