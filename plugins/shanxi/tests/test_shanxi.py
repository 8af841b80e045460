"""Shanxi: the dates of 晋应急发〔2024〕354号, its units, its forms word for word."""

import re
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest

import gmsafety_shanxi
from gmsafety import Catalog, load_catalog
from gmsafety.campaigns import Campaign
from gmsafety.duties import Standing, Window
from gmsafety.forms import blank
from gmsafety.routing import find_route
from gmsafety.testing import check_plugin, declared_names


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    """Shanxi alone."""
    return load_catalog([gmsafety_shanxi])


def test_conforms() -> None:
    assert [] == [str(c) for c in check_plugin(gmsafety_shanxi)]


@pytest.fixture
def campaign(catalog: Catalog) -> Campaign:
    """The province's campaign."""
    return catalog.campaign("gongmao-2024")


# requirement, duty, period, due
ONCE = (
    ("SX-D1", "plan", "2024-12-10", "2024-12-10 23:59:59"),
    ("SX-D4", "summary", "2025-03-31", "2025-03-31 23:59:59"),
)

FRIDAYS = (
    "2024-12-13", "2024-12-20", "2024-12-27", "2025-01-03", "2025-01-10", "2025-01-17", "2025-01-24", "2025-01-31",
    "2025-02-07", "2025-02-14", "2025-02-21", "2025-02-28", "2025-03-07", "2025-03-14", "2025-03-21", "2025-03-28",
)  # fmt: skip


@pytest.mark.parametrize(("requirement", "duty", "period", "due"), ONCE)
def test_once(requirement: str, duty: str, period: str, due: str, catalog: Catalog) -> None:
    found = [o for o in catalog.duties(campaign="gongmao-2024") if o.duty.id == duty]

    assert [(period, due)] == [(str(o.period), f"{o.due:%Y-%m-%d %H:%M:%S}") for o in found]


def test_sixteen_fridays(catalog: Catalog) -> None:
    """SX-D2, SX-D3: every Friday, end of day; 2025-01-31 is a public holiday and is not moved."""
    found = [o for o in catalog.duties(campaign="gongmao-2024") if o.duty.id == "weekly-forms"]

    assert list(FRIDAYS) == [str(o.period) for o in found]
    assert {"23:59:59"} == {f"{o.due:%H:%M:%S}" for o in found}
    assert {"2025-01-31": "public-holiday"} == {str(o.period): f.slug for o in found for f in o.flags}
    assert ("shanxi.weekly-dispatch", "shanxi.major-hazard-ledger") == found[0].duty.file


# requirement, phase, first, last
PHASES = (
    ("SX-P1", "self-inspection", "2024-12-06", "2025-03-31"),
    ("SX-P2", "joint-inspection", "2024-12-06", "2025-03-31"),
    ("SX-P3", "cross-inspection", "2025-03-01", "2025-03-31"),
    ("SX-P4", "supervision", "2024-12-06", "2025-03-31"),
)


def test_phases(catalog: Catalog) -> None:
    campaign = catalog.campaign("gongmao-2024")

    assert (date(2024, 12, 6), date(2025, 3, 31)) == (campaign.first, campaign.last)
    assert [p[1:] for p in PHASES] == [(p.id, str(p.first), str(p.last)) for p in campaign.phases]


def test_eleven_cities_owe_the_province(catalog: Catalog) -> None:
    province = catalog.unit("140000")

    assert 11 == len(catalog.units.children(province))
    assert {"plan": 1, "weekly-forms": 16, "summary": 1, "cross-inspection": 1} == {
        d: len([o for o in catalog.duties(unit="140500") if o.duty.id == d])
        for d in {o.duty.id for o in catalog.duties(unit="140500")}
    }
    assert [] == catalog.duties(unit="140000")


def test_the_weekly_tables_printed_words(catalog: Catalog) -> None:
    """附件1 as printed, blanks included."""
    form = catalog.form("weekly-dispatch")
    printed = ["".join(s.say({}) for s in c.sentences) for c in form.clauses]

    assert ["序号", "类别", "要点", "备注"] == [c.label for c in form.columns]
    assert [
        "1. xx 市共有 xx 个县（区），其中 xx 个县（区）制定了实施方案（通知）。"
        "2. 市级层面召开动员部署、执法检查等简要情况。"
        "3. 市县工作推进中，具有特点、特色措施办法摘要。"
        "4. 市级层面定期调度、通报、约谈、提醒、警示等情况。",
        "**家企业制定了自查自改工作方案，发现一般问题隐患**条，已整改**条；重大事故隐患**条，已整改**条"
        "（其中确定标杆企业**家，帮扶企业**家，发现一般问题隐患**条，已整改**条；重大事故隐患**条，已整改**条）。",
        "市本级检查**家企业，发现发现一般问题隐患**条，已整改**条；重大事故隐患**条，已整改**条。"
        "县级共检查**家企业，发现一般问题隐患**条，已整改**条；重大事故隐患**条，已整改**条。",
        "对**市开展了交叉检查，共抽查**县、**县共*个县的**家企业，发现一般问题隐患**条，已整改**条；"
        "重大事故隐患**条，已整改**条。",
        "处罚企业**家，合计处罚**万元，处罚企业主要负责人**人，合计处罚**万元；限期整改**家，停产整改**家，取缔关闭**家。",
        "市县在主流媒体报道动员培训、工作推进，报道典型经验做法，曝光典型案例情况。",
        "本地区专项行动工作中存在的问题、薄弱环节。",
        "对专项行动及工贸安全监管工作的建议。",
    ] == printed
    assert (2, 11, 10, 6, 7) == tuple(sum(b.kind.numeric for b in c.blanks) for c in form.clauses[:5])


def test_the_ledgers_printed_words(catalog: Catalog) -> None:
    """附件2 as printed: 13 columns, five stages, five parts of a measure."""
    form = catalog.form("major-hazard-ledger")

    assert [
        "序号", "企业名称", "所在市(县、区)", "行业类别", "检查环节", "检查单位", "检查时间",
        "重大隐患明细", "整改措施", "挂牌督办单位", "行政处罚情况", "整改完成情况", "备注",
    ] == [c.label for c in form.columns]  # fmt: skip
    assert ("企业自查", "市县检查", "交叉检查", "省级督查", "群众举报") == form.by_id["stage"].choices
    assert ["责任", "措施", "资金", "时限", "预案"] == [p.split("|")[0] for p in form.by_id["measure"].parts]


# requirement, duty, who, to whom, kind, upon what, what is asked for
WITHOUT_A_DAY: tuple[Any, ...] = (
    ("SX-D6", "cross-feedback", "city-office", "cross-inspection-group province-office",
     "收到交叉检查组移交的问题隐患清单", "shanxi.cross-inspection-summary"),
    ("SX-D7", "thematic-report", "cross-inspection-group", "province-office", "交叉检查结束", "thematic-report"),
    ("SX-D8", "major-hazard-report", "central-enterprise provincial-enterprise above-scale-private-enterprise",
     "local-authority", "自查发现重大事故隐患", ""),
    ("SX-D9", "self-inspection-report", "central-enterprise provincial-enterprise above-scale-private-enterprise",
     "", None, ""),
    ("SX-D10", "self-inspection-plan", "enterprise", "", None, ""),
    ("SX-D11", "county-plan", "county-office", "", None, ""),
    ("SX-D12", "hand-over", "cross-inspection-group", "inspected-city", "交叉检查发现问题隐患",
     "shanxi.inspection-findings evidence"),
    ("SX-D13", "duty-watch", "province-office city-office county-office", "", None, ""),
)  # fmt: skip


@pytest.mark.parametrize("row", WITHOUT_A_DAY, ids=lambda r: str(r[0]))
def test_duties_without_a_day(row: tuple[str, ...], campaign: Campaign, catalog: Catalog) -> None:
    """They follow upon something, or are always there; no deadline is made up, and no slot is planned."""
    _, duty, who, whom, upon, asked = row
    found = next(d for d in campaign.duties if d.id == duty)

    assert isinstance(found, Standing)
    assert (who.split(), whom.split()) == ([*found.from_], [*found.to])
    assert upon == found.on
    assert asked.split() == [*found.file, *(d.id for d in found.hand_in)]
    assert [] == list(found.occurrences(catalog.calendar))


def test_the_cross_inspection_is_in_march_in_principle(campaign: Campaign) -> None:
    """SX-D5."""
    found = next(d for d in campaign.duties if d.id == "cross-inspection")

    assert isinstance(found, Window)
    assert ("2025-03-01", "2025-03-31", True) == (str(found.first), str(found.last), found.soft)


def test_enterprises_report_to_the_province_themselves(campaign: Campaign) -> None:
    """SX-A5: central and key provincial enterprises owe what a city owes."""
    direct = [d.id for d in campaign.duties if "central-enterprise" in d.from_ and "province-office" in d.to]

    assert ["plan", "weekly-forms", "summary"] == direct
    assert all({"city-office", "provincial-key-enterprise"} <= {*d.from_} for d in campaign.duties if d.id in direct)


# requirement, target, figure, of, reached, printed
TARGETS: tuple[Any, ...] = (
    ("SX-R7", "cross-days", 5, None, True, "5天"),
    ("SX-R7", "cross-days", 4, None, False, "4天"),
    ("SX-R7", "cross-counties", 2, None, True, "2个"),
    ("SX-R7", "cross-counties", 1, None, False, "1个"),
    ("SX-R7", "cross-enterprises", 10, None, True, "10家"),
    ("SX-R7", "cross-enterprises", 9, None, False, "9家"),
    ("SX-R7", "cross-sme-share", 6, 10, True, "60%"),
    ("SX-R7", "cross-sme-share", 7, 12, False, "58.3%"),
    ("SX-R7", "cross-sme-share", 0, 0, None, "/"),
    ("SX-R5", "joint-coverage", 419, 420, False, "99.8%"),
    ("SX-R5", "joint-coverage", 420, 420, True, "100%"),
)


@pytest.mark.parametrize("row", TARGETS, ids=str)
def test_targets(row: tuple[Any, ...], campaign: Campaign) -> None:
    _, target, figure, of, reached, printed = row
    found = next(t for t in campaign.targets if t.id == target)

    assert (reached, printed) == (found.is_met(figure, of), found.shown(figure, of))


# requirement, watch, facts in their order (1 yes, 0 no), as it should be
WATCHES = (
    ("SX-R7 四类都有", "cross-coverage", "2 1 4 3", True),
    ("SX-R7 没有铝加工", "cross-coverage", "2 0 4 3", False),
    ("SX-R2 自查、已整改、未罚", "no-penalty-when-self-found", "1 1 0", True),
    ("SX-R2 自查、已整改、罚了", "no-penalty-when-self-found", "1 1 1", False),
    ("SX-R2 自查、未整改、罚了", "no-penalty-when-self-found", "1 0 1", True),
    ("SX-R3 薄弱企业，已结对", "helped-somehow", "1 1 0", True),
    ("SX-R4 薄弱企业，有专家", "helped-somehow", "1 0 1", True),
    ("SX-R4 薄弱企业，都没有", "helped-somehow", "1 0 0", False),
    ("SX-R3 同行业、座谈、计划、一种方式", "pair-complete", "1 1 1 1", True),
    ("SX-R3 没有计划", "pair-complete", "1 1 0 1", False),
    ("SX-R6 已整改，没有销号", "findings-tracked", "1 1 1 0", False),
    ("SX-R6 未整改，在清单中", "findings-tracked", "1 1 0 0", True),
    ("SX-R9 有问题，没有督办函", "letter-sent", "3 0", False),
    ("SX-R10 重大隐患，停产并挂牌", "suspended-and-listed", "1 0 1 1", True),
    ("SX-R10 重大隐患，只停产", "suspended-and-listed", "1 0 1 0", False),
    ("SX-O15 重大隐患，自查并已整改", "suspended-and-listed", "1 1 0 0", True),
    ("SX-R10 停产整顿仍不达标，未关闭", "closed-down", "0 1 0", False),
    ("SX-R10 非法，已关闭", "closed-down", "1 0 1", True),
    ("SX-R10 严重违法，未列入", "dishonest-list", "1 0", False),
    ("SX-R10 只罚企业", "dual-penalty", "1 1 0", False),
    ("SX-R10 犯罪，未移送", "criminal-referral", "1 0", False),
    ("SX-R15 责任不落实，没有事故", "held-accountable", "1 0 0", True),
    ("SX-R15 责任不落实，有事故，未追责", "held-accountable", "1 1 0", False),
)


@pytest.mark.parametrize(("case", "watch", "facts", "good"), WATCHES)
def test_watches(case: str, watch: str, facts: str, good: bool, campaign: Campaign) -> None:
    found = next(w for w in campaign.watches if w.id == watch)
    numbers = {n for n in found.facts if re.search(rf"{n} *(?:>=|==)", found.check)}
    told = {n: int(v) if n in numbers else v == "1" for n, v in zip(found.facts, facts.split(), strict=True)}

    assert good == found.holds(told)
    assert found.holds({}) is None


def test_only_what_is_in_principle_is_mere_information(campaign: Campaign) -> None:
    assert ["cross-coverage"] == [w.id for w in campaign.watches if w.severity == "info"]


# a weak small firm, pairing is possible: led by, or instead by, with experts
ROUTES = (
    (True, True, "county-office", "", False),
    (True, False, "county-office", "city-office", True),
)


@pytest.mark.parametrize(("weak", "pairing", "to", "instead", "experts"), ROUTES)
def test_who_helps_a_weak_firm(
    weak: bool, pairing: bool, to: str, instead: str, experts: bool, campaign: Campaign
) -> None:
    """SX-R3, SX-R4."""
    route = find_route(campaign.routes, {"weak_sme": weak, "pairing_possible": pairing}, "assistance").route

    assert route is not None
    assert ([to], instead.split(), experts) == ([*route.to], [*route.may_delegate], route.experts)
    assert ("pairing_possible",) == find_route(campaign.routes, {"weak_sme": True}, "assistance").open
    assert find_route(campaign.routes, {"weak_sme": False}, "assistance").route is None


POINTS = {
    "points-principal": 9, "points-steel-aluminium-dust": 8, "points-confined-space": 5,
    "points-dangerous-work": 9, "points-tenants-contractors": 8, "points-auxiliary-chemicals": 6,
}  # fmt: skip


def test_check_points(campaign: Campaign) -> None:
    """SX-C0 to SX-C5: four kinds of dangerous work, four controls and one of the whole enterprise in C3."""
    assert POINTS == {t.id: len(t.points) for t in campaign.tasks if t.group == "检查重点"}


PAIRS = (
    ("太原市", "大同市"), ("大同市", "忻州市"), ("阳泉市", "太原市"), ("长治市", "晋城市"),
    ("晋城市", "运城市"), ("朔州市", "阳泉市"), ("忻州市", "朔州市"), ("吕梁市", "晋中市"),
    ("晋中市", "临汾市"), ("临汾市", "长治市"), ("运城市", "吕梁市"),
)  # fmt: skip


def test_eleven_pairs(catalog: Catalog) -> None:
    """附件3: each city inspects one and is inspected by one; none itself, no two each other."""
    pairs = [(str(r["inspector"]), str(r["inspected"])) for r in catalog.form("cross-inspection-pairing").rows]
    cities = {catalog.units.area_name(u) for u in catalog.units.children(catalog.unit("140000"))}

    assert list(PAIRS) == pairs
    assert cities == {a for a, _ in pairs} == {b for _, b in pairs}
    assert 11 == len({a for a, _ in pairs}) == len({b for _, b in pairs})
    assert [] == [(a, b) for a, b in pairs if a == b or (b, a) in pairs]


ACTION = "冶金工贸行业隐患排查整治专项行动"
# form: annex, title, header line, columns, first column below, what stands under the table
LOOKS = {
    "cross-inspection-pairing": (
        "附件3", f"{ACTION}|市级交叉检查工作安排表", "",
        "序号 检查方 受检方 备注",
        "1 2 3 4 5 6 7 8 9 10 11",
        "说明：交叉检查工作原则上在 2025 年 3 月开展，具体时间由各市协商确定。",
    ),
    "cross-inspection-summary": (
        "附件4", f"{ACTION}市级交叉检查隐患情况汇总表", "填报单位： 填报时间： 年 月 日",
        "序号 企业名称 所在市|(县、区) 行业 检查单位 检查时间 一般隐患|(条) 重大事故|隐患(条) "
        "采取的行政|处罚措施 行政处罚|情况 整改完成|情况 备注",
        "1 2 3 4 5",
        "说明：本表由受检市填报",
    ),
    "inspection-findings": (
        "附件5", f"{ACTION}|检查问题隐患清单", "企业名称： 检查时间： 年 月 日",
        "序号 隐患描述 现场证据 判定依据 隐患类型 备注",
        "1",
        "检查人员（签字）： 企业负责人（签字）：",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LOOKS)
def test_the_annexes_as_printed(name: str, catalog: Catalog, tmp_path: Path) -> None:
    annex, title, line, columns, numbers, below = LOOKS[name]
    sheet = openpyxl.load_workbook(blank(catalog.form(name), tmp_path / "blank.xlsx")).worksheets[0]
    rows = [[("" if v is None else str(v)) for v in row] for row in sheet.iter_rows(values_only=True)]
    top = rows[2:3] if line else []
    head, *body = rows[2 + len(top) :]
    wanted = numbers.split()

    assert [annex, title] == [rows[0][0], rows[1][0].replace("\n", "|")]
    assert line.split() == [w for row in top for w in row[0].split()]
    assert columns.split() == [c.replace("\n", "|") for c in head]
    assert wanted == [row[0] for row in body[: len(wanted)]]
    assert below == " ".join(row[0] for row in body if not row[0].replace(".", "").isdigit() and row[0].strip("."))


def test_what_the_notice_got_wrong_is_shown(catalog: Catalog) -> None:
    """SX-O3, SX-O4."""
    errata = [*catalog.campaign("gongmao-2024").errata, *catalog.form("weekly-dispatch").errata]

    assert any("发现发现" in e.printed for e in errata)
    assert any("问题隐患" in e.printed for e in errata)


# --- what the table 逐条对照 says is true ------------------------------------------------------------------------

LINE = re.compile(r"^\| (SX-[^|]+) \|[^|]*\|(.*)\|$", re.MULTILINE)
REQUIRED = {
    "SX-A": range(1, 13), "SX-P": range(5), "SX-D": range(1, 14), "SX-R": range(1, 17), "SX-C": range(6),
    "SX-O": range(1, 17),
}  # fmt: skip


def test_every_requirement_is_data_or_has_a_reason(catalog: Catalog) -> None:
    lines = LINE.findall((Path(__file__).parents[1] / "README.md").read_text("utf-8"))
    known = declared_names(catalog)
    named = {where: re.findall(r"`([^`]+)`", where) for _, where in lines}

    assert [f"{kind}{n}" for kind, numbers in REQUIRED.items() for n in numbers] == [name for name, _ in lines]
    assert [] == [name for names in named.values() for name in names if name not in known]
    assert [] == [where for where, names in named.items() if not names and "不编码：" not in where]
