"""The rows of submissions; nothing here decides."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from ...tables import AnyRow, attachments, blobs, events, receipts, refusals, slots, submissions, users

_IN_FORCE = ("submitted", "accepted")
SUMMARY = [c for c in submissions.c if c.name not in ("body", "origin")]


def find_slots(tx: Connection, unit: str, item: str, period: date, campaign: str | None) -> list[AnyRow]:
    """The slots of a unit for an item and a period; a form also by its short name."""
    named = slots.c.item == item
    if "." not in item and "/" not in item:
        named = slots.c.item.endswith(f".{item}", autoescape=True)
    query = select(slots).where(slots.c.unit == unit, slots.c.period == period, named)
    if campaign is not None:
        query = query.where(slots.c.campaign == campaign)
    return list(tx.execute(query))


def lock_slot(tx: Connection, slot: int) -> AnyRow:
    """The slot, so that nobody else changes it until the commit."""
    return tx.execute(select(slots).where(slots.c.id == slot).with_for_update()).one()


def by_message(tx: Connection, sender: str, message_id: str) -> AnyRow | None:
    """The submission a message has made before."""
    query = select(*SUMMARY).where(submissions.c.sender == sender, submissions.c.message_id == message_id)
    return tx.execute(query).first()


def by_id(tx: Connection, number: int | None) -> AnyRow | None:
    """A submission by its number, without its content."""
    return tx.execute(select(*SUMMARY).where(submissions.c.id == number)).first() if number else None


def draft_of(tx: Connection, slot: int) -> AnyRow | None:
    """The draft of a slot."""
    query = select(*SUMMARY).where(submissions.c.slot_id == slot, submissions.c.state == "draft")
    return tx.execute(query).first()


def with_slot(tx: Connection, uid: str, *, lock: bool = False) -> AnyRow | None:
    """A submission with what its slot says of it."""
    columns: list[ColumnElement[Any]] = [
        slots.c.path,
        slots.c.upper,
        slots.c.due_at,
        slots.c.kind,
        slots.c.opens,
        slots.c.duty,
    ]
    columns += [slots.c.submission_id.label("current_id"), slots.c.received_at.label("first_received_at")]
    query = select(submissions, *columns).join(slots).where(submissions.c.uid == uid)
    return tx.execute(query.with_for_update(of=submissions) if lock else query).first()


def before(tx: Connection, slot: AnyRow) -> AnyRow | None:
    """Last period's submission of the same unit and item that is in force."""
    same = and_(submissions.c.campaign == slot.campaign, submissions.c.item == slot.item)
    query = select(submissions.c.body, submissions.c.origin).where(same, submissions.c.unit == slot.unit)
    query = query.where(submissions.c.period < slot.period, submissions.c.state.in_(_IN_FORCE))
    return tx.execute(query.order_by(submissions.c.period.desc(), submissions.c.revision.desc()).limit(1)).first()


def beside(tx: Connection, slot: AnyRow) -> list[AnyRow]:
    """The other forms of the same unit and period: the latest of each that is in force or being drafted."""
    same = and_(submissions.c.unit == slot.unit, submissions.c.period == slot.period)
    columns = (submissions.c.item, submissions.c.body, submissions.c.origin)
    query = select(*columns).where(same, submissions.c.campaign == slot.campaign, submissions.c.item != slot.item)
    query = query.where(submissions.c.state.in_((*_IN_FORCE, "draft")), submissions.c.body.is_not(None))
    latest = {row.item: row for row in tx.execute(query.order_by(submissions.c.revision))}
    return list(latest.values())


def keep_blob(tx: Connection, digest: str, content: bytes) -> None:
    """Keep bytes once, under their hash."""
    dialect = insert_postgresql if tx.dialect.name == "postgresql" else insert_sqlite
    values = {"hash": digest, "size": len(content), "content": content}
    tx.execute(dialect(blobs).values(values).on_conflict_do_nothing())


def blob(tx: Connection, digest: str) -> bytes | None:
    """The bytes with this hash."""
    content = tx.execute(select(blobs.c.content).where(blobs.c.hash == digest)).scalar()
    return bytes(content) if content is not None else None


def add(tx: Connection, values: Mapping[str, Any], files: Iterable[Mapping[str, Any]]) -> int:
    """Enter a submission with its files."""
    number = int(tx.execute(insert(submissions).values(values).returning(submissions.c.id)).scalar_one())
    replace_files(tx, number, files)
    return number


def replace_files(tx: Connection, submission: int, files: Iterable[Mapping[str, Any]]) -> None:
    """Give a submission these files, and no others."""
    tx.execute(delete(attachments).where(attachments.c.submission_id == submission))
    rows = [{**f, "submission_id": submission, "position": n} for n, f in enumerate(files)]
    if rows:
        tx.execute(insert(attachments), rows)


def change(tx: Connection, submission: int, seen: int, values: Mapping[str, Any]) -> bool:
    """Change a submission that is still as it was seen; tells whether it was."""
    still = and_(submissions.c.id == submission, submissions.c.etag == seen)
    return tx.execute(update(submissions).where(still).values({**values, "etag": seen + 1})).rowcount == 1


def remove(tx: Connection, submission: int, seen: int) -> bool:
    """Remove a draft that is still as it was seen."""
    still = and_(submissions.c.id == submission, submissions.c.etag == seen, submissions.c.state == "draft")
    tx.execute(delete(attachments).where(attachments.c.submission_id == submission))
    tx.execute(delete(events).where(events.c.submission_id == submission))
    return tx.execute(delete(submissions).where(still)).rowcount == 1


def mark_slot(tx: Connection, slot: int, values: Mapping[str, Any]) -> None:
    """Write down the state of a slot."""
    tx.execute(update(slots).where(slots.c.id == slot).values(values))


def add_event(tx: Connection, values: Mapping[str, Any]) -> None:
    """Write one line of the history."""
    tx.execute(insert(events).values(values))


def add_receipt(tx: Connection, values: Mapping[str, Any]) -> None:
    """Keep a receipt."""
    tx.execute(insert(receipts).values(values))


def receipts_of(tx: Connection, submission: int) -> list[str]:
    """The signed receipts of a submission, as they were given."""
    query = select(receipts.c.signed).where(receipts.c.submission_id == submission).order_by(receipts.c.id)
    return list(tx.execute(query).scalars())


def last_receipt(tx: Connection, submission: int) -> str | None:
    """The hash of the last receipt of a submission."""
    query = select(receipts.c.hash).where(receipts.c.submission_id == submission)
    return tx.execute(query.order_by(receipts.c.id.desc()).limit(1)).scalar()


def files_of(tx: Connection, submission: int) -> list[AnyRow]:
    """The files of a submission, in order."""
    query = select(attachments).where(attachments.c.submission_id == submission)
    return list(tx.execute(query.order_by(attachments.c.position)))


def events_of(tx: Connection, submission: int) -> list[AnyRow]:
    """The history of a submission."""
    query = select(events, users.c.name.label("who")).outerjoin(users, users.c.id == events.c.by_user)
    return list(tx.execute(query.where(events.c.submission_id == submission).order_by(events.c.id)))


def revisions_of(tx: Connection, slot: int) -> list[AnyRow]:
    """All revisions of a slot, the newest first."""
    query = select(*SUMMARY).where(submissions.c.slot_id == slot)
    return list(tx.execute(query.order_by(submissions.c.revision.desc())))


def refuse(tx: Connection, values: Mapping[str, Any]) -> None:
    """Keep what was refused, for evidence."""
    tx.execute(insert(refusals).values(values))


def listed(
    tx: Connection, seen: ColumnElement[bool], filters: Mapping[str, Any], *, offset: int, limit: int
) -> tuple[list[AnyRow], int]:
    """A page of submissions that are in sight, the newest first, and how many there are."""
    columns = [*SUMMARY, slots.c.due_at, slots.c.received_at.label("first_received_at")]
    query = select(*columns).join(slots).where(seen)
    for name, value in filters.items():
        if value is not None:
            query = query.where(submissions.c[name] == value)
    total = tx.execute(select(func.count()).select_from(query.subquery())).scalar_one()
    return list(tx.execute(query.order_by(submissions.c.id.desc()).offset(offset).limit(limit))), int(total)


def latest_change(tx: Connection) -> datetime | None:
    """When anything last happened."""
    return tx.execute(select(func.max(events.c.at))).scalar()
