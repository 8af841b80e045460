"""Rows that are printed already, found in a file: whole, reworded, or several in one row."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

from ...findings import Finding, Place
from ...kinds import KINDS
from ..record import Rows
from ..spec import Form
from ..types import fold
from ..types.fields import as_text
from ..types.text import shorten
from .tables import Row

_ENOUGH = 85
_MARK = re.compile(r"^[(（]?\d{1,2}[.、．)）]\s*|^[①-⑳]\s*")
_PUNCT = re.compile(r"[,.;:、?!。，；：？！“”\"'()（）〔〕]+")


class PrintedRows:
    """The printed rows of a form by the text of its longest fixed column: the question, the name of a place."""

    def __init__(self, form: Form) -> None:
        self.form = form
        self.column = max(form.fixed, key=lambda c: sum(len(str(row.get(c) or "")) for row in form.printed_rows))
        self._index: dict[str, list[int]] = {}
        for number, row in enumerate(form.printed_rows):
            self._index.setdefault(_key(row.get(self.column)), []).append(number)
        self._known: dict[str, list[int]] = {}

    def find(self, text: object, taken: Collection[int] = ()) -> int | None:
        """The printed row that a text is, also where it was slightly reworded; None where it is none.

        Of rows that are printed alike it is the first that is not taken.
        """
        key = _key(text)
        if key not in self._known:
            self._known[key] = self._index.get(key) or self._alike(key)
        alike = self._known[key]
        return next((n for n in alike if n not in taken), alike[0] if alike else None)

    def _alike(self, key: str) -> list[int]:
        from rapidfuzz import fuzz, process  # noqa: PLC0415 - not needed to load a catalog

        best = process.extractOne(key, self._index.keys(), scorer=fuzz.ratio, score_cutoff=_ENOUGH) if key else None
        return self._index[best[0]] if best else []

    def is_as_printed(self, text: object) -> bool:
        """Tell whether a text is one of the printed ones, letter by letter but for punctuation."""
        return _key(text) in self._index

    def apart(self, rows: Iterable[tuple[int, Row]], at: int | None, others: list[int]) -> Iterator[tuple[int, Row]]:
        """Take rows apart that hold several printed rows as lines of one cell, with the answers as lines of others."""
        for number, row in rows:
            lines = _lines(row[at]) if at is not None and at < len(row) else []
            if (
                len(lines) < 2
                or self.find(row[at or 0]) is not None
                or not all(self.find(t) is not None for t in lines)
            ):
                yield number, row
                continue
            answers = {col: _dealt(row[col] if col < len(row) else "", len(lines)) for col in others}
            for position, line in enumerate(lines):
                yield (
                    number,
                    [line if c == at else answers[c][position] if c in answers else v for c, v in enumerate(row)],
                )


def as_printed(rows: Rows, printed: PrintedRows, cell: Callable[[int, str], Place], whole: Place) -> Iterator[Finding]:
    """Fill in what a fixed column leaves open, and tell which printed rows are missing or were reworded."""
    form, seen = printed.form, set[int]()
    texts = rows.columns.get(printed.column, [])
    open_columns = [c for c in form.fixed if c in rows.columns and c not in form.merged]
    for index, text in enumerate(texts):
        known = printed.find(text, seen)
        if known is None:
            continue
        seen.add(known)
        row = form.printed_rows[known]
        for name in open_columns:
            if rows.columns[name][index] is None:
                rows.columns[name][index] = row.get(name)
        if not printed.is_as_printed(text):
            yield KINDS["wording-differs"].at(
                cell(index, printed.column), label=form.by_id[printed.column].label,
                found=shorten(str(text)), printed=shorten(str(row[printed.column])),
            )  # fmt: skip
    for number, row in enumerate(form.printed_rows if texts else ()):
        if number not in seen:
            yield KINDS["missing-row"].at(whole, text=shorten(str(row[printed.column]), 40))


def _key(text: object) -> str:
    return _PUNCT.sub("", fold(_MARK.sub("", as_text(text))))


def _lines(cell: object) -> list[str]:
    return [part for part in str(cell).split("\n") if part.strip()] if isinstance(cell, str) else []


def _dealt(cell: Any, count: int) -> list[Any]:
    """The lines of a cell, one for each printed row: by their numbers if they have any, in order, or one for all."""
    lines = _lines(cell)
    numbered = {int(m.group(1)): line for line in lines if (m := re.match(r"\s*[(（]?(\d{1,2})[.、．)）]", line))}
    if numbered and len(numbered) == len(lines) and max(numbered) <= count:
        return [_MARK.sub("", numbered[n].strip()) if n in numbered else "" for n in range(1, count + 1)]
    if len(lines) == count:
        return list(lines)
    return [cell] * count if len(lines) == 1 else [cell, *[""] * (count - 1)]
