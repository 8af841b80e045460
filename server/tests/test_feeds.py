"""Calendar feeds: a secret address per unit, shown once, revocable; what it gives is a calendar that programs accept."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from icalendar import Calendar
from sqlalchemy import select

from gmsafety.duties import BEIJING
from gmsafety_server.node import Node
from gmsafety_server.tables import feeds
from world import CITY, ZEZHOU, StandingClock, scenario_file

WEEKLY = "shanxi.weekly-dispatch"
NOON = datetime(2024, 12, 27, 12, 0, tzinfo=BEIJING)


def _address(who: Any) -> str:
    answer = who.post("/feeds")
    assert 201 == answer.status_code, answer.text
    return str(answer.json()["address"]).partition("testserver")[2]


def _summaries(content: bytes) -> dict[str, str]:
    """What the events say, by UID."""
    return {str(e["uid"]): str(e["summary"]) for e in Calendar.from_ical(content).walk("VEVENT")}


def test_shown_once(person: Callable[..., Any], node: Node) -> None:
    """The list shows how an address begins; the database holds a hash of it."""
    clerk, colleague, other = person(ZEZHOU, "clerk"), person(ZEZHOU, "auditor"), person(CITY, "clerk")
    made = clerk.post("/feeds").json()
    listed = colleague.get("/feeds").json()
    secret = made["address"].rpartition("/")[2].removesuffix(".ics")

    assert [(made["id"], secret[:6], None)] == [(f["id"], f["hint"], f["revoked_at"]) for f in listed]
    assert secret not in str(listed)
    assert [] == other.get("/feeds").json()
    with node.db.read() as tx:
        rows = tx.execute(select(feeds)).all()
    assert secret not in str(rows)


def test_calendar(person: Callable[..., Any], http: Any, clock: StandingClock) -> None:
    """Deadlines of a unit; what was filed is marked, what was not says so after the deadline."""
    clerk, reviewer = person(ZEZHOU, "clerk"), person(CITY, "reviewer")
    address = _address(clerk)
    before = http.get(address)
    assert 200 == before.status_code
    assert "text/calendar; charset=utf-8" == before.headers["content-type"]
    events = {str(e["uid"]): e for e in Calendar.from_ical(before.content).walk("VEVENT")}
    weekly = f"jincheng.gongmao-2024.{WEEKLY}-2024-12-27-{ZEZHOU}@jincheng.gmsafety"

    assert "报送：周调度统计表 第2周（12月27日）" == events[weekly]["summary"]
    assert NOON == events[weekly]["dtstart"].dt
    assert ["-1 day, 22:00:00"] == [str(a["trigger"].dt) for a in events[weekly].walk("VALARM")]
    assert "每周五12:00前" in events[weekly]["description"]

    filed = clerk.file(scenario_file("2024-12-27", "zezhou", "weekly"), WEEKLY, "2024-12-27", reason="测试").json()
    assert "已报：周调度统计表 第2周（12月27日）" == _summaries(http.get(address).content)[weekly]
    reviewer.post(f"/submissions/{filed['uid']}/return", seen=filed["etag"], json={"note": "请核对"})
    assert "已退回，待更正：周调度统计表 第2周（12月27日）" == _summaries(http.get(address).content)[weekly]
    clock.set(NOON + timedelta(hours=1))
    ledger = weekly.replace("weekly-dispatch", "major-hazard-ledger")
    after = http.get(address).content
    assert "未报：重大事故隐患台账 第2周（12月27日）" == _summaries(after)[ledger]
    assert set(events) == set(_summaries(after))


def test_window(person: Callable[..., Any], http: Any, clock: StandingClock) -> None:
    """Sixty days back, one year ahead."""
    clock.set(datetime(2025, 2, 20, 9, 0, tzinfo=BEIJING))
    summaries = _summaries(http.get(_address(person(ZEZHOU, "clerk"))).content)

    assert not [uid for uid in summaries if "-2024-12-20-" in uid]
    assert [uid for uid in summaries if "-2024-12-27-" in uid]
    assert [uid for uid in summaries if "-2025-03-28-" in uid]


def test_unchanged(person: Callable[..., Any], http: Any, clock: StandingClock) -> None:
    """The same bytes until something changes; a program that asks again is told so."""
    clerk = person(ZEZHOU, "clerk")
    address = _address(clerk)
    first = http.get(address)
    clock.set(clock.now() + timedelta(minutes=5))
    same = http.get(address)

    assert (first.content, first.headers["etag"]) == (same.content, same.headers["etag"])
    tag, since = first.headers["etag"], first.headers["last-modified"]
    for asked in ({"If-None-Match": tag}, {"If-None-Match": f'"other", W/{tag}'}, {"If-Modified-Since": since}):
        again = http.get(address, headers=asked)
        assert (304, b"", tag) == (again.status_code, again.content, again.headers["etag"]), asked
    for asked in ({"If-None-Match": '"other"'}, {"If-Modified-Since": "yesterday"}, {"If-Modified-Since": ""}):
        assert 200 == http.get(address, headers=asked).status_code, asked
    assert (200, b"") == (http.head(address).status_code, http.head(address).content)
    clock.set(clock.now() + timedelta(minutes=5))
    clerk.file(scenario_file("2024-12-27", "zezhou", "weekly"), WEEKLY, "2024-12-27", reason="测试")
    changed = http.get(address, headers={"If-None-Match": tag, "If-Modified-Since": since})
    assert (200, True) == (changed.status_code, changed.headers["etag"] != tag)
    clock.set(NOON + timedelta(minutes=1))
    assert 200 == http.get(address, headers={"If-Modified-Since": changed.headers["last-modified"]}).status_code


def test_a_quiet_day(person: Callable[..., Any], http: Any, clock: StandingClock) -> None:
    """Nothing was filed since midnight: changed is what came into sight then, told in UTC as HTTP has it."""
    address = _address(person(ZEZHOU, "clerk"))
    clock.set(datetime(2024, 12, 28, 9, 0, tzinfo=BEIJING))
    first = http.get(address)
    since = first.headers["last-modified"]

    assert (200, "Fri, 27 Dec 2024 16:00:00 GMT") == (first.status_code, since)
    assert 304 == http.get(address, headers={"If-Modified-Since": since}).status_code
    for crazy in ("Fri, 27 Dec 99999999999999999999 16:00:00 GMT", "Fri, 27 Dec 2024 16:00:00 +99999999999999"):
        assert 200 == http.get(address, headers={"If-Modified-Since": crazy}).status_code, crazy


def test_a_closed_unit_has_no_calendar(person: Callable[..., Any], http: Any) -> None:
    address = _address(person(ZEZHOU, "clerk"))
    told = {"kind": "close", "unit": ZEZHOU, "day": "2024-12-27", "reason": "依据某某文件"}
    assert 201 == person(CITY, "administrator").post("/units/changes", json=told).status_code
    closed, unknown = http.get(address).json(), http.get("/feeds/nothing.ics").json()

    assert {**unknown, "instance": ""} == {**closed, "instance": ""}


def test_unknown_and_revoked(person: Callable[..., Any], http: Any) -> None:
    """Whoever has no address learns nothing: unknown, malformed and revoked look the same."""
    clerk, other = person(ZEZHOU, "clerk"), person(CITY, "clerk")
    made = clerk.post("/feeds").json()
    address = made["address"].partition("testserver")[2]
    assert 404 == other.send("DELETE", f"/feeds/{made['id']}").status_code
    assert 404 == clerk.send("DELETE", "/feeds/999999").status_code
    assert 200 == http.get(address).status_code
    assert [204, 204] == [clerk.send("DELETE", f"/feeds/{made['id']}").status_code for _ in range(2)]
    answers = [http.get(a).json() for a in (address, "/feeds/nothing.ics", f"/feeds/{'x' * 90}.ics", "/feeds/%00.ics")]

    assert [{**answers[0], "instance": ""}] * 4 == [{**a, "instance": ""} for a in answers]
    assert "GM-H440" == answers[0]["code"]
    assert clerk.get("/feeds").json()[0]["revoked_at"] is not None


def test_only_with_the_scope(person: Callable[..., Any]) -> None:
    reader = person(ZEZHOU, "clerk", scopes=["read"])

    assert ["GM-H431"] * 2 == [reader.post("/feeds").json()["code"], reader.get("/feeds").json()["code"]]
