"""Types of a field: tables of what clerks type and what it means."""

from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmsafety.forms.types.dates import Window, chinese_date, parse_date
from gmsafety.forms.types.numbers import as_count, as_money, parse_number
from gmsafety.forms.types.phrases import missing_parts, read_completion
from gmsafety.forms.types.text import is_blank, is_dots, looks_like_formula, squash

CAMPAIGN = Window(date(2024, 12, 6), date(2025, 3, 31), date(2025, 1, 10))

DATES = (
    ("2024-12-16", date(2024, 12, 16)),
    ("2024.12.16", date(2024, 12, 16)),
    ("2024/12/6", date(2024, 12, 6)),
    ("2024年12月16日", date(2024, 12, 16)),
    ("2024 年 12 月 16 日", date(2024, 12, 16)),
    ("２０２４年１２月１９日", date(2024, 12, 19)),
    ("二〇二四年十二月二十三日", date(2024, 12, 23)),
    ("二○二五年一月三日", date(2025, 1, 3)),
    ("20241221", date(2024, 12, 21)),
    (20241221.0, date(2024, 12, 21)),
    (45645, date(2024, 12, 19)),
    ("45645", date(2024, 12, 19)),
    ("24.12.20", date(2024, 12, 20)),
    ("12月29日", date(2024, 12, 29)),
    ("1月3日", date(2025, 1, 3)),
    ("3月20日", date(2025, 3, 20)),
    ("2024-12-16 09:30:00", date(2024, 12, 16)),
    (datetime(2024, 12, 16, 9, 30), date(2024, 12, 16)),
    (date(2024, 12, 16), date(2024, 12, 16)),
    ("/", None),
    ("无", None),
    ("", None),
)

NO_DATES = (
    ("2025年2月30日", "impossible-date"),
    ("2024-13-01", "impossible-date"),
    ("2月30日", "impossible-date"),
    (20250230.0, "impossible-date"),
    ("2024.12.16-18", "not-a-date"),
    ("2024.12.16、2024.12.18", "not-a-date"),
    ("2024年12月", "not-a-date"),
    ("近日", "not-a-date"),
    (12.2, "not-a-date"),
)


@pytest.mark.parametrize(("typed", "day"), DATES)
def test_dates(typed: object, day: date | None) -> None:
    assert (day, None) == parse_date(typed, CAMPAIGN)


@pytest.mark.parametrize(("typed", "kind"), NO_DATES)
def test_no_dates(typed: object, kind: str) -> None:
    value, trouble = parse_date(typed, CAMPAIGN)

    assert value is None
    assert trouble is not None
    assert kind == trouble.slug


@given(st.dates(date(2000, 1, 1), date(2099, 12, 31)))
def test_every_day_reads_back_however_it_is_written(day: date) -> None:
    ways = (chinese_date(day), day.isoformat(), f"{day:%Y.%m.%d}", f"{day:%Y/%m/%d}", f"{day:%Y%m%d}")

    assert {day} == {parse_date(w).value for w in ways}


NUMBERS = (
    ("12", 12),
    ("３", 3),
    ("12家", 12),
    (" 7 ", 7),
    ("1,234", 1234),
    ("12,345,678", 12345678),
    ("十二", 12),
    (3.0, 3),
    ("3.0", 3),
    ("/", None),
    ("—", None),
    ("无", None),
)


@pytest.mark.parametrize(("typed", "number"), NUMBERS)
def test_numbers(typed: object, number: int | None) -> None:
    assert (number, None) == as_count(parse_number(typed, units=("家",)))


@given(st.integers(0, 10**9), st.sampled_from(["", "家", "条"]))
def test_every_count_reads_back(number: int, unit: str) -> None:
    wide = str(number).translate(str.maketrans("0123456789", "０１２３４５６７８９"))

    assert number == as_count(parse_number(f"{number}{unit}", units=(unit,))).value
    assert number == as_count(parse_number(f" {wide} {unit}", units=(unit,))).value


@given(st.decimals(0, 10**8, places=4))
def test_money_is_whole_yuan_inside(wan: Decimal) -> None:
    value, trouble = as_money(parse_number(f"{wan}万元", units=("万元",)))

    assert wan * 10000 == value
    assert trouble is None


COMPLETIONS = (
    ("已完成整改，完成时间2024年12月24日", True, date(2024, 12, 24)),
    ("2024.12.31已完成整改", True, date(2024, 12, 31)),
    ("已完成整改（2024-12-22）", True, date(2024, 12, 22)),
    ("已整改完毕，12月24日通过复查", True, date(2024, 12, 24)),
    ("２０２４年１２月２１日整改完毕并通过复查", True, date(2024, 12, 21)),
    ("已销号，2024年12月28日", True, date(2024, 12, 28)),
    ("2024年12月24日", True, date(2024, 12, 24)),
    ("已完成整改", True, None),
    ("整改中", False, None),
    ("正在整改，已完成50％", False, None),
    ("尚未完成整改", False, None),
    ("未整改", False, None),
    ("计划2025年1月31日前完成整改", False, None),
    ("部分整改，其余正在整改", False, None),
    ("完成进度3/4，预计1月20日完成", False, None),
    ("完成进度100%，完成时间2024/12/20", True, date(2024, 12, 20)),
    ("整改进度：2024/12/20完成", True, date(2024, 12, 20)),
    ("", False, None),
    ("/", False, None),
)


@pytest.mark.parametrize(("typed", "done", "day"), COMPLETIONS)
def test_completion(typed: str, done: bool, day: date | None) -> None:
    state = read_completion(typed, CAMPAIGN)

    assert (done, day) == (state.done, state.day)


def test_a_completion_date_that_does_not_exist() -> None:
    assert "2024年11月31日" == read_completion("已完成整改，完成时间2024年11月31日", CAMPAIGN).bad_day


PARTS = ("责任", "措施", "资金|经费|投入", "时限|期限", "预案|应急处置")
MEASURES = (
    ("责任：企业主要负责人负责；措施：加装阀门；资金：1.2万元；时限：2024年12月29日前；预案：立即关闭总阀。", ()),
    ("1.整改责任：副总经理；2.整改措施：设置隔墙；3.整改资金：0.8万元；4.整改时限：2025年1月13日；5.应急预案：停用。", ()),
    ("责任人：主要负责人。措施：停止作业。资金2万元。时限2025年3月15日。预案：由持证人员顶岗。", ()),
    ("责任：企业主要负责人负责；措施：加装报警装置；时限：2025年1月31日前；预案：失效时立即停炉撤人。", ("资金",)),
    ("措施：落实安全责任、加装报警装置；资金：2万元；时限：2025年1月31日前；预案：撤人。", ("责任",)),
    ("责任：厂长；措施：；资金：2万元；时限：1月底；预案：撤人。", ("措施",)),
    ("已安排专人整改。", ("责任", "措施", "资金", "时限", "预案")),
)  # fmt: skip


@pytest.mark.parametrize(("text", "missing"), MEASURES)
def test_five_part_measure(text: str, missing: tuple[str, ...]) -> None:
    assert missing == missing_parts(text, PARTS)


@pytest.mark.parametrize("text", ["", " ", "/", "\\", "-", "--", "—", "－", "无", "**", "____", "无 ", "\u3000", None])
def test_blanks(text: str | None) -> None:
    assert is_blank(text)


@pytest.mark.parametrize("text", ["0", "无锡", "无家", "-5", "整改中", 0, 0.0, date(2024, 12, 20)])
def test_not_blanks(text: object) -> None:
    assert not is_blank(text)


def test_dots_and_formulas() -> None:
    assert is_dots(".....")
    assert is_dots("……")
    assert not is_dots("1.")
    assert looks_like_formula("=cmd|' /C calc'!A0")
    assert looks_like_formula("@SUM(1+1)")
    assert not looks_like_formula("-")
    assert "a\nb" == squash(" a_x000D_b\x00 ")
