"""Receipts (回执): what the upper level signs about a submission: that it came in, was checked, was decided.

A receipt is the evidence of the lower level. Its hash is that of its canonical JSON, and each receipt of a submission
names the one before it, so that none can be taken out of the middle.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from ..findings import Finding, Severity
from ..provenance import Value
from .canonical import canonical, digest, plain
from .signing import PublicKey, SigningKey
from .wire import Count, Line, Moment, Sha256, is_unseen, take

BEIJING = ZoneInfo("Asia/Shanghai")
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VERBS = {
    "stored": "已收到",
    "checked": "已核对",
    "accepted": "已接受",
    "returned": "已退回",
    "reopened": "已撤销接受",
    "withdrawn": "已办理撤回",
}


class Party(Value):
    """Who sends or receives: the full reference of the unit and its name as printed on that day."""

    unit: Line
    name: Line


class FindingCount(Value):
    """How many findings a check had; `digest` is the hash of the findings as canonical JSON, in their order."""

    errors: Count
    warnings: Count
    remarks: Count
    digest: Sha256

    @classmethod
    def of(cls, findings: Iterable[Finding]) -> FindingCount:
        """Count the findings of a check."""
        found = list(findings)
        count = {severity: sum(f.severity is severity for f in found) for severity in Severity}
        return cls(
            errors=count[Severity.ERROR],
            warnings=count[Severity.WARNING],
            remarks=count[Severity.INFO],
            digest=digest(canonical([f.to_json() for f in found])),
        )


class Reason(Value):
    """Why a submission was returned: where (a cell, a column, or nothing for the whole), and what is wrong there."""

    where: str
    text: str


class Receipt(Value):
    """What is said before it is signed; `previous` is the hash of the receipt before it of the same submission."""

    protocol: Literal["gmsafety/1"] = "gmsafety/1"
    id: Line
    kind: Literal["stored", "checked", "decided"]
    test: bool = False
    node: Line
    sender: Party
    receiver: Party
    campaign: Line
    item: Line
    title: Line
    period: dt.date
    revision: Annotated[Count, Field(ge=1)]
    submission: Line
    message_id: Line
    payload_hash: Sha256
    received_at: Moment
    due_at: Moment | None
    issued_at: Moment
    previous: Sha256 | None
    nil: bool = False
    findings: FindingCount | None = None
    decision: Literal["accepted", "returned", "reopened", "withdrawn"] | None = None
    reasons: tuple[Reason, ...] = ()
    note: str | None = None

    @model_validator(mode="after")
    def _says_what_its_kind_says(self) -> Self:
        if (self.kind == "checked") != (self.findings is not None):
            raise ValueError("findings是且只是kind为checked的回执的一部分")
        if (self.kind == "decided") != (self.decision is not None):
            raise ValueError("decision是且只是kind为decided的回执的一部分")
        if self.kind != "decided" and (self.reasons or self.note is not None):
            raise ValueError("reasons和note只是kind为decided的回执的一部分")
        return self

    @property
    def late_minutes(self) -> int:
        """Minutes late, begun ones counted; 0 up to the end of the due second, as the receipt prints seconds."""
        if self.due_at is None:
            return 0
        late = self.received_at.replace(microsecond=0) - self.due_at
        return max(0, -(-late // dt.timedelta(minutes=1)))

    @property
    def hash(self) -> str:
        """The SHA-256 of the body, which the next receipt names as `previous`."""
        return digest(self.body())

    def body(self) -> bytes:
        """The bytes that are hashed and signed."""
        return canonical(self.model_dump())


class Verdict(StrEnum):
    """What checking a signature came to."""

    VALID = "valid"
    UNKNOWN_KEY = "unknown-key"
    BAD_SIGNATURE = "bad-signature"

    @property
    def chinese(self) -> str:
        """The sentence shown to a clerk."""
        return {
            "valid": "签名有效",
            "unknown-key": "没有可用来核对签名的公钥",
            "bad-signature": "签名不符，回执可能被改动过",
        }[self.value]


class Signature(Value):
    """A signature (base64) and which key made it."""

    algorithm: Line
    key_id: Line
    value: Line


class SignedReceipt(Value):
    """A receipt with the signature of the node that issued it; made by `sign_receipt` or `from_json`."""

    receipt: Receipt
    signature: Signature

    @property
    def hash(self) -> str:
        """That of the receipt: the signature is not part of it."""
        return self.receipt.hash

    @property
    def code(self) -> str:
        """The verification code (验证码) printed on paper: 40 bits of the hash, in an alphabet without I, L, O, U."""
        return code_of(self.hash)

    def verify(self, keys: Iterable[PublicKey]) -> Verdict:
        """Check the signature with the keys of the node that the receipt names; the caller knows whose keys they are.

        A key of an algorithm unknown here counts as unknown.
        """
        candidates = [key for key in keys if key.key_id == self.signature.key_id and key.is_known]
        if not candidates:
            return Verdict.UNKNOWN_KEY
        body, signature = self.receipt.body(), self.signature
        is_valid = any(key.algorithm == signature.algorithm and key.verify(body, signature.value) for key in candidates)
        return Verdict.VALID if is_valid else Verdict.BAD_SIGNATURE

    def to_json(self) -> dict[str, Any]:
        """The documented shape: `receipt` and `signature`, nothing left out."""
        shape: dict[str, Any] = plain(self.model_dump())
        return shape

    @classmethod
    def from_json(cls, content: Any) -> SignedReceipt:
        """Take a receipt from JSON, text or parsed; Malformed (a ValueError) lists everything. Does not verify."""
        return take(cls, content, noun="回执")


def code_of(digested: str) -> str:
    """The verification code of a hash: its first 40 bits."""
    number = int(digested[:10], 16)
    marks = "".join(_CROCKFORD[number >> shift & 31] for shift in range(35, -5, -5))
    return f"{marks[:4]}-{marks[4:]}"


def sign_receipt(receipt: Receipt, key: SigningKey) -> SignedReceipt:
    """Sign with the key of the issuing node."""
    return SignedReceipt(receipt=receipt, signature=_signature(receipt.body(), key))


def _signature(body: bytes, key: SigningKey) -> Signature:
    return Signature(algorithm=key.algorithm, key_id=key.key_id, value=key.sign(body))


@dataclass(frozen=True, slots=True)
class Issued:
    """What a node keeps of a receipt it gives: `text` is the signed receipt as canonical JSON."""

    hash: str
    code: str
    text: str


def issue(receipt: Receipt, key: SigningKey) -> Issued:
    """Sign a receipt and write it down; all of it comes of one writing of the body."""
    body = receipt.body()
    hashed, signature = digest(body), canonical(_signature(body, key).model_dump())
    return Issued(hashed, code_of(hashed), f'{{"receipt":{body.decode()},"signature":{signature.decode()}}}')


def in_words(signed: SignedReceipt) -> str:
    """Tell a receipt in Chinese, in Beijing time, as it is printed or sent on by hand. Does not verify."""
    receipt = signed.receipt
    verb = _VERBS[receipt.decision or receipt.kind]
    filed = (
        f"《{receipt.title}》{receipt.period.isoformat()}期第{receipt.revision}版{'（零报告）' if receipt.nil else ''}"
    )
    first = f"回执　{receipt.receiver.name} {verb} {receipt.sender.name} 报送的{filed}{_outcome(receipt)}"
    lines = [f"{'【测试】' if receipt.test else ''}{first}", _particulars(signed)]
    if receipt.note:
        lines.append(f"说明　{in_one_line(receipt.note)}")
    return "\n".join(lines)


def timeliness(receipt: Receipt) -> str:
    """In time or late, in Chinese; a correction counts from when the period was first received."""
    if receipt.due_at is None:
        return "没有规定期限"
    late = f"迟到{receipt.late_minutes}分钟" if receipt.late_minutes else "按时"
    return late if receipt.revision == 1 else f"{late}，以首次收到为准"


def outcome(receipt: Receipt) -> str:
    """What came of it, in one line of Chinese: received, checked with so many findings, returned with reasons."""
    return f"{_VERBS[receipt.decision or receipt.kind]}{_outcome(receipt)}"


def _outcome(receipt: Receipt) -> str:
    if receipt.findings is not None:
        errors, warnings = receipt.findings.errors, receipt.findings.warnings
        return f"（错误{errors}处，提醒{warnings}处）" if errors or warnings else "（没有问题）"
    told = [in_one_line(f"{r.where}：{r.text}" if r.where else r.text) for r in receipt.reasons]
    return f"（原因：{'；'.join(told)}）" if told else ""


def _particulars(signed: SignedReceipt) -> str:
    receipt, signature = signed.receipt, signed.signature
    received = receipt.received_at.astimezone(BEIJING)
    parts = [
        f"收到时间 {_clock(received)}（{_due_words(receipt, received)}）",
        *([] if receipt.kind == "stored" else [f"出具时间 {_clock(receipt.issued_at.astimezone(BEIJING))}"]),
        f"内容校验 SHA-256 {receipt.payload_hash[:4]}…{receipt.payload_hash[-2:]}",
        f"签名 {signature.algorithm} {signature.key_id}",
        f"验证码 {signed.code}",
    ]
    return "　".join(parts)


def _due_words(receipt: Receipt, received: dt.datetime) -> str:
    if receipt.due_at is None:
        return timeliness(receipt)
    due = receipt.due_at.astimezone(BEIJING)
    time = f"{due:%H:%M:%S}".removesuffix(":00")
    words = time if due.date() == received.date() else f"{due.date().isoformat()} {time}"
    return f"截止 {words}，{timeliness(receipt)}"


def _clock(moment: dt.datetime) -> str:
    return f"{moment.date().isoformat()} {moment:%H:%M:%S}"


def in_one_line(text: str) -> str:
    """Free text must not look like further lines of the receipt."""
    return " ".join("".join(" " if is_unseen(mark) else mark for mark in text).split())
