"""The board as a file: every unit, not a page of them, as a workbook or as text that spreadsheets open."""

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any

from gmsafety.duties import BEIJING

from .schemas import About, Board, Cell
from .states import WORDS
from .tallies import Tally, rate
from .words import span

DEFINITIONS = (
    ("应报", "已到报送期的应报数；应报名单在截止后不再变动"),
    ("已报", "收到过的，含零报告，含已退回的"),
    ("按时", "首次收到不晚于截止时间，以回执所记收到时间为准"),
    ("报送率", "已报 ÷ 应报"),
    ("按时率", "按时 ÷（按时＋迟报＋未报）"),
    ("/", "没有可比的数（分母为0）"),
)
_FILLS = {
    "missing": "#F8D7DA", "late": "#FFE5CC", "returned": "#FBE0E3", "submitted": "#DCE9F9", "accepted": "#DDF1E2",
    "nil": "#E8ECF1", "due": "#FFF6DA",
}  # fmt: skip
_SUMS = ("应报", "已报", "报送率", "按时", "迟报", "未报", "按时率")


def cell_words(cell: Cell | None) -> str:
    """A cell in words: 已接受，迟23分钟."""
    if cell is None:
        return ""
    late = f"迟{span(cell['late_minutes'])}" if cell["late_minutes"] else ""
    if cell["state"] == "late":
        return late
    nil = "零报告" if cell["nil"] and cell["state"] != "nil" else ""
    return "，".join(part for part in (WORDS[cell["state"]], nil, late) if part)


def sums(tally: Tally) -> list[Any]:
    counts = [tally.expected, tally.received, rate(tally.completeness), tally.on_time, tally.late, tally.missing]
    return [*counts, rate(tally.timeliness)]


def _rows(board: Board) -> Iterator[list[Any]]:
    """The head, the units, and at the foot the sums of every period."""
    yield ["单位", "行政区划", *(p.title for p in board.periods), *_SUMS]
    for row in board.rows:
        yield [row.unit_name, row.area, *(cell_words(c) for c in row.cells), *sums(row.totals)]
    tallies = [p.totals for p in board.periods]
    yield ["应报", "", *(t.expected for t in tallies), *sums(board.totals)]
    yield ["已报", "", *(t.received for t in tallies)]
    yield ["报送率", "", *(rate(t.completeness) for t in tallies)]
    yield ["按时率", "", *(rate(t.timeliness) for t in tallies)]


def told(board: About) -> str:
    """Whose it is, and of which moment."""
    return f"{board.unit_name}　{board.now.astimezone(BEIJING):%Y-%m-%d %H:%M} 的情况"


def to_csv(board: Board) -> bytes:
    """Text in UTF-8 with a mark, so that spreadsheets show Chinese; nothing in it is taken for a formula."""
    return as_csv(_rows(board))


def as_csv(rows: Iterable[list[Any]]) -> bytes:
    """Rows as such text."""
    out = io.StringIO()
    writer = csv.writer(out)
    for row in rows:
        writer.writerow([_plain(v) for v in row])
    return b"\xef\xbb\xbf" + out.getvalue().encode("utf-8")


def _plain(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t\r" and value else value


def to_xlsx(board: Board) -> bytes:
    """A workbook with one sheet for the board and one that says what is counted."""
    import xlsxwriter  # noqa: PLC0415 - only for downloads

    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(out, options) as book:
        _write_board(book, board)
        write_definitions(book)
    return out.getvalue()


def write_definitions(book: Any) -> None:
    """A sheet that says what is counted."""
    sheet = book.add_worksheet("说明")
    sheet.set_column(0, 0, 12)
    sheet.set_column(1, 1, 60)
    for line, (name, meaning) in enumerate(DEFINITIONS):
        sheet.write_row(line, 0, [name, meaning])


def _write_board(book: Any, board: Board) -> None:
    edge = {"border": 1, "border_color": "#B8C0CC", "valign": "vcenter"}
    head = book.add_format({**edge, "bold": True, "align": "center", "text_wrap": True, "bg_color": "#EEF2F7"})
    name, plain = book.add_format(edge), book.add_format({**edge, "align": "center"})
    fills = {word: book.add_format({**edge, "align": "center", "bg_color": c}) for word, c in _FILLS.items()}
    sheet = book.add_worksheet("报送进度")
    sheet.write(0, 0, f"{board.title}　报送进度", book.add_format({"bold": True, "font_size": 14}))
    sheet.write(1, 0, told(board))
    header, *rows = _rows(board)
    sheet.write_row(2, 0, header, head)
    for line, values in enumerate(rows):
        row = board.rows[line] if line < len(board.rows) else None
        for column, value in enumerate(values):
            place = column - 2
            cell = row.cells[place] if row is not None and 0 <= place < len(row.cells) else None
            usual = head if row is None else name if column == 0 else plain
            sheet.write(3 + line, column, value, fills.get(cell["state"], plain) if cell else usual)
    sheet.set_column(0, 0, 26)
    sheet.set_column(1, 1, 11)
    sheet.set_column(2, 1 + len(board.periods), 14)
    sheet.freeze_panes(3, 1)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(2)
