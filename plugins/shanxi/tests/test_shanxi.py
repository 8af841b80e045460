"""Shanxi: the dates of 晋应急发〔2024〕354号, its units, its forms word for word."""

from datetime import date

import pytest

import gmsafety_shanxi
from gmsafety import Catalog, load_catalog
from gmsafety.testing import check_plugin


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    """Shanxi alone."""
    return load_catalog([gmsafety_shanxi])


def test_conforms() -> None:
    assert [] == [str(c) for c in check_plugin(gmsafety_shanxi)]


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
    assert 18 == len(catalog.duties(unit="140500"))
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


def test_what_the_notice_got_wrong_is_shown(catalog: Catalog) -> None:
    """SX-O3, SX-O4."""
    errata = [*catalog.campaign("gongmao-2024").errata, *catalog.form("weekly-dispatch").errata]

    assert any("发现发现" in e.printed for e in errata)
    assert any("问题隐患" in e.printed for e in errata)
