"""Words for moments and spans, as the pages of this room say them."""

from datetime import date, datetime

from gmsafety.duties import BEIJING

_WEEKDAYS = "一二三四五六日"


def weekday(day: date) -> str:
    """周五."""
    return f"周{_WEEKDAYS[day.weekday()]}"


def when(moment: datetime, now: datetime) -> str:
    """A moment as one says it now: `今日 12:00`, `12月31日 18:00`, `2025年3月25日 23:59`."""
    there, here = moment.astimezone(BEIJING), now.astimezone(BEIJING)
    clock = f"{there:%H:%M}"
    if there.date() == here.date():
        return f"今日 {clock}"
    day = f"{there.month}月{there.day}日 {clock}"
    return day if abs((there.date() - here.date()).days) < 300 else f"{there.year}年{day}"


def span(minutes: int) -> str:
    """A span of time in two parts at most: `23分钟`, `1小时20分`, `2天3小时`."""
    if minutes < 60:
        return f"{minutes}分钟"
    hours, rest = divmod(minutes, 60)
    if hours < 24:
        return f"{hours}小时{rest}分" if rest else f"{hours}小时"
    days, hours = divmod(hours, 24)
    return f"{days}天{hours}小时" if hours else f"{days}天"
