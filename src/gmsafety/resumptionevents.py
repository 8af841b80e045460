"""What can happen on the way back to work: reported, replanned, guided, fixed, decided, resumed, caught, stopped."""

from datetime import date
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import Discriminator

from .gates import GateState, Verdict
from .quantities import Count, Lines
from .resumption import Resumption, ResumptionDeed, ResumptionEvent, ResumptionState


class Reported(ResumptionEvent):
    """报告: on which day it means to resume, in writing or not."""

    event: Literal[ResumptionDeed.REPORT] = ResumptionDeed.REPORT
    planned: date
    written: bool | None = None

    def refusal(self, now: Resumption) -> str | None:
        """Not for a day that is past."""
        return _past(self.planned, self.on)

    def changes(self, now: Resumption) -> dict[str, Any]:
        """The plan."""
        return {"planned": self.planned, "reported": self.on, "written": self.written, "reasons": ()}

    def told(self) -> tuple[str, ...]:
        """The planned day."""
        return (f"计划{self.planned}复工",)


class Replanned(ResumptionEvent):
    """改期: another day; an earlier one counts as reported anew."""

    event: Literal[ResumptionDeed.REPLAN] = ResumptionDeed.REPLAN
    planned: date

    def refusal(self, now: Resumption) -> str | None:
        """Not to a day that is past."""
        return _past(self.planned, self.on)

    def changes(self, now: Resumption) -> dict[str, Any]:
        """The plan."""
        earlier = now.planned is None or self.planned < now.planned
        return {"planned": self.planned, "reported": self.on if earlier else now.reported}

    def told(self) -> tuple[str, ...]:
        """The planned day."""
        return (f"改为{self.planned}复工",)


class Guided(ResumptionEvent):
    """技术指导: how many findings it added to those that are open."""

    event: Literal[ResumptionDeed.GUIDE] = ResumptionDeed.GUIDE
    found: Count

    def changes(self, now: Resumption) -> dict[str, Any]:
        """The findings."""
        return {"guided": self.on, "open_findings": now.open_findings + self.found}

    def told(self) -> tuple[str, ...]:
        """How many."""
        return (f"发现问题{self.found}条",)


class Fixed(ResumptionEvent):
    """整改: how many findings were put right and re-inspected; 0 where it was only begun."""

    event: Literal[ResumptionDeed.FIX] = ResumptionDeed.FIX
    fixed: Count

    def refusal(self, now: Resumption) -> str | None:
        """Not more than are open."""
        return f"未整改的问题只有{now.open_findings}条" if self.fixed > now.open_findings else None

    def changes(self, now: Resumption) -> dict[str, Any]:
        """The findings that remain."""
        return {"open_findings": now.open_findings - self.fixed}

    def told(self) -> tuple[str, ...]:
        """How many."""
        return (f"整改{self.fixed}条",)


class Decided(ResumptionEvent):
    """判定: what the gate said, or an officer; `unknown` decides nothing."""

    event: Literal[ResumptionDeed.DECIDE] = ResumptionDeed.DECIDE
    verdict: GateState
    reasons: Lines = ()

    @classmethod
    def of(cls, verdict: Verdict, *, on: date, by: str | None = None) -> Self:
        """Take over what a gate said, with its reasons."""
        return cls(on=on, by=by, verdict=verdict.state, reasons=tuple(reason.text for reason in verdict.reasons))

    def target(self, now: Resumption) -> ResumptionState:
        """Ready or barred."""
        return ResumptionState.READY if self.verdict is GateState.ALLOW else ResumptionState.BARRED

    def refusal(self, now: Resumption) -> str | None:
        """Not on what is not known; not ready while findings are open or nobody guided."""
        if self.verdict is GateState.UNKNOWN:
            return f"尚不能判定（{'；'.join(self.reasons) or '条件不明'}）"
        if self.verdict is GateState.DENY:
            return None
        if now.state is ResumptionState.READY:
            return "已经判定可以复工"
        if now.guided is None:
            return "还没有接受技术指导服务"
        return f"还有{now.open_findings}条问题没有整改" if now.open_findings else None

    def changes(self, now: Resumption) -> dict[str, Any]:
        """The reasons."""
        return {"reasons": self.reasons}

    def told(self) -> tuple[str, ...]:
        """The verdict and its reasons."""
        return (f"{self.verdict.chinese}复工", *self.reasons)


class Resumed(ResumptionEvent):
    """复工, on the planned day or later."""

    event: Literal[ResumptionDeed.RESUME] = ResumptionDeed.RESUME

    def refusal(self, now: Resumption) -> str | None:
        """Not before the planned day, which is what the report was about."""
        early = now.planned and self.on < now.planned
        return f"早于报告的复工日期{now.planned}，如要提前须先改期" if early else None


class Caught(ResumptionEvent):
    """查处擅自复工 (冒险恢复生产): found at work without leave."""

    event: Literal[ResumptionDeed.CATCH] = ResumptionDeed.CATCH

    def changes(self, now: Resumption) -> dict[str, Any]:
        """The reason why it is barred."""
        return {"reasons": ("擅自复工",)}


class Stopped(ResumptionEvent):
    """停产 again: the way begins anew."""

    event: Literal[ResumptionDeed.STOP] = ResumptionDeed.STOP

    def changes(self, now: Resumption) -> dict[str, Any]:
        """Nothing of the former plan holds."""
        return {"planned": None, "reported": None, "written": None, "guided": None, "open_findings": 0, "reasons": ()}


def _past(planned: date, on: date) -> str | None:
    return f"计划复工日期{planned}早于{on}" if planned < on else None


AnyResumptionEvent: TypeAlias = Annotated[
    Reported | Replanned | Guided | Fixed | Decided | Resumed | Caught | Stopped, Discriminator("event")
]
"""Any event, as JSON tells it: `{"event": "报告", "on": "2025-02-06", "planned": "2025-02-10"}`."""
