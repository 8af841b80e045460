"""The exchange between nodes: peers, channels, inbox, outbox, parts of attachments.

Revision: 0003
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
MOMENT = sa.DateTime(timezone=True)
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TABLES = ("chunks", "outbox", "inbox", "channels_out", "channels_in", "peers")


def upgrade() -> None:
    """Make the tables."""
    op.add_column("keys", sa.Column("revoked_at", MOMENT))
    op.create_table(
        "peers",
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("address", sa.String(400)),
        sa.Column("keys", JSON, nullable=False),
        sa.Column("units", JSON, nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("is_own", sa.Boolean(), nullable=False),
        sa.Column("user_id", NUMBER, sa.ForeignKey("users.id", name="fk_peers_user_id")),
        sa.Column("settled", sa.String(80)),
        sa.Column("added_at", MOMENT, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_peers"),
    )
    op.create_table(
        "channels_in",
        sa.Column("sender", sa.String(80), nullable=False),
        sa.Column("epoch", sa.String(80), nullable=False),
        sa.Column("sequence", NUMBER, nullable=False),
        sa.Column("hash", sa.String(64)),
        sa.Column("last", NUMBER),
        sa.Column("lost", JSON, nullable=False),
        sa.PrimaryKeyConstraint("sender", "epoch", name="pk_channels_in"),
    )
    op.create_table(
        "channels_out",
        sa.Column("receiver", sa.String(80), nullable=False),
        sa.Column("epoch", sa.String(80), nullable=False),
        sa.Column("sequence", NUMBER, nullable=False),
        sa.Column("hash", sa.String(64)),
        sa.PrimaryKeyConstraint("receiver", name="pk_channels_out"),
    )
    _inbox()
    _outbox()
    op.create_table(
        "chunks",
        sa.Column("sender", sa.String(80), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("first", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("sender", "hash", "first", name="pk_chunks"),
    )


def downgrade() -> None:
    """Take them away."""
    for name in TABLES:
        op.drop_table(name)
    op.drop_column("keys", "revoked_at")


def _message() -> list[sa.Column[object]]:
    return [
        sa.Column("message_id", sa.String(120), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("epoch", sa.String(80), nullable=False),
        sa.Column("sequence", NUMBER, nullable=False),
        sa.Column("unit", sa.String(120)),
        sa.Column("item", sa.String(200)),
        sa.Column("period", sa.Date()),
        sa.Column("revision", sa.Integer()),
        sa.Column("content", sa.LargeBinary(), nullable=False),
    ]


def _inbox() -> None:
    op.create_table(
        "inbox",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("sender", sa.String(80), nullable=False),
        *_message(),
        sa.Column("previous", sa.String(64)),
        sa.Column("sealed_at", MOMENT, nullable=False),
        sa.Column("stored_at", MOMENT, nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("taken_at", MOMENT),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("next_try", MOMENT),
        sa.Column("problem", sa.String(60)),
        sa.Column("detail", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_inbox"),
        sa.UniqueConstraint("sender", "message_id", name="uq_inbox_sender_message_id"),
        sa.UniqueConstraint("sender", "epoch", "sequence", name="uq_inbox_sender_epoch_sequence"),
    )
    op.create_index("ix_inbox_taken_at", "inbox", ["taken_at", "held"])


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("receiver", sa.String(80), nullable=False),
        *_message(),
        sa.Column("attachments", JSON, nullable=False),
        sa.Column("posted_at", MOMENT, nullable=False),
        sa.Column("due_at", MOMENT),
        sa.Column("leased_until", MOMENT),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("next_try", MOMENT, nullable=False),
        sa.Column("answered_at", MOMENT),
        sa.Column("answer", sa.LargeBinary()),
        sa.Column("dead_at", MOMENT),
        sa.Column("problem", sa.String(60)),
        sa.Column("detail", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sa.UniqueConstraint("receiver", "message_id", name="uq_outbox_receiver_message_id"),
        sa.UniqueConstraint("receiver", "epoch", "sequence", name="uq_outbox_receiver_epoch_sequence"),
    )
    op.create_index("ix_outbox_waiting", "outbox", ["answered_at", "dead_at", "next_try"])
