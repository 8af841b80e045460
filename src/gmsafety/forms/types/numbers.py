"""Numbers as clerks type them: `３条`, `12家`, `3.5万元`, 无 for 0, 1,234, 十二. An unclear number is never guessed."""

import re
from decimal import Decimal, InvalidOperation

from .problem import BLANK, Parsed, Trouble
from .text import MINUS, fold, is_blank, no_note_marks, shorten

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_THOUSANDS = re.compile(r"(?<![\d.,])(?:[1-9]\d?)(?:,\d{3})+(?![\d,])|(?<![\d.,])[1-9]\d{2}(?:,\d{3}){2,}(?![\d,])")
_BARE_POINT = re.compile(r"(?<!\d)\.\d")
_CHINESE = re.compile(r"[零〇一二两三四五六七八九十百千万]+")
_ZERO_WORDS = frozenset({"无", "零", "〇", "没有", "暂无"})
_EDGES = " ,，.。;；:：、“”\"'_*＊()（）[]【】〔〕"
WAN = Decimal(10000)


def parse_number(raw: object, *, units: tuple[str, ...] = (), words: bool = False) -> Parsed:
    """Read one decimal number out of what stands in a cell or a blank.

    `units` are words that may follow the number, once or doubled. With `words`, 无 and 零 mean 0
    (inside a sentence); otherwise 无 is a blank. Value: a Decimal, or None.
    """
    if isinstance(raw, bool):
        return Parsed(None, Trouble("not-a-number", {"text": str(raw)}))
    if isinstance(raw, (int, float, Decimal)):
        return Parsed(_exact(raw))
    text = fold(no_note_marks(str(raw))).translate(MINUS)
    if _BARE_POINT.search(text):
        return Parsed(None, Trouble("not-a-number", {"text": shorten(text)}))
    text = text.strip(_EDGES)
    if words and text in _ZERO_WORDS:
        return Parsed(Decimal(0))
    if is_blank(text) or not text.strip("-"):
        return BLANK
    for unit in units:
        while unit and text.endswith(unit) and text != unit:
            text = text[: -len(unit)]
    text = _THOUSANDS.sub(lambda m: m.group().replace(",", ""), text).strip(_EDGES)
    return _the_only_number(text)


def _the_only_number(text: str) -> Parsed:
    found = _NUMBER.findall(text)
    if len(found) > 1:
        return Parsed(None, Trouble("several-numbers", {"text": shorten(text)}))
    if found and found[0] == text and len(text) < 20:
        return Parsed(Decimal(text))
    if not found and _CHINESE.fullmatch(text):
        return _chinese(text)
    return Parsed(None, Trouble("not-a-number", {"text": shorten(text)}))


def _chinese(text: str) -> Parsed:
    import cn2an  # noqa: PLC0415 - rarely needed

    try:
        return Parsed(Decimal(str(cn2an.cn2an(text.replace("〇", "零"), "smart"))))
    except (ValueError, KeyError, InvalidOperation):
        return Parsed(None, Trouble("not-a-number", {"text": shorten(text)}))


def _exact(number: int | float | Decimal) -> Decimal | None:
    value = Decimal(repr(number)) if isinstance(number, float) else Decimal(number)
    return value if value.is_finite() else None


def as_count(parsed: Parsed) -> Parsed:
    """Narrow a number to a count: a whole number; one below zero is trouble, and kept."""
    value, trouble = parsed
    if trouble or value is None:
        return parsed
    if value != value.to_integral_value():
        return Parsed(None, Trouble("not-an-integer", {"text": plain(value)}))
    return Parsed(int(value), Trouble("negative-number", {"text": plain(value)}) if value < 0 else None)


def as_money(parsed: Parsed) -> Parsed:
    """Narrow a number of 万元 to yuan; below zero or finer than one yuan is trouble, and the value is kept."""
    value, trouble = parsed
    if trouble or value is None:
        return parsed
    yuan = value * WAN
    if value < 0:
        return Parsed(yuan, Trouble("negative-number", {"text": plain(value)}))
    if yuan != yuan.to_integral_value():
        return Parsed(yuan, Trouble("money-too-fine", {"text": plain(value)}))
    return Parsed(yuan.to_integral_value())


def as_ratio(raw: object) -> Parsed:
    """Read a ratio: 85.7%, a cell that shows 0.857 as per cent, or 85.7 in a column that is headed %."""
    value, trouble = parse_number(raw, units=("%",))
    if trouble or value is None:
        return Parsed(value, trouble)
    if value < 0:
        return Parsed(None, Trouble("negative-number", {"text": plain(value)}))
    shown = isinstance(raw, str) and ("%" in raw or "％" in raw)
    return Parsed(value / 100 if shown or value > 1 else value)


def plain(value: Decimal | int) -> str:
    """Write a number without exponent and without trailing zeros."""
    if isinstance(value, int):
        return str(value)
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
