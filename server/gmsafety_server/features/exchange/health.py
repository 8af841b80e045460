"""How the node is: in figures for Prometheus, and for the administrators who look after it."""

import os
import shutil
from collections.abc import Iterator
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from ...db import Database
from ...meters import Sample, family
from ...migrations import revision_of, revisions
from ...node import Node
from . import differences, journal, repository, service

SCARCE = 512 * 1024 * 1024
"""Bytes of disk from which on it is too little."""


def disk_of(db: Database) -> tuple[int, int] | None:
    """Free and all bytes where the database lies; None where it lies on another machine."""
    if not db.is_sqlite:
        return None
    folder = Path(db.url.database or ".").resolve().parent
    found = shutil.disk_usage(folder)
    return found.free, found.total


def details(node: Node) -> dict[str, Any]:
    """Everything about the node that administrators are shown; no secrets."""
    now = node.clock.now()
    with node.db.read() as tx:
        counts, oldest = repository.counts(tx, now), repository.oldest_unsent(tx)
        untaken = repository.oldest_untaken(tx)
        tables, gaps = revision_of(tx), repository.gaps(tx)
        peers, tasks = service.peer_states(tx), differences.open_counts(tx)
    disk, rounds = disk_of(node.db), node.meters.counted(journal.ROUND)
    last = datetime.fromtimestamp(rounds[0][2], tz=now.tzinfo).isoformat() if rounds else None
    return {
        "node": node.settings.node, "version": version("gmsafety-server"), "now": now.isoformat(),
        "process": os.getpid(), "queues": counts, "oldest_unsent_seconds": _age(now, oldest),
        "oldest_untaken_seconds": _age(now, untaken),
        "tasks": tasks, "gaps": [{"peer": g.sender, "first": g.first, "held": g.held} for g in gaps],
        "disk_free": disk[0] if disk else None, "disk_total": disk[1] if disk else None,
        "database": "sqlite" if node.db.is_sqlite else "postgresql",
        "tables": tables, "newest_tables": revisions()[0], "last_round": last,
        "keys": [node.key.key_id, *(k.key_id for k in node.others)],
        "peers": [
            {"name": p.name, "is_open": p.is_open, "waiting": p.waiting,
             "heard_at": p.heard_at.isoformat() if p.heard_at else None}
            for p in peers
        ],
    }  # fmt: skip


def _age(now: datetime, since: datetime | None) -> int:
    return max(0, int((now - since).total_seconds())) if since is not None else 0


def metrics(node: Node) -> str:
    """The figures of the exchange in the words of Prometheus.

    Queues and peers are those of the node; what is counted since the start, that of the process that answers.
    """
    now = node.clock.now()
    with node.db.read() as tx:
        counts, oldest = repository.counts(tx, now), repository.oldest_unsent(tx)
        untaken, by_peer = repository.oldest_untaken(tx), list(_of_peers(tx))
        tasks = differences.open_counts(tx)
    lines = [
        *family("gmsafety_exchange_messages", "gauge", "Messages by standing.",
                [("gmsafety_exchange_messages", {"standing": n}, c) for n, c in sorted(counts.items())]),
        *_one("gmsafety_exchange_oldest_unsent_seconds", "Age of the oldest message that was not answered.",
              _age(now, oldest)),
        *_one("gmsafety_exchange_oldest_untaken_seconds", "Age of the oldest message that was not taken up.",
              _age(now, untaken)),
        *family("gmsafety_exchange_tasks", "gauge", "Differences between nodes that somebody has to look at.",
                [("gmsafety_exchange_tasks", {"kind": kind}, c) for kind, c in sorted(tasks.items())]),
        *_by_peer("waiting", "Messages that wait for a node.", by_peer),
        *_by_peer("held", "Messages of a node that wait for an earlier one.", by_peer),
        *_by_peer("dead", "Messages that a node has refused for good.", by_peer),
        *_by_peer("last_contact_timestamp_seconds", "When a node was last heard of.", by_peer),
        *_counted(node),
        *_disk(node.db),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _one(name: str, about: str, value: float) -> Iterator[str]:
    return family(name, "gauge", about, [(name, {}, value)])


def _by_peer(what: str, about: str, found: list[tuple[str, dict[str, float]]]) -> Iterator[str]:
    name = f"gmsafety_exchange_peer_{what}"
    samples: list[Sample] = [(name, {"peer": peer}, told[what]) for peer, told in found if what in told]
    return family(name, "gauge", about, samples)


def _of_peers(tx: Connection) -> Iterator[tuple[str, dict[str, float]]]:
    held: dict[str, int] = {}
    for gap in repository.gaps(tx):
        held[gap.sender] = held.get(gap.sender, 0) + int(gap.held)
    dead = repository.dead_by_peer(tx)
    for peer in service.peer_states(tx):
        told: dict[str, float] = {
            "waiting": peer.waiting, "held": held.get(peer.name, 0), "dead": dead.get(peer.name, 0)
        }  # fmt: skip
        if peer.heard_at is not None:
            told["last_contact_timestamp_seconds"] = round(peer.heard_at.timestamp(), 3)
        yield peer.name, told


def _counted(node: Node) -> Iterator[str]:
    meters = node.meters
    about = "Messages that came (in), were sent (out) or taken up (taken) since the start of this process."
    yield from family(journal.EVENTS, "counter", about, meters.counted(journal.EVENTS))
    about = "Time from posting a message to its answer."
    yield from family(journal.DURATION, "histogram", about, meters.spread(journal.DURATION))
    about = "How far the clock of a node is ahead of ours, by its last answer."
    yield from family(journal.SKEW, "gauge", about, meters.counted(journal.SKEW))
    yield from family(journal.ROUND, "gauge", "When the queues were last looked at.", meters.counted(journal.ROUND))


def _disk(db: Database) -> Iterator[str]:
    disk = disk_of(db)
    if disk is not None:
        yield from _one("gmsafety_disk_free_bytes", "Free bytes where the database lies.", disk[0])


def durability(tx: Connection) -> str | None:
    """Why a commit of this database may be lost in a power cut; None where it is not."""
    if tx.dialect.name == "sqlite":
        level = int(tx.execute(text("PRAGMA synchronous")).scalar_one())
        return None if level >= 2 else "SQLite 的 synchronous 不是 FULL"
    settings = {n: str(tx.execute(text(f"SHOW {n}")).scalar_one()) for n in ("fsync", "synchronous_commit")}
    off = [f"{n} = {v}" for n, v in settings.items() if v == "off"]
    return f"PostgreSQL 的 {'，'.join(off)}" if off else None
