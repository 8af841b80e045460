"""What the life cycles share: a step that was taken, and the refusal of one that cannot be."""

from collections.abc import Iterable, Mapping
from datetime import date
from enum import StrEnum
from typing import Annotated, Generic, TypeVar

from pydantic import AfterValidator

from .errors import GmsafetyError
from .provenance import Value
from .quantities import Line, Remark

StateT = TypeVar("StateT", bound=StrEnum)
DeedT = TypeVar("DeedT", bound=StrEnum)


def _no_colon(text: str) -> str:
    if "：" in text:
        raise ValueError("名称里不能有全角冒号")
    return text


Doer = Annotated[Line, AfterValidator(_no_colon)]
"""Who did it: a unit, as it is told in a line of the history."""


class EventNotAllowed(GmsafetyError):
    """An event that cannot happen as things stand; `allowed` are those that can."""

    is_usage = True

    def __init__(self, what: str, event: str, *, state: str, allowed: Iterable[str], why: str | None = None) -> None:
        self.what, self.event, self.state, self.why = what, event, state, why
        self.allowed = tuple(allowed)
        reason = f"：{why}" if why else ""
        possible = "、".join(self.allowed) or "无"
        super().__init__(f"{what}现为“{state}”，不能“{event}”{reason}。现在可以：{possible}。")


class Step(Value, Generic[DeedT, StateT]):
    """One step of a life cycle: what was done on which day, the state it led to, who did it, and a remark."""

    on: date
    deed: DeedT
    state: StateT
    by: Doer | None = None
    note: Remark | None = None

    def __str__(self) -> str:
        by, note = f" {self.by}" if self.by else "", f"：{self.note}" if self.note else ""
        return f"{self.on.isoformat()} {self.deed}→{self.state}{by}{note}"


def check_steps(
    steps: Iterable[Step[DeedT, StateT]],
    flow: Mapping[StateT, Mapping[DeedT, tuple[StateT, ...]]],
    state: StateT,
    day: date = date.min,
) -> StateT:
    """Go the steps from a state and a day on, and return where they end; ValueError where one is not possible."""
    for step in steps:
        if step.state not in flow[state].get(step.deed, ()):
            raise ValueError(f"经过有误：“{state}”之后不能是“{step.deed}→{step.state}”")
        if step.on < day:
            raise ValueError(f"经过有误：{step.on.isoformat()}“{step.deed}”早于前一步{day.isoformat()}")
        state, day = step.state, step.on
    return state
