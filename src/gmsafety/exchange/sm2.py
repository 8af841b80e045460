"""SM2 with SM3 (GB/T 32918, GB/T 32905), where the national suite is required; needs the extra `gmsafety[sm]`.

A public key is its point, x and y, 64 bytes; a signature is r and s, 64 bytes; the identity of the signer is the
usual `1234567812345678` (GM/T 0009). Signatures hold a random number: the same data give another one every time.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
from importlib.util import find_spec
from types import ModuleType

from .errors import ExtraMissing, KeyUnreadable, WrongPassphrase, client_extra

SM2 = "SM2-SM3"
_HALF = 32
_ROUNDS = 600_000
_PEM = re.compile(rb"-----BEGIN (ENCRYPTED |)PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END \1PRIVATE KEY-----\s*")
_ALGORITHM = bytes.fromhex("301306072a8648ce3d020106082a811ccf5501822d")  # an elliptic curve, which is SM2's
_PBES2, _PBKDF2 = bytes.fromhex("06092a864886f70d01050d"), bytes.fromhex("06092a864886f70d01050c")
_PRF, _AES = bytes.fromhex("300c06082a864886f70d02090500"), bytes.fromhex("060960864801650304012a")
_SEQUENCE, _INTEGER, _OCTETS = 0x30, 0x02, 0x04


def is_there() -> bool:
    """Tell whether the extra is installed."""
    return find_spec("gmssl_pyx") is not None


def require() -> None:
    """Raise ExtraMissing where the extra is not installed."""
    _library()


def _library() -> ModuleType:
    try:
        import gmssl_pyx  # noqa: PLC0415 - only of the extra `sm`
    except ModuleNotFoundError as missing:
        raise ExtraMissing("gmssl_pyx", extra="sm") from missing
    library: ModuleType = gmssl_pyx
    return library


def generate() -> tuple[bytes, bytes]:
    """A new key: the public half, the secret half."""
    public, secret = _library().sm2_key_generate()
    return bytes(public), bytes(secret)


def sign(secret: bytes, public: bytes, data: bytes) -> bytes:
    """Sign; r and s."""
    with client_extra():
        from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature  # noqa: PLC0415 - extra

    r, s = decode_dss_signature(_library().sm2_sign(secret, public, data))
    return r.to_bytes(_HALF, "big") + s.to_bytes(_HALF, "big")


def verify(public: bytes, data: bytes, signature: bytes) -> bool:
    """Check a signature; whatever is none does not verify."""
    with client_extra():
        from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature  # noqa: PLC0415 - extra

    if len(signature) != 2 * _HALF:
        return False
    library = _library()
    r, s = (int.from_bytes(half, "big") for half in (signature[:_HALF], signature[_HALF:]))
    try:
        return bool(library.sm2_verify(public, data, encode_dss_signature(r, s)))
    except (library.GmsslInnerError, ValueError):
        return False


def is_pem(pem: bytes) -> bool:
    """Tell whether a file is a key that `to_pem` wrote, as far as can be told without its pass-phrase."""
    der = _content(pem)
    return _ALGORITHM in der or _taken_apart(der) is not None


def to_pem(secret: bytes, public: bytes, passphrase: bytes | None) -> bytes:
    """PKCS #8, as other programs read it, too; with a pass-phrase encrypted (PBES2, PBKDF2, AES-256-CBC)."""
    der = _pkcs8(secret, public)
    if passphrase is not None:
        salt, iv = os.urandom(16), os.urandom(16)
        der = _locked(salt, iv, _cipher(passphrase, salt, iv, der, locking=True))
    lines = base64.encodebytes(der).replace(b"\n", b"")
    kind = b"PRIVATE KEY" if passphrase is None else b"ENCRYPTED PRIVATE KEY"
    wrapped = b"\n".join(lines[i : i + 64] for i in range(0, len(lines), 64))
    return b"-----BEGIN " + kind + b"-----\n" + wrapped + b"\n-----END " + kind + b"-----\n"


def from_pem(pem: bytes, passphrase: bytes | None) -> tuple[bytes, bytes]:
    """The public and the secret half of what `to_pem` wrote; KeyUnreadable and WrongPassphrase as for other keys."""
    der = _content(pem)
    if (parts := _taken_apart(der)) is None:
        found = _halves(der)
        if found is None:
            raise KeyUnreadable
        return found
    salt, iv, locked = parts
    try:
        found = _halves(_cipher(passphrase or b"", salt, iv, locked, locking=False))
    except ValueError:
        found = None
    if found is None:  # of 256 wrong pass-phrases one leaves a padding that looks right, and no key
        raise WrongPassphrase("口令不对，打不开签名密钥（或密钥文件已损坏）。")
    return found


def _halves(der: bytes) -> tuple[bytes, bytes] | None:
    """The public and the secret half of a key, where it is one and they belong together."""
    at = len(der) - 6 - 2 * _HALF
    secret, public = der[at - _HALF : at], der[-2 * _HALF :]
    if der != _pkcs8(secret, public) or not verify(public, b"probe", sign(secret, public, b"probe")):
        return None
    return public, secret


def _content(pem: bytes) -> bytes:
    found = _PEM.fullmatch(pem)
    try:
        return base64.b64decode(found[2]) if found else b""
    except ValueError:
        return b""


def _der(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    length = bytes([len(body)]) if len(body) < 128 else bytes([0x81, len(body)])
    return bytes([tag]) + length + body


def _pkcs8(secret: bytes, public: bytes) -> bytes:
    point = _der(0xA1, _der(0x03, b"\x00\x04", public))
    key = _der(_SEQUENCE, _der(_INTEGER, b"\x01"), _der(_OCTETS, secret), point)
    return _der(_SEQUENCE, _der(_INTEGER, b"\x00"), _ALGORITHM, _der(_OCTETS, key))


def _locked(salt: bytes, iv: bytes, content: bytes) -> bytes:
    rounds = _der(_INTEGER, _ROUNDS.to_bytes(3, "big"))
    kdf = _der(_SEQUENCE, _PBKDF2, _der(_SEQUENCE, _der(_OCTETS, salt), rounds, _PRF))
    scheme = _der(_SEQUENCE, _PBES2, _der(_SEQUENCE, kdf, _der(_SEQUENCE, _AES, _der(_OCTETS, iv))))
    return _der(_SEQUENCE, scheme, _der(_OCTETS, content))


def _taken_apart(der: bytes) -> tuple[bytes, bytes, bytes] | None:
    """Salt, initial vector and content of an encrypted key: every length is fixed, so that they stand where they do."""
    marks = (bytes(16), b"\xff" * 16, b"\xee" * 144)
    frame = _locked(*marks)
    if len(der) != len(frame):
        return None
    salt, iv, content = (der[at : at + len(mark)] for mark in marks for at in [frame.index(mark)])
    return (salt, iv, content) if _locked(salt, iv, content) == der else None


def _cipher(passphrase: bytes, salt: bytes, iv: bytes, content: bytes, *, locking: bool) -> bytes:
    from cryptography.hazmat.primitives import padding  # noqa: PLC0415 - only of the extra `client`
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes  # noqa: PLC0415 - as above

    cipher = Cipher(algorithms.AES256(hashlib.pbkdf2_hmac("sha256", passphrase, salt, _ROUNDS)), modes.CBC(iv))
    pad, unpad = padding.PKCS7(128).padder(), padding.PKCS7(128).unpadder()
    if locking:
        locker = cipher.encryptor()
        return locker.update(pad.update(content) + pad.finalize()) + locker.finalize()
    opener = cipher.decryptor()
    return unpad.update(opener.update(content) + opener.finalize()) + unpad.finalize()
