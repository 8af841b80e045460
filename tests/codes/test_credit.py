"""Unified social credit codes: which are sound, and what a clerk is told about the others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmsafety.codes import CreditCodeFault, area_code, check_credit_code, check_digit, normalise_credit_code
from gmsafety.codes.credit import ALPHABET

VALID = "91110000600037341L"

marks = st.sampled_from(ALPHABET)
digits = st.sampled_from("0123456789")


@st.composite
def valid_codes(draw: st.DrawFn) -> str:
    registrar = draw(st.text(marks, min_size=2, max_size=2))
    area = draw(st.text(digits, min_size=6, max_size=6))
    body = draw(st.text(marks, min_size=9, max_size=9))
    first17 = registrar + area + body
    return first17 + check_digit(first17)


@pytest.mark.parametrize(
    "text",
    [
        "91110000600037341L",
        "91330424MA28AQAQXU",
        "９１１１００００６００037341Ｌ",
        " 9111 0000 6000 3734 1l\n",
        "91330424ma28aqaqxu\u200b",
    ],
)
def test_a_sound_code_passes_however_it_is_typed(text: str) -> None:
    assert check_credit_code(text) is None


@pytest.mark.parametrize(
    ("text", "fault", "message"),
    [
        ("", "length", "统一社会信用代码没有填写。"),
        ("91110000600037341", "length", "统一社会信用代码应为18位，现为17位。"),
        ("140525197001011234567", "length", "统一社会信用代码应为18位，现为21位。"),
        ("9111000060003734IL", "alphabet", "统一社会信用代码第17位的字母“I”不在规定的字符之内。"),
        ("91110000600037341-", "alphabet", "统一社会信用代码第18位的字符“-”不在规定的字符之内。"),
        ("911100O0600037341L", "alphabet", "统一社会信用代码第7位的字母“O”不在规定的字符之内。"),
        ("911A0000600037341L", "alphabet", "统一社会信用代码第4位应为数字，现为“A”。"),
        ("91110000600037341M", "check-digit", "统一社会信用代码的校验位不符，其中有字符写错或颠倒。"),
        ("91110000600073341L", "check-digit", "统一社会信用代码的校验位不符，其中有字符写错或颠倒。"),
    ],
)
def test_a_faulty_code_is_told_in_a_sentence(text: str, fault: str, message: str) -> None:
    problem = check_credit_code(text)

    assert problem is not None
    assert (CreditCodeFault(fault), message) == (problem.fault, problem.message)
    assert problem.remedy.startswith("请")


@given(valid_codes())
def test_a_code_with_its_own_check_digit_is_sound(code: str) -> None:
    assert check_credit_code(code) is None


@given(valid_codes(), st.integers(0, 17), marks)
def test_one_changed_character_is_caught(code: str, place: int, mark: str) -> None:
    changed = code[:place] + mark + code[place + 1 :]

    assert (changed == code) == (check_credit_code(changed) is None)


@given(valid_codes(), st.integers(0, 16))
def test_two_neighbours_exchanged_are_caught(code: str, place: int) -> None:
    changed = code[:place] + code[place + 1] + code[place] + code[place + 2 :]

    assert (changed == code) == (check_credit_code(changed) is None)


@given(st.text())
def test_any_text_is_judged(text: str) -> None:
    problem = check_credit_code(text)

    assert (problem is None) == (check_credit_code(normalise_credit_code(text)) is None)


@pytest.mark.parametrize("first17", ["9111000060003734", "9111000060003734I", "91110000600037341L"])
def test_a_check_digit_needs_17_characters_of_the_alphabet(first17: str) -> None:
    with pytest.raises(ValueError, match="17 characters"):
        check_digit(first17)


def test_the_registering_division_stands_in_places_3_to_8() -> None:
    assert "330424" == area_code("91330424MA28AQAQXU")
    assert "110000" == area_code(VALID.lower())


def test_a_short_code_has_no_division() -> None:
    with pytest.raises(ValueError, match="18 characters"):
        area_code("9133")
