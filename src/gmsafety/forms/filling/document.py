"""A Word file filled in: the text of value cells is set in the look of their first run; rows are copied."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from ..annotating.package import Package, parse, serialise
from ..columns import FormField
from ..reading.header import gaps
from ..reading.identify import Match
from ..reading.wordfile import word_cells
from ..record import Record
from .plan import as_words, header_texts, is_as_it_is, planned, signed_texts

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_SPACE = "{http://www.w3.org/XML/1998/namespace}space"
_PIECES = frozenset("年月日")


def filled_document(data: bytes, record: Record, match: Match) -> bytes:
    """The bytes of a document with a record in it."""
    package = Package(data)
    part = package.related("", "officeDocument") or "word/document.xml"
    root = parse(package.read(part))
    body = root.find(f"{_W}body")
    ordinal = match.table.ordinal or 1
    cells = word_cells(body)
    plan = planned(record, match, lambda row, _: any((ordinal, row + 1, c) in cells for c in (1, 2, 3)))
    if plan.more:
        _put_in(cells, ordinal, plan.model, plan.more, before=plan.before)
        cells = word_cells(body)
    values = [(cells.get((ordinal, row + 1, col + 1)), value) for (row, col), value in plan.cells.items()]
    _fill_lines(body, record, [c for c, _ in values if c is not None], cells)
    for cell, value in values:
        if cell is not None:
            set_text(cell, as_words(value))
    package.put(part, serialise(root))
    return package.to_bytes()


def _put_in(cells: dict[tuple[int, int, int], Any], ordinal: int, model: int, count: int, *, before: bool) -> None:
    """Put copies of a row in, without what stands in it; a row of headings is not copied as one."""
    row = next(cells[ordinal, model + 1, col].getparent() for col in range(1, 64) if (ordinal, model + 1, col) in cells)
    while row.tag != f"{_W}tr":
        row = row.getparent()
    for _ in range(count):
        copy = deepcopy(row)
        for mark in list(copy.iter(f"{_W}tblHeader")):
            mark.getparent().remove(mark)
        for cell in copy.iterfind(f"{_W}tc"):
            set_text(cell, "")
        if before:
            row.addprevious(copy)
        else:
            row.addnext(copy)


def set_text(cell: Any, text: str) -> None:
    """Set the text of a cell: lines as paragraphs, in the look of its first paragraph and run."""
    for control in cell.iter(f"{_W}sdtPr"):
        for mark in control.findall(f"{_W}showingPlcHdr"):
            control.remove(mark)
    paragraphs = [p for p in cell.iter(f"{_W}p") if _owner(p) is cell]
    if not paragraphs:
        paragraphs = [cell.makeelement(f"{_W}p")]
        cell.append(paragraphs[0])
    first, *others = paragraphs
    look = _look(first)
    for other in others:
        other.getparent().remove(other)
    for child in [c for c in first if c.tag != f"{_W}pPr"]:
        first.remove(child)
    shape = deepcopy(first)
    paragraph = first
    for number, line in enumerate(text.split("\n")):
        if number:
            following = deepcopy(shape)
            paragraph.addnext(following)
            paragraph = following
        if line:
            paragraph.append(_run(paragraph, line, look))


def _owner(paragraph: Any) -> Any:
    return next((a for a in paragraph.iterancestors() if a.tag == f"{_W}tc"), None)


def _look(paragraph: Any) -> Any:
    """The look of a paragraph's first run; of the paragraph's end where it has none."""
    for run in paragraph.iter(f"{_W}r"):
        return run.find(f"{_W}rPr")
    return paragraph.find(f"{_W}pPr/{_W}rPr")


def _run(paragraph: Any, text: str, look: Any) -> Any:
    run = paragraph.makeelement(f"{_W}r")
    if look is not None:
        run.append(deepcopy(look))
    node = run.makeelement(f"{_W}t")
    node.text = text
    node.set(_SPACE, "preserve")
    run.append(node)
    return run


def _fill_lines(body: Any, record: Record, values: list[Any], cells: dict[tuple[int, int, int], Any]) -> None:
    """Write what the header and the lines for signatures say, wherever their labels stand around the value cells."""
    inside = set(values)
    paragraphs = [p for p in body.iter(f"{_W}p") if _owner(p) not in inside]
    first = values[0] if values else None
    after = len(paragraphs)
    if first is not None:
        order = {node: number for number, node in enumerate(body.iter(f"{_W}p", f"{_W}tc"))}
        after = sum(order[p] < order[first] for p in paragraphs)
    left = _fill(paragraphs[:after], record.form.header, header_texts(record))
    _fill(paragraphs[after:], record.form.header, left)
    _fill(paragraphs[after:], record.form.signatures, signed_texts(record))


def _fill(paragraphs: list[Any], fields: tuple[FormField, ...], texts: dict[str, str]) -> dict[str, str]:
    left = dict(texts)
    for paragraph in paragraphs:
        if not left:
            break
        text = "".join(t for _, t in _pieces(paragraph))
        places = sorted((g for g in gaps(fields, text) if g.field in left), key=lambda g: -g.start)
        if len(places) == 1 and places[0].is_alone and _beside(paragraph, left[places[0].field]):
            del left[places[0].field]
            continue
        for gap in places:
            if gap.field in left:
                value = left.pop(gap.field)
                if not is_as_it_is(text[gap.start : gap.end], value):
                    _put(paragraph, gap.start, gap.end, value, is_last=gap.end == len(text))
    return left


def _beside(paragraph: Any, value: str) -> bool:
    """Write a value into the cell to the right of its label's, if there is one for it."""
    own = _owner(paragraph)
    rest = list(own.itersiblings(f"{_W}tc")) if own is not None else []
    if not rest or _said(rest[0]).rstrip()[-1:] in (":", "："):
        return False
    if is_as_it_is(_said(rest[0]), value):
        return True
    set_text(rest[0], value)
    for cell in rest[1:]:
        said = _said(cell).strip()
        if said and set(said) <= _PIECES:
            set_text(cell, "")
    return True


def _said(cell: Any) -> str:
    return "".join(t.text or "" for t in cell.iter(f"{_W}t"))


def _pieces(paragraph: Any) -> Iterator[tuple[Any, str]]:
    """The texts of a paragraph with the nodes that hold them; a tab is a space that stays."""
    for node in paragraph.iter(f"{_W}t", f"{_W}tab"):
        if node.tag == f"{_W}t":
            yield node, node.text or ""
        elif node.getparent().tag == f"{_W}r":
            yield node, "\t"


def _put(paragraph: Any, start: int, end: int, value: str, *, is_last: bool) -> None:
    """Put a value into the gap between two places of a paragraph; tabs stay, blanks go."""
    at, target, has_tab = 0, None, False
    for node, text in list(_pieces(paragraph)):
        low, high = max(start, at), min(end, at + len(text))
        if node.tag == f"{_W}tab":
            has_tab = has_tab or start <= at < end
        elif low < high or at < start == at + len(text):
            if target is None or (low < high and target[1] is None and not has_tab):
                target = (node, (low - at, high - at) if low < high else None, text)
            if low < high:
                node.text = text[: low - at] + text[high - at :]
        at += len(text)
    if target is None:
        paragraph.append(_run(paragraph, value, _look(paragraph)))
        return
    node, place, text = target
    cut = place[0] if place else len(text)
    pad = "" if is_last or has_tab else "\u3000\u3000"
    kept = node.text or ""
    node.text = f"{kept[:cut]}{value}{pad}{kept[cut:]}"
    node.set(_SPACE, "preserve")
