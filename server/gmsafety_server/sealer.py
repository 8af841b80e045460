"""The work behind the requests: sealing the audit log in batches after commit, with the keys that sign now."""

import logging
from threading import Event, Thread

from . import audit
from .node import Node

_log = logging.getLogger("gmsafety.sealer")


class Sealer:
    """A thread that seals what has been written, soon after it was."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._over, self._failing = Event(), False
        self._thread = Thread(target=self._run, name="sealer", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Seal what is left, and end."""
        self._over.set()
        self._thread.join(timeout=30)
        self._try()

    def _run(self) -> None:
        while not self._over.wait(self._node.settings.seal_seconds):
            self._try()

    def _try(self) -> None:
        """Seal now; what fails is left to the next round, and said once until it works again."""
        try:
            self._node.look_after_keys()
            seal_all(self._node)
            self._failing = False
        except Exception as error:
            if not self._failing:
                _log.warning("审计记录暂时不能封存，稍后再试", exc_info=error)
            self._failing = True


def seal_all(node: Node) -> int:
    """Seal everything that is not sealed; returns how many rows."""
    total = 0
    with node.db.read() as tx:
        if not audit.waiting(tx):
            return 0
    while True:
        with node.db.write() as tx:
            done = audit.seal(tx, node.key, node.clock.now())
        total += done
        if done < audit.BATCH:
            return total
