"""`gmsafety checklists`: the checklists, what they ask, and what a filled-in one comes to."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .lists import Sources, ToPaper, counted, give_out, put_on_paper
from .output import Json, console, print_json, print_table
from .shelf import open_catalog

if TYPE_CHECKING:
    from ..catalog import Catalog
    from ..checklists import Checklist, Item
    from ..codes.order10 import Situation
    from ..forms.writing import Listing

app = typer.Typer(help="检查表：查看、打印、读取结果。", no_args_is_help=True)
_BAD = {"yes": "答“是”", "no": "答“否”", "unclear": "含义不明"}


@app.command("list")
def list_checklists(to: ToPaper = None, json: Json = False) -> None:
    """列出检查表。"""
    from ..forms.writing import Listing

    catalog = open_catalog()
    found = catalog.checklists.values()
    sources = Sources(catalog)
    rows = tuple((c.ref, c.title, len(c.items), sources.clause(c.source, None, c.plugin)) for c in found)
    listing = Listing("检查表一览表", ("编号", "名称", "项数", "依据"), rows, (counted(rows, "张"),), sources.notes)
    data = [{"id": c.ref, "title": c.title, "campaign": c.campaign, "items": len(c.items)} for c in found]
    give_out(listing, data, json=json, to=to)


@app.command("show")
def show(
    checklist: Annotated[str, typer.Argument(metavar="ID", help="检查表编号")], to: ToPaper = None, json: Json = False
) -> None:
    """查看一张检查表：各项、哪种回答不合格、对应的判定标准、原文订正。"""
    catalog = open_catalog()
    chosen = catalog.checklist(checklist)
    listing = _listing(chosen, catalog)
    put_on_paper(listing, to, quiet=json)
    if json:
        print_json([_dump(chosen)])
    elif to is None:
        out = console()
        out.print(f"[bold]{chosen.title}[/]（{chosen.ref}）  {len(chosen.items)} 项")
        print_table("检查项", listing.headings, listing.rows)
        for note in listing.notes:
            out.print(note, markup=False)


def _listing(checklist: "Checklist", catalog: "Catalog") -> "Listing":
    from ..forms.writing import Listing

    sources = Sources(catalog)
    clause = sources.clause(checklist.source, None, checklist.plugin)
    rows = tuple(
        (i.id, g.title, i.ask, _BAD[i.bad] if checklist.judged else "", _beside(i), i.note)
        for g in checklist.groups
        for i in g.items
    )
    errata = tuple(f"原文订正（{e.where}）：印作“{e.printed}”，读作“{e.read}”。{e.why}" for e in checklist.errata)
    headings = ("编号", "分组", "检查内容", "不合格", "可能构成的重大事故隐患（解读）", "说明")
    header = (("依据", clause), counted(rows))
    return Listing(checklist.title, headings, rows, header, (*sources.notes, *errata))


def _cited(item: "Item", needed: Callable[["Situation"], Sequence[str]]) -> list[str]:
    """The situations a question may be; with those that need several things at once, what else has to be bad."""
    return [
        f"{s.citation} {s.title}（短题，自拟）"
        + (f"；还须同时不符合“{'”“'.join(more)}”才构成" if (more := needed(s)) else "")
        for s in item.situations
    ]


def _still(item: "Item", needed: Mapping[str, Sequence[str]]) -> str:
    return "\n".join(_cited(item, lambda s: needed.get(s.citation, ())))


def _beside(item: "Item") -> str:
    return "\n".join(_cited(item, lambda s: [part for part in s.parts if part not in item.parts]))


def _dump(chosen: "Checklist") -> dict[str, Any]:
    told = chosen.model_dump(mode="json", by_alias=True, exclude_none=True)
    return {**told, "id": chosen.ref, "count": len(chosen.items)}


@app.command("blank")
def blank(
    checklist: Annotated[str, typer.Argument(metavar="ID", help="检查表编号")],
    to: Annotated[Path, typer.Option("--to", help="写到哪个文件（.xlsx 或 .docx）")],
    printed: Annotated[bool, typer.Option("--as-printed", help="按通知印出的分组，不订正错行")] = False,
    json: Json = False,
) -> None:
    """打印空白检查表。"""
    from ..forms import blank as write

    chosen = open_catalog().checklist(checklist)
    path = write(chosen.as_printed if printed else chosen.form, to)
    if json:
        print_json([{"file": str(path), "form": chosen.ref}])
    else:
        print(f"已生成空白表：{path}")


@app.command("read")
def read(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="填好的检查表（.xlsx、.docx）")],
    json: Json = False,
) -> None:
    """读取填好的检查表，列出不合格的项。有不合格的项：退出码1。"""
    from ..forms import read as read_file
    from .output import print_findings

    catalog = open_catalog()
    reading = read_file(file, catalog)
    known = catalog.checklists.get(reading.form.ref) if reading.form else None
    if reading.record is None or known is None:
        print_findings(str(file), reading.form.title if reading.form else None, reading.findings)
        raise typer.Exit(1)
    outcomes = known.outcomes(reading.record)
    bad = [o for o in outcomes if o.is_bad]
    needed = {s.citation: parts for s, parts in known.majors(outcomes)}
    if json:
        told = [
            {"id": o.item.id, "group": o.group, "ask": o.item.ask, "answer": o.answer, "remark": o.remark,
             "bad": o.is_bad, "basis": list(o.item.basis), "row": o.row,
             "needs": [p for s in o.item.situations for p in needed.get(s.citation, ())] if o.is_bad else []}
            for o in outcomes
        ]  # fmt: skip
        print_json(told)
    else:
        unanswered = sum(o.answer is None for o in outcomes) if known.judged else 0
        console().print(f"[bold]{known.title}[/]  {len(outcomes)} 项，不合格 {len(bad)} 项，未答 {unanswered} 项")
        rows = [(o.item.id, o.item.ask, o.answer, o.remark, _still(o.item, needed)) for o in bad]
        print_table("不合格", ["编号", "检查内容", "回答", "说明", "可能构成的重大事故隐患（解读）"], rows)
    if bad:
        raise typer.Exit(1)
