"""Roll-ups that were filed and are out of date: found where they were made, and told to the unit that they went to."""

import logging
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from gmsafety.exchange.payloads import CellChange, ColumnChange, Outdated, PartChange, Version

from ... import audit
from ...errors import Problem
from ...mail.letters import tell_upward
from ...mail.stations import stations
from ...node import Node
from ...tables import AnyRow
from ..submissions import marks
from ..submissions import repository as papers
from . import repository
from .comparing import changes
from .gathering import filed_and_now

_log = logging.getLogger("gmsafety.rollups")
_IN_FORCE = ("submitted", "accepted")


def look_after(node: Node) -> int:
    """Look at every filed roll-up below which something has changed; returns how many."""
    with node.db.read() as tx:
        numbers = repository.doubted(tx)
    return sum(_took(node, number) for number in numbers)


def _took(node: Node, number: int) -> bool:
    """Look at one; what fails is left to the next round, and does not keep the others waiting."""
    try:
        with node.db.write() as tx:
            if not repository.take_doubts(tx, number):
                return False
            _look(tx, node, number)
    except Exception as error:
        _log.error("核对汇总 %s 是否过时出错，稍后再试", number, exc_info=error)
        return False
    return True


def _look(tx: Connection, node: Node, number: int) -> None:
    row = repository.filed_last(tx, number)
    if row is not None:
        papers.lock_slot(tx, row.slot_id)
        row = repository.filed_last(tx, number)
    if row is None or row.state not in _IN_FORCE or row.submission_id != row.id:
        return
    now = node.clock.now()
    told = _state_of(tx, node, row, now)
    if not keep(tx, row, told, now, actor=f"@{node.settings.node}"):
        return
    upper = stations(tx, node.settings.node).above(row.path)
    if upper is None:
        marks.doubt_above(tx, row)
    else:
        tell_upward(tx, node, upper, row, told)


def _state_of(tx: Connection, node: Node, row: AnyRow, now: datetime) -> Outdated:
    """What a filed roll-up would be made of now, and which of its cells would be others."""
    filing = repository.filings(tx, [row.id])[row.id]
    then, fresh = frozenset(filing.then_sources), repository.to_be_counted(tx, filing)
    still = repository.outdated_among(tx, then & fresh)
    parts = _parts(tx, then ^ fresh | still.keys(), then, fresh)
    cells: tuple[CellChange, ...] = ()
    if then != fresh:
        cells = tuple(map(_cell, changes(*filed_and_now(tx, node, filing, fresh))))
    return Outdated(submission=row.uid, content_hash=row.payload_hash, told_at=now, parts=parts, cells=cells)


def _parts(
    tx: Connection, numbers: frozenset[int], then: frozenset[int], fresh: frozenset[int]
) -> tuple[PartChange, ...]:  # fmt: skip
    """Whose revisions are others now; one that is out of date itself is its own successor."""
    found: dict[str, dict[str, Version]] = {}
    for number, row in sorted(repository.summaries_of(tx, numbers).items()):
        version = Version(revision=row.revision, payload_hash=row.payload_hash)
        sides = {"before": number in then, "after": number in fresh}
        found.setdefault(row.unit, {}).update({side: version for side, is_on in sides.items() if is_on})
    return tuple(PartChange(unit=unit, **sides) for unit, sides in sorted(found.items()))


def _cell(change: dict[str, Any]) -> CellChange:
    same = {n: change[n] for n in ("kind", "path", "label", "before", "after")}
    columns = tuple(ColumnChange(**c) for c in change["columns"])
    return CellChange(**same, columns=columns, units=tuple(b["unit"] for b in change["because"]))


def take_told(tx: Connection, node: Node, sender: str, told: Outdated, title: str) -> None:
    """Mark what another node has filed here as that node says; of a revision that was corrected since, nothing."""
    row = papers.with_slot(tx, told.submission)
    if row is None or stations(tx, node.settings.node).of(row.path) != sender or row.payload_hash != told.content_hash:
        raise Problem("not-found", f"没有“{sender}”报来的报送 {told.submission}")
    papers.lock_slot(tx, row.slot_id)
    row = papers.with_slot(tx, told.submission)
    assert row is not None
    if row.current_id == row.id and keep(tx, row, told, node.clock.now(), actor=f"@{sender}（{title}）"):
        marks.doubt_above(tx, row)


def keep(tx: Connection, row: Any, told: Outdated, now: datetime, *, actor: str) -> bool:
    """Keep that a submission is out of date, or no more, with a line of its history; False where that is known."""
    shape = told.model_dump(mode="json")
    before = repository.outdated_among(tx, [row.id]).get(row.id)
    known = (before.parts, before.cells) if before is not None else ([], [])
    if known == (shape["parts"], shape["cells"]):
        return False
    since = before.since if before is not None else now
    values = {"since": since, "parts": shape["parts"], "cells": shape["cells"]}
    repository.set_outdated(tx, row.id, values if told.parts else None)
    kind = "outdated" if told.parts else "up-to-date"
    said = {"parts": len(told.parts), "cells": len(told.cells)}
    line = {"submission_id": row.id, "kind": kind, "at": now, "by_user": None, "unit": row.unit, "text": None}
    papers.add_event(tx, {**line, "data": said})
    key = {"item": row.item, "period": row.period, "revision": row.revision}
    audit.record(tx, now, actor, f"submission.{kind}", row.uid, path=row.path, **key, **said)
    return True
