"""Looking a node over: its keys, disk and database, the nodes it knows, and what these publish of themselves."""

from collections.abc import Iterator
from datetime import timedelta
from importlib.metadata import version
from typing import Any

import orjson
from sqlalchemy import Connection, select

from gmsafety.exchange.peers import Peer, PeerKey

from ...mail.stations import peer_of, peer_rows
from ...node import Node
from ...tables import keys, peers
from . import health, repository
from .service import Fault
from .wire import Unreached, Wire

SOON = timedelta(days=30)
LONG = timedelta(days=7)
_SCARCE_PART = 20


def examined(tx: Connection, node: Node, *, quiet: timedelta = LONG) -> Iterator[Fault]:
    """What is wrong with the node that no single message tells; `quiet` is how long another may say nothing."""
    yield from _own_keys(tx, node)
    yield from _machine(tx, node)
    yield from _twice(tx)
    heard, now = repository.last_heard(tx), node.clock.now()
    for row in peer_rows(tx):
        if not row.is_open:
            continue
        last = heard.get(row.name, row.added_at)
        if now - last > quiet:
            said = f"{(now - last).days}天没有消息"
            yield Fault(row.name, said, "请与对方联系；不再交换的，用 gmsafety node peer close 停用")
        yield from _their_keys(node, peer_of(row))


_LIVE = select(keys).where(keys.c.retired_at.is_(None)).order_by(keys.c.created_at)


def unaware(tx: Connection) -> list[str]:
    """The other nodes that have not heard yet of the key that signs now."""
    told, newest = repository.keys_told(tx), tx.execute(_LIVE).all()[-1].created_at
    return [
        row.name for row in peer_rows(tx)
        if row.is_open and row.added_at < newest > told.get(row.name, row.added_at)
    ]  # fmt: skip


def _own_keys(tx: Connection, node: Node) -> Iterator[Fault]:
    """A change of keys that was begun and not ended; a key that another node was not told of."""
    live = tx.execute(_LIVE).all()
    if names := unaware(tx):
        yield Fault("密钥", f"{'、'.join(names)} 还不知道新密钥 {node.key.key_id}", "等消息送达；不通网的请导出包带去")
    elif len(live) > 1:
        old = "、".join(row.key_id for row in live[:-1])
        yield Fault(
            "密钥", f"各节点都已知道新密钥，旧密钥 {old} 还在用", f"请运行 gmsafety node keys retire {live[0].key_id}"
        )


def _their_keys(node: Node, peer: Peer) -> Iterator[Fault]:
    now = node.clock.now()
    good = [k for k in peer.keys if k.signs_at(now) and k.key.is_known]
    if not good:
        strange = {k.algorithm for k in peer.keys if not k.key.is_known}
        remedy = "请运行 pip install gmsafety[sm]" if "SM2-SM3" in strange else "请对方重新给出锚文件，电话核对后登记"
        yield Fault(peer.name, "没有一个可用的密钥，它的消息都不收", remedy)
        return
    ends = [k.valid_until for k in good]
    last = max((end for end in ends if end is not None), default=None)
    if last is not None and None not in ends and last - now < SOON:
        yield Fault(
            peer.name, f"密钥到{last:%Y-%m-%d}为止，之后没有可用的", "请对方更换密钥（gmsafety node keys rotate）"
        )


def _machine(tx: Connection, node: Node) -> Iterator[Fault]:
    disk = health.disk_of(node.db)
    if disk is not None and (disk[0] < health.SCARCE or disk[0] * _SCARCE_PART < disk[1]):
        yield Fault("磁盘", f"只剩{disk[0] / 2**20:,.0f} MB", "请清理，或换大的磁盘；写满时不再接收")
    if (why := health.durability(tx)) is not None:
        yield Fault("数据库", f"{why}，断电时已答复的消息可能丢失", "请改回数据库的默认设置")


def _twice(tx: Connection) -> Iterator[Fault]:
    served: dict[str, list[str]] = {}
    for row in tx.execute(select(peers.c.name, peers.c.units).where(peers.c.is_open).order_by(peers.c.name)):
        for unit in row.units:
            served.setdefault(unit, []).append(row.name)
    for unit, names in sorted(served.items()):
        if len(names) > 1:
            said = f"同时由{'、'.join(names)}服务"
            yield Fault(unit, said, "一个单位只有一个节点：停用其中一个，或重新登记它的单位")


def published(wire: Wire, peer: Peer) -> Iterator[Fault]:
    """Compare what another node says of itself with what is pinned here; where it does not answer, nothing is said."""
    if peer.address is None:
        return
    try:
        told: Any = orjson.loads(wire("GET", f"{peer.address.rstrip('/')}/api/v1/node").content)
        name, program = str(told["node"]), str(told["version"])
        shown = {str(k["key_id"]): str(k["public_key"]) for k in told["keys"]}
    except (Unreached, orjson.JSONDecodeError, KeyError, TypeError):
        return
    if name != peer.name:
        yield Fault(peer.name, f"这个地址上是节点 {name}", "请核对地址，用新的锚文件登记")
        return
    yield from _differing(peer.name, peer.keys, shown)
    own = version("gmsafety-server")
    if program.partition(".")[0] != own.partition(".")[0]:
        yield Fault(peer.name, f"对方程序是{program}版，本节点是{own}版，协议可能不同", "请把旧的一方升级")


def _differing(name: str, pinned: tuple[PeerKey, ...], shown: dict[str, str]) -> Iterator[Fault]:
    known = {k.key_id: k.public_key for k in pinned}
    other = sorted(k for k in known.keys() & shown.keys() if known[k] != shown[k])
    if other:
        said = f"公布的密钥 {'、'.join(other)} 与锚文件的不同"
        yield Fault(name, said, "可能有人冒充：请电话核对，核对以前不要更新")
    if shown and (list(shown)[-1] not in known):
        yield Fault(name, f"公布的新密钥 {list(shown)[-1]} 这里还没有", "等对方的密钥消息；久等不来的，请对方重发")
