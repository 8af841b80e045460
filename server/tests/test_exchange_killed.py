"""The upper node is a process of its own, and is killed: after the commit and before the answer, and at rest."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import func, select

from exchanging import ACTOR, Lines, Station
from gmsafety import Catalog
from gmsafety_server.clock import Clock
from gmsafety_server.features.exchange import introducing
from gmsafety_server.features.exchange.postman import work
from gmsafety_server.features.exchange.wire import HttpWire, Reply, Unreached
from gmsafety_server.tables import inbox, outbox, receipts, submissions
from serving import served

WEEK = "2024-12-27"
FORMS = ("shanxi.weekly-dispatch", "shanxi.major-hazard-ledger")
_SECONDS = 150.0


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Process:
    """`gmsafety serve` of the city."""

    def __init__(self, database: str, folder: Path) -> None:
        self.port, self._folder = free_port(), folder
        told = {"DATABASE": database, "NODE": "jincheng", "LATE_DAYS": "3650", "POST_SECONDS": "0.2"}
        self._env = {**os.environ, **{f"GMSAFETY_{k}": v for k, v in told.items()}}
        self.kills, self._process = 0, self._start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _start(self) -> "subprocess.Popen[bytes]":
        words = [sys.executable, "-m", "gmsafety", "serve", "--port", str(self.port)]
        with (self._folder / "serve.log").open("ab") as log:
            started = subprocess.Popen(words, env=self._env, stdout=log, stderr=log, cwd=self._folder)
        end = time.monotonic() + _SECONDS
        while time.monotonic() < end:
            try:
                if httpx2.get(f"{self.address}/exchange/v1/ping", trust_env=False, timeout=1).status_code == 200:
                    return started
            except httpx2.HTTPError:
                time.sleep(0.1)
        raise AssertionError((self._folder / "serve.log").read_text("utf-8"))

    def kill(self) -> None:
        """As a power cut does it."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        self.kills += 1

    def start_again(self) -> None:
        self._process = self._start()

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(timeout=30)


class Deadly(HttpWire):
    """A line on which the other node is killed as soon as it has stored the first message, and the third."""

    def __init__(self, process: Process) -> None:
        super().__init__()
        self.process, self.stored = process, 0

    def __call__(self, method: str, url: str, *, headers: Mapping[str, str] = {}, content: bytes = b"") -> Reply:
        reply = super().__call__(method, url, headers=headers, content=content)
        if method == "POST" and reply.status < 300:
            self.stored += 1
            if self.stored in (1, 3):
                self.process.kill()
                raise Unreached("killed")
        return reply


@pytest.fixture
def county(databases: Callable[[], str], catalog: Catalog) -> Iterator[Station]:
    made = Station("zezhou", databases(), catalog, Clock(), Lines(), late_days=3650)
    yield made
    made.node.db.close()


def everything_is_there(county: Station) -> bool:
    """Every filing has its two receipts."""
    with county.node.db.read() as tx:
        filed = tx.execute(select(func.count()).select_from(submissions)).scalar_one()
        given = tx.execute(select(func.count()).select_from(receipts)).scalar_one()
    return bool(filed) and given == 2 * filed


def test_killed_after_the_commit_and_before_the_answer(
    county: Station, databases: Callable[[], str], catalog: Catalog, tmp_path: Path
) -> None:
    database = databases()
    city = Station("jincheng", database, catalog, Clock(), Lines(), late_days=3650)
    with served(county.http.app) as address, ExitStack() as stack:
        process = Process(database, tmp_path)
        stack.callback(process.stop)
        for station, where in ((county, address), (city, process.address)):
            with station.node.db.write() as tx:
                introducing.set_own(
                    tx, station.node, title=station.name, units=[station.unit], address=where, actor=ACTOR
                )  # fmt: skip
        county.adds(city)
        city.adds(county)
        clerk = county.person("clerk")
        for number, item in enumerate(FORMS):
            told = {"message_id": f"m-1234567{number}", "item": item, "period": WEEK, "nil": True, "reason": "试"}
            filed = clerk.post("/submissions", json=told).json()
            again = {**told, "message_id": f"m-1234568{number}", "supersedes": filed["payload_hash"], "note": "更正"}
            assert 201 == clerk.post("/submissions", json=again).status_code
        wire, end = Deadly(process), time.monotonic() + _SECONDS
        stack.callback(wire.close)
        while not everything_is_there(county):
            assert time.monotonic() < end, (tmp_path / "serve.log").read_text("utf-8")[-2000:]
            killed = process.kills
            work(county.node, wire)
            if process.kills > killed:
                process.start_again()
            time.sleep(0.1)

    def rows(table: Any) -> list[Any]:
        return [r for r in city.rows(table) if getattr(r, "kind", "") == "submission" or table is submissions]

    below, above = county.rows(submissions), rows(submissions)
    assert 2 == process.kills
    assert [(r.uid, r.item, r.period, r.revision, r.received_at) for r in below] == [
        (r.uid, r.item, r.period, r.revision, r.received_at) for r in above
    ]
    assert [1, 2, 3, 4] == [r.sequence for r in rows(inbox)]
    assert {r.hash: bytes(r.answer) for r in county.rows(outbox)} == {r.hash: bytes(r.answer) for r in rows(inbox)}
    assert [] == county.faults()
    assert [] == city.faults()
    city.node.db.close()
