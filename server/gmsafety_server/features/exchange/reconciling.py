"""Statements (对账): told daily, after each deadline, on demand, and first of all by a node that was restored."""

import logging
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from gmsafety.exchange.envelope import Attachment, Draft, Envelope, Message
from gmsafety.exchange.reconciling import Ask, Copies, Statement, is_out_of_date
from gmsafety.exchange.settling import Reaction, begin_anew, copies_of, heed, statement

from ... import audit
from ...errors import Problem
from ...mail.books import Books
from ...mail.posting import post, room_of
from ...mail.stations import find_peer, own_row
from ...node import Node
from ...tables import channels_out, peers, slots
from . import differences, repository

DAILY = timedelta(hours=24)
FIRST = timedelta(hours=1)
"""How long after it was entered a node is told what we have of it, if nothing else is the matter before."""
AGAIN = timedelta(minutes=10)
"""How long a node that was restored waits for an answer before it asks once more."""
_log = logging.getLogger("gmsafety.exchange")


def state_to(tx: Connection, node: Node, peer: str, *, answers: str | None = None) -> None:
    """Tell another node what we have of all that was said."""
    books = Books(tx, node.clock.now())
    told = statement(books, peer)
    post(tx, node, Draft("digest", peer, told.model_dump(), answers=answers, test=node.test))
    books.stated(peer)


def state_where_due(node: Node) -> int:
    """Tell those nodes what we have to which it is time to; returns how many."""
    now = node.clock.now()
    with node.db.read() as tx:
        names = _due(tx, now)
    return sum(_state(node, name, now) for name in names)


def _state(node: Node, name: str, now: datetime) -> bool:
    node.give_way()
    with node.db.write() as tx:
        is_due = find_peer(tx, name, lock=True) is not None and name in _due(tx, now, only=name)
        if is_due:
            state_to(tx, node, name)
    return is_due


def state_now(tx: Connection, node: Node, name: str | None, *, actor: str, anew: bool = False) -> list[str]:
    """Tell one node, or all, what we have, because somebody asks for it; returns which.

    `anew` begins another epoch first, as after a restore.
    """
    rows = tx.execute(select(peers).where(~peers.c.is_own, peers.c.is_open).order_by(peers.c.name)).all()
    names = [row.name for row in rows if name in (None, row.name)]
    if name is not None and not names:
        raise Problem("not-found", f"没有登记节点“{name}”，或已停用")
    for each in names:
        find_peer(tx, each, lock=True)
        now = node.clock.now()
        if anew:
            begin_anew(Books(tx, now), each, now)
        state_to(tx, node, each)
        audit.record(tx, now, actor, "peer.reconciled", each, path="/", anew=anew)
    return names


def _due(tx: Connection, now: datetime, *, only: str | None = None) -> list[str]:
    """The nodes that it is time to tell what we have: one that was not told yet what we say now, waits for it."""
    own = own_row(tx)
    if own is None:
        return []
    columns = (
        peers.c.name,
        peers.c.units,
        peers.c.stated_at,
        peers.c.added_at,
        channels_out.c.asking,
        channels_out.c.sequence,
    )
    query = select(*columns).outerjoin(channels_out, channels_out.c.receiver == peers.c.name)
    query = query.where(~peers.c.is_own, peers.c.is_open).order_by(peers.c.name)
    rows = tx.execute(query if only is None else query.where(peers.c.name == only)).all()
    telling, begun = repository.waiting_kinds(tx, "digest"), repository.begun_anew(tx)
    deadlines = _deadlines(tx, {unit for row in rows for unit in row.units} | set(own.units), now)
    found = []
    for row in rows:
        last = max((deadlines[u] for u in (*row.units, *own.units) if u in deadlines), default=None)
        is_first = row.asking is not None and not row.sequence
        after = AGAIN if row.asking is not None or row.name in begun else DAILY
        told_at = row.stated_at or row.added_at + FIRST - DAILY
        is_time = told_at <= now - after
        is_over = row.asking is None and last is not None and (row.stated_at or row.added_at) < last
        if is_first or (row.name not in telling and (is_time or is_over)):
            found.append(row.name)
    return found


def _deadlines(tx: Connection, units: Iterable[str], now: datetime) -> dict[str, datetime]:
    """The last deadline of each unit that has just passed; what is older was told in the daily statement."""
    latest = select(slots.c.unit, func.max(slots.c.due_at).label("last")).where(
        slots.c.unit.in_(list(units)), slots.c.due_at <= now, slots.c.due_at > now - DAILY
    )
    return {row.unit: row.last for row in tx.execute(latest.group_by(slots.c.unit))}


def take_statement(tx: Connection, node: Node, message: Message, theirs: Statement) -> None:
    """Compare what another node has with what we have: send again, give back, ask, answer; note what differs."""
    envelope, peer, now = message.envelope, message.envelope.sender, node.clock.now()
    find_peer(tx, peer, lock=True)
    books = Books(tx, now)
    is_stale, waited = is_out_of_date(envelope.link, books.channels(peer)), books.waits(peer)
    found = heed(room_of(node), books, message)
    if not is_stale:
        kinds = differences.STATED
        differences.note(tx, now, _differences(books, message, theirs, found), kinds=kinds, peer=peer)
    if found.asks:
        state_to(tx, node, peer)
    again = books.send_again(peer, found.send_again)
    given = sum(_give_back(tx, node, envelope, part) for part in copies_of(books.entries(peer, found.give_back)))
    if found.missing:
        post(tx, node, Draft("ask", peer, Ask.of(found.missing).model_dump(), test=node.test))
    if found.answers:
        state_to(tx, node, peer, answers=envelope.id)
    if waited and not books.waits(peer):
        audit.record(tx, now, f"@{peer}", "node.caught-up", node.settings.node, path="/", peer=peer)
    _log.info("对账 %s：重发%d件，交还%d件，请求%d件", peer, again, given, len(found.missing))


def _give_back(tx: Connection, node: Node, asked: Envelope, part: Copies) -> int:
    """Give messages back that their sender has lost, with the files that belong to them."""
    enclosed: dict[str, Attachment] = {a.hash: a for c in part.messages for a in c.message.envelope.attachments}
    told, files = part.model_dump(), tuple(enclosed.values())
    post(tx, node, Draft("copies", asked.sender, told, answers=asked.id, attachments=files, test=node.test))
    return len(part.messages)


def _differences(
    books: Books, message: Message, theirs: Statement, found: Reaction
) -> Iterator[differences.Found]:  # fmt: skip
    """What the statement shows; what is only on its way is none."""
    peer = message.envelope.sender
    lacking = books.delivered(peer, found.send_again, message.envelope.sealed_at)
    yield from differences.of_numbers(peer, "missing_there", lacking)
    yield from differences.of_numbers(peer, "missing_here", found.missing)
    yield from (differences.Found(peer, "forked", epoch) for epoch in found.forked)
    for mark in books.channels(peer):
        yield from differences.lost_of(peer, mark.epoch, mark.lost, is_ours=False)
    for channel in theirs.received:
        yield from differences.lost_of(peer, channel.epoch, channel.lost, is_ours=True)
