"""`gmsafety forms`: the forms themselves: list, show, schema."""

import json as jsonlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .output import Json, console, print_json, print_table
from .shelf import open_catalog
from .target import may_write, say_written

if TYPE_CHECKING:
    from ..forms.spec import Form

app = typer.Typer(help="报表：查看、读取、核对、填写、转换。", no_args_is_help=True)
FormId = Annotated[str, typer.Argument(metavar="ID", help="表的编号")]


@app.command("list")
def list_forms(json: Json = False) -> None:
    """列出所有的表。"""

    forms = open_catalog().forms.values()
    if json:
        print_json(
            [
                {
                    "id": f.ref,
                    "version": f.version,
                    "title": f.title,
                    "printed_id": f.printed_id or f.id,
                    "campaign": f.campaign,
                }
                for f in forms
            ]
        )
    else:
        print_table(
            "表",
            ["编号", "名称", "版本", "形式"],
            [(f.ref, f.title, f.version, "逐行填写" if f.is_grid else "固定行") for f in forms],
        )


@app.command()
def show(form: FormId, json: Json = False) -> None:
    """查看一张表：栏目、规则、依据、订正。"""

    catalog = open_catalog()
    chosen = catalog.form(form)
    if json:
        print_json([{**_dump(chosen), "fields": _fields(chosen)}])
        return
    out = console()
    source = f"{chosen.source.document} {chosen.source.clause}"
    out.print(f"[bold]《{chosen.title}》[/]  {chosen.ref}  版本 {chosen.version}  依据 {source}")
    print_table(
        "栏目",
        ["编号", "名称", "类型", "可选"],
        [(f["id"], f["label"], f["type"], "、".join(f["choices"])) for f in _fields(chosen)],
    )
    rules = [
        (r.id, catalog.kinds[r.kind].code, r.check, r.source.quote or r.source.reading if r.source else "")
        for r in chosen.rules
    ]
    print_table("规则", ["规则", "代码", "应成立", "依据"], rules)
    for note in chosen.notes:
        out.print(note, markup=False)
    for erratum in chosen.errata:
        out.print(
            f"原文订正（{erratum.where}）：印作“{erratum.printed}”，读作“{erratum.read}”。{erratum.why}", markup=False
        )


def _dump(form: "Form") -> dict[str, Any]:
    return {**form.model_dump(mode="json", by_alias=True, exclude_none=True), "id": form.ref}


def _fields(form: "Form") -> list[dict[str, Any]]:
    if form.is_grid:
        return [{"id": c.id, "label": c.label, "type": c.type, "choices": list(c.choices)} for c in form.columns]
    return [{"id": p, "label": form.label_of(p), "type": b.kind.name, "choices": []} for p, b in form.blanks.items()]


@app.command()
def schema(
    form: FormId,
    to: Annotated[Path | None, typer.Option("--to", help="写到哪个文件（.json）")] = None,
    json: Json = False,
) -> None:
    """输出一张表的JSON Schema。"""
    from ..forms.schema import json_schema

    chosen = open_catalog().form(form)
    if to is None:
        print_json([json_schema(chosen)])
        return
    may_write(to)
    to.write_text(jsonlib.dumps(json_schema(chosen), ensure_ascii=False, indent=2) + "\n", "utf-8")
    say_written(chosen, to, json=json)
