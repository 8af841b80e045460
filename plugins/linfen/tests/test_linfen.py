"""Linfen: every date and quota of 临政发〔2022〕1号, its seven fields, levels of standardisation, the double report."""

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import gmsafety_linfen
import gmsafety_shanxi
from gmsafety import Catalog, load_catalog
from gmsafety.campaigns import Campaign
from gmsafety.duties import Quota
from gmsafety.testing import check_plugin, declared_names


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    """Linfen with the province it builds on."""
    return load_catalog([gmsafety_linfen, gmsafety_shanxi])


@pytest.fixture(scope="module")
def year(catalog: Catalog) -> Campaign:
    """The work of 2022."""
    return catalog.campaign("linfen.safety-2022")


def test_conforms() -> None:
    assert [] == [str(c) for c in check_plugin(gmsafety_linfen, gmsafety_shanxi)]


# --- dates -------------------------------------------------------------------------------------------------------

# requirement, duty, due, flagged
ONCE: tuple[tuple[str, str, str, list[str]], ...] = (
    ("LF-D6", "safety-engineers", "2022-12-31", ["public-holiday"]),
    ("LF-D7", "enforcement-staff", "2022-06-30", []),
    ("LF-D12", "oversized-trucks", "2022-12-31", ["public-holiday"]),
)


@pytest.mark.parametrize(("requirement", "duty", "due", "flagged"), ONCE)
def test_once(requirement: str, duty: str, due: str, flagged: list[str], catalog: Catalog) -> None:
    found = [o for o in catalog.duties(campaign="linfen.safety-2022") if o.duty.id == duty]

    assert [(due, f"{due} 23:59:59")] == [(str(o.period), f"{o.due:%Y-%m-%d %H:%M:%S}") for o in found]
    assert flagged == [f.slug for f in found[0].flags]


QUARTERS = ["2022-03-31", "2022-06-30", "2022-09-30", "2022-12-31"]
MONTHS = [
    "2022-02-28", "2022-03-31", "2022-04-30", "2022-05-31", "2022-06-30", "2022-07-31",
    "2022-08-31", "2022-09-30", "2022-10-31", "2022-11-30", "2022-12-31",
]  # fmt: skip
YEAR = ["2022-12-31"]

# requirement, duty, who, how often in a period, last days of the periods
QUOTAS = (
    ("LF-D1", "quarterly-meeting", ("party-committee", "city-government", "county-government", "township"), 1,
     QUARTERS),
    ("LF-D2", "monthly-meeting", ("city-government", "county-government"), 1, MONTHS),
    ("LF-D3", "leaders-visit", ("leader",), 1, MONTHS),
    ("LF-D4", "department-meeting", ("supervising-department", "city-office", "county-office"), 1, MONTHS),
    ("LF-D5", "department-head-visits", ("department-head",), 2, MONTHS),
    ("LF-D8", "exercise", ("city-government", "county-government", "township"), 1, YEAR),
    ("LF-D9", "inspection-plan", ("supervising-department", "city-office", "county-office"), 1, YEAR),
    ("LF-D11", "leaders-task-list", ("leader",), 1, YEAR),
)  # fmt: skip


@pytest.mark.parametrize(("requirement", "duty", "who", "often", "ends"), QUOTAS)
def test_quotas(requirement: str, duty: str, who: tuple[str, ...], often: int, ends: list[str], year: Campaign) -> None:
    quota = next(d for d in year.duties if d.id == duty)

    assert isinstance(quota, Quota)
    assert who == quota.from_
    assert [(end, often) for end in ends] == [(str(c.last), c.at_least) for c in quota.counted([])]


def test_one_visit_in_a_month_is_one_too_few_for_a_department_head(year: Campaign) -> None:
    """LF-D5: at least twice a month."""
    quota = next(d for d in year.duties if d.id == "department-head-visits")
    days = [date(2022, 3, 3), date(2022, 3, 21), date(2022, 4, 7)]

    assert isinstance(quota, Quota)
    assert [2, 0, 1] == [c.missing for c in quota.counted(days)][:3]


def test_what_has_no_date_is_never_due(year: Campaign) -> None:
    """LF-D10, LF-D13 to LF-D16 and what follows upon an event."""
    assert [
        "power-list", "zone-body", "village-keeper", "double-report", "consolidation-list", "confined-space-training",
        "hazchem-diagnosis", "accountability-rules", "circulars", "neglect", "exposure", "standardisation-survey",
        "township-plan", "enterprise-exercises", "training-plan",
    ] == [d.id for d in year.duties if d.kind == "standing"]  # fmt: skip


def test_a_major_hazard_is_reported_twice(year: Campaign) -> None:
    """LF-D10: to the supervising department and to the workers' congress; one report is not enough."""
    duty = next(d for d in year.duties if d.id == "double-report")

    assert {"supervising-department", "workers-congress"} <= set(duty.to)
    assert ["向安全监管部门的报告", "向职代会的报告"] == [d.title for d in duty.hand_in]


# --- tasks and units ---------------------------------------------------------------------------------------------


def test_seven_fields_and_the_goal(year: Campaign) -> None:
    fields: dict[str, int] = {}
    for task in year.tasks:
        fields[task.group] = fields.get(task.group, 0) + 1

    assert {
        "": 1,
        "一、压紧压实安全生产责任，强化安全红线意识持久化": 5,
        "二、扎实开展安全专项整治，推进隐患排查治理制度化": 11,
        "三、严厉打击非法违法行为,不断推动监督管理规范化": 3,
        "四、夯实企业基层基础工作,积极创建安全生产标准化": 2,
        "五、增强防灾减灾救灾能力，全面实现应急管理信息化": 11,
        "六、加强安全生产教育宣传,努力促进社会监督常态化": 2,
        "七、开展煤矿监控系统督查,有力推进煤矿监测精准化": 2,
    } == fields


def test_gongmao_is_one_paragraph_of_many(year: Campaign) -> None:
    """LF-R1, LF-O3: a reader of gongmao sees that paragraph and what holds for every industry."""
    scopes = {scope: [t.title for t in year.tasks if t.scope == scope] for scope in ("gongmao", "other", "all")}

    assert ["冶金工贸"] == scopes["gongmao"]
    assert ["煤矿", "危险化学品", "交通运输", "非煤矿山", "建筑施工", "燃气", "消防"] == scopes["other"][:7]
    assert (16, 20) == (len(scopes["other"]), len(scopes["all"]))
    assert (
        "强化有限空间作业安全管理，督促企业开展专项培训和隐患排查整治，坚决做到隐患排查到位、标志张贴到位、"
        "承包方管理到位、装备器材配备到位、应急处置到位。"
    ) in next(t for t in year.tasks if t.id == "gongmao").points


def test_every_duty_target_and_watch_belongs_to_a_task(year: Campaign) -> None:
    for noun in ("duties", "targets", "watches"):
        declared = {v.id for v in getattr(year, noun)}
        named = {name for task in year.tasks for name in getattr(task, noun)}

        assert declared == named, noun


# code, government, bureau
COUNTIES = (
    ("141002", "尧都区"), ("141021", "曲沃县"), ("141022", "翼城县"), ("141023", "襄汾县"), ("141024", "洪洞县"),
    ("141025", "古县"), ("141026", "安泽县"), ("141027", "浮山县"), ("141028", "吉县"), ("141029", "乡宁县"),
    ("141030", "大宁县"), ("141031", "隰县"), ("141032", "永和县"), ("141033", "蒲县"), ("141034", "汾西县"),
    ("141081", "侯马市"), ("141082", "霍州市"),
)  # fmt: skip


@pytest.mark.parametrize(("code", "name"), COUNTIES)
def test_what_a_government_and_its_bureau_owe(code: str, name: str, catalog: Catalog) -> None:
    owed = {o.duty.id for o in catalog.duties(unit=f"{name}人民政府")}

    assert {"quarterly-meeting", "monthly-meeting", "enforcement-staff", "exercise"} == owed
    assert f"{name}应急管理局" == catalog.unit(code).name
    assert {"department-meeting", "inspection-plan"} == {o.duty.id for o in catalog.duties(unit=code)}


# --- targets and watches -----------------------------------------------------------------------------------------

# requirement, target, counted, of, shown, met
TARGETS: tuple[tuple[str, str, int, int | None, tuple[str, bool | None]], ...] = (
    ("LF-T1", "township-staff", 2, None, ("2名", False)),
    ("LF-T1", "township-staff", 3, None, ("3名", True)),
    ("LF-T1", "township-staff", 6, None, ("6名", True)),
    ("LF-D6", "safety-engineers", 19, 20, ("95%", False)),
    ("LF-D7", "enforcement-staff", 30, 30, ("100%", True)),
    ("LF-T2", "coal-mines", 9, 9, ("100%", True)),
    ("LF-T2", "large-mines", 0, 0, ("/", None)),
    ("LF-T2", "tailings-ponds", 1, 2, ("50%", False)),
    ("LF-T2", "hazchem-makers", 5, 5, ("100%", True)),
    ("LF-T2", "metallurgy", 11, 12, ("91.7%", False)),
    ("LF-T2", "foundries", 12, 12, ("100%", True)),
    ("LF-T2", "other-high-risk", 3, 4, ("75%", False)),
    ("LF-T3", "no-grave-accidents", 0, None, ("0起", True)),
    ("LF-T3", "no-grave-accidents", 1, None, ("1起", False)),
)


@pytest.mark.parametrize(("requirement", "target", "counted", "of", "shown_and_met"), TARGETS)
def test_targets(
    requirement: str, target: str, counted: int, of: int | None, shown_and_met: tuple[str, bool | None], year: Campaign
) -> None:
    found = next(t for t in year.targets if t.id == target)

    assert shown_and_met == (found.shown(counted, of), found.is_met(counted, of))


FIVE = ("inspected", "signs", "contractors", "equipment", "emergency")
CHECKS = ("self_check", "department_check", "leader_check", "expert_check", "ledger")
ENFORCED = ("supervised", "enforced", "handled", "exposed", "sanctioned")
ENTERPRISE = ("duty", "investment", "training", "management", "rescue")
DUTIES = ("prevention", "lists", "injury_insurance", "liability_insurance")


def figures(accidents: int, before: int, deaths: int, deaths_before: int) -> dict[str, int]:
    """Accidents and deaths of this year and the year before."""
    return {"accidents": accidents, "accidents_before": before, "deaths": deaths, "deaths_before": deaths_before}


# requirement, watch, facts, as it should be
WATCHES: tuple[tuple[str, str, dict[str, Any], bool | None], ...] = (
    ("LF-T3", "both-fewer", figures(8, 10, 5, 6), True),
    ("LF-T3", "both-fewer", figures(8, 10, 6, 6), False),
    ("LF-T3", "both-fewer", figures(0, 0, 0, 0), True),
    ("LF-R1", "hazard-sources", {"facilities": True, "monitoring": False}, False),
    ("LF-R1", "confined-space-five", dict.fromkeys(FIVE, True), True),
    ("LF-R1", "confined-space-five", {**dict.fromkeys(FIVE, True), "contractors": False}, False),
    ("LF-R1", "confined-space-five", dict.fromkeys(FIVE[:4], True), None),
    ("LF-R2", "four-checks", dict.fromkeys(CHECKS, True), True),
    ("LF-R4", "four-checks", {**dict.fromkeys(CHECKS, True), "ledger": False}, False),
    ("LF-R5", "supervisor-named", {"unassigned": 0}, True),
    ("LF-R5", "supervisor-named", {"unassigned": 3}, False),
    ("LF-R6", "enterprise-five", dict.fromkeys(ENTERPRISE, True), True),
    ("LF-R6", "enterprise-duties", {**dict.fromkeys(DUTIES, True), "liability_insurance": False}, False),
    ("LF-R6", "deputy-for-safety", {"state_owned": True, "deputy": False}, False),
    ("LF-R6", "deputy-for-safety", {"state_owned": False, "deputy": False}, True),
    ("LF-R7", "enforcement-five", {**dict.fromkeys(ENFORCED, True), "exposed": False}, False),
)


@pytest.mark.parametrize(("requirement", "watch", "facts", "right"), WATCHES)
def test_watches(requirement: str, watch: str, facts: dict[str, Any], right: bool | None, year: Campaign) -> None:
    found = next(w for w in year.watches if w.id == watch)

    assert right is found.holds(facts)


def test_the_three_lists_of_five_are_not_one(year: Campaign) -> None:
    """LF-O1."""
    facts = [
        set(w.facts) for w in year.watches if w.id in ("enterprise-five", "confined-space-five", "enforcement-five")
    ]

    assert [5, 5, 5] == [len(f) for f in facts]
    assert 15 == len(set.union(*facts))


# --- what is encoded, and what is prose --------------------------------------------------------------------------

NUMBERS = {"A": 8, "D": 16, "T": 3, "R": 7, "O": 4}
ROW = re.compile(r"^\| (LF-[ADTRO]\d+) \|(.*)\|$", re.MULTILINE)


def test_every_requirement_is_encoded_or_has_its_reason(catalog: Catalog) -> None:
    encoded, _, prose = Path(__file__).parents[1].joinpath("README.md").read_text("utf-8").partition("只作文字照录")
    specs = {n: re.findall(r"`([^`]+)`", rest.split("|")[-1]) for n, rest in ROW.findall(encoded)}
    reasons = {n: rest.split("|")[-1].strip() for n, rest in ROW.findall(prose)}
    known = declared_names(catalog)

    assert {f"LF-{letter}{n}" for letter, count in NUMBERS.items() for n in range(1, count + 1)} == {*specs, *reasons}
    assert [] == [(n, name) for n, names in specs.items() for name in names if name not in known]
    assert [] == [n for n, names in specs.items() if not names] + [n for n, why in reasons.items() if not why]


def test_what_the_notice_got_wrong_is_shown(year: Campaign) -> None:
    """LF-O1, LF-O4."""
    printed = [e.printed for e in year.errata]

    assert 6 == len(printed)
    for words in ("五到位", "承包方管理到位", "曝光到位", "3-5名", "半角"):
        assert any(words in p for p in printed), words
