"""A region to start from: an installable package with one thing of each kind, made from a template of plain text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from string import Template
from types import MappingProxyType

from ..codes import Area, AreaTable, Level
from ..errors import GmsafetyError, UnknownName
from .licences import LICENCES

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_TITLE = re.compile(r"[\w（）·]+")
_SUFFIX = ".template"
_TOWNS = MappingProxyType({"901": "示例镇", "902": "示例乡"})  # until the author writes the real ones


class BadRegion(GmsafetyError):
    """A region of which a name, a code or a level cannot be taken."""

    is_usage = True


@dataclass(frozen=True, slots=True)
class NewRegion:
    """What an author says of a region before anything is written."""

    name: str
    title: str
    area: Area
    level: Level
    licence: str = "Apache-2.0"

    @property
    def package(self) -> str:
        """The name of the Python package."""
        return f"gmsafety_{self.name.replace('-', '_')}"

    def files(self) -> dict[str, str]:
        """Every file of the package by its path, ready to be written."""
        below = list(_below(self.area))
        words = {
            "name": self.name, "title": self.title, "package": self.package, "area": self.area.code,
            "level": self.level.value, "role": _role(self.level),
            "below": below[0].level.value, "below_role": _role(below[0].level),
            "units": "\n".join(self._unit(area) for area in below),
            "licence_line": f'license = "{self.licence}"\n' if LICENCES[self.licence] else "",
        }  # fmt: skip
        made = {
            path.replace("package/", f"{self.package}/").replace("test_region", f"test_{self.package}"): Template(
                text
            ).substitute(words)
            for path, text in _templates(resources.files(__package__) / "template")
        }
        if not AreaTable.national().children(self.area.code):
            made[f"{self.package}/townships.tsv"] = _as_tsv(below)
        if LICENCES[self.licence]:
            made["LICENSE"] = LICENCES[self.licence].replace("TITLE", f"gmsafety-{self.name}")
        return dict(sorted(made.items()))

    def _unit(self, area: Area) -> str:
        """A line of the file of units: the office of a division below."""
        office = f"{area.name}应急管理{'所' if area.level is Level.TOWNSHIP else '局'}"
        return (
            f"  - {{id: {self.name}-{area.code}, name: {office}, area: {area.code}, level: {area.level}, "
            f"role: {_role(area.level)}, parent: {self.name}.{self.name}-office, aliases: [{area.name}]}}"
        )


def new_region(
    name: str, area: str, *, title: str | None = None, level: str | None = None, licence: str = "Apache-2.0"
) -> NewRegion:
    """Take what an author says; title and level are the division's unless given. BadRegion says what is wrong."""
    if not _NAME.fullmatch(name):
        raise BadRegion(f"“{name}”不能作插件的名称；请用小写字母、数字和连字符，以字母开头，例如 yangqu。")
    division = AreaTable.national().get(area)
    if division is None:
        raise BadRegion(f"没有行政区划“{area}”。请写县级以上的6位代码，例如 140122。")
    if title is not None and not _TITLE.fullmatch(title):
        raise BadRegion(f"“{title}”不能作地区的名称；请不要用空格和标点。")
    if level is not None and level not in _LEVELS:
        raise UnknownName("级别", level, _LEVELS)
    if licence not in LICENCES:
        raise UnknownName("许可证", licence, LICENCES)
    return NewRegion(name, title or division.name, division, Level(level) if level else division.level, licence)


_LEVELS = tuple(level.value for level in Level if level not in (Level.COUNTRY, Level.TOWNSHIP))


def _role(level: Level) -> str:
    return "town-office" if level is Level.TOWNSHIP else f"{level}-office"


def _below(area: Area) -> Iterator[Area]:
    children = AreaTable.national().children(area.code)
    yield from children or (Area(area.code + n, t, area.code, Level.TOWNSHIP) for n, t in _TOWNS.items())


def _as_tsv(areas: list[Area]) -> str:
    rows = [("code", "name", "parent", "level"), *((a.code, a.name, a.parent or "", a.level.value) for a in areas)]
    return "".join("\t".join(row) + "\n" for row in rows)


def _templates(folder: Traversable, path: str = "") -> Iterator[tuple[str, str]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _templates(entry, f"{path}{entry.name}/")
        elif entry.name.endswith(_SUFFIX):
            yield path + entry.name.removesuffix(_SUFFIX), entry.read_text("utf-8")


__all__ = ["LICENCES", "BadRegion", "NewRegion", "new_region"]
