"""The types of a field: how a cell is understood, and how a value is written."""

from .fields import FIELD_TYPES, FieldType, Setting
from .problem import Parsed, Trouble
from .text import fold, is_blank, squash

__all__ = ["FIELD_TYPES", "FieldType", "Parsed", "Setting", "Trouble", "fold", "is_blank", "squash"]
