"""What differs between this node and others, as tasks for people: noted, settled by itself, or put away by hand."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, func, insert, select, update

from gmsafety.exchange.reconciling import Number

from ... import audit
from ...errors import Problem
from ...mail.books import runs, within
from ...node import Node
from ...tables import AnyRow, exchange_tasks, inbox, outbox
from ...templating import beijing
from . import repository

HELD_LONG = timedelta(minutes=30)
"""How long messages wait for a missing one until people are told."""
NEAR = timedelta(hours=24)
"""How long before its deadline a message that was refused is told."""
_LIMIT = 1000


class Words(NamedTuple):
    """A kind of difference in words: its name, what it is, what to do."""

    title: str
    text: str
    remedy: str


KINDS: Mapping[str, Words] = MappingProxyType(
    {
        "missing_there": Words(
            "对方缺少", "本节点已送达的第{numbers}件，对方说没有",
            "已列入重发，送达后自行了结；久不了结的，请对方查看收件",
        ),
        "missing_here": Words(
            "本节点缺少", "对方发过的第{numbers}件，本节点没有",
            "已请对方重发，收到后自行了结；久不了结的，请对方查看被拒收的发件",
        ),
        "lost": Words(
            "两边都没有", "{whose}第{numbers}件，两边都没有了",
            "请核对恢复备份前后的报送，漏的重报；办完后了结",
        ),
        "forked": Words(
            "内容分叉", "同一编号两边内容不同",
            "请两边管理员核对这一段的收件和发件；程序不会覆盖任何一边",
        ),
        "gap": Words("缺件", "缺第{numbers}件，后面的已等了半小时以上", "请对方查看被拒收的发件，改正后重发"),
        "dead": Words(
            "拒收将误期", "发件第{numbers}件被对方拒收，将误截止时间",
            "请在“发件”里查看原因，改正后“重发”",
        ),
        "foreign": Words(
            "副本不符", "对方交还的一件，不是本节点发过的",
            "请两边核对密钥和恢复的经过；没有放回任何内容",
        ),
        "unplaced": Words(
            "未能放回", "对方交还的一件报送，未能放回原处",
            "请经办人核对这一期，需要时重报；原件在发件里",
        ),
    }
)  # fmt: skip
STATES: Mapping[str, str] = MappingProxyType(
    {"open": "待办", "done": "已处理", "dismissed": "不需处理", "settled": "已自行了结"}
)
STATED = ("missing_there", "missing_here", "lost", "forked")
"""Kinds that a statement shows, or shows no longer."""
_SEEN = ("gap", "dead")
_LASTING = ("lost", "foreign", "unplaced")
_OURS, _THEIRS = "out ", "in "


@dataclass(frozen=True, slots=True)
class Found:
    """A difference: with which node, of what kind, about what, which numbers (first and last of each run)."""

    peer: str
    kind: str
    object: str
    numbers: tuple[tuple[int, int], ...] = ()
    detail: str | None = None


def of_numbers(peer: str, kind: str, numbers: Iterable[Number], *, mark: str = "") -> Iterator[Found]:
    """Differences of numbers: one for each epoch."""
    by_epoch: dict[str, list[tuple[int, int]]] = {}
    for epoch, first, last in runs(numbers):
        by_epoch.setdefault(epoch, []).append((first, last))
    for epoch, found in by_epoch.items():
        yield Found(peer, kind, f"{mark}{epoch}", tuple(found))


def lost_of(peer: str, epoch: str, numbers: Iterable[int], *, is_ours: bool) -> Iterator[Found]:
    """Messages that neither node has any more."""
    return of_numbers(peer, "lost", ((epoch, n) for n in numbers), mark=_OURS if is_ours else _THEIRS)


def note(
    tx: Connection, now: datetime, found: Iterable[Found], *, kinds: Collection[str], peer: str | None = None
) -> int:  # fmt: skip
    """Bring the tasks of these kinds into line with what was found, of one node or of all; returns how many changed."""
    changes = list(_changes(tx, now, list(found), kinds, peer))
    for number, values in changes:
        if number is None:
            tx.execute(insert(exchange_tasks).values(values))
        else:
            tx.execute(update(exchange_tasks).where(exchange_tasks.c.id == number).values(values))
    return len(changes)


def add(tx: Connection, now: datetime, found: Found) -> None:
    """Note one difference; one that was noted before stays as it is."""
    same = [exchange_tasks.c[n] == getattr(found, n) for n in ("peer", "kind", "object")]
    if tx.execute(select(exchange_tasks.c.id).where(*same)).first() is None:
        values = {"peer": found.peer, "kind": found.kind, "object": found.object, "detail": found.detail}
        tx.execute(insert(exchange_tasks).values(**values, numbers=[], state="open", since=now, changed_at=now))


def _changes(
    tx: Connection, now: datetime, found: list[Found], kinds: Collection[str], peer: str | None
) -> Iterator[tuple[int | None, dict[str, Any]]]:
    query = select(exchange_tasks).where(exchange_tasks.c.kind.in_(list(kinds)))
    rows = tx.execute(query if peer is None else query.where(exchange_tasks.c.peer == peer))
    before = {(r.peer, r.kind, r.object): r for r in rows}
    for one in found:
        row = before.pop((one.peer, one.kind, one.object), None)
        numbers = [list(run) for run in one.numbers]
        told: dict[str, Any] = {"numbers": numbers, "detail": one.detail, "changed_at": now}
        again = {**told, "state": "open", "since": now, "reason": None, "actor": None}
        if row is None:
            yield None, {**again, "peer": one.peer, "kind": one.kind, "object": one.object}
        elif row.state == "settled" or _is_more(row, numbers) or (row.state == "done" and _comes_again(row)):
            yield row.id, again
        elif row.state == "open" and (row.numbers, row.detail) != (numbers, one.detail):
            yield row.id, told
    for row in before.values():
        if row.state == "open" and row.kind not in _LASTING:
            yield row.id, {"state": "settled", "changed_at": now}


def _is_more(row: AnyRow, numbers: list[list[int]]) -> bool:
    """Tell whether numbers are among those found that a person has not seen."""
    seen = [tuple(run) for run in row.numbers]
    return row.state != "open" and any(not any(a <= first and last <= b for a, b in seen) for first, last in numbers)


def _comes_again(row: AnyRow) -> bool:
    """Tell whether it was said to be done, and a statement shows that it is not."""
    return row.kind in STATED and row.kind not in _LASTING


def look_around(node: Node) -> int:
    """Note what people should see to, and settle what has come in order since; returns how many tasks changed."""
    now = node.clock.now()
    with node.db.read() as tx:
        if not list(_changes(tx, now, _seen(tx, now), _SEEN, None)) and not _in_order(tx):
            return 0
    with node.db.write() as tx:
        changed = note(tx, now, _seen(tx, now), kinds=_SEEN)
        settled = _in_order(tx)
        if settled:
            mark = update(exchange_tasks).where(exchange_tasks.c.id.in_(settled))
            tx.execute(mark.values(state="settled", changed_at=now))
    return changed + len(settled)


def _seen(tx: Connection, now: datetime) -> list[Found]:
    """Gaps that stay, and refused messages whose deadline is near."""
    gaps = [
        Found(g.sender, "gap", g.epoch, ((repository.reached(tx, g.sender, g.epoch) + 1, g.first - 1),))
        for g in repository.gaps(tx)
        if g.since <= now - HELD_LONG
    ]
    dead = and_(outbox.c.dead_at.is_not(None), outbox.c.answered_at.is_(None), outbox.c.due_at <= now + NEAR)
    columns = (outbox.c.receiver, outbox.c.message_id, outbox.c.sequence, outbox.c.detail)
    rows = tx.execute(select(*columns).where(dead).limit(_LIMIT))
    return gaps + [
        Found(r.receiver, "dead", r.message_id, ((r.sequence, r.sequence),), r.detail) for r in rows
    ]  # fmt: skip


def _in_order(tx: Connection) -> list[int]:
    """The open tasks about messages that have arrived since, there or here."""
    found = []
    query = select(exchange_tasks).where(
        exchange_tasks.c.state == "open", exchange_tasks.c.kind.in_(("missing_there", "missing_here"))
    )
    for row in tx.execute(query):
        box, whose, arrived = (
            (outbox, outbox.c.receiver, outbox.c.answered_at.is_not(None))
            if row.kind == "missing_there"
            else (inbox, inbox.c.sender, inbox.c.id.is_not(None))
        )
        count = sum(
            tx.execute(select(func.count()).select_from(box).where(whose == row.peer, arrived, where)).scalar_one()
            for where in within(box, [(row.object, first, last) for first, last in row.numbers])
        )
        if count == sum(last - first + 1 for first, last in row.numbers):
            found.append(row.id)
    return found


def put(tx: Connection, node: Node, number: int, state: str, *, reason: str | None, actor: str) -> None:
    """Say of a task that it is done, or needs nothing, and why; or open it again."""
    row = tx.execute(select(exchange_tasks).where(exchange_tasks.c.id == number).with_for_update()).first()
    if row is None:
        raise Problem("wrong-state", f"没有第{number}项待办")
    if row.state == state:
        return
    if state not in ("open", "done", "dismissed") or (state != "open" and row.state != "open"):
        raise Problem("wrong-state", f"第{number}项现在是“{STATES[row.state]}”")
    if state == "dismissed" and not reason:
        raise Problem("not-valid", "请写明为什么不需处理")
    now = node.clock.now()
    values = {"state": state, "reason": reason, "actor": actor if state != "open" else None, "changed_at": now}
    tx.execute(update(exchange_tasks).where(exchange_tasks.c.id == number).values(values))
    audit.record(tx, now, actor, f"task.{state}", str(number), path="/", peer=row.peer, kind=row.kind, reason=reason)


def listed(
    tx: Connection, *, state: str = "", kind: str = "", peer: str = "", offset: int = 0, limit: int = 200
) -> tuple[list[AnyRow], int]:  # fmt: skip
    """A page of the tasks, those that changed last first."""
    chosen = {"state": state, "kind": kind, "peer": peer}
    where = [exchange_tasks.c[name] == value for name, value in chosen.items() if value]
    total = tx.execute(select(func.count()).select_from(exchange_tasks).where(*where)).scalar_one()
    query = (
        select(exchange_tasks).where(*where).order_by(exchange_tasks.c.changed_at.desc(), exchange_tasks.c.id.desc())
    )
    return list(tx.execute(query.offset(offset).limit(limit))), int(total)


def open_counts(tx: Connection) -> dict[str, int]:
    """How many tasks are open, by kind."""
    query = select(exchange_tasks.c.kind, func.count()).where(exchange_tasks.c.state == "open")
    return {kind: int(count) for kind, count in tx.execute(query.group_by(exchange_tasks.c.kind))}


def said(row: AnyRow) -> Words:
    """A task in words."""
    words = KINDS[row.kind]
    shown = [f"{a}" if a == b else f"{a}至{b}" for a, b in row.numbers[:5]]
    numbers = "、".join(shown) + ("等" if len(row.numbers) > len(shown) else "")
    count = sum(b - a + 1 for a, b in row.numbers)
    whose = "本节点发的" if row.object.startswith(_OURS) else "对方发的"
    text = words.text.format(numbers=numbers, whose=whose) + (f"，共{count:,}件" if count > 1 else "")
    return words._replace(text=f"{text}（{row.detail}）" if row.detail else text)


def line(row: AnyRow) -> dict[str, Any]:
    """A task as one line."""
    words = said(row)
    return {
        "id": row.id, "node": row.peer, "kind": row.kind, "title": words.title, "text": words.text,
        "remedy": words.remedy, "state": row.state, "standing": STATES[row.state],
        "since": beijing(row.since, "%Y-%m-%d %H:%M:%S"), "changed_at": beijing(row.changed_at, "%Y-%m-%d %H:%M:%S"),
        "reason": row.reason, "by": row.actor,
    }  # fmt: skip
