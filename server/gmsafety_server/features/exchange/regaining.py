"""Copies: what this node once said, lost, and gets back from the node that it was said to."""

import logging
from collections.abc import Callable

from sqlalchemy import Connection

from gmsafety.exchange.envelope import Message, opened
from gmsafety.exchange.errors import Malformed
from gmsafety.exchange.payloads import Decision, Handover, Received, Report, Submission, Withdrawal, read_payload
from gmsafety.exchange.reconciling import Copy
from gmsafety.exchange.settling import Regained, regained

from ... import audit
from ...errors import Problem
from ...mail.books import Books
from ...mail.stations import find_peer
from ...node import Node, public_keys
from ...scope import Role, Viewer
from ...tables import AnyRow
from ..moving import service as moving
from ..submissions import handling, regaining
from ..submissions.judging import Arrival
from . import differences, repository
from .parcels import parcel_of, uuid_of

Then = Callable[[Connection], None]
_log = logging.getLogger("gmsafety.exchange")


def take_copies(node: Node, row: AnyRow, then: Then) -> None:
    """Put what comes back where it was, each for itself: what was put back stays, and is passed over the next time.

    `then` is done at the end. One that cannot be put back is a task for people; it is in the outbox all the same.
    """
    message, sender = opened(bytes(row.content)), str(row.sender)
    with node.db.write() as tx:
        found = _regained(tx, node, message)
    for copy in found.good:
        _put_back(node, message, copy)
    with node.db.write() as tx:
        now = node.clock.now()
        for name in found.bad:
            _tell(tx, node, sender, "foreign", name, None)
        if found.good or found.bad:
            told = {"messages": len(found.good), "not_ours": len(found.bad)}
            audit.record(tx, now, f"@{sender}", "messages.regained", sender, path="/", **told)
        then(tx)
    _log.info("取回 %s：%d件，不符%d件", sender, len(found.good), len(found.bad))


def _regained(tx: Connection, node: Node, message: Message) -> Regained:
    peer = find_peer(tx, message.envelope.sender)
    if peer is None:
        raise Problem("not-allowed", f"节点“{message.envelope.sender}”没有登记")
    return regained(message, peer, node.settings.node, public_keys(tx), Books(tx, node.clock.now()))


def _put_back(node: Node, message: Message, copy: Copy) -> None:
    """Enter one copy in the outbox, and do what it says."""
    sender, problem = message.envelope.sender, ""
    try:
        _enter(node, sender, copy, _work_of(node, sender, copy.message))
    except (Problem, Malformed) as error:
        if isinstance(error, Problem) and error.type.slug in ("busy", "failed"):
            raise
        problem = error.detail if isinstance(error, Problem) else str(error)
    if problem:
        name = copy.message.envelope.id
        _log.warning("未能放回 %s %s：%s", sender, name, problem)
        _enter(node, sender, copy, lambda tx: _tell(tx, node, sender, "unplaced", name, problem))


def _enter(node: Node, sender: str, copy: Copy, work: Then) -> None:
    link = copy.message.envelope.link
    with node.db.write() as tx:
        find_peer(tx, sender, lock=True)
        books = Books(tx, node.clock.now())
        if books.hash_sent(sender, link.epoch, link.sequence) is None:
            books.get_back(copy)
            work(tx)


def _work_of(node: Node, sender: str, message: Message) -> Then:
    """What is to be done so that a message is true again here; most are told about in the outbox alone."""
    told, envelope = read_payload(message), message.envelope
    with node.db.read() as tx:
        viewer = _viewer(tx, node, sender, message)
        parcel = parcel_of(tx, envelope, told) if isinstance(told, Submission) else None
    if isinstance(told, Submission) and parcel is not None and envelope.subject is not None:
        arrival = Arrival(
            uuid_of(told.submission), envelope.subject.revision, told.filed_at, told.content_hash, message.hash
        )
        handling.make_room_for(node, parcel.envelope)
        looked = regaining.look_at(node, viewer, parcel, arrival, told.made_of)
        return lambda tx: regaining.put_back(tx, node, viewer, looked)
    subject = envelope.subject
    if isinstance(told, Withdrawal) and subject is not None:
        return lambda tx: regaining.ask_again(tx, node, viewer, subject, told.reason)
    if isinstance(told, Received | Report | Decision):
        return lambda tx: regaining.take_given(tx, node, viewer, told)
    if isinstance(told, Handover):
        return lambda tx: moving.gone_again(tx, node, sender, told, envelope.id)
    return lambda _tx: None


def _viewer(tx: Connection, node: Node, sender: str, message: Message) -> Viewer:
    """In whose name it is entered: the unit that filed, or that decided; the account is that of the other node."""
    row, directory, subject = repository.peer_row(tx, sender), node.directory(tx), message.envelope.subject
    if row is None or row.user_id is None:
        raise Problem("not-allowed", f"节点“{sender}”没有登记")
    unit = subject.unit if subject is not None else next(iter(row.units), "")
    if subject is not None and message.envelope.kind not in ("submission", "withdraw"):
        known = directory.units.get(unit)
        unit = (known.parent if known else None) or unit
    return Viewer(row.user_id, f"@{sender}", row.title, unit, directory.path(unit), frozenset((Role.CLERK,)))


def _tell(tx: Connection, node: Node, sender: str, kind: str, name: str, detail: str | None) -> None:
    differences.add(tx, node.clock.now(), differences.Found(sender, kind, name, detail=detail))
