"""Our list at the end of an annotated Word file: a count, and a table with a line for each mistake."""

from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from ...findings import Finding, Place
from ..marks import HEADINGS, LIST_TITLE, LIST_TOLD
from .listing import Line, counted
from .package import parse
from .styles import FILLS

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_WIDTHS = (500, 700, 1500, 1100, 1500, 2200, 1700, 900)
_BORDERS = "".join(
    f'<w:{side} w:val="single" w:sz="4" w:space="0" w:color="BFBFBF"/>'
    for side in ("top", "left", "bottom", "right", "insideH", "insideV")
)
_FONT = '<w:rFonts w:ascii="宋体" w:hAnsi="宋体" w:eastAsia="宋体"/>'


def elements(text: str) -> list[Any]:
    """Elements of a Word file from their text."""
    return list(parse(f'<x xmlns:w="{W}">{text}</x>'.encode()))


def element(text: str) -> Any:
    """The same, of one."""
    return elements(text)[0]


def list_elements(findings: Sequence[Finding], lines: Sequence[Line], bookmarks: Mapping[Place, str]) -> list[Any]:
    """The list, beginning on a page of its own; it is known again by its words."""
    title = _paragraph(LIST_TITLE, size=32, bold=True, before="<w:pageBreakBefore/>")
    words = _paragraph(counted(findings), bold=True) + _paragraph(LIST_TOLD)
    return elements(f"{title}{words}{_table(lines, bookmarks) if lines else ''}{_paragraph('')}")


def _table(lines: Sequence[Line], bookmarks: Mapping[Place, str]) -> str:
    grid = "".join(f'<w:gridCol w:w="{w}"/>' for w in _WIDTHS)
    look = f'<w:tblPr><w:tblW w:w="5000" w:type="pct"/><w:tblBorders>{_BORDERS}</w:tblBorders></w:tblPr>'
    head = "".join(_cell(text, width, bold=True) for text, width in zip(HEADINGS, _WIDTHS, strict=True))
    rows = [f"<w:tr><w:trPr><w:tblHeader/></w:trPr>{head}</w:tr>", *(_row(line, bookmarks) for line in lines)]
    return f"<w:tbl>{look}<w:tblGrid>{grid}</w:tblGrid>{''.join(rows)}</w:tbl>"


def _row(line: Line, bookmarks: Mapping[Place, str]) -> str:
    cells = []
    for number, (text, width) in enumerate(zip(line.cells(), _WIDTHS, strict=True)):
        fill = FILLS[line.first.severity.value][2:] if number == 1 else ""
        cells.append(_cell(text, width, fill=fill, link=bookmarks.get(line.first.place, "") if number == 2 else ""))
    return f"<w:tr><w:trPr><w:cantSplit/></w:trPr>{''.join(cells)}</w:tr>"


def _cell(text: str, width: int, *, bold: bool = False, fill: str = "", link: str = "") -> str:
    shade = f'<w:shd w:val="clear" w:color="auto" w:fill="{fill}"/>' if fill else ""
    look = f'<w:tcPr><w:tcW w:w="{width}" w:type="dxa"/>{shade}</w:tcPr>'
    return f"<w:tc>{look}{_paragraph(text, bold=bold, link=link, size=18)}</w:tc>"


def _paragraph(text: str, *, size: int = 21, bold: bool = False, before: str = "", link: str = "") -> str:
    weight = "<w:b/>" if bold else ""
    colour = '<w:color w:val="0563C1"/>' if link else ""
    line = '<w:u w:val="single"/>' if link else ""
    look = f'<w:rPr>{_FONT}{weight}{colour}<w:sz w:val="{size}"/>{line}</w:rPr>'
    run = f'<w:r>{look}<w:t xml:space="preserve">{escape(text)}</w:t></w:r>' if text else ""
    run = f"<w:hyperlink w:anchor={quoteattr(link)}>{run}</w:hyperlink>" if link else run
    return f'<w:p><w:pPr>{before}<w:spacing w:before="0" w:after="0"/><w:ind w:firstLine="0"/></w:pPr>{run}</w:p>'
