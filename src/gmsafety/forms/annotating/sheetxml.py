"""Cells of a sheet's XML are restyled in its bytes; everything between them stays as it was, byte for byte."""

import re
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from xml.parsers import expat

from ..reading.tables import letters

_STYLE = re.compile(rb"\ss\s*=\s*(?:\"[^\"]*\"|'[^']*')")
_OTHER_STYLE = re.compile(rb"\sstyle\s*=\s*(?:\"[^\"]*\"|'[^']*')")
_NAME = re.compile(rb"<[^\s/>]+")
_ADDRESS = re.compile(r"([A-Za-z]{1,3})([0-9]{1,7})")
_MERGE = re.compile(rb"<(?:[\w.-]+:)?mergeCell\s[^>]*?\bref\s*=\s*[\"']([A-Z]{1,3}\d{1,7}):([A-Z]{1,3}\d{1,7})[\"']")
_DRAWN = re.compile(rb"<(?:[\w.-]+:)?legacyDrawing\s[^>]*?/>")
_AFTER_NOTES = frozenset(
    ("legacyDrawingHF", "drawingHF", "picture", "oleObjects", "controls", "AlternateContent", "webPublishItems",
     "tableParts", "extLst")
)  # fmt: skip

Edit = tuple[int, int, bytes]


def coordinates(address: str) -> tuple[int, int] | None:
    """Row and column of an address, counted from 1; None for what is no address."""
    found = _ADDRESS.fullmatch(address)
    return (int(found.group(2)), column_number(found.group(1))) if found else None


def column_number(name: str) -> int:
    """The number of a column: A is 1, AA is 27."""
    number = 0
    for letter in name.upper():
        number = number * 26 + ord(letter) - 64
    return number


def merged_areas(data: bytes) -> list[tuple[int, int, int, int]]:
    """The merged areas of a sheet: top, left, bottom, right."""
    areas = []
    for first, last in _MERGE.findall(data, data.rfind(b"sheetData")):
        start, end = coordinates(first.decode()), coordinates(last.decode())
        if start and end:
            areas.append((*start, *end))
    return areas


def without_notes(data: bytes) -> bytes:
    """A sheet that leads to no drawing of comments any more."""
    at = data.rfind(b"sheetData")
    return data[:at] + _DRAWN.sub(b"", data[at:])


def as_utf8(data: bytes) -> bytes:
    """The same XML in UTF-8, untouched where it is already."""
    head = data[:200]
    declared = re.search(rb"encoding\s*=\s*[\"']([\w-]+)", head)
    if not head.startswith((b"\xff\xfe", b"\xfe\xff")) and (
        not declared or declared[1].lower() in (b"utf-8", b"ascii")
    ):
        return data
    from .package import parse, serialise  # noqa: PLC0415 - rare

    return serialise(parse(data))


class _Walk:
    """Goes over the cells of a sheet by their positions in its bytes; its heirs say what is changed there."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.edits: list[Edit] = []
        self.prefix = ""
        self.row = self.col = self.depth = 0
        self.inside = self.idle = False
        self.row_start = 0

    def edited(self) -> bytes:
        """Walk, and return the bytes with every edit made."""
        parser = self.parser = expat.ParserCreate()
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.Parse(self.data, True)
        pieces, at = [], 0
        for start, end, text in sorted(self.edits, key=lambda e: e[:2]):
            pieces += [self.data[at:start], text]
            at = end
        return b"".join([*pieces, self.data[at:]])

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.inside and self.depth > 3:
            if self.depth == 4 and not self.idle and name.endswith("c"):
                found = _ADDRESS.fullmatch(attributes.get("r", ""))
                self.col = column_number(found.group(1)) if found else self.col + 1
                self.on_cell(self.parser.CurrentByteIndex, int(attributes.get("s") or 0))
            return
        prefix, _, local = name.rpartition(":")
        if self.inside and self.depth == 3:
            number = attributes.get("r", "")
            self.row, self.col = int(number) if number.isdigit() else self.row + 1, 0
            self.row_start = self.parser.CurrentByteIndex
            self.on_row(self.row_start, attributes)
        elif self.depth == 2:
            self.inside = local == "sheetData"
            if self.inside:
                self.prefix = f"{prefix}:" if prefix else ""
            self.on_part(local, self.parser.CurrentByteIndex)
        elif self.depth == 3 and local == "col":
            self.on_column(self.parser.CurrentByteIndex, attributes)

    def _end(self, name: str) -> None:
        self.depth -= 1
        if self.depth > 2:
            return
        if self.depth == 2 and self.inside:
            self.on_row_end(self.parser.CurrentByteIndex)
        elif self.depth == 1 and self.inside:
            self.on_data_end(self.parser.CurrentByteIndex)
            self.inside = False
        elif self.depth == 0:
            self.on_part("", self.parser.CurrentByteIndex)

    def on_part(self, local: str, at: int) -> None:
        """A child of the sheet begins; with no name, the sheet ends."""
        if local == "sheetData":
            self.data_start = at

    def on_column(self, at: int, attributes: Mapping[str, str]) -> None:
        """A column is described."""

    def on_row(self, at: int, attributes: Mapping[str, str]) -> None:
        """A row begins."""

    def on_cell(self, at: int, style: int) -> None:
        """A cell begins."""

    def on_row_end(self, at: int) -> None:
        """A row ends."""

    def on_data_end(self, at: int) -> None:
        """The rows end."""

    def tag_end(self, start: int) -> int:
        """Where a start tag ends; `>` may stand inside its attributes."""
        quote = 0
        for at in range(start, len(self.data)):
            byte = self.data[at]
            if quote:
                quote = 0 if byte == quote else quote
            elif byte in (34, 39):
                quote = byte
            elif byte == 62:
                return at + 1
        return len(self.data)

    def restyle(self, at: int, style: int | None, attribute: bytes = b"s") -> None:
        """Give a start tag another style; None takes the attribute out."""
        end = self.tag_end(at)
        tag = self.data[at:end]
        new = b"" if style is None else b' %s="%d"' % (attribute, style)
        pattern = _STYLE if attribute == b"s" else _OTHER_STYLE
        changed, count = pattern.subn(new, tag, count=1)
        if not count:
            name = _NAME.match(tag)
            cut = name.end() if name else 0
            changed = tag[:cut] + new + tag[cut:]
        self.edits.append((at, end, changed))

    def insert_before_end(self, start: int, at: int, text: bytes) -> None:
        """Put text at the end of an element that begins at `start` and ends at `at`, be it empty."""
        end = self.tag_end(start)
        if self.data[end - 2 : end] == b"/>":
            name = _NAME.match(self.data, start)
            closing = b"</" + (name.group()[1:] if name else b"") + b">"
            self.edits.append((end - 2, end, b">" + text + closing))
        else:
            self.edits.append((at, at, text))


class Marking(_Walk):
    """Gives cells the styles that `clone` makes of theirs; cells and rows that are not there are made.

    `wanted` holds what `clone` is told, by row and column; `notes` goes in where the drawing of comments belongs.
    """

    def __init__(
        self, data: bytes, wanted: Mapping[int, Mapping[int, str]], clone: Callable[[int, str], int], notes: str = ""
    ) -> None:
        super().__init__(data)
        self.wanted, self.clone = {r: dict(cols) for r, cols in wanted.items()}, clone
        self.pending = deque(sorted(self.wanted))
        self.notes = notes
        self.cols: dict[int, str] = {}
        self.columns: list[tuple[int, int, int]] = []
        self.row_style = 0
        self.made_cells: list[str] = []
        self.made_rows: list[int] = []

    def on_part(self, local: str, at: int) -> None:
        super().on_part(local, at)
        if self.notes and not self.inside and hasattr(self, "data_start") and (not local or local in _AFTER_NOTES):
            self.edits.append((at, at, self.notes.format(prefix=self.prefix).encode()))
            self.notes = ""

    def on_column(self, at: int, attributes: Mapping[str, str]) -> None:
        if "style" in attributes:
            span = (int(attributes.get("min", 0)), int(attributes.get("max", 0)), int(attributes["style"]))
            self.columns.append(span)

    def on_row(self, at: int, attributes: Mapping[str, str]) -> None:
        self._make_rows(at, self.row)
        if self.pending and self.pending[0] == self.row:
            self.pending.popleft()
        self.cols = self.wanted.pop(self.row, {})
        self.idle = not self.cols
        self.row_style = int(attributes.get("s") or 0) if attributes.get("customFormat") in ("1", "true") else 0

    def on_cell(self, at: int, style: int) -> None:
        if missing := self._missing(self.col):
            self.edits.append((at, at, missing))
        if self.col in self.cols:
            self.restyle(at, self.clone(style, self.cols.pop(self.col)))

    def on_row_end(self, at: int) -> None:
        if self.cols:
            self.insert_before_end(self.row_start, at, self._missing())

    def on_data_end(self, at: int) -> None:
        rows = self._rows(self.pending)
        if rows:
            self.insert_before_end(self.data_start, at, rows)

    def _make_rows(self, at: int, before: int) -> None:
        missing = []
        while self.pending and self.pending[0] < before:
            missing.append(self.pending.popleft())
        if missing:
            self.edits.append((at, at, self._rows(missing)))

    def _rows(self, numbers: Iterable[int]) -> bytes:
        made = []
        name = f"{self.prefix}row"
        for number in numbers:
            cells = self._cells(number, self.wanted.pop(number), 0)
            self.made_rows.append(number)
            made.append(f'<{name} r="{number}">{cells}</{name}>')
        return "".join(made).encode()

    def _cells(self, row: int, wanted: Mapping[int, str], style: int) -> str:
        made = []
        for col, severity in sorted(wanted.items()):
            before = style or next((s for low, high, s in self.columns if low <= col <= high), 0)
            address = f"{letters(col)}{row}"
            self.made_cells.append(address)
            made.append(f'<{self.prefix}c r="{address}" s="{self.clone(before, severity)}"/>')
        return "".join(made)

    def _missing(self, before: int | None = None) -> bytes:
        """The cells of this row that are still to be made, as far as a column."""
        missing = {c: self.cols.pop(c) for c in list(self.cols) if before is None or c < before}
        return self._cells(self.row, missing, self.row_style).encode()


class Unmarking(_Walk):
    """Gives cells back the styles they had; cells and rows that we made go, if nobody has filled them since."""

    def __init__(self, data: bytes, styles: Mapping[int, int], made_cells: set[str], made_rows: set[int]) -> None:
        super().__init__(data)
        self.styles, self.made_cells, self.made_rows = styles, made_cells, made_rows
        self.kept = 0

    def on_column(self, at: int, attributes: Mapping[str, str]) -> None:
        if int(attributes.get("style") or 0) in self.styles:
            self.restyle(at, self.styles[int(attributes["style"])], b"style")

    def on_row(self, at: int, attributes: Mapping[str, str]) -> None:
        self.kept = 0
        if int(attributes.get("s") or 0) in self.styles:
            self.restyle(at, self.styles[int(attributes["s"])])

    def on_cell(self, at: int, style: int) -> None:
        self.kept += 1
        if style not in self.styles:
            return
        before = self.styles[style]
        end = self.tag_end(at)
        if f"{letters(self.col)}{self.row}" in self.made_cells and self.data[end - 2 : end] == b"/>":
            self.edits.append((at, end, b""))
            self.kept -= 1
            return
        name = _NAME.match(self.data, at)
        was_added = not before and name is not None and self.data.startswith(b' s="%d"' % style, name.end())
        self.restyle(at, None if was_added else before)

    def on_row_end(self, at: int) -> None:
        if self.row in self.made_rows and not self.kept:
            self.edits = [e for e in self.edits if e[0] < self.row_start]
            end = self.tag_end(self.row_start)
            is_empty = self.data[end - 2 : end] == b"/>"
            self.edits.append((self.row_start, end if is_empty else self.tag_end(at), b""))
