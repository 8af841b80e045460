"""The page on the protocol names every field, kind, code and limit that the program has, and tests that exist."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from gmsafety.exchange.answers import REFUSALS, Refusal, Stored
from gmsafety.exchange.calls import HEADER, Call
from gmsafety.exchange.envelope import Attachment, Envelope, Link, Message, Subject
from gmsafety.exchange.package import Manifest
from gmsafety.exchange.payloads import PAYLOADS, Part
from gmsafety.exchange.peers import Anchor, Peer, PeerKey
from gmsafety.exchange.receipts import FindingCount, Party, Reason, Receipt, Signature
from gmsafety.exchange.reconciling import Asked, Channel, Copy
from gmsafety.exchange.unpacking import PACKAGE_FAULTS
from pages import ROOT, text_of

PAGE = text_of("docs/protocol.md")
SECTIONS = dict(zip(*[iter(re.split(r"^##+ +(.*)$", PAGE, flags=re.MULTILINE)[1:])] * 2, strict=True))
PLACES: dict[str, list[type[BaseModel]]] = {
    "Keys and signatures": [Signature],
    "Pinned keys": [Peer, Anchor],
    "Envelope": [Envelope],
    "Subject": [Subject],
    "Attachment": [Attachment],
    "Channels": [Link],
    "Receipts": [Receipt, Party, FindingCount, Reason],
    "Answers": [Stored, Refusal],
    "Signed calls": [Call],
    "On a stick": [Manifest],
    "Kinds": [Part, Channel, Asked, Copy, *PAYLOADS.values()],
}


@pytest.mark.parametrize(("section", "model"), [(s, m) for s, models in PLACES.items() for m in models])
def test_every_field_is_specified(section: str, model: type[BaseModel]) -> None:
    assert [] == [name for name in model.model_fields if f"`{name}`" not in SECTIONS[section]]


def test_every_part_of_a_message_and_a_key_is_specified() -> None:
    assert [] == [name for name in Message.model_fields if f'"{name}"' not in SECTIONS["Message"]]
    own = SECTIONS["Keys and signatures"] + SECTIONS["Pinned keys"]
    assert [] == [name for name in PeerKey.model_fields if f"`{name}`" not in own]


def test_every_kind_is_specified() -> None:
    assert list(PAYLOADS) == re.findall(r"^\| `([a-z]+)` \|", SECTIONS["Kinds"], flags=re.MULTILINE)


def test_every_refusal_is_specified() -> None:
    rows = [(k.slug, k.code, str(k.status), "no" if k.is_final else "later") for k in REFUSALS.values()]
    pattern = r"^\| `([a-z-]+)` \| `(GM-E\d+)` \| (\d+) \| (no|later) \|"

    assert rows == re.findall(pattern, SECTIONS["Answers"], flags=re.MULTILINE)


def test_every_fault_of_a_package_is_specified() -> None:
    rows = [(k.slug, k.code) for k in PACKAGE_FAULTS.values()]

    assert rows == re.findall(r"^\| `([a-z-]+)` \| `(GM-E\d+)` \|", SECTIONS["On a stick"], flags=re.MULTILINE)


def test_codes_mean_one_thing() -> None:
    codes = [k.code for k in (*REFUSALS.values(), *PACKAGE_FAULTS.values())]

    assert len(codes) == len(set(codes))


def test_the_header_is_specified() -> None:
    assert f"`{HEADER}`" in SECTIONS["Signed calls"]


CITED = re.findall(r"`(test_\w+\.py)::(\w+)` \|$", SECTIONS["Threats"], flags=re.MULTILINE)


def test_every_threat_has_a_test() -> None:
    rows = [line for line in SECTIONS["Threats"].splitlines() if line.startswith("|")][2:]

    assert len(rows) == len(CITED) > 10


@pytest.mark.parametrize(("file", "name"), sorted(set(CITED)))
def test_the_tests_cited_are_there(file: str, name: str) -> None:
    assert f"\ndef {name}(" in Path(ROOT / "tests/exchange" / file).read_text("utf-8")
