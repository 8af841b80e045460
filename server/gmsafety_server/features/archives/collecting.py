"""What goes into an archive: every revision with its files, receipts and history; the messages with their answers."""

import json
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import PurePath
from typing import Any

from sqlalchemy import Connection

from gmsafety.exchange.archive import ArchiveWriter, Counts
from gmsafety.exchange.canonical import digest

from ...captions import item_caption
from ...errors import Problem
from ...node import Node
from ...tables import AnyRow
from ..submissions import copies
from . import repository

_TOGETHER = 20
_TOLD = (
    "uid", "sender", "message_id", "campaign", "item", "unit", "revision", "state", "nil", "body", "origin",
    "findings", "reason", "note", "payload_hash", "supersedes", "test",
)  # fmt: skip
_MOMENTS = ("period", "created_at", "received_at", "changed_at")


def collect(
    tx: Connection, node: Node, campaign: str, writer: ArchiveWriter, progress: Callable[[str, int, int], None]
) -> Counts:
    """Write all entries; returns how many there are of each."""
    total = repository.campaigns(tx)[campaign]
    told = dict.fromkeys(Counts.model_fields, 0)
    for number, (row, beside) in enumerate(_with_beside(tx, repository.filed(tx, campaign)), 1):
        for kind, count in _submission(tx, node, writer, f"submissions/{number:08}", row, beside).items():
            told[kind] += count
        progress("归档", number, total)
    for number, row in enumerate(repository.messages(tx, campaign), 1):
        writer.add(f"messages/{number:08}.json", bytes(row.content))
        if row.answer is not None:
            writer.add(f"messages/{number:08}.answer.json", bytes(row.answer))
        told["messages"] += 1
    return Counts(**told)


Beside = dict[str, list[Any]]


def _with_beside(tx: Connection, rows: Iterator[AnyRow]) -> Iterator[tuple[AnyRow, Beside]]:
    """Each revision with what belongs to it, fetched for several at a time."""
    while batch := list(islice(rows, _TOGETHER)):
        numbers = [row.id for row in batch]
        found: dict[str, dict[int, list[Any]]] = {
            "files": dict(repository.files(tx, numbers)), "receipts": dict(repository.given(tx, numbers)),
            "history": dict(repository.history(tx, numbers)),
        }  # fmt: skip
        for row in batch:
            yield row, {name: told.get(row.id, []) for name, told in found.items()}


def _submission(
    tx: Connection, node: Node, writer: ArchiveWriter, folder: str, row: AnyRow, beside: Beside
) -> dict[str, int]:  # fmt: skip
    files = [
        {"entry": f"{folder}/file-{n}{_suffix(f.name)}", "artefact": f.artefact, "name": f.name,
         "media_type": f.media_type, "size": f.size, "hash": f.hash}
        for n, f in enumerate(beside["files"], 1)
    ]  # fmt: skip
    copy = _copy(tx, node, row, beside["files"])
    entry = f"{folder}/annotated{_suffix(copy[0])}" if copy is not None else ""
    told = {
        **{n: getattr(row, n) for n in _TOLD},
        **{n: value.isoformat() if (value := getattr(row, n)) is not None else None for n in _MOMENTS},
        "unit_name": node.directory(tx).name(row.unit), "title": item_caption(node.catalog, row.campaign, row.item),
        "files": files, "receipts": len(beside["receipts"]), "history": beside["history"],
        "annotated": {"entry": entry, "name": copy[0], "hash": digest(copy[1])} if copy is not None else None,
    }  # fmt: skip
    writer.add(f"{folder}/submission.json", json.dumps(told, ensure_ascii=False, indent=1, sort_keys=True).encode())
    for n, signed in enumerate(beside["receipts"], 1):
        writer.add(f"{folder}/receipt-{n}.json", signed.encode())
    for file in files:
        writer.add(file["entry"], repository.blob(tx, file["hash"]))
    if copy is not None:
        writer.add(entry, copy[1])
    return {
        "submissions": 1, "receipts": len(beside["receipts"]), "files": len(files), "annotated": int(copy is not None)
    }  # fmt: skip


def _copy(tx: Connection, node: Node, row: AnyRow, files: list[AnyRow]) -> tuple[str, bytes] | None:
    """The file with its findings marked; None where there is none that bears marks."""
    if not copies.has_copy(files):
        return None
    try:
        return copies.copy_of(tx, node, row)
    except Problem:
        return None


def _suffix(name: str) -> str:
    suffix = PurePath(name).suffix.lower()
    return suffix if suffix.isascii() and suffix[1:].isalnum() and len(suffix) <= 6 else ""
