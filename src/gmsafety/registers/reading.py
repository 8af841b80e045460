"""The register out of a workbook: what can be taken is taken, and everything wrong is told at once, cell by cell.

A row in which something is wrong is not taken, and said so; the other rows are. Bad data never raises.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from pydantic import ValidationError

from ..findings import FILE, Finding, Place, Severity
from ..forms.reading.safety import inspect
from ..forms.reading.tables import Formula, Row, Table
from ..forms.reading.workbook import formula_findings, workbook_formulas, workbook_tables
from ..forms.types.fields import as_text
from ..forms.types.text import fold, is_blank, is_dots, shorten
from ..hazards import Hazard
from ..kinds import KINDS
from ..provenance import Value
from .cells import CREDIT
from .register import Register, key_of, twice
from .sheets import Column, Names, Sheet, sheets
from .writing import shown

_HEADER_WITHIN = 10
_NO_WORKBOOK = {"docx": "Word 文档形式的登记簿", "csv": "文本文件形式的登记簿"}
_WORDS = {
    "missing": "没有填写",
    "string_too_long": "不能超过{max_length}字",
    "string_too_short": "没有填写",
    "less_than_equal": "不能大于{le}",
    "greater_than_equal": "不能小于{ge}",
    "too_short": "没有填写",
}


@dataclass(frozen=True, slots=True)
class RegisterReading:
    """What was read: the register of all sound rows, and everything that was found on the way."""

    register: Register
    findings: tuple[Finding, ...] = ()


@dataclass(slots=True)
class _Entry:
    """A row that was taken, and where each of its cells stands."""

    value: Any
    row: int
    cells: dict[Column, tuple[object, Place]]


@dataclass(slots=True)
class _Page:
    """A sheet under reading."""

    sheet: Sheet
    table: Table
    findings: list[Finding] = field(default_factory=list)
    entries: list[_Entry] = field(default_factory=list)

    def place(self, row: int, col: int) -> Place:
        return Place(self.table.where(row, col), self.table.sheet)

    def say(self, slug: str, place: Place, **data: Any) -> None:
        self.findings.append(KINDS[slug].at(place, **data))


def read_register(data: bytes, *, name: str = "登记簿.xlsx") -> RegisterReading:
    """Read a register from the bytes of a workbook that calls itself `name`."""
    inspection = inspect(data, name)
    if inspection.format is None:
        return RegisterReading(Register(), inspection.findings)
    if inspection.format in _NO_WORKBOOK:
        actual = _NO_WORKBOOK[inspection.format]
        return RegisterReading(Register(), (KINDS["unsupported-format"].at(FILE, actual=actual),))
    tables, findings = workbook_tables(data)
    if not tables:
        return RegisterReading(Register(), (*inspection.findings, *findings))
    try:
        formulas = workbook_formulas(data, inspection)
    except SyntaxError as error:  # what lxml raises for XML that is not well formed
        return RegisterReading(Register(), (KINDS["corrupt-file"].at(FILE, why=shorten(error, 60)),))
    read = _read_tables(tables, formulas)
    told = (*inspection.findings, *findings, *_loose_ends(tables, read), *(f for page in read for f in page.findings))
    return RegisterReading(_register(read), told)


def _read_tables(tables: list[Table], formulas: list[Formula]) -> list[_Page]:
    named = {fold(table.sheet or ""): table for table in tables}
    read = [_read_page(s, table, formulas) for s in sheets() if (table := named.get(fold(s.title)))]
    names = _register(read).names
    for page in read:
        _compare_computed(page, names)
        _compare_basis(page)
    _follow_references(read)
    return read


def _register(read: list[_Page]) -> Register:
    return Register(**{page.sheet.field: tuple(entry.value for entry in page.entries) for page in read})


def _loose_ends(tables: list[Table], read: list[_Page]) -> Iterator[Finding]:
    """Sheets that are not there, and sheets that belong to no register."""
    there = [page.sheet for page in read]
    if not there:
        titles = "、".join(sheet.title for sheet in sheets())
        yield KINDS["no-table"].at(FILE, hint=f"（登记簿的工作表是{titles}）")
        return
    yield from (KINDS["missing-sheet"].at(FILE, sheet=sheet.title) for sheet in sheets() if sheet not in there)
    for table in tables:
        if all(page.table is not table for page in read) and any(not is_blank(c) for row in table.rows() for c in row):
            yield KINDS["not-understood"].at(Place("file", table.sheet), text=f"工作表“{table.sheet}”")


def _read_page(sheet: Sheet, table: Table, formulas: list[Formula]) -> _Page:
    page = _Page(sheet, table)
    rows = list(table.rows())
    start, columns = _header(page, rows)
    if not columns:
        page.say("no-table", Place("file", table.sheet), hint=f"：没有找到“{sheet.columns[0].label}”等列的表头")
        return page
    here = [f for f in formulas if f.sheet == table.sheet]
    if here:
        values = {table.where(r, c): v for r, row in enumerate(rows) for c, v in enumerate(row)}
        names = {table.column(col): column.label for col, column in columns.items()}
        page.findings += formula_findings(here, values, names)
    for number in range(start):
        above = next((col for col, cell in enumerate(rows[number]) if not is_blank(cell)), None)
        if above is not None:
            page.say("not-understood", page.place(number, above), text=shorten(rows[number][above]))
    for number, row in islice(enumerate(rows), start + 1, None):
        if not all(is_blank(cell) or is_dots(cell) for cell in row):
            _read_row(page, number, row, columns)
    _drop_twice(page)
    return page


def _header(page: _Page, rows: list[Row]) -> tuple[int, dict[int, Column]]:
    """Find the row of headings; which column stands where."""
    known = {fold(label): column for column in page.sheet.columns for label in (column.label, *column.aliases)}
    heads = [(sum(fold(cell) in known for cell in row), -number) for number, row in enumerate(rows[:_HEADER_WITHIN])]
    count, number = max(heads, default=(0, 0))
    if count < 2:
        return 0, {}
    columns: dict[int, Column] = {}
    for col, cell in enumerate(rows[-number]):
        column = known.get(fold(cell))
        if column in columns.values():
            page.say("duplicate-column", page.place(-number, col), column=shorten(cell), count=2)
        elif column:
            columns[col] = column
        elif not is_blank(cell):
            page.say("unknown-column", page.place(-number, col), column=shorten(cell))
    needed = {name for name, f in page.sheet.model.model_fields.items() if f.is_required()}
    for column in page.sheet.columns:
        if column.path and column not in columns.values():
            severity = Severity.ERROR if column.path in needed else Severity.WARNING
            place = Place("header row", page.table.sheet)
            page.say("missing-column", place, column=column.label, severity=severity)
    return -number, columns


def _read_row(page: _Page, number: int, row: Row, columns: dict[int, Column]) -> None:
    values: dict[str, Any] = {}
    wrong: list[str] = []
    cells: dict[Column, tuple[object, Place]] = {}
    for col, column in columns.items():
        raw = row[col] if col < len(row) else None
        cells[column] = raw, page.place(number, col)
        if column.show:
            continue
        value, trouble = column.kind.read(raw)
        if trouble:
            wrong.append(column.path)
            page.say(trouble.slug, cells[column][1], **{"field": column.label, **trouble.data})
        elif value is not None:
            _put(values, column.path, value)
    try:
        entry = page.sheet.model.model_validate(values)
    except ValidationError as error:
        for fault in error.errors():
            _tell(page, fault, wrong, cells)
    else:
        if not wrong:
            page.entries.append(_Entry(entry, number, cells))
            return
    page.say("row-not-taken", page.place(number, 0), row=number + page.table.first_row)


def _put(values: dict[str, Any], path: str, value: object) -> None:
    *above, last = path.split(".")
    for part in above:
        values = values.setdefault(part, {})
    values[last] = value


def _tell(page: _Page, fault: Any, wrong: list[str], cells: dict[Column, tuple[object, Place]]) -> None:
    """Make a finding of what a model refused, where it is not told already."""
    path = ".".join(str(part) for part in fault["loc"])
    column = page.sheet.column(path)
    if column.path in wrong or (wrong and not path):
        return
    wrong += [column.path] if path else []
    place = cells[column][1] if column in cells else next(iter(cells.values()))[1]
    words = _WORDS.get(fault["type"], "").format(**fault.get("ctx", {}))
    why = words or str(fault.get("ctx", {}).get("error", "格式不对")).rstrip("。")
    if fault["type"] == "missing":
        page.say("missing-value", place, field=column.label)
    elif not path:
        page.say("entry-contradicts", place, why=why)
    elif column.kind is CREDIT:
        page.say("wrong-credit-code", place, say=f"{why}。")
    else:
        page.say("value-not-allowed", place, field=column.label, why=why)


def _drop_twice(page: _Page) -> None:
    repeated = dict(twice(key_of(entry.value) for entry in page.entries))
    first = page.sheet.columns[0]
    for position, before in repeated.items():
        entry, other = page.entries[position], page.entries[before].row + page.table.first_row
        page.say("entry-twice", entry.cells[first][1], text=key_of(entry.value), other=other)
    page.entries = [entry for position, entry in enumerate(page.entries) if position not in repeated]


def _compare_computed(page: _Page, names: Names) -> None:
    for entry in page.entries:
        for column, (raw, place) in entry.cells.items():
            now = shown(entry.value, column, names) if column.show and not is_blank(raw) else None
            if now is not None and fold(now) != fold(as_text(raw)):
                page.say("derived-differs", place, field=column.label, now=now, text=shorten(as_text(raw)))


def _compare_basis(page: _Page) -> None:
    """Say which major hazards rest on a situation that needs several things, of which not all are described."""
    for entry in page.entries:
        for situation, missing in entry.value.unproved if isinstance(entry.value, Hazard) else ():
            column = page.sheet.column("detail")
            told = {
                name: "、".join(f"“{part}”" for part in parts)
                for name, parts in (("parts", situation.parts), ("missing", missing))
            }
            page.say("part-not-shown", entry.cells[column][1], field=column.label, citation=situation.citation, **told)


def _follow_references(pages: list[_Page]) -> None:
    """Say which enterprises and hazards are named but not registered, where their sheet is there."""
    keys = {p.sheet.title: {key_of(e.value) for e in p.entries} for p in pages}
    for page in pages:
        for entry in page.entries:
            for column, key, sheet in _references(page.sheet, entry.value):
                if sheet in keys and key not in keys[sheet]:
                    page.say("not-registered", entry.cells[column][1], field=column.label, text=key, sheet=sheet)


def _references(sheet: Sheet, value: Value) -> Iterator[tuple[Column, str, str]]:
    for path, title in (("enterprise", "企业"), ("hazard", "隐患"), ("hazards", "隐患")):
        named = getattr(value, path, None) or ()
        for key in (named,) if isinstance(named, str) else named:
            yield sheet.column(path), key, title
