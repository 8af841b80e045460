"""Sentences with blanks: what a clerk typed, and the numbers that must come out of it."""

import pytest

from gmsafety import Catalog
from gmsafety.forms.reading.clauses import read_clause
from gmsafety.forms.spec import Clause

PENALTY = (
    ("处罚企业5家，合计处罚15.3万元，处罚企业主要负责人2人，合计处罚1万元；限期整改7家，停产整改3家，取缔关闭0家。", [5, 153000, 2, 10000, 7, 3, 0]),
    ("处罚企业５家,合计处罚１５．３万元,处罚企业主要负责人２人,合计处罚１万元;限期整改７家,停产整改３家,取缔关闭０家.", [5, 153000, 2, 10000, 7, 3, 0]),
    ("处罚企业__5__家，合计处罚__15.3__万元，处罚企业主要负责人 2 人，合计处罚1万元；\n限期整改7家，停产整改3家，取缔关闭无家。", [5, 153000, 2, 10000, 7, 3, 0]),
    ("截至12月20日，处罚企业5家，合计处罚15.3万元，处罚企业主要负责人2人，合计处罚1万元；限期整改7家，停产整改3家，取缔关闭零家", [5, 153000, 2, 10000, 7, 3, 0]),
    ("处罚企业5家家，合计处罚15.3万元万元，处罚企业主要负责人2人人，合计处罚1万元；限期整改7家，停产整改3家，取缔关闭0家家。", [5, 153000, 2, 10000, 7, 3, 0]),
    ("处罚企业十二家，合计处罚三万元，处罚企业主要负责人两人，合计处罚1万元；限期整改7家，停产整改3家，取缔关闭0家。", [12, 30000, 2, 10000, 7, 3, 0]),
    ("处罚企业1,234家，合计处罚**万元，处罚企业主要负责人/人，合计处罚__万元；限期整改 家，停产整改—家，取缔关闭0家。", [1234, None, None, None, None, None, 0]),
    ("处罚企业5家 合计处罚15.3万元 处罚企业主要负责人2人 合计处罚1万元 限期整改7家 停产整改3家 取缔关闭0家", [5, 153000, 2, 10000, 7, 3, 0]),
    ("无", [None] * 7),
    ("/", [None] * 7),
    ("尚未开展。", [None] * 7),
    ("本周暂无行政处罚，计划3月开展。", [None] * 7),
    ("", [None] * 7),
)  # fmt: skip

UNCLEAR = (
    ("处罚企业约5家，合计处罚1万元，处罚企业主要负责人2人，合计处罚1万元；限期整改7家，停产整改3家，取缔关闭0家。", "not-a-number"),
    ("处罚企业5、6家，合计处罚1万元，处罚企业主要负责人2人，合计处罚1万元；限期整改7家，停产整改3家，取缔关闭0家。", "several-numbers"),
    ("处罚企业5-6家，合计处罚1万元，处罚企业主要负责人2人，合计处罚1万元；限期整改7家，停产整改3家，取缔关闭0家。", "several-numbers"),
    ("处罚企业147,156家，合计处罚1万元，处罚企业主要负责人2人，合计处罚1万元；限期整改7家，停产整改3家，取缔关闭0家。", "several-numbers"),
    ("处罚企业-5家，合计处罚1万元，处罚企业主要负责人2人，合计处罚1万元；限期整改7家，停产整改3家，取缔关闭0家。", "negative-number"),
    ("处罚企业5.5家，合计处罚1万元，处罚企业主要负责人2人，合计处罚1万元；限期整改7家，停产整改3家，取缔关闭0家。", "not-an-integer"),
    ("处罚企业若干家，合计处罚1万元，处罚企业主要负责人2人，合计处罚1万元；限期整改7家，停产整改3家，取缔关闭0家。", "not-a-number"),
    ("处罚企业5家，合计处罚1.23456万元，处罚企业主要负责人2人，合计处罚1万元；限期整改7家，停产整改3家，取缔关闭0家。", "money-too-fine"),
)  # fmt: skip


def clause(catalog: Catalog, name: str) -> Clause:
    """A clause of the weekly table."""
    return next(c for c in catalog.form("weekly-dispatch").clauses if c.id == name)


@pytest.mark.parametrize(("typed", "numbers"), PENALTY)
def test_what_a_clerk_typed(typed: str, numbers: list[int | None], catalog: Catalog) -> None:
    reading = read_clause(clause(catalog, "penalty"), typed)

    assert numbers == [p.value for p in reading.values.values()]
    assert [] == [p.trouble for p in reading.values.values() if p.trouble]
    assert () == reading.lost


@pytest.mark.parametrize(("typed", "kind"), UNCLEAR)
def test_an_unclear_number_is_never_a_guess(typed: str, kind: str, catalog: Catalog) -> None:
    reading = read_clause(clause(catalog, "penalty"), typed)

    assert [kind] == [p.trouble.slug for p in reading.values.values() if p.trouble]
    assert [2, 10000, 7, 3, 0] == [p.value for p in reading.values.values()][2:]


JOINT = (
    # the county half alone, the city half deleted
    ("县级共检查34家企业，发现一般问题隐患59条，已整改29条；重大事故隐患1条，已整改0条。", [None] * 5 + [34, 59, 29, 1, 0]),
    # the doubled word of the printed form, and the word once
    ("市本级检查4家企业，发现发现一般问题隐患28条，已整改15条；重大事故隐患1条，已整改0条。县级共检查**家企业，发现一般问题隐患**条，已整改**条；重大事故隐患**条，已整改**条。", [4, 28, 15, 1, 0] + [None] * 5),
    ("市本级检查4家企业，发现一般问题隐患28条，已整改15条；重大事故隐患1条，已整改0条。县级共检查2家企业，发现一般问题隐患3条，已整改3条；重大事故隐患0条，已整改0条。", [4, 28, 15, 1, 0, 2, 3, 3, 0, 0]),
)  # fmt: skip


@pytest.mark.parametrize(("typed", "numbers"), JOINT)
def test_two_sentences_in_a_cell(typed: str, numbers: list[int | None], catalog: Catalog) -> None:
    reading = read_clause(clause(catalog, "joint"), typed)

    assert numbers == [p.value for p in reading.values.values()]
    assert () == reading.lost


REWRITTEN = (
    ("泽州县共有16个镇，其中16个镇制定了实施方案（通知）。", {"deployment.city": "泽州县", "deployment.counties": None, "deployment.counties_planned": None}),
    ("泽州县共有1个县，其中1个县制定了实施方案。", {"deployment.city": "泽州县", "deployment.counties": 1, "deployment.counties_planned": 1}),
    ("晋城市共有6个县（市、区），其中5个县（市、区）制定了实施方案（通知）。", {"deployment.city": "晋城市", "deployment.counties": 6, "deployment.counties_planned": 5}),
)  # fmt: skip


@pytest.mark.parametrize(("typed", "values"), REWRITTEN)
def test_towns_are_never_counted_as_counties(typed: str, values: dict[str, object], catalog: Catalog) -> None:
    text = f"1. {typed}\n2. 无\n3. 无\n4. 无"
    reading = read_clause(clause(catalog, "deployment"), text)

    assert values == {path: reading.values[path].value for path in values}
    assert bool(reading.lost) == (values["deployment.counties"] is None)


ITEMS = (
    ("1.甲县共有1个县（区），其中1个县（区）制定了实施方案（通知）。\n2.开会。\n3.帮扶。\n4.调度。", ["开会。", "帮扶。", "调度。"]),
    ("1、甲县共有1个县（区），其中1个县（区）制定了实施方案（通知）。2、开会。3、帮扶。4、调度。", ["开会。", "帮扶。", "调度。"]),
    ("（1）甲县共有1个县（区），其中1个县（区）制定了实施方案（通知）。\n（2）开会。\n（3）帮扶。\n（4）调度。", ["开会。", "帮扶。", "调度。"]),
    ("①甲县共有1个县（区），其中1个县（区）制定了实施方案（通知）。\n②开会。\n③帮扶。\n④调度。", ["开会。", "帮扶。", "调度。"]),
    ("甲县共有1个县（区），其中1个县（区）制定了实施方案（通知）。\n开会。\n帮扶。\n调度。", ["开会。", "帮扶。", "调度。"]),
    ("1. 甲县共有1个县（区），其中1个县（区）制定了实施方案（通知）。\n2. 12月20日投入2.5万元，检查3.15后企业。\n3. 无\n4. 每周调度。", ["12月20日投入2.5万元，检查3.15后企业。", None, "每周调度。"]),
    ("1. 甲县共有1个县（区），其中1个县（区）制定了实施方案（通知）。\n2. 市级层面召开动员部署、执法检查等简要情况。\n3. 帮扶。\n4. 无", [None, "帮扶。", None]),
)  # fmt: skip


@pytest.mark.parametrize(("typed", "texts"), ITEMS)
def test_numbered_items(typed: str, texts: list[str | None], catalog: Catalog) -> None:
    reading = read_clause(clause(catalog, "deployment"), typed)
    got = [reading.values[f"deployment.{n}"].value for n in ("mobilisation", "features", "dispatching")]

    assert texts == got
    assert 1 == reading.values["deployment.counties"].value


def test_a_sentence_rewritten_keeps_what_still_stands(catalog: Catalog) -> None:
    typed = "28家企业制定了自查自改工作方案，发现一般问题隐患146条，已整改116条，未发现重大事故隐患。"
    reading = read_clause(clause(catalog, "self"), typed)

    assert (28, 146, 116) == tuple(
        reading.values[f"self.{n}"].value for n in ("plans", "general.found", "general.fixed")
    )
    assert {"self.major.found", "self.major.fixed"} <= set(reading.lost)


@pytest.mark.parametrize("size", [1_000, 30_000])
def test_hostile_text_takes_no_time_to_speak_of(size: int, catalog: Catalog) -> None:
    """Printed words repeated without end: the search has no way back, so it cannot explode."""
    typed = ("条，已整改" * size)[: size * 5]
    reading = read_clause(clause(catalog, "self"), typed)

    assert (
        len(reading.values) == len(reading.lost) + sum(bool(p.trouble) for p in reading.values.values()) or reading.lost
    )
