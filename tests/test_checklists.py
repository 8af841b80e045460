"""Checklists as forms: printed, filled in by any habit, read back; and the 64 situations they cite."""

from pathlib import Path

import openpyxl
import pytest

from gmsafety import Catalog
from gmsafety.codes.order10 import CONJUNCTIVE, cited, search, situation, situations
from gmsafety.forms import blank, read
from gmsafety.forms.types import FIELD_TYPES, Setting

ANSWERS = Setting(choices=("是", "否", "不涉及"))


@pytest.mark.parametrize(
    ("typed", "answer", "remark"),
    [
        ("是", "是", None),
        (" 否 ", "否", None),
        ("否，未及时落实", "否", "未及时落实"),
        ("是\n已制定方案", "是", "已制定方案"),
        ("2.否（未及时落实）", "否", "未及时落实"),
        ("不涉及（企业无此项）", "不涉及", "企业无此项"),
        ("√", "是", None),
        ("×", "否", None),
        ("不适用", "不涉及", None),
        ("4.是。已制定方案", "是", "已制定方案"),
        ("否；正在整改", "否", "正在整改"),
    ],
)
def test_an_answer(typed: str, answer: str, remark: str | None) -> None:
    kind = FIELD_TYPES["answer"]
    value, trouble = kind.read(typed, ANSWERS)

    assert trouble is None
    assert {"answer": answer, "remark": remark} == kind.derive(value, ANSWERS)
    assert value == kind.read(value, ANSWERS).value


@pytest.mark.parametrize("typed", ["基本符合", "是否", "见附件", "是不是"])
def test_what_is_no_answer_is_said(typed: str) -> None:
    trouble = FIELD_TYPES["answer"].read(typed, ANSWERS).trouble

    assert trouble is not None
    assert "not-in-list" == trouble.slug


def filled(path: Path, answers: dict[int, str]) -> Path:
    """Write answers into the rows of a blank checklist, counted from 1."""
    book = openpyxl.load_workbook(path)
    sheet = book.active
    assert sheet is not None
    start = next(r for r in range(1, 20) if sheet.cell(r, 1).value == "序号")
    for number, text in answers.items():
        sheet.cell(start + number, 4).value = text
    book.save(path)
    return path


def test_outcomes(catalog: Catalog, tmp_path: Path) -> None:
    """是 is bad for some questions, 否 for others; what cannot be told is not."""
    checklist = catalog.checklist("jincheng.checklist")
    path = filled(blank(checklist.form, tmp_path / "c.xlsx"), {1: "否", 10: "是", 11: "否", 32: "是", 2: "不涉及"})
    reading = read(path, catalog)
    assert reading.record is not None
    outcomes = {o.item.id: o for o in checklist.outcomes(reading.record)}

    assert {"JC-C1.1", "JC-C3.2"} == {name for name, o in outcomes.items() if o.is_bad}
    assert False is outcomes["JC-C3.3"].is_bad is outcomes["JC-C1.2"].is_bad
    assert None is outcomes["JC-C9.1"].is_bad is outcomes["JC-C10.1"].is_bad


def test_the_printed_grouping_is_kept(catalog: Catalog, tmp_path: Path) -> None:
    """As meant: 4, 4, 3, 5, 3, 5, 3, 4, 2, 3; as printed: 9, 2, 0, 5, 3, 5, 7, 0, 2, 3."""
    checklist = catalog.checklist("jincheng.checklist")

    assert [4, 4, 3, 5, 3, 5, 3, 4, 2, 3] == [len(g.items) for g in checklist.groups]
    assert [9, 2, 0, 5, 3, 5, 7, 0, 2, 3] == [len(g.items) for g in checklist.printed]
    for number, form in enumerate((checklist.form, checklist.as_printed)):
        reading = read(blank(form, tmp_path / f"{number}.docx"), catalog)
        assert reading.record is not None
        assert checklist.form.ref == reading.record.form.ref
        assert 36 == sum(row["ask"] is not None for row in reading.record.rows)


def test_a_row_that_is_gone_is_said(catalog: Catalog, tmp_path: Path) -> None:
    path = blank(catalog.checklist("jincheng.resumption-guidance").form, tmp_path / "g.xlsx")
    book = openpyxl.load_workbook(path)
    sheet = book.active
    assert sheet is not None
    for merged in list(sheet.merged_cells.ranges):
        sheet.unmerge_cells(str(merged))
    row = next(r for r in range(1, 40) if "大反思" in str(sheet.cell(r, 3).value))
    sheet.delete_rows(row)
    book.save(path)
    gone = [f for f in read(path, catalog).findings if f.kind.slug == "missing-row"]

    assert 1 == len(gone)
    assert "大反思" in gone[0].message or "近年来我市" in gone[0].message


# --- 应急管理部令第10号 ----------------------------------------------------------------------------------------------


def test_the_64_situations() -> None:
    """3 of management, 47 by industry, 14 by field (articles 11 to 13)."""
    by_article = {
        a: sum(s.article == a for s in situations().values()) for a in ["三", "四", "五", "六", "七", "八", "九", "十"]
    }

    assert 64 == len(situations())
    assert (3, 47) == (by_article["三"], sum(by_article.values()) - 3)
    assert all(s.title and s.field for s in situations().values())


@pytest.mark.parametrize(
    "text", ["第四条（一）", "四(一)", "《工贸企业重大事故隐患判定标准》第四条（一）", "第四条(一)项"]
)
def test_a_situation_however_it_is_cited(text: str) -> None:
    found = situation(text)

    assert found is not None
    assert "第四条（一）" == found.citation


def test_citing() -> None:
    assert ["第四条（七）", "第四条（八）"] == [s.citation for s in cited("第四条（七）、第四条（八）")]
    assert situation("第十五条（一）") is None
    assert ("辨识并建立台账", "设置明显安全警示标志") == situations()["第十三条（一）"].parts
    assert set(CONJUNCTIVE) <= set(situations())
    assert {"粉尘爆炸危险"} == {s.field for s in search("除尘", "粉尘爆炸危险")}


def test_every_basis_of_every_checklist_is_a_situation(catalog: Catalog) -> None:
    assert all(len(i.situations) >= len(i.basis) for c in catalog.checklists.values() for i in c.items)
