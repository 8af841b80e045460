"""`gmsafety archive` and `gmsafety audit`: what is put away for years, to be verified without this installation."""

from pathlib import Path
from typing import Annotated

import typer

from .database import Json, progress
from .working import Refused, working

app = typer.Typer(help="归档：一个活动的全部报送写成一个文件，一份接一份。", no_args_is_help=True)
log = typer.Typer(help="审计记录：写成可离线核验的文件。", no_args_is_help=True)
ACTOR = "gmsafety archive"
Force = Annotated[bool, typer.Option("--force", help="已有同名文件时替换")]


@app.command("make")
def make(
    campaign: Annotated[str, typer.Argument(metavar="CAMPAIGN", help="活动：编号或名称")],
    to: Annotated[Path, typer.Option("--to", help="归档文件（.tar）")],
    again: Annotated[bool, typer.Option("--again", help="没有变化也再归档一份")] = False,
    force: Force = False,
) -> None:
    """归档：每一版报送、原件、标注件、回执、经过、消息和审计记录；没有变化时不再写。服务器不必停止。"""
    from ..features.archives import making

    _is_free(to, force=force)
    with working() as node, progress() as step:
        made = making.make(node, campaign, to, actor=ACTOR, again=again, progress=step)
    counts = made.counts
    if not made.is_new:
        print(f"第{made.number}份归档（{made.name}）以后没有变化，没有另写。确要再写一份请加 --again。")
        return
    print(
        f"已归档：{to}　本节点第{made.number}份：报送{counts.submissions}版，文件{counts.files}个，"
        f"标注件{counts.annotated}个，回执{counts.receipts}份，消息{counts.messages}条\n"
        f"归档校验值 {made.hash}\n核验：gmsafety verify {to} --keys 本节点的锚文件"
    )


@app.command("list")
def list_made(as_json: Json = False) -> None:
    """列出做过的归档，最新的在前。"""
    from gmsafety.cli.output import print_json, print_table

    from ..features.archives import repository
    from ..templating import beijing

    with working() as node, node.db.read() as tx:
        rows = repository.made(tx)
    if as_json:
        names = ("number", "campaign", "hash", "previous", "counts", "name", "size")
        print_json([{**{n: getattr(r, n) for n in names}, "made_at": r.made_at.isoformat()} for r in rows])
        return
    lines = [
        (str(r.number), r.campaign, beijing(r.made_at, "%Y-%m-%d %H:%M"), str(r.counts["submissions"]),
         f"{r.size / 1e6:.1f} MB", r.name, r.hash)
        for r in rows
    ]  # fmt: skip
    print_table(f"归档（{len(rows)}份）", ["份", "活动", "时间", "报送", "大小", "文件", "校验值"], lines)


@log.command("export")
def export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="写到哪里（.jsonl）")],
    after: Annotated[int, typer.Option(help="从这一条以后；上一个文件的末条", min=0)] = 0,
    force: Force = False,
) -> None:
    """把已封存的审计记录写成文件；gmsafety verify 可离线核验，几个文件一起可核验衔接。"""
    from ..features.archives import logs

    _is_free(file, force=force)
    with working() as node:
        span = logs.export(node, file, after=after, actor="gmsafety audit")
    print(f"已写出：{file}　第{span.first}至{span.last}条\n链头 {span.last}:{span.hash}")
    print(f"下一次：gmsafety audit export 文件 --after {span.last}")


def _is_free(file: Path, *, force: bool) -> None:
    if file.exists() and not force:
        raise Refused(f"已有文件“{file}”；要替换请加 --force")
    if not file.parent.is_dir():
        raise Refused(f"没有文件夹“{file.parent}”")
