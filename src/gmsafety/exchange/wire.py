"""What travels between nodes, and how it is taken in: strictly, so that what is read is exactly what was signed.

A moment written with another offset, a number written as text, a key written twice: each says the same to one
program and something else to the next. All of it is refused, at once and in one error.
"""

import datetime as dt
import json
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints, ValidationError

from ..provenance import Value
from .canonical import LARGEST_INT, path_in_words, plain
from .errors import Malformed

_M = TypeVar("_M", bound=Value)

_UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_SAID = {
    "extra_forbidden": "没有这个键",
    "json_invalid": "不是合法的JSON",
    "missing": "缺少这个键",
    "string_type": "应为文字",
    "string_too_short": "不能为空",
    "int_type": "应为整数",
    "bool_type": "应为true或false",
    "date_type": "应为日期",
    "date_parsing": "应为日期",
    "datetime_type": "应为时间",
    "datetime_parsing": "应为时间",
    "timezone_aware": "时间没有时区",
    "model_type": "应为对象",
    "tuple_type": "应为数组",
    "greater_than_equal": "太小",
    "less_than_equal": "太大",
    "literal_error": "不是规定的值",
    "string_pattern_mismatch": "应为64位小写十六进制的SHA-256",
}


def is_unseen(mark: str) -> bool:
    """Tell whether a character leaves no mark on paper: controls, direction overrides, zero-width ones, line ends."""
    return unicodedata.category(mark) in _UNSEEN


def _seen(text: str) -> str:
    if text.isprintable():  # holds none of those, and is much sooner told
        return text
    unseen = next(filter(is_unseen, text), None)
    if unseen is not None:
        raise ValueError(f"含有看不见的字符U+{ord(unseen):04X}")
    return text


def _utc(moment: dt.datetime) -> dt.datetime:
    if not 1970 <= moment.year <= 9998:
        raise ValueError("年份超出范围")
    return moment.astimezone(dt.UTC)


Line = Annotated[str, StringConstraints(min_length=1), AfterValidator(_seen)]
"""Text of one line that shows all it holds: an identifier, a name, a title."""

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0, le=LARGEST_INT)]

Moment = Annotated[AwareDatetime, AfterValidator(_utc)]
"""A moment with its zone, kept in UTC."""


def take(model: type[_M], content: Any, *, noun: str) -> _M:
    """Read JSON (text, bytes, or already parsed) as a model; Malformed (a ValueError) lists everything wrong."""
    given, text = _parsed(content, noun)
    try:
        value = model.model_validate_json(text, strict=True)
    except ValidationError as error:
        raise Malformed(noun, _problems(error)) from error
    otherwise = list(_differences(given, plain(value.model_dump()), ()))
    if otherwise:
        raise Malformed(noun, otherwise)
    return value


def _parsed(content: Any, noun: str) -> tuple[Any, str]:
    """Parse, and write again in ASCII for the stricter parser of the model."""
    try:
        if isinstance(content, bytes):
            content = content.decode("utf-8")
        text = content if isinstance(content, str) else json.dumps(content, allow_nan=False)
        given = json.loads(text, object_pairs_hook=_once)
        return given, json.dumps(given)
    except (ValueError, TypeError, RecursionError) as error:
        said = str(error) if isinstance(error, _Twice) else "不是合法的JSON"
        raise Malformed(noun, [said]) from error


class _Twice(ValueError):
    """A key is given twice: one program reads the first, another the last."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for key, value in pairs:
        if key in out:
            raise _Twice(f"“{key}”写了两次")
        out[key] = value
    return out


def _problems(error: ValidationError) -> Iterable[str]:
    for item in error.errors(include_url=False, include_input=False):
        said = str(item["msg"]).removeprefix("Value error, ")
        yield f"{path_in_words(item['loc'])}：{_SAID.get(item['type'], said)}"


def _differences(given: Any, own: Any, path: tuple[str | int, ...]) -> Iterator[str]:
    """Tell where the same value would have been written otherwise; the model forbids keys of which it knows none."""
    if isinstance(own, dict):
        for key, inner in own.items():
            if key in given:
                yield from _differences(given[key], inner, (*path, key))
            else:
                yield f"{path_in_words((*path, key))}：{_SAID['missing']}"
    elif isinstance(own, list):
        for index, inner in enumerate(own):
            yield from _differences(given[index], inner, (*path, index))
    elif given != own:
        yield f"{path_in_words(path)}：应写作{own}"
