"""`gmsafety forms fill|blank`: forms written, filled in or to be filled in."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import GmsafetyError
from .data import form_named_in, load_record, write_record
from .output import Json, print_findings
from .shelf import open_catalog
from .target import may_write, say_written

if TYPE_CHECKING:
    from ..catalog import Catalog
    from ..forms.spec import Form
    from ..forms.writing import Issue

To = Annotated[Path, typer.Option("--to", help="写到哪个文件（.xlsx、.docx 或 .pdf；填写时还可以是 .json）")]


class NoData(GmsafetyError):
    """A record was asked for, and none was given that says its form."""

    is_usage = True


class NoPrevious(GmsafetyError):
    """The file of the last period is not one of this form."""


def register(app: typer.Typer) -> None:
    """Add the commands to `gmsafety forms`."""
    app.command("fill")(fill_form)
    app.command("blank")(blank_form)


def fill_form(
    given: Annotated[
        list[str], typer.Argument(metavar="[ID] DATA.json", help="表的编号（数据里写明了的可以省略）和数据")
    ],
    to: To,
    template: Annotated[
        Path | None, typer.Option(help="填进自己的这份表（.xlsx、.docx）：只改填写的格子", exists=True, dir_okay=False)
    ] = None,
    json: Json = False,
) -> None:
    """把数据填进正式的表，或填进自己的一份。有写不下的内容：退出码1。"""
    source = Path(given[-1])
    if len(given) > 2 or not source.is_file():
        raise NoData(f"没有数据文件“{source}”。用法：gmsafety forms fill [表的编号] 数据.json --to 文件")
    may_write(to, source, template)
    catalog = open_catalog()
    record = load_record(source, catalog.form(given[0] if len(given) == 2 else form_named_in(source)))
    if template is None:
        write_record(record, to, catalog)
        say_written(record.form, to, json=json)
        return
    from ..forms.filling import fill_template

    found = fill_template(record, template, to)
    if found and not json:
        print_findings(str(to), record.form.title, found)
    say_written(record.form, to, json=json, findings=[f.to_json() for f in found])
    if found:
        raise typer.Exit(1)


def blank_form(  # noqa: PLR0913, PLR0917 - typer makes an option of each parameter
    form: Annotated[str, typer.Argument(metavar="ID", help="表的编号")],
    to: To,
    unit: Annotated[str, typer.Option(help="发给哪个单位：表头写好单位，文件里留下标记")] = "",
    period: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="哪一期：表头写好日期")] = None,
    previous: Annotated[
        Path | None, typer.Option(help="这个单位上一期的表：台账接着上期的行，累计数写在批注里", exists=True)
    ] = None,
    instructions: Annotated[bool, typer.Option("--instructions", help="附填表说明")] = False,
    json: Json = False,
) -> None:
    """生成空白表；可以写好单位、日期和上期的数，附填表说明。"""
    from ..forms.writing import Issue, blank

    may_write(to, previous)
    catalog = open_catalog()
    asked = catalog.form(form, on=period.date() if period else None)
    chosen = catalog.printed_in(asked, catalog.units.named(unit) if unit else None)
    issue = Issue(period=period.date() if period else None, instructions=instructions)
    if unit or period or previous or instructions:
        blank(chosen, to, issue=_issued(issue, chosen, catalog, unit, previous))
    else:
        blank(chosen, to)
    say_written(chosen, to, json=json, words="已生成空白表")


def _issued(issue: "Issue", form: "Form", catalog: "Catalog", unit: str, previous: Path | None) -> "Issue":
    """The issue to a unit, with what it filed last period."""
    from dataclasses import replace

    from ..forms.reading import read

    known = catalog.units.named(unit) if unit else None
    issue = replace(issue, unit=known.ref if known else "", unit_name=known.name if known else unit)
    if previous is None:
        return issue
    record = read(previous, catalog, form=form.ref).record
    if record is None:
        raise NoPrevious(f"“{previous.name}”里没有《{form.title}》，不能作为上期")
    return replace(issue, previous=catalog.carry(record, form).record)
