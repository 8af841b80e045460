"""What the server says of itself while it runs: a line for each thing on the terminal, and everything in a file."""

import json
import logging
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

DEBUG = "GMSAFETY_DEBUG"
Format = Literal["text", "json"]


def about(**told: Any) -> dict[str, Any]:
    """What a line tells beside its words, as the `extra` of logging; what is None is not told."""
    return {"told": {name: value for name, value in told.items() if value is not None}}


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


class JsonLine(logging.Formatter):
    """A record as one line of JSON: when, how grave, by which part and process, the words, and what they are about."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {
            "at": at.replace("+00:00", "Z"), "level": record.levelname, "logger": record.name,
            "process": record.process, "text": record.getMessage(), **getattr(record, "told", {}),
        }  # fmt: skip
        if record.exc_info:
            line["failure"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def log_config(file: Path | None, form: Format = "text") -> dict[str, Any]:
    """The configuration of logging, as `logging.config.dictConfig` and uvicorn take it.

    JSON goes to the file where there is one, else to the terminal with all that a file would hold.
    """
    full = "%(asctime)s %(levelname)s %(process)d %(name)s %(message)s"
    is_json = form == "json"
    to_terminal = {"formatter": "json", "level": "INFO"} if is_json and file is None else {"formatter": "line"}
    handlers: dict[str, Any] = {
        "terminal": {"class": "logging.StreamHandler", "level": "WARNING", **to_terminal},
    }
    if file is not None:
        handlers["file"] = {
            "class": "logging.handlers.WatchedFileHandler",
            "filename": str(file),
            "formatter": "json" if is_json else "full",
            "encoding": "utf-8",
            "delay": True,
        }
    level = "INFO" if file or is_json else "WARNING"
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {"()": "gmsafety_server.logs.OneLine", "format": full},
            "full": {"format": full},
            "json": {"()": "gmsafety_server.logs.JsonLine"},
        },
        "handlers": handlers,
        "root": {"handlers": list(handlers), "level": level},
        "loggers": {
            "uvicorn": {"level": level},
            "uvicorn.access": {"level": level},
            "sqlalchemy": {"level": "WARNING"},
        },
    }
