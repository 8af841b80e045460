"""A ledger longer than any sample: the sample's own rows again and again, every enterprise with a number of its own."""

import re
from datetime import datetime
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import openpyxl
import xlsxwriter

_NUMBER = re.compile(r"\d{6}")


def renamed(enterprise: str, number: int) -> str:
    """Give an enterprise of the sample (城区示范一第000001号铸造有限公司) another number."""
    return _NUMBER.sub(f"{number:06d}", enterprise, count=1)


def make_ledger(sample: Path, count: int, to: Path) -> None:
    """Write the sample with `count` rows instead of its own; head, notes, texts and day cells stay as they are."""
    cells = all_cells(sample)
    numbered = [n for n, row in enumerate(cells) if isinstance(row[0], int)]
    first, after = numbered[0], numbered[-1] + 1
    rows = islice(cycle(cells[first:after]), count)
    body = ([number, renamed(row[1], number), *row[2:]] for number, row in enumerate(rows, 1))
    with xlsxwriter.Workbook(to, {"default_date_format": "yyyy-mm-dd"}) as book:
        sheet = book.add_worksheet("台账")
        for number, row in enumerate([*cells[:first], *body, *cells[after:]]):
            for col, value in enumerate(row):
                if isinstance(value, datetime):
                    sheet.write_datetime(number, col, value)
                elif value is not None:
                    sheet.write(number, col, value)


def all_cells(path: Path) -> list[tuple[Any, ...]]:
    """Return the cells of a workbook's first sheet as openpyxl reads them."""
    book = openpyxl.load_workbook(path, read_only=True)
    try:
        return list(book.worksheets[0].iter_rows(values_only=True))
    finally:
        book.close()
