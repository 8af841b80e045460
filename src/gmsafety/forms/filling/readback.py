"""A filled copy is read back, and compared with what should stand in it."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from ...findings import FILE, Finding, Place
from ...kinds import KINDS
from ..reading import read
from ..record import Record
from ..spec import Form
from ..types.text import shorten


class _Only:
    """A catalog of one form, without a campaign."""

    def __init__(self, form: Form) -> None:
        self.readable = (form,)

    def form(self, name: str) -> Form:
        return self.readable[0]

    def window(self, form: Form) -> tuple[date | None, date | None]:
        return None, None


def not_placed(record: Record, data: bytes, name: str) -> tuple[Finding, ...]:
    """Say of each value that does not read back as it was given where it should have stood."""
    reading = read(data, _Only(record.form), name=name)
    again = reading.record
    if again is None:
        return reading.findings
    return tuple(
        KINDS["not-placed"].at(place, field=field, text=shorten(text)) for field, text, place in _lost(record, again)
    )


def _lost(record: Record, again: Record) -> Iterator[tuple[str, str, Place]]:
    form = record.form
    for field in form.header:
        value = record.header.get(field.id)
        if value != again.header.get(field.id):
            yield field.label, field.kind.show(value) or "空白", again.place(f"header.{field.id}")
    for field in form.signatures:
        signed = record.signatures.get(field.id)
        if (signed or None) != again.signatures.get(field.id):
            yield field.label, signed or "空白", FILE
    for path, blank in form.blanks.items():
        value = record.values.get(path)
        if value != again.values.get(path):
            yield form.label_of(path), blank.kind.show(value) or "空白", again.place(path)
    for clause in {**record.remarks, **again.remarks}:
        remark = record.remarks.get(clause)
        if record.nil and remark is None:
            continue  # a nil report is said in a remark
        if remark != again.remarks.get(clause):
            yield "备注", remark or "空白", again.place(f"remark.{clause}")
    if record.nil != again.nil:
        yield "零报告", "零报告" if record.nil else "空白", FILE
    yield from _lost_rows(record, again)


def _lost_rows(record: Record, again: Record) -> Iterator[tuple[str, str, Place]]:
    blank: list[Any] = [None] * max(len(record.rows), len(again.rows))
    for number in range(len(again.rows), len(record.rows)):
        told = (record.form.by_id[n].kind.show(v) for n, v in record.rows[number].items() if v is not None)
        yield f"第{number + 1}行", "，".join(told), FILE
    for number in range(len(record.rows), len(again.rows)):
        yield f"第{number + 1}行", "空白；模板原有的内容还在", again.cell(number, next(iter(again.rows.columns)))
    for name in {**record.rows.columns, **again.rows.columns}:
        column = record.form.by_id[name]
        pairs = zip(record.rows.columns.get(name, blank), again.rows.columns.get(name, blank), strict=False)
        for number, (given, found) in enumerate(pairs):
            if given != found and number < min(len(record.rows), len(again.rows)):
                yield column.title, column.kind.show(given) or "空白", again.cell(number, name)
