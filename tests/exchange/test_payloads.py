"""What messages say: each kind has a shape, and what does not fit it is told."""

import json
from pathlib import Path
from typing import Any, get_args

import pytest

from gmsafety.exchange import Malformed
from gmsafety.exchange.envelope import Message, MessageKind, opened
from gmsafety.exchange.payloads import PAYLOADS, read_payload

VECTORS = json.loads((Path(__file__).parent / "vectors/messages.json").read_text("utf-8"))
MESSAGES = {case["kind"]: opened(bytes.fromhex(case["bytes_hex"])) for case in VECTORS}


def saying(kind: str, **changes: Any) -> Message:
    """A message of a kind with other words; nobody has signed it."""
    message = MESSAGES[kind]
    return message.model_copy(update={"payload": {**message.payload, **changes}})


def test_every_kind_has_a_shape() -> None:
    assert set(get_args(MessageKind)) == set(PAYLOADS) == set(MESSAGES)


@pytest.mark.parametrize("kind", PAYLOADS)
def test_what_was_said_is_read(kind: MessageKind) -> None:
    payload = read_payload(MESSAGES[kind])

    assert PAYLOADS[kind] is type(payload)
    assert MESSAGES[kind].payload_fits


@pytest.mark.parametrize("kind", PAYLOADS)
def test_a_key_that_nobody_knows_is_refused(kind: str) -> None:
    with pytest.raises(Malformed, match="surprise：没有这个键"):
        read_payload(saying(kind, surprise=1))


def test_a_receipt_is_of_the_kind_that_the_message_says() -> None:
    decided = MESSAGES["decision"].payload["receipt"]

    with pytest.raises(Malformed, match="kind应为stored"):
        read_payload(saying("receipt", receipt=decided))


def test_findings_are_those_that_the_receipt_counts() -> None:
    with pytest.raises(Malformed, match="findings不是回执所计的那些"):
        read_payload(saying("report", findings=[]))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"filed_at": "2024-12-27T11:58:03+08:00"}, "filed_at：应写作2024-12-27T03:58:03Z"),
        ({"nil": 0}, "nil：应为true或false"),
        ({"content_hash": "ab"}, "content_hash：应为64位小写十六进制的SHA-256"),
        ({"title": "周\u202e报"}, "title：含有看不见的字符U\\+202E"),
    ],
)
def test_a_submission_is_read_strictly(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(Malformed, match=said):
        read_payload(saying("submission", **changes))


def test_a_key_is_told_once_and_is_one() -> None:
    key = MESSAGES["keys"].payload["keys"][0]

    with pytest.raises(Malformed, match="写了两次"):
        read_payload(saying("keys", keys=[key, key]))
    with pytest.raises(Malformed, match="应为32字节"):
        read_payload(saying("keys", keys=[{**key, "public_key": "AAAA"}]))
