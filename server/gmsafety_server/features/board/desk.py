"""The desk: what a person has to do next, what came back, what waits for them, what happened."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from urllib.parse import urlencode

from sqlalchemy import Connection

from ...captions import item_caption, level_caption, period_caption
from ...directory import Directory
from ...node import Node
from ...scope import Viewer
from ...tables import AnyRow
from ..submissions.views import late_minutes
from . import owing, repository
from .schemas import Due, DueList
from .tallies import Tally, rate
from .words import when

BACK, AHEAD = timedelta(days=60), timedelta(days=62)
_SHOWN = 8
_FEW = 5
_VERBS = {
    "drafted": "存了草稿", "redrafted": "改了草稿", "submitted": "报送了", "accepted": "接受了", "returned": "退回了",
    "reopened": "撤销接受", "handed-over": "随单位交接而来", "withdrawing": "申请撤回",
    "withdrawn": "撤回了", "kept": "没有撤回",
    "received": "上级节点收到", "checked": "上级节点核对", "outdated": "标为过时",
    "up-to-date": "不再过时",
}  # fmt: skip
_TONES = {"accepted": "ok", "returned": "bad", "reopened": "warn", "withdrawn": "warn"}
Scales = Mapping[str, str]
_KINDS = {"stored": "收到", "decided": "审核"}


@dataclass(frozen=True, slots=True)
class Button:
    """The one thing to do next."""

    label: str
    href: str
    primary: bool = False


@dataclass(frozen=True)
class Task:
    """One thing that is owed, as a line of the desk."""

    due: Due
    deadline: str
    button: Button | None
    rollup: Button | None = None
    scale: str = ""

    @property
    def badge(self) -> str:
        """The word shown: a draft is one's own business, so it stands on the desk and on no board."""
        return "draft" if self.due.draft and self.due.state == "due" else self.due.state

    @property
    def notes(self) -> list[str]:
        """What is to be known about it."""
        late_draft = ["有草稿，尚未报送"] if self.due.draft and self.due.state == "missing" else []
        return [*late_draft, *(f.text for f in self.due.flags)]


@dataclass(frozen=True)
class Waiting:
    """A submission from below that waits for review."""

    href: str
    unit: str
    caption: str
    period: str
    received: str
    revision: int
    nil: bool
    late: int
    scale: str = ""


@dataclass(frozen=True)
class Progress:
    """How far the units below have come with one item of one period."""

    caption: str
    period: str
    deadline: str
    tally: Tally
    timeliness: str
    missing: list[str]
    href: str
    is_over: bool
    scale: str = ""

    @property
    def absent(self) -> int:
        """How many have not filed; only so many of them are named."""
        return self.tally.missing + self.tally.due


@dataclass(frozen=True)
class Line:
    """A receipt or something that happened."""

    text: str
    at: str
    href: str = ""
    who: str = ""
    tone: str = ""
    note: str = ""


@dataclass(frozen=True)
class Desk:
    """Everything on the desk; lists that are empty are not shown."""

    returned: list[Task] = field(default_factory=list)
    overdue: list[Task] = field(default_factory=list)
    week: list[Task] = field(default_factory=list)
    next: Task | None = None
    waiting: list[Waiting] = field(default_factory=list)
    waiting_total: int = 0
    progress: list[Progress] = field(default_factory=list)
    receipts: list[Line] = field(default_factory=list)
    history: list[Line] = field(default_factory=list)

    @property
    def deadline(self) -> Due | None:
        """The next deadline of something that has not been filed."""
        return next((t.due for t in self.week if t.due.state == "due"), None)

    @property
    def open(self) -> int:
        """How many are to be filed this week."""
        return sum(t.due.state == "due" for t in self.week)

    @property
    def is_busy(self) -> bool:
        """Tell whether there is so much to do that it is summed up first."""
        return sum(map(bool, (self.returned, self.overdue, self.open, self.waiting_total))) > 1


def tasks_of(tx: Connection, viewer: Viewer, told: DueList) -> list[Task]:
    """What a unit owes, with what is to be done next."""
    rolled = {r.item for r in repository.filed_to(tx, viewer.unit)} if viewer.may("rollup.read") else set()
    return [_task(viewer, d, told.now, rolled) for d in told.items]


def desk(tx: Connection, node: Node, viewer: Viewer) -> Desk:
    """Lay out the desk of somebody."""
    now, today = node.clock.now(), node.clock.today()
    told = owing.due_list(tx, node, viewer, between=(today - BACK, today + AHEAD))
    scales = _scales(tx, node, viewer, told)
    tasks = [replace(t, scale=scales.get(t.due.campaign, "")) for t in tasks_of(tx, viewer, told)]
    overdue = [t for t in tasks if t.due.state == "missing" and t.due.closes_at >= now]
    coming = (t for t in tasks if t.due.state in ("not-due", "due"))
    directory = node.directory(tx)
    readable = viewer.may("submission.read")
    waiting, total = _waiting(tx, node, directory, viewer, now, scales)
    return Desk(
        returned=[t for t in tasks if t.due.state == "returned"],
        overdue=sorted(overdue, key=lambda t: -t.due.due_at.timestamp()),
        week=[t for t in tasks if _of_this_week(t.due, today)],
        next=next(coming, None),
        waiting=waiting,
        waiting_total=total,
        progress=_progress(tx, node, directory, viewer, now, scales),
        receipts=_receipts(tx, node, viewer, now, scales) if readable else [],
        history=_history(tx, node, directory, viewer, now, scales) if readable else [],
    )


def _scales(tx: Connection, node: Node, viewer: Viewer, told: DueList) -> Scales:
    """To which level each campaign files, where the unit has to do with several: their weeks are not counted alike."""
    named = {d.campaign for d in told.items} | {r.campaign for r in repository.filed_to(tx, viewer.unit)}
    return {campaign: level_caption(node.catalog, campaign) for campaign in named} if len(named) > 1 else {}


def _of_this_week(due: Due, today: date) -> bool:
    """What is open now, and what was filed of that which falls due since Monday."""
    if due.state == "due":
        return True
    monday = today - timedelta(days=today.weekday())
    return due.state not in ("not-due", "missing", "returned") and due.period >= monday


def _task(viewer: Viewer, due: Due, now: datetime, rolled: set[str]) -> Task:
    may_file = viewer.may("submission.file", viewer.path)
    button = _button(due, may_file=may_file, now=now)
    if due.item not in rolled or due.state in ("accepted", "not-due"):
        return Task(due, when(due.due_at, now), button)
    is_next = button is not None and button.label == "上传"
    rollup = Button("汇总", f"/rollups?{urlencode({'item': due.item})}", primary=is_next)
    return Task(due, when(due.due_at, now), replace(button, primary=False) if is_next and button else button, rollup)


def _button(due: Due, *, may_file: bool, now: datetime) -> Button | None:
    """What is next: 上传, 继续草稿, 修改后再报, 查看."""
    is_open = may_file and due.closes_at >= now and due.state != "not-due"
    if is_open and due.draft:
        return Button("继续草稿", f"/submissions/{due.draft}", primary=True)
    if is_open and due.state in ("due", "missing"):
        asked = {"campaign": due.campaign, "item": due.item, "period": due.period.isoformat()}
        return Button("上传", f"/file?{urlencode(asked)}", primary=True)
    if due.submission is None:
        return None
    if is_open and due.state == "returned":
        return Button("修改后再报", f"/submissions/{due.submission}", primary=True)
    return Button("查看", f"/submissions/{due.submission}")


def _waiting(
    tx: Connection, node: Node, directory: Directory, viewer: Viewer, now: datetime, scales: Scales
) -> tuple[list[Waiting], int]:
    if not viewer.may("submission.decide"):
        return [], 0
    rows = repository.waiting(tx, viewer.unit, limit=_SHOWN)
    return [
        Waiting(
            href=f"/submissions/{r.uid}", unit=directory.name(r.unit),
            caption=item_caption(node.catalog, r.campaign, r.item),
            period=period_caption(node.catalog, r.campaign, r.duty, r.period), received=when(r.changed_at, now),
            revision=r.revision, nil=r.nil, late=late_minutes(r.received_at, r.due_at),
            scale=scales.get(r.campaign, ""),
        )
        for r in rows
    ], rows[0].total if rows else 0  # fmt: skip


def _progress(
    tx: Connection, node: Node, directory: Directory, viewer: Viewer, now: datetime, scales: Scales
) -> list[Progress]:
    """What is filed to the unit this week, and by whom not."""
    absent = repository.absent(tx, viewer.unit, now)
    order = owing.order_of(node.catalog)
    rows = repository.this_week(tx, viewer.unit, now)
    rows.sort(key=lambda r: (-r.due_at.timestamp(), order.get((r.campaign, r.item), len(order))))
    return [replace(_line(node, directory, r, absent, now), scale=scales.get(r.campaign, "")) for r in rows]


def _line(node: Node, directory: Directory, row: AnyRow, absent: Iterable[AnyRow], now: datetime) -> Progress:
    tally, day = repository.tally_of(row), row.period.isoformat()
    same = (row.campaign, row.item, row.period)
    asked = {"campaign": row.campaign, "item": row.item, "from": day, "to": day}
    return Progress(
        caption=item_caption(node.catalog, row.campaign, row.item),
        period=period_caption(node.catalog, row.campaign, row.duty, row.period),
        deadline=when(row.due_at, now), tally=tally, timeliness=rate(tally.timeliness),
        missing=[directory.name(a.unit) for a in absent if (a.campaign, a.item, a.period) == same],
        href=f"/board?{urlencode(asked)}", is_over=row.due_at < now,
    )  # fmt: skip


def _called(node: Node, row: AnyRow, scales: Scales) -> str:
    caption = item_caption(node.catalog, row.campaign, row.item)
    scale = f"（{scales[row.campaign]}）" if scales.get(row.campaign) else ""
    return f"{caption} {period_caption(node.catalog, row.campaign, row.duty, row.period).partition('（')[0]}{scale}"


def _receipts(tx: Connection, node: Node, viewer: Viewer, now: datetime, scales: Scales) -> list[Line]:
    rows = repository.recent_receipts(tx, viewer.unit, now, limit=_FEW)
    return [
        Line(
            text=_called(node, r, scales), at=when(r.issued_at, now), href=f"/submissions/{r.uid}", who=r.code,
            note=_KINDS[r.kind],
        )
        for r in rows
    ]  # fmt: skip


def _history(
    tx: Connection, node: Node, directory: Directory, viewer: Viewer, now: datetime, scales: Scales
) -> list[Line]:
    rows = repository.recent_events(tx, viewer.unit, viewer.user_id, now, limit=_SHOWN)
    return [
        Line(
            text=f"{_VERBS.get(r.kind, r.kind)}{_whose(directory, viewer, r)}{_called(node, r, scales)}",
            at=when(r.at, now),
            href=f"/submissions/{r.uid}", who=directory.name(r.unit), tone=_TONES.get(r.kind, ""),
            note=r.text or "" if r.kind in ("returned", "reopened") else "",
        )
        for r in rows
    ]  # fmt: skip


def _whose(directory: Directory, viewer: Viewer, row: AnyRow) -> str:
    """Whose it is, where that is neither the one who did it nor oneself."""
    return "" if row.filed_by in (row.unit, viewer.unit) else f"{directory.name(row.filed_by)}的"
