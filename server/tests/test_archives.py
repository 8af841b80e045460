"""Archives and the audit log as files: made on either database, verified with nothing but a key."""

import json
import os
import tarfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest

from browsing import Browser
from exchanging import Lines, Station, connected, settle
from gmsafety import Catalog
from gmsafety.exchange.archive import header_of
from gmsafety.exchange.keyring import KeyRing
from gmsafety.exchange.verified import Verified
from gmsafety.exchange.verifying import verify_files
from gmsafety_server.backup import restore, write_backup
from gmsafety_server.db import Database
from gmsafety_server.errors import Problem
from gmsafety_server.features.archives import making, repository
from gmsafety_server.features.exchange import introducing
from test_exchange_story import Office
from world import GAOPING, StandingClock

QUIET: Callable[[str, int, int], None] = lambda _what, _done, _total: None  # noqa: E731 - a progress that nobody sees


@pytest.fixture
def nodes(databases: Callable[[], str], catalog: Catalog, clock: StandingClock) -> Iterator[list[Station]]:
    """A county and its city."""
    lines = Lines()
    made = [Station(name, databases(), catalog, clock, lines) for name in ("zezhou", "jincheng")]
    with connected(made):
        yield made


@pytest.fixture
def offices(nodes: list[Station]) -> list[Office]:
    """A form was filed, returned, corrected and accepted."""
    county, city = (Office(station) for station in nodes)
    first = county.file()
    settle(*nodes)
    city.decide(first, "return", reasons=[{"where": "C6", "text": "一般隐患数与台账不符"}])
    settle(*nodes)
    second = county.correct(first, 21)
    settle(*nodes)
    city.decide(second, "accept")
    settle(*nodes)
    return [county, city]


def anchor(station: Station, folder: Path) -> KeyRing:
    with station.node.db.read() as tx:
        made = introducing.anchor_of(tx, station.node)
    file = folder / f"{station.name}.json"
    file.write_text(json.dumps(made.to_json()), "utf-8")
    return KeyRing.read(file)


def archive(station: Station, to: Path, *, again: bool = False) -> making.Made:
    return making.make(station.node, campaign(station), to, actor="test", again=again, progress=QUIET)


def campaign(station: Station) -> str:
    with station.node.db.read() as tx:
        return next(iter(repository.campaigns(tx)))


def verify(ring: KeyRing, *paths: Path) -> list[Verified]:
    return verify_files(paths, ring)


def names(path: Path) -> list[str]:
    with tarfile.open(path) as tar:
        return tar.getnames()


def rewritten(path: Path, to: Path, change: Callable[[list[tuple[str, bytes]]], list[tuple[str, bytes]]]) -> Path:
    """The archive with other entries, under the index and the manifest that it had."""
    with tarfile.open(path) as tar:
        entries = [(m.name, tar.extractfile(m).read()) for m in tar.getmembers()]  # type: ignore[union-attr]
    parts = [header_of(name, len(content)) + content + bytes(-len(content) % 512) for name, content in change(entries)]
    to.write_bytes(b"".join([*parts, bytes(1024)]))
    return to


def test_an_archive_holds_everything(offices: list[Office], nodes: list[Station], tmp_path: Path) -> None:
    city = nodes[1]
    made = archive(city, tmp_path / "a.tar")
    found = verify(anchor(city, tmp_path), tmp_path / "a.tar")[0]

    assert (1, True) == (made.number, made.is_new)
    assert () == found.faults
    assert {"submissions": 2, "receipts": 6, "files": 1, "annotated": 1} == {
        n: c for n, c in made.counts.model_dump().items() if n != "messages"
    }
    assert made.counts.messages >= 7
    facts = dict(found.facts)
    assert "没有，这是第一份" == facts["上一份归档"]
    assert "没有公钥" not in facts["不证明"]
    assert made.hash == found.hash
    with tarfile.open(tmp_path / "a.tar") as tar:
        told = json.load(tar.extractfile("submissions/00000001/submission.json"))  # type: ignore[arg-type]
    assert ("returned", 3) == (told["state"], told["receipts"])
    assert ["submitted", "returned"] == [h["kind"] for h in told["history"]]
    _parts_of_it_hold_by_themselves(city, tmp_path)


def _parts_of_it_hold_by_themselves(city: Station, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar") as tar:
        tar.extractall(tmp_path / "out", filter="data")
    given = sorted((tmp_path / "out/submissions/00000002").glob("receipt-*.json"))
    found = verify(anchor(city, tmp_path), *given, tmp_path / "out/audit.jsonl")

    assert [()] * 4 == [v.faults for v in found]
    assert ["receipt", "receipt", "receipt", "log"] == [v.kind for v in found]


def test_nothing_new_is_not_archived_again(offices: list[Office], nodes: list[Station], tmp_path: Path) -> None:
    city = nodes[1]
    first = archive(city, tmp_path / "a.tar")
    same = archive(city, tmp_path / "b.tar")

    assert (False, first.hash, 1) == (same.is_new, same.hash, same.number)
    assert not (tmp_path / "b.tar").exists()
    assert 2 == archive(city, tmp_path / "b.tar", again=True).number
    ring = anchor(city, tmp_path)
    found = verify(ring, tmp_path / "b.tar", tmp_path / "a.tar")
    assert [(), ()] == [v.faults for v in found]
    assert ("衔接", "接 a.tar") in found[0].facts
    archive(city, tmp_path / "c.tar", again=True)
    _a_broken_chain_is_named(city, ring, tmp_path)


def _a_broken_chain_is_named(city: Station, ring: KeyRing, tmp_path: Path) -> None:

    found = verify(ring, tmp_path / "a.tar", tmp_path / "c.tar")
    assert [(), ()] == [v.faults for v in found]
    assert "第2份归档没有给出，与 a.tar 的衔接没有核对" in dict(found[1].facts).values()

    with city.node.db.write() as tx:  # another first archive, by the key of the node itself
        tx.execute(repository.archives.delete())
    archive(city, tmp_path / "other.tar", again=True)
    found = verify(ring, tmp_path / "other.tar", tmp_path / "b.tar")
    assert any(f.startswith("不接 other.tar：写明的上一份是") for f in found[1].faults)
    found = verify(ring, tmp_path / "a.tar", tmp_path / "other.tar")
    assert any("都是第1份归档，内容却不同" in f for v in found for f in v.faults)


Change = Callable[[list[tuple[str, bytes]]], list[tuple[str, bytes]]]
RECEIPT, FILE = "submissions/00000001/receipt-2.json", "submissions/00000001/submission.json"
DONE: dict[str, tuple[Change, str]] = {
    "missing": (lambda e: [x for x in e if x[0] != RECEIPT], f"{RECEIPT}：缺失"),
    "changed": (
        lambda e: [(n, c.replace(b'"late', b'"Late').replace(b"16", b"61") if n == FILE else c) for n, c in e],
        f"{FILE}：内容与索引不符，被改动过",
    ),
    "reordered": (lambda e: [e[1], e[0], *e[2:]], f"{FILE}：次序被改动"),
    "added": (lambda e: [*e[:2], ("submissions/00000009/receipt-1.json", b"{}"), *e[2:]], "是加进来的"),
    "log changed": (
        lambda e: [(n, c.replace(b"submission.submitted", b"submission.Submitted") if n == "audit.jsonl" else c) for n, c in e],
        "内容或次序与封存时不符",
    ),
    "index changed": (
        lambda e: [(n, c.replace(b'"size":1', b'"size":2') if n == "index.jsonl" else c) for n, c in e],
        "索引与清单的校验值不符，可能被改动过",
    ),
}  # fmt: skip


def test_what_was_done_to_it_is_named(offices: list[Office], nodes: list[Station], tmp_path: Path) -> None:
    archive(nodes[1], tmp_path / "a.tar")
    ring = anchor(nodes[1], tmp_path)
    for change, said in DONE.values():
        file = rewritten(tmp_path / "a.tar", tmp_path / "forged.tar", change)
        found = verify(ring, file)[0]

        assert any(said in fault for fault in found.faults), found.faults
    _a_changed_byte_is_found(ring, tmp_path)
    found = verify(KeyRing(), tmp_path / "a.tar")[0]
    assert any("没有节点 jincheng 的密钥" in fault for fault in found.faults)
    assert "没有公钥、签名没有核对的" in dict(found.facts)["不证明"]


def _a_changed_byte_is_found(ring: KeyRing, tmp_path: Path) -> None:
    whole, chance = (tmp_path / "a.tar").read_bytes(), Random(6)
    file = tmp_path / "b.tar"
    for _ in range(60):
        content = bytearray(whole)
        at = chance.randrange(len(content))
        content[at] ^= 1 << chance.randrange(8)
        file.write_bytes(content)

        assert not verify(ring, file)[0].holds, at
    for length in (1, 300, 512, len(whole) // 2, len(whole) - 1024, len(whole) - 1):
        file.write_bytes(whole[:length])

        assert not verify(ring, file)[0].holds, length
    file.write_bytes(whole + b"\0")
    assert ("结尾以后还有内容",) == verify(ring, file)[0].faults


def test_a_backup_keeps_the_chain(
    offices: list[Office], nodes: list[Station], databases: Callable[[], str], tmp_path: Path
) -> None:  # fmt: skip
    city = nodes[1]
    first = archive(city, tmp_path / "a.tar")
    write_backup(city.node.db, tmp_path / "b.zip", node="jincheng", now=city.clock.now(), progress=QUIET)
    city.node.db.close()
    city._settings = city._settings.model_copy(update={"database": databases()})
    db = Database(city._settings.database)
    restore(db, tmp_path / "b.zip", force=True, now=city.clock.now(), progress=QUIET)
    db.close()
    city.start_again()
    second = archive(city, tmp_path / "c.tar", again=True)
    found = verify(anchor(city, tmp_path), tmp_path / "a.tar", tmp_path / "c.tar")

    assert (2, [(), ()]) == (second.number, [v.faults for v in found])
    assert first.hash != second.hash
    assert "接 a.tar" == dict(found[1].facts)["衔接"]
    assert [] == city.faults()


def test_on_the_pages(offices: list[Office], nodes: list[Station], tmp_path: Path) -> None:
    city = nodes[1]
    keeper = Browser(city.node, city.person("administrator"))
    before = keeper.get("/admin/exchange/archives")
    assert "2 版 还没有" in before.text
    action = "/admin/exchange/archives"
    (tmp_path / "a.tar").write_bytes(keeper.http.post(action, data=before.form(action)).content)

    assert () == verify(anchor(city, tmp_path), tmp_path / "a.tar")[0].faults
    after = keeper.get(action)
    assert "第 1 份" in after.text
    assert ["第1份归档以后没有变化，没有另写。"] == keeper.send(after, action).said()
    (tmp_path / "b.tar").write_bytes(keeper.http.post(action, data=after.form(action) | {"again": "true"}).content)
    found = verify(anchor(city, tmp_path), tmp_path / "a.tar", tmp_path / "b.tar")
    assert "接 a.tar" == dict(found[1].facts)["衔接"]
    elsewhere = Browser(city.node, city.person("administrator", unit=GAOPING)).get(action)
    assert "由节点的管理员办理" in elsewhere.text


def test_two_at_once_make_one_chain(offices: list[Office], nodes: list[Station], tmp_path: Path) -> None:
    """Whoever comes second is told so, and leaves nothing behind."""
    with pytest.raises(Problem, match=r"没有为“nothing”报送过什么。有报送的活动：jincheng\.gongmao-2024"):
        making.make(nodes[1].node, "nothing", tmp_path / "a.tar", actor="test", again=False, progress=QUIET)

    assert [] == [f for f in os.listdir(tmp_path) if "tar" in f]

    def one(number: int) -> str:
        try:
            return str(archive(nodes[1], tmp_path / f"{number}.tar", again=True).number)
        except Problem as problem:
            return problem.type.slug

    with ThreadPoolExecutor(3) as pool:
        told = list(pool.map(one, range(3)))
    done = [n for n in told if n != "busy"]

    assert sorted(done) == [str(n) for n in range(1, len(done) + 1)]
    assert len(done) == len([f for f in os.listdir(tmp_path) if f.endswith(".tar")])
    assert [] == [f for f in os.listdir(tmp_path) if f.endswith(".part")]
