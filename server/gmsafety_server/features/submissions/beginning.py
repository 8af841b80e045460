"""What a unit files when something happens: what it may file, what it has filed and received, and how it begins."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, and_, or_, select

from gmsafety.campaigns import Campaign
from gmsafety.duties import Duty, Standing
from gmsafety.tasks import Target

from ... import audit
from ...directory import Directory
from ...errors import Problem
from ...node import Node
from ...occasions import Occasion, begin, occasions_of
from ...planning import NO_DEADLINE, find_upon_event
from ...scope import Viewer, require
from ...tables import AnyRow, addressees, slots, submissions
from . import handling, repository
from .schemas import Envelope, Parcel

_MOST = 500
_IN_FORCE = ("submitted", "accepted")


@dataclass(frozen=True)
class Reached:
    """A figure that is to be reached (SX-R7: 不少于5天), as far as it can be counted."""

    target: Target
    count: int | None

    @property
    def is_met(self) -> bool | None:
        """Tell whether it is reached; None where it cannot be counted here."""
        return self.target.is_met(self.count) if self.count is not None else None


@dataclass(frozen=True)
class Matter:
    """A duty upon an event, with what was filed of it and received of it."""

    campaign: Campaign
    duty: Duty
    may_file: list[Occasion] = field(default_factory=list)
    filed: list[AnyRow] = field(default_factory=list)
    received: list[AnyRow] = field(default_factory=list)
    reached: list[Reached] = field(default_factory=list)


def matters(tx: Connection, node: Node, viewer: Viewer) -> list[Matter]:
    """All that concerns a unit: what it may file, has filed, has received."""
    directory = node.directory(tx)
    found: dict[tuple[str, str], Matter] = {}

    def matter(campaign: Campaign, duty: Duty) -> Matter:
        return found.setdefault((campaign.ref, duty.id), Matter(campaign, duty))

    unit = directory.units.get(viewer.unit)
    for occasion in occasions_of(directory.catalog, unit) if unit else ():
        matter(occasion.campaign, occasion.duty).may_file.append(occasion)
    for row in _rows(tx, slots.c.unit == viewer.unit):
        if (known := find_upon_event(node.catalog, row.campaign, row.item)) is not None:
            matter(*known[:2]).filed.append(row)
    mine = select(addressees.c.slot_id).where(addressees.c.unit == viewer.unit)
    for row in _rows(tx, and_(slots.c.id.in_(mine), slots.c.submission_id.is_not(None))):
        if (known := find_upon_event(node.catalog, row.campaign, row.item)) is not None:
            matter(*known[:2]).received.append(row)
    for one in found.values():
        one.reached.extend(_reached(one))
    return list(found.values())


def _rows(tx: Connection, which: Any) -> list[AnyRow]:
    """Slots upon an event with the submission in force, or the draft; the newest first."""
    latest = or_(
        submissions.c.id == slots.c.submission_id,
        and_(slots.c.submission_id.is_(None), submissions.c.slot_id == slots.c.id, submissions.c.state == "draft"),
    )
    columns = (slots.c.id.label("slot"), slots.c.upper, slots.c.path, *repository.SUMMARY, submissions.c.body)
    query = select(*columns).join(submissions, latest).where(which, slots.c.due_at == NO_DEADLINE)
    return list(tx.execute(query.order_by(submissions.c.id.desc()).limit(_MOST)))


def _reached(matter: Matter) -> Iterator[Reached]:
    """The targets that are counted in a duty's forms; with them those of the same task that nothing counts."""
    targets = {t.id: t for t in matter.campaign.targets}
    counted = [t.id for t in targets.values() if t.tally is not None and t.tally.duty == matter.duty.id]
    if not counted or not matter.may_file:
        return
    beside = next((task.targets for task in matter.campaign.tasks if set(counted) <= set(task.targets)), ())
    filed = [r.body for r in matter.filed if r.state in _IN_FORCE and r.body is not None]
    for name in beside or counted:
        target = targets[name]
        tally = target.tally
        values = {body["header"].get(tally.field) for body in filed} - {None, ""} if tally else None
        yield Reached(target, len(values) if values is not None else None)


def about(matter: Matter, row: AnyRow) -> str:
    """What tells a filing from the next: the enterprise of a list."""
    each = matter.duty.each if isinstance(matter.duty, Standing) else None
    return str(row.body["header"].get(each) or "") if each and row.body is not None else ""


def start(
    node: Node, viewer: Viewer, name: str, day: date | None, *, prefilled: bool = False
) -> tuple[int, str | None]:
    """Begin something: its slot, and the draft where it begins with what was received."""
    require(viewer, "submission.file", viewer.path)
    with node.db.write() as tx:
        directory = node.directory(tx)
        unit = directory.units.get(viewer.unit)
        every = occasions_of(directory.catalog, unit) if unit else iter(())
        occasion = next((o for o in every if o.name == name), None)
        if occasion is None:
            raise Problem("not-owed", "本单位没有这一项")
        today = day or node.clock.today()
        if not occasion.campaign.first <= today:
            raise Problem("too-early", f"{occasion.campaign.first}起接收")
        number = begin(tx, directory, occasion, viewer.unit, today)
        slot = repository.slot(tx, number)
        assert slot is not None
        told = {"item": slot.item, "period": today}
        audit.record(tx, node.clock.now(), viewer.actor, "submission.begun", slot.item, path=slot.path, **told)
        body = _prefilled(tx, directory, occasion, slot) if prefilled else None
    if body is None:
        return number, None
    envelope = Envelope(
        message_id=f"begun-{uuid4().hex}", item=slot.item, period=slot.period, campaign=slot.campaign, unit=slot.unit,
        action="draft",
    )  # fmt: skip
    uid, _ = handling.take(node, viewer, Parcel(envelope, body=body))
    return number, uid


def _prefilled(tx: Connection, directory: Directory, occasion: Occasion, slot: AnyRow) -> dict[str, Any] | None:
    """The form with a row for each list that was received; None where there is none."""
    duty = occasion.duty
    prefill = duty.prefill if isinstance(duty, Standing) else None
    if prefill is None or not occasion.item.form:
        return None
    rows = list(_received(tx, occasion.campaign, prefill.of, slot.unit))
    form = directory.catalog.form(occasion.item.form, on=slot.period)
    known = {"unit": directory.name(slot.unit), "date": slot.period.isoformat()}
    serial = next((c.id for c in form.columns if c.type == "serial"), None)
    made = [
        prefill.row_of(row.body["header"], row.body.get("rows") or (), directory.name(row.unit)) for row in rows
    ]  # fmt: skip
    numbered = [{**({serial: n} if serial else {}), **row} for n, row in enumerate(made, 1)]
    header = {h.id: known.get(h.id) for h in form.header}
    return {"form": form.ref, "version": form.version, "header": header, "rows": numbered} if rows else None


def _received(tx: Connection, campaign: Campaign, duty: str, unit: str) -> Iterable[AnyRow]:
    """What a unit has received of a duty, and is in force, in the order in which it came."""
    mine = select(addressees.c.slot_id).where(addressees.c.unit == unit)
    query = select(submissions.c.unit, submissions.c.body).join(slots, slots.c.submission_id == submissions.c.id)
    query = query.where(slots.c.id.in_(mine), slots.c.campaign == campaign.ref, slots.c.duty == duty)
    query = query.where(submissions.c.state.in_(_IN_FORCE), submissions.c.body.is_not(None))
    return tx.execute(query.order_by(submissions.c.received_at, submissions.c.id))
