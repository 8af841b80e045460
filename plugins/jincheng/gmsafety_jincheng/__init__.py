"""Jincheng: the city campaign of 晋市工贸专委发[2024]1号, carried out on the province's forms."""

from gmsafety.content import Content, read_content
from gmsafety.hookspecs import hookimpl


@hookimpl
def gmsafety_content() -> Content:
    """Bring the city's document, its counties' units and its campaign."""
    return read_content(__name__, plugin="jincheng", title="晋城市")
