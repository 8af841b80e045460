"""The rows of the exchange: inbox, outbox, peers, parts of attachments."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, delete, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from ...db import LEASING, take_turn
from ...mail.stations import begin_edition
from ...tables import AnyRow, blobs, channels_in, channels_out, chunks, inbox, outbox, peers

_IN = [c for c in inbox.c if c.name not in ("content", "answer")]
_OUT = [c for c in outbox.c if c.name not in ("content", "answer")]
UNTAKEN = and_(inbox.c.taken_at.is_(None), ~inbox.c.held)
_UNSENT = and_(outbox.c.answered_at.is_(None), outbox.c.dead_at.is_(None))


def received(tx: Connection, number: int) -> AnyRow | None:
    """A message of the inbox."""
    return tx.execute(select(inbox).where(inbox.c.id == number)).first()


def taken(tx: Connection, number: int, now: datetime, problem: str | None = None, detail: str | None = None) -> bool:
    """Mark a message as taken up, with the problem for which nothing came of it; tells whether it was not before."""
    mark = update(inbox).where(inbox.c.id == number, inbox.c.taken_at.is_(None))
    return tx.execute(mark.values(taken_at=now, problem=problem, detail=detail)).rowcount == 1


def stumbled(tx: Connection, number: int, failures: int, next_try: datetime, detail: str) -> None:
    """Note that taking up a message failed, and when it is tried again."""
    values = {"failures": failures, "next_try": next_try, "problem": "failed", "detail": detail}
    tx.execute(update(inbox).where(inbox.c.id == number, inbox.c.taken_at.is_(None)).values(values))


def carried(tx: Connection, sender: str, hash_: str, at: datetime, by: str) -> None:
    """Note with a message when it was handed over on a medium, and who says so; what was noted before stays."""
    mine = (inbox.c.sender == sender, inbox.c.hash == hash_, inbox.c.carried_at.is_(None))
    tx.execute(update(inbox).where(*mine).values(carried_at=at, carried_by=by[:200]))


def take_again(tx: Connection, number: int) -> bool:
    """Have a message that came to nothing be taken up once more."""
    again = update(inbox).where(inbox.c.id == number, inbox.c.problem.is_not(None), inbox.c.kind != "handover")
    return tx.execute(again.values(taken_at=None, problem=None, detail=None, next_try=None)).rowcount == 1


def lease(tx: Connection, now: datetime, until: datetime, *, limit: int, only: str | None = None) -> list[AnyRow]:
    """Take messages that are to be sent to nodes that can be called, for oneself until a moment; in their order.

    A node for which somebody else has taken messages is left to them, so that its channel stays in order.
    """
    take_turn(tx, LEASING)
    callable_ = select(peers.c.name).where(peers.c.is_open, peers.c.address.is_not(None))
    others = select(outbox.c.receiver).where(_UNSENT, outbox.c.leased_until >= now)
    free = and_(outbox.c.receiver.in_(callable_), outbox.c.receiver.not_in(others))
    due = and_(_UNSENT, free, outbox.c.next_try <= now)
    query = select(outbox).where(due if only is None else and_(due, outbox.c.receiver == only))
    rows = tx.execute(query.order_by(outbox.c.id).limit(limit).with_for_update(skip_locked=True)).all()
    if rows:
        tx.execute(update(outbox).where(outbox.c.id.in_([r.id for r in rows])).values(leased_until=until))
    return list(rows)


def keep_lease(tx: Connection, numbers: Iterable[int], since: datetime, until: datetime) -> bool:
    """Keep messages for longer; False where they are somebody else's by now."""
    mine = and_(outbox.c.id.in_(list(numbers)), outbox.c.leased_until == since)
    return tx.execute(update(outbox).where(mine, _UNSENT).values(leased_until=until)).rowcount > 0


def end_leases(tx: Connection) -> None:
    """Give everything back: whoever had taken it is no more."""
    tx.execute(update(outbox).where(outbox.c.leased_until.is_not(None)).values(leased_until=None))


def hurry(tx: Connection, receiver: str, now: datetime) -> None:
    """Have all that waits for a node be sent now."""
    waiting = and_(outbox.c.receiver == receiver, _UNSENT, outbox.c.next_try > now)
    tx.execute(update(outbox).where(waiting).values(next_try=now))


def anything_to_send(tx: Connection, now: datetime) -> bool:
    """Tell whether there is a message to be sent now."""
    return tx.execute(select(outbox.c.id).where(_UNSENT, outbox.c.next_try <= now).limit(1)).first() is not None


def next_for(tx: Connection, receiver: str) -> AnyRow | None:
    """The first message for a node that was not answered, for one that asks."""
    query = select(outbox).where(outbox.c.receiver == receiver, _UNSENT).order_by(outbox.c.id).limit(1)
    return tx.execute(query).first()


def waiting_contents(tx: Connection, receiver: str) -> list[bytes]:
    """The bytes of all messages that wait for a node, in their order."""
    query = select(outbox.c.content).where(outbox.c.receiver == receiver, outbox.c.answered_at.is_(None))
    return [bytes(content) for content in tx.execute(query.order_by(outbox.c.id)).scalars()]


def unanswered(tx: Connection) -> list[tuple[int, bytes]]:
    """The messages that were not answered, for whichever node."""
    query = select(outbox.c.id, outbox.c.content).where(outbox.c.answered_at.is_(None))
    return [(number, bytes(content)) for number, content in tx.execute(query)]


def put_content(tx: Connection, number: int, content: bytes) -> None:
    """Give a message that waits other signatures; its envelope is the same."""
    tx.execute(update(outbox).where(outbox.c.id == number).values(content=content))


def answers_to(tx: Connection, sender: str, *, limit: int = 1000) -> list[bytes]:
    """The answers that were last given to a node, the first first."""
    query = select(inbox.c.answer).where(inbox.c.sender == sender).order_by(inbox.c.id.desc()).limit(limit)
    return [bytes(answer) for answer in tx.execute(query).scalars()][::-1]


def posted(tx: Connection, receiver: str, message_id: str) -> AnyRow | None:
    """A message of the outbox."""
    return tx.execute(select(outbox).where(outbox.c.receiver == receiver, outbox.c.message_id == message_id)).first()


def answered(tx: Connection, number: int, values: Mapping[str, Any]) -> None:
    """Note what became of sending a message that was not answered before, and give it back."""
    open_ = update(outbox).where(outbox.c.id == number, outbox.c.answered_at.is_(None))
    tx.execute(open_.values(leased_until=None, **values))


def give_back(tx: Connection, numbers: Iterable[int], next_try: datetime) -> None:
    """Give messages back that were not tried."""
    mine = update(outbox).where(outbox.c.id.in_(list(numbers)), _UNSENT)
    tx.execute(mine.values(leased_until=None, next_try=next_try))


def send_again(tx: Connection, number: int, now: datetime) -> bool:
    """Have a message that was not answered be sent now, also one that was given up."""
    again = update(outbox).where(outbox.c.id == number, outbox.c.answered_at.is_(None))
    return tx.execute(again.values(dead_at=None, leased_until=None, next_try=now)).rowcount == 1


def tell_of(tx: Connection, number: int, problem: str, detail: str) -> None:
    """Note with a message that was sent what the other node has told of it since."""
    tx.execute(update(outbox).where(outbox.c.id == number).values(problem=problem, detail=detail))


def blob(tx: Connection, name: str) -> bytes | None:
    """The bytes with this hash."""
    content = tx.execute(select(blobs.c.content).where(blobs.c.hash == name)).scalar()
    return bytes(content) if content is not None else None


def has_blob(tx: Connection, name: str) -> bool:
    """Tell whether the bytes with this hash are here."""
    return tx.execute(select(blobs.c.hash).where(blobs.c.hash == name)).first() is not None


def keep_blob(tx: Connection, name: str, content: bytes) -> None:
    """Keep bytes once, under their hash."""
    dialect = insert_postgresql if tx.dialect.name == "postgresql" else insert_sqlite
    tx.execute(dialect(blobs).values(hash=name, size=len(content), content=content).on_conflict_do_nothing())


def length_of(tx: Connection, sender: str, name: str) -> int:
    """How much of an attachment has come in so far."""
    mine = and_(chunks.c.sender == sender, chunks.c.hash == name)
    last = select(chunks.c.first + func.length(chunks.c.content)).where(mine).order_by(chunks.c.first.desc()).limit(1)
    return int(tx.execute(last).scalar() or 0)


def add_chunk(tx: Connection, sender: str, name: str, first: int, content: bytes, now: datetime) -> None:
    """Keep a part of an attachment."""
    tx.execute(insert(chunks).values(sender=sender, hash=name, first=first, content=content, at=now))


def whole(tx: Connection, sender: str, name: str) -> bytes:
    """The parts of an attachment put together; they are not kept any longer."""
    mine = and_(chunks.c.sender == sender, chunks.c.hash == name)
    parts = tx.execute(select(chunks.c.content).where(mine).order_by(chunks.c.first)).scalars().all()
    tx.execute(delete(chunks).where(mine))
    return b"".join(map(bytes, parts))


def parts_of(tx: Connection, sender: str) -> int:
    """How many bytes of unfinished attachments are kept for a node."""
    total = select(func.coalesce(func.sum(func.length(chunks.c.content)), 0)).where(chunks.c.sender == sender)
    return int(tx.execute(total).scalar_one())


def drop_parts(tx: Connection, before: datetime) -> None:
    """Forget parts that nothing was added to for long."""
    tx.execute(delete(chunks).where(chunks.c.at < before))


def is_enclosed_for(tx: Connection, receiver: str, name: str) -> bool:
    """Tell whether an attachment belongs to a message that waits for this node."""
    rows = tx.execute(select(outbox.c.attachments).where(outbox.c.receiver == receiver, _UNSENT)).scalars()
    return any(a["hash"] == name for enclosed in rows for a in enclosed)


def counts(tx: Connection, now: datetime) -> dict[str, int]:
    """How many messages there are of each standing."""
    failed = and_(inbox.c.problem.is_not(None), inbox.c.problem != "retried")
    wanted = {
        "untaken": (inbox, UNTAKEN),
        "held": (inbox, inbox.c.held),
        "failed": (inbox, failed),
        "unsent": (outbox, _UNSENT),
        "late": (outbox, and_(_UNSENT, outbox.c.failures > 0)),
        "dead": (outbox, outbox.c.dead_at.is_not(None)),
        "turned_down": (outbox, and_(outbox.c.answered_at.is_not(None), outbox.c.problem.is_not(None))),
        "received": (inbox, inbox.c.id.is_not(None)),
        "delivered": (outbox, outbox.c.answered_at.is_not(None)),
    }
    return {
        name: int(tx.execute(select(func.count()).select_from(table).where(where)).scalar_one())
        for name, (table, where) in wanted.items()
    }


def oldest_unsent(tx: Connection) -> datetime | None:
    """Since when the oldest message waits that was not answered."""
    moment: datetime | None = tx.execute(select(func.min(outbox.c.posted_at)).where(_UNSENT)).scalar()
    return moment


def oldest_untaken(tx: Connection) -> datetime | None:
    """Since when the oldest message waits that could be taken up."""
    moment: datetime | None = tx.execute(select(func.min(inbox.c.stored_at)).where(UNTAKEN)).scalar()
    return moment


def keys_told(tx: Connection) -> dict[str, datetime]:
    """When each node was last told of our keys, of the messages that it has answered."""
    query = select(outbox.c.receiver, func.max(outbox.c.posted_at))
    query = query.where(outbox.c.kind == "keys", outbox.c.answered_at.is_not(None)).group_by(outbox.c.receiver)
    return {row[0]: row[1] for row in tx.execute(query)}


def dead_by_peer(tx: Connection) -> dict[str, int]:
    """How many messages each node has refused for good."""
    query = select(outbox.c.receiver, func.count()).where(outbox.c.dead_at.is_not(None)).group_by(outbox.c.receiver)
    return {name: int(count) for name, count in tx.execute(query)}


def inbox_rows(tx: Connection, standing: str, *, offset: int, limit: int) -> tuple[list[AnyRow], int]:
    """A page of the inbox, the newest first; `standing` is untaken, held, failed, or anything else for all."""
    chosen: dict[str, Any] = {"untaken": UNTAKEN, "held": inbox.c.held, "failed": inbox.c.problem.is_not(None)}
    where = chosen.get(standing, inbox.c.id.is_not(None))
    total = tx.execute(select(func.count()).select_from(inbox).where(where)).scalar_one()
    query = select(*_IN).where(where).order_by(inbox.c.id.desc()).offset(offset).limit(limit)
    return list(tx.execute(query)), int(total)


def outbox_rows(tx: Connection, standing: str, *, offset: int, limit: int) -> tuple[list[AnyRow], int]:
    """A page of the outbox, the newest first; `standing` is unsent, dead, turned_down, or anything else for all."""
    told = and_(outbox.c.answered_at.is_not(None), outbox.c.problem.is_not(None))
    chosen: dict[str, Any] = {"unsent": _UNSENT, "dead": outbox.c.dead_at.is_not(None), "turned_down": told}
    where = chosen.get(standing, outbox.c.id.is_not(None))
    total = tx.execute(select(func.count()).select_from(outbox).where(where)).scalar_one()
    query = select(*_OUT).where(where).order_by(outbox.c.id.desc()).offset(offset).limit(limit)
    return list(tx.execute(query)), int(total)


def gaps(tx: Connection) -> list[AnyRow]:
    """The channels in which messages are held, with the lowest number that is there: what is before it is missing."""
    since = func.min(inbox.c.stored_at).label("since")
    columns = (
        inbox.c.sender, inbox.c.epoch, since, func.min(inbox.c.sequence).label("first"), func.count().label("held")
    )  # fmt: skip
    query = select(*columns).where(inbox.c.held).group_by(inbox.c.sender, inbox.c.epoch).order_by(inbox.c.sender)
    return list(tx.execute(query))


def held_numbers(tx: Connection, sender: str, epoch: str) -> set[int]:
    """The numbers of the messages that wait for an earlier one."""
    query = select(inbox.c.sequence).where(inbox.c.sender == sender, inbox.c.epoch == epoch, inbox.c.held)
    return set(tx.execute(query).scalars())


def reached(tx: Connection, sender: str, epoch: str) -> int:
    """How far a channel has come without a gap."""
    query = select(channels_in.c.sequence).where(channels_in.c.sender == sender, channels_in.c.epoch == epoch)
    return int(tx.execute(query).scalar() or 0)


def asked_since(tx: Connection, receiver: str, moment: datetime) -> bool:
    """Tell whether a node was asked for messages not long ago."""
    recent = (outbox.c.receiver == receiver, outbox.c.kind == "ask", outbox.c.posted_at > moment)
    return tx.execute(select(outbox.c.id).where(*recent).limit(1)).first() is not None


def waiting_kinds(tx: Connection, kind: str) -> set[str]:
    """The nodes for which a message of a kind waits to be sent."""
    return set(tx.execute(select(outbox.c.receiver).where(_UNSENT, outbox.c.kind == kind).distinct()).scalars())


def begun_anew(tx: Connection) -> set[str]:
    """The nodes that go on in another epoch, and have not said what they know of those before."""
    latest = func.max(channels_in.c.epoch)
    query = select(channels_in.c.sender).join(peers, peers.c.name == channels_in.c.sender)
    query = query.group_by(channels_in.c.sender, peers.c.settled).having(func.count() > 1)
    unsettled = or_(peers.c.settled.is_(None), peers.c.settled < latest)
    return set(tx.execute(query.having(unsettled)).scalars())


def asked(tx: Connection) -> set[str]:
    """The nodes that we wait for, having been restored."""
    return set(tx.execute(select(channels_out.c.receiver).where(channels_out.c.asking.is_not(None))).scalars())


def last_heard(tx: Connection) -> dict[str, datetime]:
    """When something was last received from each node, or answered by it."""
    heard: dict[str, datetime] = {}
    for query in (
        select(inbox.c.sender, func.max(inbox.c.stored_at)).group_by(inbox.c.sender),
        select(outbox.c.receiver, func.max(outbox.c.answered_at)).group_by(outbox.c.receiver),
    ):
        for name, moment in tx.execute(query):
            if moment is not None:
                heard[name] = max(moment, heard.get(name, moment))
    return heard


def waiting_for(tx: Connection) -> dict[str, int]:
    """How many messages wait for each node."""
    query = select(outbox.c.receiver, func.count()).where(_UNSENT).group_by(outbox.c.receiver)
    return {name: int(count) for name, count in tx.execute(query)}


def put_peer(tx: Connection, values: Mapping[str, Any]) -> None:
    """Enter a node, or what has changed of it."""
    dialect = insert_postgresql if tx.dialect.name == "postgresql" else insert_sqlite
    kept = {k: v for k, v in values.items() if k not in ("name", "added_at", "user_id")}
    fresh = dialect(peers).values(**values)
    tx.execute(fresh.on_conflict_do_update(index_elements=["name"], set_=kept))
    begin_edition(tx)


def rows_serving(tx: Connection, unit: str) -> list[AnyRow]:
    """The nodes, this one too, that a unit is named with."""
    return [row for row in tx.execute(select(peers)) if unit in row.units]


def peer_row(tx: Connection, name: str) -> AnyRow | None:
    """A node as it is entered."""
    return tx.execute(select(peers).where(peers.c.name == name)).first()
