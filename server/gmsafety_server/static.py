"""Static files: those whose names change with their content are kept by browsers for good."""

from importlib.resources import files
from os import PathLike
from pathlib import Path
from typing import Any

from starlette.responses import Response
from starlette.staticfiles import StaticFiles

FOREVER = "public, max-age=31536000, immutable"
BRIEFLY = "public, max-age=300"


class Static(StaticFiles):
    """The files of the pages; made by `server/frontend`, and there may be none."""

    def __init__(self) -> None:
        super().__init__(directory=str(files(__package__) / "static"), check_dir=False)

    def file_response(self, full_path: str | PathLike[str], *more: Any, **named: Any) -> Response:
        """The file, and how long a browser may keep it."""
        response = super().file_response(full_path, *more, **named)
        hashed = len(Path(full_path).suffixes) > 1
        response.headers["Cache-Control"] = FOREVER if hashed else BRIEFLY
        return response
