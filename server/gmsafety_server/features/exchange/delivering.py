"""Sending what is in the outbox: leased, in the order of each channel, again until it is answered."""

import logging
import random
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import Connection

from gmsafety.exchange.answers import SignedRefusal, SignedStored, read_answer
from gmsafety.exchange.canonical import digest
from gmsafety.exchange.envelope import opened
from gmsafety.exchange.errors import Malformed
from gmsafety.exchange.peers import Peer
from gmsafety.exchange.receipts import Verdict
from gmsafety.exchange.retries import next_try
from gmsafety.exchange.settling import begin_anew, is_cut_off

from ... import audit
from ...mail.books import Books
from ...mail.stations import find_peer, peer_keys
from ...node import Node
from ...tables import AnyRow
from . import journal, repository
from .attachments import upload
from .calling import MESSAGES
from .journal import Event
from .wire import Reply, Unreached, Wire

LEASE = timedelta(seconds=30)
"""How long messages belong to the process that took them; sent twice after that, they do no harm."""
BATCH = 50
_AT_ONCE = 8
_log = logging.getLogger("gmsafety.exchange")


def deliver(node: Node, wire: Wire, *, only: str | None = None) -> int:
    """Send what is due, to several nodes at a time; returns how many messages were stored by others."""
    count = 0
    while True:
        now = node.clock.now()
        with node.db.read() as tx:
            if not repository.anything_to_send(tx, now):
                return count
        until = now + LEASE
        with node.db.write() as tx:
            rows = repository.lease(tx, now, until, limit=BATCH, only=only)
        by_node = [list(group) for _, group in groupby(sorted(rows, key=_place), key=lambda r: r.receiver)]
        done = _in_parallel(node, wire, by_node, until)
        count += done
        if not done:
            return count


def _place(row: AnyRow) -> tuple[str, int]:
    return row.receiver, row.id


def _in_parallel(node: Node, wire: Wire, by_node: list[list[AnyRow]], until: datetime) -> int:
    if len(by_node) < 2:
        return sum(_send_all(node, wire, rows, until) for rows in by_node)
    with ThreadPoolExecutor(min(_AT_ONCE, len(by_node))) as pool:
        return sum(pool.map(lambda rows: _send_all(node, wire, rows, until), by_node))


def _send_all(node: Node, wire: Wire, rows: list[AnyRow], until: datetime) -> int:
    """Send to one node, one after the other; where it does not answer, the others are not tried now.

    When it takes long, they are kept for longer, unless another process has taken them over.
    """
    with node.db.read() as tx:
        peer = find_peer(tx, rows[0].receiver)
    assert peer is not None
    count = 0
    for number, row in enumerate(rows):
        kept = _still_ours(node, rows[number:], until)
        if kept is None:
            return count
        until = kept
        try:
            reply = _send(node, wire, peer, row)
        except Unreached as error:
            again = _fail(node, row, "unreached", str(error))
            _give_back(node, rows[number + 1 :], again)
            return count
        is_stored, again_at = settle(node, row, reply)
        count += is_stored
        if is_stored and count == 1:  # it is there again: what waited for that need not wait any longer
            with node.db.write() as tx:
                repository.hurry(tx, row.receiver, node.clock.now())
        if again_at is not None:
            _give_back(node, rows[number + 1 :], again_at)
            return count
    return count


def _still_ours(node: Node, rows: Iterable[AnyRow], until: datetime) -> datetime | None:
    """Until when messages are ours, which is put off in time; None where another process has them."""
    now = node.clock.now()
    if until - now > LEASE / 2:
        return until
    with node.db.write() as tx:
        return now + LEASE if repository.keep_lease(tx, [r.id for r in rows], until, now + LEASE) else None


def _give_back(node: Node, rows: Iterable[AnyRow], at: datetime) -> None:
    numbers = [row.id for row in rows]
    if numbers:
        with node.db.write() as tx:
            repository.give_back(tx, numbers, at)


def _send(node: Node, wire: Wire, peer: Peer, row: AnyRow) -> Reply:
    """Send a message, and the attachments that the other node lacks."""
    url = f"{(peer.address or '').rstrip('/')}{MESSAGES}"
    reply = wire("POST", url, headers={"Content-Type": "application/json"}, content=bytes(row.content))
    told = _answer_of(reply.content)
    if isinstance(told, SignedRefusal) and told.refusal.slug == "attachments-missing":
        mine = {a["hash"] for a in row.attachments}
        for name in told.refusal.missing:
            if name in mine:
                upload(node, wire, peer, name)
        reply = wire("POST", url, headers={"Content-Type": "application/json"}, content=bytes(row.content))
    return reply


def settle(node: Node, row: AnyRow, reply: Reply) -> tuple[bool, datetime | None]:
    """Note what was answered: whether it is stored there, and until when to wait where nothing else is to be sent.

    Only what the other node has signed counts: a proxy in between can delay a message, and nothing more.
    """
    with node.db.read() as tx:
        told, is_theirs = _answer_of(reply.content), False
        if told is not None:
            is_theirs = _is_about(told, row) and told.verify(peer_keys(tx, row.receiver)) is Verdict.VALID
    if isinstance(told, SignedStored) and is_theirs:
        _note_clock(node, row, told)
        with node.db.write() as tx:
            _stored(tx, node, row, reply.content)
        return True, None
    if isinstance(told, SignedRefusal) and is_theirs:
        kind, said = told.kind, told.refusal.said
        problem = told.refusal.slug[:60]
        if kind is not None and kind.is_final and told.refusal.received == digest(bytes(row.content)):
            _die(node, row, problem, f"{told.refusal.code} {said}", reply.content)
            return False, None
        asked = timedelta(seconds=min(reply.retry_after, 3600)) if reply.retry_after is not None else None
        return False, _fail(node, row, problem, f"{told.refusal.code} {said}", asked=asked)
    if told is not None:  # it may have a new key; the message that tells of it may wait for what we have yet to send
        _fail(node, row, "unverified", "答复的签名不符")
        return False, None
    return False, _fail(node, row, "unverified", f"对方答复 {reply.status}，不是节点的答复")


def _answer_of(content: bytes) -> SignedStored | SignedRefusal | None:
    try:
        return read_answer(content)
    except Malformed:
        return None


def _is_about(told: SignedStored | SignedRefusal, row: AnyRow) -> bool:
    if isinstance(told, SignedRefusal):
        return bool(told.refusal.node == row.receiver)
    stored = told.stored
    return bool((stored.node, stored.message, stored.message_hash) == (row.receiver, row.message_id, row.hash))


def _note_clock(node: Node, row: AnyRow, told: SignedStored) -> None:
    """How far the other clock is from ours, told by an answer to what was sent for the first time."""
    if row.failures == 0:
        skew = (told.stored.stored_at - node.clock.now()).total_seconds()
        node.meters.put(journal.SKEW, round(skew, 3), peer=row.receiver)


def _stored(tx: Connection, node: Node, row: AnyRow, answer: bytes) -> None:
    values: dict[str, Any] = {"answered_at": node.clock.now(), "answer": answer, "dead_at": None}
    repository.answered(tx, row.id, {**values, "problem": None, "detail": None})
    journal.note(node, Event.of("out", row, "delivered"), f"已送达 {row.receiver} {row.message_id}")
    node.meters.observe(journal.DURATION, max(0.0, (node.clock.now() - row.posted_at).total_seconds()))


def _die(node: Node, row: AnyRow, problem: str, detail: str, answer: bytes) -> None:
    said = f"对方拒收 {row.receiver} {row.message_id}：{detail}"
    journal.note(node, Event.of("out", row, "dead", problem), said, level=logging.ERROR)
    values = {"dead_at": node.clock.now(), "answer": answer, "failures": row.failures + 1}
    with node.db.write() as tx:
        repository.answered(tx, row.id, {**values, "problem": problem, "detail": detail})
        _begin_anew_where_cut_off(tx, node, row, problem)


def _begin_anew_where_cut_off(tx: Connection, node: Node, row: AnyRow, problem: str) -> None:
    """The other node has more of us than we know: the database was put back without `gmsafety db restore`."""
    books, link = Books(tx, node.clock.now()), opened(bytes(row.content)).envelope.link
    if is_cut_off(books, row.receiver, link, problem):
        begin_anew(books, row.receiver, node.clock.now())
        audit.record(tx, node.clock.now(), "gmsafety", "node.put-back", row.receiver, path="/", epoch=link.epoch)
        _log.error("节点 %s 所存的比本节点所知的多：数据库是旧的，重新对账", row.receiver)
        node.wake()


def _fail(node: Node, row: AnyRow, problem: str, detail: str, *, asked: timedelta | None = None) -> datetime:
    """Note that a message could not be sent, and when it is tried again."""
    now, failures = node.clock.now(), row.failures + 1
    again = next_try(row.failures, now=now, chance=random.random, due_at=row.due_at, asked=asked)
    said = f"未送达 {row.receiver} {row.message_id}（第{failures}次）：{detail}"
    journal.note(node, Event.of("out", row, "failed", problem), said, level=logging.WARNING)
    with node.db.write() as tx:
        values = {"failures": failures, "next_try": again, "problem": problem, "detail": detail[:1000]}
        repository.answered(tx, row.id, values)
    return again
