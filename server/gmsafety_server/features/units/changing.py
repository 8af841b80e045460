"""What each kind of change does to units, slots and history."""

from collections.abc import Callable
from typing import Any

from ...errors import Problem
from ...planning import find_duty
from ...tables import AnyRow
from . import repository
from .schemas import Assigning, Closing, Merging, Moving, NewUnit, Opening, Renaming, Splitting
from .work import Work, refused


def carry_out(work: Work, told: Any) -> None:
    """Do what was told."""
    _KINDS[type(told)](work, told)


def _open(work: Work, told: Opening) -> None:
    row = work.open(told, parent=told.parent)
    work.give_duties(row)
    work.data = {"parent": told.parent}


def _close(work: Work, told: Closing) -> None:
    work.close(work.alter(told.unit))


def _rename(work: Work, told: Renaming) -> None:
    row = work.alter(told.unit)
    work.rename(row, told.name)
    work.data = {"before": row.name, "after": told.name}


def _move(work: Work, told: Moving) -> None:
    row = work.alter(told.unit)
    work.move(row, told.to)
    work.data = {"unit": row.ref, "from": row.parent, "to": told.to}


def _split(work: Work, told: Splitting) -> None:
    row = work.alter(told.unit)
    if len(told.into) < 2 and not told.keep:
        raise refused("into", "拆分成一个单位，请改用更名；原单位保留的，请写明 keep")
    before = work.owed(row)
    for successor in told.into:
        fresh = work.open(NewUnit(**successor.model_dump(exclude={"children"})),
                          parent=successor.parent or row.parent, like=row)  # fmt: skip
        work.give_duties(fresh, [before])
        for ref in successor.children:
            child = work.find(ref)
            if child.parent != row.ref:
                raise refused("children", f"“{child.name}”不是“{row.name}”的下级单位")
            work.move(child, fresh.ref)
    if told.keep:
        work.happened(row, "kept")
    else:
        work.close(row)
    work.data = {"predecessors": [row.ref], "successors": [s.ref for s in told.into]}


def _merge(work: Work, told: Merging) -> None:
    sources = [work.alter(ref) for ref in dict.fromkeys(told.units)]
    target = _target(work, told, sources)
    going = [row for row in sources if row.ref != target.ref]
    if not going or (isinstance(told.into, NewUnit) and len(going) < 2):
        raise refused("units", "合并至少要有两个单位")
    for row in going:
        for child in repository.children(work.tx, row.ref, work.day):
            work.move(work.find(child.ref), target.ref)
        work.close(row)
    work.happened(target, "kept")
    work.data = {"predecessors": [r.ref for r in sources], "successors": [target.ref]}


def _target(work: Work, told: Merging, sources: list[AnyRow]) -> AnyRow:
    if isinstance(told.into, str):
        return work.under(told.into)
    heritage = [work.owed(row) for row in sources]
    first = sources[0]
    fresh = work.open(told.into, parent=told.into.parent or first.parent, like=first)
    work.give_duties(fresh, heritage)
    return fresh


def _assign(work: Work, told: Assigning) -> None:
    row = work.alter(told.unit)
    found = find_duty(work.catalog, told.campaign, told.duty)
    if found is None:
        known = "、".join(f"{c.ref}/{d.id}" for c in work.catalog.campaigns.values() for d in c.duties)
        raise refused("duty", f"没有任务“{told.campaign}/{told.duty}”。已登记的：{known}")
    owed = repository.owed(work.tx, row.ref, work.day)
    same = [o for o in owed if (o.campaign, o.duty) == (told.campaign, told.duty)]
    if told.kind == "assign":
        if same:
            raise Problem("wrong-state", f"“{row.name}”已有这项任务")
        dated = {"since": work.day, "until": None, "change_id": work.number}
        fresh = {"unit": row.ref, "campaign": told.campaign, "duty": told.duty, "by_hand": True}
        repository.owe(work.tx, [{**fresh, **dated}])
    elif not same:
        raise Problem("wrong-state", f"“{row.name}”没有这项任务")
    else:
        repository.owe_no_longer(work.tx, same, work.day)
    work.happened(row, f"{told.kind}ed")
    work.data = {"campaign": told.campaign, "duty": told.duty, "title": found[1].title}


_KINDS: dict[type[Any], Callable[[Work, Any], None]] = {
    Opening: _open, Closing: _close, Renaming: _rename, Moving: _move, Splitting: _split, Merging: _merge,
    Assigning: _assign,
}  # fmt: skip
