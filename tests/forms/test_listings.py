"""Lists on paper: what is no form is written as a table with a title, a line above, headings, rows and notes."""

from pathlib import Path

import openpyxl
import pytest
from docx import Document
from docx.enum.section import WD_ORIENT

from gmsafety.forms.writing import CannotWrite, Listing, write_list
from gmsafety.forms.writing.listing import lay_out_list

SHORT = Listing(
    "检查次数清单",
    ("任务", "由谁", "至少"),
    (("部门研究安全生产工作", "各县（市、区）应急管理部门", "每月1次"), ("综合演练", "企业", None)),
    (("单位", "示例县应急管理局"), ("年度", "2025年"), ("共", "2项")),
    ("依据：《示例通知》。",),
)
WIDE = Listing("重点任务清单", ("任务", "要点", "依据"), (("一" * 30, "二" * 300, "三" * 25), ("甲", "乙\n丙", "丁")))


def cells_of_workbook(path: Path) -> list[list[object]]:
    sheet = openpyxl.load_workbook(path).active
    return [[c for c in row if c is not None] for row in sheet.iter_rows(values_only=True)]


def test_as_a_workbook(tmp_path: Path) -> None:
    title, line, headings, *rows, note = cells_of_workbook(write_list(SHORT, tmp_path / "list.xlsx"))

    assert ["检查次数清单"] == title
    assert ["单位：示例县应急管理局", "年度：2025年", "共：2项"] == str(line[0]).split()
    assert ["序号", "任务", "由谁", "至少"] == headings
    assert [[1, "部门研究安全生产工作", "各县（市、区）应急管理部门", "每月1次"], [2, "综合演练", "企业"]] == rows
    assert ["依据：《示例通知》。"] == note


def test_as_a_document(tmp_path: Path) -> None:
    document = Document(str(write_list(SHORT, tmp_path / "list.docx")))
    texts = [p.text for p in document.paragraphs]
    (table,) = document.tables

    assert ["检查次数清单", "单位：示例县应急管理局\t年度：2025年\t共：2项", "依据：《示例通知》。"] == [
        t for t in texts if t
    ]
    assert ["2", "综合演练", "企业", ""] == [c.text for c in table.rows[2].cells]


@pytest.mark.parametrize(("listing", "orientation"), [(SHORT, WD_ORIENT.PORTRAIT), (WIDE, WD_ORIENT.LANDSCAPE)])
def test_much_text_goes_across(listing: Listing, orientation: WD_ORIENT, tmp_path: Path) -> None:
    section = Document(str(write_list(listing, tmp_path / "list.docx"))).sections[0]

    assert orientation == section.orientation
    assert (section.page_width > section.page_height) == (orientation == WD_ORIENT.LANDSCAPE)


@pytest.mark.parametrize("listing", [SHORT, WIDE], ids=["short", "wide"])
def test_columns_fill_the_page_and_short_words_stay_whole(listing: Listing) -> None:
    paper = lay_out_list(listing)
    page = {"portrait": 84, "landscape": 138}[paper.layout.orientation]
    rows = list(paper.rows)

    assert page == pytest.approx(sum(paper.widths))
    assert [1] * len(rows) == [paper.lines(row[0], paper.widths[0]) for row in rows]
    assert 1 == paper.lines(paper.headings[-1], paper.widths[-1])


def test_the_longest_column_gets_most() -> None:
    number, task, point, source = lay_out_list(WIDE).widths

    assert number < source < task < point


def test_an_empty_list_says_none(tmp_path: Path) -> None:
    path = write_list(Listing("清单", ("任务", "由谁"), ()), tmp_path / "list.xlsx")

    assert [["清单"], ["序号", "任务", "由谁"], ["无"]] == cells_of_workbook(path)


def test_a_long_title_stands_in_lines_and_names_the_sheet_as_far_as_it_may(tmp_path: Path) -> None:
    title = "关于全市冶金工贸行业安全生产隐患排查整治专项行动[重点]任务：清单" * 2
    path = write_list(Listing(title, ("任务", "由谁"), (("甲", "乙"),)), tmp_path / "list.xlsx")
    first = str(cells_of_workbook(path)[0][0])

    assert title == first.replace("\n", "")
    assert all(len(line) <= 20 for line in first.split("\n"))
    assert 31 == len(openpyxl.load_workbook(path).sheetnames[0])


@pytest.mark.parametrize("name", ["list.odt", "list", "2025-01-31"])
def test_other_formats_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(CannotWrite, match=r"请用 \.xlsx"):
        write_list(SHORT, tmp_path / name)
