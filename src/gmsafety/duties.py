"""What is due, by when, from whom: `once` on a day, or `recurring` every week at a time of day.

Times are Beijing time. A due date on a day off is not moved unless the duty says so; it is flagged.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from .calendar import WorkCalendar
from .provenance import Citation, Names, Value

BEIJING = ZoneInfo("Asia/Shanghai")
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
END_OF_DAY = time(23, 59, 59)


def _time(value: object) -> object:
    return f"{value}:00" if isinstance(value, str) and re.fullmatch(r"\d{1,2}:\d{2}", value) else value


class Deliverable(Value):
    """A document to be handed in (方案, 总结): its title and the artefacts that make it complete."""

    id: str
    title: str
    artefacts: Names = ("editable",)


class Duty(Value):
    """What every duty says: who owes what to whom, and where it is written."""

    id: str
    title: str
    from_: Names = Field(alias="from", description="roles of the units that owe it")
    to: Names = Field((), description="roles of the units it goes to")
    file: Names = Field((), description="forms")
    hand_in: tuple[Deliverable, ...] = ()
    at: Annotated[time, BeforeValidator(_time)] = END_OF_DAY
    holiday: Literal["none", "next", "previous"] = "none"
    source: Citation

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if not self.file and not self.hand_in:
            raise ValueError(f"“{self.title}”没有说明要报什么（file 或 hand_in）")
        return self

    def days(self) -> Iterator[date]:
        """The days on which it is due, before holidays are considered."""
        raise AssertionError("each kind of duty says its days")

    def occurrences(self, calendar: WorkCalendar) -> Iterator["Occurrence"]:
        """Every time it is due, in order. The period keeps the day as printed, even where the due day is moved."""
        for day in self.days():
            moved = self._moved(day, calendar)
            due = datetime.combine(moved, self.at, BEIJING)
            yield Occurrence(self, day, due, _flags(day, moved, calendar))

    def _moved(self, day: date, calendar: WorkCalendar) -> date:
        if self.holiday == "next":
            return calendar.next_working(day)
        return calendar.previous_working(day) if self.holiday == "previous" else day


class Once(Duty):
    """Due once."""

    kind: Literal["once"] = "once"
    by: date

    def days(self) -> Iterator[date]:
        """The one day."""
        yield self.by


class Recurring(Duty):
    """Due every week on a weekday (`every: friday`) from `first` to `last`, both included."""

    kind: Literal["recurring"] = "recurring"
    every: Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
    first: date
    last: date

    @model_validator(mode="before")
    @classmethod
    def _day_and_time(cls, value: Any) -> Any:
        """Take `every: friday 12:00` apart."""
        if isinstance(value, dict) and isinstance(value.get("every"), str) and " " in value["every"]:
            every, _, at = value["every"].partition(" ")
            return {**value, "every": every, "at": at.strip()}
        return value

    @model_validator(mode="after")
    def _on_its_day(self) -> Self:
        if self.first.weekday() != _DAYS.index(self.every):
            raise ValueError(f"第一次{self.first}不是{self.every}")
        if self.last < self.first:
            raise ValueError(f"最后一次{self.last}早于第一次{self.first}")
        return self

    @property
    def rrule(self) -> str:
        """The rule as RFC 5545 has it; UNTIL is a UTC time, for a bare date would lose the last day."""
        until = datetime.combine(self.last, self.at, BEIJING).astimezone(ZoneInfo("UTC"))
        return f"FREQ=WEEKLY;BYDAY={self.every[:2].upper()};UNTIL={until:%Y%m%dT%H%M%SZ}"

    def days(self) -> Iterator[date]:
        """Every week's day."""
        from dateutil.rrule import rrulestr  # noqa: PLC0415 - not needed to load a catalog

        start = datetime.combine(self.first, self.at, BEIJING)
        for moment in rrulestr(self.rrule, dtstart=start):
            yield moment.date()


def _kind_of(value: Any) -> str:
    if isinstance(value, dict):
        return str(value.get("kind") or ("recurring" if "every" in value else "once"))
    return str(getattr(value, "kind", "once"))


AnyDuty = Annotated[
    Annotated[Once, Tag("once")] | Annotated[Recurring, Tag("recurring")],
    Discriminator(_kind_of),
]
"""A duty of any kind, as a YAML author writes it."""


@dataclass(frozen=True, slots=True)
class Flag:
    """Something to know about a due day: `public-holiday`, `day-off`, `moved`, `provisional`."""

    slug: str
    text: str


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One time that a duty is due: `period` is the day as printed and names the period, `due` the moment.

    `campaign` is the full name of the campaign, where the catalog gave the occurrence.
    """

    duty: Duty
    period: date
    due: datetime
    flags: tuple[Flag, ...] = ()
    campaign: str = ""

    @property
    def window(self) -> tuple[date, date]:
        """First and last day on which a form of this period may be dated: the week that ends on the due day."""
        return self.period - timedelta(days=6), self.period


def _flags(day: date, moved: date, calendar: WorkCalendar) -> tuple[Flag, ...]:
    known = calendar.day(day)
    flags = []
    if known.public_holiday:
        flags.append(Flag("public-holiday", f"{day.isoformat()}是法定节假日（{known.name}）"))
    elif not known.working:
        flags.append(Flag("day-off", f"{day.isoformat()}是{known.name}"))
    if moved != day:
        flags.append(Flag("moved", f"顺延或提前到{moved.isoformat()}"))
    if known.provisional:
        flags.append(Flag("provisional", f"{day.year}年放假安排尚未公布，暂按周末推算"))
    return tuple(flags)
