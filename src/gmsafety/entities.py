"""Units: bodies that file, receive and inspect. A division (行政区划) is not a body; see `gmsafety.codes.areas`."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import cached_property
from types import MappingProxyType

from pydantic import Field

from .codes import AreaTable, Level
from .errors import UnknownName
from .provenance import Names, Value

ROLES: Mapping[str, str] = MappingProxyType(
    {
        "province-office": "省级应急管理部门",
        "city-office": "市级应急管理部门",
        "county-office": "县级应急管理部门",
        "town-office": "乡镇（街道）",
        "member-department": "成员单位",
        "province-government": "省级人民政府",
        "city-government": "市级人民政府",
        "county-government": "县级人民政府",
    }
)
"""What the usual roles of units are called where no region calls them otherwise (`actors`)."""


class Unit(Value):
    """A body (单位): an office, a member department, a development zone, a central enterprise.

    `{area}` in an alias stands for the name of the unit's area, so that a list of names can be shared.
    """

    id: str
    name: str
    area: str = Field(description="GB/T 2260 code of the area it answers for")
    level: Level
    role: str
    parent: str | None = None
    aliases: Names = ()
    opened: date | None = None
    closed: date | None = None
    plugin: str = ""

    @property
    def ref(self) -> str:
        """The full name, `plugin.id`."""
        return f"{self.plugin}.{self.id}" if self.plugin else self.id

    def is_open(self, day: date) -> bool:
        """Tell whether the unit exists on a day."""
        return (self.opened is None or self.opened <= day) and (self.closed is None or day < self.closed)


class Units(Mapping[str, Unit]):
    """All units by full name, found by any of their names."""

    def __init__(self, units: Iterable[Unit], areas: AreaTable) -> None:
        self._units = {u.ref: u for u in sorted(units, key=lambda u: (u.area, u.ref))}
        self._areas = areas

    def __getitem__(self, ref: str) -> Unit:
        return self._units[ref]

    def __iter__(self) -> Iterator[str]:
        return iter(self._units)

    def __len__(self) -> int:
        return len(self._units)

    @cached_property
    def _by_name(self) -> dict[str, list[Unit]]:
        names: dict[str, list[Unit]] = {}
        for unit in self._units.values():
            area = self._areas.get(unit.area)
            place = area.name if area else ""
            for name in {_fold(a.format(area=place)) for a in (unit.name, unit.id, unit.ref, *unit.aliases)}:
                names.setdefault(name, []).append(unit)
        return names

    def named(self, text: str, *, below: Unit | None = None) -> Unit | None:
        """Find the one unit with this id, name or alias; None where there is none, or more than one.

        Names of areas above may stand before it (晋城市泽州县应急管理局). `below` narrows to a unit and those
        under it.
        """
        for candidate in self._spellings(_fold(text)):
            found = self._by_name.get(candidate, [])
            if below is not None:
                found = [u for u in found if u is below or self.is_below(u, below)]
            if len(found) == 1:
                return found[0]
        return None

    @cached_property
    def _area_names(self) -> list[str]:
        return sorted({_fold(a.name) for u in self._units.values() for a in self._areas.ancestors(u.area)}, key=len)

    def _spellings(self, text: str) -> Iterator[str]:
        yield text
        for _ in range(3):
            shorter = next(
                (text[len(n) :] for n in self._area_names if text.startswith(n) and len(text) > len(n)), None
            )
            if shorter is None:
                return
            text = shorter
            yield text

    def get_one(self, text: str) -> Unit:
        """Return the unit with this id, name or alias, or the only one that files for this area code.

        UnknownName where there is none.
        """
        unit = self.named(text)
        if unit is None and text.isdigit():
            offices = [u for u in self._units.values() if u.area == text and u.role.endswith("office")]
            unit = offices[0] if len(offices) == 1 else None
        if unit is None:
            raise UnknownName("单位", text, (u.id for u in self._units.values()))
        return unit

    def children(self, unit: Unit) -> list[Unit]:
        """Units directly under a unit, in the order of their areas."""
        return [u for u in self._units.values() if u.parent == unit.ref]

    def ancestors(self, unit: Unit) -> list[Unit]:
        """The units above one, the nearest first."""
        found: list[Unit] = []
        while unit.parent and unit.parent in self and self[unit.parent] not in found:
            unit = self[unit.parent]
            found.append(unit)
        return found

    def is_below(self, unit: Unit, upper: Unit) -> bool:
        """Tell whether a unit stands anywhere under another."""
        seen = 0
        while unit.parent and seen < 10:
            if unit.parent == upper.ref:
                return True
            unit = self._units[unit.parent]
            seen += 1
        return False

    def area_name(self, unit: Unit) -> str:
        """The name of the unit's area, by which contributions to a roll-up are listed."""
        area = self._areas.get(unit.area)
        return area.name if area and unit.role.endswith("office") else unit.name


def _fold(text: str) -> str:
    import unicodedata  # noqa: PLC0415 - small and rarely needed

    folded = "".join(unicodedata.normalize("NFKC", text).split())
    return folded.removesuffix("办公室") if len(folded) > 5 else folded
