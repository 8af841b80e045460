"""A plain list on paper: what is no form, but is printed and signed off all the same."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt

from ..spec import Layout
from .paper import Paper

_FONT_SIZE = 10.5
"""五号: a half-width character then is as wide as Excel counts it."""
_PAGES = {"portrait": (84, 20), "landscape": (138, 34)}
"""Of an A4 page, what a line takes: of the table in half-width characters, of the title in Chinese ones."""
_SHORT, _MIDDLING, _LONG = 20, 40, 200
_PADDING = 6
_FOR_SHORT = 0.6
"""As much of a line goes to short columns at most before the others get their share."""
_NO_SHEET_NAME = re.compile(r"[\[\]:*?/\\']")


@dataclass(frozen=True, slots=True)
class Listing:
    """A list: its title, a line that says for whom and when, headings, rows, and the notes below."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]
    header: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


def lay_out_list(listing: Listing) -> Paper:
    """Put a list on paper: numbered rows, columns as wide as what they hold, across where that is much."""
    headings = ("序号", *listing.headings)
    rows = [[number, *map(_cell, row)] for number, row in enumerate(listing.rows, 1)]
    rows = rows or [[None, "无", *[None] * (len(listing.headings) - 1)]]
    columns = list(zip(headings, *rows, strict=True))
    wanted = [min(_LONG, max(map(_length, column))) + _PADDING for column in columns]
    wide = sum(min(w, _MIDDLING) for w in wanted) > _PAGES["portrait"][0]
    page, across = _PAGES["landscape" if wide else "portrait"]
    layout = Layout(
        sheet=_NO_SHEET_NAME.sub("", listing.title)[:31],
        orientation="landscape" if wide else "portrait",
        font_size=_FONT_SIZE,
    )
    return Paper(
        layout=layout,
        title=_lines(listing.title, across),
        header=listing.header,
        headings=headings,
        widths=_shared(wanted, page),
        centred=tuple(all(_length(c) <= _SHORT and "\n" not in str(c) for c in column[1:]) for column in columns),
        choices=((),) * len(headings),
        rows=iter(rows),
        count=len(rows),
        notes=listing.notes,
    )


def _cell(value: object) -> object:
    return value if value is None or isinstance(value, int) else str(value)


def _length(value: object) -> int:
    """Length of the longest line in half-width characters."""
    text = "" if value is None else str(value)
    return max(len(line) + sum(c > "\u2e7f" for c in line) for line in text.split("\n"))


def _lines(title: str, across: int) -> tuple[str, ...]:
    """The title in lines of about the same length."""
    count = -(-len(title) // across)
    each = -(-len(title) // count)
    return tuple(title[i : i + each] for i in range(0, len(title), each))


def _shared(wanted: Sequence[float], page: float) -> tuple[float, ...]:
    """Share a line out: short columns get what they want, the others share the rest by the root of what they want."""
    total = sum(wanted)
    if total < page + 1:
        return tuple(w * page / total for w in wanted)
    given: dict[int, float] = {}
    for i, want in sorted(enumerate(wanted), key=lambda pair: pair[1]):
        if want <= _SHORT + _PADDING and sum(given.values()) + want < page * _FOR_SHORT:
            given[i] = want
    while len(given) < len(wanted):
        open_ = [i for i in range(len(wanted)) if i not in given]
        share = (page - sum(given.values())) / _weight(wanted[i] for i in open_)
        content = {i: wanted[i] for i in open_ if wanted[i] <= share * sqrt(wanted[i])}
        given |= content or {i: share * sqrt(wanted[i]) for i in open_}
    return tuple(w * page / sum(given.values()) for _, w in sorted(given.items()))


def _weight(wanted: Iterable[float]) -> float:
    return sum(map(sqrt, wanted))
