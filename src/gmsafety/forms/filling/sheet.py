"""The XML of a sheet: cells that are given values, rows that are put in; everything else stays as it is."""

import re
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from datetime import date
from typing import Any

from ..annotating.package import parse, serialise
from ..annotating.sheetxml import coordinates
from ..reading.tables import letters
from ..types.dates import chinese_date

_REFERENCE = re.compile(r"(?<![\w.!'\"(])(\$?)([A-Z]{1,3})(\$?)(\d{1,7})(?![\w(!.])")
_EPOCH = date(1899, 12, 30)
_ATTRIBUTES = (("mergeCell", "ref"), ("hyperlink", "ref"), ("autoFilter", "ref"), ("dimension", "ref"),
               ("dataValidation", "sqref"), ("conditionalFormatting", "sqref"), ("protectedRange", "sqref"),
               ("ignoredError", "sqref"))  # fmt: skip


def pushed_down(text: str, at: int, count: int) -> str:
    """References in a text, those to row `at` and below by `count` rows further down."""

    def moved(match: re.Match[str]) -> str:
        row = int(match.group(4))
        return "".join((*match.group(1, 2, 3), str(row + count if row >= at else row)))

    return _REFERENCE.sub(moved, text)


def formula_pushed_down(formula: str, at: int, count: int) -> str:
    """A formula, its references to rows of its own sheet moved."""
    from openpyxl.formula import Tokenizer  # noqa: PLC0415 - only where there are formulas

    tokens = Tokenizer(f"={formula}").items
    own = (t.type == "OPERAND" and t.subtype == "RANGE" and "!" not in t.value for t in tokens)
    return "".join(pushed_down(t.value, at, count) if mine else t.value for t, mine in zip(tokens, own, strict=True))


class Sheet:
    """One sheet of a package; rows and columns are counted from 1. `days` are the styles that show a date."""

    def __init__(self, data: bytes, days: frozenset[int]) -> None:
        self.root = parse(data)
        self.days = days
        self.body = self.root.find("{*}sheetData")
        self.space = str(self.body.tag).removesuffix("sheetData")
        self.lost_formula = False
        self._number()

    def _number(self) -> None:
        """Find the rows and cells, and say where they stand, which may be left open."""
        self.rows: dict[int, Any] = {}
        row_number = 0
        for row in self.body.iterchildren(f"{self.space}row"):
            row_number = int(row.get("r") or row_number + 1)
            self.rows[row_number] = row

    def _cells(self, row: Any) -> Iterator[tuple[int, Any]]:
        col = 0
        for cell in row.iterchildren(f"{self.space}c"):
            found = coordinates(cell.get("r") or "")
            col = found[1] if found else col + 1
            yield col, cell

    @property
    def merges(self) -> list[tuple[int, int, int, int]]:
        """Merged areas: top, left, bottom, right."""
        found = []
        for node in self.root.iter(f"{self.space}mergeCell"):
            first, _, last = str(node.get("ref")).partition(":")
            start, end = coordinates(first), coordinates(last or first)
            if start and end:
                found.append((*start, *end))
        return found

    def has_cells(self, row: int, columns: Iterable[int]) -> bool:
        """Tell whether a row has cells in most of some columns, filled or not."""
        wanted = set(columns)
        there = {col for col, _ in self._cells(self.rows[row])} if row in self.rows else set[int]()
        return len(there & wanted) * 2 > len(wanted)

    def text(self, row: int, col: int, shared: list[str]) -> str:
        """The text of a cell; empty where it holds none."""
        cell = dict(self._cells(self.rows[row])).get(col) if row in self.rows else None
        if cell is None:
            return ""
        value = cell.find(f"{self.space}v")
        if cell.get("t") == "s" and value is not None and str(value.text).isdigit():
            return shared[int(value.text)]
        inline = cell.find(f"{self.space}is")
        if inline is not None:
            return "".join(t.text or "" for t in inline.iter(f"{self.space}t"))
        return str(value.text or "") if value is not None and cell.get("t") == "str" else ""

    def put(self, row: int, col: int, value: Any) -> None:
        """Give a cell a value, and leave its style; None empties it."""
        cell = self._cell(row, col, make=value is not None)
        if cell is None:
            return
        self.lost_formula = self.lost_formula or cell.find(f"{self.space}f") is not None
        for child in list(cell):
            cell.remove(child)
        cell.attrib.pop("t", None)
        if isinstance(value, date) and int(cell.get("s") or 0) in self.days:
            value = (value - _EPOCH).days
        elif isinstance(value, date):
            value = chinese_date(value)
        if isinstance(value, str):
            cell.set("t", "inlineStr")
            text = cell.makeelement(f"{self.space}t")
            text.text = value
            text.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
            holder = cell.makeelement(f"{self.space}is")
            holder.append(text)
            cell.append(holder)
        elif value is not None:
            number = cell.makeelement(f"{self.space}v")
            number.text = repr(value) if isinstance(value, float) else str(value)
            cell.append(number)

    def _cell(self, row: int, col: int, *, make: bool) -> Any:
        line = self.rows.get(row)
        if line is None:
            if not make:
                return None
            line = self.body.makeelement(f"{self.space}row", {"r": str(row)})
            self.body.insert(sum(r < row for r in self.rows), line)
            self.rows[row] = line
        before = 0
        for number, (at, cell) in enumerate(self._cells(line), 1):
            if at == col:
                return cell
            before = number if at < col else before
        if not make:
            return None
        cell = line.makeelement(f"{self.space}c", {"r": f"{letters(col)}{row}"})
        line.insert(before, cell)
        return cell

    def put_in(self, at: int, count: int, model: int) -> None:
        """Put in copies of a row before row `at`, and push down what stands there and below."""
        source = deepcopy(self.rows[model]) if model in self.rows else None
        spans = [area for area in self.merges if area[0] == area[2] == model]
        below = next((row for number, row in sorted(self.rows.items()) if number >= at), None)
        for number, row in self.rows.items():
            self._move(row, number + count if number >= at else number)
        for node in self.root.iter(f"{self.space}f"):
            node.text = formula_pushed_down(node.text, at, count) if node.text else node.text
            if node.get("ref"):
                node.set("ref", pushed_down(node.get("ref"), at, count))
        for tag, name in _ATTRIBUTES:
            for node in self.root.iter(f"{self.space}{tag}"):
                if node.get(name):
                    node.set(name, pushed_down(node.get(name), at, count))
        for brk in self.root.iterfind(f"{self.space}rowBreaks/{self.space}brk"):
            if int(brk.get("id") or 0) >= at - 1:
                brk.set("id", str(int(brk.get("id")) + count))
        for number in range(at, at + count) if source is not None else ():
            self._copy(source, number, spans, below)
        self._number()

    def _move(self, row: Any, number: int) -> None:
        row.set("r", str(number))
        for col, cell in self._cells(row):
            cell.set("r", f"{letters(col)}{number}")

    def _copy(self, source: Any, number: int, spans: list[tuple[int, int, int, int]], below: Any) -> None:
        """Put in one copy above what lies below: styles and height, but no values."""
        row = deepcopy(source)
        self._move(row, number)
        for _, cell in self._cells(row):
            cell.attrib.pop("t", None)
            for child in list(cell):
                cell.remove(child)
        if below is None:
            self.body.append(row)
        else:
            below.addprevious(row)
        holder = self.root.find(f"{self.space}mergeCells")
        for _, left, _, right in spans:
            ref = f"{letters(left)}{number}:{letters(right)}{number}"
            holder.append(holder.makeelement(f"{self.space}mergeCell", {"ref": ref}))
            if holder.get("count"):
                holder.set("count", str(len(holder)))

    def to_bytes(self) -> bytes:
        """The XML."""
        return serialise(self.root)


def day_styles(data: bytes | None) -> frozenset[int]:
    """The numbers of the styles that show a date."""
    if data is None:
        return frozenset()
    from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format  # noqa: PLC0415 - only where it is needed

    root = parse(data)
    formats: Mapping[int, str] = {
        **BUILTIN_FORMATS,
        **dict.fromkeys((*range(27, 37), *range(50, 59)), "yyyy/m/d"),  # what Chinese editions have there
        **{int(n.get("numFmtId")): str(n.get("formatCode")) for n in root.iter("{*}numFmt")},
    }
    looks = root.find("{*}cellXfs")
    kinds = [int(x.get("numFmtId") or 0) for x in looks] if looks is not None else []
    return frozenset(i for i, kind in enumerate(kinds) if is_date_format(formats.get(kind)))


def shared_texts(data: bytes | None) -> list[str]:
    """The texts that cells share."""
    if data is None:
        return []
    return ["".join(t.text or "" for t in node.iter("{*}t")) for node in parse(data).iterchildren("{*}si")]


__all__ = ["Sheet", "day_styles", "pushed_down", "shared_texts"]
