"""Jincheng: the dates, routes, gates and checklists of 晋市工贸专委发[2024]1号 and of Zezhou's 泽应急发〔2025〕29号."""

import re
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest

import gmsafety_jincheng
import gmsafety_shanxi
from gmsafety import Catalog, load_catalog
from gmsafety.campaigns import Campaign
from gmsafety.duties import Offset, Standing
from gmsafety.forms import blank
from gmsafety.gates import Gate
from gmsafety.routing import find_route
from gmsafety.rules import compile_expression, holds
from gmsafety.testing import check_plugin, declared_names


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    """Jincheng with the province it builds on."""
    return load_catalog([gmsafety_jincheng, gmsafety_shanxi])


@pytest.fixture
def city(catalog: Catalog) -> Campaign:
    """The city's campaign."""
    return catalog.campaign("jincheng.gongmao-2024")


@pytest.fixture
def county(catalog: Catalog) -> Campaign:
    """Zezhou's resumption."""
    return catalog.campaign("zezhou-resumption-2025")


def test_conforms() -> None:
    assert [] == [str(c) for c in check_plugin(gmsafety_jincheng, gmsafety_shanxi)]


FRIDAYS = (
    "2024-12-20", "2024-12-27", "2025-01-03", "2025-01-10", "2025-01-17", "2025-01-24", "2025-01-31", "2025-02-07",
    "2025-02-14", "2025-02-21", "2025-02-28", "2025-03-07", "2025-03-14", "2025-03-21", "2025-03-28",
)  # fmt: skip


def test_fifteen_fridays_at_noon(catalog: Catalog) -> None:
    """JC-D1, JC-D2: every Friday 12:00 Beijing time; one of them is a public holiday, flagged and not moved."""
    found = [o for o in catalog.duties(campaign="jincheng.gongmao-2024") if o.duty.id == "weekly-forms"]

    assert list(FRIDAYS) == [str(o.period) for o in found]
    assert {"12:00:00+0800"} == {f"{o.due:%H:%M:%S%z}" for o in found}
    assert {"2025-01-31": "public-holiday"} == {str(o.period): f.slug for o in found for f in o.flags}


def test_the_summary(catalog: Catalog) -> None:
    """JC-D3: 2025-03-25, a Tuesday, before the province's 2025-03-31."""
    found = [o for o in catalog.duties(campaign="jincheng.gongmao-2024") if o.duty.id == "summary"]

    assert ["2025-03-25"] == [str(o.period) for o in found]
    assert "Tuesday" == f"{found[0].period:%A}"


COUNTIES = (
    ("140502", "城区"), ("140521", "沁水县"), ("140522", "阳城县"),
    ("140524", "陵川县"), ("140525", "泽州县"), ("140581", "高平市"),
)  # fmt: skip


@pytest.mark.parametrize(("code", "name"), COUNTIES)
def test_each_county_owes_the_city(code: str, name: str, catalog: Catalog) -> None:
    unit = catalog.unit(code)

    assert name == catalog.units.area_name(unit)
    assert 16 == len(catalog.duties(unit=code))
    assert ["2024-12-27"] == [str(o.period) for o in catalog.duties(unit=code, between=("2024-12-21", "2024-12-31"))]


def test_the_city_owes_the_province_not_itself(catalog: Catalog) -> None:
    assert {"shanxi.gongmao-2024"} == {
        c.ref for c in catalog.campaigns.values() for o in catalog.duties(unit="140500") if o.duty in c.duties
    }


def test_the_week_before_the_notice_is_no_gap_of_the_citys(catalog: Catalog) -> None:
    """JC-O4: the province's first Friday lies before the city's notice; reported, not refused."""
    assert all("2024-12-13" in note for note in catalog.notes)
    assert 2 == len(catalog.notes)


def test_sixteen_towns(catalog: Catalog) -> None:
    assert 16 == len(catalog.areas.children("140525"))


def test_the_period_of_a_day(catalog: Catalog) -> None:
    form, county = catalog.form("weekly-dispatch"), catalog.unit("140525")
    days = ("2024-12-14", "2024-12-20", "2024-12-21", "2025-01-31")
    periods = [catalog.period(form, county, date.fromisoformat(d)) for d in days]

    assert ["2024-12-20", "2024-12-20", "2024-12-27", "2025-01-31"] == [str(p.period) for p in periods if p]


def test_warning_education(catalog: Catalog) -> None:
    """JC-D4: 2025年2月前 is read as by 2025-01-31, a public holiday; owed by enterprises, not by a unit."""
    found = [o for o in catalog.duties(campaign="jincheng.gongmao-2024") if o.duty.id == "warning-education"]

    assert [("2025-01-31", ("public-holiday",))] == [(str(o.period), tuple(f.slug for f in o.flags)) for o in found]
    assert ("enterprise",) == found[0].duty.from_


def test_the_city_compiles_on_the_same_day(city: Campaign, catalog: Catalog) -> None:
    """JC-D5: the days are those of the province's duty, and are not made twice."""
    found = next(d for d in city.duties if d.id == "compile-for-province")

    assert isinstance(found, Standing)
    assert ("每周五12:00收齐", ("city-office",), ("province-office",)) == (found.on, found.from_, found.to)
    assert 15 == len(
        {o.period for o in catalog.duties(unit="140525") if o.duty.id == "weekly-forms"}
        & {o.period for o in catalog.duties(unit="140500") if o.duty.id == "weekly-forms"}
    )


# --- who inspects, who guides ------------------------------------------------------------------------------------

# 重点监管的级别: 由谁检查, 可由
INSPECTED = (
    ("city", "city-office", ""),
    ("county", "county-office", ""),
    ("none", "county-office", "town-office"),
)


@pytest.mark.parametrize(("level", "to", "instead"), INSPECTED)
def test_who_inspects(level: str, to: str, instead: str, city: Campaign) -> None:
    """JC-R1."""
    route = find_route(city.routes, {"key_level": level}).route

    assert route is not None
    assert ([to], instead.split()) == ([*route.to], [*route.may_delegate])


def test_who_inspects_is_open_or_unsaid(city: Campaign) -> None:
    """Nobody is guessed: what is not known is asked for; what the notice does not say stays unsaid."""
    unknown, provincial = (find_route(city.routes, tags) for tags in ({}, {"key_level": "province"}))

    assert (None, ("key_level",)) == (unknown.route, unknown.open)
    assert (None, ()) == (provincial.route, provincial.open)


# 金属冶炼, 含高炉, 规模以上 (1 是, 0 否, ? 不知道): 由谁指导, 聘请专家
GUIDED = (
    ("1 1 1", "city-office county-office", True),
    ("1 1 0", "city-office county-office", True),
    ("1 0 1", "county-office", True),
    ("1 0 0", "county-office", True),
    ("0 0 1", "county-office", False),
    ("0 0 0", "town-office", False),
    ("0 ? 0", "town-office", False),
    ("1 1 ?", "city-office county-office", True),
)
# the same, with the tags that would decide
OPEN = (
    ("1 ? 1", "blast_furnace"),
    ("0 0 ?", "above_scale"),
    ("? 0 1", "metal_smelting"),
)
TAGS = ("metal_smelting", "blast_furnace", "above_scale")


def tags_of(word: str) -> dict[str, object]:
    """Tags from a row of the table."""
    return {n: v == "1" for n, v in zip(TAGS, word.split(), strict=True) if v != "?"}


@pytest.mark.parametrize(("tags", "to", "experts"), GUIDED)
def test_who_guides(tags: str, to: str, experts: bool, county: Campaign) -> None:
    """ZZ-R1."""
    found = find_route(county.routes, tags_of(tags), "guidance")

    assert found.route is not None
    assert (to.split(), experts) == ([*found.route.to], found.route.experts)


@pytest.mark.parametrize(("tags", "open_"), OPEN)
def test_who_guides_is_open(tags: str, open_: str, county: Campaign) -> None:
    found = find_route(county.routes, tags_of(tags), "guidance")

    assert found.route is None
    assert open_ in found.open


# --- targets and watches of the city -----------------------------------------------------------------------------

COVERED = ((419, 420, False, "99.8%"), (420, 420, True, "100%"), (0, 0, None, "/"))


@pytest.mark.parametrize(("done", "of", "reached", "printed"), COVERED)
def test_full_coverage(done: int, of: int, reached: bool | None, printed: str, city: Campaign) -> None:
    """JC-R2."""
    target = next(t for t in city.targets if t.id == "coverage")

    assert (reached, printed) == (target.is_met(done, of), target.shown(done, of))


# JC-R5: watch, facts in their order, as it should be
WATCHES = (
    ("suspended-and-listed", "1 0 1 1", True),
    ("suspended-and-listed", "1 0 1 0", False),
    ("suspended-and-listed", "1 0 0 1", False),
    ("suspended-and-listed", "1 1 0 0", True),
    ("suspended-and-listed", "0 0 0 0", True),
    ("summoned-and-penalised", "1 1 1", True),
    ("summoned-and-penalised", "1 1 0", False),
    ("summoned-and-penalised", "0 0 0", True),
    ("no-unauthorised", "1 0 0", False),
    ("no-unauthorised", "1 0 1", True),
    ("no-unauthorised", "1 1 0", True),
)


@pytest.mark.parametrize(("watch", "facts", "good"), WATCHES)
def test_watches(watch: str, facts: str, good: bool, city: Campaign, county: Campaign) -> None:
    found = next(w for w in (*city.watches, *county.watches) if w.id == watch)

    assert good == found.holds({n: v == "1" for n, v in zip(found.facts, facts.split(), strict=True)})


# --- 泽州县: dates -----------------------------------------------------------------------------------------------

TOWNS_FRIDAYS = ("2025-02-14", "2025-02-21", "2025-02-28", "2025-03-07", "2025-03-14", "2025-03-21", "2025-03-28")


def test_the_towns_report_every_friday_at_noon(catalog: Catalog) -> None:
    """ZZ-D2: from 2025-02-14, a Friday."""
    found = [o for o in catalog.duties(campaign="zezhou-resumption-2025") if o.duty.id == "weekly-status"]

    assert list(TOWNS_FRIDAYS) == [str(o.period) for o in found]
    assert {"12:00:00+0800"} == {f"{o.due:%H:%M:%S%z}" for o in found}
    assert [] == [f for o in found for f in o.flags]
    assert ("jincheng.resumption-weekly",) == found[0].duty.file


# planned resumption, last day to report: three calendar days before, also over a weekend
REPORTS = (("2025-02-14", "2025-02-11"), ("2025-02-17", "2025-02-14"), ("2025-03-03", "2025-02-28"))


@pytest.mark.parametrize(("planned", "last"), REPORTS)
def test_an_enterprise_reports_three_days_before(planned: str, last: str, county: Campaign, catalog: Catalog) -> None:
    """ZZ-D1: to county and town, both."""
    duty = next(d for d in county.duties if d.id == "report")

    assert isinstance(duty, Offset)
    assert ("county-office", "town-office") == duty.to
    assert f"{last} 23:59:59" == f"{duty.due_for(date.fromisoformat(planned), catalog.calendar).due:%Y-%m-%d %H:%M:%S}"


def test_zezhou_owes_the_city_no_day(catalog: Catalog) -> None:
    """ZZ-D3 to ZZ-D5 have no date; the county and the towns of this plugin get no deadline from them."""
    campaign = catalog.campaign("zezhou-resumption-2025")
    without = ["town-plan", "standard-plan", "town-discussion", "town-list", "upward", "unauthorised"]

    assert without == [d.id for d in campaign.duties if isinstance(d, Standing)]
    assert [] == [o for o in catalog.duties(unit="140525") if o.campaign == campaign.ref]


# --- 泽州县: may it resume? --------------------------------------------------------------------------------------

READY: dict[str, Any] = {
    "open_majors": 0, "open_physicals": 0, "open_guided": 0, "guided": True,
    "plan_duties": True, "plan_risks": True, "plan_hazards": True, "plan_emergency": True,
    "furnace_plan": True, "written_report": True, "days_before": 3,
    "film_share": 100, "discussions": 1, "drills": 1, "oaths": 1, "oath_share": 100, "promise_posted": True,
    "contracts_signed": True, "mobilised": True,
    "newcomers_trained": True, "returners_trained": 1, "key_staff_trained": 1, "key_staff_present": True,
    "dangerous_work_ready": True, "full_checks": 1, "risks_assessed": True, "weather_ready": True,
}  # fmt: skip
LIGHT, SMELTER, FURNACE = "0 0 1", "1 0 1", "1 1 1"
# requirement, enterprise (as above), what is different, verdict, condition that is not met
MAY_RESUME: tuple[tuple[str, str, dict[str, Any], str, str], ...] = (
    ("一切就绪", LIGHT, {}, "可以", ""),
    ("一切就绪", FURNACE, {}, "可以", ""),
    ("ZZ-R2 有1条重大隐患", LIGHT, {"open_majors": 1}, "不得", "no-majors"),
    ("ZZ-R2 体检式精查剩1条", LIGHT, {"open_physicals": 1}, "不得", "physicals-closed"),
    ("ZZ-R3 指导发现的剩1条", LIGHT, {"open_guided": 1}, "不得", "guidance-closed"),
    ("没有接受指导", LIGHT, {"guided": False}, "不得", "guided"),
    ("ZZ-R6 方案没有职责", LIGHT, {"plan_duties": False}, "不得", "plan"),
    ("ZZ-R6 方案没有风险管控", LIGHT, {"plan_risks": False}, "不得", "plan"),
    ("ZZ-R6 方案没有隐患治理", LIGHT, {"plan_hazards": False}, "不得", "plan"),
    ("ZZ-R6 方案没有应急处置", LIGHT, {"plan_emergency": False}, "不得", "plan"),
    ("ZZ-R5 高炉，没有开炉方案", FURNACE, {"furnace_plan": False}, "不得", "furnace-plan"),
    ("ZZ-R5 高炉，没有书面报告", FURNACE, {"written_report": False}, "不得", "furnace-plan"),
    ("没有高炉，不要开炉方案", SMELTER, {"furnace_plan": False, "written_report": False}, "可以", ""),
    ("ZZ-D1 提前2天", LIGHT, {"days_before": 2}, "不得", "reported"),
    ("ZZ-D1 提前5天", LIGHT, {"days_before": 5}, "可以", ""),
    ("ZZ-M1 99%的职工看过", LIGHT, {"film_share": 99}, "不得", "measure-1"),
    ("ZZ-M1 没有大讨论", LIGHT, {"discussions": 0}, "不得", "measure-1"),
    ("ZZ-M1 没有演练", LIGHT, {"drills": 0}, "不得", "measure-1"),
    ("ZZ-M1 冶炼，没有宣誓", SMELTER, {"oaths": 0}, "不得", "measure-1-oath"),
    ("ZZ-M1 冶炼，宣誓缺人", SMELTER, {"oath_share": 98}, "不得", "measure-1-oath"),
    ("ZZ-M1 冶炼，没有张贴承诺", SMELTER, {"promise_posted": False}, "不得", "measure-1-oath"),
    ("不冶炼，不要宣誓", LIGHT, {"oaths": 0, "oath_share": 0, "promise_posted": False}, "可以", ""),
    ("ZZ-M3 没有责任书", LIGHT, {"contracts_signed": False}, "不得", "measure-3"),
    ("ZZ-M3 没有动员大会", LIGHT, {"mobilised": False}, "不得", "measure-3"),
    ("ZZ-M4 关键人员没有到岗", LIGHT, {"key_staff_present": False}, "不得", "measure-4"),
    ("ZZ-M4 回岗没有再培训", LIGHT, {"returners_trained": 0}, "不得", "measure-4"),
    ("ZZ-M5 危险作业没有落实", LIGHT, {"dangerous_work_ready": False}, "不得", "measure-5"),
    ("ZZ-M6 没有全面检查", LIGHT, {"full_checks": 0}, "不得", "measure-6"),
    ("ZZ-M6 没有风险辨识", LIGHT, {"risks_assessed": False}, "不得", "measure-6"),
    ("ZZ-M7 极端天气没有准备", LIGHT, {"weather_ready": False}, "不得", "measure-7"),
    ("不知道有没有接受指导", LIGHT, {"guided": None}, "尚不能判定", "guided"),
    ("不知道有没有高炉，没有开炉方案", "1 ? 1", {"furnace_plan": False}, "尚不能判定", "furnace-plan"),
)


@pytest.fixture
def gate(county: Campaign) -> Gate:
    """The gate of resumption."""
    return county.gates[0]


@pytest.mark.parametrize("row", MAY_RESUME, ids=lambda r: str(r[0]))
def test_may_it_resume(row: tuple[str, str, dict[str, Any], str, str], gate: Gate) -> None:
    _, tags, different, verdict, condition = row
    found = gate.judge({**READY, **different}, tags_of(tags))

    assert verdict == found.state.chinese
    assert condition.split() == [r.condition.id for r in found.reasons]


def test_a_denial_outweighs_what_is_not_known_and_a_waiver(gate: Gate) -> None:
    """ZZ-R4: every reason is told; a waiver is recorded and opens nothing."""
    facts = {**READY, "open_majors": 2, "drills": None}
    found = gate.judge(facts, tags_of(LIGHT), {"no-majors": "市局同意"})

    assert "不得" == found.state.chinese
    assert ["no-majors", "measure-1"] == [r.condition.id for r in found.reasons]
    assert {"no-majors": "市局同意"} == found.waivers
    assert set(READY) == set(gate.facts)


# --- the checklists ----------------------------------------------------------------------------------------------

# task: items as meant, items as printed (the stray one left out)
TASKS = ((1, 4, 9), (2, 4, 2), (3, 3, 0), (4, 5, 5), (5, 3, 3), (6, 5, 5), (7, 3, 7), (8, 4, 0), (9, 2, 2), (10, 3, 3))
BAD_IF_YES = "JC-C3.2 JC-C3.3 JC-C5.3 JC-C8.2 JC-C9.2"
SEVERAL = (
    "JC-C2.1 JC-C2.2 JC-C2.3 JC-C4.4 JC-C5.1 JC-C6.1 JC-C6.2 JC-C6.3 JC-C6.4 JC-C7.1 JC-C7.2 JC-C8.1 JC-C8.4 "
    "JC-C9.2 JC-C10.1 JC-C10.2 JC-C10.3"
)
BASIS = {
    "JC-C2.1": "四（四）", "JC-C2.2": "四（六） 五（十一）", "JC-C2.3": "四（七） 四（八） 五（十三）",
    "JC-C2.4": "三（二）", "JC-C3.1": "十一（三）", "JC-C3.3": "十一（十）", "JC-C4.1": "十三（一）",
    "JC-C4.2": "十三（一）", "JC-C4.3": "十三（二）", "JC-C4.4": "十三（二）", "JC-C5.3": "三（二）",
    "JC-C6.2": "三（二）", "JC-C7.1": "三（一）", "JC-C8.4": "三（一）", "JC-C9.1": "三（一）",
}  # fmt: skip


def test_thirty_six_items(catalog: Catalog) -> None:
    checklist = catalog.checklist("jincheng.checklist")
    printed = [len(g.items) for g in checklist.printed]

    assert list(TASKS) == [(g.number, len(g.items), n) for g, n in zip(checklist.groups, printed, strict=True)]
    assert 36 == len(checklist.items) == len(checklist.form.rows)
    assert [i.id for i in checklist.items] == [f"JC-C{t}.{n}" for t, many, _ in TASKS for n in range(1, many + 1)]
    assert BAD_IF_YES.split() == [i.id for i in checklist.items if i.bad == "yes"]
    assert ["JC-C9.1"] == [i.id for i in checklist.items if i.bad == "unclear"]
    assert SEVERAL.split() == [i.id for i in checklist.items if i.several]
    assert BASIS == {i.id: " ".join(b[1:].replace("条", "") for b in i.basis) for i in checklist.items if i.basis}


# measure: first and last item, evidence other than documents alone
MEASURES = (
    ("开展安全生产警示教育", 1, 5), ("制定复工复产方案", 6, 6), ("签订安全生产责任书", 7, 8),
    ("组织全员安全教育培训", 9, 12), ("落实危险作业安全措施", 13, 15), ("开展安全隐患排查", 16, 18),
    ("强化极端天气安全管控", 19, 21),
)  # fmt: skip
PRINTED_BESIDE = {
    1: "开展安全生产警示教育", 5: "制定复工复产方案", 7: "签订安全生产责任书", 12: "组织全员安全教育培训",
    15: "落实危险作业安全措施", 17: "开展安全隐患排查", 19: "强化极端天气安全管控",
}  # fmt: skip
EVIDENCE = {13: ("documents", "site"), 15: ("documents", "site"), 18: ("site",)}


def test_twenty_one_items(catalog: Catalog) -> None:
    checklist = catalog.checklist("resumption-guidance")
    measures = [(g.title, int(g.items[0].id[4:]), int(g.items[-1].id[4:])) for g in checklist.groups]

    assert list(MEASURES) == measures
    assert [f"ZZ-C{n}" for n in range(1, 22)] == [i.id for i in checklist.items]
    assert PRINTED_BESIDE == {int(i[4:]): g.title for g in checklist.printed for i in g.items if g.title}
    assert {n: EVIDENCE.get(n, ("documents",)) for n in range(1, 22)} == {
        int(i.id[4:]): i.evidence for i in checklist.items
    }
    assert ["ZZ-C18"] == [i.id for i in checklist.items if i.bad == "yes"]
    assert ["专家签字", "企业主要负责人签字"] == [f.label for f in checklist.signatures]


# checklist: annex, title, header line, columns, signatures
LOOKS = {
    "jincheng.checklist": (
        "附件2", "全市冶金工贸行业安全生产|隐患排查整治专项行动检查表", "",
        "序号 检查任务 检查重点 检查情况", "",
    ),
    "jincheng.resumption-guidance": (
        "附件：", "泽州县工贸企业复工复产专家技术指导重点内容清单", "企业名称： 日期： 年 月 日",
        "序号 项目名称 具体内容 印证资料 存在问题 专家建议", "专家签字： 企业主要负责人签字：",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LOOKS)
@pytest.mark.parametrize("printed", [False, True], ids=["meant", "printed"])
def test_the_annexes_as_printed(name: str, printed: bool, catalog: Catalog, tmp_path: Path) -> None:
    """In the grouping that is meant, and in that of the notice."""
    annex, title, line, columns, below = LOOKS[name]
    checklist = catalog.checklist(name)
    form = checklist.as_printed if printed else checklist.form
    sheet = openpyxl.load_workbook(blank(form, tmp_path / "blank.xlsx")).worksheets[0]
    rows = [[("" if v is None else str(v)) for v in row] for row in sheet.iter_rows(values_only=True)]
    at = 3 if line else 2
    asked = [row[2] for row in rows[at + 1 :] if row[2]]

    assert [annex, title] == [rows[0][0], rows[1][0].replace("\n", "|")]
    assert line.split() == [w for row in rows[2:at] for w in row[0].split()]
    assert columns.split() == rows[at]
    assert sorted(i.ask for i in checklist.items) == sorted(asked)
    assert below.split() == [row[0] for row in rows[-len(below.split()) :] if below]


# --- the form of our own -----------------------------------------------------------------------------------------

# rule, values of its columns, kept
OUR_RULES: tuple[tuple[str, dict[str, Any], bool | None], ...] = (
    ("fixed-at-most-found", {"found": 3, "fixed": 3}, True),
    ("fixed-at-most-found", {"found": 3, "fixed": 4}, False),
    ("reported-three-days-before", {"planned": "2025-02-17", "reported": "2025-02-14"}, True),
    ("reported-three-days-before", {"planned": "2025-02-17", "reported": "2025-02-15"}, False),
    ("reported-three-days-before", {"planned": "2025-02-17", "reported": None}, None),
    ("resumed-with-open-hazards", {"state": "已复工", "found": 3, "fixed": 2}, False),
    ("resumed-with-open-hazards", {"state": "隐患整改中", "found": 3, "fixed": 2}, True),
)


@pytest.mark.parametrize(("name", "values", "kept"), OUR_RULES)
def test_the_rules_of_our_own_form(name: str, values: dict[str, Any], kept: bool | None, catalog: Catalog) -> None:
    rule = next(r for r in catalog.form("resumption-weekly").rules if r.id == name)

    assert kept == holds(compile_expression(rule.check), values)


def test_our_own_form_says_that_it_is_ours(catalog: Catalog) -> None:
    """ZZ-O8: the notice has no form."""
    form = catalog.form("resumption-weekly")

    assert [
        "序号", "企业名称", "所在镇", "行业", "规模", "是否含高炉", "报告时间", "复工时间 计划", "复工时间 实际",
        "技术指导服务 指导单位", "技术指导服务 发现隐患", "技术指导服务 已整改", "技术指导服务 整改率", "状态", "备注",
    ] == [c.title for c in form.columns]  # fmt: skip
    assert "我们自己设计" in str(form.source.reading)
    assert any("软件自拟" in note for note in form.notes)
    assert ("停产", "已报告", "已指导", "隐患整改中", "可复工", "已复工", "不得复工") == form.by_id["state"].choices


# --- what the table 逐条对照 says is true ------------------------------------------------------------------------

LINE = re.compile(r"^\| ((?:JC|ZZ)-[^|]+) \|[^|]*\|(.*)\|$", re.MULTILINE)
REQUIRED = [
    *(f"JC-{kind}{n}" for kind, last in (("A", 8), ("R", 7), ("D", 5)) for n in range(1, last + 1)),
    *(f"JC-C{task}.{n}" for task, many, _ in TASKS for n in range(1, many + 1)),
    *(f"JC-O{n}" for n in range(1, 14)),
    *(
        f"ZZ-{kind}{n}"
        for kind, last in (("R", 10), ("M", 7), ("D", 5), ("C", 21), ("O", 9))
        for n in range(1, last + 1)
    ),
]


def test_every_requirement_is_data_or_has_a_reason(catalog: Catalog) -> None:
    lines = LINE.findall((Path(__file__).parents[1] / "README.md").read_text("utf-8"))
    known = declared_names(catalog)
    named = {where: re.findall(r"`([^`]+)`", where) for _, where in lines}

    assert REQUIRED == [name for names, _ in lines for name in names.split("、")]
    assert [] == [name for names in named.values() for name in names if name not in known]
    assert [] == [where for where, names in named.items() if not names and "不编码：" not in where]
