"""The door for messages: so many at once, and those who have waited for one commit share the next."""

import logging
from dataclasses import dataclass, field
from threading import BoundedSemaphore, Event, Lock
from time import monotonic, sleep

from sqlalchemy.exc import SQLAlchemyError

from gmsafety.exchange.mailroom import Answer, Seen, look_at
from gmsafety.exchange.peers import Peer

from ...mail.posting import room_of
from ...node import Node
from .receiving import Visit, look_up, receive_one, receive_together, refusal, refused

AT_ONCE = 32
"""Messages that are received at the same time; who comes when there are as many is asked to come again."""
RETRY_AFTER = 2
_PATIENCE, _BREATH = 0.5, 0.005
_log = logging.getLogger("gmsafety.exchange")


@dataclass
class _Waiting:
    """Somebody in the queue: what they bring, and what became of it; `leads` is who takes in all that wait."""

    visit: Visit
    leads: bool = False
    answer: Answer | None = None
    called: Event = field(default_factory=Event)


class Doorway:
    """Takes in one transaction after the other, each with all messages that have come during the one before.

    A commit waits for the disk, for thirty messages as long as for one. Everybody is answered after the commit.
    """

    def __init__(self, node: Node, at_once: int = AT_ONCE) -> None:
        self._node, self._room = node, BoundedSemaphore(at_once)
        self._lock, self._queue, self._is_led = Lock(), list[_Waiting](), False
        self._known: dict[str, Peer] = {}

    def receive(self, content: bytes, *, origin: str | None = None) -> Answer:
        """Receive a message, unless too many are being received."""
        if not self._room.acquire(blocking=False):
            return refusal(self._node, "busy", content)
        try:
            seen = look_at(content)
            if seen.letter is None:
                return refused(self._node, seen)
            visit = Visit(seen.letter, origin)
            slug = self._turned_away(visit)
            return refused(self._node, Seen(content, slug=slug)) if slug else self._queued(visit)
        finally:
            self._room.release()

    def _turned_away(self, visit: Visit) -> str:
        """Why a message is refused before it waits: a stranger keeps nobody waiting.

        Whose key was seen before need not be looked for; within the transaction all is checked by what holds then.
        """
        room, now, sender = room_of(self._node), self._node.clock.now(), visit.letter.message.envelope.sender
        known = self._known.get(sender)
        if known is not None and not room.trouble(visit.letter, known, now):
            return ""
        try:
            peer = look_up(self._node, visit)
        except SQLAlchemyError:  # said where it is to be stored
            return ""
        if peer is not None:
            self._known[sender] = peer
        return room.trouble(visit.letter, peer, now)

    def _queued(self, visit: Visit) -> Answer:
        me = _Waiting(visit)
        with self._lock:
            self._queue.append(me)
            me.leads, self._is_led = not self._is_led, True
        if not me.leads:
            me.called.wait()
        if me.leads:
            self._lead()
        return me.answer or receive_one(self._node, visit)  # alone, for together it has failed

    def _lead(self) -> None:
        with self._lock:
            together, self._queue = self._queue, []
        try:
            answers = receive_together(self._node, [w.visit for w in together])
            for waiting, answer in zip(together, answers, strict=True):
                waiting.answer = answer
        except Exception as error:
            _log.debug("一起接收%d件未成，逐件接收", len(together), exc_info=error)
        finally:
            with self._lock:
                self._is_led = bool(self._queue)
                following = self._queue[:1]
            for waiting in following:
                waiting.leads = True
            for waiting in (*following, *together):
                waiting.called.set()

    @property
    def is_busy(self) -> bool:
        """True while somebody is being taken in."""
        return self._is_led

    @property
    def waiting(self) -> int:
        """How many wait for the next transaction."""
        return len(self._queue)

    def give_way(self) -> None:
        """Wait a while for those who are at the door: what is stored can be taken up later as well."""
        until = monotonic() + _PATIENCE
        while self._is_led and monotonic() < until:
            sleep(_BREATH)
