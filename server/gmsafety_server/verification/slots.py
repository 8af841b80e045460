"""Does every slot say what its submissions say: state, revision, nil, when the first came in."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, and_, case, func, or_, select

from ..tables import AnyRow, slots, submissions
from .report import Check, Faults

_UPPER_HAND = ("submitted", "accepted", "returned")


def verify_slots(tx: Connection) -> Check:
    """Compare every slot with the submissions filed for it."""
    faults = Faults()
    count, filled = tx.execute(select(func.count(), func.count(slots.c.submission_id)).select_from(slots)).one()
    for row in tx.execute(_side_by_side(), execution_options={"yield_per": 2000}):
        faults.extend(f"{row.unit} {row.period} {row.item}：{wrong}" for wrong in _wrong(row))
    faults.extend(_astray(tx))
    return Check("slots", "应报任务", {"slots": count, "filled": filled}, faults.all())


def _side_by_side() -> Any:
    filed, back = submissions.c.state != "draft", submissions.alias("back")
    mine = (back.c.slot_id == submissions.c.slot_id, back.c.state == "withdrawn")  # what came in for nothing
    last = select(func.max(back.c.revision)).where(*mine).scalar_subquery()
    counts = submissions.c.revision > func.coalesce(last, 0)
    told = select(
        submissions.c.slot_id,
        func.min(case((counts, submissions.c.received_at))).label("first"),
        func.max(case((filed, submissions.c.revision))).label("latest"),
        func.max(case((submissions.c.state == "withdrawn", submissions.c.revision))).label("withdrawn"),
        func.sum(case((submissions.c.state.in_(_UPPER_HAND), 1), else_=0)).label("open"),
        func.sum(case((submissions.c.state == "draft", 1), else_=0)).label("drafts"),
        func.sum(case((and_(filed, submissions.c.received_at.is_(None)), 1), else_=0)).label("undated"),
    )
    sums = told.group_by(submissions.c.slot_id).subquery()
    now = submissions.alias("now")
    joined = slots.outerjoin(sums, sums.c.slot_id == slots.c.id).outerjoin(now, now.c.id == slots.c.submission_id)
    current = [now.c[n].label(f"now_{n}") for n in ("id", "slot_id", "state", "revision", "nil")]
    touched = or_(sums.c.slot_id.is_not(None), slots.c.submission_id.is_not(None), slots.c.state != "open")
    return select(slots, *sums.c, *current).select_from(joined).where(touched)


def _wrong(row: AnyRow) -> Iterator[str]:
    drafts = row.drafts or 0
    if drafts > 1:
        yield f"有{drafts}份草稿"
    if row.undated:
        yield "有报送没有收到时间"
    if row.submission_id is None:
        empty = row.state == "open" and not row.nil and row.received_at is None
        if row.latest != row.withdrawn or row.revision != (row.withdrawn or 0) or not empty:
            yield "没有现行的报送，状态却不是未报"
        return
    if row.now_id is None or row.now_slot_id != row.id:
        yield "现行的报送不是这项任务的"
        return
    if (row.state, row.revision, row.nil) != (row.now_state, row.now_revision, row.now_nil):
        yield f"写明{row.state}第{row.revision}版，现行的报送是{row.now_state}第{row.now_revision}版"
    if row.latest != row.now_revision:
        yield f"现行的是第{row.now_revision}版，最新的却是第{row.latest}版"
    if row.first is None or row.received_at != row.first.replace(microsecond=0):
        yield f"首次收到时间写明{row.received_at}，最早的报送是{row.first}"


def _astray(tx: Connection) -> Iterator[str]:
    """Submissions that say another unit, item or period than their slot, or more than one that waits or is accepted."""
    same = ("campaign", "item", "period", "unit")
    differ = or_(*(submissions.c[n] != slots.c[n] for n in same), submissions.c.sender != slots.c.unit)
    query = select(submissions.c.uid).join(slots).where(differ).limit(1000)
    yield from (f"报送 {uid} 与它的任务不是同一单位、表和期次" for uid in tx.execute(query).scalars())
    in_force = submissions.c.state.in_(("submitted", "accepted"))
    counted = select(submissions.c.slot_id).where(in_force).group_by(submissions.c.slot_id).having(func.count() > 1)
    for number in tx.execute(counted.limit(1000)).scalars():
        yield f"任务 {number} 有几份报送同时有效"
