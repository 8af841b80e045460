"""Counting slots, and the two rates. 0/0 is no rate: None here, `/` on pages.

The expected set is the slots as they were planned; it is frozen once the deadline has passed. A period whose time has
not come yet is counted apart (`not_due`) and expected of nobody.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, computed_field

from .states import OPEN

Mark: TypeAlias = tuple[str, bool, bool]
"""What a cell says of a slot: its word, whether it is a nil report, whether it came late."""


class Counts(NamedTuple):
    """What the database counts of some slots; a `Tally` also says what follows from it."""

    received: int = 0
    late: int = 0
    nil: int = 0
    due: int = 0
    missing: int = 0
    not_due: int = 0
    submitted: int = 0
    returned: int = 0

    @property
    def expected(self) -> int:
        """How many the time has come for."""
        return self.received + self.due + self.missing

    @property
    def accepted(self) -> int:
        """How many were accepted, and not changed since."""
        return self.received - self.submitted - self.returned

    @classmethod
    def sum(cls, every: Iterable[Iterable[int]]) -> Self:
        """All of them together."""
        return cls(*map(sum, zip(*every, strict=True)))


class Tally(BaseModel):
    """How many slots there are of each kind. A nil report is received; so is what was returned."""

    model_config = ConfigDict(frozen=True)

    expected: int = Field(0, description="应报：已到报送期的")
    received: int = Field(0, description="已报：收到过的，含零报告、含已退回的")
    on_time: int = Field(0, description="按时：首次收到不晚于截止时间")
    late: int = Field(0, description="迟报：首次收到晚于截止时间")
    nil: int = Field(0, description="零报告（已含在已报中）")
    due: int = Field(0, description="待报：未到截止时间，还没有收到")
    missing: int = Field(0, description="未报：已过截止时间，还没有收到")
    submitted: int = Field(0, description="待审：已报，还没有审核")
    returned: int = Field(0, description="已退回，还没有更正")
    accepted: int = Field(0, description="已接受")
    not_due: int = Field(0, description="未到期：报送期还没有开始，不计入应报")

    @computed_field(description="报送率 = 已报 ÷ 应报；应报为0时为空")  # type: ignore[prop-decorator]
    @property
    def completeness(self) -> float | None:
        """The share that has come in."""
        return _share(self.received, self.expected)

    @computed_field(description="按时率 = 按时 ÷（按时＋迟报＋未报）；分母为0时为空")  # type: ignore[prop-decorator]
    @property
    def timeliness(self) -> float | None:
        """The share that came in time, of what came or should have come by now."""
        return _share(self.on_time, self.on_time + self.late + self.missing)

    @classmethod
    def sum(cls, tallies: Iterable["Tally"]) -> Self:
        """All of them together."""
        every = list(tallies)
        return cls(**{name: sum(getattr(t, name) for t in every) for name in FIELDS})

    @classmethod
    def of_counts(cls, counts: Counts) -> Self:
        """What the database counted, with what follows from it."""
        return cls(
            **counts._asdict(), expected=counts.expected, on_time=counts.received - counts.late,
            accepted=counts.accepted,
        )  # fmt: skip

    @classmethod
    def of(cls, marks: Iterable[Mark] | Mapping[Mark, int]) -> Self:
        """Count slots by what their cells say."""
        counts = dict.fromkeys(FIELDS, 0)
        for mark, number in Counter(marks).items():
            for name in _kinds(*mark):
                counts[name] += number
        return cls(**counts)


FIELDS = tuple(Tally.model_fields)


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 6) if whole else None


def _kinds(word: str, nil: bool, late: bool) -> list[str]:
    if word in OPEN:
        return ["not_due"] if word == "not-due" else ["expected", word]
    state = word if word in ("returned", "accepted") else "submitted"
    return ["expected", "received", "late" if late else "on_time", state, *(["nil"] if nil else [])]


def rate(value: float | None) -> str:
    """A rate as it is printed: `91.7%`, `100%`, `/`. All is only said of all, and nothing of nothing."""
    if value is None:
        return "/"
    percent = value * 100 if value in (0, 1) else min(99.9, max(0.1, value * 100))
    return f"{percent:.1f}%".replace(".0%", "%")
