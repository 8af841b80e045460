"""Hostile and broken files: a finding with code, place and remedy; no traceback; memory bounded."""

import io
import random
import subprocess
import sys
import time
import zipfile
from datetime import date
from pathlib import Path

import openpyxl
import pytest

from compare import SAMPLES
from gmsafety import Catalog
from gmsafety.content import form_in
from gmsafety.errors import ContentError
from gmsafety.forms import fill, read
from gmsafety.forms.printed import from_printed, to_printed
from gmsafety.forms.reading.safety import LARGEST_FILE
from gmsafety.forms.schema import from_json, to_json
from gmsafety.forms.types import FIELD_TYPES, Setting
from gmsafety.forms.types.dates import Window
from gmsafety.forms.types.text import LONGEST_CELL
from gmsafety.testing import example_record

GOOD = (SAMPLES / "should_pass" / "weekly_plain.xlsx").read_bytes()
WORD = (SAMPLES / "should_pass" / "weekly_nil.docx").read_bytes()
SHEET = "xl/worksheets/sheet1.xml"


def repacked(data: bytes, changed: dict[str, bytes]) -> bytes:
    """Change or add parts of a package."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, changed.get(name, old.read(name)))
        for name in changed.keys() - set(old.namelist()):
            new.writestr(name, changed[name])
    return out.getvalue()


def part(data: bytes, name: str) -> bytes:
    """One part of a package."""
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        return package.read(name)


def workbook(cells: dict[str, object]) -> bytes:
    """A small workbook."""
    book = openpyxl.Workbook()
    for where, value in cells.items():
        book.active[where] = value  # type: ignore[index]  # a new workbook has an active sheet
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def far_away(rows: bytes) -> bytes:
    """A workbook with something in a far cell, addressed in unusual ways."""
    sheet = part(GOOD, SHEET)
    start, end = sheet.index(b"<sheetData>"), sheet.index(b"</sheetData>")
    return repacked(GOOD, {SHEET: sheet[: start + 11] + rows + sheet[end:]})


def files() -> list[tuple[str, str, bytes]]:
    """What must be said, the file's name, its bytes."""
    doctype = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]>'
    body = part(GOOD, SHEET).split(b"?>", 1)[-1]
    return [
        ("empty-file", "表.xlsx", b""),
        ("wrong-extension", "表.xlsx", b"not a workbook at all"),
        ("wrong-extension", "表.docx", b"\x89PNG\r\n\x1a\n"),
        ("corrupt-file", "表.xlsx", b"\0\1\2 no form at all"),
        ("corrupt-file", "表.docx", GOOD[: len(GOOD) // 2]),
        ("corrupt-file", "表.xlsx", GOOD[:-400]),
        ("xml-entities", "表.xlsx", repacked(GOOD, {SHEET: doctype + body})),
        (
            "xml-entities",
            "表.xlsx",
            repacked(GOOD, {"xl/styles.xml": doctype + part(GOOD, "xl/styles.xml").split(b"?>")[-1]}),
        ),
        ("xml-entities", "表.xlsx", repacked(GOOD, {"docProps/app.xml": "<!DOCTYPE a>".encode("utf-16-le")})),
        ("xml-entities", "表.docx", repacked(WORD, {"word/document.xml": doctype + b"<a/>"})),
        ("macro", "表.xlsx", repacked(GOOD, {"xl/vbaProject.bin": b"x"})),
        ("macro", "表.docx", repacked(WORD, {"word/vbaProject.bin": b"x"})),
        ("zip-bomb", "表.xlsx", repacked(GOOD, {"xl/media/x.xml": b" " * (300 * 2**20)})),
        ("zip-bomb", "表.xlsx", repacked(GOOD, {"xl/theme/big.xml": b"<a/>" + b" " * (40 * 2**20)})),
        ("zip-bomb", "表.xlsx", repacked(GOOD, {f"xl/x{i}.xml": b"<a/>" for i in range(4100)})),
        ("wrong-extension", "表.xlsx", WORD),
        ("wrong-extension", "表.docx", GOOD),
        ("wrong-extension", "表.xls", b"<html><table><tr><td>1</td></tr></table></html>"),
        ("unsupported-format", "表.xlsm", GOOD),
        ("unsupported-format", "表.pdf", b"%PDF-1.7 ..."),
        ("wrong-form", "表.csv", "序号,品名\n1,某某\n".encode()),
        ("unsupported-format", "表.zip", repacked(workbook({}), {"a.txt": b"x"}).replace(b"xl/", b"yl/")),
        ("encrypted-file", "表.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le")),
        ("unsupported-format", "表.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "WordDocument".encode("utf-16-le")),
        ("wrong-extension", "表.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "WordDocument".encode("utf-16-le")),
        ("file-too-large", "表.xlsx", GOOD + b"\0" * LARGEST_FILE),
        ("no-table", "表.xlsx", workbook({})),
        ("wrong-form", "表.xlsx", workbook({"A1": "采购清单", "A2": "序号", "B2": "品名"})),
        ("sheet-too-large", "表.xlsx", workbook({"A1": "x", "XFD1048576": "y"})),
        *(
            (
                "sheet-too-large",
                "表.xlsx",
                far_away(b'<row r="1"><c r="A1"><v>1</v></c><c r="%b"><v>1</v></c></row>' % far),
            )
            for far in (b"XFD1048577", b"xfd1048577", b"A99999999", b"AAAAAA1")  # half a terabyte, were it laid out
        ),
        (
            "sheet-too-large",
            "表.xlsx",
            far_away(b"<row r='1'><c r='A1'><v>1</v></c></row><row r='500000'><c r='CV500000'><v>1</v></c></row>"),
        ),
        (
            "sheet-too-large",
            "表.xlsx",
            far_away(b'<row r="1"><c r = "A1"><v>1</v></c></row><row r="90000"><c r = "ZZ90000"><v>1</v></c></row>'),
        ),
        (
            "sheet-too-large",
            "表.xlsx",
            far_away(b'<row r="1"><c><v>1</v></c></row><row r="500000">' + b"<c/>" * 99 + b"<c><v>1</v></c></row>"),
        ),
    ]


@pytest.mark.parametrize(("kind", "name", "data"), files(), ids=lambda v: v if isinstance(v, str) else "")
def test_refused_with_a_remedy(kind: str, name: str, data: bytes, catalog: Catalog) -> None:
    reading = read(data, catalog, name=name)

    assert reading.record is None
    assert [kind] == [f.kind.slug for f in reading.findings]
    assert reading.findings[0].remedy


def test_a_lying_size_does_not_help(catalog: Catalog) -> None:
    """The directory of the zip says a part is small; inflating it is stopped all the same."""
    data = bytearray(repacked(GOOD, {"xl/theme/big.xml": b"<a/>" + b" " * (30 * 2**20)}))
    entry = data.rindex(b"xl/theme/big.xml") - 46
    data[entry + 24 : entry + 28] = (1000).to_bytes(4, "little")
    reading = read(bytes(data), catalog, name="表.xlsx")

    assert reading.record is None or reading.findings is not None


@pytest.mark.parametrize("seed", range(40))
def test_damaged_files_never_raise(seed: int, catalog: Catalog) -> None:
    chance = random.Random(seed)
    data = bytearray(chance.choice([GOOD, WORD]))
    for _ in range(chance.randint(1, 40)):
        data[chance.randrange(len(data))] = chance.randrange(256)
    reading = read(bytes(data), catalog, name=chance.choice(["表.xlsx", "表.docx"]))

    assert reading.record is not None or reading.findings


@pytest.mark.parametrize("seed", range(40))
def test_damaged_parts_never_raise(seed: int, catalog: Catalog) -> None:
    """Damage inside the XML itself, in a package that is otherwise whole."""
    chance = random.Random(seed)
    data, name, inner = chance.choice(
        [(GOOD, "表.xlsx", SHEET), (GOOD, "表.xlsx", "xl/workbook.xml"), (WORD, "表.docx", "word/document.xml")]
    )
    text = bytearray(part(data, inner))
    for _ in range(chance.randint(1, 12)):
        at = chance.randrange(len(text))
        text[at : at + chance.randint(0, 30)] = bytes(chance.choices(b'<>/"= a1', k=chance.randint(0, 9)))
    reading = read(repacked(data, {inner: bytes(text)}), catalog, name=name)

    assert reading.record is not None or reading.findings


def test_a_sheet_that_claims_a_million_rows_costs_nothing(catalog: Catalog) -> None:
    reading = read(SAMPLES / "large" / "claims_a_million_rows.xlsx", catalog)
    assert reading.record is not None

    assert () == reading.findings
    assert 0 < len(reading.record.rows) < 20


def test_a_formula_without_a_result_is_said(catalog: Catalog, tmp_path: Path) -> None:
    form = catalog.form("major-hazard-ledger")
    path = fill(example_record(form), tmp_path / "ledger.xlsx")
    book = openpyxl.load_workbook(path)
    sheet = book.active
    assert sheet is not None
    sheet["B5"] = '="甲"&"乙"'
    sheet["G6"] = "=TODAY()"
    book.save(path)
    found = {f.place.where for f in read(path, catalog).findings if f.kind.slug == "formula-without-value"}

    assert {"B5", "G6"} == found


def as_ods(parts: dict[str, bytes]) -> bytes:
    """An OpenDocument spreadsheet of these parts."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        for name, data in {"mimetype": b"application/vnd.oasis.opendocument.spreadsheet", **parts}.items():
            package.writestr(name, data)
    return out.getvalue()


def test_an_ods_without_its_content_is_refused(catalog: Catalog) -> None:
    reading = read(as_ods({"styles.xml": b"<a/>"}), catalog, name="表.ods")

    assert ["corrupt-file"] == [f.kind.slug for f in reading.findings]


def test_an_xls_cut_short_is_refused(catalog: Catalog) -> None:
    """The library panics over some of these, which is no Exception."""
    whole = (SAMPLES / "judgement" / "ledger.xls").read_bytes()
    for length in (600, 1100, 1537, len(whole) // 2, len(whole) - 2000):
        for cut in (whole[:length], whole[:512] + whole[600 : 512 + length]):
            reading = read(cut, catalog, name="表.xls")

            assert reading.record is not None or reading.findings


def test_an_xls_with_a_far_cell_is_refused(catalog: Catalog) -> None:
    """Three bytes of a row and a column number, which would take six gigabytes."""
    data = bytearray((SAMPLES / "judgement" / "ledger.xls").read_bytes())
    data[7712:7714], data[7795] = b"\0\x0c", 125
    reading = read(bytes(data), catalog, name="表.xls")

    assert ["sheet-too-large"] == [f.kind.slug for f in reading.findings]


def test_a_row_with_a_strange_number_is_read(catalog: Catalog) -> None:
    """`r` of a row is a number; where it is none, the row follows the one before it."""
    sheet = part(GOOD, SHEET).replace(b'<row r="5"', b'<row r="F6"').replace(b"</c>", b"<f>1</f></c>", 1)
    reading = read(repacked(GOOD, {SHEET: sheet}), catalog, name="表.xlsx")

    assert reading.record is not None or reading.findings


def test_numbers_of_thirty_digits_have_no_ratio(catalog: Catalog) -> None:
    record = from_json(
        {"rows": [{"enterprise": "某某厂", "found": 1, "fixed": 10**30}]}, catalog.form("resumption-weekly")
    )

    assert record.rows[0].get("rate") is None


@pytest.mark.parametrize("unit", ["_", "=1/0", "3月4日", "2024.12.20、", "十二月二十日", "，", "。", "1_", "*"])
@pytest.mark.parametrize("kind", ["date", "completion", "choice", "count", "measure"])
def test_a_full_cell_of_anything_is_read_at_once(kind: str, unit: str) -> None:
    """No pattern goes over the longest cell again for each of its characters: that would be half a minute."""
    setting = Setting(window=Window(date(2024, 12, 6), date(2025, 3, 31)), parts=("责任", "措施"), choices=("是", "否"))
    text = "已完成整改" + (unit * LONGEST_CELL)[: LONGEST_CELL - 6] + "条"
    begun = time.process_time()
    parsed = FIELD_TYPES[kind].read(text, setting)
    FIELD_TYPES[kind].derive(parsed.value, setting)

    assert time.process_time() - begun < 2


@pytest.mark.parametrize("kind", ["choice", "answer"])
def test_a_cell_of_what_cannot_be_seen_is_a_blank(kind: str) -> None:
    assert (None, None) == FIELD_TYPES[kind].read("_x000D_", Setting(choices=("是", "否")))


def test_escapes_inside_a_name_are_no_part_of_it() -> None:
    assert "运城市" == FIELD_TYPES["name"].read("运城_x000D_市", Setting()).value
    assert ("闻喜县", "河津市") == FIELD_TYPES["names"].read("闻喜_x000D_县、河津市", Setting()).value


@pytest.mark.parametrize("form", ["weekly-dispatch", "inspection-findings", "resumption-weekly"])
@pytest.mark.parametrize("inner", ["header", "values", "rows", "signatures", "remarks", "clauses", "footer", "nil"])
@pytest.mark.parametrize("value", [1, "一", [1], {"1": 1}, {"1": {"numbers": 1, "texts": "一"}}, [{"": []}], 1e999])
def test_json_of_another_shape_is_refused_or_taken(form: str, inner: str, value: object, catalog: Catalog) -> None:
    """What a program sends wrongly is a ValueError that says where; nothing else is raised."""
    for take, give in ((from_json, to_json), (from_printed, to_printed)):
        try:
            record = take({inner: value}, catalog.form(form))
        except ValueError:
            continue
        give(record)


def test_json_of_what_cannot_be_seen_is_a_blank(catalog: Catalog) -> None:
    record = from_json({"rows": [{"detail": "漏气", "remark": "\ufeff"}]}, catalog.form("inspection-findings"))

    assert record.rows[0]["remark"] is None
    assert FIELD_TYPES["names"].from_json([" ", "河津市"]) == ("河津市",)


def test_a_row_of_no_columns_is_still_a_row(catalog: Catalog) -> None:
    record = from_json({"rows": [{}]}, catalog.form("inspection-findings"))

    assert [{}] == to_json(record)["rows"]


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [*a]",
        "[" * 900 + "]" * 900,
        "\n".join(f"k{n}: &k{n} [{f'*k{n - 1}, ' * 9}1]" for n in range(12)).replace("*k-1, ", ""),
    ],
    ids=["holds-itself", "deep", "billion-laughs"],
)
def test_yaml_without_end_is_refused(text: str) -> None:
    with pytest.raises(ContentError, match="引用"):
        form_in(text, "forms/表.yaml")


_CHILD = """
import resource, sys
from gmsafety import load_catalog
from gmsafety.forms import read
catalog = load_catalog()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for path in sys.argv[1:]:
    read(path, catalog)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="peak memory is read from the resource module, which Windows lacks")
def test_memory_stays_bounded() -> None:
    """Every hostile sample, read in one process: no more than a few dozen megabytes above the catalog."""
    hostile = [str(p) for p in sorted((SAMPLES / "should_fail").iterdir()) if p.suffix in (".xlsx", ".docx", ".xlsm")]
    done = subprocess.run([sys.executable, "-c", _CHILD, *hostile], check=True, capture_output=True, text=True)

    assert int(done.stdout) < 120
