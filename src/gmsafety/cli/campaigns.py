"""`gmsafety campaigns`: the campaigns, their phases and what the documents got wrong."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from .output import Json, console, print_json, print_table
from .shelf import open_catalog

if TYPE_CHECKING:
    from ..campaigns import Campaign

app = typer.Typer(help="专项行动。", no_args_is_help=True)


@app.command("list")
def list_campaigns(json: Json = False) -> None:
    """列出专项行动。"""

    campaigns = open_catalog().campaigns.values()
    if json:
        keep = {"id", "title", "document", "area", "first", "last", "parent"}
        print_json(
            [
                {**c.model_dump(mode="json", include=keep), "id": c.ref, "duties": [d.id for d in c.duties]}
                for c in campaigns
            ]
        )
    else:
        rows = [(c.ref, c.title, c.first, c.last, len(c.duties)) for c in campaigns]
        print_table("专项行动", ["编号", "名称", "开始", "结束", "任务"], rows)


@app.command("show")
def show(campaign: Annotated[str, typer.Argument(metavar="ID", help="专项行动编号")], json: Json = False) -> None:
    """查看一个专项行动：阶段、任务、依据、原文订正。"""

    catalog = open_catalog()
    chosen = catalog.campaign(campaign)
    notes = [n for n in catalog.notes if n.startswith(chosen.ref)]
    if json:
        print_json([{**_dump(chosen), "notes": notes}])
        return
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
        [(d.title, "、".join(d.from_), _due(d), d.source.reading) for d in chosen.duties],
    )
    for erratum in chosen.errata:
        out.print(
            f"原文订正（{erratum.where}）：印作“{erratum.printed}”，读作“{erratum.read}”。{erratum.why}", markup=False
        )
    for note in notes:
        out.print(note, markup=False)


def _dump(campaign: "Campaign") -> dict[str, Any]:
    return {**campaign.model_dump(mode="json", by_alias=True, exclude_none=True), "id": campaign.ref}


_SPANS = {"month": "月", "quarter": "季度", "half-year": "半年", "year": "年"}


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
            return f"每{_SPANS[duty.per]}至少{duty.at_least}次"
    return f"{duty.on}时" if duty.on else "经常"
