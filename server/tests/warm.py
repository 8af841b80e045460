"""`gmsafety serve` in processes that are quickly there: forked from one that has loaded the program and its catalog.

Nothing but that is shared: each has an environment, a folder, a log and a process group of its own, and what it knows
it reads from its database. Run as a program, this is the process that forks.
"""

import functools
import gc
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any

import httpx2
import uvicorn  # noqa: F401 - every server wants it

import gmsafety_server.app  # noqa: F401 - as above
from burst import TIMEOUT, Serving
from gmsafety import load_catalog
from gmsafety.cli import run
from gmsafety_server import node


class Nursery:
    """The process that forks."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._lock = Lock()

    def fork(self, environment: dict[str, str], folder: Path, log: Path) -> int:
        """Start a server; returns the id of the process."""
        told = {"environment": environment, "folder": str(folder), "log": str(log)}
        with self._lock:
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._process.stdin.write(json.dumps(told) + "\n")
            self._process.stdin.flush()
            return int(self._process.stdout.readline())

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(TIMEOUT)
        self._process.stdout.close()


class Warm(Serving):
    """A server out of the nursery."""

    def __init__(self, nursery: Nursery, database: str, folder: Path, **settings: Any) -> None:
        super().__init__(database, folder, **settings)
        self._nursery, self._place, self._pid = nursery, folder, 0

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._pid = self._nursery.fork(self.environment, self._place, self.log)
        end = time.monotonic() + 2 * TIMEOUT
        with httpx2.Client(base_url=self.address, timeout=5, trust_env=False) as client:
            while not _is_there(client):
                assert self.is_alive, self.said
                assert time.monotonic() < end, self.said
                time.sleep(0.05)

    @property
    def is_alive(self) -> bool:
        """Whether there is such a process."""
        with suppress(ProcessLookupError):
            os.kill(self._pid, 0)
            return True
        return False

    def kill(self) -> None:
        """End it as a power cut would: every process of it, at once."""
        if not self._pid:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._pid, signal.SIGKILL)
        end = time.monotonic() + TIMEOUT
        while self.is_alive:
            assert time.monotonic() < end
            time.sleep(0.005)
        self._pid = 0


def _is_there(client: httpx2.Client) -> bool:
    try:
        return client.get("/api/v1/submissions").status_code == 401
    except httpx2.HTTPError:
        return False


def _serve(told: dict[str, Any]) -> None:
    """Become a server, as `gmsafety serve` does."""
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    log, nothing = os.open(told["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND), os.open(os.devnull, os.O_RDONLY)
    for number, file in ((0, nothing), (1, log), (2, log)):
        os.dup2(file, number)
    os.environ.clear()
    os.environ.update(told["environment"])
    os.chdir(told["folder"])
    sys.argv = ["gmsafety", "serve"]
    run()


def _stand_ready() -> None:
    """Fork a server for every line that comes in, until no more comes."""
    loaded = functools.cache(load_catalog)
    loaded()
    vars(node)["load_catalog"] = loaded
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            _serve(json.loads(line))
        print(pid, flush=True)


if __name__ == "__main__":
    _stand_ready()
