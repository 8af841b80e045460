"""What the server finds is what the command line finds; and what only the server can know: who files, for which period."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest

from gmsafety.cli import main
from gmsafety.duties import BEIJING
from gmsafety.exchange.canonical import canonical, digest
from world import CITY, GAOPING, ZEZHOU, Person, StandingClock, received, scenario_file

WEEKLY, LEDGER = "shanxi.weekly-dispatch", "shanxi.major-hazard-ledger"
WEEKS = ("2024-12-20", "2024-12-27", "2025-01-03")
COUNTIES = {
    "chengqu": "城区", "qinshui": "沁水县", "yangcheng": "阳城县",
    "lingchuan": "陵川县", "zezhou": "泽州县", "gaoping": "高平市",
}  # fmt: skip


def by_the_command(
    capsys: pytest.CaptureFixture[str], week: str, county: str, kind: str, last: str | None
) -> list[dict[str, Any]]:
    """The findings of `gmsafety forms check`: against last week's file, a table also against its ledger."""
    more = ["--previous", str(scenario_file(last, county, kind))] if last else []
    more += ["--with", str(scenario_file(week, county, "ledger"))] if kind == "weekly" else []
    main(["forms", "check", str(scenario_file(week, county, kind)), "--json", *more])
    return list(json.loads(capsys.readouterr().out)[0]["findings"])


def test_the_scenario(person: Callable[..., Person], clock: StandingClock, capsys: pytest.CaptureFixture[str]) -> None:
    """Three weeks of six counties, ledger before table: finding for finding, in the same order."""
    clock.set(received("2024-12-20", "城区"))
    clerks = {county: person(f"jincheng.{county}-office", "clerk") for county in COUNTIES}
    differ, late, nil = [], {}, set()
    for week, last in zip(WEEKS, (None, *WEEKS), strict=False):
        for county, area in COUNTIES.items():
            clock.set(received(week, area))
            for kind, item in (("ledger", LEDGER), ("weekly", WEEKLY)):
                answer = clerks[county].file(scenario_file(week, county, kind), item, week, reason="情况属实")
                assert 201 == answer.status_code, answer.text
                told = answer.json()
                mine = [{k: v for k, v in f.items() if k != "place"} for f in told["findings"]]
                wanted = by_the_command(capsys, week, county, kind, last)
                differ += [(week, county, kind, mine, wanted)] if mine != wanted else []
                assert digest(canonical(mine)) == told["receipts"][1]["receipt"]["findings"]["digest"]
                late |= {(week, area): told["late_minutes"]} if told["late_minutes"] else {}
                nil |= {(week, area)} if told["nil"] else set()

    assert [] == differ
    assert {("2025-01-03", "陵川县"): 281} == late
    assert ("2025-01-03", "城区") in nil


def test_the_other_order(person: Callable[..., Person], clock: StandingClock) -> None:
    """Filed before its ledger the table is clean; then the ledger bears the finding, and names the table's file."""
    clock.set(datetime(2025, 1, 3, 10, 0, tzinfo=BEIJING))
    clerk, week = person(GAOPING, "clerk"), "2025-01-03"
    table = clerk.file(scenario_file(week, "gaoping", "weekly"), WEEKLY, week).json()
    ledger = clerk.file(scenario_file(week, "gaoping", "ledger"), LEDGER, week, reason="表待更正").json()

    assert (0, 1) == (table["errors"], ledger["errors"])
    found = next(f for f in ledger["findings"] if f["severity"] == "error")
    assert ("GM-X601", "C7", "gaoping_weekly.xlsx") == (found["code"], found["where"], found["file"])


def weekly(unit: str, day: str) -> dict[str, Any]:
    return {"header": {"填报单位": unit, "填报时间": day}, "clauses": {}}


@pytest.mark.parametrize(
    ("unit", "day", "codes"),
    [
        ("泽州县应急管理局", "2024-12-27", []),
        ("晋城市泽州县应急管理局", "2024-12-21", []),
        ("泽州县", "2024-12-27", []),
        ("高平市应急管理局", "2024-12-27", ["GM-U710 header.unit"]),
        ("晋城市应急管理局", "2024-12-27", ["GM-U710 header.unit"]),
        ("泽州县应急管理局", "2024-12-20", ["GM-U705 header.date"]),
        ("泽州县应急管理局", "2024-12-28", ["GM-U705 header.date"]),
        ("高平市", "2025-12-27", ["GM-U710 header.unit", "GM-U705 header.date", "GM-S221 header.date"]),
        ("某某局", "2024-12-27", ["GM-U701 header.unit"]),
    ],
)
def test_who_files_and_for_which_period(person: Callable[..., Person], unit: str, day: str, codes: list[str]) -> None:
    told = {"message_id": f"m-{uuid4().hex}", "item": WEEKLY, "period": "2024-12-27", "reason": "情况属实"}
    filed = person(ZEZHOU, "clerk").post("/submissions", json={**told, "body": weekly(unit, day)}).json()

    assert codes == [f"{f['code']} {f['where']}" for f in filed["findings"] if f["code"] != "GM-S220"]


def test_the_wrong_countys_file(person: Callable[..., Person]) -> None:
    answer = person(ZEZHOU, "clerk").file(scenario_file("2024-12-27", "gaoping", "weekly"), WEEKLY, "2024-12-27")
    found = answer.json()["findings"][0]

    assert (422, "GM-H482") == (answer.status_code, answer.json()["code"])
    assert ("GM-U710", "A3", "表上的填报单位是“高平市应急管理局”，登录的是泽州县应急管理局。") == (
        found["code"],
        found["where"],
        found["message"],
    )


def test_only_what_is_in_force_is_last_week(person: Callable[..., Person], clock: StandingClock) -> None:
    """A returned form is nothing to compare with; its correction is."""
    clerk, reviewer = person(ZEZHOU, "clerk"), person(CITY, "reviewer")
    clock.set(datetime(2024, 12, 20, 9, 0, tzinfo=BEIJING))
    high = {"header": {"填报单位": "泽州县", "填报时间": "2024-12-20"}, "clauses": {"2": {"numbers": [90, *[0] * 10]}}}
    low = {"header": {"填报单位": "泽州县", "填报时间": "2024-12-27"}, "clauses": {"2": {"numbers": [40, *[0] * 10]}}}

    def file(body: dict[str, Any], period: str, **more: Any) -> Any:
        told = {"message_id": f"m-{uuid4().hex}", "item": WEEKLY, "period": period, "body": body}
        return clerk.post("/submissions", json={**told, **more}).json()

    first = file(high, "2024-12-20")
    clock.set(datetime(2024, 12, 27, 9, 0, tzinfo=BEIJING))
    fallen = file(low, "2024-12-27", action="draft")
    assert ["GM-P501"] == [f["code"] for f in fallen["findings"]]
    reviewer.post(f"/submissions/{first['uid']}/return", seen=first["etag"], json={"note": "企业数有误"})
    filed = clerk.post(f"/submissions/{fallen['uid']}/submit", seen=fallen["etag"], json={}).json()
    assert ("submitted", []) == (filed["state"], filed["findings"])
