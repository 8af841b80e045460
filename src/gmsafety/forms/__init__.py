"""One declaration of a form, many projections: xlsx, docx, JSON Schema, the pydantic model, the printed view.

A form is what is asked; a layout is how it looks; a projection is a function that reads both.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .checking import check
    from .reading import Reading, read
    from .record import Record
    from .writing import blank, fill

__all__ = ["Reading", "Record", "blank", "check", "fill", "read"]

_HOMES = {
    "Reading": "reading",
    "Record": "record",
    "blank": "writing",
    "check": "checking",
    "fill": "writing",
    "read": "reading",
}


def __getattr__(name: str) -> Any:
    """Import a public name from its module (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'gmsafety.forms' has no attribute {name!r}")
    return getattr(import_module(f"gmsafety.forms.{_HOMES[name]}"), name)
