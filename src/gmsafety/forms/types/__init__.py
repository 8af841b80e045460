"""The types of a field: how a cell is understood, and how a value is written."""

from types import MappingProxyType

from .answers import Answer
from .fields import (
    Choice,
    CompletionText,
    Count,
    Date,
    FieldType,
    Measure,
    Money,
    Name,
    Names,
    Narrative,
    Ratio,
    Serial,
    Setting,
)
from .problem import Parsed, Trouble
from .text import fold, is_blank, squash

FIELD_TYPES = MappingProxyType(
    {
        t.name: t()
        for t in (
            FieldType, Narrative, Name, Names, Count, Serial, Money, Ratio, Date, Choice, Measure, CompletionText,
            Answer,
        )
    }
)  # fmt: skip
"""Every field type by the name it has in a form's YAML."""

__all__ = ["FIELD_TYPES", "FieldType", "Parsed", "Setting", "Trouble", "fold", "is_blank", "squash"]
