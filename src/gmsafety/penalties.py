"""What is done about a hazard: the five-part measure, listed supervision, penalties."""

from collections.abc import Iterable, Mapping
from datetime import date
from enum import StrEnum
from types import MappingProxyType

from pydantic import Field

from .codes import Level
from .enterprises import CreditCode
from .provenance import Value
from .quantities import Line, Text, Yuan, in_wan

PARTS: Mapping[str, str] = MappingProxyType(
    {"responsibility": "责任", "action": "措施", "funds": "资金", "time_limit": "时限", "contingency": "预案"}
)
"""The five parts of a measure and how they are usually called; a region may call them otherwise."""


class Measure(Value):
    """A rectification measure (整改措施) in its five parts; what is not laid down is None."""

    responsibility: Text | None = None
    action: Text | None = None
    funds: Yuan | None = None
    time_limit: date | None = None
    contingency: Text | None = None

    def missing(self, parts: Mapping[str, str] = PARTS) -> tuple[str, ...]:
        """Name the parts that are not laid down."""
        return tuple(label for name, label in parts.items() if getattr(self, name) is None)

    def as_text(self, parts: Mapping[str, str] = PARTS) -> str:
        """Write it as a ledger has it: 责任：…；措施：…；资金：3万元；时限：2025-01-10；预案：…"""
        told = {name: getattr(self, name) for name in parts}
        told["funds"] = None if self.funds is None else in_wan(self.funds)
        return "；".join(f"{parts[name]}：{value}" for name, value in told.items() if value is not None)


class Listing(Value):
    """Listed supervision (挂牌督办) of a major hazard: by whom, until when, and when it was taken off the list."""

    level: Level
    supervisor: Line = Field(description="督办单位")
    department: Line | None = Field(None, description="督办部门")
    number: Line | None = Field(None, description="督办文号")
    listed: date
    due: date = Field(description="督办完成时间")
    delisted: date | None = None

    @property
    def is_open(self) -> bool:
        """Tell whether it stands on the list."""
        return self.delisted is None


class PenaltyKind(StrEnum):
    """What was imposed."""

    WARNING = "警告"
    FINE = "罚款"
    CONFISCATION = "没收违法所得"
    TIMED_ORDER = "限期整改"
    SUSPENSION = "停产整改"
    LICENCE = "暂扣或吊销许可证"
    CLOSURE = "取缔关闭"


class Punished(StrEnum):
    """Who was punished: the enterprise, or its principal (主要负责人)."""

    ENTERPRISE = "企业"
    PRINCIPAL = "主要负责人"


class Penalty(Value):
    """An administrative penalty (行政处罚); penalties of one `case` that hit both are 一案双罚."""

    id: Line
    enterprise: CreditCode
    hazard: Line | None = Field(None, description="id of the hazard")
    decided: date
    by: Line
    kinds: tuple[PenaltyKind, ...] = Field(min_length=1)
    punished: Punished = Punished.ENTERPRISE
    amount: Yuan | None = None
    number: Line | None = Field(None, description="文书号")
    case: Line | None = Field(None, description="案号")
    referred: bool | None = Field(None, description="行刑衔接")
    published: bool | None = Field(None, description="公布曝光")


def dual_cases(penalties: Iterable[Penalty]) -> tuple[str, ...]:
    """Name the cases in which both the enterprise and its principal were punished (一案双罚)."""
    hit: dict[str, set[Punished]] = {}
    for penalty in penalties:
        if penalty.case:
            hit.setdefault(penalty.case, set()).add(penalty.punished)
    return tuple(case for case, who in hit.items() if who == set(Punished))
