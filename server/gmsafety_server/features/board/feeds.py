"""Calendar feeds of a unit: made, shown once, revoked. The database keeps a hash of the address only."""

import secrets

from sqlalchemy import Connection

from gmsafety.exchange.canonical import digest

from ... import audit
from ...errors import Problem
from ...node import Node
from ...scope import Viewer
from ...tables import AnyRow
from . import feed_rows
from .schemas import FeedOut, NewFeed

_HINT = 6


def address_of(node: Node, secret: str, base: str) -> str:
    """The address that calendar programs subscribe to: below the public one, where the settings name it."""
    return f"{(node.settings.public_url or base).rstrip('/')}/feeds/{secret}.ics"


def make(tx: Connection, node: Node, viewer: Viewer, *, base: str) -> NewFeed:
    """Make an address for the viewer's unit."""
    secret = secrets.token_urlsafe(24)
    now = node.clock.now()
    values = {"unit": viewer.unit, "hint": secret[:_HINT], "created_by": viewer.user_id, "created_at": now}
    row = feed_rows.add(tx, {**values, "hash": digest(secret.encode())})
    audit.record(tx, now, viewer.actor, "feed.made", str(row.id), path=viewer.path, unit=viewer.unit)
    return NewFeed(**dict(_out(row)), address=address_of(node, secret, base))


def listed(tx: Connection, viewer: Viewer) -> list[FeedOut]:
    """The feeds of the viewer's unit."""
    return [_out(r) for r in feed_rows.of_unit(tx, viewer.unit)]


def revoke(tx: Connection, node: Node, viewer: Viewer, number: int) -> None:
    """Close an address of the viewer's unit for good."""
    row = feed_rows.by_id(tx, number)
    if row is None or row.unit != viewer.unit:
        raise Problem("not-found")
    if row.revoked_at is None:
        now = node.clock.now()
        feed_rows.revoke(tx, number, now)
        audit.record(tx, now, viewer.actor, "feed.revoked", str(number), path=viewer.path, unit=viewer.unit)


def _out(row: AnyRow) -> FeedOut:
    return FeedOut(id=row.id, unit=row.unit, hint=row.hint, created_at=row.created_at, revoked_at=row.revoked_at)
