"""The rows of what is handed over."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, or_, select, update

from ...scope import within
from ...tables import (
    AnyRow,
    addressees,
    attachments,
    events,
    handovers,
    outbox,
    outdated,
    receipts,
    refusals,
    rollup_filings,
    rollup_sources,
    rollups,
    slots,
    submissions,
    users,
)

_OF_SLOT = slots.c.id == submissions.c.slot_id
Grouped = Mapping[int, Sequence[AnyRow]]


def of_units(refs: Iterable[str], path: str) -> ColumnElement[bool]:
    """The slots of some units, wherever they stood then."""
    return or_(slots.c.unit.in_(list(refs)), within(slots.c.path, path))


def of_slot(number: int) -> ColumnElement[bool]:
    """One slot."""
    return slots.c.id == number


def in_slots(numbers: Iterable[int]) -> ColumnElement[bool]:
    """Some slots."""
    return slots.c.id.in_(list(numbers))


def hold(tx: Connection, where: ColumnElement[bool]) -> None:
    """Hold slots to the end: what is being filed is filed before, or refused after."""
    tx.execute(select(slots.c.id).where(where).order_by(slots.c.id).with_for_update()).all()


def touched(tx: Connection, where: ColumnElement[bool]) -> list[AnyRow]:
    """The slots in which something was filed or drafted."""
    filed = select(submissions.c.id).where(submissions.c.slot_id == slots.c.id).exists()
    current = submissions.alias("current")
    query = select(*slots.c, current.c.uid.label("submission"))
    query = query.outerjoin(current, current.c.id == slots.c.submission_id)
    return list(tx.execute(query.where(where, filed).order_by(slots.c.id)))


def filed(tx: Connection, where: ColumnElement[bool]) -> list[AnyRow]:
    """All submissions and drafts of slots, the oldest first."""
    return list(
        tx.execute(select(submissions).select_from(submissions.join(slots)).where(where).order_by(submissions.c.id))
    )


def _grouped(tx: Connection, query: Any, key: str) -> Grouped:
    found: dict[int, list[AnyRow]] = defaultdict(list)
    for row in tx.execute(query):
        found[getattr(row, key)].append(row)
    return found


def files(tx: Connection, where: ColumnElement[bool]) -> Grouped:
    """The files of the submissions of slots."""
    joined = attachments.join(submissions).join(slots, _OF_SLOT)
    query = select(attachments).select_from(joined).where(where)
    return _grouped(tx, query.order_by(attachments.c.submission_id, attachments.c.position), "submission_id")


def happenings(tx: Connection, where: ColumnElement[bool]) -> Grouped:
    """What happened to the submissions of slots, with the names of those who did it."""
    joined = events.join(submissions, submissions.c.id == events.c.submission_id).join(slots, _OF_SLOT)
    joined = joined.outerjoin(users, users.c.id == events.c.by_user)
    query = select(events, users.c.name.label("who")).select_from(joined)
    return _grouped(tx, query.where(where).order_by(events.c.id), "submission_id")


def given(tx: Connection, where: ColumnElement[bool]) -> Grouped:
    """The receipts of the submissions of slots."""
    query = select(receipts).select_from(receipts.join(submissions).join(slots, _OF_SLOT)).where(where)
    return _grouped(tx, query.order_by(receipts.c.id), "submission_id")


def old(tx: Connection, where: ColumnElement[bool]) -> Grouped:
    """Why submissions of slots are out of date."""
    query = select(outdated).select_from(outdated.join(submissions).join(slots, _OF_SLOT)).where(where)
    return _grouped(tx, query, "submission_id")


def addressed(tx: Connection, where: ColumnElement[bool]) -> Grouped:
    """To whom the slots are addressed."""
    query = select(addressees).select_from(addressees.join(slots)).where(where).order_by(addressees.c.position)
    return _grouped(tx, query, "slot_id")


def refused(tx: Connection, refs: Iterable[str]) -> list[AnyRow]:
    """What was not taken of some units."""
    return list(tx.execute(select(refusals).where(refusals.c.unit.in_(list(refs))).order_by(refusals.c.id)))


def rolled(tx: Connection, refs: Iterable[str]) -> list[AnyRow]:
    """The roll-ups of some units."""
    query = select(rollups, submissions.c.uid.label("submission"))
    query = query.outerjoin(submissions, submissions.c.id == rollups.c.submission_id)
    return list(tx.execute(query.where(rollups.c.unit.in_(list(refs))).order_by(rollups.c.id)))


def sources(tx: Connection, numbers: Iterable[int]) -> Grouped:
    """The submissions that roll-ups count."""
    query = select(rollup_sources.c.rollup_id, submissions.c.uid).join(submissions)
    return _grouped(tx, query.where(rollup_sources.c.rollup_id.in_(list(numbers))), "rollup_id")


def filings(tx: Connection, numbers: Iterable[int]) -> Grouped:
    """What roll-ups were made of when they were filed."""
    query = select(rollup_filings, submissions.c.uid).join(
        submissions, submissions.c.id == rollup_filings.c.submission_id
    )
    return _grouped(tx, query.where(rollup_filings.c.rollup_id.in_(list(numbers))), "rollup_id")


def uids(tx: Connection, numbers: Iterable[int]) -> dict[int, str]:
    """The names of submissions."""
    query = select(submissions.c.id, submissions.c.uid).where(submissions.c.id.in_(list(numbers)))
    return {row.id: row.uid for row in tx.execute(query)}


def known(tx: Connection, names: Iterable[str]) -> dict[str, AnyRow]:
    """Those submissions that are here, by their names."""
    columns = [submissions.c[n] for n in ("id", "uid", "slot_id", "state", "etag")]
    return {r.uid: r for r in tx.execute(select(*columns).where(submissions.c.uid.in_(list(names))))}


def drafts_in(tx: Connection, where: ColumnElement[bool]) -> list[AnyRow]:
    """The drafts in slots."""
    columns = [submissions.c[n] for n in ("id", "uid", "slot_id", "state", "etag", "item", "period")]
    columns += [submissions.c.payload_hash, slots.c.path]
    return list(
        tx.execute(select(*columns).select_from(submissions.join(slots)).where(where, submissions.c.state == "draft"))
    )


def slot_of(tx: Connection, key: Mapping[str, Any]) -> AnyRow | None:
    """A slot by what it asks for."""
    return tx.execute(select(slots).where(*(slots.c[n] == v for n, v in key.items()))).first()


def add_slot(tx: Connection, values: Mapping[str, Any], to: Sequence[Mapping[str, Any]]) -> int:
    """Enter a slot that is not planned here."""
    number = int(tx.execute(insert(slots).values(**values).returning(slots.c.id)).scalar_one())
    if to:
        tx.execute(insert(addressees), [{**t, "slot_id": number} for t in to])
    return number


def add_refusal(tx: Connection, values: Mapping[str, Any]) -> bool:
    """Keep what was not taken; False where it is here."""
    same = [refusals.c[n] == values[n] for n in ("unit", "campaign", "item", "period", "hash")]
    if tx.execute(select(refusals.c.id).where(or_(refusals.c.uid == values["uid"], and_(*same)))).first() is not None:
        return False
    tx.execute(insert(refusals).values(**values))
    return True


def put_rollup(tx: Connection, values: Mapping[str, Any]) -> int:
    """Enter a roll-up, or what has become of it."""
    same = [rollups.c[n] == values[n] for n in ("unit", "campaign", "item", "period")]
    number = tx.execute(select(rollups.c.id).where(*same)).scalar()
    if number is None:
        return int(tx.execute(insert(rollups).values(**values).returning(rollups.c.id)).scalar_one())
    kept = {k: v for k, v in values.items() if k not in ("uid", "created_by", "created_at")}
    tx.execute(update(rollups).where(rollups.c.id == number).values(**kept))
    tx.execute(delete(rollup_sources).where(rollup_sources.c.rollup_id == number))
    return int(number)


def add_made_of(
    tx: Connection, rollup: int, counted: Iterable[int], made: Iterable[Mapping[str, Any]]
) -> None:  # fmt: skip
    """Enter what a roll-up counts, and what it was made of when it was filed."""
    rows = [{"rollup_id": rollup, "submission_id": n} for n in sorted(counted)]
    if rows:
        tx.execute(insert(rollup_sources), rows)
    there = set(tx.execute(select(rollup_filings.c.submission_id)).scalars())
    fresh = [{**m, "rollup_id": rollup} for m in made if m["submission_id"] not in there]
    if fresh:
        tx.execute(insert(rollup_filings), fresh)


def under_way(tx: Connection, refs: Iterable[str], besides: str) -> list[AnyRow]:
    """What is on its way for some units to other nodes than this."""
    waiting = (outbox.c.answered_at.is_(None), outbox.c.unit.in_(list(refs)), outbox.c.receiver != besides)
    return list(tx.execute(select(outbox.c.id, outbox.c.receiver, outbox.c.kind).where(*waiting)))


def add_handover(tx: Connection, values: Mapping[str, Any]) -> None:
    """Note that a unit goes over, or is expected."""
    tx.execute(insert(handovers).values(**values))


def handover(tx: Connection, unit: str, direction: str, state: str, peer: str | None = None) -> AnyRow | None:
    """The last hand-over of a unit in a direction and a state."""
    of_peer = handovers.c.peer == peer if peer is not None else handovers.c.id.is_not(None)
    query = select(handovers).where(handovers.c.unit == unit, handovers.c.direction == direction, of_peer)
    return tx.execute(query.where(handovers.c.state == state).order_by(handovers.c.id.desc()).limit(1)).first()


def handover_of(tx: Connection, message: str) -> AnyRow | None:
    """The hand-over that a message of ours was."""
    return tx.execute(select(handovers).where(handovers.c.message_id == message)).first()


def mark(tx: Connection, numbers: Iterable[int], state: str, now: datetime) -> None:
    """Note what became of hand-overs."""
    tx.execute(update(handovers).where(handovers.c.id.in_(list(numbers))).values(state=state, changed_at=now))


def finish(tx: Connection, number: int, counts: Mapping[str, int], now: datetime) -> None:
    """Note that what was expected has come."""
    values = {"state": "done", "counts": dict(counts), "changed_at": now}
    tx.execute(update(handovers).where(handovers.c.id == number).values(**values))


def end(tx: Connection, unit: str, direction: str, now: datetime) -> None:
    """Note that what went in a direction has gone back."""
    mine = (handovers.c.unit == unit, handovers.c.direction == direction, handovers.c.state == "done")
    tx.execute(update(handovers).where(*mine).values(state="over", changed_at=now))


def all_handovers(tx: Connection) -> list[AnyRow]:
    """Every hand-over, the newest first."""
    return list(tx.execute(select(handovers).order_by(handovers.c.id.desc())))
