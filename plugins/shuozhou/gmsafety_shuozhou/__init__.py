"""Shuozhou: the city's gongmao tasks of 2024 (朔应急发〔2024〕86号), with two ledgers of our own design."""

from gmsafety.content import Content, read_content
from gmsafety.hookspecs import hookimpl


@hookimpl
def gmsafety_content() -> Content:
    """Bring the city's document, its counties' units, the tasks of the year and the ledgers they name."""
    return read_content(__name__, plugin="shuozhou", title="朔州市")
