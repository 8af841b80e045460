"""The door for messages: so many at once, and those who have waited for one commit share the next."""

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import BoundedSemaphore, Lock
from time import monotonic, sleep

from fastapi.concurrency import run_in_threadpool
from sqlalchemy.exc import SQLAlchemyError

from gmsafety.exchange.mailroom import Answer, Seen, look_at
from gmsafety.exchange.peers import Peer

from ...mail.posting import room_of
from ...node import Node
from .receiving import Visit, look_up, receive_one, receive_together, refusal, refused

AT_ONCE = 32
"""Messages that are received at the same time; who comes when there are as many is asked to come again."""
RETRY_AFTER = 2
_LARGE = 256 * 2**10
"""So large a message is read before it joins the queue, that nobody waits for the reading."""
_PATIENCE, _CROWD, _BREATH = 1.0, 0.05, 0.005
_log = logging.getLogger("gmsafety.exchange")


@dataclass(slots=True)
class _Waiting:
    """Somebody in the queue: what they bring, and what will become of it."""

    content: bytes
    origin: str | None
    seen: Seen | None
    told: asyncio.Future[Answer]
    answer: Answer | Exception | None = None


class Doorway:
    """Takes in one transaction after the other, each with all messages that have come during the one before.

    A commit waits for the disk, for thirty messages as long as for one; and one thread that reads thirty is sooner
    done than thirty that take turns. Everybody is answered after the commit.
    """

    def __init__(self, node: Node, at_once: int = AT_ONCE) -> None:
        self._node, self._room = node, BoundedSemaphore(at_once)
        self._lock, self._queue, self._is_led = Lock(), list[_Waiting](), False
        self._porter = ThreadPoolExecutor(1, "doorway")
        self._known: dict[str, Peer] = {}
        self._crowded_until = 0.0

    async def receive(self, content: bytes, *, origin: str | None = None) -> Answer:
        """Receive a message, unless too many are being received."""
        if not self._room.acquire(blocking=False):
            return refusal(self._node, "busy", content)
        try:
            seen = await run_in_threadpool(look_at, content) if len(content) > _LARGE else None
            return await self._queued(_Waiting(content, origin, seen, asyncio.get_running_loop().create_future()))
        finally:
            self._room.release()

    def _queued(self, waiting: _Waiting) -> asyncio.Future[Answer]:
        with self._lock:
            self._queue.append(waiting)
            leads, self._is_led = not self._is_led, True
        if leads:
            self._porter.submit(self._take_in_all)
        return waiting.told

    def _take_in_all(self) -> None:
        while together := self._next():
            if len(together) > 1:
                self._crowded_until = monotonic() + _CROWD
            try:
                self._take_in(together)
            except Exception as error:
                for waiting in together:
                    waiting.answer = waiting.answer or error
            _tell(together)

    def _next(self) -> list[_Waiting]:
        with self._lock:
            together, self._queue = self._queue, []
            self._is_led = bool(together)
        return together

    def _take_in(self, together: Sequence[_Waiting]) -> None:
        """Take in all; what is no message, and what a stranger brings, is refused before anything is begun."""
        visits = []
        for waiting in together:
            seen = waiting.seen or look_at(waiting.content)
            if seen.letter is None:
                waiting.answer = refused(self._node, seen)
            else:
                visits.append((waiting, Visit(seen.letter, waiting.origin)))
        slugs = self._turned_away([visit for _, visit in visits])
        known = []
        for (waiting, visit), slug in zip(visits, slugs, strict=True):
            if slug:
                waiting.answer = refused(self._node, Seen(waiting.content, slug=slug))
            else:
                known.append((waiting, visit))
        if known:
            self._store(known)

    def _turned_away(self, visits: Sequence[Visit]) -> list[str]:
        """Why messages are refused; nothing for those that are not.

        Whose key was seen before need not be looked for; within the transaction all is checked by what holds then.
        """
        slugs = [self._trouble(visit, self._known.get(visit.sender)) for visit in visits]
        asked = [visit for visit, slug in zip(visits, slugs, strict=True) if slug]
        if not asked:
            return slugs
        try:
            found = look_up(self._node, asked)
        except SQLAlchemyError:  # said where it is to be stored
            return [""] * len(visits)
        for visit, peer in zip(asked, found, strict=True):
            if peer is not None:
                self._known[visit.sender] = peer
        told = iter(found)
        return [self._trouble(visit, next(told)) if slug else "" for visit, slug in zip(visits, slugs, strict=True)]

    def _trouble(self, visit: Visit, peer: Peer | None) -> str:
        return room_of(self._node).trouble(visit.letter, peer, self._node.clock.now())

    def _store(self, known: Sequence[tuple[_Waiting, Visit]]) -> None:
        """Take in together what can be, else each alone, that nobody fails for another."""
        try:
            answers = receive_together(self._node, [visit for _, visit in known])
        except Exception as error:
            _log.debug("一起接收%d件未成，逐件接收", len(known), exc_info=error)
            for waiting, visit in known:
                waiting.answer = _alone(self._node, visit)
        else:
            for (waiting, _), answer in zip(known, answers, strict=True):
                waiting.answer = answer

    @property
    def is_busy(self) -> bool:
        """True while somebody is being taken in."""
        return self._is_led

    @property
    def waiting(self) -> int:
        """How many wait for the next transaction."""
        return len(self._queue)

    def give_way(self) -> None:
        """Wait a while for those who are at the door, and for the next where it is crowded: storing comes first."""
        until = monotonic() + _PATIENCE
        while (self._is_led or monotonic() < self._crowded_until) and monotonic() < until:
            sleep(_BREATH)


def _alone(node: Node, visit: Visit) -> Answer | Exception:
    try:
        return receive_one(node, visit)
    except Exception as error:
        return error


def _tell(together: Sequence[_Waiting]) -> None:
    """Wake those who wait, all of a loop at once."""
    loops: dict[asyncio.AbstractEventLoop, list[_Waiting]] = {}
    for waiting in together:
        loops.setdefault(waiting.told.get_loop(), []).append(waiting)
    for loop, waiters in loops.items():
        try:
            loop.call_soon_threadsafe(_wake, waiters)
        except RuntimeError:  # it has ended meanwhile; what is stored is stored
            _log.debug("%d件的来者已经离开", len(waiters))


def _wake(waiters: Sequence[_Waiting]) -> None:
    for waiting in waiters:
        if waiting.told.done():  # who has left
            continue
        if isinstance(waiting.answer, Exception):
            waiting.told.set_exception(waiting.answer)
        elif waiting.answer is not None:
            waiting.told.set_result(waiting.answer)
