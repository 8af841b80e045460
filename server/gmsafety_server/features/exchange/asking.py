"""Asking another node for messages of its channel that are missing here; sending again what was asked for."""

from datetime import datetime, timedelta

from sqlalchemy import Connection

from gmsafety.exchange.envelope import Draft
from gmsafety.exchange.reconciling import Ask

from ...mail.books import Books
from ...mail.posting import post
from ...mail.stations import find_peer
from ...node import Node
from . import repository

PATIENCE = timedelta(minutes=1)
"""How long what came too early waits for what may still be on its way."""
AGAIN = timedelta(minutes=10)
_AT_MOST = 1000


def ask_for_gaps(node: Node) -> int:
    """Ask every node for what is missing between messages that are here; returns how many were asked."""
    now, asked = node.clock.now(), 0
    with node.db.read() as tx:
        if not repository.gaps(tx):
            return 0
    with node.db.write() as tx:
        for sender, numbers in _missing(tx, now).items():
            peer = find_peer(tx, sender, lock=True)
            if peer is None or not peer.is_open or repository.asked_since(tx, sender, now - AGAIN):
                continue
            told = Ask.of(numbers[:_AT_MOST])
            post(tx, node, Draft("ask", sender, told.model_dump(), test=node.test))
            asked += 1
    return asked


def _missing(tx: Connection, now: datetime) -> dict[str, list[tuple[str, int]]]:
    """The numbers that are missing, by sender, where something has waited for them long enough."""
    found: dict[str, list[tuple[str, int]]] = {}
    for gap in repository.gaps(tx):
        if gap.since > now - PATIENCE:
            continue
        here = repository.held_numbers(tx, gap.sender, gap.epoch)
        reached = repository.reached(tx, gap.sender, gap.epoch)
        lacking = [n for n in range(reached + 1, max(here)) if n not in here]
        found.setdefault(gap.sender, []).extend((gap.epoch, n) for n in lacking[:_AT_MOST])
    return found


def send_what_was_asked(tx: Connection, node: Node, sender: str, told: Ask) -> int:
    """Send messages of ours again that another node lacks, as they were; returns how many."""
    return Books(tx, node.clock.now()).send_again(sender, told.numbers)
