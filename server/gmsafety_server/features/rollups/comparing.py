"""What a correction below changes: two roll-ups of the same form, cell by cell, and whose revision each change is."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from gmsafety.forms.reconcile import row_keys

from .reckoning import Made
from .tracing import labelled

Revisions = dict[str, dict[str, Any]]


def changes(before: Made, after: Made) -> list[dict[str, Any]]:
    """Every cell (of a ledger: every row) that differs."""
    moved = _moved(before, after)
    found = _rows(before, after, moved) if before.parts.form.is_grid else _values(before, after, moved)
    return list(found)


def _moved(before: Made, after: Made) -> Revisions:
    """The units whose counted submission is another one now."""
    told: Revisions = {}
    for name in {**before.lower, **after.lower}:
        old, new = before.lower.get(name), after.lower.get(name)
        if (old.row.id if old else None) != (new.row.id if new else None):
            unit = (new or old).row.unit  # type: ignore[union-attr]  # one of the two
            revisions = {"before": old.row.revision if old else None, "after": new.row.revision if new else None}
            told[name] = {"unit": unit, "unit_name": name, **revisions}
    return told


def _values(before: Made, after: Made, moved: Revisions) -> Iterator[dict[str, Any]]:
    form = before.parts.form
    for path, blank in form.blanks.items():
        old, new = before.record.values[path], after.record.values[path]
        if old == new:
            continue
        was, now = ({s.unit: s.value for s in m.result.sources.get(path, ())} for m in (before, after))
        because = [told for name, told in moved.items() if was.get(name) != now.get(name)]
        shown = {"before": blank.kind.show(old), "after": blank.kind.show(new)}
        yield _told("changed", path, labelled(form, path), **shown, because=because)


def _rows(before: Made, after: Made, moved: Revisions) -> Iterator[dict[str, Any]]:
    old, new = _by_key(before), _by_key(after)
    for key in dict.fromkeys((*old, *new)):
        because = [told for name, told in moved.items() if name == key[0]]
        mine, theirs = old.get(key, []), new.get(key, [])
        for one, other in zip(mine, theirs, strict=False):
            columns = _columns(before, after, one, other)
            if columns:
                yield _told("changed", f"rows[{other}]", _words(after, other), columns=columns, because=because)
        for index in mine[len(theirs) :]:
            yield _told("removed", f"rows[{index}]", _words(before, index), because=because)
        for index in theirs[len(mine) :]:
            yield _told("added", f"rows[{index}]", _words(after, index), because=because)


def _by_key(made: Made) -> dict[tuple[Any, ...], list[int]]:
    """Rows by the unit they came from and the columns that make a row the row it is."""
    found: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    keys = list(row_keys(made.record)) or [()] * len(made.record.rows)
    for index, (source, key) in enumerate(zip(made.result.row_sources, keys, strict=True)):
        found[source.unit, *key].append(index)
    return found


def _columns(before: Made, after: Made, one: int, other: int) -> list[dict[str, str]]:
    old, new = before.record.rows[one], after.record.rows[other]
    told = []
    for column in before.parts.form.columns:
        was, now = old.get(column.id), new.get(column.id)
        if column.type != "serial" and was != now:
            told.append({"label": column.label, "before": column.kind.show(was), "after": column.kind.show(now)})
    return told


def _words(made: Made, index: int) -> str:
    row, form = made.record.rows[index], made.parts.form
    words = (form.type_of(name).show(row.get(name)) for name in form.key)
    return f"第{index + 1}行 " + "，".join(w for w in words if w)


def _told(kind: str, path: str, label: str, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "path": path, "label": label, "before": "", "after": "", "columns": [], **more}
