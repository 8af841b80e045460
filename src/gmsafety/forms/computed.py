"""Cells that follow from others: sums and ratios along a row, sub-totals over printed rows, the row 合计."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from .columns import Column, Computed
from .spec import Form

NO_RATIO = "/"
"""What paper says for 0 of 0."""
_FINEST = Decimal("0.001")
Columns = Mapping[str, Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Difference:
    """A cell in which something else stands than follows from the others."""

    index: int
    column: str
    typed: Any
    computed: Any


def settled(form: Form, columns: Columns, count: int) -> dict[str, list[Any]]:
    """The columns of `count` rows with every computed cell as it follows from the others."""
    done = {name: list(values) for name, values in columns.items()}
    for index in reversed(form.parts) if _is_as_printed(form, done, count) else ():
        if form.parts[index].whole:
            for name in _summed(form, done):
                done[name][index] = _sum([done[name][part] for part in form.parts[index].rows])
    for name, how in form.computed.items():
        made = [compute(how, dict(zip(how.operands, row, strict=True))) for row in _rows(done, how.operands, count)]
        if name in done or any(v is not None for v in made):
            done[name] = made
    return done


def differences(form: Form, columns: Columns, count: int) -> Iterator[Difference]:
    """Find what was typed into computed cells and does not follow; of a ratio as many digits count as were typed."""
    right = settled(form, columns, count)
    summed = _summed(form, right)
    for name, values in columns.items():
        uppers = [i for i in form.parts if i < count] if name in summed else []
        for index in range(count) if name in form.computed else uppers:
            typed = values[index]
            if typed is not None and not _same(typed, right[name][index]):
                yield Difference(index, name, typed, right[name][index])


def too_few(form: Form, columns: Columns, count: int) -> Iterator[Difference]:
    """Find numbers that are less than those 其中 them: the upper row of parts that are not all of it."""
    for index, parts in form.parts.items() if _is_as_printed(form, columns, count) else ():
        for name in () if parts.whole else _summed(form, columns):
            among, own = _sum([columns[name][part] for part in parts.rows]), columns[name][index]
            if among is not None and own is not None and among > own:
                yield Difference(index, name, own, among)


def compute(how: Computed, row: Mapping[str, Any]) -> Any:
    """Compute one cell from the others of its row; None where they do not say."""
    if how.of:
        part, whole = row.get(how.part), row.get(how.of)
        if part is None or not whole:
            return None
        try:
            return (Decimal(part) / Decimal(whole)).quantize(_FINEST, ROUND_HALF_UP).normalize()
        except InvalidOperation:  # numbers of thirty digits, which count nothing
            return None
    added = _sum([row.get(n) for n in how.sum])
    return None if added is None else added - (_sum([row.get(n) for n in how.minus]) or 0)


def is_no_ratio(how: Computed | None, row: Mapping[str, Any]) -> bool:
    """Tell whether a cell is a ratio of something to nothing, which paper shows as `/`."""
    return how is not None and bool(how.of) and row.get(how.of) == 0 and row.get(how.part) is not None


def show_cell(column: Column, row: Mapping[str, Any]) -> str:
    """Write a cell of a row in the words of the paper."""
    return NO_RATIO if is_no_ratio(column.computed, row) else column.kind.show(row.get(column.id))


def total(form: Form, columns: Columns) -> dict[str, Any]:
    """The row 合计: sums of the columns that have one, and what follows from these sums."""
    sums = {name: _sum(list(columns.get(name, ()))) or 0 for name in form.totals}
    for name, how in form.computed.items():
        if set(how.operands) <= set(sums):
            sums[name] = NO_RATIO if is_no_ratio(how, sums) else compute(how, sums)
    return sums


def _rows(columns: Columns, names: Sequence[str], count: int) -> Iterator[tuple[Any, ...]]:
    blank = [None] * count
    return zip(*(columns.get(n, blank) for n in names), strict=True)


def _is_as_printed(form: Form, columns: Columns, count: int) -> bool:
    """Tell whether the rows are the printed ones, in their order: only then is known which are parts of which."""
    if not form.parts or count != len(form.rows):
        return False
    return all(columns.get(n) == [row.get(n) for row in form.printed_rows] for n in form.fixed if n in columns)


def _summed(form: Form, columns: Columns) -> list[str]:
    """Columns whose numbers add up over rows: what a row 合计 would sum."""
    return [n for n in columns if form.by_id[n].type in ("count", "money") and n not in (*form.computed, *form.fixed)]


def _sum(values: list[Any]) -> Any:
    known = [v for v in values if v is not None]
    return sum(known[1:], known[0]) if known else None


def _same(typed: Any, computed: Any) -> bool:
    if computed is None or not isinstance(typed, Decimal):
        return bool(typed == computed)
    digits = max(0, -int(typed.normalize().as_tuple().exponent))
    return bool(abs(typed - computed) <= max(Decimal(5).scaleb(-digits - 1), _FINEST / 2))
