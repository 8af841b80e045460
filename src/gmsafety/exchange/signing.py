"""Keys that sign what a node says, and check what another node said: Ed25519 (RFC 8032), or SM2 where it is installed.

A key names its algorithm. A key of one unknown here is still read, shown and kept; it just never verifies.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from ..provenance import Value
from . import sm2
from .canonical import digest
from .errors import KeyUnreadable, Malformed, UnknownAlgorithm, WrongPassphrase, client_extra
from .wire import Line, take

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ED25519 = "Ed25519"
SM2 = sm2.SM2

_LONGEST_PASSPHRASE = 1023
_ENCRYPTED = b"-----BEGIN ENCRYPTED PRIVATE KEY-----"


def _verify_ed25519(raw: bytes, data: bytes, signature: bytes) -> bool:
    with client_extra():
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - only of the extra `client`
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415 - as above

    try:
        Ed25519PublicKey.from_public_bytes(raw).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


_VERIFIERS: Mapping[str, Callable[[bytes, bytes, bytes], bool]] = {ED25519: _verify_ed25519, SM2: sm2.verify}
_RAW_LENGTHS = {ED25519: 32, SM2: 64}


def _known() -> list[str]:
    return [ED25519, SM2] if sm2.is_there() else [ED25519]


class _KeyJson(Value):
    key_id: Line
    algorithm: Line
    public_key: Line


@dataclass(frozen=True, slots=True)
class PublicKey:
    """What others need to check a signature; `raw` is the key as its algorithm writes it: 32 bytes, 64 for SM2."""

    key_id: str
    algorithm: str
    raw: bytes

    @property
    def is_known(self) -> bool:
        """True where this version can check signatures of the algorithm."""
        return self.algorithm == ED25519 or self.algorithm in _known()

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the raw key, to be compared by telephone."""
        return digest(self.raw)

    def require_known(self) -> None:
        """Raise UnknownAlgorithm where `verify` could only ever say no."""
        if not self.is_known:
            raise UnknownAlgorithm(self.algorithm, _known())

    def verify(self, data: bytes, signature: str) -> bool:
        """Tell whether the signature (base64) over the data is of this key; an unknown algorithm never verifies."""
        value = _from_base64(signature)
        return self.is_known and value is not None and _VERIFIERS[self.algorithm](self.raw, data, value)

    def to_json(self) -> dict[str, Any]:
        """The documented shape of a public key."""
        return {"key_id": self.key_id, "algorithm": self.algorithm, "public_key": _to_base64(self.raw)}

    @classmethod
    def from_json(cls, content: Any) -> PublicKey:
        """Take a public key from JSON, text or parsed; Malformed (a ValueError) lists everything that does not fit."""
        said = take(_KeyJson, content, noun="公钥")
        raw = _from_base64(said.public_key)
        if raw is None:
            raise Malformed("公钥", ["public_key：不是规范的Base64"])
        if len(raw) != _RAW_LENGTHS.get(said.algorithm, len(raw)):
            raise Malformed("公钥", [f"public_key：应为{_RAW_LENGTHS[said.algorithm]}字节，现为{len(raw)}字节"])
        return cls(said.key_id, said.algorithm, raw)


class SigningKey:
    """The secret half; it stays on its node and does not show itself."""

    __slots__ = ("_private", "key_id")
    algorithm: ClassVar[str] = ED25519

    def __init__(self, key_id: str, private: Ed25519PrivateKey) -> None:
        self.key_id = key_id
        self._private = private

    def __repr__(self) -> str:
        return f"SigningKey({self.key_id!r}, {self.algorithm})"

    @classmethod
    def generate(cls, key_id: str) -> SigningKey:
        """Make a new key from the randomness of the system."""
        with client_extra():
            from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415 - as above

        return cls(key_id, Ed25519PrivateKey.generate())

    @property
    def public(self) -> PublicKey:
        """The half that is given away."""
        return PublicKey(self.key_id, self.algorithm, self._private.public_key().public_bytes_raw())

    def sign(self, data: bytes) -> str:
        """Sign; base64. The same data give the same signature."""
        return _to_base64(self._private.sign(data))

    def to_pem(self, passphrase: str | None) -> bytes:
        """Write the key as PKCS #8 PEM, encrypted unless the pass-phrase is None."""
        from cryptography.hazmat.primitives import serialization as pem  # noqa: PLC0415 - as above

        encryption: pem.KeySerializationEncryption = pem.NoEncryption()
        if passphrase is not None:
            encryption = pem.BestAvailableEncryption(_secret(passphrase))
        return self._private.private_bytes(pem.Encoding.PEM, pem.PrivateFormat.PKCS8, encryption)

    @classmethod
    def from_pem(cls, pem: bytes, key_id: str, passphrase: str | None = None) -> SigningKey:
        """Read what `to_pem` wrote; WrongPassphrase and KeyUnreadable say in Chinese why it cannot be."""
        if sm2.is_pem(pem):
            return Sm2SigningKey.from_pem(pem, key_id, passphrase)
        with client_extra():
            from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - as above
            from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415 - as above
            from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415 - as above

        encrypted = _ENCRYPTED in pem
        secret = _secret(passphrase) if encrypted else None
        try:
            private = load_pem_private_key(pem, secret)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            if encrypted:
                raise WrongPassphrase("口令不对，打不开签名密钥（或密钥文件已损坏）。") from error
            raise KeyUnreadable from error
        if not isinstance(private, Ed25519PrivateKey):
            raise KeyUnreadable
        _require_locked(passphrase, encrypted)
        return cls(key_id, private)


class Sm2SigningKey(SigningKey):
    """The secret half of an SM2 key; the extra `gmsafety[sm]` is needed. Equal data get another signature each time."""

    __slots__ = ("_public", "_secret")
    algorithm: ClassVar[str] = SM2

    def __init__(self, key_id: str, public: bytes, secret: bytes) -> None:
        self.key_id = key_id
        self._public, self._secret = public, secret

    @classmethod
    def generate(cls, key_id: str) -> Sm2SigningKey:
        """Make a new key from the randomness of the system."""
        return cls(key_id, *sm2.generate())

    @property
    def public(self) -> PublicKey:
        """The half that is given away."""
        return PublicKey(self.key_id, self.algorithm, self._public)

    def sign(self, data: bytes) -> str:
        """Sign; base64."""
        return _to_base64(sm2.sign(self._secret, self._public, data))

    def to_pem(self, passphrase: str | None) -> bytes:
        """Write the key as PKCS #8 PEM, encrypted unless the pass-phrase is None."""
        return sm2.to_pem(self._secret, self._public, None if passphrase is None else _secret(passphrase))

    @classmethod
    def from_pem(cls, pem: bytes, key_id: str, passphrase: str | None = None) -> Sm2SigningKey:
        """As that of SigningKey, which opens SM2 keys, too."""
        encrypted = _ENCRYPTED in pem
        public, secret = sm2.from_pem(pem, _secret(passphrase) if encrypted else None)
        _require_locked(passphrase, encrypted)
        return cls(key_id, public, secret)


def _require_locked(passphrase: str | None, encrypted: bool) -> None:
    if passphrase is not None and not encrypted:  # its owner believes that it is protected
        raise WrongPassphrase("这个签名密钥没有设口令，却给出了口令。请先给密钥设口令，或不要给出口令。")


def _secret(passphrase: str | None) -> bytes:
    if passphrase is None:
        raise WrongPassphrase("这个签名密钥设有口令，请给出口令。")
    secret = passphrase.encode("utf-8", "surrogatepass")
    if not 0 < len(secret) <= _LONGEST_PASSPHRASE:
        raise WrongPassphrase(f"口令不能为空，也不能超过{_LONGEST_PASSPHRASE}字节。")
    return secret


def _to_base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _from_base64(text: str) -> bytes | None:
    """Decode the one proper spelling; None for any other, so that a signature cannot be respelt."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        return None
    return data if _to_base64(data) == text else None
