"""Gates: what must be so before something is allowed (复工复产), and conditions that are only watched.

deny > unknown > allow. What is not known is never taken for granted; a waiver is recorded beside the verdict and does
not change it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from pydantic import Field

from .provenance import Citation, TagValue, Value
from .rules import compile_expression, holds


class GateState(StrEnum):
    """What a gate says."""

    ALLOW = "allow"
    DENY = "deny"
    UNKNOWN = "unknown"

    @property
    def chinese(self) -> str:
        """The word shown."""
        return {"allow": "可以", "deny": "不得", "unknown": "尚不能判定"}[self.value]


class Condition(Value):
    """One thing that must be so: a CEL expression over the gate's facts."""

    id: str
    check: str
    say: str = Field(description="what is wrong where it is not so")
    when: dict[str, TagValue] = Field(default_factory=dict, description="only for enterprises with these tags")
    source: Citation


class Gate(Value):
    """Something that is allowed only where every condition holds."""

    id: str
    title: str
    facts: dict[str, str] = Field(description="what must be known: name and how it is called in Chinese")
    conditions: tuple[Condition, ...]
    source: Citation

    def judge(
        self, facts: Mapping[str, Any], tags: Mapping[str, object], waivers: Mapping[str, str] | None = None
    ) -> "Verdict":
        """Judge: `facts` by name, `tags` of the enterprise, `waivers` with their reasons by condition."""
        reasons = tuple(r for c in self.conditions if (r := self._reason(c, facts, tags)))
        states = {r.state for r in reasons}
        worst = next((s for s in (GateState.DENY, GateState.UNKNOWN) if s in states), GateState.ALLOW)
        return Verdict(self, worst, reasons, dict(waivers or {}))

    def _reason(self, condition: Condition, facts: Mapping[str, Any], tags: Mapping[str, object]) -> "Reason | None":
        known = [tags.get(name) for name in condition.when]
        if any(k is not None and k != want for k, want in zip(known, condition.when.values(), strict=True)):
            return None
        expression = compile_expression(condition.check)
        missing = [self.facts[o] for o in expression.operands if facts.get(o) is None]
        missing += [name for name, value in zip(condition.when, known, strict=True) if value is None]
        found = holds(expression, facts)
        if found is False and None not in known:
            return Reason(condition, GateState.DENY, condition.say)
        if found is None or None in known:
            return (
                Reason(condition, GateState.UNKNOWN, f"尚不知道：{'、'.join(missing)}") if found is not True else None
            )
        return None


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a gate does not open: the condition, and what is wrong or not known."""

    condition: Condition
    state: GateState
    text: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a gate says about one enterprise, with every reason; `waivers` are recorded, they do not open it."""

    gate: Gate
    state: GateState
    reasons: tuple[Reason, ...] = ()
    waivers: Mapping[str, str] | None = None


class Watch(Value):
    """A condition on figures that is only flagged: 杜绝“挂零”, inspection before entry, a share of small firms."""

    id: str
    title: str
    facts: dict[str, str]
    check: str
    say: str
    severity: Literal["error", "warning", "info"] = "warning"
    source: Citation

    def holds(self, facts: Mapping[str, Any]) -> bool | None:
        """Tell whether it is as it should be; None where something is not known."""
        return holds(compile_expression(self.check), facts)
