"""The database: many readers that see one state each, and writers that commit before they answer.

SQLite has one writer at a time (one lock, BEGIN IMMEDIATE); PostgreSQL has a pool. The same statements run on both.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from time import monotonic
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, func, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry

from gmsafety.errors import GmsafetyError

BUSY_SECONDS = 30
CONNECT_SECONDS = 5
IDLE_SECONDS = 1
POOL = 8
UPGRADING, OPENING, SEALING, LEASING, TAKING, DEFINING = 7349, 7350, 7351, 7352, 7353, 7354


class NoSuchDatabase(GmsafetyError):
    """The address of the database is none, or of a kind that is not served."""

    is_usage = True


class Database:
    """One database; `read` and `write` give a transaction each."""

    def __init__(self, address: str) -> None:
        try:
            self.url = make_url(address)
        except (ArgumentError, ValueError) as error:
            raise NoSuchDatabase("数据库地址不对。应为 sqlite:///文件名 或 postgresql://用户:密码@主机/库名") from error
        kind = self.url.get_backend_name()
        if kind not in ("sqlite", "postgresql"):
            raise NoSuchDatabase(f"不支持这种数据库：{kind}。可用 SQLite 和 PostgreSQL")
        self.is_sqlite = kind == "sqlite"
        self._lock = Lock()
        if self.is_sqlite:
            self.writer = _sqlite(address, begin="BEGIN IMMEDIATE", pool_size=1)
            self.reader = self._glancer = _sqlite(address, begin="BEGIN", pool_size=POOL)
        else:
            self.writer = _postgresql(self.url.set(drivername="postgresql+psycopg"))
            self.reader = self.writer.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            self._glancer = self.writer.execution_options(isolation_level="AUTOCOMMIT")

    @property
    def shown(self) -> str:
        """The address without its password."""
        return self.url.render_as_string(hide_password=True)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state and changes nothing."""
        with self.reader.connect() as connection:
            yield connection

    @contextmanager
    def glance(self) -> Iterator[Connection]:
        """For one statement that reads: nothing is begun before it and ended after it."""
        with self._glancer.connect() as connection:
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
        if self.is_sqlite:
            self.reader.dispose()


def take_turn(tx: Connection, lock: int) -> None:
    """Wait until nobody else is at the same work, and hold them off to the end; SQLite writers always take turns."""
    if tx.dialect.name == "postgresql":
        tx.execute(select(func.pg_advisory_xact_lock(lock)))


def try_turn(tx: Connection, lock: int, number: int) -> bool:
    """Whether nobody else is at this very piece of work; they are held off to the end, and go on with other pieces."""
    if tx.dialect.name != "postgresql":
        return True
    return bool(tx.execute(select(func.pg_try_advisory_xact_lock(lock, number % 2**31))).scalar())


def _postgresql(url: URL) -> Engine:
    arguments = {"connect_timeout": CONNECT_SECONDS, "application_name": "gmsafety"}
    engine = create_engine(url, connect_args=arguments, pool_size=POOL, max_overflow=POOL, pool_timeout=BUSY_SECONDS)

    @event.listens_for(engine, "checkin")
    def _put_back(_connection: object, record: ConnectionPoolEntry) -> None:
        record.info["used"] = monotonic()

    @event.listens_for(engine, "checkout")
    def _take_out(connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
        """Look whether a connection that has lain idle is still alive; each look is a way there and back."""
        if monotonic() - record.info.get("used", 0.0) < IDLE_SECONDS:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise DisconnectionError from error  # the pool opens another one

    return engine


def _sqlite(address: str, *, begin: str, pool_size: int) -> Engine:
    arguments = {"check_same_thread": False, "timeout": BUSY_SECONDS}
    engine = create_engine(address, connect_args=arguments, pool_size=pool_size, max_overflow=40)
    pragmas = ["journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY", "cache_size=-65536"]
    if begin == "BEGIN":
        pragmas.append("query_only=ON")

    @event.listens_for(engine, "connect")
    def _open(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine
