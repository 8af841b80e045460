"""`gmsafety node definitions`: which definitions are in force, handing them down, going back to others."""

from typing import Annotated

import typer

from .database import Json
from .working import working

app = typer.Typer(help="定义：在用的是哪一份、下发、改用另一份。", no_args_is_help=True)
ACTOR = "gmsafety node"
STATES = {"in-force": "在用", "superseded": "已被替换", "refused": "没有采用"}


@app.command("list")
def list_definitions(
    region: Annotated[str | None, typer.Argument(help="只看这个地区", metavar="REGION")] = None, as_json: Json = False
) -> None:
    """列出各地区的定义，最新的在前：哪一份在用，来自哪里，何时起。"""
    from gmsafety.cli.output import print_json, print_table
    from gmsafety.exchange.canonical import plain

    from ..features.exchange import handing_down

    with working() as node, node.db.read() as tx:
        rows = handing_down.all_rows(tx, region)
        noted = {r.region for r in rows if r.state == "in-force"}
        bare = [c for c in node.catalog.contents if c.plugin not in noted and region in (None, c.plugin)]
    names = ("id", "region", "title", "number", "hash", "sender", "state", "since", "received_at", "detail", "reason")
    told = [{name: getattr(r, name) for name in names} for r in rows]
    if as_json:
        print_json(plain([*told, *({"region": c.plugin, "title": c.title, "state": "plugin"} for c in bare)]))
        return
    shown = [
        (str(r.id), f"{r.title}（{r.region}）", str(r.number), r.sender, STATES[r.state], f"{r.received_at:%Y-%m-%d}",
         r.hash[:12], "；".join(r.detail[:3]) or r.reason or "")
        for r in rows
    ]  # fmt: skip
    shown += [("", f"{c.title}（{c.plugin}）", "", "插件", "在用", "", "", "") for c in bare]
    print_table("定义", ["序号", "地区", "编号", "来自", "状态", "收到", "校验值", "说明"], shown)


@app.command("push")
def push(
    region: Annotated[str, typer.Argument(help="地区（插件的名称）", metavar="REGION")],
    to: Annotated[str | None, typer.Option(help="只发给这个下级节点", metavar="NODE")] = None,
) -> None:
    """把一个地区的定义下发给下级节点；它所依据的地区先发。"""
    from ..features.exchange import handing_down

    with working() as node, node.db.write() as tx:
        sent = handing_down.push(tx, node, region, to=to, actor=ACTOR)
    for one in sent:
        print(f"已列入待发：{one.region} 第{one.number}号 → {one.receiver}")
    if not sent:
        print("下级节点都已有这一份，没有再发。")


@app.command("use")
def use(
    number: Annotated[int, typer.Argument(help="序号（见 list）", metavar="ID")],
    reason: Annotated[str, typer.Option(help="原因，记入日志")],
    looser: Annotated[bool, typer.Option("--looser", help="确认比在用的宽")] = False,
) -> None:
    """改用另一份：以前的，或没有采用的。"""
    from ..features.exchange import defining

    with working() as node, node.db.write() as tx:
        row = defining.use_again(tx, node, number, reason=reason, looser=looser, actor=ACTOR)
    print(f"已改用{row.title}第{row.number}号定义。")
