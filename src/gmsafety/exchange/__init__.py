"""What levels say to each other, without a network: canonical JSON, keys and signatures, receipts (回执).

Importing costs no cryptography; signing and checking need the extra `gmsafety[client]` and say so. The names are
imported at once, not on first use: `canonical` is a function here, and a module would take its place.
"""

from .canonical import canonical, digest
from .errors import ExtraMissing, KeyUnreadable, Malformed, NotCanonical, UnknownAlgorithm, WrongPassphrase
from .receipts import (
    FindingCount,
    Issued,
    Party,
    Reason,
    Receipt,
    Signature,
    SignedReceipt,
    Verdict,
    in_words,
    issue,
    sign_receipt,
    timeliness,
)
from .signing import ED25519, SM2, PublicKey, SigningKey, Sm2SigningKey

__all__ = [
    "ED25519",
    "SM2",
    "ExtraMissing",
    "FindingCount",
    "Issued",
    "KeyUnreadable",
    "Malformed",
    "NotCanonical",
    "Party",
    "PublicKey",
    "Reason",
    "Receipt",
    "Signature",
    "SignedReceipt",
    "SigningKey",
    "Sm2SigningKey",
    "UnknownAlgorithm",
    "Verdict",
    "WrongPassphrase",
    "canonical",
    "digest",
    "in_words",
    "issue",
    "sign_receipt",
    "timeliness",
]
