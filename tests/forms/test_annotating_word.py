"""The annotated Word file: cells shaded and commented, a list at the end, and apart from that the file that came."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import docx
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from lxml import etree

from annotated_files import W, changed, differing, finding, marked, parts, remark
from gmsafety.forms import annotate
from gmsafety.forms.annotating import unmarked
from gmsafety.forms.marks import AUTHOR, HEADINGS, LIST_TITLE
from gmsafety.forms.reading.wordfile import word_tables

OWN = {"word/document.xml", "word/comments.xml", "word/_rels/document.xml.rels", "[Content_Types].xml"}


def written(folder: Path, *, comments: bool = False) -> Path:
    """A document with a table of merged, shaded and empty cells, and something after it."""
    document = docx.Document()
    paragraph = document.add_paragraph("某某县")
    table = document.add_table(4, 3)
    for number, cell in enumerate(table._cells):
        cell.text = "" if number == 5 else f"格{number}"
    table.cell(1, 0).merge(table.cell(2, 0))
    table.cell(3, 0).merge(table.cell(3, 1))
    for row, shade in ((0, 'w:fill="D9D9D9"'), (1, 'w:fill="D9E2F3" w:themeFill="accent1" w:themeFillTint="33"')):
        look = table.cell(row, 1)._tc.get_or_add_tcPr()
        look.append(parse_xml(f'<w:shd {nsdecls("w")} w:val="clear" w:color="auto" {shade}/>'))
    if comments:
        document.add_comment(paragraph.runs, text="我的批注", author="某某")
    document.add_paragraph("注：以上。")
    document.save(str(folder / "written.docx"))
    return folder / "written.docx"


def root(data: bytes) -> Any:
    return etree.fromstring(parts(data)["word/document.xml"])


@pytest.mark.parametrize("comments", [True, False])
def test_marks_come_and_go(tmp_path: Path, comments: bool) -> None:
    path = written(tmp_path, comments=comments)
    places = ["table 1 row 1 col 2", "table 1 row 2 col 2", "table 1 row 2 col 3", "table 1 row 4 col 3"]
    findings = [*map(finding, places), remark("table 1 row 1 col 2"), finding("document")]
    copy = annotate(path, findings)

    assert {*places} == {*marked(copy, "x.docx")}
    assert changed(path, copy) <= OWN
    assert set() == differing(path, unmarked(copy, name="x.docx"))
    assert copy == annotate(copy, findings, name="x.docx")
    assert set() == differing(copy, annotate(annotate(path, [finding("table 1 row 1 col 1")]), findings, name="x.docx"))


def test_their_comments_stay(tmp_path: Path) -> None:
    copy = tmp_path / "copy.docx"
    annotate(written(tmp_path, comments=True), [finding("table 1 row 1 col 1")], to=copy)

    assert ["某某", AUTHOR] == [c.author for c in docx.Document(str(copy)).comments]
    assert ["某某"] == [c.author for c in _comments(unmarked(copy), tmp_path)]


def _comments(data: bytes, folder: Path) -> Any:
    (folder / "clean.docx").write_bytes(data)
    return docx.Document(str(folder / "clean.docx")).comments


def test_a_merged_cell_is_marked_once_wherever_it_is_named(tmp_path: Path) -> None:
    copy = annotate(written(tmp_path), [finding("table 1 row 3 col 1"), finding("table 1 row 4 col 2")])
    shades = [
        s for s in root(copy).iter(f"{W}shd") if s.getparent().tag == f"{W}tcPr" and s.get(f"{W}fill") == "FFC9CB"
    ]

    assert {
        "table 1 row 2 col 1", "table 1 row 3 col 1", "table 1 row 4 col 1", "table 1 row 4 col 2",
    } == {*marked(copy, "x.docx")}  # fmt: skip
    assert 2 == len([s for s in shades if "格" in "".join(s.getparent().getparent().itertext())])


def test_the_list_stands_on_a_page_of_its_own_with_the_count_first(tmp_path: Path) -> None:
    path, copy = written(tmp_path), tmp_path / "copy.docx"
    repeated = [finding(f"table 1 row {row} col 3") for row in (1, 2, 3)]
    annotate(path, [*repeated, remark("document")], to=copy)
    document = docx.Document(str(copy))
    texts = [p.text for p in document.paragraphs]
    lines = [[c.text for c in row.cells] for row in document.tables[-1].rows]

    assert texts[-4:-2] == [LIST_TITLE, "3处错误，1处提醒"]
    assert document.paragraphs[-4].paragraph_format.page_break_before
    assert list(HEADINGS) == lines[0]
    assert ["1", "错误", "第1个表格第3列第1–3行，共3处"] == lines[1][:3]
    assert ["2", "提醒", "文档"] == lines[2][:3]
    anchors = [a.get(f"{W}anchor") for a in root(copy.read_bytes()).iter(f"{W}hyperlink")]
    assert anchors[0] in [b.get(f"{W}name") for b in root(copy.read_bytes()).iter(f"{W}bookmarkStart")]


def test_the_list_is_not_read_and_what_is_written_after_it_is(tmp_path: Path) -> None:
    path, copy = written(tmp_path), tmp_path / "copy.docx"
    annotate(path, [finding("table 1 row 1 col 1")], to=copy)
    document = docx.Document(str(copy))
    document.add_paragraph("补充一句")
    document.save(str(copy))
    tables, found = word_tables(copy.read_bytes())

    assert ([], 1) == (found, len(tables))
    assert ("注：以上。", "补充一句") == tables[0].below
    assert "补充一句" in "".join(root(unmarked(copy)).itertext())


def test_marks_are_found_again_after_libreoffice(tmp_path: Path, office: Callable[..., list[Path]]) -> None:
    copy = tmp_path / "copy.docx"
    annotate(
        written(tmp_path, comments=True), [finding("table 1 row 1 col 2"), finding("table 1 row 2 col 3")], to=copy
    )
    (tmp_path / "again").mkdir()
    (saved,) = office([copy], "docx", tmp_path / "again")
    clean = unmarked(saved)
    text = "".join(root(clean).itertext())

    assert ["某某"] == [c.author for c in _comments(clean, tmp_path)]
    assert (1, False) == (len(word_tables(clean)[0]), AUTHOR in text)
    assert not {"FFC9CB"} & {s.get(f"{W}fill") for s in root(clean).iter(f"{W}shd")}
