"""What clients send and get."""

import re
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter

from gmsafety.codes import Level
from gmsafety.exchange.wire import is_unseen

KINDS = {
    "open": "设立", "close": "撤销", "rename": "更名", "move": "划转", "split": "拆分", "merge": "合并",
    "assign": "分配任务", "unassign": "取消任务", "seed": "由插件带入",
}  # fmt: skip
EFFECTS = {
    "opened": "设立", "closed": "撤销", "renamed": "更名", "moved": "划转", "kept": "保留", "assigned": "增加任务",
    "unassigned": "取消任务",
}  # fmt: skip


def _seen(text: str) -> str:
    """Refuse what no receipt would take: it names the unit, and shows all it holds."""
    unseen = next(filter(is_unseen, text), None)
    if unseen is not None:
        raise ValueError(f"名称里含有看不见的字符U+{ord(unseen):04X}，请删去后重填")
    return text


def _alias(text: str) -> str:
    if re.search(r"[{}]", text.replace("{area}", "")):
        raise ValueError("名称里不能有花括号，{area} 除外")
    return text


_LINE = StringConstraints(strip_whitespace=True, min_length=1, max_length=120, pattern=r"^[^\x00-\x1f\x7f]*$")
Ref = Annotated[str, StringConstraints(max_length=120, pattern=r"^[a-z0-9][a-z0-9-]*(\.[a-z0-9][a-z0-9-]*)?$")]
Known = Annotated[str, StringConstraints(min_length=1, max_length=120, pattern=r"^[^\x00-\x1f\x7f]*$")]
Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=120, pattern=r"^[^\x00-\x1f\x7f{}]*$"),
    AfterValidator(_seen),
]
Alias = Annotated[str, _LINE, AfterValidator(_alias), AfterValidator(_seen)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000, pattern=r"^[^\x00]*$")]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewUnit(_In):
    """A unit to be set up; what is left out is as with the unit above it, or the one it comes from."""

    ref: Ref = Field(description="编号，取定后不再改变", examples=["jincheng.kaifaqu-office"])
    name: Name = Field(examples=["晋城经济技术开发区应急管理局"])
    parent: Known | None = Field(None, description="上级单位", examples=["shanxi.jincheng-office"])
    area: Annotated[str, StringConstraints(pattern=r"^\d{6}(\d{3}){0,2}$")] | None = Field(
        None, description="行政区划代码；开发区等没有代码的，写所在地的", examples=["140500"]
    )
    level: Level | None = Field(None, examples=["county"])
    role: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,39}$")] | None = Field(
        None, description="在专项行动里的角色，决定报送任务", examples=["county-office"]
    )
    aliases: list[Alias] = Field(default_factory=list, max_length=50, description="表上可能写的别名")


class Successor(NewUnit):
    """A unit that comes out of another, and those below that go to it."""

    children: list[Known] = Field(default_factory=list, max_length=2000, description="划归它的下级单位")


class _Change(_In):
    day: date = Field(description="从哪一天起；不能早于今天", examples=["2025-01-01"])
    reason: Reason = Field(examples=["依据某某发〔2024〕1号"])
    dry_run: bool = Field(False, description="只说明会有什么变化，不真正变更")


class Opening(_Change, NewUnit):
    """A unit is set up."""

    kind: Literal["open"]


class Closing(_Change):
    """A unit is closed; it has none below it any more."""

    kind: Literal["close"]
    unit: Known = Field(examples=["jincheng.jincheng-scjgj"])


class Renaming(_Change):
    """A unit gets another name; the old one stays an alias."""

    kind: Literal["rename"]
    unit: Known = Field(examples=["jincheng.zezhou-office"])
    name: Name = Field(examples=["泽州区应急管理局"])


class Moving(_Change):
    """A unit goes, with all below it, to another unit."""

    kind: Literal["move"]
    unit: Known = Field(examples=["jincheng.gaoping-office"])
    to: Known = Field(description="新的上级单位", examples=["shanxi.changzhi-office"])


class Splitting(_Change):
    """New units come out of one; with `keep` it goes on beside them."""

    kind: Literal["split"]
    unit: Known = Field(examples=["jincheng.zezhou-office"])
    into: list[Successor] = Field(min_length=1, max_length=20)
    keep: bool = Field(False, description="原单位保留")


class Merging(_Change):
    """Several units become one: one of them, another that exists, or a new one. Those below go along."""

    kind: Literal["merge"]
    units: list[Known] = Field(min_length=1, max_length=50, examples=[["jincheng.chengqu-office"]])
    into: Known | NewUnit = Field(examples=["jincheng.zezhou-office"])


class Assigning(_Change):
    """A unit owes a duty, or owes it no longer, whatever its role."""

    kind: Literal["assign", "unassign"]
    unit: Known = Field(examples=["jincheng.jincheng-gxj"])
    campaign: Known = Field(examples=["jincheng.gongmao-2024"])
    duty: Known = Field(examples=["weekly-forms"])


AnyChange = Annotated[
    Opening | Closing | Renaming | Moving | Splitting | Merging | Assigning, Field(discriminator="kind")
]
CHANGE: TypeAdapter[AnyChange] = TypeAdapter(AnyChange)


class UnitOut(BaseModel):
    """A unit on a day; `depth` counts the units above it."""

    ref: str
    name: str
    area: str
    area_name: str
    level: Level
    role: str
    parent: str | None
    depth: int


class UnitList(BaseModel):
    """A page of units, each followed by those below it."""

    items: list[UnitOut]
    total: int
    page: int
    size: int
    pages: int


class SpellOut(BaseModel):
    """A unit for as long as nothing about it changed: from `since`, included, to `until`, not included."""

    name: str
    area: str
    level: Level
    role: str
    parent: str | None
    parent_name: str | None
    aliases: list[str]
    since: date
    until: date | None


class ChangeOut(BaseModel):
    """A change, as the history tells it."""

    id: int
    kind: str
    title: str
    day: date
    reason: str
    at: datetime
    by: str
    data: dict[str, object]


class OwedOut(BaseModel):
    """A duty that a unit owes, or owed."""

    campaign: str
    duty: str
    title: str
    since: date
    until: date | None
    by_hand: bool


class UnitDetail(UnitOut):
    """A unit with its history, as far as it is in sight."""

    is_open: bool
    spells: list[SpellOut]
    changes: list[ChangeOut]
    duties: list[OwedOut]


class EffectOut(BaseModel):
    """What a change does to one unit."""

    ref: str
    name: str
    effect: str
    title: str


class SlotOut(BaseModel):
    """A slot that is added, taken away or goes to another unit."""

    effect: Literal["added", "removed", "moved"]
    unit: str
    unit_name: str
    campaign: str
    item: str
    title: str
    period: date


class Outcome(BaseModel):
    """What a change did, or would do."""

    id: int | None = Field(description="变更编号；试算时没有")
    kind: str
    day: date
    dry_run: bool
    units: list[EffectOut]
    added: int = Field(description="增加的应报项数")
    removed: int = Field(description="减少的应报项数")
    moved: int = Field(description="改报上级或改变期限的应报项数")
    slots: list[SlotOut] = Field(description="其中前200项")
    drafts: list[str] = Field(description="随应报项一并删除的草稿")
    accounts: int = Field(description="所在单位被撤销、需要另行安排的账号数")
