"""The first tables.

Revision: 0001
"""

from alembic import op

from gmsafety_server.tables import metadata

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table of the first release."""
    metadata.create_all(op.get_bind())


def downgrade() -> None:
    """Remove them."""
    metadata.drop_all(op.get_bind())
