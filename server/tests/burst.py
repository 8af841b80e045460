"""Units that file as fast as they can to a server in a process of its own, which is killed meanwhile.

Every clerk remembers what was sent and what was answered. A message that was sent without an answer is sent again, as a
real client would; what was answered must be in the database afterwards, once.
"""

import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any
from uuid import uuid4
from zipfile import ZipFile

import httpx2
from sqlalchemy import func, insert, select

from gmsafety.exchange.receipts import SignedReceipt, Verdict
from gmsafety_server import audit, auth
from gmsafety_server.clock import Clock
from gmsafety_server.db import Database
from gmsafety_server.node import public_keys
from gmsafety_server.scope import SCOPES
from gmsafety_server.tables import receipts, submissions, users
from gmsafety_server.verification import verify_database
from world import CITY, scenario_file

COUNTIES = ("chengqu", "gaoping", "lingchuan", "qinshui", "zezhou")
WEEKLY = "shanxi.weekly-dispatch"
FIRST, WEEKS = date(2024, 12, 20), 15
TIMEOUT = 60.0


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Serving:
    """`gmsafety serve` in a process group of its own."""

    def __init__(self, database: str, folder: Path, *, workers: int = 1, **settings: Any) -> None:
        self.port, self.log = free_port(), folder / "serve.log"
        self.address = f"http://127.0.0.1:{self.port}"
        named = {"database": database, "workers": workers, "port": self.port, "node": "jincheng", "late_days": 20000}
        told = {f"GMSAFETY_{name.upper()}": str(value) for name, value in {**named, **settings}.items()}
        self.environment = {**os.environ, **told}
        self._folder = folder
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command = [sys.executable, "-m", "gmsafety", "serve"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=self._folder, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
        end = time.monotonic() + 3 * TIMEOUT
        while not self._answers():
            assert self.process.poll() is None, self.said
            assert time.monotonic() < end, self.said
            time.sleep(0.02)

    def _answers(self) -> bool:
        try:
            return httpx2.get(f"{self.address}/api/v1/submissions", timeout=5).status_code == 401
        except httpx2.HTTPError:
            return False

    def kill(self) -> None:
        """End it as a power cut would: every process of it, at once."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """Ask it to stop; returns its exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(TIMEOUT)
        self.process = None
        return status

    def _end(self, how: signal.Signals) -> None:
        if self.process is not None:
            with suppress(ProcessLookupError):  # it has ended by itself
                os.killpg(self.process.pid, how)
            self.process.wait(TIMEOUT)
            self.process = None

    @property
    def said(self) -> str:
        """Everything it wrote on the terminal."""
        return self.log.read_text("utf-8")


@contextmanager
def serving(database: str, folder: Path, **settings: Any) -> Iterator[Serving]:
    """A server that runs while the block lasts; it never shows a traceback."""
    server = Serving(database, folder, **settings)
    try:
        server.start()
        yield server
    finally:
        server.kill()
    assert "Traceback" not in server.said, server.said


def enlist(db: Database, unit: str, *roles: str) -> str:
    """Enter an account of a unit; returns a token with every scope."""
    now = Clock().now()
    values = {"login": f"u{uuid4().hex[:10]}", "name": "某某", "unit": unit, "roles": list(roles), "password": "-"}
    rest = {"must_change": False, "failures": 0, "created_at": now, "changed_at": now}
    with db.write() as tx:
        number = tx.execute(insert(users).values(**values, **rest)).inserted_primary_key[0]
        end = now + timedelta(days=30)
        return auth.new_token(tx, number, "burst", scopes=list(SCOPES), now=now, expires_at=end)[1]


@dataclass
class Message:
    """A filing that can be sent again; `answer` is what came back the first time that something did.

    `refused` where what it corrects had just been accepted: it is not stored.
    """

    told: dict[str, Any]
    content: bytes | None
    answer: dict[str, Any] | None = None
    refused: bool = False

    def send(self, client: httpx2.Client) -> httpx2.Response:
        """File it."""
        if self.content is None:
            return client.post("/api/v1/submissions", json=self.told)
        return client.post("/api/v1/submissions/files", data=self.told, files={"file": ("周调度.xlsx", self.content)})


@dataclass
class Clerk:
    """Who files one form of a county, week after week and revision after revision."""

    county: str
    token: str
    server: Serving
    messages: list[Message] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)
    current: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._body = json.loads(
            scenario_file("2024-12-27", self.county, "weekly").with_suffix(".xlsx.expected.json").read_text("utf-8")
        )
        self._file = scenario_file("2024-12-27", self.county, "weekly").read_bytes()

    @property
    def client(self) -> httpx2.Client:
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx2.Client(base_url=self.server.address, headers=headers, timeout=TIMEOUT)

    def next(self) -> Message:
        """The next revision of the next week: a workbook now and then, else JSON."""
        number = len(self.messages)
        period = (FIRST + timedelta(days=7 * (number % WEEKS))).isoformat()
        told = {"message_id": f"{self.county}-{uuid4().hex}", "item": WEEKLY, "period": period, "reason": "压力测试"}
        if period in self.current:
            told["supersedes"] = self.current[period]
        content = None
        if number % 5 == 4:
            content = _marked(self._file, told["message_id"])
        else:
            clauses = {**self._body["clauses"]}
            clauses["2"] = {"numbers": [39, 1000 + number, *self._body["clauses"]["2"]["numbers"][2:]]}
            told["body"] = {"header": self._body["header"], "clauses": clauses}  # type: ignore[assignment]
        message = Message(told, content)
        self.messages.append(message)
        return message

    def file(self, client: httpx2.Client, message: Message) -> bool:
        """Send a message; tells whether it was answered."""
        try:
            answer = message.send(client)
        except httpx2.HTTPError:
            return False
        if answer.status_code == 503:
            assert answer.headers["Retry-After"]
            return False
        if answer.status_code == 409 and answer.json()["code"] == "GM-H452":
            message.refused = True
            return True
        if answer.status_code not in (200, 201):
            self.strange.append(f"{answer.status_code} {answer.text}")
            return False
        detail = answer.json()
        if message.answer is None:
            message.answer = detail
        elif _given(message.answer) != _given(detail)[: len(_given(message.answer))]:
            self.strange.append(f"other receipts for {message.told['message_id']}")
        self.current[message.told["period"]] = detail["payload_hash"]
        return True

    def burst(self, over: Event) -> None:
        """File until it is over, or nobody answers any more."""
        with self.client as client:
            while not over.is_set() and self.file(client, self.next()):
                pass

    def again(self, since: int) -> int:
        """Send every message once more, from a number on, in their order; tells how many had not been answered."""
        open_ones = 0
        with self.client as client:
            for message in [m for m in self.messages[since:] if not m.refused]:
                open_ones += message.answer is None
                if not self.file(client, message):
                    self.strange.append(f"no answer to {message.told['message_id']}")
        return open_ones


def _marked(content: bytes, mark: str) -> bytes:
    """A workbook with other bytes and the same content."""
    file = io.BytesIO(content)
    with ZipFile(file, "a") as archive:
        archive.comment = mark.encode()
    return file.getvalue()


def _given(detail: dict[str, Any]) -> list[Any]:
    return [detail["uid"], *detail["receipts"]]


@dataclass
class Figures:
    """What a run came to."""

    kills: int = 0
    messages: int = 0
    unanswered: int = 0
    lost: int = 0
    twice: int = 0

    def __str__(self) -> str:
        return (
            f"kills {self.kills}, messages {self.messages}, sent again because unanswered {self.unanswered}, "
            f"receipts lost {self.lost}, stored twice {self.twice}"
        )


class Play:
    """A server, clerks who file to it, and what must hold after every interruption."""

    def __init__(self, database: str, folder: Path, **settings: Any) -> None:
        self.db = Database(database)
        self.server = Serving(database, folder, **settings)
        self.clerks = [Clerk(c, enlist(self.db, f"jincheng.{c}-office", "clerk"), self.server) for c in COUNTIES]
        self.reviewer = enlist(self.db, CITY, "reviewer")
        self.figures = Figures()

    def burst(self, seconds: float, fault: Callable[[], object]) -> list[int]:
        """Let everybody file for a while until something happens; returns where each of them had begun."""
        since = [len(c.messages) for c in self.clerks]
        over = Event()
        threads = [Thread(target=c.burst, args=(over,)) for c in self.clerks]
        for thread in threads:
            thread.start()
        time.sleep(seconds)
        fault()
        over.set()
        for thread in threads:
            thread.join(TIMEOUT)
        return since

    def kill(self, seconds: float) -> None:
        """Kill the server in the middle of a burst, start it again, and look."""
        since = self.burst(seconds, self.server.kill)
        self.figures.kills += 1
        self.server.start()
        self.look(since)

    def look(self, since: Iterable[int]) -> None:
        """Every receipt given is stored and true; what was unanswered is sent again; nothing is there twice."""
        marks = list(since)
        self._count_lost(marks)
        for clerk, mark in zip(self.clerks, marks, strict=True):
            self.figures.unanswered += clerk.again(mark)
            assert [] == clerk.strange
        self._count_lost(marks)
        self.figures.messages = sum(not m.refused for c in self.clerks for m in c.messages)
        self.figures.twice = self.stored() - self.figures.messages

    def stored(self) -> int:
        """How many submissions there are."""
        with self.db.read() as tx:
            return int(tx.execute(select(func.count()).select_from(submissions)).scalar_one())

    def answered(self) -> int:
        """How many messages were answered."""
        return sum(m.answer is not None for c in self.clerks for m in c.messages)

    def unsealed(self) -> int:
        """How many rows of the audit log are not sealed."""
        with self.db.read() as tx:
            return audit.verify(tx, public_keys(tx)).unsealed

    def _count_lost(self, marks: list[int]) -> None:
        answers = [m.answer for c, mark in zip(self.clerks, marks, strict=True) for m in c.messages[mark:] if m.answer]
        given = [SignedReceipt.from_json(r) for answer in answers for r in answer["receipts"]]
        with self.db.read() as tx:
            keys = public_keys(tx)
            kept = set(
                tx.execute(select(receipts.c.hash).where(receipts.c.hash.in_([g.hash for g in given]))).scalars()
            )
        self.figures.lost += sum(g.hash not in kept or g.verify(keys) is not Verdict.VALID for g in given)

    def faults(self) -> list[str]:
        """What `gmsafety db verify` finds."""
        with self.db.read() as tx:
            return [fault for check in verify_database(tx, public_keys(tx)) for fault in check.faults]

    def close(self) -> None:
        """End the server."""
        self.server.kill()
        self.db.close()
