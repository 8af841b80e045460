"""What the pages of a slot and of a submission tell; what waits for a decision."""

import secrets
from typing import Any

from sqlalchemy import Connection, and_

from ...directory import Directory
from ...mail.stations import stations
from ...node import Node
from ...planning import find_item
from ...scope import Viewer, visible
from ...sheets import Sheet
from ...tables import AnyRow, refusals, slots
from ..board.states import standing
from . import addressing, comparing, copies, judging, marks, repository, sending, service, showing, views, withdrawing
from .artefacts import NAMES


def slot_context(tx: Connection, node: Node, viewer: Viewer, slot: AnyRow) -> dict[str, Any]:
    """What every page about a slot tells: what is asked, by when, how it stands, what came before."""
    directory, now = node.directory(tx), node.clock.now()
    item = find_item(node.catalog, slot.campaign, slot.item)
    revisions = repository.revisions_of(tx, slot.id)
    own = slot.unit == viewer.unit
    current = next((r for r in revisions if r.id == slot.submission_id), None)
    before = repository.slot_before(tx, slot)
    filters = {"unit": slot.unit, "campaign": slot.campaign, "item": slot.item, "period": slot.period}
    evidence, _ = repository.refused(
        tx, visible(viewer, "submission.read", refusals.c.path), filters, offset=0, limit=20
    )
    return {
        "slot": slot,
        "title": showing.caption(node, slot),
        "unit": directory.name(slot.unit),
        "upper": directory.name(slot.upper),
        "stands": standing(slot, now),
        "due": showing.open_until(slot.due_at, node.clock.today()),
        "upon_event": addressing.is_upon_event(slot),
        "ways": sending.told(tx, node, slot, current),
        "asked": showing.asked(node, slot),
        "fields": showing.fields_of(item.artefacts if item else (), slot.kind),
        "mine": own and viewer.may("submission.file", slot.path),
        "own_unit": own,
        "elsewhere": stations(tx, node.settings.node).of(slot.path) if own else None,
        "early": node.clock.today() < slot.opens,
        "closed": slot.state == "open" and now > service.closing(node, slot),
        "draft": next((r for r in revisions if r.state == "draft" and own), None),
        "current": current,
        "revisions": [showing.line(node, directory, r) for r in revisions if own or r.state != "draft"],
        "beside": [showing.line(node, directory, r) for r in repository.in_force_beside(tx, slot)],
        "last": _last(tx, node, viewer, before),
        "evidence": [views.refusal(node, directory, r) for r in evidence],
        "returned": _returned(tx, node, current),
        "message_id": f"web-{secrets.token_hex(12)}",
    }


def _last(tx: Connection, node: Node, viewer: Viewer, slot: AnyRow | None) -> dict[str, Any] | None:
    """What was filed a period earlier, with its file; not to a unit above that it was not yet filed to."""
    seen = slot is not None and viewer.may("submission.read", slot.path)
    row = repository.by_id(tx, slot.submission_id) if slot is not None and seen else None
    if row is None:
        return None
    files = repository.files_of(tx, row.id)
    return {
        "href": f"/submissions/{row.uid}",
        "caption": showing.caption(node, slot),
        "file": files[0] if files else None,
    }


def _returned(tx: Connection, node: Node, row: AnyRow | None) -> dict[str, Any] | None:
    """Why a revision was returned, where it was: the reasons as they were given, and with their places in words."""
    if row is None or row.state != "returned":
        return None
    events = repository.events_of(tx, row.id)
    event = next((e for e in reversed(events) if e.kind == "returned"), None)
    reasons = (event.data or {}).get("reasons", []) if event is not None else []
    full = repository.with_slot(tx, row.uid)
    sheet = showing.paper(node, full, (), reasons)["sheet"] if full is not None else None
    told = {"uid": row.uid, "revision": row.revision, "at": row.changed_at, "note": event.text if event else None}
    return {**told, "given": reasons, "reasons": showing.reasons_in_words(reasons, sheet)}


def told_of(tx: Connection, node: Node, viewer: Viewer, row: AnyRow, slot: AnyRow) -> dict[str, Any]:
    """What is told of one submission."""
    directory = node.directory(tx)
    earlier = [r for r in repository.revisions_of(tx, slot.id) if r.revision < row.revision]
    previous = repository.with_slot(tx, earlier[0].uid) if earlier else None
    returned = _returned(tx, node, previous if row.state == "draft" else row)
    files = repository.files_of(tx, row.id)
    findings = judging.findings_now(tx, node, row)
    shown = showing.paper(node, row, findings, returned["given"] if returned else ())
    compared = comparing.told(comparing.between(node, previous, row) if previous is not None else None)
    here = addressing.place(tx, viewer, row, row.slot_id)
    waiting = [w.uid for w in waiting_rows(tx, viewer, {})] if viewer.may("submission.decide", here) else []
    return {
        "row": row,
        "line": showing.line(node, directory, row),
        "came_first": views.came_first,
        "to_answer": service.to_be_answered(findings),
        **shown,
        "returned": returned and _placed(returned, shown["sheet"]),
        "files": files,
        "has_copy": copies.has_copy(files),
        "names": NAMES,
        "receipts": showing.receipt_cards(repository.receipts_of(tx, row.id)),
        "story": showing.story(repository.events_of_slot(tx, slot.id), directory, own=slot.unit == viewer.unit),
        "changes": compared["changes"],
        "changed_in_words": compared["words"],
        "before": previous,
        "same_as_before": previous is not None and comparing.is_same(previous, row),
        "decides": viewer.may("submission.decide", here) and row.upper == viewer.unit,
        "is_current": row.id == slot.submission_id,
        "withdraws": viewer.may("submission.withdraw", row.path)
        and row.unit == viewer.unit
        and not addressing.is_upon_event(row),
        "overdue": node.clock.now() > row.due_at,
        "carried": repository.carried_in(tx, row),
        "withdrawing": withdrawing.is_asked(tx, row),
        "withdrawable": _withdrawable(node, row, slot),
        "withdrawn": _last_word(tx, row, "withdrawn") if row.state == "withdrawn" else None,
        "outdated": _outdated(tx, directory, row),
        "made_of": [{**p, "unit_name": directory.name(p["unit"])} for p in row.made_of or ()],
        "waiting": _neighbours(waiting, row.uid),
    }


def _withdrawable(node: Node, row: AnyRow, slot: AnyRow) -> bool:
    """Tell whether it is not too late to take a submission back: it could not be filed again."""
    is_open = row.state in ("submitted", "returned") and row.current_id == row.id
    return is_open and not addressing.is_upon_event(slot) and node.clock.now() <= service.closing(node, slot)


def _last_word(tx: Connection, row: AnyRow, kind: str) -> AnyRow | None:
    """When something happened to a submission last, and what was said."""
    return next((e for e in reversed(repository.events_of(tx, row.id)) if e.kind == kind), None)


def _outdated(tx: Connection, directory: Directory, row: AnyRow) -> dict[str, Any] | None:
    """Why a roll-up that was filed is out of date: whose revisions are others now, and which cells."""
    found = marks.outdated_of(tx, row.id) if row.outdated else None
    if found is None:
        return None
    sides = {p["unit"]: {s: (p[s] or {}).get("revision") for s in ("before", "after")} for p in found.parts}
    parts = {unit: {"unit_name": directory.name(unit), **numbers} for unit, numbers in sides.items()}
    cells = [{**c, "because": [parts[u] for u in c["units"] if u in parts]} for c in found.cells]
    rollup = marks.rollup_of(tx, row.id)
    return {"since": found.since, "parts": list(parts.values()), "cells": cells, "rollup": rollup}


def _placed(returned: dict[str, Any], sheet: Sheet | None) -> dict[str, Any]:
    """The reasons of a return at the cells of the paper on this page, which may be another revision."""
    return {**returned, "reasons": showing.reasons_in_words(returned["given"], sheet)}


def waiting_rows(tx: Connection, viewer: Viewer, filters: dict[str, Any]) -> list[AnyRow]:
    """What waits for a decision of the viewer's unit."""
    seen = and_(addressing.in_sight(viewer, "submission.decide"), slots.c.upper == viewer.unit)
    return repository.waiting(tx, seen, filters)


def _neighbours(waiting: list[str], uid: str) -> dict[str, Any]:
    """The ones before and after in the waiting list, and how many wait besides."""
    others = [w for w in waiting if w != uid]
    if uid not in waiting:
        return {"before": None, "after": others[0] if others else None, "others": len(others), "at": None}
    at = waiting.index(uid)
    after = waiting[at + 1] if at + 1 < len(waiting) else None
    return {"before": waiting[at - 1] if at else None, "after": after, "others": len(others), "at": at + 1}
