"""The unified social credit code (统一社会信用代码) of GB 32100-2015: 18 characters, the last one a check character.

Written here rather than taken from python-stdnum because that refuses letters in the first eight places, while the
standard allows them in the first two (a registrar such as Y, other). Places 3 to 8 are digits in both.
"""

import unicodedata
from dataclasses import dataclass
from enum import StrEnum

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
LENGTH = 18
_WEIGHTS = tuple(3**place % len(ALPHABET) for place in range(LENGTH - 1))
_LETTERS_NOT_USED = "IOZSV"


class CreditCodeFault(StrEnum):
    """What is wrong with a credit code; only the first fault is told."""

    LENGTH = "length"
    ALPHABET = "alphabet"
    CHECK_DIGIT = "check-digit"


@dataclass(frozen=True, slots=True)
class CreditCodeProblem:
    """A fault, a sentence for the clerk and what to do."""

    fault: CreditCodeFault
    message: str
    remedy: str


def check_credit_code(text: str) -> CreditCodeProblem | None:
    """Judge a code as a clerk typed it (width, case and spaces forgiven); None if it is sound (GB 32100-2015)."""
    code = normalise_credit_code(text)
    return _judge_length(code) or _judge_alphabet(code) or _judge_check_digit(code)


def normalise_credit_code(text: str) -> str:
    """Write a code as it is stored: half-width capitals without spaces or invisible characters."""
    return "".join(
        mark
        for mark in unicodedata.normalize("NFKC", text).upper()
        if not mark.isspace() and unicodedata.category(mark) != "Cf"
    )


def check_digit(first17: str) -> str:
    """Compute the 18th character of a code (GB 32100-2015: weighted sum modulo 31)."""
    if len(first17) != LENGTH - 1 or not set(first17) <= set(ALPHABET):
        raise ValueError(f"{LENGTH - 1} characters of {ALPHABET} are wanted, not {first17!r}")
    total = sum(ALPHABET.index(mark) * weight for mark, weight in zip(first17, _WEIGHTS, strict=True))
    return ALPHABET[-total % len(ALPHABET)]


def area_code(code: str) -> str:
    """Cut out places 3 to 8, the division of the registering authority: perhaps a withdrawn one, see `successor`."""
    code = normalise_credit_code(code)
    if len(code) != LENGTH:
        raise ValueError(f"a credit code of {LENGTH} characters is wanted, not {code!r}")
    return code[2:8]


def _judge_length(code: str) -> CreditCodeProblem | None:
    if len(code) == LENGTH:
        return None
    message = f"统一社会信用代码应为{LENGTH}位，现为{len(code)}位。" if code else "统一社会信用代码没有填写。"
    return CreditCodeProblem(CreditCodeFault.LENGTH, message, f"请按营业执照填写完整的{LENGTH}位代码。")


def _judge_alphabet(code: str) -> CreditCodeProblem | None:
    for place, mark in enumerate(code, start=1):
        if mark not in ALPHABET:
            remedy = "请核对营业执照：代码只用数字和大写字母，不用字母I、O、Z、S、V（易与1、0、2、5、U相混）。"
            kind = "字母" if mark in _LETTERS_NOT_USED else "字符"
            message = f"统一社会信用代码第{place}位的{kind}“{mark}”不在规定的字符之内。"
            return CreditCodeProblem(CreditCodeFault.ALPHABET, message, remedy)
        if 3 <= place <= 8 and not mark.isdigit():
            message = f"统一社会信用代码第{place}位应为数字，现为“{mark}”。"
            remedy = "请核对营业执照：第3至8位是登记机关的行政区划代码，只有数字。"
            return CreditCodeProblem(CreditCodeFault.ALPHABET, message, remedy)
    return None


def _judge_check_digit(code: str) -> CreditCodeProblem | None:
    if code[-1] == check_digit(code[:-1]):
        return None
    return CreditCodeProblem(
        CreditCodeFault.CHECK_DIGIT,
        "统一社会信用代码的校验位不符，其中有字符写错或颠倒。",
        "请对照营业执照逐位核对，不要只改最后一位。",
    )
