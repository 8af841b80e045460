"""The audit log as a file: verified without the node; what was done to it is named; one goes on where another ended."""

import json
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from gmsafety import cli
from gmsafety.exchange import auditlog
from gmsafety.exchange.keyring import KeyRing
from gmsafety.exchange.peers import PeerKey
from gmsafety.exchange.signing import SigningKey
from gmsafety.exchange.verified import Verified
from gmsafety.exchange.verifying import verify_files
from gmsafety_server import audit
from gmsafety_server.errors import Problem
from gmsafety_server.features.archives.logs import export
from gmsafety_server.node import Node
from gmsafety_server.sealer import seal_all


def write_rows(node: Node, count: int, *, batch: int = 4) -> None:
    for number in range(count):
        with node.db.write() as tx:
            audit.record(tx, node.clock.now(), "某某", "unit.changed", f"unit-{number}", path="/a/", number=number)
        if number % batch == batch - 1:
            seal_all(node)
    seal_all(node)


@pytest.fixture
def ring(node: Node) -> KeyRing:
    return KeyRing(((node.settings.node, PeerKey.of(node.key.public, node.clock.now())),))


def one(ring: KeyRing, path: Path) -> Verified:
    return verify_files([path], ring)[0]


def test_it_holds(node: Node, ring: KeyRing, tmp_path: Path) -> None:
    write_rows(node, 10)
    span = export(node, tmp_path / "a.jsonl", after=0, actor="test")
    found = one(ring, tmp_path / "a.jsonl")

    assert ((), "log") == (found.faults, found.kind)
    assert f"{span.last}:{span.hash}" == dict(found.facts)["链头"]
    assert "第" in dict(found.facts)["不证明"]


def test_two_in_a_row(node: Node, ring: KeyRing, tmp_path: Path) -> None:
    write_rows(node, 6)
    first = export(node, tmp_path / "a.jsonl", after=0, actor="test")
    write_rows(node, 6)
    second = export(node, tmp_path / "b.jsonl", after=first.last, actor="test")
    write_rows(node, 6)
    export(node, tmp_path / "c.jsonl", after=second.last, actor="test")
    files = [tmp_path / f"{n}.jsonl" for n in "abc"]

    assert second.first == first.last + 1
    found = verify_files(files[::-1], ring)
    assert [(), (), ()] == [v.faults for v in found]
    assert f"接 a.jsonl（第{first.last}条相同）" == dict(found[1].facts)["审计记录衔接"]
    found = verify_files([files[0], files[2]], ring)
    assert f"第{second.first}至{second.last}条没有给出，与 a.jsonl 的衔接没有核对" in dict(found[1].facts).values()


def test_another_chain_does_not_go_on(node: Node, ring: KeyRing, tmp_path: Path) -> None:
    """Whoever holds the key of the node can sign another log; it does not fit the one that was handed out before."""
    write_rows(node, 6)
    first = export(node, tmp_path / "a.jsonl", after=0, actor="test")
    write_rows(node, 6)
    export(node, tmp_path / "b.jsonl", after=first.last, actor="test")
    lines = (tmp_path / "b.jsonl").read_bytes().splitlines()
    rows = [json.loads(line) for line in lines[1:] if line.startswith(b"[")]
    chain = before = "ab" * 32
    out = []
    for told in rows:
        chain = auditlog.link(chain, auditlog.Row(*told), told[0])
        out.append(auditlog.row_line(auditlog.Row(*told[:8], chain)))
    last = rows[-1][0]
    seal = auditlog.Seal(first.last + 1, last, chain, "2024-12-27T03:00:00Z", node.key.key_id, "")
    signature = node.key.sign(auditlog.sealed(first.last + 1, last, chain))
    out.append(auditlog.seal_line(auditlog.Seal(*[getattr(seal, n) for n in seal.__slots__[:5]], signature)))
    span = auditlog.Span(first=first.last + 1, last=last, before=before, hash=chain)
    (tmp_path / "b.jsonl").write_bytes(signed_head(node.key, node, span) + b"".join(out))
    found = verify_files([tmp_path / "a.jsonl", tmp_path / "b.jsonl"], ring)

    assert () == found[0].faults
    assert (f"审计记录第{first.last}条与 a.jsonl 的不同：不是同一条链，有一份被改动过",) == found[1].faults


def signed_head(key: SigningKey, node: Node, span: auditlog.Span) -> bytes:
    from gmsafety.exchange.signatures import signature_over  # noqa: PLC0415 - only here

    log = auditlog.Log(node=node.settings.node, made_at=node.clock.now(), span=span)
    return auditlog.head_line(auditlog.SignedLog(log=log, signatures=(signature_over(log, key),)))


Change = Callable[[list[bytes]], list[bytes]]
DONE: dict[str, tuple[Change, str]] = {
    "changed": (lambda x: [*x[:3], x[3].replace(b"unit-", b"Unit-"), *x[4:]], "内容或次序与封存时不符"),
    "missing": (lambda x: [*x[:3], *x[4:]], "条缺失"),
    "reordered": (lambda x: [x[0], x[2], x[1], *x[3:]], "第1条排在第2条之后，次序被改动，或重复"),
    "shortened": (lambda x: x[:-3], "后面的被截去"),
    "cut in a line": (lambda x: [*x[:-1], x[-1][:20]], "行不能读取"),
    "without a seal": (lambda x: [line for line in x if b"signature" not in line or b"log" in line], "没有封印"),
    "the head": (lambda x: [x[0].replace(b'"first":1', b'"first":2'), *x[1:]], "签名不符，可能被改动过"),
    "nothing below": (lambda x: x[:1], "写明到第"),
    "noise": (lambda x: [x[0], b"[[[[\n", b'{"first_seq":1}\n', b"[1,2,3]\n", *x[1:]], "第2行不能读取"),
}


@pytest.mark.parametrize("what", DONE)
def test_what_was_done_is_named(what: str, node: Node, ring: KeyRing, tmp_path: Path) -> None:
    write_rows(node, 10)
    export(node, tmp_path / "a.jsonl", after=0, actor="test")
    change, said = DONE[what]
    lines = (tmp_path / "a.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "b.jsonl").write_bytes(b"".join(change(lines)))
    found = one(ring, tmp_path / "b.jsonl")

    assert any(said in fault for fault in found.faults), found.faults


def test_a_forged_log_needs_the_key(node: Node, ring: KeyRing, tmp_path: Path) -> None:
    write_rows(node, 4)
    span = export(node, tmp_path / "a.jsonl", after=0, actor="test")
    lines = (tmp_path / "a.jsonl").read_bytes().splitlines(keepends=True)
    another = SigningKey.generate(node.key.key_id)
    (tmp_path / "b.jsonl").write_bytes(signed_head(another, node, span) + b"".join(lines[1:]))

    assert ("签名不符，可能被改动过",) == one(ring, tmp_path / "b.jsonl").faults


def test_a_changed_byte_is_found(node: Node, ring: KeyRing, tmp_path: Path) -> None:
    write_rows(node, 10)
    export(node, tmp_path / "a.jsonl", after=0, actor="test")
    whole, chance = (tmp_path / "a.jsonl").read_bytes(), Random(6)
    for _ in range(200):
        content = bytearray(whole)
        at = chance.randrange(len(content))
        content[at] ^= 1 << chance.randrange(8)
        (tmp_path / "b.jsonl").write_bytes(content)
        found = one(ring, tmp_path / "b.jsonl")

        assert not found.holds or b'"at":"' in content[max(0, at - 40) : at], (at, content[at - 30 : at + 30])


@pytest.mark.parametrize("after", [1, 10**6])
def test_it_begins_and_ends_with_a_seal(after: int, node: Node, tmp_path: Path) -> None:
    write_rows(node, 6)
    with pytest.raises(Problem, match=r"不是一个封印的末条；它以前最近的是第\d+条"):
        export(node, tmp_path / "a.jsonl", after=after, actor="test")

    assert [] == list(tmp_path.glob("*.jsonl*"))


def test_with_commands(
    database: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GMSAFETY_DATABASE", database)

    def run(words: str) -> tuple[int, str]:
        return cli.main(words.split()), "".join(capfd.readouterr())

    assert 0 == run("node init --unit 泽州县应急管理局 --title 泽州")[0]
    assert 0 == run("node anchor --to anchor.json")[0]
    status, said = run("audit export log.jsonl")
    assert (0, "已写出：log.jsonl　第1至") == (status, said[:17])
    status, said = run("audit export log.jsonl")
    assert (2, True) == (status, "已有文件“log.jsonl”；要替换请加 --force" in said)
    status, said = run("verify log.jsonl --keys anchor.json")
    assert (0, "成立　log.jsonl：审计记录") == (status, said.splitlines()[0])
    status, said = run("archive make nothing --to a.tar")
    assert (2, True) == (status, "没有为“nothing”报送过什么。有报送的活动：还没有" in said)
    status, said = run("archive list --json")
    assert (0, []) == (status, json.loads(said))
