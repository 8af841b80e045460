"""`gmsafety node`: this installation among others: who it is, whom it knows, what waits, what went wrong."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .working import Refused, unit_ref, working

if TYPE_CHECKING:
    from sqlalchemy import Row

app = typer.Typer(help="节点：与上下级节点交换报送。", no_args_is_help=True)
peers = typer.Typer(help="对方节点：登记、列出、停用、吊销密钥。", no_args_is_help=True)
keys = typer.Typer(help="签名密钥：列出、更换、停用。", no_args_is_help=True)
app.add_typer(peers, name="peer")
app.add_typer(keys, name="keys")
ACTOR = "gmsafety node"
Json = Annotated[bool, typer.Option("--json", help="输出JSON（数组）")]
Name = Annotated[str, typer.Argument(help="对方节点的名称", metavar="NODE")]
Units = Annotated[list[str] | None, typer.Option("--unit", help="所服务的单位（及其下级），可写多次")]
Address = Annotated[str | None, typer.Option(help="对方呼叫时用的地址，例如 https://bao.example.gov.cn")]
Again = Annotated[int | None, typer.Option(help="这一件重发，或再办理", metavar="ID")]


@app.command("init")
def init(
    unit: Units = None,
    title: Annotated[str | None, typer.Option(help="节点的名字；默认 GMSAFETY_TITLE")] = None,
    address: Address = None,
) -> None:
    """写明本节点服务哪些单位、别人从哪里呼叫；没有地址的节点由自己去取。"""
    from ..features.exchange import introducing

    with working() as node, node.db.write() as tx:
        named = [unit_ref(node, tx, u) for u in unit or ()]
        introducing.set_own(
            tx, node, title=title or node.settings.title, units=named, address=address or node.settings.public_url,
            actor=ACTOR,
        )  # fmt: skip
        name = node.settings.node
    print(f"本节点 {name}：服务 {'、'.join(named)}")


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
) -> None:
    """登记对方节点，或按新的锚文件更新；以核对过的锚文件为准。"""
    from gmsafety.exchange.errors import Malformed
    from gmsafety.exchange.peers import Anchor

    from ..features.exchange import introducing

    try:
        given = Anchor.from_json(file.read_bytes())
    except Malformed as error:
        raise Refused(str(error)) from error
    _confirm(given.fingerprint, fingerprint)
    with working() as node, node.db.write() as tx:
        named = [unit_ref(node, tx, u) for u in unit or ()]
        peer = introducing.add_peer(tx, node, given, units=named, address=address, actor=ACTOR)
    print(f"已登记 {peer.name}（{peer.title}）：服务 {'、'.join(peer.units)}，地址 {peer.address or '没有，由它来取'}")


def _confirm(own: str, told: str | None) -> None:
    if told is None:
        typer.confirm(f"核对码 {own}\n与对方核对过，相符？", abort=True)
    elif "".join(told.split()).lower() != "".join(own.split()):
        raise Refused(f"核对码不符：锚文件的是 {own}。没有登记。")


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
        (p.name, p.title, "、".join(p.units), p.address or "", "、".join(p.keys), str(p.waiting),
         "" if p.is_open else "停用")
        for p in found
    ]  # fmt: skip
    print_table("对方节点", ["名称", "标题", "单位", "地址", "密钥", "待发", ""], rows)


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


@keys.command("list")
def list_keys(as_json: Json = False) -> None:
    """列出本节点的密钥。"""
    from gmsafety.cli.output import print_json, print_table
    from gmsafety.exchange.canonical import plain

    from ..mail.stations import own_keys

    with working() as node, node.db.read() as tx:
        found = own_keys(tx)
    if as_json:
        print_json([plain(k.model_dump()) for k in found])
        return
    ends = [f"{k.valid_until:%Y-%m-%d}" if k.valid_until else "在用" for k in found]
    rows = [(k.key_id, k.algorithm, f"{k.valid_from:%Y-%m-%d}", end) for k, end in zip(found, ends, strict=True)]
    print_table("密钥", ["编号", "算法", "起", "止"], rows)


@keys.command("rotate")
def rotate() -> None:
    """更换签名密钥，并告知各节点；重启服务器后用新的签名。"""
    from ..features.exchange import introducing

    with working() as node, node.db.write() as tx:
        key = introducing.rotate(tx, node, actor=ACTOR)
    print(f"新密钥 {key.key_id}。请重启服务器；各节点都收到后，停用旧的：gmsafety node keys retire")


@keys.command("retire")
def retire(
    key: Annotated[str, typer.Argument(help="密钥编号")],
    revoke: Annotated[bool, typer.Option("--revoke", help="已泄露：请各节点一概不再相信它")] = False,
) -> None:
    """停用一个旧密钥，并告知各节点。"""
    from ..features.exchange import introducing

    with working() as node, node.db.write() as tx:
        introducing.retire(tx, node, key, revoked=revoke, actor=ACTOR)
    print(f"已停用 {key}。请重启服务器。")


@app.command("status")
def status(as_json: Json = False) -> None:
    """收件、发件各有多少，有没有问题。"""
    from gmsafety.cli.output import print_json

    from ..features.exchange import repository
    from ..features.exchange.words import COUNTS

    with working() as node, node.db.read() as tx:
        told = repository.counts(tx, node.clock.now())
        name = node.settings.node
    if as_json:
        print_json([{"node": name, **told}])
        return
    print(f"节点 {name}")
    for key, words in COUNTS.items():
        print(f"　{words}　{told[key]}")


@app.command("doctor")
def doctor(as_json: Json = False) -> None:
    """检查：登记、积压、缺件、拒收；并呼叫各节点，比较时钟。有问题时退出码为1。"""
    from gmsafety.cli.output import print_json

    from ..features.exchange import service
    from ..features.exchange.wire import HttpWire
    from ..mail.stations import peer_of, peer_rows

    wire = HttpWire()
    with working() as node:
        with node.db.read() as tx:
            found = service.faults(tx, node)
            known = [peer_of(row) for row in peer_rows(tx) if row.is_open]
        found += [f for peer in known for f in service.called_faults(peer, service.look_at(node, wire, peer))]
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
    from ..features.exchange.takingup import take_up
    from ..features.exchange.wire import HttpWire

    wire = HttpWire()
    with working() as node:
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
def bring_in(file: Annotated[Path, typer.Argument(help="包文件（.gmx）", exists=True, dir_okay=False)]) -> None:
    """接收对方的包，并办理；有任何不符的包一件也不收。"""
    from ..features.exchange import carrying
    from ..features.exchange.takingup import take_up

    with working() as node:
        found = carrying.bring_in(node, file, actor=ACTOR)
        done = take_up(node)
    print(
        f"来自 {found.sender}：新收{found.fresh}件，重复{found.again}件，拒收{found.refused}件，"
        f"答复{found.answers}件；办理{done}件。"
    )
