"""Size classes (大型, 中型, 小型, 微型) and 规模以上, computed from what an enterprise employs and earns.

工信部联企业〔2011〕300号 (the bound of 大型 outside industry: 统计上大中小微型企业划分办法): a class needs both lower
bounds, otherwise it is one class down; so the lower of the two decides. What is not known stays unknown, but where
one figure alone excludes 大型 the enterprise is certainly a small or medium one (中小微企业).
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

from .quantities import WAN, in_wan


class Size(StrEnum):
    """The four classes, from the smallest."""

    MICRO = "微型"
    SMALL = "小型"
    MEDIUM = "中型"
    LARGE = "大型"


class Business(StrEnum):
    """Lines of business that the bounds differ by."""

    INDUSTRY = "工业"
    WHOLESALE = "批发业"
    RETAIL = "零售业"
    LODGING = "住宿业"
    CATERING = "餐饮业"


RULE = "工信部联企业〔2011〕300号"
_ORDER = tuple(Size)
_BOUNDS: Mapping[Business, tuple[tuple[int, ...], tuple[int, ...]]] = MappingProxyType(
    {  # persons, 万元: lower bounds of 小型, 中型, 大型
        Business.INDUSTRY: ((20, 300, 1000), (300, 2000, 40000)),
        Business.WHOLESALE: ((5, 20, 200), (1000, 5000, 40000)),
        Business.RETAIL: ((10, 50, 300), (100, 500, 20000)),
        Business.LODGING: ((10, 100, 300), (100, 2000, 10000)),
        Business.CATERING: ((10, 100, 300), (100, 2000, 10000)),
    }
)
_ABOVE_SCALE: Mapping[Business, int] = MappingProxyType(
    {
        Business.INDUSTRY: 2000,
        Business.WHOLESALE: 2000,
        Business.RETAIL: 500,
        Business.LODGING: 200,
        Business.CATERING: 200,
    }
)
_DIVISIONS: Mapping[str, Business] = MappingProxyType(
    {
        **{f"{division}": Business.INDUSTRY for division in range(13, 44)},
        "51": Business.WHOLESALE,
        "52": Business.RETAIL,
        "61": Business.LODGING,
        "62": Business.CATERING,
    }
)
_CODE = re.compile(r"[A-T]?(\d{2,4})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Sized:
    """A size class with its reason; `size` is None where it is not known, and `at_most` is then what it can be."""

    size: Size | None
    at_most: Size
    reason: str

    @property
    def is_sme(self) -> bool | None:
        """Tell whether it is one of the 中小微企业: not 大型."""
        if self.size is not None:
            return self.size is not Size.LARGE
        return True if self.at_most is not Size.LARGE else None


def business_of(gbt4754: str) -> Business | None:
    """Find the line of business of a GB/T 4754 class; None where no bounds were read for it."""
    found = _CODE.fullmatch(unicodedata.normalize("NFKC", gbt4754).strip().upper())
    return _DIVISIONS.get(found[1][:2]) if found else None


def size_of(business: Business | None, *, staff: int | None, revenue: Decimal | None) -> Sized:
    """Compute the size class; `revenue` in yuan."""
    if business is None:
        return Sized(None, Size.LARGE, "不知道按哪个行业划型，尚不能判定")
    persons, money = _BOUNDS[business]
    ranks = [_rank(figure, bounds) for figure, bounds in ((staff, persons), (revenue, [b * WAN for b in money]))]
    known = [rank for rank in ranks if rank is not None]
    at_most = min(known, key=_ORDER.index, default=Size.LARGE)
    decided = len(known) == 2 or at_most is Size.MICRO
    figures = (("从业人员", f"{staff}人", ranks[0]), ("营业收入", in_wan(revenue or Decimal(0)), ranks[1]))
    told = "，".join(f"{what}{figure}合{rank}" if rank else f"{what}未填" for what, figure, rank in figures)
    if decided:
        return Sized(at_most, at_most, f"{business}：{told}；两项同时满足下限才进档，为{at_most}（{RULE}）")
    bound = "" if at_most is Size.LARGE else f"，至多为{at_most}"
    return Sized(None, at_most, f"{business}：{told}；尚不能判定{bound}（{RULE}）")


def above_scale(business: Business | None, revenue: Decimal | None) -> bool | None:
    """Tell whether it is 规模以上 (industry) or 限额以上 (commerce); `revenue` in yuan."""
    if business is None or revenue is None:
        return None
    return revenue >= _ABOVE_SCALE[business] * WAN


def _rank(figure: int | Decimal | None, bounds: tuple[int, ...] | list[Decimal]) -> Size | None:
    return None if figure is None else _ORDER[sum(figure >= bound for bound in bounds)]
