"""`gmsafety specs`: the versions of a form, and two of them told apart in plain words."""

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import GmsafetyError
from .lists import ToPaper, counted, give_out
from .output import Json
from .shelf import open_catalog

if TYPE_CHECKING:
    from ..catalog import Catalog
    from ..forms.spec import Form

app = typer.Typer(help="表的各个版本。", no_args_is_help=True)
Spec = Annotated[str, typer.Argument(metavar="SPEC", help="表的编号、编号@版本，或一个YAML文件")]
_ABOUT = {
    "form": "表", "field": "栏目", "clause": "行", "row": "行", "rule": "规则", "rollup": "汇总", "text": "说明",
    "layout": "版式",
}  # fmt: skip


class NotOneForm(GmsafetyError):
    """Two declarations that are not versions of one form, or a file that declares none."""

    is_usage = True


@app.command("list")
def list_versions(
    form: Annotated[str | None, typer.Argument(metavar="[ID]", help="表的编号；不写则列出全部")] = None,
    on: Annotated[datetime | None, typer.Option("--on", formats=["%Y-%m-%d"], help="看哪一天的状态，默认今天")] = None,
    to: ToPaper = None,
    json: Json = False,
) -> None:
    """列出表的各个版本和状态。"""
    from ..forms.writing import Listing

    catalog, day = open_catalog(), on.date() if on else date.today()
    chosen = {ref: v for ref, v in catalog.versions.items() if form is None or ref == _ref(catalog, form)}
    rows = [
        {
            "id": f.ref, "version": f.version, "title": f.title, "state": v.state(f, day).name.lower(),
            "opens": f.opens, "closes": f.closes, "follows": f.follows or None,
        }
        for v in chosen.values() for f in v.forms
    ]  # fmt: skip
    shown = tuple(
        (f.ref, f.version, f.title, v.state(f, day).value, f.opens or "", f.closes or "", f.follows)
        for v in chosen.values() for f in v.forms
    )  # fmt: skip
    headings = ("编号", "版本", "名称", "状态", "启用", "停用", "接着")
    listing = Listing("表的版本", headings, shown, header=(("日期", str(day)), counted(shown, "个")))
    give_out(listing, rows, json=json, to=to)


@app.command("diff")
def diff(older: Spec, newer: Spec, to: ToPaper = None, json: Json = False) -> None:
    """比较一张表的两个版本：问的、判的、印的有什么不同。"""
    from ..forms.specdiff import compare_specs
    from ..forms.writing import Listing

    catalog = open_catalog()
    before, after = _form(catalog, older), _form(catalog, newer)
    if before.id != after.id:
        raise NotOneForm(f"“{before.ref}”和“{after.ref}”不是同一张表的两个版本")
    changes = compare_specs(before, after)
    shown = tuple((_ABOUT[c.about], c.where, c.text) for c in changes)
    title = f"《{after.title}》{before.version}版与{after.version}版的不同"
    listing = Listing(title, ("类别", "位置", "变化"), shown, header=(counted(shown, "处"),))
    give_out(listing, [c.to_json() for c in changes], json=json, to=to)
    if not json and to is None and not changes:
        typer.echo("两个版本没有不同。")


def _ref(catalog: "Catalog", name: str) -> str:
    return catalog.form(name).ref


def _form(catalog: "Catalog", name: str) -> "Form":
    """A form by its name, or from a file that is not installed yet."""
    path = Path(name)
    if path.suffix not in (".yaml", ".yml"):
        return catalog.form(name)
    from ..content import form_in

    form = form_in(path.read_text("utf-8"), path.name)
    if form is None:
        raise NotOneForm(f"文件“{name}”里没有表（form:）")
    return form
