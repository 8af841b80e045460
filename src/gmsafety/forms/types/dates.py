"""Dates as clerks type them. A day without a year belongs to the campaign; a day that does not exist is a finding."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from .problem import BLANK, Parsed, Trouble
from .text import is_blank, shorten

_EPOCH = date(1899, 12, 30)
_DIGITS = str.maketrans("〇零○Ｏ一二三四五六七八九", "0000123456789")
_CHINESE_DATE = re.compile(
    r"([〇零○一二三四五六七八九\d]{4}|[〇零○一二三四五六七八九\d]{2})年([一二三四五六七八九十\d]{1,3})月([一二三四五六七八九十\d]{1,3})[日号]?"
)
_SEP = r"[-./\\年月,、 ]"
_FULL = re.compile(rf"(?<!\d)((?:19|20)\d\d|\d\d){_SEP}(\d{{1,2}}){_SEP}(\d{{1,2}})(?![\d年月])[日号]?")
_COMPACT = re.compile(r"(?<!\d)((?:19|20)\d\d)(\d\d)(\d\d)(?!\d)")
_SHORT = re.compile(r"(?<![\d.年])(\d{1,2})(?:月|/|-)(\d{1,2})(?:日|号)?(?![\d月/.-])")
_GAP = re.compile(r"(?<!\d)\s+|\s+(?!\d)")
_CLOCK = re.compile(r"\s?(?:T|上午|下午|星期.|周[一二三四五六日])?\(?\d{0,2}:?\d{0,2}(?::\d{2}(?:\.\d+)?)?\)?Z?")


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
    text = _loose(raw)
    if re.fullmatch(r"\d{5}(\.\d+)?", text):
        return _from_number(float(text))
    found = find_dates(text, window)
    if len(found) != 1 or not _CLOCK.fullmatch(_rest(text, found[0])):
        return Parsed(None, Trouble("not-a-date", {"text": shorten(raw)}))
    _, value = found[0]
    if value is None:
        return Parsed(None, Trouble("impossible-date", {"text": shorten(raw)}))
    return Parsed(value)


def _loose(raw: object) -> str:
    """Fold, but keep a space between digits: 2024-12-16 09:30."""
    return _GAP.sub("", unicodedata.normalize("NFKC", str(raw)))


def find_dates(text: str, window: Window = ANY) -> list[tuple[tuple[int, int], date | None]]:
    """Find every date in a folded text, with its span; None where no such day exists."""
    text = _CHINESE_DATE.sub(_to_digits, text)
    found: list[tuple[tuple[int, int], date | None]] = []
    for pattern in (_FULL, _COMPACT, _SHORT):
        for match in pattern.finditer(text):
            if all(match.end() <= a or match.start() >= b for (a, b), _ in found):
                found.append((match.span(), _value(match, window)))
    return sorted(found, key=lambda item: item[0])


def _value(match: re.Match[str], window: Window) -> date | None:
    parts = [int(g) for g in match.groups()]
    try:
        if len(parts) == 2:
            return window.place(*parts)
        year = parts[0] if parts[0] > 99 else 2000 + parts[0]
        return date(year, parts[1], parts[2])
    except ValueError:
        return None


def _rest(text: str, found: tuple[tuple[int, int], date | None]) -> str:
    (a, b), _ = found
    text = _CHINESE_DATE.sub(_to_digits, text)
    return (text[:a] + text[b:]).strip("。.,，前日号")


def _to_digits(match: re.Match[str]) -> str:
    year, month, day = match.groups()
    return f"{year.translate(_DIGITS)}年{_small(month)}月{_small(day)}日"


def _small(text: str) -> str:
    """Turn 二十三 into 23; digits stay."""
    if "十" not in text:
        return text.translate(_DIGITS)
    tens, _, ones = text.partition("十")
    return (tens.translate(_DIGITS) or "1") + (ones.translate(_DIGITS) or "0")


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
