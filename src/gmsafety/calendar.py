"""Working days of mainland China: festivals, weekends and make-up working days (调休).

The State Council's yearly notices are read from the package chinesecalendar (2004 on); a year that it does not know
yet comes from an overlay file. Any other year is provisional: weekends are assumed, and every answer says so.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import NoReturn

import yaml
from yaml import Node

MAKE_UP_WORKDAY = "调休上班"
_WEEKEND = MappingProxyType({5: "周六", 6: "周日"})
_FESTIVALS = MappingProxyType(
    {
        "New Year's Day": "元旦",
        "Spring Festival": "春节",
        "Tomb-sweeping Day": "清明节",
        "Labour Day": "劳动节",
        "Dragon Boat Festival": "端午节",
        "Mid-autumn Festival": "中秋节",
        "National Day": "国庆节",
        "Anti-Fascist 70th Day": "抗战胜利70周年纪念日",
    }
)
_OVERLAY_KEYS = ("year", "source", "holidays", "workdays")


@dataclass(frozen=True, slots=True)
class Day:
    """One day with the reason why it is worked or not; `provisional` where its year's notice is not known."""

    date: dt.date
    working: bool
    name: str | None
    provisional: bool

    @property
    def public_holiday(self) -> bool:
        """Say whether the day off belongs to a named festival (its bridged days included), not to a plain weekend."""
        return not self.working and self.name not in _WEEKEND.values()


@dataclass(frozen=True, slots=True)
class OverlayDay:
    """One day as a yearly notice states it: a festival's day off, or a make-up working day."""

    working: bool
    name: str


class WorkCalendar:
    """Answers which days are worked; a day stated by the overlay wins over the package."""

    __slots__ = ("_overlay", "_years")

    def __init__(
        self, overlay: Mapping[dt.date, OverlayDay] | None = None, *, years: Iterable[int] | None = None
    ) -> None:
        """Take the stated days and the years that they make known (by default every year with a stated day)."""
        self._overlay = MappingProxyType(dict(overlay or {}))
        self._years = frozenset(years if years is not None else (date.year for date in self._overlay))

    @classmethod
    def from_yaml(cls, *paths: Path | str) -> WorkCalendar:
        """Read yearly overlay files; ValueError names the file, the line and the reason."""
        overlay: dict[dt.date, OverlayDay] = {}
        years: dict[int, Path | str] = {}
        for path in paths:
            year, days = _OverlayFile(path).read()
            if year in years:
                raise ValueError(f"{path}: {year}年已由 {years[year]} 给出")
            years[year] = path
            overlay |= days
        return cls(overlay, years=years)

    def day(self, date: dt.date) -> Day:
        """Describe one calendar date of Asia/Shanghai."""
        if isinstance(date, dt.datetime):
            raise ValueError(f"a date is wanted, not a time: {date!r} (take its date in Asia/Shanghai)")
        stated = self._overlay.get(date) or _national_days().get(date)
        if stated is not None:
            return Day(date, stated.working, stated.name, provisional=False)
        weekend = _WEEKEND.get(date.weekday())
        return Day(date, weekend is None, weekend, provisional=not self._knows(date.year))

    def is_working(self, date: dt.date) -> bool:
        """Say whether the date is worked, make-up days included."""
        return self.day(date).working

    def next_working(self, date: dt.date) -> dt.date:
        """Find the first working day on or after the date (顺延)."""
        return self._seek(date, step=1)

    def previous_working(self, date: dt.date) -> dt.date:
        """Find the last working day on or before the date (提前)."""
        return self._seek(date, step=-1)

    def add_working_days(self, date: dt.date, count: int) -> dt.date:
        """Count working days from the day after the date (before it, if negative); 0 gives the date itself."""
        step = 1 if count > 0 else -1
        for _ in range(abs(count)):
            date = self._seek(date + dt.timedelta(days=step), step=step)
        return date

    def _seek(self, date: dt.date, *, step: int) -> dt.date:
        while not self.is_working(date):
            date += dt.timedelta(days=step)
        return date

    def _knows(self, year: int) -> bool:
        return year in self._years or year in _national_years()


@functools.cache
def _national_days() -> Mapping[dt.date, OverlayDay]:
    """Restate the package's two tables in our words; its festival names are English."""
    from chinese_calendar import Holiday, holidays, workdays  # noqa: PLC0415 - not every command asks for a date

    days = {date: OverlayDay(False, _FESTIVALS.get(name) or Holiday(name).chinese) for date, name in holidays.items()}
    days |= {date: OverlayDay(True, MAKE_UP_WORKDAY) for date in workdays}
    return MappingProxyType(days)


@functools.cache
def _national_years() -> range:
    """Give the years that the package knows: it covers them without a gap."""
    dates = [date for date, day in _national_days().items() if not day.working]
    return range(min(dates).year, max(dates).year + 1)


class _OverlayFile:
    """Reads one overlay file from YAML nodes: every scalar is text until typed here, every complaint has its line."""

    def __init__(self, path: Path | str) -> None:
        self._path = Path(path)

    def read(self) -> tuple[int, dict[dt.date, OverlayDay]]:
        root = self._mapping(self._compose())
        for key in _OVERLAY_KEYS:
            if key not in root:
                self._refuse(f"缺少“{key}”")
        if unknown := sorted(root.keys() - set(_OVERLAY_KEYS)):
            self._refuse(f"不认识的键“{unknown[0]}”，应为 {'、'.join(_OVERLAY_KEYS)}", root[unknown[0]])
        year = self._year(root["year"])
        self._text(root["source"])
        return year, self._days(year, root["holidays"], root["workdays"])

    def _days(self, year: int, holidays: Node, workdays: Node) -> dict[dt.date, OverlayDay]:
        days: dict[dt.date, OverlayDay] = {}
        for name, node in self._mapping(holidays).items():
            for date in self._span(name, node):
                self._state(days, year, date, OverlayDay(False, name), node)
        for node in self._sequence(workdays):
            date = self._date(node)
            if date.weekday() not in _WEEKEND:
                self._refuse(f"{date} 不是周六或周日，不会是{MAKE_UP_WORKDAY}", node)
            self._state(days, year, date, OverlayDay(True, MAKE_UP_WORKDAY), node)
        return days

    def _state(self, days: dict[dt.date, OverlayDay], year: int, date: dt.date, day: OverlayDay, node: Node) -> None:
        if not dt.date(year - 1, 12, 1) <= date <= dt.date(year, 12, 31):
            self._refuse(f"{date} 不在{year}年（元旦假期可自上年12月起）", node)
        if date in days:
            self._refuse(f"{date} 重复：{days[date].name}、{day.name}", node)
        days[date] = day

    def _span(self, name: str, node: Node) -> Iterator[dt.date]:
        if not name.strip() or name in (*_WEEKEND.values(), MAKE_UP_WORKDAY):
            self._refuse(f"“{name}”不是节日名称", node)
        ends = [self._date(item) for item in self._sequence(node)]
        if len(ends) != 2 or ends[0] > ends[1]:
            self._refuse(f"“{name}”应为 [起, 止] 两个日期，含首尾，起不晚于止", node)
        return (ends[0] + dt.timedelta(days=n) for n in range((ends[1] - ends[0]).days + 1))

    def _compose(self) -> Node | None:
        try:
            return yaml.compose(self._path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise ValueError(f"{self._path}: 不能读取：{error}") from error

    def _mapping(self, node: Node | None) -> dict[str, Node]:
        if not isinstance(node, yaml.MappingNode):
            self._refuse("应为“键: 值”", node)
        found: dict[str, Node] = {}
        for key, value in node.value:
            if (name := self._text(key)) in found:
                self._refuse(f"键“{name}”重复", key)
            found[name] = value
        return found

    def _sequence(self, node: Node) -> list[Node]:
        if not isinstance(node, yaml.SequenceNode):
            self._refuse("应为列表 [ … ]", node)
        return list(node.value)

    def _text(self, node: Node) -> str:
        if not isinstance(node, yaml.ScalarNode) or not node.value.strip():
            self._refuse("应为文字", node)
        return str(node.value)

    def _year(self, node: Node) -> int:
        text = self._text(node)
        if not (len(text) == 4 and text.isascii() and text.isdigit()):
            self._refuse(f"“{text}”不是四位年份", node)
        return int(text)

    def _date(self, node: Node) -> dt.date:
        text = self._text(node)
        try:
            return dt.datetime.strptime(text, "%Y-%m-%d").date()
        except ValueError:
            self._refuse(f"“{text}”不是日期，应写作 2027-01-24", node)

    def _refuse(self, reason: str, node: Node | None = None) -> NoReturn:
        place = f"{self._path}:{node.start_mark.line + 1}" if node is not None else str(self._path)
        raise ValueError(f"{place}: {reason}")
