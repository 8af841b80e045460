"""The drill: a node goes back to a backup, hears what it has lost, and is as it was before; nothing is told twice."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from exchanging import Lines, Station, connected, settle
from gmsafety import Catalog
from gmsafety_server.backup import restore, write_backup
from gmsafety_server.features.exchange import carrying
from gmsafety_server.tables import channels_out, exchange_tasks, inbox, outbox, slots
from test_exchange_story import TABLE, WEEK, Office, agree, receipts
from world import StandingClock

LEDGER = "shanxi.major-hazard-ledger"
SAME = ("state", "revision", "body", "payload_hash", "supersedes", "receipts", "findings", "received_at", "files")
SAME += ("current", "nil", "late_minutes", "message_id", "reason", "note")


@pytest.fixture
def lines() -> Lines:
    return Lines()


@pytest.fixture
def nodes(
    databases: Callable[[], str], catalog: Catalog, clock: StandingClock, lines: Lines
) -> Iterator[list[Station]]:  # fmt: skip
    made = [Station(name, databases(), catalog, clock, lines) for name in ("zezhou", "jincheng")]
    with connected(made):
        yield made


@pytest.fixture
def offices(nodes: list[Station]) -> list[Office]:
    return [Office(station) for station in nodes]


def back_up(station: Station, file: Path) -> None:
    now = station.node.clock.now()
    write_backup(station.node.db, file, node=station.name, now=now, progress=lambda *_: None)


def go_back(station: Station, file: Path, clock: StandingClock) -> None:
    """Restore the backup, half an hour later."""
    station.node.db.close()
    clock.set(clock.now() + timedelta(minutes=30))
    restore(station.node.db, file, force=True, now=clock.now(), progress=lambda *_: None)
    station.start_again()


def known(office: Office) -> dict[str, dict[str, Any]]:
    """All submissions that are filed, as they are told, by their names."""
    found = office.reviewer.get("/submissions").json()["items"]
    told = [office.look(s) for s in found if s["state"] != "draft"]
    return {t["uid"]: {name: t[name] for name in SAME} for t in told}


def filled(station: Station) -> list[tuple[Any, ...]]:
    columns = [slots.c[n] for n in ("unit", "item", "period", "state", "nil", "revision", "received_at")]
    with station.node.db.read() as tx:
        return sorted(tuple(r) for r in tx.execute(select(*columns).where(slots.c.state != "open")))


def open_tasks(station: Station) -> list[tuple[str, str]]:
    return [(t.kind, t.peer) for t in station.rows(exchange_tasks) if t.state == "open"]


def asking(station: Station) -> set[str]:
    with station.node.db.read() as tx:
        return {r.receiver for r in tx.execute(select(channels_out)) if r.asking}


def test_the_county_is_as_before(offices: list[Office], tmp_path: Path, clock: StandingClock) -> None:
    """A returned form was corrected and accepted, another filed: all of it after the backup."""
    county, city = offices
    station = county.station
    first = county.file()
    settle(station, city.station)
    back_up(station, tmp_path / "backup.zip")
    city.decide(first, "return", reasons=[{"where": "C6", "text": "请与台账核对"}])
    settle(station, city.station)
    second = county.correct(first, 21)
    settle(station, city.station)
    city.decide(second, "accept")
    told = {"message_id": "m-12345678", "item": LEDGER, "period": WEEK, "nil": True, "reason": "本周没有"}
    assert 201 == county.clerk.post("/submissions", json=told).status_code
    settle(station, city.station)
    before, slots_before = known(county), filled(station)
    above, slots_above = known(city), filled(city.station)
    assert {"returned", "accepted", "submitted"} == {s["state"] for s in before.values()}

    go_back(station, tmp_path / "backup.zip", clock)
    assert {"jincheng"} == asking(station)
    assert 1 == len(known(county))
    settle(station, city.station)

    assert (before, slots_before) == (known(county), filled(station))
    assert (above, slots_above) == (known(city), filled(city.station))
    assert set() == asking(station)
    assert [[], []] == [s.faults() for s in (station, city.station)]
    assert [[], []] == [open_tasks(s) for s in (station, city.station)]
    assert 3 == len([r for r in city.station.rows(inbox) if r.kind == "submission"])


def test_the_city_is_as_before(offices: list[Office], tmp_path: Path, clock: StandingClock) -> None:
    """Forms that came in and were decided after the backup come again, and have the receipts that they were given."""
    county, city = offices
    station = city.station
    first = county.file()
    settle(county.station, station)
    back_up(station, tmp_path / "backup.zip")
    city.decide(first, "return", reasons=[{"where": "C6", "text": "请与台账核对"}])
    settle(county.station, station)
    second = county.correct(first, 21)
    settle(county.station, station)
    city.decide(second, "accept", note="已核对")
    settle(county.station, station)
    before, slots_before, below = known(city), filled(station), known(county)

    go_back(station, tmp_path / "backup.zip", clock)
    settle(county.station, station)

    assert (before, slots_before) == (known(city), filled(station))
    assert below == known(county)
    assert [[], []] == [s.faults() for s in (county.station, station)]
    assert [[], []] == [open_tasks(s) for s in (county.station, station)]
    city.decide(second, "reopen", note="漏报一处")
    assert "reopened" == receipts(agree(second, county, city))[-1]


def test_nothing_is_said_before_it_is_answered(
    offices: list[Office], tmp_path: Path, clock: StandingClock, lines: Lines
) -> None:
    """While the city does not answer, a filing is refused in plain words; a draft is kept, and filed afterwards."""
    county, city = offices
    station = county.station
    back_up(station, tmp_path / "backup.zip")
    filed = county.file()
    settle(station, city.station)
    before = known(county)
    go_back(station, tmp_path / "backup.zip", clock)
    lines.cut.add("jincheng")
    station.work()

    told = {"message_id": "m-12345678", "item": TABLE, "period": WEEK, "nil": True, "reason": "本周没有"}
    refused = county.clerk.post("/submissions", json=told)
    assert (409, "GM-H459") == (refused.status_code, refused.json()["code"])
    assert "本节点从备份恢复后，正在与节点“jincheng”核对以前的报送" == refused.json()["detail"]
    draft = county.clerk.post("/submissions", json={**told, "action": "draft"})
    assert 201 == draft.status_code
    assert ["digest"] == [r.kind for r in station.rows(outbox)]

    lines.cut.clear()
    clock.set(station.rows(outbox)[0].next_try)
    settle(station, city.station)
    assert before == known(county)
    kept = county.clerk.get(f"/submissions/{draft.json()['uid']}").json()
    assert ("draft", 2, filed["payload_hash"]) == (kept["state"], kept["revision"], kept["supersedes"])
    handed = county.clerk.post(f"/submissions/{kept['uid']}/submit", seen=kept["etag"], json={"reason": "本周没有"})
    assert 200 == handed.status_code, handed.text
    assert (2, "submitted") == tuple(agree(handed.json(), county, city)[n] for n in ("revision", "state"))


def test_by_packages(offices: list[Office], tmp_path: Path, clock: StandingClock, lines: Lines) -> None:
    """Networks that do not touch: two packages there, two back."""
    county, city = offices
    lines.cut = {"zezhou", "jincheng"}
    back_up(county.station, tmp_path / "backup.zip")
    county.file()

    def carry(sender: Station, receiver: Station, name: str) -> None:
        carrying.export(sender.node, receiver.name, tmp_path / name, actor="test")
        carrying.bring_in(receiver.node, tmp_path / name, actor="test")
        receiver.work()

    carry(county.station, city.station, "1.gmx")
    carry(city.station, county.station, "2.gmx")
    before = known(county)
    assert ["stored", "checked"] == receipts(next(iter(before.values())))
    go_back(county.station, tmp_path / "backup.zip", clock)
    assert {} == known(county)

    carry(county.station, city.station, "3.gmx")
    carry(city.station, county.station, "4.gmx")
    assert before == known(county)
    assert set() == asking(county.station)
    carry(county.station, city.station, "5.gmx")
    assert [[], []] == [s.faults() for s in (county.station, city.station)]
