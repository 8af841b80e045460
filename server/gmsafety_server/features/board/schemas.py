"""What clients ask of board and due list, and what they get."""

from datetime import date, datetime
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, Field, StringConstraints, model_validator
from typing_extensions import TypedDict

from gmsafety.codes import Level

from ...errors import Problem
from ...web import Paging
from .states import Word
from .tallies import Tally

Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]*$")]


class Range(BaseModel):
    """From which period to which; both included."""

    first: date | None = Field(None, alias="from", description="从哪一期起（含），例如 2024-12-20")
    last: date | None = Field(None, alias="to", description="到哪一期止（含）")

    @model_validator(mode="after")
    def _in_order(self) -> "Range":
        if self.first and self.last and self.first > self.last:
            wrong = [{"field": "from", "message": "起始期晚于截止期"}]
            raise Problem("not-valid", "起始期晚于截止期", errors=wrong)
        return self


class Asked(Range):
    """Which slots are asked for."""

    campaign: Name | None = Field(
        None, description="专项行动；不写则取报给本单位的那一项", examples=["jincheng.gongmao-2024"]
    )
    item: Name | None = Field(
        None, description="表的编号，或 `专项行动/任务/材料`；不写则取第一项", examples=["shanxi.weekly-dispatch"]
    )
    unit: Name | None = Field(None, description="只看这个单位及其下级")
    level: Level | None = Field(None, description="只看这一级的单位")


class Searched(Asked, Paging):
    """Which units are shown, and which page of them."""

    state: Word | None = Field(None, description="只列出有这种状态的单位")
    q: Annotated[str, StringConstraints(max_length=80, pattern=r"^[^\x00-\x1f]*$")] = Field(
        "", description="按名称、编号或行政区划代码查找单位"
    )


class BoardAsked(Searched):
    """Which board, and which page of it; totals are over all its units, however few are shown."""

    sort: Literal["area", "missing", "late"] = Field(
        "area", description="area 按行政区划；missing 未报最多的在前；late 迟报最多的在前"
    )


Order: TypeAlias = Literal[
    "area", "missing", "late", "due", "nil", "submitted", "returned", "completeness", "timeliness"
]


class UnitsAsked(Searched):
    """Which list of units, and which page of it."""

    area: Annotated[str, StringConstraints(pattern=r"^\d{2,12}$")] | None = Field(
        None, description="只列出这个行政区划及其下的单位", examples=["140500"]
    )
    sort: Order = Field("area", description="area 按行政区划；各数，多的在前；报送率、按时率，低的在前")


class Cell(TypedDict):
    """One unit in one period. `submission` names what was filed, where the viewer may read it."""

    state: Word
    nil: bool
    late_minutes: Annotated[int, Field(description="首次收到比截止时间晚的分钟数；按时为0")]
    revision: int
    submission: str | None


class BoardRow(BaseModel):
    """A unit; `cells` stand in the order of `periods`, null where it owes nothing in that period."""

    unit: str
    unit_name: str
    level: str
    area: str
    cells: list[Cell | None]
    totals: Tally


class Period(BaseModel):
    """A column of the board."""

    period: date
    title: str
    opens: date
    due_at: datetime
    totals: Tally


class About(BaseModel):
    """What a board is about."""

    campaign: str
    campaign_title: str
    item: str
    title: str
    unit: str
    unit_name: str
    now: datetime = Field(description="服务器的时间；状态以此为准")


class Board(About):
    """Units by periods, a page of units at a time; totals are over all units, not over the page."""

    periods: list[Period]
    totals: Tally
    rows: list[BoardRow]
    total: int = Field(description="单位数")
    page: int
    size: int
    pages: int


class UnitLine(BaseModel):
    """A unit and its counts over the time."""

    unit: str
    unit_name: str
    level: str
    area: str
    totals: Tally


class UnitList(About):
    """Units with their counts, a page at a time; totals are over all units that are listed, not over the page."""

    totals: Tally
    rows: list[UnitLine]
    total: int = Field(description="单位数")
    page: int
    size: int
    pages: int


class Group(BaseModel):
    """A unit directly below, and everything under it."""

    unit: str
    unit_name: str
    totals: Tally


class Summary(About):
    """The counts of each unit directly below; the unit's own duties stand first under its own name."""

    periods: list[Period]
    totals: Tally
    groups: list[Group]


class Source(BaseModel):
    """Where a duty is written down."""

    document: str | None
    title: str | None
    number: str | None
    clause: str
    quote: str | None
    reading: str | None


class Flag(BaseModel):
    """Something to know about a deadline: `public-holiday`, `day-off`, `moved`, `provisional`."""

    flag: str
    text: str


class Returned(BaseModel):
    """Why the last revision was returned."""

    at: datetime
    unit: str
    unit_name: str
    note: str | None
    reasons: list[dict[str, Any]]


class Due(BaseModel):
    """One thing that a unit owes."""

    campaign: str
    duty: str
    item: str
    kind: Literal["form", "deliverable"]
    title: str
    caption: str = Field(description="简称，例如 周调度统计表")
    period: date
    period_title: str = Field(description="期次，例如 第2周（12月27日）")
    opens: date
    due_at: datetime
    upper: str | None = Field(description="报给哪个单位")
    upper_name: str
    state: Word
    nil: bool
    late_minutes: int
    minutes_left: int | None = Field(description="距截止的分钟数；已过截止为负；已报为空")
    closes_at: datetime = Field(description="过了这个时间不再接收")
    received_at: datetime | None
    revision: int
    submission: str | None = Field(description="现行的一版")
    payload_hash: str | None = Field(description="现行一版的内容校验值；更正时写在 supersedes 里")
    draft: str | None = Field(description="草稿；只有本单位看得到")
    returned: Returned | None
    flags: list[Flag]
    source: Source | None


class DueList(BaseModel):
    """What a unit owes, in the order of deadlines."""

    unit: str
    unit_name: str
    now: datetime
    items: list[Due]


class FeedOut(BaseModel):
    """A calendar feed. Its address is a secret and is not shown again; `hint` is how it begins."""

    id: int
    unit: str
    hint: str
    created_at: datetime
    revoked_at: datetime | None


class NewFeed(FeedOut):
    """A feed that was just made, with its address."""

    address: str = Field(description="日历订阅地址；只显示这一次")
