"""A form goes from the county's node to the city's and on to the province's, and comes back; nothing lost or twice."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from exchanging import Lines, Station, connected, settle
from gmsafety import Catalog
from gmsafety_server.backup import restore, write_backup
from gmsafety_server.features.exchange.wire import Reply, Unreached
from gmsafety_server.tables import inbox, outbox
from rolling import REASON, own_part
from world import StandingClock, scenario_file

WEEK = "2024-12-27"
TABLE = "shanxi.weekly-dispatch"


class Office:
    """The people of a node, and what they do."""

    def __init__(self, station: Station) -> None:
        self.station = station
        self.clerk, self.reviewer = station.person("clerk"), station.person("reviewer")
        self.made = ""

    def file(self, county: str = "zezhou", **more: Any) -> dict[str, Any]:
        return _told(self.clerk.file(scenario_file(WEEK, county, "weekly"), TABLE, WEEK, **more), 201)

    def look(self, filed: dict[str, Any]) -> dict[str, Any]:
        return _told(self.clerk.get(f"/submissions/{filed['uid']}"))

    def correct(self, filed: dict[str, Any], found: int) -> dict[str, Any]:
        """File the same form with another number of general hazards, as JSON."""
        body = json.loads(json.dumps(self.look(filed)["body"]))
        body["values"]["self"]["general"]["found"] = found
        told = {"message_id": f"m-{uuid4().hex}", "item": TABLE, "period": WEEK, "reason": REASON, "body": body}
        return _told(self.clerk.post("/submissions", json={**told, "supersedes": filed["payload_hash"]}), 201)

    def decide(self, filed: dict[str, Any], what: str, **told: Any) -> dict[str, Any]:
        seen = _told(self.reviewer.get(f"/submissions/{filed['uid']}"))["etag"]
        return _told(self.reviewer.post(f"/submissions/{filed['uid']}/{what}", seen=seen, json=told))

    def roll_up(self) -> dict[str, Any]:
        """Make the unit's form of those below and its own part, and file it upward."""
        made = _told(self.clerk.post("/rollups", json={"item": TABLE, "period": WEEK}), 201)
        made = _told(self.clerk.send("PUT", f"/rollups/{made['uid']}/own", seen=made["etag"], json=own_part(WEEK)))
        told = {"message_id": f"m-{uuid4().hex}", "reason": REASON}
        made = _told(self.clerk.post(f"/rollups/{made['uid']}/file", seen=made["etag"], json=told))
        self.made = made["uid"]
        return dict(made["submission"])


def _told(answer: Any, status: int = 200) -> dict[str, Any]:
    assert status == answer.status_code, answer.text
    return dict(answer.json())


def receipts(told: dict[str, Any]) -> list[str]:
    return [r["receipt"]["decision"] or r["receipt"]["kind"] for r in told["receipts"]]


@pytest.fixture
def lines() -> Lines:
    return Lines()


@pytest.fixture
def nodes(
    databases: Callable[[], str], catalog: Catalog, clock: StandingClock, lines: Lines
) -> Iterator[list[Station]]:
    """County, city, province."""
    made = [Station(name, databases(), catalog, clock, lines) for name in ("zezhou", "jincheng", "shanxi")]
    with connected(made):
        yield made


@pytest.fixture
def offices(nodes: list[Station]) -> list[Office]:
    return [Office(station) for station in nodes]


def agree(filed: dict[str, Any], *offices: Office) -> dict[str, Any]:
    """Let everything go where it goes; the submission is the same on both nodes, and what it is."""
    settle(*(o.station for o in offices))
    told = [o.look(filed) for o in offices[:2]]
    same = ("state", "revision", "body", "payload_hash", "supersedes", "receipts", "findings", "received_at", "files")

    assert {n: told[0][n] for n in same} == {n: told[1][n] for n in same}
    return told[0]


def test_three_levels(offices: list[Office], nodes: list[Station]) -> None:
    county, city, province = offices

    first = county.file()
    assert ("submitted", []) == (first["state"], first["receipts"])
    assert ["stored", "checked"] == receipts(agree(first, county, city))

    city.decide(first, "return", reasons=[{"where": "C6", "text": "一般隐患数与台账不符"}])
    returned = agree(first, county, city)
    assert ("returned", "returned") == (returned["state"], receipts(returned)[-1])
    assert [{"where": "C6", "text": "一般隐患数与台账不符"}] == returned["receipts"][-1]["receipt"]["reasons"]

    second = county.correct(first, 21)
    assert (2, first["payload_hash"]) == (second["revision"], second["supersedes"])
    city.station.work()
    settle(*nodes)
    city.decide(second, "accept")
    accepted = agree(second, county, city)
    assert ("accepted", ["stored", "checked", "accepted"]) == (accepted["state"], receipts(accepted))
    told = {"message_id": f"m-{uuid4().hex}", "item": TABLE, "period": WEEK, "supersedes": second["payload_hash"]}
    locked = county.clerk.post("/submissions", json={**told, "nil": True, "reason": REASON})
    assert (409, "GM-H452") == (locked.status_code, locked.json()["code"])

    filed = city.roll_up()
    above = agree(filed, city, province)
    assert ["stored", "checked"] == receipts(above)
    cell = _told(city.clerk.get(f"/rollups/{city.made}/cells/self.general.found"))
    assert 21 in [part["value"] for part in cell["parts"]]
    assert cell["value"] == above["body"]["values"]["self"]["general"]["found"]
    province.decide(filed, "accept")
    assert "accepted" == agree(filed, city, province)["state"]
    province.decide(filed, "reopen", note="漏报一处")
    reopened = agree(filed, city, province)
    assert ("submitted", "reopened") == (reopened["state"], receipts(reopened)[-1])

    assert [[]] * 3 == [station.faults_of_tables() for station in nodes]
    assert [{"problem": None, "taken": True}] == [
        dict(t) for t in {(("problem", r.problem), ("taken", r.taken_at is not None)) for s in nodes for r in s.rows(inbox)}
    ]  # fmt: skip
    assert all(r.answered_at for s in nodes for r in s.rows(outbox))


def test_received_time_is_that_of_the_upper_node(offices: list[Office], lines: Lines, clock: StandingClock) -> None:
    """What is filed before noon and can be sent only afterwards is late; the sealed time is kept apart."""
    county, city, _ = offices
    due = clock.now().replace(hour=4, minute=0)  # noon in China
    lines.cut.add("jincheng")
    filed = county.file()
    before = county.station.clock.now()
    county.station.work()
    clock.set(due.replace(hour=4, minute=31))
    lines.cut.clear()
    told = agree(filed, county, city)
    [arrived] = [r for r in city.station.rows(inbox) if r.kind == "submission"]

    assert 31 == told["late_minutes"]
    assert (before, clock.now()) == (arrived.sealed_at, arrived.stored_at)
    assert "2024-12-27T04:31:00" == told["receipts"][0]["receipt"]["received_at"][:19]


def test_the_upper_node_is_down_and_comes_back(offices: list[Office], lines: Lines, clock: StandingClock) -> None:
    county, city, _ = offices
    lines.cut.add("jincheng")
    filed = county.file()
    county.station.work()
    [waiting] = county.station.rows(outbox)
    assert (1, "unreached", None) == (waiting.failures, waiting.problem, waiting.answered_at)
    assert county.station.work() == 0

    city.station.start_again()
    lines.cut.clear()
    clock.set(waiting.next_try)
    settle(county.station, city.station)

    assert ["stored", "checked"] == receipts(county.look(filed))
    assert {"failed": 0, "dead": 0, "unsent": 0} == {
        n: county.station.counts()[n] for n in ("failed", "dead", "unsent")
    }


def test_the_answer_is_lost_after_the_commit(offices: list[Office], lines: Lines, clock: StandingClock) -> None:
    """The upper node stores and dies before it answers: the same bytes come again, and get the same answer."""
    county, city, _ = offices
    answers: list[bytes] = []

    def lost(name: str, reply: Reply) -> Reply:
        answers.append(reply.content)
        if name == "jincheng" and len(answers) == 2:  # after the attachment was asked for and put
            raise Unreached("power cut")
        return reply

    filed = county.file()
    lines.after = lambda name, reply: lost(name, reply) if b'"stored"' in reply.content else reply
    answers.append(b"")
    county.station.work()
    city.station.start_again()
    lines.after = lambda _name, reply: (answers.append(reply.content), reply)[1]
    clock.set(county.station.rows(outbox)[0].next_try)
    county.station.work()
    posts = [content for method, url, content in lines.sent if method == "POST" and url.startswith("https://jincheng")]

    assert 1 == len([r for r in city.station.rows(inbox) if r.kind == "submission"])
    assert 1 == len(set(posts))
    assert answers[1] == answers[-1] == bytes(county.station.rows(outbox)[0].answer)
    assert ["stored", "checked"] == receipts(agree(filed, county, city))


def test_delivered_again_and_again(offices: list[Office], lines: Lines) -> None:
    county, city, _ = offices
    filed = county.file()
    settle(county.station, city.station)
    before = city.station.standing()
    [content] = {bytes(r.content) for r in county.station.rows(outbox)}
    answers = {city.station.http.post("/exchange/v1/messages", content=content).content for _ in range(5)}
    settle(county.station, city.station)

    assert {bytes(county.station.rows(outbox)[0].answer)} == answers
    assert before == city.station.standing()
    assert ["stored", "checked"] == receipts(county.look(filed))


def test_decided_above_while_it_is_corrected_below(offices: list[Office], lines: Lines, clock: StandingClock) -> None:
    """Messages cross: what was accepted is not corrected; the county is told, and corrects when it is reopened."""
    county, city, _ = offices
    first = county.file()
    settle(county.station, city.station)
    city.decide(first, "accept")
    second = county.correct(first, 21)
    settle(county.station, city.station)
    told = county.look(second)

    assert "accepted" == city.look(first)["state"]
    assert ("returned", []) == (told["state"], told["receipts"])
    assert [("accepted", "已被接受，不能更改")] == [
        (r.problem, r.detail) for r in city.station.rows(inbox) if r.problem
    ]
    assert ["turned-down"] == [r.problem for r in county.station.rows(outbox) if r.problem]

    city.decide(first, "reopen", note="请更正")
    settle(county.station, city.station)
    third = county.correct(second, 22)
    told = agree(third, county, city)
    assert ("submitted", 3, ["stored", "checked"]) == (told["state"], told["revision"], receipts(told))
    assert [] == city.station.faults()


def test_nobody_files_or_decides_on_the_wrong_node(offices: list[Office]) -> None:
    county, city, _ = offices
    there = city.station.person("clerk", unit=county.station.unit)
    here = county.station.person("reviewer", unit=city.station.unit)
    filed = county.file()
    answer = there.file(scenario_file(WEEK, "zezhou", "weekly"), TABLE, WEEK, reason=REASON)
    seen = here.get(f"/submissions/{filed['uid']}").json()["etag"]
    decided = here.post(f"/submissions/{filed['uid']}/accept", seen=seen, json={})

    assert (403, "本单位在节点“zezhou”报送，不在这里") == (answer.status_code, answer.json()["detail"])
    assert (403, "上级单位在节点“jincheng”审核，不在这里") == (decided.status_code, decided.json()["detail"])


def test_a_node_is_restored_from_a_backup(offices: list[Office], tmp_path: Path, clock: StandingClock) -> None:
    """What was sent after the backup comes back with its receipts; what is sent then goes in a new epoch."""
    county, city, _ = offices
    station, file = county.station, tmp_path / "backup.zip"
    first = county.file()
    settle(station, city.station)
    write_backup(station.node.db, file, node="zezhou", now=clock.now(), progress=lambda *_: None)
    second = county.correct(first, 21)
    settle(station, city.station)
    station.node.db.close()
    clock.set(clock.now() + timedelta(minutes=30))
    restore(station.node.db, file, force=True, now=clock.now(), progress=lambda *_: None)
    station.start_again()

    told = {"message_id": "m-12345678", "item": "shanxi.major-hazard-ledger", "period": WEEK, "nil": True}
    told["reason"] = "本周没有"
    assert "GM-H459" == _told(county.clerk.post("/submissions", json=told), 409)["code"]
    settle(station, city.station)
    assert ["stored", "checked"] == receipts(agree(second, county, city))
    filed = _told(county.clerk.post("/submissions", json=told), 201)
    assert ["stored", "checked"] == receipts(agree(filed, county, city))
    sent = [r.kind for r in sorted(station.rows(outbox), key=lambda r: (r.epoch, r.sequence))]
    assert ["submission", "digest", "submission"] == [kind for kind, _ in groupby(sent)]
    assert 2 == len({r.epoch for r in station.rows(outbox)})
    assert [] == [r.problem for s in (station, city.station) for r in s.rows(inbox) if r.problem]
    third = county.correct(second, 22)
    assert ("submitted", 3) == (agree(third, county, city)["state"], third["revision"])
