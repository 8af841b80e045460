"""The headings of a table: which rows they are, and what stands over each column, groups included."""

import re
from functools import lru_cache

from ..columns import Column
from ..spec import Form
from ..types import fold
from .tables import Row

Titles = tuple[tuple[int, str], ...]
_PUNCT = re.compile(r"[\s,.;:、，。；：()（）\[\]【】/*※★]+")


_SHORT = 60


def key(text: object) -> str:
    """The letters of a column title: folded, without punctuation."""
    return _letters(text) if isinstance(text, str) and len(text) <= _SHORT else _PUNCT.sub("", fold(text))


@lru_cache(maxsize=8192)
def _letters(text: str) -> str:
    """The same for what may be a title; the printed words of every form are asked for again with every table."""
    return _PUNCT.sub("", fold(text))


def names_of(column: Column, *, aliases: bool = True) -> set[str]:
    """The keys by which a column is known, with the headings over it and with its unit."""
    texts = [column.title, " ".join((*column.groups, column.printed)), *(column.aliases if aliases else ())]
    names = {key(t) for t in texts}
    return names | {key(column.title + column.unit)} if column.unit else names


def leaf_names(column: Column) -> set[str]:
    """The keys of a column's own title, without the headings over it."""
    return {key(column.label), key(column.printed), key(column.label + column.unit)}


def find_headings(form: Form, head: list[Row], keys: list[list[str]]) -> tuple[range | None, Titles]:
    """Find the rows of the headings and the title of each column; none where too little is alike."""
    if form.has_groups:
        return _in_groups(form, head, keys)
    wanted = {name for c in form.columns for name in names_of(c)}
    hits = [len(set(row) & wanted) for row in keys]
    if not hits or max(hits) < 2:
        return None, ()
    row = max(range(len(hits)), key=lambda i: hits[i])
    best = range(row, row + 1), _lowest(head, keys, (row,))
    if row + 1 < len(keys) and any(keys[row + 1]):
        own = {name for c in form.columns for name in names_of(c, aliases=False)}
        both = _on_two_rows(head, keys, row, own)
        known = [len({key(t) for _, t in titles} & names) for titles in (both, best[1]) for names in (wanted, own)]
        if known[:2] > known[2:] and known[1] >= known[3]:
            best = range(row, row + 2), both
    return best


def _on_two_rows(head: list[Row], keys: list[list[str]], row: int, own: set[str]) -> Titles:
    """The titles of two rows by column: the lower one, or both together where that is what the form prints."""
    found = dict(_lowest(head, keys, (row, row + 1)))
    for col, text in _lowest(head, keys, (row,)):
        whole = f"{text} {found[col]}"
        if found[col] != text and key(whole) in own:
            found[col] = whole
    return tuple(sorted(found.items()))


def _lowest(head: list[Row], keys: list[list[str]], rows: tuple[int, ...]) -> Titles:
    """The titles by column; of several rows the lowest that says something."""
    found: dict[int, str] = {}
    for row in rows:
        for col, text in enumerate(keys[row]):
            if text:
                found[col] = _words(head[row][col])
    return tuple(sorted(found.items()))


def _in_groups(form: Form, head: list[Row], keys: list[list[str]]) -> tuple[range | None, Titles]:
    """Find headings of several rows: all neighbouring rows that hold some of the form's, groups over columns."""
    wanted = {name for c in form.columns for name in (*names_of(c), *leaf_names(c), *map(key, c.groups))}
    hits = [len(set(row) & wanted) for row in keys]
    if not hits or max(hits) < 2:
        return None, ()
    top = bottom = max(range(len(hits)), key=lambda i: hits[i])
    most = max(len(c.groups) for c in form.columns)
    while top and hits[top - 1] and bottom - top < most:
        top -= 1
    while bottom + 1 < len(hits) and hits[bottom + 1] and bottom - top < most:
        bottom += 1
    rows = range(top, bottom + 1)
    titled = sorted({col for row in rows for col, text in enumerate(keys[row]) if text})
    return rows, tuple((col, " ".join(_path(head, keys, rows, col))) for col in titled)


def _path(head: list[Row], keys: list[list[str]], rows: range, col: int) -> list[str]:
    """What stands over a column from top to bottom: a blank belongs to the heading to its left."""
    path: list[str] = []
    edge = 0  # columns left of it belong to another heading
    for row in rows:
        starts = [c for c in range(edge, min(col + 1, len(keys[row]))) if keys[row][c]]
        if starts and (starts[-1] == col or row < rows[-1]):
            text = _words(head[row][starts[-1]])
            if not path or key(path[-1]) != key(text):
                path.append(text)
        edge = starts[-1] if starts else edge
    return path


def _words(cell: object) -> str:
    return " ".join(str(cell).split())
