"""Dates as clerks type them. A day without a year belongs to the campaign; a day that does not exist is a finding."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from .problem import BLANK, Parsed, Trouble
from .text import is_blank, shorten

_EPOCH = date(1899, 12, 30)
_DASHES = str.maketrans({"–": "-", "—": "-", "−": "-", "‐": "-", "‑": "-"})
_NUMERAL = "〇零○一二三四五六七八九十"
_CHINESE_DATE = re.compile(
    rf"(?:([{_NUMERAL}\d]{{4}}|[{_NUMERAL}\d]{{2}})年)?([一二三四五六七八九十]{{1,2}}|\d{{1,2}})月([一二三四五六七八九十]{{1,3}}|\d{{1,2}})[日号]?"
)
_SEP = r"[-./\\年月,、 ]"
_FULL = re.compile(rf"(?<!\d)((?:19|20)\d\d|\d\d){_SEP}(\d{{1,2}}){_SEP}(\d{{1,2}})(?!\d|[年月])[日号]?")
_COMPACT = re.compile(r"(?<!\d)((?:19|20)\d\d)(\d\d)(\d\d)(?!\d)")
_SHORT = re.compile(r"(?<![\d.年])(\d{1,2})(?:月|/|-)(\d{1,2})(?:日|号)?(?![\d月/-]|\.\d)")
_DOTTED = re.compile(r"(?<![\d.年])(\d{1,2})\.(\d{1,2})(?:日|号)?(?![\d.]|[万千亿%]|元|米|吨)")
_GAP = re.compile(r"(?<!\d)\s+|\s+(?!\d)|(?<=\d)[_＿]+|(?<![_＿])[_＿]+(?=\d)")
_REST = re.compile(
    r"\s?[(（]?(?:星期|周|礼拜)?[一二三四五六日天]?[)）]?\s?T?(?:上午|下午|中午)?\s?(?:\d{1,2}(?::\d{2}){1,2}(?:\.\d+)?|\d{1,2}[时点](?:\d{1,2}分?|半)?)?Z?"
)


@dataclass(frozen=True, slots=True)
class Window:
    """The days a date without a year may belong to, and the day of filing."""

    first: date | None = None
    last: date | None = None
    filed: date | None = None

    def place(self, month: int, day: int) -> date | None:
        """Give a month and day their year: inside the window, else the latest not after filing.

        ValueError if there is no such day.
        """
        anchor = self.filed or self.last or self.first
        if anchor is None:
            date(2024, month, day)
            return None
        candidates = [d for year in range(anchor.year - 4, anchor.year + 2) if (d := _day(year, month, day))]
        if not candidates:
            raise ValueError(f"{month}月{day}日")
        inside = [d for d in candidates if (not self.first or d >= self.first) and (not self.last or d <= self.last)]
        past = [d for d in candidates if d <= anchor]
        return max([d for d in inside if d <= anchor] or inside or past or candidates)


@dataclass(frozen=True, slots=True)
class Found:
    """A date in a text: where it stands, and the day, or None where no such day exists."""

    start: int
    end: int
    day: date | None


ANY = Window()


def parse_date(raw: object, window: Window = ANY) -> Parsed:
    """Read one date: a date cell, a serial number, 2024.12.20 and its variants, 二〇二四年…, 12月20日."""
    if isinstance(raw, datetime):
        return Parsed(raw.date())
    if isinstance(raw, date):
        return Parsed(raw)
    if isinstance(raw, (int, float)) and not isinstance(raw, bool):
        return _from_number(float(raw))
    if is_blank(raw):
        return BLANK
    text = loosen(raw).lstrip("'‘’`")
    if re.fullmatch(r"\d{5}(\.\d+)?", text):
        return _from_number(float(text))
    found = find_dates(text, window)
    if len(found) != 1 or not _REST.fullmatch(_around(text, found[0])):
        return Parsed(None, Trouble("not-a-date", {"text": shorten(raw)}))
    if found[0].day is None:
        return Parsed(None, Trouble("impossible-date", {"text": shorten(raw)}))
    return Parsed(found[0].day)


def loosen(raw: object) -> str:
    """Fold a text for dates: a space between digits stays (2024-12-16 09:30), numerals become digits."""
    text = _GAP.sub("", unicodedata.normalize("NFKC", str(raw)).translate(_DASHES))
    return _CHINESE_DATE.sub(_to_digits, text)


def find_dates(text: str, window: Window = ANY) -> list[Found]:
    """Find every date in a loosened text, in order."""
    found: list[Found] = []
    taken = bytearray(len(text))
    for pattern in (_FULL, _COMPACT, _SHORT, _DOTTED):
        for match in pattern.finditer(text):
            start, end = match.span()
            if not any(taken[start:end]):
                taken[start:end] = b"\1" * (end - start)
                found.append(Found(start, end, _value(match, window)))
    return sorted(found, key=lambda f: f.start)


def _value(match: re.Match[str], window: Window) -> date | None:
    parts = [int(g) for g in match.groups()]
    try:
        if len(parts) == 2:
            return window.place(*parts)
        return date(parts[0] if parts[0] > 99 else 2000 + parts[0], parts[1], parts[2])
    except ValueError:
        return None


def _around(text: str, found: Found) -> str:
    return (text[: found.start] + text[found.end :]).strip("。.,，;；日号")


def _to_digits(match: re.Match[str]) -> str:
    year, month, day = match.groups()
    written = f"{_year(year)}年" if year else ""
    return f"{written}{_small(month)}月{_small(day)}日"


def _year(text: str) -> str:
    return "".join(
        str("〇一二三四五六七八九".find(c)) if c in "〇一二三四五六七八九" else "0" if c in "零○" else c for c in text
    )


def _small(text: str) -> str:
    """Turn 二十三 into 23; digits stay."""
    if "十" not in text:
        return _year(text)
    tens, _, ones = text.partition("十")
    return (_year(tens) or "1") + (_year(ones) or "0")


def _from_number(number: float) -> Parsed:
    if 20_000 <= number < 80_000:
        return Parsed(_EPOCH + timedelta(days=int(number)))
    if 19_000_101 <= number <= 20_991_231 and number == int(number):
        value = _day(int(number) // 10000, int(number) // 100 % 100, int(number) % 100)
        return Parsed(value) if value else Parsed(None, Trouble("impossible-date", {"text": str(int(number))}))
    return Parsed(None, Trouble("not-a-date", {"text": f"{number:g}"}))


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def chinese_date(day: date) -> str:
    """Write a date as official forms print it: 2024年12月20日."""
    return f"{day.year}年{day.month}月{day.day}日"
