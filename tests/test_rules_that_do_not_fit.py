"""Tasks, routes, gates and checklists that do not fit: refused at the start, with file, line and what to do."""

from itertools import count
from pathlib import Path

import pytest

import gmsafety_shanxi
from gmsafety import load_catalog
from gmsafety.content import Content, read_content
from gmsafety.errors import CatalogError, ContentError

NUMBERS = count()
SHANXI = gmsafety_shanxi.gmsafety_content()
HEAD = """
documents:
  - {id: notice-1, title: 示例通知, issuer: 示例办, level: city, issued: 2024-12-15}
units:
  - {id: office, name: 示例市应急管理局, area: 140500, level: city, role: city-office, parent: shanxi.shanxi-office}
actors:
  - {id: mine, title: 矿山}
campaigns:
  - id: action
    title: 示例行动
    document: notice-1
    area: 140500
    first: 2024-12-15
    last: 2025-03-31
    source: {clause: 一, quote: 即日起}
"""
FITTING = """
    duties: [{id: d, title: 检查, from: mine, do: 检查, per: month, at_least: 1, first: 2024-12-15, last: 2025-03-31, source: {clause: 二, quote: 每月}}]
    tasks: [{id: t, title: 任务, by: mine, duties: d, targets: g, watches: w, source: {clause: 二, quote: 任务}}]
    targets: [{id: g, title: 目标, count: 企业, at_least: 1, unit: 家, source: {clause: 二, quote: 目标}}]
    routes:
      - {id: r1, title: 含高炉, when: {furnace: true}, to: city-office, source: {clause: 三, quote: 高炉}}
      - {id: r2, title: 其他, to: mine, source: {clause: 三, quote: 其他}}
    gates:
      - {id: k, title: 复工, facts: {majors: 重大隐患}, source: {clause: 四, quote: 复工}, conditions: [{id: c, check: majors == 0, say: 有重大隐患, source: {clause: 四, quote: 清零}}]}
    watches: [{id: w, title: 挂零, facts: {majors: 重大隐患}, check: majors > 0, say: 挂零, source: {clause: 五, quote: 挂零}}]
"""
CHECKLIST = """
checklist: list
version: "1"
title: 检查表
source: {document: notice-1, clause: 附件}
columns:
  - {id: number, label: 序号, type: serial}
  - {id: group, label: 项目}
  - {id: ask, label: 内容}
  - {id: answer, label: 情况, type: answer, choices: [是, 否, 不涉及]}
groups:
  - title: 粉尘
    items:
      - {id: a, ask: 是否清理积尘。, basis: 第十一条（十）}
      - {id: b, ask: 是否干式运行。}
printed:
  - {title: 粉尘, items: [a, b]}
"""


def region(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str = FITTING, checklist: str = CHECKLIST) -> Content:
    """A region with this content, read as an installed one is."""
    package = f"example_rules_{next(NUMBERS)}"
    folder = tmp_path / package
    (folder / "checklists").mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder / "region.yaml").write_text(HEAD + body, encoding="utf-8")
    (folder / "checklists" / "list.yaml").write_text(checklist, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    return read_content(package, plugin="example", title="示例")


def test_what_fits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    catalog = load_catalog([SHANXI, region(tmp_path, monkeypatch)])

    assert {"t"} == {t.id for t in catalog.campaign("example.action").tasks}
    assert 2 == len(catalog.checklist("example.list").items)


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("when: {furnace: true}, to: city-office", "to: city-office", "会同时适用于同一家企业"),
        ("to: mine", "to: nobody", "“nobody”不是任何单位的角色"),
        ("by: mine", "by: nobody", "“nobody”不是任何单位的角色"),
        ("duties: d,", "duties: gone,", "duties中没有“gone”"),
        ("targets: g,", "targets: gone,", "targets中没有“gone”"),
        ("watches: w,", "watches: gone,", "watches中没有“gone”"),
        ("check: majors == 0", "check: major == 0", "facts 中没有“major”"),
        ("check: majors > 0", "check: majors >", "表达式有误"),
        ("id: r2", "id: r1", "routes中的“r1”写了两次"),
        ("clause: 四, quote: 清零", "document: gone, clause: 四, quote: 清零", "依据的文件“gone”没有登记"),
    ],
)
def test_what_does_not_fit(right: str, wrong: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plugin, its file and line, what is wrong and what to do; the other plugins are named."""
    assert right in FITTING
    content = region(tmp_path, monkeypatch, FITTING.replace(right, wrong, 1))
    with pytest.raises(CatalogError) as refused:
        load_catalog([SHANXI, content])
    problems = [p for p in refused.value.problems if said in p.text]

    assert problems, [str(p) for p in refused.value.problems]
    assert ("example", "region.yaml") == (problems[0].plugin, problems[0].file)
    assert problems[0].line > 1
    assert problems[0].remedy
    assert "shanxi" in str(refused.value)


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("第十一条（十）", "第九十九条（一）", "没有这样的条款"),
        ("id: b,", "id: a,", "检查项的id重复"),
        ("items: [a, b]", "items: [a]", "printed 与各组的检查项不一致"),
        ("checklist: list", "checklist: list\nlist: x", "没有这个键"),
    ],
)
def test_a_checklist_that_is_not_whole(
    right: str, wrong: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ContentError) as refused:
        region(tmp_path, monkeypatch, checklist=CHECKLIST.replace(right, wrong, 1))

    assert said in str(refused.value)
    assert "checklists/list.yaml" in str(refused.value)


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("do: 检查, ", "", "没有说明要报什么"),
        ("at_least: 1, unit: 家", "unit: 家", "没有写 at_least 或 at_most"),
        ("per: month", "per: decade", "不是可用的值"),
        ("last: 2025-03-31, source: {clause: 二, quote: 每月}", "source: {clause: 二}", "缺少这个键"),
    ],
)
def test_a_duty_or_target_that_says_too_little(
    right: str, wrong: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ContentError) as refused:
        region(tmp_path, monkeypatch, FITTING.replace(right, wrong, 1))

    assert said in str(refused.value)
