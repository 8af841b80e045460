"""The calendar feed of a unit: its deadlines from 60 days ago to a year ahead, with what has been filed marked.

The same state of the database gives the same bytes, so that a calendar program is told when nothing has changed.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from email.utils import format_datetime, parsedate_to_datetime

from sqlalchemy import Connection

from gmsafety.duties import BEIJING
from gmsafety.exchange.canonical import digest
from gmsafety.ics import IcsEvent, to_ics

from ...captions import duty_of, item_caption, period_caption
from ...directory import Directory
from ...node import Node
from ...tables import AnyRow
from . import feed_rows
from .states import OPEN, standing

BACK, AHEAD = timedelta(days=60), timedelta(days=365)
ALARM_MINUTES = 120
_MARKS = {
    "missing": "未报",
    "nil": "已报（零报告）",
    "submitted": "已报",
    "late": "已报（迟报）",
    "returned": "已退回，待更正",
    "accepted": "已报",
}


@dataclass(frozen=True, slots=True)
class Calendar:
    """A feed as it is given out."""

    content: bytes
    changed: datetime

    @property
    def tag(self) -> str:
        """Names these bytes."""
        return f'"{digest(self.content)[:32]}"'

    @property
    def headers(self) -> dict[str, str]:
        """ETag and Last-Modified; asked for again each time, and not kept by anybody on the way."""
        modified = format_datetime(self.changed.astimezone(UTC).replace(microsecond=0), usegmt=True)
        return {"ETag": self.tag, "Last-Modified": modified, "Cache-Control": "private, no-cache"}

    def is_known(self, tags: str | None, since: str | None) -> bool:
        """Tell whether the client has these bytes already (RFC 9110: a tag is stronger than a date)."""
        if tags is not None:
            known = {t.strip().removeprefix("W/") for t in tags.split(",")}
            return "*" in known or self.tag in known
        try:
            told = parsedate_to_datetime(since) if since else None
        except (ValueError, OverflowError):
            return False
        return told is not None and told.tzinfo is not None and self.changed.replace(microsecond=0) <= told


def of_feed(tx: Connection, node: Node, secret: str) -> Calendar | None:
    """The calendar behind an address; None where there is none, or not any more."""
    feed = feed_rows.by_hash(tx, digest(secret.encode("utf-8", "replace")))
    directory, today = node.directory(tx), node.clock.today()
    if feed is None or feed.unit not in directory.paths:  # a unit that is closed has no deadlines any more
        return None
    rows = feed_rows.shown(tx, feed.unit, (today - BACK, today + AHEAD))
    moments = [feed.created_at, feed_rows.last_planned(tx), *(r.changed_at for r in rows)]
    written = max(m for m in moments if m is not None)
    name = f"报送期限 {directory.name(feed.unit)}{'（测试）' if node.test else ''}"
    events = [_event(node, directory, r) for r in rows]
    content = to_ics(events, calendar_name=name, now=written)
    # What is missing becomes so by itself, and days come into sight at midnight.
    passed = [r.due_at for r in rows if r.state == "open" and r.due_at <= node.clock.now()]
    midnight = datetime.combine(today, time(), BEIJING)
    return Calendar(content, max(written, midnight, *passed))


def _event(node: Node, directory: Directory, row: AnyRow) -> IcsEvent:
    catalog = node.catalog
    word = standing(row, node.clock.now()).word
    title = item_caption(catalog, row.campaign, row.item)
    what = f"{title} {period_caption(catalog, row.campaign, row.duty, row.period)}"
    duty = duty_of(catalog, row.campaign, row.duty)
    lines = [
        f"报给 {directory.name(row.upper)}" if row.upper else "",
        f"依据：{duty.source.quote}" if duty is not None and duty.source.quote else "",
        node.settings.public_url or "",
    ]
    return IcsEvent(
        uid=f"{row.campaign}.{row.item}-{row.period.isoformat()}-{row.unit}@{node.settings.node}.gmsafety",
        summary=f"{_MARKS[word]}：{what}" if word in _MARKS else f"报送：{what}",
        due=row.due_at,
        description="\n".join(line for line in lines if line),
        alarm_minutes=ALARM_MINUTES if word in OPEN - {"missing"} else None,
    )
