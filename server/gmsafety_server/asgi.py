"""What uvicorn starts."""

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import FastAPI

CANNOT_START = 3  # as uvicorn has it: the process that started this one does not try again
_log = logging.getLogger("gmsafety.start")


def app() -> "FastAPI":
    """The application of the installation that the environment describes; says in one line why it cannot start."""
    try:
        from .app import create_app, settled  # noqa: PLC0415 - so that whatever is wrong with the program is said here, too
        from .migrations import check_schema  # noqa: PLC0415 - as above
        from .node import open_node  # noqa: PLC0415 - as above
        from .settings import Settings  # noqa: PLC0415 - as above

        settings = Settings()
        check_schema(settings.database)
        return settled(create_app(open_node(settings)))
    except Exception as error:
        _log.error("服务器不能启动", exc_info=error)
        raise SystemExit(CANNOT_START) from None
