"""Packages (.gmx): what waits for another node is carried there by hand, and its answers are carried back."""

import io
from collections.abc import Iterable
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from gmsafety.exchange.answers import SignedStored, read_answer
from gmsafety.exchange.envelope import opened
from gmsafety.exchange.mailroom import SKEW
from gmsafety.exchange.package import Parcel, pack
from gmsafety.exchange.signing import PublicKey
from gmsafety.exchange.unpacking import KeysOf, Package, opened_package

from ... import audit
from ...errors import Problem
from ...mail.stations import find_peer
from ...names import new_uid
from ...node import Node
from ...templating import beijing
from . import repository
from .delivering import settle
from .receiving import receive
from .reconciling import state_where_due
from .wire import Reply


@dataclass(frozen=True, slots=True)
class Carried:
    """What a package held: how many messages came for the first time, came again, were refused; how many answers."""

    sender: str
    fresh: int = 0
    again: int = 0
    refused: int = 0
    answers: int = 0


def export(node: Node, receiver: str, to: Path, *, actor: str) -> tuple[int, int]:
    """Write what waits for a node, and our answers to what came from it; returns how many of each.

    What is carried stays in the outbox until its answer is carried back.
    """
    state_where_due(node)
    now = node.clock.now()
    with node.db.read() as tx:
        if find_peer(tx, receiver) is None:
            raise Problem("not-found", f"没有登记节点“{receiver}”")
        messages = repository.waiting_contents(tx, receiver)
        answers = repository.answers_to(tx, receiver)

        def blob(name: str) -> AbstractContextManager[BinaryIO]:
            return closing(io.BytesIO(repository.blob(tx, name) or b""))

        parcel = Parcel(new_uid(now), node.settings.node, receiver, now, messages, answers)
        pack(parcel, to, keys=(node.key, *node.others), blob=blob)
    with node.db.write() as tx:
        audit.record(tx, now, actor, "package.written", to.name, path="/", receiver=receiver, messages=len(messages))
    return len(messages), len(answers)


@dataclass(frozen=True, slots=True)
class HandedOver:
    """When a package was handed over, and who says so; what was sealed and what is stored have times of their own."""

    at: datetime
    by: str


def bring_in(node: Node, file: Path, *, actor: str, handed_over: HandedOver | None = None) -> Carried:
    """Take a package in: its messages as if they had come by wire, its answers to ours; nothing of one with faults.

    When it was handed over is kept beside the messages; late is counted from when they are stored.
    """
    with opened_package(file) as package:
        if wrong := package.faults(_keys_of(node), node=node.settings.node):
            said = [f"{fault}（{fault.kind.code}）" for fault in wrong]
            raise Problem("not-valid", "包不能接收", errors=[{"field": "package", "message": s} for s in said])
        if handed_over is not None:
            _is_possible(handed_over.at, package.signed.manifest.made_at, node.clock.now())
        found = _take(node, package, handed_over)
    with node.db.write() as tx:
        told = {"sender": found.sender, "messages": found.fresh, "answers": found.answers}
        if handed_over is not None:
            told |= {"handed_over": handed_over.at, "by": handed_over.by}
        audit.record(tx, node.clock.now(), actor, "package.read", file.name[:200], path="/", **told)
    return found


def _keys_of(node: Node) -> KeysOf:
    """The keys that the sender of a package may sign with; of a node that is not known, or closed, none."""

    def keys(name: str, moment: datetime) -> Iterable[PublicKey]:
        with node.db.read() as tx:
            peer = find_peer(tx, name)
        return peer.keys_at(moment) if peer is not None and peer.is_open else ()

    return keys


def _is_possible(at: datetime, packed: datetime, now: datetime) -> None:
    """Nothing is handed over before it was packed, give or take a clock, or later than now."""
    if at > now:
        raise Problem("not-valid", "交到的时间还没有到")
    if at < packed - SKEW:
        raise Problem("not-valid", f"交到的时间早于打包的时间（{beijing(packed, '%Y-%m-%d %H:%M')}）")


def _take(node: Node, package: Package, handed_over: HandedOver | None) -> Carried:
    manifest = package.signed.manifest
    for entry in manifest.blobs:
        content = b"".join(package.blob(entry.hash))
        with node.db.write() as tx:
            repository.keep_blob(tx, entry.hash, content)
    given = []
    for content in package.messages():
        given.append(receive(node, content))
        if handed_over is not None and given[-1].is_stored and not given[-1].is_again:
            with node.db.write() as tx:
                repository.carried(tx, manifest.sender, opened(content).hash, handed_over.at, handed_over.by)
    fresh = sum(a.is_stored and not a.is_again for a in given)
    again = sum(a.is_again for a in given)
    answers = sum(_settle(node, manifest.sender, content) for content in package.answers())
    return Carried(manifest.sender, fresh, again, len(given) - fresh - again, answers)


def _settle(node: Node, sender: str, content: bytes) -> bool:
    told = read_answer(content)
    if not isinstance(told, SignedStored):
        return False
    with node.db.read() as tx:
        row = repository.posted(tx, sender, told.stored.message)
    return row is not None and row.answered_at is None and settle(node, row, Reply(200, content))[0]
