"""Settings and node, as the commands open them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gmsafety.errors import GmsafetyError

if TYPE_CHECKING:
    from ..node import Node
    from ..settings import Settings


class NotReady(GmsafetyError):
    """The installation is not set up, or its settings are wrong."""

    is_usage = True


class DatabaseFailed(GmsafetyError):
    """The database cannot be reached, or refuses what is asked of it."""


def settings_of(**given: Any) -> "Settings":
    """The settings, with what the command line said."""
    from tomllib import TOMLDecodeError

    from pydantic import ValidationError

    from ..settings import Settings

    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except TOMLDecodeError as error:
        file = os.environ.get("GMSAFETY_CONFIG", "gmsafety.toml")
        raise NotReady(f"设置文件 {file} 不是 TOML：{error}") from error
    except ValidationError as error:
        raise NotReady(f"设置不对：{'；'.join(_wrong(e) for e in error.errors())}") from error


def _wrong(error: Any) -> str:
    name = ".".join(map(str, error["loc"]))
    return f"没有这项设置：{name}" if error["type"] == "extra_forbidden" else f"{name}：{error['msg']}"


@contextmanager
def in_words(settings: "Settings") -> Iterator[None]:
    """Around work on the database: what a driver says becomes a sentence."""
    from sqlalchemy.exc import DBAPIError
    from sqlalchemy.exc import TimeoutError as Waited

    try:
        yield
    except (DBAPIError, Waited) as error:
        from ..db import Database

        said = str(getattr(error, "orig", error)).strip().splitlines()
        raise DatabaseFailed(
            f"数据库 {Database(settings.database).shown} 不能使用：{said[0] if said else '没有应答'}"
        ) from error


def must_exist(settings: "Settings") -> None:
    """Refuse an SQLite file that is not there; opening it would make an empty one."""
    from sqlalchemy.engine import make_url

    from ..db import Database

    Database(settings.database).close()
    url = make_url(settings.database)
    name = url.database or ""
    if url.get_backend_name() == "sqlite" and name and name != ":memory:" and not Path(name).is_file():
        raise NotReady(f"没有数据库文件“{name}”。新建请运行 gmsafety db upgrade；在别处的，请设 GMSAFETY_DATABASE")


@contextmanager
def opened(settings: "Settings | None" = None) -> Iterator["Node"]:
    """The node of this installation, for one command."""
    from ..migrations import check_schema
    from ..node import open_node

    settings = settings or settings_of()
    must_exist(settings)
    with in_words(settings):
        check_schema(settings.database)
        node = open_node(settings)
        try:
            yield node
        finally:
            node.db.close()
