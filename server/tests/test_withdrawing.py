"""What was filed and is not accepted is taken back: inside a node at once, between nodes by the upper node's receipt."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from browsing import Browser
from exchanging import Lines, Station, connected, settle
from gmsafety import Catalog
from gmsafety_server.node import Node, public_keys
from gmsafety_server.tables import audit, inbox, outbox, slots
from gmsafety_server.verification import verify_database
from rolling import REASON, WEEKLY, City
from test_exchange_story import TABLE, WEEK, Office, agree, receipts
from world import ZEZHOU, Person, StandingClock, day, scenario_file

WORDS = {"reason": "报错了期次"}


def told(answer: Any, status: int = 200) -> dict[str, Any]:
    assert status == answer.status_code, answer.text
    return dict(answer.json())


def take_back(person: Person, filed: dict[str, Any], status: int = 200) -> dict[str, Any]:
    uid = filed["uid"]
    seen = person.get(f"/submissions/{uid}").json()["etag"]
    return told(person.post(f"/submissions/{uid}/withdraw", seen=seen, json=WORDS), status)


def slot_of(node: Node, unit: str = ZEZHOU) -> tuple[Any, ...]:
    with node.db.read() as tx:
        found = select(slots).where(slots.c.unit == unit, slots.c.item == WEEKLY, slots.c.period == day(WEEK))
        row = tx.execute(found).one()
    return row.state, row.revision, row.submission_id is None, row.received_at is None


def faults(node: Node) -> list[str]:
    with node.db.read() as tx:
        return [fault for check in verify_database(tx, public_keys(tx)) for fault in check.faults]


# --- inside one node ---------------------------------------------------------------------------------------------


@pytest.fixture
def city(person: Callable[..., Person], clock: StandingClock) -> City:
    return City(person, clock)


def test_taken_back_and_filed_again(node: Node, city: City) -> None:
    filed = city.file("zezhou", WEEK)
    taken = take_back(city.counties["zezhou"], filed)

    assert ("withdrawn", ["stored", "checked", "withdrawn"]) == (taken["state"], receipts(taken))
    assert "报错了期次" == taken["receipts"][-1]["receipt"]["note"]
    assert ("open", 1, True, True) == slot_of(node)
    assert [] == faults(node)
    again = city.file("zezhou", WEEK)
    assert (2, None, "submitted") == (again["revision"], again["supersedes"], again["state"])
    city.accept(again)
    assert [] == faults(node)


def test_done_twice_it_is_done_once(node: Node, city: City) -> None:
    filed = city.file("zezhou", WEEK)
    clerk = city.counties["zezhou"]
    first = clerk.post(f"/submissions/{filed['uid']}/withdraw", seen=filed["etag"], json=WORDS)
    second = clerk.post(f"/submissions/{filed['uid']}/withdraw", seen=filed["etag"], json=WORDS)
    third = clerk.post(f"/submissions/{filed['uid']}/withdraw", seen=first.json()["etag"], json={"reason": "又撤"})

    assert first.json() == second.json()
    assert (409, "GM-H454") == (third.status_code, third.json()["code"])
    with node.db.read() as tx:
        rows = tx.execute(select(audit.c.action).where(audit.c.object == filed["uid"])).scalars().all()
    assert 1 == rows.count("submission.withdrawn")


def test_what_is_returned_can_be_taken_back_and_what_is_accepted_cannot(city: City, node: Node) -> None:
    filed = city.file("zezhou", WEEK)
    city.give_back(filed)
    assert "withdrawn" == take_back(city.counties["zezhou"], filed)["state"]
    again = city.file("zezhou", WEEK)
    city.accept(again)
    refused = take_back(city.counties["zezhou"], again, 409)

    assert ("GM-H452", "第2版已被接受，不能撤回") == (refused["code"], refused["detail"])
    assert [] == faults(node)


def test_of_a_correction_all_is_taken_back(city: City, node: Node) -> None:
    """The revision before it does not come back: it was wrong."""
    first = city.file("zezhou", WEEK)
    second = city.correct("zezhou", WEEK, first, self__general__found=21)
    old = city.counties["zezhou"].get(f"/submissions/{first['uid']}").json()
    refused = take_back(city.counties["zezhou"], old, 409)
    take_back(city.counties["zezhou"], second)

    assert "GM-H454" == refused["code"]
    assert ("open", 2, True, True) == slot_of(node)
    assert [] == faults(node)


def test_after_the_deadline_what_comes_again_is_late(city: City, node: Node, clock: StandingClock) -> None:
    filed = city.file("zezhou", WEEK)
    assert 0 == filed["late_minutes"]
    clock.set(clock.now() + timedelta(hours=3))
    take_back(city.counties["zezhou"], filed)
    again = city.file("zezhou", WEEK)

    assert again["late_minutes"] > 0
    clock.set(clock.now() + timedelta(days=node.settings.late_days + 1))
    assert "GM-H455" == take_back(city.person(ZEZHOU, "clerk"), again, 409)["code"]  # it could not be filed again
    assert [] == faults(node)


def test_a_roll_up_loses_the_part(city: City) -> None:
    city.receive(WEEK, WEEKLY, accept=False)
    made = city.roll_up(WEEK, basis="submitted")
    filed = city.counties["zezhou"].get(f"/submissions?unit={ZEZHOU}&item={WEEKLY}&period={WEEK}").json()["items"][0]
    take_back(city.counties["zezhou"], filed)
    looked = city.look(made)

    assert looked["stale"]
    assert [{"before": 1, "after": None}] == [
        {n: b[n] for n in ("before", "after")} for b in looked["changes"][0]["because"]
    ]
    after = city.change(looked, "POST", "refresh")
    assert ["due"] == [m["state"] for m in after["missing"] if m["unit"] == ZEZHOU]


def test_a_roll_up_that_was_taken_back_is_filed_again(city: City, node: Node) -> None:
    city.receive(WEEK, WEEKLY)
    made = city.file_upward(city.roll_up(WEEK, own=True))
    first = made["submission"]
    take_back(city.clerk, first)
    looked = city.look(made)
    assert ("draft", "withdrawn") == (looked["state"], looked["submission"]["state"])
    again = city.file_upward(looked)["submission"]

    assert (2, "submitted") == (again["revision"], again["state"])
    assert [] == faults(node)


def test_a_draft_of_a_correction_stays(city: City, node: Node) -> None:
    filed = city.file("zezhou", WEEK)
    path, more = scenario_file(WEEK, "zezhou", "weekly"), {"action": "draft", "supersedes": filed["payload_hash"]}
    clerk = city.counties["zezhou"]
    draft = told(clerk.file(path, WEEKLY, WEEK, **more), 201)
    take_back(clerk, filed)
    draft = clerk.get(f"/submissions/{draft['uid']}").json()
    done = told(clerk.post(f"/submissions/{draft['uid']}/submit", seen=draft["etag"], json={"reason": REASON}))

    assert (None, 2, "submitted") == (draft["supersedes"], done["revision"], done["state"])
    assert [] == faults(node)


def test_the_pages_of_one_node(city: City, node: Node) -> None:
    filed = city.file("zezhou", WEEK)
    mine = Browser(node, city.counties["zezhou"])
    page = mine.get(f"/submissions/{filed['uid']}")
    done = mine.send(page, f"/submissions/{filed['uid']}/withdraw", reason=WORDS["reason"])
    after, above = mine.get(f"/submissions/{filed['uid']}"), Browser(node, city.reviewer)

    assert ["第1版已撤回，回执在那一版的页上。这一期现在是未报。"] == done.said()
    assert "上传并核对" in done.text
    assert "撤回了这一版" in after.text
    assert f"/submissions/{filed['uid']}/withdraw" not in after.actions()
    assert "这一期现在是未报" in above.get(f"/submissions/{filed['uid']}").text
    assert "撤回了以前报的" in above.get(done.path).text
    assert f"/submissions/{filed['uid']}/withdraw" not in above.get(f"/submissions/{filed['uid']}").actions()


# --- between nodes -----------------------------------------------------------------------------------------------


@pytest.fixture
def nodes(databases: Callable[[], str], catalog: Catalog, clock: StandingClock) -> Iterator[list[Station]]:
    """County, city, province."""
    lines = Lines()
    made = [Station(name, databases(), catalog, clock, lines) for name in ("zezhou", "jincheng", "shanxi")]
    with connected(made):
        yield made


@pytest.fixture
def offices(nodes: list[Station]) -> list[Office]:
    return [Office(station) for station in nodes]


def test_taken_back_between_nodes(offices: list[Office], nodes: list[Station]) -> None:
    county, upper, _ = offices
    filed = county.file()
    settle(*nodes)
    asked = take_back(county.clerk, filed)
    assert ("submitted", "GM-H454") == (asked["state"], take_back(county.clerk, filed, 409)["code"])
    taken = agree(filed, county, upper)
    empty = ("open", 1, True, True)

    assert ("withdrawn", ["stored", "checked", "withdrawn"]) == (taken["state"], receipts(taken))
    assert empty == slot_of(nodes[0].node) == slot_of(nodes[1].node)
    again = agree(county.file(), county, upper)
    assert (2, "submitted", ["stored", "checked"]) == (again["revision"], again["state"], receipts(again))
    assert [[]] * 3 == [station.faults() for station in nodes]


def test_before_the_upper_node_has_heard_of_it(offices: list[Office], nodes: list[Station]) -> None:
    """Filed and taken back while the line is cut: both come, in their order, and both are receipted."""
    county, upper, _ = offices
    nodes[0].lines.cut.add("jincheng")
    filed = county.file()
    take_back(county.clerk, filed)
    settle(*nodes)
    assert "submitted" == county.look(filed)["state"]
    nodes[0].lines.cut.clear()
    nodes[0].clock.set(max(r.next_try for r in nodes[0].rows(outbox)))

    assert ("withdrawn", ["stored", "checked", "withdrawn"]) == (
        agree(filed, county, upper)["state"],
        receipts(county.look(filed)),
    )
    assert [[]] * 3 == [station.faults() for station in nodes]


def test_it_crosses_an_acceptance(offices: list[Office], nodes: list[Station]) -> None:
    """What was accepted stays accepted; the county is told, and can ask again when it is reopened."""
    county, upper, _ = offices
    filed = county.file()
    settle(*nodes)
    upper.decide(filed, "accept")
    take_back(county.clerk, filed)
    settled = agree(filed, county, upper)

    assert ("accepted", "accepted") == (settled["state"], receipts(settled)[-1])
    assert [("accepted", "第1版已被接受，不能撤回")] == [
        (r.problem, r.detail) for r in nodes[1].rows(inbox) if r.problem
    ]
    history = county.clerk.get(f"/submissions/{filed['uid']}/history").json()
    assert ["withdrawing", "accepted", "kept"] == [e["kind"] for e in history][-3:]
    assert "第1版已被接受，不能撤回。请联系上级单位撤销接受后再更正。" == history[-1]["text"]
    page = Browser(nodes[0].node, county.clerk).get(f"/submissions/{filed['uid']}")
    assert "上级单位的节点没有撤回" in page.text
    upper.decide(filed, "reopen", note="同意撤回")
    settle(*nodes)
    take_back(county.clerk, filed)
    assert "withdrawn" == agree(filed, county, upper)["state"]
    assert [[]] * 3 == [station.faults() for station in nodes]


def test_it_crosses_a_return(offices: list[Office], nodes: list[Station]) -> None:
    county, upper, _ = offices
    filed = county.file()
    settle(*nodes)
    upper.decide(filed, "return", note="请核对")
    take_back(county.clerk, filed)

    assert ["returned", "withdrawn"] == receipts(agree(filed, county, upper))[-2:]
    assert [[]] * 3 == [station.faults() for station in nodes]


def test_corrected_while_the_answer_is_awaited(offices: list[Office], nodes: list[Station]) -> None:
    county, upper, _ = offices
    filed = county.file()
    settle(*nodes)
    take_back(county.clerk, filed)
    second = county.correct(filed, 21)
    settle(*nodes)

    assert (2, "submitted") == (second["revision"], agree(second, county, upper)["state"])
    assert "withdrawn" == upper.look(filed)["state"]
    assert [[]] * 3 == [station.faults() for station in nodes]


def test_a_part_that_is_taken_back_makes_the_roll_up_out_of_date(offices: list[Office], nodes: list[Station]) -> None:
    county, upper, province = offices
    first = county.file()
    settle(*nodes)
    upper.decide(first, "accept")
    filed = upper.roll_up()
    settle(*nodes)
    upper.decide(first, "reopen", note="同意撤回")
    settle(*nodes)
    take_back(county.clerk, first)
    settle(*nodes)

    assert province.look(filed)["outdated"]
    take_back(upper.clerk, filed)
    settle(*nodes)
    assert ("withdrawn", False) == (province.look(filed)["state"], province.look(filed)["outdated"])
    assert [[]] * 3 == [station.faults() for station in nodes]


def test_the_pages_between_nodes(offices: list[Office], nodes: list[Station]) -> None:
    county, upper, _ = offices
    filed = county.file()
    settle(*nodes)
    mine, where = Browser(nodes[0].node, county.clerk), f"/submissions/{filed['uid']}"
    done = mine.send(mine.get(where), f"{where}/withdraw", reason=WORDS["reason"])
    assert ["撤回的申请已交发往上级单位的节点；收到它的回执后，这一期回到未报。"] == done.said()
    assert "已申请撤回，等" in done.text
    settle(*nodes)
    assert "撤回了这一版" in mine.get(where).text
    assert "已撤回" in Browser(nodes[1].node, upper.reviewer).get("/submissions").text
    assert told(county.clerk.get(f"/submissions?state=withdrawn&item={TABLE}"))["total"] == 1
