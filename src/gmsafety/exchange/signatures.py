"""Signing what is canonical, and what checking one or several signatures comes to."""

from collections.abc import Iterable

from ..provenance import Value
from .canonical import canonical_typed
from .receipts import Signature, Verdict
from .signing import PublicKey, SigningKey


def signature_over(value: Value, key: SigningKey) -> Signature:
    """Sign a value."""
    return Signature(algorithm=key.algorithm, key_id=key.key_id, value=key.sign(canonical_typed(value.model_dump())))


def verdict_on(value: Value, signature: Signature, keys: Iterable[PublicKey]) -> Verdict:
    """Check the one signature of a value."""
    return verdict_on_all(value, (signature,), keys)


def verdict_on_all(value: Value, signatures: Iterable[Signature], keys: Iterable[PublicKey]) -> Verdict:
    """Check the signatures of a value: one by a known key is needed, and none may be wrong."""
    return verdict_over(canonical_typed(value.model_dump()), signatures, keys)


def verdict_over(body: bytes, signatures: Iterable[Signature], keys: Iterable[PublicKey]) -> Verdict:
    """The same of a value that is written already."""
    known, verdict = list(keys), Verdict.UNKNOWN_KEY
    for signature in signatures:
        candidates = [k for k in known if k.key_id == signature.key_id and k.is_known]
        if candidates:
            if not any(k.algorithm == signature.algorithm and k.verify(body, signature.value) for k in candidates):
                return Verdict.BAD_SIGNATURE
            verdict = Verdict.VALID
    return verdict
