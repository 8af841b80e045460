"""A node served by uvicorn on a port of this machine, for tests that speak to it as a program elsewhere would."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import uvicorn

from gmsafety.client import Patience
from gmsafety_server.app import create_app
from gmsafety_server.node import Node

QUICK = Patience(attempts=3, first=0.01, longest=0.05, timeout=10)


@contextmanager
def served(node: Node) -> Iterator[str]:
    """Serve a node while the block lasts; gives its address."""
    server = uvicorn.Server(uvicorn.Config(create_app(node), port=0, log_level="warning"))
    thread = Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()
