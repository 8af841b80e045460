"""The rows of submissions; nothing here decides.

Statements on the way of every filing are made once: to make one takes as long as to run it.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, case, delete, func, insert, or_, select, union_all
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from gmsafety.exchange.receipts import SignedReceipt

from ...tables import (
    AnyRow,
    attachments,
    blobs,
    events,
    given_receipts,
    inbox,
    outdated,
    receipts,
    refusals,
    slots,
    submissions,
    users,
)

_IN_FORCE = ("submitted", "accepted")
SUMMARY = [c for c in submissions.c if c.name not in ("body", "origin", "made_of")]
_OF_SLOT = [slots.c[n] for n in ("path", "upper", "due_at", "kind", "opens", "duty")]
LINE = [
    *SUMMARY,
    *_OF_SLOT,
    slots.c.submission_id.label("current_id"),
    slots.c.received_at.label("first_received_at"),
    and_(
        submissions.c.id == slots.c.submission_id,
        select(outdated.c.submission_id).where(outdated.c.submission_id == submissions.c.id).exists(),
    ).label("outdated"),
]

_OWED = select(slots).where(slots.c.unit == bindparam("u"), slots.c.period == bindparam("p"))
_OWED_ITEM = _OWED.where(slots.c.item == bindparam("i"))


def find_slots(tx: Connection, unit: str, item: str, period: date, campaign: str | None) -> list[AnyRow]:
    """The slots of a unit for an item and a period; a form also by its short name."""
    if "." in item or "/" in item:
        rows = tx.execute(_OWED_ITEM, {"u": unit, "p": period, "i": item})
    else:
        named = slots.c.item.endswith(f".{item}", autoescape=True)
        rows = tx.execute(_OWED.where(named), {"u": unit, "p": period})
    return [row for row in rows if campaign in (None, row.campaign)]


_HELD = select(slots).where(slots.c.id == bindparam("number")).with_for_update()


def lock_slot(tx: Connection, slot: int) -> AnyRow | None:
    """The slot, so that nobody else changes it until the commit; None where a change of units has taken it away."""
    return tx.execute(_HELD, {"number": slot}).first()


_HELD_TOGETHER = (
    select(slots)
    .where(slots.c.unit == bindparam("u"), slots.c.campaign == bindparam("c"), slots.c.period == bindparam("p"))
    .order_by(slots.c.id)
    .with_for_update()
)


def lock_period(tx: Connection, number: int, of: AnyRow) -> tuple[AnyRow | None, frozenset[tuple[str, int]]]:
    """The slot with the unit's others of the period, so that forms that are checked together come one after another.

    `of` is whatever names unit, campaign and period. Tells also which of the other forms are in force: item, revision.
    """
    rows = tx.execute(_HELD_TOGETHER, {"u": of.unit, "c": of.campaign, "p": of.period}).all()
    mine = next((r for r in rows if r.id == number), None)
    others = ((r.item, r.revision) for r in rows if r.id != number and r.kind == "form" and r.state in _IN_FORCE)
    return mine, frozenset(others)


_NAMED = select(*SUMMARY).where(submissions.c.sender == bindparam("u"), submissions.c.message_id == bindparam("m"))


def by_message(tx: Connection, sender: str, message_id: str) -> AnyRow | None:
    """The submission a message has made before."""
    return tx.execute(_NAMED, {"u": sender, "m": message_id}).first()


def by_id(tx: Connection, number: int | None) -> AnyRow | None:
    """A submission by its number, without its content."""
    return tx.execute(select(*SUMMARY).where(submissions.c.id == number)).first() if number else None


_DRAFT = select(*SUMMARY).where(submissions.c.slot_id == bindparam("number"), submissions.c.state == "draft")


_MET = union_all(_NAMED, _DRAFT)


def met(tx: Connection, slot: AnyRow, message_id: str) -> tuple[AnyRow | None, AnyRow | None]:
    """What stands in the way of a message: the submission it has made before, and the draft of the slot."""
    rows = tx.execute(_MET, {"u": slot.unit, "m": message_id, "number": slot.id}).all()
    named = next((r for r in rows if (r.sender, r.message_id) == (slot.unit, message_id)), None)
    return named, next((r for r in rows if r.slot_id == slot.id and r.state == "draft"), None)


_WITH_SLOT = select(*LINE, *(submissions.c[n] for n in ("body", "origin", "made_of"))).join(slots)
_WITH_SLOT = _WITH_SLOT.where(submissions.c.uid == bindparam("name"))


def with_slot(tx: Connection, uid: str) -> AnyRow | None:
    """A submission with what its slot says of it."""
    return tx.execute(_WITH_SLOT, {"name": uid}).first() if uid.isascii() and uid.isprintable() else None


_OF_UNIT = and_(slots.c.unit == bindparam("u"), slots.c.campaign == bindparam("c"))
_EARLIER = (
    select(slots.c.submission_id)
    .where(_OF_UNIT, slots.c.item == bindparam("i"), slots.c.period < bindparam("p"), slots.c.state.in_(_IN_FORCE))
    .order_by(slots.c.period.desc())
    .limit(1)
)
_CONTENT = select(*(submissions.c[n] for n in ("item", "revision", "state", "body", "origin", "changed_at")))
_BEFORE = _CONTENT.where(submissions.c.id == _EARLIER.scalar_subquery())
_OTHERS = _CONTENT.join(slots, submissions.c.slot_id == slots.c.id).where(
    _OF_UNIT, slots.c.period == bindparam("p"), slots.c.item != bindparam("i"), slots.c.kind == "form"
)
_FILED = and_(submissions.c.id == slots.c.submission_id, slots.c.state.in_(_IN_FORCE))
_AROUND = {
    False: union_all(_BEFORE, _OTHERS.where(_FILED)),
    True: union_all(_BEFORE, _OTHERS.where(or_(_FILED, submissions.c.state == "draft"))),
}


def around(tx: Connection, slot: AnyRow, *, drafts: bool) -> tuple[AnyRow | None, list[AnyRow]]:
    """What a form is checked with. First last period's, of the same unit and item, found through the unit's few slots.

    Then the unit's other forms of the period: those in force, and with `drafts` those that are not filed yet.
    """
    rows = tx.execute(_AROUND[drafts], {"u": slot.unit, "c": slot.campaign, "i": slot.item, "p": slot.period})
    told = [row for row in rows if row.body is not None]
    before = next((row for row in told if row.item == slot.item), None)
    return before, [row for row in told if row.item != slot.item]


def in_force_beside(tx: Connection, slot: AnyRow) -> list[AnyRow]:
    """What the same unit has filed for the same period and campaign besides, as lines."""
    same = and_(slots.c.unit == slot.unit, slots.c.period == slot.period, slots.c.campaign == slot.campaign)
    query = select(*LINE).join(slots, slots.c.submission_id == submissions.c.id).where(same, slots.c.id != slot.id)
    return list(tx.execute(query.order_by(submissions.c.item)))


def by_subject(tx: Connection, key: Mapping[str, Any]) -> AnyRow | None:
    """The submission of a unit for a period, by its number, with what its slot says of it."""
    same = (submissions.c[n] == v for n, v in key.items())
    return tx.execute(select(*LINE).join(slots).where(*same, submissions.c.state != "draft")).first()


def keep_blob(tx: Connection, digest: str, content: bytes) -> None:
    """Keep bytes once, under their hash."""
    dialect = insert_postgresql if tx.dialect.name == "postgresql" else insert_sqlite
    values = {"hash": digest, "size": len(content), "content": content}
    tx.execute(dialect(blobs).values(values).on_conflict_do_nothing())


def blob(tx: Connection, digest: str) -> bytes | None:
    """The bytes with this hash."""
    content = tx.execute(select(blobs.c.content).where(blobs.c.hash == digest)).scalar()
    return bytes(content) if content is not None else None


_ADD = insert(submissions).returning(submissions.c.id)


def add(tx: Connection, values: Mapping[str, Any], files: Iterable[Mapping[str, Any]]) -> int:
    """Enter a submission with its files."""
    number = int(tx.execute(_ADD, dict(values)).scalar_one())
    _add_files(tx, number, files)
    return number


def replace_files(tx: Connection, submission: int, files: Iterable[Mapping[str, Any]]) -> None:
    """Give a submission these files, and no others."""
    tx.execute(delete(attachments).where(attachments.c.submission_id == submission))
    _add_files(tx, submission, files)


def _add_files(tx: Connection, submission: int, files: Iterable[Mapping[str, Any]]) -> None:
    rows = [{**f, "submission_id": submission, "position": n} for n, f in enumerate(files)]
    if rows:
        tx.execute(insert(attachments), rows)


_CHANGE = submissions.update().where(submissions.c.id == bindparam("number"), submissions.c.etag == bindparam("seen"))


def change(tx: Connection, submission: int, seen: int, values: Mapping[str, Any]) -> bool:
    """Change a submission that is still as it was seen; tells whether it was."""
    return tx.execute(_CHANGE, {**values, "etag": seen + 1, "number": submission, "seen": seen}).rowcount == 1


def remove(tx: Connection, submission: int, seen: int) -> bool:
    """Remove a draft that is still as it was seen."""
    still = and_(submissions.c.id == submission, submissions.c.etag == seen, submissions.c.state == "draft")
    tx.execute(delete(attachments).where(attachments.c.submission_id == submission))
    tx.execute(delete(events).where(events.c.submission_id == submission))
    return tx.execute(delete(submissions).where(still)).rowcount == 1


_MARK = slots.update().where(slots.c.id == bindparam("number"))


def mark_slot(tx: Connection, slot: int, values: Mapping[str, Any]) -> None:
    """Write down the state of a slot."""
    tx.execute(_MARK, {**values, "number": slot})


_ADD_EVENT, _ADD_RECEIPT = insert(events), insert(receipts)


def add_event(tx: Connection, values: Mapping[str, Any]) -> None:
    """Write one line of the history."""
    tx.execute(_ADD_EVENT, dict(values))


def add_receipts(tx: Connection, rows: list[dict[str, Any]]) -> None:
    """Keep receipts."""
    tx.execute(_ADD_RECEIPT, rows)


_OWN_RECEIPTS = receipts.c.submission_id == bindparam("number")
_RECEIPTS = select(receipts.c.signed).where(_OWN_RECEIPTS).order_by(receipts.c.id)


def receipts_of(tx: Connection, submission: int) -> list[str]:
    """The signed receipts of a submission, as they were given."""
    return list(tx.execute(_RECEIPTS, {"number": submission}).scalars())


_CHAIN = and_(receipts.c.node == bindparam("by"), receipts.c.receiver == bindparam("to"))
_LAST_RECEIPT = select(receipts.c.hash).where(_OWN_RECEIPTS, _CHAIN).order_by(receipts.c.id.desc()).limit(1)


def last_receipt(tx: Connection, submission: int, *, node: str, receiver: str) -> str | None:
    """The hash of the last receipt of a submission that a node gave for an addressee."""
    return tx.execute(_LAST_RECEIPT, {"number": submission, "by": node, "to": receiver}).scalar()


def add_receipt(tx: Connection, submission: int, signed: SignedReceipt, text: str) -> None:
    """Keep a receipt that another node gave."""
    told = signed.receipt
    values = {"submission_id": submission, "uid": told.id, "kind": told.kind, "hash": signed.hash}
    values |= {"node": told.node, "receiver": told.receiver.unit}
    tx.execute(_ADD_RECEIPT, {**values, "code": signed.code, "signed": text, "issued_at": told.issued_at})


def first_received(tx: Connection, slot: int) -> datetime | None:
    """When the first of the revisions of a slot came in that was not taken back, nor one after it."""
    mine = submissions.c.slot_id == slot
    last = select(func.coalesce(func.max(submissions.c.revision), 0)).where(mine, submissions.c.state == "withdrawn")
    first = select(func.min(submissions.c.received_at)).where(mine, submissions.c.revision > last.scalar_subquery())
    moment: datetime | None = tx.execute(first).scalar()
    return moment.replace(microsecond=0) if moment is not None else None


_GIVEN = select(given_receipts).where(given_receipts.c.submission == bindparam("uid")).order_by(given_receipts.c.id)


def given_of(tx: Connection, uid: str) -> list[AnyRow]:
    """Receipts that were given for a submission before this node was restored, and came back before it."""
    return list(tx.execute(_GIVEN, {"uid": uid}))


def keep_given(tx: Connection, uid: str, signed: str, findings: Iterable[Mapping[str, Any]]) -> None:
    """Keep a receipt that came back until its submission is here again."""
    values = {"submission": uid, "signed": signed, "findings": [dict(f) for f in findings]}
    tx.execute(insert(given_receipts).values(values))


def drop_given(tx: Connection, uid: str) -> None:
    """The receipts are with their submission."""
    tx.execute(delete(given_receipts).where(given_receipts.c.submission == uid))


def has_receipt(tx: Connection, uid: str) -> bool:
    """Tell whether a receipt is here."""
    return tx.execute(select(receipts.c.id).where(receipts.c.uid == uid)).first() is not None


_FILES = select(attachments).where(attachments.c.submission_id == bindparam("number")).order_by(attachments.c.position)


def carried_in(tx: Connection, row: AnyRow) -> AnyRow | None:
    """When a submission was handed over on a medium, where somebody has noted that, who, and when it was stored."""
    same = (inbox.c[n] == getattr(row, n) for n in ("unit", "item", "period", "revision"))
    query = select(inbox.c.carried_at, inbox.c.carried_by, inbox.c.sealed_at, inbox.c.stored_at)
    return tx.execute(query.where(inbox.c.kind == "submission", inbox.c.carried_at.is_not(None), *same)).first()


def files_of(tx: Connection, submission: int) -> list[AnyRow]:
    """The files of a submission, in order."""
    return list(tx.execute(_FILES, {"number": submission}))


def events_of(tx: Connection, submission: int) -> list[AnyRow]:
    """The history of a submission."""
    query = select(events, users.c.name.label("who")).outerjoin(users, users.c.id == events.c.by_user)
    return list(tx.execute(query.where(events.c.submission_id == submission).order_by(events.c.id)))


def events_of_slot(tx: Connection, slot: int) -> list[AnyRow]:
    """The history of all revisions of a slot."""
    columns = (users.c.name.label("who"), submissions.c.uid, submissions.c.revision)
    query = select(events, *columns).select_from(events).join(submissions)
    query = query.outerjoin(users, users.c.id == events.c.by_user).where(submissions.c.slot_id == slot)
    return list(tx.execute(query.order_by(events.c.id)))


def last_event(tx: Connection, submission: int) -> AnyRow | None:
    """What last happened to a submission."""
    query = select(events).where(events.c.submission_id == submission)
    return tx.execute(query.order_by(events.c.id.desc()).limit(1)).first()


def revisions_of(tx: Connection, slot: int) -> list[AnyRow]:
    """All revisions of a slot, the newest first."""
    query = select(*LINE).join(slots).where(submissions.c.slot_id == slot)
    return list(tx.execute(query.order_by(submissions.c.revision.desc())))


def choices(tx: Connection, seen: ColumnElement[bool], until: date) -> tuple[list[tuple[str, str]], list[date]]:
    """What a list may be narrowed to: items with their campaigns, and the periods that have begun."""
    begun = and_(seen, slots.c.opens <= until)
    items = tx.execute(select(slots.c.campaign, slots.c.item).where(begun).distinct().order_by(slots.c.item))
    periods = tx.execute(select(slots.c.period).where(begun).distinct().order_by(slots.c.period.desc()))
    return [(row.campaign, row.item) for row in items], list(periods.scalars())


def refuse(tx: Connection, values: Mapping[str, Any]) -> tuple[str, bool]:
    """Keep what was refused, for evidence, once; returns its uid, and False where it was kept before."""
    dialect = insert_postgresql if tx.dialect.name == "postgresql" else insert_sqlite
    fresh = tx.execute(dialect(refusals).values(values).on_conflict_do_nothing()).rowcount == 1
    same = [refusals.c[n] == values[n] for n in ("unit", "campaign", "item", "period", "hash")]
    return str(tx.execute(select(refusals.c.uid).where(*same)).scalar_one()), fresh


def refusal(tx: Connection, uid: str) -> AnyRow | None:
    """What was refused."""
    return tx.execute(select(refusals).where(refusals.c.uid == uid)).first() if uid.isprintable() else None


def refused(
    tx: Connection, seen: ColumnElement[bool], filters: Mapping[str, Any], *, offset: int, limit: int
) -> tuple[list[AnyRow], int]:
    """A page of what was refused and is in sight, the newest first, and how many there are."""
    chosen = and_(seen, *(refusals.c[n] == v for n, v in filters.items() if v is not None))
    total = tx.execute(select(func.count()).select_from(refusals).where(chosen)).scalar_one()
    query = select(refusals).where(chosen).order_by(refusals.c.id.desc())
    return list(tx.execute(query.offset(offset).limit(limit))), int(total)


def listed(
    tx: Connection, seen: ColumnElement[bool], filters: Mapping[str, Any], *, offset: int, limit: int
) -> tuple[list[AnyRow], int]:
    """A page of submissions that are in sight, the newest first, and how many there are."""
    chosen = and_(seen, *(submissions.c[n] == v for n, v in filters.items() if v is not None))
    total = tx.execute(select(func.count(submissions.c.id)).join(slots).where(chosen)).scalar_one()
    query = select(*LINE).join(slots).where(chosen).order_by(submissions.c.id.desc())
    return list(tx.execute(query.offset(offset).limit(limit))), int(total)


def waiting(tx: Connection, seen: ColumnElement[bool], filters: Mapping[str, Any]) -> list[AnyRow]:
    """What waits for a decision: the latest first, then by period and unit."""
    chosen = and_(seen, slots.c.state == "submitted", *(slots.c[n] == v for n, v in filters.items() if v is not None))
    query = select(*LINE, slots.c.area).join(slots, slots.c.submission_id == submissions.c.id).where(chosen)
    late = case((slots.c.received_at > slots.c.due_at, 0), else_=1)
    return list(tx.execute(query.order_by(late, slots.c.period, slots.c.item, slots.c.area, slots.c.unit)))


def slot(tx: Connection, number: int) -> AnyRow | None:
    """A slot by its number."""
    return tx.execute(select(slots).where(slots.c.id == number)).first()


def slot_before(tx: Connection, slot: AnyRow) -> AnyRow | None:
    """The slot of the same unit and item a period earlier."""
    same = and_(slots.c.unit == slot.unit, slots.c.campaign == slot.campaign, slots.c.item == slot.item)
    query = select(slots).where(same, slots.c.period < slot.period)
    return tx.execute(query.order_by(slots.c.period.desc()).limit(1)).first()
