"""`gmsafety node reconcile` and `gmsafety node tasks`: what nodes have of each other, and what differs."""

from typing import Annotated

import typer

from .exchange import ACTOR, Json
from .working import Refused, working

Number = Annotated[int | None, typer.Option(metavar="ID")]


def reconcile(
    name: Annotated[str | None, typer.Argument(help="对方节点；不写则全部", metavar="[NODE]")] = None,
    anew: Annotated[bool, typer.Option("--anew", help="像恢复备份后那样重新开始：恢复时钟不对的用")] = False,
) -> None:
    """现在就对账：把本节点所发、所收告知对方，对方补发、交还，并答复。"""
    from ..features.exchange.reconciling import state_now

    with working() as node:
        with node.db.write() as tx:
            names = state_now(tx, node, name, actor=ACTOR, anew=anew)
        node.wake()
    print(f"对账单已列入待发：{'、'.join(names)}" if names else "没有登记对方节点。")


def tasks(
    state: Annotated[str, typer.Option(help="open、done、dismissed、settled 或 all")] = "open",
    peer: Annotated[str, typer.Option(help="只列这个节点的", metavar="NODE")] = "",
    done: Number = None,
    dismiss: Number = None,
    reopen: Number = None,
    reason: Annotated[str | None, typer.Option(help="怎样处理的，或为什么不需处理")] = None,
    as_json: Json = False,
) -> None:
    """列出与别的节点的差异；或了结一项（--done、--dismiss），或重新打开。"""
    from gmsafety.cli.output import print_json, print_table

    from ..features.exchange import differences

    asked = [(n, s) for n, s in ((done, "done"), (dismiss, "dismissed"), (reopen, "open")) if n is not None]
    if len(asked) > 1:
        raise Refused("--done、--dismiss、--reopen 一次只能用一个")
    with working() as node:
        for number, to in asked:
            with node.db.write() as tx:
                differences.put(tx, node, number, to, reason=reason, actor=ACTOR)
            print(f"第{number}项：{differences.STATES[to]}。")
            return
        with node.db.read() as tx:
            rows, total = differences.listed(tx, state="" if state == "all" else state, peer=peer)
    lines = [differences.line(row) for row in rows]
    if as_json:
        print_json(lines)
        return
    heads = ["编号", "节点", "种类", "说明", "怎么办", "起", "状态"]
    shown = [
        (str(t["id"]), *(t[k] or "" for k in ("node", "title", "text", "remedy", "since", "standing"))) for t in lines
    ]
    print_table(f"差异（{total}项）", heads, shown)
