"""The catalog as the command line opens it: every installed region, and the days off that the user has added."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import GmsafetyError

if TYPE_CHECKING:
    from ..campaigns import Campaign
    from ..catalog import Catalog

CampaignId = Annotated[str | None, typer.Option("--campaign", help="专项行动编号；不写则全部")]


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


def chosen_of(catalog: "Catalog", campaign: str | None) -> list["Campaign"]:
    """The campaign that was named, or every one."""
    return [catalog.campaign(campaign)] if campaign else list(catalog.campaigns.values())
