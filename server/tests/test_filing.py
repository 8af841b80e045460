"""The life of a submission: what may be done in which state, what the receipts say, and that nothing happens twice."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from gmsafety.duties import BEIJING
from gmsafety.exchange.receipts import SignedReceipt, Verdict, in_words
from gmsafety_server.node import Node, public_keys
from gmsafety_server.tables import blobs, slots, submissions
from world import CITY, GAOPING, ZEZHOU, Person, StandingClock, counts, scenario_file

WEEKLY, LEDGER = "shanxi.weekly-dispatch", "shanxi.major-hazard-ledger"
COUNTIES = [f"jincheng.{name}-office" for name in ("chengqu", "qinshui", "yangcheng", "lingchuan", "zezhou", "gaoping")]
FRIDAYS = ["02-07", "02-14", "02-21", "02-28", "03-07", "03-14", "03-21", "03-28"]

# What comes of an action in a state: the state after it, or the code of the problem.
LIFE = """
            | file      | correct   | submit    | replace   | discard   | accept    | return    | reopen
nothing     | submitted | GM-H460   |           |           |           |           |           |
draft       | GM-H453   | GM-H460   | submitted | draft     | gone      | GM-H440   | GM-H440   | GM-H440
submitted   | GM-H451   | submitted | GM-H454   | GM-H454   | GM-H454   | accepted  | returned  | GM-H454
accepted    | GM-H452   | GM-H452   | GM-H454   | GM-H454   | GM-H454   | GM-H454   | GM-H454   | submitted
returned    | GM-H451   | submitted | GM-H454   | GM-H454   | GM-H454   | GM-H454   | GM-H454   | GM-H454
reopened    | GM-H451   | submitted | GM-H454   | GM-H454   | GM-H454   | accepted  | returned  | GM-H454
superseded  |           |           | GM-H454   | GM-H454   | GM-H454   | GM-H454   | GM-H454   | GM-H454
"""


def table(text: str) -> Iterator[tuple[str, str, str]]:
    head, *lines = [[cell.strip() for cell in line.split("|")] for line in text.strip("\n").splitlines()]
    yield from ((line[0], action, told) for line in lines for action, told in zip(head[1:], line[1:], strict=True))


def nil(item: str, period: str, **more: Any) -> dict[str, Any]:
    return {"message_id": f"m-{uuid4().hex}", "item": item, "period": period, "nil": True, **more}


class Play:
    """One slot, brought into a state; then one action on it."""

    def __init__(self, clerk: Person, reviewer: Person, period: str) -> None:
        self.clerk, self.reviewer, self.period = clerk, reviewer, period
        self.uid = ""

    def told(self) -> dict[str, Any]:
        return dict(self.clerk.get(f"/submissions/{self.uid}").json())

    def act(self, action: str) -> Any:
        current = self.told() if self.uid else {"etag": 1, "payload_hash": "0" * 64}
        if action in ("file", "correct", "draft"):
            more = {"supersedes": current["payload_hash"]} if action == "correct" else {}
            kind = {"action": "draft"} if action == "draft" else {}
            return self.clerk.post("/submissions", json=nil(LEDGER, self.period, note=uuid4().hex, **more, **kind))
        if action == "discard":
            return self.clerk.send("DELETE", f"/submissions/{self.uid}", seen=current["etag"])
        if action == "replace":
            return self.clerk.send(
                "PUT", f"/submissions/{self.uid}/form", seen=current["etag"], json=nil(LEDGER, self.period)
            )
        who = self.clerk if action == "submit" else self.reviewer
        body = {"submit": {}, "accept": {}}.get(action, {"note": "请核对"})
        return who.post(f"/submissions/{self.uid}/{action}", seen=current["etag"], json=body)

    def bring_to(self, state: str) -> None:
        steps = {
            "nothing": [], "draft": ["draft"], "submitted": ["file"], "accepted": ["file", "accept"],
            "returned": ["file", "return"], "reopened": ["file", "accept", "reopen"], "superseded": ["file", "correct"],
        }  # fmt: skip
        for step in steps[state]:
            answer = self.act(step)
            assert answer.is_success, answer.text
            if not self.uid:
                self.uid = answer.json()["uid"]


def test_what_may_be_done_in_which_state(person: Callable[..., Person], clock: StandingClock) -> None:
    clock.set(datetime(2025, 3, 28, 10, 0, tzinfo=BEIJING))
    reviewer = person(CITY, "reviewer")
    clerks = {county: person(county, "clerk") for county in COUNTIES}
    places = product(FRIDAYS, COUNTIES)
    found = {}
    for state, action, told in table(LIFE):
        if told:
            friday, county = next(places)
            play = Play(clerks[county], reviewer, f"2025-{friday}")
            play.bring_to(state)
            answer = play.act(action)
            found[state, action] = _outcome(answer)

    assert {(s, a): told for s, a, told in table(LIFE) if told} == found


def _outcome(answer: Any) -> str:
    if answer.status_code == 204:
        return "gone"
    told = answer.json()
    return str(told["state"] if answer.is_success else told["code"])


def test_the_receipts_of_a_returned_and_corrected_form(
    person: Callable[..., Person], clock: StandingClock, node: Node
) -> None:
    clerk, reviewer = person(ZEZHOU, "clerk"), person(CITY, "reviewer")
    first = clerk.file(scenario_file("2024-12-27", "zezhou", "weekly"), WEEKLY, "2024-12-27").json()
    clock.set(clock.moment + timedelta(minutes=30))
    reasons = [{"where": "C7", "text": "重大事故隐患4条，台账只有3条"}]
    returned = reviewer.post(
        f"/submissions/{first['uid']}/return", seen=first["etag"], json={"reasons": reasons}
    ).json()
    clock.set(clock.moment + timedelta(minutes=53))
    more = {"supersedes": first["payload_hash"]}
    second = clerk.file(scenario_file("2024-12-27", "zezhou", "weekly"), WEEKLY, "2024-12-27", **more).json()
    accepted = reviewer.post(f"/submissions/{second['uid']}/accept", seen=second["etag"], json={"note": "已核"}).json()

    assert ("returned", "accepted") == (returned["state"], accepted["state"])
    assert ((1, 0), (2, 0)) == tuple((s["revision"], s["late_minutes"]) for s in (returned, accepted))
    told = [*returned["receipts"], *accepted["receipts"]]
    assert [
        (1, "stored", None, 0),
        (1, "checked", None, 0),
        (1, "decided", "returned", 0),
        (2, "stored", None, 23),
        (2, "checked", None, 23),
        (2, "decided", "accepted", 23),
    ] == [_line(SignedReceipt.from_json(r)) for r in told]
    assert reasons == told[2]["receipt"]["reasons"]
    _hold_together(returned["receipts"], node)
    _hold_together(accepted["receipts"], node)


def _line(signed: SignedReceipt) -> tuple[int, str, str | None, int]:
    receipt = signed.receipt
    return receipt.revision, receipt.kind, receipt.decision, receipt.late_minutes


def _hold_together(told: list[dict[str, Any]], node: Node) -> None:
    """Every receipt is signed by the node, and names the one before it."""
    with node.db.read() as tx:
        keys = public_keys(tx)
    given = [SignedReceipt.from_json(r) for r in told]
    assert {Verdict.VALID} == {g.verify(keys) for g in given}
    assert [None, *(g.hash for g in given[:-1])] == [g.receipt.previous for g in given]


@pytest.mark.parametrize(
    ("received", "late", "words"),
    [
        ("2024-12-27 11:58:03", 0, "截止 12:00，按时"),
        ("2024-12-27 12:00:00", 0, "截止 12:00，按时"),
        ("2024-12-27 12:00:00.400", 0, "截止 12:00，按时"),
        ("2024-12-27 12:00:01", 1, "截止 12:00，迟到1分钟"),
        ("2024-12-27 16:41:00", 281, "截止 12:00，迟到281分钟"),
        ("2024-12-28 09:00:00", 1260, "截止 2024-12-27 12:00，迟到1260分钟"),
    ],
)
def test_how_late(person: Callable[..., Person], clock: StandingClock, received: str, late: int, words: str) -> None:
    clock.set(datetime.fromisoformat(received).replace(tzinfo=BEIJING))
    filed = person(ZEZHOU, "clerk").post("/submissions", json=nil(LEDGER, "2024-12-27")).json()
    receipt = SignedReceipt.from_json(filed["receipts"][0])

    assert (late, late) == (filed["late_minutes"], receipt.receipt.late_minutes)
    assert words in in_words(receipt)


@pytest.mark.parametrize(
    ("now", "code"),
    [
        ("2024-12-20 23:59:59", "GM-H456"),
        ("2024-12-21 00:00:00", None),
        ("2025-02-25 12:00:00", None),
        ("2025-02-25 12:00:01", "GM-H455"),
    ],
)
def test_when_a_period_is_open(person: Callable[..., Person], clock: StandingClock, now: str, code: str | None) -> None:
    """From the Saturday before its Friday until 60 days after the deadline."""
    clock.set(datetime.fromisoformat(now).replace(tzinfo=BEIJING))
    answer = person(ZEZHOU, "clerk").post("/submissions", json=nil(LEDGER, "2024-12-27"))

    assert (201 if code is None else 409, code) == (answer.status_code, answer.json().get("code"))


def test_what_came_in_is_corrected_after_the_end(person: Callable[..., Person], clock: StandingClock) -> None:
    filed = person(ZEZHOU, "clerk").post("/submissions", json=nil(LEDGER, "2024-12-27")).json()
    clock.set(datetime(2025, 3, 20, tzinfo=BEIJING))
    clerk, reviewer = person(ZEZHOU, "clerk"), person(CITY, "reviewer")
    reviewer.post(f"/submissions/{filed['uid']}/return", seen=filed["etag"], json={"note": "请补报"})
    answer = clerk.post("/submissions", json=nil(LEDGER, "2024-12-27", supersedes=filed["payload_hash"]))

    assert (201, 2, 0) == (answer.status_code, answer.json()["revision"], answer.json()["late_minutes"])


def test_the_same_message_again(person: Callable[..., Person], node: Node, clock: StandingClock) -> None:
    """The stored first receipts come again, whatever has happened since; another content is told both hashes."""
    path, told = scenario_file("2024-12-27", "zezhou", "ledger"), {"message_id": "zezhou-2024-12-27-ledger"}
    first = person(ZEZHOU, "clerk").file(path, LEDGER, "2024-12-27", **told)
    clock.set(clock.moment + timedelta(days=100))
    clerk, reviewer = person(ZEZHOU, "clerk"), person(CITY, "reviewer")
    before = counts(node)
    again = clerk.file(path, LEDGER, "2024-12-27", **told)
    other = clerk.file(scenario_file("2024-12-20", "zezhou", "ledger"), LEDGER, "2024-12-27", **told)

    assert (201, 200, 409) == (first.status_code, again.status_code, other.status_code)
    assert first.json() == again.json()
    assert "GM-H450" == other.json()["code"]
    assert other.json()["stored_hash"] != other.json()["received_hash"]
    assert first.json()["uid"] == other.json()["uid"]
    assert before == counts(node)
    reviewer.post(f"/submissions/{first.json()['uid']}/accept", seen=first.json()["etag"], json={})
    last = clerk.file(path, LEDGER, "2024-12-27", **told)
    assert (200, "accepted") == (last.status_code, last.json()["state"])
    assert first.json()["receipts"] == last.json()["receipts"][:2]


def test_one_name_of_a_message_in_two_slots(person: Callable[..., Person]) -> None:
    clerk = person(ZEZHOU, "clerk")
    told = nil(LEDGER, "2024-12-27")
    clerk.post("/submissions", json=told)
    answer = clerk.post("/submissions", json={**told, "item": WEEKLY})

    assert (409, "GM-H450") == (answer.status_code, answer.json()["code"])


def test_two_people_decide_what_they_both_saw(person: Callable[..., Person]) -> None:
    """The second is told that it changed; the same decision sent twice by one person is done once."""
    clerk, one, two = person(ZEZHOU, "clerk"), person(CITY, "reviewer"), person(CITY, "reviewer")
    filed = clerk.post("/submissions", json=nil(LEDGER, "2024-12-27")).json()
    path, seen = f"/submissions/{filed['uid']}", filed["etag"]
    first = one.post(f"{path}/accept", seen=seen, json={})
    again = one.post(f"{path}/accept", seen=seen, json={})
    other = two.post(f"{path}/accept", seen=seen, json={})
    returned = two.post(f"{path}/return", seen=seen, json={"note": "请核对"})

    assert (200, 200, 412, 412) == tuple(a.status_code for a in (first, again, other, returned))
    assert first.json() == again.json()
    assert 3 == len(again.json()["receipts"])
    assert {"GM-H460"} == {other.json()["code"], returned.json()["code"]}


def test_two_clerks_change_the_draft_they_both_saw(person: Callable[..., Person]) -> None:
    one, two = person(ZEZHOU, "clerk"), person(ZEZHOU, "clerk")
    draft = one.post("/submissions", json=nil(LEDGER, "2024-12-27", action="draft")).json()
    path, seen = f"/submissions/{draft['uid']}", draft["etag"]
    first = one.send("PUT", f"{path}/form", seen=seen, json=nil(LEDGER, "2024-12-27", note="一"))
    answers = [
        two.send("PUT", f"{path}/form", seen=seen, json=nil(LEDGER, "2024-12-27", note="二")),
        two.post(f"{path}/submit", seen=seen, json={}),
        two.send("DELETE", path, seen=seen),
    ]

    assert (200, "一") == (first.status_code, one.get(path).json()["note"])
    assert [(412, "GM-H460")] * 3 == [(a.status_code, a.json()["code"]) for a in answers]


@pytest.mark.parametrize(
    ("header", "code"), [(None, "GM-H461"), ("*", "GM-H460"), ('"999"', "GM-H460"), ('"x"', "GM-H460"), ('W/"2"', None)]
)
def test_if_match(person: Callable[..., Person], header: str | None, code: str | None) -> None:
    filed = person(ZEZHOU, "clerk").post("/submissions", json=nil(LEDGER, "2024-12-27")).json()
    reviewer = person(CITY, "reviewer")
    headers = reviewer.headers | ({"If-Match": header} if header else {})
    answer = reviewer.http.post(f"/api/v1/submissions/{filed['uid']}/accept", headers=headers, json={})

    assert code == answer.json().get("code")


def test_findings_want_a_reason(person: Callable[..., Person], node: Node) -> None:
    """Filed without one: refused with the findings, and nothing is stored. With one: the reason travels with it."""
    clerk = person(GAOPING, "clerk")
    body = {
        "header": {"填报单位": "高平市应急管理局", "填报时间": "2024-12-27"},
        "clauses": {"2": {"numbers": [33, 9, 12, 0, 0, 0, 0, 0, 0, 0, 0]}},
    }
    told = {"message_id": f"m-{uuid4().hex}", "item": WEEKLY, "period": "2024-12-27", "body": body}
    before = counts(node)
    refused = clerk.post("/submissions", json=told)

    assert (422, "GM-H482") == (refused.status_code, refused.json()["code"])
    assert ["GM-R401"] == [f["code"] for f in refused.json()["findings"] if f["severity"] != "info"]
    assert before == counts(node)
    filed = clerk.post("/submissions", json={**told, "reason": "含上月结转整改3条"}).json()
    assert ("submitted", "含上月结转整改3条", 1) == (filed["state"], filed["reason"], filed["errors"])
    assert {"errors": 1, "warnings": 0} == {
        k: filed["receipts"][1]["receipt"]["findings"][k] for k in ("errors", "warnings")
    }


def test_a_draft_is_checked_again_when_it_is_filed(person: Callable[..., Person]) -> None:
    """The table was clean until the ledger came in beside it."""
    clerk = person(GAOPING, "clerk")
    week = "2025-01-03"
    clerk.http.app.state.node.clock.set(datetime(2025, 1, 3, 10, 0, tzinfo=BEIJING))
    table_file = scenario_file(week, "gaoping", "weekly")
    draft = clerk.file(table_file, WEEKLY, week, action="draft").json()
    clerk.file(scenario_file(week, "gaoping", "ledger"), LEDGER, week, reason="以台账为准")
    answer = clerk.post(f"/submissions/{draft['uid']}/submit", seen=draft["etag"], json={})

    assert 0 == draft["errors"]
    assert (422, "GM-H482") == (answer.status_code, answer.json()["code"])
    assert ["GM-X601"] == [f["code"] for f in answer.json()["findings"] if f["severity"] != "info"]
    filed = clerk.post(f"/submissions/{draft['uid']}/submit", seen=draft["etag"], json={"reason": "有1条待登记"}).json()
    assert ("submitted", 1, "有1条待登记") == (filed["state"], filed["errors"], filed["reason"])


def test_a_nil_report(person: Callable[..., Person], node: Node) -> None:
    filed = person(ZEZHOU, "clerk").post("/submissions", json=nil(WEEKLY, "2024-12-27")).json()
    with node.db.read() as tx:
        slot = tx.execute(select(slots).where(slots.c.unit == ZEZHOU, slots.c.item == WEEKLY, slots.c.nil)).one()

    assert (True, "submitted", 0, 0) == (filed["nil"], filed["state"], filed["errors"], filed["warnings"])
    assert ("submitted", filed["period"]) == (slot.state, slot.period.isoformat())
    assert "第1版（零报告）" in in_words(SignedReceipt.from_json(filed["receipts"][0]))


def test_a_draft_leaves_nothing_but_its_bytes(person: Callable[..., Person], node: Node) -> None:
    clerk = person(ZEZHOU, "clerk")
    path = scenario_file("2024-12-27", "zezhou", "ledger")
    before = counts(node)
    draft = clerk.file(path, LEDGER, "2024-12-27", action="draft").json()
    answer = clerk.send("DELETE", f"/submissions/{draft['uid']}", seen=draft["etag"])

    assert 204 == answer.status_code
    assert before | {blobs.name: before["blobs"] + 1} == counts(node)
    assert 404 == clerk.get(f"/submissions/{draft['uid']}").status_code


def test_the_history(person: Callable[..., Person], clock: StandingClock) -> None:
    clerk, reviewer = person(ZEZHOU, "clerk"), person(CITY, "reviewer")
    filed = clerk.post("/submissions", json=nil(LEDGER, "2024-12-27")).json()
    accepted = reviewer.post(f"/submissions/{filed['uid']}/accept", seen=filed["etag"], json={}).json()
    reviewer.post(f"/submissions/{filed['uid']}/reopen", seen=accepted["etag"], json={"note": "县里要更正"})
    told = clerk.get(f"/submissions/{filed['uid']}/history").json()

    assert [
        ("submitted", "泽州县应急管理局", None),
        ("accepted", "晋城市应急管理局", None),
        ("reopened", "晋城市应急管理局", "县里要更正"),
    ] == [(e["kind"], e["unit_name"], e["text"]) for e in told]
    assert {clock.now()} == {datetime.fromisoformat(e["at"]).astimezone(UTC) for e in told}


def test_the_list(person: Callable[..., Person]) -> None:
    """A county sees its own and its drafts; the city sees its counties', without their drafts."""
    zezhou, gaoping, city = person(ZEZHOU, "clerk"), person(GAOPING, "clerk"), person(CITY, "reviewer")
    for clerk, item, more in (
        (zezhou, LEDGER, {}),
        (zezhou, WEEKLY, {"action": "draft"}),
        (gaoping, LEDGER, {}),
        (gaoping, WEEKLY, {}),
    ):
        clerk.post("/submissions", json=nil(item, "2024-12-27", **more))

    def seen(who: Person, **filters: Any) -> list[tuple[str, str, str]]:
        told = who.get("/submissions", params=filters).json()
        assert len(told["items"]) == min(told["total"], told["size"])
        return [(i["unit"], i["item"], i["state"]) for i in told["items"]]

    assert [(ZEZHOU, WEEKLY, "draft"), (ZEZHOU, LEDGER, "submitted")] == seen(zezhou)
    assert [(GAOPING, WEEKLY, "submitted"), (GAOPING, LEDGER, "submitted"), (ZEZHOU, LEDGER, "submitted")] == seen(city)
    assert [(GAOPING, LEDGER, "submitted"), (ZEZHOU, LEDGER, "submitted")] == seen(city, item=LEDGER)
    assert [(GAOPING, WEEKLY, "submitted")] == seen(city, size=1)
    assert [] == seen(zezhou, unit=GAOPING)
    assert [] == seen(zezhou, state="accepted")


def test_what_is_out_of_sight_does_not_exist(person: Callable[..., Person]) -> None:
    zezhou, gaoping = person(ZEZHOU, "clerk"), person(GAOPING, "clerk", "reviewer")
    city = person(CITY, "clerk", "reviewer")
    filed = zezhou.post("/submissions", json=nil(LEDGER, "2024-12-27")).json()
    path, seen = f"/submissions/{filed['uid']}", filed["etag"]
    nothing = gaoping.get(f"/submissions/{uuid4()}").json()
    told = [
        gaoping.get(path),
        gaoping.get(f"{path}/history"),
        gaoping.get(f"{path}/record.xlsx"),
        gaoping.get(f"{path}/receipts/1"),
        gaoping.send("DELETE", path, seen=seen),
        gaoping.post(f"{path}/accept", seen=seen, json={}),
        gaoping.post("/submissions", json=nil(LEDGER, "2024-12-27", unit=ZEZHOU)),
        zezhou.post("/submissions", json=nil(LEDGER, "2024-12-27", unit=CITY)),
        zezhou.post("/submissions", json=nil(LEDGER, "2024-12-27", unit="某某局")),
    ]

    assert [(404, "GM-H440")] * len(told) == [(a.status_code, a.json()["code"]) for a in told]
    same = {k: v for k, v in nothing.items() if k != "instance"}
    assert same == {k: v for k, v in told[0].json().items() if k != "instance"}
    in_sight = city.post("/submissions", json=nil(LEDGER, "2024-12-27", unit=ZEZHOU))
    assert (403, "GM-H430") == (in_sight.status_code, in_sight.json()["code"])


def test_what_is_not_owed(person: Callable[..., Person]) -> None:
    clerk = person(ZEZHOU, "clerk")
    for item, period in ((LEDGER, "2024-12-26"), ("shanxi.unknown", "2024-12-27"), (LEDGER, "2026-01-02")):
        answer = clerk.post("/submissions", json=nil(item, period))
        assert (422, "GM-H484") == (answer.status_code, answer.json()["code"])


def test_a_correction_before_the_decision(person: Callable[..., Person], node: Node) -> None:
    clerk = person(ZEZHOU, "clerk")
    first = clerk.post("/submissions", json=nil(LEDGER, "2024-12-27")).json()
    second = clerk.file(
        scenario_file("2024-12-27", "zezhou", "ledger"), LEDGER, "2024-12-27", supersedes=first["payload_hash"]
    ).json()
    stale = clerk.post("/submissions", json=nil(LEDGER, "2024-12-27", supersedes=first["payload_hash"]))

    told = clerk.get(f"/submissions/{first['uid']}").json()

    assert ("superseded", False) == (told["state"], told["current"])
    assert ("submitted", 2, True, first["payload_hash"]) == tuple(
        second[k] for k in ("state", "revision", "current", "supersedes")
    )
    assert (412, "GM-H460", second["uid"]) == (stale.status_code, stale.json()["code"], stale.json()["current"]["uid"])
    with node.db.read() as tx:
        states = tx.execute(select(submissions.c.revision, submissions.c.state).order_by(submissions.c.id)).all()
    assert [(1, "superseded"), (2, "submitted")] == [tuple(s) for s in states]
