"""Paper as a Word document, by python-docx."""

from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import Any

from docx import Document
from docx.enum.section import WD_ORIENT
from docx.enum.table import WD_CELL_VERTICAL_ALIGNMENT, WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_TAB_ALIGNMENT
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt

from ..types.dates import chinese_date
from .guide import Advice
from .head import HeadCell
from .paper import BODY_FONT, HEAD_FONT, LINE_FONT, MARGINS, NOTE_AUTHOR, TITLE_FONT, Paper, is_day
from .wordparts import name_fonts, put_stamp

_A4 = (210, 297)
_A3 = (297, 420)
_CELL_MARGIN = "40"


def write_wordfile(paper: Paper, to: Path) -> None:
    """Write the document."""
    document = Document()
    document.styles["Normal"].element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), BODY_FONT)
    width = _page(document, paper)
    if paper.layout.annex:
        _paragraph(document, paper.layout.annex, HEAD_FONT, 16)
    for line in paper.title:
        _paragraph(document, line, TITLE_FONT, 20, WD_ALIGN_PARAGRAPH.CENTER)
    if paper.header:
        _header_line(document, paper, width)
    _table(document, paper, width)
    for note in paper.notes:
        _paragraph(document, note, BODY_FONT, min(paper.layout.font_size, 12))
    for line in paper.signatures:
        _paragraph(document, line, LINE_FONT, 12).paragraph_format.space_before = Pt(10)
    if paper.guide:
        _guide(document, paper.guide)
    name_fonts(document)
    if paper.stamp:
        put_stamp(document, paper.stamp)
    document.save(str(to))


def _guide(document: Any, lines: tuple[Advice, ...]) -> None:
    """The guide on pages of its own."""
    for number, line in enumerate(lines):
        if line.says:
            _paragraph(document, f"{line.about}：{line.says}", BODY_FONT, 12)
        else:
            heading = _paragraph(document, line.about, HEAD_FONT, 16 if not number else 12)
            heading.paragraph_format.page_break_before = not number


def _page(document: Any, paper: Paper) -> float:
    """Set size and margins; return the width of the text in millimetres."""
    section = document.sections[0]
    short, long = _A4 if paper.layout.size == "A4" else _A3
    if paper.layout.orientation == "landscape":
        section.orientation = WD_ORIENT.LANDSCAPE
        width, height = long, short
    else:
        width, height = short, long
    margins = MARGINS[paper.layout.orientation]
    section.page_width, section.page_height = Mm(width), Mm(height)
    section.top_margin, section.bottom_margin, section.left_margin, section.right_margin = (Mm(m) for m in margins)
    _page_number(section.footer.paragraphs[0])
    return float(width - margins[2] - margins[3])


def _page_number(paragraph: Any) -> None:
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _run(paragraph, "— ", BODY_FONT, 14)
    run = _run(paragraph, "", BODY_FONT, 14)
    for kind, text in (("begin", None), (None, "PAGE"), ("end", None)):
        node = OxmlElement("w:fldChar" if kind else "w:instrText")
        if kind:
            node.set(qn("w:fldCharType"), kind)
        else:
            node.text = text
        run._r.append(node)
    _run(paragraph, " —", BODY_FONT, 14)


def _paragraph(document: Any, text: str, font: str, size: float, align: Any = WD_ALIGN_PARAGRAPH.LEFT) -> Any:
    paragraph = document.add_paragraph()
    paragraph.alignment = align
    paragraph.paragraph_format.space_after = Pt(4)
    _run(paragraph, text, font, size)
    return paragraph


def _header_line(document: Any, paper: Paper, width: float) -> None:
    text = "\t".join(f"{label}：{value}" for label, value in paper.header)
    size = min(12.0, width / paper.header_length / 25.4 * 72)
    paragraph = _paragraph(document, text, LINE_FONT, int(size * 2) / 2)
    stops, gaps = paragraph.paragraph_format.tab_stops, max(1, len(paper.header) - 1)
    for gap in range(1, gaps):
        stops.add_tab_stop(Mm(width * gap / gaps), WD_TAB_ALIGNMENT.CENTER)
    stops.add_tab_stop(Mm(width), WD_TAB_ALIGNMENT.RIGHT)


def _run(paragraph: Any, text: str, font: str, size: float) -> Any:
    run = paragraph.add_run(text)
    run.font.name = font
    run._r.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), font)
    run.font.size = Pt(size)
    return run


def _table(document: Any, paper: Paper, width: float) -> None:
    head_cells = paper.cells_of_head
    last = max(c.bottom for c in head_cells)
    table = document.add_table(rows=last + 1, cols=len(paper.headings), style="Table Grid")
    table.alignment = WD_TABLE_ALIGNMENT.CENTER
    table.autofit = False
    _narrow_margins(table)
    unit = width / sum(paper.widths)
    widths = [Mm(w * unit) for w in paper.widths]
    for column, size in zip(table.columns, widths, strict=True):
        column.width = size
    _head(table, head_cells, paper.layout.font_size, widths)
    rows = paper.rows if paper.totals is None else chain(paper.rows, [list(paper.totals)])
    below = {(row, col) for col, first, last in paper.spans for row in range(first + 1, last + 1)}
    tops = {(first, col) for col, first, _ in paper.spans}
    for number, cells in enumerate(rows):
        row = table.add_row()
        _mark(row, "w:cantSplit")
        targets = row.cells
        for col, (cell, value, centred) in enumerate(zip(targets, cells, paper.centred, strict=True)):
            text = "" if (number, col) in below else _text(value)
            _fill(cell, text, BODY_FONT, paper.layout.font_size, centred=centred)
            if (number, col) in paper.comments:
                runs = cell.paragraphs[0].runs
                document.add_comment(runs, paper.comments[number, col], author=NOTE_AUTHOR, initials="上")
            if (number, col) in below or (number, col) in tops:
                cell._tc.vMerge = "restart" if (number, col) in tops else "continue"
        _sizes(targets, widths)


def _narrow_margins(table: Any) -> None:
    """Leave less white beside the text than Word does, so that 序号 fits into its column."""
    margins = OxmlElement("w:tblCellMar")
    for side in ("w:left", "w:right"):
        margin = OxmlElement(side)
        margin.set(qn("w:w"), _CELL_MARGIN)
        margin.set(qn("w:type"), "dxa")
        margins.append(margin)
    properties = table._tbl.tblPr
    look = properties.find(qn("w:tblLook"))
    properties.append(margins) if look is None else look.addprevious(margins)


def _head(table: Any, cells: tuple[HeadCell, ...], size: float, widths: list[Any]) -> None:
    """Write the head of the table, which stands on every page."""
    rows = [(row, row.cells) for row in table.rows]
    for row, targets in rows:
        _mark(row, "w:tblHeader")
        _sizes(targets, widths)
    for cell in cells:
        target = rows[cell.top][1][cell.left]
        if not cell.is_single:
            target = target.merge(rows[cell.bottom][1][cell.right])
        _fill(target, cell.text, HEAD_FONT, size, centred=True)


def _sizes(cells: Iterable[Any], widths: list[Any]) -> None:
    for cell, width in zip(cells, widths, strict=True):
        cell.width = width


def _mark(row: Any, tag: str) -> None:
    """Mark a row: repeated on every page, or never split."""
    row._tr.get_or_add_trPr().append(OxmlElement(tag))


def _fill(cell: Any, text: str, font: str, size: float, *, centred: bool) -> None:
    cell.vertical_alignment = WD_CELL_VERTICAL_ALIGNMENT.CENTER
    paragraph = cell.paragraphs[0]
    for number, line in enumerate(text.split("\n")):
        if number:
            paragraph = cell.add_paragraph()
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER if centred else WD_ALIGN_PARAGRAPH.LEFT
        paragraph.paragraph_format.space_before = Pt(3 if number == 0 else 0)
        paragraph.paragraph_format.space_after = Pt(3)
        _run(paragraph, line, font, size)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return chinese_date(value) if is_day(value) else str(value)
