"""Definitions as data: the same region read back, what is looser told in words, what is hostile refused."""

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from gmsafety import Catalog, load_catalog
from gmsafety.content import Content
from gmsafety.definitions import content_of, faults_of, hash_of, in_order, loosenings, needed_by, snapshot_of
from gmsafety.errors import ContentError
from gmsafety.exchange.canonical import canonical
from gmsafety.forms import blank, check, read
from gmsafety.forms.spec import Form
from gmsafety.forms.spechash import spec_hash

REGIONS = ("jincheng", "linfen", "shanxi", "shuozhou", "tianjin")
WEEK = Path(__file__).parents[2] / "examples" / "first-friday" / "2024-12-27"
FILES = sorted(p for p in WEEK.iterdir() if p.suffix in (".xlsx", ".docx"))
Told = dict[str, Any]


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog()


def content(catalog: Catalog, region: str) -> Content:
    return next(c for c in catalog.contents if c.plugin == region)


def travelled(content: Content) -> Content:
    """The region as another node reads it from the bytes of the message."""
    return content_of(content.plugin, json.loads(canonical(snapshot_of(content))))


@pytest.fixture(scope="module")
def other(catalog: Catalog) -> Catalog:
    """The catalog of a node without any plugin."""
    return load_catalog([travelled(c) for c in catalog.contents])


@pytest.mark.parametrize("region", REGIONS)
def test_a_region_is_the_same_after_its_way(catalog: Catalog, other: Catalog, region: str) -> None:
    here, there = content(catalog, region), content(other, region)

    assert replace(here, where={}) == replace(there, where={})
    assert hash_of(snapshot_of(here)) == hash_of(snapshot_of(there))
    assert [spec_hash(f) for f in here.forms] == [spec_hash(f) for f in there.forms]
    assert [x.layout.model_fields_set for x in here.layouts] == [x.layout.model_fields_set for x in there.layouts]
    assert () == loosenings(here, there) == loosenings(there, here)


def test_the_whole_catalog_is_the_same(catalog: Catalog, other: Catalog) -> None:
    assert list(catalog.units) == list(other.units)
    assert dict(catalog.kinds) == dict(other.kinds)
    assert catalog.areas.full_name("140525100") == other.areas.full_name("140525100")
    assert catalog.duties() == other.duties()
    assert catalog.notes == other.notes


@pytest.mark.parametrize("file", FILES, ids=[f.name for f in FILES])
def test_the_same_is_found(catalog: Catalog, other: Catalog, file: Path) -> None:
    here, there = (check(read(file, c), c) for c in (catalog, other))

    assert [str(f) for f in here] == [str(f) for f in there]


def test_something_is_found(other: Catalog) -> None:
    assert any(check(read(file, other), other) for file in FILES)


def sheet(form: Form, path: Path) -> list[Any]:
    book = openpyxl.load_workbook(blank(form, path))
    told = [(s.title, sorted(map(str, s.merged_cells.ranges)), s.page_setup.orientation) for s in book]
    return [told, [[(c.coordinate, c.value) for c in row if c.value is not None] for s in book for row in s.rows]]


def test_the_same_is_printed(catalog: Catalog, other: Catalog, tmp_path: Path) -> None:
    for form in catalog.readable:
        same = other.form(form.edition)
        assert sheet(form, tmp_path / f"{form.id}.xlsx") == sheet(same, tmp_path / f"{form.id}-2.xlsx")


def test_each_region_comes_after_those_it_builds_on(catalog: Catalog) -> None:
    order = [c.plugin for c in in_order(catalog.contents)]

    assert order.index("shanxi") < order.index("jincheng")
    assert ["shanxi", "jincheng"] == [c.plugin for c in needed_by("jincheng", catalog)]
    assert ["tianjin"] == [c.plugin for c in needed_by("tianjin", catalog)]


def changed(catalog: Catalog, region: str, change: Callable[[Told], object]) -> Content:
    told = json.loads(canonical(snapshot_of(content(catalog, region))))
    change(told)
    return content_of(region, told)


def form(told: Told, name: str) -> Told:
    return next(f for f in told["forms"] if f["form"] == name)


def column(told: Told, name: str, of: str) -> Told:
    return next(c for c in form(told, name)["columns"] if c["id"] == of)


def rule(told: Told, name: str = "weekly-dispatch", number: int = 0) -> Told:
    return dict_at(form(told, name)["rules"], number)


def dict_at(values: list[Told], number: int) -> Told:
    return values[number]


def campaign(told: Told) -> Told:
    return dict_at(told["campaigns"], 0)


def duty(told: Told, name: str) -> Told:
    return next(d for c in told["campaigns"] for d in c["duties"] if d["id"] == name)


def part(told: Told, noun: str) -> list[Told]:
    found: list[Told] = next(c[noun] for c in told["campaigns"] if c.get(noun))
    return found


def drop_column(told: Told, name: str, of: str) -> None:
    of_form = form(told, name)
    of_form["columns"] = [c for c in of_form["columns"] if c["id"] != of]
    of_form["rules"] = [r for r in of_form.get("rules", []) if of not in str(r)]


def expert(told: Told) -> Told:
    return next(r for c in told["campaigns"] for r in c.get("routes", []) if r.get("experts"))


def lower(targets: list[Told]) -> None:
    aim = next(t for t in targets if "at_least" in t)
    aim["at_least"] = "1"


def less_often(told: Told) -> None:
    quota = next(d for c in told["campaigns"] for d in c["duties"] if "per" in d and d["per"] != "year")
    quota["per"] = "year"


LEDGER = "major-hazard-ledger"
LOOSER: list[tuple[str, str, Callable[[Told], object], str]] = [
    ("a rule is gone", "shanxi", lambda t: form(t, "weekly-dispatch")["rules"].pop(0), "规则“fixed-not-above-found”　删去"),
    ("a rule only warns", "shanxi", lambda t: rule(t).update(severity="warning"), "规则“fixed-not-above-found”　轻重"),
    ("another condition", "shanxi", lambda t: rule(t).update(check="fixed <= found + 1"), "应成立的条件由“fixed <= found”改为"),
    ("a blank is passed over", "shanxi", lambda t: rule(t, number=7).pop("missing"), "规则“self-found-equals-ledger”　空白由“按0算”改为“不判”"),
    ("no longer required", "shanxi", lambda t: column(t, LEDGER, "measure").update(required=False), "整改措施　不再必填"),
    ("a part is not asked for", "shanxi", lambda t: column(t, LEDGER, "measure")["parts"].pop(), "应写明的各项删去"),
    ("another choice", "shanxi", lambda t: column(t, LEDGER, "stage")["choices"].append("其他"), "可选项增加“其他”"),
    ("choices are open", "shanxi", lambda t: column(t, LEDGER, "stage").update(open=True), "可以填写所列以外的"),
    ("a column is gone", "shanxi", lambda t: drop_column(t, LEDGER, "penalty"), "不再填报"),
    ("no longer cumulative", "shanxi", lambda t: form(t, "weekly-dispatch").pop("numbers"), "数的口径　由“累计”改为“当期”"),
    ("one number may fall", "shanxi", lambda t: form(t, "weekly-dispatch")["not_cumulative"].append("self.plans"), "self.plans　不再作累计比较"),
    ("the form is gone", "shanxi", lambda t: t["forms"].remove(form(t, LEDGER)), "不再有这张表"),
    ("only a trial", "shanxi", lambda t: form(t, LEDGER).update(status="test"), "状态　由“启用”改为“试填”"),
    ("filed later", "jincheng", lambda t: duty(t, "weekly-forms").update(at="17:00:00"), "期截止时间由12-20 12:00推后到12-20 17:00"),
    ("a form is not filed", "jincheng", lambda t: duty(t, "weekly-forms")["file"].pop(), "要报的表少了"),
    ("one less owes it", "jincheng", lambda t: duty(t, "weekly-forms")["from"].pop(), "责任单位少了member-department"),
    ("due another day", "jincheng", lambda t: duty(t, "summary").update(by="2025-03-31"), "2025-03-25一期不再有，或者推后"),
    ("a duty is gone", "jincheng", lambda t: campaign(t)["duties"].pop(0), "删去"),
    ("a gate opens", "jincheng", lambda t: part(t, "gates")[0]["conditions"].pop(0), "条件“还有重大事故隐患没有整改”删去"),
    ("no experts", "jincheng", lambda t: expert(t).pop("experts"), "不再聘请专家"),
    ("a finding weighs less", "shanxi", lambda t: t["findings"][0].update(severity="info"), "由提醒降为说明"),
    ("a question is gone", "tianjin", lambda t: t["checklists"][0]["groups"][0]["items"].pop(0), "不再检查"),
    ("a unit is gone", "jincheng", lambda t: t["units"].pop(), "不再登记"),
    ("an aim is lower", "linfen", lambda t: lower(part(t, "targets")), "下限由"),
    ("a quota is lower", "linfen", less_often, "改为每"),
]  # fmt: skip


@pytest.mark.parametrize(("region", "change", "said"), [row[1:] for row in LOOSER], ids=[row[0] for row in LOOSER])
def test_what_is_looser(catalog: Catalog, region: str, change: Callable[[Told], object], said: str) -> None:
    before = content(catalog, region)
    after = changed(catalog, region, change)
    found = [str(f) for f in loosenings(before, after)]

    assert any(said in text for text in found), found
    assert [] == [f for f in loosenings(after, before) if said in str(f)]


STRICTER: list[tuple[str, str, Callable[[Told], object]]] = [
    ("one more rule", "shanxi", lambda t: form(t, "weekly-dispatch")["rules"].append({"id": "more", "check": "self.plans < 9"})),
    ("required now", "shanxi", lambda t: column(t, LEDGER, "remark").update(required=True)),
    ("one choice less", "shanxi", lambda t: column(t, LEDGER, "stage")["choices"].pop()),
    ("filed sooner", "jincheng", lambda t: duty(t, "weekly-forms").update(at="10:00:00")),
    ("due sooner", "jincheng", lambda t: duty(t, "summary").update(by="2025-03-24")),
    ("another title", "shanxi", lambda t: form(t, LEDGER).update(title="另一个标题")),
    ("another look", "shanxi", lambda t: form(t, LEDGER)["layout"].update(empty_rows=9)),
    ("heavier finding", "shanxi", lambda t: t["findings"][0].update(severity="error")),
]  # fmt: skip


@pytest.mark.parametrize(("region", "change"), [row[1:] for row in STRICTER], ids=[row[0] for row in STRICTER])
def test_what_is_not_looser(catalog: Catalog, region: str, change: Callable[[Told], object]) -> None:
    after = changed(catalog, region, change)

    assert () == loosenings(content(catalog, region), after)
    assert content(catalog, region) != after


NINES = "9" * 400
HOSTILE: list[tuple[str, Callable[[Told], object], str]] = [
    ("a key nobody knows", lambda t: t.update(code="import os"), "“code”：没有这个键"),
    ("no title", lambda t: t.pop("title"), "title：应为文字"),
    ("a form that is none", lambda t: t["forms"].append({"title": "x"}), "没有写form"),
    ("forms that are no list", lambda t: t.update(forms={"a": 1}), "forms：应为列表"),
    ("an unknown type", lambda t: column(t, LEDGER, "stage").update(type="exec"), "没有字段类型“exec”"),
    ("a number for a text", lambda t: form(t, LEDGER).update(version=7), "应为文字"),
    ("a loop in a loop in a loop", lambda t: rule(t).update(check=loops(4)), "循环套了2层以上"),
    ("a long expression", lambda t: rule(t).update(check=f"fixed <= {NINES * 6}"), "长于2000字"),
    ("doubling and doubling", lambda t: rule(t).update(let=doubling(), check="size(z) < 1"), "展开后过大"),
    ("lists of lists", lambda t: rule(t).update(check="[1].map(x, [x]).size() > 0"), "用了map"),
    ("not CEL", lambda t: rule(t).update(check="fixed <= ("), "表达式有误"),
    ("deep brackets", lambda t: rule(t).update(check="(" * 900 + "1" + ")" * 900), "表达式有误"),
    ("an alias that formats", lambda t: t["units"][0].update(aliases=["{area:>999999999}"]), "花括号里只能是area"),
    ("an alias that looks inside", lambda t: t["units"][0].update(aliases=["{area.__class__}"]), "花括号里只能是area"),
    ("a sentence that formats", lambda t: t["findings"][0].update(message="{label:>999999999}"), "花括号里请只写栏目的名称"),
    ("a costly pattern", lambda t: column(t, LEDGER, "measure").update(parts=["(a+)+$"]), "含有特别的符号"),
    ("a day far off", lambda t: campaign(t).update(last="9998-12-31"), "日期9998-12-31不合理"),
    ("weeks without end", lambda t: campaign(t).update(first="2001-01-01", last="2099-12-31"), "长于十年"),
    ("no width at all", lambda t: column(t, LEDGER, "stage").update(width="nan"), "列宽或字号不合理"),
    ("rows without end", lambda t: form(t, LEDGER)["layout"].update(empty_rows=10**9), "空行数1000000000不合理"),
    ("too deep", lambda t: t.update(documents=deep(60)), "层次超过30"),
    ("a very long text", lambda t: t["documents"][0].update(note="长" * 30_000), "有一处文字超过20000字"),
    ("half a character", lambda t: t["documents"][0].update(note="\ud800"), "不能写成规范的JSON"),
    ("a fraction", lambda t: t["documents"][0].update(note=0.5), "不能写成规范的JSON"),
    ("a strange division", lambda t: t.update(areas=[{"code": "99", "name": "x", "parent": None, "level": "moon"}]), "行政区划不对"),
    ("a form of another", lambda t: t["campaigns"][0].update(parent="nowhere.campaign"), "上级专项行动“nowhere.campaign”没有登记"),
    ("a code that is taken", lambda t: t["findings"][0].update(code="GM-F101"), "GM-F101已由gmsafety使用"),
]  # fmt: skip


def loops(deep: int) -> str:
    return "[1].all(a, " * deep + "true" + ")" * deep


def doubling() -> dict[str, str]:
    names = "abcdefghijklmnopqrstuvwxyz"
    return {"a": "'x'", **{b: " + ".join([a] * 9) for a, b in pairwise(names)}}


def deep(levels: int) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(("change", "said"), [row[1:] for row in HOSTILE], ids=[row[0] for row in HOSTILE])
def test_what_is_hostile_is_refused(catalog: Catalog, change: Callable[[Told], object], said: str) -> None:
    others = [c for c in catalog.contents if c.plugin != "shanxi"]
    told = json.loads(canonical(snapshot_of(content(catalog, "shanxi"))))
    change(told)
    try:
        faults = faults_of(content_of("shanxi", told), others)
    except ContentError as error:
        faults = error.problems

    assert any(said in str(f) for f in faults), [str(f) for f in faults][:5]


class Cunning(Form):
    """A form that does something in Python."""


def test_what_is_code_does_not_travel(catalog: Catalog) -> None:
    here = content(catalog, "shanxi")
    cunning = Cunning.model_validate(here.forms[0].model_dump(by_alias=True))

    with pytest.raises(ContentError, match=r"不能随快照下发：.*Cunning是插件自己的类"):
        snapshot_of(replace(here, forms=(cunning, *here.forms[1:])))


def test_names_that_are_made_of_names_keep_their_order(catalog: Catalog) -> None:
    """Objects of JSON have no order; a rule is the same all the same."""
    let = {"z": "self.plans + 1", "b": "z * 2", "a": "b - z"}
    here = changed(catalog, "shanxi", lambda t: rule(t, number=1).update(let=let, check="a > 0"))
    there = travelled(here)

    assert ["z", "b", "a"] == list(there.forms[-1].rules[1].let) == list(here.forms[-1].rules[1].let)
