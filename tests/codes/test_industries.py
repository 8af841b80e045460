"""Which of the eight industries a class of GB/T 4754-2017 belongs to, as far as 应急厅〔2019〕17号 was read."""

import pytest

from gmsafety.codes import PROVISIONAL_INDUSTRIES, Industry, industry_of

UNKNOWN = None


def test_the_eight_industries_in_the_order_of_the_notices() -> None:
    assert "冶金 有色 建材 机械 轻工 纺织 烟草 商贸" == " ".join(Industry)


@pytest.mark.parametrize(
    ("code", "class_name", "industry"),
    [
        ("31", "黑色金属冶炼和压延加工业", "冶金"),
        ("3110", "炼铁", "冶金"),
        ("3120", "炼钢", "冶金"),
        ("C3130", "钢压延加工", "冶金"),
        ("314", "铁合金冶炼", "冶金"),
        ("32", "有色金属冶炼和压延加工业", "有色"),
        ("3216", "铝冶炼", "有色"),
        ("3011", "水泥制造", "建材"),
        ("303", "砖瓦、石材等建筑材料制造", "建材"),
        ("3071", "建筑陶瓷制品制造", "建材"),
        ("3072", "卫生陶瓷制品制造", "建材"),
        ("3089", "耐火陶瓷制品及其他耐火材料制造", "建材"),
        ("3091", "石墨及碳素制品制造", "建材"),
        ("33", "金属制品业", "机械"),
        ("3670", "汽车零部件及配件制造", "机械"),
        ("40", "仪器仪表制造业", "机械"),
        ("43", "金属制品、机械和设备修理业", "机械"),
        ("３１１０", "炼铁", "冶金"),
    ],
)
def test_a_class_that_was_read(code: str, class_name: str, industry: str) -> None:
    assert Industry(industry) == industry_of(code), class_name


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("305", "玻璃制品制造: excepted from 建材"),
        ("3054", "日用玻璃制品制造: excepted from 建材"),
        ("3073", "特种陶瓷制品制造: excepted from 建材"),
        ("3074", "日用陶瓷制品制造: excepted from 建材"),
        ("3075", "陈设艺术陶瓷制造: excepted from 建材"),
        ("3076", "园艺陶瓷制造: excepted from 建材"),
        ("3079", "其他陶瓷制品制造: excepted from 建材"),
        ("30", "too short: partly 建材"),
        ("307", "too short: partly 建材"),
        ("13", "轻工 was not read"),
        ("17", "纺织 was not read"),
        ("16", "烟草 was not read"),
        ("52", "商贸 was not read"),
        ("41", "not among the divisions read"),
        ("42", "not among the divisions read"),
        ("D3120", "letter and digits contradict"),
        ("3", "not a code"),
        ("31200", "not a code"),
        ("钢铁", "not a code"),
        ("", "not a code"),
    ],
)
def test_what_was_not_read_is_unknown(code: str, why: str) -> None:
    assert UNKNOWN == industry_of(code), why


def test_machinery_has_exceptions_that_were_not_read() -> None:
    assert {Industry.MACHINERY} == PROVISIONAL_INDUSTRIES
