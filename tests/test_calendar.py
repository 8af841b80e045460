"""Days off and make-up days as the State Council's notices print them, and what is assumed where none is known."""

import datetime as dt
from pathlib import Path

import chinese_calendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmsafety.calendar import Day, OverlayDay, WorkCalendar

NATIONAL = WorkCalendar()

OVERLAY_2027 = """\
year: 2027
source: 国办发明电〔2026〕×号
holidays: {元旦: [2027-01-01, 2027-01-03], 春节: [2027-02-05, 2027-02-11]}   # from, to, both included
workdays: [2027-01-24, 2027-02-14]                                            # 调休上班
"""


def day_of(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def overlay_file(folder: Path, text: str) -> Path:
    path = folder / "2027.yaml"
    path.write_text(text, encoding="utf-8")
    return path


# date, 星期, worked, name, public holiday
KNOWN_DAYS = """
2022-12-31  六  休  元旦      节
2024-06-28  五  班  -         -
2024-06-29  六  休  周六      -
2024-06-30  日  休  周日      -
2024-12-19  四  班  -         -
2024-12-20  五  班  -         -
2024-12-21  六  休  周六      -
2024-12-27  五  班  -         -
2024-12-31  二  班  -         -
2025-01-01  三  休  元旦      节
2025-01-02  四  班  -         -
2025-01-25  六  休  周六      -
2025-01-26  日  班  调休上班  -
2025-01-27  一  班  -         -
2025-01-28  二  休  春节      节
2025-01-31  五  休  春节      节
2025-02-01  六  休  春节      节
2025-02-04  二  休  春节      节
2025-02-05  三  班  -         -
2025-02-08  六  班  调休上班  -
2025-02-09  日  休  周日      -
2025-03-28  五  班  -         -
2025-04-04  五  休  清明节    节
2025-04-07  一  班  -         -
2025-04-27  日  班  调休上班  -
2025-05-02  五  休  劳动节    节
2025-05-05  一  休  劳动节    节
2025-05-31  六  休  端午节    节
2025-06-02  一  休  端午节    节
2025-09-28  日  班  调休上班  -
2025-10-03  五  休  国庆节    节
2025-10-06  一  休  中秋节    节
2025-10-08  三  休  国庆节    节
2025-10-11  六  班  调休上班  -
2015-09-03  四  休  抗战胜利70周年纪念日  节
"""


@pytest.mark.parametrize("row", KNOWN_DAYS.strip().splitlines())
def test_a_known_day_is_as_the_notice_prints_it(row: str) -> None:
    date, weekday, worked, name, festival = row.split()
    day = NATIONAL.day(day_of(date))

    assert weekday == "一二三四五六日"[day.date.weekday()]
    assert (worked, name, festival) == (
        "班" if day.working else "休",
        day.name or "-",
        "节" if day.public_holiday else "-",
    )
    assert not day.provisional


def test_the_fridays_of_the_campaign_meet_one_public_holiday() -> None:
    fridays = [day_of("2024-12-20") + dt.timedelta(weeks=week) for week in range(15)]

    assert day_of("2025-03-28") == fridays[-1]
    assert [day_of("2025-01-31")] == [friday for friday in fridays if NATIONAL.day(friday).public_holiday]


@pytest.mark.parametrize(
    ("date", "previous", "following"),
    [
        ("2024-06-30", "2024-06-28", "2024-07-01"),  # a Sunday
        ("2025-01-31", "2025-01-27", "2025-02-05"),  # Spring Festival
        ("2025-01-26", "2025-01-26", "2025-01-26"),  # a make-up day is worked itself
        ("2025-02-09", "2025-02-08", "2025-02-10"),  # a Sunday after a make-up Saturday
        ("2022-12-31", "2022-12-30", "2023-01-03"),  # over the turn of the year
    ],
)
def test_a_due_date_can_be_moved_to_a_working_day(date: str, previous: str, following: str) -> None:
    assert day_of(previous) == NATIONAL.previous_working(day_of(date))
    assert day_of(following) == NATIONAL.next_working(day_of(date))


@pytest.mark.parametrize(
    ("date", "count", "expected"),
    [
        ("2024-12-20", 0, "2024-12-20"),
        ("2024-12-20", 1, "2024-12-23"),
        ("2025-01-24", 1, "2025-01-26"),  # the make-up Sunday counts
        ("2025-01-27", 1, "2025-02-05"),
        ("2025-01-27", 5, "2025-02-10"),  # 02-05, 06, 07, 08 (调休上班), 10
        ("2025-02-05", -3, "2025-01-24"),  # 01-27, 01-26 (调休上班), 01-24
        ("2025-01-31", 0, "2025-01-31"),
        ("2025-01-31", -1, "2025-01-27"),
    ],
)
def test_working_days_are_counted_from_the_next_day(date: str, count: int, expected: str) -> None:
    assert day_of(expected) == NATIONAL.add_working_days(day_of(date), count)


@given(
    st.dates(dt.date(2004, 1, 10), dt.date(2026, 11, 30)),
    st.integers(1, 30),
)
def test_counting_forth_and_back_returns_to_a_working_day(date: dt.date, count: int) -> None:
    start = NATIONAL.next_working(date)

    assert start == NATIONAL.add_working_days(NATIONAL.add_working_days(start, count), -count)


@given(st.dates(dt.date(2004, 1, 1), dt.date(2026, 12, 31)))
def test_the_package_is_believed_where_it_knows(date: dt.date) -> None:
    assert chinese_calendar.is_workday(date) == NATIONAL.is_working(date)


def test_every_festival_of_the_package_has_its_chinese_name() -> None:
    names = {NATIONAL.day(date).name for date in chinese_calendar.holidays}

    assert {
        "元旦",
        "春节",
        "清明节",
        "劳动节",
        "端午节",
        "中秋节",
        "国庆节",
        "抗战胜利70周年纪念日",
    } == names


@pytest.mark.parametrize(
    ("date", "working", "name"),
    [
        ("2027-01-01", True, None),
        ("2027-02-06", False, "周六"),
        ("2027-02-14", False, "周日"),
        ("2003-10-01", True, None),
    ],
)
def test_an_unknown_year_assumes_weekends_and_says_so(date: str, working: bool, name: str | None) -> None:
    assert Day(day_of(date), working, name, provisional=True) == NATIONAL.day(day_of(date))


@pytest.mark.parametrize(
    ("date", "working", "name"),
    [
        ("2027-01-01", False, "元旦"),
        ("2027-01-03", False, "元旦"),
        ("2027-01-04", True, None),
        ("2027-01-24", True, "调休上班"),
        ("2027-02-05", False, "春节"),
        ("2027-02-11", False, "春节"),
        ("2027-02-12", True, None),
        ("2027-02-14", True, "调休上班"),
        ("2027-02-20", False, "周六"),
    ],
)
def test_an_overlay_makes_its_year_known(tmp_path: Path, date: str, working: bool, name: str | None) -> None:
    calendar = WorkCalendar.from_yaml(overlay_file(tmp_path, OVERLAY_2027))

    assert Day(day_of(date), working, name, provisional=False) == calendar.day(day_of(date))
    assert calendar.day(day_of("2028-01-03")).provisional


def test_an_overlay_may_open_in_the_december_before(tmp_path: Path) -> None:
    text = "year: 2028\nsource: 示例\nholidays: {元旦: [2027-12-31, 2028-01-02]}\nworkdays: []\n"
    calendar = WorkCalendar.from_yaml(overlay_file(tmp_path, text))

    assert "元旦" == calendar.day(day_of("2027-12-31")).name
    assert calendar.day(day_of("2027-12-30")).provisional


def test_an_overlay_wins_over_the_package() -> None:
    calendar = WorkCalendar({day_of("2026-03-02"): OverlayDay(working=False, name="临时放假")})

    assert Day(day_of("2026-03-02"), False, "临时放假", provisional=False) == calendar.day(day_of("2026-03-02"))


@pytest.mark.parametrize(
    ("printed", "typed", "complaint"),
    [
        ("2027-01-24,", "2027-01-25,", ":4: 2027-01-25 不是周六或周日，不会是调休上班"),
        ("2027-01-24,", "2027-13-24,", ":4: “2027-13-24”不是日期，应写作 2027-01-24"),
        ("2027-01-24,", "2027-02-06,", ":4: 2027-02-06 重复：春节、调休上班"),
        ("2027-02-14", "2028-02-13", ":4: 2028-02-13 不在2027年（元旦假期可自上年12月起）"),
        ("2027-01-03]", "2026-01-03]", ":3: “元旦”应为 [起, 止] 两个日期，含首尾，起不晚于止"),
        ("[2027-01-01, 2027-01-03]", "2027-01-01", ":3: 应为列表 [ … ]"),
        ("元旦", "周六", ":3: “周六”不是节日名称"),
        ("春节", "元旦", ":3: 键“元旦”重复"),
        ("2027\n", "二〇二七\n", ":1: “二〇二七”不是四位年份"),
        ("source", "sauce", ": 缺少“source”"),
        ("year: 2027", "year: 2027\nnote: x", ":2: 不认识的键“note”，应为 year、source、holidays、workdays"),
        ("国办发明电〔2026〕×号", "", ":2: 应为文字"),
        (OVERLAY_2027, "- 2027", ":1: 应为“键: 值”"),
        (OVERLAY_2027, "", ": 应为“键: 值”"),
        (OVERLAY_2027, "a: [", ": 不能读取："),
    ],
)
def test_a_wrong_overlay_names_file_line_and_reason(tmp_path: Path, printed: str, typed: str, complaint: str) -> None:
    path = overlay_file(tmp_path, OVERLAY_2027.replace(printed, typed, 1))

    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the text is compared below
        WorkCalendar.from_yaml(path)

    assert str(caught.value).startswith(f"{path}{complaint}")


def test_two_overlays_of_one_year_contradict(tmp_path: Path) -> None:
    path = overlay_file(tmp_path, OVERLAY_2027)

    with pytest.raises(ValueError, match="2027年已由"):
        WorkCalendar.from_yaml(path, path)


def test_a_missing_overlay_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"2029\.yaml: 不能读取"):
        WorkCalendar.from_yaml(tmp_path / "2029.yaml")


def test_a_time_is_not_a_date() -> None:
    with pytest.raises(ValueError, match="a date is wanted"):
        NATIONAL.day(dt.datetime(2025, 1, 31, 12, tzinfo=dt.UTC))
