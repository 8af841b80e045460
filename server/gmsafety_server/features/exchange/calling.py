"""Calls between nodes that carry no message: made here, and checked here."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from gmsafety.exchange.calls import HEADER, Call, read_call, sign_call
from gmsafety.exchange.canonical import digest
from gmsafety.exchange.errors import Malformed
from gmsafety.exchange.peers import Peer
from gmsafety.exchange.receipts import Verdict

from ...errors import Problem
from ...mail.stations import find_peer
from ...names import new_uid
from ...node import Node
from .wire import Reply, Wire

MESSAGES = "/exchange/v1/messages"
FILES = "/exchange/v1/files"
_NOT_KNOWN = 401


def call(node: Node, wire: Wire, peer: Peer, method: str, target: str, content: bytes = b"") -> Reply:
    """Make a signed call to another node; one that does not know our newest key yet is called with those before it."""
    for key in (node.key, *node.others):
        now = node.clock.now()
        told = Call(
            id=new_uid(now), caller=node.settings.node, receiver=peer.name, method=method,  # type: ignore[arg-type]
            target=target, called_at=now, body_hash=digest(content),
        )  # fmt: skip
        header: Mapping[str, str] = {HEADER: sign_call(told, key).to_header()}
        reply = wire(method, f"{(peer.address or '').rstrip('/')}{target}", headers=header, content=content)
        if reply.status != _NOT_KNOWN:
            break
    return reply


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came: what was asked, with which header, from which address."""

    method: str
    target: str
    content: bytes
    header: str
    origin: str | None = None


def caller_of(tx: Connection, node: Node, asked: Asked) -> Peer:
    """Who calls; whatever does not fit is refused in the same words."""
    no = Problem("not-logged-in", "不是已登记节点的请求")
    try:
        signed = read_call(asked.header)
    except Malformed as error:
        raise no from error
    peer, now = find_peer(tx, signed.call.caller, origin=asked.origin), node.clock.now()
    if peer is None or not peer.is_open:
        raise no
    right = signed.verify(peer.keys_at(signed.call.called_at)) is Verdict.VALID
    is_for_us = signed.is_for(node.settings.node, asked.method, asked.target, digest(asked.content))
    if not right or not signed.is_fresh(now) or not is_for_us:
        raise no
    return peer
