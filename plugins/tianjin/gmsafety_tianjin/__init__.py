"""Tianjin: the look-back campaign of 2024 on major hazards in the gongmao industries (回头看行动)."""

from gmsafety.content import Content, read_content
from gmsafety.hookspecs import hookimpl


@hookimpl
def gmsafety_content() -> Content:
    """Bring the notice, its units, its campaign, its checklist, and two forms of our own."""
    return read_content(__name__, plugin="tianjin", title="天津市")
