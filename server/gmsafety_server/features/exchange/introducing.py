"""Getting to know other nodes: from their anchor files, and from what they say of their keys."""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, insert, select, update

from gmsafety.exchange.canonical import plain
from gmsafety.exchange.envelope import Draft
from gmsafety.exchange.mailroom import MailRoom
from gmsafety.exchange.payloads import Keys
from gmsafety.exchange.peers import Anchor, Peer, PeerKey
from gmsafety.exchange.signing import SigningKey

from ... import audit
from ...auth import hash_password
from ...errors import Problem
from ...mail.posting import room_of
from ...mail.shelf import Shelf
from ...mail.stations import own_keys, own_row, peer_of, peer_rows, stations
from ...names import new_uid
from ...node import Node, new_key
from ...tables import keys, users
from . import repository

_MOST_KEYS = 32
_MOST_SIGNING = 4  # signatures of a message, as the protocol has it


def set_own(
    tx: Connection, node: Node, *, title: str, units: Sequence[str], address: str | None, actor: str
) -> None:  # fmt: skip
    """Say which units this node serves, and where it is reached."""
    _known_units(tx, node, units)
    now = node.clock.now()
    told = {"title": title, "units": list(units), "address": address}
    values = {"name": node.settings.node, "keys": [], "is_open": True, "is_own": True, "added_at": now}
    before = own_row(tx)
    if before is not None and before.name != node.settings.node:
        raise Problem("not-valid", f"本节点已登记为“{before.name}”，名称不能更改（GMSAFETY_NODE）")
    repository.put_peer(tx, {**values, **told, "changed_at": now})
    audit.record(tx, now, actor, "node.set", node.settings.node, path="/", **told)


def anchor_of(tx: Connection, node: Node) -> Anchor:
    """What this node hands to others by hand."""
    row = own_row(tx)
    if row is None:
        raise Problem("wrong-state", "请先运行 gmsafety node init，写明本节点服务的单位")
    peer = Peer(
        name=row.name, title=row.title, address=row.address, keys=own_keys(tx)[-_MOST_KEYS:], units=tuple(row.units)
    )
    return Anchor(peer=peer, made_at=node.clock.now())


def add_peer(
    tx: Connection, node: Node, anchor: Anchor, *, units: Sequence[str] | None, address: str | None, actor: str
) -> Peer:  # fmt: skip
    """Pin another node as its anchor file says it is; `units` and `address` are stronger than the file."""
    told = anchor.peer
    if own_row(tx) is None:
        raise Problem("wrong-state", "请先运行 gmsafety node init，写明本节点服务的单位")
    if told.name == node.settings.node:
        raise Problem("not-valid", "这是本节点自己的锚文件")
    served = list(units) if units else list(told.units)
    _known_units(tx, node, served)
    _not_twice(tx, node, told.name, served)
    if not any(k.key.is_known and not k.revoked for k in told.keys):
        raise Problem("not-valid", "锚文件里没有可用的密钥")
    now, before = node.clock.now(), repository.peer_row(tx, told.name)
    values = {
        "name": told.name, "title": told.title, "address": address or told.address, "units": served,
        "keys": [plain(k.model_dump()) for k in told.keys], "is_open": True, "is_own": False, "changed_at": now,
    }  # fmt: skip
    account = before.user_id if before is not None else _account(tx, node, told.name, told.title, served)
    repository.put_peer(tx, {**values, "added_at": now, "user_id": account})
    heard = {"units": served, "address": values["address"], "fingerprint": anchor.fingerprint}
    audit.record(tx, now, actor, "peer.added", told.name, path="/", **heard, keys=[k.key_id for k in told.keys])
    row = repository.peer_row(tx, told.name)
    assert row is not None
    return peer_of(row)


def open_peer(tx: Connection, node: Node, name: str, *, is_open: bool, actor: str) -> None:
    """Take messages of a node, or none any more."""
    row = repository.peer_row(tx, name)
    if row is None or row.is_own:
        raise Problem("not-found", f"没有登记节点“{name}”")
    now = node.clock.now()
    repository.put_peer(tx, {**row._mapping, "is_open": is_open, "changed_at": now})
    audit.record(tx, now, actor, "peer.opened" if is_open else "peer.closed", name, path="/")


def with_keys(tx: Connection, node: Node, name: str, told: Iterable[PeerKey]) -> None:
    """Pin the keys that a node tells of itself, in a message signed with one it had before."""
    row = repository.peer_row(tx, name)
    assert row is not None
    known = {k.key_id: k for k in map(PeerKey.model_validate, row.keys)}
    for key in told:
        before = known.get(key.key_id)
        if before is not None and before.public_key != key.public_key:
            raise Problem("not-valid", f"密钥“{key.key_id}”与已登记的不同")
        revoked = key.revoked or (before is not None and before.revoked)  # a revoked key does not come back
        known[key.key_id] = key.model_copy(update={"revoked": revoked})
    if len(known) > _MOST_KEYS:
        raise Problem("not-valid", f"密钥超过{_MOST_KEYS}个")
    _put_keys(tx, node, row, known.values(), f"@{name}")


def revoke_key(tx: Connection, node: Node, name: str, key_id: str, *, actor: str) -> None:
    """Trust a key of another node no more."""
    row = repository.peer_row(tx, name)
    known = [PeerKey.model_validate(k) for k in row.keys] if row is not None else []
    if row is None or key_id not in {k.key_id for k in known}:
        raise Problem("not-found", f"节点“{name}”没有密钥“{key_id}”")
    told = [k.model_copy(update={"revoked": True}) if k.key_id == key_id else k for k in known]
    _put_keys(tx, node, row, told, actor)


def _put_keys(tx: Connection, node: Node, row: Any, given: Iterable[PeerKey], actor: str) -> None:
    now, every = node.clock.now(), list(given)
    told = [plain(k.model_dump()) for k in every]
    repository.put_peer(tx, {**row._mapping, "keys": told, "changed_at": now})
    said = [f"{k.key_id}{'（已吊销）' if k.revoked else ''}" for k in every]
    audit.record(tx, now, actor, "peer.keys", row.name, path="/", keys=said)


def _known_units(tx: Connection, node: Node, units: Sequence[str]) -> None:
    """Refuse units that nobody knows; of a region whose definitions are still to come from above, every full name."""
    known = node.directory(tx).units
    regions = {c.plugin for c in node.catalog.contents}
    if strange := [u for u in units if u not in known and ("." not in u or u.partition(".")[0] in regions)]:
        raise Problem("not-valid", f"没有这些单位：{'、'.join(strange)}")


def _not_twice(tx: Connection, node: Node, name: str, units: Sequence[str]) -> None:
    served = stations(tx, node.settings.node).served
    if taken := [u for u in units if served.get(u, name) != name]:
        said = "、".join(f"{u}（{served[u]}）" for u in taken)
        raise Problem("not-valid", f"这些单位已由别的节点服务：{said}")


def _account(tx: Connection, node: Node, name: str, title: str, units: Sequence[str]) -> int:
    """The account that what comes from a node is entered under; nobody can log in with it."""
    now, login = node.clock.now(), f"@{name}"
    before = tx.execute(select(users.c.id).where(users.c.login == login)).scalar()
    if before is not None:
        return int(before)
    own = own_row(tx)
    unit = next(iter((*units, *(own.units if own else ()))), "")
    values: dict[str, Any] = {
        "login": login, "name": title[:80], "unit": unit, "roles": [], "must_change": False, "failures": 0,
        "password": hash_password(secrets.token_urlsafe(32)), "disabled_at": now, "created_at": now, "changed_at": now,
    }  # fmt: skip
    return int(tx.execute(insert(users).values(values).returning(users.c.id)).scalar_one())


def rotate(tx: Connection, node: Node, *, actor: str, algorithm: str | None = None) -> SigningKey:
    """Make a new key and tell all other nodes, signed with the key of before; it signs from the commit on."""
    _few_enough(tx)
    key = new_key(tx, node.settings, node.clock.now(), algorithm=algorithm or node.key.algorithm)
    _tell_keys(tx, node, own_keys(tx), room_of(node))
    audit.record(tx, node.clock.now(), actor, "keys.rotated", key.key_id, path="/", algorithm=key.algorithm)
    return key


def _few_enough(tx: Connection) -> None:
    """With one key more than a message may have signatures, nothing could be sent any more."""
    query = select(keys.c.key_id).where(keys.c.retired_at.is_(None)).order_by(keys.c.created_at, keys.c.key_id)
    live = tx.execute(query).scalars().all()
    if len(live) >= _MOST_SIGNING:
        said = f"已有{len(live)}个在用的密钥，消息最多有{_MOST_SIGNING}个签名"
        raise Problem("wrong-state", f"{said}；请先停用旧的（gmsafety node keys retire {live[0]}）")


def sign_by(tx: Connection, node: Node, algorithm: str, *, actor: str) -> SigningKey | None:
    """Sign by an algorithm from the first day on; None where the node does so already.

    The key of before is retired at once where no other node knows it.
    """
    if node.key.algorithm == algorithm:
        return None
    key = rotate(tx, node, actor=actor, algorithm=algorithm)
    if not peer_rows(tx):
        now = node.clock.now()
        tx.execute(update(keys).where(keys.c.key_id != key.key_id, keys.c.retired_at.is_(None)).values(retired_at=now))
    return key


def retire(tx: Connection, node: Node, key_id: str, *, revoked: bool, actor: str) -> None:
    """Sign with a key no more; `revoked` tells the others not to trust anything that it signed."""
    now = node.clock.now()
    live = set(tx.execute(select(keys.c.key_id).where(keys.c.retired_at.is_(None))).scalars())
    if key_id not in live:
        raise Problem("not-found", f"没有在用的密钥“{key_id}”")
    if live == {key_id}:
        raise Problem("wrong-state", "这是唯一在用的密钥，请先更换（gmsafety node keys rotate）")
    if key_id == node.key.key_id:
        raise Problem("wrong-state", "这是最新的密钥；要停用的应是旧的")
    ended = {"retired_at": now, "revoked_at": now if revoked else None}
    tx.execute(update(keys).where(keys.c.key_id == key_id).values(ended))
    room = room_of(node)
    if revoked:
        room = replace(room, others=tuple(k for k in node.others if k.key_id != key_id))
        for number, content in repository.unanswered(tx):
            repository.put_content(tx, number, room.sign_again(content))
    _tell_keys(tx, node, own_keys(tx), room)
    audit.record(tx, now, actor, "keys.retired", key_id, path="/", revoked=revoked)


def _tell_keys(tx: Connection, node: Node, told: tuple[PeerKey, ...], room: MailRoom) -> None:
    now, payload = node.clock.now(), Keys(keys=told[-_MOST_KEYS:]).model_dump()
    for row in peer_rows(tx):
        draft = Draft("keys", row.name, payload, test=node.test)
        room.post(draft, Shelf(tx, now), message_id=new_uid(now), now=now)
