"""`gmsafety node`: this installation among others: who it is, whom it knows, what waits, what went wrong."""

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import definitions, keys, moving
from .working import Refused, unit_ref, working

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from ..node import Node

app = typer.Typer(help="节点：与上下级节点交换报送。", no_args_is_help=True)
peers = typer.Typer(help="对方节点：登记、列出、停用、吊销密钥。", no_args_is_help=True)
app.add_typer(peers, name="peer")
app.add_typer(keys.app, name="keys")
app.add_typer(definitions.app, name="definitions")
app.command("move")(moving.move)
ACTOR = "gmsafety node"
Json = Annotated[bool, typer.Option("--json", help="输出JSON（数组）")]
Name = Annotated[str, typer.Argument(help="对方节点的名称", metavar="NODE")]
Units = Annotated[list[str] | None, typer.Option("--unit", help="所服务的单位（及其下级），可写多次")]
Address = Annotated[str | None, typer.Option(help="对方呼叫时用的地址，例如 https://bao.example.gov.cn")]
Networks = Annotated[
    list[str] | None, typer.Option("--from", help="对方只可从这里呼叫，例如 10.1.0.0/16，可写多次", metavar="NETWORK")
]
Again = Annotated[int | None, typer.Option(help="这一件重发，或再办理", metavar="ID")]


def _unit(node: "Node", tx: "Connection", named: str) -> str:
    """The reference of a unit; a full name of a region whose definitions are still to come from above stays."""
    region, dot, _ = named.partition(".")
    return named if dot and region not in {c.plugin for c in node.catalog.contents} else unit_ref(node, tx, named)


@app.command("init")
def init(
    unit: Units = None,
    title: Annotated[str | None, typer.Option(help="节点的名字；默认 GMSAFETY_TITLE")] = None,
    address: Address = None,
    algorithm: keys.Algorithm = None,
    no_units: Annotated[bool, typer.Option("--no-units", help="还不服务单位，等交接（node move）")] = False,
) -> None:
    """写明本节点服务哪些单位、别人从哪里呼叫；没有地址的节点由自己去取。"""
    from ..features.exchange import introducing

    if bool(unit) == no_units:
        raise Refused("请写明服务哪些单位（--unit）；还没有、等交接的，写 --no-units")
    with working() as node, node.db.write() as tx:
        named = [_unit(node, tx, u) for u in unit or ()]
        introducing.set_own(
            tx, node, title=title or node.settings.title, units=named, address=address or node.settings.public_url,
            actor=ACTOR,
        )  # fmt: skip
        key = introducing.sign_by(tx, node, keys.ALGORITHMS[algorithm], actor=ACTOR) if algorithm else None
        name = node.settings.node
    print(f"本节点 {name}：服务 {'、'.join(named) or '的单位等交接'}")
    if key is not None:
        print(f"签名密钥 {key.key_id}（{key.algorithm}）")


@app.command("anchor")
def anchor(
    to: Annotated[Path | None, typer.Option("--to", help="写到文件；不写则显示")] = None,
) -> None:
    """写出锚文件，当面或以可靠的办法交给对方。"""
    from ..features.exchange import introducing

    with working() as node, node.db.read() as tx:
        made = introducing.anchor_of(tx, node)
    text = json.dumps(made.to_json(), ensure_ascii=False, indent=2) + "\n"
    if to is None:
        print(text, end="")
        return
    to.write_text(text, "utf-8")
    print(f"已写出：{to}\n核对码 {made.fingerprint}　（请与对方电话核对）")


@peers.command("add")
def add(
    file: Annotated[Path, typer.Argument(help="对方的锚文件", exists=True, dir_okay=False)],
    fingerprint: Annotated[str | None, typer.Option(help="电话核对过的核对码；不写则显示后询问")] = None,
    unit: Units = None,
    address: Address = None,
    networks: Networks = None,
) -> None:
    """登记对方节点，或按新的锚文件更新；以核对过的锚文件为准。"""
    from gmsafety.exchange.errors import Malformed
    from gmsafety.exchange.peers import Anchor

    from ..features.exchange import allowing, introducing

    try:
        given = Anchor.from_json(file.read_bytes())
    except Malformed as error:
        raise Refused(str(error)) from error
    _confirm(given.fingerprint, fingerprint)
    with working() as node, node.db.write() as tx:
        named = [_unit(node, tx, u) for u in unit or ()]
        peer = introducing.add_peer(tx, node, given, units=named, address=address, actor=ACTOR)
        if networks:
            allowing.allow(tx, node, peer.name, networks, actor=ACTOR)
    print(f"已登记 {peer.name}（{peer.title}）：服务 {'、'.join(peer.units)}，地址 {peer.address or '没有，由它来取'}")


def _confirm(own: str, told: str | None) -> None:
    if told is None:
        typer.confirm(f"核对码 {own}\n与对方核对过，相符？", abort=True)
    elif "".join(told.split()).lower() != "".join(own.split()):
        raise Refused(f"核对码不符：锚文件的是 {own}。没有登记。")


@peers.command("allow")
def allow(name: Name, networks: Networks = None) -> None:
    """只让对方从这些网络地址呼叫；一个也不写则不限。"""
    from ..features.exchange import allowing

    with working() as node, node.db.write() as tx:
        kept = allowing.allow(tx, node, name, networks or (), actor=ACTOR)
    print(f"{name} 只可从 {'、'.join(kept)} 呼叫。" if kept else f"{name} 从哪里呼叫不限。")


@peers.command("list")
def list_peers(as_json: Json = False) -> None:
    """列出对方节点：单位、密钥、待发、最近一次消息。"""
    from gmsafety.cli.output import print_json, print_table

    from ..features.exchange import service

    with working() as node, node.db.read() as tx:
        found = service.peer_states(tx)
    if as_json:
        print_json([p.to_json() for p in found])
        return
    rows = [
        (p.name, p.title, "、".join(p.units), p.address or "", "、".join(p.networks), "、".join(p.keys),
         str(p.waiting), "停用" if not p.is_open else "等对账" if p.is_asked else "")
        for p in found
    ]  # fmt: skip
    print_table("对方节点", ["名称", "标题", "单位", "地址", "只可来自", "密钥", "待发", ""], rows)


@peers.command("close")
def close(name: Name) -> None:
    """停用：不再接收，也不再发送；所存的不变。"""
    _open(name, is_open=False)


@peers.command("open")
def reopen(name: Name) -> None:
    """恢复停用的节点。"""
    _open(name, is_open=True)


def _open(name: str, *, is_open: bool) -> None:
    from ..features.exchange import introducing

    with working() as node, node.db.write() as tx:
        introducing.open_peer(tx, node, name, is_open=is_open, actor=ACTOR)
    print(f"{name} 已{'恢复' if is_open else '停用'}。")


@peers.command("revoke")
def revoke(name: Name, key: Annotated[str, typer.Argument(help="密钥编号")]) -> None:
    """吊销对方的一个密钥：它签的一概不收。"""
    from ..features.exchange import introducing

    with working() as node, node.db.write() as tx:
        introducing.revoke_key(tx, node, name, key, actor=ACTOR)
    print(f"已吊销 {name} 的密钥 {key}。")


@app.command("status")
def status(as_json: Json = False) -> None:
    """收件、发件各有多少，有没有问题。"""
    from gmsafety.cli.output import print_json

    from ..features.exchange import differences, repository
    from ..features.exchange.words import COUNTS

    with working() as node, node.db.read() as tx:
        told = repository.counts(tx, node.clock.now()) | {"tasks": sum(differences.open_counts(tx).values())}
        name = node.settings.node
    if as_json:
        print_json([{"node": name, **told}])
        return
    print(f"节点 {name}")
    for key, words in COUNTS.items():
        print(f"　{words}　{told[key]}")


@app.command("doctor")
def doctor(
    days: Annotated[int, typer.Option(help="多少天没有消息算问题", min=1)] = 7,
    as_json: Json = False,
) -> None:
    """检查登记、密钥、积压、缺件、拒收、磁盘、数据库；并呼叫各节点，比较时钟和密钥。有问题时退出码为1。"""
    from datetime import timedelta

    from gmsafety.cli.output import print_json

    from ..features.exchange import examining, service
    from ..features.exchange.wire import HttpWire
    from ..mail.stations import peer_of, peer_rows

    wire = HttpWire()
    with working() as node:
        with node.db.read() as tx:
            found = service.faults(tx, node)
            found += examining.examined(tx, node, quiet=timedelta(days=days))
            known = [peer_of(row) for row in peer_rows(tx) if row.is_open]
        for peer in known:
            seen = service.look_at(node, wire, peer)
            found += service.called_faults(peer, seen)
            found += examining.published(wire, peer) if seen.state in ("ready", "busy") else ()
    wire.close()
    if as_json:
        print_json([{"where": f.where, "text": f.text, "remedy": f.remedy} for f in found])
    else:
        for fault in found:
            print(f"{fault.where}：{fault.text}。{fault.remedy}。")
        print(f"发现{len(found)}处问题。" if found else f"没有发现问题，{len(known)}个节点都有应答。")
    if found:
        raise typer.Exit(1)


@app.command("send")
def send(to: Annotated[str | None, typer.Option(help="只发给这个节点")] = None) -> None:
    """现在就发送待发的、取回并办理来的；服务器在运行时会自己做。"""
    from ..features.exchange.delivering import deliver
    from ..features.exchange.polling import poll
    from ..features.exchange.reconciling import state_where_due
    from ..features.exchange.takingup import take_up
    from ..features.exchange.wire import HttpWire

    wire = HttpWire()
    with working() as node:
        state_where_due(node)
        came = poll(node, wire)
        done, sent = take_up(node), deliver(node, wire, only=to)
    wire.close()
    print(f"取回{came}件，办理{done}件，送达{sent}件。")


@app.command("outbox")
def outbox(
    standing: Annotated[str, typer.Option(help="unsent、dead、turned_down 或 all")] = "unsent",
    again: Again = None,
    as_json: Json = False,
) -> None:
    """列出发件，最新的在前；或重发一件。"""
    from ..features.exchange import repository, service

    with working() as node:
        if again is not None:
            with node.db.write() as tx:
                service.send_again(tx, node, again, actor=ACTOR)
            print(f"第{again}件已列入待发。")
            return
        with node.db.read() as tx:
            rows, total = repository.outbox_rows(tx, standing, offset=0, limit=200)
    _print(rows, total, "发件", as_json=as_json)


@app.command("inbox")
def inbox(
    standing: Annotated[str, typer.Option(help="untaken、held、failed 或 all")] = "failed",
    again: Again = None,
    as_json: Json = False,
) -> None:
    """列出收件，最新的在前；或再办理一件。"""
    from ..features.exchange import repository, service
    from ..features.exchange.takingup import take_up

    with working() as node:
        if again is not None:
            with node.db.write() as tx:
                service.take_again(tx, node, again, actor=ACTOR)
            print(f"已再办理，办成{take_up(node)}件。")
            return
        with node.db.read() as tx:
            rows, total = repository.inbox_rows(tx, standing, offset=0, limit=200)
    _print(rows, total, "收件", as_json=as_json)


def _print(rows: "list[Row[Any]]", total: int, title: str, *, as_json: bool) -> None:
    from gmsafety.cli.output import print_json, print_table

    from ..features.exchange.words import KINDS, line

    lines = [line(row) for row in rows]
    if as_json:
        print_json(lines)
        return
    columns = ("id", "node", "kind", "unit", "item", "period", "revision", "at", "problem", "detail")
    shown = [tuple(KINDS.get(str(t[c]), str(t[c])) if t[c] is not None else "" for c in columns) for t in lines]
    heads = ["编号", "节点", "种类", "单位", "表", "期次", "版", "时间", "问题", "说明"]
    print_table(f"{title}（{total}件）", heads, shown)


@app.command("export")
def export(
    name: Name, file: Annotated[Path, typer.Argument(help="包文件（.gmx）")],
    force: Annotated[bool, typer.Option("--force", help="已有同名文件时替换")] = False,
) -> None:  # fmt: skip
    """把待发的写成一个包，带到不通网的对方；回执由对方的包带回。"""
    from ..features.exchange import carrying

    if file.exists() and not force:
        raise Refused(f"已有文件“{file}”；要替换请加 --force")
    with working() as node:
        messages, answers = carrying.export(node, name, file, actor=ACTOR)
    print(f"已写出：{file}　消息{messages}件，答复{answers}件")


@app.command("import")
def bring_in(
    file: Annotated[Path, typer.Argument(help="包文件（.gmx）", exists=True, dir_okay=False)],
    handed_over: Annotated[
        str | None,
        typer.Option("--handed-over", help="何时交到，例如 2024-12-27T11:50（北京时间）；另记，不改收到时间"),
    ] = None,
    by: Annotated[str | None, typer.Option("--by", help="谁记的；默认为本机的用户名")] = None,
) -> None:
    """接收对方的包，并办理；有任何不符的包一件也不收。"""
    from ..features.exchange import carrying
    from ..features.exchange.takingup import take_up

    told = carrying.HandedOver(_moment(handed_over), by or _user()) if handed_over else None
    with working() as node:
        found = carrying.bring_in(node, file, actor=ACTOR, handed_over=told)
        done = take_up(node)
    print(
        f"来自 {found.sender}：新收{found.fresh}件，重复{found.again}件，拒收{found.refused}件，"
        f"答复{found.answers}件；办理{done}件。"
    )


def _moment(text: str) -> datetime:
    """A moment as people write it; without a zone it is that of Beijing."""
    from gmsafety.duties import BEIJING

    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise Refused(f"“{text}”不是时间，请写成 2024-12-27T11:50") from error
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=BEIJING)


def _user() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ACTOR
