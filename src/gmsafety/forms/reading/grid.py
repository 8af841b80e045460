"""Reading a grid: open rows under a header row, column by column, in chunks; a value seen before is not read again."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from ...findings import Finding, Place
from ...kinds import KINDS
from ..columns import Column
from ..record import Origin, Rows
from ..spec import Form
from ..types import Setting, Trouble, fold, is_blank
from ..types.dates import Window
from ..types.fields import as_text
from ..types.numbers import parse_number
from ..types.text import is_dots, is_plain, looks_like_formula, shorten
from .identify import ColumnMap, Match
from .printed_rows import PrintedRows, as_printed
from .sums import SUMS, Sums, computed_findings, is_sum, is_units
from .tables import Row, Table

_CHUNK = 512
_TEXTS = frozenset(("text", "narrative", "measure", "completion"))
_NOTE = re.compile(
    r"^(?:说明|注|备注|填表说明|填报说明|附注|单位负责人|主要负责人|填表人|填报人|审核人|联系人|联系电话|制表|合计)"
)
_CHINESE_MARK = re.compile(r"^[(（]?[一二三四五六七八九十]")
_NOTHING = frozenset({"", "无", "/", "—", "-", "零报告", "空", *SUMS})
_NIL = re.compile(
    r"^(?:无|空|零)$|零报告|零报送|^(?:截至目前|截至|目前|本[期周月])?,?(?:全[市县区])?(?:暂)?(?:无|没有).{0,24}$|"
    r"(?:未|没有|无|尚未|暂未)(?:发现|排查出|排查到|查出|检查出|新增|存在|收到).{0,10}(?:隐患|$)|^全?[市县区]?未发现"
)
_SIGNED = re.compile(
    r"负责人|填表人|填报人|审核人|审批人|签字|签名|盖章|公章|联系人|联系电话|^电话|制表|经办人|^(?:填报|填表)?(?:日期|时间)[:]?|年月日$"
)
_SAMPLE = re.compile(r"^(?:例|示例|样例|例如|填写示例|填报示例|举例)[:：]?\d*$")
_COUNTED = re.compile(r"[(\[]?(\d{1,2}|[甲乙丙丁A-Z一二三四五六七八九十]{1,2})[)\]]?")


class _Seen(dict[Any, Any]):
    """The values of one column by what was typed; reads each distinct cell once."""

    def __init__(self, column: Column, setting: Setting) -> None:
        self.column, self.kind, self.setting = column, column.kind, setting
        self.is_text = column.type in _TEXTS
        self.troubles: dict[Any, tuple[Trouble, ...]] = {}
        self.typed: dict[Any, Any] = {}

    def __missing__(self, raw: Any) -> Any:
        if self.is_text and isinstance(raw, str) and is_plain(raw):
            self[raw] = raw
            return raw
        value, trouble = self.kind.read(raw, self.setting)
        troubles = (trouble,) if trouble else ()
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
        self.upper_headings: list[list[Any]] = []
        self.first_heading = self.header_row - match.header_lines + 1
        self.anchors = self._anchors(match.table)
        self.saved: dict[tuple[int, int], Any] = {}
        self.kept = 0
        self.unread: list[tuple[int, str]] = []
        self.sums = Sums(match.form)
        self.printed = PrintedRows(match.form) if match.form.fixed else None

    def _anchors(self, table: Table) -> set[tuple[int, int]]:
        return {(row, col) for (_, col), row in table.covered.items()}

    def read(self) -> GridReading:
        chunk: list[tuple[int, list[Any]]] = []
        for number, row in self._numbered():
            if number <= self.header_row:
                self._keep_headings(number, row)
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
        rows, whole = self.out.rows, Place("document" if self.table.ordinal else "file", self.table.sheet)
        self.out.findings += self.sums.compared(rows, self._place_of, self.unread)
        self.out.findings += computed_findings(self.form, rows, self._cell)
        if self.printed is not None:
            self.out.findings += as_printed(rows, self.printed, self._cell, whole)
        return self.out

    def _numbered(self) -> Iterable[tuple[int, Row]]:
        """The rows of the table by number; where several printed rows stand in one, it comes several times."""
        rows = enumerate(self.table.rows())
        if self.printed is None:
            return rows
        index = dict(zip(self.ids, self.at, strict=True))
        others = [i for name, i in index.items() if name not in self.form.fixed]
        return self.printed.apart(rows, index.get(self.printed.column), others)

    def _keep_headings(self, number: int, row: Row) -> None:
        if number == self.header_row:
            self.header_cells = self._pick(row)
        elif number >= self.first_heading:
            self.upper_headings.append([fold(c) for c in self._pick(row)])

    def _pick(self, row: Row) -> list[Any]:
        width = len(row)
        return [row[i] if i < width else "" for i in self.at]

    def _cells_of_row(self, number: int, cells: list[Any], row: Row) -> list[Any] | None:
        """Return the cells of a data row; None for anything else, which is remembered where it says something."""
        filled = len(cells) - cells.count("")
        if self.anchors:
            self._save(number, cells)
        if filled > 3 and self.kept and not isinstance(cells[0], str) and len(cells) > 1 and cells[1] not in _NOTHING:
            return self._completed(number, cells)
        if not filled:
            self._stray(row)
            return None
        if self.printed is not None and self.printed.find(self._of(cells, self.printed.column)) is not None:
            return self._completed(number, cells)
        return self._unusual(number, cells, row)

    def _unusual(self, number: int, cells: list[Any], row: Row) -> list[Any] | None:
        texts = [fold(c) if isinstance(c, str) else c for c in cells]
        if not self.kept and (self._is_column_numbers(cells) or is_units(self.form, cells)):
            return None
        said = [c for c in cells if c != "" and not is_dots(c)]
        if not said or self._is_repeated_header(texts):
            return None
        first = next((str(c) for c in row if c not in ("", None) and parse_number(c).value is None), "")
        if self.form.totals and is_sum(first):
            self.sums.take(number, first, dict(zip(self.ids, cells, strict=True)), self.kept)
            return None
        if is_sum(first) or _NOTE.match(fold(first)) or _SAMPLE.match(texts[0] if isinstance(texts[0], str) else ""):
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
        if self._is_beside_the_table(number, cells, texts, rest) or self._is_only_printed(cells):
            self._stray(row)
            return None
        return self._completed(number, cells)

    def _is_beside_the_table(self, number: int, cells: list[Any], texts: list[Any], rest: list[Any]) -> bool:
        """Tell whether a row is a heading, a signature line or a note: it has no number and says little."""
        serial = cells[self.ids.index(self._serial)] if self._serial in self.ids else None
        if any((number, col) in self.table.covered for col in self.at):
            return False
        if parse_number(serial).value is not None and not _CHINESE_MARK.match(str(serial)):
            return False
        signed = sum(bool(_SIGNED.search(t)) for t in texts if isinstance(t, str))
        asked = [not is_blank(self._of(cells, c.id)) for c in self.form.columns if c.required]
        return signed > 1 or (len(rest) <= 2 and not (len(asked) > 1 and all(asked)))

    def _is_only_printed(self, cells: list[Any]) -> bool:
        """Tell whether a row of a form of printed rows asks nothing and was not filled in: a heading, a misprint."""
        if self.printed is None or not self.printed.is_heading(self._of(cells, self.printed.column)):
            return False
        return all(is_blank(cell) for i, cell in zip(self.ids, cells, strict=True) if i not in self.form.fixed)

    def _is_column_numbers(self, cells: list[Any]) -> bool:
        """Tell whether a row under the header row only numbers the columns: 1, 2, 3 … or 甲, 乙, 1, 2 …"""
        marks = [_COUNTED.fullmatch(fold(f"{c:g}" if isinstance(c, float) else c)) for c in cells if c != ""]
        numbers = [int(m.group(1)) for m in marks if m and m.group(1).isdigit()]
        steps = sum(b - a == 1 or (b > a and len(marks) == len(cells)) for a, b in pairwise(numbers))
        return all(marks) and len(marks) * 2 > len(cells) and steps >= len(numbers) - 1 > 0

    def _cell(self, index: int, name: str) -> Place:
        return self._place_of(self.out.moved.get((index, name), self.out.lines[index]) - self.table.first_row, name)

    def _place_of(self, line: int, name: str) -> Place:
        return Place(self.table.where(line, self.at[self.ids.index(name)]), self.table.sheet)

    def _of(self, cells: list[Any], name: str) -> Any:
        return cells[self.ids.index(name)] if name in self.ids else None

    @property
    def _serial(self) -> str:
        return next((c.id for c in self.form.columns if c.type == "serial"), "")

    def _is_repeated_header(self, texts: list[Any]) -> bool:
        if self.upper_headings and [fold(t) for t in texts] in self.upper_headings:
            return True
        titles = [fold(c) if isinstance(c, str) else c for c in self.header_cells]
        if any(titles[:4]) and texts[:4] == titles[:4]:
            return True
        same = sum(bool(a == b) for a, b in zip(texts, titles, strict=True) if b)
        return same * 2 > len(titles)

    def _is_nil(self, said: list[Any], rest: list[Any]) -> bool:
        words = [fold(c) for c in said if isinstance(c, str)]
        names = [w for w in words if _NIL.search(w)]
        return bool(names) and all(bool(_NIL.search(fold(c))) for c in rest)

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
            elif cell != "":
                own = True
            else:
                cells[position] = self.saved.get((anchor, col), "")
                self.out.moved[index, self.ids[position]] = anchor + self.table.first_row
        return cells if own else None

    def _save(self, number: int, cells: list[Any]) -> None:
        for col, cell in zip(self.at, cells, strict=True):
            if (number, col) in self.anchors:
                self.saved[number, col] = cell

    def _stray(self, row: Row) -> None:
        text = " ".join(as_text(c) for c in row if c not in ("", None))
        if text:
            self.out.below.append(text)
            if _NIL.search(fold(text)) and not _NOTE.match(fold(text)):
                self.out.nil = True

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
            if cache.column.total and cache.column.required and "" in raws:
                self.unread += [(index, name) for index, raw in enumerate(raws, start) if raw == ""]

    def _remember(self, name: str, cache: _Seen, raws: Iterable[Any], start: int) -> None:
        for index, raw in enumerate(raws, start):
            if raw in cache.typed:
                self.out.typed[f"{index}.{name}"] = cache.typed[raw]
            for trouble in cache.troubles.get(raw, ()):
                if cache.column.computed and trouble.slug == "error-value":
                    continue  # #DIV/0!, where paper says /
                self.out.findings.append(self._finding(index, name, cache.column, trouble))
                self.unread += [(index, name)] if cache.column.total else []

    def _finding(self, index: int, name: str, column: Column, trouble: Trouble) -> Finding:
        return KINDS[trouble.slug].at(self._cell(index, name), **{"field": column.label, **trouble.data})


def says_nil(text: str) -> bool:
    """Tell whether a line beside a table says that there is nothing to report."""
    folded = fold(text)
    return bool(_NIL.search(folded)) and not _NOTE.match(folded)


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
    signed = tuple(fold(f.label)[:4] for f in form.signatures)
    found = []
    for line in lines:
        text = fold(line)
        is_note = any(n in text or text in n for n in known if text)
        if text and not is_note and not _NOTE.match(text) and not (signed and text.startswith(signed)):
            found.append(KINDS["not-understood"].at(place, text=shorten(line, 80)))
    return found


def grid_origin(match: Match, columns: ColumnMap, reading: GridReading, file: str) -> Origin:
    """Keep where everything stood."""
    table = match.table
    header = (match.header_row or 0) + table.first_row
    letters = {name: table.column(col) for name, col in columns.index.items()}
    return Origin(
        file, table.sheet, table.ordinal, {}, reading.lines, letters, reading.moved, reading.typed, header, table.joints
    )


__all__ = ["GridReading", "grid_origin", "read_grid", "says_nil", "shape_findings", "stray_findings"]
