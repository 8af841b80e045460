"""The work behind the exchange: a thread that takes up what came in, sends what waits, and asks where it must."""

import logging
from collections.abc import Callable
from threading import Event, Thread
from time import monotonic

from ...node import Node
from .asking import ask_for_gaps
from .delivering import deliver
from .polling import poll
from .takingup import take_up
from .wire import HttpWire, Wire

_log = logging.getLogger("gmsafety.exchange")


class Postman:
    """A thread; several of them, in several processes, do not get into each other's way."""

    def __init__(self, node: Node, wire: Wire | None = None) -> None:
        self._node, self._own = node, HttpWire() if wire is None else None
        self._wire: Wire = wire or self._own  # type: ignore[assignment]
        self._wanted, self._over, self._failing = Event(), Event(), False
        self._polled = 0.0
        self._thread = Thread(target=self._run, name="postman", daemon=True)

    def start(self) -> None:
        """Begin, and be woken after every commit."""
        self._node.wake = self.wake
        self._thread.start()

    def wake(self) -> None:
        """There may be something to do."""
        self._wanted.set()

    def stop(self) -> None:
        """End; what is under way is finished, what is not sent stays in the outbox."""
        self._over.set()
        self._wanted.set()
        self._thread.join(timeout=30)
        if self._own is not None:
            self._own.close()

    def _run(self) -> None:
        while not self._over.is_set():
            self._wanted.wait(self._node.settings.post_seconds)
            self._wanted.clear()
            if not self._over.is_set():
                self._round()

    def _round(self) -> None:
        """Do all that is due; what fails is left to the next round, and said once until it works again."""
        try:
            work(self._node, self._wire, asks=self._is_time_to_ask)
            self._failing = False
        except Exception as error:
            if not self._failing:
                _log.warning("数据交换暂时停顿，稍后再试", exc_info=error)
            self._failing = True

    def _is_time_to_ask(self) -> bool:
        if monotonic() - self._polled < self._node.settings.poll_seconds:
            return False
        self._polled = monotonic()
        return True


def work(node: Node, wire: Wire, *, asks: Callable[[], bool] = lambda: True) -> int:
    """One round; returns how many messages came, were taken up or were delivered."""
    came = poll(node, wire) if asks() else 0
    return came + take_up(node) + ask_for_gaps(node) + deliver(node, wire)
