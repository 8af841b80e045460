"""One file on the desk: which of its tables are forms, what they hold, and what was left unread."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from itertools import islice
from typing import Any

from ...findings import FILE, Finding, Place
from ...kinds import KINDS
from ..record import Origin, Record
from ..spec import Form
from ..types import fold
from ..types.dates import Window
from ..types.text import shorten
from .clauses import NIL, read_clauses
from .grid import grid_origin, read_grid, says_nil, shape_findings, stray_findings
from .header import Line, header_lines, read_header, read_signatures, text_lines
from .identify import Match, map_columns, matches, nearest, runner_up
from .result import Forms, Reading
from .safety import Inspection
from .stamps import stamp_findings, stamp_in, stamped_form, sure_matches
from .tables import Table, join

_SIGNED = re.compile(r"签\s*[字名]")
_NUMBER = re.compile(r"[(]?(\d{1,5})[.、,)]?")


class Desk:
    """Reads the tables of one file."""

    def __init__(self, file: str, data: bytes, inspection: Inspection, catalog: Forms) -> None:
        self.file, self.data, self.inspection, self.catalog = file, data, inspection, catalog
        self.tables: list[Table] = []
        self.loose: list[Line] = []
        self.joined: set[int | None] = set()
        self.stamp = stamp_in(data, inspection.format)
        self.stamped: Form | None = None

    def read(self, tables: list[Table], forms: list[Form]) -> Reading:
        filled = [t for t in tables if any(c not in ("", None) for row in islice(t.rows(), 50) for c in row)]
        if not filled:
            return Reading(self.file, None, (KINDS["no-table"].at(FILE, hint=self._hint()),))
        found = matches(filled, forms)
        self.stamped = stamped_form(self.stamp, forms)
        sure = _filled_first(sure_matches(found, self.stamped))
        if not sure:
            return Reading(self.file, None, (self._wrong_form(found, forms),))
        self.tables, self.loose = filled, self._loose_lines(filled, sure)
        readings, taken = [], list[Match]()
        for match in (_first_piece(m, sure) for m in sure):
            if match.form.ref not in [m.form.ref for m in taken] and not self._is_taken(match, taken):
                whole = self._joined(match, filled, sure)
                taken.append(whole)
                readings.append(self._read_match(whole, sure, found))
        first, *also = readings
        stamped = stamp_findings(self.stamp, [m.form for m in taken], self.catalog.readable)
        findings = (*stamped, *first.findings, *self._unread(filled, sure))
        return replace(first, findings=findings, also=tuple(also))

    def _joined(self, match: Match, filled: list[Table], sure: list[Match]) -> Match:
        """Join on the further tables of a Word file in which a ledger goes on, its numbers counting on."""
        table = match.table
        if table.ordinal is None or not match.form.is_grid:
            return match
        same = {m.table.ordinal: m for m in sure if m.form is match.form}
        pieces = []
        for other in filled:
            if (other.ordinal or 0) > table.ordinal and other.inside == table.inside:
                again = same.get(other.ordinal)
                header = again.header_row if again else None
                if (again and _goes_on(other, header, match.form)) or (again is None and _is_continued(table, other)):
                    pieces.append(other)
        self.joined |= {p.ordinal for p in pieces}
        return replace(match, table=join(table, *pieces)) if pieces else match

    def _loose_lines(self, filled: list[Table], sure: list[Match]) -> list[Line]:
        """Text of a Word file that belongs to no form's table: it may hold a header written apart."""
        lines: list[Line] = []
        for table in filled if self.inspection.format == "docx" else ():
            lines += text_lines(table.above, f"table {table.ordinal}")
            if not any(m.table is table for m in sure):
                lines += header_lines(table, list(islice(table.rows(), 40)))
        last = filled[-1]
        return lines + text_lines(last.below, f"table {last.ordinal}" if last.ordinal else "file")

    def _is_taken(self, match: Match, taken: list[Match]) -> bool:
        """Tell whether the match's table, or the one around or inside it, is already read as another form."""
        near = {match.table.ordinal, match.table.inside} - {None}
        return any(m.table is match.table or near & ({m.table.ordinal, m.table.inside} - {None}) for m in taken)

    def _hint(self) -> str:
        if self.inspection.format == "docx":
            from .wordfile import has_picture  # noqa: PLC0415 - only where it is needed

            return "，只有图片" if has_picture(self.data) else ""
        return ""

    def _wrong_form(self, found: list[Match], forms: list[Form]) -> Finding:
        title, score = nearest(found)
        known = "、".join(f"《{f.title}》" for f in forms)
        if not title:
            return KINDS["wrong-form"].at(
                FILE, nearest="", score=0, known=known, say="文件里的表格不是任何一种已登记的表。"
            )
        return KINDS["wrong-form"].at(FILE, nearest=title, score=score, known=known)

    def _read_match(self, match: Match, sure: list[Match], found: list[Match]) -> Reading:
        findings = self._copies(match, sure)
        close = runner_up(match, found) if match.form is not self.stamped else None
        if close:
            findings.append(KINDS["close-form"].at(FILE, form=match.form.title, runner_up=close.form.title))
        if match.table.in_textbox:
            findings.append(KINDS["table-in-textbox"].at(Place("document")))
        elif match.table.inside is not None:
            findings.append(KINDS["nested-table"].at(Place(f"table {match.table.inside}")))
        record, more = self._grid(match) if match.form.is_grid else self._clauses(match)
        try:
            findings += self._formulas(match.table, record)
        except SyntaxError as error:  # what lxml raises for XML that is not well formed
            findings.append(KINDS["corrupt-file"].at(FILE, why=shorten(error, 60)))
        stamp = self.stamp if self.stamp and self.stamp.form == match.form.ref else None
        return Reading(self.file, record, (*findings, *more), stamp=stamp)

    def _copies(self, match: Match, sure: list[Match]) -> list[Finding]:
        """Say which other tables of the file are the same form and were not read."""
        others = [m for m in sure if m.form.ref == match.form.ref and not self._is_taken(m, [match])]
        others = [m for m in others if m.table.ordinal is None or m.table.ordinal not in self.joined]
        others = [m for m in others if m.table.hidden or _is_filled(m)]
        found = [
            KINDS["hidden-copy"].at(FILE, sheet=m.table.sheet, form=match.form.title) for m in others if m.table.hidden
        ]
        shown = [m for m in others if not m.table.hidden]
        if shown:
            taken = f"工作表“{match.table.sheet}”" if match.table.sheet else f"第{match.table.ordinal}张"
            found.append(KINDS["several-tables"].at(FILE, count=len(shown) + 1, form=match.form.title, taken=taken))
        return found

    def _unread(self, filled: list[Table], sure: list[Match]) -> Iterable[Finding]:
        """Mention tables that are no form: a cover sheet, a second half cut off from its header."""
        for table in filled:
            outer = {m.table.inside for m in sure}
            if (
                any(m.table is table for m in sure)
                or (table.ordinal is not None and table.ordinal in self.joined)
                or (table.ordinal is not None and table.ordinal in outer)
                or (table.inside is not None and table.inside not in {m.table.ordinal for m in sure})
            ):
                continue
            first = next((str(c) for row in islice(table.rows(), 50) for c in row if c not in ("", None)), "")
            place = Place(f"table {table.ordinal}") if table.ordinal else Place("file", table.sheet)
            if table.ordinal and any(_is_continued(m.table, table) for m in sure):
                yield KINDS["continued-table"].at(place, text=shorten(first))
            else:
                yield KINDS["not-understood"].at(place, text=shorten(first))

    def _window(self, form: Form, filed: object = None) -> Window:
        first, last = self.catalog.window(form)
        return Window(first, last, filed if isinstance(filed, date) else None)

    def _header(self, match: Match, upto: int) -> tuple[dict[str, Any], dict[str, str], list[Finding]]:
        """Read the header fields above the table; where one is missing there, wherever else it may stand."""
        window, sheet = self._window(match.form), match.table.sheet
        lines = header_lines(match.table, list(islice(match.table.rows(), upto)))
        values, cells, found = read_header(match.form, lines, window, sheet)
        if None not in values.values():
            return values, cells, found
        below = header_lines(_under(match.table, upto), list(islice(match.table.rows(), upto + 1, 400)))
        again = read_header(match.form, [*lines, *self.loose, *below], window, sheet)
        return (
            again if list(again[0].values()).count(None) < list(values.values()).count(None) else (values, cells, found)
        )

    def _clauses(self, match: Match) -> tuple[Record, list[Finding]]:
        first = min((lines[0] for lines in match.labels.values()), default=0)
        top = match.header_row if match.header_row is not None and match.header_row < first else first
        header, cells, found = self._header(match, top)
        reading = read_clauses(match, list(islice(match.table.rows(), 400)))
        origin = Origin(
            self.file, match.table.sheet, match.table.ordinal, {**cells, **reading.cells}, typed=reading.typed
        )
        nil = reading.nil or any(NIL.search(fold(t)) for t in match.table.above)
        at = Place("header row", match.table.sheet)
        if nil and any(reading.values.get(p) for p in match.form.counted):
            reading.findings.append(KINDS["nil-with-numbers"].at(at))
        elif not nil and not reading.typed:
            reading.findings.append(KINDS["nothing-filled"].at(at))
        record = Record(match.form, header, reading.values, nil=nil, remarks=reading.remarks, origin=origin)
        return record, [*found, *reading.findings, *self._strays(match, header, match.table.below)]

    def _grid(self, match: Match) -> tuple[Record, list[Finding]]:
        header, cells, found = self._header(match, max(0, (match.header_row or 0) - match.header_lines + 1))
        columns = map_columns(match.form, match.titles)
        at_header = Place("header row", match.table.sheet)
        reading = read_grid(match, columns, self._window(match.form, header.get("date")))
        origin = grid_origin(match, columns, reading, self.file)
        origin.cells.update(cells)  # type: ignore[attr-defined]  # the dict made one line above
        nil = reading.nil or any(says_nil(t) for t in (*match.table.above, *match.table.below))
        below = [*reading.below, *match.table.below]
        signed = read_signatures(match.form, [*below, *_signed_above(match)]) if match.form.signatures else {}
        nil = nil and not len(reading.rows)
        record = Record(match.form, header, rows=reading.rows, nil=nil, signatures=signed, origin=origin)
        strays = self._strays(match, header, reading.below)
        if not len(reading.rows) and not nil:
            strays.append(KINDS["empty-rows"].at(at_header))
        elif match.form.fixed and not record.rows.filled(apart=match.form.fixed):
            strays.append(KINDS["nothing-filled"].at(at_header))
        return record, [*found, *shape_findings(columns, at_header), *reading.findings, *strays]

    def _strays(self, match: Match, header: dict[str, Any], texts: Iterable[str]) -> list[Finding]:
        """Show text below a table that is neither a note of the form nor its header."""
        place = Place("document" if match.table.ordinal else "file", match.table.sheet)
        said = {fold(str(v)) for v in header.values() if v}
        inside = [t for t in self.tables if t.inside is not None and t.inside == match.table.ordinal]
        texts = [*texts, *(line for t in inside for line in t.below)]
        return stray_findings(match.form, [t for t in texts if not any(s in fold(t) for s in said)], place)

    def _formulas(self, table: Table, record: Record) -> list[Finding]:
        """Say what the formulas of the sheet hide: no stored result, an error, a value from another file."""
        if self.inspection.format not in ("xlsx", "docx"):
            return []
        from .workbook import formula_findings, package_links, workbook_formulas  # noqa: PLC0415 - only for packages

        formulas = [
            f
            for f in workbook_formulas(self.data, self.inspection)
            if f.sheet == table.sheet and _is_read(f.where, record)
        ]
        wanted = {f.where for f in formulas if f.is_external}
        values = {}
        if wanted:
            for number, row in enumerate(islice(table.rows(), 20_000)):
                for col, cell in enumerate(row):
                    where = table.where(number, col)
                    if where in wanted:
                        values[where] = cell
        links = () if wanted else package_links(self.data, self.inspection)
        return [
            *formula_findings(formulas, values, _field_names(record)),
            *(KINDS["external-link"].at(FILE, target=t, value="") for t in links),
        ]


def _field_names(record: Record) -> dict[str, str]:
    """The printed names of the columns of a grid by their letters."""
    letters = record.origin.letters if record.origin else {}
    return {letter: record.form.by_id[name].label for name, letter in letters.items()}


def _first_piece(match: Match, sure: list[Match]) -> Match:
    """Of a form cut into several Word tables, the one with which it begins."""
    mine = [m for m in sure if m.form is match.form and m.table.ordinal and m.table.inside == match.table.inside]
    before = [m for m in mine if (m.table.ordinal or 0) < (match.table.ordinal or 0)]
    if before and _goes_on(match.table, match.header_row, match.form):
        return _first_piece(max(before, key=lambda m: m.table.ordinal or 0), sure)
    return match


def _filled_first(sure: list[Match]) -> list[Match]:
    """Of sheets that are one form, put those that are filled in before the empty ones."""
    count = Counter(m.form.ref for m in sure if m.table.ordinal is None and not m.table.hidden)
    empty = [m for m in sure if count[m.form.ref] > 1 and not m.table.hidden and not _is_filled(m)]
    return [m for m in sure if m not in empty] + empty if empty else sure


def _is_filled(match: Match) -> bool:
    """Tell whether anything was filled in, and the table is not an empty form that was sent along."""
    if not match.form.is_grid:
        return bool(read_clauses(match, list(islice(match.table.rows(), 400))).typed)
    rows = read_grid(match, map_columns(match.form, match.titles), Window()).rows
    return bool(rows.filled(apart=match.form.fixed)) if match.form.fixed else bool(len(rows))


def _signed_above(match: Match) -> list[str]:
    """The lines above a table that are for signatures."""
    rows = islice(match.table.rows(), match.header_row or 0)
    lines = [*match.table.above, *(" ".join(str(c) for c in row if c not in ("", None)) for row in rows)]
    return [line for line in lines if _SIGNED.search(line)]


def _under(table: Table, row: int) -> Table:
    """The same table seen from below its header row, so that addresses stay right."""
    return replace(table, first_row=table.first_row + row + 1, above=())


def _goes_on(table: Table, header_row: int | None, form: Form) -> bool:
    """Tell whether the numbers of a table with its own header row go on from another's, and do not begin with 1.

    Of printed rows the first may have none, where a group goes on; nor of any rows, where nothing stands between.
    """
    rows = list(islice(table.rows(), (header_row or 0) + 1, (header_row or 0) + 2))
    number = _NUMBER.fullmatch(fold(rows[0][0])) if rows and rows[0] else None
    if number is None:
        return bool(form.fixed or not table.above) and any(
            not fold(row[0]) and any(fold(c) for c in row) for row in rows if row
        )
    return number[1] != "1"


def _is_continued(table: Table, other: Table) -> bool:
    """Tell whether a table without a header row looks like the second half of another."""
    first = next(iter(other.rows()), [])
    width = max((len(row) for row in islice(table.rows(), 20)), default=0)
    return len(first) == width and bool(first) and bool(_NUMBER.fullmatch(fold(first[0])))


def _is_read(where: str, record: Record) -> bool:
    """Tell whether a cell is one that a value of the record came from."""
    origin = record.origin
    address = re.fullmatch(r"([A-Z]+)(\d+)", where)
    if origin is None or address is None:
        return True
    if where in origin.cells.values():
        return True
    taken = {letter for name, letter in origin.letters.items() if name not in record.form.computed}
    return address.group(1) in taken and int(address.group(2)) in set(origin.lines)
