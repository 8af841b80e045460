"""Definitions handed down: to which nodes below, what they were sent, what they said of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from gmsafety.definitions import needed_by, snapshot_of
from gmsafety.errors import ContentError
from gmsafety.exchange.envelope import Draft
from gmsafety.exchange.payloads import Definitions
from gmsafety.exchange.peers import Peer

from ... import audit
from ...db import DEFINING, take_turn
from ...errors import Problem
from ...mail.posting import post
from ...mail.stations import own_row, peer_of, peer_rows
from ...node import Node
from ...regions import note_installed, row_in_force, rows_in_force
from ...tables import AnyRow, definitions, definitions_sent

_FEW = [c for c in definitions.c if c.name != "content"]


@dataclass(frozen=True, slots=True)
class Sent:
    """A snapshot that was put in for a node."""

    receiver: str
    region: str
    number: int


def push(tx: Connection, node: Node, region: str, *, to: str | None, actor: str) -> list[Sent]:
    """Hand a region's definitions down, after those that it builds on; to one node below, or all that they concern."""
    take_turn(tx, DEFINING)
    note_installed(tx, node.regions, node.clock.now(), node.clock.today())
    node.renewed(tx)
    content = next((c for c in node.catalog.contents if c.plugin == region), None)
    if content is None:
        known = "、".join(c.plugin for c in node.catalog.contents)
        raise Problem("not-valid", f"没有地区“{region}”的定义；有：{known or '无'}")
    try:
        snapshot_of(content)
    except ContentError as error:
        raise Problem("not-valid", "这个地区的定义不能下发", errors=[_field(str(p)) for p in error.problems]) from error
    below = {p.name: p for p in _below(tx, node)}
    if to is not None and to not in below:
        raise Problem("not-valid", f"“{to}”不是下级节点；下级节点：{'、'.join(below) or '没有'}")
    chosen = [below[to]] if to is not None else [p for p in below.values() if region in concerning(node, p)]
    if not chosen:
        raise Problem("not-valid", f"没有与“{region}”有关的下级节点；要发给某个节点，请写 --to")
    names = [c.plugin for c in needed_by(region, node.catalog)]
    return [s for peer in chosen for s in _send(tx, node, peer.name, names, again=region, actor=actor)]


def _field(text: str) -> dict[str, str]:
    return {"field": "definitions", "message": text}


def push_changed(node: Node) -> int:
    """Hand down what is in force since the last time and follows upon something else; returns how many."""
    if node.regions.handed_down == node.regions.stamp:
        return 0
    with node.db.write() as tx:
        take_turn(tx, DEFINING)
        node.renewed(tx)
        stamp = node.regions.stamp
        changed = {r.region for r in rows_in_force(tx) if r.previous is not None}
        done = 0
        for peer in _below(tx, node) if changed else ():
            names = [name for name in concerning(node, peer) if name in changed]
            done += len(_send(tx, node, peer.name, names, again=None, actor=node.settings.node))
    node.regions.handed_down = stamp
    return done


def _below(tx: Connection, node: Node) -> list[Peer]:
    """The nodes that serve units below ours."""
    own, directory = own_row(tx), node.directory(tx)
    ours = list(own.units) if own is not None else []
    return [
        peer
        for peer in map(peer_of, peer_rows(tx))
        if peer.is_open and any(f"/{u}/" in directory.path(unit) for unit in peer.units for u in ours)
    ]


def has_below(tx: Connection, node: Node) -> bool:
    """Tell whether there is any node below."""
    return bool(_below(tx, node))


def concerning(node: Node, peer: Peer) -> list[str]:
    """The regions that a node needs: those of its units and of the units above them, with what these build on."""
    units = node.catalog.units
    chain = [u for ref in peer.units if ref in units for u in (units[ref], *units.ancestors(units[ref]))]
    wanted = [c.plugin for region in dict.fromkeys(u.plugin for u in chain) for c in needed_by(region, node.catalog)]
    order = [c.plugin for c in needed_by(chain[0].plugin, node.catalog)] if chain else []
    return list(dict.fromkeys([*order, *wanted]))


def _send(
    tx: Connection, node: Node, receiver: str, regions: list[str], *, again: str | None, actor: str
) -> list[Sent]:  # fmt: skip
    """Put snapshots in for a node that it was not sent yet; `again` is sent in any case."""
    query = select(definitions_sent).where(definitions_sent.c.receiver == receiver)
    before = {r.region: r for r in tx.execute(query)}
    done = []
    for region in regions:
        row, sent = row_in_force(tx, region), before.get(region)
        if row is None or (sent is not None and sent.hash == row.hash and (region != again or not sent.problem)):
            continue
        told = Definitions(
            region=region, number=row.number, issued_at=row.issued_at, content=orjson.loads(bytes(row.content)),
            previous=row.previous,
        )  # fmt: skip
        message = post(tx, node, Draft("definitions", receiver, told.model_dump(), test=node.test))
        _note(tx, receiver, row, message.envelope.id, node.clock.now())
        said = {"receiver": receiver, "number": row.number, "hash": row.hash}
        audit.record(tx, node.clock.now(), actor, "definitions.sent", region, path="/", **said)
        done.append(Sent(receiver, region, row.number))
    return done


def _note(tx: Connection, receiver: str, row: AnyRow, message_id: str, now: datetime) -> None:
    dialect = insert_postgresql if tx.dialect.name == "postgresql" else insert_sqlite
    told: dict[str, Any] = {"number": row.number, "hash": row.hash, "message_id": message_id, "sent_at": now}
    fresh = dialect(definitions_sent).values(receiver=receiver, region=row.region, **told, problem=None)
    kept = {**told, "problem": None}
    tx.execute(fresh.on_conflict_do_update(index_elements=["receiver", "region"], set_=kept))


def turned_down(tx: Connection, receiver: str, message_id: str, text: str) -> None:
    """A node says why it did not put a snapshot of ours in force."""
    same = (definitions_sent.c.receiver == receiver, definitions_sent.c.message_id == message_id)
    tx.execute(update(definitions_sent).where(*same).values(problem=text))


def all_rows(tx: Connection, region: str | None = None) -> list[AnyRow]:
    """Every snapshot, of a region or of all, the newest first."""
    query = select(*_FEW) if region is None else select(*_FEW).where(definitions.c.region == region)
    return list(tx.execute(query.order_by(definitions.c.id.desc())))


def sent_rows(tx: Connection) -> list[AnyRow]:
    """What was sent to whom."""
    return list(tx.execute(select(definitions_sent).order_by(definitions_sent.c.receiver, definitions_sent.c.region)))
