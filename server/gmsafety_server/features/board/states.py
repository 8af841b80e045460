"""The words of the board. They follow from a slot and the clock: here in Python, in `repository.word_at` in SQL."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from types import MappingProxyType
from typing import Literal, Protocol, TypeAlias

from gmsafety.duties import BEIJING

from ..submissions.views import late_minutes

Word: TypeAlias = Literal["not-due", "due", "missing", "nil", "submitted", "late", "returned", "accepted"]

WORDS: Mapping[Word, str] = MappingProxyType(
    {
        "not-due": "未到期",
        "due": "待报",
        "missing": "未报",
        "nil": "零报告",
        "submitted": "已报待审",
        "late": "迟报",
        "returned": "已退回",
        "accepted": "已接受",
    }
)
"""The words, in the order of a legend."""

OPEN = frozenset(("not-due", "due", "missing"))
"""Nothing has come in yet."""


class Planned(Protocol):
    """What is known of slots that are alike: when they are due, and what has become of them."""

    state: str
    nil: bool
    opens: date
    due_at: datetime


class Slot(Planned, Protocol):
    """What the words depend on."""

    received_at: datetime | None


@dataclass(frozen=True, slots=True)
class Standing:
    """How a slot stands: its word, and what the word does not say: 已接受 may have been late, and a nil report."""

    word: Word
    nil: bool
    late_minutes: int


def standing(slot: Slot, now: datetime) -> Standing:
    """How a slot stands at a moment."""
    late = late_minutes(slot.received_at, slot.due_at)
    return Standing(word_of(slot, late=late > 0, now=now), slot.nil, late)


def word_of(slot: Planned, *, late: bool, now: datetime) -> Word:
    """The word of a slot, or of several that are alike."""
    if slot.state == "open":
        moment = now.replace(microsecond=0)
        if moment.astimezone(BEIJING).date() < slot.opens:
            return "not-due"
        return "due" if moment <= slot.due_at else "missing"
    if slot.state == "submitted":
        return "nil" if slot.nil else "late" if late else "submitted"
    return "returned" if slot.state == "returned" else "accepted"


def changes_at(slot: Planned, now: datetime) -> datetime | None:
    """The next moment at which the word changes though nobody does anything."""
    if slot.state != "open":
        return None
    opening = datetime.combine(slot.opens, time(), BEIJING)
    over = slot.due_at + timedelta(seconds=1)
    return min((m for m in (opening, over) if m > now), default=None)
