"""SM2 with SM3: the examples of the standards, the same interface as Ed25519, and what is missing without the extra."""

import hashlib
import subprocess
import sys
from pathlib import Path
from shutil import which

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from gmsafety.exchange import (
    SM2,
    ExtraMissing,
    KeyUnreadable,
    Malformed,
    PublicKey,
    SigningKey,
    Sm2SigningKey,
    UnknownAlgorithm,
    WrongPassphrase,
    sm2,
)

# GB/T 32918.5-2017, A.2: the recommended curve, identity 1234567812345678, message "message digest".
SECRET = bytes.fromhex("3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8")
PUBLIC = bytes.fromhex(
    "09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020"
    "CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13"
)
SIGNATURE = bytes.fromhex(
    "F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3"
    "B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA"
)
MESSAGE = b"message digest"
# GB/T 32905-2016, A.1 and A.2
SM3 = {
    b"abc": "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0",
    b"abcd" * 16: "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732",
}
OPENSSL = which("openssl")
openssl = pytest.mark.skipif(OPENSSL is None, reason="openssl checks what we wrote")


def test_the_signature_of_the_standard_verifies() -> None:
    assert sm2.verify(PUBLIC, MESSAGE, SIGNATURE)


@pytest.mark.parametrize("at", [0, 31, 32, 63])
def test_no_other_does(at: int) -> None:
    changed = bytearray(SIGNATURE)
    changed[at] ^= 1

    assert not sm2.verify(PUBLIC, MESSAGE, bytes(changed))
    assert not sm2.verify(PUBLIC, MESSAGE + b"!", SIGNATURE)


@pytest.mark.parametrize("signature", [b"", SIGNATURE[:63], SIGNATURE + b"\0", bytes(64), b"\xff" * 64])
def test_what_is_no_signature_does_not_verify(signature: bytes) -> None:
    assert not sm2.verify(PUBLIC, MESSAGE, signature)


def test_a_point_off_the_curve_is_no_key() -> None:
    assert not sm2.verify(PUBLIC[:-1] + b"\x14", MESSAGE, SIGNATURE)


def test_the_key_of_the_standard_signs() -> None:
    assert sm2.verify(PUBLIC, MESSAGE, sm2.sign(SECRET, PUBLIC, MESSAGE))


@pytest.mark.parametrize("text", SM3)
def test_the_digests_of_the_standard(text: bytes) -> None:
    import gmssl_pyx  # noqa: PLC0415 - the library under test

    assert SM3[text] == gmssl_pyx.sm3_hash(text).hex()


def test_it_has_the_interface_of_the_others() -> None:
    key = Sm2SigningKey.generate("shanxi-sm-1")
    public = PublicKey.from_json(key.public.to_json())

    assert (SM2, 64, True) == (public.algorithm, len(public.raw), public.is_known)
    assert public.verify(b"data", key.sign(b"data"))
    assert not public.verify(b"other", key.sign(b"data"))
    assert not Sm2SigningKey.generate("shanxi-sm-1").public.verify(b"data", key.sign(b"data"))
    assert "SigningKey('shanxi-sm-1', SM2-SM3)" == repr(key)


def test_a_key_of_another_length_is_refused() -> None:
    with pytest.raises(Malformed, match="应为64字节，现为32字节"):
        PublicKey.from_json({"key_id": "k", "algorithm": SM2, "public_key": "A" * 43 + "="})


@pytest.mark.parametrize("passphrase", [None, "口令"])
def test_it_is_written_and_read(passphrase: str | None) -> None:
    key = Sm2SigningKey.generate("k")
    read = SigningKey.from_pem(key.to_pem(passphrase), "k", passphrase)

    assert isinstance(read, Sm2SigningKey)
    assert key.public == read.public
    assert key.public.verify(b"data", read.sign(b"data"))


def test_what_does_not_open_says_why() -> None:
    key = Sm2SigningKey.generate("k")

    with pytest.raises(WrongPassphrase, match="口令不对"):
        SigningKey.from_pem(key.to_pem("a"), "k", "b")
    with pytest.raises(WrongPassphrase, match="请给出口令"):
        SigningKey.from_pem(key.to_pem("a"), "k")
    with pytest.raises(WrongPassphrase, match="没有设口令"):
        SigningKey.from_pem(key.to_pem(None), "k", "a")
    other = Sm2SigningKey("k", Sm2SigningKey.generate("k").public.raw, SECRET)
    with pytest.raises(KeyUnreadable):
        SigningKey.from_pem(other.to_pem(None), "k")
    with pytest.raises(WrongPassphrase):  # opened, but no key: so one in 256 wrong pass-phrases looks
        SigningKey.from_pem(other.to_pem("a"), "k", "a")


@openssl
@pytest.mark.parametrize("passphrase", [None, "abc"])
def test_openssl_reads_it_and_checks_the_signature(passphrase: str | None, tmp_path: Path) -> None:
    key = Sm2SigningKey.generate("k")
    (tmp_path / "key.pem").write_bytes(key.to_pem(passphrase))
    pem = subprocess.run(
        [OPENSSL or "", "pkey", "-in", tmp_path / "key.pem", "-passin", f"pass:{passphrase}", "-pubout", "-outform", "DER"],
        capture_output=True,
        check=True,
    ).stdout  # fmt: skip

    assert pem.endswith(key.public.raw)


@openssl
def test_openssl_and_we_agree(tmp_path: Path) -> None:
    key = Sm2SigningKey.generate("k")
    (tmp_path / "key.pem").write_bytes(key.to_pem(None))
    (tmp_path / "data").write_bytes(MESSAGE)
    command = [OPENSSL or "", "pkeyutl", "-sign", "-inkey", tmp_path / "key.pem", "-rawin", "-in", tmp_path / "data"]
    options = ["-digest", "sm3", "-pkeyopt", "distid:1234567812345678"]
    done = subprocess.run([*command, *options], capture_output=True, check=True)
    r, s = decode_dss_signature(done.stdout)

    assert sm2.verify(key.public.raw, MESSAGE, r.to_bytes(32, "big") + s.to_bytes(32, "big"))


WITHOUT = """
import importlib.util, sys
sys.modules["gmssl_pyx"] = None
class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name == "gmssl_pyx": raise ModuleNotFoundError(name=name)
del sys.modules["gmssl_pyx"]
sys.meta_path.insert(0, Hidden())
import gmsafety.exchange.sm2 as sm2
sm2.find_spec = lambda name: None
from gmsafety.exchange import *
key = PublicKey.from_json({"key_id": "k", "algorithm": SM2, "public_key": "A" * 86 + "=="})
print(key.is_known, key.fingerprint[:4], key.verify(b"", "A" * 86 + "=="))
for attempt in (key.require_known, lambda: Sm2SigningKey.generate("k")):
    try: attempt()
    except (UnknownAlgorithm, ExtraMissing) as error: print(error)
"""


def test_without_the_extra_it_is_shown_and_never_verifies() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=True)
    digest = hashlib.sha256(bytes(64)).hexdigest()[:4]

    assert [
        f"False {digest} False",
        str(UnknownAlgorithm(SM2, ["Ed25519"])),
        str(ExtraMissing("gmssl_pyx", extra="sm")),
    ] == done.stdout.splitlines()
