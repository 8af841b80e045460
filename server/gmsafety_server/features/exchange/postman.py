"""The work behind the exchange: a thread that takes up what came in, sends what waits, and asks where it must."""

import logging
from collections.abc import Callable
from threading import Event, Thread
from time import monotonic

from ...node import Node
from ..rollups.outdating import look_after
from . import journal
from .asking import ask_for_gaps
from .delivering import deliver
from .differences import look_around
from .handing_down import push_changed
from .polling import poll
from .reconciling import state_where_due
from .takingup import take_up
from .wire import HttpWire, Wire

LOOK_SECONDS = 30.0
"""How often it is looked whether a statement is due, and whether people should be told of something."""
_log = logging.getLogger("gmsafety.exchange")


class Postman:
    """A thread; several of them, in several processes, do not get into each other's way."""

    def __init__(self, node: Node, wire: Wire | None = None) -> None:
        self._node, self._own = node, HttpWire() if wire is None else None
        self._wire: Wire = wire or self._own  # type: ignore[assignment]
        self._wanted, self._over, self._failing = Event(), Event(), False
        self._asks, self._looks = _Every(node.settings.poll_seconds), _Every(LOOK_SECONDS)
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
            self._node.look_after_keys()
            work(self._node, self._wire, asks=self._asks, looks=self._looks)
            self._node.meters.put(journal.ROUND, self._node.clock.now().timestamp())
            self._failing = False
        except Exception as error:
            if not self._failing:
                _log.warning("数据交换暂时停顿，稍后再试", exc_info=error)
            self._failing = True


class _Every:
    """True when so many seconds are over, and the first time."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._last = seconds, -seconds

    def __call__(self) -> bool:
        if monotonic() - self._last < self._seconds:
            return False
        self._last = monotonic()
        return True


def work(
    node: Node, wire: Wire, *, asks: Callable[[], bool] = lambda: True, looks: Callable[[], bool] = lambda: True
) -> int:  # fmt: skip
    """One round; returns how many messages came, were taken up or were delivered."""
    came = poll(node, wire) if asks() else 0
    told = state_where_due(node) + look_around(node) if looks() else 0
    done = take_up(node) + push_changed(node) + look_after(node)
    return came + told + done + ask_for_gaps(node) + deliver(node, wire)
