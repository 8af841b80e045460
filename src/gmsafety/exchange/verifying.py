"""What a file from another node is, who signed it, and whether everything in it holds; offline."""

from __future__ import annotations

import datetime as dt
import json
import re
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

from ..forms.reading.safety import LARGEST_FILE, inspect
from .answers import SignedStored, read_answer
from .envelope import opened
from .errors import Malformed, NotCanonical
from .keyring import KeyRing
from .mailroom import LARGEST_MESSAGE
from .paper import receipt_rows
from .payloads import read_payload
from .receipts import BEIJING, Signature, SignedReceipt, Verdict, code_of, in_words
from .unpacking import PackageRefused, opened_package

KINDS = {
    "package": "包文件",
    "receipt": "回执",
    "printed": "打印的回执",
    "stored": "已存答复",
    "refusal": "拒收答复",
    "message": "消息",
    "backup": "备份",
    "database": "数据库",
    "unknown": "认不出的文件",
}
_MESSAGE_KINDS = {
    "submission": "报送", "receipt": "收到回执", "report": "核对结果", "decision": "办理结果", "withdraw": "撤回",
    "notice": "通知", "definitions": "下发的规定", "digest": "对账单", "ask": "索取", "keys": "密钥", "ping": "问候",
}  # fmt: skip
_HASH = re.compile(r"[0-9a-f]{64}")
_MISREAD = str.maketrans("ILO", "110")


@dataclass(frozen=True, slots=True)
class Signed:
    """Who signed, with which key, and what checking it came to."""

    node: str
    key_id: str
    algorithm: str
    verdict: Verdict

    @property
    def words(self) -> str:
        """What checking came to, for people."""
        return {"valid": "有效", "unknown-key": "无法核对", "bad-signature": "不符"}[self.verdict.value]


@dataclass(frozen=True, slots=True)
class Verified:
    """What a file is (a key of `KINDS`), facts about it as label and text, who signed, and what does not hold."""

    file: str
    kind: str
    facts: tuple[tuple[str, str], ...] = ()
    signed: tuple[Signed, ...] = ()
    faults: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    hash: str = ""
    printed: tuple[tuple[str, str], ...] = ()

    @property
    def holds(self) -> bool:
        """True where nothing is wrong."""
        return not self.faults

    def to_json(self) -> dict[str, Any]:
        """The result for programs."""
        return {
            "file": self.file,
            "kind": self.kind,
            "holds": self.holds,
            "facts": dict(self.facts),
            "signed": [
                {"node": s.node, "key_id": s.key_id, "algorithm": s.algorithm, "verdict": s.verdict.value}
                for s in self.signed
            ],
            "faults": list(self.faults),
            "hash": self.hash or None,
        }


def verify_files(paths: Sequence[Path], ring: KeyRing, *, node: str | None = None) -> list[Verified]:
    """Verify files; a printed receipt is compared with the receipts among them, for paper alone proves nothing."""
    found = [verify_file(path, ring, node=node) for path in paths]
    receipts = {v.hash: v for v in found if v.kind == "receipt"}
    return [_against(v, receipts) if v.kind == "printed" else v for v in found]


def verify_file(path: Path, ring: KeyRing, *, node: str | None = None) -> Verified:
    """Tell what a file is, and whether it holds; `node` is who a package must be for."""
    name = path.name
    with path.open("rb") as file:
        begin = file.read(16)
    if path.suffix.lower() == ".docx" and path.stat().st_size <= LARGEST_FILE:
        return _of_paper(path)
    if begin[:2] == b"PK":
        return _of_package(path, ring, node)
    if path.stat().st_size > LARGEST_MESSAGE:
        return Verified(name, "unknown", faults=("认不出这是什么文件",))
    return _of_json(name, path.read_bytes(), ring)


def _of_package(path: Path, ring: KeyRing, node: str | None) -> Verified:
    try:
        with opened_package(path) as package:
            manifest, signatures = package.signed.manifest, package.signed.signatures
            verdict = package.signed.verify(ring.of(manifest.sender, manifest.made_at))
            found = package.faults(ring.of, node=node)
    except PackageRefused as refused:
        return Verified(path.name, "package", faults=(str(refused),))
    facts = (
        ("编号", manifest.id),
        ("发出节点", manifest.sender),
        ("收件节点", manifest.receiver),
        ("打包时间", _clock(manifest.made_at)),
        ("内容", f"消息{len(manifest.messages)}条，答复{len(manifest.answers)}份，附件{len(manifest.blobs)}个"),
    )
    signed, why = _signatures(manifest.sender, manifest.made_at, signatures, verdict, ring)
    faults = [f"{f}（{f.kind.code}）" for f in found if f.kind.slug not in ("unknown-signer", "bad-signature")]
    return Verified(path.name, "package", facts, signed, (*why, *faults))


def _of_json(name: str, content: bytes, ring: KeyRing) -> Verified:
    try:
        told = json.loads(content)
    except (ValueError, RecursionError):
        told = None
    keys = set(told) if isinstance(told, dict) else set()
    try:
        if keys == {"receipt", "signature"}:
            return _of_receipt(name, SignedReceipt.from_json(content), ring)
        if "envelope" in keys:
            return _of_message(name, content, ring)
        if keys & {"stored", "refusal"}:
            return _of_answer(name, content, ring)
    except (Malformed, NotCanonical) as error:
        kind = {"receipt": "receipt", "envelope": "message", "stored": "stored", "refusal": "refusal"}
        return Verified(name, next(kind[k] for k in kind if k in keys), faults=(str(error),))
    return Verified(name, "unknown", faults=("认不出这是什么文件",))


def _of_receipt(name: str, receipt: SignedReceipt, ring: KeyRing) -> Verified:
    told = receipt.receipt
    verdict = receipt.verify(ring.of(told.node, told.issued_at))
    facts = (("内容", in_words(receipt)), ("回执校验值", receipt.hash), ("验证码", receipt.code))
    signed, why = _signatures(told.node, told.issued_at, (receipt.signature,), verdict, ring)
    return Verified(name, "receipt", facts, signed, why, (receipt.code,), receipt.hash, tuple(receipt_rows(receipt)))


def _of_message(name: str, content: bytes, ring: KeyRing) -> Verified:
    message = opened(content)
    envelope = message.envelope
    verdict = message.verify(ring.of(envelope.sender, envelope.sealed_at))
    facts = (
        ("种类", f"{_MESSAGE_KINDS[envelope.kind]}（{envelope.kind}）{'，测试' if envelope.test else ''}"),
        ("编号", envelope.id),
        ("发出节点", envelope.sender),
        ("收件节点", envelope.receiver),
        ("封存时间", _clock(envelope.sealed_at)),
        ("次序", f"通道 {envelope.link.epoch} 第{envelope.link.sequence}条"),
        ("附件", f"{len(envelope.attachments)}个"),
    )
    signed, why = _signatures(envelope.sender, envelope.sealed_at, message.signatures, verdict, ring)
    faults = list(why)
    if not message.payload_fits:
        faults.append("内容与信封所写的校验值不符")
    else:
        try:
            read_payload(message)
        except (Malformed, NotCanonical) as error:
            faults.append(str(error))
    return Verified(name, "message", facts, signed, tuple(faults), hash=message.hash)


def _of_answer(name: str, content: bytes, ring: KeyRing) -> Verified:
    answer = read_answer(content)
    if isinstance(answer, SignedStored):
        kind, node, at = "stored", answer.stored.node, answer.stored.stored_at
        told = answer.stored
        facts = (
            ("内容", f"节点 {node} 已存节点 {told.sender} 的消息 {told.message}{'，等前一条' if told.held else ''}"),
            ("存入时间", _clock(at)),
            ("消息校验值", told.message_hash),
        )
    else:
        kind, node, at = "refusal", answer.refusal.node, answer.refusal.refused_at
        facts = (
            ("内容", f"节点 {node} 没有存：{answer.refusal.said}（{answer.refusal.code}）"),
            ("拒收时间", _clock(at)),
            ("来文校验值", answer.refusal.received),
        )
    signed, why = _signatures(node, at, (answer.signature,), answer.verify(ring.of(node, at)), ring)
    return Verified(name, kind, facts, signed, why)


def _of_paper(path: Path) -> Verified:
    """What is printed on a receipt: its hash and its code, which must be of each other."""
    data = path.read_bytes()
    inspected = inspect(data, path.name)
    if inspected.format != "docx":
        return Verified(path.name, "unknown", faults=tuple(f.message for f in inspected.findings))
    from docx import Document  # noqa: PLC0415 - only for paper

    try:
        document = Document(BytesIO(data))
    except (KeyError, ValueError, zipfile.BadZipFile):
        return Verified(path.name, "unknown", faults=("Word文件不能读取",))
    rows = tuple(
        (cells[0].text, cells[1].text)
        for table in document.tables
        for cells in (row.cells for row in table.rows)
        if len(cells) == 2
    )
    lines = dict(rows)
    hashed, code = "".join(lines.get("回执校验值", "").split()), lines.get("验证码", "")
    facts = (("印出的验证码", code or "无"), ("印出的回执校验值", hashed or "无"))
    if not _HASH.fullmatch(hashed):
        return Verified(path.name, "unknown", facts, faults=("不是打印的回执",))
    faults = () if code == code_of(hashed) else ("验证码与回执校验值不相配",)
    return Verified(path.name, "printed", facts, (), faults, (code,), hashed, rows[1:])


def _against(printed: Verified, receipts: dict[str, Verified]) -> Verified:
    same = receipts.get(printed.hash)
    if same is None:
        alone = "纸上没有签名；请与JSON格式的回执一起核验，现在没有相同的回执"
        return replace(printed, faults=(*printed.faults, alone))
    faults = [] if same.holds else [f"与 {same.file} 相同，但该回执不成立"]
    signed, told = dict(same.printed), dict(printed.printed)
    faults += [f"“{k}”印的是“{told.get(k, '')}”，回执是“{signed.get(k, '')}”" for k in _differing(signed, told)]
    if not faults and printed.printed != same.printed:
        faults.append("行数或次序与回执不同")
    return replace(printed, faults=(*printed.faults, *faults))


def _differing(signed: dict[str, str], told: dict[str, str]) -> list[str]:
    return [label for label in {**signed, **told} if signed.get(label) != told.get(label)]


def with_code(found: Verified, code: str) -> Verified:
    """Compare a code read from paper with a receipt; letters that the alphabet lacks are taken as they look."""
    plain = "".join(code.upper().translate(_MISREAD).split()).replace("-", "")
    if found.kind not in ("receipt", "printed") or any(c.replace("-", "") == plain for c in found.codes):
        return found
    return replace(found, faults=(*found.faults, f"验证码不是{code}"))


def _signatures(
    node: str, at: dt.datetime, signatures: Iterable[Signature], verdict: Verdict, ring: KeyRing
) -> tuple[tuple[Signed, ...], tuple[str, ...]]:
    given = tuple(signatures)
    signed = tuple(Signed(node, s.key_id, s.algorithm, verdict) for s in given)
    if verdict is Verdict.VALID:
        return signed, ()
    if verdict is Verdict.BAD_SIGNATURE:
        return signed, ("签名不符，可能被改动过",)
    return signed, (f"签名无法核对：{ring.why_not(node, at, given[0])}",)


def _clock(moment: dt.datetime) -> str:
    return f"{moment.astimezone(BEIJING):%Y-%m-%d %H:%M:%S}"
