"""What can happen to a hazard: judged, ordered, extended, listed, rectified, re-inspected, delisted, closed, re-opened.

Each event is a value that says what it changes and why it could not happen; as JSON it is told by its `event`.
"""

from datetime import date
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Discriminator

from .codes import Level
from .hazards import Acceptance, Basis, Grade, Hazard, HazardDeed, HazardEvent, HazardState, Suspension
from .penalties import Listing, Measure
from .quantities import Line, Text, Yuan, in_wan


class Judged(HazardEvent):
    """判定: general or major, and on what basis; again where the first judgement was wrong."""

    event: Literal[HazardDeed.JUDGE] = HazardDeed.JUDGE
    grade: Grade
    basis: Basis = ()
    other_basis: Text | None = None

    def refusal(self, hazard: Hazard) -> str | None:
        """Not below major while it is listed."""
        listed = hazard.listing is not None and hazard.listing.is_open
        return "挂牌督办期间不能改判为一般隐患" if listed and self.grade is Grade.GENERAL else None

    def changes(self, hazard: Hazard) -> dict[str, Any]:
        """Grade and basis."""
        return {"grade": self.grade, "basis": self.basis, "other_basis": self.other_basis}

    def told(self) -> tuple[str, ...]:
        """Grade and basis."""
        return (self.grade, *self.basis)


class Ordered(HazardEvent):
    """责令整改: the measure with its time limit, and what has to stand still meanwhile."""

    event: Literal[HazardDeed.ORDER] = HazardDeed.ORDER
    measure: Measure
    suspension: Suspension | None = None

    def refusal(self, hazard: Hazard) -> str | None:
        """Not without a time limit."""
        return _limit_bar(self.measure.time_limit, self.on) if self.measure.time_limit else "没有写明整改时限"

    def changes(self, hazard: Hazard) -> dict[str, Any]:
        """Measure and suspension."""
        return {"measure": self.measure, "suspension": self.suspension}

    def told(self) -> tuple[str, ...]:
        """Time limit and suspension."""
        return (f"时限{self.measure.time_limit}", *([self.suspension] if self.suspension else []))


class Extended(HazardEvent):
    """延期: a later time limit, and why it was granted."""

    event: Literal[HazardDeed.EXTEND] = HazardDeed.EXTEND
    time_limit: date
    reason: Line

    def refusal(self, hazard: Hazard) -> str | None:
        """Only to a later day."""
        limit = hazard.measure.time_limit
        return f"延期后的时限须晚于原时限{limit}" if limit and self.time_limit <= limit else None

    def changes(self, hazard: Hazard) -> dict[str, Any]:
        """The time limit."""
        return {"measure": hazard.measure.model_copy(update={"time_limit": self.time_limit})}

    def told(self) -> tuple[str, ...]:
        """The new time limit and the reason."""
        return f"延至{self.time_limit}", self.reason


class Listed(HazardEvent):
    """挂牌督办 of a major hazard."""

    event: Literal[HazardDeed.LIST] = HazardDeed.LIST
    level: Level
    supervisor: Line
    due: date
    department: Line | None = None
    number: Line | None = None

    def refusal(self, hazard: Hazard) -> str | None:
        """Not until a day that is past."""
        return f"督办完成时间{self.due}早于挂牌之日" if self.due < self.on else None

    def changes(self, hazard: Hazard) -> dict[str, Any]:
        """The listing."""
        return {
            "listing": Listing(
                level=self.level,
                supervisor=self.supervisor,
                department=self.department,
                number=self.number,
                listed=self.on,
                due=self.due,
            )
        }

    def told(self) -> tuple[str, ...]:
        """Who supervises until when."""
        return f"督办单位{self.supervisor}", f"督办完成时间{self.due}"


class Rectified(HazardEvent):
    """整改完成: put right, to be re-inspected; what was spent."""

    event: Literal[HazardDeed.RECTIFY] = HazardDeed.RECTIFY
    spent: Yuan | None = None

    def changes(self, hazard: Hazard) -> dict[str, Any]:
        """What was spent."""
        return {"spent": self.spent if self.spent is not None else hazard.spent}

    def told(self) -> tuple[str, ...]:
        """What was spent."""
        return () if self.spent is None else (f"投入{in_wan(self.spent)}",)


class Reinspected(HazardEvent):
    """复查: passed, or back to be put right, by a new time limit where one is set."""

    event: Literal[HazardDeed.REINSPECT] = HazardDeed.REINSPECT
    passed: bool
    acceptance: tuple[Acceptance, ...] = ()
    time_limit: date | None = None

    def target(self, hazard: Hazard) -> HazardState:
        """Passed or not."""
        return HazardState.REINSPECTED if self.passed else HazardState.RECTIFYING

    def refusal(self, hazard: Hazard) -> str | None:
        """A time limit only where it did not pass, and not in the past."""
        if self.time_limit and self.passed:
            return "复查合格的不再设整改时限"
        return _limit_bar(self.time_limit, self.on)

    def changes(self, hazard: Hazard) -> dict[str, Any]:
        """How it was accepted, or the new time limit."""
        limit = self.time_limit or hazard.measure.time_limit
        accepted = self.acceptance if self.passed else ()
        return {"acceptance": accepted, "measure": hazard.measure.model_copy(update={"time_limit": limit})}

    def told(self) -> tuple[str, ...]:
        """The outcome."""
        limit = [f"时限{self.time_limit}"] if self.time_limit else []
        return ("合格" if self.passed else "不合格", *self.acceptance, *limit)


class Delisted(HazardEvent):
    """摘牌: taken off the list after it passed."""

    event: Literal[HazardDeed.DELIST] = HazardDeed.DELIST

    def changes(self, hazard: Hazard) -> dict[str, Any]:
        """The day it left the list."""
        return {"listing": hazard.listing and hazard.listing.model_copy(update={"delisted": self.on})}


class Closed(HazardEvent):
    """销号."""

    event: Literal[HazardDeed.CLOSE] = HazardDeed.CLOSE


class Reopened(HazardEvent):
    """重新打开: a look-back (回头看) found it again; with a new time limit."""

    event: Literal[HazardDeed.REOPEN] = HazardDeed.REOPEN
    time_limit: date
    reason: Line

    def refusal(self, hazard: Hazard) -> str | None:
        """Not with a time limit in the past."""
        return _limit_bar(self.time_limit, self.on)

    def changes(self, hazard: Hazard) -> dict[str, Any]:
        """The time limit; it is accepted no more."""
        measure = hazard.measure.model_copy(update={"time_limit": self.time_limit})
        return {"acceptance": (), "measure": measure}

    def told(self) -> tuple[str, ...]:
        """Reason and time limit."""
        return self.reason, f"时限{self.time_limit}"


def _limit_bar(limit: date | None, on: date) -> str | None:
    return f"整改时限{limit}早于{on}" if limit and limit < on else None


AnyHazardEvent: TypeAlias = Annotated[
    Judged | Ordered | Extended | Listed | Rectified | Reinspected | Delisted | Closed | Reopened,
    Discriminator("event"),
]
"""Any event, as JSON tells it: `{"event": "销号", "on": "2025-01-20"}`."""
