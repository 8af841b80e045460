"""The stage: a database in a folder of the demonstration, and a real server on a port of this machine."""

import os
import socket
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2

from gmsafety.duties import BEIJING

from ... import auth
from ...app import create_app
from ...clock import DemoClock
from ...db import Database
from ...features.accounts import administration
from ...features.accounts.schemas import UserIn
from ...gate import CLOCK_HEADER
from ...logs import log_config
from ...migrations import check_schema, upgrade
from ...node import Node, open_node
from ...settings import Settings
from ..opening import NotReady, in_words
from .people import PASSWORD, PEOPLE

if TYPE_CHECKING:
    from uvicorn import Server

HOST = "127.0.0.1"
OPENING = datetime(2024, 12, 14, 8, tzinfo=BEIJING)
TRIED_PORTS = 50
STARTING = timedelta(seconds=60)
_DATABASE = "gmsafety.db"


@dataclass(frozen=True, slots=True)
class Stage:
    """A server that runs; `moved` tells that the port asked for was taken by somebody else."""

    node: Node
    address: str
    moved: bool

    @property
    def clock(self) -> DemoClock:
        """The clock of the demonstration."""
        assert isinstance(self.node.clock, DemoClock)
        return self.node.clock

    @property
    def shown_time(self) -> str:
        """What the clock shows, in China."""
        return f"{self.clock.now().astimezone(BEIJING):%Y-%m-%d %H:%M}"

    def turn_to(self, moment: datetime) -> None:
        """Set the clock, as a client of a demonstration may."""
        headers = {CLOCK_HEADER.decode(): moment.isoformat()}
        httpx2.get(f"{self.address}/api/v1/node", headers=headers, trust_env=False).raise_for_status()


def prepare(folder: Path, *, fresh: bool) -> Settings:
    """The settings of a demonstration in a folder: emptied, or with what is there."""
    file = folder / _DATABASE
    settings = Settings(
        database=f"sqlite:///{file}", node="jincheng", title="工贸专项行动报送（演示）", demo=True, workers=1,
        host=HOST, public_url=None, secure_cookies=False, key_passphrase=None,
    )  # fmt: skip
    if not fresh and not file.is_file():
        raise NotReady(f"“{folder}”里没有可以继续的演示；不加 --continue 即从头演示")
    if fresh:
        _clear(file)
        folder.mkdir(parents=True, exist_ok=True)
        db = Database(settings.database)
        upgrade(db)
        db.close()
    check_schema(settings.database)
    return settings


def _clear(file: Path) -> None:
    """Remove the database of an earlier demonstration, unless one is running on it."""
    if not file.is_file():
        return
    try:
        with closing(sqlite3.connect(file, timeout=1)) as connection:
            connection.execute("PRAGMA journal_mode=DELETE")  # fails while anybody else has it open
    except sqlite3.OperationalError as error:
        raise NotReady(
            f"另一个演示正在使用“{file.parent}”；请先在它的窗口按 Ctrl+C，或用 --folder 另选一个文件夹"
        ) from error
    except sqlite3.DatabaseError as error:
        raise NotReady(f"“{file}”不是演示的数据库，没有动它；请用 --folder 另选一个文件夹") from error
    for path in (file, *(file.with_name(f"{file.name}-{end}") for end in ("wal", "shm"))):
        path.unlink(missing_ok=True)


@contextmanager
def performing(settings: Settings, port: int, *, fresh: bool) -> Iterator[Stage]:
    """Run the server while the block lasts. The clock of a fresh one stands until it is let go."""
    import uvicorn

    listening, moved = _listen(port)
    with in_words(settings):
        clock = DemoClock(OPENING, stands=True) if fresh else None
        node = open_node(settings, clock=clock)
    if fresh:
        enter_people(node)
    config = uvicorn.Config(
        create_app(node), log_config=log_config(None), log_level=None, access_log=False, server_header=False
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="server", daemon=True)
    thread.start()
    try:
        _wait_for(server, thread)
        yield Stage(node, f"http://{HOST}:{listening.getsockname()[1]}", moved)
    finally:
        server.should_exit = True
        thread.join(STARTING.total_seconds())
        listening.close()


def _wait_for(server: "Server", thread: threading.Thread) -> None:
    while not server.started:
        if not thread.is_alive():
            raise NotReady("服务器没有启动")
        thread.join(0.02)


def _listen(port: int) -> tuple[socket.socket, bool]:
    """The port asked for, or the next one that nobody uses; also tells whether it is another one."""
    for number in range(port, min(port + TRIED_PORTS, 65536)) if port else (0,):
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if os.name == "posix":  # connections of the last demonstration linger; elsewhere this would take the port away
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((HOST, number))
            listening.listen()
            return listening, number != port
        except OSError:
            listening.close()
    raise NotReady(f"端口 {port} 起的 {TRIED_PORTS} 个端口都被占用；请用 --port 另选一个")


def enter_people(node: Node) -> None:
    """Make the accounts, as `gmsafety user add` does; their password need not be changed."""
    given = administration.Given(auth.hash_password(PASSWORD), must_change=False)
    with node.db.write() as tx:
        for person in PEOPLE:
            told = UserIn(login=person.login, name="某某", unit=person.unit, roles=list(person.roles))
            administration.add(tx, node, None, told, given)
