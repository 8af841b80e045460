"""The tables of the exchange: other nodes, how far the channels have come, what came in, what goes out.

What came in and what was sent are kept as the bytes they were; the other columns only find them.
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

from .columns import Json, Moment, Number, Path, metadata, number

peers = Table(
    "peers",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("title", String(200), nullable=False),
    Column("address", String(400)),
    Column("keys", Json, nullable=False),
    Column("units", Json, nullable=False),
    Column("is_open", Boolean, nullable=False),
    Column("is_own", Boolean, nullable=False),
    Column("user_id", ForeignKey("users.id")),
    Column("settled", String(80)),
    Column("added_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Column("networks", Json),
    Column("stated_at", Moment),
    Column("edition", String(40)),
)

channels_in = Table(
    "channels_in",
    metadata,
    Column("sender", String(80), primary_key=True),
    Column("epoch", String(80), primary_key=True),
    Column("sequence", Number, nullable=False),
    Column("hash", String(64)),
    Column("last", Number),
    Column("lost", Json, nullable=False),
)

channels_out = Table(
    "channels_out",
    metadata,
    Column("receiver", String(80), primary_key=True),
    Column("epoch", String(80), nullable=False),
    Column("sequence", Number, nullable=False),
    Column("hash", String(64)),
    Column("asking", String(10)),
)


def _message() -> list[Column[object]]:
    """What is known of a message wherever it is; the subject is what it is about."""
    return [
        Column("message_id", String(120), nullable=False),
        Column("hash", String(64), nullable=False),
        Column("kind", String(20), nullable=False),
        Column("epoch", String(80), nullable=False),
        Column("sequence", Number, nullable=False),
        Column("unit", String(120)),
        Column("item", String(200)),
        Column("period", Date),
        Column("revision", Integer),
        Column("content", LargeBinary, nullable=False),
    ]


inbox = Table(
    "inbox",
    metadata,
    number(),
    Column("sender", String(80), nullable=False),
    *_message(),
    Column("previous", String(64)),
    Column("sealed_at", Moment, nullable=False),
    Column("stored_at", Moment, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Column("held", Boolean, nullable=False),
    Column("taken_at", Moment),
    Column("failures", Integer, nullable=False),
    Column("next_try", Moment),
    Column("problem", String(60)),
    Column("detail", Text),
    Column("carried_at", Moment),
    Column("carried_by", String(200)),
    UniqueConstraint("sender", "message_id"),
    UniqueConstraint("sender", "epoch", "sequence"),
    Index("ix_inbox_taken_at", "taken_at", "held"),
)

outbox = Table(
    "outbox",
    metadata,
    number(),
    Column("receiver", String(80), nullable=False),
    *_message(),
    Column("attachments", Json, nullable=False),
    Column("posted_at", Moment, nullable=False),
    Column("due_at", Moment),
    Column("leased_until", Moment),
    Column("failures", Integer, nullable=False),
    Column("next_try", Moment, nullable=False),
    Column("answered_at", Moment),
    Column("answer", LargeBinary),
    Column("dead_at", Moment),
    Column("problem", String(60)),
    Column("detail", Text),
    UniqueConstraint("receiver", "message_id"),
    UniqueConstraint("receiver", "epoch", "sequence"),
    Index("ix_outbox_waiting", "answered_at", "dead_at", "next_try"),
)

chunks = Table(
    "chunks",
    metadata,
    Column("sender", String(80), primary_key=True),
    Column("hash", String(64), primary_key=True),
    Column("first", Integer, primary_key=True),
    Column("content", LargeBinary, nullable=False),
    Column("at", Moment, nullable=False),
)
"""Parts of attachments that are not whole yet."""

exchange_tasks = Table(
    "exchange_tasks",
    metadata,
    number(),
    Column("peer", String(80), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("object", String(120), nullable=False),
    Column("numbers", Json, nullable=False),
    Column("detail", Text),
    Column("state", String(20), nullable=False),
    Column("since", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Column("reason", Text),
    Column("actor", String(200)),
    UniqueConstraint("peer", "kind", "object"),
    Index("ix_exchange_tasks_state", "state"),
)
"""What differs between this node and others, for people to look at."""

given_receipts = Table(
    "given_receipts",
    metadata,
    number(),
    Column("submission", String(36), nullable=False, index=True),
    Column("signed", Text, nullable=False),
    Column("findings", Json, nullable=False),
)
"""Receipts that this node gave, lost, and got back, of submissions that have not come again yet."""

archives = Table(
    "archives",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=False),
    Column("campaign", String(120), nullable=False),
    Column("hash", String(64), nullable=False, unique=True),
    Column("previous", String(64)),
    Column("state", String(64), nullable=False),
    Column("counts", Json, nullable=False),
    Column("last_seq", Number),
    Column("name", String(255), nullable=False),
    Column("size", Number, nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("actor", String(200), nullable=False),
)
"""Archives that were made, each naming the one before it; `state` is the hash of what there was to be archived."""

definitions = Table(
    "definitions",
    metadata,
    number(),
    Column("region", String(80), nullable=False),
    Column("title", String(200), nullable=False),
    Column("number", Number, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("previous", String(64)),
    Column("content", LargeBinary, nullable=False),
    Column("sender", String(80), nullable=False),
    Column("issued_at", Moment, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("state", String(20), nullable=False),
    Column("since", Moment),
    Column("detail", Json, nullable=False),
    Column("reason", Text),
    Column("actor", String(200)),
    Index("ix_definitions_region", "region", "state"),
)
"""What regions declare, as snapshots: `in-force`, `superseded` or `refused`; `sender` is this node for its plugins."""

definitions_sent = Table(
    "definitions_sent",
    metadata,
    Column("receiver", String(80), primary_key=True),
    Column("region", String(80), primary_key=True),
    Column("number", Number, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("message_id", String(120), nullable=False),
    Column("sent_at", Moment, nullable=False),
    Column("problem", Text),
)
"""Which snapshot each node below was last sent, and why it did not take it."""

handovers = Table(
    "handovers",
    metadata,
    number(),
    Column("unit", String(120), nullable=False, index=True),
    Column("path", Path, nullable=False),
    Column("peer", String(80), nullable=False),
    Column("direction", String(10), nullable=False),
    Column("state", String(20), nullable=False),
    Column("message_id", String(120)),
    Column("counts", Json),
    Column("at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
)
"""Units that went over to other nodes (`out`) or came from them (`in`): expected, done, refused, gone back (over)."""
