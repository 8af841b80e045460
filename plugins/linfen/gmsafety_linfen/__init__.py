"""Linfen: the safety work of a whole city government in 2022 (临政发〔2022〕1号), seven fields, every industry."""

from gmsafety.content import Content, read_content
from gmsafety.hookspecs import hookimpl


@hookimpl
def gmsafety_content() -> Content:
    """Bring the city's document, its governments and bureaus, and the tasks of the year."""
    return read_content(__name__, plugin="linfen", title="临汾市")
