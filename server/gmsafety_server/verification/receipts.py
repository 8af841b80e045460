"""Is every receipt that was given still there, rightly signed, in its chain, and true of its submission."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, case, select

from gmsafety.exchange.canonical import canonical, digest
from gmsafety.exchange.errors import Malformed
from gmsafety.exchange.receipts import SignedReceipt
from gmsafety.exchange.receipts import Verdict as Word
from gmsafety.exchange.signing import PublicKey

from ..tables import AnyRow, receipts, submissions
from .report import Check, Faults

_SAME = ("campaign", "item", "period", "revision", "message_id", "payload_hash", "received_at", "nil", "test")
_LAST_WORD = {
    "submitted": (None, "reopened"),
    "superseded": (None, "reopened"),
    "accepted": ("accepted",),
    "returned": ("returned",),
}


def verify_receipts(tx: Connection, keys: Sequence[PublicKey]) -> Check:
    """Check every receipt, and that every filed submission has those that it was given."""
    faults, count, filed = Faults(), 0, 0
    for _, group in groupby(_given(tx), lambda row: row.submission_id):
        rows = list(group)
        filed += 1
        count += len(rows)
        faults.extend(_series(rows, keys))
    given = select(receipts.c.submission_id)
    bare = select(submissions.c.uid).where(submissions.c.state != "draft", submissions.c.id.not_in(given))
    faults.extend(f"报送 {uid} 没有回执" for uid in tx.execute(bare.limit(1000)).scalars())
    return Check("receipts", "回执", {"receipts": count, "submissions": filed}, faults.all())


def _given(tx: Connection) -> Iterator[AnyRow]:
    columns = [submissions.c[n] for n in (*_SAME, "sender", "state")]
    found = case((receipts.c.kind == "checked", submissions.c.findings)).label("findings")
    query = select(receipts, submissions.c.uid.label("submission"), *columns, found).join(submissions)
    query = query.order_by(receipts.c.submission_id, receipts.c.id)
    yield from tx.execute(query, execution_options={"yield_per": 500})


def _series(rows: list[AnyRow], keys: Sequence[PublicKey]) -> Iterator[str]:
    """The receipts of one submission: each for itself, and that none is missing between or after them."""
    name, previous, decision = rows[0].submission, None, None
    kinds = [row.kind for row in rows]
    if kinds[:2] != ["stored", "checked"] or set(kinds[2:]) - {"decided"}:
        yield f"报送 {name} 的回执不全：{'、'.join(kinds)}"
    for row in rows:
        try:
            signed = SignedReceipt.from_json(row.signed)
        except Malformed:
            yield f"报送 {name} 的回执 {row.uid} 不能读取"
            continue
        if signed.receipt.previous != previous:
            yield f"报送 {name} 的回执 {row.uid} 之前缺少一份回执"
        yield from (f"报送 {name} 的回执 {row.uid}：{wrong}" for wrong in _wrong(row, signed, keys))
        previous, decision = signed.hash, signed.receipt.decision or decision
    if decision not in _LAST_WORD.get(rows[0].state, (None,)):
        yield f"报送 {name} 现为“{rows[0].state}”，最后一份办理回执却是“{decision}”"


def _wrong(row: AnyRow, signed: SignedReceipt, keys: Sequence[PublicKey]) -> Iterator[str]:
    told = signed.receipt
    verdict = signed.verify(keys)
    if verdict is not Word.VALID:
        yield verdict.chinese
    kept = (row.uid, row.kind, row.hash, row.code, row.issued_at)
    if kept != (told.id, told.kind, signed.hash, signed.code, told.issued_at):
        yield "登记的编号、校验值或时间与回执不符"
    if told.submission != row.submission or told.sender.unit != row.sender:
        yield "不是这份报送的回执"
    differ = [n for n in _SAME if getattr(told, n) != getattr(row, n)]
    if differ:
        yield f"报送与回执不符：{'、'.join(differ)}"
    if told.findings is not None and told.findings.digest != _digest(row.findings):
        yield "核对结果与回执不符"


def _digest(findings: list[dict[str, Any]]) -> str:
    """As the receipt counts them: without the place in words, which the core does not write."""
    return digest(canonical([{k: v for k, v in f.items() if k != "place"} for f in findings]))
