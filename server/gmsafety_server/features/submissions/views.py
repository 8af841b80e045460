"""What is shown of a submission, to programs and on pages."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from fastapi import Response
from sqlalchemy import Connection, and_, or_

from ...directory import Directory
from ...errors import Problem
from ...node import Node
from ...planning import find_item
from ...scope import Viewer, require, visible
from ...tables import AnyRow, refusals, submissions
from ...web import Paging
from . import addressing, repository, service

_SAME = ("uid", "campaign", "item", "period", "unit", "upper", "revision", "state", "nil", "due_at", "received_at")
_MORE = ("message_id", "payload_hash", "supersedes", "reason", "note", "etag", "test", "changed_at")
DRAFTING = ("drafted", "redrafted")
"""What a unit does before it files; told to itself only."""
_OPEN_TYPES = ("application/vnd.openxmlformats", "application/json")


def late_minutes(received_at: datetime | None, due_at: datetime) -> int:
    """Whole minutes after the deadline, a begun one counted; 0 to the end of the due second, as on the receipt."""
    if received_at is None:
        return 0
    return max(0, -(-(received_at.replace(microsecond=0) - due_at) // timedelta(minutes=1)))


def came_first(row: Any) -> datetime | None:
    """When that came in from which timeliness counts; of what was taken back, and what stood before it, it itself."""
    itself = row.state == "withdrawn" or row.first_received_at is None
    moment: datetime | None = row.received_at if itself else row.first_received_at
    return moment


def summary(node: Node, directory: Directory, row: Any) -> dict[str, Any]:
    """A submission as a line of a list. Timeliness counts from what first came in for the period."""
    item = find_item(node.catalog, row.campaign, row.item)
    return {
        **{name: getattr(row, name) for name in (*_SAME, *_MORE)},
        "due_at": None if addressing.is_upon_event(row) else row.due_at,
        "title": item.title if item else row.item,
        "unit_name": directory.name(row.unit),
        "upper_name": directory.name(row.upper),
        "current": row.current_id == row.id,
        "outdated": bool(row.outdated),
        "late_minutes": late_minutes(came_first(row) if row.received_at else None, row.due_at),
        "errors": sum(f["severity"] == "error" for f in row.findings),
        "warnings": sum(f["severity"] == "warning" for f in row.findings),
    }


def detail(tx: Connection, node: Node, viewer: Viewer, uid: str, *, action: str = "submission.read") -> dict[str, Any]:
    """A submission with everything that belongs to it; shown also to those who have just done the action on it."""
    row = service.find(tx, viewer, action, uid)
    files = [f._asdict() for f in repository.files_of(tx, row.id)]
    return detail_of(node, node.directory(tx), row, files, repository.receipts_of(tx, row.id))


def detail_of(
    node: Node, directory: Directory, row: Any, files: Iterable[Mapping[str, Any]], receipts: Iterable[str]
) -> dict[str, Any]:
    """A submission with the files and the signed receipts that belong to it."""
    names = ("artefact", "name", "media_type", "size", "hash")
    return {
        **summary(node, directory, row),
        "body": row.body,
        "made_of": row.made_of or [],
        "findings": row.findings,
        "files": [{name: file[name] for name in names} for file in files],
        "receipts": [json.loads(text) for text in receipts],
    }


def listed(
    tx: Connection, node: Node, viewer: Viewer, filters: Mapping[str, Any], paging: Paging
) -> tuple[list[dict[str, Any]], int]:
    """A page of what is in sight."""
    drafts = or_(submissions.c.state != "draft", submissions.c.unit == viewer.unit)
    seen = and_(addressing.in_sight(viewer, "submission.read"), drafts)
    rows, total = repository.listed(tx, seen, filters, offset=paging.offset, limit=paging.size)
    directory = node.directory(tx)
    return [summary(node, directory, r) for r in rows], total


def who_did(row: AnyRow) -> str:
    """The name of who did something; of what came over from another node, as it was told there."""
    return str(row.who or (row.data or {}).get("who") or "")


def history(tx: Connection, node: Node, viewer: Viewer, uid: str) -> list[dict[str, Any]]:
    """What happened to a submission, from the beginning; what a unit did with its drafts is told to itself only."""
    row = service.find(tx, viewer, "submission.read", uid)
    directory = node.directory(tx)
    return [
        {
            "kind": e.kind, "at": e.at, "who": who_did(e), "unit": e.unit, "unit_name": directory.name(e.unit),
            "text": e.text, "data": e.data,
        }
        for e in repository.events_of(tx, row.id)
        if row.unit == viewer.unit or e.kind not in DRAFTING
    ]  # fmt: skip


def original(tx: Connection, viewer: Viewer, uid: str, digest: str) -> tuple[str, str, bytes]:
    """A file of a submission: name, media type, bytes."""
    row = service.find(tx, viewer, "submission.read", uid)
    found = next((f for f in repository.files_of(tx, row.id) if f.hash == digest), None)
    content = repository.blob(tx, digest) if found is not None else None
    if found is None or content is None:
        raise Problem("not-found")
    return found.name, found.media_type, content


def refusal(node: Node, directory: Directory, row: AnyRow) -> dict[str, Any]:
    """What was refused, and why."""
    item = find_item(node.catalog, row.campaign, row.item)
    names = ("uid", "unit", "campaign", "item", "period", "problem", "name", "size", "hash", "findings", "at")
    told = {"title": item.title if item else row.item, "unit_name": directory.name(row.unit)}
    return {**{n: getattr(row, n) for n in names}, **told}


def find_refusal(tx: Connection, viewer: Viewer, uid: str) -> AnyRow:
    """What was refused, where it is in sight."""
    row = repository.refusal(tx, uid)
    if row is None:
        raise Problem("not-found")
    require(viewer, "submission.read", row.path)
    return row


def refused_file(tx: Connection, viewer: Viewer, uid: str) -> tuple[str, bytes]:
    """The file that was kept: name and bytes."""
    row = find_refusal(tx, viewer, uid)
    return row.name, repository.blob(tx, row.hash) or b""


def refused(
    tx: Connection, node: Node, viewer: Viewer, filters: Mapping[str, Any], paging: Paging
) -> tuple[list[dict[str, Any]], int]:
    """A page of what was refused and is in sight."""
    seen = visible(viewer, "submission.read", refusals.c.path)
    rows, total = repository.refused(tx, seen, filters, offset=paging.offset, limit=paging.size)
    directory = node.directory(tx)
    return [refusal(node, directory, r) for r in rows], total


def attachment(name: str, media_type: str, content: bytes) -> Response:
    """A download that no browser opens in place."""
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
    safe = media_type if media_type.startswith(_OPEN_TYPES) else "application/octet-stream"
    return Response(content, media_type=safe, headers=headers)
