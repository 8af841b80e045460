"""Tianjin: the look-back campaign of 2024: its dates, its 46 points, its watches, and the forms of our own design."""

import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import gmsafety_tianjin
from gmsafety import Catalog, load_catalog
from gmsafety.duties import Quota, Window
from gmsafety.findings import Finding
from gmsafety.forms import fill, read
from gmsafety.forms.checking import check
from gmsafety.forms.record import Record, Rows
from gmsafety.testing import check_plugin

HERE = Path(__file__).parents[1]
CAMPAIGN = "tianjin.lookback-2024"


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    """Tianjin alone."""
    return load_catalog([gmsafety_tianjin])


def duty(name: str, catalog: Catalog) -> Any:
    return next(d for d in catalog.campaign(CAMPAIGN).duties if d.id == name)


def watch(name: str, catalog: Catalog) -> Any:
    return next(w for w in catalog.campaign(CAMPAIGN).watches if w.id == name)


def test_conforms() -> None:
    assert [] == [str(c) for c in check_plugin(gmsafety_tianjin)]


# --- dates ------------------------------------------------------------------------------------------------------------

# requirement, phase, first, last, as printed
PHASES = (
    ("TJ-P1", "planning", "2024-08-13", "2024-08-20", "制定方案阶段（2024年8月20日前）"),
    ("TJ-P2", "enforcement", "2024-08-21", "2024-10-31", "执法检查阶段（2024年8月21日-10月31日）"),
    ("TJ-P3", "supervision", "2024-11-01", "2024-11-30", "督导检查阶段（2024年11月1日-11月31日）"),
)


def test_phases(catalog: Catalog) -> None:
    campaign = catalog.campaign(CAMPAIGN)

    assert (date(2024, 8, 13), date(2024, 11, 30)) == (campaign.first, campaign.last)
    assert [p[1:] for p in PHASES] == [(p.id, str(p.first), str(p.last), p.source.quote) for p in campaign.phases]


def test_31_november_is_an_erratum(catalog: Catalog) -> None:
    """TJ-O1: the day does not exist; it is read as the 30th, and said."""
    errata = {e.printed: e for e in catalog.campaign(CAMPAIGN).errata}

    assert "2024年11月30日" == errata["11月31日"].read
    assert "五（三）" == errata["11月31日"].where


# requirement, duty, who, day, weekday
DAYS = (
    ("TJ-D1", "plan", "county-office", "2024-08-19", "Monday"),
    ("TJ-D4", "survey", "county-office", "2024-08-19", "Monday"),
    ("TJ-P2", "inspections", "county-office", "2024-10-31", "Thursday"),
    ("TJ-D2", "summary", "county-office", "2024-11-29", "Friday"),
    ("TJ-C6", "evacuation-drill", "lithium-battery-enterprise", "2024-11-30", "Saturday"),
    ("TJ-D5", "supervision", "city-office", "2024-11-30", "Saturday"),
    ("TJ-D3", "trainings", "city-office", "2024-11-30", "Saturday"),
)


def test_every_date(catalog: Catalog) -> None:
    found = [
        (o.duty.id, *o.duty.from_, str(o.period), f"{o.period:%A}", f"{o.due:%H:%M:%S%z}")
        for o in catalog.duties(campaign=CAMPAIGN)
    ]

    assert sorted((*d[1:], "23:59:59+0800") for d in DAYS) == sorted(found)


def test_the_plan_is_due_a_day_before_its_phase_ends(catalog: Catalog) -> None:
    """TJ-O2: the duty keeps the stricter 19 August, the phase the printed 20 August."""
    phase = next(p for p in catalog.campaign(CAMPAIGN).phases if p.id == "planning")

    assert (date(2024, 8, 19), date(2024, 8, 20)) == (duty("plan", catalog).by, phase.last)
    assert any("8月19日" in e.printed and "8月20日" in e.printed for e in catalog.campaign(CAMPAIGN).errata)


def test_the_summary_is_a_stamped_scan_and_an_editable_file(catalog: Catalog) -> None:
    assert [("scan", "editable")] == [d.artefacts for d in duty("summary", catalog).hand_in]
    assert [("editable",)] == [d.artefacts for d in duty("plan", catalog).hand_in]


WITHOUT_A_DAY = (
    ("TJ-D6", "publicity", None),
    ("TJ-R1", "ledger", None),
    ("TJ-R5", "figures", None),
    ("TJ-R2", "suspension", "需要停产整顿"),
    ("TJ-R2", "criminal-referral", "构成犯罪"),
    ("TJ-R2", "dual-penalty", "企业存在安全生产违法违规行为"),
    ("TJ-R4", "summons", "发现存在组织推进不力、工作进展缓慢、监管执法不严格等问题"),
)


def test_standing_duties(catalog: Catalog) -> None:
    found = {(d.id, d.on) for d in catalog.campaign(CAMPAIGN).duties if d.kind == "standing"}

    assert {d[1:] for d in WITHOUT_A_DAY} == found


def test_supervision_has_no_hard_date(catalog: Catalog) -> None:
    supervision = duty("supervision", catalog)

    assert isinstance(supervision, Window)
    assert supervision.soft


# trainings held, still missing
TRAININGS = (
    ((), 4),
    (("2024-09-05", "2024-09-19", "2024-10-10"), 1),
    (("2024-09-05", "2024-09-19", "2024-10-10", "2024-11-07"), 0),
    (("2024-08-01", "2024-09-05", "2024-09-19", "2024-10-10"), 1),
)


@pytest.mark.parametrize(("held", "missing"), TRAININGS)
def test_four_trainings(held: tuple[str, ...], missing: int, catalog: Catalog) -> None:
    trainings = duty("trainings", catalog)

    assert isinstance(trainings, Quota)
    assert [missing] == [c.missing for c in trainings.counted(map(date.fromisoformat, held))]


# drill held, still missing in the second half of 2024
DRILLS = (("2024-06-30", 1), ("2024-07-01", 0), ("2024-09-10", 0), ("2024-11-30", 0), ("2024-12-01", 1))


@pytest.mark.parametrize(("held", "missing"), DRILLS)
def test_a_drill_each_half_year(held: str, missing: int, catalog: Catalog) -> None:
    assert [missing] == [c.missing for c in duty("evacuation-drill", catalog).counted([date.fromisoformat(held)])]


# --- units ------------------------------------------------------------------------------------------------------------

DISTRICTS = (
    ("120101", "和平区"), ("120102", "河东区"), ("120103", "河西区"), ("120104", "南开区"), ("120105", "河北区"),
    ("120106", "红桥区"), ("120110", "东丽区"), ("120111", "西青区"), ("120112", "津南区"), ("120113", "北辰区"),
    ("120114", "武清区"), ("120115", "宝坻区"), ("120116", "滨海新区"), ("120117", "宁河区"), ("120118", "静海区"),
    ("120119", "蓟州区"),
)  # fmt: skip


def test_sixteen_districts_owe_the_bureau(catalog: Catalog) -> None:
    bureau = catalog.unit("120000")
    children = catalog.units.children(bureau)

    assert "天津市应急管理局" == bureau.name
    assert list(DISTRICTS) == [(u.area, catalog.units.area_name(u)) for u in children]
    for unit in children:
        assert f"{catalog.units.area_name(unit)}应急管理局" == unit.name
        assert {"survey", "plan", "inspections", "summary"} == {o.duty.id for o in catalog.duties(unit=unit.ref)}
    assert {"supervision", "trainings"} == {o.duty.id for o in catalog.duties(unit="120000")}


@pytest.mark.parametrize(
    "written", ["滨海新区应急局", "滨海新区应急管理局", "天津市滨海新区应急管理局", "滨海新区", "120116"]
)
def test_names_of_a_district(written: str, catalog: Catalog) -> None:
    assert "binhai-office" == catalog.unit(written).id


def test_a_bare_city_bureau_is_not_taken_for_tianjins(catalog: Catalog) -> None:
    """Every city has a 市应急管理局; only the full name is this one."""
    assert catalog.units.named("市应急管理局") is None


# --- the checklist ----------------------------------------------------------------------------------------------------

# group, how many points, the clause of Order 10 for each of them (our reading); - is not in Order 10
GROUPS = (
    ("钢铁企业", 8, "四(一) 四(二) 四(五) 四(八) 四(三) 四(四) 四(六) 四(七)"),
    ("铝加工（深井铸造）企业", 7, "五(七)(九) 五(七)(八) 五(二) 五(六) 五(三) 五(十) 五(十二)"),
    ("机械铸造行业涉金属冶炼活动企业", 5, "七(一) 七(二) 七(三) 七(四) 七(五)"),
    ("粉尘涉爆企业", 8, "十一(二) 十一(三) 十一(四) 十一(六) 十一(七) 十一(八) 十一(九) 十一(十)"),
    ("有限空间作业企业", 6, "十三(一) 十三(一) 十三(一) 十三(二) 十三(二) 十三(二)"),
    ("锂亚电池生产企业", 3, "- - -"),
    ("其他重点内容", 9, "- - 三(三) - 三(二) 三(一) - - -"),
)


def short(basis: tuple[str, ...]) -> str:
    """第五条（七）, 第五条（九） as 五(七)(九)."""
    pairs = [re.fullmatch(r"第(.+)条（(.+)）", b) for b in basis]
    return "".join([pairs[0][1], *(f"({p[2]})" for p in pairs if p)]) if pairs and pairs[0] else "-"


def test_forty_six_points_in_seven_groups(catalog: Catalog) -> None:
    checklist = catalog.checklist("lookback-checklist")

    assert 46 == len(checklist.items)
    assert list(GROUPS) == [
        (g.title, len(g.items), " ".join(short(i.basis) for i in g.items)) for g in checklist.groups
    ]
    assert [f"TJ-C{g.number}.{n}" for g in checklist.groups for n, _ in enumerate(g.items, 1)] == [
        i.id for i in checklist.items
    ]
    assert {"yes"} == {i.bad for i in checklist.items}
    assert "解读" in str(checklist.source.reading)


def test_one_sign_alone_is_no_major_hazard(catalog: Catalog) -> None:
    """第十三条（一） needs both parts; each of the three points says so."""
    points = [i for i in catalog.checklist("lookback-checklist").items if i.basis == ("第十三条（一）",)]

    assert ["TJ-C5.1", "TJ-C5.2", "TJ-C5.3"] == [i.id for i in points]
    assert all(len(s.parts) == 2 for i in points for s in i.situations)
    assert all("才是第十三条（一）的重大事故隐患" in str(i.note) for i in points)


# answer, is it a finding
ANSWERS = (("是", True), ("否", False), ("不涉及", False), (None, None))


@pytest.mark.parametrize("suffix", [".xlsx", ".docx"])
@pytest.mark.parametrize(("answer", "bad"), ANSWERS)
def test_a_filled_checklist_reads_back(
    answer: str | None, bad: bool | None, suffix: str, catalog: Catalog, tmp_path: Path
) -> None:
    """TJ-C1.2 and TJ-C3.3 are the same words: each keeps its own answer."""
    checklist = catalog.checklist("lookback-checklist")
    rows = [{**row, "answer": "否", "equipment": f"{n}号"} for n, row in enumerate(checklist.form.rows, 1)]
    rows[1]["answer"] = answer
    header = {"unit": "和平区应急管理局", "enterprise": "示例钢铁有限公司", "date": date(2024, 9, 2)}
    record = Record(checklist.form, header, rows=Rows.of(rows, checklist.form))
    filled = read(fill(record, tmp_path / f"filled{suffix}"), catalog)
    assert filled.record is not None
    outcomes = checklist.outcomes(filled.record)

    assert record.same_content(filled.record)
    assert [i.id for i in checklist.items] == [o.item.id for o in outcomes]
    assert [bad if i.id == "TJ-C1.2" else False for i in checklist.items] == [o.is_bad for o in outcomes]
    assert "18号" == next(o for o in outcomes if o.item.id == "TJ-C3.3").row["equipment"]
    assert (["missing-value"] if answer is None else []) == slugs(check(filled, catalog))


# --- watches and targets ----------------------------------------------------------------------------------------------

WATCHES: tuple[tuple[str, dict[str, Any], bool | None], ...] = (
    ("majors-not-zero", {"majors": 0}, False),
    ("majors-not-zero", {"majors": 1}, True),
    ("majors-not-zero", {}, None),
    ("major-penalised", {"majors": 0, "penalised": 0, "excused": 0}, True),
    ("major-penalised", {"majors": 3, "penalised": 3, "excused": 0}, True),
    ("major-penalised", {"majors": 3, "penalised": 2, "excused": 1}, True),
    ("major-penalised", {"majors": 3, "penalised": 2, "excused": 0}, False),
    ("major-penalised", {"majors": 3, "penalised": 2}, None),
    ("equipment-named", {"rows": 12, "named": 12}, True),
    ("equipment-named", {"rows": 12, "named": 11}, False),
    ("summary-complete", {"typical_problems": True, "typical_cases": True, "practices": True, "shortcomings": True}, True),
    ("summary-complete", {"typical_problems": True, "typical_cases": False, "practices": True, "shortcomings": True}, False),
)  # fmt: skip


@pytest.mark.parametrize(("name", "facts", "verdict"), WATCHES)
def test_watches(name: str, facts: dict[str, Any], verdict: bool | None, catalog: Catalog) -> None:
    assert verdict is watch(name, catalog).holds(facts)
    assert "warning" == watch(name, catalog).severity


# target, counted, of, met, shown
TARGETS = (
    ("majors-cleared", 0, None, True, "0条"),
    ("majors-cleared", 2, None, False, "2条"),
    ("dust-covered", 40, 40, True, "100%"),
    ("dust-covered", 39, 40, False, "97.5%"),
    ("casting-covered", 0, 0, None, "/"),
    ("confined-covered", 1, 3, False, "33.3%"),
)


@pytest.mark.parametrize(("name", "counted", "of", "met", "shown"), TARGETS)
def test_targets(name: str, counted: int, of: int | None, met: bool | None, shown: str, catalog: Catalog) -> None:
    target = next(t for t in catalog.campaign(CAMPAIGN).targets if t.id == name)

    assert met is target.is_met(counted, of)
    assert shown == target.shown(counted, of)


# --- the forms of our own design --------------------------------------------------------------------------------------

ROW: dict[str, Any] = {
    "number": 1, "enterprise": "示例粉体有限公司", "town": "示例镇", "group": "粉尘涉爆企业",
    "item": "干式除尘系统未采取控爆措施。", "equipment": "2号除尘器", "detail": "未设泄爆片", "major": "是",
    "basis": "第十一条（三）", "inspected": date(2024, 9, 3), "measure": "加装泄爆片", "limit": date(2024, 9, 30),
    "progress": "已完成整改，完成时间2024年9月20日", "closed": date(2024, 9, 23), "penalised": "已处罚",
    "penalty": "罚款2万元", "remark": None,
}  # fmt: skip

# what is changed in a sound row, what is found
LEDGER: tuple[tuple[dict[str, Any], list[str]], ...] = (
    ({}, []),
    ({"penalised": "未处罚", "penalty": None}, ["major-without-penalty"]),
    ({"penalised": None, "penalty": None}, ["major-without-penalty"]),
    ({"penalised": "未处罚", "penalty": "初次且及时改正"}, []),
    ({"penalised": "已立案", "penalty": None}, []),
    ({"major": "否", "basis": None, "penalised": "未处罚", "penalty": None}, []),
    ({"basis": None}, ["rule-not-met"]),
    ({"equipment": None}, ["missing-value"]),
    ({"inspected": date(2024, 8, 12)}, ["date-before-campaign"]),
    ({"closed": date(2024, 9, 2)}, ["date-order"]),
    ({"progress": "正在整改"}, ["rule-not-met"]),
    ({"progress": "正在整改", "closed": None}, []),
)


def ledger(catalog: Catalog, *changes: dict[str, Any], unit: str = "武清区应急管理局") -> Record:
    form = catalog.form("lookback-ledger")
    rows = [{**ROW, "number": n, "equipment": f"{n}号除尘器", **change} for n, change in enumerate(changes, 1)]
    return Record(form, {"unit": unit, "date": date(2024, 11, 25)}, rows=Rows.of(rows, form))


def slugs(found: tuple[Finding, ...]) -> list[str]:
    return [f.kind.slug for f in found]


@pytest.mark.parametrize(("change", "expected"), LEDGER)
def test_the_ledger(change: dict[str, Any], expected: list[str], catalog: Catalog, tmp_path: Path) -> None:
    filled = read(fill(ledger(catalog, change), tmp_path / "ledger.xlsx"), catalog)

    assert expected == slugs(check(filled, catalog))


def test_a_row_is_one_piece_of_equipment(catalog: Catalog) -> None:
    """TJ-R6: the same point on two dust collectors is two rows, and no row twice."""
    form = catalog.form("lookback-ledger")

    assert ("enterprise", "item", "equipment", "inspected") == form.key
    assert [] == slugs(check(ledger(catalog, {}, {}), catalog))
    assert ["duplicate-row"] == slugs(check(ledger(catalog, {}, {"equipment": "1号除尘器"}), catalog))


KINDS = ("steel", "aluminium", "casting", "dust", "confined", "battery", "other")
TEXTS = {
    "education.text": "开展警示教育。", "typical_problems.text": "除尘器未设泄爆片。",
    "typical_cases.text": "某公司一案双罚。", "practices.text": "专家随行。", "shortcomings.text": "人手不足。",
}  # fmt: skip


def summary(catalog: Catalog, changes: dict[str, Any], unit: str = "武清区应急管理局") -> Record:
    form = catalog.form("lookback-summary")
    numbers = {path: 0 for path, blank in form.blanks.items() if blank.kind.numeric}
    money = {path: Decimal(0) for path, blank in form.blanks.items() if blank.kind.name == "money"}
    dust = {"dust.firms": 5, "dust.inspected": 5, "dust.hazards.found": 9, "dust.hazards.fixed": 8}
    values = {**numbers, **money, **dust, "dust.major.found": 2, "dust.major.fixed": 2, **TEXTS, **changes}
    return Record(form, {"unit": unit, "date": date(2024, 11, 25)}, values)


SUMMARIES: tuple[tuple[dict[str, Any], list[str]], ...] = (
    ({}, []),
    ({"dust.major.found": 0, "dust.major.fixed": 0}, ["table-ledger-mismatch", "no-majors-reported"]),
    ({"dust.major.found": 3}, ["table-ledger-mismatch"]),
    ({"dust.major.fixed": 3}, ["rectified-exceeds-found"]),
    ({"dust.inspected": 6}, ["part-exceeds-total"]),
    ({"dust.hazards.found": 1, "dust.hazards.fixed": 1}, ["part-exceeds-total"]),
    ({"penalty.unpunished": 1}, ["table-ledger-mismatch"]),
    ({"typical_cases.text": None}, ["summary-part-missing"]),
    ({"practices.text": None, "shortcomings.text": None}, ["summary-part-missing", "summary-part-missing"]),
)


@pytest.mark.parametrize(("changes", "expected"), SUMMARIES)
def test_the_summary_beside_the_ledger(changes: dict[str, Any], expected: list[str], catalog: Catalog) -> None:
    found = check(summary(catalog, changes), catalog, beside=[ledger(catalog, {}, {})])

    assert sorted(expected) == sorted(slugs(found))


def test_the_bureau_adds_up_its_districts(catalog: Catalog) -> None:
    bureau = catalog.unit("120000")
    two = ("武清区应急管理局", "宝坻区应急管理局")
    ledgers = catalog.rollup("lookback-ledger").apply([ledger(catalog, {}, {}, unit=u) for u in two], unit=bureau)
    summaries = catalog.rollup("lookback-summary").apply([summary(catalog, {}, unit=u) for u in two], unit=bureau)

    assert 4 == len(ledgers.record.rows)
    assert 14 == len(ledgers.missing)
    assert 18 == summaries["dust.hazards.found"].value
    assert ["武清区", "宝坻区"] == [s.area for s in summaries["dust.major.found"].sources]


@pytest.mark.parametrize("name", ["lookback-ledger", "lookback-summary", "lookback-checklist"])
def test_our_own_forms_say_so(name: str, catalog: Catalog) -> None:
    form = catalog.form(name)

    assert "自己设计" in str(form.source.reading)
    assert any("自拟" in note for note in form.notes)


# --- coverage ---------------------------------------------------------------------------------------------------------

REQUIREMENTS = (
    *(f"TJ-A{n}" for n in range(1, 6)), *(f"TJ-P{n}" for n in range(4)), *(f"TJ-D{n}" for n in range(1, 7)),
    *(f"TJ-C{n}" for n in range(1, 8)), *(f"TJ-R{n}" for n in range(1, 9)), *(f"TJ-O{n}" for n in range(1, 8)),
)  # fmt: skip


def declared(catalog: Catalog) -> set[str]:
    """Every id that this plugin declares."""
    campaign = catalog.campaign(CAMPAIGN)
    inside = (campaign.phases, campaign.duties, campaign.tasks, campaign.targets, campaign.watches)
    whole = (catalog.units.values(), catalog.actors.values(), catalog.forms.values(), catalog.documents.values())
    found = {campaign.id, *(x.id for group in (*inside, *whole) for x in group)}
    return found | {k.slug for content in catalog.contents for k in content.kinds}


def test_every_requirement_is_encoded(catalog: Catalog) -> None:
    """The table of the README names what carries each requirement, and every name there exists."""
    rows = re.findall(
        r"^\| (TJ-[A-Z]\d+) \| .* \| .* \| (.*) \|$", (HERE / "README.md").read_text("utf-8"), re.MULTILINE
    )
    named = {name for _, cell in rows for name in re.findall(r"`([^`]+)`", cell)}

    assert list(REQUIREMENTS) == [number for number, _ in rows]
    assert set() == named - declared(catalog)


def test_no_personal_data() -> None:
    """The notice prints a person, a telephone number and an address for mail; none of them is here."""
    texts = [p.read_text("utf-8") for p in (*HERE.glob("gmsafety_tianjin/**/*.yaml"), HERE / "README.md")]

    assert [] == [m for t in texts for m in re.findall(r"\S+@\S+\.\S+|(?<!\d)\d{7,}(?!\d)", t)]
