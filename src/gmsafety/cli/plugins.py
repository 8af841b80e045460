"""`gmsafety plugins`: which regions are installed, and the JSON Schema of their content."""

from typing import Any

import typer

from .output import Json, print_json, print_table
from .shelf import open_catalog

app = typer.Typer(help="地区插件。", no_args_is_help=True)


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


@app.command("schema")
def schema(json: Json = False) -> None:
    """输出插件内容文件的JSON Schema，供编辑器核对YAML时使用。"""
    from ..content import ContentFile
    from ..forms.spec import Form

    print_json([ContentFile.model_json_schema(by_alias=True), Form.model_json_schema(by_alias=True)])
