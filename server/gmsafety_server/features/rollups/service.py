"""The rules of roll-ups. Every function works inside a transaction that the endpoint opened, and commits nothing."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from gmsafety.forms.spec import Form

from ... import audit
from ...errors import Problem
from ...names import new_uid
from ...node import Node
from ...scope import Viewer, require
from ...tables import AnyRow
from . import repository
from .gathering import form_of, made_of, parts_of_row
from .owning import Own
from .reckoning import adjust as adjusted
from .reckoning import make
from .schemas import AdjustmentIn, RollupIn


def find(tx: Connection, viewer: Viewer, action: str, uid: str, *, lock: bool = False) -> AnyRow:
    """A roll-up in sight."""
    row = repository.by_uid(tx, uid, lock=lock)
    if row is None:
        raise Problem("not-found")
    require(viewer, action, row.path)
    return row


def propose(tx: Connection, node: Node, viewer: Viewer, told: RollupIn, *, seen: int | None) -> tuple[str, bool]:
    """Roll a form up for one's own unit; returns the uid, and False where that was done before.

    Asked for again with the version that was seen, it counts what is in force now.
    """
    campaign, item = _owed(tx, viewer, told)
    before = repository.by_key(tx, viewer.unit, campaign, item, told.period)
    if before is not None:
        if seen is None and before.basis != told.basis:
            raise Problem("if-match-missing")
        if seen is not None:
            refresh(tx, node, viewer, before.uid, seen=seen, basis=told.basis)
        return before.uid, False
    now = node.clock.now()
    key = {"unit": viewer.unit, "campaign": campaign, "item": item, "period": told.period}
    values = {
        "uid": new_uid(now), "path": viewer.path, **key, "basis": told.basis, "state": "draft", "own": None,
        "own_file": None, "adjustments": [], "etag": 1, "submission_id": None, "created_by": viewer.user_id,
        "created_at": now, "changed_at": now,
    }  # fmt: skip
    number = repository.add(tx, values)
    sources = repository.in_force(tx, [number])[number]
    repository.set_sources(tx, number, sources)
    row = find(tx, viewer, "rollup.write", str(values["uid"]))
    make(parts_of_row(tx, node, row, sources))
    _log(tx, node, viewer, row, "made", basis=told.basis, sources=sorted(sources))
    return row.uid, True


def _owed(tx: Connection, viewer: Viewer, told: RollupIn) -> tuple[str, str]:
    """Campaign and item under which the units below file this form with one's own unit."""
    found = repository.owed_to(tx, viewer.unit, told.item, told.period, told.campaign)
    keys = sorted({(s.campaign, s.item) for s in found})
    if not keys:
        raise Problem("not-owed", "这一期没有下级单位向本单位报送这张表，无可汇总")
    if len(keys) > 1:
        campaigns = "、".join(c for c, _ in keys)
        raise Problem("not-valid", f"几项专项行动都要报这张表，请写明 campaign：{campaigns}")
    return keys[0]


def refresh(tx: Connection, node: Node, viewer: Viewer, uid: str, *, seen: int, basis: str | None = None) -> None:
    """Count what is in force now; done twice, it answers as the first time."""
    row = find(tx, viewer, "rollup.write", uid, lock=True)
    counted = repository.counted(tx, [row.id])[row.id]
    wanted = basis or row.basis
    if row.etag == seen + 1 and wanted == row.basis and counted == repository.in_force(tx, [row.id])[row.id]:
        return
    _change(tx, node, row, seen, {"basis": wanted})
    fresh = repository.in_force(tx, [row.id])[row.id]
    repository.set_sources(tx, row.id, fresh)
    _log(tx, node, viewer, row, "refreshed", basis=wanted, sources=sorted(fresh), before=sorted(counted))


def set_own(tx: Connection, node: Node, viewer: Viewer, uid: str, *, seen: int, own: Own | None) -> None:
    """Give a roll-up the unit's own part, or take it away."""
    row = find(tx, viewer, "rollup.write", uid, lock=True)
    name = (own.get("file") or {}).get("name") if own else None
    _change(tx, node, row, seen, {"own": own, "own_file": name})
    _log(tx, node, viewer, row, "own", file=name)


def _what(adjustment: Mapping[str, Any]) -> str:
    """What an adjustment says, without who made it and when."""
    return json.dumps({n: v for n, v in adjustment.items() if n not in ("by", "at")}, sort_keys=True, default=str)


def adjust(tx: Connection, node: Node, viewer: Viewer, uid: str, *, seen: int, told: Sequence[AdjustmentIn]) -> None:
    """Give a roll-up these adjustments, and no others."""
    row = find(tx, viewer, "rollup.write", uid, lock=True)
    _unchanged(row, seen)
    form, now = form_of(node, row.item, row.period), node.clock.now()
    person = repository.name_of(tx, viewer.user_id)
    mark = {"by": person, "at": now.isoformat()}
    before = {_what(a): {n: a[n] for n in mark} for a in row.adjustments}
    kept = [{**said, **before.get(_what(said), mark)} for said in (a.model_dump() for a in told)]
    _check_adjustments(form, kept)
    below_zero = [
        {"field": f"adjustments.{index}", "message": f"{form.label_of(a.path)}会成为负数"}
        for index, a in enumerate(adjusted(made_of(tx, node, row).result.record, kept)[1])
        if a.after < 0
    ]
    if below_zero:
        raise Problem("not-valid", errors=below_zero)
    _change(tx, node, row, seen, {"adjustments": kept})
    said = [{n: v if v is None else str(v) for n, v in a.model_dump().items()} for a in told]
    _log(tx, node, viewer, row, "adjusted", adjustments=said)


def _check_adjustments(form: Form, kept: Sequence[Mapping[str, Any]]) -> None:
    wrong = []
    for index, told in enumerate(kept):
        path = told["path"]
        if form.is_grid:
            wrong.append({"field": f"adjustments.{index}", "message": "台账不能调整，请由填报单位更正"})
        elif path not in form.blanks or not form.blanks[path].kind.numeric:
            wrong.append({"field": f"adjustments.{index}.path", "message": f"“{path}”不是这张表上的数"})
        else:
            wrong += _not_of_kind(form, index, told)
    if wrong:
        raise Problem("not-valid", errors=wrong)


def _not_of_kind(form: Form, index: int, told: Mapping[str, Any]) -> list[dict[str, str]]:
    name = "value" if told["value"] is not None else "delta"
    try:
        form.type_of(told["path"]).from_json(told[name])
    except (ValueError, OverflowError) as error:
        return [{"field": f"adjustments.{index}.{name}", "message": str(error)}]
    return []


def _unchanged(row: AnyRow, seen: int) -> None:
    if row.etag != seen:
        raise Problem("stale", current={"uid": row.uid, "state": row.state, "etag": row.etag})


def _change(tx: Connection, node: Node, row: AnyRow, seen: int, values: Mapping[str, Any]) -> None:
    """Change a roll-up; what was filed of it before is not what it says any more."""
    _unchanged(row, seen)
    if not repository.change(tx, row.id, seen, {**values, "state": "draft", "changed_at": node.clock.now()}):
        raise Problem("stale")


def _log(tx: Connection, node: Node, viewer: Viewer, row: AnyRow, kind: str, **data: Any) -> None:
    told = {"campaign": row.campaign, "item": row.item, "period": row.period, **data}
    audit.record(tx, node.clock.now(), viewer.actor, f"rollup.{kind}", row.uid, path=row.path, **told)
