"""Text files with delimiters (csv, tsv, txt) as tables; an export of ours comes apart into the files it was made of."""

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from ...findings import FILE, Finding
from ...kinds import KINDS
from ..exporting import HEADER, NIL, SIGNATURE, SOURCE, TITLE, unguarded
from .safety import LARGEST_AREA
from .tables import Row, Stated, Table, letters

_DELIMITERS = (",", "\t", ";", "|")
_WIDEST = 200
_NUMBER = re.compile(r"0|-?[1-9]\d{0,6}")


def decoded(data: bytes) -> str | None:
    """The text of a file in UTF-8, UTF-16 or the national encoding; None where it is no text."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    elif b"\0" in data[:4096]:
        low_first = data[1:4096:2].count(0) >= data[:4096:2].count(0)  # a Latin letter has its zero behind it
        encodings = ["utf-16-le" if low_first else "utf-16-be"]
    else:
        encodings = ["utf-8-sig", "gb18030"]
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        return text if all(c.isprintable() or c in "\r\n\t\u3000\u00a0\u200b\ufeff" for c in text[:20_000]) else None
    return None


def delimited_tables(data: bytes) -> tuple[list[Table], list[Finding]]:
    """Return the table of a file, or one for every file of an export; or a finding that says why there is none."""
    text = decoded(data)
    if text is None:
        return [], [KINDS["corrupt-file"].at(FILE, why="不是可以读出的文字")]
    try:
        rows = _rows(text)
        width = height = 0
        for row in rows():
            width, height = max(width, min(len(row), _WIDEST)), height + 1
    except csv.Error as error:
        return [], [KINDS["corrupt-file"].at(FILE, why=_why(error))]
    if width * height > LARGEST_AREA:
        return [], [KINDS["sheet-too-large"].at(FILE)]
    titles = next(rows(), [])
    exported = list(_exported(rows)) if SOURCE in titles[:1] else []
    return exported or [Table(rows)], []


def _rows(text: str) -> Callable[[], Iterator[Row]]:
    """The rows of a text, numbers as such; a mark that keeps a spreadsheet from running a text is taken off."""
    delimiter, start = _delimiter(text)

    def rows() -> Iterator[Row]:
        lines = io.StringIO(text, newline="")
        lines.seek(start)
        for row in csv.reader(lines, delimiter=delimiter):
            yield [_cell(c) for c in row[:_WIDEST]]

    return rows


def _cell(text: str) -> str | int:
    return int(text) if _NUMBER.fullmatch(text) else unguarded(text)


def _delimiter(text: str) -> tuple[str, int]:
    """The delimiter that gives most cells in rows of one length, and where the rows begin (`sep=;` says it itself)."""
    said = re.match(r"sep=(.)\r?\n", text)
    if said:
        return said.group(1), said.end()
    return max(_DELIMITERS, key=lambda d: _regular(text, d)), 0


def _regular(text: str, delimiter: str) -> int:
    try:
        head = list(islice(csv.reader(io.StringIO(text[:200_000], newline=""), delimiter=delimiter), 60))
    except csv.Error:
        return 0
    widths = Counter(len(row) for row in head if len(row) > 1)
    return max((width * count for width, count in widths.items()), default=0)


def _why(error: csv.Error) -> str:
    return "一格的文字过长，可能是引号没有成对" if "field larger" in str(error) else "不是规范的逗号分隔文件"


def _exported(rows: Callable[[], Iterator[Row]]) -> Iterator[Table]:
    """One table for every file of an export: its columns about the file as words around the table."""
    titles, *every = rows()
    apart = sum(_is_about(str(t)) for t in titles)
    start = 0
    for number in range(1, len(every) + 1):
        if number == len(every) or every[number][:apart] != every[start][:apart]:
            yield _part(titles, every[start:number], apart, start + 1)
            start = number


def _is_about(title: str) -> bool:
    return title in (SOURCE, TITLE, NIL) or title.startswith((HEADER, SIGNATURE))


def _part(titles: Row, rows: list[Row], apart: int, first_row: int) -> Table:
    """The rows of one file under the headings, which stand for the line above them."""
    told = {str(t): v for t, v in zip(titles[:apart], rows[0], strict=False)}
    where = {t: f"{letters(col)}{first_row + 1}" for col, t in enumerate(told, 1)}
    filled = [row[apart:] if any(c != "" for c in row[apart:]) else [] for row in rows]
    return Table(
        lambda: iter([titles[apart:], *filled]),
        first_row=first_row,
        first_col=apart + 1,
        above=_lines(told.get(TITLE), NIL if told.get(NIL) else None),
        below=_lines(*(f"{t.removeprefix(SIGNATURE)}：{v}" for t, v in told.items() if t.startswith(SIGNATURE) and v)),
        stated=tuple(Stated(t.removeprefix(HEADER), v, where[t]) for t, v in told.items() if t.startswith(HEADER)),
    )


def _lines(*texts: Any) -> tuple[str, ...]:
    return tuple(str(t) for t in texts if t)
