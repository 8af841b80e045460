"""Shuozhou: every date of 朔应急发〔2024〕86号, its twenty tasks, quotas, targets, routes and gates."""

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import gmsafety_shanxi
import gmsafety_shuozhou
from gmsafety import Catalog, load_catalog
from gmsafety.campaigns import Campaign
from gmsafety.duties import Quota
from gmsafety.forms.checking import check
from gmsafety.forms.record import Record, Rows
from gmsafety.forms.spec import Form
from gmsafety.routing import find_route
from gmsafety.testing import check_plugin, declared_names


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    """Shuozhou with the province it builds on."""
    return load_catalog([gmsafety_shuozhou, gmsafety_shanxi])


@pytest.fixture(scope="module")
def year(catalog: Catalog) -> Campaign:
    """The tasks of 2024."""
    return catalog.campaign("shuozhou.gongmao-2024")


def test_conforms() -> None:
    assert [] == [str(c) for c in check_plugin(gmsafety_shuozhou, gmsafety_shanxi)]


# --- dates -------------------------------------------------------------------------------------------------------

# requirement, duty, due, flagged
ONCE: tuple[tuple[str, str, str, list[str]], ...] = (
    ("SZ-D3", "smelting-survey", "2024-06-30", ["day-off"]),
    ("SZ-D4", "unreviewed-penalty", "2024-12-31", []),
    ("SZ-D4", "design-diagnosis", "2024-12-31", []),
    ("SZ-D5", "above-scale-survey", "2024-06-30", ["day-off"]),
    ("SZ-D6", "below-scale-survey", "2024-12-31", []),
    ("SZ-D9", "dust-monitoring", "2024-12-31", []),
    ("SZ-D10", "clear-stock", "2024-12-31", []),
    ("SZ-D11", "special-operations", "2024-12-31", []),
)


@pytest.mark.parametrize(("requirement", "duty", "due", "flagged"), ONCE)
def test_once(requirement: str, duty: str, due: str, flagged: list[str], catalog: Catalog) -> None:
    found = [o for o in catalog.duties(campaign="shuozhou.gongmao-2024") if o.duty.id == duty]

    assert [(due, f"{due} 23:59:59")] == [(str(o.period), f"{o.due:%Y-%m-%d %H:%M:%S}") for o in found]
    assert flagged == [f.slug for f in found[0].flags]


HALF_YEARS = ["2024-06-30", "2024-12-31"]
QUARTERS = ["2024-06-30", "2024-09-30", "2024-12-31"]
MONTHS = [
    "2024-04-30", "2024-05-31", "2024-06-30", "2024-07-31", "2024-08-31",
    "2024-09-30", "2024-10-31", "2024-11-30", "2024-12-31",
]  # fmt: skip
YEAR = ["2024-12-31"]

# requirement, duty, what is known of the enterprise, last days of the periods
QUOTAS: tuple[tuple[str, str, dict[str, bool], list[str]], ...] = (
    ("SZ-D1", "enterprise-ledger", {}, HALF_YEARS),
    ("SZ-D2", "principal-check", {}, QUARTERS),
    ("SZ-D2", "principal-check", {"metal_smelting": False}, QUARTERS),
    ("SZ-D2", "principal-check", {"metal_smelting": True}, MONTHS),
    ("SZ-D7", "drill-observation", {}, YEAR),
    ("SZ-D8", "evacuation-drill", {}, YEAR),
    ("SZ-D8", "evacuation-drill", {"molten_metal": True}, HALF_YEARS),
    ("SZ-D8", "evacuation-drill", {"labour_intensive": True}, HALF_YEARS),
    ("SZ-D8", "evacuation-drill", {"factory_in_factory": True}, HALF_YEARS),
    ("SZ-D8", "evacuation-drill", {"molten_metal": True, "labour_intensive": True}, HALF_YEARS),
    ("SZ-D12", "enforcement-plan", {}, YEAR),
    ("SZ-D13", "training-plan", {}, YEAR),
    ("SZ-D15", "province-training", {}, YEAR),
    ("SZ-D15", "city-training", {}, YEAR),
    ("SZ-D15", "county-training", {}, YEAR),
)


@pytest.mark.parametrize(("requirement", "duty", "tags", "ends"), QUOTAS)
def test_quotas(requirement: str, duty: str, tags: dict[str, bool], ends: list[str], year: Campaign) -> None:
    quota = next(d for d in year.duties if d.id == duty)

    assert isinstance(quota, Quota)
    assert [(end, 1) for end in ends] == [(str(c.last), c.at_least) for c in quota.counted([], tags)]


def test_a_quarter_with_one_check_is_enough_but_not_for_a_smelter(year: Campaign) -> None:
    """SZ-D2: three checks, one in each quarter; a smelter owes nine."""
    quota = next(d for d in year.duties if d.id == "principal-check")
    days = [date(2024, 5, 6), date(2024, 8, 12), date(2024, 11, 4)]

    assert isinstance(quota, Quota)
    assert [0, 0, 0] == [c.missing for c in quota.counted(days)]
    assert 6 == sum(c.missing for c in quota.counted(days, {"metal_smelting": True}))


def test_what_has_no_date_is_never_due(year: Campaign) -> None:
    """SZ-D14, SZ-D16, SZ-D17, SZ-D18 and what follows upon an event."""
    standing = [d.id for d in year.duties if d.kind == "standing"]

    assert [
        "joint-enforcement", "project-report", "benchmarks", "accident-cases", "accident-warning", "squad-visit",
        "summons", "neglect", "expert-help", "confined-space-rules", "inspector-training", "key-supervision",
        "trace-back", "punish-violations", "expose-majors",
    ] == standing  # fmt: skip


# --- tasks and units ---------------------------------------------------------------------------------------------


def test_twenty_tasks_in_five_parts(year: Campaign) -> None:
    parts: dict[str, int] = {}
    for task in year.tasks:
        parts[task.group] = parts.get(task.group, 0) + 1

    assert {
        "一、厘清监管职责,狠抓主体责任落实": 2,
        "二、坚持多措并举,夯实企业安全基础": 9,
        "三、聚集重点事项,持续开展整治帮扶": 3,
        "四、改进督查方式,提升监管工作效能": 3,
        "五、严格规范执法,提高行政执法质量": 3,
    } == parts
    assert [str(n) for n in range(1, 21)] == [t.source.clause.partition("、")[2] for t in year.tasks]


def test_every_duty_target_and_watch_belongs_to_a_task(year: Campaign) -> None:
    for noun in ("duties", "targets", "watches"):
        declared = {v.id for v in getattr(year, noun)}
        named = {name for task in year.tasks for name in getattr(task, noun)}

        assert declared == named, noun


COUNTIES = (
    ("140602", "朔城区"), ("140603", "平鲁区"), ("140621", "山阴县"),
    ("140622", "应县"), ("140623", "右玉县"), ("140681", "怀仁市"),
)  # fmt: skip


@pytest.mark.parametrize(("code", "name"), COUNTIES)
def test_what_a_county_owes(code: str, name: str, catalog: Catalog) -> None:
    found = {o.duty.id for o in catalog.duties(unit=code)}

    assert name == catalog.units.area_name(catalog.unit(code))
    assert {
        "enterprise-ledger", "smelting-survey", "unreviewed-penalty", "above-scale-survey", "below-scale-survey",
        "training-plan", "county-training", "drill-observation", "clear-stock", "enforcement-plan",
    } == found  # fmt: skip


# --- targets -----------------------------------------------------------------------------------------------------

# requirement, target, counted, of, shown, met
TARGETS: tuple[tuple[str, str, int, int | None, tuple[str, bool | None]], ...] = (
    ("SZ-T1", "standardised-growth", 110, 100, ("10%", True)),
    ("SZ-T1", "standardised-growth", 109, 100, ("9%", False)),
    ("SZ-T1", "standardised-growth", 5, 0, ("/", None)),
    ("SZ-T2", "entry-rate", 40, 40, ("100%", True)),
    ("SZ-T2", "entry-rate", 39, 40, ("97.5%", False)),
    ("SZ-T3", "dust-connected", 0, 0, ("/", None)),
    ("SZ-T3", "dust-connected", 11, 12, ("91.7%", False)),
    ("SZ-T3", "dust-connected", 12, 12, ("100%", True)),
    ("SZ-D10", "old-stock", 0, None, ("0条", True)),
    ("SZ-D10", "old-stock", 1, None, ("1条", False)),
)


@pytest.mark.parametrize(("requirement", "target", "counted", "of", "shown_and_met"), TARGETS)
def test_targets(
    requirement: str, target: str, counted: int, of: int | None, shown_and_met: tuple[str, bool | None], year: Campaign
) -> None:
    found = next(t for t in year.targets if t.id == target)

    assert shown_and_met == (found.shown(counted, of), found.is_met(counted, of))


# --- routes and gates --------------------------------------------------------------------------------------------

# key_level of the enterprise, route, bodies
ROUTES: tuple[tuple[str | None, str | None, tuple[str, ...]], ...] = (
    ("city", "city-key-list", ("city-office",)),
    ("county", "county-key-list", ("county-office",)),
    ("none", "double-random", ("city-office", "county-office")),
    (None, None, ()),
)


@pytest.mark.parametrize(("level", "route", "bodies"), ROUTES)
def test_who_inspects(level: str | None, route: str | None, bodies: tuple[str, ...], year: Campaign) -> None:
    """SZ-R6: those on a level's key list by that level, the others at random; unknown stays open."""
    found = find_route(year.routes, {"key_level": level} if level else {})

    assert (route, bodies) == ((found.route.id, found.route.to) if found.route else (None, ()))
    assert (() if level else ("key_level",)) == found.open


REVIEWED = dict.fromkeys(("conditions_met", "design_reviewed", "accepted", "site_checked"), True)
SMELTER = {"metal_smelting": True, "auxiliary_hazchem": False}
HAZCHEM = {"metal_smelting": False, "auxiliary_hazchem": True}

# gate, facts, tags, state, conditions that say so
GATES: tuple[tuple[str, dict[str, Any], dict[str, bool], str, list[str]], ...] = (
    ("three-simultaneities", {**REVIEWED, "reported": True}, SMELTER, "allow", []),
    ("three-simultaneities", {**REVIEWED, "reported": False}, SMELTER, "deny", ["reported"]),
    ("three-simultaneities", REVIEWED, SMELTER, "unknown", ["reported"]),
    ("three-simultaneities", {**REVIEWED, "reported": True, "accepted": False}, SMELTER, "deny", ["accepted"]),
    ("three-simultaneities", {**REVIEWED, "hazchem_rules": True}, HAZCHEM, "allow", []),
    ("three-simultaneities", {**REVIEWED, "hazchem_rules": False}, HAZCHEM, "deny", ["hazchem-rules"]),
    ("standardisation", {"open_majors": 0}, {}, "allow", []),
    ("standardisation", {"open_majors": 1}, {}, "deny", ["no-majors"]),
    ("standardisation", {}, {}, "unknown", ["no-majors"]),
    (
        "post",
        {"exam_passed": True, "retrained": False, "certificate_needed": True, "certificate_held": True},
        {},
        "allow",
        [],
    ),
    (
        "post",
        {"exam_passed": False, "retrained": True, "certificate_needed": False, "certificate_held": False},
        {},
        "allow",
        [],
    ),
    (
        "post",
        {"exam_passed": False, "retrained": False, "certificate_needed": True, "certificate_held": False},
        {},
        "deny",
        ["trained", "certified"],
    ),
)


@pytest.mark.parametrize(("gate", "facts", "tags", "state", "conditions"), GATES)
def test_gates(
    gate: str, facts: dict[str, Any], tags: dict[str, bool], state: str, conditions: list[str], year: Campaign
) -> None:
    verdict = next(g for g in year.gates if g.id == gate).judge(facts, tags)

    assert (state, conditions) == (verdict.state.value, [r.condition.id for r in verdict.reasons])


# --- watches -----------------------------------------------------------------------------------------------------

# requirement, watch, facts, as it should be
WATCHES: tuple[tuple[str, str, dict[str, Any], bool | None], ...] = (
    ("SZ-R2", "principal-examined", {"examined": False}, False),
    ("SZ-R2", "majors-checked", {"checked": True}, True),
    ("SZ-R3", "three-zeros", {"papers": 12, "cases": 3, "penalties": 2}, True),
    ("SZ-R3", "three-zeros", {"papers": 12, "cases": 3, "penalties": 0}, False),
    ("SZ-R3", "three-zeros", {"papers": 0, "cases": 0, "penalties": 0}, False),
    ("SZ-R3", "three-zeros", {"papers": 12, "cases": 3}, None),
    ("SZ-R3", "accidents-in-three-years", {"accidents": 0}, True),
    ("SZ-R3", "accidents-in-three-years", {"accidents": 1}, False),
    ("SZ-R4", "inspector-signed", {"signed": False}, False),
    ("SZ-R5", "accidents-this-year", {"general": 0, "dangerous": 1}, False),
    ("SZ-R7", "late-entry", {"inspected": "2024-05-20", "entered": "2024-05-20"}, True),
    ("SZ-R7", "late-entry", {"inspected": "2024-05-20", "entered": "2024-05-21"}, False),
    ("SZ-R7", "late-entry", {"inspected": "2024-05-20"}, None),
    ("SZ-D4", "built-unreviewed", {"built": "2018-02-28", "design_reviewed": False}, True),
    ("SZ-D4", "built-unreviewed", {"built": "2018-03-01", "design_reviewed": False}, False),
    ("SZ-D4", "built-unreviewed", {"built": "2018-03-01", "design_reviewed": True}, True),
    ("SZ-R12", "supervisor-named", {"unassigned": 1}, False),
    ("SZ-R14", "workers-included", {"outside": 0}, True),
    ("SZ-R16", "obsolete-equipment", {"obsolete": 2}, False),
    ("SZ-R21", "safety-body", {"has_body": True, "full_time": 2, "full_time_needed": 3, "clearing": True}, False),
)


@pytest.mark.parametrize(("requirement", "watch", "facts", "right"), WATCHES)
def test_watches(requirement: str, watch: str, facts: dict[str, Any], right: bool | None, year: Campaign) -> None:
    found = next(w for w in year.watches if w.id == watch)

    assert right is found.holds(facts)


# --- the two ledgers ---------------------------------------------------------------------------------------------


def test_both_ledgers_say_that_they_are_our_own(catalog: Catalog) -> None:
    for name in ("shuozhou.enterprise-ledger", "shuozhou.special-operations-ledger"):
        form = catalog.form(name)

        assert "我们自己设计的" in (form.source.reading or "")
        assert any("自拟" in note for note in form.notes)


def said(form: Form, header: dict[str, Any], row: dict[str, Any], catalog: Catalog) -> list[str]:
    """What the rules of a ledger say about one row."""
    kinds = ("rule-not-met", "date-order")
    found = check(Record(form, header, rows=Rows.of([row], form)), catalog=catalog)
    return [f.message for f in found if f.kind.slug in kinds]


# dust workers, connected, what is said
DUST: tuple[tuple[int, str, list[str]], ...] = (
    (29, "否", []),
    (30, "是", []),
    (30, "否", ["粉尘涉爆30人，没有接入监测预警系统。"]),
    (45, "不涉及", ["粉尘涉爆45人，没有接入监测预警系统。"]),
)


@pytest.mark.parametrize(("workers", "connected", "expected"), DUST)
def test_thirty_dust_workers_are_to_be_connected(
    workers: int, connected: str, expected: list[str], catalog: Catalog
) -> None:
    header = {"unit": "应县应急管理局", "date": date(2024, 6, 28)}
    row = {"enterprise": "示例木业有限公司", "dust": workers, "monitored": connected}

    assert expected == said(catalog.form("shuozhou.enterprise-ledger"), header, row, catalog)


# needed, present, certificate valid until, what is said
STAFF: tuple[tuple[int, int, str, list[str]], ...] = (
    (4, 4, "2026-05-31", []),
    (4, 3, "2026-05-31", ["应配备4人，已配备3人，没有配齐。"]),
    (4, 5, "2024-11-30", ["证书有效期至2024年11月30日，早于填报时间2024年12月20日。"]),
)


@pytest.mark.parametrize(("needed", "present", "until", "expected"), STAFF)
def test_special_operations_are_staffed_and_certified(
    needed: int, present: int, until: str, expected: list[str], catalog: Catalog
) -> None:
    header = {"unit": "示例铸造有限公司", "date": date(2024, 12, 20), "needed": needed, "present": present}
    row = {"kind": "电工作业", "certificate": "示例-1", "until": date.fromisoformat(until)}

    assert expected == said(catalog.form("shuozhou.special-operations-ledger"), header, row, catalog)


# --- what is encoded, and what is prose --------------------------------------------------------------------------

NUMBERS = {"A": 6, "D": 18, "T": 4, "R": 22, "O": 7}
ROW = re.compile(r"^\| (SZ-[ADTRO]\d+) \|(.*)\|$", re.MULTILINE)


def test_every_requirement_is_encoded_or_has_its_reason(catalog: Catalog) -> None:
    encoded, _, prose = Path(__file__).parents[1].joinpath("README.md").read_text("utf-8").partition("只作文字照录")
    specs = {n: re.findall(r"`([^`]+)`", rest.split("|")[-1]) for n, rest in ROW.findall(encoded)}
    reasons = {n: rest.split("|")[-1].strip() for n, rest in ROW.findall(prose)}
    known = declared_names(catalog)

    assert {f"SZ-{letter}{n}" for letter, count in NUMBERS.items() for n in range(1, count + 1)} == {*specs, *reasons}
    assert [] == [(n, name) for n, names in specs.items() for name in names if name not in known]
    assert [] == [n for n, names in specs.items() if not names] + [n for n, why in reasons.items() if not why]


def test_what_the_notice_got_wrong_is_shown(year: Campaign) -> None:
    """SZ-O1 to SZ-O7."""
    printed = [e.printed for e in year.errata]

    assert 19 == len(printed)
    for words in ("〔202486", "没有标题", "重大故隐患", "聚集", "执法小分队", "个人都有", "6月底前"):
        assert any(words in p for p in printed), words
