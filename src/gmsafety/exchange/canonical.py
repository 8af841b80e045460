"""Canonical JSON (RFC 8785): equal values give equal bytes on every node, so that hashes and signatures agree.

Fractions are refused, for programs write them differently; an amount travels as a whole number or as text.
"""

import datetime as dt
import hashlib
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from .errors import NotCanonical, client_extra

LARGEST_INT = 2**53 - 1
DEEPEST = 100

_Path = tuple[str | int, ...]


def canonical(value: Any) -> bytes:
    """Write a value as canonical JSON; NotCanonical (a ValueError) names the path of what has none."""
    with client_extra():
        import rfc8785  # noqa: PLC0415 - only of the extra `client`

    return rfc8785.dumps(plain(value))


def digest(data: bytes) -> str:
    """SHA-256 in lower-case hex, as `sha256sum` prints it."""
    return hashlib.sha256(data).hexdigest()


def plain(value: Any) -> Any:
    """Turn dates, moments, tuples and whole Decimals into what JSON has; NotCanonical as for `canonical`."""
    return _plain(value, ())


def _plain(value: Any, path: _Path) -> Any:
    if len(path) > DEEPEST:
        raise _refusal(path[:3], f"嵌套超过{DEEPEST}层")
    if isinstance(value, Mapping):
        return {_key(key, path): _plain(inner, (*path, key)) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner, (*path, index)) for index, inner in enumerate(value)]
    return _scalar(value, path)


def _key(key: Any, path: _Path) -> str:
    if not isinstance(key, str):
        raise _refusal(path, f"键应为文字，不是{key!r}")
    return _text(key, path)


def _scalar(value: Any, path: _Path) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _text(value, path)
    if isinstance(value, int):
        return _whole(value, path)
    if isinstance(value, Decimal):
        return _decimal(value, path)
    if isinstance(value, dt.datetime):
        return _moment(value, path)
    if isinstance(value, dt.date):
        return value.isoformat()
    raise _refusal(path, f"规范JSON不能表示{type(value).__name__}类型的值")


def _text(value: str, path: _Path) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise _refusal(path, "文字中有半个字符（单独的UTF-16代理项）") from None
    return str.__str__(value)


def _whole(value: int | Decimal, path: _Path) -> int:
    if not -LARGEST_INT <= value <= LARGEST_INT:
        raise _refusal(path, "整数的绝对值超过2的53次方，各程序读法不一")
    return int(value)


def _decimal(value: Decimal, path: _Path) -> int:
    """Look at the size before converting: 1E+1000000 is short to write and long to expand."""
    if not value.is_finite():
        raise _refusal(path, f"{value}不是数")
    if -LARGEST_INT <= value <= LARGEST_INT and value != value.to_integral_value():
        raise _refusal(path, f"{value}不是整数")
    return _whole(value, path)


def _moment(value: dt.datetime, path: _Path) -> str:
    if value.utcoffset() is None:
        raise _refusal(path, f"时间{value.isoformat()}没有时区")
    try:
        return value.astimezone(dt.UTC).replace(tzinfo=None).isoformat() + "Z"
    except OverflowError:
        raise _refusal(path, f"时间{value.isoformat()}超出范围") from None


def _refusal(path: _Path, text: str) -> NotCanonical:
    return NotCanonical(path_in_words(path), text)


def path_in_words(path: tuple[str | int, ...]) -> str:
    """Write a path as `rows[3].money`; `$` is the whole."""
    words = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return words.removeprefix(".").encode("utf-8", "replace").decode() or "$"
