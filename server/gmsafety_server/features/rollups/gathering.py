"""Fetching what a roll-up is made of, and what its result is judged with."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import Connection

from gmsafety.errors import UnknownName
from gmsafety.findings import Finding
from gmsafety.forms import check
from gmsafety.forms.reading import Reading
from gmsafety.forms.record import Record
from gmsafety.forms.spec import Form

from ...errors import Problem
from ...node import Node
from ...tables import AnyRow
from ..submissions.judging import Desk, judge, lay_out
from . import repository
from .reckoning import Made, Parts, make
from .tracing import Below


def form_of(node: Node, item: str, period: date) -> Form:
    """The form of an item, in the version of a period; a problem where it is a deliverable, or declared no more."""
    try:
        return node.catalog.form(item, on=period)
    except UnknownName as error:
        raise Problem("no-step", f"“{item}”不是能汇总的表") from error


def parts_of_row(tx: Connection, node: Node, row: Any, numbers: Iterable[int]) -> Parts:
    """What a roll-up is made of when it counts these submissions. The units are those of its period."""
    directory = node.directories.on(tx, row.period)
    if row.unit not in directory.units:
        directory = node.directory(tx)
    unit = directory.units.get(row.unit)
    if unit is None:
        raise Problem("not-found")
    lower = tuple(r for r in repository.filed_forms(tx, numbers) if r.body is not None)
    return Parts(form_of(node, row.item, row.period), directory, unit, row.period, lower, row.own, row.adjustments)


def made_of(tx: Connection, node: Node, row: AnyRow) -> Made:
    """A roll-up as it was last refreshed."""
    return make(parts_of_row(tx, node, row, repository.counted(tx, [row.id])[row.id]))


def made_now(tx: Connection, node: Node, row: AnyRow) -> Made | None:
    """The roll-up as it would be after a refresh; None where nothing below has changed."""
    fresh = repository.in_force(tx, [row.id])[row.id]
    if fresh == repository.counted(tx, [row.id])[row.id]:
        return None
    return make(parts_of_row(tx, node, row, fresh))


def opener(tx: Connection, node: Node) -> Below:
    """Opens a submission that was itself a roll-up, as it was made when it was filed."""
    known: dict[int, Made | None] = {}

    def below(row: AnyRow) -> Made | None:
        if row.id not in known:
            filing = repository.filings(tx, [row.id]).get(row.id)
            known[row.id] = make(_then(tx, node, filing)) if filing is not None else None
        return known[row.id]

    return below


def filed_and_now(tx: Connection, node: Node, filing: AnyRow, numbers: Iterable[int]) -> tuple[Made, Made]:
    """A roll-up as it was made when it was filed, and as it would be made of these submissions."""
    then = _then(tx, node, filing)
    return make(then), make(replace(then, lower=parts_of_row(tx, node, filing, numbers).lower))


def _then(tx: Connection, node: Node, filing: AnyRow) -> Parts:
    parts = parts_of_row(tx, node, filing, filing.then_sources)
    return replace(parts, own=filing.then_own, adjustments=filing.then_adjustments)


def upward_slot(tx: Connection, node: Node, row: AnyRow) -> AnyRow | None:
    """The slot in which the unit files this form itself: of the same day before one that begins earlier, of the
    campaign above before another.
    """
    campaign = node.catalog.campaigns.get(row.campaign)
    parent = campaign.parent if campaign else None
    found = repository.slots_upward(tx, row.unit, row.item, row.period)
    return min(found, key=lambda s: (s.period != row.period, s.period, s.campaign != parent), default=None)


@dataclass(frozen=True)
class Bench:
    """What the result is judged with: the desk of the slot it is filed in, if there is one; other forms beside."""

    desk: Desk | None
    beside: tuple[Record, ...]

    def judge(self, made: Made) -> list[Finding]:
        """Everything that is found in the result, in the order of the paper: first what concerns all of it."""
        reading = Reading(made.parts.form.title, made.record, made.findings)
        if self.desk is None:
            found = check(reading, made.parts.directory.catalog, beside=self.beside)
        else:
            found = judge(self.desk, reading)
        paths = list(made.parts.form.blanks)
        return sorted(found, key=lambda f: paths.index(f.place.where) if f.place.where in paths else -1)


def lay_bench(tx: Connection, node: Node, row: AnyRow, slot: AnyRow | None) -> Bench:
    """Fetch what the result is judged with; the other forms of the period as rolled up, else as filed."""
    rolled = {r.item: made_of(tx, node, r).record for r in repository.of_period(tx, row)}
    if slot is None:
        return Bench(None, tuple(rolled.values()))
    desk = lay_out(tx, node, slot, drafts=False)
    filed = {r.form.ref: r for r in desk.beside}
    same = {n: filed[n] for n, r in rolled.items() if n in filed and r.same_content(filed[n])}
    beside = tuple({**filed, **rolled, **same}.values())
    return Bench(replace(desk, beside=beside), beside)
