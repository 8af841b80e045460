"""Where another node may speak from: the addresses of its network, or everywhere."""

from collections.abc import Iterable
from ipaddress import ip_network

from sqlalchemy import Connection, update

from ... import audit
from ...errors import Problem
from ...node import Node
from ...tables import peers
from . import repository

_AT_MOST = 100


def allow(tx: Connection, node: Node, name: str, networks: Iterable[str], *, actor: str) -> list[str]:
    """Let a node speak from these networks only; from none given, from everywhere. Returns them as they are kept."""
    row = repository.peer_row(tx, name)
    if row is None or row.is_own:
        raise Problem("not-found", f"没有登记节点“{name}”")
    kept = sorted({_network(text) for text in networks})
    if len(kept) > _AT_MOST:
        raise Problem("not-valid", f"网络地址超过{_AT_MOST}个")
    now = node.clock.now()
    tx.execute(update(peers).where(peers.c.name == name).values(networks=kept or None, changed_at=now))
    audit.record(tx, now, actor, "peer.allowed", name, path="/", networks=kept)
    return kept


def _network(text: str) -> str:
    try:
        return str(ip_network(text.strip(), strict=False))
    except ValueError as error:
        raise Problem("not-valid", f"“{text}”不是网络地址；应写成 10.1.0.0/16 或 10.1.2.3") from error
