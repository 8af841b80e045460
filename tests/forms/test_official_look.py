"""What the produced files hold, structure by structure, against the printed annex; and that an office suite opens them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import docx
import openpyxl
import pytest
from docx.oxml.ns import qn

from gmsafety import Catalog
from gmsafety.forms import blank, fill
from gmsafety.testing import example_record

WEEKLY_NOTE = (
    "说明：按照工作部署，周调度表每周五汇总。其中，调度事项中需要概述工作简要情况的，按每周实际工作情况填写；"
    "其余信息，填报自专项行动部署以来的累计数据，逐周累加更新。"
)
LEDGER_NOTE = (
    "说明：检查环节为企业自查、市县检查、交叉检查、省级督查、群众举报；整改措施需明确整改责任、措施、资金、时限、预案；"
    "已完成整改的需在整改完成情况说明完成时间；本统计表每周五上报，为累计数据。"
)
LEDGER_HEAD = [
    "序号", "企业名称", "所在市\n(县、区)", "行业类别", "检查环节", "检查单位", "检查时间", "重大隐患明细",
    "整改措施", "挂牌督\n办单位", "行政处\n罚情况", "整改完成\n情况", "备注",
]  # fmt: skip


def grid(path: Path) -> tuple[list[list[Any]], set[str], Any]:
    """Cells, merges and the sheet itself of a produced workbook."""
    sheet = openpyxl.load_workbook(path).worksheets[0]
    return [[c.value for c in row] for row in sheet.iter_rows()], {str(m) for m in sheet.merged_cells.ranges}, sheet


def test_the_blank_weekly_table(catalog: Catalog, tmp_path: Path) -> None:
    cells, merges, sheet = grid(blank(catalog.form("weekly-dispatch"), tmp_path / "blank.xlsx"))
    labels = [
        "部署推进",
        "企业自查自改",
        "市县联合检查",
        "市级交叉检查",
        "行政处罚",
        "宣传曝光",
        "存在问题",
        "意见建议",
    ]

    assert ["附件1", "冶金工贸行业隐患排查整治专项行动\n周调度统计表"] == [cells[0][0], cells[1][0]]
    assert ["填报单位：", "填报时间：", "年", "月", "日"] == cells[2][0].split()
    assert ["序号", "类别", "要点", "备注"] == cells[3]
    assert [[n, label] for n, label in enumerate(labels, 1)] == [row[:2] for row in cells[4:12]]
    assert ["各地情况不同，按实际进展填写即可，每周汇总。", "工作开展后填写。"] == [cells[4][3], cells[7][3]]
    assert WEEKLY_NOTE == cells[12][0]
    assert {"A1:D1", "A2:D2", "A3:D3", "A13:D13"} == merges
    assert "portrait" == sheet.page_setup.orientation


def test_the_blank_ledger(catalog: Catalog, tmp_path: Path) -> None:
    cells, merges, sheet = grid(blank(catalog.form("major-hazard-ledger"), tmp_path / "blank.xlsx"))

    assert ["附件2", "冶金工贸行业隐患排查整治专项行动重大事故隐患台账"] == [cells[0][0], cells[1][0]]
    assert LEDGER_HEAD == cells[3]
    assert [1, 2, 3, 4, 5, "....."] == [row[0] for row in cells[4:10]]
    assert LEDGER_NOTE == cells[10][0]
    assert {"A1:M1", "A2:M2", "A3:M3", "A11:M11"} == merges
    assert "landscape" == sheet.page_setup.orientation
    assert "$4:$4" == sheet.print_title_rows
    assert ['"企业自查,市县检查,交叉检查,省级督查,群众举报"'] == [
        v.formula1 for v in sheet.data_validations.dataValidation
    ]


def test_fonts_and_page(catalog: Catalog, tmp_path: Path) -> None:
    """GB/T 9704: A4, fonts by name, borders around every cell of the table, header row in 黑体."""
    form = catalog.form("major-hazard-ledger")
    _, _, sheet = grid(fill(example_record(form), tmp_path / "ledger.xlsx"))
    fonts = {
        name: sheet[where].font.name
        for name, where in (("annex", "A1"), ("title", "A2"), ("line", "A3"), ("head", "B4"), ("body", "B5"))
    }

    assert {
        "annex": "黑体",
        "title": "方正小标宋简体",
        "line": "楷体_GB2312",
        "head": "黑体",
        "body": "仿宋_GB2312",
    } == fonts
    assert 9 == sheet.page_setup.paperSize
    assert {"thin"} == {
        side.style for c in sheet[5] for side in (c.border.left, c.border.right, c.border.top, c.border.bottom)
    }
    assert sheet.row_dimensions[5].height > sheet.row_dimensions[3].height


@pytest.mark.parametrize(
    ("name", "head", "note", "landscape"),
    [
        ("weekly-dispatch", ["序号", "类别", "要点", "备注"], WEEKLY_NOTE, False),
        ("major-hazard-ledger", LEDGER_HEAD, LEDGER_NOTE, True),
    ],
)
def test_the_word_file(
    name: str, head: list[str], note: str, landscape: bool, catalog: Catalog, tmp_path: Path
) -> None:
    document = docx.Document(str(fill(example_record(catalog.form(name)), tmp_path / "form.docx")))
    table = document.tables[0]
    section = document.sections[0]

    assert head == [c.text for c in table.rows[0].cells]
    assert table.rows[0]._tr.trPr.find(qn("w:tblHeader")) is not None
    assert note == document.paragraphs[-1].text
    assert landscape == (section.page_width > section.page_height)
    assert {"仿宋_GB2312"} == {r._r.rPr.rFonts.get(qn("w:eastAsia")) for r in table.rows[1].cells[1].paragraphs[0].runs}


def test_an_office_suite_prints_each_form_on_its_pages(
    catalog: Catalog, office: Callable[..., list[Path]], tmp_path: Path
) -> None:
    """Every form, blank and filled, in both formats, becomes a PDF of as many pages as it needs and no more.

    That is one; a checklist of dozens of questions takes some more.
    """
    files = []
    for form in catalog.forms.values():
        for suffix in ("xlsx", "docx"):
            files.append(blank(form, tmp_path / f"{form.id}-blank-{suffix}.{suffix}"))
            files.append(fill(example_record(form), tmp_path / f"{form.id}-filled-{suffix}.{suffix}"))
    folder = tmp_path / "pdf"
    folder.mkdir()
    pdfs = office(files, "pdf", folder)

    long = {f.id for f in catalog.forms.values() if len(f.rows) + len(f.clauses) > 10}
    pages = {p.stem: p.read_bytes().count(b"/Type/Page\n") + p.read_bytes().count(b"/Type/Page/") for p in pdfs}

    assert {} == {n: c for n, c in pages.items() if c != 1 and not n.startswith(tuple(long))}
    assert {} == {n: c for n, c in pages.items() if c > 5}
