"""The floor: the same bytes, each inserted in a transaction of its own and nothing else, no HTTP, no library above.

A process of its own: `floor.py ADDRESS WRITERS FILE` inserts the pickled contents and prints the seconds.
"""

import json
import pickle
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from threading import Lock, Thread
from time import perf_counter
from typing import Any


def _sqlite(address: str) -> tuple[Any, Any]:
    connection = sqlite3.connect(address.removeprefix("sqlite:///"), isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE IF NOT EXISTS floor (id INTEGER PRIMARY KEY, content BLOB NOT NULL)")
    lock = Lock()

    def add(content: bytes) -> None:
        with lock:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO floor (content) VALUES (?)", (content,))
            connection.execute("COMMIT")

    return lambda: add, connection.close


def _postgresql(address: str) -> tuple[Any, Any]:
    import psycopg  # noqa: PLC0415 - only where it is PostgreSQL

    opened = [psycopg.connect(address)]
    opened[0].execute("CREATE TABLE IF NOT EXISTS floor (id BIGSERIAL PRIMARY KEY, content BYTEA NOT NULL)")
    opened[0].commit()

    def writer() -> Any:
        connection = psycopg.connect(address)
        opened.append(connection)

        def add(content: bytes) -> None:
            connection.execute("INSERT INTO floor (content) VALUES (%s)", (content,))
            connection.commit()

        return add

    def close() -> None:
        for connection in opened:
            connection.close()

    return writer, close


def run(address: str, writers: int, contents: Sequence[bytes]) -> float:
    """Insert all contents, so many at a time."""
    writer, close = (_sqlite if address.startswith("sqlite") else _postgresql)(address)
    waiting = iter(contents)
    lock = Lock()

    def work(add: Any) -> None:
        while True:
            with lock:
                content = next(waiting, None)
            if content is None:
                return
            add(content)

    threads = [Thread(target=work, args=(writer(),)) for _ in range(writers)]
    start = perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken = perf_counter() - start
    close()
    return taken


def bare(address: str, contents: Sequence[bytes], *, writers: int, folder: Path) -> float:
    """Bare inserts a second; RuntimeError where they failed."""
    file = folder / "contents.pickle"
    file.write_bytes(pickle.dumps(list(contents)))
    command = [sys.executable, __file__, address, str(writers), str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.strip())
    return len(contents) / float(json.loads(done.stdout))


if __name__ == "__main__":
    print(json.dumps(run(sys.argv[1], int(sys.argv[2]), pickle.loads(Path(sys.argv[3]).read_bytes()))))
