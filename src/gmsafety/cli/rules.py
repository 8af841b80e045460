"""`gmsafety tasks|quotas`: what a year asks for, and how often."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .campaigns import SPANS
from .lists import Sources, ToPaper, counted, give_out
from .output import Json
from .shelf import CampaignId, chosen_of, open_catalog
from .told import read_told

if TYPE_CHECKING:
    from ..campaigns import Campaign
    from ..catalog import Catalog
    from ..duties import Quota
    from ..entities import Unit
    from ..forms.writing import Listing
    from ..tasks import Task

_Year = Annotated[int | None, typer.Option(min=1949, max=2100, help="年份；不写则全部")]


def tasks(
    campaign: CampaignId = None,
    unit: Annotated[str | None, typer.Option(help="单位的编号、名称或行政区划代码")] = None,
    year: _Year = None,
    all_industries: Annotated[bool, typer.Option("--all", help="也列出工贸以外的任务")] = False,
    to: ToPaper = None,
    json: Json = False,
) -> None:
    """列出年度重点任务。"""
    catalog = open_catalog()
    who = catalog.unit(unit) if unit else None
    found = [
        (c, t)
        for c in chosen_of(catalog, campaign)
        if (year is None or c.first.year <= year <= c.last.year) and (who is None or _inside(catalog, c, who))
        for t in c.tasks
        if (all_industries or t.scope != "other") and (who is None or not t.by or who.role in t.by)
    ]
    keep = {"group", "title", "scope", "by", "points", "duties", "targets", "watches", "note", "source"}
    data = [{"campaign": c.ref, "id": t.id, **t.model_dump(mode="json", include=keep)} for c, t in found]
    asked = (("单位", who.name if who else "全部"), ("年度", f"{year}年" if year else "全部"))
    give_out(_task_listing(found, catalog, asked), data, json=json, to=to)


def _task_listing(
    found: list[tuple["Campaign", "Task"]], catalog: "Catalog", asked: tuple[tuple[str, str], ...]
) -> "Listing":
    from ..forms.writing import Listing

    sources = Sources(catalog)
    rows = tuple(
        (
            t.group, t.title, "\n".join(t.points), "、".join(map(catalog.role_title, t.by)), "\n".join(_measures(c, t)),
            sources.cite(t.source, c),
        )
        for c, t in found
    )  # fmt: skip
    headings = ("类别", "任务", "要点", "由谁", "期限、目标、提示", "依据")
    return Listing("重点任务清单", headings, rows, (*asked, counted(rows)), sources.notes)


def _measures(campaign: "Campaign", task: "Task") -> list[str]:
    """What a task is measured by, by its titles."""
    titles = {v.id: v.title for v in (*campaign.duties, *campaign.targets, *campaign.watches)}
    return [titles[name] for name in (*task.duties, *task.targets, *task.watches)]


def quotas(
    campaign: CampaignId = None,
    year: _Year = None,
    file: Annotated[Path | None, typer.Option("--for", exists=True, dir_okay=False, help="企业（JSON）")] = None,
    to: ToPaper = None,
    json: Json = False,
) -> None:
    """列出每月、每季度、每半年、每年至少几次的任务；写 --for 则按该企业的情况。"""
    catalog = open_catalog()
    who = read_told(file) if file else None
    found = [
        (c, d, *d.needed(who.tags if who else {}))
        for c in chosen_of(catalog, campaign)
        if year is None or c.first.year <= year <= c.last.year
        for d in c.duties
        if d.kind == "quota"
    ]
    told = [
        {
            "campaign": c.ref, "duty": d.id, "title": d.title, "from": list(d.from_), "per": per, "at_least": least,
            "periods": [[a, b] for a, b in _periods(d, per)], "variants": d.variants, "source": d.source,
        }
        for c, d, per, least in found
    ]  # fmt: skip
    asked = (("企业", who.name if who else "不分企业"), ("年度", f"{year}年" if year else "全部"))
    give_out(_quota_listing(found, catalog, asked), told, json=json, to=to, beside=file)


def _quota_listing(
    found: Sequence[tuple["Campaign", "Quota", str, int]], catalog: "Catalog", asked: tuple[tuple[str, str], ...]
) -> "Listing":
    from ..forms.writing import Listing

    sources = Sources(catalog)
    rows = tuple(
        (
            d.title, "、".join(map(catalog.role_title, d.from_)), f"每{SPANS[per]}{least}次",
            sources.cite(d.source, c), d.source.quote,
        )
        for c, d, per, least in found
    )  # fmt: skip
    headings = ("任务", "由谁", "至少", "依据", "原文")
    return Listing("次数要求清单", headings, rows, (*asked, counted(rows)), sources.notes)


def _periods(duty: "Quota", per: Any) -> list[tuple[date, date]]:
    from ..duties import periods

    return list(periods(per, duty.first, duty.last))


def _inside(catalog: "Catalog", campaign: "Campaign", unit: "Unit") -> bool:
    return campaign.area in (unit.area, *(a.code for a in catalog.areas.ancestors(unit.area)))
