"""Inspections of enterprises: by whom, when, in which stage, what was found, who signed, what was examined."""

from datetime import date
from typing import Self

from pydantic import Field, model_validator

from .enterprises import CreditCode
from .hazards import Hazard, Stage
from .provenance import Value
from .quantities import Count, Line, Lines, Text


class Inspection(Value):
    """An inspection (检查); what it found are hazards, named by id. None where nothing is written down."""

    id: Line
    enterprise: CreditCode
    stage: Stage
    first: date
    last: date | None = Field(None, description="last day, where it took several")
    inspected_by: Line = Field(description="检查单位")
    inspectors: Lines = Field((), description="检查人员, or the numbers of their licences")
    experts: Count | None = None
    checklists: Lines = Field((), description="full names of the checklists used")
    hazards: Lines = Field((), description="ids of the hazards found")
    inspectors_signed: bool | None = Field(None, description="检查人员已签字（谁检查、谁签名、谁负责）")
    principal_signed: bool | None = Field(None, description="企业负责人已签字")
    principal_examined: bool | None = Field(None, description="考核主要负责人掌握判定标准的情况（逢查必考）")
    principal_passed: bool | None = Field(None, description="主要负责人考核合格")
    majors_checked: bool | None = Field(None, description="查重大事故隐患自查自改情况（逢查必检）")
    unannounced: bool | None = Field(None, description="四不两直")
    entered: date | None = Field(None, description="录入系统的日期")
    remark: Text | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last and self.last < self.first:
            raise ValueError(f"检查结束日期{self.last}早于开始日期{self.first}")
        if self.principal_passed is not None and self.principal_examined is False:
            raise ValueError("没有考核主要负责人，却有考核结果")
        return self

    @property
    def days(self) -> int:
        """How many days it took."""
        return ((self.last or self.first) - self.first).days + 1

    @property
    def entry_delay(self) -> int | None:
        """Days from its end to its entry into the system (先执法检查后线上补录); None where it was not entered."""
        return (self.entered - (self.last or self.first)).days if self.entered else None

    @property
    def not_shown(self) -> tuple[str, ...]:
        """What every inspection has to show and this one does not: signatures, 逢查必考, 逢查必检."""
        shown = {
            "检查人员": bool(self.inspectors) or None,
            "检查人员签字": self.inspectors_signed,
            "企业负责人签字": self.principal_signed,
            "逢查必考": self.principal_examined,
            "逢查必检": self.majors_checked,
        }
        return tuple(what for what, is_so in shown.items() if not is_so)

    def find(self, id: str, detail: str, *, on: date | None = None, evidence: str | None = None) -> Hazard:
        """Make the hazard of a finding; `on` is the day where the inspection took several."""
        return Hazard(
            id=id,
            enterprise=self.enterprise,
            detail=detail,
            stage=self.stage,
            found=on or self.first,
            found_by=self.inspected_by,
            evidence=evidence,
        )
