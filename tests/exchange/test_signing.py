"""Keys: the vectors of RFC 8032, the way to a file and back, and what never verifies."""

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from gmsafety.errors import GmsafetyError
from gmsafety.exchange import (
    ED25519,
    KeyUnreadable,
    Malformed,
    PublicKey,
    SigningKey,
    UnknownAlgorithm,
    WrongPassphrase,
)

KEY = SigningKey.generate("jincheng-2024-1")

RFC_8032 = [  # 7.1: secret key, public key, message, signature
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]


def pem_of(private: Any, passphrase: str | None = None) -> bytes:
    """A key file as another program writes it."""
    encryption = serialization.BestAvailableEncryption(passphrase.encode()) if passphrase else None
    content: bytes = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        encryption or serialization.NoEncryption(),
    )
    return content


@pytest.mark.parametrize(("secret", "public", "message", "signature"), RFC_8032)
def test_the_vectors_of_the_rfc(secret: str, public: str, message: str, signature: str) -> None:
    key = SigningKey.from_pem(pem_of(Ed25519PrivateKey.from_private_bytes(bytes.fromhex(secret))), "rfc8032")
    expected = base64.b64encode(bytes.fromhex(signature)).decode()

    assert PublicKey("rfc8032", ED25519, bytes.fromhex(public)) == key.public
    assert expected == key.sign(bytes.fromhex(message))
    assert key.public.verify(bytes.fromhex(message), expected)


@given(st.binary(), st.binary())
def test_a_signature_holds_for_its_data_alone(data: bytes, other: bytes) -> None:
    signature = KEY.sign(data)

    assert KEY.public.verify(data, signature)
    assert (data == other) == KEY.public.verify(other, signature)


def test_the_key_of_another_does_not_verify() -> None:
    assert not SigningKey.generate("jincheng-2024-1").public.verify(b"data", KEY.sign(b"data"))


@pytest.mark.parametrize("bit", range(0, 512, 7))
def test_a_signature_with_one_bit_turned_does_not_verify(bit: int) -> None:
    value = bytearray(base64.b64decode(KEY.sign(b"data")))
    value[bit // 8] ^= 1 << bit % 8

    assert not KEY.public.verify(b"data", base64.b64encode(value).decode())


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: "",
        lambda text: text[:-1],
        lambda text: text + "=",
        lambda text: text + "\n",
        lambda text: " " + text,
        lambda text: text[:40] + "\n" + text[40:],
        lambda text: text[:-3] + chr(ord(text[-3]) + 1) + "==",
        lambda text: text.rstrip("="),
        lambda text: text.replace("=", "＝"),
        lambda text: "\ud800",
        lambda text: "签名",
        lambda text: text + text,
    ],
)
def test_a_signature_spelt_otherwise_does_not_verify(spoil: Any) -> None:
    assert not KEY.public.verify(b"data", spoil(KEY.sign(b"data")))


def test_an_unknown_algorithm_never_verifies_and_says_so_where_asked() -> None:
    key = PublicKey("jincheng-2030-1", "SM2", KEY.public.raw)

    assert not key.verify(b"data", KEY.sign(b"data"))
    assert not key.is_known
    assert key == PublicKey.from_json(key.to_json())
    with pytest.raises(UnknownAlgorithm) as raised:
        key.require_known()
    assert str(raised.value).startswith("不认识签名算法“SM2”，无法核对。本版本认识：Ed25519")


def test_a_known_algorithm_is_no_complaint() -> None:
    KEY.public.require_known()

    assert KEY.public.is_known


@pytest.mark.parametrize("raw", [b"", b"x", bytes(31), bytes(33)])
def test_a_raw_key_of_a_wrong_length_does_not_verify(raw: bytes) -> None:
    assert not PublicKey("k", ED25519, raw).verify(b"data", KEY.sign(b"data"))


@given(st.text(st.characters(categories=["L", "N", "P"]), min_size=1), st.binary(min_size=32, max_size=32))
def test_a_public_key_goes_to_json_and_back(key_id: str, raw: bytes) -> None:
    key = PublicKey(key_id, ED25519, raw)

    assert key == PublicKey.from_json(key.to_json())
    assert key == PublicKey.from_json(json.dumps(key.to_json()))


def test_a_fingerprint_is_that_of_the_raw_key() -> None:
    key = PublicKey("rfc8032", ED25519, bytes.fromhex(RFC_8032[0][1]))

    assert "21fe31dfa154a261626bf854046fd2271b7bed4b6abe45aa58877ef47f9721b9" == key.fingerprint


@pytest.mark.parametrize(
    ("change", "problems"),
    [
        ({"algorithm": 1, "key_id": ""}, ("key_id：不能为空", "algorithm：应为文字")),
        ({"owner": "晋城"}, ("owner：没有这个键",)),
        ({"key_id": "a\nb"}, ("key_id：含有看不见的字符U+000A",)),
        ({"public_key": "签名"}, ("public_key：不是规范的Base64",)),
        ({"public_key": "AAA="}, ("public_key：应为32字节，现为2字节",)),
    ],
)
def test_a_faulty_public_key_is_told_all_at_once(change: dict[str, Any], problems: tuple[str, ...]) -> None:
    with pytest.raises(Malformed) as raised:
        PublicKey.from_json({**KEY.public.to_json(), **change})

    assert problems == raised.value.problems


@pytest.mark.parametrize("passphrase", [None, "correct horse", "口令", "x" * 1023])
def test_a_key_goes_to_a_file_and_back(passphrase: str | None) -> None:
    pem = KEY.to_pem(passphrase)
    again = SigningKey.from_pem(pem, "jincheng-2024-1", passphrase)

    assert (passphrase is not None) == (b"ENCRYPTED" in pem)
    assert KEY.public == again.public
    assert KEY.sign(b"data") == again.sign(b"data")


@pytest.mark.parametrize(
    ("written_with", "read_with", "said"),
    [
        ("口令", "口令2", "口令不对，打不开签名密钥（或密钥文件已损坏）。"),
        ("口令", None, "这个签名密钥设有口令，请给出口令。"),
        ("口令", "", "口令不能为空，也不能超过1023字节。"),
        ("口令", "\ud800", "口令不对，打不开签名密钥（或密钥文件已损坏）。"),
        (None, "口令", "这个签名密钥没有设口令，却给出了口令。请先给密钥设口令，或不要给出口令。"),
    ],
)
def test_a_wrong_passphrase_is_told(written_with: str | None, read_with: str | None, said: str) -> None:
    with pytest.raises(GmsafetyError) as raised:
        SigningKey.from_pem(KEY.to_pem(written_with), "k", read_with)

    assert (WrongPassphrase, said) == (type(raised.value), str(raised.value))


@pytest.mark.parametrize("passphrase", ["", "x" * 1024])
def test_what_cannot_be_a_passphrase_is_refused_before_writing(passphrase: str) -> None:
    with pytest.raises(WrongPassphrase, match="口令不能为空，也不能超过1023字节"):
        KEY.to_pem(passphrase)


@pytest.mark.parametrize("passphrase", [None, "口令"])
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\x00",
        b"-----BEGIN PRIVATE KEY-----\n",
        KEY.to_pem(None)[:60],
        pem_of(generate_private_key(SECP256R1())),
    ],
    ids=["empty", "bytes", "begun", "cut off", "other algorithm"],
)
def test_what_is_no_signing_key_is_told(content: bytes, passphrase: str | None) -> None:
    with pytest.raises(KeyUnreadable, match="这不是签名密钥文件"):
        SigningKey.from_pem(content, "k", passphrase)


def test_a_signing_key_does_not_show_its_secret() -> None:
    assert "SigningKey('jincheng-2024-1', Ed25519)" == repr(KEY) == str(KEY)
