"""Word files as tables: merged cells, nested tables, text boxes, content controls, tracked changes."""

import io
import posixpath
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from ...findings import FILE, Finding
from ...kinds import KINDS
from ..marks import guide_in_document, list_in_document
from ..types.text import shorten
from .numbering import Numbering
from .tables import Row, Table

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_SKIP = frozenset(
    {
        f"{_W}del",
        f"{_W}moveFrom",
        f"{_W}instrText",
        f"{_W}txbxContent",
        f"{_W}tbl",
        f"{_MC}Fallback",
        f"{_W}pPr",
        f"{_W}rPr",
        f"{_W}rt",
    }
)
_MOST_COLUMNS = 200
_MOST_ROWS = 200_000


def word_tables(data: bytes) -> tuple[list[Table], list[Finding]]:
    """Return the tables of a document in reading order, outer ones before those inside them."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            parser = etree.XMLParser(resolve_entities=False, no_network=True)
            root = etree.fromstring(package.read(_main_part(package)), parser)
            numbering = Numbering.of(package, parser)
    except (KeyError, etree.XMLSyntaxError, zipfile.BadZipFile) as error:
        return [], [KINDS["corrupt-file"].at(FILE, why=shorten(error, 60))]
    body = root.find(f"{_W}body")
    walk = _Walk(numbering)
    if body is None:
        return [], [KINDS["unsupported-format"].at(FILE, actual="这种变体的 Word 文档（Strict Open XML）")]
    for ours in (*list_in_document(body), *guide_in_document(body)):
        body.remove(ours)
    walk.container(body, inside=None, in_textbox=False)
    return walk.finished(), []


def word_cells(body: Any) -> dict[tuple[int, int, int], Any]:
    """The cells of a document's tables by table, row and column as a finding names them; merged ones by their first."""
    at: dict[tuple[int, int, int], Any] = {}
    _Walk(Numbering(), at).container(body, inside=None, in_textbox=False)
    return at


def has_picture(data: bytes) -> bool:
    """Tell whether a document holds pictures (a scanned table, perhaps)."""
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        return any(n.startswith("word/media/") for n in package.namelist())


def _main_part(package: zipfile.ZipFile) -> str:
    if "_rels/.rels" in package.namelist():
        parser = etree.XMLParser(resolve_entities=False, no_network=True)
        for rel in etree.fromstring(package.read("_rels/.rels"), parser).iter("{*}Relationship"):
            if str(rel.get("Type", "")).endswith("/officeDocument"):
                return posixpath.normpath(str(rel.get("Target"))).lstrip("/")
    return "word/document.xml"


@dataclass
class _Draft:
    ordinal: int
    rows: list[Row]
    covered: dict[tuple[int, int], int]
    above: tuple[str, ...]
    inside: int | None
    in_textbox: bool
    below: list[str] = field(default_factory=list)


class _Walk:
    """Goes through a document once, collecting tables and the lines between them."""

    def __init__(self, numbering: Numbering, at: dict[tuple[int, int, int], Any] | None = None) -> None:
        self.numbering = numbering
        self.at = at
        self.drafts: list[_Draft] = []
        self.lines: list[str] = []

    def finished(self) -> list[Table]:
        return [
            Table(
                rows=lambda rows=d.rows: iter(rows),  # type: ignore[misc]  # binds this draft's rows
                ordinal=d.ordinal,
                covered=d.covered,
                above=d.above,
                below=tuple(d.below),
                inside=d.inside,
                in_textbox=d.in_textbox,
            )
            for d in self.drafts
        ]

    def container(self, node: Any, *, inside: int | None, in_textbox: bool) -> None:
        """Walk paragraphs and tables of a body, a cell or a text box."""
        for child in _unwrapped(node):
            if child.tag == f"{_W}p":
                text = _text(child)
                if text:
                    self._line(text)
                for box in _textboxes(child):
                    self.container(box, inside=inside, in_textbox=True)
            elif child.tag == f"{_W}tbl":
                self.table(child, inside=inside, in_textbox=in_textbox)

    def _line(self, text: str) -> None:
        self.lines.append(text)
        if self.drafts:
            self.drafts[-1].below.append(text)

    def table(self, node: Any, *, inside: int | None, in_textbox: bool) -> None:
        draft = _Draft(len(self.drafts) + 1, [], {}, tuple(self.lines), inside, in_textbox)
        self.drafts.append(draft)
        self.lines = []
        anchors: dict[int, int] = {}
        for number, row in enumerate(_rows(node)):
            if number >= _MOST_ROWS:
                break
            draft.rows.append(self._row(row, number, draft, anchors))

    def _row(self, row: Any, number: int, draft: _Draft, anchors: dict[int, int]) -> Row:
        cells: Row = [""] * min(_int(row.find(f"{_W}trPr/{_W}gridBefore")), _MOST_COLUMNS)
        for cell in _unwrapped(row):
            if cell.tag != f"{_W}tc" or len(cells) > _MOST_COLUMNS:
                continue
            span = max(1, min(_int(cell.find(f"{_W}tcPr/{_W}gridSpan"), 1), _MOST_COLUMNS))
            merge = cell.find(f"{_W}tcPr/{_W}vMerge")
            col = len(cells)
            continues = merge is not None and merge.get(f"{_W}val", "continue") == "continue" and col in anchors
            for offset in range(span):
                if continues:
                    draft.covered[number, col + offset] = anchors[col]
                elif merge is not None:
                    anchors[col + offset] = number
                else:
                    anchors.pop(col + offset, None)
            if self.at is not None:
                first = self.at.get((draft.ordinal, anchors[col] + 1, col + 1)) if continues else None
                for offset in range(span):
                    self.at[draft.ordinal, number + 1, col + offset + 1] = cell if first is None else first
            text = "" if continues else self._cell_text(cell)
            cells += [text] + [""] * (span - 1)
            self._nested(cell, draft)
        return cells

    def _cell_text(self, cell: Any) -> str:
        """The paragraphs of a cell, with the numbers Word prints before them; else those of a table inside it."""
        lines = [f"{self.numbering.mark(p)}{t}" for p in _paragraphs(cell) if (t := _text(p))]
        inner = [] if lines else [p for c in _unwrapped(cell) if c.tag == f"{_W}tbl" for p in c.iter(f"{_W}p")]
        return "\n".join(lines or [t for p in inner if (t := _text(p))])

    def _nested(self, cell: Any, draft: _Draft) -> None:
        """Collect tables inside a cell, with the lines of the outer table's cells above them."""
        inner = [c for c in _unwrapped(cell) if c.tag == f"{_W}tbl"]
        boxes = [b for p in _paragraphs(cell) for b in _textboxes(p)]
        if not inner and not boxes:
            return
        outer = [
            *draft.above,
            *(str(c) for row in draft.rows for c in row if c),
            *(t for p in _paragraphs(cell) if (t := _text(p))),
        ]
        self.lines = outer
        for table in inner:
            self.table(table, inside=draft.ordinal, in_textbox=False)
        for box in boxes:
            self.container(box, inside=draft.ordinal, in_textbox=True)
        self.lines = []


def _unwrapped(node: Any) -> Iterator[Any]:
    """Children, with content controls, insertions and smart tags looked through."""
    for child in node:
        if _is_placeholder(child):
            continue
        if child.tag in (f"{_W}sdt", f"{_W}sdtContent", f"{_W}ins", f"{_W}smartTag", f"{_W}customXml", f"{_W}moveTo"):
            yield from _unwrapped(child)
        else:
            yield child


def _rows(table: Any) -> Iterator[Any]:
    return (row for row in _unwrapped(table) if row.tag == f"{_W}tr" and row.find(f"{_W}trPr/{_W}del") is None)


def _paragraphs(cell: Any) -> Iterator[Any]:
    return (p for p in _unwrapped(cell) if p.tag == f"{_W}p")


def _textboxes(paragraph: Any) -> Iterator[Any]:
    for box in paragraph.iter(f"{_W}txbxContent"):
        parents = {a.tag for a in box.iterancestors()}
        if f"{_MC}Fallback" not in parents and not any(a.tag == f"{_W}txbxContent" for a in box.iterancestors()):
            yield box


def _text(node: Any) -> str:
    out: list[str] = []
    _collect(node, out)
    return "".join(out).strip()


def _collect(node: Any, out: list[str]) -> None:
    for child in node:
        if child.tag in _SKIP or (child.tag == f"{_W}r" and _is_unseen(child)) or _is_placeholder(child):
            continue
        if child.tag in (f"{_W}t", f"{_M}t"):
            out.append(child.text or "")
        elif child.tag in (f"{_W}br", f"{_W}cr"):
            out.append("\n")
        elif child.tag in (f"{_W}tab", f"{_W}ptab"):
            out.append(" ")
        elif child.tag == f"{_W}noBreakHyphen":
            out.append("-")
        else:
            _collect(child, out)


def _is_unseen(run: Any) -> bool:
    """Tell whether a run is hidden, struck out, or a raised note mark: nothing a reader takes for the text."""
    look = run.find(f"{_W}rPr")
    if look is None:
        return False
    for tag in ("vanish", "strike", "dstrike"):
        mark = look.find(f"{_W}{tag}")
        if mark is not None and mark.get(f"{_W}val", "true") not in ("0", "false", "off"):
            return True
    raised = look.find(f"{_W}vertAlign")
    return raised is not None and raised.get(f"{_W}val") == "superscript"


def _is_placeholder(node: Any) -> bool:
    """Tell whether a content control only shows what to type into it."""
    return node.tag == f"{_W}sdt" and node.find(f"{_W}sdtPr/{_W}showingPlcHdr") is not None


def _int(node: Any, default: int = 0) -> int:
    value = node.get(f"{_W}val") if node is not None else None
    return int(value) if value is not None and value.isdigit() else default
