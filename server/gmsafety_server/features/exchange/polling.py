"""A node behind a firewall asks the others what they have for it, and tells them that it is stored."""

import logging

from gmsafety.exchange.envelope import opened
from gmsafety.exchange.errors import Malformed
from gmsafety.exchange.peers import Peer

from ...mail.stations import own_row, peer_of, peer_rows
from ...node import Node
from . import repository
from .attachments import fetch
from .calling import MESSAGES, call
from .receiving import receive
from .wire import Unreached, Wire

_AT_MOST = 1000
_log = logging.getLogger("gmsafety.exchange")


def poll(node: Node, wire: Wire) -> int:
    """Fetch what waits at the nodes that cannot call this one; returns how many messages came."""
    with node.db.read() as tx:
        own = own_row(tx)
        if own is None or own.address is not None:
            return 0
        peers = [peer_of(row) for row in peer_rows(tx)]
    return sum(_fetch_all(node, wire, peer) for peer in peers if peer.is_open and peer.address)


def _fetch_all(node: Node, wire: Wire, peer: Peer) -> int:
    count = 0
    try:
        while count < _AT_MOST and _fetch_one(node, wire, peer):
            count += 1
    except Unreached as error:
        _log.warning("不能从 %s 取消息：%s", peer.name, error)
    return count


def _fetch_one(node: Node, wire: Wire, peer: Peer) -> bool:
    """Fetch one message with its files, store it, and give the answer back; False where there is none."""
    reply = call(node, wire, peer, "GET", MESSAGES)
    if reply.status == 204:
        return False
    if reply.status != 200:
        raise Unreached(f"对方答复 {reply.status}")
    try:
        envelope = opened(reply.content).envelope
    except Malformed as error:
        raise Unreached(f"取到的不是消息：{error}") from error
    with node.db.read() as tx:
        lacking = [a for a in envelope.attachments if not repository.has_blob(tx, a.hash)]
    for attachment in lacking:
        fetch(node, wire, peer, attachment.hash, attachment.size)
    answer = receive(node, reply.content)
    told = call(node, wire, peer, "PUT", f"{MESSAGES}/{envelope.id}/answer", answer.content)
    return told.status == 200 and answer.is_stored
