"""A backup holds one moment of a node that goes on, restores into either database, and `db verify` finds what is wrong."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any
from uuid import uuid4
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from sqlalchemy import delete, insert, inspect, select, text, update

from gmsafety.cli import main
from gmsafety_server.backup import BackupUnusable, open_backup, restore, write_backup
from gmsafety_server.backup.archive import MANIFEST
from gmsafety_server.backup.writing import check
from gmsafety_server.db import Database
from gmsafety_server.node import Node, open_node, public_keys
from gmsafety_server.sealer import seal_all
from gmsafety_server.settings import Settings
from gmsafety_server.tables import attachments, audit, blobs, events, receipts, slots, submissions
from gmsafety_server.verification import verify_database
from world import CITY, GAOPING, ZEZHOU, StandingClock, scenario_file

WEEKLY, LEDGER = "shanxi.weekly-dispatch", "shanxi.major-hazard-ledger"
WEEK = "2024-12-27"


def quiet(_what: str, _done: int, _total: int) -> None:
    """Nobody looks."""


@pytest.fixture
def used(node: Node, person: Callable[..., Any]) -> Node:
    """A node with two counties: one accepted, one returned and corrected, a nil report, a draft, a refused file."""
    zezhou, gaoping, city = person(ZEZHOU, "clerk"), person(GAOPING, "clerk"), person(CITY, "reviewer")
    filed = zezhou.file(scenario_file(WEEK, "zezhou", "weekly"), WEEKLY, WEEK).json()
    city.post(f"/submissions/{filed['uid']}/accept", seen=filed["etag"], json={})
    first = gaoping.file(scenario_file(WEEK, "gaoping", "weekly"), WEEKLY, WEEK, reason="核实过").json()
    reasons = {"reasons": [{"where": "C7", "text": "请核对"}]}
    city.post(f"/submissions/{first['uid']}/return", seen=first["etag"], json=reasons)
    nil = {"message_id": "gaoping-nil-1", "item": WEEKLY, "period": WEEK, "nil": True, "reason": "停产"}
    answer = gaoping.post("/submissions", json={**nil, "supersedes": first["payload_hash"]})
    assert 201 == answer.status_code, answer.text
    gaoping.file(scenario_file(WEEK, "gaoping", "ledger"), LEDGER, WEEK, action="draft")
    zezhou.post(
        "/submissions/files",
        data={**nil, "message_id": "zezhou-bad-1", "item": LEDGER},
        files={"file": ("a.xlsx", b"no")},
    )
    seal_all(node)
    return node


def faults(db: Database) -> list[str]:
    with db.read() as tx:
        return [fault for made in verify_database(tx, public_keys(tx)) for fault in made.faults]


def counts(db: Database) -> dict[str, int]:
    with db.read() as tx:
        return {name: number for made in verify_database(tx, public_keys(tx)) for name, number in made.counts.items()}


def tables(file: Path) -> list[tuple[str, int, str]]:
    with open_backup(file) as (_, manifest):
        return sorted((t.name, t.rows, t.hash) for t in manifest.tables)


def test_there_and_over_and_back(used: Node, empty_database: str, tmp_path: Path, clock: StandingClock) -> None:
    """From either database into either, and once more from there: the same rows with the same hashes."""
    first, second = tmp_path / "first.zip", tmp_path / "second.zip"
    write_backup(used.db, first, node="jincheng", now=clock.now(), progress=quiet)
    there = Database(empty_database)
    restore(there, first, force=False, now=None, progress=quiet)
    write_backup(there, second, node="jincheng", now=clock.now(), progress=quiet)

    assert tables(first) == tables(second)
    assert [] == faults(there)
    assert counts(used.db) == counts(there)
    there.close()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_life_goes_on_after_restoring(
    used: Node, empty_database: str, tmp_path: Path, clock: StandingClock, catalog: Any
) -> None:
    """New rows get numbers of their own, and the log goes on where it was."""
    file = tmp_path / "backup.zip"
    write_backup(used.db, file, node="jincheng", now=clock.now(), progress=quiet)
    there = Database(empty_database)
    restore(there, file, force=False, now=clock.now(), progress=quiet)
    there.close()
    node = open_node(Settings(database=empty_database), catalog=catalog, clock=clock)

    assert used.key.public == node.key.public
    with node.db.write() as tx:
        last = tx.execute(select(audit).order_by(audit.c.id.desc()).limit(1)).one()
        assert ("gmsafety db restore", "database.restored", "backup.zip") == (last.actor, last.action, last.object)
        number = tx.execute(select(events.c.submission_id).limit(1)).scalar_one()
        values = {"submission_id": number, "kind": "noted", "at": clock.now(), "unit": CITY}
        assert tx.execute(insert(events).values(values)).inserted_primary_key[0] > 0
        tx.rollback()
    seal_all(node)
    assert [] == faults(node.db)
    node.db.close()


def test_while_others_write(used: Node, tmp_path: Path, clock: StandingClock) -> None:
    """A row and its twin are written in one transaction, over and over: a backup has both or none."""
    over, written = Event(), Event()

    def writing() -> None:
        while not over.is_set():
            with used.db.write() as tx:
                name = f"twin{uuid4().hex}"
                tx.execute(insert(blobs).values(hash=name, size=1, content=b"x"))
                told = {"at": clock.now(), "actor": "x", "action": "twin", "path": "/", "data": "{}"}
                tx.execute(insert(audit).values(**told, object=name))
            written.set()

    thread = Thread(target=writing)
    thread.start()
    try:
        written.wait(10)
        twins = [_twins(used, tmp_path / f"{number}.zip", clock) for number in range(3)]
    finally:
        over.set()
        thread.join()

    assert [here for here, _ in twins] == [there for _, there in twins]
    assert 0 < len(twins[0][0]) <= len(twins[1][0]) <= len(twins[2][0])


def _twins(node: Node, file: Path, clock: StandingClock) -> tuple[set[str], set[str]]:
    write_backup(node.db, file, node="jincheng", now=clock.now(), progress=quiet)
    stored = {row[0] for row in map(json.loads, entry(file, "tables/blobs.jsonl").splitlines())}
    told = {row[4] for row in map(json.loads, entry(file, "tables/audit.jsonl").splitlines()) if row[3] == "twin"}
    return {name for name in stored if name.startswith("twin")}, told


@pytest.fixture
def backup(used: Node, tmp_path: Path, clock: StandingClock) -> Path:
    file = tmp_path / "backup.zip"
    write_backup(used.db, file, node="jincheng", now=clock.now(), progress=quiet)
    return file


def rewritten(source: Path, target: Path, changes: dict[str, bytes | None]) -> Path:
    """A backup with other entries; None takes one out."""
    with ZipFile(source) as old, ZipFile(target, "w", ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = changes.get(name, old.read(name))
            if content is not None:
                new.writestr(name, content)
    return target


def entry(file: Path, name: str) -> bytes:
    with ZipFile(file) as archive:
        return archive.read(name)


def with_manifest(file: Path, **changes: Any) -> bytes:
    return json.dumps({**json.loads(entry(file, MANIFEST)), **changes}).encode()


RECEIPTS = "tables/receipts.jsonl"
DAMAGED: dict[str, tuple[Callable[[Path], dict[str, bytes | None]], str]] = {
    "a row changed": (
        lambda f: {RECEIPTS: entry(f, RECEIPTS).replace(b"stored", b"storeD", 1)},
        r"备份中的表 receipts 已损坏：应为(\d+)行，现有\1行，或内容已改变",
    ),
    "a row taken out": (
        lambda f: {RECEIPTS: entry(f, RECEIPTS).split(b"\n", 1)[1]},
        r"备份中的表 receipts 已损坏：应为8行，现有7行",
    ),
    "no row but noise": (lambda f: {RECEIPTS: b"noise\n"}, "备份中的表 receipts 有一行不能读取|已损坏"),
    "a table taken out": (lambda f: {RECEIPTS: None}, "备份缺少表 receipts"),
    "no manifest": (lambda f: {MANIFEST: None}, "这不是 gmsafety 的备份文件"),
    "another manifest": (lambda f: {MANIFEST: b"{}"}, "备份文件的清单不对"),
    "of a newer format": (lambda f: {MANIFEST: with_manifest(f, version=2)}, "备份文件来自更新的程序"),
    "of newer tables": (lambda f: {MANIFEST: with_manifest(f, revision="9999")}, "备份文件来自更新的程序"),
}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_damaged_backup_restores_nothing(backup: Path, empty_database: str, tmp_path: Path) -> None:
    there = Database(empty_database)
    for damage, (change, said) in DAMAGED.items():
        file = rewritten(backup, tmp_path / f"{damage}.zip", change(backup))
        with pytest.raises(BackupUnusable, match=said):
            restore(there, file, force=False, now=None, progress=quiet)
        with there.read() as tx:
            assert set() == set(inspect(tx).get_table_names()), damage
    there.close()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_backup_cut_short(backup: Path, tmp_path: Path) -> None:
    whole = backup.read_bytes()
    for size in (0, 100, len(whole) // 2, len(whole) - 1):
        short = tmp_path / "short.zip"
        short.write_bytes(whole[:size])
        with pytest.raises(BackupUnusable, match=r"不是备份文件，或已损坏|已损坏"):
            check(short, quiet)
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 0xFF
    (tmp_path / "flipped.zip").write_bytes(flipped)
    with pytest.raises(BackupUnusable):
        check(tmp_path / "flipped.zip", quiet)


@pytest.fixture
def restored(backup: Path, empty_database: str) -> str:
    """The address of a database with everything of the node, which nobody uses."""
    db = Database(empty_database)
    restore(db, backup, force=False, now=None, progress=quiet)
    db.close()
    return empty_database


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_is_there_is_replaced_only_when_asked(restored: str, backup: Path) -> None:
    db = Database(restored)
    before = counts(db)

    with pytest.raises(BackupUnusable, match="数据库里已有内容"):
        restore(db, backup, force=False, now=None, progress=quiet)
    assert before == counts(db)
    with db.write() as tx:
        tx.execute(delete(receipts))
    assert before != counts(db)
    restore(db, backup, force=True, now=None, progress=quiet)
    assert before == counts(db)
    db.close()


def test_a_server_that_is_on_keeps_its_database(backup: Path, used: Node, database: str) -> None:
    there = Database(database)
    with used.db.read() as tx:
        tx.execute(select(slots.c.id).limit(1))
        with pytest.raises(BackupUnusable, match="请先停止服务器"):
            restore(there, backup, force=True, now=None, progress=quiet)
    there.close()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_tables_of_others_are_never_cleared(backup: Path, empty_database: str) -> None:
    there = Database(empty_database)
    with there.write() as tx:
        tx.execute(text("CREATE TABLE payroll (id integer)"))

    with pytest.raises(BackupUnusable, match="别的程序的表"):
        restore(there, backup, force=True, now=None, progress=quiet)
    there.close()


def test_no_half_a_file_is_left(used: Node, tmp_path: Path, clock: StandingClock) -> None:
    file = tmp_path / "backup.zip"

    def stop(_what: str, done: int, _total: int) -> None:
        if done > 100:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_backup(used.db, file, node="jincheng", now=clock.now(), progress=stop)
    assert [] == [f.name for f in tmp_path.iterdir() if "backup" in f.name]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_backup_is_for_its_owner_only(backup: Path) -> None:
    assert 0o600 == backup.stat().st_mode & 0o777


# --- what `gmsafety db verify` finds -----------------------------------------------------------------------------


def of(state: str) -> Any:
    return select(submissions.c.id).where(submissions.c.state == state).limit(1).scalar_subquery()


TAMPERED: dict[str, tuple[Any, str]] = {
    "a number in a content": (
        lambda: update(submissions).where(submissions.c.id == of("accepted")).values(body={"form": WEEKLY, "values": {}}),
        r"报送 \S+ 的内容与报送时不符",
    ),
    "bytes of a file": (lambda: update(blobs).values(content=b"other"), r"文件 [0-9a-f]{64} 的内容与校验值不符"),
    "a file less": (lambda: update(attachments).values(size=1), r"报送 \S+ 的文件 \S+ 大小不符"),
    "when it came in": (
        lambda: update(submissions).where(submissions.c.id == of("accepted")).values(received_at=StandingClock().now() + timedelta(minutes=1)),
        r"报送与回执不符：received_at",
    ),
    "a receipt": (
        lambda: update(receipts).where(receipts.c.kind == "stored").values(signed=text("replace(signed, '2024-12-27', '2024-12-20')")),
        "签名不符，回执可能被改动过",
    ),
    "a receipt less": (lambda: delete(receipts).where(receipts.c.kind == "checked"), "的回执不全：stored"),
    "findings": (
        lambda: update(submissions).where(submissions.c.id == of("returned")).values(findings=[{"code": "GM-X000"}]),
        "核对结果与回执不符",
    ),
    "a decision": (
        lambda: update(submissions).where(submissions.c.state == "returned").values(state="submitted"),
        "现为“submitted”，最后一份办理回执却是“returned”",
    ),
    "a slot": (lambda: update(slots).where(slots.c.state == "accepted").values(state="submitted"), "写明submitted第1版，现行的报送是accepted第1版"),
    "when the first came in": (
        lambda: update(slots).where(slots.c.state == "accepted").values(received_at=slots.c.due_at),
        "首次收到时间写明",
    ),
    "a slot emptied": (
        lambda: update(slots).where(slots.c.state == "accepted").values(submission_id=None),
        "没有现行的报送，状态却不是未报",
    ),
    "another unit": (
        lambda: update(submissions).where(submissions.c.id == of("accepted")).values(unit=CITY),
        "与它的任务不是同一单位、表和期次",
    ),
    "the log of a filing": (lambda: delete(audit).where(audit.c.action == "submission.submitted"), "没有审计记录，记录可能被删去"),
    "the log of a decision": (
        lambda: delete(audit).where(audit.c.action == "submission.accepted"),
        "的经过“accepted”没有审计记录，记录可能被删去",
    ),
}  # fmt: skip


def test_what_was_tampered_with_is_named(used: Node) -> None:
    assert [] == faults(used.db)
    for what, (statement, said) in TAMPERED.items():
        with used.db.write() as tx:
            tx.execute(statement())
            found = [f for made in verify_database(tx, public_keys(tx)) for f in made.faults]
            tx.rollback()

        assert [] != [fault for fault in found if re.search(said, fault)], f"{what}: {found}"
    assert [] == faults(used.db)


def test_a_table_that_is_not_the_programs(used: Node) -> None:
    with used.db.write() as tx:
        tx.execute(text("DROP INDEX ix_receipts_code"))

    assert ["表结构不符：add_index receipts.ix_receipts_code"] == faults(used.db)


# --- the commands ------------------------------------------------------------------------------------------------


@pytest.fixture
def command(
    restored: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """`gmsafety db …` on that database; returns exit status and output."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GMSAFETY_DATABASE", restored)

    def run(*words: str) -> tuple[int, str]:
        status = main(["db", *words])
        return status, "".join(capfd.readouterr())

    return run


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_commands(command: Callable[..., tuple[int, str]], restored: str) -> None:
    assert command("upgrade")[1].startswith("数据库已是最新：")
    status, said = command("status")
    assert (0, True) == (status, "报送 4，回执" in said)
    assert 1 == len(json.loads(command("status", "--json")[1]))
    status, said = command("backup", "b.zip")
    assert (0, True) == (status, "已备份：b.zip" in said)
    assert (2, "已有文件“b.zip”；要替换请加 --force\n") == command("backup", "b.zip")
    assert 0 == command("backup", "b.zip", "--force")[0]
    head = said.split("审计链头 ")[1].split("\n")[0]
    for words in (["verify"], ["verify", "b.zip"], ["verify", "--head", head], ["verify", "b.zip", "--head", head]):
        status, said = command(*words)
        assert (0, True) == (status, said.endswith("核验通过。\n")), said
    assert 2 == command("verify", "--head", "1:abc")[0]
    assert 2 == command("restore", "b.zip")[0]
    status, said = command("restore", "b.zip", "--force")
    assert (0, True) == (status, "已逐表核对" in said), said
    told = json.loads(command("verify", "--json")[1])
    assert ["structure", "audit", "receipts", "files", "contents", "slots"] == [made["check"] for made in told]
    assert [] == [fault for made in told for fault in made["faults"]]
    db = Database(restored)
    with db.write() as tx:
        tx.execute(update(blobs).values(content=b"other"))
    db.close()
    status, said = command("verify")
    assert (1, True) == (status, "的内容与校验值不符" in said), said


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_name_of_a_backup_is_made(command: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    assert 0 == command("backup")[0]
    assert 1 == len(list(tmp_path.glob("gmsafety-node-2*.zip")))


def test_no_database_is_made_by_looking(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GMSAFETY_DATABASE", "sqlite:///none.db")
    for words in (["status"], ["verify"], ["backup"]):
        assert 2 == main(["db", *words])
        assert "没有数据库文件“none.db”" in capfd.readouterr().err
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("mysql://x", "不支持这种数据库：mysql。可用 SQLite 和 PostgreSQL"),
        ("nonsense", "数据库地址不对"),
        (
            "postgresql://somebody:secret@127.0.0.1:9/none",
            "数据库 postgresql://somebody:***@127.0.0.1:9/none 不能使用：",
        ),
        ("sqlite:////no/such/folder/x.db", "不能使用：unable to open database file"),
    ],
)
def test_a_database_that_is_none(
    address: str, said: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GMSAFETY_DATABASE", address)

    assert main(["db", "upgrade"]) in (2, 3)
    output = capfd.readouterr().err
    assert said in output
    assert "secret" not in output
