"""The annotated copy of a Word file: cells shaded and commented, our list at the end; all other parts as they came."""

from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

from ...findings import Finding, Place
from ..reading.wordfile import word_cells, word_tables
from .listing import WORD_CELL, Where, listed, note, worst
from .package import NotAnnotatable, Package, parse, serialise
from .wordlist import W, list_elements
from .wordmarks import BOOKMARK, comment, comment_on, shade, take_out

_W = f"{{{W}}}"
_MEDIA = "application/vnd.openxmlformats-officedocument.wordprocessingml.comments+xml"
_RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/comments"
Cells = dict[tuple[int, int, int], Any]


def annotated_document(data: bytes, findings: Sequence[Finding], title: Callable[[Place], str]) -> bytes:
    """The bytes of a document with our marks; those of an earlier time are taken out first."""
    package = Package(data)
    main = package.related("", "officeDocument") or "word/document.xml"
    root = parse(package.read(main))
    body = root.find(f"{_W}body")
    if body is None:
        raise NotAnnotatable("这种变体的 Word 文档（Strict Open XML）不能标注。请另存为普通的 .docx。")
    part = package.related(main, "comments")
    comments = parse(package.read(part)) if part else parse(f'<w:comments xmlns:w="{W}"/>'.encode())
    take_out(root, comments)
    bookmarks = _mark(root, comments, word_cells(body), findings)
    lines = listed(findings, title, _values(data, findings))
    last = body.find(f"{_W}sectPr")
    where = len(body) if last is None else body.index(last)
    body[where:where] = list_elements(findings, lines, bookmarks)
    package.put(main, serialise(root))
    _keep_comments(package, main, part, comments)
    return package.to_bytes()


def unmarked_document(data: bytes) -> bytes:
    """The bytes of a document without our marks."""
    package = Package(data)
    main = package.related("", "officeDocument") or "word/document.xml"
    root = parse(package.read(main))
    part = package.related(main, "comments")
    comments = parse(package.read(part)) if part else None
    take_out(root, comments)
    package.put(main, serialise(root))
    if comments is not None:
        _keep_comments(package, main, part, comments)
    return package.to_bytes()


def _mark(root: Any, comments: Any, cells: Cells, findings: Sequence[Finding]) -> dict[Place, str]:
    """Shade and comment every cell that a finding names; returns the bookmarks of the places."""
    found: dict[int, tuple[Any, list[Finding]]] = {}
    for finding in findings:
        named = WORD_CELL.fullmatch(finding.place.where)
        cell = cells.get((int(named[1]), int(named[2]), int(named[3]))) if named and not finding.place.file else None
        if cell is not None:
            found.setdefault(id(cell), (cell, []))[1].append(finding)
    number = _highest(root, comments)
    bookmarks: dict[Place, str] = {}
    for cell, group in found.values():
        shade(cell, worst(group))
        number += 1
        if comment_on(cell, number, f"{BOOKMARK}{number}"):
            comments.append(comment(number, note(group)))
            bookmarks |= {f.place: f"{BOOKMARK}{number}" for f in group}
    return bookmarks


def _highest(root: Any, comments: Any) -> int:
    """The highest number of a comment or a bookmark."""
    named = [*comments.iter(f"{_W}comment"), *root.iter(f"{_W}bookmarkStart")]
    numbers = [str(n.get(f"{_W}id", "")) for n in named]
    return max((int(n) for n in numbers if n.isdigit()), default=0)


def _values(data: bytes, findings: Sequence[Finding]) -> dict[Where, Any]:
    """What stands in the cells that the findings name."""
    wanted = [(f.place.where, m) for f in findings if (m := WORD_CELL.fullmatch(f.place.where))]
    tables = {t.ordinal: t for t in word_tables(data)[0]} if wanted else {}
    values: dict[Where, Any] = {}
    for where, named in wanted:
        table, row, col = (int(named[n]) for n in (1, 2, 3))
        cells = next(islice(tables[table].rows(), row - 1, row), []) if table in tables else []
        if col <= len(cells):
            values[None, where] = cells[col - 1]
    return values


def _keep_comments(package: Package, main: str, part: str | None, comments: Any) -> None:
    if part is not None and not len(comments):
        package.unrelate(main, part)
        package.drop(part)
    elif part is not None:
        package.put(part, serialise(comments))
    elif len(comments):
        part = package.free_name("word/comments{}.xml") if "word/comments.xml" in package else "word/comments.xml"
        package.put(part, serialise(comments))
        package.declare(part, _MEDIA)
        package.relate(main, "rIdGmNotes", _RELATION, part)
