"""The steps by which the database came to be what it is."""

from enum import StrEnum
from functools import cache
from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from gmsafety.errors import GmsafetyError

from ..db import UPGRADING, Database, take_turn


class NotUpToDate(GmsafetyError):
    """The tables of the database are not those of this program."""

    is_usage = True


class Schema(StrEnum):
    """How the tables of a database stand to this program."""

    NONE = "none"
    FOREIGN = "foreign"
    OUTDATED = "outdated"
    CURRENT = "current"
    NEWER = "newer"

    @property
    def chinese(self) -> str:
        """What to do about it."""
        return {
            "none": "数据库还没有建好，请先运行 gmsafety db upgrade",
            "foreign": "这个数据库里是别的程序的表，请换一个数据库",
            "outdated": "数据库不是最新，请先备份（gmsafety db backup），再运行 gmsafety db upgrade",
            "current": "数据库是最新的",
            "newer": "数据库比程序新，请先升级程序",
        }[self.value]


def _config(tx: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(files(__package__)))
    config.attributes["connection"] = tx
    return config


@cache
def revisions() -> tuple[str, ...]:
    """Every step this program knows, the newest first."""
    return tuple(s.revision for s in ScriptDirectory.from_config(_config()).walk_revisions())


def upgrade(db: Database, to: str = "head") -> None:
    """Bring the tables up to date; all of it, or nothing."""
    with db.write() as tx:
        upgrade_within(tx, to)


def upgrade_within(tx: Connection, to: str = "head") -> None:
    """Bring the tables up to date, as a part of what the transaction does."""
    take_turn(tx, UPGRADING)
    command.upgrade(_config(tx), to)


def downgrade(db: Database, to: str) -> None:
    """Go back to an earlier state of the tables."""
    with db.write() as tx:
        take_turn(tx, UPGRADING)
        command.downgrade(_config(tx), to)


def revision_of(tx: Connection) -> str | None:
    """The step a database is at."""
    return MigrationContext.configure(tx).get_current_revision()


def schema_of(tx: Connection) -> Schema:
    """How the tables of a database stand to this program."""
    present = revision_of(tx)
    if present is None:
        return Schema.FOREIGN if set(inspect(tx).get_table_names()) - {"alembic_version"} else Schema.NONE
    if present not in revisions():
        return Schema.NEWER
    return Schema.CURRENT if present == revisions()[0] else Schema.OUTDATED


def is_current(db: Database) -> bool:
    """Tell whether the tables are up to date."""
    with db.read() as tx:
        return schema_of(tx) is Schema.CURRENT


def check_schema(address: str) -> None:
    """Refuse a database whose tables are not those of this program."""
    db = Database(address)
    try:
        with db.read() as tx:
            found = schema_of(tx)
    finally:
        db.close()
    if found is not Schema.CURRENT:
        raise NotUpToDate(found.chinese)
