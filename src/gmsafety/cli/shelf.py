"""The catalog as the command line opens it: every installed region, and the days off that the user has added."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import GmsafetyError

if TYPE_CHECKING:
    from ..catalog import Catalog


class BadCalendar(GmsafetyError):
    """A file of days off that cannot be taken."""

    is_usage = True


def open_catalog() -> "Catalog":
    """Load the catalog; GMSAFETY_CALENDAR names yearly files of days off, for years the package does not know yet."""
    from ..calendar import WorkCalendar
    from ..catalog import load_catalog

    named = [Path(p) for p in os.environ.get("GMSAFETY_CALENDAR", "").split(os.pathsep) if p]
    try:
        calendar = WorkCalendar.from_yaml(*named) if named else None
    except ValueError as error:
        raise BadCalendar(str(error)) from error
    return load_catalog(calendar=calendar)
