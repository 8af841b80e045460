"""Codes of the national standards: divisions, credit codes, industries."""

from .areas import (
    Area,
    AreaTable,
    Level,
    ancestors,
    area,
    areas_from_tsv,
    canonical_code,
    children,
    full_name,
)
from .credit import (
    CreditCodeFault,
    CreditCodeProblem,
    area_code,
    check_credit_code,
    check_digit,
    normalise_credit_code,
)
from .industries import PROVISIONAL_INDUSTRIES, Industry, industry_of
from .successors import SUCCESSOR_CODES, successor

__all__ = [
    "PROVISIONAL_INDUSTRIES",
    "SUCCESSOR_CODES",
    "Area",
    "AreaTable",
    "CreditCodeFault",
    "CreditCodeProblem",
    "Industry",
    "Level",
    "ancestors",
    "area",
    "area_code",
    "areas_from_tsv",
    "canonical_code",
    "check_credit_code",
    "check_digit",
    "children",
    "full_name",
    "industry_of",
    "normalise_credit_code",
    "successor",
]
