"""Hazards and their life cycle: 发现 → 判定 → 整改 → 复查 → 销号, with listed supervision and re-opening.

A hazard is a value; `hazard.after(event)` gives the next value, or says which events are possible. The steps taken stay
in `steps`. Days are arguments: `hazard.overdue_days(day)`.
"""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any, Self, TypeAlias

from pydantic import AfterValidator, Field, model_validator

from .codes.order10 import Situation, cited, situations, unknown
from .enterprises import CreditCode
from .lifecycles import Doer, EventNotAllowed, Step, check_steps
from .penalties import Listing, Measure, Penalty, PenaltyKind, Punished, dual_cases
from .provenance import Value
from .quantities import Line, Lines, Remark, Text, Yuan

__all__ = [
    "EventNotAllowed", "Grade", "Hazard", "HazardState", "Listing", "Measure", "Penalty", "PenaltyKind", "Punished",
    "Stage", "dual_cases",
]  # fmt: skip


class Grade(StrEnum):
    """How grave a hazard is."""

    GENERAL = "一般隐患"
    MAJOR = "重大事故隐患"


class Stage(StrEnum):
    """In which stage (检查环节) it was found."""

    SELF = "企业自查"
    JOINT = "市县检查"
    CROSS = "交叉检查"
    SUPERVISION = "省级督查"
    REPORT = "群众举报"


class Suspension(StrEnum):
    """What has to stand still while it is put right."""

    PART = "局部停产"
    WHOLE = "全部停产"


class Acceptance(StrEnum):
    """How the re-inspection accepted it."""

    SELF = "自评"
    EXPERTS = "专家评估"
    GOVERNMENT = "政府验收"


class HazardState(StrEnum):
    """Where a hazard stands."""

    FOUND = "已发现"
    JUDGED = "已判定"
    RECTIFYING = "整改中"
    RECTIFIED = "已整改待复查"
    REINSPECTED = "复查合格"
    CLOSED = "已销号"


class HazardDeed(StrEnum):
    """What can be done with a hazard."""

    JUDGE = "判定"
    ORDER = "责令整改"
    EXTEND = "延期"
    LIST = "挂牌督办"
    RECTIFY = "整改完成"
    REINSPECT = "复查"
    DELIST = "摘牌"
    CLOSE = "销号"
    REOPEN = "重新打开"


S: TypeAlias = HazardState
D: TypeAlias = HazardDeed
FLOW: Mapping[S, Mapping[D, tuple[S, ...]]] = MappingProxyType(
    {
        S.FOUND: {D.JUDGE: (S.JUDGED,)},
        S.JUDGED: {
            D.JUDGE: (S.JUDGED,),
            D.ORDER: (S.RECTIFYING,),
            D.LIST: (S.JUDGED,),
            D.RECTIFY: (S.RECTIFIED,),
        },
        S.RECTIFYING: {
            D.JUDGE: (S.RECTIFYING,),
            D.EXTEND: (S.RECTIFYING,),
            D.LIST: (S.RECTIFYING,),
            D.RECTIFY: (S.RECTIFIED,),
        },
        S.RECTIFIED: {D.REINSPECT: (S.REINSPECTED, S.RECTIFYING)},
        S.REINSPECTED: {D.DELIST: (S.REINSPECTED,), D.CLOSE: (S.CLOSED,)},
        S.CLOSED: {D.REOPEN: (S.RECTIFYING,)},
    }
)
"""What can be done in each state, and where it leads."""
_UNFINISHED = (S.FOUND, S.JUDGED, S.RECTIFYING)


def _cited(texts: tuple[str, ...]) -> tuple[str, ...]:
    if wrong := [name for text in texts for name in unknown(text)]:
        raise ValueError(f"应急管理部令第10号没有这样的条款：{'、'.join(wrong)}")
    return tuple(dict.fromkeys(s.citation for text in texts for s in cited(text)))


Basis = Annotated[Lines, AfterValidator(_cited)]
"""Situations of Order 10 by citation, however they were cited."""


class Hazard(Value):
    """A hazard (隐患). `grade` is None until it is judged; `steps` tell what was done since it was found."""

    id: Line
    enterprise: CreditCode
    detail: Text
    stage: Stage
    found: date
    found_by: Line | None = None
    evidence: Text | None = None
    grade: Grade | None = None
    basis: Basis = ()
    other_basis: Text | None = Field(None, description="判定依据 other than Order 10")
    measure: Measure = Measure()
    suspension: Suspension | None = None
    listing: Listing | None = None
    spent: Yuan | None = Field(None, description="实际投入资金")
    acceptance: tuple[Acceptance, ...] = ()
    steps: tuple[Step[HazardDeed, HazardState], ...] = ()

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        state = check_steps(self.steps, FLOW, S.FOUND, self.found)
        done = [step.deed for step in self.steps]
        if (D.JUDGE in done) != (self.grade is not None):
            raise ValueError("隐患等级与经过不符：判定之后才有等级")
        listings = [deed for deed in done if deed in (D.LIST, D.DELIST)]
        on_list = None if self.listing is None else D.LIST if self.listing.is_open else D.DELIST
        if on_list != (listings[-1] if listings else None):
            raise ValueError("挂牌督办与经过不符")
        if self.listing and self.listing.is_open and (self.grade is not Grade.MAJOR or state is S.CLOSED):
            raise ValueError("只有重大事故隐患才挂牌督办，摘牌之后才能销号")
        return self

    @property
    def state(self) -> HazardState:
        """Where it stands after all steps."""
        return self.steps[-1].state if self.steps else S.FOUND

    @property
    def situations(self) -> tuple[Situation, ...]:
        """The situations of Order 10 that it is."""
        return tuple(situations()[citation] for citation in self.basis)

    @property
    def unproved(self) -> tuple[tuple[Situation, tuple[str, ...]], ...]:
        """Situations that need several things at once, with those that the description does not name."""
        if self.grade is not Grade.MAJOR:
            return ()
        told = f"{self.detail}\n{self.evidence or ''}"
        return tuple((s, parts) for s in self.situations if (parts := s.unnamed(told)))

    @property
    def reopened(self) -> int:
        """How often it was re-opened."""
        return sum(step.deed is D.REOPEN for step in self.steps)

    @property
    def allowed(self) -> tuple[HazardDeed, ...]:
        """What can be done now."""
        return tuple(deed for deed in FLOW[self.state] if self._bar(deed) is None)

    def state_on(self, day: date) -> HazardState | None:
        """Where it stood at the end of a day; None before it was found."""
        if day < self.found:
            return None
        return next((step.state for step in reversed(self.steps) if step.on <= day), S.FOUND)

    def overdue_days(self, day: date) -> int:
        """How many days past its time limit it was still not put right at the end of a day; 0: not overdue.

        Counted by the time limit in force now: an extension that was granted holds from the beginning.
        """
        limit = self.measure.time_limit
        return max(0, (day - limit).days) if limit and self.state_on(day) in _UNFINISHED else 0

    def supervision_overdue_days(self, day: date) -> int:
        """How many days past the day set by 挂牌督办 it was still on the list."""
        listing = self.listing
        on_list = listing and listing.listed <= day and (listing.is_open or (listing.delisted or day) > day)
        return max(0, (day - listing.due).days) if listing and on_list else 0

    def after(self, event: "HazardEvent") -> "Hazard":
        """Apply an event; EventNotAllowed where it cannot happen."""
        deed = event.event
        last = self.steps[-1].on if self.steps else self.found
        why = self._bar(deed) if deed in FLOW[self.state] else ""
        if why is None:
            early = f"{event.on.isoformat()}早于前一步{last.isoformat()}" if event.on < last else None
            why = early or event.refusal(self)
        if why is not None:
            raise EventNotAllowed(f"隐患{self.id}", deed, state=self.state, allowed=self.allowed, why=why)
        changes = event.changes(self)
        step = Step(on=event.on, deed=deed, state=event.target(self), by=event.by, note=event.remark)
        return Hazard(**{**dict(self), **changes, "steps": (*self.steps, step)})

    def _bar(self, deed: HazardDeed) -> str | None:
        """Why a deed that the state would allow is not possible all the same."""
        listed = self.listing is not None and self.listing.is_open
        bars = {
            D.LIST: "已经挂牌督办" if listed else None if self.grade is Grade.MAJOR else "只有重大事故隐患才挂牌督办",
            D.DELIST: None if listed else "没有挂牌督办",
            D.CLOSE: "挂牌督办的须先摘牌" if listed else None,
            D.RECTIFY: "重大事故隐患须先责令整改" if self.state is S.JUDGED and self.grade is Grade.MAJOR else None,
        }
        return bars.get(deed)


class HazardEvent(Value):
    """Something that happens to a hazard on a day; the kinds of it are in `gmsafety.hazardevents`."""

    event: HazardDeed
    on: date
    by: Doer | None = None
    note: Remark | None = None

    def target(self, hazard: Hazard) -> HazardState:
        """The state it leads to."""
        return FLOW[hazard.state][self.event][0]

    def refusal(self, hazard: Hazard) -> str | None:
        """Why it cannot happen to this hazard; None where it can."""
        return None

    def changes(self, hazard: Hazard) -> dict[str, Any]:
        """What it changes in the hazard, apart from the step that is added."""
        return {}

    def told(self) -> tuple[str, ...]:
        """What the history says of it."""
        return ()

    @property
    def remark(self) -> str | None:
        """What the history says of it, with the note."""
        return "；".join(part for part in (*self.told(), self.note) if part) or None
