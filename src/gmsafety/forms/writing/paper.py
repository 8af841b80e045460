"""A form as it stands on paper: annex mark, title, header line, headings, rows, notes; no file format yet."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby, islice, pairwise
from typing import Any

from ..columns import Column
from ..computed import NO_RATIO, is_no_ratio, total
from ..record import Record
from ..spec import Clause, Form, Layout
from ..stamp import Stamp
from .guide import Advice
from .head import HeadCell, head_cells

DOTS = "....."
NO_DATE = "    年    月    日"
NIL = "零报告"
_SENTENCE = 14
_AS_THEY_ARE = frozenset(
    ("serial", "count", "date", "text", "choice", "measure", "completion", "narrative", "answer")
)  # numbers, days and texts; the others are written in words
NOTE_AUTHOR = "上期填报"
"""Whose comments show the figures of the last period."""
TITLE_FONT, HEAD_FONT, BODY_FONT, LINE_FONT = "方正小标宋简体", "黑体", "仿宋_GB2312", "楷体_GB2312"
"""Fonts of GB/T 9704 by name. They are licensed, and never part of what we ship."""
FALLBACKS = {
    TITLE_FONT: ("FZXiaoBiaoSong-B05S", "小标宋", "宋体", "SimSun"),
    HEAD_FONT: ("SimHei", "思源黑体"),
    BODY_FONT: ("FangSong_GB2312", "仿宋", "FangSong"),
    LINE_FONT: ("KaiTi_GB2312", "楷体", "KaiTi"),
}
"""What is shown where a font is not installed, the nearest first. Word is told; Excel chooses by itself."""

MARGINS = {"portrait": (37, 35, 28, 26), "landscape": (25, 22, 20, 20)}
"""Of a page in millimetres: top, bottom, left, right; GB/T 9704 for an upright one."""


@dataclass(frozen=True, slots=True)
class Paper:
    """What is printed. Cells are text, whole numbers or days; None is an empty cell.

    `spans` are cells that are one over several rows: column, first row, last row, counted from 0 in `rows`. `opened`
    says which columns are filled in, where the others are locked; rows are put in where the table `grows`.
    """

    layout: Layout
    title: tuple[str, ...]
    header: tuple[tuple[str, str], ...]
    headings: tuple[str, ...]
    widths: tuple[float, ...]
    centred: tuple[bool, ...]
    choices: tuple[tuple[str, ...], ...]
    rows: Iterator[list[Any]]
    count: int
    notes: tuple[str, ...]
    spans: tuple[tuple[int, int, int], ...] = ()
    totals: tuple[Any, ...] | None = None
    signatures: tuple[str, ...] = ()
    head: tuple[HeadCell, ...] = ()
    opened: tuple[bool, ...] = ()
    grows: bool = False
    comments: Mapping[tuple[int, int], str] = field(default_factory=dict)
    stamp: Stamp | None = None
    guide: tuple[Advice, ...] = ()

    @property
    def cells_of_head(self) -> tuple[HeadCell, ...]:
        """The head of the table, cell by cell; one row of headings where nothing stands over them."""
        return self.head or tuple(HeadCell(text, 0, 0, col, col) for col, text in enumerate(self.headings))

    @property
    def header_line(self) -> str:
        """The header fields in one line, spread over the width of the table, as the notices print them."""
        parts = [f"{label}：{value}" for label, value in self.header]
        room = sum(width * 7 + 5 for width in self.widths) / 16 - 1  # characters of 12 points
        free = int(room) - sum(_length(p) for p in parts)
        return ("\u3000" * max(2, free // max(1, len(parts) - 1))).join(parts)

    def room(self, width: float) -> int:
        """How many Chinese characters a column takes in a line; one is given away to punctuation that may not lead."""
        return max(1, int((width * 7 + 5) / (self.layout.font_size * 4 / 3)) - 1)

    @property
    def header_length(self) -> int:
        """Length of the header line in Chinese characters, with room between its parts."""
        return sum(_length(f"{label}：{value}") + 1 for label, value in self.header)

    def lines(self, value: Any, width: float) -> int:
        """How many lines a value takes in a column, counting a Chinese character as two."""
        if not isinstance(value, str) or not value:
            return 1
        room = self.room(width)
        return sum(-(-_length(line) // room) or 1 for line in value.split("\n"))


def lay_out(form: Form, record: Record | None) -> Paper:
    """Put a form on paper, filled in or blank."""
    columns = form.columns
    rows, count = _grid_rows(form, record) if form.is_grid else _clause_rows(form, record)
    signed = record.signatures if record else {}
    spans: tuple[tuple[int, int, int], ...] = ()
    if form.merged:
        every = list(rows)
        rows, spans = iter(every), tuple(_spans(form, every))
    return Paper(
        layout=form.layout,
        title=form.layout.title or (form.title,),
        header=tuple(
            (h.label, _header_value(h.kind.show(record.header.get(h.id)) if record else "", h.type))
            for h in form.header
        ),
        headings=tuple(c.printed for c in columns),
        widths=form.layout.widths or tuple(c.width for c in columns),
        centred=tuple(_is_short(form, c.id, c.type) for c in columns),
        choices=tuple(c.choices for c in columns),
        rows=rows,
        count=count,
        notes=form.notes,
        spans=spans,
        totals=_totals(form, record),
        signatures=tuple(f"{f.label}：{signed.get(f.id) or ''}" for f in form.signatures),
        head=head_cells(columns) if any(c.groups or c.unit for c in columns) else (),
        opened=tuple(c.id in ("text", "remark") if form.clauses else c.id not in form.fixed for c in columns),
        grows=form.is_grid and not form.fixed,
        stamp=Stamp.of(form),
    )


def _spans(form: Form, rows: list[list[Any]]) -> Iterator[tuple[int, int, int]]:
    """Neighbouring rows that say the same in a merged column; a column to the right never reaches over a left one."""
    starts = {0, len(rows)}
    for col, column in enumerate(form.columns):
        if column.id in form.merged:
            ends = {n for n in range(1, len(rows)) if rows[n][col] != rows[n - 1][col]} | starts
            for first, after in pairwise(sorted(ends)):
                if after - first > 1 and rows[first][col] is not None:
                    yield col, first, after - 1
            starts = ends


def _totals(form: Form, record: Record | None) -> tuple[Any, ...] | None:
    """The row 合计 of a filled form."""
    if record is None or not form.totals or not len(record.rows):
        return None
    return tuple(_sum_row(form, "合计", record.rows.columns))


def _sum_row(form: Form, name: str, columns: Mapping[str, Sequence[Any]]) -> list[Any]:
    """A row of sums, its name in the place of the number."""
    sums = total(form, columns)
    serial = next((c.id for c in form.columns if c.type == "serial"), form.columns[0].id)
    return [name if c.id == serial else _shown(c, sums.get(c.id)) for c in form.columns]


def _shown(column: Column, value: Any) -> Any:
    return value if column.type in _AS_THEY_ARE or isinstance(value, str) else column.kind.show(value) or None


def _with_subtotals(form: Form, record: Record, rows: Iterator[list[Any]]) -> Iterator[list[Any]]:
    """The rows, and after those that say the same in the column of sub-totals their row 小计."""
    by = record.rows.columns.get(form.subtotal, [None] * len(record.rows))
    at = [c.id for c in form.columns].index(form.subtotal)
    for value, group in groupby(range(len(by)), key=by.__getitem__):
        places = list(group)
        yield from islice(rows, len(places))
        part = {name: values[places[0] : places[-1] + 1] for name, values in record.rows.columns.items()}
        row = _sum_row(form, "小计", part)
        row[at] = row[at] or value
        yield row


def _header_value(shown: str, kind: str) -> str:
    return shown or (NO_DATE if kind == "date" else "")


def _is_short(form: Form, column: str, kind: str) -> bool:
    long = kind in ("measure", "narrative", "completion") or column in ("detail", "text") or column in _long(form)
    return not long and not (column == "remark" and not form.is_grid)


def _long(form: Form) -> set[str]:
    """Columns whose printed texts are sentences."""
    return {k for row in form.printed_rows for k, v in row.items() if isinstance(v, str) and len(v) > _SENTENCE}


def _clause_rows(form: Form, record: Record | None) -> tuple[Iterator[list[Any]], int]:
    remarks = dict(record.remarks) if record else {}
    if record and record.nil and not any(NIL in r for r in remarks.values()):
        remarks[next(c.id for c in form.clauses if not c.remark)] = NIL
    rows = [
        [number, clause.label, clause_text(clause, record), remarks.get(clause.id) or clause.remark]
        for number, clause in enumerate(form.clauses, 1)
    ]
    return iter(rows), len(rows)


def clause_text(clause: Clause, record: Record | None) -> str:
    """Write a clause cell: the printed words where the form is blank, else the values in their places.

    A clause of which nothing is filled in says 无; a narrative without text says 无.
    """
    if record is None:
        return _joined(clause, [s.say({}) for s in clause.sentences])
    if all(record.values.get(b.path) is None for b in clause.blanks):
        return "无"
    return _joined(clause, [s.say(record.values, empty="无") for s in clause.sentences])


def _joined(clause: Clause, sentences: list[str]) -> str:
    """Numbered sentences stand on lines of their own, others follow each other."""
    return ("\n" if clause.sentences[0].number else "").join(sentences)


def _grid_rows(form: Form, record: Record | None) -> tuple[Iterator[list[Any]], int]:
    serial = next((i for i, c in enumerate(form.columns) if c.type == "serial"), 0)
    if record is not None and len(record.rows):
        rows = filled_rows(form, record)
        return _with_subtotals(form, record, rows) if form.subtotal else rows, len(record.rows)
    width = len(form.columns)
    if form.printed_rows and record is None:
        return iter([[row.get(c.id) for c in form.columns] for row in form.printed_rows]), len(form.printed_rows)
    if record is not None and record.nil:
        return iter([[1, "无", *["/"] * (width - 2)]]), 1
    numbers = range(1, form.layout.empty_rows + 1)
    empty: list[list[Any]] = [[n if i == serial else None for i in range(width)] for n in numbers]
    empty += [[DOTS if i == serial else None for i in range(width)]] if form.layout.dots else []
    return iter(empty), len(empty)


def filled_rows(form: Form, record: Record) -> Iterator[list[Any]]:
    """Rows of a filled grid: numbers and days as such, everything else in words."""
    ready: list[list[Any]] = []
    for column in form.columns:
        values = record.rows.columns.get(column.id)
        if values is None:
            ready.append([None] * len(record.rows))
        elif column.type in _AS_THEY_ARE:
            ready.append(values)
        else:
            ready.append([column.kind.show(v) for v in values])
        if column.computed and column.computed.of:
            ready[-1] = _ratios(column, ready[-1], record)
    return map(list, zip(*ready, strict=True))


def _ratios(column: Column, shown: list[Any], record: Record) -> list[Any]:
    """Ratios in words; one of nothing to nothing is `/`."""
    how, blank = column.computed, [None] * len(record.rows)
    names = how.operands if how else ()
    rows = zip(*(record.rows.columns.get(n, blank) for n in names), strict=True)
    return [
        NO_RATIO if is_no_ratio(how, dict(zip(names, row, strict=True))) else text
        for row, text in zip(rows, shown, strict=True)
    ]


def _length(line: str) -> int:
    """Length in Chinese characters."""
    wide = sum(c > "\u2e7f" for c in line)
    return wide + -(-(len(line) - wide) // 2)


def is_day(value: Any) -> bool:
    """Tell whether a cell is a day."""
    return isinstance(value, date)
