"""`gmsafety plugin`: which regions are installed, a new one to start from, and whether one keeps what all must keep."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import GmsafetyError
from .output import Json, console, print_json, print_table
from .shelf import open_catalog

if TYPE_CHECKING:
    from ..testing import Check

app = typer.Typer(help="地区插件。", no_args_is_help=True)
_MARKS = {"ok": "[green]✓[/]", "wrong": "[bold red]✗[/]", "nothing": "[dim]–[/]", "not-run": "[dim]·[/]"}
_SAID = {"ok": "{count}项", "wrong": "{wrong}处需要改正", "nothing": "没有这类内容", "not-run": "未核对"}


class Taken(GmsafetyError):
    """A folder or a name that is in use already."""

    is_usage = True


@app.command("list")
def list_plugins(json: Json = False) -> None:
    """列出已安装的地区插件。"""

    catalog = open_catalog()
    rows: list[dict[str, Any]] = [
        {
            "name": c.plugin,
            "title": c.title,
            "documents": [d.number or d.title for d in c.documents],
            "campaigns": [x.ref for x in c.campaigns],
            "forms": [f.ref for f in c.forms],
            "checklists": [k.ref for k in c.checklists],
            "units": len(c.units),
        }
        for c in catalog.contents
    ]
    if json:
        print_json(rows)
    else:
        shown = [
            (r["name"], r["title"], "、".join(r["documents"]), len(r["campaigns"]), len(r["forms"]), r["units"])
            for r in rows
        ]
        print_table("地区插件", ["名称", "地区", "文件", "专项行动", "表", "单位"], shown)


@app.command("new")
def new(
    name: Annotated[str, typer.Argument(help="插件的名称：小写字母、数字、连字符")],
    to: Annotated[Path | None, typer.Option("--to", help="写到哪个文件夹，默认与名称相同")] = None,
    area: Annotated[str | None, typer.Option("--area", help="行政区划代码，县级以上6位；不写则询问")] = None,
    title: Annotated[str | None, typer.Option("--title", help="地区的名称，默认为行政区划的名称")] = None,
    level: Annotated[str | None, typer.Option("--level", help="province、city或county，默认为行政区划的级别")] = None,
    licence: Annotated[
        str, typer.Option("--licence", help="Apache-2.0、MulanPSL-2.0或none（保留所有权利）")
    ] = "Apache-2.0",
) -> None:
    """新建一个可安装的地区插件，各类内容各有一例。"""
    from ..catalog import installed_plugins
    from ..starter import new_region

    asked = area is None
    region = new_region(name, area or typer.prompt("行政区划代码"), title=title, level=level, licence=licence)
    if asked:
        title = title or typer.prompt("地区的名称", default=region.title)
        level = level or typer.prompt("级别", default=region.level.value)
        region = new_region(name, region.area.code, title=title, level=level, licence=licence)
    if name in installed_plugins():
        raise Taken(f"已经装有名为“{name}”的插件，请换一个名称。")
    folder = to or Path(name)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Taken(f"“{folder}”已经存在，没有写入。请用 --to 换一个文件夹。")
    written = region.files()
    for path, text in written.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, "utf-8", newline="\n")
    lines = sum(text.count("\n") for text in written.values())
    print(f"已新建：{folder}（{region.title}，{len(written)}个文件，{lines}行）")
    for path in written:
        print(f"  {path}")
    print(f"内容是示例，请换成通知里的，再核对：gmsafety plugin check {folder}")


@app.command("check")
def check(
    plugin: Annotated[str, typer.Argument(help="插件的文件夹，或已安装的插件的名称")] = ".", json: Json = False
) -> None:
    """核对一个地区插件：能否载入，有无依据和日期，每张表写出、读回是否不变。"""
    from ..testing import check_package, examine, needed_by, plugin_in, plugin_named
    from ..testing.conformance import unloaded

    folder = Path(plugin)
    if folder.is_dir():
        with plugin_in(folder) as found:
            needs = needed_by(found.content) if found.content else []
            checks = examine(found.content, *needs) if found.content else unloaded(found.problems)
            checks = [check_package(found, needs), *checks]
    else:
        found = plugin_named(plugin)
        needs = needed_by(found.content) if found.content else []
        checks = examine(found.content, *needs) if found.content else unloaded(found.problems)
    if json:
        print_json([_as_json(c) for c in checks])
    else:
        _print(found.name, found.content.title if found.content else "", needs, checks)
    if any(c.problems for c in checks):
        raise typer.Exit(1)


def _as_json(check: "Check") -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "check": check.slug, "title": check.title, "state": check.state, "count": check.count,
        "problems": [asdict(p) for p in check.problems],
    }  # fmt: skip


def _print(name: str, title: str, needs: list[str], checks: list["Check"]) -> None:
    from rich.markup import escape

    out = console()
    wrong = sum(len(c.problems) for c in checks)
    state = f"[bold red]{wrong} 处需要改正[/]" if wrong else "[bold green]没有问题[/]"
    beside = f"  与 {'、'.join(needs)} 一起载入" if needs else ""
    out.print(f"[bold]{escape(name)}[/]  {escape(title)}{beside}  {state}")
    for check in checks:
        said = _SAID[check.state].format(count=check.count, wrong=len(check.problems))
        out.print(f"  {_MARKS[check.state]} {escape(check.title)} [dim]{said}[/]")
        for problem in check.problems:
            out.print(f"      {escape(str(problem))}")


@app.command("schema")
def schema(
    to: Annotated[Path | None, typer.Option("--to", help="写到哪个文件夹，每种文件一个")] = None, json: Json = False
) -> None:
    """输出插件YAML文件的JSON Schema，供编辑器核对时使用。"""
    from ..yamlschema import FILES, yaml_schema

    if to is None:
        print_json([yaml_schema(name) for name in FILES])
        return
    import orjson

    to.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        written = to / f"{name}.json"
        written.write_bytes(orjson.dumps(yaml_schema(name), option=orjson.OPT_INDENT_2))
        print(f"已写入：{written}")
