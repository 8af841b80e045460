"""Putting a message into the outbox, in the transaction of what it tells."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from gmsafety.exchange.envelope import Draft, Message
from gmsafety.exchange.mailroom import MailRoom
from gmsafety.exchange.reconciling import BETWEEN_NODES

from ..errors import Problem
from ..names import new_uid
from ..node import Node
from .shelf import Shelf


def room_of(node: Node) -> MailRoom:
    """The mail room of the node, with the keys that sign now."""
    signers = node.signers
    return MailRoom(node.settings.node, signers.key, signers.others, signers.revoked)


def post(tx: Connection, node: Node, draft: Draft, *, due_at: datetime | None = None) -> Message:
    """Seal a message and put it into the outbox; near the deadline of what it carries it is tried more often.

    A node that was restored from a backup says nothing about forms before it has heard what the other has.
    """
    now = node.clock.now()
    shelf = Shelf(tx, now, due_at=due_at)
    if draft.subject is not None:
        draft = replace(draft, applied=node.regions.applied(draft.subject.item.partition(".")[0]))
    message = room_of(node).post(draft, shelf, message_id=new_uid(now), now=now)
    if shelf.asks and draft.kind not in BETWEEN_NODES:
        raise Problem("reconciling", f"本节点从备份恢复后，正在与节点“{draft.receiver}”核对以前的报送")
    return message
