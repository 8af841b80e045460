"""The state of the exchange: how the queues stand, what is wrong, what another node says of itself."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from importlib.metadata import version
from typing import Any, Literal

from sqlalchemy import Connection

from gmsafety.exchange.canonical import canonical
from gmsafety.exchange.errors import Malformed
from gmsafety.exchange.payloads import Ping
from gmsafety.exchange.peers import Peer
from gmsafety.exchange.receipts import Signature, Verdict
from gmsafety.exchange.wire import take
from gmsafety.provenance import Value

from ... import audit
from ...errors import Problem
from ...mail.stations import own_row, peer_of, peer_rows
from ...node import Node
from ...regions import refused_plugins
from ...scope import Viewer
from ...tables import AnyRow
from . import differences, repository
from .wire import Unreached, Wire

BUSY = 1000
"""Messages that wait to be taken up, from which on a node says that it is busy."""
SKEW = timedelta(minutes=2)
QUIET = timedelta(hours=24)


class SignedPing(Value):
    """How a node is, with its signature."""

    ping: Ping
    signature: Signature


@dataclass(frozen=True, slots=True)
class PeerState:
    """Another node as it stands: who it is, what waits for it, when it was last heard of and told what we have.

    `networks` are the addresses that it may speak from, `is_asked`: this node was restored and waits for it.
    """

    name: str
    title: str
    address: str | None
    units: tuple[str, ...]
    keys: tuple[str, ...]
    is_open: bool
    waiting: int
    heard_at: datetime | None
    stated_at: datetime | None = None
    networks: tuple[str, ...] = ()
    is_asked: bool = False

    def to_json(self) -> dict[str, Any]:
        """As the command line tells it."""
        moments = {"heard_at": self.heard_at, "stated_at": self.stated_at}
        return {**asdict(self), **{name: at.isoformat() if at else None for name, at in moments.items()}}


def peer_states(tx: Connection) -> list[PeerState]:
    """All other nodes."""
    heard, waiting, asked = repository.last_heard(tx), repository.waiting_for(tx), repository.asked(tx)
    states = []
    for row in peer_rows(tx):
        peer = peer_of(row)
        keys = tuple(k.key_id + ("（已吊销）" if k.revoked else "") for k in peer.keys)
        standing = (peer.is_open, waiting.get(peer.name, 0), heard.get(peer.name), row.stated_at)
        told = (peer.name, peer.title, peer.address, peer.units, keys)
        states.append(PeerState(*told, *standing, tuple(row.networks or ()), peer.name in asked))
    return states


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is not as it should be: where, what, and what to do."""

    where: str
    text: str
    remedy: str


def faults(tx: Connection, node: Node) -> list[Fault]:
    """What is wrong with the exchange, as far as this node knows by itself."""
    found, now = [], node.clock.now()
    own = own_row(tx)
    if own is None:
        return [Fault(node.settings.node, "还没有写明本节点服务的单位", "请运行 gmsafety node init")]
    told = repository.counts(tx, now)
    if told["dead"]:
        found.append(Fault("发件", f"{told['dead']}件被对方拒收", "请查看原因，改正后用“重发”"))
    if told["turned_down"]:
        found.append(Fault("发件", f"{told['turned_down']}件对方收下而未能办理", "请按所说改正后重新报送"))
    if told["failed"]:
        found.append(Fault("收件", f"{told['failed']}件未能办理", "请查看原因，改正后用“再办理”"))
    found += _of_definitions(tx, node, own)
    for gap in repository.gaps(tx):
        said = f"缺第{gap.first - 1}件及以前的，后面{gap.held}件在等"
        found.append(Fault(gap.sender, said, "请对方重发；发件在拒收之列的，请其改正后重发"))
    if tasks := sum(differences.open_counts(tx).values()):
        found.append(Fault("对账", f"{tasks}项差异待办", "请查看“对账”（gmsafety node tasks）"))
    for state in peer_states(tx):
        if not state.is_open:
            continue
        if state.is_asked:
            said = "本节点从备份恢复后，在等对方对账；对方答复前不报送、不办理"
            found.append(Fault(state.name, said, "请核对网络；不通网的请导出包带去，再带回对方的包"))
        if state.waiting and (state.heard_at is None or now - state.heard_at > QUIET):
            found.append(Fault(state.name, f"{state.waiting}件待发，一天没有对方消息", "请核对地址和网络"))
        if state.address and state.address.startswith("http://") and not _is_near(state.address):
            found.append(Fault(state.name, "地址没有用 HTTPS", "内容在网上可被看到；请对方在前面加 HTTPS 反向代理"))
    return found


def _of_definitions(tx: Connection, node: Node, own: AnyRow) -> list[Fault]:
    """What is wrong with the definitions: a plugin that is not used, a unit that nobody has declared yet."""
    found = []
    for region in refused_plugins(tx, node.settings.node):
        said = f"安装的插件{region}比上级下发的宽，或与其他定义不合，没有采用"
        found.append(Fault("定义", said, "请查看“定义”，或改装与上级相同的版本"))
    if unknown := [u for u in own.units if u not in node.directory(tx).units]:
        said = f"本节点的单位{'、'.join(unknown)}还没有定义"
        found.append(Fault("定义", said, "请上级节点下发（gmsafety node definitions push），或安装地区的插件"))
    return found


def _is_near(address: str) -> bool:
    return any(address.startswith(f"http://{host}") for host in ("127.", "localhost", "[::1]"))


def keeps(tx: Connection, viewer: Viewer) -> bool:
    """Tell whether somebody looks after the node: an administrator of a unit that it serves by name."""
    own = own_row(tx)
    return own is None or not own.units or viewer.unit in own.units


def ping(node: Node) -> bytes:
    """How this node is."""
    now = node.clock.now()
    with node.db.read() as tx:
        waiting = repository.counts(tx, now)["untaken"]
    state: Literal["ready", "busy"] = "busy" if waiting >= BUSY else "ready"
    told = Ping(state=state, at=now, program=f"gmsafety-server {version('gmsafety-server')}", waiting=waiting)
    body = canonical(told.model_dump())
    signature = Signature(algorithm=node.key.algorithm, key_id=node.key.key_id, value=node.key.sign(body))
    return canonical(SignedPing(ping=told, signature=signature).model_dump())


@dataclass(frozen=True, slots=True)
class Seen:
    """What another node says when it is called: ready, busy or offline, and how far its clock is from ours."""

    state: str
    skew: timedelta | None = None
    text: str = ""


def look_at(node: Node, wire: Wire, peer: Peer) -> Seen:
    """Call another node."""
    if peer.address is None:
        return Seen("unknown", text="对方没有可呼叫的地址，由它来取")
    try:
        reply = wire("GET", f"{peer.address.rstrip('/')}/exchange/v1/ping")
        signed = take(SignedPing, reply.content, noun="应答")
    except (Unreached, Malformed) as error:
        return Seen("offline", text=str(error))
    keys = {k.key_id: k for k in peer.keys_at(node.clock.now())}
    key = keys.get(signed.signature.key_id)
    if key is None or not key.verify(canonical(signed.ping.model_dump()), signed.signature.value):
        return Seen("offline", text=Verdict.BAD_SIGNATURE.chinese.replace("回执", "应答"))
    return Seen(signed.ping.state, signed.ping.at - node.clock.now())


def send_again(tx: Connection, node: Node, number: int, *, actor: str) -> None:
    """Send a message now, also one that the other node has refused."""
    now = node.clock.now()
    if not repository.send_again(tx, number, now):
        raise Problem("wrong-state", "这件已经送达，或没有这件")
    audit.record(tx, now, actor, "message.again", str(number), path="/")


def take_again(tx: Connection, node: Node, number: int, *, actor: str) -> None:
    """Take a message up once more that came to nothing."""
    if not repository.take_again(tx, number):
        raise Problem("wrong-state", "这件已经办理，或没有这件")
    audit.record(tx, node.clock.now(), actor, "message.taken-again", str(number), path="/")


def called_faults(peer: Peer, seen: Seen) -> list[Fault]:
    """What calling another node has shown to be wrong."""
    if seen.state == "offline":
        return [Fault(peer.name, f"没有应答（{seen.text}）", "请核对地址、网络和对方的服务器")]
    found = [Fault(peer.name, "正忙", "稍后会自己再发")] if seen.state == "busy" else []
    if seen.skew is not None and abs(seen.skew) > SKEW:
        ahead = "快" if seen.skew > timedelta(0) else "慢"
        found.append(Fault(peer.name, f"时钟比本节点{ahead}{abs(seen.skew).total_seconds():.0f}秒", "请校准两边的时钟"))
    return found
