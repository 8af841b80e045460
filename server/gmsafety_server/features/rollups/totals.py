"""Sums of one form over the whole tree, in one statement: the numbers stay where they are, in the bodies."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Numeric,
    String,
    TableValuedAlias,
    and_,
    case,
    cast,
    column,
    func,
    literal,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB

from gmsafety.codes import Level
from gmsafety.forms.spec import Form

from ...directory import in_force
from ...tables import slots, submissions, units
from .repository import COUNTED
from .schemas import Basis

ROWS = "rows"
"""The path that stands for how many rows a ledger has."""


@dataclass(frozen=True, slots=True)
class TotalsAsked:
    """Which sums are wanted: of units of `level`, put together by the units of `by` above them."""

    period: date
    level: Level
    by: Level
    basis: Basis
    campaign: str | None


@dataclass(frozen=True, slots=True)
class Question:
    """What is summed: the form's numbers at these paths, of a period; groups are the units at this depth of the tree.

    `level` narrows to units of one level, `within` to those on and below a path. Depth 1 is the top of a path.
    """

    item: str
    paths: Sequence[str]
    period: date
    depth: int
    basis: str = "accepted"
    level: Level | None = None
    campaign: str | None = None
    within: ColumnElement[bool] | None = None


@dataclass(frozen=True, slots=True)
class Total:
    """The sums of one group: the path of its unit, how many reported and how many of them nil, the sum of each path."""

    path: str
    reporting: int
    nil: int
    sums: tuple[Decimal | None, ...]


def totals(tx: Connection, asked: Question) -> list[Total]:
    """Sum, in one statement. A path that nobody filled in is None."""
    found: FromClause = slots.join(submissions, submissions.c.id == slots.c.submission_id)
    group: ColumnElement[Any] = _head(tx, asked.depth)
    values: ColumnElement[Any] = submissions.c.body
    if tx.dialect.name == "postgresql":
        # As functions in FROM they are called once a row; else the body is unpacked anew for each number, and the
        # planner takes every row for a group of its own.
        head = _once(group, "head", String)
        content = _once(func.jsonb_extract_path(submissions.c.body, "values"), "content", JSONB)
        found, group, values = found.join(head, true()).join(content, true()), head.c.value, content.c.value
    counts = (func.count().label("reporting"), func.sum(case((submissions.c.nil, 1), else_=0)).label("nil"))
    query = select(group, *counts, *(func.sum(_number(tx, values, p)) for p in asked.paths)).select_from(found)
    wanted = [slots.c.item == asked.item, slots.c.period == asked.period]
    wanted.append(submissions.c.state.in_(COUNTED[asked.basis]))
    if asked.campaign is not None:
        wanted.append(slots.c.campaign == asked.campaign)
    if asked.within is not None:
        wanted.append(asked.within)
    if asked.level is not None:
        then = and_(units.c.ref == slots.c.unit, in_force(units, asked.period))
        query = query.join(units, then)
        wanted.append(units.c.level == asked.level.value)
    rows = tx.execute(query.where(*wanted).group_by(group).order_by(group))
    return [Total(r[0], r[1], r[2] or 0, tuple(_exact(v) for v in r[3:])) for r in rows]


def _once(called: Any, name: str, kind: Any) -> TableValuedAlias:
    return called.table_valued(column("value", kind)).render_derived(name=name)  # type: ignore[no-any-return]


def _number(tx: Connection, values: ColumnElement[Any], path: str) -> ColumnElement[Any]:
    """A number of a form where it stands in the body; how many rows a ledger has."""
    if path == ROWS and tx.dialect.name == "sqlite":
        return func.json_array_length(submissions.c.body, f"$.{ROWS}")
    if path == ROWS:
        return func.jsonb_array_length(submissions.c.body[ROWS])
    if tx.dialect.name == "postgresql":
        return cast(values[*path.split(".")].astext, Numeric(asdecimal=False))
    number: ColumnElement[Any] = submissions.c.body["values", *path.split(".")].as_numeric(30, 4, asdecimal=False)
    return number


def _head(tx: Connection, depth: int) -> ColumnElement[str]:
    """The path of the unit at a depth above a slot's unit; that of the unit itself where it stands higher."""
    find = func.instr if tx.dialect.name == "sqlite" else func.strpos
    end: ColumnElement[Any] = literal(1)
    for _ in range(depth):
        end = end + find(func.substr(slots.c.path, end + 1), "/")
    return func.substr(slots.c.path, 1, end)


def _exact(value: Any) -> Decimal | None:
    """A sum to the cent, whichever number the database gave."""
    return None if value is None else round(Decimal(str(value)), 2)


def summed_paths(form: Form, level: Level, by: Level) -> list[str]:
    """The numbers that are sums all the way: by every step declared between the levels, or by any where none is.

    A ledger has one: its rows.
    """
    if form.is_grid:
        return [ROWS]
    order = list(Level)
    way = [
        step
        for name, step in form.rollup.items()
        if order.index(by) <= order.index(_level(name, 1)) and order.index(_level(name, 0)) <= order.index(level)
    ]
    numeric = [p for p, b in form.blanks.items() if b.kind.numeric]
    if way:
        return [p for p in numeric if all(_matches(p, step.sum) for step in way)]
    return [p for p in numeric if any(_matches(p, step.sum) for step in form.rollup.values())]


def _level(name: str, end: int) -> Level:
    return Level(name.partition("->")[2 * end].strip())


def _matches(path: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(path, pattern) for pattern in patterns)


def folded(found: list[Total], heads: dict[str, str]) -> dict[str | None, Total]:
    """Put groups together by the unit of the level above each; `heads` gives the units of that level by path."""
    merged: dict[str | None, Total] = {}
    for one in found:
        path = next((p for p in _ways_up(one.path) if p in heads), None)
        unit = heads[path] if path is not None else None
        before = merged.get(unit)
        merged[unit] = one if before is None else plus(before, one)
    return merged


def _ways_up(path: str) -> list[str]:
    parts = path.strip("/").split("/")
    return [f"/{'/'.join(parts[:n])}/" for n in range(len(parts), 0, -1)]


def plus(one: Total, other: Total) -> Total:
    """Two groups as one."""
    pairs = zip(one.sums, other.sums, strict=True)
    sums = tuple(b if a is None else a if b is None else a + b for a, b in pairs)
    return Total(one.path, one.reporting + other.reporting, one.nil + other.nil, sums)
