"""The list of units as a file: all that are listed, not a page of them."""

import io
from collections.abc import Iterator
from typing import Any

from .exports import as_csv, told, write_definitions
from .schemas import UnitList
from .tallies import Tally, rate

_HEAD = (
    "应报", "已报", "报送率", "按时", "迟报", "零报告", "待报", "未报", "退回", "待审", "已接受", "按时率",
)  # fmt: skip


def _numbers(t: Tally) -> list[Any]:
    received = [t.expected, t.received, rate(t.completeness), t.on_time, t.late, t.nil]
    return [*received, t.due, t.missing, t.returned, t.submitted, t.accepted, rate(t.timeliness)]


def _rows(made: UnitList) -> Iterator[list[Any]]:
    """The head, the units, the sums."""
    yield ["单位", "行政区划", *_HEAD]
    yield from ([r.unit_name, r.area, *_numbers(r.totals)] for r in made.rows)
    yield ["合计", "", *_numbers(made.totals)]


def to_csv(made: UnitList) -> bytes:
    """Text that spreadsheets open."""
    return as_csv(_rows(made))


def to_xlsx(made: UnitList) -> bytes:
    """A workbook with one sheet for the list and one that says what is counted."""
    import xlsxwriter  # noqa: PLC0415 - only for downloads

    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(out, options) as book:
        _write_list(book, made)
        write_definitions(book)
    return out.getvalue()


def _write_list(book: Any, made: UnitList) -> None:
    edge = {"border": 1, "border_color": "#B8C0CC", "valign": "vcenter"}
    head = book.add_format({**edge, "bold": True, "align": "center", "text_wrap": True, "bg_color": "#EEF2F7"})
    name, plain = book.add_format(edge), book.add_format({**edge, "align": "center"})
    sheet = book.add_worksheet("各单位报送情况")
    sheet.write(0, 0, f"{made.title}　各单位报送情况", book.add_format({"bold": True, "font_size": 14}))
    sheet.write(1, 0, told(made))
    for line, (unit, *numbers) in enumerate(_rows(made), start=2):
        is_edge = line in (2, 3 + len(made.rows))
        sheet.write(line, 0, unit, head if is_edge else name)
        sheet.write_row(line, 1, numbers, head if is_edge else plain)
    sheet.set_column(0, 0, 26)
    sheet.set_column(1, 1, 11)
    sheet.freeze_panes(3, 1)
    sheet.autofilter(2, 0, 2 + len(made.rows), 1 + len(_HEAD))
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(2)
