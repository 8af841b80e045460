"""Two revisions of a form, value by value, in the words of the paper."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection

from gmsafety.forms.comparing import Comparison, RowChange, compare

from ...carried import has_form
from ...errors import Problem
from ...node import Node
from ...scope import Viewer
from ...tables import AnyRow
from . import papers, service

Line = dict[str, str]


def compared(tx: Connection, node: Node, viewer: Viewer, uid: str, against: str) -> dict[str, Any]:
    """What a submission says otherwise than another revision of the same slot."""
    row, other = (service.find(tx, viewer, "submission.read", u) for u in (uid, against))
    if row.slot_id != other.slot_id:
        raise Problem("not-valid", "不是同一单位同一期的同一张表")
    if row.body is None or other.body is None:
        raise Problem("not-valid", "以文件报送的材料不能逐格比较")
    if not all(has_form(r.body, node.catalog) for r in (row, other)):
        raise Problem("not-valid", "没有插件再定义这张表，不能逐格比较")
    found = between(node, other, row)
    return {"uid": uid, "against": against, "row": row, "other": other, **told(found)}


def between(node: Node, before: AnyRow, after: AnyRow) -> Comparison | None:
    """What one revision of a form says otherwise than an earlier one; None for documents."""
    old, new = papers.record_in(node, before), papers.record_in(node, after)
    return compare(old, new) if old is not None and new is not None else None


def is_same(before: AnyRow, after: AnyRow) -> bool:
    """Tell whether two revisions say the same: equal files, or equal values in a form."""
    return bool(before.payload_hash == after.payload_hash or (before.body is not None and before.body == after.body))


def told(found: Comparison | None) -> dict[str, Any]:
    """How much differs, in a sentence and by kind, and every difference as a line."""
    if found is None:
        return {"count": 0, "counts": {}, "words": "", "changes": []}
    return {"count": found.count, "counts": found.counts, "words": found.in_words, "changes": list(lines(found))}


def lines(found: Comparison) -> Iterator[Line]:
    """Header, numbers, texts and remarks that differ, then rows by what happened to them."""
    for value in found.values:
        yield _line("changed", value.path, value.where, value.label, value.before, value.after)
    for row in found.rows:
        if row.kind in ("changed", "renumbered"):
            yield from (_line(row.kind, c.path, row.where, c.label, c.before, c.after) for c in row.cells)
        else:
            yield _line(row.kind, _path(row), row.where, "整行", *_ends(row))


def _ends(row: RowChange) -> tuple[str, str]:
    """A whole row before and after: what it is told by, or where a row that only moved stood and stands."""
    if row.was is not None and row.row is not None:
        return f"第 {row.was + 1} 条", f"第 {row.row + 1} 条"
    return ("", row.line) if row.was is None else (row.line, "")


def _path(row: RowChange) -> str:
    return f"rows[{row.was if row.row is None else row.row}]"


def _line(kind: str, path: str, where: str, label: str, before: str, after: str) -> Line:
    return {"kind": kind, "path": path, "where": where, "label": label, "before": before, "after": after}
