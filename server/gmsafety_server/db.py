"""The database: many readers, and writers that commit before they answer.

SQLite has one writer at a time (one lock, BEGIN IMMEDIATE); PostgreSQL has a pool. The same statements run on both.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url

BUSY_SECONDS = 30
POOL = 8


class Database:
    """One database; `read` and `write` give a transaction each."""

    def __init__(self, address: str) -> None:
        self.url = make_url(address)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._lock = Lock()
        if self.is_sqlite:
            self.writer = _sqlite(address, begin="BEGIN IMMEDIATE", pool_size=1)
            self.reader = _sqlite(address, begin="BEGIN", pool_size=POOL)
        else:
            url = self.url.set(drivername="postgresql+psycopg")
            self.writer = self.reader = create_engine(url, pool_size=POOL, max_overflow=POOL, pool_pre_ping=True)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state and changes nothing."""
        with self.reader.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that is committed when the block ends, and undone when it raises."""
        if self.is_sqlite:
            with self._lock, self.writer.begin() as connection:
                yield connection
        else:
            with self.writer.begin() as connection:
                yield connection

    def close(self) -> None:
        """Give all connections back."""
        self.writer.dispose()
        if self.reader is not self.writer:
            self.reader.dispose()


def _sqlite(address: str, *, begin: str, pool_size: int) -> Engine:
    arguments = {"check_same_thread": False, "timeout": BUSY_SECONDS}
    engine = create_engine(address, connect_args=arguments, pool_size=pool_size, max_overflow=40)

    @event.listens_for(engine, "connect")
    def _open(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("PRAGMA cache_size=-65536")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine
