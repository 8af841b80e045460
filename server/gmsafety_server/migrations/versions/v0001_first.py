"""The first tables.

Revision: 0001
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Path = sa.String(600).with_variant(sa.String(600, collation="C"), "postgresql")
Json = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")

TABLES = (
    "areas",
    "audit",
    "blobs",
    "keys",
    "seals",
    "slots",
    "strangers",
    "users",
    "feeds",
    "refusals",
    "sessions",
    "submissions",
    "tokens",
    "unit_changes",
    "assignments",
    "attachments",
    "events",
    "receipts",
    "rollups",
    "units",
    "rollup_filings",
    "rollup_sources",
)


def upgrade() -> None:
    """Create every table of the first release."""
    _areas()
    _audit()
    _blobs()
    _keys()
    _seals()
    _slots()
    _strangers()
    _users()
    _feeds()
    _refusals()
    _sessions()
    _submissions()
    _tokens()
    _unit_changes()
    _assignments()
    _attachments()
    _events()
    _receipts()
    _rollups()
    _units()
    _rollup_filings()
    _rollup_sources()


def downgrade() -> None:
    """Remove them, the last first."""
    for name in reversed(TABLES):
        op.drop_table(name)


def _areas() -> None:
    op.create_table(
        "areas",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("code", sa.String(length=12), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("level", sa.String(length=20), nullable=False),
        sa.Column("parent", sa.String(length=12), nullable=True),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_areas"),
        sa.UniqueConstraint("code", "since", name="uq_areas_code_since"),
    )


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("object", sa.String(length=200), nullable=False),
        sa.Column("path", Path, nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("seq", Id, nullable=True),
        sa.Column("hash", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
        sa.UniqueConstraint("seq", name="uq_audit_seq"),
    )
    op.create_index("ix_audit_path", "audit", ["path"])


def _blobs() -> None:
    op.create_table(
        "blobs",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_blobs"),
    )


def _keys() -> None:
    op.create_table(
        "keys",
        sa.Column("key_id", sa.String(length=80), nullable=False),
        sa.Column("algorithm", sa.String(length=20), nullable=False),
        sa.Column("public", sa.LargeBinary(), nullable=False),
        sa.Column("private", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("key_id", name="pk_keys"),
    )


def _seals() -> None:
    op.create_table(
        "seals",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("first_seq", Id, nullable=False),
        sa.Column("last_seq", Id, nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("key_id", sa.String(length=80), nullable=False),
        sa.Column("signature", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_seals"),
        sa.UniqueConstraint("last_seq", name="uq_seals_last_seq"),
    )


def _slots() -> None:
    op.create_table(
        "slots",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("campaign", sa.String(length=120), nullable=False),
        sa.Column("duty", sa.String(length=120), nullable=False),
        sa.Column("item", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("period", sa.Date(), nullable=False),
        sa.Column("opens", sa.Date(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("unit", sa.String(length=120), nullable=False),
        sa.Column("area", sa.String(length=12), nullable=False),
        sa.Column("upper", sa.String(length=120), nullable=True),
        sa.Column("path", Path, nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("nil", sa.Boolean(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("submission_id", Id, nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_slots"),
        sa.UniqueConstraint("unit", "campaign", "item", "period", name="uq_slots_unit_campaign_item_period"),
    )
    op.create_index(
        "ix_slots_board",
        "slots",
        ["campaign", "item", "period", "due_at", "opens", "state", "nil", "received_at", "path"],
    )
    op.create_index("ix_slots_path", "slots", ["path", "campaign", "item", "period"])
    op.create_index("ix_slots_unit", "slots", ["unit", "due_at"])
    op.create_index("ix_slots_upper", "slots", ["upper"])
    op.create_index("ix_slots_upper_state", "slots", ["upper", "state"])


def _strangers() -> None:
    op.create_table(
        "strangers",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_strangers"),
    )


def _users() -> None:
    op.create_table(
        "users",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("login", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("unit", sa.String(length=120), nullable=False),
        sa.Column("roles", Json, nullable=False),
        sa.Column("password", sa.String(length=255), nullable=False),
        sa.Column("must_change", sa.Boolean(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("login", name="uq_users_login"),
    )
    op.create_index("ix_users_unit", "users", ["unit"])


def _feeds() -> None:
    op.create_table(
        "feeds",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("unit", sa.String(length=120), nullable=False),
        sa.Column("hint", sa.String(length=12), nullable=False),
        sa.Column("created_by", Id, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name="fk_feeds_created_by"),
        sa.PrimaryKeyConstraint("id", name="pk_feeds"),
        sa.UniqueConstraint("hash", name="uq_feeds_hash"),
    )
    op.create_index("ix_feeds_unit", "feeds", ["unit"])


def _refusals() -> None:
    op.create_table(
        "refusals",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.Column("unit", sa.String(length=120), nullable=False),
        sa.Column("path", Path, nullable=False),
        sa.Column("campaign", sa.String(length=120), nullable=False),
        sa.Column("item", sa.String(length=200), nullable=False),
        sa.Column("period", sa.Date(), nullable=False),
        sa.Column("problem", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("findings", Json, nullable=False),
        sa.Column("by_user", Id, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["by_user"], ["users.id"], name="fk_refusals_by_user"),
        sa.ForeignKeyConstraint(["hash"], ["blobs.hash"], name="fk_refusals_hash"),
        sa.PrimaryKeyConstraint("id", name="pk_refusals"),
        sa.UniqueConstraint("uid", name="uq_refusals_uid"),
        sa.UniqueConstraint(
            "unit", "campaign", "item", "period", "hash", name="uq_refusals_unit_campaign_item_period_hash"
        ),
    )
    op.create_index("ix_refusals_path", "refusals", ["path"])
    op.create_index("ix_refusals_unit", "refusals", ["unit"])


def _sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("csrf", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("agent", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_sessions_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("hash", name="pk_sessions"),
    )
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"])


def _submissions() -> None:
    op.create_table(
        "submissions",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.Column("slot_id", Id, nullable=False),
        sa.Column("sender", sa.String(length=120), nullable=False),
        sa.Column("message_id", sa.String(length=120), nullable=False),
        sa.Column("message_hash", sa.String(length=64), nullable=False),
        sa.Column("campaign", sa.String(length=120), nullable=False),
        sa.Column("item", sa.String(length=200), nullable=False),
        sa.Column("period", sa.Date(), nullable=False),
        sa.Column("unit", sa.String(length=120), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("nil", sa.Boolean(), nullable=False),
        sa.Column("body", Json, nullable=True),
        sa.Column("origin", Json, nullable=True),
        sa.Column("findings", Json, nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("payload_hash", sa.String(length=64), nullable=False),
        sa.Column("supersedes", sa.String(length=64), nullable=True),
        sa.Column("etag", sa.Integer(), nullable=False),
        sa.Column("test", sa.Boolean(), nullable=False),
        sa.Column("created_by", Id, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name="fk_submissions_created_by"),
        sa.ForeignKeyConstraint(["slot_id"], ["slots.id"], name="fk_submissions_slot_id"),
        sa.PrimaryKeyConstraint("id", name="pk_submissions"),
        sa.UniqueConstraint(
            "campaign", "item", "period", "unit", "revision", name="uq_submissions_campaign_item_period_unit_revision"
        ),
        sa.UniqueConstraint("sender", "message_id", name="uq_submissions_sender_message_id"),
        sa.UniqueConstraint("uid", name="uq_submissions_uid"),
    )
    op.create_index("ix_submissions_slot_id", "submissions", ["slot_id"])


def _tokens() -> None:
    op.create_table(
        "tokens",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("hint", sa.String(length=12), nullable=False),
        sa.Column("scopes", Json, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_tokens_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_tokens"),
        sa.UniqueConstraint("hash", name="uq_tokens_hash"),
    )
    op.create_index("ix_tokens_user_id", "tokens", ["user_id"])


def _unit_changes() -> None:
    op.create_table(
        "unit_changes",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("units", Json, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("data", Json, nullable=True),
        sa.Column("by_user", Id, nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["by_user"], ["users.id"], name="fk_unit_changes_by_user"),
        sa.PrimaryKeyConstraint("id", name="pk_unit_changes"),
    )


def _assignments() -> None:
    op.create_table(
        "assignments",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("unit", sa.String(length=120), nullable=False),
        sa.Column("campaign", sa.String(length=120), nullable=False),
        sa.Column("duty", sa.String(length=120), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("by_hand", sa.Boolean(), nullable=False),
        sa.Column("change_id", Id, nullable=False),
        sa.ForeignKeyConstraint(["change_id"], ["unit_changes.id"], name="fk_assignments_change_id"),
        sa.PrimaryKeyConstraint("id", name="pk_assignments"),
    )
    op.create_index("ix_assignments_unit", "assignments", ["unit"])


def _attachments() -> None:
    op.create_table(
        "attachments",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("submission_id", Id, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("artefact", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("media_type", sa.String(length=120), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["hash"], ["blobs.hash"], name="fk_attachments_hash"),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submissions.id"], name="fk_attachments_submission_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_attachments"),
    )
    op.create_index("ix_attachments_submission_id", "attachments", ["submission_id"])


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("submission_id", Id, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_user", Id, nullable=True),
        sa.Column("unit", sa.String(length=120), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("data", Json, nullable=True),
        sa.ForeignKeyConstraint(["by_user"], ["users.id"], name="fk_events_by_user"),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submissions.id"], name="fk_events_submission_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
    )
    op.create_index("ix_events_submission_id", "events", ["submission_id"])


def _receipts() -> None:
    op.create_table(
        "receipts",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("submission_id", Id, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=12), nullable=False),
        sa.Column("signed", sa.Text(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["submission_id"], ["submissions.id"], name="fk_receipts_submission_id"),
        sa.PrimaryKeyConstraint("id", name="pk_receipts"),
        sa.UniqueConstraint("hash", name="uq_receipts_hash"),
        sa.UniqueConstraint("uid", name="uq_receipts_uid"),
    )
    op.create_index("ix_receipts_code", "receipts", ["code"])
    op.create_index("ix_receipts_submission_id", "receipts", ["submission_id"])


def _rollups() -> None:
    op.create_table(
        "rollups",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.Column("unit", sa.String(length=120), nullable=False),
        sa.Column("path", Path, nullable=False),
        sa.Column("campaign", sa.String(length=120), nullable=False),
        sa.Column("item", sa.String(length=200), nullable=False),
        sa.Column("period", sa.Date(), nullable=False),
        sa.Column("basis", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("own", Json, nullable=True),
        sa.Column("own_file", sa.String(length=255), nullable=True),
        sa.Column("adjustments", Json, nullable=False),
        sa.Column("etag", sa.Integer(), nullable=False),
        sa.Column("submission_id", Id, nullable=True),
        sa.Column("created_by", Id, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name="fk_rollups_created_by"),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submissions.id"], name="fk_rollups_submission_id", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_rollups"),
        sa.UniqueConstraint("uid", name="uq_rollups_uid"),
        sa.UniqueConstraint("unit", "campaign", "item", "period", name="uq_rollups_unit_campaign_item_period"),
    )


def _units() -> None:
    op.create_table(
        "units",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("ref", sa.String(length=120), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("area", sa.String(length=12), nullable=False),
        sa.Column("level", sa.String(length=20), nullable=False),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.Column("parent", sa.String(length=120), nullable=True),
        sa.Column("aliases", Json, nullable=False),
        sa.Column("path", Path, nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("change_id", Id, nullable=False),
        sa.ForeignKeyConstraint(["change_id"], ["unit_changes.id"], name="fk_units_change_id"),
        sa.PrimaryKeyConstraint("id", name="pk_units"),
        sa.UniqueConstraint("ref", "since", name="uq_units_ref_since"),
    )
    op.create_index("ix_units_path", "units", ["path"])
    op.create_index("ix_units_ref", "units", ["ref"])


def _rollup_filings() -> None:
    op.create_table(
        "rollup_filings",
        sa.Column("submission_id", Id, nullable=False),
        sa.Column("rollup_id", Id, nullable=False),
        sa.Column("basis", sa.String(length=20), nullable=False),
        sa.Column("sources", Json, nullable=False),
        sa.Column("own", Json, nullable=True),
        sa.Column("adjustments", Json, nullable=False),
        sa.ForeignKeyConstraint(["rollup_id"], ["rollups.id"], name="fk_rollup_filings_rollup_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submissions.id"], name="fk_rollup_filings_submission_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("submission_id", name="pk_rollup_filings"),
    )
    op.create_index("ix_rollup_filings_rollup_id", "rollup_filings", ["rollup_id"])


def _rollup_sources() -> None:
    op.create_table(
        "rollup_sources",
        sa.Column("rollup_id", Id, nullable=False),
        sa.Column("submission_id", Id, nullable=False),
        sa.ForeignKeyConstraint(["rollup_id"], ["rollups.id"], name="fk_rollup_sources_rollup_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["submission_id"], ["submissions.id"], name="fk_rollup_sources_submission_id"),
        sa.PrimaryKeyConstraint("rollup_id", "submission_id", name="pk_rollup_sources"),
    )
    op.create_index("ix_rollup_sources_submission_id", "rollup_sources", ["submission_id"])
