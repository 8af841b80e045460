"""Paper as an Excel workbook, by XlsxWriter. Text is always written as text, never as a formula."""

from itertools import chain
from pathlib import Path
from typing import Any

import xlsxwriter

from ..stamp import DEFINED_NAME, Stamp
from .guide import Advice
from .paper import BODY_FONT, HEAD_FONT, LINE_FONT, MARGINS, NOTE_AUTHOR, TITLE_FONT, Paper

_LONGEST = 32767
_MANY_ROWS = 20_000
_OPTIONS = {"strings_to_numbers": False, "strings_to_formulas": False, "strings_to_urls": False}
_MM = 25.4
_GUIDE = "填表说明"
_GUIDE_WIDTHS = (24, 64)
_ALLOWED = dict.fromkeys(("format_cells", "format_columns", "format_rows", "objects", "scenarios", "sort"), True)
_NOTE_WIDTH = 360
_NOTE_LOOK = {"author": NOTE_AUTHOR, "color": "#D9D9D9", "font_name": BODY_FONT, "font_size": 10, "width": _NOTE_WIDTH}


def write_workbook(paper: Paper, to: Path) -> None:
    """Write the workbook; ValueError where a text is longer than a cell can hold."""
    is_long = paper.count > _MANY_ROWS
    with xlsxwriter.Workbook(str(to), {**_OPTIONS, "constant_memory": is_long, "in_memory": not is_long}) as book:
        _Sheet(book, paper).write()
        if paper.guide:
            _write_guide(book, paper.guide)
        if paper.stamp:
            _stamp(book, paper.stamp)


def _stamp(book: Any, stamp: Stamp) -> None:
    """Carry the stamp twice: in custom properties, and in a hidden name."""
    for name, text in stamp.properties.items():
        book.set_custom_property(name, text, "text")
    book.define_name(DEFINED_NAME, f'="{stamp.line}"')
    book.defined_names[-1][-1] = True  # hidden: no method of XlsxWriter's says so


def _write_guide(book: Any, lines: tuple[Advice, ...]) -> None:
    """The guide on a sheet of its own, locked like the labels of the form."""
    sheet = book.add_worksheet(_GUIDE)
    body = {"font_name": BODY_FONT, "font_size": 12, "text_wrap": True, "valign": "top"}
    title = book.add_format({"font_name": HEAD_FONT, "font_size": 16})
    heading = book.add_format({"font_name": HEAD_FONT, "font_size": 12})
    about, says = book.add_format({**body, "border": 1}), book.add_format({**body, "border": 1})
    sheet.set_column(0, 0, _GUIDE_WIDTHS[0])
    sheet.set_column(1, 1, _GUIDE_WIDTHS[1])
    for row, line in enumerate(lines):
        if not line.says:
            sheet.write_string(row, 0, line.about, heading if row else title)
            sheet.set_row(row, 24)
            continue
        sheet.write_string(row, 0, line.about, about)
        sheet.write_string(row, 1, line.says, says)
        room = (int(w / 2.3) for w in _GUIDE_WIDTHS)
        most = max(-(-len(text) // each) for text, each in zip((line.about, line.says), room, strict=True))
        sheet.set_row(row, most * 17 + 4)
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.set_footer("&C— &P —")
    sheet.protect("", {**_ALLOWED, "insert_rows": False, "delete_rows": False})


class _Sheet:
    """One sheet under the pen."""

    def __init__(self, book: Any, paper: Paper) -> None:
        self.paper = paper
        self.sheet = book.add_worksheet(paper.layout.sheet)
        self.last = len(paper.widths) - 1
        self.kept: dict[tuple[int, int], Any] = {}
        size = paper.layout.font_size
        wrapped = {"text_wrap": True, "valign": "vcenter", "border": 1, "font_name": BODY_FONT, "font_size": size}
        self.annex = book.add_format({"font_name": HEAD_FONT, "font_size": 16})
        self.title = book.add_format(
            {"font_name": TITLE_FONT, "font_size": 20, "align": "center", "valign": "vcenter", "text_wrap": True}
        )
        filled = {"font_name": LINE_FONT, "font_size": 12, "valign": "vcenter", "shrink": True, "locked": False}
        self.line = book.add_format(filled)
        self.head = book.add_format({**wrapped, "font_name": HEAD_FONT, "align": "center"})
        day = {"align": "center", "num_format": 'yyyy"年"m"月"d"日"'}
        opened = paper.opened or (True,) * len(paper.widths)
        looks = {
            (centred, open_): book.add_format(
                {**wrapped, "locked": not open_} | ({"align": "center"} if centred else {})
            )
            for centred, open_ in set(zip(paper.centred, opened, strict=True))
        }
        self.styles = [looks[look] for look in zip(paper.centred, opened, strict=True)]
        self.day = book.add_format({**wrapped, **day, "locked": False})
        self.note = book.add_format(
            {"font_name": BODY_FONT, "font_size": min(size, 12), "text_wrap": True, "valign": "top"}
        )

    def write(self) -> None:
        """Write everything, top to bottom."""
        self._page()
        row = self._above()
        first = self._head(row)
        self.sheet.repeat_rows(row, first - 1)
        self.sheet.freeze_panes(first, 0)
        row = self._rows(first)
        for col, top, bottom in self.paper.spans:
            self._merge(first + top, first + bottom, col)
        for note in self.paper.notes:
            self._note(row, note)
            row += 1
        for line in self.paper.signatures:
            self._span(row, 0, self.last, line, self.line)
            self.sheet.set_row(row, 30)
            row += 1
        for (at, col), text in self.paper.comments.items():
            lines = self.paper.lines(text, _NOTE_WIDTH / 7)
            self.sheet.write_comment(first + at, col, text, {**_NOTE_LOOK, "height": lines * 18 + 24})
        self._lists(first, row)
        if self.paper.opened:
            grows = self.paper.grows
            self.sheet.protect("", {**_ALLOWED, "insert_rows": grows, "delete_rows": grows})
        self.sheet.print_area(0, 0, row - 1, self.last)

    def _page(self) -> None:
        self.sheet.set_paper(9 if self.paper.layout.size == "A4" else 8)
        if self.paper.layout.orientation == "landscape":
            self.sheet.set_landscape()
        top, bottom, left, right = (millimetres / _MM for millimetres in MARGINS[self.paper.layout.orientation])
        self.sheet.set_margins(left=left, right=right, top=top, bottom=bottom)
        self.sheet.fit_to_pages(1, 0)
        self.sheet.center_horizontally()
        self.sheet.set_footer("&C— &P —")
        for col, width in enumerate(self.paper.widths):
            self.sheet.set_column(col, col, width)

    def _above(self) -> int:
        row = 0
        if self.paper.layout.annex:
            self.sheet.merge_range(0, 0, 0, self.last, self.paper.layout.annex, self.annex)
            self.sheet.set_row(0, 24)
            row = 1
        self.sheet.merge_range(row, 0, row, self.last, "\n".join(self.paper.title), self.title)
        self.sheet.set_row(row, 32 * len(self.paper.title) + 6)
        if not self.paper.header:
            return row + 1
        self._span(row + 1, 0, self.last, self.paper.header_line, self.line)
        self.sheet.set_row(row + 1, 24)
        return row + 2

    def _head(self, row: int) -> int:
        """Write the head of the table; return the row below it."""
        cells, line = self.paper.cells_of_head, self.paper.layout.font_size * 1.4
        last = max(c.bottom for c in cells)
        for cell in cells:
            if not cell.is_single:
                self.sheet.merge_range(row + cell.top, cell.left, row + cell.bottom, cell.right, "", self.head)
            self.sheet.write_string(row + cell.top, cell.left, cell.text, self.head)
        for level in range(last + 1):
            of_this = [c for c in cells if c.top == c.bottom == level]
            lines = max(
                (self.paper.lines(c.text, sum(self.paper.widths[c.left : c.right + 1])) for c in of_this), default=1
            )
            self.sheet.set_row(row + level, max(24, lines * line + 6))
        return row + last + 1

    def _merge(self, top: int, bottom: int, col: int) -> None:
        """Make one cell of several that say the same; the first keeps the text."""
        style = self.styles[col]
        value = self.kept[top, col]
        self.sheet.merge_range(top, col, bottom, col, "", style)
        if isinstance(value, str):
            self.sheet.write_string(top, col, value, style)
        else:
            self.sheet.write_number(top, col, value, style)

    def _span(self, row: int, left: int, right: int, text: str, style: Any) -> None:
        if right > left:
            self.sheet.merge_range(row, left, row, right, "", style)
        self.sheet.write_string(row, left, text, style)

    def _rows(self, row: int) -> int:
        sheet, heights = self.sheet, _Heights(self.paper)
        styles = self.styles
        string, number, blank, day, set_row = (
            sheet.write_string,
            sheet.write_number,
            sheet.write_blank,
            sheet.write_datetime,
            sheet.set_row,
        )
        spanned = {col for col, _, _ in self.paper.spans}
        rows = self.paper.rows if self.paper.totals is None else chain(self.paper.rows, [list(self.paper.totals)])
        for cells in rows:
            set_row(row, heights.of(cells))
            for col in spanned:
                self.kept[row, col] = cells[col]
            for col, value in enumerate(cells):
                if value is None or value == "":
                    blank(row, col, None, styles[col])
                elif isinstance(value, str):
                    if string(row, col, value, styles[col]):
                        raise ValueError(f"第{row + 1}行“{self.paper.headings[col]}”超过{_LONGEST}字，无法写入一格")
                elif isinstance(value, (int, float)):
                    number(row, col, value, styles[col])
                else:
                    day(row, col, value, self.day)
            row += 1
        return row

    def _note(self, row: int, note: str) -> None:
        self._span(row, 0, self.last, note, self.note)
        self.sheet.set_row(
            row, self.paper.lines(note, sum(self.paper.widths)) * min(self.paper.layout.font_size, 12) * 1.4 + 6
        )

    def _lists(self, first: int, after: int) -> None:
        for col, choices in enumerate(self.paper.choices):
            if choices:
                last = max(after + 200, first)
                rule = {
                    "validate": "list",
                    "source": list(choices),
                    "error_type": "warning",
                    "error_message": "请从规定的几项中选填",
                }
                self.sheet.data_validation(first, col, last, col, rule)


class _Heights:
    """Row heights that grow with the text; a text measured once is not measured again."""

    def __init__(self, paper: Paper) -> None:
        size = paper.layout.font_size
        self.line, self.least, self.most = size * 1.4, size * 2, 409.0
        spanned = {col for col, _, _ in paper.spans}
        self.rooms = [(col, paper.room(width)) for col, width in enumerate(paper.widths) if col not in spanned]
        self.paper = paper
        self.seen: dict[tuple[str, int], int] = {}

    def of(self, cells: list[Any]) -> float:
        """The height of a row in points."""
        most = 1
        for col, room in self.rooms:
            value = cells[col]
            if isinstance(value, str) and (len(value) > room or "\n" in value):
                most = max(most, self._lines(value, col))
        return min(max(self.least, most * self.line + 6), self.most)

    def _lines(self, value: str, col: int) -> int:
        key = (value, col)
        if key not in self.seen:
            if len(self.seen) > 50_000:
                self.seen.clear()
            self.seen[key] = self.paper.lines(value, self.paper.widths[col])
        return self.seen[key]
