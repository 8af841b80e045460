"""What clients send and get."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from gmsafety.codes import Level

from ..submissions.schemas import FindingOut, MessageId, Name, Words

Number = Annotated[float | int, Field(ge=-1e15, le=1e15, allow_inf_nan=False)]
Basis = Literal["accepted", "submitted"]
State = Literal["draft", "filed"]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class RollupIn(_In):
    """Which form of which period is rolled up for one's own unit."""

    item: Name = Field(description="表的编号", examples=["shanxi.weekly-dispatch"])
    period: date = Field(description="下级的期次", examples=["2025-01-03"])
    campaign: Name | None = Field(None, description="下级所报的专项行动；只有一项时可不写")
    basis: Basis = Field("accepted", description="accepted 只汇总已接受的，submitted 也汇总已报待审的")


class OwnIn(_In):
    """The unit's own part: a record, or its printed view."""

    body: dict[str, Any] = Field(
        description="`forms schema` 所述的JSON，或按表上的字写的JSON",
        examples=[{"form": "shanxi.weekly-dispatch", "values": {"self": {"benchmark": {"firms": 2, "helped": 6}}}}],
    )
    file: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f/\\]*$")] | None = Field(
        None, description="它取自哪个文件，写进出处", examples=["city_own_2025-01-03.json"]
    )


class AdjustmentIn(_In):
    """One number of the result is changed, and why; money in yuan."""

    path: Name = Field(examples=["self.general.found"])
    delta: Number | None = Field(None, description="加上（减去）多少", examples=[2])
    value: Annotated[Number, Field(ge=0)] | None = Field(None, description="改为多少")
    reason: Words = Field(examples=["某企业两县重复填报"])

    @model_validator(mode="after")
    def _one_of_two(self) -> "AdjustmentIn":
        if (self.delta is None) == (self.value is None):
            raise ValueError("delta 和 value 写一项")
        return self


class AdjustmentsIn(_In):
    """All adjustments; those made before are replaced."""

    adjustments: list[AdjustmentIn] = Field(max_length=200)


class FileIn(_In):
    """The result is filed with the upper unit."""

    message_id: MessageId = Field(examples=["jincheng-2025-01-03-weekly-1"])
    reason: Words | None = Field(None, description="有问题仍要报送的原因")
    note: Words | None = Field(None, description="报送说明")
    supersedes: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = Field(
        None, description="所更正的那一版的内容校验值"
    )


class FiledOut(BaseModel):
    """The submission a roll-up was filed as."""

    uid: str
    campaign: str
    period: date
    revision: int
    state: str
    payload_hash: str


class RollupOut(BaseModel):
    """A roll-up in a list; `stale` when a form below was corrected, accepted, taken back or is out of date since."""

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
    submission: FiledOut | None
    etag: int
    created_at: datetime
    changed_at: datetime


class RollupList(BaseModel):
    """A page of roll-ups."""

    items: list[RollupOut]
    total: int
    page: int
    size: int
    pages: int


class SourceOut(BaseModel):
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
    outdated: bool = Field(description="它的下级已有更正，等它报更正版")


class MissingOut(BaseModel):
    """A unit that is not counted; `of_level` when the form's roll-up asks for it, and not its duty alone."""

    unit: str
    unit_name: str
    state: Literal["not-due", "due", "missing", "submitted", "returned", "accepted"]
    of_level: bool


class PartOut(BaseModel):
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
    below: list["PartOut"] | None = None


class NumberOut(BaseModel):
    """A number of a clause table: its printed row and place, and what it is made of."""

    path: str
    clause: int
    number: int
    label: str
    value: Any
    shown: str
    contributions: dict[str, Any]
    parts: list[PartOut]


class RowOut(BaseModel):
    """A row of a ledger, and where it came from."""

    index: int
    part: PartOut


class CellOut(BaseModel):
    """A cell opened: its value and its parts, down to the cells of the units that have no lower ones."""

    path: str
    label: str
    clause: int | None
    value: Any
    shown: str
    parts: list[PartOut]


class BecauseOut(BaseModel):
    """The unit whose revision makes the change; a revision is null where there is none."""

    unit: str
    unit_name: str
    before: int | None
    after: int | None


class ColumnChangeOut(BaseModel):
    """A cell of a ledger row that changes."""

    label: str
    before: str
    after: str


class ChangeOut(BaseModel):
    """A cell, or a row of a ledger, that a correction below changes."""

    kind: Literal["changed", "added", "removed"]
    path: str
    label: str
    before: str
    after: str
    columns: list[ColumnChangeOut]
    because: list[BecauseOut]


class AdjustmentOut(BaseModel):
    """An adjustment, and what it did to the number."""

    path: str
    label: str
    delta: float | int | None
    value: float | int | None
    before: str
    after: str
    change: str
    reason: str
    by: str
    at: datetime


class OwnOut(BaseModel):
    """The unit's own part."""

    body: dict[str, Any]
    file: str | None
    file_hash: str | None
    size: int | None
    findings: list[FindingOut]


class UpwardOut(BaseModel):
    """Where the result is to be filed."""

    campaign: str
    period: date
    due_at: datetime
    upper: str | None
    upper_name: str
    state: str
    current_hash: str | None


class RollupDetail(RollupOut):
    """A roll-up with everything it is made of."""

    body: dict[str, Any]
    printed: dict[str, Any]
    contributions: dict[str, Any]
    numbers: list[NumberOut]
    rows: list[RowOut]
    sources: list[SourceOut]
    missing: list[MissingOut]
    findings: list[FindingOut]
    adjustments: list[AdjustmentOut]
    own: OwnOut | None
    changes: list[ChangeOut]
    upward: UpwardOut | None


class TotalOut(BaseModel):
    """The sums of the units below one; a number nobody filed is null. Money in yuan."""

    unit: str | None
    unit_name: str
    reporting: int
    nil: int
    sums: dict[str, float | int | None]


class TotalsOut(BaseModel):
    """Sums of one form and period, by the units of a level above."""

    item: str
    title: str
    period: date
    level: Level
    by: Level
    basis: Basis
    labels: dict[str, str]
    groups: list[TotalOut]
    total: TotalOut
