"""Many at once, over real HTTP, to one process and to two: one wins, the others are told so, nothing is there twice."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import func, select

from burst import WEEKLY, Serving, enlist, serving
from gmsafety_server.db import Database
from gmsafety_server.node import public_keys
from gmsafety_server.tables import attachments, blobs, events, receipts, submissions
from gmsafety_server.verification import verify_database
from world import CITY, ZEZHOU, scenario_file

WEEK, TIMES = "2024-12-27", 50
FILE = scenario_file(WEEK, "zezhou", "weekly")
SUFFIX = FILE.with_suffix(".xlsx.expected.json")


TWO_PROCESSES = pytest.mark.parametrize("server", [1, 2], ids=["one-process", "two-processes"], indirect=True)


@pytest.fixture
def server(request: pytest.FixtureRequest, database: str, tmp_path: Path) -> Iterator[Serving]:
    with serving(database, tmp_path, workers=getattr(request, "param", 1)) as server:
        yield server


@pytest.fixture
def db(database: str) -> Iterator[Database]:
    db = Database(database)
    yield db
    with db.read() as tx:
        assert [] == [fault for check in verify_database(tx, public_keys(tx)) for fault in check.faults]
    db.close()


@pytest.fixture
def client(server: Serving, db: Database) -> Iterator[Callable[..., httpx2.Client]]:
    """Somebody of a unit, with a client of their own."""
    made = []

    def make(unit: str, *roles: str) -> httpx2.Client:
        headers = {"Authorization": f"Bearer {enlist(db, unit, *roles)}"}
        limits = httpx2.Limits(max_connections=TIMES)
        made.append(httpx2.Client(base_url=f"{server.address}/api/v1", headers=headers, timeout=60, limits=limits))
        return made[-1]

    yield make
    for one in made:
        one.close()


def at_once(*calls: Callable[[], httpx2.Response]) -> list[httpx2.Response]:
    with ThreadPoolExecutor(len(calls)) as pool:
        return [f.result() for f in [pool.submit(call) for call in calls]]


def statuses(answers: list[httpx2.Response]) -> dict[int, int]:
    return dict(Counter(a.status_code for a in answers))


def different(answers: list[httpx2.Response]) -> set[str]:
    """The answers that are not equal; the order of keys is no difference."""
    return {json.dumps(a.json(), sort_keys=True) for a in answers}


def rows(db: Database) -> dict[str, int]:
    with db.read() as tx:
        tables = (submissions, receipts, attachments, blobs, events)
        return {t.name: tx.execute(select(func.count()).select_from(t)).scalar_one() for t in tables}


def message(name: str, *, general: int = 190, **more: Any) -> dict[str, Any]:
    told = json.loads(SUFFIX.read_text("utf-8"))
    told["clauses"]["2"]["numbers"][1] = general
    body = {"header": told["header"], "clauses": told["clauses"]}
    return {"message_id": name, "item": WEEKLY, "period": WEEK, "reason": "已核实", "body": body, **more}


@TWO_PROCESSES
def test_fifty_times_the_same(client: Callable[..., httpx2.Client], db: Database) -> None:
    """JSON and files: one row each time, and fifty equal answers but for the first being the first."""
    clerk = client(ZEZHOU, "clerk")
    answers = at_once(*[lambda: clerk.post("/submissions", json=message("same-json-1"))] * TIMES)

    assert {201: 1, 200: TIMES - 1} == statuses(answers)
    assert 1 == len(different(answers))
    assert {"submissions": 1, "receipts": 2, "attachments": 0, "blobs": 0, "events": 1} == rows(db)

    told = {"message_id": "same-file-1", "item": WEEKLY, "period": "2025-01-03", "reason": "已核实"}
    content = FILE.read_bytes()
    answers = at_once(
        *[lambda: clerk.post("/submissions/files", data=told, files={"file": ("周调度.xlsx", content)})] * TIMES
    )

    assert {201: 1, 200: TIMES - 1} == statuses(answers)
    assert 1 == len(different(answers))
    assert {"submissions": 2, "receipts": 4, "attachments": 1, "blobs": 1, "events": 2} == rows(db)


def test_fifty_others_of_the_same_name(client: Callable[..., httpx2.Client], db: Database) -> None:
    """The same message id with other contents: the first that is stored stays, the others learn both hashes."""
    clerk = client(ZEZHOU, "clerk")
    answers = at_once(*[
        lambda n=n: clerk.post("/submissions", json=message("same-name-1", general=n)) for n in range(TIMES)
    ])  # fmt: skip

    assert {201: 1, 409: TIMES - 1} == statuses(answers)
    others = [a.json() for a in answers if a.status_code == 409]
    assert {"GM-H450"} == {o["code"] for o in others}
    assert 1 == len({o["stored_hash"] for o in others})
    assert TIMES - 1 == len({o["received_hash"] for o in others})
    assert (1, 2) == (rows(db)["submissions"], rows(db)["receipts"])


def test_fifty_first_revisions(client: Callable[..., httpx2.Client], db: Database) -> None:
    """One becomes the first revision of the period; the others learn which one it is."""
    clerk = client(ZEZHOU, "clerk")
    answers = at_once(*[
        lambda n=n: clerk.post("/submissions", json=message(f"first-{n:04}", general=n)) for n in range(TIMES)
    ])  # fmt: skip

    assert {201: 1, 409: TIMES - 1} == statuses(answers)
    first = next(a.json() for a in answers if a.status_code == 201)
    others = [a.json() for a in answers if a.status_code == 409]
    assert {("GM-H451", first["uid"], 1)} == {
        (o["code"], o["current"]["uid"], o["current"]["revision"]) for o in others
    }
    assert (1, 2) == (rows(db)["submissions"], rows(db)["receipts"])


@TWO_PROCESSES
def test_fifty_corrections(client: Callable[..., httpx2.Client], db: Database) -> None:
    """All correct the same revision: one becomes the second, the others are told that it is no longer the current one."""
    clerk = client(ZEZHOU, "clerk")
    first = clerk.post("/submissions", json=message("corrected-1")).json()
    corrections = [message(f"correction-{n:04}", general=n, supersedes=first["payload_hash"]) for n in range(TIMES)]
    answers = at_once(*[lambda m=m: clerk.post("/submissions", json=m) for m in corrections])

    assert {201: 1, 409: 0, 412: TIMES - 1} == {409: 0, **statuses(answers)}
    second = next(a.json() for a in answers if a.status_code == 201)
    others = [a.json() for a in answers if a.status_code == 412]
    assert {("GM-H460", second["uid"], 2)} == {
        (o["code"], o["current"]["uid"], o["current"]["revision"]) for o in others
    }
    assert 2 == second["revision"]
    assert "superseded" == clerk.get(f"/submissions/{first['uid']}").json()["state"]


def test_accepted_while_corrected(client: Callable[..., httpx2.Client], db: Database) -> None:
    """Either the correction came first, and the acceptance is of nothing any more; or it is too late for it."""
    clerk, reviewer = client(ZEZHOU, "clerk"), client(CITY, "reviewer")
    seen = set()
    for week in ("2024-12-20", "2024-12-27", "2025-01-03", "2025-01-10", "2025-01-17", "2025-01-24"):
        first = clerk.post("/submissions", json=message(f"race-{week}", period=week)).json()
        correction = message(f"race-{week}-2", general=7, period=week, supersedes=first["payload_hash"])
        match = {"If-Match": f'"{first["etag"]}"'}
        accepted, corrected = at_once(
            partial(reviewer.post, f"/submissions/{first['uid']}/accept", json={}, headers=match),
            partial(clerk.post, "/submissions", json=correction),
        )
        told = clerk.get(f"/submissions/{first['uid']}").json()
        kinds = [r["receipt"]["kind"] for r in told["receipts"]]
        if accepted.status_code == 200:
            assert (409, "GM-H452") == (corrected.status_code, corrected.json()["code"])
            assert ("accepted", ["stored", "checked", "decided"]) == (told["state"], kinds)
        else:
            assert (201, 412, "GM-H460") == (corrected.status_code, accepted.status_code, accepted.json()["code"])
            assert ("superseded", ["stored", "checked"]) == (told["state"], kinds)
        seen.add(accepted.status_code)

    assert seen <= {200, 412}


def test_two_reviewers(client: Callable[..., httpx2.Client], db: Database) -> None:
    """One accepts, one returns: one decision holds, the other reviewer sees that there is something new."""
    clerk, one, two = client(ZEZHOU, "clerk"), client(CITY, "reviewer"), client(CITY, "reviewer")
    for week in ("2024-12-20", "2024-12-27", "2025-01-03"):
        filed = clerk.post("/submissions", json=message(f"two-{week}", period=week)).json()
        match = {"If-Match": f'"{filed["etag"]}"'}
        reasons = {"reasons": [{"where": "C7", "text": "请核对"}]}
        accepted, returned = at_once(
            partial(one.post, f"/submissions/{filed['uid']}/accept", json={}, headers=match),
            partial(two.post, f"/submissions/{filed['uid']}/return", json=reasons, headers=match),
        )
        told = clerk.get(f"/submissions/{filed['uid']}").json()
        decisions = [r["receipt"]["decision"] for r in told["receipts"] if r["receipt"]["kind"] == "decided"]

        assert {200: 1, 412: 1} == statuses([accepted, returned])
        assert ["accepted" if accepted.status_code == 200 else "returned"] == decisions == [told["state"]]


def test_the_same_decision_fifty_times(client: Callable[..., httpx2.Client], db: Database) -> None:
    """A button pressed many times decides once, and answers each time that it is done."""
    clerk, reviewer = client(ZEZHOU, "clerk"), client(CITY, "reviewer")
    filed = clerk.post("/submissions", json=message("decided-1")).json()
    match = {"If-Match": f'"{filed["etag"]}"'}
    answers = at_once(*[lambda: reviewer.post(f"/submissions/{filed['uid']}/accept", json={}, headers=match)] * TIMES)

    assert {200: TIMES} == statuses(answers)
    assert 1 == len(different(answers))
    assert 3 == rows(db)["receipts"]
