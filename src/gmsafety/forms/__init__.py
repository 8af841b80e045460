"""One declaration of a form, many projections: xlsx, docx, JSON Schema, the pydantic model, the printed view.

A form is what is asked; a layout is how it looks; a projection is a function that reads both.
"""

from typing import TYPE_CHECKING

from ..lazy import lazily

if TYPE_CHECKING:
    from .checking import check
    from .reading import Reading, read
    from .record import Record
    from .writing import blank, fill

__all__ = ["Reading", "Record", "blank", "check", "fill", "read"]

__getattr__ = lazily(
    __name__,
    {
        "Reading": "reading",
        "Record": "record",
        "blank": "writing",
        "check": "checking",
        "fill": "writing",
        "read": "reading",
    },
)
