"""What goes where in a copy of a form: cells of its table by row and column, and rows to be put in."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from ..reading.grid import read_grid
from ..reading.identify import Match, map_columns
from ..reading.printed_rows import PrintedRows
from ..reading.sums import is_sum, is_units
from ..reading.tables import Row
from ..record import Record
from ..types import fold, is_blank
from ..types.dates import ANY, chinese_date
from ..types.text import is_dots
from ..writing.paper import is_day, lay_out

_MOST = 200_000
_ROOM = " _＿年月日\t\u3000\n/"
_COUNTED = re.compile(r"[(（]?(?:\d{1,2}|[甲乙丙丁A-Z])[)）]?")


@dataclass
class Plan:
    """Values by row and column, counted from 0 in the table as it is; None empties a cell.

    Rows after `model` are pushed down by `more` copies of it, which are put in before it, or after where it is no row
    of the table's body; addresses count with them already.
    """

    cells: dict[tuple[int, int], Any] = field(default_factory=dict)
    model: int = 0
    more: int = 0
    before: bool = True

    @property
    def at(self) -> int:
        """The row before which copies are put in."""
        return self.model if self.before else self.model + 1


def planned(record: Record, match: Match, has_cells: Callable[[int, Iterable[int]], bool]) -> Plan:
    """Plan how a record goes into a table; `has_cells` says whether a row has cells in some columns."""
    columns = map_columns(match.form, match.titles).index
    rows = list(islice(match.table.rows(), _MOST))
    if record.form.clauses:
        return _clauses(record, match, columns, rows)
    if record.form.fixed and not record.nil:
        return _fixed(record, match, columns)
    return _open(record, match, _Body(match, columns, rows, has_cells))


def _clauses(record: Record, match: Match, columns: dict[str, int], rows: list[Row]) -> Plan:
    plan, form = Plan(), record.form
    text_col = columns.get("text", (match.label_col or 0) + 1)
    remark_col = columns.get("remark")
    labelled = {line for lines in match.labels.values() for line in lines}
    for clause, cells in zip(form.clauses, lay_out(form, record).rows, strict=True):
        if clause.id not in match.labels:
            continue
        line = match.labels[clause.id][0]
        plan.cells[line, text_col] = cells[2]
        for below in range(line + 1, len(rows)):  # a sentence that was spread over several rows
            if below in labelled or any(c not in ("", None) for c in rows[below][:text_col]):
                break
            if text_col < len(rows[below]) and rows[below][text_col] not in ("", None):
                plan.cells[below, text_col] = None
        if remark_col is not None and remark_col != text_col:
            stands = rows[line][remark_col] if remark_col < len(rows[line]) else ""
            if fold(stands) != fold(cells[3] or ""):
                plan.cells[line, remark_col] = cells[3]
    return plan


def _fixed(record: Record, match: Match, columns: dict[str, int]) -> Plan:
    """Answers beside printed rows, each in the row that says the same."""
    plan, form = Plan(), record.form
    printed = PrintedRows(form)
    grid = read_grid(match, map_columns(form, match.titles), ANY)
    lines = [line - match.table.first_row for line in grid.lines]
    places = _places(printed, grid.rows.columns.get(printed.column, []))
    wanted = _places(printed, record.rows.columns.get(printed.column, []))
    shown = list(lay_out(form, record).rows)
    for known, index in wanted.items():
        for position, column in enumerate(form.columns):
            if known in places and column.id in columns and column.id not in form.fixed:
                value = _value(column.type, shown[index][position])
                plan.cells[lines[places[known]], columns[column.id]] = value
    return plan


def _places(printed: PrintedRows, texts: Iterable[Any]) -> dict[int, int]:
    """Which printed row stands at which index."""
    found: dict[int, int] = {}
    for index, text in enumerate(texts):
        known = printed.find(text, found)
        if known is not None:
            found.setdefault(known, index)
    return found


class _Body:
    """The open rows of a table, and the row of sums under them."""

    def __init__(
        self, match: Match, columns: dict[str, int], rows: list[Row], has_cells: Callable[[int, Iterable[int]], bool]
    ) -> None:
        self.match, self.columns, self.rows, self.has_cells = match, columns, rows, has_cells
        self.serial = next((columns[c.id] for c in match.form.columns if c.type == "serial" and c.id in columns), None)
        grid = read_grid(match, map_columns(match.form, match.titles), ANY)
        self.filled = {line - match.table.first_row for line in grid.lines}
        self.lines = list(self._lines())

    def _lines(self) -> Iterator[int]:
        number, begun = (self.match.header_row or 0), False
        while True:
            number += 1
            cells = [self.cell(number, col) for col in self.columns.values()]
            if number in self.filled or self._is_empty(number) or self._is_partial_sum(number):
                begun = True
                yield number
            elif begun or not (_counts_columns(cells) or is_units(self.match.form, cells)):
                return

    def _is_empty(self, number: int) -> bool:
        others = [self.cell(number, col) for col in self.columns.values() if col != self.serial]
        mark = self.cell(number, self.serial) if self.serial is not None else ""
        is_open = mark in ("", None) or isinstance(mark, int | float) or is_dots(mark) or fold(mark).isdigit()
        return is_open and all(map(is_blank, others)) and self.has_cells(number, self.columns.values())

    def _is_partial_sum(self, number: int) -> bool:
        """Tell whether a row is a sub-total, which is written anew with the rows above it."""
        first = next((str(c) for c in self.row(number) if c not in ("", None)), "")
        return bool(self.match.form.subtotal) and is_sum(first) and "小计" in first

    def row(self, number: int) -> Row:
        """A row; beyond the last one that says something it is empty."""
        return self.rows[number] if number < len(self.rows) else []

    def cell(self, number: int, col: int) -> Any:
        """What stands in a cell."""
        row = self.row(number)
        return row[col] if col < len(row) else ""

    @property
    def sum_row(self) -> int | None:
        """The row 合计 below the open rows."""
        after = (self.lines[-1] if self.lines else self.match.header_row or 0) + 1
        first = next((str(c) for c in self.row(after) if c not in ("", None)), "")
        return after if is_sum(first) else None


def _counts_columns(cells: list[Any]) -> bool:
    """Tell whether a row only numbers the columns."""
    said = [f"{c:g}" if isinstance(c, float) else str(c) for c in cells if c not in ("", None)]
    return len(said) * 2 > len(cells) and all(_COUNTED.fullmatch(s) for s in said)


def _open(record: Record, match: Match, body: _Body) -> Plan:
    form, paper = record.form, lay_out(record.form, record)
    rows = list(paper.rows) if len(record.rows) or record.nil else []
    lines = body.lines
    more = max(0, len(rows) - len(lines))
    plan = Plan(model=lines[-1] if lines else match.header_row or 0, more=more, before=bool(lines))
    targets = [*lines[:-1], *range(plan.at, plan.at + more + bool(lines))]
    for line, cells in zip(targets, rows, strict=False):
        for position, column in enumerate(form.columns):
            if column.id in body.columns:
                plan.cells[line, body.columns[column.id]] = _value(column.type, cells[position])
    for line in targets[len(rows) :]:
        for col in body.columns.values():
            if col != body.serial and body.cell(line, col) not in ("", None):
                plan.cells[line, col] = None
    if paper.totals and body.sum_row is not None:
        for name in form.totals:
            position = [c.id for c in form.columns].index(name)
            if name in body.columns:
                plan.cells[body.sum_row + more, body.columns[name]] = _value(
                    form.by_id[name].type, paper.totals[position]
                )
    return plan


def _value(kind: str, shown: Any) -> Any:
    """What goes into a cell: money as a number, too."""
    if kind == "money" and isinstance(shown, str):
        try:
            return float(shown)
        except ValueError:
            return shown
    return None if shown == "" else shown


def header_texts(record: Record) -> dict[str, str]:
    """What the header says by field, in the words of the paper; nothing where it says nothing."""
    return {f.id: f.kind.show(record.header.get(f.id)) for f in record.form.header}


def signed_texts(record: Record) -> dict[str, str]:
    """What stands on the lines for signatures."""
    return {f.id: record.signatures.get(f.id) or "" for f in record.form.signatures}


def is_as_it_is(there: str, value: str) -> bool:
    """Tell whether a gap can stay: nothing is to be written, and it holds no more than room to write in."""
    return not value and not there.strip(_ROOM)


def as_words(value: Any) -> str:
    """A value in the words of the paper."""
    if value is None:
        return ""
    if is_day(value):
        return chinese_date(value)
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def with_value(text: str, start: int, end: int, value: str) -> str:
    """A line with a value in its gap; what follows keeps its distance."""
    gap, rest = text[start:end], text[end:]
    colon = "" if text[:start].rstrip()[-1:] in (":", "：") else "："
    pad = gap[-1:] if gap[-1:].isspace() else "\u3000"
    room = pad * max(2, len(gap) - len(value)) if rest else ""
    return f"{text[:start].rstrip()}{colon}{value}{room}{rest}"
