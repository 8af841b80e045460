"""What comes in between: two forms at once, a slot that goes away, units filed past, and whose adjustment it was."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient

from gmsafety.duties import BEIJING
from gmsafety_server.features.rollups import filing
from gmsafety_server.features.submissions import handling
from gmsafety_server.node import Node
from gmsafety_server.planning import plan
from rolling import LEDGER, WEEKLY, City
from world import CITY, PROVINCE, Person, StandingClock, received, scenario_file

WEEK = "2025-01-03"


def test_forms_that_come_together_are_checked_against_each_other(
    city: City, clock: StandingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """高平's table and ledger disagree at C7; the ledger is stored while the table is still being looked at."""
    clock.set(received(WEEK, "高平市"))
    gaoping, look, ledgers = city.counties["gaoping"], handling.look, list[Any]()

    def look_and_wait(*told: Any) -> Any:
        looked = look(*told)
        if not ledgers:
            ledgers.append(None)
            ledgers.append(city.file("gaoping", WEEK, LEDGER))
        return looked

    monkeypatch.setattr(handling, "look", look_and_wait)
    filed = gaoping.file(scenario_file(WEEK, "gaoping", "weekly"), WEEKLY, WEEK, reason="测试").json()

    assert "GM-X601" in {f["code"] for f in filed["findings"]}


def test_a_roll_up_is_filed_while_another_form_of_the_city_comes_in(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is looked at again, with the ledger that was stored meanwhile."""
    city.receive(WEEK, WEEKLY, counties=("gaoping",))
    made, wrap, ledgers = city.roll_up(WEEK), filing.wrap, list[int]()

    def wrap_and_wait(*told: Any) -> Any:
        looked = wrap(*told)
        if not ledgers:
            message = {"message_id": "city-nil-1", "item": LEDGER, "period": WEEK, "nil": True, "reason": "本周没有"}
            ledgers.append(city.clerk.post("/submissions", json=message).status_code)
        return looked

    monkeypatch.setattr(filing, "wrap", wrap_and_wait)
    filed = city.file_upward(made)

    assert [201] == ledgers
    assert "filed" == filed["state"]


def test_a_slot_that_goes_away_is_not_owed(
    node: Node, city: City, clock: StandingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.set(received("2024-12-27", "泽州县"))
    look = handling.look

    def look_and_wait(*told: Any) -> Any:
        looked = look(*told)
        with node.db.write() as tx:
            plan(tx, node.catalog, after=clock.now(), only=[])
            tx.exec_driver_sql("DELETE FROM slots WHERE unit = 'jincheng.zezhou-office'")
        return looked

    monkeypatch.setattr(handling, "look", look_and_wait)
    answer = city.counties["zezhou"].file(scenario_file("2024-12-27", "zezhou", "weekly"), WEEKLY, "2024-12-27")

    assert "/problems/not-owed" == answer.json()["type"]


@pytest.mark.parametrize("item", [WEEKLY, LEDGER])
def test_nothing_and_something_is_neither(city: City, item: str) -> None:
    """A nil report has no numbers and no rows."""
    filed = city.file("zezhou", "2024-12-27", item)
    told = {"message_id": "zezhou-nil-1", "item": item, "period": "2024-12-27", "nil": True, "body": filed["body"]}
    answer = city.counties["zezhou"].post("/submissions", json={**told, "supersedes": filed["payload_hash"]})

    assert (422, "GM-H485") == (answer.status_code, answer.json()["code"])
    assert "零报告" in answer.json()["errors"][0]["message"]


def test_an_adjustment_keeps_its_author(city: City, clock: StandingClock, person: Callable[..., Person]) -> None:
    city.receive("2024-12-27", WEEKLY, counties=("zezhou",))
    made = city.roll_up("2024-12-27")
    one = {"path": "self.general.found", "delta": 2, "reason": "某企业两县重复填报"}
    two = {"path": "self.general.fixed", "delta": 1, "reason": "漏统计一条已整改"}
    made = city.change(made, "PUT", "adjustments", json={"adjustments": [one]})
    first = made["adjustments"][0]
    clock.set(received("2024-12-27", "高平市"))
    city.clerk = person(CITY, "clerk")
    made = city.change(made, "PUT", "adjustments", json={"adjustments": [one, two]})

    assert [first["at"]] == [a["at"] for a in made["adjustments"] if a["path"] == one["path"]]
    assert 2 == len({a["at"] for a in made["adjustments"]})


def test_what_is_filed_is_decided_by_the_unit_directly_above(
    city: City, clock: StandingClock, http: TestClient, person: Callable[..., Person]
) -> None:
    """泽州 goes under a zone: the zone decides on what it files, and the city does not count it."""
    province, zone = person(PROVINCE, "administrator"), "jincheng.zone"
    when = {"day": "2024-12-16", "reason": "设立片区"}
    opened = {
        "kind": "open",
        "ref": zone,
        "name": "晋城东片区",
        "level": "county",
        "role": "zone-office",
        "parent": CITY,
    }
    moved = {"kind": "move", "unit": "jincheng.zezhou-office", "to": zone}
    for told in (opened, moved):
        clock.set(datetime(2024, 12, 16, 9, 0, tzinfo=BEIJING))
        answer = province.post("/units/changes", json=told | when)
        assert 201 == answer.status_code, answer.text
    city.receive("2024-12-27", WEEKLY, counties=("gaoping",))
    filed = city.file("zezhou", "2024-12-27")
    accept = f"/submissions/{filed['uid']}/accept"
    made = city.roll_up("2024-12-27")

    assert 403 == city.reviewer.post(accept, seen=filed["etag"], json={}).status_code
    assert 200 == person(zone, "reviewer").post(accept, seen=filed["etag"], json={}).status_code
    assert ["高平市应急管理局"] == [s["unit_name"] for s in made["sources"]]
