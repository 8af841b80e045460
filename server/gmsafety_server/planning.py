"""What is to be filed: the slots of every unit and period, planned ahead from dated assignments.

A slot whose deadline has passed is never planned anew: the expected set of a period is frozen, and yesterday's rates
do not change tomorrow. What somebody has filed stays with the unit it was filed to.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, bindparam, delete, insert, select, update

from gmsafety import Catalog
from gmsafety.campaigns import Campaign
from gmsafety.duties import Duty, Occurrence, Recurring, Standing

from .tables import AnyRow, assignments, slots, submissions, units

BEGINNING = date(2000, 1, 1)
NO_DEADLINE = datetime(9000, 1, 1, tzinfo=UTC)
"""When a slot is due for which no notice names a day: what is filed upon an event."""
_CHUNK = 1000
_UNTOUCHED = and_(slots.c.state == "open", slots.c.revision == 0)  # what was taken back was filed once
_WEEK = timedelta(days=6)
_MONTH = timedelta(days=30)
MOVED_AT_MOST = timedelta(days=31)  # how far a holiday carries a deadline from the day that names the period
_PLACE = ("path", "upper", "area", "opens", "due_at")


@dataclass(frozen=True, slots=True)
class Item:
    """What is filed: a form, or a deliverable with its artefacts; `ref` names it in slots and submissions.

    What is filed upon an event has a `number`, by which it is told from the next one of its kind.
    """

    ref: str
    kind: str
    title: str
    artefacts: tuple[str, ...] = ()
    form: str = ""
    number: int = 0


class SlotName(NamedTuple):
    """What makes a slot the only one."""

    campaign: str
    item: str
    period: date
    unit: str


@dataclass(frozen=True, slots=True)
class Planned:
    """What planning changed: slots added, taken away, filed to another unit or due at another time; and the drafts,
    by uid, that went with the slots taken away.
    """

    added: tuple[SlotName, ...] = ()
    removed: tuple[SlotName, ...] = ()
    moved: tuple[SlotName, ...] = ()
    drafts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Extent:
    """Which part of the slots is planned: those due after a moment, of some units, of some duties; None is all."""

    after: datetime | None = None
    units: frozenset[str] | None = None
    duties: frozenset[tuple[str, str]] | None = None

    def holds(self, campaign: str, duty: str, unit: str) -> bool:
        """Tell whether a slot is planned, whenever it is due."""
        asked = self.duties is None or (campaign, duty) in self.duties
        return asked and (self.units is None or unit in self.units)


def items_of(catalog: Catalog, campaign: Campaign, duty: Duty) -> Iterator[Item]:
    """The forms and deliverables of a duty."""
    for name in duty.file:
        form = catalog.form(name)
        yield Item(form.ref, "form", form.title, form=form.ref)
    for handed in duty.hand_in:
        yield Item(f"{campaign.ref}/{duty.id}/{handed.id}", "deliverable", handed.title, handed.artefacts)


def find_item(catalog: Catalog, campaign: str, ref: str) -> Item | None:
    """The item of a campaign with this name; a form also by its short name."""
    owner = catalog.campaigns.get(campaign)
    for duty in owner.duties if owner else ():
        for item in items_of(catalog, owner, duty) if owner else ():
            if item.ref == ref or (item.kind == "form" and item.ref.partition(".")[2] == ref):
                return item
    found = find_upon_event(catalog, campaign, ref)
    return found[2] if found else None


def name_of_event(campaign: Campaign, duty: Duty, item: Item, number: int) -> str:
    """How the n-th of what is filed upon an event is named: `campaign/duty/form/n`."""
    base = f"{campaign.ref}/{duty.id}/{item.ref}" if item.kind == "form" else item.ref
    return f"{base}/{number}"


def find_upon_event(catalog: Catalog, campaign: str, ref: str) -> tuple[Campaign, Duty, Item] | None:
    """What is filed upon an event, by its name; None for what has a day, and where no plugin declares it."""
    number = ref.rpartition("/")[2]
    owner = catalog.campaigns.get(campaign)
    if owner is None or not (number.isascii() and number.isdigit() and len(number) < 7 and number[0] != "0"):
        return None
    for duty in owner.duties:
        for item in items_of(catalog, owner, duty) if is_upon_event(duty) else ():
            if ref == name_of_event(owner, duty, item, int(number)):
                return owner, duty, replace(item, ref=ref, number=int(number))
    return None


def is_upon_event(duty: Duty) -> bool:
    """Tell whether something is filed when something happens, and not by a day."""
    return isinstance(duty, Standing) and duty.on is not None and bool(duty.file or duty.hand_in)


def find_duty(catalog: Catalog, campaign: str, duty: str) -> tuple[Campaign, Duty] | None:
    """A duty of a campaign, by full name of the campaign and id of the duty."""
    owner = catalog.campaigns.get(campaign)
    return next(((owner, d) for d in owner.duties if d.id == duty), None) if owner else None


def plan(
    tx: Connection, catalog: Catalog, *, after: datetime | None, only: Iterable[str] | None = None,
    duties: Iterable[tuple[str, str]] | None = None, discard: bool = False,
) -> Planned:  # fmt: skip
    """Bring the slots into line with units and assignments: those due after a moment, or all of them.

    Slots nobody has touched and nobody owes any more are taken away, with `discard` also those that hold a draft and
    nothing else; what was filed stays.
    """
    extent = Extent(
        after, frozenset(only) if only is not None else None, frozenset(duties) if duties is not None else None
    )  # fmt: skip
    wanted = {SlotName(s["campaign"], s["item"], s["period"], s["unit"]): s for s in _wanted(tx, catalog, extent)}
    present = {SlotName(r.campaign, r.item, r.period, r.unit): r for r in _present(tx, extent)}
    untouched = {name: row for name, row in present.items() if row.state == "open" and not row.revision}
    removed, drafts = _remove(tx, {n: r for n, r in untouched.items() if n not in wanted}, discard=discard)
    ahead = {n: s for n, s in wanted.items() if after is None or s["due_at"] > after}
    moved = [n for n, r in untouched.items() if n in ahead and any(getattr(r, c) != ahead[n][c] for c in _PLACE)]
    _move(tx, [{"row": untouched[n].id, **{f"to_{c}": ahead[n][c] for c in _PLACE}} for n in moved])
    fresh = [n for n in ahead if n not in present]
    known = _known(tx, fresh, extent)
    added = [n for n in fresh if n not in known]
    for part in _chunks([ahead[n] for n in added]):
        tx.execute(insert(slots), part)
    return Planned(tuple(added), tuple(removed), tuple(moved), tuple(drafts))


def _present(tx: Connection, extent: Extent) -> Iterator[AnyRow]:
    columns = [slots.c[n] for n in ("id", "campaign", "duty", "item", "period", "unit", "state", "revision", *_PLACE)]
    query = select(*columns).where(slots.c.due_at < NO_DEADLINE)
    if extent.after is not None:
        query = query.where(slots.c.due_at > extent.after)
    if extent.units is not None and len(extent.units) <= _CHUNK:
        query = query.where(slots.c.unit.in_(extent.units))
    return (r for r in tx.execute(query) if extent.holds(r.campaign, r.duty, r.unit))


def _known(tx: Connection, fresh: list[SlotName], extent: Extent) -> set[SlotName]:
    """Those among slots to be added that are there after all, frozen: their deadline was another one."""
    if not fresh:
        return set()
    query = select(slots.c.campaign, slots.c.item, slots.c.period, slots.c.unit)
    query = query.where(slots.c.period.between(min(n.period for n in fresh), max(n.period for n in fresh)))
    if extent.units is not None and len(extent.units) <= _CHUNK:
        query = query.where(slots.c.unit.in_(extent.units))
    return {SlotName(*row) for row in tx.execute(query)}


def _remove(
    tx: Connection, gone: Mapping[SlotName, AnyRow], *, discard: bool
) -> tuple[list[SlotName], list[str]]:  # fmt: skip
    drafts: dict[int, list[str]] = {}
    for part in _chunks([row.id for row in gone.values()]):
        query = select(submissions.c.slot_id, submissions.c.uid).where(submissions.c.slot_id.in_(part))
        for row in tx.execute(query):
            drafts.setdefault(row.slot_id, []).append(row.uid)
    going = {n: row.id for n, row in gone.items() if discard or row.id not in drafts}
    for part in _chunks(list(going.values())):
        tx.execute(delete(submissions).where(submissions.c.slot_id.in_(part), submissions.c.state == "draft"))
        tx.execute(delete(slots).where(slots.c.id.in_(part), _UNTOUCHED))
    return list(going), [uid for number in going.values() for uid in drafts.get(number, ())]


def _move(tx: Connection, rows: list[dict[str, Any]]) -> None:
    values: dict[str, Any] = {c: bindparam(f"to_{c}") for c in _PLACE}
    for part in _chunks(rows):
        still = and_(_UNTOUCHED, slots.c.id == bindparam("row"))  # it may have been filed a moment ago
        tx.execute(update(slots).where(still).values(values), part)


def _wanted(tx: Connection, catalog: Catalog, extent: Extent) -> Iterator[dict[str, Any]]:
    """The slots that are owed, from a month before the moment after which slots are planned."""
    bodies = _bodies(tx)
    calendar: dict[tuple[str, str], list[tuple[Occurrence, tuple[Item, ...]]]] = {}
    for owed in tx.execute(_owed(extent)):
        found = find_duty(catalog, owed.campaign, owed.duty)
        if found is None or not extent.holds(owed.campaign, owed.duty, owed.unit):
            continue
        campaign, duty = found
        key = (owed.campaign, owed.duty)
        if key not in calendar:
            calendar[key] = list(_ahead(catalog, campaign, duty, extent))
        for occurrence, items in calendar[key]:
            body = next((r for r in bodies.get(owed.unit, ()) if _holds(r, occurrence.period)), None)
            if body is not None and _holds(owed, occurrence.period):
                yield from _slots(campaign, occurrence, items, body)


def _bodies(tx: Connection) -> dict[str, list[AnyRow]]:
    columns = [units.c[n] for n in ("ref", "area", "role", "parent", "path", "since", "until")]
    found: dict[str, list[AnyRow]] = {}
    for row in tx.execute(select(*columns).order_by(units.c.since)):
        found.setdefault(row.ref, []).append(row)
    return found


def _owed(extent: Extent) -> Any:
    query = select(assignments)
    if extent.units is not None and len(extent.units) <= _CHUNK:
        query = query.where(assignments.c.unit.in_(extent.units))
    return query


def _ahead(
    catalog: Catalog, campaign: Campaign, duty: Duty, extent: Extent
) -> Iterator[tuple[Occurrence, tuple[Item, ...]]]:
    items = tuple(items_of(catalog, campaign, duty))
    for occurrence in duty.occurrences(catalog.calendar):
        if extent.after is None or occurrence.due > extent.after - MOVED_AT_MOST:
            yield occurrence, items


def _holds(row: AnyRow, day: date) -> bool:
    return bool(row.since <= day and (row.until is None or day < row.until))


def _slots(
    campaign: Campaign, occurrence: Occurrence, items: tuple[Item, ...], body: AnyRow
) -> Iterator[dict[str, Any]]:
    """What is filed goes to the unit directly above: it alone decides on it and adds it up."""
    duty = occurrence.duty
    weekly = isinstance(duty, Recurring)
    for item in items:
        yield {
            "campaign": campaign.ref, "duty": duty.id, "item": item.ref, "kind": item.kind,
            "period": occurrence.period, "opens": occurrence.period - (_WEEK if weekly else _MONTH),
            "due_at": occurrence.due, "unit": body.ref, "area": body.area, "upper": body.parent, "path": body.path,
            "state": "open", "nil": False, "revision": 0, "submission_id": None, "received_at": None,
        }  # fmt: skip


def _chunks(values: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]
