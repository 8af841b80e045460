"""A county files, the city decides: the life of a submission."""

from collections.abc import Callable
from typing import Any

from world import CITY, ZEZHOU, scenario_file

WEEKLY = "shanxi.weekly-dispatch"


def test_filed_accepted_reopened(person: Callable[..., Any]) -> None:
    clerk, reviewer = person(ZEZHOU, "clerk"), person(CITY, "reviewer")
    answer = clerk.file(scenario_file("2024-12-27", "zezhou", "weekly"), WEEKLY, "2024-12-27")
    assert 201 == answer.status_code, answer.text
    filed = answer.json()

    assert ("submitted", 1, 0) == (filed["state"], filed["revision"], filed["late_minutes"])
    assert ["stored", "checked"] == [r["receipt"]["kind"] for r in filed["receipts"]]

    answer = reviewer.post(f"/submissions/{filed['uid']}/accept", seen=filed["etag"], json={})
    assert 200 == answer.status_code, answer.text
    assert "accepted" == answer.json()["state"]
