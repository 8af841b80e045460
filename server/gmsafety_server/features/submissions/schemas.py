"""What clients send and get."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000, pattern=r"^[^\x00]*$")]
MessageId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{7,99}$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]*$")]
Where = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f]*$")]
Word = Annotated[Name | None, BeforeValidator(lambda given: given or None)]
Day = Annotated[date | None, BeforeValidator(lambda given: given or None)]
"""What a list is narrowed to on a page; an empty field of its form narrows nothing."""
Action = Literal["draft", "submit"]


State = Literal["draft", "submitted", "accepted", "returned", "superseded", "withdrawn"]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Envelope(BaseModel):
    """What every filing says, whether it brings files or JSON."""

    message_id: MessageId = Field(
        description="编号，由报送方取；同一编号重发不会重复", examples=["zezhou-2024-12-27-weekly-1"]
    )
    item: Name = Field(
        description="表的编号，或 `专项行动/任务/材料`",
        examples=["shanxi.weekly-dispatch", "jincheng.gongmao-2024/summary/summary"],
    )
    period: date = Field(description="期次：截止日", examples=["2024-12-27"])
    campaign: Name | None = Field(None, description="专项行动；只有一项时可不写", examples=["jincheng.gongmao-2024"])
    unit: Name | None = Field(None, description="填报单位；不写则为本单位", examples=["jincheng.zezhou-office"])
    action: Action = Field("submit", description="draft 存为草稿，submit 报送")
    reason: Words | None = Field(None, description="有问题仍要报送的原因")
    note: Words | None = Field(None, description="报送说明")
    supersedes: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = Field(
        None, description="所更正的那一版的内容校验值"
    )


class FormIn(Envelope):
    """A form as JSON: `body` is a record or its printed view; or a nil report."""

    model_config = ConfigDict(extra="forbid")

    body: dict[str, Any] | None = Field(None, description="表的内容：`forms schema` 所述的JSON，或按表上的字写的JSON")
    nil: bool = Field(False, description="零报告", examples=[True])


class SubmitIn(_In):
    """A draft is handed in."""

    reason: Words | None = Field(None, description="有问题仍要报送的原因", examples=["数字已与企业核实"])


class ReasonIn(_In):
    """Why a form is returned, and where it is wrong."""

    where: Where = Field("", description="单元格；空着是整张表", examples=["C7"])
    text: Words = Field(examples=["重大事故隐患4条，台账只有3条"])


class AcceptIn(_In):
    """A form is accepted."""

    note: Words | None = Field(None, examples=["已核对"])


class ReturnIn(_In):
    """A form is returned; at least a note or one reason."""

    reasons: list[ReasonIn] = Field(
        default_factory=list, max_length=200, examples=[[{"where": "C7", "text": "重大事故隐患4条，台账只有3条"}]]
    )
    note: Words | None = None


class ReopenIn(_In):
    """An acceptance is withdrawn."""

    note: Words = Field(examples=["漏报一处，请更正后重报"])


class WithdrawIn(_In):
    """What was filed is taken back."""

    reason: Words = Field(examples=["报错了期次"])


class FindingOut(BaseModel):
    """One thing found; `place` is its place in words."""

    code: str
    kind: str
    severity: str
    where: str
    sheet: str | None
    place: str
    message: str
    remedy: str
    file: str | None = Field(None, description="在旁边那张表里时，那张表的文件名", exclude_if=lambda v: v is None)


class FileOut(BaseModel):
    """A file that came with a submission."""

    artefact: str
    name: str
    media_type: str
    size: int
    hash: str


class SubmissionOut(BaseModel):
    """A submission in a list."""

    uid: str
    campaign: str
    item: str
    title: str
    period: date
    unit: str
    unit_name: str
    upper: str | None = Field(description="报给哪个单位")
    upper_name: str
    revision: int
    state: State
    current: bool = Field(description="是这一期现在的那一版")
    outdated: bool = Field(description="是汇总，而下级已有更正：与下级现在所报不符")
    nil: bool
    due_at: datetime | None = Field(description="截止时间；随事报送的没有")
    received_at: datetime | None
    late_minutes: int = Field(description="迟了几分钟；自这一期第一次收到时算")
    message_id: str
    payload_hash: str
    supersedes: str | None
    reason: str | None
    note: str | None
    errors: int
    warnings: int
    etag: int
    test: bool
    changed_at: datetime


class PartOut(BaseModel):
    """A submission below that a roll-up was added up from."""

    unit: str
    revision: int
    payload_hash: str


class SubmissionDetail(SubmissionOut):
    """A submission with all that belongs to it."""

    body: dict[str, Any] | None
    made_of: list[PartOut] = Field(description="汇总自下级的哪些报送；不是汇总的为空")
    findings: list[FindingOut]
    files: list[FileOut]
    receipts: list[dict[str, Any]]


class SubmissionList(BaseModel):
    """A page of submissions."""

    items: list[SubmissionOut]
    total: int
    page: int
    size: int
    pages: int


class RefusalOut(BaseModel):
    """A file that could not be filed: kept for evidence, with what was found in it."""

    uid: str
    unit: str
    unit_name: str
    campaign: str
    item: str
    title: str
    period: date
    problem: Literal["unreadable", "wrong-form"]
    name: str
    size: int
    hash: str
    findings: list[FindingOut]
    at: datetime


class RefusalList(BaseModel):
    """A page of refusals."""

    items: list[RefusalOut]
    total: int
    page: int
    size: int
    pages: int


class ChangeOut(BaseModel):
    """One value that differs between two revisions, in the words of the paper."""

    path: str = Field(description="在表的 JSON 中的位置")
    where: str = Field(description="在哪一行、哪一栏")
    label: str
    before: str
    after: str
    kind: Literal["changed", "added", "removed", "moved", "renumbered"] = Field(
        description="改了、新增的行、删去的行、只换了位置的行、只是序号顺延的行"
    )


class DiffOut(BaseModel):
    """What another revision says otherwise."""

    uid: str
    against: str
    count: int = Field(description="几处不同；只是序号顺延的行不算")
    counts: dict[str, int] = Field(
        description="按种类：values（表头和各栏）、changed、added、removed、moved、renumbered（行）"
    )
    words: str = Field(description="一句话")
    changes: list[ChangeOut]


class EventOut(BaseModel):
    """One thing that happened to a submission."""

    kind: str
    at: datetime
    who: str
    unit: str
    unit_name: str
    text: str | None
    data: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A file as it was sent."""

    artefact: str
    name: str
    media_type: str
    content: bytes

    @property
    def suffix(self) -> str:
        """The end of its name, with the dot."""
        stem, dot, end = self.name.rpartition(".")
        return f".{end.lower()}" if dot and stem else ""


@dataclass(frozen=True, slots=True)
class Parcel:
    """What a unit hands in: the envelope with files, or with JSON."""

    envelope: Envelope
    enclosures: tuple[Enclosure, ...] = ()
    body: dict[str, Any] | None = None
    nil: bool = False
