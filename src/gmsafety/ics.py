"""The deadline feed: dated duties as an iCalendar file (RFC 5545) that phones and Outlook can subscribe to.

A deadline is an event without length that blocks nobody's time. Times are written in Asia/Shanghai. The same events
and the same `now` give the same bytes; an event keeps its UID, so that a changed deadline moves and is not doubled.
"""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from icalendar import Alarm, Component, Event, Timezone

_ZONE = "Asia/Shanghai"
_OFFSET = dt.timedelta(hours=8)
_PRODUCT = "-//gmsafety//deadlines//ZH"


@dataclass(frozen=True, slots=True)
class IcsEvent:
    """One deadline; `uid` is the same at every export, `alarm_minutes` rings so long before it (None: no alarm)."""

    uid: str
    summary: str
    due: dt.datetime
    description: str = ""
    alarm_minutes: int | None = None

    def __post_init__(self) -> None:
        """Refuse what no calendar program can show; ValueError."""
        if not self.uid or not self.uid.isprintable():
            raise ValueError(f"not a UID: {self.uid!r}")
        if self.alarm_minutes is not None and self.alarm_minutes < 0:
            raise ValueError(f"{self.uid}: an alarm rings before the deadline, not {self.alarm_minutes} minutes before")
        _refuse_naive(self.due)


def to_ics(events: Iterable[IcsEvent], *, calendar_name: str, now: dt.datetime) -> bytes:
    """Write the events by due time; `now` is their DTSTAMP. ValueError for a UID given twice or a time without zone."""
    from icalendar import Calendar  # noqa: PLC0415 - takes longer to load than the rest of the core

    _refuse_naive(now)
    calendar = Calendar()
    _add(calendar, version="2.0", prodid=_PRODUCT, calscale="GREGORIAN", method="PUBLISH")
    _add(calendar, name=_clean(calendar_name), x_wr_calname=_clean(calendar_name), x_wr_timezone=_ZONE)
    calendar.add_component(_timezone())
    for event in _by_due_time(events):
        calendar.add_component(_event(event, now=now))
    content: bytes = calendar.to_ical()
    return content


def _event(event: IcsEvent, *, now: dt.datetime) -> Event:
    from icalendar import Event  # noqa: PLC0415 - as above

    component = Event()
    _add(component, uid=event.uid, dtstamp=now.astimezone(dt.UTC), dtstart=event.due.astimezone(ZoneInfo(_ZONE)))
    _add(component, summary=_clean(event.summary), transp="TRANSPARENT")
    if event.description:
        _add(component, description=_clean(event.description))
    if event.alarm_minutes is not None:
        component.add_component(_alarm(event.summary, minutes=event.alarm_minutes))
    return component


def _alarm(summary: str, *, minutes: int) -> Alarm:
    from icalendar import Alarm  # noqa: PLC0415 - as above

    alarm = Alarm()
    _add(alarm, action="DISPLAY", description=_clean(summary), trigger=-dt.timedelta(minutes=minutes))
    return alarm


def _timezone() -> Timezone:
    """Describe China's one offset; the summer time of 1986 to 1991 is left out, no duty is that old."""
    from icalendar import Timezone, TimezoneStandard  # noqa: PLC0415 - as above

    standard = TimezoneStandard()
    _add(standard, dtstart=dt.datetime(1992, 1, 1), tzoffsetfrom=_OFFSET, tzoffsetto=_OFFSET, tzname="CST")
    timezone = Timezone()
    _add(timezone, tzid=_ZONE)
    timezone.add_component(standard)
    return timezone


def _add(component: Component, **properties: object) -> None:
    for name, value in properties.items():
        component.add(name.replace("_", "-"), value)


def _by_due_time(events: Iterable[IcsEvent]) -> list[IcsEvent]:
    ordered = sorted(events, key=lambda event: (event.due, event.uid))
    seen: set[str] = set()
    for event in ordered:
        if event.uid in seen:
            raise ValueError(f"the UID {event.uid!r} is given twice")
        seen.add(event.uid)
    return ordered


def _clean(text: str) -> str:
    """Keep line ends, drop the other control characters: a calendar program refuses the whole file for one."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(mark for mark in lines if mark == "\n" or unicodedata.category(mark) != "Cc")


def _refuse_naive(moment: dt.datetime) -> None:
    if moment.tzinfo is None:
        raise ValueError(f"a time with its zone is wanted, not {moment!r}")
