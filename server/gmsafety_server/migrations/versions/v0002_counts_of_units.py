"""The index by path holds all that is counted of a unit, so that the rows themselves are not read.

Revision: 0002
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

NAME, TABLE = "ix_slots_path", "slots"
BEFORE = ("path", "campaign", "item", "period")
COUNTED = ("due_at", "opens", "state", "nil", "received_at")


def upgrade() -> None:
    """Make the index wider."""
    _make((*BEFORE, *COUNTED))


def downgrade() -> None:
    """Make it as it was."""
    _make(BEFORE)


def _make(columns: tuple[str, ...]) -> None:
    op.drop_index(NAME, TABLE)
    op.create_index(NAME, TABLE, list(columns))
