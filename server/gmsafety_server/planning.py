"""What is to be filed: the slots of every unit and period, planned ahead from dated assignments.

A slot whose deadline has passed is never planned anew: the expected set of a period is frozen, and yesterday's rates
do not change tomorrow.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from gmsafety import Catalog
from gmsafety.campaigns import Campaign
from gmsafety.duties import Duty, Occurrence, Recurring

from .tables import AnyRow, areas, assignments, slots, unit_changes, units

BEGINNING = date(2000, 1, 1)
_CHUNK = 1000
_WEEK = timedelta(days=6)
_MONTH = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Item:
    """What is filed: a form, or a deliverable with its artefacts; `ref` names it in slots and submissions."""

    ref: str
    kind: str
    title: str
    artefacts: tuple[str, ...] = ()


def items_of(catalog: Catalog, campaign: Campaign, duty: Duty) -> Iterator[Item]:
    """The forms and deliverables of a duty."""
    for name in duty.file:
        form = catalog.form(name)
        yield Item(form.ref, "form", form.title)
    for handed in duty.hand_in:
        yield Item(f"{campaign.ref}/{duty.id}/{handed.id}", "deliverable", handed.title, handed.artefacts)


def find_item(catalog: Catalog, campaign: str, ref: str) -> Item | None:
    """The item of a campaign with this name; a form also by its short name."""
    owner = catalog.campaigns.get(campaign)
    for duty in owner.duties if owner else ():
        for item in items_of(catalog, owner, duty) if owner else ():
            if item.ref == ref or (item.kind == "form" and item.ref.partition(".")[2] == ref):
                return item
    return None


def seed(tx: Connection, catalog: Catalog, now: datetime) -> int:
    """Enter units, areas and assignments that the plugins declare and nobody has entered yet; returns how many units.

    A unit that is known keeps its rows, whatever its plugin says now.
    """
    known = set(tx.execute(select(units.c.ref).distinct()).scalars())
    fresh = [u for u in catalog.units.values() if u.ref not in known]
    if not fresh:
        return 0
    change = {"kind": "seed", "day": BEGINNING, "units": [u.ref for u in fresh], "reason": "由插件带入", "at": now}
    number = tx.execute(insert(unit_changes).values(change).returning(unit_changes.c.id)).scalar_one()
    _seed_areas(tx, catalog, {u.area for u in fresh})
    dated = {"until": None, "change_id": number}
    rows = [
        {
            "ref": u.ref, "name": u.name, "area": u.area, "level": u.level.value, "role": u.role, "parent": u.parent,
            "aliases": list(u.aliases), "path": path_of(catalog, u.ref), "since": u.opened or BEGINNING, **dated,
        }
        for u in fresh
    ]  # fmt: skip
    tx.execute(insert(units), rows)
    owed = [
        {"unit": u.ref, "campaign": c.ref, "duty": d.id, "by_hand": False, "since": u.opened or BEGINNING, **dated}
        for u in fresh
        for c in catalog.campaigns.values()
        for d in c.duties
        if catalog.owes(u, d, c)
    ]
    if owed:
        tx.execute(insert(assignments), owed)
    plan(tx, catalog, after=None, only={u.ref for u in fresh})
    return len(fresh)


def path_of(catalog: Catalog, ref: str) -> str:
    """The path of a unit as the plugins declare it."""
    names: list[str] = []
    unit = catalog.units.get(ref)
    while unit is not None and len(names) < 10:
        names.append(unit.ref)
        unit = catalog.units.get(unit.parent or "")
    return f"/{'/'.join(reversed(names))}/"


def _seed_areas(tx: Connection, catalog: Catalog, codes: set[str]) -> None:
    known = set(tx.execute(select(areas.c.code)).scalars())
    wanted = {a.code: a for c in codes if (own := catalog.areas.get(c)) for a in (own, *catalog.areas.ancestors(c))}
    wanted |= {a.code: a for content in catalog.contents for a in content.areas}
    rows = [
        {"code": a.code, "name": a.name, "level": a.level.value, "parent": a.parent, "since": BEGINNING}
        for a in wanted.values()
        if a.code not in known
    ]
    if rows:
        tx.execute(insert(areas), rows)


def plan(tx: Connection, catalog: Catalog, *, after: datetime | None, only: Iterable[str] | None = None) -> None:
    """Bring the slots into line with units and assignments: those due after a moment, or all of them.

    Slots nobody has touched and nobody owes any more are taken away; what was filed stays.
    """
    chosen = set(only) if only is not None else None
    wanted = {
        (s["campaign"], s["item"], s["period"], s["unit"]): s
        for s in _wanted(tx, catalog, chosen)
        if after is None or s["due_at"] > after
    }
    present = _present(tx, after, chosen)
    gone = [row.id for key, row in present.items() if key not in wanted and row.state == "open"]
    for part in _chunks(gone):
        tx.execute(delete(slots).where(slots.c.id.in_(part)))
    moved = [{**wanted[k], "id": row.id} for k, row in present.items() if k in wanted and row.path != wanted[k]["path"]]
    for row in moved:
        placed = {n: row[n] for n in ("path", "upper", "area")}
        tx.execute(slots.update().where(slots.c.id == row["id"]).values(placed))
    fresh = [s for key, s in wanted.items() if key not in present]
    for part in _chunks(fresh):
        tx.execute(insert(slots), part)


def _present(tx: Connection, after: datetime | None, chosen: set[str] | None) -> dict[tuple[Any, ...], AnyRow]:
    columns = (slots.c.id, slots.c.campaign, slots.c.item, slots.c.period, slots.c.unit, slots.c.state, slots.c.path)
    query = select(*columns)
    if after is not None:
        query = query.where(slots.c.due_at > after)
    if chosen is not None and len(chosen) <= _CHUNK:
        query = query.where(slots.c.unit.in_(chosen))
    rows = tx.execute(query)
    return {(r.campaign, r.item, r.period, r.unit): r for r in rows if chosen is None or r.unit in chosen}


def _wanted(tx: Connection, catalog: Catalog, chosen: set[str] | None) -> Iterator[dict[str, Any]]:
    bodies: dict[str, list[AnyRow]] = {}
    for row in tx.execute(select(units)):
        bodies.setdefault(row.ref, []).append(row)
    roles = {r.ref: r.role for rows in bodies.values() for r in rows}
    calendar: dict[tuple[str, str], list[Occurrence]] = {}
    for owed in tx.execute(select(assignments)):
        campaign = catalog.campaigns.get(owed.campaign)
        duty = next((d for d in campaign.duties if d.id == owed.duty), None) if campaign else None
        if campaign is None or duty is None or (chosen is not None and owed.unit not in chosen):
            continue
        key = (owed.campaign, owed.duty)
        calendar.setdefault(key, list(duty.occurrences(catalog.calendar)))
        for occurrence in calendar[key]:
            body = _on(bodies.get(owed.unit, []), occurrence.period)
            if body is not None and _holds(owed, occurrence.period):
                yield from _slots(catalog, campaign, occurrence, body, roles)


def _on(rows: list[AnyRow], day: date) -> AnyRow | None:
    return next((r for r in rows if _holds(r, day)), None)


def _holds(row: AnyRow, day: date) -> bool:
    return bool(row.since <= day and (row.until is None or day < row.until))


def _slots(
    catalog: Catalog, campaign: Campaign, occurrence: Occurrence, body: AnyRow, roles: dict[str, str]
) -> Iterator[dict[str, Any]]:
    duty = occurrence.duty
    above = body.path.strip("/").split("/")[:-1]
    upper = next((r for r in reversed(above) if not duty.to or roles.get(r) in duty.to), body.parent)
    weekly = isinstance(duty, Recurring)
    for item in items_of(catalog, campaign, duty):
        yield {
            "campaign": campaign.ref, "duty": duty.id, "item": item.ref, "kind": item.kind,
            "period": occurrence.period, "opens": occurrence.period - (_WEEK if weekly else _MONTH),
            "due_at": occurrence.due, "unit": body.ref, "area": body.area, "upper": upper, "path": body.path,
            "state": "open", "nil": False, "revision": 0, "submission_id": None, "received_at": None,
        }  # fmt: skip


def _chunks(values: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]


__all__ = ["Item", "find_item", "items_of", "path_of", "plan", "seed"]
