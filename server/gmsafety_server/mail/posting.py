"""Putting a message into the outbox, in the transaction of what it tells."""

from datetime import datetime

from sqlalchemy import Connection

from gmsafety.exchange.envelope import Draft, Message
from gmsafety.exchange.mailroom import MailRoom

from ..names import new_uid
from ..node import Node
from .shelf import Shelf


def room_of(node: Node) -> MailRoom:
    """The mail room of the node, with the keys that sign now."""
    return MailRoom(node.settings.node, node.key, node.others, node.revoked)


def post(tx: Connection, node: Node, draft: Draft, *, due_at: datetime | None = None) -> Message:
    """Seal a message and put it into the outbox; near the deadline of what it carries it is tried more often."""
    now = node.clock.now()
    return room_of(node).post(draft, Shelf(tx, now, due_at=due_at), message_id=new_uid(now), now=now)
