"""An application on a port of this machine, for tests that speak to it as a program elsewhere would."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import uvicorn
from fastapi import FastAPI

from gmsafety.client import Patience

QUICK = Patience(attempts=3, first=0.01, longest=0.05, timeout=10)


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """Serve an application that is open already while the block lasts; gives its address."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", lifespan="off"))
    thread = Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()
