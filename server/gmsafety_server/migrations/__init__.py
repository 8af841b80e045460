"""The steps by which the database came to be what it is."""

from importlib.resources import files
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

if TYPE_CHECKING:
    from ..db import Database


def _config(db: "Database") -> Config:
    config = Config()
    config.set_main_option("script_location", str(files(__package__)))
    config.attributes["database"] = db
    return config


def upgrade(db: "Database", to: str = "head") -> None:
    """Bring the tables up to date."""
    command.upgrade(_config(db), to)


def downgrade(db: "Database", to: str) -> None:
    """Go back to an earlier state of the tables."""
    command.downgrade(_config(db), to)


def is_current(db: "Database") -> bool:
    """Tell whether the tables are up to date."""
    with db.read() as tx:
        present = MigrationContext.configure(tx).get_current_revision()
    return present == ScriptDirectory.from_config(_config(db)).get_current_head()
