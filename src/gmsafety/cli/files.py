"""`gmsafety forms read|check|convert`: what is done with files."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import GmsafetyError
from .annotated import copies_of, say_copied
from .data import form_named_in, load_record, write_record
from .output import Json, print_findings, print_json, print_table
from .shelf import open_catalog
from .target import may_write, say_written

if TYPE_CHECKING:
    from ..catalog import Catalog
    from ..findings import Finding
    from ..forms.reading import Reading
    from ..forms.record import Record

Files = Annotated[list[Path], typer.Argument(metavar="FILE...", help="一个或几个文件", exists=True, dir_okay=False)]
Several = Annotated[
    list[Path], typer.Argument(metavar="FILE|FOLDER|ZIP...", help="文件，或整个文件夹、压缩包", exists=True)
]


class SeveralForms(GmsafetyError):
    """A file holds several forms, and none was named."""

    is_usage = True


def register(app: typer.Typer) -> None:
    """Add the commands to `gmsafety forms`."""
    app.command("read")(read_files)
    app.command("check")(check_files)
    app.command("convert")(convert)


def read_files(
    files: Files,
    form: Annotated[str | None, typer.Option("--form", help="指明是哪张表；不写则自动识别")] = None,
    printed: Annotated[bool, typer.Option("--printed", help="按纸面的栏目和顺序输出")] = False,
    json: Json = False,
) -> None:
    """读取文件，给出各栏的值和所在单元格。"""
    from ..findings import has_findings
    from ..forms.reading import read

    catalog = open_catalog()
    readings = [(path, read(path, catalog, form=form)) for path in files]
    if json or printed:
        print_json([_reading_json(path, r, catalog, printed=printed) for path, r in readings])
    else:
        for path, reading in readings:
            _show(path, reading)
    if any(has_findings(r.findings) for _, r in readings):
        raise typer.Exit(1)


def _reading_json(path: Path, reading: "Reading", catalog: "Catalog", *, printed: bool) -> dict[str, Any]:
    from ..forms.printed import to_printed
    from ..forms.schema import to_json
    from ..forms.types.dates import Window

    found = [f.to_json() for f in reading.findings]
    record = reading.record
    if record is None:
        return {"file": reading.file, "path": str(path), "form": None, "version": None, "findings": found}
    if printed:
        view = to_printed(record, Window(*catalog.window(record.form), record.filed))
    else:
        view = {
            "file": reading.file,
            **to_json(record),
            "cells": _cells(record),
            "typed": record.origin.typed if record.origin else {},
        }
    also = [_reading_json(path, r, catalog, printed=printed) for r in reading.also]
    return {**view, "path": str(path), "findings": found, **({"also": also} if also else {})}


def _cells(record: "Record") -> Any:
    if record.form.is_grid:
        return [{n: record.cell(i, n).where for n in record.rows.columns} for i in range(len(record.rows))]
    return {
        path: record.place(path).where
        for path in [*(f"header.{h.id}" for h in record.form.header), *record.form.blanks]
    }


def _show(path: Path, reading: "Reading") -> None:
    print_findings(str(path), reading.form.title if reading.form else None, reading.findings)
    record = reading.record
    if record is None:
        return
    form = record.form
    print_table("表头", ["栏目", "值"], [(h.label, h.kind.show(record.header.get(h.id))) for h in form.header])
    if form.is_grid:
        rows = [[form.by_id[n].kind.show(v) for n, v in row.items()] for row in record.rows]
        print_table(
            f"{len(rows)} 行" + ("（零报告）" if record.nil else ""),
            [form.by_id[n].label for n in record.rows.columns],
            rows,
        )
    else:
        shown = [
            (form.label_of(p), b.kind.show(record.values.get(p)), record.place(p).where) for p, b in form.blanks.items()
        ]
        print_table("零报告" if record.nil else "各栏", ["栏目", "值", "单元格"], shown)
    for also in reading.also:
        _show(path, also)


def check_files(  # noqa: PLR0913, PLR0917 - typer makes an option of each
    files: Several,
    previous: Annotated[
        list[Path] | None, typer.Option("--previous", help="同一单位上一期的同一张表", exists=True)
    ] = None,
    beside: Annotated[
        list[Path] | None, typer.Option("--with", help="同一单位同一期的另一张表（可写几次）", exists=True)
    ] = None,
    form: Annotated[str | None, typer.Option("--form", help="指明是哪张表；不写则自动识别")] = None,
    annotate: Annotated[
        Path | None, typer.Option("--annotate", metavar="DIR|ZIP", help="把标注了问题的文件写到哪个文件夹或 .zip")
    ] = None,
    to: Annotated[Path | None, typer.Option("--to", help="把汇总表写到哪个文件（.xlsx 或 .docx）")] = None,
    json: Json = False,
) -> None:
    """核对文件：有什么问题、在哪一格、怎么改。文件夹、压缩包一次核对完，给出汇总表。"""
    from ..findings import has_findings
    from ..forms.reading import read
    from .bulk import check_many, wants_summary
    from .workers import Settings

    if wants_summary(files, to, annotate):
        settings = Settings(form, tuple(previous or ()), tuple(beside or ()))
        check_many(files, settings, to=to, annotate=annotate, json=json)
        return
    copies = copies_of(annotate, [*files, *(previous or ()), *(beside or ())])
    catalog = open_catalog()
    before = [read(p, catalog) for p in previous or ()]
    others = [read(p, catalog) for p in beside or ()]
    results = []
    for path in files:
        reading = read(path, catalog, form=form)
        inside = (reading, *reading.also)
        checked = [(r, check_one(r, catalog, before, others or [o for o in inside if o is not r])) for r in inside]
        results.append((path, reading, checked, copies.write(path, checked) if copies else {}))
    if json:
        print_json([{**_check_json(path, reading, checked), **copy} for path, reading, checked, copy in results])
    else:
        for path, _, checked, copy in results:
            for reading, findings in checked:
                print_findings(str(path), reading.form.title if reading.form else None, findings)
            if copy:
                say_copied(copy)
    if any(has_findings(findings) for _, _, checked, _ in results for _, findings in checked):
        raise typer.Exit(1)


def check_one(
    reading: "Reading", catalog: "Catalog", before: list["Reading"], others: list["Reading"]
) -> tuple["Finding", ...]:
    """Check one form, with those of the given files that are its own: same form last period, same unit beside."""
    from ..forms.checking import check, in_order, same_unit

    record = reading.record
    if record is None:
        return reading.findings
    last = [b for b in before if b.form is record.form and b.record and same_unit(record, b.record, catalog.units)]
    fits = [o for o in others if o.record and same_unit(record, o.record, catalog.units)]
    only = before[0] if len(before) == 1 else None
    findings = check(reading, catalog, previous=last[0] if last else only, beside=fits or others)
    unread = [*_unreadable(before, "not-comparable", catalog), *_unreadable(others, "pair-not-comparable", catalog)]
    return in_order([*findings, *unread])


def _unreadable(readings: list["Reading"], kind: str, catalog: "Catalog") -> list["Finding"]:
    """Say which of the files to compare with could not be read."""
    from ..findings import FILE

    broken = [r for r in readings if r.record is None]
    whys = [f"“{r.file}”未能读取（{r.findings[0].message.rstrip('。') if r.findings else ''}）" for r in broken]
    return [catalog.kinds[kind].at(FILE, file=r.file, why=why) for r, why in zip(broken, whys, strict=True)]


def _check_json(
    path: Path, reading: "Reading", checked: list[tuple["Reading", tuple["Finding", ...]]]
) -> dict[str, Any]:
    views = [
        {
            "file": reading.file,
            "path": str(path),
            "form": (r.form.printed_id or r.form.id) if r.form else None,
            "version": r.form.version if r.form else None,
            "findings": [f.to_json() for f in findings],
        }
        for r, findings in checked
    ]
    first, *also = views
    return {**first, "also": also} if also else first


def convert(
    source: Annotated[Path, typer.Argument(metavar="IN", help="读哪个文件", exists=True, dir_okay=False)],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="写成哪个文件（.xlsx、.docx、.pdf 或 .json）")],
    form: Annotated[str | None, typer.Option("--form", help="指明是哪张表；JSON里没写时必须指明")] = None,
    json: Json = False,
) -> None:
    """转换：把表从一种格式重写成另一种格式（正式样式）。"""
    from ..findings import has_findings
    from ..forms.reading import read

    may_write(target, source)
    catalog = open_catalog()
    if source.suffix.lower() == ".json":
        record = load_record(source, catalog.form(form or form_named_in(source)))
        write_record(record, target, catalog)
        say_written(record.form, target, json=json, findings=[])
        return
    reading = read(source, catalog, form=form)
    titles = "、".join(f"《{r.form.title}》（{r.form.ref}）" for r in (reading, *reading.also) if r.form)
    if reading.also:
        raise SeveralForms(f"{source.name}里有{1 + len(reading.also)}张表：{titles}。请用 --form 指明转换哪一张。")
    if reading.findings and not json:
        print_findings(str(source), reading.form.title if reading.form else None, reading.findings)
    found = [f.to_json() for f in reading.findings]
    if reading.record:
        write_record(reading.record, target, catalog)
        say_written(reading.record.form, target, json=json, findings=found)
    elif json:
        print_json([{"file": None, "path": None, "form": None, "version": None, "findings": found}])
    if has_findings(reading.findings):
        raise typer.Exit(1)
