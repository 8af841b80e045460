"""Reading a grid: open rows under a header row, column by column, in chunks; a value seen before is not read again."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ...findings import Finding, Place
from ...kinds import KINDS
from ..record import Origin, Rows
from ..spec import Column, Form
from ..types import Setting, Trouble, fold, is_blank, squash
from ..types.dates import Window
from ..types.text import is_dots, looks_like_formula, shorten
from .identify import ColumnMap, Match
from .tables import Row, Table

_CHUNK = 4096
_NOTE = re.compile(
    r"^(?:说明|注|备注|填表说明|填报说明|附注|单位负责人|主要负责人|填表人|填报人|审核人|联系人|联系电话|制表|合计)"
)
_NOTHING = frozenset({"", "无", "/", "—", "-", "零报告", "空"})
_NIL = re.compile(r"^(?:无|零报告|本(?:期|周|月)?(?:无|零报告).*|无重大.*|暂无.*|没有.*|空)$")


class _Seen(dict[Any, Any]):
    """The values of one column by what was typed; reads each distinct cell once."""

    def __init__(self, column: Column, setting: Setting) -> None:
        self.column, self.kind, self.setting = column, column.kind, setting
        self.troubles: dict[Any, tuple[Trouble, ...]] = {}
        self.typed: dict[Any, Any] = {}

    def __missing__(self, raw: Any) -> Any:
        value, trouble = self.kind.read(raw, self.setting)
        troubles = (trouble,) if trouble else self.kind.check(value, self.setting) if value is not None else ()
        if isinstance(raw, str) and not troubles and not self.kind.numeric and looks_like_formula(raw):
            troubles = (Trouble("formula-like-text", {"text": shorten(raw)}),)
        if troubles:
            self.troubles[raw] = troubles
        if isinstance(raw, str) and raw and value != raw and fold(self.kind.show(value)) != fold(raw):
            self.typed[raw] = raw if len(raw) < 2000 else raw[:2000] + "…"
        self[raw] = value
        return value


@dataclass
class GridReading:
    """What the rows of one table gave."""

    rows: Rows
    lines: list[int]
    moved: dict[tuple[int, str], int]
    typed: dict[str, Any]
    findings: list[Finding] = field(default_factory=list)
    nil: bool = False
    below: list[str] = field(default_factory=list)


class _Reader:
    def __init__(self, match: Match, columns: ColumnMap, window: Window) -> None:
        self.table, self.form = match.table, match.form
        self.header_row = match.header_row or 0
        self.ids = [c.id for c in match.form.columns if c.id in columns.index]
        self.at = [columns.index[i] for i in self.ids]
        by_id = match.form.by_id
        self.caches = [_Seen(by_id[i], by_id[i].setting.within(window)) for i in self.ids]
        self.columns: list[list[Any]] = [[] for _ in self.ids]
        self.out = GridReading(Rows(), [], {}, {})
        self.header_cells: list[Any] = []
        self.anchors = self._anchors(match.table)
        self.saved: dict[tuple[int, int], Any] = {}
        self.kept = 0

    def _anchors(self, table: Table) -> set[tuple[int, int]]:
        return {(row, col) for (_, col), row in table.covered.items()}

    def read(self) -> GridReading:
        chunk: list[tuple[int, list[Any]]] = []
        for number, row in enumerate(self.table.rows()):
            if number <= self.header_row:
                if number == self.header_row:
                    self.header_cells = self._pick(row)
                continue
            cells = self._pick(row)
            kept = self._cells_of_row(number, cells, row)
            if kept is not None:
                self.kept += 1
                chunk.append((number, kept))
                if len(chunk) >= _CHUNK:
                    self._flush(chunk)
                    chunk = []
        self._flush(chunk)
        self.out.rows = Rows(dict(zip(self.ids, self.columns, strict=True)), len(self.out.lines))
        return self.out

    def _pick(self, row: Row) -> list[Any]:
        width = len(row)
        return [row[i] if i < width else "" for i in self.at]

    def _cells_of_row(self, number: int, cells: list[Any], row: Row) -> list[Any] | None:
        """Return the cells of a data row; None for anything else, which is remembered where it says something."""
        filled = len(cells) - cells.count("")
        if self.anchors:
            self._save(number, cells)
        if filled > 3 and not isinstance(cells[0], str) and len(cells) > 1 and cells[1] not in _NOTHING:
            return self._completed(number, cells)
        if not filled:
            self._stray(row)
            return None
        return self._unusual(number, cells, row)

    def _unusual(self, number: int, cells: list[Any], row: Row) -> list[Any] | None:
        texts = [fold(c) if isinstance(c, str) else c for c in cells]
        said = [c for c in cells if c != "" and not is_dots(c)]
        if not said or texts[:4] == [fold(c) for c in self.header_cells[:4]] or self._is_repeated_header(texts):
            return None
        first = next((str(c) for c in row if c not in ("", None)), "")
        if _NOTE.match(fold(first)):
            self._stray(row)
            return None
        rest = [c for i, c in zip(self.ids, cells, strict=True) if i != self._serial and not is_blank(c)]
        if self._is_nil(said, rest):
            self.out.nil = True
            return None
        if not rest:
            if isinstance(cells[0], str) and len(cells[0]) > 4:
                self._stray(row)
            return None
        if len(rest) == 1 and self._spans(rest[0], said):
            self._stray(row)
            return None
        return self._completed(number, cells)

    @property
    def _serial(self) -> str:
        return next((c.id for c in self.form.columns if c.type == "serial"), "")

    def _is_repeated_header(self, texts: list[Any]) -> bool:
        titles = [fold(c) if isinstance(c, str) else c for c in self.header_cells]
        same = sum(bool(a == b) for a, b in zip(texts, titles, strict=True) if b)
        return same * 2 > len(titles)

    def _is_nil(self, said: list[Any], rest: list[Any]) -> bool:
        words = [fold(c) for c in said if isinstance(c, str)]
        names = [w for w in words if _NIL.match(w)]
        return bool(names) and all(bool(_NIL.match(fold(c))) for c in rest)

    def _spans(self, only: Any, said: list[Any]) -> bool:
        """Tell whether the one text of a row is a heading or note across the table rather than a value."""
        return (
            isinstance(only, str)
            and len(said) == 1
            and (len(only) > 12 or bool(re.match(r"[(（]?[一二三四五六七八九十]", only)))
        )

    def _completed(self, number: int, cells: list[Any]) -> list[Any] | None:
        """Fill in what stands in a merged cell above; None for the lower half of a merged row."""
        if not self.anchors:
            return cells
        own = False
        index = self.kept
        for position, (col, cell) in enumerate(zip(self.at, cells, strict=True)):
            anchor = self.table.covered.get((number, col))
            if anchor is None:
                own = own or cell != ""
            elif cell == "":
                cells[position] = self.saved.get((anchor, col), "")
                self.out.moved[index, self.ids[position]] = anchor + self.table.first_row
        return cells if own else None

    def _save(self, number: int, cells: list[Any]) -> None:
        for col, cell in zip(self.at, cells, strict=True):
            if (number, col) in self.anchors:
                self.saved[number, col] = cell

    def _stray(self, row: Row) -> None:
        text = " ".join(squash(c) for c in row if isinstance(c, str) and c.strip())
        if text:
            self.out.below.append(text)

    def _flush(self, chunk: list[tuple[int, list[Any]]]) -> None:
        """Turn a chunk of rows into values, column by column."""
        if not chunk:
            return
        start = len(self.out.lines)
        numbers, rows = zip(*chunk, strict=True)
        first = self.table.first_row
        self.out.lines += [n + first for n in numbers]
        for name, cache, kept, raws in zip(self.ids, self.caches, self.columns, zip(*rows, strict=True), strict=True):
            kept.extend([cache[raw] for raw in raws])
            if cache.typed or cache.troubles:
                self._remember(name, cache, raws, start)

    def _remember(self, name: str, cache: _Seen, raws: Iterable[Any], start: int) -> None:
        for index, raw in enumerate(raws, start):
            if raw in cache.typed:
                self.out.typed[f"{index}.{name}"] = cache.typed[raw]
            for trouble in cache.troubles.get(raw, ()):
                self.out.findings.append(self._finding(index, name, cache.column, trouble))

    def _finding(self, index: int, name: str, column: Column, trouble: Trouble) -> Finding:
        line = self.out.moved.get((index, name), self.out.lines[index]) - self.table.first_row
        place = Place(self.table.where(line, self.at[self.ids.index(name)]), self.table.sheet)
        return KINDS[trouble.slug].at(place, **{"field": column.label, **trouble.data})


def read_grid(match: Match, columns: ColumnMap, window: Window) -> GridReading:
    """Read all rows of a grid."""
    return _Reader(match, columns, window).read()


def shape_findings(columns: ColumnMap, place: Place) -> list[Finding]:
    """Say what is odd about a header row."""
    found = [KINDS["renamed-column"].at(place, column=c, found=f) for c, f in columns.renamed]
    found += [KINDS["missing-column"].at(place, column=c) for c in columns.missing]
    found += [KINDS["duplicate-column"].at(place, column=c, count=n) for c, n in columns.twice]
    found += [KINDS["unknown-column"].at(place, column=c) for c in columns.unknown]
    return found + ([KINDS["column-order"].at(place)] if columns.reordered else [])


def stray_findings(form: Form, lines: Iterable[str], place: Place) -> list[Finding]:
    """Say which text around a table was not taken, apart from the form's own notes and signature lines."""
    known = [fold(n) for n in form.notes]
    found = []
    for line in lines:
        text = fold(line)
        is_note = any(n in text or text in n for n in known if text)
        if text and not is_note and not _NOTE.match(text):
            found.append(KINDS["not-understood"].at(place, text=shorten(line, 80)))
    return found


def grid_origin(match: Match, columns: ColumnMap, reading: GridReading, file: str) -> Origin:
    """Keep where everything stood."""
    table = match.table
    header = (match.header_row or 0) + table.first_row
    letters = {name: table.column(col) for name, col in columns.index.items()}
    return Origin(file, table.sheet, table.ordinal, {}, reading.lines, letters, reading.moved, reading.typed, header)


__all__ = ["GridReading", "grid_origin", "read_grid", "shape_findings", "stray_findings"]
