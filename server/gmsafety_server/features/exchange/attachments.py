"""Attachments between nodes: put in parts that can be gone on with, fetched in parts as well."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection

from gmsafety.exchange.canonical import digest
from gmsafety.exchange.peers import Peer

from ...errors import Problem
from ...node import Node
from . import repository
from .calling import FILES, call
from .wire import Reply, Unreached, Wire

PART = 1024 * 1024
KEPT = timedelta(days=2)
_UNFINISHED = 5
"""How many times the largest upload may lie about unfinished, for one node."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How much of a file is here; `is_whole`: all of it, and it is what it should be."""

    length: int
    is_whole: bool


def progress(tx: Connection, peer: Peer, name: str) -> Progress:
    """How much of a file another node has put here."""
    if repository.has_blob(tx, name):
        return Progress(0, True)
    return Progress(repository.length_of(tx, peer.name, name), False)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a file: which one, where it begins, how long the whole is."""

    name: str
    first: int
    size: int
    content: bytes


def put_part(tx: Connection, node: Node, peer: Peer, part: Part) -> Progress:
    """Keep a part; one that was kept already, or does not follow, changes nothing, and how far it goes is told."""
    now, name, first, size, content = node.clock.now(), part.name, part.first, part.size, part.content
    repository.drop_parts(tx, now - KEPT)
    before = progress(tx, peer, name)
    if before.is_whole or before.length != first:
        return before
    if size > node.settings.upload_limit or first + len(content) > size:
        raise Problem("too-large")
    if repository.parts_of(tx, peer.name) + len(content) > _UNFINISHED * node.settings.upload_limit:
        raise Problem("too-many", headers={"Retry-After": "60"})
    if content:
        repository.add_chunk(tx, peer.name, name, first, content, now)
    length = first + len(content)
    if length < size:
        return Progress(length, False)
    put_together = repository.whole(tx, peer.name, name)
    if digest(put_together) != name:
        return Progress(0, False)  # its parts are gone: it is to be put anew
    repository.keep_blob(tx, name, put_together)
    return Progress(length, True)


def upload(node: Node, wire: Wire, peer: Peer, name: str) -> None:
    """Put a file to another node, from where it has got to; Unreached where the other does not take it."""
    with node.db.read() as tx:
        content = repository.blob(tx, name)
    if content is None:
        raise Unreached(f"附件 {name} 不在本节点")
    first = _length(call(node, wire, peer, "HEAD", f"{FILES}/{name}"))
    while first is not None:
        part = content[first : first + PART]
        target = f"{FILES}/{name}?first={first}&size={len(content)}"
        reply = call(node, wire, peer, "PUT", target, part)
        further = _length(reply)
        if further is not None and further <= first:
            raise Unreached(f"附件 {name} 传不上去")
        first = further


def _length(reply: Reply) -> int | None:
    """How far the other has it; None where it has all of it."""
    if reply.status not in (200, 201):
        raise Unreached(f"附件：对方答复 {reply.status}")
    if reply.headers.get("gmsafety-whole") == "1":
        return None
    told = reply.headers.get("gmsafety-length", "")
    if not told.isdigit():
        raise Unreached("附件：对方没有说明收到多少")
    return int(told)


def fetch(node: Node, wire: Wire, peer: Peer, name: str, size: int) -> None:
    """Fetch a file from another node, part by part; Unreached where it cannot be had."""
    if size > node.settings.upload_limit:
        raise Unreached(f"附件 {name} 太大")
    found = b""
    while len(found) < size:
        reply = call(node, wire, peer, "GET", f"{FILES}/{name}?first={len(found)}")
        if reply.status != 200 or not reply.content:
            raise Unreached(f"附件：对方答复 {reply.status}")
        found += reply.content
    if digest(found) != name:
        raise Unreached(f"附件 {name} 与校验值不符")
    with node.db.write() as tx:
        repository.keep_blob(tx, name, found)
