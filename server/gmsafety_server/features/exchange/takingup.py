"""Doing what messages ask for, in the order of their channels: each once, in one transaction with its mark."""

import logging
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from gmsafety.exchange.envelope import Draft, Envelope, opened
from gmsafety.exchange.errors import Malformed
from gmsafety.exchange.payloads import (
    Decision,
    Definitions,
    Handover,
    Keys,
    Notice,
    Outdated,
    Payload,
    Received,
    Report,
    Submission,
    Withdrawal,
    read_payload,
)
from gmsafety.exchange.reconciling import Ask, Copies, Statement
from gmsafety.exchange.retries import next_try

from ...db import TAKING, try_turn
from ...errors import Problem
from ...mail.posting import post
from ...mail.stations import find_peer, own_row
from ...node import Node
from ...scope import Role, Viewer
from ...tables import AnyRow
from ..moving import service as moving
from ..rollups import outdating
from ..submissions import echoing, handling, withdrawing
from ..submissions.judging import Arrival
from . import defining, handing_down, journal, repository, turns
from .asking import send_what_was_asked
from .introducing import with_keys
from .journal import Event
from .parcels import parcel_of, uuid_of
from .reconciling import take_statement
from .regaining import take_copies

FROM_BELOW = ("submission", "withdraw", "outdated")
_AGAIN = ("busy", "failed", "reconciling")


class _Gone(Exception):
    """Another process has taken the message up meanwhile."""


def take_up(node: Node) -> int:
    """Take up all messages that can be; returns how many."""
    count = 0
    while True:
        with node.db.read() as tx:
            numbers = turns.to_take(tx, node.clock.now())
        done = sum(_alone(node, number) for number in numbers)
        count += done
        if not done:
            return count


def _alone(node: Node, number: int) -> bool:
    """Take up one message, unless another process is at it; if that one dies, it is free again at once."""
    if node.db.is_sqlite:
        return _take(node, number)
    with node.db.write() as tx:
        return try_turn(tx, TAKING, number) and _take(node, number)


def _take(node: Node, number: int) -> bool:
    """Take up one message; False where it stays where it is."""
    node.give_way()
    with node.db.read() as tx:
        row = repository.received(tx, number)
    if row is None or row.taken_at is not None:
        return False
    try:
        _do(node, row)
        journal.note(node, Event.of("taken", row, "done"), f"已办理 {row.sender} {row.message_id}")
    except _Gone:
        return False
    except (Problem, Malformed) as error:
        if isinstance(error, Problem) and error.type.slug in _AGAIN:
            return _later(node, row, error)
        _in_vain(node, row, error)
    except SQLAlchemyError as error:
        return _later(node, row, error)
    except Exception as error:
        return _later(node, row, error)
    node.wake()
    return True


def _do(node: Node, row: AnyRow) -> None:
    message = opened(bytes(row.content))
    told, envelope = read_payload(message), message.envelope

    def mark(tx: Connection) -> None:
        if not repository.taken(tx, row.id, node.clock.now()):
            raise _Gone

    if isinstance(told, Submission):
        _file(node, row, envelope, told, mark)
        return
    if isinstance(told, Copies):
        take_copies(node, row, mark)
        return
    if isinstance(told, Definitions):
        defining.take(node, row, told, mark)
        return
    with node.db.write() as tx:
        mark(tx)
        _heed(tx, node, row, envelope, told)


def _heed(tx: Connection, node: Node, row: AnyRow, envelope: Envelope, told: Payload) -> None:
    viewer = _speaker(tx, node, row.sender, envelope)
    if isinstance(told, Received | Report | Decision):
        findings = told.findings if isinstance(told, Report) else ()
        viewer = replace(viewer, unit=told.receipt.receipt.receiver.unit)
        echoing.take_receipt(tx, node, viewer, row.sender, told.receipt, findings)
        moving.pass_on(tx, node, row.sender, told.receipt.receipt.submission)
    elif isinstance(told, Withdrawal):
        assert envelope.subject is not None
        withdrawing.take_up(tx, node, viewer, row.sender, envelope.subject, told)
    elif isinstance(told, Handover):
        moving.take_up(tx, node, row.sender, viewer.user_id, told)
    elif isinstance(told, Outdated):
        outdating.take_told(tx, node, row.sender, told, viewer.name)
    elif isinstance(told, Keys):
        with_keys(tx, node, row.sender, told.keys)
    elif isinstance(told, Statement):
        take_statement(tx, node, opened(bytes(row.content)), told)
    elif isinstance(told, Ask):
        send_what_was_asked(tx, node, row.sender, told)
    elif isinstance(told, Notice):
        _turned_down(tx, node, viewer, envelope, told)
    else:
        raise Problem("not-valid", f"本程序还不办理这种消息（{envelope.kind}）；原件已存，升级后可再办理")


def _file(
    node: Node, row: AnyRow, envelope: Envelope, told: Submission, mark: Callable[[Connection], None]
) -> None:  # fmt: skip
    """File what a unit of another node has filed there, as if it had been filed here."""
    subject = envelope.subject
    assert subject is not None
    with node.db.read() as tx:
        viewer = _speaker(tx, node, row.sender, envelope)
        parcel = parcel_of(tx, envelope, told)
    onward = frozenset(to.unit for to in told.to if to.node == node.settings.node)
    arrival = Arrival(
        uuid_of(told.submission), subject.revision, row.stored_at, told.content_hash, row.hash, onward=onward
    )  # fmt: skip
    handling.arrive(node, viewer, parcel, arrival, mark, told.made_of)


def _speaker(tx: Connection, node: Node, sender: str, envelope: Envelope) -> Viewer:
    """Who speaks through a message: the unit that filed, or for what comes from above the unit that it was filed to."""
    row = repository.peer_row(tx, sender)
    if row is None or row.user_id is None:
        raise Problem("not-allowed", f"节点“{sender}”没有登记")
    directory, subject = node.directory(tx), envelope.subject
    unit = subject.unit if subject is not None else next(iter(row.units), "")
    if subject is not None and envelope.kind not in FROM_BELOW:
        known = directory.units.get(unit)
        unit = (known.parent if known else None) or unit
    return Viewer(row.user_id, f"@{sender}", row.title, unit, directory.path(unit), frozenset((Role.CLERK,)))


def _turned_down(tx: Connection, node: Node, viewer: Viewer, envelope: Envelope, told: Notice) -> None:
    """The other node says that it could not take up a message of ours."""
    ours = repository.posted(tx, envelope.sender, envelope.answers) if envelope.answers else None
    if ours is None:
        return
    repository.tell_of(tx, ours.id, "turned-down", f"{told.title}：{told.text}" if told.text else told.title)
    message = opened(bytes(ours.content))
    said, text = read_payload(message), told.text or told.title
    if isinstance(said, Submission):
        echoing.turned_down(tx, node, viewer, envelope.sender, said.submission, text)
    elif isinstance(said, Withdrawal) and message.envelope.subject is not None:
        withdrawing.kept(tx, node, viewer, envelope.sender, message.envelope.subject, text)
    elif isinstance(said, Handover):
        moving.turned_down(tx, node, envelope.sender, ours.message_id, text)
    elif isinstance(said, Definitions):
        handing_down.turned_down(tx, envelope.sender, ours.message_id, text)


def _in_vain(node: Node, row: AnyRow, error: Problem | Malformed) -> None:
    """Nothing can come of a message: that is kept with it, and told to the node that sent it."""
    slug, said = (error.type.slug, error.detail) if isinstance(error, Problem) else ("malformed", str(error))
    remedy = f"{error.type.remedy}。" if isinstance(error, Problem) else ""
    words = f"未能办理 {row.sender} {row.message_id} {slug}：{said}"
    journal.note(node, Event.of("taken", row, "turned-down", slug), words, level=logging.WARNING)
    with node.db.write() as tx:
        if not repository.taken(tx, row.id, node.clock.now(), slug, said):
            return
        own = own_row(tx)
        if row.kind in ("submission", "withdraw", "handover") and find_peer(tx, row.sender) is not None:
            told = Notice(
                title="未能办理", issuer=own.title if own else node.settings.title, issued=node.clock.today(),
                text=f"{said.rstrip('。')}。{remedy}",
            )  # fmt: skip
            post(tx, node, Draft("notice", row.sender, told.model_dump(), answers=row.message_id, test=node.test))


def _later(node: Node, row: AnyRow, error: Exception) -> bool:
    """Something failed that may go well the next time."""
    now, failures = node.clock.now(), row.failures + 1
    words = f"办理 {row.sender} {row.message_id} 时出错，稍后再办"
    event = Event.of("taken", row, "failed", type(error).__name__)
    journal.note(node, event, words, level=logging.ERROR, error=error)
    at = next_try(failures, now=now, chance=random.random)
    with node.db.write() as tx:
        repository.stumbled(tx, row.id, failures, max(at, now + timedelta(seconds=1)), f"{type(error).__name__}")
    return False
