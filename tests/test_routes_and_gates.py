"""Who guides whom, what may resume, how often: the rules of regions, tried on enterprises a clerk could name."""

from datetime import date
from typing import Any

import pytest

from gmsafety.calendar import WorkCalendar
from gmsafety.duties import Offset, Quota, periods
from gmsafety.gates import Gate, Watch
from gmsafety.routing import Route, find_route, ties
from gmsafety.tasks import Target

SOURCE = {"clause": "一", "quote": "原文"}


def route(name: str, to: str, **when: Any) -> Route:
    return Route(id=name, title=name, when=when, to=to, source=SOURCE)


ROUTES = (
    route("everybody", "county-office"),
    route("smelting", "city-office", smelting=True),
    route("furnace", "province-office", smelting=True, furnace=True),
)


@pytest.mark.parametrize(
    ("tags", "to", "asked"),
    [
        ({"smelting": True, "furnace": True}, "province-office", ()),
        ({"smelting": True, "furnace": False}, "city-office", ()),
        ({"smelting": False}, "county-office", ()),
        ({"smelting": False, "furnace": True}, "county-office", ()),
        ({"smelting": True}, None, ("furnace",)),
        ({"furnace": False}, None, ("smelting",)),
        ({}, None, ("smelting", "furnace")),
    ],
)
def test_the_most_specific_route_wins(tags: dict[str, Any], to: str | None, asked: tuple[str, ...]) -> None:
    """What is not known is asked for, never guessed."""
    found = find_route(ROUTES, tags)

    assert (to, asked) == (found.route.to[0] if found.route else None, found.open)


def test_routes_that_tie() -> None:
    dust, furnace = route("dust", "city-office", dust=True), route("furnace", "city-office", furnace=True)
    both = route("both", "province-office", dust=True, furnace=True)

    assert [(dust, furnace)] == list(ties([dust, furnace]))
    assert [] == list(ties([dust, furnace, both]))
    assert [] == list(ties([dust, route("no dust", "county-office", dust=False)]))


GATE = Gate(
    id="resumption", title="复工", source=SOURCE,
    facts={"majors": "重大隐患", "plan": "方案", "furnace_plan": "开炉方案"},
    conditions=(
        {"id": "majors", "check": "majors == 0", "say": "重大隐患未清零", "source": SOURCE},
        {"id": "plan", "check": "plan", "say": "没有方案", "source": SOURCE},
        {"id": "furnace", "when": {"furnace": True}, "check": "furnace_plan", "say": "没有开炉方案", "source": SOURCE},
    ),
)  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "tags", "verdict", "reasons"),
    [
        ({"majors": 0, "plan": True}, {"furnace": False}, "allow", []),
        ({"majors": 1, "plan": True}, {"furnace": False}, "deny", ["重大隐患未清零"]),
        ({"majors": 1}, {"furnace": False}, "deny", ["重大隐患未清零", "尚不知道：方案"]),
        ({"majors": 0}, {"furnace": False}, "unknown", ["尚不知道：方案"]),
        ({"majors": 0, "plan": True}, {"furnace": True}, "unknown", ["尚不知道：开炉方案"]),
        ({"majors": 0, "plan": True, "furnace_plan": False}, {"furnace": True}, "deny", ["没有开炉方案"]),
        ({"majors": 0, "plan": True, "furnace_plan": False}, {}, "unknown", ["尚不知道：furnace"]),
        ({"majors": 0, "plan": True, "furnace_plan": True}, {}, "allow", []),
    ],
)
def test_a_gate(facts: dict[str, Any], tags: dict[str, Any], verdict: str, reasons: list[str]) -> None:
    """deny > unknown > allow; a waiver is written beside the verdict and changes nothing."""
    found = GATE.judge(facts, tags, {"majors": "专家论证"})

    assert (verdict, reasons) == (found.state.value, [r.text for r in found.reasons])
    assert {"majors": "专家论证"} == found.waivers


QUOTA = Quota(
    id="check", title="带队检查", source=SOURCE, do="检查", per="quarter", at_least=1, first=date(2024, 1, 1), last=date(2024, 12, 31),
    variants=({"when": {"metal_smelting": "true"}, "per": "month", "at_least": 1},), **{"from": "enterprise"},
)  # fmt: skip


def test_a_quota_by_quarter_and_by_month_for_smelters() -> None:
    done = [date(2024, 2, 3), date(2024, 2, 20), date(2024, 7, 1)]

    assert [0, 1, 0, 1] == [c.missing for c in QUOTA.counted(done)]
    assert ("month", 1) == QUOTA.needed({"metal_smelting": True})
    assert 10 == sum(c.missing for c in QUOTA.counted(done, {"metal_smelting": True}))
    assert [date(2024, 3, 31), date(2024, 6, 30), date(2024, 9, 30), date(2024, 12, 31)] == list(QUOTA.days())


def test_periods_are_cut_to_the_time() -> None:
    assert [(date(2024, 4, 1), date(2024, 6, 30)), (date(2024, 7, 1), date(2024, 7, 15))] == list(
        periods("half-year", date(2024, 4, 1), date(2024, 7, 15))
    )


@pytest.mark.parametrize(
    ("resumes", "due"), [("2025-02-14", "2025-02-11"), ("2025-03-01", "2025-02-26"), ("2025-01-02", "2024-12-30")]
)
def test_three_calendar_days_before(resumes: str, due: str) -> None:
    duty = Offset(
        id="report", title="报告", source=SOURCE, do="报告", event="复工复产", days_after=-3, **{"from": "enterprise"}
    )
    found = duty.due_for(date.fromisoformat(resumes), WorkCalendar())

    assert due == found.due.date().isoformat()
    assert [] == list(duty.days())


@pytest.mark.parametrize(
    ("counted", "of", "met", "shown"),
    [(10, 10, True, "100%"), (9, 10, False, "90%"), (0, 0, None, "/"), (2, 3, False, "66.7%")],
)
def test_a_share(counted: int, of: int, met: bool | None, shown: str) -> None:
    target = Target(id="t", title="录入率", count="已录入", of="年度计划企业", at_least=100, source=SOURCE)

    assert (met, shown) == (target.is_met(counted, of), target.shown(counted, of))


def test_growth_is_relative_to_the_year_before() -> None:
    target = Target(id="t", title="标准化", count="今年达标", of="去年达标", at_least=10, growth=True, source=SOURCE)

    assert (True, "10%") == (target.is_met(110, 100), target.shown(110, 100))
    assert target.is_met(109, 100) is False


def test_a_watch() -> None:
    watch = Watch(id="w", title="挂零", facts={"majors": "重大隐患数"}, check="majors > 0", say="挂零", source=SOURCE)

    assert (True, False, None) == tuple(watch.holds({"majors": n}) for n in (3, 0, None))
