"""The work behind the requests: sealing the audit log in batches after commit."""

import logging
from threading import Event, Thread

from sqlalchemy.exc import DBAPIError

from . import audit
from .node import Node

_log = logging.getLogger("gmsafety.sealer")


class Sealer:
    """A thread that seals what has been written, soon after it was."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._over = Event()
        self._thread = Thread(target=self._run, name="sealer", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Seal what is left, and end."""
        self._over.set()
        self._thread.join(timeout=30)
        seal_all(self._node)

    def _run(self) -> None:
        while not self._over.wait(self._node.settings.seal_seconds):
            try:
                seal_all(self._node)
            except DBAPIError as error:  # the next round tries again
                _log.warning("the audit log could not be sealed now: %s", error)


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
