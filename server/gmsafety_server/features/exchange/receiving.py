"""A message comes in: it is stored and answered, or refused; what it asks for is done later."""

import logging
from contextlib import suppress
from threading import BoundedSemaphore

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from gmsafety.exchange.answers import REFUSALS, Refusal, read_answer, sign_refusal
from gmsafety.exchange.canonical import digest
from gmsafety.exchange.envelope import Message
from gmsafety.exchange.mailroom import Answer, Examine

from ...mail.posting import room_of
from ...mail.shelf import Shelf
from ...mail.stations import stations
from ...node import Node

AT_ONCE = 32
"""Messages that are received at the same time; who comes when there are as many is asked to come again."""
RETRY_AFTER = 2
_TURNS = 3
_FROM_BELOW = ("submission", "withdraw")
_FROM_ABOVE = ("receipt", "report", "decision")
_USUAL = ("attachments-missing", "busy")
_log = logging.getLogger("gmsafety.exchange")


class Doorway:
    """Lets so many in at once."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._room = BoundedSemaphore(at_once)

    def receive(self, node: Node, content: bytes) -> Answer:
        """Receive a message, unless too many are being received."""
        if not self._room.acquire(blocking=False):
            return refusal(node, "busy", content)
        try:
            return receive(node, content)
        finally:
            self._room.release()


def receive(node: Node, content: bytes) -> Answer:
    """Take a message into the inbox; the answer is given when it is committed."""
    answer = refusal(node, "busy", content)
    for _ in range(_TURNS):
        with suppress(IntegrityError), node.db.write() as tx:  # the same message may come twice at once
            now = node.clock.now()
            answer = room_of(node).receive(content, Shelf(tx, now), now=now, examine=_examine(tx, node))
            break
    _tell(content, answer)
    if answer.is_stored and not answer.is_again:
        node.wake()
    return answer


def refusal(node: Node, slug: str, content: bytes) -> Answer:
    """A signed refusal without a look at the message."""
    kind = REFUSALS[slug]
    told = Refusal(
        node=node.settings.node, received=digest(content), code=kind.code, slug=slug, status=kind.status,
        said=kind.words, refused_at=node.clock.now(),
    )  # fmt: skip
    return Answer(kind.status, sign_refusal(told, node.key).to_bytes())


def _examine(tx: Connection, node: Node) -> Examine:
    """Nobody speaks for a unit that is not theirs, and tests do not mix with what counts."""

    def look(message: Message) -> str:
        envelope = message.envelope
        if envelope.test != node.test:
            return "not-applicable"
        if envelope.subject is None:
            return ""
        path = node.directory(tx).path(envelope.subject.unit)
        around = stations(tx, node.settings.node)
        if envelope.kind in _FROM_BELOW and around.of(path) != envelope.sender:
            return "not-applicable"
        if envelope.kind in _FROM_ABOVE and (around.of(path) is not None or around.above(path) != envelope.sender):
            return "not-applicable"
        return ""

    return look


def _tell(content: bytes, answer: Answer) -> None:
    """A line of the log for each message, with its hash; of a refused one with the reason."""
    told = read_answer(answer.content)
    if hasattr(told, "stored"):
        stored = told.stored
        _log.info("收到 %s %s%s", stored.sender, stored.message, "（再次）" if answer.is_again else "")
    else:
        no = told.refusal
        level = logging.INFO if no.slug in _USUAL else logging.WARNING
        _log.log(level, "拒收 %s %s %s，%d字节", no.code, no.slug, no.received, len(content))
