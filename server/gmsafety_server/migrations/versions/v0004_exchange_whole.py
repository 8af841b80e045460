"""The whole exchange: who was restored and waits, differences between nodes as tasks, addresses that are let in.

Revision: 0004
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
MOMENT = sa.DateTime(timezone=True)
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
PATH = sa.String(600).with_variant(sa.String(600, collation="C"), "postgresql")


_GIVEN_BY = {
    "sqlite": "UPDATE receipts SET node = json_extract(signed, '$.receipt.node'), "
    "receiver = json_extract(signed, '$.receipt.receiver.unit')",
    "postgresql": "UPDATE receipts SET node = signed::json #>> '{receipt,node}', "
    "receiver = signed::json #>> '{receipt,receiver,unit}'",
}


def upgrade() -> None:
    """Make the tables and columns."""
    _rolling_up()
    _moving()
    _reconciling()
    _addressing()
    _archiving()
    _defining()


def downgrade() -> None:
    """Take them away."""
    op.drop_table("addressees")
    op.drop_column("receipts", "receiver")
    op.drop_column("receipts", "node")
    op.drop_table("definitions_sent")
    op.drop_table("definitions")
    op.drop_table("archives")
    op.drop_column("inbox", "carried_by")
    op.drop_column("inbox", "carried_at")
    op.drop_table("handovers")
    op.drop_table("doubts")
    op.drop_table("outdated")
    op.drop_column("submissions", "made_of")
    op.drop_table("given_receipts")
    op.drop_table("exchange_tasks")
    op.drop_column("channels_out", "asking")
    op.drop_column("peers", "stated_at")
    op.drop_column("peers", "networks")
    op.drop_column("peers", "edition")


def _addressing() -> None:
    """To whom something is filed that goes to others than the unit above, and who gave a receipt to whom."""
    op.add_column("receipts", sa.Column("node", sa.String(80)))
    op.add_column("receipts", sa.Column("receiver", sa.String(120)))
    op.execute(_GIVEN_BY[op.get_bind().dialect.name])
    slot = sa.ForeignKey("slots.id", name="fk_addressees_slot_id", ondelete="CASCADE")
    op.create_table(
        "addressees",
        sa.Column("slot_id", NUMBER, slot, nullable=False),
        sa.Column("unit", sa.String(120), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("decides", sa.Boolean(), nullable=False),
        sa.Column("path", PATH, nullable=False),
        sa.PrimaryKeyConstraint("slot_id", "unit", name="pk_addressees"),
    )
    op.create_index("ix_addressees_path", "addressees", ["path"])


def _reconciling() -> None:
    op.add_column("peers", sa.Column("networks", JSON))
    op.add_column("peers", sa.Column("stated_at", MOMENT))
    op.add_column("peers", sa.Column("edition", sa.String(40)))
    op.execute(sa.text("UPDATE peers SET edition = '0004' WHERE is_own"))
    op.add_column("channels_out", sa.Column("asking", sa.String(10)))
    op.create_table(
        "exchange_tasks",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("peer", sa.String(80), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("object", sa.String(120), nullable=False),
        sa.Column("numbers", JSON, nullable=False),
        sa.Column("detail", sa.Text()),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("actor", sa.String(200)),
        sa.PrimaryKeyConstraint("id", name="pk_exchange_tasks"),
        sa.UniqueConstraint("peer", "kind", "object", name="uq_exchange_tasks_peer_kind_object"),
    )
    op.create_index("ix_exchange_tasks_state", "exchange_tasks", ["state"])
    op.create_table(
        "given_receipts",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("submission", sa.String(36), nullable=False),
        sa.Column("signed", sa.Text(), nullable=False),
        sa.Column("findings", JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_given_receipts"),
    )
    op.create_index("ix_given_receipts_submission", "given_receipts", ["submission"])


def _rolling_up() -> None:
    op.add_column("submissions", sa.Column("made_of", JSON))
    submission = sa.ForeignKey("submissions.id", name="fk_outdated_submission_id", ondelete="CASCADE")
    op.create_table(
        "outdated",
        sa.Column("submission_id", NUMBER, submission, nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("parts", JSON, nullable=False),
        sa.Column("cells", JSON, nullable=False),
        sa.PrimaryKeyConstraint("submission_id", name="pk_outdated"),
    )
    rollup = sa.ForeignKey("rollups.id", name="fk_doubts_rollup_id", ondelete="CASCADE")
    op.create_table(
        "doubts",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("rollup_id", NUMBER, rollup, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_doubts"),
    )
    op.create_index("ix_doubts_rollup_id", "doubts", ["rollup_id"])


def _moving() -> None:
    op.create_table(
        "handovers",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("unit", sa.String(120), nullable=False),
        sa.Column("path", PATH, nullable=False),
        sa.Column("peer", sa.String(80), nullable=False),
        sa.Column("direction", sa.String(10), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("message_id", sa.String(120)),
        sa.Column("counts", JSON),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_handovers"),
    )
    op.create_index("ix_handovers_unit", "handovers", ["unit"])


def _archiving() -> None:
    op.add_column("inbox", sa.Column("carried_at", MOMENT))
    op.add_column("inbox", sa.Column("carried_by", sa.String(200)))
    op.create_table(
        "archives",
        sa.Column("number", NUMBER, autoincrement=False, nullable=False),
        sa.Column("campaign", sa.String(120), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("previous", sa.String(64)),
        sa.Column("state", sa.String(64), nullable=False),
        sa.Column("counts", JSON, nullable=False),
        sa.Column("last_seq", NUMBER),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("size", NUMBER, nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("actor", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_archives"),
        sa.UniqueConstraint("hash", name="uq_archives_hash"),
    )


def _defining() -> None:
    op.create_table(
        "definitions",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("region", sa.String(80), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("previous", sa.String(64)),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("sender", sa.String(80), nullable=False),
        sa.Column("issued_at", MOMENT, nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("since", MOMENT),
        sa.Column("detail", JSON, nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("actor", sa.String(200)),
        sa.PrimaryKeyConstraint("id", name="pk_definitions"),
    )
    op.create_index("ix_definitions_region", "definitions", ["region", "state"])
    op.create_table(
        "definitions_sent",
        sa.Column("receiver", sa.String(80), nullable=False),
        sa.Column("region", sa.String(80), nullable=False),
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("message_id", sa.String(120), nullable=False),
        sa.Column("sent_at", MOMENT, nullable=False),
        sa.Column("problem", sa.Text()),
        sa.PrimaryKeyConstraint("receiver", "region", name="pk_definitions_sent"),
    )
