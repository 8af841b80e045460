"""Shanxi: the provincial campaign of 晋应急发〔2024〕354号 and its standard forms, which the cities share."""

from gmsafety.content import Content, read_content
from gmsafety.hookspecs import hookimpl


@hookimpl
def gmsafety_content() -> Content:
    """Bring the province's documents, units, campaign and forms."""
    return read_content(__name__, plugin="shanxi", title="山西省")
