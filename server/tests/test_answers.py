"""What a filing is answered with is made of what is at hand; it is what anybody reads afterwards."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from gmsafety.duties import BEIJING
from world import CITY, ZEZHOU, Person, StandingClock, scenario_file

WEEKLY, LEDGER = "shanxi.weekly-dispatch", "shanxi.major-hazard-ledger"


def nil(item: str, **more: Any) -> dict[str, Any]:
    return {"message_id": f"m-{uuid4().hex}", "item": item, "period": "2024-12-27", "nil": True, **more}


@pytest.mark.parametrize(
    ("told", "state"),
    [
        (nil(WEEKLY), "submitted"),
        (nil(LEDGER, note="本周没有"), "submitted"),
        (nil(WEEKLY, action="draft", reason="待核"), "draft"),
    ],
)
def test_json(person: Callable[..., Person], told: dict[str, Any], state: str) -> None:
    clerk = person(ZEZHOU, "clerk")
    answer = clerk.post("/submissions", json=told)
    read = clerk.get(f"/submissions/{answer.json()['uid']}")

    assert (201, 200, state) == (answer.status_code, read.status_code, read.json()["state"]), answer.text
    assert read.json() == answer.json()
    assert [read.headers[name] for name in ("etag", "location")] == [answer.headers[n] for n in ("etag", "location")]


def test_files_late_and_again(person: Callable[..., Person], clock: StandingClock) -> None:
    clerk, reviewer = person(ZEZHOU, "clerk"), person(CITY, "reviewer")
    clock.set(datetime(2024, 12, 27, 13, 30, 0, 250_000, tzinfo=BEIJING))
    first = clerk.file(scenario_file("2024-12-27", "zezhou", "weekly"), WEEKLY, "2024-12-27").json()

    assert (90, 2) == (first["late_minutes"], len(first["receipts"]))
    assert first == clerk.get(f"/submissions/{first['uid']}").json()

    reviewer.post(f"/submissions/{first['uid']}/return", seen=first["etag"], json={"note": "请核"})
    clock.set(clock.now() + timedelta(hours=3))
    second = clerk.post("/submissions", json=nil(WEEKLY, supersedes=first["payload_hash"], reason="更正"))

    assert 201 == second.status_code, second.text
    assert second.json() == clerk.get(f"/submissions/{second.json()['uid']}").json()
    assert [r["receipt"]["revision"] for r in second.json()["receipts"]] == [2, 2]


def test_a_token_that_does_one_thing_is_answered(person: Callable[..., Person]) -> None:
    clerk, reviewer = person(ZEZHOU, "clerk", scopes=["file"]), person(CITY, "reviewer", scopes=["review"])
    told = nil(WEEKLY)
    first, again = clerk.post("/submissions", json=told), clerk.post("/submissions", json=told)
    accepted = reviewer.post(f"/submissions/{first.json()['uid']}/accept", seen=first.json()["etag"], json={})

    assert [201, 200, 200] == [answer.status_code for answer in (first, again, accepted)], accepted.text
    assert first.json() == again.json()
    assert 403 == clerk.get(f"/submissions/{first.json()['uid']}").status_code
