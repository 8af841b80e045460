"""A form filled in: values by path or rows by column, and the cell every value came from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..findings import Place
from .computed import settled
from .spec import Form


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a grid, held by column: lists of equal length, one per column that the file has."""

    columns: Mapping[str, list[Any]] = field(default_factory=dict)
    count: int = 0

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[dict[str, Any]]:
        names = list(self.columns)
        if not names:
            yield from ({} for _ in range(self.count))
        for values in zip(*self.columns.values(), strict=True):
            yield dict(zip(names, values, strict=True))

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {name: values[index] for name, values in self.columns.items()}

    def __eq__(self, other: object) -> bool:
        """A column that one side does not have is the same as one that is blank throughout."""
        if not isinstance(other, Rows) or self.count != other.count:
            return False
        blank = [None] * self.count
        return all(self.columns.get(n, blank) == other.columns.get(n, blank) for n in {*self.columns, *other.columns})

    __hash__ = None  # type: ignore[assignment]  # holds lists

    def filled(self, *, apart: tuple[str, ...] = ()) -> bool:
        """Tell whether any cell is filled in, apart from those of some columns."""
        return any(v is not None for name, values in self.columns.items() if name not in apart for v in values)

    @classmethod
    def of(cls, rows: list[dict[str, Any]], form: Form) -> "Rows":
        """Hold rows by column; a column that no row has is left out."""
        names = [c.id for c in form.columns if any(c.id in r for r in rows)] if rows else []
        return cls({n: [r.get(n) for r in rows] for n in names}, len(rows))


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a record was read: file, sheet or table, and the cells.

    `cells` holds the place of header fields (`header.unit`), clauses (`self`) and remarks; for a grid `lines` and
    `letters` give row and column, `joints` the lines after which a Word table goes on in another, `moved` the cells
    that stand elsewhere because they are merged. `typed` keeps what stood in a cell where it was normalised or not
    understood.
    """

    file: str
    sheet: str | None = None
    table: int | None = None
    cells: Mapping[str, str] = field(default_factory=dict)
    lines: list[int] = field(default_factory=list)
    letters: Mapping[str, str] = field(default_factory=dict)
    moved: Mapping[tuple[int, str], int] = field(default_factory=dict)
    typed: Mapping[str, Any] = field(default_factory=dict)
    header_row: int | None = None
    joints: tuple[tuple[int, int], ...] = ()

    def place(self, path: str) -> Place:
        """The cell of a header field, or of the clause that holds a blank."""
        parts = path.split(".")
        for end in range(len(parts), 0, -1):
            where = self.cells.get(".".join(parts[:end]))
            if where:
                return Place(where, self.sheet)
        return Place("header row" if path.startswith("header.") else "file", self.sheet)

    def cell(self, index: int, column: str) -> Place:
        """The cell of a row's column; the header row where the file has no such column."""
        if column not in self.letters or index >= len(self.lines):
            return Place("header row", self.sheet)
        line = self.moved.get((index, column), self.lines[index])
        if self.table is not None:
            start, table = next((j for j in reversed(self.joints) if j[0] < line), (0, self.table))
            return Place(f"table {table} row {line - start} col {self.letters[column]}", self.sheet)
        return Place(f"{self.letters[column]}{line}", self.sheet)


@dataclass(frozen=True, slots=True)
class Record:
    """One form, filled in by one unit for one period.

    `values` are the blanks of a clause table by path; `rows` those of a grid. `nil` is a nil report (零报告), which is
    neither missing nor empty nor all zeros. `remarks` holds what was written in 备注 beside a clause, `signatures` what
    stands on the lines for signatures. Cells that follow from others are always as they follow.
    """

    form: Form
    header: Mapping[str, Any]
    values: Mapping[str, Any] = field(default_factory=dict)
    rows: Rows = field(default_factory=Rows)
    nil: bool = False
    remarks: Mapping[str, str] = field(default_factory=dict)
    origin: Origin | None = None
    signatures: Mapping[str, str | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.form.computed or self.form.parts:
            columns = settled(self.form, self.rows.columns, self.rows.count)
            object.__setattr__(self, "rows", Rows(columns, self.rows.count))

    def __getitem__(self, path: str) -> Any:
        """Return the value of a blank, or of a header field (`header.unit`)."""
        if path.startswith("header."):
            return self.header[path.removeprefix("header.")]
        return self.values[path]

    def same_content(self, other: "Record") -> bool:
        """Tell whether two records say the same, wherever they were read."""
        return all(
            one == two
            for one, two in (
                (self.form.ref, other.form.ref),
                (dict(self.header), dict(other.header)),
                (dict(self.values), dict(other.values)),
                (self.rows, other.rows),
                (self.nil, other.nil),
                (dict(self.remarks), dict(other.remarks)),
                (_filled(self.signatures), _filled(other.signatures)),
            )
        )

    def place(self, path: str) -> Place:
        """Where a value stands; its path for a record that was not read from a file."""
        return self.origin.place(path) if self.origin else Place(path)

    def cell(self, index: int, column: str) -> Place:
        """Where a row's value stands; a JSON path for a record that was not read from a file."""
        return self.origin.cell(index, column) if self.origin else Place(f"rows[{index}].{column}")

    @property
    def filed(self) -> Any:
        """The day of filing as the header says, or None."""
        return self.header.get("date")


def _filled(lines: Mapping[str, str | None]) -> dict[str, str]:
    return {k: v for k, v in lines.items() if v}


def as_mapping(value: Any, where: str, wrong: list[str]) -> Mapping[str, Any]:
    """What JSON gives where names and values belong; anything else is nothing, and is told."""
    if value is None or isinstance(value, Mapping):
        return value or {}
    wrong.append(f"{where}：应为成组的名称和值")
    return {}


def as_list(value: Any, where: str, wrong: list[str]) -> list[Any]:
    """What JSON gives where a list belongs; anything else is nothing, and is told."""
    if value is None or isinstance(value, (list, tuple)):
        return list(value or ())
    wrong.append(f"{where}：应为列表")
    return []
