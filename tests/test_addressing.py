"""To whom things go: the pairs of a printed form, several addressees, what is begun with what was received."""

from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

import gmsafety_shanxi
from gmsafety import Catalog, load_catalog
from gmsafety.content import Content, read_content
from gmsafety.errors import CatalogError

NUMBERS = count()
CITIES = {"长治市": ("晋城市", "临汾市"), "晋城市": ("运城市", "长治市"), "太原市": ("大同市", "阳泉市")}


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog()


@pytest.mark.parametrize("city", CITIES)
def test_who_inspects_whom(catalog: Catalog, city: str) -> None:
    """Annex 3: a list goes to the city that is inspected, the answer to the city that inspected and to the province."""
    campaign, unit = catalog.campaign("shanxi.gongmao-2024"), catalog.unit(city)
    duties = {d.id: d for d in campaign.duties}
    addressing = catalog.addressing(campaign)
    inspected, inspector = (catalog.unit(name).ref for name in CITIES[city])

    def told(duty: str) -> list[tuple[str, bool]]:
        return [(a.unit.ref, a.decides) for a in addressing.addressees(duties[duty], unit)]

    assert [(inspected, True)] == told("hand-over")
    assert [(inspector, False), ("shanxi.shanxi-office", True)] == told("cross-feedback")
    assert [("shanxi.shanxi-office", True)] == told("thematic-report")
    assert catalog.owes(unit, duties["hand-over"], campaign)
    assert {"city-office", "cross-inspection-group", "inspected-city"} == addressing.roles(unit)


def test_a_county_is_on_neither_side(catalog: Catalog) -> None:
    campaign, county = catalog.campaign("shanxi.gongmao-2024"), catalog.unit("泽州县")
    hand_over = next(d for d in campaign.duties if d.id == "hand-over")
    assert not catalog.owes(county, hand_over, campaign)
    assert () == catalog.addressing(campaign).addressees(hand_over, county)


REGION = """
documents:
  - {id: notice-1, title: 示例通知, issuer: 示例办, level: city, issued: 2024-12-15}
actors:
  - {id: helper, title: 帮扶市}
  - {id: helped, title: 受援市}
campaigns:
  - id: action
    title: 示例行动
    document: notice-1
    area: 140000
    first: 2024-12-15
    last: 2025-03-31
    source: {clause: 一, quote: 即日起}
    pairings:
      - id: help
        title: 对口帮扶
        form: sample.help
        one: {column: giver, role: helper}
        other: {column: taker, role: helped}
        source: {clause: 附件, quote: 对口帮扶}
    duties:
      - id: report
        title: 帮扶情况
        from: helper
        to: helped
        on: 帮扶结束
        file: sample.visit
        each: firm
        source: {clause: 二, quote: 帮扶结束后告知受援市}
      - id: reply
        title: 反馈
        from: helped
        to: [helper, province-office]
        on: 收到帮扶情况
        file: sample.help
        prefill: {of: report, row: {giver: sender, taker: header.firm}}
        source: {clause: 二, quote: 反馈}
    targets:
      - {id: firms, title: 企业, count: 家数, at_least: 3, unit: 家, tally: {duty: report, field: firm}, source: {clause: 三}}
"""
PAIRS = """
form: help
version: "1"
title: 对口帮扶安排表
source: {document: notice-1, clause: 附件}
columns: [{id: giver, label: 帮扶方, type: name}, {id: taker, label: 受援方, type: name}]
rows: [{giver: 太原市, taker: 吕梁市}, {giver: 大同市, taker: 朔州市}]
"""
VISIT = """
form: visit
version: "1"
title: 帮扶情况表
source: {document: notice-1, clause: 附件}
header: [{id: firm, label: 企业}]
columns: [{id: text, label: 内容}]
"""


@pytest.fixture
def region(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Content]:
    """Write a region with pairs of its own, and read its content."""

    def make(content: str = REGION, pairs: str = PAIRS) -> Content:
        package = tmp_path / f"gmsafety_paired_{next(NUMBERS)}"
        (package / "forms").mkdir(parents=True)
        (package / "__init__.py").write_text("")
        (package / "region.yaml").write_text(content, "utf-8")
        for name, text in (("help", pairs), ("visit", VISIT)):
            (package / "forms" / f"{name}.yaml").write_text(text, "utf-8")
        monkeypatch.syspath_prepend(tmp_path)
        return read_content(package.name, plugin="sample", title="示例")

    return make


def test_a_region_of_its_own(region: Callable[..., Content]) -> None:
    """Nothing of this is about one region: other pairs, other roles, YAML alone."""
    catalog = load_catalog([gmsafety_shanxi.gmsafety_content(), region()])
    campaign = catalog.campaign("action")
    report, reply = campaign.duties
    addressing = catalog.addressing(campaign)
    to = [(a.unit.name, a.decides) for a in addressing.addressees(reply, catalog.unit("吕梁市"))]

    assert "吕梁市应急管理局" == addressing.addressees(report, catalog.unit("太原市"))[0].unit.name
    assert [("太原市应急管理局", False), ("山西省应急管理厅", True)] == to
    assert not catalog.owes(catalog.unit("晋城市"), report, campaign)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("form: sample.help", "form: sample.nothing", "“对口帮扶”的表“sample.nothing”没有登记"),
        ("column: giver", "column: donor", "“对口帮扶”的表没有“donor”这一列"),
        ("taker, role: helped", "taker, role: nobody", "“对口帮扶”的“nobody”没有登记"),
        ("each: firm", "each: place", "“帮扶情况”的表头没有“place”这一栏"),
        ("{of: report,", "{of: nothing,", "“反馈”的 prefill 写的“nothing”不是这项专项行动的任务"),
        ("giver: sender", "donor: sender", "“反馈”的表没有“donor”这一列"),
        ("giver: sender", "giver: footer.unit", "“反馈”的表达式用了“footer.unit”"),
        ("giver: sender", "giver: 'sender +'", "“反馈”的表达式有误"),
        ("field: firm", "field: place", "目标“企业”的“report”的表头没有“place”这一栏"),
    ],
)
def test_what_does_not_fit(old: str, new: str, said: str, region: Callable[..., Content]) -> None:
    with pytest.raises(CatalogError) as caught:
        load_catalog([gmsafety_shanxi.gmsafety_content(), region(REGION.replace(old, new))])
    assert said in str(caught.value)
    assert "sample: region.yaml:" in str(caught.value)


def test_a_pair_of_somebody_unknown(region: Callable[..., Content]) -> None:
    with pytest.raises(CatalogError, match="“对口帮扶”中的“某某市”不是登记的单位"):
        load_catalog([gmsafety_shanxi.gmsafety_content(), region(pairs=PAIRS.replace("吕梁市", "某某市"))])
