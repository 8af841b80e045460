"""The rows behind board, desk and due list; each function is one statement over slots that an index answers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, TypeAlias

from sqlalchemy import (
    ColumnElement,
    Connection,
    FunctionFilter,
    Integer,
    Select,
    UnaryExpression,
    and_,
    case,
    cast,
    extract,
    func,
    literal,
    null,
    or_,
    select,
)
from sqlalchemy.sql.operators import custom_op

from gmsafety.duties import BEIJING

from ...planning import NO_DEADLINE
from ...scope import within
from ...tables import AnyRow, audit, events, receipts, slots, submissions, unit_changes, units
from .tallies import Counts, Tally

Changes: TypeAlias = list[AnyRow]
"""Slots that were changed: campaign, item, period and unit."""

_SLOT = slots.c
_A_GREAT_DEAL = 500
_LATELY = timedelta(days=90)
_WEEK = timedelta(days=7)
_LAST = NO_DEADLINE - timedelta(seconds=1)


@dataclass(frozen=True)
class Reach:
    """Which slots a board is about: those in sight, of one item; perhaps of one level of units.

    Of the periods from `first` to `last`, or of `periods` alone.
    """

    seen: ColumnElement[bool]
    campaign: str
    item: str
    first: date | None = None
    last: date | None = None
    level: str | None = None
    periods: frozenset[date] | None = None

    def holds(self, campaign: str, item: str, period: date) -> bool:
        """Tell whether a slot of these may be among them."""
        in_time = (self.first or period) <= period <= (self.last or period)
        return in_time and (campaign, item) == (self.campaign, self.item)

    @property
    def condition(self) -> ColumnElement[bool]:
        """As a condition."""
        return self._condition(_SLOT.campaign, _SLOT.item)

    def along_paths(self, tx: Connection) -> ColumnElement[bool]:
        """The same for statements over whole units, which are to be read path by path.

        SQLite, which knows no numbers of rows, would find them by campaign and item, and sort them all.
        """
        if tx.dialect.name == "sqlite":
            return self._condition(_not_looked_up(_SLOT.campaign), _not_looked_up(_SLOT.item))
        return self.condition

    def _condition(self, campaign: ColumnElement[str], item: ColumnElement[str]) -> ColumnElement[bool]:
        parts = [campaign == self.campaign, item == self.item, self.seen]
        if self.periods is not None:
            parts.append(_SLOT.period.in_(self.periods))
        elif self.first is not None:
            parts.append(_SLOT.period >= self.first)
        if self.periods is None and self.last is not None:
            parts.append(_SLOT.period <= self.last)
        if self.level is not None:
            parts.append(_SLOT.unit.in_(select(units.c.ref).where(units.c.level == self.level)))
        return and_(*parts)


def _not_looked_up(column: ColumnElement[str]) -> ColumnElement[str]:
    """A column with a plus before it: the same value, found by no index."""
    return UnaryExpression(column, operator=custom_op("+"), type_=column.type)


def below(paths: Iterable[str]) -> ColumnElement[bool]:
    """The slots of units at these paths and of all below them."""
    return or_(*(within(_SLOT.path, path) for path in paths))


def _moment(now: datetime) -> tuple[datetime, date]:
    return now.replace(microsecond=0), now.astimezone(BEIJING).date()


def word_at(now: datetime) -> ColumnElement[str]:
    """The word of a slot at a moment: `states.standing` in SQL."""
    moment, today = _moment(now)
    waiting = case((_SLOT.opens > today, "not-due"), (_SLOT.due_at < moment, "missing"), else_="due")
    came = case((_SLOT.nil, "nil"), (_SLOT.received_at > _SLOT.due_at, "late"), else_="submitted")
    return case((_SLOT.state == "open", waiting), (_SLOT.state == "submitted", came), else_=_SLOT.state)


def _late_minutes() -> ColumnElement[int]:
    seconds = cast(extract("epoch", _SLOT.received_at) - extract("epoch", _SLOT.due_at), Integer)
    return case((_SLOT.received_at > _SLOT.due_at, (seconds + 59) // 60), else_=0)


def counted(now: datetime) -> list[ColumnElement[int] | FunctionFilter[int]]:
    """The columns of `Counts`, in its order."""
    moment, today = _moment(now)
    every, is_open = func.count(), _SLOT.state == "open"
    ahead, over = _SLOT.opens > today, _SLOT.due_at < moment
    return [
        func.count(_SLOT.received_at).label("received"),
        every.filter(_SLOT.received_at > _SLOT.due_at).label("late"),
        every.filter(_SLOT.nil).label("nil"),
        every.filter(and_(is_open, ~ahead, ~over)).label("due"),
        every.filter(and_(is_open, ~ahead, over)).label("missing"),
        every.filter(and_(is_open, ahead)).label("not_due"),
        every.filter(_SLOT.state == "submitted").label("submitted"),
        every.filter(_SLOT.state == "returned").label("returned"),
    ]


def tally_of(row: AnyRow) -> Tally:
    """The counts of a row; those that follow from others are not counted by the database."""
    return Tally.of_counts(Counts(*(getattr(row, name) for name in Counts._fields)))


def version(tx: Connection) -> tuple[int, int, bool]:
    """What has happened so far, and whether all of it is seen: equal versions mean equal slots.

    Every change writes to the audit log, or is a change of units. On PostgreSQL a transaction that is still under way
    may have a smaller number than one that is seen; then the version is not settled.
    """
    settled: ColumnElement[bool] = literal(True)
    if tx.dialect.name == "postgresql":
        now = func.pg_current_snapshot()
        settled = func.pg_snapshot_xmin(now) == func.pg_snapshot_xmax(now)
    last = select(func.coalesce(func.max(audit.c.id), 0)).scalar_subquery()
    change = select(func.coalesce(func.max(unit_changes.c.id), 0)).scalar_subquery()
    row = tx.execute(select(last, change, settled)).one()
    return int(row[0]), int(row[1]), bool(row[2])


def touched(tx: Connection, since: int) -> Changes | None:
    """The slots of which something was written after a place in the audit log; None where that is a great deal."""
    columns = (submissions.c.campaign, submissions.c.item, submissions.c.period, submissions.c.unit)
    query = select(*columns).distinct().select_from(audit).join(submissions, submissions.c.uid == audit.c.object)
    rows = list(tx.execute(query.where(audit.c.id > since).limit(_A_GREAT_DEAL + 1)).all())
    return rows if len(rows) <= _A_GREAT_DEAL else None


def paths(tx: Connection, reach: Reach) -> list[str]:
    """The paths of the units that have slots there; a unit that was moved has several."""
    return list(tx.execute(select(_SLOT.path).where(reach.along_paths(tx)).distinct()).scalars().all())


def groups(tx: Connection, reach: Reach) -> list[AnyRow]:
    """How many slots are alike, in the order of periods: `number` of them, and `late` of these came late."""
    alike = (_SLOT.period, _SLOT.due_at, _SLOT.opens, _SLOT.state, _SLOT.nil)
    late = func.count().filter(_SLOT.received_at > _SLOT.due_at).label("late")
    query = select(*alike, func.count().label("number"), late).where(reach.condition).group_by(*alike)
    return list(tx.execute(query.order_by(*alike)).all())


def cells(tx: Connection, reach: Reach, now: datetime, refs: list[str], *, names: bool) -> list[AnyRow]:
    """The cells of some units; `names` with the submissions behind them."""
    uid: ColumnElement[Any] = submissions.c.uid if names else null()
    columns = (word_at(now).label("word"), _late_minutes().label("late_minutes"), uid.label("submission"))
    query = select(_SLOT.unit, _SLOT.period, *columns, _SLOT.nil, _SLOT.revision)
    if names:
        query = query.outerjoin(submissions, submissions.c.id == _SLOT.submission_id)
    return list(tx.execute(query.where(_SLOT.unit.in_(refs), reach.condition)).all())


def children(tx: Connection, reach: Reach, now: datetime, tops: Iterable[str]) -> list[AnyRow]:
    """The counts of each unit directly below one, over everything below it; the unit's own stand under ``''``."""
    child = case(*((within(_SLOT.path, top), _next_part(tx, top)) for top in tops), else_="")
    query = select(child.label("unit"), *counted(now)).where(reach.condition)
    return list(tx.execute(query.group_by(child)).all())


def _next_part(tx: Connection, top: str) -> ColumnElement[str]:
    rest = func.substr(_SLOT.path, len(top) + 1)
    if tx.dialect.name == "postgresql":
        return func.split_part(rest, "/", 1)
    return func.substr(rest, 1, case((rest == "", 0), else_=func.instr(rest, "/") - 1))


def bodies(tx: Connection, refs: Iterable[str]) -> Mapping[str, AnyRow]:
    """The last rows of units that are not open any more, or not yet."""
    wanted = list(refs)
    if not wanted:
        return {}
    columns = (units.c.ref, units.c.name, units.c.area, units.c.level)
    return {r.ref: r for r in tx.execute(select(*columns).where(units.c.ref.in_(wanted)).order_by(units.c.since))}


def has_any(tx: Connection, reach: Reach) -> bool:
    """Tell whether there is anything to see."""
    return tx.execute(select(_SLOT.id).where(reach.condition).limit(1)).first() is not None


def filed_to(tx: Connection, unit: str) -> list[AnyRow]:
    """Which items are filed to a unit."""
    query = select(_SLOT.campaign, _SLOT.item).where(_SLOT.upper == unit, _SLOT.due_at < NO_DEADLINE).distinct()
    return list(tx.execute(query.order_by(_SLOT.campaign, _SLOT.item)).all())


def owed_by(tx: Connection, unit: str) -> list[AnyRow]:
    """Which items a unit owes."""
    query = select(_SLOT.campaign, _SLOT.item).where(_SLOT.unit == unit, _SLOT.due_at < NO_DEADLINE).distinct()
    return list(tx.execute(query.order_by(_SLOT.campaign, _SLOT.item)).all())


def owed(tx: Connection, unit: str, seen: ColumnElement[bool], between: tuple[date, date]) -> list[AnyRow]:
    """What a unit owes in a time: its slots, with the submission that counts, the draft, and why it was returned."""
    current, draft = submissions.alias("current"), submissions.alias("draft")
    last = select(func.max(events.c.id)).where(
        events.c.submission_id == _SLOT.submission_id, events.c.kind == "returned", _SLOT.state == "returned"
    )
    query: Select[Any] = (
        select(
            slots, current.c.uid.label("current_uid"), current.c.payload_hash, draft.c.uid.label("draft_uid"),
            events.c.text.label("returned_note"), events.c.data.label("returned_data"),
            events.c.at.label("returned_at"), events.c.unit.label("returned_by"),
        )
        .outerjoin(current, current.c.id == _SLOT.submission_id)
        .outerjoin(draft, and_(draft.c.slot_id == _SLOT.id, draft.c.state == "draft"))
        .outerjoin(events, events.c.id == last.correlate(slots).scalar_subquery())
    )  # fmt: skip
    dated = _SLOT.due_at < NO_DEADLINE
    condition = and_(_SLOT.unit == unit, seen, _SLOT.period >= between[0], _SLOT.period <= between[1], dated)
    return list(tx.execute(query.where(condition).order_by(_SLOT.due_at)).all())


def waiting(tx: Connection, upper: str, *, limit: int) -> list[AnyRow]:
    """What was filed to a unit and waits for its review, the earliest deadline first; `total` counts all of it."""
    columns = (submissions.c.uid, submissions.c.changed_at, func.count().over().label("total"))
    query = select(slots, *columns).join(submissions, submissions.c.id == _SLOT.submission_id)
    query = query.where(_SLOT.upper == upper, _SLOT.state == "submitted")
    return list(tx.execute(query.order_by(_SLOT.due_at, _SLOT.area, _SLOT.unit, _SLOT.item).limit(limit)).all())


def this_week(tx: Connection, upper: str, now: datetime) -> list[AnyRow]:
    """The counts of what is filed to a unit: each item's periods that have begun, up to a week after the deadline."""
    moment, today = _moment(now)
    due = func.max(_SLOT.due_at).label("due_at")
    query = select(_SLOT.campaign, _SLOT.duty, _SLOT.item, _SLOT.period, due, *counted(now))
    in_time = _SLOT.due_at.between(moment - _WEEK, _LAST)
    query = query.where(_SLOT.upper == upper, _SLOT.opens <= today, in_time)
    return list(tx.execute(query.group_by(_SLOT.campaign, _SLOT.duty, _SLOT.item, _SLOT.period)).all())


def absent(tx: Connection, upper: str, now: datetime) -> list[AnyRow]:
    """Who has not filed what was due in the last week, or is due in this one."""
    moment, today = _moment(now)
    query = select(_SLOT.campaign, _SLOT.item, _SLOT.period, _SLOT.unit, _SLOT.due_at).where(
        _SLOT.upper == upper, _SLOT.state == "open", _SLOT.opens <= today,
        _SLOT.due_at.between(moment - _WEEK, _LAST),
    )  # fmt: skip
    return list(tx.execute(query.order_by(_SLOT.due_at, _SLOT.item, _SLOT.area, _SLOT.unit).limit(200)).all())


def recent_receipts(tx: Connection, unit: str, now: datetime, *, limit: int) -> list[AnyRow]:
    """The last receipts that a unit was given: stored and decided; a checked one comes with each stored one."""
    columns = (receipts.c.kind, receipts.c.code, receipts.c.issued_at, submissions.c.uid)
    names = (_SLOT.campaign, _SLOT.duty, _SLOT.item, _SLOT.period)
    query = select(*columns, *names).join(submissions, submissions.c.id == receipts.c.submission_id)
    query = query.join(slots, _SLOT.id == submissions.c.slot_id)
    query = query.where(_SLOT.unit == unit, _SLOT.due_at >= now - _LATELY, receipts.c.kind != "checked")
    return list(tx.execute(query.order_by(receipts.c.id.desc()).limit(limit)).all())


def recent_events(tx: Connection, unit: str, user: int, now: datetime, *, limit: int) -> list[AnyRow]:
    """What others did last to a unit's own submissions, and to those that were filed to it."""
    columns = (events.c.kind, events.c.at, events.c.unit, events.c.text, submissions.c.uid)
    names = (_SLOT.campaign, _SLOT.duty, _SLOT.item, _SLOT.period, _SLOT.unit.label("filed_by"))
    query = select(*columns, *names).join(submissions, submissions.c.id == events.c.submission_id)
    query = query.join(slots, _SLOT.id == submissions.c.slot_id).where(_SLOT.due_at >= now - _LATELY)
    filed = and_(_SLOT.upper == unit, events.c.kind.not_in(("drafted", "redrafted")))
    others = or_(events.c.by_user.is_(None), events.c.by_user != user)
    query = query.where(or_(_SLOT.unit == unit, filed), others)
    return list(tx.execute(query.order_by(events.c.id.desc()).limit(limit)).all())
