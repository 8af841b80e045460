"""What is due, by when, from whom.

`once` on a day; `recurring` every week at a time of day; in a `window`; so many days before or after an event
(`offset`); at least so often in each month, quarter, half-year or year (`quota`); `standing`, without a day.

Times are Beijing time. A due date on a day off is not moved unless the duty says so; it is flagged.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self, TypeAlias
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from .calendar import WorkCalendar
from .provenance import Citation, Names, TagValue, Value
from .rules import compile_expression

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
    do: str | None = Field(None, description="what is done where nothing is handed in")
    at: Annotated[time, BeforeValidator(_time)] = END_OF_DAY
    holiday: Literal["none", "next", "previous"] = "none"
    source: Citation

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if not self.file and not self.hand_in and not self.do:
            raise ValueError(f"“{self.title}”没有说明要报什么（file、hand_in）或做什么（do）")
        return self

    def days(self) -> Iterator[date]:
        """The days on which it is due, before holidays are considered."""
        raise AssertionError("each kind of duty says its days")

    def opens(self, period: date) -> date:
        """The first day on which a form of a period may be dated: a week with the due day as its last."""
        return period - timedelta(days=6)

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


class Window(Duty):
    """Done between two days, both included; `soft` where the notice says 原则上."""

    kind: Literal["window"] = "window"
    first: date
    last: date
    soft: bool = False

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first:
            raise ValueError(f"结束日期{self.last}早于开始日期{self.first}")
        return self

    def days(self) -> Iterator[date]:
        """The last day."""
        yield self.last


class Offset(Duty):
    """Due so many calendar days before (`days_after` below zero) or after an event that each body has of its own."""

    kind: Literal["offset"] = "offset"
    event: str = Field(description="the event, as the notice names it: 复工复产")
    days_after: int

    def days(self) -> Iterator[date]:
        """None before the event has a day; see `due_for`."""
        yield from ()

    def due_for(self, event: date, calendar: WorkCalendar) -> "Occurrence":
        """When it is due for an event on a day: at the end of the day so many days before or after."""
        day = event + timedelta(days=self.days_after)
        moved = self._moved(day, calendar)
        return Occurrence(self, event, datetime.combine(moved, self.at, BEIJING), _flags(day, moved, calendar))


Span: TypeAlias = Literal["month", "quarter", "half-year", "year"]
_MONTHS: Mapping[Span, int] = MappingProxyType({"month": 1, "quarter": 3, "half-year": 6, "year": 12})


class Variant(Value):
    """How often those do it who bear the tags (`when: {metal_smelting: true}`), instead of everybody's number."""

    when: dict[str, TagValue]
    per: Span
    at_least: int = Field(ge=1)
    source: Citation | None = None


class Quota(Duty):
    """Done at least so often in each month, quarter, half-year or year; more often by those a variant names."""

    kind: Literal["quota"] = "quota"
    per: Span
    at_least: int = Field(ge=1)
    first: date
    last: date
    variants: tuple[Variant, ...] = ()

    def days(self) -> Iterator[date]:
        """The last day of every period."""
        yield from (last for _, last in periods(self.per, self.first, self.last))

    def opens(self, period: date) -> date:
        """The first day of the month, quarter, half-year or year."""
        return next((a for a, b in periods(self.per, self.first, self.last) if b == period), super().opens(period))

    def needed(self, tags: Mapping[str, object]) -> tuple[Span, int]:
        """How often somebody with these tags does it: the most specific variant that fits, else the rule for all."""
        fitting = [v for v in self.variants if all(tags.get(k) == want for k, want in v.when.items())]
        best = max(fitting, key=lambda v: len(v.when), default=None)
        return (best.per, best.at_least) if best else (self.per, self.at_least)

    def counted(self, done: Iterable[date], tags: Mapping[str, object] = MappingProxyType({})) -> list["Count"]:
        """What was done in every period, and how much is still missing."""
        days = sorted(done)
        per, least = self.needed(tags)
        return [Count(a, b, least, sum(a <= d <= b for d in days)) for a, b in periods(per, self.first, self.last)]


@dataclass(frozen=True, slots=True)
class Count:
    """One period of a quota: how often it was to be done, and how often it was."""

    first: date
    last: date
    at_least: int
    done: int

    @property
    def missing(self) -> int:
        """How often it is still to be done."""
        return max(0, self.at_least - self.done)


def periods(per: Span, first: date, last: date) -> Iterator[tuple[date, date]]:
    """Calendar months, quarters, half-years or years that reach into a time, cut to it."""
    months = _MONTHS[per]
    year, month = first.year, (first.month - 1) // months * months + 1
    while (start := date(year, month, 1)) <= last:
        year, month = (year, month + months) if month + months <= 12 else (year + 1, 1)
        yield max(start, first), min(date(year, month, 1) - timedelta(days=1), last)


class Prefill(Value):
    """How a form begins: with a row for each form of another duty that its unit has received.

    An expression (CEL) for each column reads `header` and `rows` of what was received, and `sender`, who filed it.
    """

    of: str = Field(description="id of the duty that is received")
    row: dict[str, str] = Field(description="column and expression")

    def row_of(self, header: Mapping[str, Any], rows: Iterable[Mapping[str, Any]], sender: str) -> dict[str, Any]:
        """The row that comes of one received form."""
        known = {"header": dict(header), "rows": [dict(r) for r in rows], "sender": sender}
        return {column: compile_expression(text).value(known) for column, text in self.row.items()}


class Standing(Duty):
    """Without a day: always (`值班值守`), or at once when something happens (`on: 发现重大事故隐患`)."""

    kind: Literal["standing"] = "standing"
    on: str | None = Field(None, description="what it follows upon, as the notice says; None: always")
    each: str | None = Field(None, description="field of the form's head that tells one filing from the next")
    prefill: Prefill | None = None

    def days(self) -> Iterator[date]:
        """None."""
        yield from ()


_MARKS = (("every", "recurring"), ("per", "quota"), ("days_after", "offset"), ("by", "once"), ("first", "window"))


def _kind_of(value: Any) -> str:
    if isinstance(value, dict):
        return str(value.get("kind") or next((kind for key, kind in _MARKS if key in value), "standing"))
    return str(getattr(value, "kind", "once"))


AnyDuty = Annotated[
    Annotated[Once, Tag("once")]
    | Annotated[Recurring, Tag("recurring")]
    | Annotated[Window, Tag("window")]
    | Annotated[Offset, Tag("offset")]
    | Annotated[Quota, Tag("quota")]
    | Annotated[Standing, Tag("standing")],
    Discriminator(_kind_of),
]
"""A duty of any kind, as a YAML author writes it; the kind follows from its keys."""
DUTY_KINDS = frozenset(("once", "recurring", "window", "offset", "quota", "standing"))


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
        """First and last day on which a form of this period may be dated."""
        return self.duty.opens(self.period), self.period


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
