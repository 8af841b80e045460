"""One request of a unit, from looking to commit, in the same way for programs and for pages."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from gmsafety.exchange.payloads import Part

from ...errors import Problem
from ...node import Node
from ...occasions import find_occasion, make_room
from ...planning import find_item
from ...scope import Viewer
from . import deciding, regaining, repository, service, withdrawing
from .judging import (
    Arrival,
    Looked,
    Overtaken,
    find_slot,
    forms_of,
    lay_out,
    look,
    look_again,
    message_hash_of,
    payload_hash_of,
)
from .schemas import Envelope, Parcel

_TURNS = 3


def take(node: Node, viewer: Viewer, parcel: Parcel) -> tuple[str, bool]:
    """As `store`: the uid, and False where it was stored before."""
    return store(node, viewer, parcel)[:2]


def store(node: Node, viewer: Viewer, parcel: Parcel) -> service.Stored:
    """Look at a parcel and store it; one whose very message was stored before is only named.

    Where a form that it is checked with comes in while it is looked at, it is looked at again.
    """
    for _ in range(_TURNS):
        with suppress(Overtaken):
            return _store(node, viewer, parcel)
    raise Problem("busy")


def _store(node: Node, viewer: Viewer, parcel: Parcel) -> service.Stored:
    envelope = parcel.envelope
    message_hash = message_hash_of(parcel, payload_hash_of(parcel))
    with node.db.read() as tx:
        directory = node.directory(tx)
        slot = find_slot(tx, directory, viewer, envelope)
        uid = service.known(repository.by_message(tx, slot.unit, envelope.message_id), message_hash)
        if uid is not None:
            return service.Stored(uid, False)
        desk = lay_out(tx, node, slot, drafts=envelope.action == "draft", directory=directory)
    looked = look(node, desk, parcel)
    _refuse(node, viewer, looked)
    try:
        with node.db.write() as tx:
            done = service.store(tx, node, viewer, looked)
    except IntegrityError:  # another request has used the name of this message a moment ago
        with node.db.write() as tx:
            done = service.store(tx, node, viewer, looked)
    node.wake()
    return done


def arrive(
    node: Node, viewer: Viewer, parcel: Parcel, arrival: Arrival, then: Callable[[Connection], None],
    made_of: tuple[Part, ...] = (),
) -> None:  # fmt: skip
    """Store what another node sent on as what is filed here; `then` is done first in the same transaction."""
    make_room_for(node, parcel.envelope)
    for _ in range(_TURNS):
        with node.db.read() as tx:
            directory = node.directory(tx)
            slot = find_slot(tx, directory, viewer, parcel.envelope)
            desk = lay_out(tx, node, slot, drafts=False, directory=directory)
        looked = replace(look(node, desk, parcel), arrival=arrival, made_of=made_of)
        if parcel.enclosures and looked.payload_hash != arrival.content_hash:
            raise Problem("not-valid", "文件与报送时的校验值不符")
        _refuse(node, viewer, looked)
        looked = replace(looked, payload_hash=arrival.content_hash, message_hash=arrival.message_hash)
        with suppress(Overtaken), node.db.write() as tx:
            then(tx)
            regaining.store(tx, node, viewer, looked)
            return
    raise Problem("busy")


def make_room_for(node: Node, envelope: Envelope) -> None:
    """What comes upon an event has no slot before it comes."""
    if envelope.campaign is None or envelope.unit is None or "/" not in envelope.item:
        return
    with node.db.read() as tx:
        directory = node.directory(tx)
    occasion = find_occasion(directory, envelope.campaign, envelope.item, envelope.unit)
    if occasion is not None:
        with node.db.write() as tx:
            make_room(tx, directory, occasion, envelope.item, envelope.unit, envelope.period)


def _refuse(node: Node, viewer: Viewer, looked: Looked) -> None:
    """Keep what cannot be filed; the problem is raised when it is stored."""
    if looked.refusal is None:
        return
    with node.db.write() as tx:
        problem = deciding.refuse(tx, node, viewer, looked)
    node.wake()
    raise problem


def change(node: Node, viewer: Viewer, uid: str, *, seen: int, parcel: Parcel) -> None:
    """Look at another content for a draft, and give it to the draft."""
    with node.db.read() as tx:
        service.find(tx, viewer, "submission.file", uid)
        directory = node.directory(tx)
        slot = find_slot(tx, directory, viewer, parcel.envelope)
        desk = lay_out(tx, node, slot, drafts=True, directory=directory)
    looked = look(node, desk, parcel)
    _refuse(node, viewer, looked)
    with node.db.write() as tx:
        service.replace(tx, node, viewer, uid, seen=seen, looked=looked)
    node.wake()


def hand_in(node: Node, viewer: Viewer, uid: str, *, seen: int, reason: str | None) -> None:
    """Check a draft once more, and file it."""
    for _ in range(_TURNS):
        handed = recheck(node, viewer, uid, drafts=False, reason=reason)
        with suppress(Overtaken):
            with node.db.write() as tx:
                service.submit(tx, node, viewer, uid, seen=seen, handed=handed)
            node.wake()
            return
    raise Problem("busy")


def recheck(node: Node, viewer: Viewer, uid: str, *, drafts: bool, reason: str | None = None) -> service.HandedIn:
    """What is found in a draft now."""
    with node.db.read() as tx:
        row = service.find(tx, viewer, "submission.file", uid)
        item = find_item(node.catalog, row.campaign, row.item)
        slot = repository.slot(tx, row.slot_id)
        if item is None or slot is None:
            raise Problem("not-owed", f"没有插件定义“{row.item}”")
        if row.state != "draft" or item.kind != "form":
            return service.HandedIn(item, (), reason)
        desk = lay_out(tx, node, slot, drafts=drafts)
        forms = forms_of(tx, row)
    again = look_again(node, desk, row, forms)
    return service.HandedIn(item, again.findings, reason, None if drafts else desk.in_force, again.record)


def decide(node: Node, viewer: Viewer, uid: str, *, seen: int, decision: deciding.Decision) -> None:
    """Accept, return, or withdraw an acceptance."""
    with node.db.write() as tx:
        deciding.decide(tx, node, viewer, uid, seen=seen, decision=decision)
    node.wake()


def withdraw(node: Node, viewer: Viewer, uid: str, *, seen: int, reason: str) -> None:
    """Take back what was filed and is not accepted."""
    with node.db.write() as tx:
        withdrawing.withdraw(tx, node, viewer, uid, seen=seen, reason=reason)
    node.wake()


def discard(node: Node, viewer: Viewer, uid: str, *, seen: int) -> int:
    """Throw a draft away; returns its slot."""
    with node.db.write() as tx:
        row = service.discard(tx, node, viewer, uid, seen=seen)
    node.wake()
    return int(row.slot_id)
