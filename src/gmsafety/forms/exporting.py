"""Records as one long table for other programs: a row of a grid is a row, a clause table is one row with its blanks.

Columns about the file come first. A text that a spreadsheet would run as a formula gets an apostrophe before it, which
reading takes off again.
"""

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

from .record import Record
from .spec import Form
from .types import FieldType

SOURCE, TITLE, HEADER, NIL, SIGNATURE = "来源文件", "表名", "表头：", "零报告", "签字："
_RUN = re.compile(r"'*[=+\-@\t\r＝＋－＠]")
_GUARDED = re.compile(r"'+[=+\-@\t\r＝＋－＠]")
_PATH = re.compile(r"（([a-z_]\w*(?:\.\w+)+)）$")
REMARK = "remark."


def headings(form: Form) -> list[str]:
    """The titles of all columns: those about the file, then what is printed; a blank with its path."""
    about = [SOURCE, TITLE, *(f"{HEADER}{h.label}" for h in form.header), NIL]
    about += [f"{SIGNATURE}{f.label}" for f in form.signatures]
    if form.is_grid:
        return [*about, *(c.title for c in form.columns)]
    blanks = [f"{form.label_of(p)}（{p}）" for p in form.blanks]
    return [*about, *blanks, *(f"{c.label}备注（{REMARK}{c.id}）" for c in form.clauses)]


def path_in(title: str) -> str | None:
    """The path of the blank that a column of an exported clause table holds."""
    found = _PATH.search(title)
    return found.group(1) if found else None


def lines(record: Record, *, file: str) -> Iterator[list[str]]:
    """The rows of a record under `headings`; a grid without rows gives one that says so."""
    form = record.form
    about = [guarded(file), form.title, *(_text(h.kind, record.header.get(h.id)) for h in form.header)]
    about += ["是" if record.nil else "", *(guarded(record.signatures.get(f.id) or "") for f in form.signatures)]
    if not form.is_grid:
        values = [_text(b.kind, record.values.get(p)) for p, b in form.blanks.items()]
        yield [*about, *values, *(guarded(record.remarks.get(c.id, "")) for c in form.clauses)]
        return
    blank = [None] * len(record.rows)
    columns = [(c.kind, record.rows.columns.get(c.id, blank)) for c in form.columns]
    for row in zip(*(values for _, values in columns), strict=True):
        yield [*about, *(_text(kind, v) for (kind, _), v in zip(columns, row, strict=True))]
    if not len(record.rows):
        yield [*about, *[""] * len(columns)]


def _text(kind: FieldType, value: Any) -> str:
    if isinstance(value, date):
        return value.isoformat()
    return kind.show(value) if kind.numeric else guarded(kind.show(value))


def guarded(text: str) -> str:
    """The same text, not run by a spreadsheet that opens it."""
    return f"'{text}" if _RUN.match(text) else text


def unguarded(text: str) -> str:
    """The text that was guarded."""
    return text[1:] if _GUARDED.match(text) else text
