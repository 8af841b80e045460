"""The rows of roll-ups; nothing here decides."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, delete, func, insert, or_, select, update

from gmsafety.exchange.payloads import Part

from ...planning import NO_DEADLINE
from ...tables import (
    AnyRow,
    attachments,
    doubts,
    outdated,
    rollup_filings,
    rollup_sources,
    rollups,
    slots,
    submissions,
    users,
)

SUMMARY = [c for c in submissions.c if c.name not in ("body", "origin", "findings", "made_of")]
COUNTED = {"accepted": ("accepted",), "submitted": ("submitted", "accepted")}
"""The states of a submission that is counted, by the basis of the roll-up."""


def by_uid(tx: Connection, uid: str, *, lock: bool = False) -> AnyRow | None:
    """A roll-up."""
    query = select(rollups).where(rollups.c.uid == uid)
    return tx.execute(query.with_for_update() if lock else query).first()


def by_key(tx: Connection, unit: str, campaign: str, item: str, period: date) -> AnyRow | None:
    """The roll-up of a unit for a form and a period."""
    same = and_(rollups.c.unit == unit, rollups.c.campaign == campaign, rollups.c.item == item)
    return tx.execute(select(rollups).where(same, rollups.c.period == period)).first()


def of_period(tx: Connection, row: AnyRow) -> list[AnyRow]:
    """The other forms' roll-ups of the same unit and period."""
    same = and_(rollups.c.unit == row.unit, rollups.c.campaign == row.campaign, rollups.c.period == row.period)
    return list(tx.execute(select(rollups).where(same, rollups.c.item != row.item).order_by(rollups.c.item)))


def own_before(tx: Connection, row: AnyRow) -> Any:
    """The unit's own part of the last period that has one."""
    same = and_(*(rollups.c[n] == getattr(row, n) for n in ("unit", "campaign", "item")))
    query = select(rollups.c.own).where(same, rollups.c.period < row.period, rollups.c.own.is_not(None))
    return tx.execute(query.order_by(rollups.c.period.desc()).limit(1)).scalar()


def add(tx: Connection, values: Mapping[str, Any]) -> int:
    """Enter a roll-up."""
    return int(tx.execute(insert(rollups).values(values).returning(rollups.c.id)).scalar_one())


def change(tx: Connection, rollup: int, seen: int, values: Mapping[str, Any]) -> bool:
    """Change a roll-up that is still as it was seen; tells whether it was."""
    still = and_(rollups.c.id == rollup, rollups.c.etag == seen)
    return tx.execute(update(rollups).where(still).values({**values, "etag": seen + 1})).rowcount == 1


def owed_to(tx: Connection, unit: str, item: str, period: date, campaign: str | None) -> list[AnyRow]:
    """The slots of the units that file a form with a unit for a period; the form also by its short name."""
    named = slots.c.item == item
    if "." not in item and "/" not in item:
        named = slots.c.item.endswith(f".{item}", autoescape=True)
    query = select(slots).where(slots.c.upper == unit, slots.c.period == period, named)
    if campaign is not None:
        query = query.where(slots.c.campaign == campaign)
    return list(tx.execute(query.order_by(slots.c.area, slots.c.unit)))


def slots_upward(tx: Connection, unit: str, item: str, day: date) -> list[AnyRow]:
    """The slots in which a unit itself files a form, those whose period holds a day; the nearest first."""
    holds = and_(slots.c.opens <= day, slots.c.period >= day)
    query = select(slots).where(slots.c.unit == unit, slots.c.item == item, slots.c.upper.is_not(None), holds)
    return list(tx.execute(query.order_by(slots.c.period, slots.c.campaign)))


def _in_force() -> Select[Any]:
    """Roll-ups, and the submissions below that are to be counted now."""
    same = (slots.c[n] == rollups.c[n] for n in ("campaign", "item", "period"))
    counted = or_(*(and_(rollups.c.basis == b, submissions.c.state.in_(s)) for b, s in COUNTED.items()))
    joined = rollups.join(slots, and_(slots.c.upper == rollups.c.unit, *same))
    joined = joined.join(submissions, submissions.c.id == slots.c.submission_id)
    return select(rollups.c.id, submissions.c.id).select_from(joined).where(counted)


def in_force(tx: Connection, numbers: Iterable[int]) -> dict[int, frozenset[int]]:
    """The submissions that each of these roll-ups would count now."""
    wanted = list(numbers)
    return _by_rollup(tx, _in_force().where(rollups.c.id.in_(wanted)), wanted)


def counted(tx: Connection, numbers: Iterable[int]) -> dict[int, frozenset[int]]:
    """The submissions that each of these roll-ups counts."""
    wanted = list(numbers)
    query = select(rollup_sources.c.rollup_id, rollup_sources.c.submission_id)
    return _by_rollup(tx, query.where(rollup_sources.c.rollup_id.in_(wanted)), wanted)


def _by_rollup(tx: Connection, query: Select[Any], wanted: list[int]) -> dict[int, frozenset[int]]:
    found: dict[int, set[int]] = {n: set() for n in wanted}
    for rollup, submission in tx.execute(query):
        found[rollup].add(submission)
    return {n: frozenset(s) for n, s in found.items()}


def set_sources(tx: Connection, rollup: int, numbers: Iterable[int]) -> None:
    """Have a roll-up count these submissions, and no others."""
    tx.execute(delete(rollup_sources).where(rollup_sources.c.rollup_id == rollup))
    rows = [{"rollup_id": rollup, "submission_id": n} for n in sorted(numbers)]
    if rows:
        tx.execute(insert(rollup_sources), rows)


def filed_forms(tx: Connection, numbers: Iterable[int]) -> list[AnyRow]:
    """Submissions with their content and the file each came in."""
    form = and_(attachments.c.submission_id == submissions.c.id, attachments.c.artefact == "form")
    columns = (attachments.c.name.label("file"), attachments.c.hash.label("file_hash"))
    query = select(submissions, *columns).outerjoin(attachments, form)
    return list(tx.execute(query.where(submissions.c.id.in_(list(numbers))).order_by(submissions.c.id)))


def add_filing(tx: Connection, values: Mapping[str, Any]) -> None:
    """Keep what a filed roll-up was made of, for good."""
    tx.execute(insert(rollup_filings).values(values))


def filings(tx: Connection, submissions_filed: Iterable[int]) -> dict[int, AnyRow]:
    """What these submissions were made of, those that were roll-ups."""
    wanted = rollup_filings.c.submission_id.in_(list(submissions_filed))
    then: list[ColumnElement[Any]] = [c.label(f"then_{c.name}") for c in rollup_filings.c]
    joined = rollup_filings.join(rollups, rollups.c.id == rollup_filings.c.rollup_id)
    query = select(*rollups.c, *then).select_from(joined)
    return {row.then_submission_id: row for row in tx.execute(query.where(wanted))}


def summaries_of(tx: Connection, numbers: Iterable[int | None]) -> dict[int, AnyRow]:
    """Submissions by their numbers, without their content."""
    wanted = [n for n in numbers if n is not None]
    return {row.id: row for row in tx.execute(select(*SUMMARY).where(submissions.c.id.in_(wanted)))}


def by_message(tx: Connection, sender: str, message_id: str) -> AnyRow | None:
    """The submission a message has made before, with its content."""
    same = and_(submissions.c.sender == sender, submissions.c.message_id == message_id)
    return tx.execute(select(submissions).where(same)).first()


def parts_of(tx: Connection, numbers: Iterable[int]) -> tuple[Part, ...]:
    """Submissions as other nodes know them."""
    names = ("unit", "revision", "payload_hash")
    query = select(*(submissions.c[n] for n in names)).where(submissions.c.id.in_(list(numbers)))
    return tuple(Part(**row._mapping) for row in tx.execute(query.order_by(submissions.c.unit)))


def doubted(tx: Connection) -> list[int]:
    """The roll-ups below which something has changed since they were looked at."""
    return list(tx.execute(select(doubts.c.rollup_id).distinct()).scalars())


def doubt(tx: Connection, rollup: int) -> None:
    """Have a filed roll-up be looked at: it may be out of date as soon as it is filed."""
    tx.execute(insert(doubts).values(rollup_id=rollup))


def take_doubts(tx: Connection, rollup: int) -> bool:
    """Take the doubts in a roll-up away, to look at it; False where another process has taken them."""
    return tx.execute(delete(doubts).where(doubts.c.rollup_id == rollup)).rowcount > 0


def filed_last(tx: Connection, rollup: int) -> AnyRow | None:
    """What a roll-up was filed as last, with its slot."""
    of_slot = (slots.c[n] for n in ("path", "upper", "due_at", "submission_id"))
    query = select(*SUMMARY, submissions.c.body, *of_slot).join(rollups, rollups.c.submission_id == submissions.c.id)
    return tx.execute(query.join(slots, slots.c.id == submissions.c.slot_id).where(rollups.c.id == rollup)).first()


def to_be_counted(tx: Connection, filing: AnyRow) -> frozenset[int]:
    """The submissions that a roll-up as it was filed would count now."""
    same = and_(*(slots.c[n] == getattr(filing, n) for n in ("campaign", "item", "period")))
    query = select(submissions.c.id).join(slots, slots.c.submission_id == submissions.c.id)
    query = query.where(slots.c.upper == filing.unit, same, submissions.c.state.in_(COUNTED[filing.then_basis]))
    return frozenset(tx.execute(query).scalars())


def outdated_among(tx: Connection, numbers: Iterable[int]) -> dict[int, AnyRow]:
    """Why these submissions are out of date, those that are."""
    query = select(outdated).where(outdated.c.submission_id.in_(list(numbers)))
    return {row.submission_id: row for row in tx.execute(query)}


def set_outdated(tx: Connection, submission: int, told: Mapping[str, Any] | None) -> None:
    """Keep why a submission is out of date; None where it is not any more."""
    tx.execute(delete(outdated).where(outdated.c.submission_id == submission))
    if told is not None:
        tx.execute(insert(outdated).values(submission_id=submission, **told))


def outdated_sources(tx: Connection, numbers: Iterable[int]) -> dict[int, set[int]]:
    """The submissions that these roll-ups count and that are out of date themselves."""
    wanted = list(numbers)
    query = select(rollup_sources).join(outdated, outdated.c.submission_id == rollup_sources.c.submission_id)
    found: dict[int, set[int]] = {n: set() for n in wanted}
    for row in tx.execute(query.where(rollup_sources.c.rollup_id.in_(wanted))):
        found[row.rollup_id].add(row.submission_id)
    return found


def name_of(tx: Connection, user: int) -> str:
    """The name of a person."""
    return str(tx.execute(select(users.c.name).where(users.c.id == user)).scalar() or "")


def listed(
    tx: Connection, seen: ColumnElement[bool], filters: Mapping[str, Any], *, offset: int, limit: int
) -> tuple[list[AnyRow], int]:
    """A page of roll-ups that are in sight, the newest period first, and how many there are."""
    query = select(rollups).where(seen)
    for name, value in filters.items():
        if value is not None:
            query = query.where(rollups.c[name] == value)
    total = tx.execute(select(func.count()).select_from(query.subquery())).scalar_one()
    order = (rollups.c.period.desc(), rollups.c.item, rollups.c.path)
    return list(tx.execute(query.order_by(*order).offset(offset).limit(limit))), int(total)


def to_be_made(tx: Connection, unit: str, day: date) -> list[AnyRow]:
    """What a unit is to roll up, periods that have begun: how many forms are owed to it, and how many came."""
    accepted, submitted = (func.count().filter(slots.c.state == state) for state in COUNTED["submitted"][::-1])
    key = tuple(slots.c[n] for n in ("campaign", "duty", "item", "period"))
    counts = (func.count().label("owed"), accepted.label("accepted"), submitted.label("submitted"))
    begun = and_(
        slots.c.upper == unit, slots.c.kind == "form", slots.c.opens <= day, slots.c.due_at < NO_DEADLINE
    )  # fmt: skip
    return list(tx.execute(select(*key, *counts).where(begun).group_by(*key).order_by(slots.c.period.desc(), key[2])))


def of_unit(tx: Connection, unit: str) -> list[AnyRow]:
    """Every roll-up of a unit."""
    return list(tx.execute(select(rollups).where(rollups.c.unit == unit)))
