"""Which board is meant: campaign, item and unit as they were asked for, or what is filed to the viewer's own unit."""

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from sqlalchemy import ColumnElement, Connection, and_

from gmsafety.campaigns import Campaign
from gmsafety.duties import Duty

from ...captions import item_caption
from ...directory import Directory
from ...errors import Problem
from ...node import Node
from ...planning import Item, items_of
from ...scope import Viewer, require, visible
from ...tables import slots
from . import repository
from .repository import Reach
from .schemas import Asked

Asking: TypeAlias = tuple[Campaign, Duty, Item]


@dataclass(frozen=True)
class Chosen:
    """What a board is about; `tops` are the paths of its unit, `sight` those of the viewer's, now and before."""

    campaign: Campaign
    duty: Duty
    item: Item
    unit: str
    tops: tuple[str, ...]
    sight: tuple[str, ...]
    reach: Reach

    @property
    def key(self) -> tuple[Hashable, ...]:
        """What two boards over the same slots have in common."""
        reach = self.reach
        return (self.sight, self.tops, reach.campaign, reach.item, reach.first, reach.last, reach.level)


def choose(tx: Connection, node: Node, directory: Directory, viewer: Viewer, asked: Asked) -> Chosen:
    """Find what is asked for; what is unknown or out of sight is not found."""
    unit, tops = _unit(directory, viewer, asked.unit)
    seen = visible(viewer, "board.read", slots.c.path)
    if asked.unit is not None:
        seen = and_(seen, repository.below(tops))
    campaign, duty, item = _item(tx, node, viewer, asked, seen)
    reach = Reach(seen, campaign.ref, item.ref, asked.first, asked.last, asked.level.value if asked.level else None)
    return Chosen(campaign, duty, item, unit, tops, (viewer.path, *viewer.former), reach)


def _unit(directory: Directory, viewer: Viewer, name: str | None) -> tuple[str, tuple[str, ...]]:
    if name is None:
        return viewer.unit, (viewer.path, *viewer.former)
    known = directory.units.get(name) or directory.units.named(name)
    ref = known.ref if known else name
    path = directory.place(ref)
    require(viewer, "board.read", path)
    return ref, (path, *directory.former.get(ref, ()))


def _item(tx: Connection, node: Node, viewer: Viewer, asked: Asked, seen: ColumnElement[bool]) -> Asking:
    catalog = node.catalog
    if asked.campaign is not None:
        named = [c for ref, c in catalog.campaigns.items() if asked.campaign in (ref, c.id)]
        if len(named) != 1:
            raise Problem("not-found", "没有这个专项行动")
        every = list(_items(node, named[0]))
    else:
        every = [asking for campaign in catalog.campaigns.values() for asking in _items(node, campaign)]
    if asked.item is not None:
        every = [a for a in every if asked.item in (a[2].ref, a[2].ref.partition(".")[2])]
    if not every:
        raise Problem("not-found", "没有这项报送")
    if len(every) == 1 or (asked.campaign and asked.item):
        return every[0]
    usual = _usual(tx, viewer)
    known = [a for a in every if (a[0].ref, a[2].ref) in usual]
    if known:
        return min(known, key=lambda a: usual[a[0].ref, a[2].ref])
    return next((a for a in every if repository.has_any(tx, Reach(seen, a[0].ref, a[2].ref))), every[0])


def _items(node: Node, campaign: Campaign) -> Iterator[Asking]:
    dated = (duty for duty in campaign.duties if duty.kind not in ("standing", "offset"))  # the others have no periods
    for duty in dated:
        yield from ((campaign, duty, item) for item in items_of(node.catalog, campaign, duty))


def _usual(tx: Connection, viewer: Viewer) -> Mapping[tuple[str, str], tuple[bool, bool]]:
    """What is filed to the unit and what it owes itself, and in which order: forms first, and what is filed to it."""
    owed = {(r.campaign, r.item): ("/" in r.item, True) for r in repository.owed_by(tx, viewer.unit)}
    return owed | {(r.campaign, r.item): ("/" in r.item, False) for r in repository.filed_to(tx, viewer.unit)}


@dataclass(frozen=True, slots=True)
class Offer:
    """An item that a board can be made of."""

    campaign: str
    campaign_title: str
    item: str
    title: str


def offers(node: Node, directory: Directory, viewer: Viewer) -> list[Offer]:
    """Every item of the campaigns that concern the viewer's area: those above it, its own, and those below."""
    own = directory.units.get(viewer.unit)
    areas = directory.catalog.areas
    found: dict[tuple[str, str], Offer] = {}
    for campaign in node.catalog.campaigns.values():
        line = {campaign.area, *(a.code for a in areas.ancestors(campaign.area))}
        above = {own.area, *(a.code for a in areas.ancestors(own.area))} if own else set()
        if own is not None and (own.area in line or campaign.area in above):
            for _, _, item in _items(node, campaign):
                title = item_caption(node.catalog, campaign.ref, item.ref)
                found[campaign.ref, item.ref] = Offer(campaign.ref, campaign.title, item.ref, title)
    return list(found.values())
