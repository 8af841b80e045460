"""The head of a table: titles, the headings that stand over several of them, and the row of units."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from ..columns import Column


@dataclass(frozen=True, slots=True)
class HeadCell:
    """A cell of the head, over `top` to `bottom` and `left` to `right`, both counted from 0 and within."""

    text: str
    top: int
    bottom: int
    left: int
    right: int

    @property
    def is_single(self) -> bool:
        """Tell whether it is one cell and not several made one."""
        return (self.top, self.left) == (self.bottom, self.right)


def head_cells(columns: tuple[Column, ...]) -> tuple[HeadCell, ...]:
    """The cells of a head, row by row; a title reaches down to the last row, or to the row of units."""
    depth = max(len(c.groups) for c in columns)
    return tuple(sorted(_cells(columns, depth), key=lambda c: (c.top, c.left)))


def _cells(columns: tuple[Column, ...], depth: int) -> Iterator[HeadCell]:
    units = any(c.unit for c in columns)
    for level in range(depth):
        for path, group in groupby(enumerate(columns), key=lambda pair: pair[1].groups[: level + 1]):
            places = [col for col, _ in group]
            if len(path) == level + 1:
                yield HeadCell(path[-1], level, level, places[0], places[-1])
    for col, column in enumerate(columns):
        bottom = depth + 1 if units and not column.unit else depth
        yield HeadCell(column.printed, len(column.groups), bottom, col, col)
        if column.unit:
            yield HeadCell(column.unit, depth + 1, depth + 1, col, col)
