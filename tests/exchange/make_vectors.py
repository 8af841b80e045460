"""Writes the test vectors of docs/protocol.md: `python tests/exchange/make_vectors.py`. The same bytes every time."""

import datetime as dt
import hashlib
import io
import json
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gmsafety.exchange import (
    FindingCount,
    Party,
    Reason,
    Receipt,
    SignedReceipt,
    SigningKey,
    canonical,
    digest,
    sign_receipt,
)
from gmsafety.exchange.answers import REFUSALS, Refusal, Stored, sign_refusal, sign_stored
from gmsafety.exchange.calls import Call, sign_call
from gmsafety.exchange.canonical import plain
from gmsafety.exchange.envelope import Attachment, Envelope, Link, Message, MessageKind, Subject, seal
from gmsafety.exchange.package import Parcel, pack
from gmsafety.exchange.payloads import (
    CellChange,
    Decision,
    Definitions,
    Handover,
    Keys,
    Notice,
    Outdated,
    Part,
    PartChange,
    Ping,
    Received,
    Report,
    Submission,
    To,
    Version,
    Withdrawal,
)
from gmsafety.exchange.peers import Anchor, Peer, PeerKey
from gmsafety.exchange.reconciling import Ask, Asked, Channel, Copies, Copy, Statement

HERE = Path(__file__).parent / "vectors"
BEIJING = dt.timezone(dt.timedelta(hours=8))
START = dt.datetime(2024, 12, 20, 9, tzinfo=BEIJING)
AT = dt.datetime(2024, 12, 27, 11, 58, 3, tzinfo=BEIJING)
DUE = dt.datetime(2024, 12, 27, 12, tzinfo=BEIJING)
PERIOD = dt.date(2024, 12, 27)
FILE = b"not a workbook, but bytes that have a hash\n" * 3


def seed_of(key_id: str) -> bytes:
    """The secret of a key that everybody knows; never to be used."""
    return hashlib.sha256(f"gmsafety test vector {key_id}".encode()).digest()


def key_of(key_id: str) -> SigningKey:
    return SigningKey(key_id, Ed25519PrivateKey.from_private_bytes(seed_of(key_id)))


COUNTY, CITY, NEXT = (key_of(name) for name in ("zezhou-2024-1", "jincheng-2024-1", "jincheng-2025-1"))
SUBJECT = Subject(
    campaign="jincheng.gongmao-2024", item="shanxi.weekly-dispatch", version="1", spec_hash=digest(b"spec"),
    period=PERIOD, unit="jincheng.zezhou-office", revision=1,
)  # fmt: skip
ATTACHED = Attachment(
    role="original", name="周调度.xlsx", media_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    size=len(FILE), hash=digest(FILE),
)  # fmt: skip
CONTENT_HASH = digest(FILE)
RECORD = {
    "form": "shanxi.weekly-dispatch",
    "week": "2024-12-27",
    "rows": [{"inspected": 12, "note": "无", "rate": None}],
}
FINDINGS = [{"code": "GM-R403", "severity": "error", "message": "合计不符", "where": {"cell": "C7"}}]


def receipt(kind: str, previous: SignedReceipt | None, **more: Any) -> SignedReceipt:
    said = Receipt(
        id=f"r-{kind}", kind=kind, node="jincheng", sender=Party(unit="jincheng.zezhou-office", name="泽州县应急管理局"),
        receiver=Party(unit="jincheng.city-office", name="晋城市应急管理局"), campaign=SUBJECT.campaign,
        item=SUBJECT.item, title="周调度统计表", period=PERIOD, revision=1, submission="s-1", message_id="m-1",
        payload_hash=CONTENT_HASH, received_at=AT, due_at=DUE, issued_at=AT, previous=previous and previous.hash, **more,
    )  # type: ignore[arg-type]  # fmt: skip
    return sign_receipt(said, CITY)


SUBMISSION = Submission(
    title="周调度统计表", submission="s-1", message_id="m-1", content_hash=CONTENT_HASH, filed_at=AT, record=RECORD,
    note="首次报送",
    made_of=(Part(unit="jincheng.zezhou-town", revision=2, payload_hash=digest(b"part")),),
    to=(To(unit="jincheng.city-office", node="jincheng"),),
)  # fmt: skip
SUBMITTED = digest(canonical(SUBMISSION.model_dump()))
STORED = receipt("stored", None)
COUNTED = FindingCount(errors=1, warnings=0, remarks=0, digest=digest(canonical(FINDINGS)))
CHECKED = receipt("checked", STORED, findings=COUNTED)
DECIDED = receipt(
    "decided", CHECKED, decision="returned", reasons=(Reason(where="C7", text="合计不符"),), note="请重报"
)
CONTENT = {"documents": [{"id": "jincheng-1", "title": "通知", "issuer": "某市", "level": "city"}]}
PEERS = tuple(PeerKey.of(k.public, START) for k in (CITY, NEXT))
PAYLOADS: dict[MessageKind, Any] = {
    "submission": SUBMISSION,
    "receipt": Received(receipt=STORED),
    "report": Report(receipt=CHECKED, findings=tuple(FINDINGS)),
    "decision": Decision(receipt=DECIDED),
    "withdraw": Withdrawal(payload_hash=CONTENT_HASH, withdrawn_at=AT, reason="填错单位"),
    "outdated": Outdated(
        submission="s-1",
        content_hash=CONTENT_HASH,
        told_at=AT,
        parts=(
            PartChange(
                unit="jincheng.zezhou-town",
                before=Version(revision=2, payload_hash=digest(b"part")),
                after=Version(revision=3, payload_hash=digest(b"corrected")),
            ),
        ),
        cells=(
            CellChange(
                kind="changed",
                path="self.general.found",
                label="第2行“一般问题隐患发现数”",
                before="21",
                after="22",
                units=("jincheng.zezhou-town",),
            ),
        ),
    ),
    "notice": Notice(title="关于开展专项行动的通知", issuer="某市", issued=dt.date(2024, 12, 20)),
    "definitions": Definitions(region="jincheng", number=3, issued_at=AT, content=CONTENT),
    "digest": Statement(
        sent=(Channel(epoch="e1", sequence=4, hash=SUBMITTED),),
        received=(Channel(epoch="e1", sequence=1, hash=SUBMITTED, beyond=(3,)),),
    ),
    "ask": Ask(missing=(Asked(epoch="e1", numbers=(2, 4)),)),
    "keys": Keys(keys=PEERS),
    "ping": Ping(state="ready", at=AT, program="gmsafety 0.1.0"),
    "handover": Handover(unit="jincheng.zezhou-office", handed_at=AT, history=CONTENT_HASH, submissions=1),
}
UPWARD = {"submission", "withdraw", "outdated", "ask"}
ABOUT_A_FORM = {"submission", "receipt", "report", "decision", "withdraw", "outdated"}


def message(kind: MessageKind, link: Link, number: int, *keys: SigningKey) -> Message:
    payload = plain(PAYLOADS[kind].model_dump())
    up = kind in UPWARD
    envelope = Envelope(
        id=f"{'zezhou' if up else 'jincheng'}-{number}", kind=kind, sender="zezhou" if up else "jincheng",
        receiver="jincheng" if up else "zezhou", link=link, sealed_at=AT,
        subject=SUBJECT if kind in ABOUT_A_FORM else None, answers="zezhou-1" if kind in ABOUT_A_FORM - UPWARD else None,
        applied=digest(canonical(CONTENT)) if up else None, payload_hash=digest(canonical(payload)),
        attachments=(ATTACHED,) if kind in ("submission", "handover") else (),
    )  # fmt: skip
    return seal(envelope, payload, *(keys or ((COUNTY,) if up else (CITY,))))


def chain() -> list[Message]:
    """Three messages of the county, each naming the one before; the last signed in the weeks of a change of keys."""
    out: list[Message] = []
    for number, kind in enumerate(("submission", "ask", "withdraw"), 1):
        link = Link(epoch="e1", sequence=number, previous=out[-1].hash if out else None)
        out.append(message(kind, link, number))
    return out


def shown(sealed: Message) -> dict[str, Any]:
    return {
        "kind": sealed.envelope.kind,
        "envelope_hex": sealed.envelope.body().hex(),
        "payload_hex": canonical(sealed.payload).hex(),
        "hash": sealed.hash,
        "bytes_hex": sealed.to_bytes().hex(),
    }


def answers() -> dict[str, bytes]:
    first = CHAIN[0]
    kind = REFUSALS["other-content"]
    refusal = Refusal(
        node="jincheng", received=digest(b"other bytes"), code=kind.code, slug=kind.slug, status=kind.status,
        said=kind.words, refused_at=AT, stored_hash=first.hash,
    )  # fmt: skip
    held = FIRST.stored.model_copy(update={"message": "zezhou-3", "message_hash": CHAIN[2].hash, "held": True})
    return {
        "stored": FIRST.to_bytes(),
        "held": sign_stored(held, CITY).to_bytes(),
        "refusal": sign_refusal(refusal, CITY).to_bytes(),
    }


CHAIN = chain()
FIRST = sign_stored(
    Stored(node="jincheng", sender="zezhou", message="zezhou-1", message_hash=CHAIN[0].hash, stored_at=AT), CITY
)
PAYLOADS["copies"] = Copies(messages=(Copy(message=CHAIN[0], answer=FIRST),))
CANONICAL = [
    '{"b":1,"a":[true,false,null],"":0}',
    '{"é":"\\u00e9","z":"\\u0000\\b\\t\\n\\f\\r\\u001f\\"\\\\\\/","中":"文"}',
    '{"\\ufb33":1,"\\ud83d\\ude00":2,"\\u20ac":3}',
    "[9007199254740991,-9007199254740991,0]",
    '{"a":{"c":[],"b":{}},"A":"\\u2028\\u007f"}',
]


@contextmanager
def blob(hash_: str) -> Any:
    assert hash_ == ATTACHED.hash
    yield io.BytesIO(FILE)


def packages(folder: Path) -> None:
    out = Parcel("zezhou-p-1", "zezhou", "jincheng", AT, messages=[m.to_bytes() for m in CHAIN])
    back = Parcel("jincheng-p-1", "jincheng", "zezhou", AT, answers=[answers()["stored"]])
    pack(out, folder / "package.gmx", keys=(COUNTY,), blob=blob)
    pack(back, folder / "answers.gmx", keys=(CITY,), blob=blob)


def vectors() -> dict[str, Any]:
    keys = [("zezhou", COUNTY), ("jincheng", CITY), ("jincheng", NEXT)]
    other = Link(epoch="e1", sequence=1, previous=None)
    both = message("notice", other, 99, CITY, NEXT)
    peer = Peer(name="jincheng", title="晋城市应急管理局", address="https://jincheng.example/", keys=PEERS)
    anchor = Anchor(peer=peer, made_at=START)
    call = Call(id="c-1", caller="zezhou", receiver="jincheng", method="GET",
                target="/exchange/v1/messages?after=e1:3", called_at=AT)  # fmt: skip
    signed_call = sign_call(call, COUNTY)
    return {
        "keys.json": [
            {"node": node, "seed_hex": seed_of(k.key_id).hex(), **k.public.to_json(), "fingerprint": k.public.fingerprint}
            for node, k in keys
        ],
        "canonical.json": [
            {"json": text, "canonical_hex": (c := canonical(json.loads(text))).hex(), "sha256": digest(c)}
            for text in CANONICAL
        ],
        "messages.json": [*(shown(message(kind, other, 1)) for kind in PAYLOADS), shown(both)],
        "chain.json": [shown(m) for m in CHAIN],
        "answers.json": [{"case": name, "bytes_hex": content.hex()} for name, content in answers().items()],
        "receipts.json": [
            {"bytes_hex": canonical(r.to_json()).hex(), "hash": r.hash, "code": r.code} for r in (STORED, CHECKED, DECIDED)
        ],
        "anchor.json": {"bytes_hex": canonical(anchor.to_json()).hex(), "fingerprint": anchor.fingerprint},
        "call.json": {"header": signed_call.to_header(), "call_hex": canonical(plain(call.model_dump())).hex()},
    }  # fmt: skip


def write(folder: Path) -> None:
    """Write every vector into a folder."""
    for name, content in vectors().items():
        (folder / name).write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", "utf-8")
    packages(folder)


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
