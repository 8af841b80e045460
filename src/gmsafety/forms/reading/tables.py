"""The intermediate representation: a file's tables as rows of raw cells, before anything is known of forms."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

Row = list[Any]


@dataclass(frozen=True, slots=True)
class Stated:
    """A header field that stands in a cell beside the table: its label, what it says, the cell."""

    label: str
    value: Any
    where: str


@dataclass(frozen=True, slots=True)
class Table:
    """One table: a sheet, or a table of a Word file. Rows and columns are counted from 0 inside `rows`.

    `covered` maps a cell inside a vertical merge to the row of the merge's first cell. `above` and `below` are lines
    of text around a Word table. `joints` are the rows at which further Word tables were joined on, with their ordinals.
    `stated` are header fields that an export gives beside its rows.
    """

    rows: Callable[[], Iterator[Row]]
    sheet: str | None = None
    ordinal: int | None = None
    first_row: int = 1
    first_col: int = 1
    covered: dict[tuple[int, int], int] = field(default_factory=dict)
    above: tuple[str, ...] = ()
    below: tuple[str, ...] = ()
    hidden: bool = False
    inside: int | None = None
    in_textbox: bool = False
    joints: tuple[tuple[int, int], ...] = ()
    stated: tuple[Stated, ...] = ()

    def where(self, row: int, col: int) -> str:
        """The address of a cell as a user knows it."""
        if self.ordinal is not None:
            return f"{self.row_name(row)} col {col + self.first_col}"
        return f"{letters(col + self.first_col)}{row + self.first_row}"

    def row_name(self, row: int) -> str:
        """The address of a row of a Word table."""
        start, ordinal = next((j for j in reversed(self.joints) if j[0] <= row), (0, self.ordinal))
        return f"table {ordinal} row {row - start + (self.first_row if not start else 1)}"

    def column(self, col: int) -> str:
        """The name of a column: letters, or a number in Word."""
        return str(col + self.first_col) if self.ordinal is not None else letters(col + self.first_col)


def join(first: Table, *others: Table) -> Table:
    """Join Word tables that are one form cut into pieces."""
    lists = [list(t.rows()) for t in (first, *others)]
    covered, joints, start = dict(first.covered), [], len(lists[0])
    for table, rows in zip(others, lists[1:], strict=True):
        covered |= {(r + start, c): a + start for (r, c), a in table.covered.items()}
        joints.append((start, table.ordinal or 0))
        start += len(rows)
    every = [row for rows in lists for row in rows]
    return replace(first, rows=lambda: iter(every), covered=covered, joints=tuple(joints), below=others[-1].below)


@dataclass(frozen=True, slots=True)
class Formula:
    """A cell whose value is computed or an error: its address, the formula, whether a result is stored."""

    where: str
    sheet: str
    text: str
    has_value: bool
    is_external: bool
    error: str | None = None


def letters(number: int) -> str:
    """Name a spreadsheet column: 1 is A, 27 is AA."""
    name = ""
    while number:
        number, rest = divmod(number - 1, 26)
        name = chr(65 + rest) + name
    return name
