"""What a file from another node is, who signed it, and whether everything in it holds; offline."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path

from ..forms.reading.safety import LARGEST_FILE, inspect
from .answers import SignedStored, read_answer
from .envelope import opened
from .errors import Malformed, NotCanonical
from .evidence import LOG_BEGINS, linked, of_archive, of_log, place_of
from .keyring import KeyRing
from .mailroom import LARGEST_MESSAGE
from .paper import receipt_rows
from .payloads import read_payload
from .receipts import SignedReceipt, code_of, in_words
from .unarchiving import is_archive
from .unpacking import PackageRefused, opened_package
from .verified import KINDS, Place, Signed, Verified, clock, signatures_in

__all__ = ["KINDS", "Signed", "Verified", "verify_file", "verify_files", "with_code"]

Further = Callable[[Path, KeyRing], Verified | None]
"""Verifies a file of a kind that is not known here; None for one that it does not know either."""
_MESSAGE_KINDS = {
    "submission": "报送", "receipt": "收到回执", "report": "核对结果", "decision": "办理结果", "withdraw": "撤回",
    "outdated": "汇总过时", "notice": "通知", "definitions": "下发的规定", "digest": "对账单", "ask": "索取",
    "copies": "副本", "keys": "密钥", "ping": "问候",
    "handover": "单位交接",
}  # fmt: skip
_HASH = re.compile(r"[0-9a-f]{64}")
_GAP = re.compile(r"[\s,]*")
_MISREAD = str.maketrans("ILO", "110")


def verify_files(
    paths: Sequence[Path], ring: KeyRing, *, node: str | None = None, further: Further | None = None
) -> list[Verified]:
    """Verify files, one result for each; an array of receipts, or one on each line, gives one for each receipt.

    A printed receipt is compared with the receipts among them, for paper alone proves nothing; archives and files of
    the audit log are compared with those of the same node. `further` knows other kinds of files.
    """
    places = [p for path in paths if (p := place_of(path)) is not None]
    found: list[Verified] = []
    for path in paths:
        told = _verify(path, ring, node, places)
        other = further(path, ring) if further is not None and not all(v.holds for v in told) else None
        found += told if other is None else [other]
    receipts = {v.hash: v for v in found if v.kind == "receipt"}
    return linked([_against(v, receipts) if v.kind == "printed" else v for v in found])


def verify_file(path: Path, ring: KeyRing, *, node: str | None = None) -> Verified:
    """Tell what a file is, and whether it holds; `node` is who a package must be for."""
    found = _verify(path, ring, node, ())
    if len(found) == 1:
        return found[0]
    faults = tuple(f"{v.file}：{fault}" for v in found for fault in v.faults)
    return Verified(path.name, "receipt", (("内容", f"{len(found)}份"),), faults=faults)


def _verify(path: Path, ring: KeyRing, node: str | None, places: Iterable[Place]) -> list[Verified]:
    name = path.name
    with path.open("rb") as file:
        begin = file.read(512)
    asked = {n for p in places if p.span is not None for n in (p.span.first - 1, p.span.last)}
    if path.suffix.lower() == ".docx" and path.stat().st_size <= LARGEST_FILE:
        return [_of_paper(path)]
    if begin[:2] == b"PK":
        return [_of_package(path, ring, node)]
    if is_archive(begin):
        return [of_archive(path, ring, asked)]
    if begin.startswith(LOG_BEGINS):
        return [of_log(path, ring, asked)]
    if path.stat().st_size > LARGEST_MESSAGE:
        return [Verified(name, "unknown", faults=("认不出这是什么文件",))]
    content = path.read_bytes()
    several = _several(content)
    if not several:
        return [_of_json(name, content, ring)]
    return [_of_json(f"{name}[{number}]", one, ring) for number, one in enumerate(several, 1)]


def _several(content: bytes) -> list[bytes]:
    """The parts of a JSON array, or of JSON on several lines, each as it is written; empty where it is one thing."""
    parts: list[bytes] = []
    try:
        text = content.decode("utf-8-sig").strip()
        is_array = text.startswith("[") and text.endswith("]")
        at, end = (1, len(text) - 1) if is_array else (0, len(text))
        decoder = json.JSONDecoder()
        while (at := _next(text, at)) < end:
            _, until = decoder.raw_decode(text, at)
            parts.append(text[at:until].encode())
            at = until
    except (ValueError, RecursionError):
        return []
    return parts if is_array or len(parts) > 1 else []


def _next(text: str, at: int) -> int:
    found = _GAP.match(text, at)
    return found.end() if found else at


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
        ("打包时间", clock(manifest.made_at)),
        ("内容", f"消息{len(manifest.messages)}条，答复{len(manifest.answers)}份，附件{len(manifest.blobs)}个"),
    )
    signed, why = signatures_in(manifest.sender, manifest.made_at, signatures, verdict, ring)
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
    signed, why = signatures_in(told.node, told.issued_at, (receipt.signature,), verdict, ring)
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
        ("封存时间", clock(envelope.sealed_at)),
        ("次序", f"通道 {envelope.link.epoch} 第{envelope.link.sequence}条"),
        ("附件", f"{len(envelope.attachments)}个"),
    )
    signed, why = signatures_in(envelope.sender, envelope.sealed_at, message.signatures, verdict, ring)
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
            ("存入时间", clock(at)),
            ("消息校验值", told.message_hash),
        )
    else:
        kind, node, at = "refusal", answer.refusal.node, answer.refusal.refused_at
        facts = (
            ("内容", f"节点 {node} 没有存：{answer.refusal.said}（{answer.refusal.code}）"),
            ("拒收时间", clock(at)),
            ("来文校验值", answer.refusal.received),
        )
    signed, why = signatures_in(node, at, (answer.signature,), answer.verify(ring.of(node, at)), ring)
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


def with_code(found: Sequence[Verified], code: str) -> list[Verified]:
    """Compare a code read from paper with receipts: one of them must have it, and is the one that is meant.

    Letters that the alphabet lacks are taken as they look.
    """
    plain = "".join(code.upper().translate(_MISREAD).split()).replace("-", "")
    receipts = [v for v in found if v.kind in ("receipt", "printed")]
    if any(c.replace("-", "") == plain for v in receipts for c in v.codes):
        return [v for v in found if v not in receipts or any(c.replace("-", "") == plain for c in v.codes)]
    return [replace(v, faults=(*v.faults, f"验证码不是{code}")) if v in receipts else v for v in found]
