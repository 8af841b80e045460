"""What a server tells of roll-ups: the result, and what every number of it is made of."""

from datetime import date, datetime
from typing import Any, Literal

from .values import Answer, Finding

Basis = Literal["accepted", "submitted"]
State = Literal["draft", "filed"]
Suffix = Literal["xlsx", "docx", "json", "printed.json"]
Number = float | int


class Filed(Answer):
    """The submission a roll-up was filed as."""

    uid: str
    campaign: str
    period: date
    revision: int
    state: str
    payload_hash: str


class Rollup(Answer):
    """A roll-up as a list shows it; `stale` when a form below was corrected, accepted or taken back since."""

    uid: str
    unit: str
    unit_name: str
    campaign: str
    item: str
    title: str
    period: date
    basis: Basis
    state: State
    stale: bool
    submission: Filed | None
    etag: int
    created_at: datetime
    changed_at: datetime


class Source(Answer):
    """A lower unit's submission that is counted; `rollup` where it is itself a roll-up."""

    unit: str
    unit_name: str
    area: str
    submission: str
    revision: int
    state: str
    nil: bool
    received_at: datetime | None
    payload_hash: str
    file: str | None
    file_hash: str | None
    errors: int
    warnings: int
    reason: str | None
    rollup: str | None


class Missing(Answer):
    """A unit that is not counted; `of_level` when the form's roll-up asks for it, and not its duty alone."""

    unit: str
    unit_name: str
    state: str
    of_level: bool


class Part(Answer):
    """Where a part of a number stands; `below` opens a lower unit's own roll-up."""

    kind: Literal["lower", "own", "adjustment"]
    area: str
    unit: str
    unit_name: str
    submission: str | None
    revision: int | None
    state: str | None
    file: str | None
    file_hash: str | None
    where: str | None
    sheet: str | None
    place: str | None
    value: Any
    shown: str
    payload_hash: str | None
    reason: str | None
    below: "tuple[Part, ...] | None" = None


class Figure(Answer):
    """A number of a clause table: its printed row and place (both from 1), and what it is made of."""

    path: str
    clause: int
    number: int
    label: str
    value: Any
    shown: str
    contributions: dict[str, Any]
    parts: tuple[Part, ...]


class Row(Answer):
    """A row of a ledger, and where it came from."""

    index: int
    part: Part


class Cell(Answer):
    """A cell opened down to the cells of the units that have no lower ones."""

    path: str
    label: str
    clause: int | None
    value: Any
    shown: str
    parts: tuple[Part, ...]


class Because(Answer):
    """The unit whose revision makes a change; a revision is None where there is none."""

    unit: str
    unit_name: str
    before: int | None
    after: int | None


class ColumnChange(Answer):
    """A cell of a ledger row that changes."""

    label: str
    before: str
    after: str


class Change(Answer):
    """A cell, or a row of a ledger, that a correction below changes."""

    kind: Literal["changed", "added", "removed"]
    path: str
    label: str
    before: str
    after: str
    columns: tuple[ColumnChange, ...]
    because: tuple[Because, ...]


class Adjusted(Answer):
    """An adjustment that was made, and what it did to the number."""

    path: str
    label: str
    delta: Number | None
    value: Number | None
    before: str
    after: str
    change: str
    reason: str
    by: str
    at: datetime


class Own(Answer):
    """The unit's own part."""

    body: dict[str, Any]
    file: str | None
    file_hash: str | None
    size: int | None
    findings: tuple[Finding, ...]


class Upward(Answer):
    """Where the result is to be filed; `current_hash` is the payload of what stands there now."""

    campaign: str
    period: date
    due_at: datetime
    upper: str | None
    upper_name: str
    state: str
    current_hash: str | None


class RollupDetail(Rollup):
    """A roll-up with everything it is made of; `changes` are what a refresh would change."""

    body: dict[str, Any]
    printed: dict[str, Any]
    contributions: dict[str, Any]
    numbers: tuple[Figure, ...]
    rows: tuple[Row, ...]
    sources: tuple[Source, ...]
    missing: tuple[Missing, ...]
    findings: tuple[Finding, ...]
    adjustments: tuple[Adjusted, ...]
    own: Own | None
    changes: tuple[Change, ...]
    upward: Upward | None

    def __getitem__(self, path: str) -> Figure:
        """The number at a path such as `self.major.found`; KeyError where the form has none."""
        for figure in self.numbers:
            if figure.path == path:
                return figure
        raise KeyError(path)


class Total(Answer):
    """The sums of the units below one; a number nobody filed is None. Money in yuan."""

    unit: str | None
    unit_name: str
    reporting: int
    nil: int
    sums: dict[str, Number | None]


class Totals(Answer):
    """Sums of one form and period, by the units of a level above."""

    item: str
    title: str
    period: date
    level: str
    by: str
    basis: Basis
    labels: dict[str, str]
    groups: tuple[Total, ...]
    total: Total
