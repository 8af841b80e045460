"""Enterprises: who they are, what industry and size they have, and the tags that routes and gates ask for.

What is not known is None, and the tag is then missing: routes and gates answer "not known" instead of guessing.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Self, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from .codes import PROVISIONAL_INDUSTRIES, Industry, Level, check_credit_code, industry_of, normalise_credit_code
from .provenance import Value
from .quantities import Count, Line, Yuan
from .sizes import Business, Sized, above_scale, business_of, size_of

Tag: TypeAlias = bool | int | str
_INDUSTRY_CODE = re.compile(r"[A-T]?\d{2,4}", re.ASCII)
_AREA_CODE = re.compile(r"\d{6}|\d{9}|\d{12}", re.ASCII)


def _sound(code: str) -> str:
    problem = check_credit_code(code)
    if problem:
        raise ValueError(problem.message + problem.remedy)
    return normalise_credit_code(code)


def _industry_code(text: str) -> str:
    code = unicodedata.normalize("NFKC", text).strip().upper()
    if not _INDUSTRY_CODE.fullmatch(code):
        raise ValueError(f"“{text}”不是GB/T 4754的行业代码，如3110、C31")
    return code


def _area_code(text: str) -> str:
    code = unicodedata.normalize("NFKC", text).strip()
    if not _AREA_CODE.fullmatch(code):
        raise ValueError(f"“{text}”不是行政区划代码，如140525（镇、街道为9位或12位）")
    return code


def _digits(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


CreditCode = Annotated[str, AfterValidator(_sound)]
"""A unified social credit code (统一社会信用代码), checked and normalised."""


class Figures(Value):
    """What an enterprise employs and earns: in persons and yuan, of one year."""

    year: Annotated[int, Field(ge=1949, le=2100)] | None = None
    staff: Count | None = Field(None, description="从业人员")
    revenue: Yuan | None = Field(None, description="营业收入")
    assets: Yuan | None = Field(None, description="资产总额")


class Traits(Value):
    """What makes an enterprise dangerous, by number where there is one; None: not known."""

    metal_smelting: bool | None = Field(None, description="金属冶炼")
    molten_metal: bool | None = Field(None, description="高温熔融金属")
    combustible_dust: bool | None = Field(None, description="粉尘涉爆")
    deep_well_casting: bool | None = Field(None, description="铝加工（深井铸造）")
    confined_space: bool | None = Field(None, description="有限空间")
    auxiliary_chemicals: bool | None = Field(None, description="配套危化装置")
    multi_tenant: bool | None = Field(None, description="厂中厂、一厂多租")
    dust_workers: Count | None = Field(None, description="涉粉作业人数")
    blast_furnaces: Count | None = Field(None, description="高炉")
    converters: Count | None = Field(None, description="转炉")
    electric_furnaces: Count | None = Field(None, description="电炉")
    gas_holders: Count | None = Field(None, description="煤气柜")
    ammonia_tanks: Count | None = Field(None, description="氨罐")
    confined_spaces: Count | None = Field(None, description="有限空间数")


class Enterprise(Value):
    """An enterprise (企业), known by its credit code.

    `confirmed_industry` is what a person decided, and `on_scale_list` what the statistics office lists; they go before
    what is computed. `more` holds tags of a region's own.
    """

    credit_code: CreditCode
    name: Line
    area: Annotated[str, BeforeValidator(_digits), AfterValidator(_area_code)] = Field(description="GB/T 2260 code")
    address: Line | None = None
    gbt4754: Annotated[str, BeforeValidator(_digits), AfterValidator(_industry_code)] | None = None
    confirmed_industry: Industry | None = None
    on_scale_list: bool | None = None
    key_level: Level | None = Field(None, description="重点监管企业的级别")
    figures: Figures = Figures()
    traits: Traits = Traits()
    more: dict[Line, Tag] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _own_tags_only(self) -> Self:
        taken = sorted({*self.more} & {*Traits.model_fields, *_DERIVED})
        if taken:
            raise ValueError(f"标签名已有定义，不能另用：{'、'.join(taken)}")
        return self

    @property
    def industry(self) -> Industry | None:
        """Which of the eight industries; None is unknown, not "none of the eight"."""
        return self.confirmed_industry or (industry_of(self.gbt4754) if self.gbt4754 else None)

    @property
    def business(self) -> Business | None:
        """The line of business that its size is measured by."""
        found = business_of(self.gbt4754) if self.gbt4754 else None
        if found is None and self.confirmed_industry not in (None, Industry.COMMERCE, Industry.TOBACCO):
            return Business.INDUSTRY
        return found

    @property
    def sized(self) -> Sized:
        """Its size class (大型, 中型, 小型, 微型), with the reason."""
        return size_of(self.business, staff=self.figures.staff, revenue=self.figures.revenue)

    @property
    def above_scale(self) -> bool | None:
        """规模以上 (industry) or 限额以上 (commerce)."""
        if self.on_scale_list is not None:
            return self.on_scale_list
        return above_scale(self.business, self.figures.revenue)

    @property
    def tags(self) -> dict[str, Tag]:
        """What is known of it, as routes, gates and quotas ask for it; what is not known is missing."""
        known: dict[str, Any] = {**self.more, **dict(self.traits)}
        known |= {name: derive(self) for name, derive in _DERIVED.items()}
        return {name: _plain(value) for name, value in known.items() if value is not None}

    @property
    def doubts(self) -> tuple[str, ...]:
        """What does not agree in the record, or has to be confirmed by a person."""
        mapped = industry_of(self.gbt4754) if self.gbt4754 else None
        confirmed, traits = self.confirmed_industry, self.traits
        doubts = (
            (
                confirmed and mapped and confirmed != mapped,
                f"行业代码{self.gbt4754}属{mapped}，确认的行业却是{confirmed}",
            ),
            (not confirmed and mapped in PROVISIONAL_INDUSTRIES, f"行业代码{self.gbt4754}暂按{mapped}，须由人工确认"),
            (not self.industry, "八个工贸行业中属哪一个尚不知道，须由人工确认"),
            (traits.metal_smelting is False and traits.blast_furnaces, "有高炉，却记为不是金属冶炼企业"),
            (traits.combustible_dust is False and traits.dust_workers, "有涉粉作业人员，却记为不涉粉尘"),
            (traits.confined_space is False and traits.confined_spaces, "有有限空间，却记为不涉有限空间"),
        )
        return tuple(text for wrong, text in doubts if wrong)


_DERIVED: Mapping[str, Callable[[Enterprise], Tag | None]] = {
    "blast_furnace": lambda e: None if e.traits.blast_furnaces is None else e.traits.blast_furnaces > 0,
    "above_scale": lambda e: e.above_scale,
    "size": lambda e: e.sized.size,
    "sme": lambda e: e.sized.is_sme,
    "industry": lambda e: e.industry,
    "key_level": lambda e: e.key_level,
    "staff": lambda e: e.figures.staff,
}
"""Tags that follow from the record: none of them is written down."""


def _plain(value: Tag) -> Tag:
    return str(value) if isinstance(value, str) else value
