"""Which form is it? Judged by header row, row labels and title; the runner-up is named when it is close."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from ..spec import Clause, Form
from .headings import find_headings, key, leaf_names, names_of
from .tables import Row, Table

HEAD_ROWS = 120
ENOUGH = 0.7
ENOUGH_WITH_TITLE = 0.45
CLOSE = 0.08
_DIGIT = re.compile(r"\d")
_NUMBERINGS = (re.compile(r"^\d+"), re.compile(r"^[一二三四五六七八九十]+"))


@dataclass(frozen=True, slots=True)
class Match:
    """A table taken for a form: how alike, where its header row and its row labels stand.

    A header of several `header_lines` ends with the `header_row`.
    """

    form: Form
    table: Table
    score: float
    title: float
    header_row: int | None
    titles: tuple[tuple[int, str], ...] = ()
    labels: dict[str, tuple[int, ...]] = field(default_factory=dict)
    label_col: int | None = None
    digits: int = 0
    header_lines: int = 1

    @property
    def is_sure(self) -> bool:
        """Tell whether this is the form."""
        return self.score >= ENOUGH or (self.score >= ENOUGH_WITH_TITLE and self.title >= 0.9)

    @property
    def rank(self) -> tuple[bool, float, int]:
        """Order among matches: shown sheets first, then likeness, then how much is filled in."""
        return (not self.table.hidden, round(self.score + 0.2 * self.title, 2), self.digits)


def matches(tables: Iterable[Table], forms: Iterable[Form]) -> list[Match]:
    """Compare every table with every form; best first."""
    forms = tuple(forms)
    found = [m for t in tables for m in _of_table(t, forms)]
    return sorted(found, key=lambda m: m.rank, reverse=True)


def _of_table(table: Table, forms: tuple[Form, ...]) -> list[Match]:
    head = list(islice(table.rows(), HEAD_ROWS))
    keys = [[key(c) if isinstance(c, str) and len(c) <= 40 else "" for c in row] for row in head]
    if not any(any(row) for row in keys):
        return []
    found = [m for form in forms if (m := _match(form, table, head, keys))]
    digits = len(_DIGIT.findall(" ".join(str(cell) for row in head for cell in row))) if found else 0
    return [replace(m, digits=digits) for m in found]


def _match(form: Form, table: Table, head: list[Row], keys: list[list[str]]) -> Match | None:
    header, titles = find_headings(form, head, keys)
    header_row = header.stop - 1 if header else None
    hits = _known_titles(form, titles)
    columns = 2 * hits / (len(form.columns) + len(titles)) if titles else 0.0
    labels, label_col = _labels(form, keys) if form.clauses else ({}, None)
    score = 0.3 * min(columns, 1.0) + 0.7 * len(labels) / len(form.clauses) if form.clauses else columns
    if not score:
        return None
    above = [
        *table.above,
        table.sheet or "",
        *(str(c) for row in head[: header.start if header else 6] for c in row if isinstance(c, str)),
    ]
    lines = header.stop - header.start if header else 0
    return Match(
        form, table, score, _title_likeness(form, above), header_row, titles, labels, label_col, header_lines=lines
    )


def _known_titles(form: Form, titles: tuple[tuple[int, str], ...]) -> int:
    """How many titles are the form's; under groups the same title may stand several times."""
    wanted = {name for c in form.columns for name in names_of(c)}
    if not form.has_groups:
        return len({key(t) for _, t in titles} & wanted)
    wanted |= {name for c in form.columns for name in leaf_names(c)}
    return min(len(form.columns), sum(key(t) in wanted for _, t in titles))


def _labels(form: Form, keys: list[list[str]]) -> tuple[dict[str, tuple[int, ...]], int | None]:
    """Find the printed row labels: all in the column where most of them stand."""
    places: dict[int, dict[str, list[int]]] = {}
    for number, row in enumerate(keys):
        for col, text in enumerate(row):
            clause = _clause_of(form.clauses, text) if text else None
            if clause:
                places.setdefault(col, {}).setdefault(clause, []).append(number)
    if not places:
        return {}, None
    col = max(places, key=lambda c: len(places[c]))
    return {clause: tuple(rows) for clause, rows in places[col].items()}, col


def _clause_of(clauses: tuple[Clause, ...], text: str) -> str | None:
    if not any(key(clause.label) in text for clause in clauses):
        return None
    bare = {text, *(n.sub("", text) for n in _NUMBERINGS)}
    for clause in clauses:
        label = key(clause.label)
        if any(t == label or (len(t) <= len(label) + 4 and t.startswith(label)) for t in bare):
            return clause.id
    return None


def _title_likeness(form: Form, lines: list[str]) -> float:
    from rapidfuzz import fuzz  # noqa: PLC0415 - not needed to load a catalog

    names = [key(t) for t in (form.title, *form.aliases)]
    best = 0.0
    for line in lines:
        text = key(line)[:120]
        for name in names:
            best = max(best, 1.0 if name in text else fuzz.ratio(name, text) / 100)
    return best


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """Which column of a table is which column of the form, and what is odd about the header row."""

    index: dict[str, int]
    renamed: tuple[tuple[str, str], ...] = ()
    missing: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    twice: tuple[tuple[str, int], ...] = ()
    reordered: bool = False


def map_columns(form: Form, titles: tuple[tuple[int, str], ...]) -> ColumnMap:
    """Find each column of the form by title, then by alias or likeness, then by its place among its neighbours."""
    index: dict[str, int] = {}
    free = dict(titles)
    twice: dict[str, int] = {}
    for column in form.columns:
        same = [i for i, t in free.items() if key(t) in names_of(column, aliases=False)]
        if same:
            index[column.id] = same[0]
            for i in same:
                del free[i]
            if len(same) > 1:
                twice[column.title] = len(same)
    if form.has_groups:
        _by_leaf(form, index, free)
    renamed = [*_by_alias(form, index, free), *_by_place(form, index, free)]
    missing = tuple(c.title for c in form.columns if c.id not in index)
    order = [index[c.id] for c in form.columns if c.id in index]
    return ColumnMap(index, tuple(renamed), missing, tuple(free.values()), tuple(twice.items()), order != sorted(order))


def _by_leaf(form: Form, index: dict[str, int], free: dict[int, str]) -> None:
    """Take titles whose headings above are gone: in order, where there are as many of a title as the form has."""
    gone = [c for c in form.columns if c.id not in index]
    for leaf in {key(c.label) for c in gone}:
        columns = [c for c in gone if key(c.label) == leaf]
        places = [i for i, t in free.items() if key(t) in {n for c in columns for n in leaf_names(c)}]
        if len(columns) == len(places):
            for column, place in zip(columns, sorted(places), strict=True):
                index[column.id] = place
                del free[place]


def _by_alias(form: Form, index: dict[str, int], free: dict[int, str]) -> list[tuple[str, str]]:
    from rapidfuzz import fuzz  # noqa: PLC0415 - not needed to load a catalog

    renamed = []
    for column in form.columns:
        if column.id in index or not free:
            continue
        aliases = {key(a) for a in column.aliases}
        title = key(column.title)
        best = max(free, key=lambda i: 100.0 if key(free[i]) in aliases else fuzz.ratio(key(free[i]), title))
        if key(free[best]) in aliases or fuzz.ratio(key(free[best]), title) >= 70:
            index[column.id] = best
            renamed.append((column.title, free.pop(best)))
    return renamed


def _by_place(form: Form, index: dict[str, int], free: dict[int, str]) -> list[tuple[str, str]]:
    """Take an unknown title for a missing column where it alone stands between that column's neighbours."""
    renamed = []
    ids = [c.id for c in form.columns]
    for number, column in enumerate(form.columns):
        if column.id in index:
            continue
        before = next((index[i] for i in reversed(ids[:number]) if i in index), -1)
        after = next((index[i] for i in ids[number + 1 :] if i in index), 10**6)
        between = [i for i in free if before < i < after]
        gone = [i for i in ids if i not in index and before < after]
        neighbours_gone = [i for i in gone if abs(ids.index(i) - number) == 1]
        if len(between) == 1 and not neighbours_gone:
            index[column.id] = between[0]
            renamed.append((column.title, free.pop(between[0])))
    return renamed


def nearest(found: list[Match]) -> tuple[str, int]:
    """Name the form that a file resembles most, and how much in percent."""
    best = max(found, key=lambda m: m.score, default=None)
    return (best.form.title, round(best.score * 100)) if best else ("", 0)


def runner_up(chosen: Match, found: list[Match]) -> Match | None:
    """The match of another form with the same table, if it is close."""
    others: list[Any] = [m for m in found if m.table is chosen.table and m.form.ref != chosen.form.ref]
    best = max(others, key=lambda m: m.score, default=None)
    return best if best is not None and best.is_sure and chosen.score - best.score < CLOSE else None
