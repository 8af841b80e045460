"""Exports for other programs, and text files as they arrive: csv in any encoding, with any delimiter."""

import csv
import io
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compare import SCENARIO
from gmsafety import load_catalog
from gmsafety.forms import read
from gmsafety.forms.exporting import guarded, headings, lines, unguarded
from gmsafety.forms.reading import Reading
from gmsafety.forms.record import Record
from strategies import records

CATALOG = load_catalog()
FORMS = list(CATALOG.forms.values())
LEDGER = CATALOG.form("major-hazard-ledger")
WEEK = SCENARIO / "2025-01-03"
BY_HAND = [
    ["冶金工贸行业隐患排查整治专项行动重大事故隐患台账"],
    ["填报单位：高平市应急管理局", "", "", "填报时间：2025年1月3日"],
    [c.label for c in LEDGER.columns],
    ["1", "某某铸造有限公司", "高平市", "冶金", "企业自查", "高平市应急管理局", "2024.12.20", "炉前坑内\n有积水", "责任、措施", "某某", "", "整改中", ""],
]  # fmt: skip


def exported(taken: Iterable[Record]) -> bytes:
    out, taken = io.StringIO(newline=""), list(taken)
    writer = csv.writer(out)
    writer.writerow(headings(taken[0].form))
    for number, record in enumerate(taken, 1):
        writer.writerows(lines(record, file=f"第{number}份.xlsx"))
    return out.getvalue().encode("utf-8-sig")


def every(reading: Reading) -> list[Record]:
    return [r.record for r in (reading, *reading.also) if r.record is not None]


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(taken=st.sampled_from(FORMS).flatmap(lambda form: st.lists(records(form), min_size=1, max_size=3)))
def test_what_is_exported_reads_back(taken: list[Record]) -> None:
    """Any records of any form, in one file."""
    form = taken[0].form
    again = every(read(exported(taken), CATALOG, form=form.ref, name="表.csv"))

    assert len(taken) == len(again)
    for record, other in zip(taken, again, strict=True):
        assert dict(record.header) == dict(other.header)
        assert dict(record.values) == dict(other.values)
        assert record.rows == other.rows
        assert record.nil == other.nil


@pytest.mark.parametrize("name", ["ledger", "weekly"])
def test_six_counties_in_one_file(name: str) -> None:
    """The form is found by itself, without a finding; every value keeps a cell of its own."""
    files = sorted(p for p in WEEK.glob(f"*_{name}.*") if p.suffix != ".json")
    before = every_one(files)
    reading = read(exported(before), CATALOG, name="汇总.csv")
    again = every(reading)

    assert [] == [str(f) for r in (reading, *reading.also) for f in r.findings]
    assert all(one.same_content(other) for one, other in zip(before, again, strict=True))
    assert len(before) == len({str(r.place("header.unit")) for r in again})


def every_one(files: list[Path]) -> list[Record]:
    return [record for path in files for record in every(read(path, CATALOG))]


def test_cells_of_a_text_file_are_those_a_spreadsheet_shows() -> None:
    reading = read(delimited(",").encode(), CATALOG, name="台账.csv")
    assert reading.record is not None

    assert ("A2", "D2") == tuple(reading.record.place(p).where for p in ("header.unit", "header.date"))
    assert ("G4", "H4") == tuple(reading.record.cell(0, c).where for c in ("inspected", "detail"))


@pytest.mark.parametrize(
    "text", ["=1+1", "+86", "-cmd|' /C calc'!A0", "@SUM(A1)", "\t=1", "＝1", "'=1", "''@x", "甲", "'甲", "", "-"]
)
def test_a_text_like_a_formula_is_made_harmless_and_back(text: str) -> None:
    """No cell begins with a sign that a spreadsheet runs; every text comes back as it was."""
    assert guarded(text)[:1] not in set("=+-@\t\r＝＋－＠")
    assert text == unguarded(guarded(text))


def delimited(delimiter: str, *, dialect: str = "excel") -> str:
    out = io.StringIO(newline="")
    csv.writer(out, dialect, delimiter=delimiter).writerows(BY_HAND)
    return out.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize(
    ("delimiter", "name"), [(",", "台账.csv"), ("\t", "台账.txt"), (";", "台账.csv"), ("|", "台账.tsv")]
)
def test_a_ledger_typed_elsewhere(encoding: str, delimiter: str, name: str) -> None:
    """Title, header line and headings as on paper; a cell holds a line break."""
    reading = read(delimited(delimiter).encode(encoding), CATALOG, name=name)
    record = reading.record

    assert record is not None, [str(f) for f in reading.findings]
    assert ("高平市应急管理局", 2025) == (record.header["unit"], record.header["date"].year)
    assert ["炉前坑内\n有积水"] == record.rows.columns["detail"]
    assert [] == [f for f in reading.findings if not f.is_remark]


def test_a_separator_that_says_itself() -> None:
    assert read(f"sep=;\r\n{delimited(';')}".encode(), CATALOG, name="台账.csv").record is not None


# what is wrong, bytes
NO_TABLE = (
    ("empty-file", b""),
    ("corrupt-file", bytes(range(256)) * 40),
    ("corrupt-file", b'a,"' + b"x" * 200_000),
    ("unsupported-format", b"<html><table><tr><td>1</td></tr></table></html>"),
    ("unsupported-format", b"%PDF-1.7 ..."),
    ("sheet-too-large", b",".join([b"1"] * 200) + b"\n" + b"1,2\n" * 20_001),
    ("wrong-form", "姓名,电话\n某某,1\n".encode()),
    ("no-table", b"\n\n\n"),
)


@pytest.mark.parametrize(("slug", "data"), NO_TABLE, ids=[s for s, _ in NO_TABLE])
def test_what_is_no_such_file(slug: str, data: bytes) -> None:
    reading = read(data, CATALOG, name="表.csv")

    assert reading.record is None
    assert [slug] == [f.kind.slug for f in reading.findings]


@settings(max_examples=60, deadline=None)
@given(data=st.one_of(st.binary(max_size=2000), st.text(max_size=2000).map(lambda t: t.encode("utf-8", "replace"))))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    reading = read(data, CATALOG, name="x.csv")

    assert reading.record is not None or reading.findings


@pytest.mark.parametrize("name", ["表.xlsx", "表.docx"])
def test_text_under_another_name_is_said(name: str) -> None:
    reading = read(delimited(",").encode(), CATALOG, name=name)

    assert ["wrong-extension"] == [f.kind.slug for f in reading.findings]
