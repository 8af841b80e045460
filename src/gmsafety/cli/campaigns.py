"""`gmsafety campaigns`: the campaigns, their phases and what the documents got wrong."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .lists import Sources, ToPaper, counted, give_out, put_on_paper
from .output import Json, console, print_json, print_table
from .shelf import open_catalog

if TYPE_CHECKING:
    from ..campaigns import Campaign
    from ..catalog import Catalog
    from ..forms.writing import Listing

app = typer.Typer(help="专项行动。", no_args_is_help=True)


@app.command("list")
def list_campaigns(to: ToPaper = None, json: Json = False) -> None:
    """列出专项行动。"""
    from ..forms.writing import Listing

    catalog = open_catalog()
    campaigns = catalog.campaigns.values()
    keep = {"id", "title", "document", "area", "first", "last", "parent"}
    data = [
        {**c.model_dump(mode="json", include=keep), "id": c.ref, "duties": [d.id for d in c.duties]} for c in campaigns
    ]
    sources = Sources(catalog)
    rows = tuple((c.ref, c.title, c.first, c.last, len(c.duties), sources.cite(c.source, c)) for c in campaigns)
    headings = ("编号", "名称", "开始", "结束", "任务数", "依据")
    listing = Listing("专项行动一览表", headings, rows, (counted(rows),), sources.notes)
    give_out(listing, data, json=json, to=to)


@app.command("show")
def show(
    campaign: Annotated[str, typer.Argument(metavar="ID", help="专项行动编号")], to: ToPaper = None, json: Json = False
) -> None:
    """查看一个专项行动：阶段、任务、依据、原文订正。"""

    catalog = open_catalog()
    chosen = catalog.campaign(campaign)
    notes = [n for n in catalog.notes if n.startswith(chosen.ref)]
    put_on_paper(_listing(chosen, catalog), to, quiet=json)
    if json:
        print_json([{**_dump(chosen), "notes": notes}])
    elif to is None:
        _show(chosen, catalog, notes)


def _listing(campaign: "Campaign", catalog: "Catalog") -> "Listing":
    """Phases, duties and targets in one table."""
    from ..forms.writing import Listing

    sources = Sources(catalog)
    rows = tuple(
        (kind, v.title, who, when, sources.cite(v.source, campaign)) for kind, v, who, when in _lines(campaign, catalog)
    )
    header = (("起止", f"{campaign.first} 至 {campaign.last}"), counted(rows))
    headings = ("类别", "事项", "由谁", "期限", "依据")
    errata = tuple(f"原文订正（{e.where}）：印作“{e.printed}”，读作“{e.read}”。{e.why}" for e in campaign.errata)
    return Listing(campaign.title, headings, rows, header, (*sources.notes, *errata))


def _lines(campaign: "Campaign", catalog: "Catalog") -> Iterator[tuple[str, Any, str | None, str | None]]:
    yield from (("阶段", phase, None, f"{phase.first} 至 {phase.last}") for phase in campaign.phases)
    yield from (("任务", duty, _who(duty, catalog), _due(duty)) for duty in campaign.duties)
    yield from (("目标", target, None, f"{target.by}前" if target.by else None) for target in campaign.targets)


def _who(duty: Any, catalog: "Catalog") -> str:
    return "、".join(map(catalog.role_title, duty.from_))


def _show(chosen: "Campaign", catalog: "Catalog", notes: list[str]) -> None:
    out = console()
    document = catalog.documents.get(chosen.document) or catalog.documents.get(f"{chosen.plugin}.{chosen.document}")
    out.print(f"[bold]{chosen.title}[/]（{chosen.ref}）  {chosen.first} 至 {chosen.last}")
    out.print(f"依据：{document.title if document else chosen.document}  {document.number or '' if document else ''}")
    print_table(
        "阶段", ["阶段", "开始", "结束", "依据"], [(p.title, p.first, p.last, p.source.quote) for p in chosen.phases]
    )
    print_table(
        "任务",
        ["任务", "谁报", "期限", "解读"],
        [(d.title, _who(d, catalog), _due(d), d.source.reading) for d in chosen.duties],
    )
    for erratum in chosen.errata:
        out.print(
            f"原文订正（{erratum.where}）：印作“{erratum.printed}”，读作“{erratum.read}”。{erratum.why}", markup=False
        )
    for note in notes:
        out.print(note, markup=False)


def _dump(campaign: "Campaign") -> dict[str, Any]:
    return {**campaign.model_dump(mode="json", by_alias=True, exclude_none=True), "id": campaign.ref}


SPANS = {"month": "月", "quarter": "季度", "half-year": "半年", "year": "年"}


def _due(duty: Any) -> str:
    match duty.kind:
        case "once":
            return f"{duty.by} {duty.at:%H:%M}前"
        case "recurring":
            return f"每周（{duty.first} 至 {duty.last}）{duty.at:%H:%M}前"
        case "window":
            return f"{duty.first} 至 {duty.last}{'（原则上）' if duty.soft else ''}"
        case "offset":
            return f"{duty.event}{'前' if duty.days_after < 0 else '后'}{abs(duty.days_after)}天"
        case "quota":
            return f"每{SPANS[duty.per]}至少{duty.at_least}次"
    return f"{duty.on}时" if duty.on else "经常"
