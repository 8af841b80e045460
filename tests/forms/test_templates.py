"""Somebody's own copy of a form is filled in: value cells change, every other part of the file stays byte for byte."""

import hashlib
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import docx
import openpyxl
import pytest
from docx.shared import Pt
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font
from openpyxl.worksheet.datavalidation import DataValidation

from gmsafety import load_catalog
from gmsafety.cli import main
from gmsafety.forms import blank, read
from gmsafety.forms.filling import CannotFill, fill_template
from gmsafety.forms.filling.sheet import formula_pushed_down
from gmsafety.forms.record import Record, Rows
from gmsafety.forms.spec import Form
from gmsafety.testing import example_record
from strategies import records

ROOT = Path(__file__).parents[1]
CATALOG = load_catalog()
FORMS = list(CATALOG.forms.values())
LEDGER, WEEKLY = CATALOG.form("major-hazard-ledger"), CATALOG.form("weekly-dispatch")
TOWNS = CATALOG.form("resumption-weekly")
SLOW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
CONTENT = {".xlsx": "xl/worksheets/sheet1.xml", ".docx": "word/document.xml"}
NAMES_OF_PLACES = "xl/workbook.xml"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("templates")


@pytest.fixture(scope="module")
def our_blanks(folder: Path) -> dict[tuple[str, str], Path]:
    """Our own blank of every form, in both formats."""
    return {(f.ref, s): blank(f, folder / f"{f.ref}{s}") for f in FORMS for s in CONTENT}


def parts(path: Path) -> dict[str, str]:
    """The fingerprint of every part of a package."""
    with zipfile.ZipFile(path) as package:
        return {name: hashlib.sha256(package.read(name)).hexdigest() for name in package.namelist()}


def changed(before: Path, after: Path) -> set[str]:
    """The parts that are not what they were."""
    old, new = parts(before), parts(after)
    return {name for name in {*old, *new} if old.get(name) != new.get(name)}


def reread(path: Path) -> Record:
    reading = read(path, CATALOG)
    assert reading.record is not None, [str(f) for f in reading.findings]
    return reading.record


# --- our own blanks -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", CONTENT)
@SLOW
@given(record=st.sampled_from(FORMS).flatmap(records))
def test_any_record_in_our_own_blank(
    suffix: str, record: Record, our_blanks: dict[tuple[str, str], Path], folder: Path
) -> None:
    template, to = our_blanks[record.form.ref, suffix], folder / f"filled{suffix}"
    found = fill_template(record, template, to)

    assert () == found
    assert record.same_content(reread(to))
    assert {CONTENT[suffix]} <= changed(template, to) <= {CONTENT[suffix], NAMES_OF_PLACES}


@pytest.mark.parametrize("suffix", CONTENT)
@pytest.mark.parametrize("form", [f for f in FORMS if not f.fixed], ids=lambda f: f.ref)
def test_a_nil_report(form: Form, suffix: str, our_blanks: dict[tuple[str, str], Path], tmp_path: Path) -> None:
    nil = Record(form, example_record(form).header, dict.fromkeys(form.blanks), nil=True)
    to = tmp_path / f"nil{suffix}"

    assert () == fill_template(nil, our_blanks[form.ref, suffix], to)
    assert reread(to).nil


# --- what somebody typed anew ---------------------------------------------------------------------------------


def retyped_ledger(path: Path, *, rows: int) -> Path:
    """The ledger as an office keeps it: labels and values in cells of their own, a column more, things below."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "台账（自用）"
    width = len(LEDGER.columns) + 1
    sheet["A1"] = LEDGER.title
    sheet.merge_cells(start_row=1, end_row=1, start_column=1, end_column=width)
    sheet["A1"].font, sheet["A1"].alignment = Font(name="华文中宋", size=22, bold=True), Alignment(horizontal="center")
    sheet["B2"], sheet["H2"] = "填报单位", "填报时间："
    sheet["C2"].font = sheet["I2"].font = Font(name="楷体", italic=True)
    for col, title in enumerate([c.label for c in LEDGER.columns] + ["本科室记事"], 1):
        sheet.cell(3, col, title).font = Font(name="微软雅黑", bold=True)
        sheet.column_dimensions[openpyxl.utils.get_column_letter(col)].width = 7 + col
    for row in range(4, 4 + rows):
        sheet.cell(row, 1, row - 3)
        for col in range(2, width + 1):
            sheet.cell(row, col).font = Font(name="等线", size=9, color="003366")
        sheet.cell(row, 7).number_format = "yyyy/m/d"
    last = 4 + rows
    sheet.cell(last, 1, LEDGER.notes[0])
    sheet.merge_cells(start_row=last, end_row=last, start_column=1, end_column=width)
    sheet.cell(last + 1, 2, "条数").comment = Comment("科里自己看", "某某")
    sheet.cell(last + 1, 3, f"=COUNTA(B4:B{last - 1})")
    rule = DataValidation(
        type="list", formula1='"企业自查,市县检查,交叉检查,省级督查,群众举报"', sqref=f"E4:E{last - 1}"
    )
    sheet.add_data_validation(rule)
    sheet.print_area = f"A1:N{last}"
    book.create_sheet("科室通讯录")["A1"] = "内部使用"
    book.save(path)
    return path


@pytest.mark.parametrize("count", [1, 4, 11])
def test_an_excel_copy_of_an_office(count: int, tmp_path: Path) -> None:
    template = retyped_ledger(tmp_path / "自用台账.xlsx", rows=4)
    record = example_record(LEDGER, rows=count)
    to = tmp_path / "填好.xlsx"
    found = fill_template(record, template, to)
    before, after = openpyxl.load_workbook(template).worksheets[0], openpyxl.load_workbook(to).worksheets[0]
    more = max(0, count - 4)

    assert () == found
    assert record.same_content(reread(to))
    assert "等线" == after.cell(4 + count - 1, 2).font.name
    assert ["楷体", "楷体"] == [after["C2"].font.name, after["I2"].font.name]
    assert before.column_dimensions["D"].width == after.column_dimensions["D"].width
    assert LEDGER.notes[0] == after.cell(8 + more, 1).value
    assert {"A1:N1", f"A{8 + more}:N{8 + more}"} == {str(m) for m in after.merged_cells.ranges}
    assert f"=COUNTA(B4:B{7 + more})" == after.cell(9 + more, 3).value
    assert f"E4:E{7 + more}" == str(after.data_validations.dataValidation[0].sqref)
    assert f"'台账（自用）'!$A$1:$N${8 + more}" == after.print_area
    assert "科里自己看" == after.cell(9 + more, 2).comment.text
    assert (record.rows[0]["inspected"], "yyyy/m/d") == (after["G4"].value.date(), after["G4"].number_format)
    moved = {NAMES_OF_PLACES, "xl/comments/comment1.xml", "xl/drawings/commentsDrawing1.vml"} if more else set()
    assert changed(template, to) <= {"xl/worksheets/sheet1.xml", *moved}


def test_what_was_in_the_copy_goes_and_what_is_beside_stays(tmp_path: Path) -> None:
    """Last week's copy is filled again, with fewer rows; the office's own column is nobody's business."""
    template, again = retyped_ledger(tmp_path / "a.xlsx", rows=4), tmp_path / "b.xlsx"
    fill_template(example_record(LEDGER, rows=4), template, again)
    book = openpyxl.load_workbook(again)
    book.worksheets[0]["N5"] = "已电话联系"
    book.save(again)
    record = example_record(LEDGER, rows=2)
    found = fill_template(record, again, tmp_path / "c.xlsx")

    assert () == found
    assert record.same_content(reread(tmp_path / "c.xlsx"))
    assert "已电话联系" == openpyxl.load_workbook(tmp_path / "c.xlsx").worksheets[0]["N5"].value


def test_numbers_are_numbers_and_no_text_is_a_formula(tmp_path: Path) -> None:
    row = {**example_record(LEDGER).rows[0], "enterprise": "=1+1", "remark": "+8601"}
    record = Record(LEDGER, example_record(LEDGER).header, rows=Rows.of([row], LEDGER))
    to = tmp_path / "x.xlsx"
    fill_template(record, retyped_ledger(tmp_path / "t.xlsx", rows=2), to)
    sheet = openpyxl.load_workbook(to).worksheets[0]

    assert ["n", "inlineStr", "inlineStr"] == [_kind(to, where) for where in ("A4", "B4", "M4")]
    assert [1, "=1+1", "+8601"] == [sheet[where].value for where in ("A4", "B4", "M4")]


def _kind(path: Path, where: str) -> str:
    from lxml import etree  # noqa: PLC0415 - to look at the cell itself

    with zipfile.ZipFile(path) as package:
        root = etree.fromstring(package.read("xl/worksheets/sheet1.xml"))
    return next(c.get("t", "n") for c in root.iter("{*}c") if c.get("r") == where)


def retyped_weekly(path: Path) -> Path:
    """The weekly table as somebody typed it into Word: another font, the header in a table of its own."""
    document = docx.Document()
    document.add_paragraph().add_run(WEEKLY.title).font.name = "华文中宋"
    top = document.add_table(rows=1, cols=4)
    for cell, text in zip(top.rows[0].cells, ("填报单位", "", "填报时间", ""), strict=True):
        cell.text = text
    document.add_paragraph("（本页由办公室保管）")
    table = document.add_table(rows=1, cols=4, style="Light Grid")
    for cell, title in zip(table.rows[0].cells, ("序号", "类别", "要点", "备注"), strict=True):
        cell.text = title
    for number, clause in enumerate(WEEKLY.clauses, 1):
        cells = table.add_row().cells
        cells[0].text, cells[1].text, cells[3].text = str(number), clause.label, clause.remark or ""
        run = cells[2].paragraphs[0].add_run("".join(s.say({}) for s in clause.sentences))
        run.font.name, run.font.size, run.bold = "等线", Pt(9), True
    document.add_paragraph(WEEKLY.notes[0])
    document.save(str(path))
    return path


def test_a_word_copy_of_an_office(tmp_path: Path) -> None:
    template, to = retyped_weekly(tmp_path / "自用.docx"), tmp_path / "填好.docx"
    record = example_record(WEEKLY)
    found = fill_template(record, template, to)
    table = docx.Document(str(to)).tables[1]
    run = table.rows[2].cells[2].paragraphs[0].runs[0]

    assert () == found
    assert record.same_content(reread(to))
    assert ("等线", Pt(9), True) == (run.font.name, run.font.size, run.bold)
    assert [WEEKLY.title, "（本页由办公室保管）", WEEKLY.notes[0]] == [
        p.text for p in docx.Document(str(to)).paragraphs if p.text
    ]
    assert {"word/document.xml"} == changed(template, to)


@SLOW
@given(record=st.sampled_from([LEDGER, WEEKLY]).flatmap(records))
def test_any_record_in_a_copy_of_an_office(record: Record, folder: Path) -> None:
    made = {LEDGER.ref: folder / "own.xlsx", WEEKLY.ref: folder / "own.docx"}[record.form.ref]
    if not made.exists():
        _ = retyped_ledger(made, rows=3) if record.form is LEDGER else retyped_weekly(made)
    to = made.with_stem("own-filled")

    assert () == fill_template(record, made, to)
    assert record.same_content(reread(to))


def test_an_office_suite_opens_what_was_filled(
    office: Callable[..., list[Path]], our_blanks: dict[tuple[str, str], Path], tmp_path: Path
) -> None:
    saved = tmp_path / "saved"
    saved.mkdir()
    own = retyped_ledger(tmp_path / "own.xlsx", rows=3)
    batch = {own: example_record(LEDGER, rows=7), our_blanks[TOWNS.ref, ".xlsx"]: example_record(TOWNS, rows=9)}
    files = []
    for number, (template, record) in enumerate(batch.items()):
        files.append(tmp_path / f"filled-{number}.xlsx")
        fill_template(record, template, files[-1])
    for record, path in zip(batch.values(), office(files, "xlsx", saved), strict=True):
        assert record.same_content(reread(path))


SAMPLES = sorted(p for p in (ROOT / "samples/should_pass").iterdir() if p.suffix in CONTENT)
SPLIT = {
    "checklist_tasks.docx": "检查情况",  # several printed rows in one, with one cell for the answers
    "ledger_word_repeated_header.docx": "第5行",  # the second half of a ledger is a table of its own
}


@pytest.mark.parametrize("template", SAMPLES, ids=lambda p: p.name)
def test_files_as_they_are_kept(template: Path, tmp_path: Path) -> None:
    """Last week's file with this week's record in it: right, or said to be not."""
    form = read(template, CATALOG).form
    assert form is not None
    record, to = example_record(form, rows=4), tmp_path / f"filled{template.suffix}"
    found = fill_template(record, template, to)

    assert (template.name in SPLIT) == bool(found), [str(f) for f in found]
    assert record.same_content(reread(to)) == (not found)
    assert {"GM-S233"} >= {f.code for f in found}
    assert not found or SPLIT[template.name] in found[0].message
    assert not any("media" in part or "theme" in part or "styles" in part for part in changed(template, to))


def test_blanks_that_an_office_suite_saved_again(
    office: Callable[..., list[Path]], our_blanks: dict[tuple[str, str], Path], tmp_path: Path
) -> None:
    for suffix in CONTENT:
        saved = tmp_path / suffix[1:]
        saved.mkdir()
        blanks = [our_blanks[f.ref, suffix] for f in FORMS]
        for form, path in zip(FORMS, office(blanks, suffix[1:], saved), strict=True):
            record, to = example_record(form, rows=8), saved / f"filled-{path.name}"

            assert () == fill_template(record, path, to), path.name
            assert record.same_content(reread(to)), path.name


def test_what_the_record_leaves_open_is_emptied(tmp_path: Path) -> None:
    template, to = fill_old(tmp_path), tmp_path / "new.docx"
    record = example_record(WEEKLY)
    bare = Record(WEEKLY, {"unit": None, "date": None}, {**record.values, "penalty.firms": None})
    found = fill_template(bare, template, to)

    assert () == found
    assert bare.same_content(reread(to))


def fill_old(folder: Path) -> Path:
    """A Word copy with last week's values in it."""
    fill_template(example_record(WEEKLY), retyped_weekly(folder / "t.docx"), folder / "old.docx")
    return folder / "old.docx"


HEADERS = [
    (["填报单位：            填报时间：    年    月    日"], "填报单位：某某县应急管理局        填报时间：2025年1月3日"),
    (["填报单位（盖章）：____   填报时间：____   单位：万元"], "填报单位（盖章）：某某县应急管理局  填报时间：2025年1月3日  单位：万元"),
    (["填报单位：", "", "填报时间：", ""], "填报单位：|某某县应急管理局|填报时间：|2025年1月3日"),
    (["填报单位", "上期单位", "填报时间", "", "年", "", "月", "", "日"], "填报单位|某某县应急管理局|填报时间|2025年1月3日"),
    (["填报单位：某某市局", "填报时间：2024-12-27"], "填报单位：某某县应急管理局|填报时间：2025年1月3日"),
]  # fmt: skip


@pytest.mark.parametrize(("cells", "expected"), HEADERS)
@pytest.mark.parametrize("suffix", CONTENT)
def test_header_lines_of_any_make(suffix: str, cells: list[str], expected: str, tmp_path: Path) -> None:
    template, to = tmp_path / f"t{suffix}", tmp_path / f"x{suffix}"
    titles = [c.label for c in LEDGER.columns]
    if suffix == ".xlsx":
        book = openpyxl.Workbook()
        sheet = book.active
        assert sheet is not None
        for col, text in enumerate(cells, 1):
            sheet.cell(1, col, text or None).font = Font(name="楷体")
        sheet.append(titles)
        book.save(template)
    else:
        document = docx.Document()
        if len(cells) == 1:
            document.add_paragraph(cells[0])
        else:
            for cell, text in zip(document.add_table(1, len(cells)).rows[0].cells, cells, strict=True):
                cell.text = text
            document.add_paragraph()
        for cell, text in zip(document.add_table(1, len(titles)).rows[0].cells, titles, strict=True):
            cell.text = text
        document.save(str(template))
    rows = example_record(LEDGER, rows=2).rows
    record = Record(LEDGER, {"unit": "某某县应急管理局", "date": date(2025, 1, 3)}, rows=rows)
    found = fill_template(record, template, to)
    if suffix == ".xlsx":
        line = next(openpyxl.load_workbook(to).worksheets[0].iter_rows(max_row=1, values_only=True))
    elif len(cells) == 1:
        line = (docx.Document(str(to)).paragraphs[0].text,)
    else:
        line = tuple(c.text for c in docx.Document(str(to)).tables[0].rows[0].cells)

    assert () == found
    assert record.same_content(reread(to))
    assert expected.split() == "|".join(str(c) for c in line if c).replace("\u3000", " ").split()


def test_formulas_follow_their_rows() -> None:
    told = "SUM(G5:G9)+$G$12-Sheet2!A20:B30+'别的 表'!C40&\"A15\"&LOG10(A11)"
    moved = "SUM(G5:G9)+$G$15-Sheet2!A20:B30+'别的 表'!C40&\"A15\"&LOG10(A14)"

    assert moved == formula_pushed_down(told, 10, 3)


# --- what cannot be placed ------------------------------------------------------------------------------------


def test_what_has_no_place_is_said(tmp_path: Path) -> None:
    template = retyped_ledger(tmp_path / "t.xlsx", rows=2)
    book = openpyxl.load_workbook(template)
    book.worksheets[0].delete_cols(8)  # 重大隐患明细, and 填报时间 above it
    book.worksheets[0]["B2"] = None
    book.save(template)
    record = example_record(LEDGER, rows=2)
    found = fill_template(record, template, tmp_path / "x.xlsx")

    assert {"GM-S233"} == {f.code for f in found}
    assert ["填报单位", "填报时间", "重大隐患明细", "重大隐患明细"] == [
        f.message.split("“")[1].split("”")[0] for f in found
    ]
    assert str(record.header["unit"]) in found[0].message


@pytest.mark.parametrize(
    ("name", "to", "says"),
    [
        ("别的表.xlsx", "x.xlsx", "里没有《冶金工贸行业隐患排查整治专项行动重大事故隐患台账》"),
        ("别的表.xlsx", "x.docx", "模板是.xlsx，不能写成“x.docx”"),
        ("旧表.xls", "x.xls", "请先另存为 .xlsx 或 .docx"),
    ],
)
def test_what_is_no_copy_of_the_form(name: str, to: str, says: str, tmp_path: Path) -> None:
    template = tmp_path / name
    if template.suffix == ".xls":
        template.write_bytes((Path(__file__).parents[1] / "samples/judgement/ledger.xls").read_bytes())
    else:
        blank(WEEKLY, template)
    with pytest.raises(CannotFill) as refused:
        fill_template(example_record(LEDGER), template, tmp_path / to)

    assert says in str(refused.value)
    assert not (tmp_path / to).exists()


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The data says which form it is; what has no place makes the exit status 1."""
    template = retyped_ledger(tmp_path / "t.xlsx", rows=2)
    main(["forms", "blank", "major-hazard-ledger", "--to", str(tmp_path / "b.xlsx")])
    data = tmp_path / "data.json"
    fill_template(example_record(LEDGER), tmp_path / "b.xlsx", tmp_path / "c.xlsx")
    main(["forms", "convert", str(tmp_path / "c.xlsx"), str(data)])
    status = main(["forms", "fill", str(data), "--template", str(template), "--to", str(tmp_path / "x.xlsx")])

    assert 0 == status
    assert example_record(LEDGER).same_content(reread(tmp_path / "x.xlsx"))
    assert date(2024, 12, 20) == reread(tmp_path / "x.xlsx").filed
    assert 2 == main(["forms", "fill", str(data), "--template", str(template), "--to", str(template)])
    capsys.readouterr()
