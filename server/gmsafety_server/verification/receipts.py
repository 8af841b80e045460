"""Is every receipt that was given still there, rightly signed, in its chain, and true of its submission."""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, case, exists, select

from gmsafety.exchange.canonical import canonical, digest
from gmsafety.exchange.errors import Malformed
from gmsafety.exchange.receipts import SignedReceipt
from gmsafety.exchange.receipts import Verdict as Word
from gmsafety.exchange.signing import PublicKey

from ..mail.stations import keys_by_peer
from ..tables import AnyRow, events, outbox, receipts, slots, submissions
from .report import Check, Faults

Others = Mapping[str, Sequence[PublicKey]]
"""The keys of other nodes, by node."""
_SAME = ("campaign", "item", "period", "revision", "message_id", "payload_hash", "received_at", "nil", "test")
_LAST_WORD = {
    "submitted": (None, "reopened"),
    "superseded": (None, "reopened"),
    "accepted": ("accepted",),
    "returned": ("returned",),
    "withdrawn": ("withdrawn",),
}


def verify_receipts(tx: Connection, keys: Sequence[PublicKey]) -> Check:
    """Check every receipt, and that every filed submission has those that it was given.

    What is filed to another node has its receipts from there, each signed with a key of that node.
    """
    faults, count, filed = Faults(), 0, 0
    others = keys_by_peer(tx)
    for _, group in groupby(_given(tx), lambda row: row.submission_id):
        rows = list(group)
        filed += 1
        count += len(rows)
        chains: dict[tuple[str | None, str | None], list[AnyRow]] = {}
        for row in rows:
            chains.setdefault((row.node, row.receiver), []).append(row)
        for chain in chains.values():
            faults.extend(_series(chain, keys, others))
    given = select(receipts.c.submission_id)
    sent = exists().where(
        outbox.c.kind == "submission",
        *(outbox.c[n] == submissions.c[n] for n in ("unit", "item", "period", "revision")),
    )
    came = exists().where(events.c.submission_id == submissions.c.id, events.c.kind == "handed-over")
    bare = select(submissions.c.uid).where(submissions.c.state != "draft", submissions.c.id.not_in(given), ~sent, ~came)
    faults.extend(f"报送 {uid} 没有回执" for uid in tx.execute(bare.limit(1000)).scalars())
    return Check("receipts", "回执", {"receipts": count, "submissions": filed}, faults.all())


def _given(tx: Connection) -> Iterator[AnyRow]:
    columns = [submissions.c[n] for n in (*_SAME, "sender", "state")]
    found = case((receipts.c.kind == "checked", submissions.c.findings)).label("findings")
    query = select(receipts, submissions.c.uid.label("submission"), slots.c.upper, *columns, found)
    query = query.join(submissions, submissions.c.id == receipts.c.submission_id)
    query = query.join(slots, slots.c.id == submissions.c.slot_id)
    query = query.order_by(receipts.c.submission_id, receipts.c.id)
    yield from tx.execute(query, execution_options={"yield_per": 500})


def _series(rows: list[AnyRow], keys: Sequence[PublicKey], others: Others) -> Iterator[str]:
    """The receipts of one submission from one addressee: each for itself, and that none is missing between or after.

    An addressee that does not decide has received it at a time of its own, and perhaps found something else. Those of
    another node come one by one; a decision on a revision that was corrected here meanwhile changes nothing.
    """
    name, previous, decision = rows[0].submission, None, None
    kinds = [row.kind for row in rows]
    is_theirs = _node_of(rows[0].signed) in others
    decides = rows[0].receiver in (rows[0].upper, rows[0].sender)
    begin = ["stored", "checked"][: len(kinds) if is_theirs else 2]
    if kinds[:2] != begin or set(kinds[2:]) - {"decided"}:
        yield f"报送 {name} 的回执不全：{'、'.join(kinds)}"
    for row in rows:
        try:
            signed = SignedReceipt.from_json(row.signed)
        except Malformed:
            yield f"报送 {name} 的回执 {row.uid} 不能读取"
            continue
        if signed.receipt.previous != previous:
            yield f"报送 {name} 的回执 {row.uid} 之前缺少一份回执"
        yield from (
            f"报送 {name} 的回执 {row.uid}：{wrong}"
            for wrong in _wrong(row, signed, others.get(signed.receipt.node, keys), decides=decides)
        )
        previous, decision = signed.hash, signed.receipt.decision or decision
    if not decides:
        return
    if decision not in _LAST_WORD.get(rows[0].state, (None,)) and not (is_theirs and rows[0].state == "superseded"):
        yield f"报送 {name} 现为“{rows[0].state}”，最后一份办理回执却是“{decision}”"


def _node_of(text: str) -> str:
    """The node that gave a receipt, by its own word."""
    try:
        return str(json.loads(text)["receipt"]["node"])
    except (ValueError, KeyError, TypeError):
        return ""


def _wrong(row: AnyRow, signed: SignedReceipt, keys: Sequence[PublicKey], *, decides: bool) -> Iterator[str]:
    told = signed.receipt
    verdict = signed.verify(keys)
    if verdict is not Word.VALID:
        yield verdict.chinese
    kept = (row.uid, row.kind, row.hash, row.code, row.issued_at)
    if kept != (told.id, told.kind, signed.hash, signed.code, told.issued_at):
        yield "登记的编号、校验值或时间与回执不符"
    if told.submission != row.submission or told.sender.unit != row.sender:
        yield "不是这份报送的回执"
    differ = [n for n in _SAME if (decides or n != "received_at") and getattr(told, n) != getattr(row, n)]
    if differ:
        yield f"报送与回执不符：{'、'.join(differ)}"
    if decides and told.findings is not None and told.findings.digest != _digest(row.findings):
        yield "核对结果与回执不符"


def _digest(findings: list[dict[str, Any]]) -> str:
    """As the receipt counts them: without the place in words, which the core does not write."""
    return digest(canonical([{k: v for k, v in f.items() if k != "place"} for f in findings]))
