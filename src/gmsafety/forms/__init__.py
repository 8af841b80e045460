"""One declaration of a form, many projections: xlsx, docx, JSON Schema, the pydantic model, the printed view.

A form is what is asked; a layout is how it looks; a projection is a function that reads both.
"""

from typing import TYPE_CHECKING

from ..lazy import lazily

if TYPE_CHECKING:
    from .annotating import annotate
    from .checking import check
    from .filling import fill_template
    from .reading import Reading, read
    from .record import Record
    from .writing import blank, fill

__all__ = ["Reading", "Record", "annotate", "blank", "check", "fill", "fill_template", "read"]

__getattr__ = lazily(
    __name__,
    {
        "Reading": "reading",
        "Record": "record",
        "annotate": "annotating",
        "blank": "writing",
        "check": "checking",
        "fill": "writing",
        "fill_template": "filling",
        "read": "reading",
    },
)
