"""Units as they are shown, and a change from the asking to the outcome."""

from datetime import date
from typing import Any

from sqlalchemy import Connection

from gmsafety.codes import Level

from ... import audit
from ...db import OPENING, take_turn
from ...directory import Directory
from ...errors import Problem
from ...node import Node
from ...planning import Planned, SlotName, find_duty, find_item, plan
from ...scope import Viewer
from ...tables import AnyRow
from ...web import Paging
from . import repository
from .changing import carry_out
from .schemas import EFFECTS, KINDS, AnyChange
from .work import Work

COMMAND_LINE = "命令行"
_SHOWN = 200


def change(tx: Connection, node: Node, viewer: Viewer | None, told: AnyChange) -> dict[str, Any]:
    """Carry out a change, and bring the slots that are not due yet into line; a dry run is for the caller to undo."""
    if told.day < node.clock.today():
        raise Problem("frozen", f"{told.day}已过去；以前的期次已经固定")
    take_turn(tx, OPENING)
    catalog = node.directory(tx).catalog  # before anything is written: what may be undone is not to be remembered
    now = node.clock.now()
    by = viewer.user_id if viewer is not None else None
    begun: dict[str, Any] = {
        "kind": told.kind,
        "day": told.day,
        "units": [],
        "reason": told.reason,
        "by_user": by,
        "at": now,
    }
    number = repository.begin_change(tx, begun)
    work = Work(tx, catalog, viewer, told.day, number)
    carry_out(work, told)
    repository.tell_change(tx, number, {"units": sorted(work.effects), "data": work.data})
    planned = plan(tx, node.catalog, after=now, only=work.effects, discard=True)
    outcome = _outcome(tx, node, work, planned)
    counts = {n: len(getattr(planned, n)) for n in ("added", "removed", "moved")}
    actor = viewer.actor if viewer is not None else COMMAND_LINE
    first = next(iter(work.effects))
    row = repository.spells(tx, first)[0]
    said = {"kind": told.kind, "day": told.day, "reason": told.reason, "units": sorted(work.effects), **work.data}
    audit.record(tx, now, actor, f"unit.{told.kind}", first, path=row.path, **said, **counts, drafts=planned.drafts)
    dry = told.dry_run
    return {"id": None if dry else number, "kind": told.kind, "day": told.day, "dry_run": dry, **outcome}


def _outcome(tx: Connection, node: Node, work: Work, planned: Planned) -> dict[str, Any]:
    effects = [{"ref": r, "name": n, "effect": e, "title": EFFECTS[e]} for r, (n, e) in work.effects.items()]
    closed = [e["ref"] for e in effects if e["effect"] == "closed"]
    parts = (("added", planned.added), ("removed", planned.removed), ("moved", planned.moved))
    named = {e["ref"]: e["name"] for e in effects}
    lines = [
        {**_line(node, effect, name), "unit_name": named.get(name.unit, name.unit)}
        for effect, names in parts
        for name in sorted(names, key=lambda n: (n.period, n.unit, n.item))[:_SHOWN]
    ]
    return {
        "units": effects, **{effect: len(names) for effect, names in parts}, "slots": lines[:_SHOWN],
        "drafts": list(planned.drafts), "accounts": repository.accounts_of(tx, closed),
    }  # fmt: skip


def _line(node: Node, effect: str, name: SlotName) -> dict[str, Any]:
    item = find_item(node.catalog, name.campaign, name.item)
    return {"effect": effect, **name._asdict(), "title": item.title if item else name.item}


def listed(
    tx: Connection, node: Node, viewer: Viewer | None, day: date | None, filters: dict[str, Any], paging: Paging
) -> tuple[list[dict[str, Any]], int]:
    """The units of a day that are in sight, each followed by those below it."""
    directory = node.directories.on(tx, day or node.clock.today())
    asked = {name: value for name, value in filters.items() if value is not None}
    text = asked.pop("q", "")
    top = directory.path(asked.pop("under")) if "under" in asked else "/"
    found = [
        u
        for u in directory.tree()
        if (viewer is None or viewer.may("unit.read", directory.path(u.ref)))
        and directory.path(u.ref).startswith(top)
        and (text in u.name or text in u.ref)
        and all(str(getattr(u, name)) == value for name, value in asked.items())
    ]
    shown = found[paging.offset : paging.offset + paging.size]
    return [_unit(directory, u, directory.path(u.ref)) for u in shown], len(found)


def _unit(directory: Directory, row: Any, path: str) -> dict[str, Any]:
    area = directory.catalog.areas.get(row.area)
    same = {n: getattr(row, n) for n in ("ref", "name", "area", "role", "parent")}
    level = Level(row.level)
    return {**same, "level": level, "area_name": area.name if area else "", "depth": path.count("/") - 2}


def detail(tx: Connection, node: Node, viewer: Viewer | None, ref: str) -> dict[str, Any]:
    """A unit with its history, as far as it is in sight."""
    seen = [r for r in repository.spells(tx, ref) if viewer is None or viewer.may("unit.read", r.path)]
    if not seen:
        raise Problem("not-found")
    today, directory = node.clock.today(), node.directory(tx)
    now = next((r for r in seen if _holds(r, today)), None)
    shown = now or next((r for r in seen if r.since <= today), seen[-1])
    own = ("name", "area", "level", "role", "parent", "aliases", "since", "until")
    spells = [{**{n: getattr(r, n) for n in own}, "parent_name": _named(tx, directory, r.parent)} for r in seen]
    return {
        **_unit(directory, shown, shown.path), "is_open": now is not None, "spells": spells,
        "changes": [_told(c) for c in repository.changes_of(tx, ref) if any(_at(r, c.day) for r in seen)],
        "duties": [_owed(node, o) for o in repository.ever_owed(tx, ref) if any(_meet(r, o) for r in seen)],
    }  # fmt: skip


def _named(tx: Connection, directory: Directory, ref: str | None) -> str | None:
    """The name of a unit, also of one that is closed."""
    if ref is None or ref in directory.paths:
        return directory.name(ref) if ref else None
    return next((r.name for r in repository.spells(tx, ref)), ref)


def _holds(row: AnyRow, day: date) -> bool:
    return bool(row.since <= day and (row.until is None or day < row.until))


def _at(row: AnyRow, day: date) -> bool:
    return bool(row.since <= day and (row.until is None or day <= row.until))


def _meet(row: AnyRow, other: AnyRow) -> bool:
    return bool((row.until is None or other.since < row.until) and (other.until is None or row.since < other.until))


def _told(row: AnyRow) -> dict[str, Any]:
    by = row.who or ("系统" if row.kind == "seed" else COMMAND_LINE)
    data = {} if row.kind == "seed" else row.data or {}
    same = {n: getattr(row, n) for n in ("id", "kind", "day", "reason", "at")}
    return {**same, "title": KINDS.get(row.kind, row.kind), "by": by, "data": data}


def _owed(node: Node, row: AnyRow) -> dict[str, Any]:
    found = find_duty(node.catalog, row.campaign, row.duty)
    same = {n: getattr(row, n) for n in ("campaign", "duty", "since", "until", "by_hand")}
    return {**same, "title": found[1].title if found else row.duty}
