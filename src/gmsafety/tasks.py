"""Annual tasks (重点任务) and what is to be reached (目标): shares, counts, stocks to be brought to nothing."""

from datetime import date
from decimal import Decimal
from typing import Literal

from pydantic import Field, model_validator

from .provenance import Citation, Names, Value


class Tally(Value):
    """Where the figure of a target is counted: in how many ways a field of the head is filled in a duty's forms."""

    duty: str
    field: str


class Target(Value):
    """A figure to be reached: a share of something (`of`), or a number.

    A ratio prints `/` for 0/0. With `growth`, `at_least` is how much it grows in a year, relative to the year before.
    """

    id: str
    title: str
    count: str = Field(description="what is counted")
    of: str | None = Field(None, description="of what it is a share; None: a plain number")
    at_least: Decimal | None = None
    at_most: Decimal | None = None
    unit: str = "%"
    growth: bool = False
    by: date | None = None
    tally: Tally | None = None
    source: Citation

    @model_validator(mode="after")
    def _has_a_bound(self) -> "Target":
        if self.at_least is None and self.at_most is None:
            raise ValueError(f"目标“{self.title}”没有写 at_least 或 at_most")
        return self

    def value(self, counted: Decimal | int, of: Decimal | int | None = None) -> Decimal | None:
        """The figure: in percent where it is a share; None for 0/0, and for a share of an unknown whole."""
        if self.of is None:
            return Decimal(counted)
        if not of:
            return None
        share = Decimal(counted) * 100 / Decimal(of)
        return share - 100 if self.growth else share

    def is_met(self, counted: Decimal | int, of: Decimal | int | None = None) -> bool | None:
        """Tell whether it is reached; None where there is nothing to measure it by."""
        value = self.value(counted, of)
        if value is None:
            return None
        return (self.at_least is None or value >= self.at_least) and (self.at_most is None or value <= self.at_most)

    def shown(self, counted: Decimal | int, of: Decimal | int | None = None) -> str:
        """The figure as it is printed: `91.7%`, `/` for 0/0, `0条`."""
        value = self.value(counted, of)
        if value is None:
            return "/"
        return f"{value.quantize(Decimal('0.1')):f}".removesuffix(".0") + self.unit


class Task(Value):
    """A task of a year, in the words of the notice, with the duties and targets it is measured by."""

    id: str
    title: str
    group: str = ""
    scope: Literal["gongmao", "all", "other"] = Field(
        "gongmao", description="工贸, every industry, or other industries"
    )
    by: Names = Field((), description="roles that carry it out")
    points: Names = Field((), description="what it asks for, in the words of the notice")
    duties: Names = Field((), description="ids of duties of the same campaign")
    targets: Names = Field((), description="ids of targets of the same campaign")
    watches: Names = Field((), description="ids of watches of the same campaign")
    note: str | None = Field(None, description="why something of it is prose")
    source: Citation
