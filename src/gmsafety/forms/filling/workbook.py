"""A workbook filled in: the sheet's own part is patched, the others are carried over byte for byte."""

import re
from collections.abc import Iterator
from typing import Any

from ..annotating.package import Package, parse, serialise
from ..columns import FormField
from ..reading.header import gaps
from ..reading.identify import Match
from ..record import Record
from .plan import header_texts, is_as_it_is, planned, signed_texts, with_value
from .sheet import Sheet, day_styles, pushed_down, shared_texts

_PIECES = frozenset("年月日")
_ROWS_IN_NOTES = re.compile(rb"(<x:Row>)(\d+)(</x:Row>)")
_WIDEST = 60


def filled_workbook(data: bytes, record: Record, match: Match) -> bytes:
    """The bytes of a workbook with a record in it."""
    package = Package(data)
    book = package.related("", "officeDocument") or "xl/workbook.xml"
    part = _part_of(package, book, match.table.sheet)
    styles, texts = package.related(book, "styles"), package.related(book, "sharedStrings")
    sheet = Sheet(package.read(part), day_styles(package.read(styles) if styles else None))
    top, left = match.table.first_row, match.table.first_col
    plan = planned(record, match, lambda row, cols: sheet.has_cells(row + top, (c + left for c in cols)))
    lines = _Lines(sheet, shared_texts(package.read(texts) if texts else None))
    head = top + (match.header_row or 0)
    last = max(sheet.rows, default=0)
    first = min((min(lines_) for lines_ in match.labels.values()), default=0) + top if record.form.clauses else 0
    above, below = range(1, min(head, first) if first else head), range(head + 1, last + 1)
    left_over = lines.fill(record.form.header, header_texts(record), above)
    lines.fill(record.form.header, left_over, below)
    lines.fill(record.form.signatures, signed_texts(record), below)
    if plan.more:
        _put_in(package, book, part, sheet, (plan.at + top, plan.more, plan.model + top))
    for (row, col), value in plan.cells.items():
        sheet.put(row + top, col + left, value)
    if plan.more or sheet.lost_formula:
        _forget_order(package, book)
    package.put(part, sheet.to_bytes())
    return package.to_bytes()


def _part_of(package: Package, book: str, name: str | None) -> str:
    """The part of the sheet of a name."""
    targets = {r.id: r.target for r in package.relations(book)}
    for sheet in parse(package.read(book)).iter("{*}sheet"):
        if sheet.get("name") == name:
            relation = next(v for k, v in sheet.attrib.items() if str(k).endswith("}id"))
            return targets[relation]
    raise KeyError(name)


class _Lines:
    """The lines above and below a table, in which labels stand."""

    def __init__(self, sheet: Sheet, shared: list[str]) -> None:
        self.sheet, self.shared = sheet, shared
        self.right = {(top, left): right for top, left, _, right in sheet.merges}

    def fill(self, fields: tuple[FormField, ...], texts: dict[str, str], rows: range) -> dict[str, str]:
        """Write values after their labels, or in the cells beside them; returns those that found no label."""
        left = dict(texts)
        for row in rows:
            for col in range(1, _WIDEST):
                text = self.sheet.text(row, col, self.shared) if left else ""
                places = sorted((g for g in gaps(fields, text) if g.field in left), key=lambda g: -g.start)
                if len(places) == 1 and places[0].is_alone and self._beside(row, col, left[places[0].field]):
                    del left[places[0].field]
                    continue
                for gap in places:
                    if gap.field in left:
                        value = left.pop(gap.field)
                        if not is_as_it_is(text[gap.start : gap.end], value):
                            text = with_value(text, gap.start, gap.end, value)
                            self.sheet.put(row, col, text)
        return left

    def _beside(self, row: int, col: int, value: str) -> bool:
        """Write a value into the cell to the right of its label, if there is one for it."""
        target = self.right.get((row, col), col) + 1
        there = dict(self._cells(row))
        if target not in there or re.search(r"[:：]\s*$", there[target]):
            return False
        if is_as_it_is(there[target], value):
            return True
        self.sheet.put(row, target, value or None)
        for after, text in there.items():
            if after > target and text.strip() and set(text.strip()) <= _PIECES:
                self.sheet.put(row, after, None)
        return True

    def _cells(self, row: int) -> Iterator[tuple[int, str]]:
        for col in range(1, _WIDEST):
            if self.sheet.has_cells(row, (col,)):
                yield col, self.sheet.text(row, col, self.shared)


def _put_in(package: Package, book: str, part: str, sheet: Sheet, rows: tuple[int, int, int]) -> None:
    """Put in rows, and let the names, comments and pictures that lie below follow."""
    at, count, model = rows
    sheet.put_in(at, count, model)
    _move_names(package, book, part, at, count)
    for relation in package.relations(part):
        if relation.is_external or relation.target not in package:
            continue
        old = package.read(relation.target)
        new = old
        if relation.kind == "vmlDrawing":
            new = _ROWS_IN_NOTES.sub(lambda m: b"%s%d%s" % (m[1], _moved(int(m[2]), at, count), m[3]), old)
        elif relation.kind in ("comments", "table"):
            new = _moved_refs(old, at, count)
        elif relation.kind == "drawing":
            new = _moved_anchors(old, at, count)
        if new != old:
            package.put(relation.target, new)


def _moved(row: int, at: int, count: int) -> int:
    """A row counted from 0, after rows were put in before row `at`, counted from 1."""
    return row + count if row >= at - 1 else row


def _moved_refs(data: bytes, at: int, count: int) -> bytes:
    root, changed = parse(data), False
    for node in root.iter():
        ref = node.get("ref") if isinstance(node.tag, str) else None
        if ref and pushed_down(ref, at, count) != ref:
            node.set("ref", pushed_down(ref, at, count))
            changed = True
    return serialise(root) if changed else data


def _moved_anchors(data: bytes, at: int, count: int) -> bytes:
    root, changed = parse(data), False
    for node in root.iter("{*}row"):
        row = int(node.text or 0)
        if _moved(row, at, count) != row:
            node.text = str(_moved(row, at, count))
            changed = True
    return serialise(root) if changed else data


def _move_names(package: Package, book: str, part: str, at: int, count: int) -> None:
    """Names that refer to the sheet: print area, repeated rows, and the office's own."""
    root, changed = parse(package.read(book)), False
    ids = {r.id for r in package.relations(book) if r.target == part}
    name = next(s.get("name") for s in root.iter("{*}sheet") if ids & set(map(str, s.attrib.values())))
    own = re.compile(rf"((?:{re.escape(name)}|'{re.escape(name.replace(chr(39), chr(39) * 2))}')!)([$A-Z0-9:]+)")
    for node in root.iter("{*}definedName"):
        text = own.sub(lambda m: m[1] + _moved_area(m[2], at, count), node.text or "")
        if text != node.text:
            node.text, changed = text, True
    if changed:
        package.put(book, serialise(root))


def _moved_area(area: str, at: int, count: int) -> str:
    moved = re.sub(r"(?<![A-Z$\d])\$(\d+)", lambda m: f"${int(m[1]) + count if int(m[1]) >= at else m[1]}", area)
    return pushed_down(moved, at, count)


def _forget_order(package: Package, book: str) -> None:
    """Drop the order in which formulas were last reckoned; office suites make it anew."""
    chain: Any = package.related(book, "calcChain")
    if chain:
        package.unrelate(book, chain)
        package.drop(chain)
