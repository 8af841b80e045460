"""Workbooks (xlsx, xls, ods) as tables: values and merges by calamine, formulas by a look at the sheet's own XML."""

import io
import posixpath
import re
import zipfile
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import python_calamine as calamine
from lxml import etree

from ...findings import FILE, Finding, Place
from ...kinds import KINDS
from ..marks import GUIDE_TITLE, MEMORY, may_be_ours
from ..types.text import shorten
from .safety import Inspection
from .tables import Formula, Row, Table, letters

_MOST_COVERED = 400_000
_TALLEST_MERGE = 1000
_EXTERNAL = re.compile(r"\[\d+\]|WEBSERVICE\(|https?://|\[[^\]]+\.xl\w*\]|\|\s*'")
_WIDEST = 200
_NEWER_ERROR = re.compile(rb"<v>#(?!(?:DIV/0!|N/A|NAME\?|NULL!|NUM!|REF!|VALUE!)<)[A-Z_/0-9]+[!?]?</v>")


def workbook_tables(data: bytes) -> tuple[list[Table], list[Finding]]:
    """Return one table a sheet, or a finding that says why there is none."""
    try:
        try:
            return _opened(data), []
        except calamine.CalamineError as error:
            if "Unsupported cell error value" not in str(error):
                raise
            return _opened(_older_errors(data)), []
    except calamine.PasswordError:
        return [], [KINDS["encrypted-file"].at(FILE)]
    except (calamine.CalamineError, OSError, ValueError, zipfile.BadZipFile) as error:
        return [], [KINDS["corrupt-file"].at(FILE, why=shorten(error, 60))]


def _opened(data: bytes) -> list[Table]:
    try:
        return _tables(data)
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # the library is written in Rust, and this is no Exception
            raise
        raise ValueError("文件内部结构有误") from error


def _tables(data: bytes) -> list[Table]:
    book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
    tables = [_table(book, meta) for meta in book.sheets_metadata if _is_sheet(meta)]
    return [t for t in tables if not (_is_guide(t) or (may_be_ours(t.sheet or "") and _remembers(t)))]


def _is_guide(table: Table) -> bool:
    """Tell whether a sheet is the guide that went down with a blank form."""
    return next((row[0] for row in table.rows() if row), None) == GUIDE_TITLE


def _remembers(table: Table) -> bool:
    """Tell whether a sheet is the list of findings in an annotated copy, and so holds nothing that was filled in."""
    return any(str(cell).startswith(MEMORY) for row in table.rows() for cell in row)


def _older_errors(data: bytes) -> bytes:
    """The same workbook, with error values of newer versions of Excel (#SPILL!, #CALC!) given as #VALUE!."""
    copy = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(copy, "w") as new:
        for name in old.namelist():
            part = old.read(name)
            new.writestr(name, _NEWER_ERROR.sub(rb"<v>#VALUE!</v>", part) if "/worksheets/" in name else part)
    return copy.getvalue()


def _is_sheet(meta: Any) -> bool:
    return bool(meta.typ == calamine.SheetTypeEnum.WorkSheet)


def _table(book: Any, meta: Any) -> Table:
    sheet = book.get_sheet_by_name(meta.name)
    start = sheet.start or (0, 0)
    return Table(
        rows=_rows(sheet, start),
        sheet=meta.name,
        first_row=start[0] + 1,
        first_col=start[1] + 1,
        covered=_covered(sheet, start),
        hidden=meta.visible != calamine.SheetVisibleEnum.Visible,
    )


def _rows(sheet: Any, start: tuple[int, int]) -> Callable[[], Iterator[Row]]:
    """Rows from the first used row on (calamine gives the empty ones above, too), cut where no form is so wide."""

    def rows() -> Iterator[Row]:
        for row in islice(sheet.iter_rows(), start[0], None):
            yield row if len(row) <= _WIDEST else row[:_WIDEST]

    return rows


def _covered(sheet: Any, start: tuple[int, int]) -> dict[tuple[int, int], int]:
    """Map cells under a vertical merge to the row of its first cell, inside the used area."""
    end = sheet.end
    covered: dict[tuple[int, int], int] = {}
    for (top, left), (bottom, right) in sheet.merged_cell_ranges or ():
        if bottom == top or end is None or bottom - top > _TALLEST_MERGE:
            continue
        for row in range(top + 1, min(bottom, end[0]) + 1):
            for col in range(left, min(right, end[1]) + 1):
                covered[row - start[0], col - start[1]] = top - start[0]
        if len(covered) > _MOST_COVERED:
            break
    return covered


def workbook_formulas(data: bytes, inspection: Inspection) -> list[Formula]:
    """List the formulas of the sheets that have any."""
    if inspection.format != "xlsx" or not inspection.parts_with_formulas:
        return []
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        sheets = _sheet_names(package)
        return [
            f
            for part in inspection.parts_with_formulas
            if part in sheets
            for f in _formulas(package, part, sheets[part])
        ]


def _sheet_names(package: zipfile.ZipFile) -> dict[str, str]:
    """Map the parts of a package to the names of the sheets they hold."""
    names = package.namelist()
    if "xl/workbook.xml" not in names or "xl/_rels/workbook.xml.rels" not in names:
        return {}
    targets = {
        rel.get("Id"): posixpath.normpath(posixpath.join("xl", rel.get("Target", "")).replace("xl//xl/", "xl/"))
        for rel in _parse(package, "xl/_rels/workbook.xml.rels").iter("{*}Relationship")
    }
    sheets = {}
    for sheet in _parse(package, "xl/workbook.xml").iter("{*}sheet"):
        rel = next((v for k, v in sheet.attrib.items() if str(k).endswith("}id")), None)
        part = str(targets.get(rel, "")).lstrip("/")
        sheets[part] = str(sheet.get("name"))
    return sheets


def _formulas(package: zipfile.ZipFile, part: str, sheet: str) -> Iterator[Formula]:
    row_number = 0
    with package.open(part) as stream:
        for _, row in etree.iterparse(stream, tag="{*}row", resolve_entities=False, no_network=True):
            told = row.get("r") or ""
            row_number = int(told) if told.isdecimal() else row_number + 1
            for index, cell in enumerate(row.iterchildren("{*}c"), 1):
                formula = cell.find("{*}f")
                if formula is not None or cell.get("t") == "e":
                    where = cell.get("r") or f"{letters(index)}{row_number}"
                    yield _formula(where, sheet, cell, "" if formula is None else "".join(formula.itertext()))
            row.clear()


def _formula(where: str, sheet: str, cell: Any, text: str) -> Formula:
    value = cell.find("{*}v")
    stored = value.text if value is not None else None
    error = stored if cell.get("t") == "e" else None
    has = bool(stored) or cell.find("{*}is") is not None or cell.get("t") == "str"
    return Formula(where, sheet, text, has, bool(_EXTERNAL.search(text)), error)


def _parse(package: zipfile.ZipFile, part: str) -> Any:
    return etree.fromstring(package.read(part), etree.XMLParser(resolve_entities=False, no_network=True))


def package_links(data: bytes, inspection: Inspection) -> tuple[str, ...]:
    """Name what a package refers to outside itself, ordinary hyperlinks apart."""
    targets = []
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        for part in inspection.linked:
            for rel in _parse(package, part).iter("{*}Relationship"):
                if rel.get("TargetMode") == "External" and not str(rel.get("Type", "")).endswith("/hyperlink"):
                    targets.append(shorten(rel.get("Target", "")))
    return tuple(targets)


def formula_findings(formulas: list[Formula], values: dict[str, Any], names: dict[str, str]) -> list[Finding]:
    """Say which formulas have no stored result, and which reach into another file (links are never followed).

    `values` by cell, `names` of fields by the letters of their column.
    """
    found = []
    for formula in formulas:
        place = Place(formula.where, formula.sheet)
        if formula.is_external:
            value = values.get(formula.where)
            shown = "（无）" if value in (None, "") else f"{value:g}" if isinstance(value, float) else value
            found.append(KINDS["external-link"].at(place, target=shorten("=" + formula.text), value=shown))
        elif formula.error:
            found.append(
                KINDS["error-value"].at(
                    place, field=names.get(formula.where.rstrip("0123456789"), formula.where), text=formula.error
                )
            )
        elif not formula.has_value:
            found.append(KINDS["formula-without-value"].at(place, formula=shorten("=" + formula.text)))
    return found
