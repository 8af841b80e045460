"""What is shown of a submission, to programs and on pages."""

import json
from datetime import datetime
from math import ceil
from typing import Any
from urllib.parse import quote

from fastapi import Response
from sqlalchemy import Connection, and_, or_

from ...errors import Problem
from ...node import Node
from ...planning import find_item
from ...scope import Viewer, visible
from ...tables import AnyRow, slots, submissions
from ...web import Paging
from . import repository, service


def late_minutes(received_at: datetime | None, due_at: datetime) -> int:
    """Whole minutes after the deadline, a begun one counted; 0 in time."""
    if received_at is None or received_at <= due_at:
        return 0
    return ceil((received_at - due_at).total_seconds() / 60)


def summary(tx: Connection, node: Node, row: AnyRow) -> dict[str, Any]:
    """A submission as a line of a list."""
    item = find_item(node.catalog, row.campaign, row.item)
    count = [sum(f["severity"] == s for f in row.findings) for s in ("error", "warning")]
    same = ("uid", "campaign", "item", "period", "unit", "revision", "state", "nil", "due_at", "received_at")
    rest = ("message_id", "payload_hash", "supersedes", "reason", "note", "etag", "test")
    return {
        **{name: getattr(row, name) for name in (*same, *rest)},
        "title": item.title if item else row.item,
        "unit_name": node.directory(tx).name(row.unit),
        "late_minutes": late_minutes(row.first_received_at if row.received_at else None, row.due_at),
        "errors": count[0],
        "warnings": count[1],
    }


def detail(tx: Connection, node: Node, viewer: Viewer, uid: str) -> dict[str, Any]:
    """A submission with everything that belongs to it."""
    row = service.find(tx, viewer, "submission.read", uid)
    names = ("artefact", "name", "media_type", "size", "hash")
    return {
        **summary(tx, node, row),
        "body": row.body,
        "findings": row.findings,
        "files": [{n: getattr(f, n) for n in names} for f in repository.files_of(tx, row.id)],
        "receipts": [json.loads(text) for text in repository.receipts_of(tx, row.id)],
    }


def listed(
    tx: Connection, node: Node, viewer: Viewer, filters: dict[str, Any], paging: Paging
) -> tuple[list[dict[str, Any]], int]:
    """A page of what is in sight."""
    draft = or_(submissions.c.state != "draft", submissions.c.unit == viewer.unit)
    seen = and_(visible(viewer, "submission.read", slots.c.path), draft)
    rows, total = repository.listed(tx, seen, filters, offset=paging.offset, limit=paging.size)
    return [summary(tx, node, r) for r in rows], total


def history(tx: Connection, node: Node, viewer: Viewer, uid: str) -> list[dict[str, Any]]:
    """What happened to a submission, from the beginning."""
    row = service.find(tx, viewer, "submission.read", uid)
    directory = node.directory(tx)
    return [
        {
            "kind": e.kind, "at": e.at, "who": e.who or "", "unit": e.unit, "unit_name": directory.name(e.unit),
            "text": e.text, "data": e.data,
        }
        for e in repository.events_of(tx, row.id)
    ]  # fmt: skip


def original(tx: Connection, viewer: Viewer, uid: str, digest: str) -> tuple[str, str, bytes]:
    """A file of a submission: name, media type, bytes."""
    row = service.find(tx, viewer, "submission.read", uid)
    found = next((f for f in repository.files_of(tx, row.id) if f.hash == digest), None)
    content = repository.blob(tx, digest) if found is not None else None
    if found is None or content is None:
        raise Problem("not-found")
    return found.name, found.media_type, content


def attachment(name: str, media_type: str, content: bytes) -> Response:
    """A download that no browser opens in place."""
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
    known = media_type.startswith(("application/vnd.openxmlformats", "application/json"))
    safe = media_type if known else "application/octet-stream"
    return Response(content, media_type=safe, headers=headers)
