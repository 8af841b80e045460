"""The eight supervised industries (工贸行业) and which GB/T 4754-2017 class belongs to which.

Source: 应急厅〔2019〕17号, 冶金有色建材机械轻工纺织烟草商贸行业安全监管分类标准（试行）. Only what was read of it is
encoded: articles 1 to 3 in full, of article 4 (机械) the list of divisions but not its exceptions, of the remaining
four industries nothing. What was not read is unknown, never guessed.
"""

import re
import unicodedata
from enum import StrEnum
from types import MappingProxyType


class Industry(StrEnum):
    """One of the eight industries, as the notices name them."""

    METALLURGY = "冶金"
    NONFERROUS = "有色"
    BUILDING_MATERIALS = "建材"
    MACHINERY = "机械"
    LIGHT_INDUSTRY = "轻工"
    TEXTILES = "纺织"
    TOBACCO = "烟草"
    COMMERCE = "商贸"


PROVISIONAL_INDUSTRIES = frozenset({Industry.MACHINERY})
"""Industries whose exceptions were not read: some classes of their divisions belong elsewhere (四、机械行业 不包括)."""

_INDUSTRY_OF_DIVISION = MappingProxyType(
    {
        "30": Industry.BUILDING_MATERIALS,
        "31": Industry.METALLURGY,
        "32": Industry.NONFERROUS,
    }
    | dict.fromkeys(("33", "34", "35", "36", "37", "38", "39", "40", "43"), Industry.MACHINERY)
)
_NOT_BUILDING_MATERIALS = ("305", "3073", "3074", "3075", "3076", "3079")
_CODE = re.compile(r"C?(\d{2,4})", re.ASCII)


def industry_of(gbt4754: str) -> Industry | None:
    """Find the industry of a class such as 3120 or C31; None is "unknown", not "none of the eight".

    Codes too short to decide (30, 307: partly 建材) are unknown. An answer in PROVISIONAL_INDUSTRIES has to be
    confirmed by a person: 机械 has exceptions that were not read.
    """
    found = _CODE.fullmatch(unicodedata.normalize("NFKC", gbt4754).strip().upper())
    if found is None or _is_partly_excepted(found[1]):
        return None
    return _INDUSTRY_OF_DIVISION.get(found[1][:2])


def _is_partly_excepted(code: str) -> bool:
    return any(code.startswith(excepted) or excepted.startswith(code) for excepted in _NOT_BUILDING_MATERIALS)
