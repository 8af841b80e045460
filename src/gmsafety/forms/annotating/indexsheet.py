"""Our sheet in an annotated workbook: a count, one line for each mistake with a link to its cell, and what we did."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from ...findings import Finding
from ..marks import HEADINGS, MEMORY
from .listing import Line, counted
from .sheetxml import coordinates
from .styles import MAIN

_WIDTHS = (6, 8, 36, 18, 28, 46, 34, 11)
_TOLD = "有问题的单元格已涂色并加批注，点“位置”可跳到该格。改好后直接报送本文件即可：本页、颜色和批注不计入填报内容。"
_MEMORY_COLUMN = "J"
_LONGEST = 30_000
_HEADING_ROW = 5
_TITLE_HEIGHT = ' ht="26" customHeight="1"'


def sheet_xml(
    findings: Sequence[Finding], lines: Iterable[Line], looks: Mapping[str, int], memory: Mapping[str, Any]
) -> bytes:
    """The sheet as XML; `memory` is kept in a hidden column, and given back by `remembered`."""
    rows = [
        [("A", "核对结果", looks["title"])],
        [("A", counted(findings), looks["strong"])],
        [("A", _TOLD, looks["plain"])],
        [],
        [(chr(65 + n), text, looks["head"]) for n, text in enumerate(HEADINGS)],
    ]
    links = []
    for number, line in enumerate(lines, _HEADING_ROW + 1):
        row = [(chr(65 + n), text, looks["cell"]) for n, text in enumerate(line.cells())]
        row[1] = ("B", row[1][1], looks[line.first.severity.value])
        place = line.first.place
        if place.sheet and not place.file and coordinates(place.where):
            row[2] = ("C", row[2][1], looks["link"])
            links.append((f"C{number}", place.sheet, place.where))
        rows.append(row)
    for number, piece in enumerate(_pieces(memory)):
        while len(rows) <= number:
            rows.append([])
        rows[number].append((_MEMORY_COLUMN, piece, looks["plain"]))
    return _written(rows, links, len(rows)).encode()


def _pieces(memory: Mapping[str, Any]) -> list[str]:
    text = json.dumps(memory, ensure_ascii=True, separators=(",", ":"), sort_keys=True)
    return [f"{MEMORY}{text[i : i + _LONGEST]}" for i in range(0, len(text), _LONGEST)]


def remembered(cells: Iterable[str]) -> dict[str, Any] | None:
    """What was kept, from the texts of the sheet in their order; None where it is not whole any more."""
    text = "".join(c.removeprefix(MEMORY) for c in cells if c.startswith(MEMORY))
    try:
        told = json.loads(text)
    except ValueError:
        return None
    return told if isinstance(told, dict) and {"sheets", "styles"} <= told.keys() else None


def _written(rows: list[list[tuple[str, str, int]]], links: list[tuple[str, str, str]], last: int) -> str:
    cols = "".join(f'<col min="{n}" max="{n}" width="{w}" customWidth="1"/>' for n, w in enumerate(_WIDTHS, 1))
    hidden = ord(_MEMORY_COLUMN) - 64
    cols += f'<col min="{hidden}" max="{hidden}" width="9" hidden="1" customWidth="1"/>'
    body = "".join(_row(number, cells) for number, cells in enumerate(rows, 1) if cells)
    told = "".join(_link(*link) for link in links)
    return (
        f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<worksheet xmlns="{MAIN}">'
        '<sheetPr><tabColor rgb="FFE05A5A"/><pageSetUpPr fitToPage="1"/></sheetPr>'
        f'<dimension ref="A1:{_MEMORY_COLUMN}{last}"/><sheetViews><sheetView workbookViewId="0">'
        f'<pane ySplit="{_HEADING_ROW}" topLeftCell="A{_HEADING_ROW + 1}" activePane="bottomLeft" state="frozen"/>'
        f'</sheetView></sheetViews><sheetFormatPr defaultRowHeight="14.25"/><cols>{cols}</cols>'
        f"<sheetData>{body}</sheetData>{f'<hyperlinks>{told}</hyperlinks>' if told else ''}"
        '<pageMargins left="0.5" right="0.5" top="0.6" bottom="0.6" header="0.3" footer="0.3"/>'
        '<pageSetup paperSize="9" orientation="landscape" fitToHeight="0"/></worksheet>'
    )


def _row(number: int, cells: list[tuple[str, str, int]]) -> str:
    told = (_cell(f"{letter}{number}", text, style) for letter, text, style in cells)
    height = _TITLE_HEIGHT if number == 1 else _height(cells)
    return f'<row r="{number}"{height}>{"".join(told)}</row>'


def _cell(address: str, text: str, style: int) -> str:
    if text.isdecimal():
        return f'<c r="{address}" s="{style}"><v>{text}</v></c>'
    return f'<c r="{address}" s="{style}" t="inlineStr"><is><t xml:space="preserve">{_spelled(text)}</t></is></c>'


def _height(cells: list[tuple[str, str, int]]) -> str:
    """Rows of the list as high as their longest text needs; Excel does not reckon it for a file it did not write."""
    if len(cells) < len(HEADINGS):
        return ""
    lines = max(-(-2 * len(text) // max(width - 2, 1)) for (_, text, _), width in zip(cells, _WIDTHS, strict=False))
    return f' ht="{max(lines, 1) * 13 + 4}" customHeight="1"' if lines > 1 else ""


def _spelled(text: str) -> str:
    """Text for a cell: what looks like an escape of a spreadsheet stays as it is written."""
    return escape(text.replace("_x", "_x005F_x"))


def _link(ref: str, sheet: str, where: str) -> str:
    quoted = sheet.replace("'", "''")
    return f"<hyperlink ref={quoteattr(ref)} location={quoteattr(f'{chr(39)}{quoted}{chr(39)}!{where}')}/>"
