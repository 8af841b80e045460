"""The units of a day, as the dated rows say; what the plugins declare is only where the rows began."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from threading import Lock
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, func, or_, select

from gmsafety import Catalog
from gmsafety.codes import Area, Level
from gmsafety.entities import Unit, Units

from .tables import areas, unit_changes, units

NOWHERE = "/-/"
LAST_CHANGE = select(func.coalesce(func.max(unit_changes.c.id), 0))


def in_force(table: Table, day: date) -> ColumnElement[bool]:
    """The dated rows that hold on a day."""
    return and_(table.c.since <= day, or_(table.c.until.is_(None), table.c.until > day))


@dataclass(frozen=True)
class Directory:
    """The units of one day: the catalog with these units in it, the path of each, and those it bore before."""

    catalog: Catalog
    paths: Mapping[str, str]
    former: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def units(self) -> Units:
        """All units, found by any of their names."""
        return self.catalog.units

    def path(self, unit: str) -> str:
        """The path of a unit; a unit that is not open has one nobody's view holds."""
        return self.paths.get(unit, NOWHERE)

    def place(self, unit: str) -> str:
        """The path of a unit, or the last one it bore where it is closed; accounts and history are found by it."""
        return self.paths.get(unit) or next(iter(self.former.get(unit, ())), NOWHERE)

    def tree(self) -> list[Unit]:
        """All units, each followed by those below it, in the order of their areas."""
        below: dict[str, list[Unit]] = {}
        for unit in self.units.values():
            upper = unit.parent if unit.parent in self.paths else ""
            below.setdefault(upper or "", []).append(unit)
        found, waiting = [], list(reversed(below.get("", [])))
        while waiting:
            unit = waiting.pop()
            found.append(unit)
            waiting += reversed(below.get(unit.ref, []))
        return found

    def name(self, unit: str | None) -> str:
        """The name of a unit, for pages; its reference where it is not open on this day."""
        known = self.units.get(unit or "")
        return known.name if known else unit or ""


class Directories:
    """Directories by day, read again after a change of units, or of the definitions in force (`renewed`)."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.renewed: Callable[[Connection], Catalog] = lambda _tx: self.catalog
        self._lock = Lock()
        self._known: dict[tuple[int, date], Directory] = {}

    def on(self, tx: Connection, day: date, *, change: int | None = None) -> Directory:
        """The directory of a day; `change` is the last change of units, where that was asked for already."""
        if change is None:
            change = tx.execute(LAST_CHANGE).scalar_one()
        found = self.known(change, day)
        if found is None:
            self.catalog = self.renewed(tx)
            found = self._read(tx, day)
            with self._lock:
                if len(self._known) > 40:
                    self._known.clear()
                self._known[change, day] = found
        return found

    def known(self, change: int, day: date) -> Directory | None:
        """The directory of a day after a change of units, where it was asked for before."""
        return self._known.get((change, day))

    def _read(self, tx: Connection, day: date) -> Directory:
        rows = tx.execute(select(units).where(in_force(units, day)).order_by(units.c.area, units.c.ref)).all()
        places = tx.execute(select(areas).where(in_force(areas, day)))
        known = [Area(a.code, a.name, a.parent, Level(a.level)) for a in places]
        strange = [a for a in known if self.catalog.areas.get(a.code) is None]
        table = self.catalog.areas.with_areas(strange) if strange else self.catalog.areas
        catalog = replace(self.catalog, areas=table, units=Units((unit_of(r) for r in rows), table))
        paths = {r.ref: r.path for r in rows}
        return Directory(catalog, paths, self._former(tx, day, paths))

    def _former(self, tx: Connection, day: date, paths: Mapping[str, str]) -> Mapping[str, tuple[str, ...]]:
        over = select(units.c.ref, units.c.path).where(units.c.until <= day).order_by(units.c.since.desc())
        found: dict[str, dict[str, None]] = {}
        for row in tx.execute(over):
            if row.path != paths.get(row.ref):
                found.setdefault(row.ref, {})[row.path] = None
        return {ref: tuple(ways) for ref, ways in found.items()}


def unit_of(row: Any) -> Unit:
    """A row as the core's unit."""
    plugin, _, short = row.ref.partition(".")
    return Unit(
        id=short or plugin,
        plugin=plugin if short else "",
        name=row.name,
        area=row.area,
        level=Level(row.level),
        role=row.role,
        parent=row.parent,
        aliases=tuple(row.aliases),
        opened=row.since,
        closed=row.until,
    )
