"""Canonical JSON: the vectors of RFC 8785, what of ours it carries, and what it refuses with its path."""

import datetime as dt
import hashlib
import json
import subprocess
import sys
from decimal import Decimal
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from gmsafety.errors import GmsafetyError
from gmsafety.exchange import NotCanonical, canonical, digest
from gmsafety.exchange.canonical import canonical_simple, canonical_typed, is_simple

BEIJING = ZoneInfo("Asia/Shanghai")
NOON = dt.datetime(2024, 12, 27, 12, tzinfo=BEIJING)

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


class Colour(StrEnum):
    RED = "red"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        # RFC 8785, 3.2.2: the literals and the string of the example
        ([None, True, False], "[null,true,false]"),
        ("\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"/", '"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"'),
        # RFC 8785, 3.2.2.2: which characters are escaped, and how
        ("\b\t\n\f\r\x00\x1f\x7f\u2028", '"\\b\\t\\n\\f\\r\\u0000\\u001f\x7f\u2028"'),
        # RFC 8785, appendix B: the whole numbers
        (0, "0"),
        (9007199254740991, "9007199254740991"),
        (-9007199254740991, "-9007199254740991"),
        # nothing is between the tokens
        ({"b": [1, {"d": [], "c": {}}], "a": ""}, '{"a":"","b":[1,{"c":{},"d":[]}]}'),
    ],
)
def test_the_vectors_of_the_rfc(value: Any, text: str) -> None:
    assert text.encode() == canonical(value)


def test_keys_are_sorted_as_utf_16_does() -> None:
    """RFC 8785, 3.2.3."""
    scrambled = {
        "\u20ac": "Euro Sign",
        "\r": "Carriage Return",
        "\ufb33": "Hebrew Letter Dalet With Dagesh",
        "1": "One",
        "\U0001f600": "Emoji: Grinning Face",
        "\u0080": "Control",
        "\u00f6": "Latin Small Letter O With Diaeresis",
    }

    assert [
        "Carriage Return",
        "One",
        "Control",
        "Latin Small Letter O With Diaeresis",
        "Euro Sign",
        "Emoji: Grinning Face",
        "Hebrew Letter Dalet With Dagesh",
    ] == list(json.loads(canonical(scrambled)).values())


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ((1, "二"), '[1,"二"]'),
        (Decimal("10000"), "10000"),
        (Decimal("1E+4"), "10000"),
        (Decimal("12.00"), "12"),
        (Decimal("-0"), "0"),
        (Decimal("0E+1000000"), "0"),
        (Colour.RED, '"red"'),
        (dt.date(2024, 12, 27), '"2024-12-27"'),
        (NOON, '"2024-12-27T04:00:00Z"'),
        (NOON.replace(microsecond=5000), '"2024-12-27T04:00:00.005000Z"'),
        (dt.datetime(2024, 1, 1, tzinfo=BEIJING), '"2023-12-31T16:00:00Z"'),
        (dt.datetime(2024, 1, 1, tzinfo=dt.UTC), '"2024-01-01T00:00:00Z"'),
    ],
)
def test_what_ours_becomes(value: Any, text: str) -> None:
    assert text.encode() == canonical(value)


@pytest.mark.parametrize(
    ("value", "path", "said"),
    [
        ({"rows": [{}, {"money": Decimal("0.5")}]}, "rows[1].money", "0.5不是整数"),
        ({"a": Decimal("1E-1000000")}, "a", "1E-1000000不是整数"),
        ({"a": Decimal("NaN")}, "a", "NaN不是数"),
        ({"a": Decimal("sNaN")}, "a", "sNaN不是数"),
        ([Decimal("-Infinity")], "[0]", "-Infinity不是数"),
        (Decimal("1E+1000000"), "$", "整数的绝对值超过2的53次方，各程序读法不一"),
        (2**53, "$", "整数的绝对值超过2的53次方，各程序读法不一"),
        (-(2**53), "$", "整数的绝对值超过2的53次方，各程序读法不一"),
        ({"a": 1.0}, "a", "规范JSON不能表示float类型的值"),
        ({"a": {1, 2}}, "a", "规范JSON不能表示set类型的值"),
        ({"a": b"x"}, "a", "规范JSON不能表示bytes类型的值"),
        ({"a": dt.time(12)}, "a", "规范JSON不能表示time类型的值"),
        ({"a": dt.datetime(2024, 12, 27, 12)}, "a", "时间2024-12-27T12:00:00没有时区"),
        (
            dt.datetime.min.replace(tzinfo=dt.timezone(dt.timedelta(hours=8))),
            "$",
            "时间0001-01-01T00:00:00+08:00超出范围",
        ),
        ({"a": {1: "x"}}, "a", "键应为文字，不是1"),
        ({"a": "\ud800"}, "a", "文字中有半个字符（单独的UTF-16代理项）"),
        ({"a": {"\udfff": 1}}, "a", "文字中有半个字符（单独的UTF-16代理项）"),
    ],
)
def test_what_has_no_canonical_json_is_refused_with_its_path(value: Any, path: str, said: str) -> None:
    with pytest.raises(ValueError, match="：") as raised:
        canonical(value)

    assert isinstance(raised.value, NotCanonical)
    assert isinstance(raised.value, GmsafetyError)
    assert (path, f"{path}：{said}") == (raised.value.path, str(raised.value))


def test_what_is_nested_too_deeply_is_refused() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]

    with pytest.raises(NotCanonical, match="嵌套超过100层"):
        canonical(deep)


def test_digest_is_plain_sha_256() -> None:
    assert "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" == digest(b"abc")
    assert hashlib.sha256(b"").hexdigest() == digest(b"")


@given(values)
def test_it_is_what_the_library_of_the_rfc_writes(value: Any) -> None:
    assert rfc8785.dumps(value) == canonical(value)


@given(values)
def test_what_is_written_is_read_back(value: Any) -> None:
    assert value == json.loads(canonical(value))


@given(values)
def test_writing_again_changes_nothing(value: Any) -> None:
    assert canonical(value) == canonical(json.loads(canonical(value)))


@given(st.dictionaries(st.text(), st.integers(0, 9)), st.randoms())
def test_the_order_of_keys_does_not_matter(value: dict[str, int], chance: Any) -> None:
    items = list(value.items())
    chance.shuffle(items)

    assert canonical(value) == canonical(dict(items))


_NUMBERS = st.one_of(st.integers(), st.floats(), st.sampled_from([2**53, 2**53 - 1, -0.0, 1e16, 5e-324]))
_TEXTS = st.one_of(
    st.text(max_size=6), st.sampled_from(["\ud800", "𠮷", '":1.5', "a,2.5", "[3e1", "2024-12-27T12:00:00.5Z"])
)
_PARSED = st.recursive(
    st.one_of(st.none(), st.booleans(), _NUMBERS, _TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(_TEXTS, inner, max_size=4)),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=3), _PARSED, max_size=3), st.booleans())
def test_what_is_told_at_a_glance_is_what_a_long_look_finds(value: dict[str, Any], is_ours: bool) -> None:
    """Whatever JSON comes in, and however it is written: the short way is none to anywhere else."""
    try:
        written = canonical(value) if is_ours else json.dumps(value).encode()
    except NotCanonical:
        written = json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
    parsed = json.loads(written.decode("utf-8", "surrogatepass"))
    at_a_glance = canonical_simple(parsed) if is_simple(written) else None

    if at_a_glance is not None and at_a_glance == written:
        assert canonical(parsed) == written


@pytest.mark.parametrize(
    "written", [b'{"a":1.5}', b'{"a":[1e5]}', b'{"a":[0,-2.5]}', b'{"a":' + b"[" * 101 + b"]" * 101 + b"}"]
)
def test_what_has_to_be_looked_at_closely(written: bytes) -> None:
    assert not is_simple(written)


def test_a_year_of_times_and_dates_is_told_at_a_glance() -> None:
    told = {"at": dt.datetime(2024, 12, 27, 3, 58, 0, 123, dt.UTC), "on": [dt.date(2024, 12, 27)], "n": None}

    assert canonical_typed(told) == canonical(told)
    assert is_simple(canonical(told))


@pytest.mark.parametrize("value", ["\ud800", 2**53, dt.datetime(2024, 12, 27), object()])
def test_a_model_that_says_what_has_no_canonical_json(value: Any) -> None:
    with pytest.raises(NotCanonical):
        canonical_typed({"a": value})


def test_importing_the_exchange_needs_no_library_of_the_extra() -> None:
    program = (
        "import sys; sys.modules.update(cryptography=None, rfc8785=None)\n"
        "import gmsafety.exchange as exchange\n"
        "for use in [lambda: exchange.canonical(1), lambda: exchange.SigningKey.generate('k')]:\n"
        "    try: use()\n"
        "    except exchange.ExtraMissing as missing: print(ascii(str(missing)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    said = [json.loads(line.replace("'", '"')) for line in done.stdout.splitlines()]

    assert ["rfc8785", "cryptography"] == [line.split("缺少软件包 ")[1].split("，")[0].split(".")[0] for line in said]
    assert all("pip install gmsafety[client]" in line for line in said)
