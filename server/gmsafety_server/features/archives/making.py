"""Making an archive: read in one moment, written in one go, noted when the file is whole."""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import BinaryIO, cast

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from gmsafety.exchange.archive import ArchiveManifest, ArchiveWriter, Counts, Known, SignedArchive
from gmsafety.exchange.auditlog import Span
from gmsafety.exchange.canonical import canonical
from gmsafety.exchange.peers import PeerKey

from ... import audit
from ...errors import Problem
from ...mail.stations import own_keys, peer_rows
from ...node import Node
from ...sealer import seal_all
from ...tables import AnyRow
from . import repository
from .collecting import collect
from .logs import spooled

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Made:
    """An archive that was made; `is_new` is False where nothing has changed since, and none was made."""

    number: int
    hash: str
    made_at: datetime
    counts: Counts
    name: str
    is_new: bool = True


def make(node: Node, campaign: str, to: Path, *, actor: str, again: bool, progress: Progress) -> Made:
    """Archive a campaign, unless nothing has changed since it was archived last; `again` archives it all the same."""
    seal_all(node)
    with node.db.read() as tx:
        campaign = _filed_for(tx, node, campaign)
        state, before = _state(tx, campaign), repository.last(tx, campaign)
        if before is not None and before.state == state and not again:
            counts = Counts.model_validate(before.counts)
            return Made(before.number, before.hash, before.made_at, counts, before.name, is_new=False)
        with NamedTemporaryFile(dir=to.parent, prefix=".", suffix=".part", delete=False) as part:
            try:
                signed = _write(tx, node, campaign, cast("BinaryIO", part), progress)
                part.flush()
                os.fsync(part.fileno())
                part.close()
                _note(node, signed.manifest, state, Path(part.name), to, actor)
            except BaseException:
                part.close()
                with suppress(FileNotFoundError):
                    os.unlink(part.name)
                raise
    told = signed.manifest
    return Made(told.number, told.hash, told.made_at, told.counts, to.name)


def _filed_for(tx: Connection, node: Node, named: str) -> str:
    """The campaign of that name; by its reference, or the end of it, or its title."""
    known = repository.campaigns(tx)
    titles = {ref: getattr(node.catalog.campaigns.get(ref), "title", "") for ref in known}
    found = [ref for ref in known if named in (ref, titles[ref])] or [r for r in known if r.endswith(f".{named}")]
    if len(found) != 1:
        listed = "、".join(f"{ref}（{titles[ref]}）" for ref in known) or "还没有"
        raise Problem("wrong-state", f"没有为“{named}”报送过什么。有报送的活动：{listed}")
    return found[0]


def _state(tx: Connection, campaign: str) -> str:
    found = sha256()
    for row in repository.standing(tx, campaign):
        found.update(canonical(row) + b"\n")
    return found.hexdigest()


def _write(tx: Connection, node: Node, campaign: str, file: BinaryIO, progress: Progress) -> SignedArchive:
    now, previous = node.clock.now(), repository.last(tx)
    writer = ArchiveWriter(file)
    counts = collect(tx, node, campaign, writer, progress)
    span = _span(tx, campaign, previous)
    if span is not None:
        with spooled(audit.lines(tx, span), node, span, now) as (size, pieces):
            writer.add_pieces("audit.jsonl", size, pieces)
    owner = node.catalog.campaigns.get(campaign)
    manifest = ArchiveManifest(
        node=node.settings.node, title=owner.title if owner is not None else campaign, campaign=campaign,
        number=previous.number + 1 if previous is not None else 1, made_at=now, counts=counts, audit=span,
        previous=previous.hash if previous is not None else None, index=writer.index(),
        known=tuple(_known(tx, node)),
    )  # fmt: skip
    return writer.finish(manifest, (node.key, *node.others))


def _known(tx: Connection, node: Node) -> Iterator[Known]:
    """All keys that are pinned here: the archive can be verified with the key of this node alone."""
    yield Known(node=node.settings.node, keys=own_keys(tx)[-64:])
    for row in peer_rows(tx):
        yield Known(node=row.name, keys=tuple(PeerKey.model_validate(k) for k in row.keys))


def _span(tx: Connection, campaign: str, previous: AnyRow | None) -> Span | None:
    """All of the log since the first filing, and without a gap to the archive before."""
    last, chain = audit.head(tx)
    if not last:
        return None
    first = repository.first_told(tx, campaign) or last
    if previous is not None and previous.last_seq is not None:
        first = min(first, previous.last_seq + 1)
    begin, before = audit.edge(tx, min(first, last) - 1)
    return Span(first=begin + 1, last=last, before=before, hash=chain)


def _note(node: Node, told: ArchiveManifest, state: str, part: Path, to: Path, actor: str) -> None:
    """Note the archive, and put its file in place: both, or neither."""
    values = {
        "number": told.number, "campaign": told.campaign, "hash": told.hash, "previous": told.previous,
        "state": state, "counts": told.counts.model_dump(), "last_seq": told.audit.last if told.audit else None,
        "name": to.name[:255], "size": part.stat().st_size, "made_at": told.made_at, "actor": actor,
    }  # fmt: skip
    try:
        with node.db.write() as tx:
            repository.add(tx, values)
            said = {"number": told.number, "hash": told.hash, "name": to.name[:200], "previous": told.previous}
            audit.record(tx, node.clock.now(), actor, "archive.made", told.campaign, path="/", **said)
            part.replace(to)
    except IntegrityError as error:
        raise Problem("busy", "同时有另一份归档做完，这一份没有写出") from error
