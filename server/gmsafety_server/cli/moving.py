"""`gmsafety node move`: a unit goes over to another node, with its history."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from .working import Refused, unit_ref, working

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ..node import Node

ACTOR = "gmsafety node move"


def move(
    unit: Annotated[str | None, typer.Argument(help="单位：编号或全称；不写则列出以往的交接")] = None,
    to: Annotated[str | None, typer.Option("--to", help="交给哪个节点", metavar="NODE")] = None,
    come: Annotated[str | None, typer.Option("--from", help="从哪个节点接收", metavar="NODE")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="输出JSON（数组）")] = False,
) -> None:
    """单位换节点：接收方先写 --from，交出方再写 --to，历史随同交接；在第三个节点两个都写，只改登记。"""
    from ..features.moving import service

    if unit is None:
        _list(as_json=as_json)
        return
    if to is None and come is None:
        raise Refused("请写明交给哪个节点（--to），或从哪个节点接收（--from）")
    with working() as node, node.db.write() as tx:
        ref, name = _named(node, tx, unit)
        if to is None:
            service.expect(tx, node, ref, str(come), actor=ACTOR)
            print(f"已登记：{name} 将从节点 {come} 交来。请对方运行 gmsafety node move {ref} --to {node.settings.node}")
        elif come is not None:
            service.assign(tx, node, ref, come, to, actor=ACTOR)
            print(f"已登记：{name} 由节点 {come} 改为节点 {to}。")
        else:
            told = service.hand_over(tx, node, ref, to, actor=ACTOR)
            print(f"{name} 已交给节点 {to}：{_words(told)}。本节点不再接收它的报送，历史留存。")


def _named(node: "Node", tx: "Connection", unit: str) -> tuple[str, str]:
    ref = unit_ref(node, tx, unit)
    return ref, node.directory(tx).name(ref)


def _words(told: Any) -> str:
    names = {"submissions": "报送", "drafts": "草稿", "files": "文件", "refusals": "没有收下的文件", "rollups": "汇总"}
    return "，".join(f"{word}{told[key]}份" for key, word in names.items() if key in told)


def _line(row: Any) -> tuple[str, ...]:
    from ..features.moving import service

    at = row.changed_at.strftime("%Y-%m-%d %H:%M")
    return f"{service.WAYS[row.direction]} {row.peer}", service.STATES[row.state], at, _words(row.counts or {})


def _list(*, as_json: bool) -> None:
    from gmsafety.cli.output import print_json, print_table

    from ..features.moving import repository

    with working() as node, node.db.read() as tx:
        rows = repository.all_handovers(tx)
        name_of = node.directory(tx).name
    if as_json:
        told = ("unit", "direction", "peer", "state", "counts")
        print_json([{**{n: getattr(r, n) for n in told}, "at": r.at.isoformat()} for r in rows])
        return
    lines = [(name_of(r.unit), *_line(r)) for r in rows]
    print_table("单位交接", ["单位", "节点", "现在", "时间（UTC）", "内容"], lines)
