"""What uvicorn starts."""

import logging

from fastapi import FastAPI
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError

from gmsafety.errors import GmsafetyError

from .app import create_app
from .migrations import check_schema
from .node import open_node
from .settings import Settings

CANNOT_START = 3  # as uvicorn has it: the process that started this one does not try again
_log = logging.getLogger("gmsafety.start")


def app() -> FastAPI:
    """The application of the installation that the environment describes; says in one line why it cannot start."""
    try:
        settings = Settings()
        check_schema(settings.database)
        return create_app(open_node(settings))
    except (GmsafetyError, ValidationError, DBAPIError, OSError) as error:
        _log.error("服务器不能启动：%s", error, exc_info=error)
        raise SystemExit(CANNOT_START) from None
