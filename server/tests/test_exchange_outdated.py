"""A roll-up that was filed is out of date when a part is corrected: every level above is told, and which cells."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from browsing import Browser
from exchanging import Lines, Station, connected, settle
from gmsafety import Catalog
from gmsafety_server.tables import doubts, inbox, outbox, outdated
from rolling import REASON
from test_exchange_story import TABLE, WEEK, Office, agree, receipts
from world import StandingClock

FOUND = "self.general.found"


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


def told(answer: Any) -> dict[str, Any]:
    assert answer.status_code in (200, 201), answer.text
    return dict(answer.json())


def roll_up_again(city: Office, filed: dict[str, Any]) -> dict[str, Any]:
    """Count what is in force now, and file the correction."""
    made = told(city.clerk.get(f"/rollups/{city.made}"))
    asked = {"item": TABLE, "period": WEEK}
    made = told(city.clerk.send("POST", "/rollups", seen=made["etag"], json=asked))
    said = {"message_id": f"m-{uuid4().hex}", "reason": REASON, "supersedes": filed["payload_hash"]}
    return dict(told(city.clerk.post(f"/rollups/{city.made}/file", seen=made["etag"], json=said))["submission"])


def mark(office: Office, filed: dict[str, Any]) -> tuple[bool, list[Any], list[Any]]:
    """What a node says of a filed roll-up: whether it is out of date, whose revisions changed, which cells."""
    with office.station.node.db.read() as tx:
        rows = tx.execute(select(outdated)).all()
    parts = [[p["unit"], *((p[s] or {}).get("revision") for s in ("before", "after"))] for r in rows for p in r.parts]
    cells = [[c["path"], c["before"], c["after"]] for r in rows for c in r.cells]
    return bool(office.look(filed)["outdated"]), parts, cells


def test_the_whole_story(offices: list[Office], nodes: list[Station]) -> None:
    county, city, province = offices
    first = county.file()
    settle(*nodes)
    city.decide(first, "return", reasons=[{"where": "C6", "text": "一般隐患数与台账不符"}])
    settle(*nodes)
    second = county.correct(first, 21)
    settle(*nodes)
    city.decide(second, "accept")
    filed = city.roll_up()
    above = agree(filed, city, province)
    assert [[county.station.unit, 2, second["payload_hash"]]] == [list(p.values()) for p in above["made_of"]]
    province.decide(filed, "accept")
    settle(*nodes)
    assert not mark(province, filed)[0]

    city.decide(second, "reopen", note="台账又查出一处")
    settle(*nodes)
    is_outdated, parts, _ = mark(province, filed)
    assert (True, [[county.station.unit, 2, None]]) == (is_outdated, parts)
    third = county.correct(second, 22)
    settle(*nodes)
    city.decide(third, "accept")
    settle(*nodes)
    expected = (True, [[county.station.unit, 2, 3]], [[FOUND, "21", "22"]])
    assert expected == mark(city, filed) == mark(province, filed)

    province.decide(filed, "reopen", note="下级已有更正")
    settle(*nodes)
    again = roll_up_again(city, filed)
    corrected = agree(again, city, province)
    assert (2, 22, False) == (corrected["revision"], value(corrected), province.look(again)["outdated"])
    province.decide(again, "accept")
    assert ("accepted", ["stored", "checked", "accepted"]) == (
        agree(again, city, province)["state"],
        receipts(province.look(again)),
    )
    assert "superseded" == province.look(filed)["state"]
    assert [[]] * 3 == [station.faults() for station in nodes]
    assert not [r.problem for s in nodes for r in s.rows(inbox) if r.problem or r.taken_at is None]
    assert all(r.answered_at and not r.problem for s in nodes for r in s.rows(outbox))


def value(filed: dict[str, Any]) -> int:
    return int(filed["body"]["values"]["self"]["general"]["found"])


def accepted_above(county: Office, city: Office, province: Office) -> tuple[dict[str, Any], dict[str, Any]]:
    """A county's form that was accepted, and the roll-up made of it, which was accepted, too."""
    nodes = [o.station for o in (county, city, province)]
    first = county.file()
    settle(*nodes)
    city.decide(first, "accept")
    filed = city.roll_up()
    settle(*nodes)
    province.decide(filed, "accept")
    settle(*nodes)
    return first, filed


def test_the_roll_up_of_the_province_is_stale_in_turn(offices: list[Office], nodes: list[Station]) -> None:
    county, city, province = offices
    first, _ = accepted_above(county, city, province)
    made = told(province.clerk.post("/rollups", json={"item": TABLE, "period": WEEK}))
    assert not made["stale"]
    city.decide(first, "reopen", note="请更正")
    settle(*nodes)

    made = told(province.clerk.get(f"/rollups/{made['uid']}"))
    assert (True, [True], []) == (made["stale"], [s["outdated"] for s in made["sources"]], made["changes"])


def test_accepted_again_as_it_was(offices: list[Office], nodes: list[Station]) -> None:
    """Withdrawn by mistake: when the same revision is accepted again, nothing is out of date any more."""
    county, city, province = offices
    first, filed = accepted_above(county, city, province)
    city.decide(first, "reopen", note="误按")
    settle(*nodes)
    assert mark(province, filed)[0]
    city.decide(first, "accept")
    settle(*nodes)

    assert (False, [], []) == mark(province, filed) == mark(city, filed)
    kinds = [e["kind"] for e in province.clerk.get(f"/submissions/{filed['uid']}/history").json()]
    assert ["outdated", "up-to-date"] == [k for k in kinds if k in ("outdated", "up-to-date")]
    assert [[]] * 3 == [station.faults() for station in nodes]
    assert [] == [d for s in nodes for d in s.rows(doubts)]


def test_the_city_was_away_meanwhile(offices: list[Office], nodes: list[Station]) -> None:
    """Told when the line is there again; what was out of date only in between is not told at all."""
    county, city, province = offices
    first, filed = accepted_above(county, city, province)
    city.station.lines.cut.add("shanxi")
    city.decide(first, "reopen", note="请更正")
    settle(county.station, city.station)
    second = county.correct(first, 22)
    settle(county.station, city.station)
    city.decide(second, "accept")
    settle(county.station, city.station)
    assert not mark(province, filed)[0]
    city.station.lines.cut.clear()
    city.station.clock.set(max(r.next_try for r in city.station.rows(outbox)))
    settle(*nodes)

    assert (True, [[county.station.unit, 1, 2]]) == mark(province, filed)[:2]
    assert mark(city, filed) == mark(province, filed)


def test_the_pages(offices: list[Office], nodes: list[Station]) -> None:
    county, city, province = offices
    first, filed = accepted_above(county, city, province)
    city.decide(first, "reopen", note="请更正")
    settle(*nodes)
    second = county.correct(first, 22)
    settle(*nodes)
    city.decide(second, "accept")
    settle(*nodes)
    above = Browser(province.station.node, province.reviewer)
    page = above.get(f"/submissions/{filed['uid']}").text
    own = Browser(city.station.node, city.clerk).get(f"/submissions/{filed['uid']}")

    assert all(words in page for words in ("已过时：下级已有更正，", "第1版 → 第2版", "请撤销接受", "汇总自 1 份"))
    assert "请联系山西省" in own.text
    assert own.all(f"a[href=/rollups/{city.made}]")
    assert "已过时" in above.get("/submissions").text
