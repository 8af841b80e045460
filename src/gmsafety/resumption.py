"""An enterprise on its way back to work (复工复产): 停产 → 已报告 → 已指导 → 隐患整改中 → 可复工 → 已复工 / 不得复工.

`resumption.after(event)` gives the next value, or says which events are possible. Whether it may resume is judged by a
gate (`gmsafety.gates`); `facts` are those of its facts that are known here.
"""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Self, TypeAlias

from pydantic import Field, model_validator

from .enterprises import CreditCode
from .lifecycles import Doer, EventNotAllowed, Step, check_steps
from .provenance import Value
from .quantities import Count, Line, Lines, Remark


class ResumptionState(StrEnum):
    """Where an enterprise stands."""

    STOPPED = "停产"
    REPORTED = "已报告"
    GUIDED = "已指导"
    RECTIFYING = "隐患整改中"
    READY = "可复工"
    RESUMED = "已复工"
    BARRED = "不得复工"


class ResumptionDeed(StrEnum):
    """What can happen on the way."""

    REPORT = "报告"
    REPLAN = "改期"
    GUIDE = "技术指导"
    FIX = "整改"
    DECIDE = "判定"
    RESUME = "复工"
    CATCH = "查处擅自复工"
    STOP = "停产"


S: TypeAlias = ResumptionState
D: TypeAlias = ResumptionDeed
_DECIDED = (S.READY, S.BARRED)
FLOW: Mapping[S, Mapping[D, tuple[S, ...]]] = MappingProxyType(
    {
        S.STOPPED: {D.REPORT: (S.REPORTED,), D.CATCH: (S.BARRED,)},
        S.REPORTED: {D.REPLAN: (S.REPORTED,), D.GUIDE: (S.GUIDED,), D.DECIDE: _DECIDED, D.CATCH: (S.BARRED,)},
        S.GUIDED: {
            D.REPLAN: (S.GUIDED,),
            D.GUIDE: (S.GUIDED,),
            D.FIX: (S.RECTIFYING,),
            D.DECIDE: _DECIDED,
            D.CATCH: (S.BARRED,),
        },
        S.RECTIFYING: {
            D.REPLAN: (S.RECTIFYING,),
            D.GUIDE: (S.GUIDED,),
            D.FIX: (S.RECTIFYING,),
            D.DECIDE: _DECIDED,
            D.CATCH: (S.BARRED,),
        },
        S.READY: {D.REPLAN: (S.GUIDED,), D.DECIDE: (S.BARRED,), D.RESUME: (S.RESUMED,)},
        S.RESUMED: {D.STOP: (S.STOPPED,)},
        S.BARRED: {
            D.REPORT: (S.REPORTED,),
            D.GUIDE: (S.GUIDED,),
            D.FIX: (S.RECTIFYING,),
            D.DECIDE: _DECIDED,
            D.CATCH: (S.BARRED,),
        },
    }
)
"""What can happen in each state, and where it leads. A ready enterprise that changes its day is judged anew."""


class Resumption(Value):
    """One enterprise's way back to work; `open_findings` are those of the guidance that are not yet put right."""

    enterprise: CreditCode
    campaign: Line | None = None
    planned: date | None = Field(None, description="计划复工日期")
    reported: date | None = None
    written: bool | None = Field(None, description="书面报告")
    guided: date | None = Field(None, description="day of the last guidance")
    open_findings: Count = 0
    reasons: Lines = Field((), description="why it may not resume, as last decided")
    steps: tuple[Step[ResumptionDeed, ResumptionState], ...] = ()

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        check_steps(self.steps, FLOW, S.STOPPED)
        if self.state in (S.READY, S.RESUMED) and (self.open_findings or not self.guided or not self.planned):
            raise ValueError("可复工、已复工的，须已报告、已指导，且没有未整改的问题")
        return self

    @property
    def state(self) -> ResumptionState:
        """Where it stands after all steps."""
        return self.steps[-1].state if self.steps else S.STOPPED

    @property
    def allowed(self) -> tuple[ResumptionDeed, ...]:
        """What can happen now."""
        return tuple(deed for deed in FLOW[self.state] if self._bar(deed) is None)

    @property
    def facts(self) -> dict[str, Any]:
        """What a gate can be told from here; `days_before` are calendar days between report and planned day."""
        notice = (self.planned - self.reported).days if self.planned and self.reported else None
        return {
            "guided": self.guided is not None,
            "open_guided": self.open_findings if self.guided else None,
            "written_report": self.written,
            "days_before": notice,
        }

    @property
    def times_caught(self) -> int:
        """How often it had started work without leave (擅自复工)."""
        return sum(step.deed is D.CATCH for step in self.steps)

    def after(self, event: "ResumptionEvent") -> "Resumption":
        """Apply an event; EventNotAllowed where it cannot happen."""
        why = self._bar(event.event) if event.event in FLOW[self.state] else ""
        if why is None:
            last = self.steps[-1].on if self.steps else event.on
            early = f"{event.on.isoformat()}早于前一步{last.isoformat()}" if event.on < last else None
            why = early or event.refusal(self)
        if why is not None:
            what = f"企业{self.enterprise}的复工复产"
            raise EventNotAllowed(what, event.event, state=self.state, allowed=self.allowed, why=why)
        step = Step(on=event.on, deed=event.event, state=event.target(self), by=event.by, note=event.remark)
        return Resumption(**{**dict(self), **event.changes(self), "steps": (*self.steps, step)})

    def _bar(self, deed: ResumptionDeed) -> str | None:
        bars = {
            D.GUIDE: None if self.planned else "还没有报告计划复工日期",
            D.FIX: None if self.open_findings else "没有待整改的问题",
            D.DECIDE: None if self.planned else "还没有报告计划复工日期",
        }
        return bars.get(deed)


class ResumptionEvent(Value):
    """Something that happens on the way, on a day."""

    event: ResumptionDeed
    on: date
    by: Doer | None = None
    note: Remark | None = None

    def target(self, now: Resumption) -> ResumptionState:
        """The state it leads to."""
        return FLOW[now.state][self.event][0]

    def refusal(self, now: Resumption) -> str | None:
        """Why it cannot happen; None where it can."""
        return None

    def changes(self, now: Resumption) -> dict[str, Any]:
        """What it changes, apart from the step that is added."""
        return {}

    def told(self) -> tuple[str, ...]:
        """What the history says of it."""
        return ()

    @property
    def remark(self) -> str | None:
        """What the history says of it, with the note."""
        return "；".join(part for part in (*self.told(), self.note) if part) or None
