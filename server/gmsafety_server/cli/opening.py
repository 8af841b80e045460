"""Settings and node, as the commands open them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from gmsafety.errors import GmsafetyError

if TYPE_CHECKING:
    from ..node import Node
    from ..settings import Settings


class NotReady(GmsafetyError):
    """The installation is not set up, or its settings are wrong."""

    is_usage = True


def settings_of(**given: Any) -> "Settings":
    """The settings, with what the command line said."""
    from pydantic import ValidationError

    from ..settings import Settings

    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        wrong = "；".join(f"{'.'.join(map(str, e['loc']))}：{e['msg']}" for e in error.errors())
        raise NotReady(f"设置不对：{wrong}") from error


@contextmanager
def opened(settings: "Settings | None" = None) -> Iterator["Node"]:
    """The node of this installation, for one command."""
    from ..db import Database
    from ..migrations import is_current
    from ..node import open_node

    settings = settings or settings_of()
    db = Database(settings.database)
    try:
        if not is_current(db):
            raise NotReady("数据库还没有建好或不是最新，请先运行 gmsafety db upgrade")
    finally:
        db.close()
    node = open_node(settings)
    try:
        yield node
    finally:
        node.db.close()
