"""Receipts: lateness, what they say, that nothing in them can be changed, and what is refused from outside."""

import datetime as dt
import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gmsafety.exchange import (
    FindingCount,
    Issued,
    Malformed,
    Party,
    PublicKey,
    Reason,
    Receipt,
    Signature,
    SignedReceipt,
    SigningKey,
    Verdict,
    canonical,
    digest,
    in_words,
    issue,
    sign_receipt,
)
from gmsafety.findings import Finding, Kind, Place, Severity

BEIJING = ZoneInfo("Asia/Shanghai")
KEY = SigningKey.generate("jincheng-2024-1")
HASH = "6f1c" + 58 * "0" + "e2"
DUE = dt.datetime(2024, 12, 27, 12, tzinfo=BEIJING)
COUNT = FindingCount(errors=2, warnings=1, remarks=4, digest=HASH)
CLEAN = FindingCount(errors=0, warnings=0, remarks=4, digest=HASH)

STORED: dict[str, Any] = {
    "id": "r-1",
    "kind": "stored",
    "node": "jincheng",
    "sender": Party(unit="jincheng.zezhou", name="泽州县应急管理局"),
    "receiver": Party(unit="jincheng.city", name="晋城市应急管理局"),
    "campaign": "jincheng.campaign",
    "item": "jincheng.weekly",
    "title": "周调度统计表",
    "period": dt.date(2024, 12, 27),
    "revision": 1,
    "submission": "s-1",
    "message_id": "m-1",
    "payload_hash": HASH,
    "received_at": dt.datetime(2024, 12, 27, 11, 58, 3, tzinfo=BEIJING),
    "due_at": DUE,
    "issued_at": dt.datetime(2024, 12, 27, 15, 30, tzinfo=BEIJING),
    "previous": None,
}
CHECKED = {**STORED, "kind": "checked", "findings": COUNT, "previous": HASH}
RETURNED = {
    **STORED,
    "kind": "decided",
    "decision": "returned",
    "reasons": (Reason(where="C7", text="没有填写"), Reason(where="", text="印章不清")),
    "note": "请于当日\n重报",
    "previous": HASH,
}
ALL = {"stored": STORED, "checked": CHECKED, "returned": RETURNED}


def signed(fields: dict[str, Any], **changes: Any) -> SignedReceipt:
    return sign_receipt(Receipt(**{**fields, **changes}), KEY)


lines = st.text(st.characters(categories=["L", "N", "P", "Zs"]), min_size=1, max_size=12)
texts = st.text(max_size=12)
hashes = st.binary(max_size=4).map(digest)
counts = st.integers(0, 2**53 - 1)
moments = st.datetimes(dt.datetime(1971, 1, 1), dt.datetime(9998, 12, 30), timezones=st.sampled_from([dt.UTC, BEIJING]))
parties = st.builds(Party, unit=lines, name=lines)
reasons = st.lists(st.builds(Reason, where=texts, text=texts), max_size=3).map(tuple)


@st.composite
def receipts(draw: st.DrawFn) -> Receipt:
    kind = draw(st.sampled_from(["stored", "checked", "decided"]))
    parts: dict[str, Any] = {}
    if kind == "checked":
        parts["findings"] = draw(st.builds(FindingCount, errors=counts, warnings=counts, remarks=counts, digest=hashes))
    if kind == "decided":
        parts["decision"] = draw(st.sampled_from(["accepted", "returned", "reopened"]))
        parts |= {"reasons": draw(reasons), "note": draw(st.none() | texts)}
    names = ("id", "node", "campaign", "item", "title", "submission", "message_id")
    return Receipt(
        kind=kind,
        **{name: draw(lines) for name in names},
        **{name: draw(moments) for name in ("received_at", "due_at", "issued_at")},
        **{name: draw(parties) for name in ("sender", "receiver")},
        **{name: draw(st.booleans()) for name in ("test", "nil")},
        period=draw(st.dates()),
        revision=draw(st.integers(1, 99)),
        payload_hash=draw(hashes),
        previous=draw(st.none() | hashes),
        **parts,
    )


@pytest.mark.parametrize(
    ("due", "received", "minutes"),
    [
        ("12-27 12:00:00", "12-20 09:00:00", 0),
        ("12-27 12:00:00", "12-27 11:59:59.999999", 0),
        ("12-27 12:00:00", "12-27 12:00:00", 0),
        ("12-27 12:00:00", "12-27 12:00:00.999999", 0),  # still the due second
        ("12-27 12:00:00", "12-27 12:00:01", 1),
        ("12-27 12:00:00", "12-27 12:01:00", 1),
        ("12-27 12:00:00", "12-27 12:01:00.5", 1),
        ("12-27 12:00:00", "12-27 12:01:01", 2),
        ("12-27 12:00:00", "12-28 12:00:00", 1440),
        ("12-27 12:00:00", "12-28 12:00:01", 1441),
        ("12-27 23:59:59", "12-27 23:59:59.7", 0),
        ("12-27 23:59:59", "12-28 00:00:00", 1),
        ("12-27 23:59:59", "12-28 00:00:59", 1),
        ("12-27 23:59:59", "12-28 00:01:00", 2),
    ],
)
def test_lateness(due: str, received: str, minutes: int) -> None:
    due_at, received_at = (
        dt.datetime.fromisoformat(f"2024-{text}").replace(tzinfo=BEIJING) for text in (due, received)
    )
    receipt = Receipt(**{**STORED, "due_at": due_at, "received_at": received_at.astimezone(dt.UTC)})

    assert minutes == receipt.late_minutes


@given(moments, moments)
def test_late_is_only_what_came_after_the_due_second(received: dt.datetime, due: dt.datetime) -> None:
    receipt = Receipt(**{**STORED, "received_at": received, "due_at": due})
    late = received.astimezone(dt.UTC).replace(microsecond=0) - due.astimezone(dt.UTC)  # clocks went forward in 1986

    assert (late > dt.timedelta(0)) == (receipt.late_minutes > 0)
    assert receipt.late_minutes * dt.timedelta(minutes=1) >= late


def test_the_same_receipt_gives_the_same_bytes_in_any_zone() -> None:
    elsewhere = {**STORED, "received_at": STORED["received_at"].astimezone(dt.UTC)}

    assert Receipt(**STORED) == Receipt(**elsewhere)
    assert Receipt(**STORED).body() == Receipt(**elsewhere).body()
    assert b'"received_at":"2024-12-27T03:58:03Z"' in Receipt(**elsewhere).body()


def test_hash_and_code_come_from_the_body() -> None:
    receipt = signed(STORED)
    number = int(digest(receipt.receipt.body())[:10], 16)
    code = receipt.code.replace("-", "")

    assert digest(receipt.receipt.body()) == receipt.hash == receipt.receipt.hash
    assert 9 == len(receipt.code)
    assert number == sum("0123456789ABCDEFGHJKMNPQRSTVWXYZ".index(m) << 5 * (7 - i) for i, m in enumerate(code))


def test_findings_are_counted_and_hashed() -> None:
    kind = Kind("x", "GM-X001", Severity.ERROR, "x", "没有填写。", "请填写。")
    severities = [Severity.ERROR, Severity.WARNING, Severity.INFO, Severity.ERROR]
    findings: list[Finding] = [kind.at(Place("C7"), severity=severity) for severity in severities]
    expected = FindingCount(errors=2, warnings=1, remarks=1, digest=digest(canonical([f.to_json() for f in findings])))

    assert expected == FindingCount.of(iter(findings))
    assert digest(b"[]") == FindingCount.of([]).digest


@pytest.mark.parametrize(
    ("fields", "changes", "said"),
    [
        (STORED, {"findings": COUNT}, "findings是且只是kind为checked的回执的一部分"),
        (CHECKED, {"findings": None}, "findings是且只是kind为checked的回执的一部分"),
        (STORED, {"decision": "accepted"}, "decision是且只是kind为decided的回执的一部分"),
        (RETURNED, {"decision": None}, "decision是且只是kind为decided的回执的一部分"),
        (STORED, {"reasons": (Reason(where="", text="x"),)}, "reasons和note只是kind为decided的回执的一部分"),
        (CHECKED, {"note": ""}, "reasons和note只是kind为decided的回执的一部分"),
        (STORED, {"due_at": dt.datetime(2024, 12, 27)}, "timezone"),
        (STORED, {"due_at": dt.datetime(9999, 12, 31, 23, tzinfo=dt.UTC)}, "年份超出范围"),
        (STORED, {"due_at": dt.datetime.min.replace(tzinfo=BEIJING)}, "年份超出范围"),
        (STORED, {"title": "周\u202e表"}, r"含有看不见的字符U\+202E"),
        (STORED, {"revision": 0}, "greater than or equal to 1"),
        (STORED, {"payload_hash": HASH.upper()}, "pattern"),
        (STORED, {"colour": "red"}, "Extra inputs"),
    ],
)
def test_a_receipt_that_contradicts_itself_is_refused(
    fields: dict[str, Any], changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValidationError, match=said):
        Receipt(**{**fields, **changes})


FIRST = "晋城市应急管理局 {} 泽州县应急管理局 报送的《周调度统计表》2024-12-27期第1版"
LAST = "内容校验 SHA-256 6f1c…e2　签名 Ed25519 jincheng-2024-1　验证码 "


@pytest.mark.parametrize(
    ("fields", "changes", "words"),
    [
        (STORED, {}, ["回执　" + FIRST.format("已收到"), "收到时间 2024-12-27 11:58:03（截止 12:00，按时）　" + LAST]),
        (
            STORED,
            {"test": True, "nil": True, "received_at": DUE + dt.timedelta(seconds=61)},
            [
                "【测试】回执　" + FIRST.format("已收到") + "（零报告）",
                "收到时间 2024-12-27 12:01:01（截止 12:00，迟到2分钟）　" + LAST,
            ],
        ),
        (
            STORED,
            {"due_at": dt.datetime(2024, 12, 26, 23, 59, 59, tzinfo=BEIJING)},
            [
                "回执　" + FIRST.format("已收到"),
                "收到时间 2024-12-27 11:58:03（截止 2024-12-26 23:59:59，迟到719分钟）　" + LAST,
            ],
        ),
        (
            STORED,
            {"revision": 2},
            [
                "回执　" + FIRST.format("已收到").replace("第1版", "第2版"),
                "收到时间 2024-12-27 11:58:03（截止 12:00，按时，以首次收到为准）　" + LAST,
            ],
        ),
        (
            CHECKED,
            {},
            [
                "回执　" + FIRST.format("已核对") + "（错误2处，提醒1处）",
                "收到时间 2024-12-27 11:58:03（截止 12:00，按时）　出具时间 2024-12-27 15:30:00　" + LAST,
            ],
        ),
        (
            CHECKED,
            {"findings": CLEAN},
            [
                "回执　" + FIRST.format("已核对") + "（没有问题）",
                "收到时间 2024-12-27 11:58:03（截止 12:00，按时）　出具时间 2024-12-27 15:30:00　" + LAST,
            ],
        ),
        (
            RETURNED,
            {},
            [
                "回执　" + FIRST.format("已退回") + "（原因：C7：没有填写；印章不清）",
                "收到时间 2024-12-27 11:58:03（截止 12:00，按时）　出具时间 2024-12-27 15:30:00　" + LAST,
                "说明　请于当日 重报",
            ],
        ),
        (
            RETURNED,
            {"decision": "accepted", "reasons": (), "note": None},
            [
                "回执　" + FIRST.format("已接受"),
                "收到时间 2024-12-27 11:58:03（截止 12:00，按时）　出具时间 2024-12-27 15:30:00　" + LAST,
            ],
        ),
        (
            RETURNED,
            {"decision": "reopened", "reasons": (), "note": None},
            [
                "回执　" + FIRST.format("已撤销接受"),
                "收到时间 2024-12-27 11:58:03（截止 12:00，按时）　出具时间 2024-12-27 15:30:00　" + LAST,
            ],
        ),
    ],
)
def test_a_receipt_in_words(fields: dict[str, Any], changes: dict[str, Any], words: list[str]) -> None:
    receipt = signed(fields, **changes)

    assert [w + receipt.code if w.endswith("验证码 ") else w for w in words] == in_words(receipt).split("\n")


@given(receipts())
def test_no_text_adds_a_line(receipt: Receipt) -> None:
    told = in_words(sign_receipt(receipt, KEY)).splitlines()

    assert 2 + bool(receipt.note) == len(told)


@given(receipts())
def test_what_a_node_keeps_is_the_signed_receipt(receipt: Receipt) -> None:
    signed = sign_receipt(receipt, KEY)

    assert Issued(signed.hash, signed.code, canonical(signed.to_json()).decode()) == issue(receipt, KEY)


@given(receipts())
def test_a_receipt_goes_to_json_and_back(receipt: Receipt) -> None:
    sent = sign_receipt(receipt, KEY)
    text = json.dumps(sent.to_json(), ensure_ascii=False)
    read = [SignedReceipt.from_json(sent.to_json()), SignedReceipt.from_json(text)]
    read.append(SignedReceipt.from_json(text.encode()))

    assert [sent] * 3 == read
    assert [(Verdict.VALID, sent.hash, sent.code)] * 3 == [(r.verify([KEY.public]), r.hash, r.code) for r in read]
    assert canonical(sent.to_json()["receipt"]) == receipt.body()


@pytest.mark.parametrize(
    ("keys", "verdict", "said"),
    [
        ([KEY.public], Verdict.VALID, "签名有效"),
        ([SigningKey.generate("other").public, KEY.public], Verdict.VALID, "签名有效"),
        ([SigningKey.generate(KEY.key_id).public, KEY.public], Verdict.VALID, "签名有效"),
        ([], Verdict.UNKNOWN_KEY, "没有可用来核对签名的公钥"),
        ([PublicKey("renamed", KEY.algorithm, KEY.public.raw)], Verdict.UNKNOWN_KEY, "没有可用来核对签名的公钥"),
        ([PublicKey(KEY.key_id, "SM2", KEY.public.raw)], Verdict.UNKNOWN_KEY, "没有可用来核对签名的公钥"),
        ([SigningKey.generate(KEY.key_id).public], Verdict.BAD_SIGNATURE, "签名不符，回执可能被改动过"),
    ],
)
def test_verdicts(keys: list[PublicKey], verdict: Verdict, said: str) -> None:
    assert (verdict, said) == (signed(STORED).verify(iter(keys)), verdict.chinese)


@pytest.mark.parametrize("value", ["签名", "AAAA", "=", "x" * 88])
def test_a_signature_that_is_none_is_bad(value: str) -> None:
    signature = Signature(algorithm="Ed25519", key_id=KEY.key_id, value=value)

    assert Verdict.BAD_SIGNATURE == SignedReceipt(receipt=Receipt(**STORED), signature=signature).verify([KEY.public])


def leaves(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of everything in a JSON tree but the tree itself."""
    steps = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for step, inner in steps:
        yield (*path, step)
        yield from leaves(inner, (*path, step))


def tampered(tree: Any, path: tuple[Any, ...]) -> Iterator[Any]:
    """The tree with one thing changed, in every way that comes to mind."""
    *above, last = path
    for new in [None, True, False, 0, 1, 1.0, -1, 2**60, "", " ", "x", "SM2", "stored", "checked", "accepted", [], {}]:
        yield changed(tree, above, last, new)
    old = tree
    for step in path:
        old = old[step]
    if isinstance(old, str):
        for new in [f"{old} ", f" {old}", old[:-1], old + old, old.upper(), old.replace("Z", "+00:00"), f"{old}\x00"]:
            yield changed(tree, above, last, new)
        yield changed(tree, above, last, old.replace("Z", ".000Z"))
        yield changed(tree, above, last, old.replace("T", " "))
        yield changed(tree, above, last, old.replace("27", "28", 1))
    copy = deepcopy(tree)
    del at(copy, above)[last]
    yield copy


def at(tree: Any, path: list[Any]) -> Any:
    for step in path:
        tree = tree[step]
    return tree


def changed(tree: Any, above: list[Any], last: Any, new: Any) -> Any:
    copy = deepcopy(tree)
    at(copy, above)[last] = new
    return copy


@pytest.mark.parametrize("name", ALL)
def test_nothing_in_a_receipt_can_be_changed(name: str) -> None:
    """Python finds True equal to 1, JSON does not."""
    sent = signed(ALL[name]).to_json()
    survived = []
    for path in leaves(sent):
        for other in tampered(sent, path):
            try:
                verdict = SignedReceipt.from_json(other).verify([KEY.public])
            except Malformed:
                continue
            if verdict is Verdict.VALID and json.dumps(sent) != json.dumps(other):
                survived.append((path, at(other, list(path))))

    assert [] == survived


def test_the_receipts_of_different_kinds_differ() -> None:
    assert 3 == len({signed(fields).hash for fields in ALL.values()})


GOOD = signed(STORED).to_json()
TEXT = json.dumps(GOOD)


def with_receipt(**changes: Any) -> dict[str, Any]:
    return {**GOOD, "receipt": {**GOOD["receipt"], **changes}}


@pytest.mark.parametrize(
    ("content", "problems"),
    [
        (None, ["$：应为对象"]),
        ([], ["$：应为对象"]),
        ({}, ["receipt：缺少这个键", "signature：缺少这个键"]),
        ("", ["不是合法的JSON"]),
        ("{", ["不是合法的JSON"]),
        (b"\xff\xfe{", ["不是合法的JSON"]),
        (object(), ["不是合法的JSON"]),
        ({"receipt": float("nan")}, ["不是合法的JSON"]),
        ("[" * 100_000, ["不是合法的JSON"]),
        ("[" * 300 + "]" * 300, ["$：不是合法的JSON"]),
        ("9" * 5000, ["不是合法的JSON"]),
        (TEXT[:-1] + ', "signature": {}}', ["“signature”写了两次"]),
        (TEXT.replace('"r-1"', '"r-1", "id": "r-2"'), ["“id”写了两次"]),
        (with_receipt(id="\ud800"), ["$：不是合法的JSON"]),
        (with_receipt(id=1, nil=0, colour="red"), ["receipt.id：应为文字", "receipt.nil：应为true或false", "receipt.colour：没有这个键"]),
        (with_receipt(protocol="gmsafety/2"), ["receipt.protocol：不是规定的值"]),
        (with_receipt(revision="1"), ["receipt.revision：应为整数"]),
        (with_receipt(revision=1.0), ["receipt.revision：应为整数"]),
        (with_receipt(revision=True), ["receipt.revision：应为整数"]),
        (with_receipt(revision=0), ["receipt.revision：太小"]),
        (with_receipt(revision=2**53), ["receipt.revision：太大"]),
        (with_receipt(period="2024-12-32"), ["receipt.period：应为日期"]),
        (with_receipt(period="2024-12-27T00:00:00"), ["receipt.period：应为日期"]),
        (with_receipt(due_at=1735272000), ["receipt.due_at：应为时间"]),
        (with_receipt(due_at="1735272000"), ["receipt.due_at：应写作2024-12-27T04:00:00Z"]),
        (with_receipt(due_at="2024-12-27T12:00:00+08:00"), ["receipt.due_at：应写作2024-12-27T04:00:00Z"]),
        (with_receipt(due_at="2024-12-27T04:00:00.0000001Z"), ["receipt.due_at：应写作2024-12-27T04:00:00Z"]),
        (with_receipt(due_at="2024-12-27T12:00:00"), ["receipt.due_at：时间没有时区"]),
        (with_receipt(due_at="9999-12-31T23:59:59-08:00"), ["receipt.due_at：年份超出范围"]),
        (with_receipt(payload_hash="6F"), ["receipt.payload_hash：应为64位小写十六进制的SHA-256"]),
        (with_receipt(title="表\n回执"), ["receipt.title：含有看不见的字符U+000A"]),
        (with_receipt(reasons="x"), ["receipt.reasons：应为数组"]),
        (with_receipt(kind="checked"), ["receipt：findings是且只是kind为checked的回执的一部分"]),
        ({**GOOD, "receipt": {k: v for k, v in GOOD["receipt"].items() if k not in ("nil", "note")}}, ["receipt.nil：缺少这个键", "receipt.note：缺少这个键"]),
        ({**GOOD, "signature": {"algorithm": "", "key_id": "k"}}, ["signature.algorithm：不能为空", "signature.value：缺少这个键"]),
    ],
)  # fmt: skip
def test_hostile_json_is_refused_in_one_error(content: Any, problems: list[str]) -> None:
    with pytest.raises(ValueError, match=r"^回执的格式不对：") as raised:
        SignedReceipt.from_json(content)

    assert isinstance(raised.value, Malformed)
    assert problems == list(raised.value.problems)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.sampled_from(list(GOOD)), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(anything, st.sampled_from(list(leaves(GOOD))))
def test_whatever_comes_is_read_or_refused(value: Any, path: tuple[Any, ...]) -> None:
    """No other exception gets out, whatever stands in whichever place."""
    *above, last = path
    for content in [value, changed(GOOD, above, last, value)]:
        try:
            verdict = SignedReceipt.from_json(content).verify([KEY.public])
        except Malformed:
            continue

        assert (verdict is Verdict.VALID) == (content == GOOD)


@given(st.text() | st.binary())
def test_whatever_text_comes_is_refused(content: str | bytes) -> None:
    with pytest.raises(Malformed):
        SignedReceipt.from_json(content)
