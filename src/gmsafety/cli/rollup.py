"""`gmsafety rollup`: the upper unit's form from the lower ones'."""

import json as jsonlib
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import UnknownName
from .data import load_record
from .output import Json, console, print_findings, print_json, print_table
from .shelf import open_catalog
from .target import may_write

if TYPE_CHECKING:
    from ..catalog import Catalog
    from ..rollups import RollupResult


def rollup(  # noqa: PLR0913, PLR0917 - typer makes an option of each
    form: Annotated[str, typer.Argument(metavar="FORM", help="表的编号")],
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="各下级单位的这张表", exists=True, dir_okay=False)
    ],
    unit: Annotated[str, typer.Option(help="为哪个单位汇总：编号、名称或行政区划代码")],
    period: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="期次：本周的截止日")],
    own: Annotated[Path | None, typer.Option(help="本级自己的部分（JSON）", exists=True, dir_okay=False)] = None,
    to: Annotated[Path | None, typer.Option(help="写到哪个文件（.xlsx、.docx 或 .json）")] = None,
    json: Json = False,
) -> None:
    """汇总下级各单位的表，每个数都能查到出处。"""
    from ..findings import has_findings
    from ..forms.checking import check
    from ..forms.reading import read

    if to is not None:
        may_write(to, *files, own)
    catalog = open_catalog()
    chosen = catalog.form(form)
    readings = [read(path, catalog, form=chosen.ref) for path in files]
    upper = catalog.unit(unit)
    periods = catalog.periods(chosen, upper)
    if period.date() not in periods:
        raise UnknownName("期次", f"{period:%Y-%m-%d}", [d.isoformat() for d in periods])
    mine = load_record(own, chosen) if own else None
    result = catalog.rollup(chosen.ref).apply(
        readings, unit=upper, own=mine, period=period.date(), own_file=own.name if own else ""
    )
    known = set(result.findings)
    below = [f.in_file(r.file) for r in readings for f in check(r, catalog) if not f.is_remark]
    result = replace(result, findings=(*result.findings, *(f for f in below if f not in known)))
    view = _view(result, catalog)
    if to is not None:
        _write(result, view, to)
    if json:
        print_json([view])
    else:
        _show(result, to)
    if has_findings(result.findings):
        raise typer.Exit(1)


def _view(result: "RollupResult", catalog: "Catalog") -> dict[str, Any]:
    from ..forms.printed import to_printed
    from ..forms.types.dates import Window

    record = result.record
    return {
        **to_printed(record, Window(*catalog.window(record.form), record.filed)),
        "unit": result.unit.ref,
        "contributions": result.contributions(),
        "sources": result.source_list(),
        "missing": [u.ref for u in result.missing],
        "findings": [f.to_json() for f in result.findings],
    }


def _write(result: "RollupResult", view: dict[str, Any], to: Path) -> None:
    from ..forms.writing import fill

    if to.suffix.lower() == ".json":
        to.write_text(jsonlib.dumps(view, ensure_ascii=False, indent=1), "utf-8")
    else:
        fill(result.record, to)


def _show(result: "RollupResult", to: Path | None) -> None:
    record = result.record
    print_findings(f"{result.unit.name} {record.filed or ''}", record.form.title, result.findings)
    if record.form.is_grid:
        print_table(f"共 {len(record.rows)} 行", ["单位", "行数"], list(result.contributions().items()))
    else:
        rows = []
        for path, blank in record.form.blanks.items():
            if blank.kind.numeric and record.values[path] is not None:
                parts = "＋".join(f"{s.area}{blank.kind.show(s.value)}" for s in result.sources[path] if s.value)
                rows.append((record.form.label_of(path), blank.kind.show(record.values[path]), parts))
        print_table("汇总", ["栏目", "合计", "其中"], rows)
    if to is not None:
        console().print(f"已写入：{to}", markup=False)
