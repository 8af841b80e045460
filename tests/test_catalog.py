"""Plugins that do not fit: refused with plugin, file, line and remedy; nothing is half-loaded."""

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

import gmsafety_jincheng
import gmsafety_shanxi
from gmsafety import Catalog, hookimpl, load_catalog
from gmsafety.content import Content, read_content
from gmsafety.errors import CatalogError, ContentError, UnknownName
from gmsafety.forms import check
from gmsafety.forms.record import Record, Rows

NUMBERS = count()
SHANXI = gmsafety_shanxi.gmsafety_content()

REGION = """
documents:
  - {id: notice-1, title: 示例通知, issuer: 示例办, level: city, issued: 2024-12-15}
units:
  - {id: office, name: 示例市应急管理局, area: 140500, level: city, role: city-office, parent: shanxi.shanxi-office}
campaigns:
  - id: action
    title: 示例行动
    document: notice-1
    parent: shanxi.gongmao-2024
    area: 140500
    first: 2024-12-15
    last: 2025-03-31
    source: {clause: 一, quote: 即日起}
    duties:
      - id: weekly
        title: 周报
        from: city-office
        to: province-office
        file: shanxi.weekly-dispatch
        every: friday 12:00
        first: 2024-12-20
        last: 2025-03-28
        source: {clause: 二, quote: 每周五12:00前}
"""

FORM = """
form: sample
version: "1"
title: 示例表
source: {document: notice-1, clause: 附件}
header:
  - {id: unit, label: 填报单位}
columns:
  - {id: number, label: 序号, type: serial}
  - {id: name, label: 名称, required: true}
  - {id: found, label: 发现, type: count}
rules:
  - {id: some, each: row, check: found >= 1, say: "只发现{found}条。"}
"""


@pytest.fixture
def region(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Content]:
    """Write a region's package and read its content."""

    def make(content: str = REGION, form: str = FORM) -> Content:
        package = tmp_path / f"gmsafety_sample_{next(NUMBERS)}"
        (package / "forms").mkdir(parents=True, exist_ok=True)
        (package / "__init__.py").write_text("")
        (package / "region.yaml").write_text(content, "utf-8")
        (package / "forms" / "sample.yaml").write_text(form, "utf-8")
        monkeypatch.syspath_prepend(tmp_path)
        return read_content(package.name, plugin="sample", title="示例")

    return make


def refusal(*contents: Content) -> str:
    """Load contents that do not fit, and return what is said."""
    with pytest.raises(CatalogError) as caught:
        load_catalog([SHANXI, *contents])
    return str(caught.value)


def test_a_region_that_fits(region: Callable[..., Content]) -> None:
    catalog = load_catalog([SHANXI, region()])

    assert "sample.sample" in catalog.forms
    assert catalog.form("sample") is catalog.forms["sample.sample"]
    assert 15 == len(catalog.duties(campaign="action"))


# what is changed in the region, what it becomes, what must be said
BAD_CONTENT = (
    ("shanxi.weekly-dispatch", "shanxi.no-such", "要报的表“shanxi.no-such”没有登记"),
    ("parent: shanxi.shanxi-office", "parent: shanxi.nobody", "上级shanxi.nobody没有登记"),
    ("area: 140500, level", "area: 990000, level", "行政区划990000不存在"),
    ("document: notice-1\n", "document: notice-2\n", "依据的文件“notice-2”没有登记"),
    ("parent: shanxi.gongmao-2024", "parent: shanxi.other", "上级专项行动“shanxi.other”没有登记"),
    ("from: city-office", "from: nobody", "“nobody”不是任何单位的角色"),
    ("friday 12:00", "friday 23:59:59", "region.yaml:6"),
)

BAD_FORM = (
    ("found >= 1", "lost >= 1", "没有栏目“lost”"),
    ("found >= 1", "found >=", "表达式有误"),
    ("id: some,", "id: some, kind: no-such,", "没有发现种类“no-such”"),
    ("document: notice-1", "document: notice-9", "依据的文件“notice-9”没有登记"),
    ("found >= 1", "found + 1", "结果不是真假"),
    ("found >= 1", "found > 'a'", "无法计算"),
    ("header:", "layout: {widths: [10, 20]}\nheader:", "layout.widths 有2个宽度，表有3栏"),
    (
        "title: 示例表",
        "title: 示例表\nprinted_id: weekly-dispatch",
        "printed_id“weekly-dispatch”已由shanxi.weekly-dispatch使用",
    ),
)


@pytest.mark.parametrize(("old", "new", "said"), BAD_CONTENT[:-1], ids=lambda t: t[:20])
def test_what_dangles(old: str, new: str, said: str, region: Callable[..., Content]) -> None:
    text = refusal(region(REGION.replace(old, new)))

    assert said in text
    assert "sample: region.yaml:" in text
    assert "未受影响的插件：shanxi" in text


@pytest.mark.parametrize(("old", "new", "said"), BAD_FORM, ids=lambda t: t[:20])
def test_forms_that_do_not_fit(old: str, new: str, said: str, region: Callable[..., Content]) -> None:
    text = refusal(region(form=FORM.replace(old, new)))

    assert said in text
    assert "forms/sample.yaml:" in text


CLAUSES = (
    FORM[: FORM.index("columns:")]
    + """
columns: [{id: label, label: 类别}, {id: text, label: 要点}]
clauses:
  - {id: drill, label: 演练, text: "组织演练{times:count **}次，参加{people:count **}人。"}
rollup:
  "county -> city": {sum: [drill.times]}
"""
)


def test_a_rule_is_not_refused_for_one_number_it_cannot_take(region: Callable[..., Content]) -> None:
    catalog = load_catalog([SHANXI, region(form=FORM.replace("found >= 1", "10 / (found - 1) >= 0"))])

    form = catalog.form("sample")
    record = Record(form, {}, rows=Rows.of([{"number": 1, "name": "甲", "found": 1}], form))

    assert () == check(record, catalog)


def test_a_number_no_roll_up_names_is_refused(region: Callable[..., Content]) -> None:
    assert "汇总“county -> city”没有写“drill.people”如何汇总" in refusal(region(form=CLAUSES))


@pytest.mark.parametrize(
    ("divisions", "said"),
    [
        ("code\tname\tparent\tlevel\n140423100\t示例镇\t999999\ttownship\n", "towns.tsv:1: 行政区划"),
        ("code\tname\tparnt\tlevel\n", "the columns are not"),
        ("code\tname\tparent\tlevel\n140423100\t示例镇\n", "towns.tsv:2"),
    ],
)
def test_divisions_that_do_not_fit(divisions: str, said: str, region: Callable[..., Content], tmp_path: Path) -> None:
    region()
    package = max(tmp_path.glob("gmsafety_sample_*"))
    (package / "towns.tsv").write_text(divisions, "utf-8")
    with pytest.raises(ContentError) as caught:
        read_content(package.name, plugin="sample", title="示例")

    assert said in str(caught.value)


def test_a_child_may_not_be_laxer(region: Callable[..., Content]) -> None:
    lax = REGION.replace("every: friday 12:00", "every: saturday 12:00").replace(
        "first: 2024-12-20", "first: 2024-12-21"
    )
    lax = lax.replace("last: 2025-03-28", "last: 2025-03-29")

    assert "下级的截止时间不得晚于上级" in refusal(region(lax))


def test_an_earlier_gap_is_reported_not_refused(region: Callable[..., Content]) -> None:
    catalog = load_catalog([SHANXI, region()])

    assert 1 == len(catalog.notes)
    assert "2024-12-13" in catalog.notes[0]


# what is changed in the YAML, what it becomes, the line, what must be said
BAD_YAML = (
    ("title: 示例行动", "titel: 示例行动", 8, "没有这个键"),
    ("first: 2024-12-15\n", "first: 2024-11-31\n", 12, "campaigns.0.first"),
    ("last: 2025-03-31\n", "last: 2024-03-31\n", 7, "早于开始日期"),
    ("first: 2024-12-20", "first: 2024-12-21", 16, "不是friday"),
    ("    title: 周报", "      title: 周报", 17, "YAML"),
    ("id: weekly\n", "id: weekly\n        id: again\n", 17, "写了两次"),
)


@pytest.mark.parametrize(("old", "new", "line", "said"), BAD_YAML, ids=lambda t: str(t)[:16])
def test_every_problem_has_its_line(old: str, new: str, line: int, said: str, region: Callable[..., Content]) -> None:
    with pytest.raises(ContentError) as caught:
        region(REGION.replace(old, new))
    problems = caught.value.problems

    assert any(said in p.text for p in problems), [str(p) for p in problems]
    assert line in [p.line for p in problems], [str(p) for p in problems]


def test_all_problems_are_told_at_once(region: Callable[..., Content]) -> None:
    wrong = REGION.replace("shanxi.weekly-dispatch", "shanxi.no-such").replace(
        "parent: shanxi.shanxi-office", "parent: x.y"
    )
    with pytest.raises(CatalogError) as caught:
        load_catalog([SHANXI, region(wrong)])

    assert 2 == len(caught.value.problems)


def test_the_same_plugin_twice() -> None:
    assert "有两个插件用了这个名称" in refusal(SHANXI)


def test_a_finding_code_twice() -> None:
    other = replace(SHANXI, plugin="other", documents=(), units=(), campaigns=(), forms=())

    assert "SX-R001已由other使用" in refusal(other)


class Misspelt:
    """A plugin whose hook is misspelt."""

    @hookimpl
    def gmsafety_contents(self) -> Content:
        return SHANXI


def test_a_misspelt_hook_is_refused() -> None:
    with pytest.raises(CatalogError, match="gmsafety_contents"):
        load_catalog([Misspelt()])


def test_a_plugin_alone_says_what_it_needs() -> None:
    with pytest.raises(CatalogError) as caught:
        load_catalog([gmsafety_jincheng])

    assert "上级专项行动“shanxi.gongmao-2024”没有登记" in str(caught.value)


REGIONS = ("jincheng", "linfen", "shanxi", "shuozhou", "tianjin")


@pytest.mark.parametrize("order", [REGIONS, REGIONS[::-1], (*REGIONS[2:], *REGIONS[:2])])
def test_the_order_of_plugins_does_not_matter(order: tuple[str, ...], catalog: Catalog) -> None:
    loaded = load_catalog(order)

    assert list(catalog.forms) == list(loaded.forms)
    assert list(catalog.units) == list(loaded.units)


def test_unknown_names_say_what_is_known(catalog: Catalog) -> None:
    with pytest.raises(UnknownName, match=r"shanxi\.weekly-dispatch"):
        catalog.form("weekly")
    with pytest.raises(UnknownName, match="no-such"):
        load_catalog(["no-such"])
    with pytest.raises(UnknownName, match="专项行动"):
        catalog.campaign("gongmao-2024")
