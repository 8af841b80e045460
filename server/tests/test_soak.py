"""`make soak`: hours of mixed traffic with kills, stops, backups; nothing is lost, nothing is twice, no answer is strange.

GMSAFETY_SOAK_MINUTES says for how long on each database, GMSAFETY_SOAK_WORKERS how many processes serve.
"""

import os
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from threading import Event, Thread
from typing import Any

import httpx2
import pytest

from burst import TIMEOUT, Play, enlist
from gmsafety_server.backup import restore, write_backup
from gmsafety_server.clock import Clock
from gmsafety_server.db import Database
from gmsafety_server.node import public_keys
from gmsafety_server.verification import verify_database
from world import CITY

MINUTES = float(os.environ.get("GMSAFETY_SOAK_MINUTES", "0"))
WORKERS = int(os.environ.get("GMSAFETY_SOAK_WORKERS", "1"))
pytestmark = [
    pytest.mark.skipif(not MINUTES, reason="a long run: make soak"),
    pytest.mark.timeout(MINUTES * 60 + 1800),
]
READ = (
    "/board?period=2024-12-27",
    "/submissions?size=20",
    "/submissions?state=submitted&size=5",
    "/due",
    "/campaigns",
    "/units",
    "/rollups",
    "/openapi.json",
)
_FORESEEN = (200, 404, 409, 412, 503)


class Visitor:
    """Somebody who looks at things and, as the reviewer of the city, decides some."""

    def __init__(self, play: Play, token: str, seed: int) -> None:
        self._play, self._chance = play, Random(seed)
        self._headers = {"Authorization": f"Bearer {token}"}
        self.answers: Counter[str] = Counter()
        self.strange: list[str] = []

    def visit(self, over: Event) -> None:
        """Go on until it is over; where nobody answers, wait a little."""
        with httpx2.Client(
            base_url=f"{self._play.server.address}/api/v1", headers=self._headers, timeout=TIMEOUT
        ) as client:
            while not over.is_set():
                try:
                    self._once(client)
                except httpx2.HTTPError:
                    over.wait(0.1)

    def _once(self, client: httpx2.Client) -> None:
        if self._chance.random() < 0.7:
            self._note(client.get(self._chance.choice(READ)))
            return
        found = client.get("/submissions", params={"state": "submitted", "size": 20})
        self._note(found)
        if found.status_code == 200 and (items := found.json()["items"]):
            self._decide(client, self._chance.choice(items))

    def _decide(self, client: httpx2.Client, item: dict[str, Any]) -> None:
        where, seen = f"/submissions/{item['uid']}", {"If-Match": f'"{item["etag"]}"'}
        if self._chance.random() < 0.5:
            self._note(client.post(f"{where}/return", json={"note": "请核对"}, headers=seen))
            return
        accepted = client.post(f"{where}/accept", json={}, headers=seen)
        self._note(accepted)
        if accepted.status_code == 200:
            seen = {"If-Match": f'"{accepted.json()["etag"]}"'}
            self._note(client.post(f"{where}/reopen", json={"note": "再核对"}, headers=seen))

    def _note(self, answer: httpx2.Response) -> None:
        self.answers[f"{answer.request.method} {answer.status_code}"] += 1
        if answer.status_code not in _FORESEEN:
            self.strange.append(
                f"{answer.request.method} {answer.request.url} {answer.status_code} {answer.text[:300]}"
            )


@pytest.fixture
def play(database: str, tmp_path: Path) -> Any:
    made = Play(database, tmp_path, workers=WORKERS)
    made.server.start()
    yield made
    made.close()
    assert "Traceback" not in made.server.said


def test_soak(
    play: Play, tmp_path: Path, empty_database: str, capsys: pytest.CaptureFixture[str], prepared: Callable[..., None]
) -> None:
    chance, end, backups, stops = Random(354), time.monotonic() + MINUTES * 60, 0, 0
    file = tmp_path / "backup.zip"
    visitors = [Visitor(play, enlist(play.db, CITY, "reviewer"), n) for n in range(2)]
    over = Event()
    threads = [Thread(target=v.visit, args=(over,)) for v in visitors]
    for thread in threads:
        thread.start()
    while time.monotonic() < end:
        what = chance.choice(("kill", "kill", "stop", "backup"))
        if what == "kill":
            play.kill(chance.uniform(0.5, 10))
        elif what == "stop":
            since = play.burst(chance.uniform(0.5, 10), play.server.stop)
            stops += 1
            play.server.start()
            play.look(since)
        else:
            file.unlink(missing_ok=True)
            since = play.burst(
                1, lambda: write_backup(play.db, file, node="jincheng", now=Clock().now(), progress=_quiet)
            )
            backups += 1
            play.look(since)
        assert (0, 0) == (play.figures.lost, play.figures.twice)
        with capsys.disabled():
            print(f"\r{play.figures}, stops {stops}, backups {backups}", end="", flush=True)
    over.set()
    for thread in threads:
        thread.join(TIMEOUT)
    play.server.stop()
    answers = sum((v.answers for v in visitors), Counter())
    with capsys.disabled():
        print(f"\n{play.db.url.get_backend_name()}: {dict(sorted(answers.items()))}", flush=True)

    assert [] == [s for v in visitors for s in v.strange]
    assert [] == play.faults()
    if backups:
        there = Database(empty_database)
        restore(there, file, force=False, now=None, progress=_quiet)
        with there.read() as tx:
            assert [] == [fault for check in verify_database(tx, public_keys(tx)) for fault in check.faults]
        there.close()


def _quiet(_what: str, _done: int, _total: int) -> None:
    """Nobody looks."""
