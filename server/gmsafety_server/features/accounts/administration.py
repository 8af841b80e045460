"""The accounts of one's own unit and those below, as an administrator looks after them."""

import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from ... import audit, auth
from ...errors import Problem
from ...node import Node
from ...scope import Role, Viewer, require, visible
from ...tables import AnyRow, units
from ...web import Paging
from . import repository
from .schemas import UserChange, UserIn

COMMAND_LINE = "命令行"
_UNSEEN = "没有这个单位，或不在您的管理范围"
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is taken for another


def new_password() -> str:
    """A password that can be read out over the telephone: about 79 bits."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4))


def summary(row: AnyRow) -> dict[str, Any]:
    """An account as a line of a list."""
    same = ("login", "name", "unit", "unit_name", "must_change", "locked_until", "disabled_at", "created_at")
    return {**{n: getattr(row, n) for n in same}, "roles": row.roles}


def listed(
    tx: Connection, node: Node, viewer: Viewer | None, filters: dict[str, Any], paging: Paging
) -> tuple[list[dict[str, Any]], int]:
    """A page of the accounts in sight; without a viewer, of all."""
    seen = visible(viewer, "user.read", units.c.path) if viewer is not None else units.c.path != ""
    day = node.clock.today()
    rows, total = repository.listed(tx, seen, filters, day, offset=paging.offset, limit=paging.size)
    return [summary(r) for r in rows], total


def find(tx: Connection, node: Node, viewer: Viewer | None, action: str, login: str, *, lock: bool = False) -> AnyRow:
    """An account in sight."""
    row = repository.one(tx, login, node.clock.today(), lock=lock)
    if row is None:
        raise Problem("not-found")
    if viewer is not None:
        require(viewer, action, row.path)
    return row


def _place(tx: Connection, node: Node, viewer: Viewer | None, unit: str) -> str:
    """Where a unit stands that an account is to belong to; only one in sight."""
    directory = node.directory(tx)
    if unit not in directory.paths:
        raise Problem("not-found", _UNSEEN)
    if viewer is not None:
        require(viewer, "user.change", directory.paths[unit], unseen=_UNSEEN)
    return directory.paths[unit]


@dataclass(frozen=True, slots=True)
class Given:
    """A password that was given to somebody, hashed; as a rule they have to change it at the next log-in."""

    hashed: str
    must_change: bool = True


def add(tx: Connection, node: Node, viewer: Viewer | None, told: UserIn, password: Given) -> None:
    """Make an account."""
    path, now = _place(tx, node, viewer, told.unit), node.clock.now()
    values = {
        "login": told.login, "name": told.name, "unit": told.unit, "roles": _roles(told.roles),
        "password": password.hashed, "must_change": password.must_change, "failures": 0,
        "created_at": now, "changed_at": now,
    }  # fmt: skip
    try:
        with tx.begin_nested():
            repository.add(tx, values)
    except IntegrityError as error:
        wrong = [{"field": "login", "message": "已有这个账号名"}]
        raise Problem("not-valid", f"已有账号“{told.login}”，请换一个账号名", errors=wrong) from error
    data = {"name": told.name, "unit": told.unit, "roles": values["roles"]}
    audit.record(tx, now, _actor(viewer), "user.added", told.login, path=path, **data)


def change(
    tx: Connection, node: Node, viewer: Viewer | None, login: str, told: UserChange, password: Given | None = None
) -> None:
    """Change an account; `password` is its new one, where one is given."""
    row = find(tx, node, viewer, "user.change", login, lock=True)
    now = node.clock.now()
    if told.unit is not None:
        _place(tx, node, viewer, told.unit)
    values = _values(row, told, now)
    if password is not None:
        given = {"password": password.hashed, "must_change": password.must_change}
        values |= {**given, "failures": 0, "locked_until": None}
    if not values:
        return
    _keep_an_administrator(tx, node, row, values)
    repository.change(tx, row.id, {**values, "changed_at": now})
    if password is not None or "disabled_at" in values:
        auth.close_sessions(tx, row.id)
    if password is not None or values.get("disabled_at"):  # whoever knew the old one may have made tokens with it
        auth.revoke_tokens(tx, row.id, now)
    data = {
        **told.model_dump(mode="json", exclude_none=True, exclude={"password"}),
        "password_reset": password is not None,
    }
    audit.record(tx, now, _actor(viewer), "user.changed", login, path=row.path, **data)


def _values(row: AnyRow, told: UserChange, now: Any) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if told.name is not None:
        values["name"] = told.name
    if told.unit is not None:
        values["unit"] = told.unit
    if told.roles is not None:
        values["roles"] = _roles(told.roles)
    if told.disabled is not None and told.disabled != (row.disabled_at is not None):
        values["disabled_at"] = now if told.disabled else None
    if told.unlock:
        values |= {"failures": 0, "locked_until": None}
    return values


def _keep_an_administrator(tx: Connection, node: Node, row: AnyRow, values: dict[str, Any]) -> None:
    """Refuse to take away the last account of the node that can look after accounts."""
    if Role.ADMINISTRATOR not in row.roles or row.disabled_at is not None:
        return
    roles, unit = values.get("roles", row.roles), values.get("unit", row.unit)
    open_units = node.directory(tx).paths
    if values.get("disabled_at") is None and Role.ADMINISTRATOR in roles and unit in open_units:
        return
    others = [r for r in repository.lock_with_role(tx, Role.ADMINISTRATOR) if r.id != row.id and r.unit in open_units]
    if not others:
        raise Problem("last-administrator")


def _roles(roles: list[Role]) -> list[str]:
    return [r.value for r in Role if r in roles]


def _actor(viewer: Viewer | None) -> str:
    return viewer.actor if viewer is not None else COMMAND_LINE
