"""Who does something to whom (异地交叉检查): pairs of units, as the printed rows of a form list them.

Duties name the two sides as roles; a unit bears them beside its own.
"""

from pydantic import Field

from .provenance import Citation, Value


class Side(Value):
    """One side of the pairs: the column of the form that names its units, and the role that they bear."""

    column: str
    role: str


class Pairing(Value):
    """Pairs of units: in each printed row of a form, `one` does it to the `other`."""

    id: str
    title: str
    form: str = Field(description="the form whose printed rows are the pairs")
    one: Side
    other: Side
    source: Citation
