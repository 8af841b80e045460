"""One change of units being carried out: what every kind of it is made of, and who may do it.

What becomes of a unit is decided above it: its own administrator opens and moves those below, but neither closes it
nor frees it of a duty.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from sqlalchemy import Connection

from gmsafety import Catalog
from gmsafety.codes import Level

from ...directory import unit_of
from ...errors import Problem
from ...scope import Viewer, above, require
from ...seeding import assign_by_role
from ...tables import AnyRow
from . import repository
from .schemas import NewUnit

_DEEPEST = 9
_LONGEST = 600


def refused(field: str, said: str, **more: Any) -> Problem:
    """What is wrong with what was asked for."""
    return Problem("not-valid", said, errors=[{"field": field, "message": said}], **more)


class Work:
    """A change on a day; `effects` is what it does to which unit, `data` what the history tells."""

    def __init__(self, tx: Connection, catalog: Catalog, viewer: Viewer | None, day: date, number: int) -> None:
        self.tx, self.catalog, self.viewer, self.day, self.number = tx, catalog, viewer, day, number
        self.effects: dict[str, tuple[str, str]] = {}
        self.data: dict[str, Any] = {}

    def find(self, ref: str) -> AnyRow:
        """A unit in sight as it is on the day, to which nothing else happens later."""
        row, unseen = repository.on(self.tx, ref, self.day), f"{self.day}没有编号为“{ref}”的单位，或不在您的管理范围"
        if row is None:
            raise Problem("not-found", unseen)
        if self.viewer is not None:
            require(self.viewer, "unit.read", row.path, unseen=unseen)
        self._nothing_later([ref])
        if row.until is not None:
            raise Problem("wrong-state", f"“{row.name}”已定于{row.until}撤销")
        return row

    def _nothing_later(self, refs: Iterable[str]) -> None:
        later = repository.beginning_after(self.tx, refs, self.day)
        if later is not None:
            raise Problem("wrong-state", f"“{later.name}”已有{later.since}起的变更，变更日期不能早于它")

    def alter(self, ref: str) -> AnyRow:
        """A unit whose fate the viewer decides."""
        row = self.find(ref)
        decides = (above(row.path) or [row.path])[-1]
        if self.viewer is not None and not self.viewer.may("unit.change", decides):
            raise Problem("not-allowed", f"“{row.name}”的变更由上级单位的管理员办理")
        return row

    def under(self, ref: str) -> AnyRow:
        """A unit below which the viewer may put another."""
        row = self.find(ref)
        if self.viewer is not None:
            require(self.viewer, "unit.change", row.path)
        self._nothing_later(row.path.strip("/").split("/"))
        return row

    def happened(self, row: AnyRow, effect: str) -> None:
        """Remember what happens to a unit; the first that is said of it stays."""
        self.effects.setdefault(row.ref, (row.name, effect))

    def open(self, told: NewUnit, *, parent: str | None, like: AnyRow | None = None) -> AnyRow:
        """Set up a unit; `like` gives what is not said."""
        upper = self.under(parent) if parent else None
        if upper is None and self.viewer is not None:
            raise refused("parent", "请写明上级单位")
        self._free(told.ref)
        self._name_free(told.name, parent)
        values = self._described(told, upper, like)
        path = self._fitting(f"{upper.path if upper is not None else '/'}{told.ref}/")
        dated = {"since": self.day, "until": None, "change_id": self.number}
        aliases = list(dict.fromkeys(told.aliases))
        repository.add(self.tx, {**values, "parent": parent, "path": path, "aliases": aliases, **dated})
        row = repository.on(self.tx, told.ref, self.day)
        assert row is not None
        self.happened(row, "opened")
        return row

    def _free(self, ref: str) -> None:
        """Refuse the reference of another unit; one that was closed may be opened again by who could have closed it."""
        for row in repository.spells(self.tx, ref):
            over = row.until is not None and row.until <= self.day
            mine = self.viewer is None or self.viewer.may("unit.change", (above(row.path) or [row.path])[-1])
            if not over or not mine:
                raise refused("ref", f"编号“{ref}”已用过，请换一个")

    def _name_free(self, name: str, parent: str | None) -> None:
        if any(c.name == name for c in repository.children(self.tx, parent or "", self.day)):
            raise refused("name", f"上级单位下已有“{name}”")

    def _fitting(self, path: str) -> str:
        if len(path) > _LONGEST or path.count("/") > _DEEPEST + 1:
            raise refused("parent", f"单位层级太多：不超过{_DEEPEST}级")
        return path

    def _described(self, told: NewUnit, upper: AnyRow | None, like: AnyRow | None) -> dict[str, Any]:
        area = told.area or getattr(like, "area", None) or getattr(upper, "area", None)
        level = told.level or getattr(like, "level", None) or getattr(upper, "level", None)
        role = told.role or getattr(like, "role", None)
        if area is None or self.catalog.areas.get(area) is None:
            raise refused("area", f"没有行政区划代码“{area or ''}”")
        if role is None:
            raise refused("role", "请写明角色")
        if level is None:
            raise refused("level", "请写明级别")
        if upper is not None and Level(level).depth < Level(upper.level).depth:
            raise refused("level", f"{Level(level).chinese}单位不能在{Level(upper.level).chinese}单位之下")
        return {"ref": told.ref, "name": told.name, "area": area, "level": str(level), "role": role}

    def give_duties(self, row: AnyRow, heritage: Iterable[tuple[AnyRow, list[AnyRow]]] = ()) -> None:
        """What a new unit owes: what those owed that it comes from, or else what its role owes in its area."""
        before = list(heritage)
        if not before or any(old.role != row.role for old, _ in before):
            assign_by_role(self.tx, self.catalog, [unit_of(row)], self.day, self.number)
            return
        owed = {(o.campaign, o.duty): o.by_hand for _, rows in before for o in rows if o.since <= self.day}
        dated = {"since": self.day, "until": None, "change_id": self.number}
        told = [{"unit": row.ref, "campaign": c, "duty": d, "by_hand": h, **dated} for (c, d), h in owed.items()]
        repository.owe(self.tx, told)

    def owed(self, row: AnyRow) -> tuple[AnyRow, list[AnyRow]]:
        """A unit with what it owes."""
        return row, repository.owed(self.tx, row.ref, self.day)

    def close(self, row: AnyRow) -> None:
        """Close a unit that has none below it."""
        below = repository.children(self.tx, row.ref, self.day)
        if below:
            names = "、".join(c.name for c in below)
            listed = [{"ref": c.ref, "name": c.name} for c in below]
            said = f"“{row.name}”还有{len(below)}个下级单位：{names}。请先划转或撤销"
            raise Problem("wrong-state", said, units=listed)
        if row.since >= self.day:
            raise Problem("wrong-state", f"“{row.name}”{row.since}才设立或变更，撤销日期至少晚一天")
        repository.end(self.tx, row, self.day)
        repository.owe_no_longer(self.tx, repository.owed(self.tx, row.ref, self.day), self.day)
        self.happened(row, "closed")

    def move(self, row: AnyRow, to: str) -> None:
        """Put a unit, with all below it, under another."""
        upper = self.under(to)
        if upper.path.startswith(row.path):
            raise refused("to", "不能划到自己或自己的下级之下")
        if row.parent == to:
            raise refused("to", f"“{row.name}”已在“{upper.name}”之下")
        self._name_free(row.name, to)
        before, after = len(row.path), f"{upper.path}{row.ref}/"
        for each in repository.subtree(self.tx, row.path, self.day):
            parent = to if each.ref == row.ref else each.parent
            self._turn(each, {"path": self._fitting(f"{after}{each.path[before:]}"), "parent": parent})
            self.happened(each, "moved")

    def rename(self, row: AnyRow, name: str) -> None:
        """Give a unit another name; by the old one it is still found."""
        if name == row.name:
            raise refused("name", "名称没有变化")
        self._name_free(name, row.parent)
        aliases = list(dict.fromkeys([*row.aliases, row.name]))
        self._turn(row, {"name": name, "aliases": aliases})
        self.happened(row, "renamed")

    def _turn(self, row: AnyRow, values: Mapping[str, Any]) -> None:
        repository.turn(self.tx, row, self.day, self.number, values)
