"""The deadline feed, as calendar programs read it."""

import datetime as dt
from typing import Any

import pytest
from icalendar import Calendar

from gmsafety.ics import IcsEvent, to_ics

NOW = dt.datetime(2024, 12, 16, 1, 0, tzinfo=dt.UTC)
NOON_IN_CHINA = dt.datetime(2024, 12, 20, 4, 0, tzinfo=dt.UTC)
WEEKLY = IcsEvent(
    uid="zezhou.weekly-dispatch.2024-12-20@gmsafety",
    summary="周调度统计表；第1周",
    due=NOON_IN_CHINA,
    description="报送晋城市工贸专委会\n依据：四（三）",
    alarm_minutes=90,
)

FEED = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//gmsafety//deadlines//ZH
CALSCALE:GREGORIAN
METHOD:PUBLISH
NAME:泽州县待报事项
X-WR-CALNAME:泽州县待报事项
X-WR-TIMEZONE:Asia/Shanghai
BEGIN:VTIMEZONE
TZID:Asia/Shanghai
BEGIN:STANDARD
DTSTART:19920101T000000
TZNAME:CST
TZOFFSETFROM:+0800
TZOFFSETTO:+0800
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
SUMMARY:周调度统计表；第1周
DTSTART;TZID=Asia/Shanghai:20241220T120000
DTSTAMP:20241216T010000Z
UID:zezhou.weekly-dispatch.2024-12-20@gmsafety
DESCRIPTION:报送晋城市工贸专委会\\n依据：四（三）
TRANSP:TRANSPARENT
BEGIN:VALARM
ACTION:DISPLAY
DESCRIPTION:周调度统计表；第1周
TRIGGER:-PT1H30M
END:VALARM
END:VEVENT
END:VCALENDAR
"""


def feed(*events: IcsEvent, now: dt.datetime = NOW) -> bytes:
    return to_ics(events, calendar_name="泽州县待报事项", now=now)


def entries(content: bytes) -> list[Any]:
    return list(Calendar.from_ical(content).walk("VEVENT"))


def event(uid: str, **changes: Any) -> IcsEvent:
    return IcsEvent(**({"uid": uid, "summary": "台账", "due": NOON_IN_CHINA} | changes))


def test_a_deadline_is_written_in_china_time_with_its_alarm() -> None:
    assert FEED.replace("\n", "\r\n") == feed(WEEKLY).decode()


def test_a_calendar_program_reads_the_moment_back() -> None:
    (entry,) = entries(feed(WEEKLY))

    assert entry["DTSTART"].dt == NOON_IN_CHINA
    assert WEEKLY.uid == str(entry["UID"])
    assert WEEKLY.description == str(entry["DESCRIPTION"])


def test_the_same_events_in_another_order_give_the_same_bytes() -> None:
    later = event("b@x", due=NOON_IN_CHINA + dt.timedelta(weeks=1))

    assert feed(WEEKLY, later) == feed(later, WEEKLY)


def test_an_event_needs_neither_description_nor_alarm() -> None:
    (entry,) = entries(feed(event("a@x")))

    assert "DESCRIPTION" not in entry
    assert [] == entry.subcomponents


def test_an_empty_feed_is_still_a_calendar() -> None:
    assert [] == entries(feed())


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("一;二,三\\四", "一;二,三\\四"),
        ("一\r\n二\r三", "一\n二\n三"),
        ("一\x00二\x1b", "一二"),
        ("晋应急发〔2024〕354号" * 20, "晋应急发〔2024〕354号" * 20),
        ("X\nBEGIN:VALARM", "X\nBEGIN:VALARM"),
    ],
)
def test_any_text_survives(typed: str, read: str) -> None:
    (entry,) = entries(feed(event("a@x", summary=typed)))

    assert read == str(entry["SUMMARY"])


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"uid": ""}, "not a UID"),
        ({"uid": "a\nb"}, "not a UID"),
        ({"due": NOON_IN_CHINA.replace(tzinfo=None)}, "a time with its zone is wanted"),
        ({"alarm_minutes": -5}, "an alarm rings before the deadline"),
    ],
)
def test_an_event_that_cannot_be_shown_is_refused(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        event(**({"uid": "a@x"} | changes))


def test_a_uid_is_given_once() -> None:
    with pytest.raises(ValueError, match="given twice"):
        feed(event("a@x"), event("a@x", summary="另一件"))


def test_now_needs_a_zone() -> None:
    with pytest.raises(ValueError, match="a time with its zone is wanted"):
        feed(WEEKLY, now=NOW.replace(tzinfo=None))
