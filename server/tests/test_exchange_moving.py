"""A unit goes from one node to another with all it has filed; nothing is lost or twice, and it can go back."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import delete, select, update

from browsing import Browser
from exchanging import ACTOR, TITLES, Lines, Station, settle
from gmsafety import Catalog
from gmsafety_server.errors import Problem
from gmsafety_server.features.exchange import introducing
from gmsafety_server.features.moving import service as moving
from gmsafety_server.tables import attachments, blobs, handovers, inbox, outbox, refusals, submissions
from rolling import REASON, WEEKLY
from test_exchange_story import TABLE, WEEK, Office, receipts
from world import CITY, ZEZHOU, Person, StandingClock, scenario_file

LEDGER = "shanxi.major-hazard-ledger"


class Line:
    """The city's node, which serves the county too; the node that the county gets; and the province's."""

    def __init__(self, stations: dict[str, Station]) -> None:
        self.county, self.city, self.province = (stations[n] for n in ("zezhou", "jincheng", "shanxi"))
        self.all = list(stations.values())
        self.reviewer = self.city.person("reviewer")
        self.here, self.there = (s.person("clerk", unit=ZEZHOU) for s in (self.city, self.county))

    def expect(self, at: Station, come: Station, unit: str = ZEZHOU) -> None:
        with at.node.db.write() as tx:
            moving.expect(tx, at.node, unit, come.name, actor=ACTOR)

    def hand_over(self, at: Station, to: Station, unit: str = ZEZHOU) -> dict[str, int]:
        with at.node.db.write() as tx:
            return dict(moving.hand_over(tx, at.node, unit, to.name, actor=ACTOR))

    def move(self, at: Station, to: Station, unit: str = ZEZHOU) -> dict[str, int]:
        self.expect(to, at, unit)
        told = self.hand_over(at, to, unit)
        settle(*self.all)
        return told

    def faults(self) -> list[str]:
        return [fault for station in self.all for fault in station.faults()]

    def refused(self) -> list[tuple[str, str]]:
        return [(s.name, r.detail) for s in self.all for r in s.rows(inbox) if r.problem]


@pytest.fixture
def line(databases: Callable[[], str], catalog: Catalog, clock: StandingClock) -> Iterator[Line]:
    lines = Lines()
    names = ("zezhou", "jincheng", "shanxi")
    stations = {n: Station(n, databases(), catalog, clock, lines) for n in names}
    for name, station in stations.items():
        units = [] if name == "zezhou" else [station.unit]
        with station.node.db.write() as tx:
            introducing.set_own(
                tx, station.node, title=TITLES[name], units=units, address=f"https://{name}", actor=ACTOR
            )  # fmt: skip
    for lower, upper in (("zezhou", "jincheng"), ("jincheng", "shanxi"), ("zezhou", "shanxi")):
        stations[lower].adds(stations[upper])
        stations[upper].adds(stations[lower])
    yield Line(stations)
    for station in stations.values():
        station.node.db.close()


def told(answer: Any, status: int = 200) -> dict[str, Any]:
    assert status == answer.status_code, answer.text
    return dict(answer.json())


def file(person: Person, item: str = TABLE, **more: Any) -> dict[str, Any]:
    kind = "weekly" if item == TABLE else "ledger"
    return told(person.file(scenario_file(WEEK, "zezhou", kind), item, WEEK, **{"reason": REASON, **more}), 201)


def decide(person: Person, filed: dict[str, Any], what: str, **words: Any) -> dict[str, Any]:
    seen = told(person.get(f"/submissions/{filed['uid']}"))["etag"]
    return told(person.post(f"/submissions/{filed['uid']}/{what}", seen=seen, json=words))


def shown(person: Person) -> list[dict[str, Any]]:
    """All that a clerk sees of the unit's filings; when it was last touched, and by which version, is not part of it."""
    found = told(person.get(f"/submissions?unit={ZEZHOU}"))["items"]
    every = [told(person.get(f"/submissions/{f['uid']}")) for f in found]
    return sorted(
        ({k: v for k, v in e.items() if k not in ("etag", "changed_at")} for e in every), key=lambda e: e["uid"]
    )


def history(person: Person, filed: dict[str, Any]) -> list[tuple[Any, ...]]:
    lines = person.get(f"/submissions/{filed['uid']}/history").json()
    return [(e["kind"], e["at"], e["who"], e["text"]) for e in lines if e["kind"] != "handed-over"]


def a_past(line: Line) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Returned and corrected; accepted; a draft; a file that was not taken."""
    first = file(line.here)
    decide(line.reviewer, first, "return", reasons=[{"where": "C6", "text": "与台账不符"}])
    second = file(line.here, supersedes=first["payload_hash"])
    ledger = file(line.here, LEDGER)
    decide(line.reviewer, ledger, "accept")
    refused = line.here.post(
        "/submissions/files", data={"message_id": "m-not-taken-1", "item": TABLE, "period": "2025-01-03"},
        files={"file": ("表.xlsx", b"PK not a workbook")},
    )  # fmt: skip
    assert 422 == refused.status_code, refused.text
    draft = file(line.here, TABLE, supersedes=second["payload_hash"], action="draft", message_id="m-draft-12345")
    return first, second, draft


def test_the_same_history_there(line: Line) -> None:
    first, second, _ = a_past(line)
    before = shown(line.here)
    counts = line.move(line.city, line.county)

    assert {"submissions": 3, "drafts": 1, "refusals": 1} == {
        n: counts[n] for n in ("submissions", "drafts", "refusals")
    }
    assert before == shown(line.there)
    assert [history(line.here, f) for f in (first, second)] == [history(line.there, f) for f in (first, second)]
    assert 1 == len(line.county.rows(refusals))
    assert "draft" in {s["state"] for s in shown(line.there)}
    page = Browser(line.county.node, line.there).get(f"/submissions/{second['uid']}")
    assert (200, True) == (page.status, "随单位交接而来" in page.text)
    assert ([], []) == (line.faults(), line.refused())


def test_it_goes_on_there_and_not_here(line: Line) -> None:
    _, second, draft = a_past(line)
    line.move(line.city, line.county)
    refused = line.here.file(scenario_file(WEEK, "zezhou", "weekly"), TABLE, "2024-12-20", reason=REASON)
    stopped = line.here.post(f"/submissions/{draft['uid']}/submit", seen=draft["etag"], json={"reason": REASON})
    assert [(403, "GM-H430")] * 2 == [(r.status_code, r.json()["code"]) for r in (refused, stopped)]
    page = Browser(line.city.node, line.here).get(f"/file?item={WEEKLY}&period={WEEK}")
    assert "本单位现在在节点“zezhou”报送" in page.text
    assert "没有报完的草稿已随单位交接过去" in page.text

    mine = told(line.there.get(f"/submissions/{draft['uid']}"))
    filed = told(line.there.post(f"/submissions/{draft['uid']}/submit", seen=mine["etag"], json={"reason": REASON}))
    settle(*line.all)
    above = told(line.reviewer.get(f"/submissions/{filed['uid']}"))
    assert (3, second["payload_hash"], ["stored", "checked"]) == (
        above["revision"], above["supersedes"], receipts(above)
    )  # fmt: skip
    assert "superseded" == told(line.reviewer.get(f"/submissions/{second['uid']}"))["state"]
    decide(line.reviewer, filed, "accept")
    settle(*line.all)
    assert ("accepted", ["stored", "checked", "accepted"]) == (
        (now := told(line.there.get(f"/submissions/{filed['uid']}")))["state"],
        receipts(now),
    )
    assert ([], []) == (line.faults(), line.refused())


def test_what_was_filed_here_is_decided_there_too(line: Line) -> None:
    """The upper unit decides after the move on what came before it: its receipts follow the unit."""
    _, second, _ = a_past(line)
    line.move(line.city, line.county)
    decide(line.reviewer, second, "return", note="请再核")
    settle(*line.all)
    after = told(line.there.get(f"/submissions/{second['uid']}"))

    assert ("returned", ["stored", "checked", "returned"]) == (after["state"], receipts(after))
    assert ([], []) == (line.faults(), line.refused())


def test_there_and_back(line: Line) -> None:
    _, _, draft = a_past(line)
    line.move(line.city, line.county)
    mine = told(line.there.get(f"/submissions/{draft['uid']}"))
    third = told(line.there.post(f"/submissions/{draft['uid']}/submit", seen=mine["etag"], json={"reason": REASON}))
    settle(*line.all)
    draft = file(line.there, TABLE, supersedes=third["payload_hash"], action="draft", message_id="m-draft-again")
    before = shown(line.there)
    line.move(line.county, line.city)

    assert before == shown(line.here)
    refused = line.there.file(scenario_file(WEEK, "zezhou", "weekly"), TABLE, "2024-12-20", reason=REASON)
    assert "GM-H430" == refused.json()["code"]
    mine = told(line.here.get(f"/submissions/{draft['uid']}"))
    fourth = told(line.here.post(f"/submissions/{draft['uid']}/submit", seen=mine["etag"], json={"reason": REASON}))
    assert (4, "submitted", ["stored", "checked"]) == (fourth["revision"], fourth["state"], receipts(fourth))
    assert [("out", "over"), ("in", "done")] == [(h.direction, h.state) for h in line.city.rows(handovers)]
    assert ([], []) == (line.faults(), line.refused())
    line.move(line.city, line.county)
    assert shown(line.here) == shown(line.there)
    assert ([], []) == (line.faults(), line.refused())


def test_what_is_under_way_when_it_goes_back(line: Line, clock: StandingClock) -> None:
    """A filing that waits for the line, and receipts that cross the hand-over: each comes once."""
    line.move(line.city, line.county)
    first = file(line.there)
    settle(*line.all)
    line.county.lines.cut.add("jincheng")
    line.city.lines.cut.add("zezhou")
    decide(line.reviewer, first, "return", note="请核对")
    second = file(line.there, supersedes=first["payload_hash"])
    line.expect(line.city, line.county)
    line.hand_over(line.county, line.city)
    line.county.work()
    line.city.work()
    line.county.lines.cut.clear()
    clock.set(max(r.next_try for s in line.all for r in s.rows(outbox)))
    settle(*line.all)

    assert [1, 2] == sorted(s["revision"] for s in shown(line.here))
    assert "submitted" == told(line.here.get(f"/submissions/{second['uid']}"))["state"]
    assert "returned" == receipts(told(line.there.get(f"/submissions/{first['uid']}")))[-1]  # evidence stays whole
    assert ([], []) == (line.faults(), line.refused())
    assert all(r.answered_at for s in line.all for r in s.rows(outbox))


def test_a_city_goes_and_the_province_is_told(line: Line) -> None:
    """What the province decides before it is told follows the city; afterwards it goes there straight."""
    lines = (line.city, line.county, line.province)
    clerk, reviewer = line.city.person("clerk"), line.province.person("reviewer")
    office, above = Office(line.city), Office(line.province)
    county = file(line.here)
    decide(line.reviewer, county, "accept")
    filed = office.roll_up()
    settle(*line.all)
    line.move(line.city, line.county, CITY)
    there = line.county.person("clerk", unit=CITY)
    above.decide(filed, "return", note="请核对")
    settle(*line.all)
    now = told(there.get(f"/submissions/{filed['uid']}"))
    assert ("returned", ["stored", "checked", "returned"]) == (now["state"], receipts(now))
    assert told(clerk.get(f"/submissions/{filed['uid']}"))["receipts"] == now["receipts"]
    rolled = told(there.get("/rollups"))["items"]
    assert [office.made] == [r["uid"] for r in rolled]
    assert [county["uid"]] == [s["submission"] for s in told(there.get(f"/rollups/{office.made}"))["sources"]]

    with line.province.node.db.write() as tx:
        moving.assign(tx, line.province.node, CITY, "jincheng", "zezhou", actor=ACTOR)
    said = {"message_id": f"m-{uuid4().hex}", "reason": REASON, "supersedes": filed["payload_hash"]}
    made = told(there.get(f"/rollups/{office.made}"))
    again = told(there.post(f"/rollups/{office.made}/file", seen=made["etag"], json=said))["submission"]
    settle(*line.all)
    decide(reviewer, again, "accept")
    settle(*line.all)
    assert ("accepted", 2) == ((now := told(there.get(f"/submissions/{again['uid']}")))["state"], now["revision"])
    assert [[]] * 3 == [s.faults() for s in lines]
    assert [] == line.refused()


def test_nobody_takes_what_was_not_agreed_on(line: Line) -> None:
    """Turned down, the unit stays where it was, and files there as before."""
    a_past(line)
    line.hand_over(line.city, line.county)
    settle(*line.all)

    assert [("zezhou", f"本节点没有登记从“jincheng”接收 {ZEZHOU}")] == line.refused()
    assert ["refused"] == [h.state for h in line.city.rows(handovers)]
    assert [] == line.county.rows(submissions)
    filed = told(line.here.file(scenario_file("2025-01-03", "zezhou", "weekly"), LEDGER, WEEK, reason=REASON), 422)
    assert filed["code"] != "GM-H430"
    assert [] == line.faults()


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda n, tx: moving.hand_over(tx, n, ZEZHOU, "nobody", actor=ACTOR), "没有登记节点“nobody”，或已停用"),
        (lambda n, tx: moving.hand_over(tx, n, "jincheng.nowhere", "zezhou", actor=ACTOR), "没有这个单位"),
        (lambda n, tx: moving.hand_over(tx, n, "shanxi.shanxi-office", "zezhou", actor=ACTOR), "不由本节点服务"),
        (lambda n, tx: moving.expect(tx, n, ZEZHOU, "shanxi", actor=ACTOR), "不由节点“shanxi”服务"),
        (lambda n, tx: moving.assign(tx, n, ZEZHOU, "shanxi", "zezhou", actor=ACTOR), "不由节点“shanxi”服务"),
    ],
)
def test_what_cannot_be_asked(line: Line, ask: Callable[[Any, Any], Any], said: str) -> None:
    with pytest.raises(Problem, match=said), line.city.node.db.write() as tx:
        ask(line.city.node, tx)

    assert [] == line.city.rows(handovers)


def test_what_is_on_its_way_elsewhere_comes_first(line: Line) -> None:
    office = Office(line.city)
    county = file(line.here)
    decide(line.reviewer, county, "accept")
    office.roll_up()
    with pytest.raises(Problem, match="还有1件在途（发往 shanxi），送达后再交接"):
        line.hand_over(line.city, line.county, CITY)
    settle(*line.all)
    line.move(line.city, line.county, CITY)
    assert [] == line.refused()


def test_a_history_that_is_not_whole_is_refused(line: Line) -> None:
    """A file that the history names, and of which the bytes are gone; nothing of it is entered."""
    a_past(line)
    line.expect(line.county, line.city)
    line.hand_over(line.city, line.county)
    settle(line.city)
    with line.county.node.db.write() as tx:
        gone = tx.execute(select(blobs.c.hash).where(blobs.c.hash.not_in(select(attachments.c.hash)))).scalars().all()
        assert gone
        tx.execute(delete(blobs).where(blobs.c.content == b"PK not a workbook"))
        tx.execute(update(inbox).values(taken_at=None))
    settle(*line.all)

    assert [("zezhou", "交接的历史缺少文件：表.xlsx")] == line.refused()
    assert [] == line.county.rows(submissions)
    assert [] == line.faults()


def test_the_page_of_the_exchange(line: Line) -> None:
    a_past(line)
    line.move(line.city, line.county)
    pages = [
        Browser(s.node, s.person("administrator", unit=u)).get("/admin/exchange").text
        for s, u in ((line.city, CITY), (line.county, ZEZHOU))
    ]

    assert "泽州县应急管理局 交给 zezhou 已交接" in pages[0]
    assert "泽州县应急管理局 接自 jincheng 已交接" in pages[1]
    assert all("报送 3 份，草稿 1 份" in page for page in pages)
