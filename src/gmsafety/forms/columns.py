"""What a form asks, field by field: header fields, columns, what is computed, and rows that stand under others."""

from collections.abc import Iterator
from functools import cached_property

from pydantic import Field, model_validator

from ..provenance import Names, Value
from .types import FIELD_TYPES, FieldType, Setting


class FormField(Value):
    """What header fields, blanks and columns have in common: an id, a printed label, a type."""

    id: str
    label: str
    type: str = "text"
    choices: Names = ()
    open: bool = Field(False, description="the paper does not print the choices: other words are only remarked on")
    parts: Names = ()
    units: Names = Field((), description="words that may follow a number: 19条")
    aliases: Names = ()

    @property
    def kind(self) -> FieldType:
        """The type of the field."""
        return FIELD_TYPES[self.type]

    @cached_property
    def setting(self) -> Setting:
        """What the form adds to the type."""
        return Setting(choices=self.choices, open=self.open, parts=self.parts, units=self.units)

    @model_validator(mode="after")
    def _known_type(self) -> "FormField":
        if self.type not in FIELD_TYPES:
            raise ValueError(f"没有字段类型“{self.type}”；可用：{'、'.join(FIELD_TYPES)}")
        if self.type == "choice" and not self.choices:
            raise ValueError(f"“{self.label}”是选项，但没有写 choices")
        return self


class Computed(Value):
    """How a cell follows from others of its row: what is added and taken away, or one part of another.

    A blank adds nothing; where every number added is blank, or one of a ratio's two, the cell is blank. A ratio of 0
    to 0 is no number: paper says `/`.
    """

    sum: Names = ()
    minus: Names = ()
    part: str = ""
    of: str = ""

    @property
    def operands(self) -> Names:
        """The columns it is made of."""
        return tuple(n for n in (*self.sum, *self.minus, self.part, self.of) if n)

    @model_validator(mode="after")
    def _one_way(self) -> "Computed":
        if bool(self.sum) == bool(self.part and self.of) or bool(self.part) != bool(self.of):
            raise ValueError("computed 要么写 sum（可加 minus），要么写 part 和 of")
        return self


class Column(FormField):
    """A column of a grid. `aliases` are other titles seen in real files; reading one of them is said."""

    required: bool = False
    total: bool = Field(False, description="summed up in a row 合计, which is no row of data")
    width: float = 10
    heading: str | None = Field(None, description="the title as printed, with its line breaks")
    groups: Names = Field((), description="headings printed over it and its neighbours, the outermost first")
    unit: str = Field("", description="printed in a row of units under the headings; may follow a number")
    computed: Computed | None = None
    meant: str = Field("", description="the printed view's name for what the rows belong to, where paper has it wrong")

    @property
    def printed(self) -> str:
        """The title as printed."""
        return self.heading or self.label

    @property
    def title(self) -> str:
        """The title with the headings over it."""
        return " ".join((*self.groups, self.label))

    @cached_property
    def setting(self) -> Setting:
        """What the form adds to the type; the unit in the heading may follow a number."""
        units = (*self.units, self.unit) if self.unit else self.units
        return Setting(choices=self.choices, open=self.open, parts=self.parts, units=units)


class Parts(Value):
    """The rows under a printed row, by number; `whole` where together they are all of it, and not only some (其中)."""

    rows: tuple[int, ...]
    whole: bool


OF_THE_ROW = frozenset(("depth", "among"))
"""What a printed row says of itself; no column bears these names."""


def parts_of(rows: tuple[dict[str, str | int | None], ...]) -> Iterator[tuple[int, Parts]]:
    """Find the printed rows that have others under them."""
    depths = [int(row.get("depth") or 0) for row in rows]
    for number, depth in enumerate(depths):
        end = next((n for n in range(number + 1, len(rows)) if depths[n] <= depth), len(rows))
        under = tuple(n for n in range(number + 1, end) if depths[n] == depth + 1)
        if under:
            yield number, Parts(rows=under, whole=not any(rows[n].get("among") for n in under))
