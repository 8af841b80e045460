"""The list of units: each with its counts over a time, a page at a time."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

from sqlalchemy import Connection

from gmsafety.codes import Area

from ...directory import Directory
from ...node import Node
from ...scope import Viewer
from ...web import paged
from .bodies import Body, find_bodies
from .choosing import choose
from .counting import NONE, UnitCounts, count_units, in_order
from .remembered import Counted, Remembered
from .schemas import UnitLine, UnitList, UnitsAsked
from .states import Word
from .tallies import Counts, Tally

_NUMBERS: Mapping[Word, Callable[[Counts], int]] = MappingProxyType(
    {
        "not-due": lambda c: c.not_due,
        "due": lambda c: c.due,
        "missing": lambda c: c.missing,
        "nil": lambda c: c.nil,
        "submitted": lambda c: c.submitted,
        "late": lambda c: c.late,
        "returned": lambda c: c.returned,
        "accepted": lambda c: c.accepted,
    }
)


def list_units(tx: Connection, node: Node, memory: Remembered, viewer: Viewer, asked: UnitsAsked) -> UnitList:
    """A page of the list; the sums are over all units that are listed, not over the page."""
    now, today = node.clock.now(), node.clock.today()
    directory = node.directory(tx)
    chosen = choose(tx, node, directory, viewer, asked)
    chosen = replace(chosen, reach=replace(chosen.reach, level=None))  # a level narrows what is listed, not the counts
    look = memory.within(tx, now)
    counts = count_units(tx, look, chosen, now)

    def make() -> Counted[UnitList]:
        bodies = find_bodies(tx, directory, look, chosen, today, lambda: counts.value)
        found = in_order(_narrowed(bodies, asked, counts.value), asked.sort, counts.value)
        rows = [_line(b, counts.value) for b in found[asked.offset : asked.offset + asked.size]]
        number = paged(rows, len(found), asked)
        made = UnitList(
            campaign=chosen.campaign.ref, campaign_title=chosen.campaign.title, item=chosen.item.ref,
            title=chosen.item.title, unit=chosen.unit, unit_name=directory.name(chosen.unit), now=now,
            totals=Tally.of_counts(Counts.sum(counts.value.get(b.ref, NONE) for b in found)), rows=rows,
            **{name: number[name] for name in ("total", "page", "size", "pages")},
        )  # fmt: skip
        return Counted(made, counts.until)

    narrowed = (asked.level, asked.area, asked.state, asked.q, asked.sort, asked.page, asked.size)
    made = look.get(("list", chosen.key, today, narrowed), chosen.reach, make)
    return made.value.model_copy(update={"now": now})


def _line(body: Body, counts: UnitCounts) -> UnitLine:
    totals = Tally.of_counts(counts.get(body.ref, NONE))
    return UnitLine(unit=body.ref, unit_name=body.name, level=body.level, area=body.area, totals=totals)


def _narrowed(bodies: list[Body], asked: UnitsAsked, counts: UnitCounts) -> list[Body]:
    if words := asked.q.split():
        bodies = [b for b in bodies if b.is_called(words)]
    if asked.level is not None:
        bodies = [b for b in bodies if b.level == asked.level.value]
    if asked.area is not None:
        stem = _stem(asked.area)
        bodies = [b for b in bodies if b.area.startswith(stem)]
    if asked.state is not None:
        number = _NUMBERS[asked.state]
        bodies = [b for b in bodies if number(counts.get(b.ref, NONE))]
    return bodies


def _stem(code: str) -> str:
    """How the codes of an area and of all below it begin: 140500 → 1405."""
    return re.sub(r"^(\d\d)(?:0000|(\d\d)00)$", r"\1\2", code)


def areas_below(directory: Directory, unit: str) -> tuple[Area, ...]:
    """The areas directly below that of a unit; the provinces below what is above them all."""
    own, areas = directory.units.get(unit), directory.catalog.areas
    if own is None or areas.get(own.area) is None:
        return areas.provinces()
    return areas.children(own.area)
