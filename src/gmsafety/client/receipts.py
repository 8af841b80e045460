"""Checking receipts without asking anybody: with the public keys of the node, known from before."""

from collections.abc import Iterable, Iterator

from ..exchange.receipts import SignedReceipt, Verdict
from ..exchange.signing import PublicKey


def faults_in(receipts: Iterable[SignedReceipt], keys: Iterable[PublicKey]) -> tuple[str, ...]:
    """Say what does not hold in the receipts of one submission, in their order; empty where all hold.

    Each is signed by a key of the node, names the one before it, and speaks of the same submission and content.
    """
    return tuple(_faults(list(receipts), list(keys)))


def _faults(receipts: list[SignedReceipt], keys: list[PublicKey]) -> Iterator[str]:
    if not receipts:
        yield "没有回执"
        return
    first = receipts[0].receipt
    if first.kind != "stored":
        yield f"回执{receipts[0].code}之前缺“已收到”的回执"
    previous: str | None = None
    for signed in receipts:
        receipt = signed.receipt
        verdict = signed.verify(keys)
        if verdict is not Verdict.VALID:
            yield f"回执{signed.code}：{verdict.chinese}"
        if receipt.previous != previous:
            yield f"回执{signed.code}与前一张不相连，中间可能缺了一张"
        if (receipt.submission, receipt.payload_hash) != (first.submission, first.payload_hash):
            yield f"回执{signed.code}说的是另一份报送"
        previous = signed.hash
