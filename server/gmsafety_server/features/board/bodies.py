"""The units that a board or list is about: how they are named and found."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from ...directory import Directory
from . import repository
from .choosing import Chosen
from .remembered import Counted, Look


@dataclass(frozen=True, slots=True)
class Body:
    """A unit as a board names it."""

    ref: str
    name: str
    area: str
    level: str

    def is_called(self, words: list[str]) -> bool:
        """Tell whether every word is in its name, or begins its reference or its area's code."""
        return all(w in self.name or w in self.ref or self.area.startswith(w) for w in words)


def find_bodies(
    tx: Connection, directory: Directory, look: Look, chosen: Chosen, today: date, refs: Callable[[], Iterable[str]]
) -> list[Body]:
    """The units that have slots, in the order of their areas; `refs` names them where they are not remembered."""

    def every() -> Counted[list[Body]]:
        return Counted([Body(u.ref, u.name, u.area, u.level.value) for u in directory.units.values()])

    def find() -> Counted[list[Body]]:
        named = set(refs())
        found = [b for b in look.get(("bodies", today), None, every).value if b.ref in named]
        gone = repository.bodies(tx, named - directory.paths.keys()).values()
        if gone:
            found += [Body(u.ref, u.name, u.area, u.level) for u in gone]
            found.sort(key=lambda b: (b.area, b.ref))
        return Counted(found)

    return look.get(("units", chosen.key, today), None, find).value
