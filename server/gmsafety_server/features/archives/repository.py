"""The rows of archives: those that were made, and what goes into one."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, func, insert, literal, select, union_all

from ...tables import AnyRow, archives, attachments, audit, blobs, events, inbox, outbox, receipts, submissions, users

_AT_ONCE = {"yield_per": 200}
_OF_MESSAGE = ("message_id", "hash", "kind", "content", "answer")


def made(tx: Connection) -> list[AnyRow]:
    """Every archive that was made, the newest first."""
    return list(tx.execute(select(archives).order_by(archives.c.number.desc())))


def last(tx: Connection, campaign: str | None = None) -> AnyRow | None:
    """The archive that was made last, of all or of a campaign."""
    query = select(archives).order_by(archives.c.number.desc()).limit(1)
    return tx.execute(query if campaign is None else query.where(archives.c.campaign == campaign)).first()


def add(tx: Connection, values: Mapping[str, Any]) -> None:
    """Note that an archive was made."""
    tx.execute(insert(archives).values(values))


def campaigns(tx: Connection) -> dict[str, int]:
    """The campaigns that something was filed for, with how many revisions."""
    filed = submissions.c.state != "draft"
    query = select(submissions.c.campaign, func.count()).where(filed).group_by(submissions.c.campaign)
    return {campaign: int(count) for campaign, count in tx.execute(query.order_by(submissions.c.campaign))}


def filed(tx: Connection, campaign: str) -> Iterator[AnyRow]:
    """Every revision that was filed for a campaign, in the order they were made."""
    query = select(submissions).where(submissions.c.campaign == campaign, submissions.c.state != "draft")
    yield from tx.execute(query.order_by(submissions.c.id), execution_options={"yield_per": 20})


def files(tx: Connection, numbers: Sequence[int]) -> dict[int, list[AnyRow]]:
    """The files of revisions, in their order."""
    query = select(attachments).where(attachments.c.submission_id.in_(numbers))
    return _by_submission(tx.execute(query.order_by(attachments.c.submission_id, attachments.c.position)))


def given(tx: Connection, numbers: Sequence[int]) -> dict[int, list[str]]:
    """The signed receipts of revisions, as they were given."""
    query = select(receipts.c.submission_id, receipts.c.signed).where(receipts.c.submission_id.in_(numbers))
    rows = _by_submission(tx.execute(query.order_by(receipts.c.id)))
    return {number: [row.signed for row in told] for number, told in rows.items()}


def history(tx: Connection, numbers: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    """What happened to revisions, in its order, and who did it."""
    columns = (events.c.kind, events.c.unit, users.c.login, users.c.name, events.c.text, events.c.data)
    joined = events.outerjoin(users, users.c.id == events.c.by_user)
    query = select(events.c.submission_id, events.c.at, *columns).select_from(joined)
    rows = _by_submission(tx.execute(query.where(events.c.submission_id.in_(numbers)).order_by(events.c.id)))
    names = [c.name for c in columns]
    return {
        number: [{"at": row.at.isoformat(), **{n: getattr(row, n) for n in names}} for row in told]
        for number, told in rows.items()
    }


def _by_submission(rows: Iterable[AnyRow]) -> dict[int, list[AnyRow]]:
    found: dict[int, list[AnyRow]] = {}
    for row in rows:
        found.setdefault(row.submission_id, []).append(row)
    return found


def blob(tx: Connection, name: str) -> bytes:
    """The bytes with this hash."""
    return bytes(tx.execute(select(blobs.c.content).where(blobs.c.hash == name)).scalar_one())


def messages(tx: Connection, campaign: str) -> Iterator[AnyRow]:
    """The messages about a campaign, with their answers: those that came, then those that were sent."""
    items = list(tx.execute(select(submissions.c.item).where(submissions.c.campaign == campaign).distinct()).scalars())
    for table in (inbox, outbox):
        query = select(*(table.c[n] for n in _OF_MESSAGE)).where(table.c.item.in_(items)).order_by(table.c.id)
        for row in tx.execute(query, execution_options={"yield_per": 20}):
            if orjson.loads(row.content)["envelope"]["subject"]["campaign"] == campaign:
                yield row


def standing(tx: Connection, campaign: str) -> Iterator[tuple[Any, ...]]:
    """All that an archive would hold, by its hashes: where these are the same, nothing has changed."""
    of_campaign = (submissions.c.campaign == campaign, submissions.c.state != "draft")
    told = select(submissions.c.uid, submissions.c.state, submissions.c.payload_hash, submissions.c.etag)
    yield from map(tuple, tx.execute(told.where(*of_campaign).order_by(submissions.c.id), execution_options=_AT_ONCE))
    given = select(receipts.c.hash).join(submissions).where(*of_campaign).order_by(receipts.c.id)
    yield from map(tuple, tx.execute(given, execution_options=_AT_ONCE))
    items = select(submissions.c.item).where(submissions.c.campaign == campaign).distinct()
    sent = [
        select(literal(name).label("box"), table.c.hash, table.c.answer.is_not(None).label("answered"), table.c.id)
        .where(table.c.item.in_(items))
        for name, table in (("inbox", inbox), ("outbox", outbox))
    ]  # fmt: skip
    both = union_all(*sent).subquery()
    for row in tx.execute(select(both).order_by(both.c.box, both.c.id), execution_options=_AT_ONCE):
        yield (row.box, row.hash, bool(row.answered))


def first_told(tx: Connection, campaign: str) -> int | None:
    """The first row of the audit log that tells of a filing for a campaign."""
    uids = select(submissions.c.uid).where(submissions.c.campaign == campaign)
    return tx.execute(select(func.min(audit.c.seq)).where(audit.c.object.in_(uids))).scalar()
