"""The annotated workbook: every finding at its cell, and apart from our marks the file that came."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl.comments import Comment
from openpyxl.styles import PatternFill

from annotated_files import TOUCHED, changed, differing, everything, finding, marked, packed, parts, remark, retagged
from compare import SAMPLES, sample_files
from gmsafety import Catalog, Finding
from gmsafety.forms import Record, annotate, check, read
from gmsafety.forms.annotating import NotAnnotatable, unmarked
from gmsafety.forms.marks import AUTHOR, OPENING, SHEET
from gmsafety.forms.reading.safety import inspect

FILES = [p for p in sample_files(SAMPLES) if "large" not in p.parts]
READABLE = [p for p in FILES if inspect(p.read_bytes(), p.name).format in ("xlsx", "docx")]
REFUSED = [p for p in FILES if p not in READABLE]
RED, YELLOW = "FFFFC9CB", "FFFFEDB1"


def loaded(data: bytes) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(data))


def judged(path: Path, data: bytes, catalog: Catalog) -> tuple[list[Record], tuple[Finding, ...]]:
    """The records of a file, and its findings."""
    reading = read(data, catalog, name=path.name)
    every = (reading, *reading.also)
    found = dict.fromkeys(f for r in every for f in check(r, catalog))
    return [r.record for r in every if r.record is not None], tuple(found)


@pytest.mark.parametrize("path", READABLE, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_every_finding_is_at_its_cell_and_the_file_is_the_same(path: Path, catalog: Catalog) -> None:
    records, findings = judged(path, path.read_bytes(), catalog)
    copy = annotate(path, findings, records=records)
    again, found = judged(path, copy, catalog)
    told = marked(copy, path.name)
    cells = [f for f in findings if "!" in str(f.place) or " row " in str(f.place)]

    assert [] == [str(f) for f in cells if f.message not in told.get(str(f.place), "")]
    assert {str(f.place) for f in cells} == {*told}
    assert [True] * len(records) == [one.same_content(two) for one, two in zip(records, again, strict=True)]
    assert findings == found
    assert copy == annotate(copy, findings, records=records, name=path.name)
    assert set() == differing(path, unmarked(copy, name=path.name))


@pytest.mark.parametrize("path", REFUSED, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_what_bears_no_marks_is_refused_in_words(path: Path) -> None:
    with pytest.raises(NotAnnotatable, match="请"):
        annotate(path, ())


def test_parts_without_marks_come_out_byte_for_byte(tmp_path: Path) -> None:
    path = everything(tmp_path)
    copy = annotate(path, [finding("B5", "数"), remark("C1", "数"), finding("A1", "藏")])
    book = loaded(copy)
    new = {
        "xl/comments2.xml",
        "xl/drawings/vmlDrawing2.vml",
        "xl/worksheets/_rels/sheet2.xml.rels",
        "xl/worksheets/sheet3.xml",
    }
    bearing = {
        "xl/comments1.xml",
        "xl/drawings/vmlDrawing1.vml",
        "xl/worksheets/sheet1.xml",
        "xl/worksheets/sheet2.xml",
    }

    assert {"xl/media/image1.png", "xl/drawings/drawing1.xml", "xl/charts/chart1.xml"} <= {*parts(path)}
    assert {*TOUCHED, *bearing, *new} == changed(path, copy)
    assert new == {*parts(copy)} - {*parts(path)}
    assert ["数", "藏", SHEET] == book.sheetnames
    assert "hidden" == book["藏"].sheet_state
    assert set() == differing(path, unmarked(copy))
    assert ("我的批注", "某某") == (loaded(unmarked(copy))["数"]["B3"].comment.text, book["数"]["B3"].comment.author)


def test_what_a_sheet_says_stays_but_for_the_marked_cell(tmp_path: Path) -> None:
    """Bytes around the cell are those that came: formulas, widths, lists, rules."""
    path = everything(tmp_path)
    before = parts(path)["xl/worksheets/sheet1.xml"]
    after = parts(annotate(path, [finding("D5", "数")]))["xl/worksheets/sheet1.xml"]
    start = before.index(b'<c r="D5"')
    end = before.index(b">", start)

    assert before[:start] == after[:start]
    assert after.endswith(before[end:])
    assert b"<f>B5*C5</f>" in after


def test_the_list_comes_with_a_count_and_puts_a_repeated_mistake_on_one_line(tmp_path: Path) -> None:
    repeated = [finding(f"B{row}", "数", text=f"-{row}") for row in (3, 4, 5, 7)]
    other = [remark("C3", "数"), finding("file"), finding("header row", "数")]
    book = loaded(annotate(everything(tmp_path), [*repeated, *other]))
    sheet = book[SHEET]
    lines = [[c.value for c in row] for row in sheet.iter_rows(min_row=6, max_row=9, max_col=8)]

    assert "6处错误，1处提醒" == sheet["A2"].value
    assert ["序号", "类别", "位置", "栏目", "现填内容", "问题", "怎样改", "代码"] == [c.value for c in sheet[5]][:8]
    assert [
        [1, "错误", "工作表“数”B列第3–5、7行，共4处", "2 等"],
        [2, "提醒", "工作表“数”C3单元格", "3"],
        [3, "错误", "整个文件", ""],
        [4, "错误", "工作表“数”表头行", ""],
    ] == [[*line[:3], str(line[4] or "")] for line in lines]
    assert "“数”不能小于零，现为-3。（其余3处类同，见各格批注）" == lines[0][5]
    assert ["'数'!B3", "'数'!C3", None, None] == [
        link.location if (link := sheet[f"C{row}"].hyperlink) else None for row in (6, 7, 8, 9)
    ]
    assert {f"数!B{row}" for row in (3, 4, 5, 7)} < {*marked(annotate(everything(tmp_path), repeated + other), "")}
    assert book["数"]["B3"].comment.text.startswith("我的批注\n\n" + OPENING)


def test_the_printed_column_is_named(catalog: Catalog) -> None:
    path = SAMPLES / "should_fail" / "duplicate_number.xlsx"
    records, findings = judged(path, path.read_bytes(), catalog)
    sheet = loaded(annotate(path, findings, records=records))[SHEET]

    assert ("序号", "4") == (sheet["D6"].value, str(sheet["E6"].value))


def test_the_worse_colours_the_cell_and_one_comment_says_all(tmp_path: Path) -> None:
    cell = loaded(annotate(everything(tmp_path), [remark("B5", "数"), finding("B5", "数")]))["数"]["B5"]

    assert RED == cell.fill.fgColor.rgb
    assert cell.comment.text.index("提醒：") < cell.comment.text.index("错误：")
    assert ("0.00", "thin") == (cell.number_format, cell.border.left.style)


def test_inside_a_merged_area_the_first_cell_is_marked(tmp_path: Path) -> None:
    assert ["数!A1"] == list(marked(annotate(everything(tmp_path), [finding("C1", "数")]), "x.xlsx"))


def test_cells_and_rows_that_are_not_there_are_made_in_order_and_go_again(tmp_path: Path) -> None:
    path = tmp_path / "gaps.xlsx"
    book = openpyxl.Workbook()
    book.active["C3"], book.active["C6"] = 1, 2
    book.save(path)
    places = ("A1", "A3", "C3", "E3", "B4", "C9")
    copy = annotate(path, [finding(where, "Sheet") for where in places])
    sheet = parts(copy)["xl/worksheets/sheet1.xml"].decode()
    found = [sheet.index(f'r="{w}"') for w in places]

    assert {f"Sheet!{where}" for where in places} == {*marked(copy, "x.xlsx")}
    assert sorted(found) == found
    assert set() == differing(path, unmarked(copy))


def test_an_empty_sheet_gets_its_first_rows(tmp_path: Path) -> None:
    path = tmp_path / "empty.xlsx"
    openpyxl.Workbook().save(path)

    assert ["Sheet!B2"] == list(marked(annotate(path, [finding("B2", "Sheet")]), "x.xlsx"))


def test_a_value_typed_into_a_made_cell_stays(tmp_path: Path) -> None:
    path = tmp_path / "gap.xlsx"
    openpyxl.Workbook().save(path)
    told = parts(annotate(path, [finding("B2", "Sheet")]))
    sheet = told["xl/worksheets/sheet1.xml"]
    start = sheet.index(b'<c r="B2"')
    end = sheet.index(b"/>", start)
    typed = sheet[:end] + b"><v>7</v></c>" + sheet[end + 2 :]

    assert 7 == loaded(unmarked(packed(told | {"xl/worksheets/sheet1.xml": typed})))["Sheet"]["B2"].value


@pytest.mark.parametrize("prefix", ["x", "ns0"])
def test_names_with_a_prefix(tmp_path: Path, prefix: str) -> None:
    data = retagged(everything(tmp_path).read_bytes(), "xl/worksheets/sheet2.xml", prefix)
    copy = annotate(data, [finding("A1", "藏"), finding("C4", "藏")])

    assert f"<{prefix}:sheetData".encode() in parts(data)["xl/worksheets/sheet2.xml"]
    assert {"藏!A1", "藏!C4"} == {*marked(copy, "x.xlsx")}
    assert "看不见的" == loaded(copy)["藏"]["A1"].value
    assert set() == differing(data, unmarked(copy))


def test_a_sheet_in_another_encoding(tmp_path: Path) -> None:
    told = parts(everything(tmp_path))
    wide = told["xl/worksheets/sheet2.xml"].decode().replace("UTF-8", "UTF-16").encode("utf-16")
    copy = annotate(packed(told | {"xl/worksheets/sheet2.xml": wide}), [finding("A1", "藏")])

    assert ["藏!A1"] == list(marked(copy, "x.xlsx"))


def test_a_discussion_in_a_cell_is_left_alone(tmp_path: Path) -> None:
    told = parts(everything(tmp_path))
    kind = "http://schemas.microsoft.com/office/2017/10/relationships/threadedComment"
    thread, rels = "xl/threadedComments/threadedComment1.xml", "xl/worksheets/_rels/sheet1.xml.rels"
    more = f'<Relationship Id="rId99" Type="{kind}" Target="../threadedComments/threadedComment1.xml"/>'
    told[rels] = told[rels].replace(b"</Relationships>", f"{more}</Relationships>".encode())
    space = "http://schemas.microsoft.com/office/spreadsheetml/2018/threadedcomments"
    said = '<threadedComment ref="B3" id="{1}"><text>议</text></threadedComment>'
    told[thread] = f'<ThreadedComments xmlns="{space}">{said}</ThreadedComments>'.encode()
    data = packed(told)
    copy = annotate(data, [finding("B3", "数"), finding("B4", "数")])
    cell = loaded(copy)["数"]["B3"]

    assert thread not in changed(data, copy)
    assert ("我的批注", RED) == (cell.comment.text, cell.fill.fgColor.rgb)
    assert ["数!B4"] == list(marked(copy, "x.xlsx"))


def test_a_sheet_of_theirs_with_our_name_is_theirs(tmp_path: Path) -> None:
    path = tmp_path / "named.xlsx"
    book = openpyxl.Workbook()
    book.active.title = SHEET
    book.active["A1"] = "县里的核对"
    book.save(path)
    copy = annotate(annotate(path, [finding("A1", SHEET)]), [finding("A1", SHEET)])

    assert [SHEET, f"{SHEET}2"] == loaded(copy).sheetnames
    assert "县里的核对" == loaded(copy)[SHEET]["A1"].value


def test_text_that_looks_like_a_formula_is_text_and_what_xml_cannot_carry_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "text.xlsx"
    book = openpyxl.Workbook()
    book.active["A1"] = 1
    book.save(path)
    sheet = loaded(annotate(path, [finding("A1", "Sheet", text="=1+1\x01<&>"), finding("A1", "Sheet", text="=A1")]))[
        SHEET
    ]

    assert ("“数”不能小于零，现为=1+1<&>。", "s") == (sheet["F6"].value, sheet["F6"].data_type)


def test_marks_are_found_again_after_another_program_saved_the_copy(
    tmp_path: Path, office: Callable[..., list[Path]]
) -> None:
    """LibreOffice forgets who wrote a comment, numbers the styles anew and breaks texts into pieces."""
    copy = tmp_path / "copy.xlsx"
    annotate(
        everything(tmp_path),
        [finding("B3", "数"), finding("B5", "数"), remark("C1", "数"), finding("A1", "藏")],
        to=copy,
    )
    (tmp_path / "again").mkdir()
    (saved,) = office([copy], "xlsx", tmp_path / "again")
    book = loaded(unmarked(saved))
    cells = [book["数"][where] for where in ("A1", "B3", "B5")]

    assert {"数!A1", "数!B3", "数!B5", "藏!A1"} == {*marked(saved.read_bytes(), "x.xlsx")}
    assert ["数", "藏"] == book.sheetnames
    assert [None, None] == [cells[0].comment, cells[2].comment]
    assert "我的批注" in cells[1].comment.text
    assert AUTHOR not in cells[1].comment.text
    assert not {RED, YELLOW} & {c.fill.fgColor.rgb for c in cells}


@pytest.mark.parametrize("with_our_sheet", [True, False])
def test_marks_are_found_again_after_openpyxl(tmp_path: Path, with_our_sheet: bool) -> None:
    book = loaded(annotate(everything(tmp_path), [finding("B5", "数"), finding("B3", "数")]))
    if not with_our_sheet:
        del book[SHEET]
    book.save(tmp_path / "saved.xlsx")
    clean = loaded(unmarked(tmp_path / "saved.xlsx"))

    assert ["数", "藏"] == clean.sheetnames
    assert ("我的批注", None) == (clean["数"]["B3"].comment.text, clean["数"]["B5"].comment)
    assert RED != clean["数"]["B5"].fill.fgColor.rgb


COLUMNS, ROWS = "ABCDE", range(1, 9)
PLACES = st.builds(lambda c, r: f"{c}{r}", st.sampled_from(COLUMNS), st.sampled_from(ROWS))


@st.composite
def workbooks(draw: st.DrawFn) -> bytes:
    """Small workbooks: values, fills, comments, merged areas, anywhere."""
    book = openpyxl.Workbook()
    sheet = book.active
    for where in draw(st.lists(PLACES, unique=True, max_size=8)):
        sheet[where] = draw(st.one_of(st.integers(-9, 9), st.text("甲乙<&_x0041", max_size=6), st.booleans()))
    for where in draw(st.lists(PLACES, unique=True, max_size=4)):
        sheet[where].fill = PatternFill("solid", fgColor=draw(st.sampled_from(["FFD9D9D9", "FF00FF00"])))
    areas = draw(st.sampled_from([(), ("A1:B2",), ("C3:E3", "D5:D8")]))
    for where in draw(st.lists(PLACES, unique=True, max_size=3)):
        if not areas:
            sheet[where].comment = Comment(draw(st.sampled_from(["请核", "一\n二"])), "某某")
    for area in areas:
        sheet.merge_cells(area)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=workbooks(), places=st.lists(PLACES, max_size=10), others=st.lists(PLACES, max_size=4))
def test_any_small_workbook(data: bytes, places: list[str], others: list[str]) -> None:
    """Marks are at their cells, values stay, marking anew is like marking the original, and marks go again."""
    findings = [finding(w, "Sheet") for w in places] + [remark(w, "Sheet") for w in others]
    copy = annotate(data, findings)
    before, after = loaded(data)["Sheet"], loaded(copy)["Sheet"]

    assert {f"Sheet!{anchor(before, w)}" for w in (*places, *others)} == {*marked(copy, "x.xlsx")}
    assert values_of(before) == values_of(after)
    assert set() == differing(copy, annotate(annotate(data, [finding("B2", "Sheet"), remark("E7", "Sheet")]), findings))
    assert set() == differing(data, unmarked(copy))


def anchor(sheet: Any, where: str) -> str:
    area = next((a for a in sheet.merged_cells.ranges if where in a), None)
    return str(area.coord).partition(":")[0] if area else where


def values_of(sheet: Any) -> dict[str, Any]:
    return {c.coordinate: c.value for row in sheet.iter_rows() for c in row if c.value is not None}
