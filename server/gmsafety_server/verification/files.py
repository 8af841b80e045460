"""Is every stored file what its hash says, and does every submission have the files it came with."""

from collections.abc import Iterator
from itertools import groupby

from sqlalchemy import Connection, func, select

from gmsafety.exchange.canonical import canonical, digest

from ..tables import AnyRow, attachments, blobs, refusals, submissions
from .report import Check, Faults

_AT_ONCE = 4  # a file may have 20 MB


def verify_files(tx: Connection) -> Check:
    """Hash every file again, and every list of files that was filed together."""
    faults, files, size = Faults(), 0, 0
    for row in tx.execute(select(blobs), execution_options={"yield_per": _AT_ONCE}):
        files += 1
        size += len(row.content)
        if digest(row.content) != row.hash or len(row.content) != row.size:
            faults.add(f"文件 {row.hash} 的内容与校验值不符")
    parcels = 0
    for uid, said, kept in _parcels(tx):
        parcels += 1
        hashes = [[f.artefact, f.hash] for f in kept]
        if said != (hashes[0][1] if len(hashes) == 1 else digest(canonical(hashes))):
            faults.add(f"报送 {uid} 的文件与它的内容校验值不符")
        faults.extend(f"报送 {uid} 的文件 {f.name} 大小不符" for f in kept if f.size != f.stored)
    return Check("files", "文件", {"files": files, "bytes": size, "parcels": parcels}, faults.all(), _unused(tx))


def _parcels(tx: Connection) -> Iterator[tuple[str, str, list[AnyRow]]]:
    columns = (submissions.c.uid, submissions.c.payload_hash, attachments.c.artefact, attachments.c.name)
    more = (attachments.c.hash, attachments.c.size, blobs.c.size.label("stored"))
    joined = attachments.join(submissions).outerjoin(blobs, blobs.c.hash == attachments.c.hash)
    query = select(*columns, *more).select_from(joined)
    query = query.order_by(attachments.c.submission_id, attachments.c.position)
    rows = tx.execute(query, execution_options={"yield_per": 2000})
    for (uid, said), kept in groupby(rows, lambda r: (r.uid, r.payload_hash)):
        yield uid, said, list(kept)


def _unused(tx: Connection) -> str:
    """Files of drafts that were changed or thrown away stay; they are no fault."""
    used = select(attachments.c.hash).union(select(refusals.c.hash))
    count = tx.execute(select(func.count()).select_from(blobs).where(blobs.c.hash.not_in(used))).scalar_one()
    return f"其中{count}个已无报送引用（更换或删除的草稿）" if count else ""
