"""What a clerk summed up: rows 小计 and 合计, computed columns. Compared with the rows, and no data themselves."""

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

from ...findings import Finding, Place
from ...kinds import KINDS
from ..computed import differences
from ..record import Rows
from ..spec import Form
from ..types import fold, is_blank
from ..types.numbers import parse_number, plain

_TOTAL = re.compile(r"(?:(?:全|本)[省市县区])?(?:合计|总计|共计)(?:\([^()]*\))?[:]?")
_SUBTOTAL = re.compile(r"[^,。，；;]{0,12}小计(?:\([^()]*\))?[:]?")
SUMS = frozenset({"合计", "总计", "共计", "小计", "合 计", "合  计"})
_BRACKETS = re.compile(r"[()（）\[\]【】:：]|单位")


@dataclass(frozen=True, slots=True)
class SumRow:
    """A row 合计 or 小计: its line in the table, the rows it sums up, and what stands in its cells."""

    line: int
    first: int
    after: int
    name: str
    cells: dict[str, Any]


def is_sum(text: str) -> bool:
    """Tell whether the first words of a row are those of a sum."""
    return bool(_TOTAL.fullmatch(fold(text)) or _SUBTOTAL.fullmatch(fold(text)))


class Sums:
    """The rows of sums met so far."""

    def __init__(self, form: Form) -> None:
        self.form = form
        self.rows: list[SumRow] = []
        self.start = 0

    def take(self, line: int, name: str, cells: dict[str, Any], upto: int) -> None:
        """Keep a row of sums: a sub-total sums up what came after the last one, a total everything."""
        part = not _TOTAL.fullmatch(fold(name))
        self.rows.append(SumRow(line, self.start if part else 0, upto, fold(name), cells))
        self.start = upto if part else self.start

    def compared(
        self, rows: Rows, place: Callable[[int, str], Place], unread: Collection[tuple[int, str]] = ()
    ) -> Iterator[Finding]:
        """Compare every row of sums with the rows above it; one that stands above all rows, with all.

        Where a cell is `unread` (its row and column) nothing can be said.
        """
        for row in self.rows:
            for name in self.form.totals:
                after = row.after or rows.count
                values = rows.columns.get(name, ())[row.first : after]
                if any(column == name and row.first <= index < after for index, column in unread):
                    continue
                counted = sum(v for v in values if v is not None)
                cell, column = row.cells.get(name), self.form.by_id[name]
                kind = column.kind
                stated = None if is_blank(cell) else parse_number(cell, units=column.setting.units).value
                shown = kind.show(counted) if kind.name == "money" else plain(counted)
                if stated is not None and plain(stated) != shown:
                    say = f"{row.name}写{plain(stated)}，所列各行相加为{shown}。"
                    yield KINDS["total-contradicts"].at(place(row.line, name), say=say)


def computed_findings(form: Form, rows: Rows, cell: Callable[[int, str], Place]) -> Iterator[Finding]:
    """Say which computed cells hold something else than follows from the others."""
    for wrong in differences(form, rows.columns, rows.count):
        column = form.by_id[wrong.column]
        how = form.computed.get(wrong.column)
        right = column.kind.show(wrong.computed) or ("/" if how and how.of else "空白")
        yield KINDS["computed-differs"].at(
            cell(wrong.index, wrong.column), field=column.title, text=column.kind.show(wrong.typed), computed=right
        )


def is_units(form: Form, cells: list[Any]) -> bool:
    """Tell whether a row under the headings only says the units: 家, 条, （万元）."""
    units = {_BRACKETS.sub("", fold(u)) for c in form.columns for u in (c.unit, *c.units) if u}
    said = [_BRACKETS.sub("", fold(c)) for c in cells if isinstance(c, str) and c]
    return bool(units) and bool(said) and len(said) == len([c for c in cells if c != ""]) and set(said) <= units
