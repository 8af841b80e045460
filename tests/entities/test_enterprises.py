"""Enterprises: what is computed, what stays unknown, and what routes and gates are told."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from entity_values import COUNTS, YUAN, credit_code, enterprises, maybe
from gmsafety.codes import Industry
from gmsafety.enterprises import Enterprise
from gmsafety.gates import Condition, Gate, GateState
from gmsafety.provenance import Citation
from gmsafety.routing import Route, find_route
from gmsafety.sizes import Business, Size, above_scale, size_of

SOURCE = Citation(clause="二")


def enterprise(**more: Any) -> Enterprise:
    return Enterprise(**{"credit_code": credit_code(1), "name": "示例铸造有限公司", "area": "140525", **more})


def yuan(wan: str | None) -> Decimal | None:
    return None if wan is None else Decimal(wan) * 10000


# --- size ---------------------------------------------------------------------------------------------------------

SIZES = [
    # 行业              从业人员  营业收入(万元)  规模           中小微
    (Business.INDUSTRY,  1000,  "40000",       Size.LARGE,   False),
    (Business.INDUSTRY,  1000,  "39999",       Size.MEDIUM,  True),
    (Business.INDUSTRY,   999,  "40000",       Size.MEDIUM,  True),
    (Business.INDUSTRY,   300,  "2000",        Size.MEDIUM,  True),
    (Business.INDUSTRY,   350,  "1800",        Size.SMALL,   True),
    (Business.INDUSTRY,  1200,  "100",         Size.MICRO,   True),
    (Business.INDUSTRY,    20,  "300",         Size.SMALL,   True),
    (Business.INDUSTRY,    19,  "90000",       Size.MICRO,   True),
    (Business.INDUSTRY,    19,  None,          Size.MICRO,   True),
    (Business.INDUSTRY,  None,  "299.9999",    Size.MICRO,   True),
    (Business.INDUSTRY,   350,  None,          None,         True),
    (Business.INDUSTRY,  1200,  None,          None,         None),
    (Business.INDUSTRY,  None,  None,          None,         None),
    (Business.WHOLESALE,  200,  "40000",       Size.LARGE,   False),
    (Business.WHOLESALE,   20,  "5000",        Size.MEDIUM,  True),
    (Business.WHOLESALE,    5,  "1000",        Size.SMALL,   True),
    (Business.RETAIL,     300,  "20000",       Size.LARGE,   False),
    (Business.RETAIL,      50,  "500",         Size.MEDIUM,  True),
    (Business.RETAIL,      10,  "100",         Size.SMALL,   True),
    (Business.RETAIL,       9,  "100",         Size.MICRO,   True),
    (Business.CATERING,   100,  "2000",        Size.MEDIUM,  True),
    (None,                350,  "1800",        None,         None),
]  # fmt: skip


@pytest.mark.parametrize(("business", "staff", "wan", "size", "sme"), SIZES)
def test_size_class(
    business: Business | None, staff: int | None, wan: str | None, size: Size | None, sme: bool | None
) -> None:
    sized = size_of(business, staff=staff, revenue=yuan(wan))

    assert (size, sme) == (sized.size, sized.is_sme)


@pytest.mark.parametrize(
    ("staff", "wan", "reason"),
    [
        (350, "1800", "工业：从业人员350人合中型，营业收入1800万元合小型；两项同时满足下限才进档，为小型（工信部联企业〔2011〕300号）"),
        (350, None, "工业：从业人员350人合中型，营业收入未填；尚不能判定，至多为中型（工信部联企业〔2011〕300号）"),
        (0, None, "工业：从业人员0人合微型，营业收入未填；两项同时满足下限才进档，为微型（工信部联企业〔2011〕300号）"),
    ],
)  # fmt: skip
def test_size_gives_its_reason(staff: int, wan: str | None, reason: str) -> None:
    assert reason == size_of(Business.INDUSTRY, staff=staff, revenue=yuan(wan)).reason


@given(st.sampled_from(Business), maybe(COUNTS), maybe(YUAN), maybe(COUNTS), maybe(YUAN))
def test_more_is_never_smaller_and_knowing_more_never_contradicts(
    business: Business, staff: int | None, revenue: Decimal | None, more: int | None, earned: Decimal | None
) -> None:
    order = list(Size)
    before = size_of(business, staff=staff, revenue=revenue)
    known = size_of(business, staff=more if staff is None else staff, revenue=earned if revenue is None else revenue)
    greater = size_of(business, staff=staff and staff + (more or 0), revenue=revenue and revenue + (earned or 0))

    assert order.index(known.at_most) <= order.index(before.at_most)
    assert before.size in (None, known.size)
    assert order.index(before.at_most) <= order.index(greater.at_most)


@pytest.mark.parametrize(
    ("business", "wan", "above"),
    [
        (Business.INDUSTRY, "2000", True),
        (Business.INDUSTRY, "1999.9999", False),
        (Business.WHOLESALE, "2000", True),
        (Business.RETAIL, "500", True),
        (Business.RETAIL, "499", False),
        (Business.LODGING, "200", True),
        (Business.CATERING, "199", False),
        (Business.INDUSTRY, None, None),
        (None, "9000", None),
    ],
)
def test_above_scale(business: Business | None, wan: str | None, above: bool | None) -> None:
    assert above is above_scale(business, yuan(wan))


# --- industry -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "confirmed", "industry", "doubt"),
    [
        ("3120", None, Industry.METALLURGY, None),
        ("C3210", None, Industry.NONFERROUS, None),
        (3032, None, Industry.BUILDING_MATERIALS, None),
        ("3311", None, Industry.MACHINERY, "行业代码3311暂按机械，须由人工确认"),
        ("3311", "机械", Industry.MACHINERY, None),
        ("1810", None, None, "八个工贸行业中属哪一个尚不知道，须由人工确认"),
        ("1810", "纺织", Industry.TEXTILES, None),
        ("3071", None, Industry.BUILDING_MATERIALS, None),
        ("3073", None, None, "八个工贸行业中属哪一个尚不知道，须由人工确认"),
        ("3120", "机械", Industry.MACHINERY, "行业代码3120属冶金，确认的行业却是机械"),
        (None, None, None, "八个工贸行业中属哪一个尚不知道，须由人工确认"),
    ],
)
def test_industry_is_read_or_confirmed_but_never_guessed(
    code: Any, confirmed: str | None, industry: Industry | None, doubt: str | None
) -> None:
    known = enterprise(gbt4754=code, confirmed_industry=confirmed)

    assert industry is known.industry
    assert ((doubt,) if doubt else ()) == known.doubts


def test_a_record_that_does_not_agree_is_doubted() -> None:
    traits = {"metal_smelting": False, "blast_furnaces": 1, "combustible_dust": False, "dust_workers": 12}

    assert (
        "有高炉，却记为不是金属冶炼企业",
        "有涉粉作业人员，却记为不涉粉尘",
    ) == enterprise(gbt4754="3120", traits=traits).doubts


# --- tags ---------------------------------------------------------------------------------------------------------


def test_what_is_not_known_is_no_tag() -> None:
    assert {} == enterprise().tags
    assert {
        "metal_smelting": True, "dust_workers": 35, "blast_furnaces": 0, "blast_furnace": False, "above_scale": True,
        "size": "中型", "sme": True, "industry": "冶金", "key_level": "county", "staff": 350, "port_zone": "东区",
    } == enterprise(
        gbt4754="3120",
        key_level="county",
        figures={"staff": 350, "revenue": 30_000_000},
        traits={"metal_smelting": True, "dust_workers": 35, "blast_furnaces": 0},
        more={"port_zone": "东区"},
    ).tags  # fmt: skip


ROUTES = [
    Route(
        id="furnace", title="含高炉", when={"metal_smelting": True, "blast_furnace": True}, to=("city",), source=SOURCE
    ),
    Route(id="smelting", title="其他冶炼", when={"metal_smelting": True}, to=("county",), source=SOURCE),
    Route(id="above", title="规上", when={"metal_smelting": False, "above_scale": True}, to=("county",), source=SOURCE),
    Route(id="below", title="规下", when={"metal_smelting": False, "above_scale": False}, to=("town",), source=SOURCE),
]


@pytest.mark.parametrize(
    ("smelting", "furnaces", "wan", "route", "asked"),
    [
        (True, 2, None, "furnace", ()),
        (True, 0, None, "smelting", ()),
        (True, None, None, None, ("blast_furnace",)),
        (False, 0, "2000", "above", ()),
        (False, 0, "1999", "below", ()),
        (False, 0, None, None, ("above_scale",)),
    ],
)
def test_an_enterprise_is_routed_by_its_tags(
    smelting: bool, furnaces: int | None, wan: str | None, route: str | None, asked: tuple[str, ...]
) -> None:
    known = enterprise(
        gbt4754="3130",
        figures={"revenue": yuan(wan)},
        traits={"metal_smelting": smelting, "blast_furnaces": furnaces},
    )
    routed = find_route(ROUTES, known.tags)

    assert (route, asked) == (routed.route and routed.route.id, routed.open)


@pytest.mark.parametrize(("furnaces", "state"), [(1, GateState.DENY), (0, GateState.ALLOW), (None, GateState.UNKNOWN)])
def test_a_gate_asks_for_the_same_tags(furnaces: int | None, state: GateState) -> None:
    plan = Condition(id="plan", check="plan", say="没有开炉方案", when={"blast_furnace": True}, source=SOURCE)
    gate = Gate(id="g", title="复工复产", facts={"plan": "开炉方案"}, conditions=(plan,), source=SOURCE)

    assert state is gate.judge({"plan": False}, enterprise(traits={"blast_furnaces": furnaces}).tags).state


# --- what is refused ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"credit_code": credit_code(1)[:-1]}, "应为18位，现为17位"),
        ({"credit_code": credit_code(1)[:-1] + "I"}, "第18位的字母“I”不在规定的字符之内"),
        ({"gbt4754": "炼钢"}, "“炼钢”不是GB/T 4754的行业代码"),
        ({"area": "泽州"}, "“泽州”不是行政区划代码"),
        ({"more": {"dust_workers": 3}}, "标签名已有定义，不能另用：dust_workers"),
        ({"more": {"above_scale": True}}, "标签名已有定义，不能另用：above_scale"),
        ({"figures": {"revenue": "0.5"}}, "金额以元为单位，不能有小数"),
        ({"name": "甲\n乙"}, "只能写一行"),
    ],
)
def test_a_wrong_record_is_refused_with_its_reason(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        enterprise(**wrong)


def test_a_credit_code_is_kept_as_it_is_meant() -> None:
    assert credit_code(1) == enterprise(credit_code=f" {credit_code(1).lower()} ").credit_code


@given(enterprises())
def test_json_round_trip(known: Enterprise) -> None:
    assert known == Enterprise.model_validate_json(known.model_dump_json())
