"""The board and its sums: units by periods, a page at a time, as far as the viewer sees."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime
from itertools import groupby
from typing import Any, TypeAlias

from sqlalchemy import Connection

from ...captions import period_caption
from ...directory import Directory
from ...node import Node
from ...scope import Viewer
from ...tables import AnyRow
from ...web import paged
from . import repository, unit_rows
from .bodies import Body, find_bodies
from .choosing import Chosen, choose
from .counting import count_units, in_order
from .remembered import Counted, Look, Remembered, Touched
from .schemas import About, Asked, Board, BoardAsked, BoardRow, Cell, Group, Period, Summary
from .states import changes_at, word_of
from .tallies import Mark, Tally

Drawing: TypeAlias = Callable[[Board], str]
Columns: TypeAlias = dict[date, Counted[Period]]


def board(tx: Connection, node: Node, memory: Remembered, viewer: Viewer, asked: BoardAsked) -> Board:
    """A page of a board."""
    return shown(tx, node, memory, viewer, asked, None)[0]


def shown(
    tx: Connection, node: Node, memory: Remembered, viewer: Viewer, asked: BoardAsked, draw: Drawing | None
) -> tuple[Board, str]:
    """A page of a board, and how it is drawn; both are remembered while they hold."""
    now, today = node.clock.now(), node.clock.today()
    directory = node.directory(tx)
    chosen = choose(tx, node, directory, viewer, asked)
    look = memory.within(tx, now)
    names = viewer.may("submission.read")

    def make() -> Counted[Board]:
        periods = _periods(tx, node, look, chosen, now)
        bodies = _narrowed(tx, look, chosen, asked, now, _bodies(tx, directory, look, chosen, today))
        rows = _rows(tx, chosen, now, bodies[asked.offset : asked.offset + asked.size], periods.value, names=names)
        number = paged(rows, len(bodies), asked)
        made = Board(
            **_about(directory, chosen, now), periods=periods.value, totals=Tally.sum(p.totals for p in periods.value),
            rows=rows, **{name: number[name] for name in ("total", "page", "size", "pages")},
        )  # fmt: skip
        return Counted(made, periods.until)

    def renew(made: Board, touched: Touched) -> Counted[Board]:
        periods = _periods(tx, node, look, chosen, now)
        changed = {unit for unit, _ in touched}
        bodies = [Body(r.unit, r.unit_name, r.area, r.level) for r in made.rows if r.unit in changed]
        anew = {r.unit: r for r in _rows(tx, chosen, now, bodies, periods.value, names=names)}
        told = {"rows": [anew.get(r.unit, r) for r in made.rows], "periods": periods.value}
        return Counted(
            made.model_copy(update=told | {"totals": Tally.sum(p.totals for p in periods.value)}), periods.until
        )

    key = (chosen.key, asked.q, asked.state, asked.sort, asked.page, asked.size, names, today)
    stays = asked.state is None and asked.sort == "area"  # which units are on the page, whatever they file
    made = look.get(("board", key), chosen.reach, make, renew if stays else None)
    drawn = look.get(("drawn", key), chosen.reach, lambda: Counted(draw(made.value), made.until)).value if draw else ""
    return made.value.model_copy(update={"now": now}), drawn


def _about(directory: Directory, chosen: Chosen, now: datetime) -> dict[str, Any]:
    told = About(
        campaign=chosen.campaign.ref, campaign_title=chosen.campaign.title, item=chosen.item.ref,
        title=chosen.item.title, unit=chosen.unit, unit_name=directory.name(chosen.unit), now=now,
    )  # fmt: skip
    return dict(told)


def _periods(tx: Connection, node: Node, look: Look, chosen: Chosen, now: datetime) -> Counted[list[Period]]:
    """The columns with their totals."""

    def count() -> Counted[Columns]:
        return _counted(_columns(tx, node, chosen, chosen.reach, now))

    def renew(columns: Columns, touched: Touched) -> Counted[Columns]:
        reach = replace(chosen.reach, periods=frozenset(period for _, period in touched))
        anew = columns | _columns(tx, node, chosen, reach, now)
        return _counted(dict(sorted(anew.items())))

    found = look.get(("periods", chosen.key), chosen.reach, count, renew)
    return Counted([c.value for c in found.value.values()], found.until)


def _columns(tx: Connection, node: Node, chosen: Chosen, reach: repository.Reach, now: datetime) -> Columns:
    rows = groupby(repository.groups(tx, reach), lambda r: r.period)
    return {day: _period(node, chosen, day, list(alike), now) for day, alike in rows}


def _counted(columns: Columns) -> Counted[Columns]:
    return Counted(columns, min((c.until for c in columns.values() if c.until), default=None))


def _period(node: Node, chosen: Chosen, day: date, rows: list[AnyRow], now: datetime) -> Counted[Period]:
    marks: Counter[Mark] = Counter()
    for r in rows:
        for late, number in ((True, r.late), (False, r.number - r.late)):
            marks[word_of(r, late=late, now=now), r.nil, late] += number
    title = period_caption(node.catalog, chosen.campaign.ref, chosen.duty.id, day)
    due, opens = max(r.due_at for r in rows), min(r.opens for r in rows)
    until = min((m for r in rows if (m := changes_at(r, now))), default=None)
    return Counted(Period(period=day, title=title, opens=opens, due_at=due, totals=Tally.of(marks)), until)


def _bodies(tx: Connection, directory: Directory, look: Look, chosen: Chosen, today: date) -> list[Body]:
    def refs() -> set[str]:
        return {unit_rows.unit_at(path) for path in repository.paths(tx, chosen.reach)}

    return find_bodies(tx, directory, look, chosen, today, refs)


def _narrowed(
    tx: Connection, look: Look, chosen: Chosen, asked: BoardAsked, now: datetime, bodies: list[Body]
) -> list[Body]:
    words = asked.q.split()
    found = [b for b in bodies if b.is_called(words)] if words else bodies
    if asked.state is not None:
        bearing = unit_rows.bearing(tx, chosen.reach, now, asked.state)
        found = [b for b in found if b.ref in bearing]
    if asked.sort != "area":
        found = in_order(found, asked.sort, count_units(tx, look, chosen, now).value)
    return found


def _rows(
    tx: Connection, chosen: Chosen, now: datetime, bodies: list[Body], periods: list[Period], *, names: bool
) -> list[BoardRow]:
    cells = repository.cells(tx, chosen.reach, now, [b.ref for b in bodies], names=names) if bodies else []
    columns = {p.period: number for number, p in enumerate(periods)}
    found: dict[str, list[Cell | None]] = {b.ref: [None] * len(columns) for b in bodies}
    marks: dict[str, list[Mark]] = {b.ref: [] for b in bodies}
    for unit, period, word, late, submission, nil, revision in cells:
        found[unit][columns[period]] = {
            "state": word, "nil": nil, "late_minutes": late, "revision": revision, "submission": submission,
        }  # fmt: skip
        marks[unit].append((word, nil, late > 0))
    return [
        BoardRow(
            unit=b.ref, unit_name=b.name, level=b.level, area=b.area, cells=found[b.ref], totals=Tally.of(marks[b.ref])
        )
        for b in bodies
    ]


def summary(tx: Connection, node: Node, memory: Remembered, viewer: Viewer, asked: Asked) -> Summary:
    """The counts of each unit directly below a unit."""
    now = node.clock.now()
    directory = node.directory(tx)
    chosen = choose(tx, node, directory, viewer, asked)
    look = memory.within(tx, now)
    periods = _periods(tx, node, look, chosen, now)

    def count() -> Counted[list[AnyRow]]:
        return Counted(repository.children(tx, chosen.reach, now, chosen.tops), periods.until)

    rows = look.get(("children", chosen.key), chosen.reach, count).value
    gone = repository.bodies(tx, (r.unit for r in rows if r.unit and r.unit not in directory.units))
    groups = [_group(directory, chosen, r, gone) for r in rows]
    units = directory.units
    order = {g.unit: units[g.unit].area if g.unit in units else "~" for g in groups}
    groups.sort(key=lambda g: (g.unit != chosen.unit, order[g.unit], g.unit))
    return Summary(
        **_about(directory, chosen, now), periods=periods.value, totals=Tally.sum(p.totals for p in periods.value),
        groups=groups,
    )  # fmt: skip


def _group(directory: Directory, chosen: Chosen, row: AnyRow, gone: Mapping[str, AnyRow]) -> Group:
    unit = row.unit or chosen.unit
    name = gone[unit].name if unit in gone else directory.name(unit)
    return Group(unit=unit, unit_name=name, totals=repository.tally_of(row))
