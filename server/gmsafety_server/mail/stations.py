"""Which node serves which unit: this one, or another one that is known here with its keys."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, bindparam, select, update

from gmsafety.exchange.peers import Peer, PeerKey
from gmsafety.exchange.signing import PublicKey

from ..columns import KINDS, among
from ..tables import AnyRow, keys, peers

_log = logging.getLogger("gmsafety.exchange")


@dataclass(frozen=True, slots=True)
class Stations:
    """The nodes by the units that they serve; what is below a unit belongs to its node, unless it is named itself."""

    own: str
    served: Mapping[str, str]

    def of(self, path: str) -> str | None:
        """The other node that serves the unit at a path; None for this one."""
        for ref in reversed(path.strip("/").split("/")):
            if ref in self.served:
                return None if self.served[ref] == self.own else self.served[ref]
        return None

    def node_of(self, path: str) -> str | None:
        """The node that serves the unit at a path, this one too; None where nobody has said."""
        return next((self.served[r] for r in reversed(path.strip("/").split("/")) if r in self.served), None)

    def above(self, path: str) -> str | None:
        """The other node that serves the unit directly above the one at a path."""
        upper, _, _ = path.rstrip("/").rpartition("/")
        return self.of(upper) if upper else None


_SERVED = select(peers.c.name, peers.c.units, peers.c.is_own)


EDITION = select(peers.c.edition).where(peers.c.name == bindparam("own"), peers.c.is_own)


def stations(tx: Connection, own: str, *, edition: str | None = None) -> Stations:
    """The nodes as they are known now; read anew by a connection when there is another edition of them.

    Who has asked for the `edition` with something else is not kept waiting for it.
    """
    if edition is None:
        edition = tx.execute(EDITION, {"own": own}).scalar()
    known: tuple[str, Stations] | None = tx.info.get("stations")
    if edition is not None and known is not None and known[0] == edition:
        return known[1]
    rows = tx.execute(_SERVED).all()
    others = {unit: row.name for row in rows if not row.is_own for unit in row.units}
    found = Stations(own, others | {unit: own for row in rows if row.is_own for unit in row.units})
    if edition is not None:
        tx.info["stations"] = edition, found
    return found


def begin_edition(tx: Connection) -> None:
    """Say that something of the nodes has changed; on every connection they are read again."""
    tx.execute(update(peers).where(peers.c.is_own).values(edition=uuid4().hex))


def peer_of(row: Any) -> Peer:
    """A row as the core's peer."""
    known = tuple(PeerKey.model_validate(k) for k in row.keys)
    return Peer(
        name=row.name, title=row.title, address=row.address, keys=known, units=tuple(row.units), is_open=row.is_open
    )  # fmt: skip


def find_peer(tx: Connection, name: str, *, lock: bool = False, origin: str | None = None) -> Peer | None:
    """Another node by name; `lock` holds it, so that what comes from it is taken in one after the other.

    `origin` is the network address that somebody of this name speaks from; one that is not its own is a stranger's.
    """
    query = select(peers).where(peers.c.name == name, ~peers.c.is_own)
    row = tx.execute(query.with_for_update() if lock else query).first()
    if row is None or not may_speak_from(origin, row):
        return None
    return peer_of(row)


_SENDERS = {
    kind: select(peers).where(among(peers.c.name, "names", kind), ~peers.c.is_own).order_by(peers.c.name)
    for kind in KINDS
}
_HELD_SENDERS = {kind: query.with_for_update() for kind, query in _SENDERS.items()}


def senders(tx: Connection, names: Iterable[str], *, lock: bool = True) -> dict[str, AnyRow]:
    """Other nodes by name; held to the end, in the order of their names so that nobody waits in a circle."""
    query = (_HELD_SENDERS if lock else _SENDERS)[tx.dialect.name]
    found = tx.execute(query, {"names": sorted(names)})
    return {row.name: row for row in found}


def may_speak_from(origin: str | None, row: Any) -> bool:
    """Tell whether a node may speak from an address: without networks from everywhere, and what is carried always.

    Only the log says why it may not: whoever speaks learns no more than a stranger.
    """
    if origin is None or not row.networks:
        return True
    try:
        address = ip_address(origin)
    except ValueError:
        address = None
    address = getattr(address, "ipv4_mapped", None) or address
    is_allowed = address is not None and any(address in ip_network(n) for n in row.networks)
    if not is_allowed:
        _log.warning("自称 %s 的来自 %s，不在所许的地址之内", row.name, origin)
    return is_allowed


def peer_rows(tx: Connection) -> list[AnyRow]:
    """All other nodes, by name."""
    return list(tx.execute(select(peers).where(~peers.c.is_own).order_by(peers.c.name)))


def own_row(tx: Connection) -> AnyRow | None:
    """What is said of this node; None before `gmsafety node init`."""
    return tx.execute(select(peers).where(peers.c.is_own)).first()


def own_keys(tx: Connection) -> tuple[PeerKey, ...]:
    """All keys of this node, also those that no longer sign."""
    rows = tx.execute(select(keys).order_by(keys.c.created_at))
    return tuple(
        PeerKey.of(PublicKey(r.key_id, r.algorithm, r.public), r.created_at).model_copy(
            update={"valid_until": r.retired_at, "revoked": r.revoked_at is not None}
        )
        for r in rows
    )


def keys_by_peer(tx: Connection) -> dict[str, list[PublicKey]]:
    """Every key that was ever pinned, by node: what was signed with one before it was revoked is still evidence."""
    return {row.name: [PeerKey.model_validate(k).key for k in row.keys] for row in peer_rows(tx)}


def peer_keys(tx: Connection, name: str | None = None, *, revoked: bool = False) -> list[PublicKey]:
    """The keys of one other node, or of all, with which its answers are checked; the revoked ones only on request.

    A receipt is checked with those, too: the message that brought it was signed by a key in force, or not let in.
    """
    query = select(peers.c["keys"]).where(~peers.c.is_own)
    found = tx.execute(query.where(peers.c.name == name) if name is not None else query).scalars()
    return [k.key for told in found for k in map(PeerKey.model_validate, told) if revoked or not k.revoked]
