"""A central enterprise reports to the province directly, from a node without an address; no city counts it."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from browsing import Browser
from exchanging import Lines, Station, connected, settle
from gmsafety import Catalog
from gmsafety.codes import Level
from gmsafety.duties import BEIJING
from gmsafety_server.features.units import service as units
from gmsafety_server.features.units.schemas import Opening
from gmsafety_server.tables import inbox, outbox
from rolling import REASON
from test_deliverables import PDF, WORD, hand_in
from test_exchange_story import TABLE, WEEK, Office, agree, receipts
from world import CITY, FRIDAY, PROVINCE, ZEZHOU, StandingClock, scenario_file

UNIT, NAME, LEDGER = "steelworks", "某某钢铁集团有限公司", "shanxi.major-hazard-ledger"
SUMMARY = "shanxi.gongmao-2024/summary/summary"


class Works(Office):
    """The enterprise: it files the printed forms under its own name."""

    def file(self, county: str = "zezhou", **more: Any) -> dict[str, Any]:
        weekly = {"general": {"found": 7, "fixed": 5}}
        return self.put(TABLE, {"values": {"self": weekly}}, **more)

    def put(self, item: str, body: dict[str, Any], **more: Any) -> dict[str, Any]:
        told = {"message_id": f"m-{uuid4().hex}", "item": item, "period": WEEK, "reason": REASON}
        body |= {"header": {"unit": NAME, "date": WEEK}}
        answer = self.clerk.post("/submissions", json={**told, "body": body, **more})
        assert 201 == answer.status_code, answer.text
        return dict(answer.json())


def opened(station: Station) -> None:
    """The administrator of a node sets the unit up; it lies in 晋城, and stands below the province."""
    with station.node.db.write() as tx:
        told = Opening(
            kind="open", ref=UNIT, name=NAME, parent=PROVINCE, area="140500", level=Level.CITY, role="central-enterprise",
            day=station.clock.today(), reason="晋应急发〔2024〕354号",
        )  # fmt: skip
        units.change(tx, station.node, None, told)


def filings(station: Station) -> list[Any]:
    """What a node has got to take up as filed; nodes also compare from time to time what they have."""
    return [row for row in station.rows(inbox) if row.kind == "submission"]


@pytest.fixture
def lines() -> Lines:
    return Lines()


@pytest.fixture
def nodes(
    databases: Callable[[], str], catalog: Catalog, clock: StandingClock, lines: Lines
) -> Iterator[list[Station]]:
    """Enterprise, city, province; the enterprise cannot be called, and knows only the province."""
    clock.set(datetime(2024, 12, 23, 9, 0, tzinfo=BEIJING))
    names = {"works": UNIT, "jincheng": CITY, "shanxi": PROVINCE}
    made = [Station(name, databases(), catalog, clock, lines, unit=unit) for name, unit in names.items()]
    opened(made[0])
    opened(made[2])
    with connected([made[1], made[2]]):
        made[0].introduces_itself(own_address=False)
        made[0].adds(made[2])
        made[2].adds(made[0])
        del lines.there["works"]
        clock.set(FRIDAY)
        yield made
        made[0].node.db.close()


def names(office: Office, item: str) -> list[str]:
    """The units on the board of an office."""
    told = office.clerk.get("/board", params={"item": item, "size": 100}).json()
    return [row["unit_name"] for row in told["rows"]]


def test_what_it_files_goes_to_the_province(nodes: list[Station], lines: Lines, clock: StandingClock) -> None:
    """Table, ledger and summary; returned with a cell, corrected, accepted: all fetched by the node that only calls."""
    works, province = Works(nodes[0]), Office(nodes[2])
    ledger = works.put(LEDGER, {"rows": []}, nil=True)
    first = works.file()
    assert ["stored", "checked"] == receipts(agree(first, works, province)) == receipts(agree(ledger, works, province))

    province.decide(first, "return", reasons=[{"where": "C6", "text": "请核对"}])
    returned = agree(first, works, province)
    assert ("returned", "C6") == (returned["state"], returned["receipts"][-1]["receipt"]["reasons"][0]["where"])
    second = works.correct(first, 8)
    settle(*nodes)
    province.decide(second, "accept")
    assert ("accepted", 2) == (agree(second, works, province)["state"], second["revision"])

    clock.set(datetime(2025, 3, 30, 9, 0, tzinfo=BEIJING))
    works, province = Works(nodes[0]), Office(nodes[2])  # the tokens of December have expired
    files = [("editable", "总结.docx", WORD), ("scan", "总结.pdf", PDF)]
    summary = hand_in(works.clerk, *files, item=SUMMARY, period="2025-03-31").json()
    told = agree(summary, works, province)
    assert (["stored", "checked"], 2) == (receipts(told), len(told["files"]))
    assert not any("/works/" in url or url.startswith("https://works") for _, url, _ in lines.sent)
    assert [] == filings(nodes[1])
    assert all(r.answered_at for s in nodes for r in s.rows(outbox))
    assert [[]] * 3 == [station.faults() for station in nodes]


def test_the_province_counts_it_as_a_unit_of_its_own(nodes: list[Station]) -> None:
    """It lies in 晋城, and is no part of what 晋城 adds up; on the board of the province it stands beside the cities."""
    works, city, province = Works(nodes[0]), Office(nodes[1]), Office(nodes[2])
    county = nodes[1].person("clerk", unit=ZEZHOU)
    city.decide(county.file(scenario_file(WEEK, "zezhou", "weekly"), TABLE, WEEK).json(), "accept")
    theirs = city.roll_up()
    filed = works.file()
    settle(*nodes)
    for each in (theirs, filed):
        province.decide(each, "accept")

    assert NAME in names(province, TABLE)
    assert NAME not in names(city, TABLE)
    made = province.clerk.post("/rollups", json={"item": TABLE, "period": WEEK}).json()
    found = next(n for n in made["numbers"] if n["path"] == "self.general.found")
    below = city.look(theirs)["body"]["values"]["self"]["general"]["found"]
    assert ({"晋城市": below, NAME: 7}, below + 7) == (found["contributions"], found["value"])
    assert {UNIT, CITY} == {s["unit"] for s in made["sources"]}
    assert UNIT not in {u["unit"] for u in made["missing"]}
    assert {UNIT, CITY} >= {p["unit"] for p in found["parts"]}

    desk = Browser(nodes[2].node, nodes[2].person("reviewer")).get(f"/rollups/{made['uid']}")
    assert NAME in desk.text


def test_it_is_down_for_a_day(nodes: list[Station], lines: Lines, clock: StandingClock) -> None:
    """The province cannot be reached when it files, and nobody asks while it is off: all is there afterwards, once."""
    works, province = Works(nodes[0]), Office(nodes[2])
    lines.cut.add("shanxi")
    filed = works.file()
    nodes[0].work()
    nodes[0].start_again()
    lines.there.pop("works", None)
    lines.cut.clear()
    clock.set(clock.now() + timedelta(days=1))
    told = agree(filed, works, province)
    assert ["stored", "checked"] == receipts(told)
    assert told["late_minutes"] > 0
    assert 1 == len(filings(nodes[2]))
