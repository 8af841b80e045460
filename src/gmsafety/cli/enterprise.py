"""`gmsafety route|gate`: who inspects an enterprise, and whether it may resume."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from .lists import Sources, ToPaper, give_out, put_on_paper
from .output import Json, console, print_json
from .shelf import CampaignId, chosen_of, open_catalog
from .told import EnterpriseFile, read_told

if TYPE_CHECKING:
    from ..campaigns import Campaign
    from ..catalog import Catalog
    from ..forms.writing import Listing
    from ..gates import Verdict
    from ..routing import Routed


def route(
    file: EnterpriseFile,
    campaign: CampaignId = None,
    purpose: Annotated[
        str | None, typer.Option(help="inspection 检查，guidance 指导，assistance 帮扶；不写则全部")
    ] = None,
    to: ToPaper = None,
    json: Json = False,
) -> None:
    """查一家企业由谁检查、由谁指导。"""
    from ..forms.writing import Listing
    from ..routing import find_route

    catalog, who = open_catalog(), read_told(file)
    found = []
    for chosen in chosen_of(catalog, campaign):
        for kind in dict.fromkeys(r.purpose for r in chosen.routes):
            if purpose in (None, kind):
                found.append((chosen, kind, find_route(chosen.routes, who.tags, kind)))
    told = [_routed(*one, catalog=catalog) for one in found]
    sources = Sources(catalog)
    rows = []
    for (chosen, kind, routed), one in zip(found, told, strict=True):
        words = "、".join(one["to_titles"]) + ("（聘请专家）" if one["experts"] else "")
        words += f"；可由{'、'.join(map(catalog.role_title, one['may_delegate']))}" if one["may_delegate"] else ""
        asked = f"尚不能判定，须知道：{'、'.join(routed.open)}" if routed.open else "没有规定"
        source = routed.route.source if routed.route else None
        cited = (sources.cite(source, chosen), source.quote) if source else (None, None)
        rows.append((chosen.title, _PURPOSES.get(kind, kind), words or asked, *cited))
    headings = ("专项行动", "事项", "由谁", "依据", "原文")
    listing = Listing("企业检查指导分工表", headings, tuple(rows), (("企业", who.name),), sources.notes)
    give_out(listing, told, json=json, to=to, beside=file)


_PURPOSES = {"inspection": "检查", "guidance": "指导", "assistance": "帮扶"}


def _routed(campaign: "Campaign", purpose: str, routed: "Routed", *, catalog: "Catalog") -> dict[str, Any]:
    route = routed.route
    return {
        "campaign": campaign.ref,
        "purpose": purpose,
        "route": route.id if route else None,
        "to": list(route.to) if route else [],
        "to_titles": [catalog.role_title(r) for r in route.to] if route else [],
        "may_delegate": list(route.may_delegate) if route else [],
        "experts": bool(route and route.experts),
        "open": list(routed.open),
        "source": route.source if route else None,
    }


def gate(
    file: EnterpriseFile,
    campaign: CampaignId = None,
    waive: Annotated[list[str] | None, typer.Option(help="豁免：条件=理由；只记录，不改变结论")] = None,
    to: ToPaper = None,
    json: Json = False,
) -> None:
    """查一家企业可否复工复产等，并列出理由。不得：退出码1。"""
    waivers = dict(w.partition("=")[::2] for w in waive or [])
    catalog, told = open_catalog(), read_told(file)
    verdicts = [(c, g.judge(told.facts, told.tags, waivers)) for c in chosen_of(catalog, campaign) for g in c.gates]
    put_on_paper(_gate_listing(verdicts, catalog, told.name), to, file, quiet=json)
    if json:
        print_json([_judged(*one) for one in verdicts])
    elif to is None:
        _show_verdicts(verdicts)
    if any(v.state.value == "deny" for _, v in verdicts):
        raise typer.Exit(1)


def _judged(campaign: "Campaign", verdict: "Verdict") -> dict[str, Any]:
    reasons = [{"condition": r.condition.id, "verdict": r.state.value, "text": r.text} for r in verdict.reasons]
    return {
        "campaign": campaign.ref, "gate": verdict.gate.id, "title": verdict.gate.title, "verdict": verdict.state.value,
        "reasons": reasons, "waivers": dict(verdict.waivers or {}),
    }  # fmt: skip


def _show_verdicts(verdicts: list[tuple["Campaign", "Verdict"]]) -> None:
    out = console()
    for chosen, verdict in verdicts:
        out.print(f"[bold]{verdict.state.chinese}[/]  {verdict.gate.title}（{chosen.title}）")
        for reason in verdict.reasons:
            quote = reason.condition.source.quote or ""
            out.print(f"  {reason.state.chinese}：{reason.text}  {quote}", markup=False)
        for name, why in (verdict.waivers or {}).items():
            out.print(f"  豁免（仅记录）：{name}  {why}", markup=False)


def _gate_listing(verdicts: list[tuple["Campaign", "Verdict"]], catalog: "Catalog", name: str) -> "Listing":
    """Every condition that does not hold or is not known; a gate without such is a row of its own."""
    from ..forms.writing import Listing

    sources = Sources(catalog)
    rows: list[tuple[object, ...]] = []
    for campaign, verdict in verdicts:
        first = (verdict.gate.title, verdict.state.chinese)
        rows += [
            (*first, r.state.chinese, r.text, sources.cite(r.condition.source, campaign), r.condition.source.quote)
            for r in verdict.reasons
        ] or [
            (*first, None, "各项条件均已满足", sources.cite(verdict.gate.source, campaign), verdict.gate.source.quote)
        ]
    waived = tuple(
        f"豁免（仅记录，不改变结论）：{n}  {w}" for n, w in (verdicts[0][1].waivers or {}).items() if verdicts
    )
    headings = ("事项", "结论", "判断", "理由", "依据", "原文")
    return Listing("企业条件判定表", headings, tuple(rows), (("企业", name),), (*waived, *sources.notes))
