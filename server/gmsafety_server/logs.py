"""What the server says of itself while it runs: a line for each thing on the terminal, and everything in a file."""

import logging
import os
from pathlib import Path
from typing import Any

DEBUG = "GMSAFETY_DEBUG"


class OneLine(logging.Formatter):
    """A failure as one line that names it; where it came from only with GMSAFETY_DEBUG, or in the log file."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record; what uvicorn logs as the text of a traceback is cut to its last line, too."""
        if os.environ.get(DEBUG):
            return super().format(record)
        text = record.getMessage().strip()
        if "Traceback (most recent call last)" in text:
            text = text.splitlines()[-1]
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            first = (str(error).strip().splitlines() or [""])[0]
            text = f"{text.splitlines()[0]}：{type(error).__name__} {first}".rstrip()
        return f"{self.formatTime(record)} {record.levelname} {text}"


def log_config(file: Path | None) -> dict[str, Any]:
    """The configuration of logging, as `logging.config.dictConfig` and uvicorn take it."""
    full = "%(asctime)s %(levelname)s %(process)d %(name)s %(message)s"
    handlers: dict[str, Any] = {
        "terminal": {"class": "logging.StreamHandler", "formatter": "line", "level": "WARNING"},
    }
    if file is not None:
        handlers["file"] = {
            "class": "logging.handlers.WatchedFileHandler",
            "filename": str(file),
            "formatter": "full",
            "encoding": "utf-8",
            "delay": True,
        }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {"()": "gmsafety_server.logs.OneLine", "format": full},
            "full": {"format": full},
        },
        "handlers": handlers,
        "root": {"handlers": list(handlers), "level": "INFO" if file else "WARNING"},
        "loggers": {
            "uvicorn": {"level": "INFO" if file else "WARNING"},
            "uvicorn.access": {"level": "INFO" if file else "WARNING"},
            "sqlalchemy": {"level": "WARNING"},
        },
    }
