"""Two revisions of a form, value by value, in the words of the paper."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection

from gmsafety.forms.reconcile import row_keys
from gmsafety.forms.record import Record

from ...carried import has_form
from ...errors import Problem
from ...node import Node
from ...scope import Viewer
from ...tables import AnyRow
from . import papers, service

Change = dict[str, str]


def compared(tx: Connection, node: Node, viewer: Viewer, uid: str, against: str) -> dict[str, Any]:
    """What a submission says otherwise than another revision of the same slot."""
    row, other = (service.find(tx, viewer, "submission.read", u) for u in (uid, against))
    if row.slot_id != other.slot_id:
        raise Problem("not-valid", "不是同一单位同一期的同一张表")
    if row.body is None or other.body is None:
        raise Problem("not-valid", "以文件报送的材料不能逐格比较")
    if not all(has_form(r.body, node.catalog) for r in (row, other)):
        raise Problem("not-valid", "没有插件再定义这张表，不能逐格比较")
    return {"uid": uid, "against": against, "changes": list(between(node, other, row))}


def between(node: Node, before: AnyRow, after: AnyRow) -> Iterator[Change]:
    """What one revision of a form says otherwise than an earlier one; nothing for documents."""
    old, new = papers.record_in(node, before), papers.record_in(node, after)
    if old is not None and new is not None:
        yield from changes(old, new)


def is_same(before: AnyRow, after: AnyRow) -> bool:
    """Tell whether two revisions say the same: equal files, or equal values in a form."""
    return bool(before.payload_hash == after.payload_hash or (before.body is not None and before.body == after.body))


def changes(before: Record, after: Record) -> Iterator[Change]:
    """Every header field, number, text, remark and row that differs."""
    form = after.form
    for field in form.header:
        old, new = before.header.get(field.id), after.header.get(field.id)
        yield from _told(field.label, field.label, field.kind.show(old), field.kind.show(new))
    yield from _told("表头", "零报告", "是" if before.nil else "", "是" if after.nil else "")
    if form.is_grid:
        yield from _rows(before, after)
        return
    for number, clause in enumerate(form.clauses, 1):
        where = f"第 {number} 行 · {clause.label}"
        for blank in clause.blanks:
            old, new = before.values.get(blank.path), after.values.get(blank.path)
            yield from _told(where, form.label_of(blank.path), blank.kind.show(old), blank.kind.show(new))
        yield from _told(where, "备注", before.remarks.get(clause.id, ""), after.remarks.get(clause.id, ""))


def _told(where: str, label: str, old: str, new: str) -> Iterator[Change]:
    if old != new:
        yield {"where": where, "label": label, "before": old, "after": new, "kind": "changed"}


def _rows(before: Record, after: Record) -> Iterator[Change]:
    """Rows of the same key are the same row; of those left over, rows with the same serial number are."""
    old, new = _by_key(before), _by_key(after)
    pairs = [pair for key in new for pair in zip(old.get(key, []), new[key], strict=False)]
    gone, come = ({*range(len(r.rows))} - {p[i] for p in pairs} for i, r in enumerate((before, after)))
    numbered = {_name(before, i): i for i in sorted(gone)}
    for index in sorted(come):
        if (other := numbered.pop(_name(after, index), None)) is not None:
            pairs.append((other, index))
    for other, index in sorted(pairs, key=lambda p: p[1]):
        yield from _cells(before, after, other, index)
    for index in sorted(come - {p[1] for p in pairs}):
        yield {
            "where": _name(after, index),
            "label": "整行",
            "before": "",
            "after": _line(after, index),
            "kind": "added",
        }
    for index in sorted(gone - {p[0] for p in pairs}):
        told = {"before": _line(before, index), "after": "", "kind": "removed"}
        yield {"where": _name(before, index), "label": "整行", **told}


def _by_key(record: Record) -> dict[tuple[object, ...], list[int]]:
    found = defaultdict(list)
    for index, key in enumerate(row_keys(record)):
        found[key].append(index)
    return found


def _cells(before: Record, after: Record, other: int, index: int) -> Iterator[Change]:
    mine, theirs = before.rows[other], after.rows[index]
    for column in after.form.columns:
        old, new = (column.kind.show(r.get(column.id)) for r in (mine, theirs))
        yield from _told(_name(after, index), column.label, old, new)


def _name(record: Record, index: int) -> str:
    serial = next((c.id for c in record.form.columns if c.type == "serial"), "")
    number = record.rows[index].get(serial)
    return f"序号 {number}" if number is not None else f"第 {index + 1} 条"


def _line(record: Record, index: int) -> str:
    row = record.rows[index]
    return "，".join(record.form.by_id[k].kind.show(row.get(k)) for k in record.form.key if row.get(k) is not None)
