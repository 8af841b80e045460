"""The audit log as a file: a range of it that begins and ends with seals, under a signed head."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO, cast

from gmsafety.exchange.archive import pieces_of
from gmsafety.exchange.auditlog import Log, SignedLog, Span, head_line
from gmsafety.exchange.signatures import signature_over

from ... import audit
from ...errors import Problem
from ...node import Node
from ...sealer import seal_all


@contextmanager
def spooled(
    lines: Iterable[bytes], node: Node, span: Span, now: datetime
) -> Iterator[tuple[int, Iterator[bytes]]]:  # fmt: skip
    """The file's size and bytes, put aside on the disk: the size must be known before the first byte is passed on."""
    with TemporaryFile() as file:
        _write(file, lines, node, span, now)
        size = file.tell()
        file.seek(0)
        yield size, pieces_of(file)


def _write(file: BinaryIO, lines: Iterable[bytes], node: Node, span: Span, now: datetime) -> None:
    log = Log(node=node.settings.node, made_at=now, span=span)
    signatures = tuple(signature_over(log, key) for key in (node.key, *node.others))
    file.write(head_line(SignedLog(log=log, signatures=signatures)))
    for line in lines:
        file.write(line)


def export(node: Node, to: Path, *, after: int, actor: str) -> Span:
    """Write what comes after a row of the log, up to the last seal."""
    seal_all(node)
    part = to.with_name(f".{to.name}.part")
    try:
        with node.db.read() as tx, part.open("wb") as file:
            last, chain = audit.head(tx)
            begin, before = audit.edge(tx, after)
            if begin != after:
                raise Problem(
                    "not-valid", f"第{after}条不是一个封印的末条；它以前最近的是第{begin}条（--after {begin}）"
                )
            if last <= begin:
                raise Problem("wrong-state", f"第{begin}条以后没有记录")
            span = Span(first=begin + 1, last=last, before=before, hash=chain)
            _write(cast("BinaryIO", file), audit.lines(tx, span), node, span, node.clock.now())
            file.flush()
            os.fsync(file.fileno())
        part.replace(to)
    finally:
        part.unlink(missing_ok=True)
    with node.db.write() as tx:
        said = {"first": span.first, "last": span.last, "hash": span.hash}
        audit.record(tx, node.clock.now(), actor, "audit.exported", to.name[:200], path="/", **said)
    return span
