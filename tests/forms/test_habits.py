"""Habits of clerks that are no mistakes, each made from a clean form: read right, and nothing said against it."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import docx
import openpyxl
import pytest
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from openpyxl.worksheet.worksheet import Worksheet

from gmsafety import Catalog
from gmsafety.forms import check, fill, read
from gmsafety.forms.record import Record, Rows

Change = Callable[[Worksheet], None]

ROWS = [
    ("泽州县示例甲钢铁有限公司", "企业自查", date(2024, 12, 13), "整改中"),
    ("泽州县示例乙炼铁有限公司", "市县检查", date(2024, 12, 20), "已完成整改，完成时间2024年12月27日"),
    ("泽州县示例丙特钢有限公司", "市县检查", date(2024, 12, 23), "整改中"),
]
MEASURE = "责任：安全部；措施：增设报警；资金：2万元；时限：2025年3月1日；预案：停用。"


def ledger(catalog: Catalog) -> Record:
    """A clean ledger of three rows."""
    form = catalog.form("major-hazard-ledger")
    rows = [
        {"number": n, "enterprise": name, "area": "泽州县", "industry": "冶金", "stage": stage, "inspector": "检查组",
         "inspected": day, "detail": f"高炉联锁缺失{n}", "measure": MEASURE, "supervisor": None, "penalty": None,
         "progress": progress, "remark": None}
        for n, (name, stage, day, progress) in enumerate(ROWS, 1)
    ]  # fmt: skip
    return Record(form, {"unit": "泽州县应急管理局", "date": date(2025, 1, 10)}, rows=Rows.of(rows, form))


def changed(record: Record, change: Change, folder: Path) -> Path:
    """Write a record, then let a clerk at it."""
    path = fill(record, folder / "form.xlsx")
    book = openpyxl.load_workbook(path)
    change(book.worksheets[0])
    book.save(path)
    return path


def put(**cells: Any) -> Change:
    """Type into cells; A3 is unmerged first, so that a header can be spread over several."""

    def change(sheet: Worksheet) -> None:
        if "A3:M3" in {str(m) for m in sheet.merged_cells.ranges}:
            sheet.unmerge_cells("A3:M3")
        for where, value in cells.items():
            sheet[where] = value

    return change


def added(row: int, *values: Any) -> Change:
    """Insert a row; merges below it are undone, as they would not move along."""

    def change(sheet: Worksheet) -> None:
        for merge in [str(m) for m in sheet.merged_cells.ranges if m.min_row >= row]:
            sheet.unmerge_cells(merge)
        sheet.insert_rows(row)
        for column, value in enumerate(values, 1):
            sheet.cell(row, column, value)

    return change


def two_rows_of_titles(sheet: Worksheet) -> None:
    """Put 检查环节, 检查单位, 检查时间 under a group of their own."""
    added(5)(sheet)
    for column in range(1, 14):
        title = sheet.cell(4, column).value
        sheet.cell(5, column, title if 5 <= column <= 7 else None)
    sheet["E4"], sheet["F4"], sheet["G4"] = "检查情况", None, None


HEADERS: dict[str, Change] = {
    "label and value in cells of their own": put(
        A3="填报单位：", B3="泽州县应急管理局", G3="填报时间：", H3="2025-01-10"
    ),
    "the date in six cells": put(
        A3="填报单位：泽州县应急管理局", F3="填报时间：", G3=2025, H3="年", I3=1, J3="月", K3=10, L3="日"
    ),
    "the date in three cells": put(A3="填报单位：泽州县应急管理局", F3="填报时间：", G3="2025年", H3="1月", I3="10日"),
    "somebody between": put(A3="填报单位：泽州县应急管理局    填报人：某某    联系电话：×××   填报时间：2025年1月10日"),
    "a seal": put(A3="填报单位（盖章）：泽州县应急管理局（公章）   填报时间：2025.1.10"),
    "the weekday": put(A3="填报单位：泽州县应急管理局  填报时间：2025年1月10日（星期五）"),
    "the hour": put(A3="填报单位：泽州县应急管理局  填报时间：2025年1月10日12时"),
    "underlines": put(A3="填报单位：__泽州县应急管理局__  填报时间：2025年_1_月_10_日"),
    "a comma": put(A3="填报单位：泽州县应急管理局，填报时间：2025年1月10日"),
    "as of": put(A3="填报单位：泽州县应急管理局  填报时间：截至2025年1月10日"),
    "the week": put(A3="填报单位：泽州县应急管理局  填报时间：2025年1月10日（第四周）"),
    "a date without a label": put(A3="填报单位：泽州县应急管理局", L3="2025年1月10日"),
    "another label": put(A3="报送单位：泽州县应急管理局  报送时间：2025年1月10日"),
    "brackets": put(A3="(填报单位：泽州县应急管理局)   (填报时间：2025年1月10日)"),
    "below the table": lambda s: (put(A3=None)(s), put(A9="填报单位：泽州县应急管理局  填报时间：2025年1月10日")(s))[0],
}

TABLES: dict[str, Change] = {
    "the columns numbered": added(5, *range(1, 14)),
    "the columns numbered 甲 乙 1 2": added(5, "甲", "乙", *range(1, 12)),
    "a heading between": added(6, "一、企业自查"),
    "a heading in the second column": added(6, None, "泽州县"),
    "a mark and a heading": added(6, "一", "企业自查"),
    "the header row again": added(
        6, "序号", "企业名称", "所在市(县、区)", "行业类别", "检查环节", "检查单位", "检查时间"
    ),
    "empty rows": added(6),
    "dots": added(8, "....."),
    "numbers without rows": added(8, 4),
    "signatures": added(9, "单位负责人：", "某某", None, "填表人：", "某某", None, "联系电话：", "×××"),
    "a seal line": added(9, None, None, None, None, None, None, "（盖章）"),
    "a sum": added(8, "合计", "3家"),
    "numbers as text": put(A5="1", A6="2", A7="3"),
    "numbers with a point": put(A5="1.", A6="2、", A7="（3）"),
    "a formula under the table": put(B12="=COUNTA(B5:B7)"),
    "dates as typed": put(G5="2024.12.13", G6="12月20日", G7="二〇二四年十二月二十三日"),
    "dates with dashes": put(G5="2024—12—13", G6="2024–12–20", G7="十二月二十三日"),
    "dates with more": put(G5="2024年12月13日（星期五）", G6="2024年12月20日9时", G7="24.12.23"),
    "stages with marks": put(E5="企业自查。", E6="2.市县检查", E7="☑市县检查"),
    "an apostrophe": put(G5="'2024-12-13"),
    "two rows of titles": two_rows_of_titles,
}


@pytest.mark.parametrize("name", HEADERS)
def test_headers(name: str, catalog: Catalog, tmp_path: Path) -> None:
    record = ledger(catalog)
    reading = read(changed(record, HEADERS[name], tmp_path), catalog)
    assert reading.record is not None

    assert record.header == reading.record.header
    assert [] == [str(f) for f in check(reading, catalog) if not f.is_remark]


@pytest.mark.parametrize("name", TABLES)
def test_tables(name: str, catalog: Catalog, tmp_path: Path) -> None:
    record = ledger(catalog)
    reading = read(changed(record, TABLES[name], tmp_path), catalog)
    assert reading.record is not None

    assert record.rows.columns["enterprise"] == reading.record.rows.columns["enterprise"]
    assert record.rows == reading.record.rows
    assert [] == [str(f) for f in check(reading, catalog) if not f.is_remark]


@pytest.mark.parametrize(
    "words",
    [
        "无",
        "零报告",
        "本周无重大事故隐患",
        "截至目前，未发现重大事故隐患",
        "未排查出重大事故隐患",
        "暂无",
        "全县未发现重大事故隐患",
    ],
)
@pytest.mark.parametrize("cell", ["A5", "B5"])
def test_nil_in_other_words(words: str, cell: str, catalog: Catalog, tmp_path: Path) -> None:
    record = ledger(catalog)
    empty = Record(record.form, record.header)
    reading = read(changed(empty, put(**{"A5": None, cell: words}), tmp_path), catalog)
    assert reading.record is not None

    assert reading.record.nil
    assert [] == [str(f) for f in check(reading, catalog) if not f.is_remark]


PENALTIES = (
    ("罚款2万元", True), ("警告", True), ("责令停产整顿", True), ("没收违法所得", True),
    ("不予处罚", False), ("依法不予行政处罚", False), ("未处罚", False), ("无", False), ("免于处罚", False), ("/", False),
)  # fmt: skip


@pytest.mark.parametrize(("words", "said"), PENALTIES)
def test_a_penalty_for_what_was_self_found(words: str, said: bool, catalog: Catalog, tmp_path: Path) -> None:
    """SX-R2: found by the enterprise itself, with measures in place, no penalty is to be given."""
    path = changed(ledger(catalog), put(K5=words), tmp_path)
    found = [f.place.where for f in check(read(path, catalog), catalog) if f.kind.slug == "penalty-on-self-found"]

    assert (["K5"] if said else []) == found


def words(catalog: Catalog, folder: Path) -> Any:
    """The clean ledger as a Word document, open."""
    return docx.Document(str(fill(ledger(catalog), folder / "form.docx")))


def saved(document: Any, folder: Path) -> Path:
    """Save a changed Word document."""
    document.save(str(folder / "changed.docx"))
    return folder / "changed.docx"


@pytest.mark.parametrize("header_again", [True, False])
def test_a_ledger_cut_into_two_word_tables(header_again: bool, catalog: Catalog, tmp_path: Path) -> None:
    document = words(catalog, tmp_path)
    table = document.tables[0]._tbl
    rows = table.findall(qn("w:tr"))
    second = OxmlElement("w:tbl")
    for node in (table.tblPr, table.tblGrid):
        second.append(node.__copy__())
    if header_again:
        second.append(rows[0].__copy__())
    for row in rows[2:]:
        second.append(row)
    paragraph = OxmlElement("w:p")
    table.addnext(paragraph)
    paragraph.addnext(second)
    reading = read(saved(document, tmp_path), catalog)
    assert reading.record is not None

    assert ledger(catalog).rows == reading.record.rows
    assert f"table 2 row {2 + header_again} col 2" == reading.record.cell(2, "enterprise").where
    assert [] == [str(f) for f in check(reading, catalog) if not f.is_remark]


def test_what_word_hides_or_strikes_out_is_not_read(catalog: Catalog, tmp_path: Path) -> None:
    document = words(catalog, tmp_path)
    cell = document.tables[0].rows[1].cells[1].paragraphs[0]
    cell.add_run("（隐藏）").font.hidden = True
    cell.add_run("（删去）").font.strike = True
    cell.add_run("①").font.superscript = True
    reading = read(saved(document, tmp_path), catalog)
    assert reading.record is not None

    assert ROWS[0][0] == reading.record.rows[0]["enterprise"]


def test_numbers_that_word_prints_by_itself(catalog: Catalog, tmp_path: Path) -> None:
    """Row 1 of the weekly table as a numbered list: the numbers are on the paper, not in the text."""
    form = catalog.form("weekly-dispatch")
    values = dict.fromkeys(form.blanks) | {
        "deployment.city": "泽州县",
        "deployment.counties": 1,
        "deployment.counties_planned": 1,
        "deployment.mobilisation": "12月20日召开动员会。",
        "deployment.features": "结对帮扶。",
        "deployment.dispatching": "每周调度。",
    }
    record = Record(form, {"unit": "泽州县应急管理局", "date": date(2025, 1, 10)}, values)
    document = docx.Document(str(fill(record, tmp_path / "form.docx")))
    for paragraph in document.tables[0].rows[1].cells[2].paragraphs:
        paragraph.runs[0].text = paragraph.text[3:]
        paragraph.style = document.styles["List Number"]
    reading = read(saved(document, tmp_path), catalog)
    assert reading.record is not None

    assert values == reading.record.values


def test_rows_that_are_no_clause_are_shown(catalog: Catalog, tmp_path: Path) -> None:
    """Nothing typed is dropped in silence: a ninth row that the form does not have."""
    form = catalog.form("weekly-dispatch")
    record = Record(form, {"unit": "泽州县应急管理局", "date": date(2025, 1, 10)}, dict.fromkeys(form.blanks))
    path = changed(record, added(13, 9, "其他情况", "另检查商场3家。"), tmp_path)
    remarks = [f.message for f in read(path, catalog).findings if f.kind.slug == "not-understood"]

    assert any("另检查商场3家" in m for m in remarks)
