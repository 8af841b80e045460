"""`gmsafety serve` as a process: what it says when it starts, cannot start, and stops; never a traceback."""

import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest
from sqlalchemy import text

from burst import Serving, enlist, free_port, serving
from gmsafety.cli import main
from gmsafety_server.asgi import CANNOT_START
from gmsafety_server.asgi import app as make_app
from gmsafety_server.cli.serving import warnings_for
from gmsafety_server.db import Database
from gmsafety_server.logs import OneLine, log_config
from gmsafety_server.settings import Settings
from world import ZEZHOU

only_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

OPEN_COOKIES = (
    "监听 0.0.0.0 而没有启用 secure_cookies，密码和令牌在网上不加密；"
    "请在前面加 HTTPS 反向代理，并设 GMSAFETY_SECURE_COOKIES=1"
)


@pytest.mark.parametrize(
    ("settings", "warnings"),
    [
        ({}, []),
        ({"host": "::1"}, []),
        ({"host": "localhost"}, []),
        ({"host": "127.0.1.1", "demo": True}, []),
        ({"host": "0.0.0.0"}, [OPEN_COOKIES]),
        ({"host": "0.0.0.0", "secure_cookies": True}, []),
        ({"host": "node.example", "secure_cookies": True, "demo": True}, ["演示方式下时钟可由客户端拨动，不要用于正式报送"]),
        (
            {"workers": 2},
            ["SQLite 一次只有一个写入者，多进程时忙时会多等；报送多的请改用 PostgreSQL"],
        ),
        ({"workers": 2, "database": "postgresql://h/n"}, []),
    ],
)  # fmt: skip
def test_what_is_warned_of(settings: dict[str, Any], warnings: list[str]) -> None:
    assert warnings == warnings_for(Settings(**settings))


@pytest.fixture
def start(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """Try to start on a database; returns the exit status and what was said."""
    monkeypatch.chdir(tmp_path)

    def run(*words: str, **settings: str) -> tuple[int, str]:
        for name, value in {"database": database, **settings}.items():
            monkeypatch.setenv(f"GMSAFETY_{name.upper()}", value)
        status = main(["serve", "--port", str(free_port()), *words])
        return status, capfd.readouterr().err

    return run


def test_no_database(start: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    assert (2, "没有数据库文件“none.db”。新建请运行 gmsafety db upgrade；在别处的，请设 GMSAFETY_DATABASE\n") == start(
        database="sqlite:///none.db"
    )
    assert not (tmp_path / "none.db").exists()


def test_tables_that_are_not_up_to_date(start: Callable[..., tuple[int, str]], database: str) -> None:
    db = Database(database)
    with db.write() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    db.close()

    assert (2, "数据库比程序新，请先升级程序\n") == start()


def test_a_database_that_does_not_answer(start: Callable[..., tuple[int, str]]) -> None:
    status, said = start(database="postgresql://nobody:secret@127.0.0.1:9/none")

    assert (3, True) == (status, said.startswith("数据库 postgresql://nobody:***@127.0.0.1:9/none 不能使用："))


@only_sqlite
def test_a_demonstration_has_one_process(start: Callable[..., tuple[int, str]]) -> None:
    assert (2, "演示方式只能用1个进程（workers=1）：各进程的时钟会不一致\n") == start("--workers", "2", demo="true")


@only_sqlite
def test_a_wrong_pass_phrase(start: Callable[..., tuple[int, str]]) -> None:
    status, said = start(key_passphrase="open sesame")

    assert (2, "这个签名密钥没有设口令，却给出了口令。") == (status, said[:19])


@only_sqlite
def test_a_port_in_use(start: Callable[..., tuple[int, str]]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        status, said = start("--port", str(port))

    assert (2, f"不能监听 127.0.0.1:{port}：") == (status, said.split("：")[0] + "：")
    assert "换一个端口用 --port" in said


@only_sqlite
def test_a_host_that_is_none(start: Callable[..., tuple[int, str]]) -> None:
    status, said = start("--host", "no.such.host.invalid")

    assert (2, True) == (status, said.startswith("不能监听 no.such.host.invalid:"))


@only_sqlite
def test_what_uvicorn_starts_says_why_it_cannot(
    database: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("GMSAFETY_DATABASE", "sqlite:///nowhere/none.db")

    with pytest.raises(SystemExit) as left:
        make_app()
    assert CANNOT_START == left.value.code
    assert ["服务器不能启动"] == [r.getMessage() for r in caplog.records if r.name == "gmsafety.start"]


@only_sqlite
@pytest.mark.parametrize("workers", [1, 2])
def test_it_starts_answers_and_stops(workers: int, database: str, tmp_path: Path) -> None:
    server = Serving(database, tmp_path, workers=workers)
    server.start()
    answer = httpx2.get(f"{server.address}/api/v1/submissions")
    status = server.stop()

    assert (401, "GM-H410") == (answer.status_code, answer.json()["code"])
    assert "server" not in answer.headers
    assert status in (0, -signal.SIGTERM)
    assert [f"工贸安全专项行动报送：{server.address}/　（Ctrl+C 停止）"] == [
        line for line in server.said.splitlines() if not line.startswith("注意")
    ]


@only_sqlite
@pytest.mark.parametrize("before", [signal.default_int_handler, signal.SIG_IGN], ids=["in-front", "in-the-background"])
def test_interrupted_at_the_keyboard(database: str, tmp_path: Path, before: Any) -> None:
    ours = signal.signal(signal.SIGINT, before)
    with serving(database, tmp_path) as server:
        signal.signal(signal.SIGINT, ours)
        assert server.process is not None
        server.process.send_signal(signal.SIGINT)

        assert 0 == server.process.wait(60)
        assert server.said.endswith("已停止。\n")


@pytest.fixture
def failing(database: str, tmp_path: Path) -> Iterator[tuple[Serving, str]]:
    """A server whose log goes to a file, too, and from whose database a table is taken away."""
    with serving(database, tmp_path, log_file=tmp_path / "full.log") as server:
        db = Database(database)
        token = enlist(db, ZEZHOU, "clerk")
        with db.write() as tx:
            tx.execute(text("DROP TABLE receipts"))
        yield server, token
        db.close()


@only_sqlite
def test_a_failure_is_one_line_on_the_terminal_and_whole_in_the_file(
    failing: tuple[Serving, str], tmp_path: Path
) -> None:
    server, token = failing
    told = {"message_id": "broken-table-1", "item": "shanxi.weekly-dispatch", "period": "2024-12-27", "nil": True}
    answer = httpx2.post(
        f"{server.address}/api/v1/submissions",
        json={**told, "reason": "试"},
        headers={"Authorization": f"Bearer {token}"},
    )
    lines = [line for line in server.said.splitlines() if "WARNING" in line or "ERROR" in line]
    full = (tmp_path / "full.log").read_text("utf-8")

    assert answer.status_code in (500, 503)
    assert 1 == len(lines)
    assert "no such table: receipts" in lines[0]
    assert "Traceback" in full
    assert '"POST /api/v1/submissions HTTP/1.1"' in full


@pytest.mark.parametrize("debug", [False, True])
def test_a_line_of_the_log(debug: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if debug:
        monkeypatch.setenv("GMSAFETY_DEBUG", "1")
    formatter = OneLine(log_config(None)["formatters"]["line"]["format"])
    try:
        raise ValueError("first line\nsecond line")
    except ValueError:
        information = sys.exc_info()
    record = logging.LogRecord(
        "uvicorn.error", logging.ERROR, "", 0, "Exception in ASGI application\n", (), information
    )
    told = formatter.format(record)

    assert debug is ("Traceback" in told)
    assert debug is ("second line" in told)
    if not debug:
        assert told.endswith(" ERROR Exception in ASGI application：ValueError first line")


@only_sqlite
def test_a_process_that_dies_is_started_again(database: str, tmp_path: Path) -> None:
    with serving(database, tmp_path, workers=2) as server:
        assert server.process is not None
        children = _children(server.process.pid)
        os.kill(children[0], signal.SIGKILL)
        end = time.monotonic() + 60
        while len([c for c in _children(server.process.pid) if c != children[0]]) < len(children):
            assert time.monotonic() < end
            time.sleep(0.2)
        for _ in range(10):
            assert 401 == httpx2.get(f"{server.address}/api/v1/submissions", timeout=60).status_code


def _children(parent: int) -> list[int]:
    return [c.pid for c in psutil.Process(parent).children() if _is_worker(c)]


def _is_worker(process: psutil.Process) -> bool:
    try:
        return any("spawn_main" in word for word in process.cmdline())
    except (psutil.ZombieProcess, psutil.NoSuchProcess):  # just killed, not yet buried by its parent
        return False
