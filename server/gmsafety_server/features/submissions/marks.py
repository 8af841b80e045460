"""What is marked at submissions beside their state: that a roll-up is in doubt, or out of date; that one is freed."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, and_, bindparam, insert, select

from ...scope import above
from ...tables import AnyRow, doubts, events, handovers, outdated, rollup_filings, rollups, submissions

_MADE_ABOVE = select(rollups.c.id).where(
    rollups.c.unit == bindparam("upper"), rollups.c.campaign == bindparam("campaign"),
    rollups.c.item == bindparam("item"), rollups.c.period == bindparam("period"), rollups.c.submission_id.is_not(None),
)  # fmt: skip
_DOUBT = insert(doubts).from_select(["rollup_id"], _MADE_ABOVE)


def doubt_above(tx: Connection, row: Any) -> None:
    """Note that what was filed above as made of this submission may be out of date, or up to date again."""
    if row.upper is not None:
        tx.execute(_DOUBT, {n: getattr(row, n) for n in ("upper", "campaign", "item", "period")})


def outdated_of(tx: Connection, submission: int) -> AnyRow | None:
    """Why a submission is out of date, where it is."""
    return tx.execute(select(outdated).where(outdated.c.submission_id == submission)).first()


def last_kind(tx: Connection, submission: int, kinds: Iterable[str]) -> str | None:
    """What happened last to a submission, of certain things."""
    query = select(events.c.kind).where(events.c.submission_id == submission, events.c.kind.in_(list(kinds)))
    return tx.execute(query.order_by(events.c.id.desc()).limit(1)).scalar()


def free_draft(tx: Connection, slot: int) -> None:
    """Have the draft of a slot correct nothing: what it was to correct is taken back."""
    mine = and_(submissions.c.slot_id == slot, submissions.c.state == "draft")
    tx.execute(submissions.update().where(mine).values(supersedes=None, etag=submissions.c.etag + 1))


def unfile_rollup(tx: Connection, submission: int) -> None:
    """Have the roll-up that a submission was filed from be one that is not filed."""
    mine = rollups.c.submission_id == submission
    tx.execute(rollups.update().where(mine).values(state="draft", etag=rollups.c.etag + 1))


def rollup_of(tx: Connection, submission: int) -> str | None:
    """The roll-up that a submission was filed from here."""
    query = select(rollups.c.uid).join(rollup_filings, rollup_filings.c.rollup_id == rollups.c.id)
    return tx.execute(query.where(rollup_filings.c.submission_id == submission)).scalar()


def went_over(tx: Connection, path: str) -> AnyRow | None:
    """The hand-over with which the unit at a path, or one above it, went to another node."""
    return _gone(tx, path, "out")


def came_over(tx: Connection, path: str) -> AnyRow | None:
    """The hand-over with which the unit at a path, or one above it, came from another node."""
    return _gone(tx, path, "in")


def _gone(tx: Connection, path: str, direction: str) -> AnyRow | None:
    done = (handovers.c.direction == direction, handovers.c.state == "done")
    query = select(handovers).where(handovers.c.path.in_([*above(path), path]), *done)
    return tx.execute(query.order_by(handovers.c.id.desc()).limit(1)).first()
