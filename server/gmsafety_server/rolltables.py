"""The tables of roll-ups: what they count, what was filed of them, what of it is out of date."""

from sqlalchemy import Column, Date, ForeignKey, Index, Integer, String, Table, UniqueConstraint

from .columns import Json, Moment, Path, metadata, number

rollups = Table(
    "rollups",
    metadata,
    number(),
    Column("uid", String(36), nullable=False, unique=True),
    Column("unit", String(120), nullable=False),
    Column("path", Path, nullable=False),
    Column("campaign", String(120), nullable=False),
    Column("item", String(200), nullable=False),
    Column("period", Date, nullable=False),
    Column("basis", String(20), nullable=False),
    Column("state", String(20), nullable=False),
    Column("own", Json),
    Column("own_file", String(255)),
    Column("adjustments", Json, nullable=False),
    Column("etag", Integer, nullable=False),
    Column("submission_id", ForeignKey("submissions.id", ondelete="SET NULL")),
    Column("created_by", ForeignKey("users.id"), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    UniqueConstraint("unit", "campaign", "item", "period"),
)

rollup_sources = Table(
    "rollup_sources",
    metadata,
    Column("rollup_id", ForeignKey("rollups.id", ondelete="CASCADE"), primary_key=True),
    Column("submission_id", ForeignKey("submissions.id"), primary_key=True),
    Index("ix_rollup_sources_submission_id", "submission_id"),
)

rollup_filings = Table(
    "rollup_filings",
    metadata,
    Column("submission_id", ForeignKey("submissions.id", ondelete="CASCADE"), primary_key=True),
    Column("rollup_id", ForeignKey("rollups.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("basis", String(20), nullable=False),
    Column("sources", Json, nullable=False),
    Column("own", Json),
    Column("adjustments", Json, nullable=False),
)

outdated = Table(
    "outdated",
    metadata,
    Column("submission_id", ForeignKey("submissions.id", ondelete="CASCADE"), primary_key=True),
    Column("since", Moment, nullable=False),
    Column("parts", Json, nullable=False),
    Column("cells", Json, nullable=False),
)
"""What was filed as a roll-up, and is no longer what its parts add up to."""

doubts = Table(
    "doubts",
    metadata,
    number(),
    Column("rollup_id", ForeignKey("rollups.id", ondelete="CASCADE"), nullable=False, index=True),
)
"""Roll-ups below which something has changed since they were looked at."""
