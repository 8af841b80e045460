"""What becomes of units: the past stays as it was, the future follows, and everybody sees what is theirs."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, datetime, time
from time import perf_counter
from typing import Any

import pytest
from sqlalchemy import insert, select

from browsing import Browser, words
from gmsafety.duties import BEIJING
from gmsafety_server import auth
from gmsafety_server.node import Node
from gmsafety_server.planning import plan
from gmsafety_server.scope import visible
from gmsafety_server.seeding import assign_by_role, seed
from gmsafety_server.tables import audit, sessions, slots, unit_changes, units
from world import CITY, GAOPING, OTHER_CITY, PROVINCE, ZEZHOU, Person, StandingClock, scenario_file

Make = Callable[..., Any]
WEEKLY = "shanxi.weekly-dispatch"
GXJ = "jincheng.jincheng-gxj"
LAST, NOW, NEXT = date(2024, 12, 20), date(2024, 12, 27), date(2025, 1, 3)
TODAY, FIRST = "2024-12-27", "2025-01-01"
REASON = "依据某某文件"


@pytest.fixture
def province(person: Make) -> Person:
    return person(PROVINCE, "administrator")


def change(who: Person, kind: str, *, status: int = 201, day: str = FIRST, **told: Any) -> dict[str, Any]:
    answer = who.post("/units/changes", json={"kind": kind, "day": day, "reason": REASON, **told})

    assert status == answer.status_code, answer.text
    return dict(answer.json())


def new(ref: str, name: str, **more: Any) -> dict[str, Any]:
    return {"ref": f"jincheng.{ref}", "name": name, **more}


def expected(node: Node, period: date, item: str = WEEKLY) -> dict[str, str | None]:
    """Who owes a form for a period, and to whom."""
    with node.db.read() as tx:
        query = select(slots.c.unit, slots.c.upper).where(slots.c.period == period, slots.c.item == item)
        return {row.unit: row.upper for row in tx.execute(query)}


def everything(node: Node, before: datetime) -> list[tuple[Any, ...]]:
    """All that was due by a moment, as it stands."""
    with node.db.read() as tx:
        return [tuple(r) for r in tx.execute(select(slots).where(slots.c.due_at <= before).order_by(slots.c.id))]


def short(refs: Iterable[str | None]) -> set[str]:
    return {str(ref).partition(".")[2].removesuffix("-office") for ref in refs}


COUNTIES = {"chengqu", "qinshui", "yangcheng", "lingchuan", "zezhou", "gaoping"}
DEPARTMENTS = {"jincheng-gxj", "jincheng-sthjj", "jincheng-scjgj"}
TWO = [new("zezhou-east-office", "泽州东区应急管理局"), new("zezhou-west-office", "泽州西区应急管理局")]
CHANGES: list[tuple[dict[str, Any], set[str], set[str]]] = [
    # what is done                                                           who no longer owes   who owes from then on
    ({"kind": "close", "unit": ZEZHOU}, {"zezhou"}, set()),
    ({"kind": "rename", "unit": ZEZHOU, "name": "泽州区应急管理局"}, set(), set()),
    ({"kind": "move", "unit": ZEZHOU, "to": OTHER_CITY}, set(), set()),
    ({"kind": "split", "unit": ZEZHOU, "into": TWO}, {"zezhou"}, {"zezhou-east", "zezhou-west"}),
    ({"kind": "split", "unit": ZEZHOU, "into": TWO[:1], "keep": True}, set(), {"zezhou-east"}),
    ({"kind": "merge", "units": [ZEZHOU, GAOPING], "into": ZEZHOU}, {"gaoping"}, set()),
    ({"kind": "merge", "units": [ZEZHOU, GAOPING], "into": TWO[0]}, {"zezhou", "gaoping"}, {"zezhou-east"}),
    ({"kind": "merge", "units": [GXJ], "into": "jincheng.jincheng-sthjj"}, {"jincheng-gxj"}, set()),
    ({"kind": "unassign", "unit": GXJ, "campaign": "jincheng.gongmao-2024", "duty": "weekly-forms"}, {"jincheng-gxj"}, set()),
    ({"kind": "assign", "unit": CITY, "campaign": "jincheng.gongmao-2024", "duty": "weekly-forms"}, set(), set()),
    ({"kind": "open", "ref": "jincheng.kfq-office", "name": "开发区应急管理局", "parent": CITY, "level": "county",
      "role": "county-office"}, set(), {"kfq"}),
    ({"kind": "open", "ref": "jincheng.gzjg", "name": "某某局", "parent": CITY, "role": "adviser"}, set(), set()),
]  # fmt: skip


@pytest.mark.parametrize(("told", "gone", "come"), CHANGES)
def test_the_past_is_frozen_and_the_future_follows(
    node: Node, province: Person, clock: StandingClock, told: dict[str, Any], gone: set[str], come: set[str]
) -> None:
    clock.set(datetime(2024, 12, 28, 9, 0, tzinfo=BEIJING))
    own = COUNTIES | DEPARTMENTS
    others = short(expected(node, NEXT)) - own
    past = everything(node, clock.now())
    dry = change(province, **told, status=200, dry_run=True)
    between = short(expected(node, NEXT))
    done = change(province, **told)

    assert past == everything(node, clock.now())
    assert own | others == short(expected(node, LAST)) == short(expected(node, NOW)) == between
    assert (own - gone) | come | others == short(expected(node, NEXT))
    assert {**dry, "id": 0, "dry_run": False} == {**done, "id": 0}


def test_a_change_in_the_week_takes_effect_on_its_day(node: Node, province: Person, clock: StandingClock) -> None:
    """Closed from Saturday: this Friday's forms are still owed, next Friday's are not."""
    change(province, "close", unit=ZEZHOU, day="2024-12-28")

    assert ("zezhou" in short(expected(node, NOW)), "zezhou" in short(expected(node, NEXT))) == (True, False)


def test_closed_from_today_owes_nothing_today(node: Node, province: Person) -> None:
    """At eleven, an hour before the deadline."""
    change(province, "close", unit=ZEZHOU, day=TODAY)

    assert ("zezhou" in short(expected(node, LAST)), "zezhou" in short(expected(node, NOW))) == (True, False)


def test_nothing_is_changed_in_the_past(node: Node, province: Person) -> None:
    said = change(province, "close", unit=ZEZHOU, day="2024-12-26", status=409)

    assert ("GM-H458", "2024-12-26已过去；以前的期次已经固定") == (said["code"], said["detail"])


def test_rates_of_past_weeks_stay(node: Node, province: Person, person: Make, clock: StandingClock) -> None:
    leader = person(CITY, "leader")
    clock.set(datetime(2024, 12, 28, 9, 0, tzinfo=BEIJING))
    question = {"campaign": "jincheng.gongmao-2024", "item": WEEKLY}
    before = leader.get("/board", params=question)
    assert 200 == before.status_code, before.text
    change(province, "move", unit=ZEZHOU, to=OTHER_CITY)
    change(province, "close", unit=GXJ)
    change(province, "merge", units=["jincheng.chengqu-office", GAOPING], into=GAOPING)
    clock.set(datetime(2025, 1, 2, 9, 0, tzinfo=BEIJING))
    after = leader.get("/board", params=question)

    def past(answer: Any) -> Any:
        return {p["period"]: p["totals"] for p in answer.json()["periods"] if p["period"] <= TODAY}

    assert {"2024-12-20", "2024-12-27"} == set(past(before))
    assert past(before) == past(after)


def test_what_was_filed_stays_with_the_unit_it_was_filed_to(
    node: Node, province: Person, person: Make, clock: StandingClock
) -> None:
    clerk = person(ZEZHOU, "clerk")
    clerk.file(scenario_file(TODAY, "zezhou", "weekly"), WEEKLY, TODAY)
    done = change(province, "move", unit=ZEZHOU, to=OTHER_CITY, day=TODAY)
    with node.db.read() as tx:
        query = select(slots.c.item, slots.c.upper).where(slots.c.unit == ZEZHOU, slots.c.period == NOW)
        uppers = {row.item: row.upper for row in tx.execute(query)}

    assert {WEEKLY: CITY, "shanxi.major-hazard-ledger": OTHER_CITY} == uppers
    assert WEEKLY not in [s["item"] for s in done["slots"] if s["period"] == TODAY]


def test_a_draft_goes_with_its_slot(node: Node, province: Person, person: Make) -> None:
    clerk = person(ZEZHOU, "clerk")
    draft = clerk.file(scenario_file(TODAY, "zezhou", "weekly"), WEEKLY, TODAY, action="draft").json()
    dry = change(province, "close", unit=ZEZHOU, day=TODAY, status=200, dry_run=True)
    kept = clerk.get(f"/submissions/{draft['uid']}").status_code
    done = change(province, "close", unit=ZEZHOU, day=TODAY)

    assert [draft["uid"]] == dry["drafts"] == done["drafts"]
    assert 200 == kept
    assert WEEKLY in [s["item"] for s in done["slots"] if s["period"] == TODAY and s["effect"] == "removed"]


def test_who_sees_what_after_a_move(node: Node, province: Person, person: Make, clock: StandingClock) -> None:
    clerk, old, fresh = person(ZEZHOU, "clerk"), person(CITY, "reviewer"), person(OTHER_CITY, "reviewer")
    first = clerk.file(scenario_file(TODAY, "zezhou", "weekly"), WEEKLY, TODAY).json()["uid"]
    change(province, "move", unit=ZEZHOU, to=OTHER_CITY)
    clock.set(datetime(2025, 1, 3, 11, 0, tzinfo=BEIJING))
    second = clerk.file(scenario_file("2025-01-03", "zezhou", "weekly"), WEEKLY, "2025-01-03", reason="数字确实如此")
    assert 201 == second.status_code, second.text
    seen = {
        name: [who.get(f"/submissions/{uid}").status_code for uid in (first, second.json()["uid"])]
        for name, who in {"the unit": clerk, "the old city": old, "the new city": fresh}.items()
    }

    assert {"the unit": [200, 200], "the old city": [200, 404], "the new city": [404, 200]} == seen
    assert OTHER_CITY == expected(node, NEXT)[ZEZHOU]
    assert 200 == old.post(f"/submissions/{first}/accept", seen=2, json={}).status_code


def test_a_town_moves_with_its_county(node: Node, province: Person, person: Make, clock: StandingClock) -> None:
    told = {"ref": "jincheng.bagong", "name": "巴公镇", "parent": ZEZHOU, "level": "township", "role": "town"}
    change(person(ZEZHOU, "administrator"), "open", day=TODAY, **told)
    done = change(province, "move", unit=ZEZHOU, to=OTHER_CITY)
    clock.set(datetime(2025, 1, 2, 9, 0, tzinfo=BEIJING))
    with node.db.read() as tx:
        path = node.directory(tx).paths["jincheng.bagong"]

    assert f"/{PROVINCE}/{OTHER_CITY}/{ZEZHOU}/jincheng.bagong/" == path
    assert {ZEZHOU: "moved", "jincheng.bagong": "moved"} == {e["ref"]: e["effect"] for e in done["units"]}
    assert ["open", "move"] == [c["kind"] for c in province.get("/units/jincheng.bagong").json()["changes"]]


def test_a_unit_that_will_move_stays_until_then(
    node: Node, province: Person, person: Make, clock: StandingClock
) -> None:
    change(province, "move", unit=ZEZHOU, to=OTHER_CITY)
    old, fresh = person(CITY, "leader"), person(OTHER_CITY, "leader")

    def sees(day: str) -> list[bool]:
        return [ZEZHOU in [u["ref"] for u in who.get(f"/units?day={day}").json()["items"]] for who in (old, fresh)]

    assert [[True, False], [False, True]] == [sees("2024-12-31"), sees("2025-01-01")]


# --- who may change what -----------------------------------------------------------------------------------------


FATE: list[tuple[str, dict[str, Any], int]] = [
    (ZEZHOU, {"kind": "close", "unit": ZEZHOU}, 403),
    (
        ZEZHOU,
        {"kind": "unassign", "unit": ZEZHOU, "campaign": "jincheng.gongmao-2024", "duty": "weekly-forms"},
        403,
    ),
    (ZEZHOU, {"kind": "rename", "unit": CITY, "name": "某某"}, 403),
    (ZEZHOU, {"kind": "close", "unit": GAOPING}, 404),
    (ZEZHOU, {"kind": "close", "unit": "nowhere.at-all"}, 404),
    (ZEZHOU, {"kind": "open", "ref": "jincheng.x", "name": "某某镇", "parent": CITY, "role": "town"}, 404),
    (ZEZHOU, {"kind": "open", "ref": "jincheng.x", "name": "某某镇", "parent": ZEZHOU, "role": "town"}, 200),
    (CITY, {"kind": "move", "unit": ZEZHOU, "to": OTHER_CITY}, 404),
    (CITY, {"kind": "move", "unit": ZEZHOU, "to": GAOPING}, 200),
    (CITY, {"kind": "close", "unit": ZEZHOU}, 200),
    (OTHER_CITY, {"kind": "close", "unit": ZEZHOU}, 404),
    (OTHER_CITY, {"kind": "merge", "units": ["shanxi.changzhi-office"], "into": ZEZHOU}, 403),
]  # fmt: skip


def test_the_fate_of_a_unit_is_decided_above_it(person: Make) -> None:
    admins = {unit: person(unit, "administrator") for unit in {unit for unit, _, _ in FATE}}
    for unit, told, status in FATE:
        change(admins[unit], **told, dry_run=True, status=status)


WRONG: list[tuple[dict[str, Any], int, str]] = [
    ({"kind": "close", "unit": CITY}, 409, "还有9个下级单位"),
    ({"kind": "move", "unit": CITY, "to": ZEZHOU}, 422, "不能划到自己或自己的下级之下"),
    ({"kind": "move", "unit": CITY, "to": CITY}, 422, "不能划到自己"),
    ({"kind": "move", "unit": ZEZHOU, "to": CITY}, 422, "已在“晋城市应急管理局”之下"),
    ({"kind": "rename", "unit": ZEZHOU, "name": "高平市应急管理局"}, 422, "已有“高平市应急管理局”"),
    ({"kind": "rename", "unit": ZEZHOU, "name": "泽州县应急管理局"}, 422, "没有变化"),
    ({"kind": "rename", "unit": ZEZHOU, "name": "{area}局"}, 422, ""),
    ({"kind": "open", "ref": ZEZHOU, "name": "某某", "parent": CITY, "role": "town"}, 422, "已用过"),
    ({"kind": "open", "ref": "jincheng.x", "name": "某某", "parent": CITY}, 422, "请写明角色"),
    ({"kind": "open", "ref": "jincheng.x", "name": "某某", "role": "town"}, 422, "请写明上级单位"),
    ({"kind": "open", "ref": "jincheng.x", "name": "某某", "parent": ZEZHOU, "role": "town", "level": "city"}, 422, "市级单位不能在县级单位之下"),
    ({"kind": "open", "ref": "jincheng.x", "name": "某某", "parent": ZEZHOU, "role": "town", "area": "999999"}, 422, "没有行政区划代码“999999”"),
    ({"kind": "open", "ref": "jincheng.x", "name": "某某", "parent": ZEZHOU, "role": "town", "aliases": ["{area.__class__}"]}, 422, ""),
    ({"kind": "open", "ref": "Jincheng/x", "name": "某某", "parent": ZEZHOU, "role": "town"}, 422, ""),
    ({"kind": "split", "unit": ZEZHOU, "into": TWO[:1]}, 422, "请改用更名"),
    ({"kind": "split", "unit": CITY, "into": TWO}, 409, "还有9个下级单位"),
    ({"kind": "split", "unit": ZEZHOU, "into": [{**TWO[0], "children": [GAOPING]}, TWO[1]]}, 422, "不是“泽州县应急管理局”的下级单位"),
    ({"kind": "merge", "units": [ZEZHOU], "into": ZEZHOU}, 422, "至少要有两个单位"),
    ({"kind": "merge", "units": [ZEZHOU], "into": TWO[0]}, 422, "至少要有两个单位"),
    ({"kind": "assign", "unit": ZEZHOU, "campaign": "jincheng.gongmao-2024", "duty": "weekly-forms"}, 409, "已有这项任务"),
    ({"kind": "unassign", "unit": CITY, "campaign": "jincheng.gongmao-2024", "duty": "weekly-forms"}, 409, "没有这项任务"),
    ({"kind": "assign", "unit": ZEZHOU, "campaign": "jincheng.gongmao-2024", "duty": "daily"}, 422, "没有任务"),
    ({"kind": "abolish", "unit": ZEZHOU}, 422, ""),
    ({"kind": "close", "unit": ZEZHOU, "reason": "  "}, 422, ""),
]  # fmt: skip


def test_what_cannot_be_done_is_said(node: Node, province: Person) -> None:
    with node.db.read() as tx:
        before = [tuple(r) for r in tx.execute(select(units).order_by(units.c.id))]
    for told, status, said in WRONG:
        assert said in change(province, **told, status=status)["detail"]
    with node.db.read() as tx:
        assert before == [tuple(r) for r in tx.execute(select(units).order_by(units.c.id))]


def test_a_later_change_stands(province: Person) -> None:
    change(province, "move", unit=ZEZHOU, to=OTHER_CITY, day="2025-02-01")
    change(province, "close", unit=GAOPING, day="2025-02-01")

    assert "已有2025-02-01起的变更" in change(province, "rename", unit=ZEZHOU, name="某某", status=409)["detail"]
    assert "已定于2025-02-01撤销" in change(province, "rename", unit=GAOPING, name="某某", status=409)["detail"]


def test_a_closed_unit_is_opened_again_by_those_who_closed_it(province: Person, person: Make) -> None:
    told = {"ref": ZEZHOU, "name": "泽州县应急管理局", "role": "county-office", "level": "county", "area": "140525"}
    change(person(CITY, "administrator"), "close", unit=ZEZHOU, day=TODAY)

    assert (
        "已用过" in change(person(OTHER_CITY, "administrator"), "open", **told, parent=OTHER_CITY, status=422)["detail"]
    )
    change(person(CITY, "administrator"), "open", **told, parent=CITY)


def test_two_changes_on_one_day_are_one_row(node: Node, province: Person) -> None:
    change(province, "rename", unit=ZEZHOU, name="泽州区应急管理局")
    change(province, "move", unit=ZEZHOU, to=OTHER_CITY)
    spells = province.get(f"/units/{ZEZHOU}").json()["spells"]

    assert [("泽州区应急管理局", OTHER_CITY), ("泽州县应急管理局", CITY)] == [(s["name"], s["parent"]) for s in spells]


# --- accounts of units that change -------------------------------------------------------------------------------


def test_accounts_of_a_closed_unit_stay_outside(
    http: Any, person: Make, province: Person, clock: StandingClock
) -> None:
    clerk, other = person(ZEZHOU, "administrator"), person(GAOPING, "administrator")
    done = change(province, "close", unit=ZEZHOU)
    before = clerk.get("/me").status_code
    clock.set(datetime(2025, 1, 1, 0, 0, tzinfo=BEIJING))
    password = {"login": clerk.login, "password": "correct horse battery"}

    assert (1, 200, 401) == (done["accounts"], before, clerk.get("/me").status_code)
    assert "所在单位已撤销" in http.post("/api/v1/tokens", json=password).json()["detail"]
    assert [other.login] == [u["login"] for u in other.get("/users").json()["items"]]
    assert 200 == province.send("PATCH", f"/users/{clerk.login}", json={"unit": GAOPING}).status_code
    assert 200 == clerk.get("/me").status_code


# --- history -----------------------------------------------------------------------------------------------------


def test_the_history_names_those_before_and_after(province: Person) -> None:
    change(province, "split", unit=ZEZHOU, into=TWO)
    old, fresh = (province.get(f"/units/{ref}").json() for ref in (ZEZHOU, TWO[0]["ref"]))

    def told(unit: dict[str, Any]) -> list[tuple[str, Any]]:
        return [(c["title"], c["data"].get("successors")) for c in unit["changes"]]

    both = [u["ref"] for u in TWO]
    assert [("由插件带入", None), ("拆分", both)] == told(old)
    assert [("拆分", both)] == told(fresh)
    assert [("2025-01-01", None)] == [(s["since"], s["until"]) for s in fresh["spells"]]
    assert [("2000-01-01", "2025-01-01")] == [(s["since"], s["until"]) for s in old["spells"]]
    assert {d["duty"] for d in old["duties"]} == {d["duty"] for d in fresh["duties"]}


def test_each_sees_its_part_of_the_history(province: Person, person: Make, clock: StandingClock) -> None:
    change(province, "rename", unit=ZEZHOU, name="泽州区应急管理局", day="2024-12-28")
    change(province, "move", unit=ZEZHOU, to=OTHER_CITY)
    change(province, "rename", unit=ZEZHOU, name="泽区应急管理局", day="2025-01-05")
    clock.set(datetime(2025, 1, 6, 9, 0, tzinfo=BEIJING))
    city, other = person(CITY, "leader"), person(OTHER_CITY, "leader")
    third = person("shanxi.datong-office", "leader")

    def seen(who: Person) -> tuple[list[str], list[str], bool]:
        unit = who.get(f"/units/{ZEZHOU}").json()
        return [s["name"][:3] for s in unit["spells"]], [c["kind"] for c in unit["changes"]], unit["is_open"]

    assert (["泽州区", "泽州县"], ["seed", "rename", "move"], False) == seen(city)
    assert (["泽区应", "泽州区"], ["move", "rename"], True) == seen(other)
    names = ["泽区应", "泽州区", "泽州区", "泽州县"]
    assert (names, ["seed", "rename", "move", "rename"], True) == seen(person(ZEZHOU, "clerk"))
    assert 404 == third.get(f"/units/{ZEZHOU}").status_code


def test_the_old_name_is_still_understood(node: Node, province: Person, clock: StandingClock) -> None:
    change(province, "rename", unit=ZEZHOU, name="泽州区应急管理局")
    clock.set(datetime(2025, 1, 2, 9, 0, tzinfo=BEIJING))
    with node.db.read() as tx:
        named = node.directory(tx).units.named

    assert [ZEZHOU, ZEZHOU] == [getattr(named(n), "ref", None) for n in ("泽州县应急管理局", "泽州区应急管理局")]


# --- the list ----------------------------------------------------------------------------------------------------


IN_SIGHT = [
    (CITY, "?level=county", ["城区", "沁水县", "阳城县", "陵川县", "泽州县", "高平市"]),
    (CITY, "?role=member-department", ["晋城市工", "晋城市市", "晋城市生"]),
    (CITY, "?q=高平", ["高平市"]),
    (ZEZHOU, "", ["山西省", "晋城市", "泽州县"]),
    (ZEZHOU, "?level=city", ["晋城市"]),
    (PROVINCE, f"?under={ZEZHOU}", ["泽州县"]),
    (ZEZHOU, f"?under={GAOPING}", []),
    (CITY, "?size=2&page=2", ["晋城市", "晋城市"]),
    (CITY, "?day=1999-12-31", []),
]


def test_units_in_sight(person: Make) -> None:
    people = {unit: person(unit, "clerk") for unit in {unit for unit, _, _ in IN_SIGHT}}
    for unit, query, found in IN_SIGHT:
        names = [u["name"] for u in people[unit].get(f"/units{query}").json()["items"]]

        assert len(found) == len(names), query
        assert all(name.startswith(part) for name, part in zip(names, found, strict=True)), query


def test_units_stand_below_the_one_they_belong_to(person: Make) -> None:
    items = person(PROVINCE, "clerk").get("/units?size=500").json()["items"]
    place = {u["ref"]: n for n, u in enumerate(items)}

    assert [0, 1, 2] == sorted({u["depth"] for u in items})
    assert all(place[u["parent"]] < place[u["ref"]] for u in items if u["parent"])
    assert [ZEZHOU] == [u["ref"] for u in items if u["area_name"] == "泽州县"]


# --- the log, and what is remembered -----------------------------------------------------------------------------


def test_a_dry_run_is_not_remembered(node: Node, province: Person, person: Make) -> None:
    """The number of a change that was undone is given again: what was looked up in between must not be kept for it."""
    told = {"ref": "jincheng.x", "name": "某某镇", "parent": ZEZHOU, "role": "town", "day": TODAY}
    change(province, "open", **told, status=200, dry_run=True)
    change(province, "rename", unit=GAOPING, name="某某", day=TODAY)

    assert 404 == province.get("/units/jincheng.x").status_code
    assert "某某" == province.get(f"/units/{GAOPING}").json()["name"]


def test_changes_are_in_the_log(node: Node, province: Person, person: Make) -> None:
    change(province, "close", unit=ZEZHOU, dry_run=True, status=200)
    done = change(province, "close", unit=ZEZHOU)
    with node.db.read() as tx:
        rows = tx.execute(select(audit.c.action, audit.c.object, audit.c.actor)).all()

    assert [("unit.close", ZEZHOU, f"{province.login}@{PROVINCE}")] == [tuple(r) for r in rows]
    assert done["removed"] > 0


# --- seeding -----------------------------------------------------------------------------------------------------


def test_a_duty_that_is_new_is_given_to_known_units(node: Node, clock: StandingClock) -> None:
    """A plugin that is installed later, or changes a deadline: slots that are due already stay."""
    campaign = node.catalog.campaigns["jincheng.gongmao-2024"]
    weekly, summary, *_ = campaign.duties
    late = weekly.model_copy(update={"at": time(18)})
    extra = summary.model_copy(update={"id": "plan", "by": date(2025, 1, 31)})
    other = campaign.model_copy(update={"duties": (late, summary, extra)})
    campaigns = {**node.catalog.campaigns, campaign.ref: other}
    past = everything(node, clock.now())
    with node.db.write() as tx:
        assert 0 == seed(tx, replace(node.catalog, campaigns=campaigns), clock.now())
    with node.db.read() as tx:
        query = select(slots.c.period, slots.c.due_at).where(slots.c.unit == ZEZHOU, slots.c.item == WEEKLY)
        hours = {r.period: r.due_at.astimezone(BEIJING).hour for r in tx.execute(query)}
        plans = tx.execute(select(slots.c.unit).where(slots.c.item.endswith("/plan/summary"))).scalars().all()
    with node.db.write() as tx:
        assert 0 == seed(tx, replace(node.catalog, campaigns=campaigns), clock.now())
        kinds = list(tx.execute(select(unit_changes.c.kind)).scalars())

    assert past == everything(node, clock.now())
    assert (12, 18, 18) == (hours[LAST], hours[NOW], hours[NEXT])
    assert COUNTIES | DEPARTMENTS == short(plans)
    assert ["seed", "seed"] == kinds


# --- many units --------------------------------------------------------------------------------------------------


def test_a_province_of_many_units_is_changed_quickly(node: Node, province: Person) -> None:
    """A city with 300 counties is moved; the whole province of 1,500 units would take five times as long."""
    refs = [f"jincheng.n{i:04}-office" for i in range(300)]
    with node.db.write() as tx:
        first = tx.execute(select(units).where(units.c.ref == ZEZHOU)).one()
        same = {
            n: getattr(first, n) for n in ("area", "level", "role", "parent", "aliases", "since", "until", "change_id")
        }
        rows = [{**same, "ref": r, "name": r, "path": first.path.replace(ZEZHOU, r)} for r in refs]
        tx.execute(insert(units), rows)
        number = tx.execute(
            insert(unit_changes).values(kind="seed", day=date(2000, 1, 1), units=refs, reason="x", at=node.clock.now())
            .returning(unit_changes.c.id)
        ).scalar_one()  # fmt: skip
        bodies = [u for u in node.directory(tx).units.values() if u.ref in set(refs)]
        assign_by_role(tx, node.catalog, bodies, date(2000, 1, 1), number)
        plan(tx, node.catalog, after=None, only=refs)
    begun = perf_counter()
    done = change(province, "move", unit=CITY, to=OTHER_CITY)
    took = perf_counter() - begun

    assert done["moved"] > 300 * 2 * 10
    assert took < 20


def test_visible_follows_former_paths(node: Node, province: Person, person: Make, clock: StandingClock) -> None:
    change(province, "move", unit=ZEZHOU, to=OTHER_CITY)
    clock.set(datetime(2025, 1, 2, 9, 0, tzinfo=BEIJING))
    clerk = person(ZEZHOU, "clerk")
    with node.db.read() as tx:
        viewer = auth.viewer_of_token(auth.find_token(tx, clerk.token), clock.now(), node.directory(tx))
        seen = visible(viewer, "submission.read", slots.c.path)
        rows = tx.execute(select(slots.c.path, slots.c.unit).where(seen).distinct()).all()

    assert {ZEZHOU} == {r.unit for r in rows}
    assert 2 == len({r.path for r in rows})


# --- pages -------------------------------------------------------------------------------------------------------


def test_units_are_changed_on_pages(http: Any, node: Node, person: Make) -> None:
    admin = person(CITY, "administrator")
    now = node.clock.now()
    with node.db.write() as tx:
        secret = auth.open_session(tx, admin.user_id, now, hours=1, agent="")
        csrf = tx.execute(select(sessions.c.csrf)).scalar_one()
    http.cookies.set("gmsafety", secret)
    told = {"csrf_token": csrf, "unit": ZEZHOU, "day": FIRST, "reason": REASON}
    shown = {
        kind: http.post("/admin/units/changes", data={**told, "kind": kind, **more}).text
        for kind, more in {
            "open": {"ref": "jincheng.bagong", "name": "巴公镇", "role": "town", "level": "township", "area": ""},
            "rename": {"name": "泽州区应急管理局"},
            "move": {"to": GAOPING},
            "split": {"into": "jincheng.a-office 甲局\njincheng.b-office 乙局"},
            "merge": {"to": GAOPING},
            "unassign": {"duty": "jincheng.gongmao-2024~weekly-forms"},
            "close": {},
        }.items()
    }
    wrong = http.post("/admin/units/changes", data={**told, "kind": "close", "day": "someday"})
    past = http.post("/admin/units/changes", data={**told, "kind": "close", "day": "2020-01-01"})
    done = http.post("/admin/units/changes", data={**told, "kind": "rename", "name": "泽州区应急管理局", "step": "do"})

    assert [] == [kind for kind, text in shown.items() if "还没有办理" not in text]
    assert ["甲局" in shown["split"], "乙局" in shown["split"], "减少" in shown["close"]] == [True] * 3
    assert (422, 422) == (wrong.status_code, past.status_code)
    assert ["请填写日期" in wrong.text, "2020-01-01已过去" in past.text] == [True, True]
    assert "泽州县应急管理局 → 泽州区应急管理局" in shown["rename"]
    assert ["别名" in shown["rename"], REASON in shown["rename"], f"{FIRST} 起" in shown["rename"]] == [True] * 3
    assert "晋城市应急管理局 → 高平市应急管理局" in shown["move"]
    assert "更名已办理，2025-01-01起生效" in done.text
    assert ["更名" in done.text, REASON in done.text] == [True, True]
    assert "高平市应急管理局" in http.get("/admin/units").text
    assert "晋城市工业和信息化局" in http.get("/admin/units?day=2024-12-01").text
    assert "设立下级单位" in http.get(f"/admin/units/{CITY}").text
    assert "撤销" not in http.get(f"/admin/units/{PROVINCE}").text


def test_a_change_that_is_wrong_comes_back_as_it_was_typed(node: Node, person: Make) -> None:
    browser = Browser(node, person(CITY, "administrator"))
    page = browser.get(f"/admin/units/{CITY}?open=1")
    typed = {"name": "开发区办公室", "role": "county-office", "area": "140500", "level": "county", "day": FIRST}
    back = browser.send(page, "/admin/units/changes", kind="open", ref="晋城 KFQ", reason=REASON, **typed)
    values = {i.get("name"): i.get("value") for i in back.all("details#open input")}
    roles = {words(o): o.get("value") for o in back.all("details#open select option")}

    assert 422 == back.status
    assert ["只用小写字母" in words(e) for e in back.all("details#open .error-text")] == [True]
    assert ("晋城 KFQ", "开发区办公室", REASON, FIRST) == tuple(values[n] for n in ("ref", "name", "reason", "day"))
    assert ["county-office"] == [o.get("value") for o in back.all("details#open select option[selected]")][:1]
    assert ("county-office", "member-department") == (roles["县区办公室"], roles["成员单位"])
    assert "open" in back.all("details#open")[0].attrib


def test_units_are_listed_in_words_with_a_way_to_set_one_up(node: Node, person: Make) -> None:
    page = Browser(node, person(CITY, "administrator")).get("/admin/units")

    assert ["成员单位" in page.text, "member-department" in page.text] == [True, False]
    assert [f"/admin/units/{CITY}?open=1#open"] == [a.get("href") for a in page.all("a") if "设立单位" in words(a)]
