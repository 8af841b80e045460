"""`gmsafety db`: the database of this installation."""

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from gmsafety.exchange.keyring import KeyRing
    from gmsafety.exchange.signing import PublicKey
    from gmsafety.exchange.verifying import Verified

    from ..db import Database
    from ..verification import Check

app = typer.Typer(help="数据库：建立、升级、备份、恢复、核验。", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="输出JSON（数组）")]
SHOWN = 20
_WORDS = {
    "tables": "表", "unique_keys": "唯一键", "sealed": "已封存", "seals": "封印", "unsealed": "未封存",
    "receipts": "回执", "submissions": "报送", "files": "文件", "bytes": "字节", "parcels": "带文件的报送",
    "history": "经过", "slots": "任务", "filled": "已有报送",
}  # fmt: skip
_HEAD = re.compile(r"([1-9]\d{0,17}):([0-9a-f]{64})")


@app.command("upgrade")
def upgrade() -> None:
    """建立数据库或升级到最新，并生成签名密钥。"""
    from ..migrations import Schema, schema_of
    from ..migrations import upgrade as bring_up
    from ..node import open_node
    from .opening import NotReady, in_words, settings_of

    settings = settings_of()
    with in_words(settings), _database(settings.database) as db:
        with db.read() as tx:
            before = schema_of(tx)
        if before in (Schema.FOREIGN, Schema.NEWER):
            raise NotReady(before.chinese)
        bring_up(db)
        node = open_node(settings)
        node.db.close()
    words = {Schema.NONE: "已建立", Schema.CURRENT: "已是最新"}.get(before, "已升级到最新")
    print(f"数据库{words}：{db.shown}　签名密钥 {node.key.public.key_id}")


@app.command("status")
def status(as_json: Json = False) -> None:
    """查看数据库：版本、数量、审计记录和密钥。"""
    from gmsafety.cli.output import print_json

    from .figures import figures
    from .opening import in_words, must_exist, settings_of

    settings = settings_of()
    must_exist(settings)
    with in_words(settings), _database(settings.database) as db:
        found = figures(db)
    if as_json:
        print_json([found.to_json()])
    else:
        print("\n".join(found.lines()))


@app.command("backup")
def backup(
    file: Annotated[Path | None, typer.Argument(help="备份文件（默认 gmsafety-节点名-时间.zip）")] = None,
    force: Annotated[bool, typer.Option("--force", help="已有同名文件时替换")] = False,
) -> None:
    """备份到一个文件；服务器不必停止。"""
    from datetime import UTC, datetime

    from ..backup import write_backup
    from ..migrations import Schema, schema_of
    from .opening import NotReady, in_words, must_exist, settings_of

    settings, now = settings_of(), datetime.now(UTC)
    must_exist(settings)
    file = file or Path(f"gmsafety-{settings.node}-{now.astimezone():%Y%m%d-%H%M%S}.zip")
    if file.exists() and not force:
        raise NotReady(f"已有文件“{file}”；要替换请加 --force")
    with in_words(settings), _database(settings.database) as db, progress() as step:
        with db.read() as tx:
            if (found := schema_of(tx)) in (Schema.NONE, Schema.FOREIGN):
                raise NotReady(found.chinese)
        made = write_backup(db, file, node=settings.node, now=now, progress=step)
    size = file.stat().st_size / 1e6
    print(f"已备份：{file}　{len(made.tables)}张表 {made.rows}行，{size:.1f} MB，已核对")
    print(f"审计链头 {made.audit.sealed}:{made.audit.hash}")
    print("备份里有签名密钥和账号，请像密码一样保管。")


@app.command("restore")
def restore(
    file: Annotated[Path, typer.Argument(help="备份文件", exists=True, dir_okay=False)],
    force: Annotated[bool, typer.Option("--force", help="数据库里已有内容时，全部清除后恢复")] = False,
) -> None:
    """从备份恢复到空的数据库；SQLite 的备份可恢复到 PostgreSQL，反之亦可。"""
    from datetime import UTC, datetime

    from ..backup import restore as bring_back
    from .opening import in_words, settings_of

    settings = settings_of()
    with in_words(settings), _database(settings.database) as db, progress() as step:
        made = bring_back(db, file, force=force, now=datetime.now(UTC), progress=step)
    print(f"已恢复：{db.shown}　{len(made.tables)}张表 {made.rows}行，已逐表核对")
    print("接着请运行 gmsafety db verify。")


@app.command("verify")
def verify(
    file: Annotated[Path | None, typer.Argument(help="备份文件；不写则核验数据库", exists=True, dir_okay=False)] = None,
    head: Annotated[list[str] | None, typer.Option("--head", help="另处记下的审计链头（序号:校验值），可多次")] = None,
    as_json: Json = False,
) -> None:
    """核验数据库或备份：审计链和封印、回执签名、文件、内容、任务、唯一键。有不符时退出码为1。"""
    from gmsafety.cli.output import print_json

    from .opening import NotReady, in_words, must_exist, settings_of

    settings, heads = settings_of(), {}
    for text in head or ():
        if (found := _HEAD.fullmatch(text.strip())) is None:
            raise NotReady(f"链头“{text}”应写成 序号:校验值（64位小写十六进制）")
        heads[int(found[1])] = found[2]
    with in_words(settings), progress() as step:
        if file is None:
            must_exist(settings)
            with _database(settings.database) as db:
                checks = list(_checks(db, heads, step))
        else:
            checks = _of_backup(file, heads, step)
    if as_json:
        print_json([c.to_json() for c in checks])
    else:
        _print(checks)
    if any(c.faults for c in checks):
        raise typer.Exit(1)


def _checks(
    db: "Database", heads: dict[int, str], step: Callable[[str, int, int], None], keys: "Sequence[PublicKey]" = ()
) -> "Iterator[Check]":
    """Make every check, with the keys given or, without, those that the database holds."""
    from ..migrations import NotUpToDate, Schema, schema_of
    from ..node import public_keys
    from ..verification import CHECKS, verify_database

    with db.read() as tx:
        if (found := schema_of(tx)) is not Schema.CURRENT:
            raise NotUpToDate(found.chinese)
        for number, check in enumerate(verify_database(tx, keys or public_keys(tx), heads=heads), 1):
            step("核验", number, CHECKS)
            yield check


def _of_backup(
    file: Path, heads: dict[int, str], step: Callable[[str, int, int], None], keys: "Sequence[PublicKey]" = ()
) -> "list[Check]":
    """Restore a backup into a file that is thrown away, and verify that."""
    from tempfile import TemporaryDirectory

    from ..backup import restore as bring_back

    with TemporaryDirectory(prefix="gmsafety-") as folder, _database(f"sqlite:///{folder}/backup.db") as db:
        bring_back(db, file, force=False, now=None, progress=step)
        return list(_checks(db, heads, step, keys))


def verify_file(path: Path, ring: "KeyRing") -> "Verified | None":
    """Verify a backup for `gmsafety verify`; None for any other file. Keys of the ring take the place of its own."""
    from gmsafety.exchange.verifying import Verified

    from ..backup.archive import BackupUnusable, open_backup

    try:
        with open_backup(path) as (_, made):
            facts = [("节点", made.node), ("备份时间", f"{made.made_at.astimezone():%Y-%m-%d %H:%M:%S}")]
    except BackupUnusable:
        return None
    given = [*ring.loose, *(key.key for name, key in ring.pinned if name == made.node)]
    try:
        checks = _of_backup(path, {}, lambda *_: None, given)
    except BackupUnusable as unusable:
        return Verified(path.name, "backup", tuple(facts), faults=(str(unusable),))
    facts += [("审计链头", f"{made.audit.sealed}:{made.audit.hash}")] if made.audit.sealed else []
    facts += [("公钥", "由 --keys 给出" if given else "取自备份本身，只能证明前后一致")]
    facts += [(c.title, "不符" if c.faults else "相符") for c in checks]
    faults = tuple(f"{c.title}：{fault}" for c in checks for fault in c.faults)
    return Verified(path.name, "backup", tuple(facts), faults=faults)


def _print(checks: "list[Check]") -> None:
    for check in checks:
        counts = "，".join(f"{_WORDS.get(name, name)} {number:,}" for name, number in check.counts.items())
        print(f"{'不符' if check.faults else '相符'}　{check.title}：{counts}{'。' + check.note if check.note else ''}")
        for fault in check.faults[:SHOWN]:
            print(f"　　{fault}")
        if len(check.faults) > SHOWN:
            print(f"　　另有{len(check.faults) - SHOWN}处，用 --json 查看")
    wrong = sum(len(c.faults) for c in checks)
    print(f"核验发现{wrong}处不符。" if wrong else "核验通过。")


@contextmanager
def _database(address: str) -> "Iterator[Database]":
    from ..db import Database

    db = Database(address)
    try:
        yield db
    finally:
        db.close()


@contextmanager
def progress() -> Iterator[Callable[[str, int, int], None]]:
    """A bar on the terminal that says what is being done; nothing where nobody looks."""
    if not sys.stderr.isatty():
        yield lambda _what, _done, _total: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task: Any = bar.add_task("", total=None)

        def step(what: str, done: int, total: int) -> None:
            if done % 64 == 0 or done == total:
                bar.update(task, description=what, completed=done, total=total)

        yield step
