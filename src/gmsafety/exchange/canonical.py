"""Canonical JSON (RFC 8785): equal values give equal bytes on every node, so that hashes and signatures agree.

Fractions are refused, for programs write them differently; an amount travels as a whole number or as text.
"""

import datetime as dt
import hashlib
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import orjson

from .errors import NotCanonical, client_extra

LARGEST_INT = 2**53 - 1
DEEPEST = 100

_ASTRAL = bytes(range(0xF0, 0xF5))  # the first bytes of characters above U+FFFF
_FRACTIONS = tuple(re.compile(before + rb"-?[0-9]+[.eE]").search for before in (rb'":', rb",", rb"\["))
"""Each looks for one way in which a number can begin; within a text it may be found as well, that is a doubt."""
_QUICKLY = orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER | orjson.OPT_PASSTHROUGH_DATETIME


def canonical(value: Any) -> bytes:
    """Write a value as canonical JSON; NotCanonical (a ValueError) names the path of what has none."""
    with client_extra():
        import rfc8785  # noqa: PLC0415 - only of the extra `client`

    taken = plain(value)
    # The RFC sorts keys as UTF-16 does, which is another order only where there are characters above U+FFFF.
    quick = orjson.dumps(taken, option=orjson.OPT_SORT_KEYS)
    return rfc8785.dumps(taken) if _is_astral(quick) else quick


def canonical_typed(told: Mapping[str, Any] | list[Any]) -> bytes:
    """Write what a model says whose fields all have a type, none of them a fraction: nothing has to be looked for."""
    try:
        quick = orjson.dumps(told, _typed, _QUICKLY)
    except TypeError:
        return canonical(told)
    return canonical(told) if _is_astral(quick) else quick


def is_simple(content: bytes) -> bool:
    """Tell at a glance whether a JSON object holds neither fractions nor deep nests nor rare characters.

    A doubt is a no.
    """
    nests = content.count(b"{") + content.count(b"[")
    return nests <= DEEPEST and not _is_astral(content) and not any(look(content) for look in _FRACTIONS)


def canonical_simple(value: Any) -> bytes | None:
    """Write what was read from simple JSON; None where something has to be looked for after all."""
    try:
        return orjson.dumps(value, None, _QUICKLY)
    except TypeError:
        return None


def _is_astral(written: bytes) -> bool:
    return len(written.translate(None, _ASTRAL)) < len(written)


def digest(data: bytes) -> str:
    """SHA-256 in lower-case hex, as `sha256sum` prints it."""
    return hashlib.sha256(data).hexdigest()


def plain(value: Any) -> Any:
    """Turn dates, moments, tuples and whole Decimals into what JSON has; NotCanonical as for `canonical`."""
    try:
        return _plain(value, 0)
    except _Refusal as refusal:
        path = tuple(reversed(refusal.steps))
        raise NotCanonical(path_in_words(path[:3] if refusal.is_deep else path), refusal.text) from None


class _Refusal(Exception):
    """What has no canonical JSON; the steps of its path are added on the way out, for hardly ever is one wanted."""

    def __init__(self, text: str, *, is_deep: bool = False) -> None:
        self.text, self.is_deep = text, is_deep
        self.steps: list[str | int] = []


def _plain(value: Any, depth: int) -> Any:
    if depth > DEEPEST:
        raise _Refusal(f"嵌套超过{DEEPEST}层", is_deep=True)
    kind = type(value)
    if kind is str:
        return value if value.isascii() else _text(value)
    if value is None or kind is bool:
        return value
    if kind is int:
        return _whole(value)
    if kind is dict or isinstance(value, Mapping):
        return _object(value, depth + 1)
    if isinstance(value, list | tuple):
        return _array(value, depth + 1)
    return _scalar(value)


def _object(value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
    out = {}
    for key, inner in value.items():
        name = _key(key)
        try:
            out[name] = _plain(inner, depth)
        except _Refusal as refusal:
            refusal.steps.append(name)
            raise
    return out


def _array(value: list[Any] | tuple[Any, ...], depth: int) -> list[Any]:
    out = []
    for index, inner in enumerate(value):
        try:
            out.append(_plain(inner, depth))
        except _Refusal as refusal:
            refusal.steps.append(index)
            raise
    return out


def _key(key: Any) -> str:
    if type(key) is str and key.isascii():
        return key
    if not isinstance(key, str):
        raise _Refusal(f"键应为文字，不是{key!r}")
    return _text(key)


def _scalar(value: Any) -> Any:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int):
        return _whole(value)
    if isinstance(value, Decimal):
        return _decimal(value)
    if isinstance(value, dt.datetime):
        return _moment(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    raise _Refusal(f"规范JSON不能表示{type(value).__name__}类型的值")


def _typed(value: Any) -> str:
    if isinstance(value, dt.datetime):
        return _moment(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    raise TypeError


def _text(value: str) -> str:
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise _Refusal("文字中有半个字符（单独的UTF-16代理项）") from None
    return str.__str__(value)


def _whole(value: int | Decimal) -> int:
    if not -LARGEST_INT <= value <= LARGEST_INT:
        raise _Refusal("整数的绝对值超过2的53次方，各程序读法不一")
    return int(value)


def _decimal(value: Decimal) -> int:
    """Look at the size before converting: 1E+1000000 is short to write and long to expand."""
    if not value.is_finite():
        raise _Refusal(f"{value}不是数")
    if -LARGEST_INT <= value <= LARGEST_INT and value != value.to_integral_value():
        raise _Refusal(f"{value}不是整数")
    return _whole(value)


def _moment(value: dt.datetime) -> str:
    if value.utcoffset() is None:
        raise _Refusal(f"时间{value.isoformat()}没有时区")
    try:
        return value.astimezone(dt.UTC).replace(tzinfo=None).isoformat() + "Z"
    except OverflowError:
        raise _Refusal(f"时间{value.isoformat()}超出范围") from None


def path_in_words(path: tuple[str | int, ...]) -> str:
    """Write a path as `rows[3].money`; `$` is the whole."""
    words = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return words.removeprefix(".").encode("utf-8", "replace").decode() or "$"
