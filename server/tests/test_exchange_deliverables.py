"""Documents that are handed in (方案, 总结) between nodes: their files arrive byte for byte; returned, and corrected."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from exchanging import ACTOR, Lines, Station, connected, settle
from gmsafety import Catalog
from gmsafety.duties import BEIJING
from gmsafety_server.features.exchange import carrying
from gmsafety_server.tables import inbox
from test_deliverables import EXCEL, PDF, PNG, WORD, hand_in
from test_exchange_direct import filings
from test_exchange_story import Office, agree, receipts
from world import StandingClock

UPWARD = "shanxi.gongmao-2024/summary/summary"
BOTH = [("editable", "总结（定稿）.docx", WORD), ("scan", "总结 盖章.pdf", PDF), ("extra", "附表.xlsx", EXCEL)]


@pytest.fixture
def lines() -> Lines:
    return Lines()


@pytest.fixture
def nodes(
    databases: Callable[[], str], catalog: Catalog, clock: StandingClock, lines: Lines
) -> Iterator[list[Station]]:
    """County, city, province, on the day on which the county's summary is due."""
    clock.set(datetime(2025, 3, 25, 10, 0, tzinfo=BEIJING))
    made = [Station(name, databases(), catalog, clock, lines) for name in ("zezhou", "jincheng", "shanxi")]
    with connected(made):
        yield made


def files(office: Office, filed: dict[str, Any]) -> list[tuple[str, str, bytes]]:
    """The files of a submission as they are fetched from a node."""
    told = office.look(filed)
    fetched = ((f, office.clerk.get(f"/submissions/{filed['uid']}/files/{f['hash']}")) for f in told["files"])
    return [(f["artefact"], f["name"], got.content) for f, got in fetched]


def test_a_summary(nodes: list[Station]) -> None:
    """Returned because a figure is missing, corrected with other files, accepted."""
    county, city, _ = (Office(station) for station in nodes)
    first = hand_in(county.clerk, *BOTH).json()
    assert ["stored", "checked"] == receipts(agree(first, county, city))
    assert BOTH == files(county, first) == files(city, first)

    city.decide(first, "return", note="缺少整改率")
    returned = agree(first, county, city)
    assert ("returned", "缺少整改率") == (returned["state"], returned["receipts"][-1]["receipt"]["note"])

    other = [("editable", "总结（二稿）.docx", WORD), ("scan", "第1页.png", PNG)]
    second = hand_in(county.clerk, *other, supersedes=first["payload_hash"]).json()
    settle(*nodes)
    city.decide(second, "accept")
    accepted = agree(second, county, city)
    assert ("accepted", 2, first["payload_hash"]) == (accepted["state"], accepted["revision"], accepted["supersedes"])
    assert other == files(county, second) == files(city, second)
    assert BOTH == files(city, first)
    assert [[]] * 3 == [station.faults() for station in nodes]
    assert [] == [r.problem for s in nodes for r in s.rows(inbox) if r.problem]


def test_what_is_not_complete_is_refused_where_it_is_handed_in(nodes: list[Station]) -> None:
    county, city = (Office(station) for station in nodes[:2])
    refused = hand_in(county.clerk, ("scan", "总结.pdf", PDF))
    settle(*nodes)

    told = refused.json()
    assert (422, "GM-H483", "缺少：可编辑文件") == (refused.status_code, told["code"], told["detail"])
    assert [] == filings(nodes[1])
    assert 0 == city.clerk.get("/submissions").json()["total"]


def test_what_is_not_complete_above_comes_back(nodes: list[Station]) -> None:
    """The city's region asks for more than the county's: what lacks comes back in words, and is filed again."""
    county, city = (Office(station) for station in nodes[:2])
    city.station.node.catalog = with_scan(city.station.node.catalog)
    first = hand_in(county.clerk, BOTH[0]).json()
    settle(*nodes)
    told = county.look(first)
    assert ("returned", []) == (told["state"], told["receipts"])
    assert [("artefact-missing", "缺少：盖章扫描件")] == [
        (r.problem, r.detail) for r in city.station.rows(inbox) if r.problem
    ]

    second = hand_in(county.clerk, *BOTH, supersedes=first["payload_hash"]).json()
    assert ["stored", "checked"] == receipts(agree(second, county, city))


def with_scan(catalog: Catalog) -> Catalog:
    """The catalog of a region whose documents want a stamped scan, too."""
    campaign = catalog.campaigns["jincheng.gongmao-2024"]
    both = {"artefacts": ("editable", "scan")}
    duties = tuple(
        d.model_copy(update={"hand_in": tuple(h.model_copy(update=both) for h in d.hand_in)}) for d in campaign.duties
    )
    changed = campaign.model_copy(update={"duties": duties})
    return replace(catalog, campaigns={**catalog.campaigns, changed.ref: changed})


def test_carried_by_hand(nodes: list[Station], lines: Lines, tmp_path: Path) -> None:
    """The city's summary goes to the province in a package, the receipts come back in one; twice does no harm."""
    city, province = (Office(station) for station in nodes[1:])
    lines.cut |= {"jincheng", "shanxi"}
    filed = hand_in(city.clerk, *BOTH, item=UPWARD, period="2025-03-31").json()
    for sender, receiver in ((city, province), (province, city)):
        package = tmp_path / f"{sender.station.name}.gmx"
        carrying.export(sender.station.node, receiver.station.name, package, actor=ACTOR)
        for _ in range(2):
            carrying.bring_in(receiver.station.node, package, actor=ACTOR)
            receiver.station.work()
    assert ["stored", "checked"] == receipts(agree(filed, city, province))
    assert BOTH == files(province, filed)
    assert 1 == len(filings(nodes[2]))


def test_a_scan_of_several_parts(nodes: list[Station]) -> None:
    county, city = (Office(station) for station in nodes[:2])
    large = PDF + bytes(range(256)) * 2**13
    filed = hand_in(county.clerk, BOTH[0], ("scan", "总结.pdf", large)).json()
    settle(*nodes)
    assert [BOTH[0], ("scan", "总结.pdf", large)] == files(city, filed)
