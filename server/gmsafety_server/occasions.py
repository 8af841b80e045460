"""What is filed upon an event (移交, 反馈): to whom it goes, and the slot that is made when it is begun or comes in."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, and_, exists, insert, select, update

from gmsafety import Catalog
from gmsafety.addressing import Addressee
from gmsafety.campaigns import Campaign
from gmsafety.duties import Duty
from gmsafety.entities import Unit

from .db import OPENING, take_turn
from .directory import Directory
from .planning import NO_DEADLINE, Item, find_upon_event, is_upon_event, items_of, name_of_event
from .tables import addressees, slots, submissions


@dataclass(frozen=True, slots=True)
class Occasion:
    """Something that a unit may file when something happens."""

    campaign: Campaign
    duty: Duty
    item: Item
    addressees: tuple[Addressee, ...]

    @property
    def name(self) -> str:
        """What it is called before it has a number."""
        return name_of_event(self.campaign, self.duty, self.item, 0).removesuffix("/0")


def occasions_of(catalog: Catalog, unit: Unit) -> Iterator[Occasion]:
    """All that a unit may file upon an event; what goes to somebody who is not registered is left out."""
    for campaign in catalog.campaigns.values():
        for duty in campaign.duties:
            if is_upon_event(duty) and catalog.owes(unit, duty, campaign):
                to = catalog.addressing(campaign).addressees(duty, unit)
                yield from (Occasion(campaign, duty, item, to) for item in items_of(catalog, campaign, duty) if to)


def find_occasion(directory: Directory, campaign: str, item: str, unit: str) -> Occasion | None:
    """What a unit has filed upon an event, by its name with the number; None where it is not the unit's to file."""
    found, body = find_upon_event(directory.catalog, campaign, item), directory.units.get(unit)
    if found is None or body is None or not directory.catalog.owes(body, found[1], found[0]):
        return None
    to = directory.catalog.addressing(found[0]).addressees(found[1], body)
    return Occasion(*found, to) if to else None


def begin(tx: Connection, directory: Directory, occasion: Occasion, unit: str, day: date) -> int:
    """Make a slot with the next number; one that was begun before and holds nothing is taken again."""
    take_turn(tx, OPENING)
    same = and_(slots.c.unit == unit, slots.c.item.startswith(f"{occasion.name}/", autoescape=True))
    empty = ~exists().where(submissions.c.slot_id == slots.c.id)
    left = tx.execute(select(slots.c.id).where(same, slots.c.state == "open", empty).limit(1)).scalar()
    if left is not None:
        tx.execute(update(slots).where(slots.c.id == left).values(period=day))
        return int(left)
    taken = tx.execute(select(slots.c.item).where(same)).scalars()
    number = max((int(item.rpartition("/")[2]) for item in taken), default=0) + 1
    named = name_of_event(occasion.campaign, occasion.duty, occasion.item, number)
    return _make(tx, directory, occasion, named, unit, day)


def make_room(tx: Connection, directory: Directory, occasion: Occasion, item: str, unit: str, day: date) -> None:
    """Make the slot of what another node sent, where it is not there yet."""
    take_turn(tx, OPENING)
    same = (slots.c.unit == unit, slots.c.campaign == occasion.campaign.ref, slots.c.item == item)
    if tx.execute(select(slots.c.id).where(*same, slots.c.period == day)).first() is None:
        _make(tx, directory, occasion, item, unit, day)


def _make(tx: Connection, directory: Directory, occasion: Occasion, named: str, unit: str, day: date) -> int:
    decides = next(a.unit.ref for a in occasion.addressees if a.decides)
    values = {
        "campaign": occasion.campaign.ref, "duty": occasion.duty.id, "item": named, "kind": occasion.item.kind,
        "period": day, "opens": min(occasion.campaign.first, day), "due_at": NO_DEADLINE, "unit": unit,
        "area": directory.units[unit].area, "upper": decides, "path": directory.path(unit), "state": "open",
        "nil": False, "revision": 0,
    }  # fmt: skip
    number = int(tx.execute(insert(slots).values(values).returning(slots.c.id)).scalar_one())
    rows = [
        {
            "slot_id": number, "unit": a.unit.ref, "position": at, "decides": a.decides,
            "path": f"{directory.path(a.unit.ref)}{unit}/",
        }
        for at, a in enumerate(occasion.addressees)
    ]  # fmt: skip
    tx.execute(insert(addressees), rows)
    return number
