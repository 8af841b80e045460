"""`gmsafety forms diff`: what one file says otherwise than another, or one revision than an earlier one."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .data import form_named_in, load_record, version_named_in
from .files import SeveralForms
from .lists import ToPaper, put_on_paper
from .output import Json, console, print_findings, print_json, print_table
from .shelf import open_catalog
from .target import may_write

if TYPE_CHECKING:
    from ..catalog import Catalog
    from ..findings import Finding, Place
    from ..forms.comparing import Change, Comparison, RowChange
    from ..forms.record import Record
    from ..forms.writing import Listing

_MOST = 500
HEADINGS = ("变化", "位置", "项目", "原来", "现在", "原来的单元格", "现在的单元格")
Compared = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help=".xlsx、.docx、.csv 等，或 .json")]


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two files: the records in it by form, and what was found while reading."""

    path: Path
    records: dict[str, "Record"]
    findings: tuple["Finding", ...] = ()

    @property
    def in_words(self) -> str:
        """Which forms the file holds."""
        named = "、".join(f"《{r.form.title}》（{r.form.ref}）" for r in self.records.values())
        return f"“{self.path.name}”是{named}" if named else f"“{self.path.name}”未能读取"


def diff(
    a: Compared,
    b: Compared,
    form: Annotated[str | None, typer.Option("--form", help="指明是哪张表；不写则自动识别")] = None,
    to: ToPaper = None,
    json: Json = False,
) -> None:
    """比较两份同样的表：哪些格、哪些行改了（按行的内容对应，不按位置）。有不同时退出码为 1。"""
    from ..findings import has_findings
    from ..forms.comparing import NotTheSameForm, compare

    if to is not None:
        may_write(to, a, b)
    catalog = open_catalog()
    old, new = _side(a, catalog, form), _side(b, catalog, form)
    both = [ref for ref in new.records if ref in old.records]
    if not both and old.records and new.records:
        raise NotTheSameForm(f"不是同一张表，不能比较：{old.in_words}；{new.in_words}。")
    compared = [compare(old.records[ref], new.records[ref]) for ref in both]
    if to is not None and compared:
        put_on_paper(_listing(compared, old, new), to, a, quiet=json)
    if json:
        print_json([*(_view(c, old, new) for c in compared)] or [_unread(old, new)])
    else:
        _show(compared, old, new)
    if any(c.count for c in compared) or not compared or has_findings((*old.findings, *new.findings)):
        raise typer.Exit(1)


def _side(path: Path, catalog: "Catalog", form: str | None) -> Side:
    from ..forms.reading import read

    if path.suffix.lower() == ".json":
        record = load_record(path, catalog.form(form or form_named_in(path)))
        version = version_named_in(path)
        if version and version != record.form.version:
            record = replace(record, form=record.form.model_copy(update={"version": version}))
        return Side(path, {record.form.ref: record})
    reading = read(path, catalog, form=form)
    readings = (reading, *reading.also)
    records: dict[str, Record] = {}
    for each in readings:
        if each.record is not None and records.setdefault(each.record.form.ref, each.record) is not each.record:
            raise SeveralForms(
                f"“{path.name}”里有几份《{each.record.form.title}》，不能确定比较哪一份。请分开成几个文件。"
            )
    return Side(path, records, tuple(f for r in readings for f in r.findings))


def _view(compared: "Comparison", old: Side, new: Side) -> dict[str, Any]:
    sides = {"before": str(old.path), "after": str(new.path)}
    return {**sides, **compared.to_json(), "findings": _findings(old, new)}


def _unread(old: Side, new: Side) -> dict[str, Any]:
    return {"before": str(old.path), "after": str(new.path), "form": None, "findings": _findings(old, new)}


def _findings(old: Side, new: Side) -> list[dict[str, Any]]:
    return [f.in_file(s.path.name).to_json() for s in (old, new) for f in s.findings]


def _show(compared: list["Comparison"], old: Side, new: Side) -> None:
    for side in (old, new):
        if side.findings or not side.records:
            print_findings(str(side.path), None if side.records else "未识别", side.findings)
    for each in compared:
        console().print(f"《{each.form.title}》 {old.path} → {new.path}", markup=False)
        console().print(each.in_words, markup=False)
        lines = list(lines_of(each))
        if lines:
            shown = [
                (*line[:5], line[6] if line[5] in ("", line[6]) else " → ".join(line[5:])) for line in lines[:_MOST]
            ]
            print_table("", (*HEADINGS[:5], "单元格"), shown)
        if len(lines) > _MOST:
            console().print(f"只显示了前{_MOST}处，全部见 --json 或 --to。", markup=False)


def lines_of(compared: "Comparison") -> Iterator[tuple[str, ...]]:
    """Every difference as a line under `HEADINGS`; rows that were only renumbered are told by their count."""
    from ..forms.comparing import WORDS

    for value in compared.values:
        yield WORDS["changed"], *_told(value)
    for row in compared.rows:
        if row.kind == "changed":
            words = "改了，换了位置" if row.moved else WORDS["changed"]
            yield from ((words, *_told(c, row)) for c in row.cells)
        elif row.kind != "renumbered":
            cells = _cell(row.old), _cell(row.new)
            shown = ("", row.line) if row.kind == "added" else (row.line, "" if row.kind == "removed" else row.line)
            yield WORDS[row.kind], row.where, "整行", *shown, *cells


def _told(change: "Change", row: "RowChange | None" = None) -> tuple[str, ...]:
    from ..forms.types.text import shorten

    where = f"{change.where}（{shorten(row.line)}）" if row is not None and row.line else change.where
    return (
        where,
        change.label,
        change.before or "（空白）",
        change.after or "（空白）",
        _cell(change.old),
        _cell(change.new),
    )


def _cell(place: "Place | None") -> str:
    """A cell of a sheet by its address, any other place in words."""
    if place is None:
        return ""
    return str(place) if place.where[-1:].isdigit() and " " not in place.where else place.chinese


def _listing(compared: list["Comparison"], old: Side, new: Side) -> "Listing":
    from ..forms.writing import Listing

    rows = tuple(line for each in compared for line in lines_of(each))
    header = (("原来", old.path.name), ("现在", new.path.name))
    return Listing(
        "两份表的不同之处", HEADINGS, rows, header, tuple(f"《{c.form.title}》{c.in_words}" for c in compared)
    )


def register(app: typer.Typer) -> None:
    """Add the command to `gmsafety forms`."""
    app.command("diff")(diff)
