"""Rows that are printed already, found in a file: whole, reworded, or several in one row."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

from ...findings import Finding, Place
from ...kinds import KINDS
from ..record import Rows
from ..spec import Form
from ..types import fold, is_blank
from ..types.fields import as_text
from ..types.text import shorten
from .tables import Row

_ENOUGH = 85
_MOST_LINES, _MOST_ASKED, _LONGEST_LINE = 6, 100, 2000
_MARK = re.compile(
    r"\s*(?:第(\d{1,2})[项条][.、．)）:：,，]?|[(（]?(\d{1,2})(?:[)）]|[.、．:：](?!\d))[.、．]?|([①-⑳])[.、．]?)\s*"
)
_ANSWERS = re.compile(r"\s*(?:是|否|不涉及|[√×✓✔✗✘])(?=\s*(?:$|[,，。(（:：]))")
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
        self._groups = {_key(row.get(name)) for row in form.printed_rows for name in form.merged}

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

    def is_heading(self, text: object) -> bool:
        """Tell whether a cell asks nothing: blank, or the name of a group."""
        return is_blank(text) or _key(text) in self._groups

    def is_as_printed(self, text: object) -> bool:
        """Tell whether a text is one of the printed ones, letter by letter but for punctuation."""
        return _key(text) in self._index

    def apart(self, rows: Iterable[tuple[int, Row]], at: int | None, others: list[int]) -> Iterator[tuple[int, Row]]:
        """Take rows apart that hold several printed rows as lines of one cell, with the answers as lines of others."""
        for number, row in rows:
            lines = self._asked(row[at]) if at is not None and at < len(row) else []
            if len(lines) < 2:
                yield number, row
                continue
            answers = {col: _dealt(row[col] if col < len(row) else "", len(lines)) for col in others}
            for position, line in enumerate(lines):
                yield (
                    number,
                    [
                        _bare(line) if c == at else answers[c][position] if c in answers else v
                        for c, v in enumerate(row)
                    ],
                )

    def _asked(self, cell: object) -> list[str]:
        """The lines of a cell that holds several printed rows, and perhaps a row of the clerk's own; else none.

        A line that breaks off goes on in the next; one that has a number of its own is a row by itself.
        """
        lines = _lines(cell)
        if not 1 < len(lines) <= _MOST_ASKED or self.find(cell) is not None:
            return []
        asked: list[str] = []
        at = 0
        while at < len(lines):
            whole = self._whole(lines[at:])
            if not whole and asked and not _MARK.match(lines[at]) and not self.is_as_printed(asked[-1]):
                asked[-1] += lines[at]
            else:
                asked.append("".join(lines[at : at + max(whole, 1)]))
            at += max(whole, 1)
        found = sum(self.find(text) is not None for text in asked)
        return asked if found > 1 and found * 2 >= len(asked) else []

    def _whole(self, lines: list[str]) -> int:
        """Of how many lines the printed row is made with which they begin; 0 where it is none."""
        end = next((n for n, line in enumerate(lines) if n and _bare(lines[n - 1]) and _MARK.match(line)), len(lines))
        joined = ["".join(lines[:n]) for n in range(1, min(end, _MOST_LINES) + 1)]
        for known in (self.is_as_printed, lambda text: self.find(text) is not None):
            for number, text in enumerate(joined, 1):
                if known(text):
                    return number
        return 0


def as_printed(rows: Rows, printed: PrintedRows, cell: Callable[[int, str], Place], whole: Place) -> Iterator[Finding]:
    """Fill in what a fixed column leaves open, and tell which printed rows are missing or were reworded."""
    form, seen = printed.form, dict[int, int]()
    _under_the_last(rows, [c for c in form.fixed if c in form.merged])
    texts = rows.columns.get(printed.column, [])
    open_columns = [c for c in form.fixed if c in rows.columns and c not in form.merged]
    for index, text in enumerate(texts):
        known = printed.find(text, seen)
        if known is None:
            continue
        if known in seen:
            keys = form.by_id[printed.column].label
            first = cell(seen[known], printed.column).where
            yield KINDS["duplicate-row"].at(
                cell(index, printed.column), other=first, keys=keys, say=f"与{first}是同一条（{keys}相同）。"
            )
        seen.setdefault(known, index)
        row = form.printed_rows[known]
        for name in open_columns:
            if rows.columns[name][index] is None:
                rows.columns[name][index] = row.get(name)
        if printed.is_as_printed(text):
            rows.columns[printed.column][index] = _bare(str(text))
        else:
            yield KINDS["wording-differs"].at(
                cell(index, printed.column), label=form.by_id[printed.column].label,
                found=shorten(str(text)), printed=shorten(str(row[printed.column])),
            )  # fmt: skip
    for number, row in enumerate(form.printed_rows if texts else ()):
        if number not in seen:
            yield KINDS["missing-row"].at(whole, text=shorten(str(row[printed.column]), 40))


def _under_the_last(rows: Rows, names: list[str]) -> None:
    """Fill in what stands in the first row of a group only, though its cells were not merged."""
    for values in (rows.columns[n] for n in names if n in rows.columns):
        for index in range(1, len(values)):
            if values[index] is None:
                values[index] = values[index - 1]


def _key(text: object) -> str:
    return _PUNCT.sub("", fold(_bare(as_text(text))))


def _bare(text: str) -> str:
    """A line without the number before it."""
    mark = _MARK.match(text)
    return text[mark.end() :] if mark else text


def _lines(cell: object) -> list[str]:
    return [part for part in str(cell).split("\n") if part.strip()] if isinstance(cell, str) else []


def _dealt(cell: Any, count: int) -> list[Any]:
    """The lines of a cell, one for each printed row: by their numbers if they have any, in order, or one for all."""
    lines = _lines(cell)
    numbered = {_number(m): _bare(line) for line in lines if (m := _MARK.match(line))}
    if numbered and len(numbered) == len(lines) > 1 and max(numbered) <= count:
        return [numbered.get(n, "") for n in range(1, count + 1)]
    if len(lines) == count:
        return list(lines)
    if len(lines) == 1:
        return _in_one_line(lines[0], count) or [cell] * count
    return [cell, *[""] * (count - 1)]


def _in_one_line(line: str, count: int) -> list[Any] | None:
    """Answers that stand one after the other: 1.是 2.否 3.是, or 是；否；是. None where it is one answer."""
    if len(line) > _LONGEST_LINE:
        return None
    marks = [
        m
        for m in _MARK.finditer(line)
        if not m.start() or line[m.start() - 1] in " \u3000;；,，。、" or m[0][:1].isspace()
    ]
    counted = [m for n, m in enumerate(marks, 1) if _number(m) == n]
    if len(counted) == len(marks) > 1 and not marks[0].start() and len(marks) <= count:
        ends = [m.start() for m in marks[1:]] + [len(line)]
        told = [line[m.end() : end].strip(" \u3000;；,，、") for m, end in zip(marks, ends, strict=True)]
        return told + [""] * (count - len(told)) if all(_ANSWERS.match(t) for t in told) else None
    for sign in (r"[;；]", r"[,，、]", r"[ \u3000]+"):
        parts = [p for p in re.split(sign, line.strip(" \u3000;；,，、。")) if p.strip()]
        if len(parts) == count and all(_ANSWERS.match(p) for p in parts):
            return list(parts)
    return None


def _number(mark: re.Match[str]) -> int:
    digits = mark[1] or mark[2]
    return int(digits) if digits else ord(mark[3]) - ord("①") + 1
