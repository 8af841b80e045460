"""Words, counts and amounts that enterprises, hazards and inspections share."""

import unicodedata
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

WAN = Decimal(10000)
_MOST_YUAN = 10**14


def _in_one_line(text: str) -> str:
    if len(text.splitlines()) > 1:
        raise ValueError("只能写一行")
    return _visible(text)


def _visible(text: str) -> str:
    if any(mark not in "\n\t" and unicodedata.category(mark) == "Cc" for mark in text):
        raise ValueError("含有不可见的控制字符")
    return text


def _line_ends(value: object) -> object:
    return value.replace("\r\n", "\n") if isinstance(value, str) else value


def _whole(amount: Decimal) -> Decimal:
    if amount != amount.to_integral_value():
        raise ValueError("金额以元为单位，不能有小数")
    return Decimal(int(amount))


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


Text = Annotated[
    str,
    BeforeValidator(_line_ends),
    StringConstraints(strip_whitespace=True, min_length=1, max_length=5000),
    AfterValidator(_visible),
]
"""What somebody wrote; never an empty string."""

Line = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300), AfterValidator(_in_one_line)
]
"""A name, a number of a document: something written in one line."""

Remark = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=5000), AfterValidator(_in_one_line)
]
"""A longer text that is still one line."""

Lines = Annotated[tuple[Line, ...], BeforeValidator(_listed)]
"""One of these or several."""

Count = Annotated[int, Field(ge=0, le=10**9)]
"""How many there are."""

Yuan = Annotated[Decimal, Field(ge=0, le=_MOST_YUAN), AfterValidator(_whole)]
"""An amount of money in whole yuan; on paper it is 万元."""


def in_wan(amount: Decimal) -> str:
    """Write an amount of yuan as paper has it: 3.5万元."""
    text = f"{amount / WAN:f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text}万元"
