"""Calls that carry no message: who calls, for what, and that nobody can call again in another's name."""

import datetime as dt

import pytest

from gmsafety.exchange import Malformed, SigningKey, Verdict, digest
from gmsafety.exchange.calls import NO_BODY, Call, read_call, sign_call

NOW = dt.datetime(2024, 12, 27, 4, tzinfo=dt.UTC)
KEY = SigningKey.generate("zezhou-1")
TARGET = "/exchange/v1/messages?after=e1:3"
CALL = Call(id="c-1", caller="zezhou", receiver="jincheng", method="GET", target=TARGET, called_at=NOW)
SIGNED = sign_call(CALL, KEY)


def test_a_call_arrives_as_it_was_made() -> None:
    read = read_call(SIGNED.to_header())

    assert SIGNED == read
    assert Verdict.VALID == read.verify([KEY.public])
    assert read.is_for("jincheng", "GET", TARGET)


@pytest.mark.parametrize(
    "request_",
    [
        ("shuozhou", "GET", TARGET, NO_BODY),
        ("jincheng", "HEAD", TARGET, NO_BODY),
        ("jincheng", "GET", "/exchange/v1/messages?after=e1:0", NO_BODY),
        ("jincheng", "GET", TARGET, digest(b"more")),
    ],
    ids=["another node", "another method", "another target", "another body"],
)
def test_a_call_is_for_one_thing(request_: tuple[str, str, str, str]) -> None:
    assert not SIGNED.is_for(*request_)


@pytest.mark.parametrize(("minutes", "fresh"), [(-15, True), (15, True), (-16, False), (16, False)])
def test_a_call_is_of_now(minutes: int, fresh: bool) -> None:
    assert fresh is SIGNED.is_fresh(NOW + dt.timedelta(minutes=minutes))


def test_a_changed_call_is_nobodys() -> None:
    other = SIGNED.model_copy(update={"call": CALL.model_copy(update={"caller": "shuozhou"})})

    assert Verdict.BAD_SIGNATURE == other.verify([KEY.public])
    assert Verdict.UNKNOWN_KEY == SIGNED.verify([SigningKey.generate("zezhou-2").public])


@pytest.mark.parametrize("header", ["", "not base64!", "e30=", "e30", "A" * 5000])
def test_what_is_no_call_is_malformed(header: str) -> None:
    with pytest.raises(Malformed, match="请求"):
        read_call(header)
