"""Who may see and do what: the only place where that is decided.

A unit sees itself and those below it; what it does not see does not exist for it (404, never 403).
Paths of units end with a slash: `/shanxi.shanxi-office/shanxi.jincheng-office/`. A unit that was moved keeps what it
had under the paths it bore before; the unit it was moved from keeps what was filed to it until then.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_

from .errors import Problem


class Role(StrEnum):
    """What a person does in the unit; a person may have several roles."""

    CLERK = "clerk"
    REVIEWER = "reviewer"
    LEADER = "leader"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"

    @property
    def chinese(self) -> str:
        """The word shown on pages."""
        return _ROLE_NAMES[self.value]


_ROLE_NAMES = {"clerk": "经办", "reviewer": "审核", "leader": "领导", "administrator": "管理员", "auditor": "审计"}


class Relation(StrEnum):
    """How another unit stands to one's own."""

    SELF = "self"
    CHILD = "child"
    BELOW = "below"
    ABOVE = "above"
    OTHER = "other"


_S, _C, _B, _A = Relation.SELF, Relation.CHILD, Relation.BELOW, Relation.ABOVE
_DOWN = frozenset((_S, _C, _B))
_OWN = frozenset((_S,))
_EVERY = tuple(Role)
_READERS = (Role.CLERK, Role.REVIEWER, Role.LEADER, Role.AUDITOR)


def _to(roles: tuple[Role, ...], relations: frozenset[Relation]) -> Mapping[Role, frozenset[Relation]]:
    return MappingProxyType(dict.fromkeys(roles, relations))


PERMISSIONS: Mapping[str, Mapping[Role, frozenset[Relation]]] = MappingProxyType(
    {
        "catalog.read": _to(_EVERY, _OWN),
        "account.read": _to(_EVERY, _OWN),
        "account.own": _to(_EVERY, _OWN),
        "unit.read": _to(_EVERY, _DOWN | {_A}),
        "unit.change": _to((Role.ADMINISTRATOR,), _DOWN),
        "user.read": _to((Role.ADMINISTRATOR,), _DOWN),
        "user.change": _to((Role.ADMINISTRATOR,), _DOWN),
        "board.read": _to(_EVERY, _DOWN),
        "submission.read": _to(_READERS, _DOWN),
        "submission.file": _to((Role.CLERK,), _OWN),
        "submission.withdraw": _to((Role.CLERK,), _OWN),
        "submission.decide": _to((Role.REVIEWER,), frozenset((_C,))),
        "rollup.read": _to(_READERS, _DOWN),
        "rollup.write": _to((Role.CLERK,), _OWN),
        "feed.own": _to(_EVERY, _OWN),
        "exchange.read": _to((Role.ADMINISTRATOR,), _OWN),
        "exchange.change": _to((Role.ADMINISTRATOR,), _OWN),
        "audit.read": _to((Role.AUDITOR,), _DOWN),
    }
)
"""Action → role → the units, as they stand to one's own, on which the role may do it."""

_APART = ("user", "audit", "exchange")

SCOPES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "read": frozenset(
            a for a in PERMISSIONS if a.endswith(".read") and not a.startswith(("user", "audit", "exchange"))
        ),
        "file": frozenset(("submission.file", "submission.withdraw")),
        "review": frozenset(("submission.decide",)),
        "rollup": frozenset(("rollup.write",)),
        "account": frozenset(("account.own", "feed.own")),
        "admin": frozenset(
            ("unit.read", "unit.change", "user.read", "user.change", "exchange.read", "exchange.change")
        ),
        "audit": frozenset(("audit.read",)),
    }
)
"""What a token may be given: scope → the actions it opens, as far as its owner's roles open them."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody who is logged in; `scopes` is None for a session, and what a token was given for a token."""

    user_id: int
    login: str
    name: str
    unit: str
    path: str
    roles: frozenset[Role]
    scopes: frozenset[str] | None = None
    csrf: str = field(default="", repr=False)
    must_change: bool = False
    former: tuple[str, ...] = ()

    @property
    def actor(self) -> str:
        """How the audit log names them."""
        return f"{self.login}@{self.unit}"

    def relation(self, path: str) -> Relation:
        """How the unit at a path stands to one's own."""
        for own in (self.path, *self.former):
            if path == own:
                return Relation.SELF
            if path.startswith(own):
                return Relation.CHILD if path.count("/") == own.count("/") + 1 else Relation.BELOW
        return Relation.ABOVE if path in above(self.path) else Relation.OTHER

    def may(self, action: str, path: str | None = None) -> bool:
        """Tell whether the action is open on the unit at a path; without one, on any unit at all."""
        granted = [PERMISSIONS[action][r] for r in self.roles if r in PERMISSIONS[action]]
        if self.scopes is not None and not any(action in SCOPES[s] for s in self.scopes):
            return False
        return any(granted) if path is None else any(self.relation(path) in g for g in granted)


def require(viewer: Viewer, action: str, path: str, *, unseen: str = "") -> None:
    """Refuse what is not open: `not-found` for what is out of sight, `not-allowed` for what is in sight.

    `unseen` is what is said where there is no such thing at all; it is said of what is out of sight, too.
    """
    if viewer.relation(path) not in _DOWN | {Relation.ABOVE} or (
        viewer.relation(path) is Relation.ABOVE and Relation.ABOVE not in _relations(action)
    ):
        raise Problem("not-found", unseen)
    require_role(viewer, action)
    if not viewer.may(action, path):
        raise Problem("not-allowed")


def require_role(viewer: Viewer, action: str) -> None:
    """Refuse an action that the viewer may do nowhere."""
    if viewer.scopes is not None and not any(action in SCOPES[s] for s in viewer.scopes):
        raise Problem("out-of-scope")
    if not viewer.may(action):
        raise Problem("not-allowed")


def _relations(action: str) -> frozenset[Relation]:
    return frozenset().union(*PERMISSIONS[action].values())


def visible(viewer: Viewer, action: str, column: ColumnElement[Any]) -> ColumnElement[bool]:
    """The rows whose unit path the viewer may do the action on, as a condition."""
    may = {relation for relation, path in _examples(viewer).items() if viewer.may(action, path)}
    seen = [part for own in (viewer.path, *viewer.former) for part in _down(may, own, column)]
    if Relation.ABOVE in may:
        seen.append(column.in_(above(viewer.path)))
    return or_(false(), *seen)


def _examples(viewer: Viewer) -> Mapping[Relation, str]:
    own, uppers = viewer.path, above(viewer.path)
    examples = {Relation.SELF: own, Relation.CHILD: f"{own}x/", Relation.BELOW: f"{own}x/y/"}
    return examples | ({Relation.ABOVE: uppers[0]} if uppers else {})


def _down(may: set[Relation], own: str, column: ColumnElement[Any]) -> list[ColumnElement[bool]]:
    if may >= _DOWN:
        return [within(column, own)]
    further = column.like(f"{own.replace('_', '|_')}%/%/", escape="|")
    parts = {
        Relation.SELF: column == own,
        Relation.CHILD: and_(within(column, own), column != own, ~further),
        Relation.BELOW: and_(within(column, own), further),
    }
    return [condition for relation, condition in parts.items() if relation in may]


def above(path: str) -> list[str]:
    """The paths of the units above a unit, the highest first."""
    parts = path.strip("/").split("/")
    return [f"/{'/'.join(parts[:n])}/" for n in range(1, len(parts))]


def within(column: ColumnElement[Any], path: str) -> ColumnElement[bool]:
    """A unit and everything below it, as a range that an index answers."""
    return and_(column >= path, column < f"{path[:-1]}0")
