"""The register as a workbook, by XlsxWriter. Text is always written as text, never as a formula."""

from datetime import date
from pathlib import Path
from typing import Any

from ..provenance import Value
from .register import Register
from .sheets import Column, Names, Sheet, sheets

_OPTIONS = {"strings_to_numbers": False, "strings_to_formulas": False, "strings_to_urls": False}
_SPARE_ROWS = 500
_LONGEST_LIST = 255


def write_register(register: Register, to: Path) -> None:
    """Write the workbook; ValueError where a history is longer than a cell can hold."""
    import xlsxwriter  # noqa: PLC0415 - not needed to read

    with xlsxwriter.Workbook(str(to), _OPTIONS) as book:
        cell = {"text_wrap": True, "valign": "top", "border": 1}
        styles = {
            "head": book.add_format({**cell, "bold": True, "bg_color": "#DDEBF7"}),
            "cell": book.add_format(cell),
            "day": book.add_format({**cell, "num_format": "yyyy-mm-dd"}),
            "computed": book.add_format({**cell, "font_color": "#7F7F7F"}),
        }
        for sheet in sheets():
            _write_sheet(book.add_worksheet(sheet.title), sheet, getattr(register, sheet.field), register.names, styles)


def _write_sheet(page: Any, sheet: Sheet, entries: tuple[Value, ...], names: Names, styles: dict[str, Any]) -> None:
    for col, column in enumerate(sheet.columns):
        page.write_string(0, col, column.label, styles["head"])
        page.set_column(col, col, column.width)
        if column.kind.choices and len(",".join(column.kind.choices)) < _LONGEST_LIST:
            rule = {"validate": "list", "source": list(column.kind.choices), "error_type": "warning"}
            page.data_validation(1, col, len(entries) + _SPARE_ROWS, col, rule)
    page.freeze_panes(1, 1)
    page.autofilter(0, 0, max(1, len(entries)), len(sheet.columns) - 1)
    for row, entry in enumerate(entries, 1):
        for col, column in enumerate(sheet.columns):
            style = styles["computed" if column.show else "cell"]
            _write_cell(page, (row, col), shown(entry, column, names), style, styles["day"])


def shown(entry: Value, column: Column, names: Names) -> Any:
    """What stands in the cell of an entry; None for nothing."""
    if column.show:
        return column.show(entry, names)
    value: Any = entry
    for part in column.path.split("."):
        value = None if value is None else getattr(value, part)
    return None if value is None else column.kind.write(value)


def _write_cell(page: Any, at: tuple[int, int], value: Any, style: Any, day: Any) -> None:
    if value is None:
        page.write_blank(*at, None, style)
    elif isinstance(value, str):
        if page.write_string(*at, str(value), style):
            raise ValueError(f"第{at[0] + 1}行的内容过长，无法写入一格")
    elif isinstance(value, date) and value.year > 1900:
        page.write_datetime(*at, value, day)
    elif isinstance(value, date):
        page.write_string(*at, value.isoformat(), style)
    else:
        page.write_number(*at, value, style)
