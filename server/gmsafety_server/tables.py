"""The tables. A form's content is JSON, summed in SQL; there is no table per form, and no row per number.

Times are stored in UTC. Rows of units, areas and assignments are dated: `since` included, `until` not.
"""

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from .columns import AnyRow, Json, Moment, Path, metadata, number
from .columns import Number as _Id
from .mailtables import (
    archives,
    channels_in,
    channels_out,
    chunks,
    definitions,
    definitions_sent,
    exchange_tasks,
    given_receipts,
    handovers,
    inbox,
    outbox,
    peers,
)
from .rolltables import doubts, outdated, rollup_filings, rollup_sources, rollups

__all__ = [
    "AnyRow", "Json", "Moment", "Path", "addressees", "archives", "areas", "assignments", "attachments", "audit",
    "blobs", "channels_in", "channels_out", "chunks", "definitions", "definitions_sent", "doubts", "events",
    "exchange_tasks", "feeds", "given_receipts", "handovers", "inbox", "keys", "metadata", "outbox", "outdated",
    "peers", "receipts", "refusals", "rollup_filings", "rollup_sources", "rollups", "seals", "sessions", "slots",
    "strangers", "submissions", "tokens", "unit_changes", "units", "users",
]  # fmt: skip

keys = Table(
    "keys",
    metadata,
    Column("key_id", String(80), primary_key=True),
    Column("algorithm", String(20), nullable=False),
    Column("public", LargeBinary, nullable=False),
    Column("private", LargeBinary, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("retired_at", Moment),
    Column("revoked_at", Moment),
)

areas = Table(
    "areas",
    metadata,
    number(),
    Column("code", String(12), nullable=False),
    Column("name", String(80), nullable=False),
    Column("level", String(20), nullable=False),
    Column("parent", String(12)),
    Column("since", Date, nullable=False),
    Column("until", Date),
    UniqueConstraint("code", "since"),
)

unit_changes = Table(
    "unit_changes",
    metadata,
    number(),
    Column("kind", String(20), nullable=False),
    Column("day", Date, nullable=False),
    Column("units", Json, nullable=False),
    Column("reason", Text, nullable=False),
    Column("data", Json),
    Column("by_user", ForeignKey("users.id")),
    Column("at", Moment, nullable=False),
)

units = Table(
    "units",
    metadata,
    number(),
    Column("ref", String(120), nullable=False, index=True),
    Column("name", String(120), nullable=False),
    Column("area", String(12), nullable=False),
    Column("level", String(20), nullable=False),
    Column("role", String(40), nullable=False),
    Column("parent", String(120)),
    Column("aliases", Json, nullable=False),
    Column("path", Path, nullable=False, index=True),
    Column("since", Date, nullable=False),
    Column("until", Date),
    Column("change_id", ForeignKey("unit_changes.id"), nullable=False),
    UniqueConstraint("ref", "since"),
)

assignments = Table(
    "assignments",
    metadata,
    number(),
    Column("unit", String(120), nullable=False, index=True),
    Column("campaign", String(120), nullable=False),
    Column("duty", String(120), nullable=False),
    Column("since", Date, nullable=False),
    Column("until", Date),
    Column("by_hand", Boolean, nullable=False),
    Column("change_id", ForeignKey("unit_changes.id"), nullable=False),
)

slots = Table(
    "slots",
    metadata,
    number(),
    Column("campaign", String(120), nullable=False),
    Column("duty", String(120), nullable=False),
    Column("item", String(200), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("period", Date, nullable=False),
    Column("opens", Date, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("unit", String(120), nullable=False),
    Column("area", String(12), nullable=False),
    Column("upper", String(120), index=True),
    Column("path", Path, nullable=False),
    Column("state", String(20), nullable=False),
    Column("nil", Boolean, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("submission_id", _Id),
    Column("received_at", Moment),
    UniqueConstraint("unit", "campaign", "item", "period"),
    Index(  # holds all that a board counts, so that the rows themselves are not read
        "ix_slots_board", "campaign", "item", "period", "due_at", "opens", "state", "nil", "received_at", "path"
    ),
    Index(  # the same in the order of units: the counts of each are summed as they are read
        "ix_slots_path", "path", "campaign", "item", "period", "due_at", "opens", "state", "nil", "received_at"
    ),
    Index("ix_slots_unit", "unit", "due_at"),
    Index("ix_slots_upper_state", "upper", "state"),
)

blobs = Table(
    "blobs",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("size", Integer, nullable=False),
    Column("content", LargeBinary, nullable=False),
)

submissions = Table(
    "submissions",
    metadata,
    number(),
    Column("uid", String(36), nullable=False, unique=True),
    Column("slot_id", ForeignKey("slots.id"), nullable=False, index=True),
    Column("sender", String(120), nullable=False),
    Column("message_id", String(120), nullable=False),
    Column("message_hash", String(64), nullable=False),
    Column("campaign", String(120), nullable=False),
    Column("item", String(200), nullable=False),
    Column("period", Date, nullable=False),
    Column("unit", String(120), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("state", String(20), nullable=False),
    Column("nil", Boolean, nullable=False),
    Column("body", Json),
    Column("origin", Json),
    Column("findings", Json, nullable=False),
    Column("reason", Text),
    Column("note", Text),
    Column("payload_hash", String(64), nullable=False),
    Column("supersedes", String(64)),
    Column("etag", Integer, nullable=False),
    Column("test", Boolean, nullable=False),
    Column("created_by", ForeignKey("users.id"), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("received_at", Moment),
    Column("changed_at", Moment, nullable=False),
    Column("made_of", Json),
    UniqueConstraint("sender", "message_id"),
    UniqueConstraint("campaign", "item", "period", "unit", "revision"),
)

attachments = Table(
    "attachments",
    metadata,
    number(),
    Column("submission_id", ForeignKey("submissions.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("position", Integer, nullable=False),
    Column("artefact", String(40), nullable=False),
    Column("name", String(255), nullable=False),
    Column("media_type", String(120), nullable=False),
    Column("size", Integer, nullable=False),
    Column("hash", ForeignKey("blobs.hash"), nullable=False),
)

addressees = Table(
    "addressees",
    metadata,
    Column("slot_id", ForeignKey("slots.id", ondelete="CASCADE"), primary_key=True),
    Column("unit", String(120), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("decides", Boolean, nullable=False),
    Column("path", Path, nullable=False, index=True),
)
"""To whom something goes that is not filed to the unit above alone; `path` is where it stands in their view."""

refusals = Table(
    "refusals",
    metadata,
    number(),
    Column("uid", String(36), nullable=False, unique=True),
    Column("unit", String(120), nullable=False, index=True),
    Column("path", Path, nullable=False, index=True),
    Column("campaign", String(120), nullable=False),
    Column("item", String(200), nullable=False),
    Column("period", Date, nullable=False),
    Column("problem", String(40), nullable=False),
    Column("name", String(255), nullable=False),
    Column("size", Integer, nullable=False),
    Column("hash", ForeignKey("blobs.hash"), nullable=False),
    Column("findings", Json, nullable=False),
    Column("by_user", ForeignKey("users.id"), nullable=False),
    Column("at", Moment, nullable=False),
    UniqueConstraint("unit", "campaign", "item", "period", "hash"),
)

receipts = Table(
    "receipts",
    metadata,
    number(),
    Column("submission_id", ForeignKey("submissions.id"), nullable=False, index=True),
    Column("uid", String(36), nullable=False, unique=True),
    Column("kind", String(20), nullable=False),
    Column("hash", String(64), nullable=False, unique=True),
    Column("code", String(12), nullable=False, index=True),
    Column("signed", Text, nullable=False),
    Column("issued_at", Moment, nullable=False),
    Column("node", String(80)),
    Column("receiver", String(120)),
)

events = Table(
    "events",
    metadata,
    number(),
    Column("submission_id", ForeignKey("submissions.id", ondelete="CASCADE"), index=True, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("at", Moment, nullable=False),
    Column("by_user", ForeignKey("users.id")),
    Column("unit", String(120), nullable=False),
    Column("text", Text),
    Column("data", Json),
)

users = Table(
    "users",
    metadata,
    number(),
    Column("login", String(80), nullable=False, unique=True),
    Column("name", String(80), nullable=False),
    Column("unit", String(120), nullable=False, index=True),
    Column("roles", Json, nullable=False),
    Column("password", String(255), nullable=False),
    Column("must_change", Boolean, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("locked_until", Moment),
    Column("disabled_at", Moment),
    Column("created_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("csrf", String(64), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("agent", String(200)),
)

strangers = Table(
    "strangers",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("locked_until", Moment),
    Column("at", Moment, nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    number(),
    Column("hash", String(64), nullable=False, unique=True),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("name", String(80), nullable=False),
    Column("hint", String(12), nullable=False),
    Column("scopes", Json, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("revoked_at", Moment),
)

feeds = Table(
    "feeds",
    metadata,
    number(),
    Column("hash", String(64), nullable=False, unique=True),
    Column("unit", String(120), nullable=False, index=True),
    Column("hint", String(12), nullable=False),
    Column("created_by", ForeignKey("users.id"), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("revoked_at", Moment),
)

audit = Table(
    "audit",
    metadata,
    number(),
    Column("at", Moment, nullable=False),
    Column("actor", String(200), nullable=False),
    Column("action", String(40), nullable=False),
    Column("object", String(200), nullable=False),
    Column("path", Path, nullable=False, index=True),
    Column("data", Text, nullable=False),
    Column("seq", _Id, unique=True),
    Column("hash", String(64)),
)

seals = Table(
    "seals",
    metadata,
    number(),
    Column("first_seq", _Id, nullable=False),
    Column("last_seq", _Id, nullable=False, unique=True),
    Column("hash", String(64), nullable=False),
    Column("at", Moment, nullable=False),
    Column("key_id", String(80), nullable=False),
    Column("signature", String(200), nullable=False),
)
