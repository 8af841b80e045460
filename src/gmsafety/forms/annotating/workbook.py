"""The annotated copy of a workbook: cells filled and commented, our sheet last; all other parts as they came."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

from ...findings import Finding, Place
from ..marks import SHEET
from ..reading.tables import letters
from ..reading.workbook import workbook_tables
from . import indexsheet, notes
from .listing import Where, listed, note, worst
from .package import Package, parse, serialise
from .sheetxml import Marking, as_utf8, coordinates, merged_areas
from .styles import MAIN, Styles
from .unmarking import Book, unmark

_SHEET_MEDIA = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"
_NOTES = '<{{prefix}}legacyDrawing xmlns:gmr="{ns}" gmr:id="{id}"/>'
At = dict[int, dict[int, list[Finding]]]


def annotated_workbook(data: bytes, findings: Sequence[Finding], title: Callable[[Place], str]) -> bytes:
    """The bytes of a workbook with our marks; those of an earlier time are taken out first."""
    package = Package(data)
    book = Book(package)
    unmark(book)
    book = Book(package)
    styles = Styles(package, book.part)
    values = _values(data, findings)
    done: dict[str, Any] = {}
    for sheet in book.sheets:
        cells = _cells_of(sheet.name, findings)
        if cells:
            done[sheet.name] = _mark(book, sheet.part, cells, styles)
    looks = styles.looks()
    memory = {"sheets": done, "styles": styles.keep(book.part, f"{book.relation}/styles")}
    lines = listed(findings, title, values)
    _append(book, indexsheet.sheet_xml(findings, lines, looks, memory))
    return package.to_bytes()


def unmarked_workbook(data: bytes) -> bytes:
    """The bytes of a workbook without our marks."""
    package = Package(data)
    unmark(Book(package))
    return package.to_bytes()


def _values(data: bytes, findings: Sequence[Finding]) -> dict[Where, Any]:
    """What stands in the cells that the findings name."""
    wanted: dict[str, dict[int, set[int]]] = {}
    for place in {f.place for f in findings if not f.place.file and f.place.sheet}:
        cell = coordinates(place.where)
        if cell:
            wanted.setdefault(str(place.sheet), {}).setdefault(cell[0], set()).add(cell[1])
    found: dict[Where, Any] = {}
    for table in workbook_tables(data)[0] if wanted else ():
        rows = wanted.get(table.sheet or "", {})
        last = max(rows, default=0) - table.first_row + 1
        for number, row in enumerate(islice(table.rows(), max(last, 0)), table.first_row):
            for col in rows.get(number, ()):
                if 0 <= col - table.first_col < len(row):
                    index = col - table.first_col
                    found[table.sheet, table.where(number - table.first_row, index)] = row[index]
    return found


def _cells_of(sheet: str, findings: Sequence[Finding]) -> At:
    cells: At = {}
    for finding in findings:
        place = finding.place
        cell = coordinates(place.where) if place.sheet == sheet and not place.file else None
        if cell:
            cells.setdefault(cell[0], {}).setdefault(cell[1], []).append(finding)
    return cells


def _mark(book: Book, part: str, cells: At, styles: Styles) -> dict[str, Any]:
    """Fill and comment the cells of one sheet; returns which cells and rows were made for it."""
    content = as_utf8(book.package.read(part))
    cells = _anchored(cells, merged_areas(content))
    texts = {f"{letters(c)}{r}": note(f) for r, row in sorted(cells.items()) for c, f in sorted(row.items())}
    drawing = notes.add_notes(book.package, part, texts, book.relation)
    wanted = {r: {c: worst(f) for c, f in row.items()} for r, row in cells.items()}
    leads = _NOTES.format(ns=book.relation, id=drawing) if drawing else ""
    marking = Marking(content, wanted, styles.clone, leads)
    book.package.put(part, marking.edited())
    return {"cells": marking.made_cells, "rows": marking.made_rows}


def _anchored(cells: At, areas: Sequence[tuple[int, int, int, int]]) -> At:
    """Findings inside a merged area stand at its first cell."""
    rows = sorted(cells)
    near: dict[int, list[tuple[int, int, int, int]]] = {}
    for area in areas:
        for row in rows[bisect_left(rows, area[0]) : bisect_right(rows, area[2])]:
            near.setdefault(row, []).append(area)
    moved: At = {}
    for row, found in cells.items():
        for col, findings in found.items():
            inside = (a for a in near.get(row, ()) if a[1] <= col <= a[3])
            top, left, *_ = next(inside, (row, col))
            moved.setdefault(top, {}).setdefault(left, []).extend(findings)
    return moved


def _append(book: Book, content: bytes) -> None:
    """Put our sheet behind all others; no other part needs to know."""
    package = book.package
    part = package.free_name("xl/worksheets/sheet{}.xml")
    root = parse(package.read(book.part))
    sheets = root.find("{*}sheets")
    package.put(part, content.replace(MAIN.encode(), sheets.tag[1:].partition("}")[0].encode(), 1))
    package.declare(part, _SHEET_MEDIA)
    relation = package.relate(book.part, "rIdGmSheet", f"{book.relation}/worksheet", part)
    taken = {str(s.get("name")).casefold() for s in sheets}
    name = next(n for n in (SHEET, *(f"{SHEET}{i}" for i in range(2, 10_000))) if n.casefold() not in taken)
    number = max(int(s.get("sheetId", 0)) for s in sheets) + 1
    sheet = root.makeelement(sheets[0].tag, {"name": name, "sheetId": str(number)}, nsmap={"r": book.relation})
    sheet.set(f"{{{book.relation}}}id", relation)
    sheets.append(sheet)
    package.put(book.part, serialise(root))
