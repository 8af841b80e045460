"""Several processes serve one node over one PostgreSQL: each message goes out once, comes in once, is taken up once.

A process is killed with messages that it had taken; another one takes them over.
"""

import json
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import psutil  # type: ignore[import-untyped]
import pytest
from sqlalchemy import select

from burst import FIRST, WEEKLY, enlist
from faulty_lines import FaultyLines, faulty_lines
from gmsafety import Catalog
from gmsafety_server.tables import outbox
from outages import quiet
from proving import Proof, prove
from real_nodes import Land, Site, sites
from world import scenario_file

WORKERS, FILINGS = 3, 60
SOON = 120.0
LONG = pytest.mark.skipif(not os.environ.get("GMSAFETY_FAULT_ROUNDS"), reason="a long run: make test-faults")
pytestmark = [
    pytest.mark.parametrize("databases", ["postgresql"], indirect=True),
    pytest.mark.timeout(1500),
]


@pytest.fixture
def lines() -> Iterator[FaultyLines]:
    with faulty_lines("354") as made:
        yield made


@pytest.fixture
def made(
    databases: Callable[[], str], catalog: Catalog, tmp_path: Path, lines: FaultyLines
) -> Iterator[dict[str, Site]]:
    """A county and its city, three processes each."""
    land = Land(catalog, tmp_path, lambda _folder: databases(), lines, names=("zezhou", "jincheng"), workers=WORKERS)
    with sites(land) as found:
        yield found
        said = "".join(site.server.said for site in found.values())
    assert "Traceback" not in said


def processes(site: Site) -> list[psutil.Process]:
    """Those that serve; the one that watches over them is not among them."""
    assert site.server.process is not None
    children = psutil.Process(site.server.process.pid).children()
    return [p for p in children if _serves(p)]


def _serves(process: psutil.Process) -> bool:
    try:
        return any("spawn_main" in word for word in process.cmdline())
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return False


def until(what: Callable[[], Any], *, seconds: float = SOON) -> Any:
    """Wait for something that comes about in another process."""
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.02)
    return found


def file_at_once(site: Site) -> int:
    """File forms of many weeks, from several hands; returns how many were taken."""
    token = enlist(site.station.node.db, site.station.unit, "clerk")
    body = json.loads(scenario_file("2024-12-27", "zezhou", "weekly").with_suffix(".xlsx.expected.json").read_text())
    content = {"header": body["header"], "clauses": body["clauses"]}
    weeks = [FIRST + timedelta(days=7 * n) for n in range(15)]

    def chain(week: date) -> int:
        """A form and its corrections."""
        before: str | None = None
        with httpx2.Client(base_url=f"{site.server.address}/api/v1", timeout=60, trust_env=False) as client:
            for number in range(FILINGS // 15):
                told: dict[str, Any] = {"message_id": f"m-{uuid4().hex}", "item": WEEKLY, "period": week.isoformat()}
                told |= {"reason": f"第{number}次核对", "body": content} | ({"supersedes": before} if before else {})
                answer = client.post("/submissions", json=told, headers={"Authorization": f"Bearer {token}"})
                assert 201 == answer.status_code, answer.text
                before = answer.json()["payload_hash"]
        return FILINGS // 15

    with ThreadPoolExecutor(6) as pool:
        return sum(pool.map(chain, weeks))


def whole(made: dict[str, Site]) -> Proof:
    """Once nothing is on its way any more: all is there, once, in order, and nothing is wrong with either database."""
    quiet(made, seconds=5 * SOON)
    found = prove(made)
    assert [] == found.faults
    assert (FILINGS, 0, 0, 0) == (found.submissions, found.turned_down, found.lost, found.twice)
    return found


def logged(site: Site, words: str) -> dict[str, int]:
    """How many lines with these words each process has written."""
    found: dict[str, int] = {}
    for line in (site.server.log.parent / "log").read_text("utf-8").splitlines():
        if words in line:
            found[line.split()[3]] = found.get(line.split()[3], 0) + 1
    return found


def test_shared_work(made: dict[str, Site]) -> None:
    """Nobody sends what another one sends, or takes up what another one takes up."""
    assert FILINGS == file_at_once(made["zezhou"])
    found = whole(made)

    assert FILINGS * 3 == found.messages
    assert 0 == found.sent_again
    assert {} == logged(made["jincheng"], "（再次）") | logged(made["zezhou"], "（再次）")
    delivered = logged(made["zezhou"], "已送达")
    assert FILINGS == sum(delivered.values())
    assert {} == logged(made["jincheng"], "出错") | logged(made["zezhou"], "出错")


@LONG
def test_processes_are_killed(made: dict[str, Site]) -> None:
    """One process after the other is killed while the others go on; it is replaced, and nothing is lost or twice."""
    with ThreadPoolExecutor(1) as pool:
        filing = pool.submit(file_at_once, made["zezhou"])
        for _ in range(3):
            time.sleep(1.0)
            victim = until(lambda: processes(made["jincheng"]))[0]
            victim.kill()
        filing.result()
    whole(made)
    assert WORKERS == len(until(lambda: p if len(p := processes(made["jincheng"])) == WORKERS else None))


@LONG
def test_a_lease_runs_out(made: dict[str, Site], lines: FaultyLines) -> None:
    """A process is killed that has taken messages and waits for an answer; another one sends them, after a while."""
    county = made["zezhou"]
    line = county.lines["jincheng"]
    lines.part("silent", line)
    assert FILINGS == file_at_once(county)
    until(lambda: [r for r in county.station.rows(outbox) if r.leased_until is not None])
    [sender] = until(lambda: [p for p in processes(county) if line.port in _calls(p)])
    sender.kill()
    with county.station.node.db.read() as tx:
        taken = tx.execute(select(outbox.c.id).where(outbox.c.leased_until.is_not(None))).scalars().all()
    assert taken
    lines.heal(line)
    whole(made)


def _calls(process: psutil.Process) -> set[int]:
    """The ports that a process has called."""
    try:
        return {c.raddr.port for c in process.net_connections(kind="tcp") if c.raddr}
    except psutil.NoSuchProcess:
        return set()
