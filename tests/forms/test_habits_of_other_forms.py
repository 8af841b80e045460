"""Habits of clerks with the forms of inspections: a summary, a list of findings, a schedule of pairs, two checklists."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import docx
import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from gmsafety import Catalog
from gmsafety.findings import Finding
from gmsafety.forms import blank, check, fill, read
from gmsafety.forms.printed import to_printed
from gmsafety.forms.reading import Reading
from gmsafety.forms.record import Record, Rows

Change = Callable[[Worksheet], None]
FIRMS = ["沁水县示例甲钢铁有限公司", "沁水县示例乙铸造有限公司", "阳城县示例丙陶瓷有限公司", "阳城县示例丁木业有限公司"]
HAZARDS = ["配电柜未张贴当心触电警示标志", "打磨车间干式除尘系统未采取控爆措施", "应急预案未按期修订"]


def summary(catalog: Catalog) -> Record:
    """Four enterprises with 3, 4, 5, 6 hazards, of which 1 is a major one each time."""
    form = catalog.form("cross-inspection-summary")
    rows = [
        {"number": n, "enterprise": name, "area": name[:3], "industry": "冶金", "inspector": "长治市交叉检查组",
         "inspected": date(2025, 3, 10), "general": n + 2, "major": 1, "measures": "责令限期整改",
         "penalty": "罚款2.5万元", "progress": "正在整改", "remark": None}
        for n, name in enumerate(FIRMS, 1)
    ]  # fmt: skip
    return Record(form, {"unit": "晋城市应急管理局", "date": date(2025, 3, 21)}, rows=Rows.of(rows, form))


def findings(catalog: Catalog) -> Record:
    """Three hazards at one enterprise."""
    form = catalog.form("inspection-findings")
    rows = [
        {
            "number": n,
            "detail": text,
            "evidence": f"照片{n}",
            "basis": "《安全生产法》",
            "grade": "一般隐患",
            "remark": None,
        }
        for n, text in enumerate(HAZARDS, 1)
    ]
    header = {"enterprise": "高平市示例甲打磨厂", "date": date(2024, 12, 24)}
    return Record(form, header, rows=Rows.of(rows, form))


def changed(path: Path, change: Change) -> Path:
    """Let a clerk at a workbook."""
    book = openpyxl.load_workbook(path)
    change(book.worksheets[0])
    book.save(path)
    return path


def put(**cells: Any) -> Change:
    """Type into cells, merged or not."""

    def change(sheet: Worksheet) -> None:
        for merge in [str(m) for m in sheet.merged_cells.ranges if any(c in m for c in cells)]:
            sheet.unmerge_cells(merge)
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


def said(reading: Reading, catalog: Catalog) -> list[Finding]:
    """What is found, remarks apart."""
    return [f for f in check(reading, catalog) if not f.is_remark]


def after(*texts: Any) -> tuple[Any, ...]:
    """The cells of a row 合计 of the summary: its words, then the two sums in G and H."""
    *words, general, major = texts
    return (*words, *[None] * (6 - len(words)), general, major)


def units_below(sheet: Worksheet) -> None:
    """Put (条) under 一般隐患 and 重大事故隐患, in a row of its own."""
    added(5, *[None] * 6, "(条)", "（条）")(sheet)
    sheet["G4"], sheet["H4"] = "一般隐患", "重大事故隐患"


SUMMARIES: dict[str, Change] = {
    "a sum on top": added(5, *after("合计", 18, 4)),
    "a sum with a number": added(9, *after(5, "合计", 18, 4)),
    "a sum with its unit": added(9, *after(None, "合 计（条）", "18条", "4条")),
    "a sum of the city": added(9, *after("全市合计", 18, 4)),
    "numbers with 共": put(G5="共3条", H5="共1条。"),
    "required titles with a star": put(B4="*企业名称", G4="一般隐患\n(条)※"),
    "units under the titles": units_below,
    "a row of dots": added(9, *["…"] * 12),
    "an empty form beside it": lambda s: s.parent.copy_worksheet(s).delete_rows(5, 20),
}


@pytest.mark.parametrize("name", SUMMARIES)
def test_summaries(name: str, catalog: Catalog, tmp_path: Path) -> None:
    record = summary(catalog)
    reading = read(changed(fill(record, tmp_path / "form.xlsx"), SUMMARIES[name]), catalog)
    assert reading.record is not None

    assert record.rows == reading.record.rows
    assert [] == said(reading, catalog)


@pytest.mark.parametrize(
    ("row", "cells"),
    [(5, after("合计", 19, 4)), (9, after(5, "合计", 19, 4)), (9, after("合计", "19条", "4条"))],
    ids=["on top", "with a number", "with a unit"],
)
def test_a_wrong_sum(row: int, cells: tuple[Any, ...], catalog: Catalog, tmp_path: Path) -> None:
    reading = read(changed(fill(summary(catalog), tmp_path / "form.xlsx"), added(row, *cells)), catalog)

    assert [("total-contradicts", f"G{row}")] == [(f.kind.slug, f.place.where) for f in said(reading, catalog)]


def test_what_cannot_be_read_is_not_summed_up(catalog: Catalog, tmp_path: Path) -> None:
    change = lambda s: (added(9, *after("合计", 18, 4))(s), put(G6="若干")(s))  # noqa: E731 - two changes
    reading = read(changed(fill(summary(catalog), tmp_path / "form.xlsx"), change), catalog)

    assert [("not-a-number", "G6")] == [(f.kind.slug, f.place.where) for f in said(reading, catalog)]


@pytest.mark.parametrize(("typed", "kinds"), [("/", []), ("无", []), (None, ["missing-value"])])
def test_a_stroke_is_no_number_left_out(typed: str | None, kinds: list[str], catalog: Catalog, tmp_path: Path) -> None:
    reading = read(changed(fill(summary(catalog), tmp_path / "form.xlsx"), put(H6=typed, H9=3)), catalog)
    assert reading.record is not None

    assert [1, None, 1, 1] == reading.record.rows.columns["major"]
    assert kinds == [f.kind.slug for f in said(reading, catalog)]


def test_rows_under_a_group_of_titles_that_share_an_enterprise(catalog: Catalog, tmp_path: Path) -> None:
    """The lower half of a merged row begins with four blanks, and so does the second row of titles."""

    def change(sheet: Worksheet) -> None:
        added(5, *[None] * 8, "采取的行政处罚措施", "行政处罚情况")(sheet)
        sheet["I4"], sheet["J4"] = "处罚", None
        for column in "ABCD":
            sheet[f"{column}7"] = None
            sheet.merge_cells(f"{column}6:{column}7")
        sheet["F7"] = "2025年3月12日"

    reading = read(changed(fill(summary(catalog), tmp_path / "form.xlsx"), change), catalog)
    assert reading.record is not None

    assert [FIRMS[0], FIRMS[0], *FIRMS[2:]] == reading.record.rows.columns["enterprise"]
    assert [3, 4, 5, 6] == reading.record.rows.columns["general"]


GRADES = {"☑一般隐患 □重大事故隐患": "一般隐患", "一般隐患□ 重大事故隐患√": "重大事故隐患", "重大隐患": "重大隐患"}


@pytest.mark.parametrize("typed", GRADES)
def test_grades(typed: str, catalog: Catalog, tmp_path: Path) -> None:
    """The paper prints no choices: other words are kept, and only remarked on."""
    reading = read(changed(fill(findings(catalog), tmp_path / "form.xlsx"), put(E5=typed)), catalog)
    assert reading.record is not None

    assert GRADES[typed] == reading.record.rows[0]["grade"]
    assert [] == said(reading, catalog)


SIGNED = {
    "检查人员（签字）：某某        年  月  日": "某某",
    "检查人员（签字）：某某    2024年12月24日": "某某",
    "检查人员（签字）：某某    陪同人员：某甲": "某某",
    "检查人员（签字）：        年  月  日": None,
    "检查人员（签字）：    企业负责人（签字）：    2024年12月24日": None,
}


@pytest.mark.parametrize("line", SIGNED)
def test_signatures(line: str, catalog: Catalog, tmp_path: Path) -> None:
    document = docx.Document(str(fill(findings(catalog), tmp_path / "form.docx")))
    for paragraph in document.paragraphs[-2:]:
        paragraph.text = ""
    document.add_paragraph(line)
    document.save(str(tmp_path / "signed.docx"))
    reading = read(tmp_path / "signed.docx", catalog)
    assert reading.record is not None

    assert {"inspectors": SIGNED[line], "principal": None} == reading.record.signatures


def test_other_labels_in_the_header(catalog: Catalog, tmp_path: Path) -> None:
    line = "企业名称：高平市示例甲打磨厂    企业地址：高平市某镇    检查时间：2024年12月24日"
    reading = read(changed(fill(findings(catalog), tmp_path / "form.xlsx"), put(A3=line)), catalog)
    assert reading.record is not None

    assert findings(catalog).header == reading.record.header


@pytest.mark.parametrize(
    ("inspector", "inspected"), [("太原市", "太原"), ("太 原 市", "太原市"), ("太原市", "太原市应急局")]
)
def test_a_city_under_two_names_inspects_itself(
    inspector: str, inspected: str, catalog: Catalog, tmp_path: Path
) -> None:
    path = blank(catalog.form("cross-inspection-pairing"), tmp_path / "form.xlsx")
    book = openpyxl.load_workbook(path)
    row = next(c.row for c in book.worksheets[0]["B"] if c.value == "太原市")
    found = said(read(changed(path, put(**{f"B{row}": inspector, f"C{row}": inspected})), catalog), catalog)

    assert [("inspects-itself", f"C{row}")] == [(f.kind.slug, f.place.where) for f in found]


def checklist(catalog: Catalog, folder: Path, change: Callable[[Any], None]) -> Reading:
    """The checklist of Jincheng with one row for each task, its points and answers as lines, changed by a clerk."""
    form = catalog.checklist("jincheng.checklist").form
    tasks: dict[Any, list[str]] = {}
    for row in form.printed_rows:
        tasks.setdefault((row["number"], row["group"]), []).append(str(row["ask"]))
    document = docx.Document()
    document.add_paragraph(form.title)
    table = document.add_table(1, 4)
    for cell, column in zip(table.rows[0].cells, form.columns, strict=True):
        cell.text = column.label
    for (number, task), asks in tasks.items():
        numbered = [f"{n}.{a}" for n, a in enumerate(asks, 1)], [f"{n}.是" for n in range(1, len(asks) + 1)]
        for cell, text in zip(
            table.add_row().cells, (str(number), task, *("\n".join(n) for n in numbered)), strict=True
        ):
            cell.text = text
    change(table)
    document.save(str(folder / "checklist.docx"))
    return read(folder / "checklist.docx", catalog)


ANSWERED = ("1.是\n2.否\n3.是\n4.是", "1.是；2.否；3.是；4.是", "1.是 2.否 3.是 4.是", "①是\n②否\n③是\n④是", "是；否；是；是",
            "第1项：是\n第2项：否\n第3项：是\n第4项：是", "1:是\n2:否\n3:是\n4:是", "√；×；√；√")  # fmt: skip


@pytest.mark.parametrize("typed", ANSWERED)
def test_answers_in_one_cell(typed: str, catalog: Catalog, tmp_path: Path) -> None:
    reading = checklist(catalog, tmp_path, lambda table: setattr(table.cell(1, 3), "text", typed))
    assert reading.record is not None

    assert ["是", "否", "是", "是", "是"] == reading.record.rows.columns["answer"][:5]
    assert [row["ask"] for row in reading.record.form.printed_rows] == reading.record.rows.columns["ask"]
    assert [] == said(reading, catalog)


def test_answers_that_cannot_be_dealt_out_are_said(catalog: Catalog, tmp_path: Path) -> None:
    reading = checklist(catalog, tmp_path, lambda table: setattr(table.cell(1, 3), "text", "1、2项是，3项否"))

    assert {"not-in-list"} == {f.kind.slug for f in said(reading, catalog)}


def test_points_broken_into_lines_and_a_point_of_their_own(catalog: Catalog, tmp_path: Path) -> None:
    def change(table: Any) -> None:
        cell = table.cell(1, 2)
        cell.text = cell.text.replace("自查自改", "自查\n自改") + "\n5.是否公示举报电话并奖励举报人员。"
        table.cell(1, 3).text += "\n5.否"

    reading = checklist(catalog, tmp_path, change)
    assert reading.record is not None

    assert 37 == len(reading.record.rows)
    assert "否" == reading.record.rows[4]["answer"]
    assert [] == said(reading, catalog)


def test_a_point_answered_twice(catalog: Catalog, tmp_path: Path) -> None:
    def change(table: Any) -> None:
        cells = table.add_row().cells
        for cell, text in zip(cells, ("10", "补充", "除尘系统是否规范设置控爆措施。", "否"), strict=True):
            cell.text = text

    assert ["duplicate-row"] == [f.kind.slug for f in said(checklist(catalog, tmp_path, change), catalog)]


def test_a_task_named_in_its_first_row_only(catalog: Catalog, tmp_path: Path) -> None:
    """The cells of a group were unmerged, and those below left empty."""
    form = catalog.checklist("jincheng.checklist").form

    def change(sheet: Worksheet) -> None:
        for merge in [str(m) for m in sheet.merged_cells.ranges]:
            sheet.unmerge_cells(merge)

    record = read(changed(blank(form, tmp_path / "form.xlsx"), change), catalog).record
    assert record is not None

    assert [row["group"] for row in form.printed_rows] == record.rows.columns["group"]


ANSWERS = {
    "☑是 □否 □不涉及": ("是", None), "是□ 否√": ("否", None), "是（√）": ("是", None), "否×": ("否", None), "X": ("否", None),
    "本企业不涉及": ("不涉及", None), "均是": ("是", None), "否【正在整改】": ("否", "正在整改"), "否——正在整改": ("否", "正在整改"),
    "否、正在整改": ("否", "正在整改"), "是，已落实（见附件）": ("是", "已落实（见附件）"), "是（1）已制定": ("是", "（1）已制定"),
}  # fmt: skip


@pytest.mark.parametrize("typed", ANSWERS)
def test_answers(typed: str, catalog: Catalog, tmp_path: Path) -> None:
    reading = checklist(catalog, tmp_path, lambda table: setattr(table.cell(1, 3), "text", f"{typed}\n是\n是\n是"))
    assert reading.record is not None
    word, remark = ANSWERS[typed]

    assert (f"{word}（{remark}）" if remark else word) == reading.record.rows[0]["answer"]
    assert [] == said(reading, catalog)


def test_the_heading_that_is_meant(catalog: Catalog, tmp_path: Path) -> None:
    """As the notice prints it, 5 questions of other groups stand under the first task; row 3 has none."""
    printed = catalog.checklist("jincheng.checklist").as_printed
    record = read(blank(printed, tmp_path / "form.xlsx"), catalog).record
    assert record is not None
    rows = to_printed(record)["rows"]

    assert 36 == len(rows)
    assert ["企业隐患排查整治专项行动开展情况"] * 9 == [r["检查任务"] for r in rows[:9]]
    assert ["金属冶炼企业"] * 4 + ["粉尘涉爆企业"] * 3 == [r["_intended_task"] for r in rows[4:11]]


@pytest.mark.parametrize("typed", ["是/否", "☑是 ☑否", "符合", "是×"])
def test_what_is_no_answer(typed: str, catalog: Catalog, tmp_path: Path) -> None:
    reading = checklist(catalog, tmp_path, lambda table: setattr(table.cell(1, 3), "text", f"{typed}\n是\n是\n是"))

    assert ["not-in-list"] == [f.kind.slug for f in said(reading, catalog)]
