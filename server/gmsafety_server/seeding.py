"""Where the rows of units, areas and assignments begin: with what the plugins declare. Afterwards the rows rule."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from gmsafety import Catalog
from gmsafety.entities import Unit
from gmsafety.exchange.canonical import canonical, digest

from .directory import unit_of
from .planning import BEGINNING, items_of, plan
from .tables import areas, assignments, unit_changes, units


def seed(tx: Connection, catalog: Catalog, now: datetime, *, reason: str = "") -> int:
    """Enter units, areas and assignments that the plugins declare and nobody has entered yet; returns how many units.

    A unit that is known keeps its rows, whatever its plugin says now. A duty that is new is given to the units whose
    role it names; where a plugin changes when something is due, slots that are not due yet follow. With a `reason`
    (definitions that came from above) a change is noted in any case, so that every process reads them anew.
    """
    known = set(tx.execute(select(units.c.ref).distinct()).scalars())
    fresh = [u for u in catalog.units.values() if u.ref not in known]
    duties = _marks(catalog)
    before = _marks_before(tx)
    if not fresh and duties == before and not reason:
        return 0
    change = {
        "kind": "seed",
        "day": BEGINNING,
        "units": [u.ref for u in fresh],
        "reason": reason or "由插件带入",
        "at": now,
    }
    entered = insert(unit_changes).values(**change, data={"duties": duties})
    number = int(tx.execute(entered.returning(unit_changes.c.id)).scalar_one())
    if fresh:
        _enter(tx, catalog, fresh, number)
        plan(tx, catalog, after=None, only={u.ref for u in fresh})
    if known and duties != before:
        _follow(tx, catalog, known, {_duty(name) for name in duties if name not in before}, number)
        plan(tx, catalog, after=now)
    return len(fresh)


def _follow(tx: Connection, catalog: Catalog, known: set[str], new: set[tuple[str, str]], number: int) -> None:
    """Give duties that are new to the units that were there before them."""
    rows = tx.execute(select(units).where(units.c.until.is_(None)))
    assign_by_role(tx, catalog, [unit_of(r) for r in rows if r.ref in known], BEGINNING, number, only=new)
    if new:
        plan(tx, catalog, after=None, duties=new)


def _duty(name: str) -> tuple[str, str]:
    campaign, _, duty = name.partition("/")
    return campaign, duty


def _marks(catalog: Catalog) -> dict[str, str]:
    """Every duty by name, with a mark that changes when its slots would."""
    marks = {}
    for campaign in catalog.campaigns.values():
        for duty in campaign.duties:
            times = [[o.period, o.due] for o in duty.occurrences(catalog.calendar)]
            told = [times, [i.ref for i in items_of(catalog, campaign, duty)], duty.from_, duty.to]
            marks[f"{campaign.ref}/{duty.id}"] = digest(canonical(told))[:16]
    return marks


def _marks_before(tx: Connection) -> dict[str, str]:
    seeds = select(unit_changes.c.data).where(unit_changes.c.kind == "seed").order_by(unit_changes.c.id.desc())
    told = (dict(data["duties"]) for data in tx.execute(seeds).scalars() if data and "duties" in data)
    return next(told, {})


def _enter(tx: Connection, catalog: Catalog, fresh: list[Unit], number: int) -> None:
    _enter_areas(tx, catalog, {u.area for u in fresh})
    dated = {"until": None, "change_id": number}
    rows = [
        {
            "ref": u.ref, "name": u.name, "area": u.area, "level": u.level.value, "role": u.role, "parent": u.parent,
            "aliases": list(u.aliases), "path": path_of(catalog, u.ref), "since": u.opened or BEGINNING, **dated,
        }
        for u in fresh
    ]  # fmt: skip
    tx.execute(insert(units), rows)
    assign_by_role(tx, catalog, fresh, BEGINNING, number)


def path_of(catalog: Catalog, ref: str) -> str:
    """The path of a unit as the plugins declare it."""
    names: list[str] = []
    unit = catalog.units.get(ref)
    while unit is not None and len(names) < 10:
        names.append(unit.ref)
        unit = catalog.units.get(unit.parent or "")
    return f"/{'/'.join(reversed(names))}/"


def _enter_areas(tx: Connection, catalog: Catalog, codes: set[str]) -> None:
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


def assign_by_role(
    tx: Connection, catalog: Catalog, bodies: Iterable[Unit], since: date, change: int,
    *, only: set[tuple[str, str]] | None = None,
) -> None:  # fmt: skip
    """Give units the duties that their roles owe in their areas, from a day on; with `only`, some of them."""
    rows: list[dict[str, Any]] = [
        {
            "unit": u.ref, "campaign": c.ref, "duty": d.id, "by_hand": False,
            "since": since, "until": None, "change_id": change,
        }
        for u in bodies
        for c in catalog.campaigns.values()
        for d in c.duties
        if (only is None or (c.ref, d.id) in only) and catalog.owes(u, d, c)
    ]  # fmt: skip
    if rows:
        tx.execute(insert(assignments), rows)
