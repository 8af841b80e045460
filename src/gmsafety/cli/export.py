"""`gmsafety forms export`: forms as one csv or JSON Lines file for other programs, record after record."""

import csv
import json as jsonlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from ..errors import GmsafetyError
from .data import form_named_in, load_record
from .files import Files
from .output import Json, console, print_findings, print_json
from .shelf import open_catalog
from .target import may_write

if TYPE_CHECKING:
    from ..catalog import Catalog
    from ..findings import Finding
    from ..forms.record import Record
    from ..forms.spec import Form

_SUFFIXES = (".csv", ".jsonl")


class NoExport(GmsafetyError):
    """An export is a csv or a JSON Lines file."""

    is_usage = True


@dataclass
class Export:
    """One export under way: the form of a csv is that of the first record, and others are left out and named."""

    form: "Form | None" = None
    written: list[dict[str, Any]] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    findings: list["Finding"] = field(default_factory=list)


def export(
    files: Files,
    to: Annotated[Path, typer.Option("--to", help="写到哪个文件（.csv 或 .jsonl）")],
    form: Annotated[str | None, typer.Option("--form", help="指明是哪张表；不写则自动识别")] = None,
    json: Json = False,
) -> None:
    """导出：几份表合成一个 csv（一种表，按行）或 jsonl（一份表一行），供其他程序使用。"""
    from ..findings import has_findings

    suffix = to.suffix.lower()
    if suffix not in _SUFFIXES:
        raise NoExport(f"不能导出成“{to.suffix or to.name}”文件，请用 .csv 或 .jsonl")
    may_write(to, *files)
    made = Export()
    records = _records(files, open_catalog(), form, made, quiet=json)
    _write(to, records, made, suffix)
    if json:
        found = [f.to_json() for f in made.findings]
        print_json([{"path": str(to), "records": made.written, "left_out": made.left_out, "findings": found}])
    else:
        for words in made.left_out:
            console().print(words, markup=False)
        rows = sum(told["rows"] for told in made.written)
        if made.written:
            console().print(f"已写入：{to}（{len(made.written)}份表，{rows}行）", markup=False)
    if has_findings(made.findings) or made.left_out or not made.written:
        raise typer.Exit(1)


def _records(
    files: Sequence[Path], catalog: "Catalog", form: str | None, made: Export, *, quiet: bool
) -> Iterator[tuple[Path, "Record"]]:
    """Read one file after the other; what was found is told as it comes."""
    from ..forms.reading import read

    for path in files:
        if path.suffix.lower() == ".json":
            yield path, load_record(path, catalog.form(form or form_named_in(path)))
            continue
        reading = read(path, catalog, form=form)
        inside = (reading, *reading.also)
        findings = [f for r in inside for f in r.findings]
        made.findings += [f.in_file(path.name) for f in findings]
        if findings and not quiet:
            print_findings(str(path), reading.form.title if reading.form else None, findings)
        yield from ((path, r.record) for r in inside if r.record is not None)


def _write(to: Path, records: Iterator[tuple[Path, "Record"]], made: Export, suffix: str) -> None:
    """Write beside the target and put it in place when it is whole; nothing is written where nothing was read."""
    part = to.with_name(f".{to.name}.part")
    try:
        # a mark at the beginning tells Excel that a csv is UTF-8
        with part.open("w", encoding="utf-8-sig" if suffix == ".csv" else "utf-8", newline="") as out:
            (_csv if suffix == ".csv" else _jsonl)(out, records, made)
        if made.written:
            os.replace(part, to)
    finally:
        part.unlink(missing_ok=True)


def _csv(out: TextIO, records: Iterator[tuple[Path, "Record"]], made: Export) -> None:
    from ..forms.exporting import headings, lines

    writer = csv.writer(out)
    for path, record in records:
        if made.form is None:
            made.form = record.form
            writer.writerow(headings(record.form))
        if record.form.ref != made.form.ref:
            made.left_out.append(f"“{path.name}”是《{record.form.title}》，没有导出：一个 csv 里只放一种表。")
            continue
        writer.writerows(lines(record, file=path.as_posix()))
        made.written.append(_told(path, record))


def _jsonl(out: TextIO, records: Iterator[tuple[Path, "Record"]], made: Export) -> None:
    from ..forms.schema import to_json

    for path, record in records:
        line = jsonlib.dumps({"file": path.name, "path": path.as_posix(), **to_json(record)}, ensure_ascii=False)
        out.write(f"{line}\n")
        made.written.append(_told(path, record))


def _told(path: Path, record: "Record") -> dict[str, Any]:
    rows = len(record.rows) if record.form.is_grid else 1
    return {"file": path.name, "path": str(path), "form": record.form.ref, "version": record.form.version, "rows": rows}


def register(app: typer.Typer) -> None:
    """Add the command to `gmsafety forms`."""
    app.command("export")(export)
