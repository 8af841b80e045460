"""A form as it is declared: header, clauses or columns, rules, roll-up, notes, layout. Content of a plugin, frozen."""

from datetime import date
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from ..provenance import Citation, Erratum, Names, Value
from .columns import OF_THE_ROW, Column, Computed, FormField, Parts, parts_of
from .sentence import Blank, Sentence, compile_sentence
from .types import FieldType, Setting


class SentenceText(Value):
    """A sentence of a clause; an `optional` one may be left out by whoever has nothing to fill in."""

    say: str
    optional: bool = False


def _sentences(value: object) -> object:
    if isinstance(value, str):
        value = [line for line in value.split("\n") if line.strip()]
    return [{"say": v} if isinstance(v, str) else v for v in value] if isinstance(value, list) else value


class Clause(Value):
    """A fixed row of a clause table: a label and sentences with blanks."""

    id: str
    label: str
    text: Annotated[tuple[SentenceText, ...], BeforeValidator(_sentences)]
    remark: str | None = None
    names: dict[str, str] = Field(default_factory=dict, description="Chinese names of the blanks, for messages")

    @cached_property
    def sentences(self) -> tuple[Sentence, ...]:
        """The sentences, compiled."""
        return tuple(compile_sentence(s.say, self.id, optional=s.optional) for s in self.text)

    @property
    def blanks(self) -> tuple[Blank, ...]:
        """All blanks, in printed order."""
        return tuple(b for s in self.sentences for b in s.blanks)


class Rule(Value):
    """An expression that must hold. A blank operand leaves it unjudged, unless `missing: zero`.

    `each: row` judges every row of a grid; `over` judges groups of blanks (`*.general`); `with` another form of the
    same unit and period, whose rows stand under the name `ledger` or whose values stand under `table`. `let` names
    values that `check` and `say` use.
    """

    id: str
    check: str
    let: dict[str, str] = Field(default_factory=dict)
    say: str | None = None
    kind: str = "rule-not-met"
    severity: Literal["error", "warning", "info"] | None = None
    over: Names = ()
    each: Literal["form", "row"] = "form"
    at: str | None = Field(None, description="field whose cell the finding points at")
    with_: str | None = Field(None, alias="with")
    missing: Literal["skip", "zero"] = "skip"
    source: Citation | None = None


class Step(Value):
    """How one level's forms become the next level's: patterns of field paths by operator."""

    sum: Names = ()
    own: Names = Field((), description="the upper unit's own; a lower unit's number is not added")
    list: Names = Field((), description="texts joined by unit, in the order of the tree")
    rows: Literal["append"] | None = Field(None, description="grids: rows of all units, renumbered")


class Layout(Value):
    """How a form looks on paper."""

    annex: str | None = None
    title: Names = Field((), description="the title in the lines as printed; by default one line")
    sheet: str = "Sheet1"
    orientation: Literal["portrait", "landscape"] = "portrait"
    size: Literal["A4", "A3"] = "A4"
    widths: tuple[float, ...] = Field(
        (), description="column widths in half-width characters; by default the columns' own"
    )
    font_size: float = 12
    empty_rows: int = 5
    dots: bool = Field(False, description="a row of dots under the empty rows: there may be more")


class RegionLayout(Value):
    """How a region prints a form that it shares with others: what differs from the form's own layout."""

    of: str = Field(description="full name of the form")
    layout: Layout
    source: Citation | None = None

    def over(self, layout: Layout) -> Layout:
        """The layout with what the region says instead."""
        return layout.model_copy(update={name: getattr(self.layout, name) for name in self.layout.model_fields_set})


class Form(Value):
    """One form. Either `clauses` (a clause table) or `columns` (a grid with open rows).

    `rows` are the rows that are printed already. Where columns are `fixed`, these rows are all there are, and what is
    printed in those columns is not to be changed; cells of `merged` columns that say the same are one cell on paper.
    A printed row with a `depth` stands under the last one before it that is less deep, and is a part of it: numbers
    of the upper row are the sums of its parts, or at least that where the parts are marked `among` (其中).
    """

    id: str = Field(alias="form")
    version: str
    status: Literal["draft", "test", "published"] = "published"
    opens: date | None = Field(None, description="first day on which this version is asked for")
    closes: date | None = Field(None, description="last day on which it is still taken when there is another")
    follows: str = Field("", description="the version before this one")
    moved: dict[str, str] = Field(default_factory=dict, description="field of the version before: the field it is now")
    dropped: Names = Field((), description="fields of the version before that are asked no more")
    printed_id: str = Field("", description="the short name used in printed views; by default the id")
    title: str
    aliases: Names = ()
    period: Literal["week", "month", "once"] = "week"
    campaign: str | None = None
    source: Citation
    header: tuple[FormField, ...] = ()
    columns: tuple[Column, ...]
    rows: tuple[dict[str, str | int | None], ...] = Field((), description="printed rows: column and what it says")
    fixed: Names = ()
    merged: Names = ()
    subtotal: str = Field("", description="column by whose values rows are summed up in rows 小计")
    signatures: tuple[FormField, ...] = Field((), description="lines for signatures below the table")
    clauses: tuple[Clause, ...] = ()
    numbers: Literal["cumulative", "this-period"] = "this-period"
    not_cumulative: Names = ()
    key: Names = Field((), description="columns that make two rows the same")
    rules: tuple[Rule, ...] = ()
    rollup: dict[str, Step] = Field(default_factory=dict)
    notes: Names = ()
    errata: tuple[Erratum, ...] = ()
    layout: Layout = Layout()
    plugin: str = ""

    @property
    def is_grid(self) -> bool:
        """True for open rows, False for a clause table."""
        return not self.clauses

    @property
    def ref(self) -> str:
        """The full name, `plugin.id`."""
        return f"{self.plugin}.{self.id}" if self.plugin else self.id

    @property
    def edition(self) -> str:
        """The name that tells versions apart, `plugin.id@version`."""
        return f"{self.ref}@{self.version}"

    @cached_property
    def blanks(self) -> dict[str, Blank]:
        """Every blank of every clause by its path, in printed order."""
        return {b.path: b for c in self.clauses for b in c.blanks}

    @cached_property
    def by_id(self) -> dict[str, Column]:
        """The columns by id."""
        return {c.id: c for c in self.columns}

    @cached_property
    def printed_rows(self) -> tuple[dict[str, Any], ...]:
        """The printed rows, their numbers and days as such."""
        kinds = {c.id: (c.kind, c.setting) for c in self.columns}
        return tuple(
            {k: kinds[k][0].read(v, kinds[k][1]).value for k, v in row.items() if k not in OF_THE_ROW}
            for row in self.rows
        )

    @cached_property
    def parts(self) -> dict[int, Parts]:
        """The printed rows that have others under them, each with its parts."""
        return dict(parts_of(self.rows))

    @cached_property
    def computed(self) -> dict[str, Computed]:
        """The columns that follow from others."""
        return {c.id: c.computed for c in self.columns if c.computed}

    @property
    def has_groups(self) -> bool:
        """Tell whether headings stand over columns."""
        return any(c.groups for c in self.columns)

    @property
    def totals(self) -> tuple[str, ...]:
        """Columns that are summed up in a row 合计."""
        return tuple(c.id for c in self.columns if c.total)

    def rule_names(self) -> set[str]:
        """Names a rule over one form may use: field paths, columns with what is derived from them, header fields."""
        names = set(self.blanks) | {f"header.{h.id}" for h in self.header}
        for column in self.columns if self.is_grid else ():
            names |= {column.id, *column.kind.derived}
        return names

    @property
    def counted(self) -> list[str]:
        """Numbers that a nil report leaves at zero: those of every clause that only counts what was done so far."""
        apart = {p.partition(".")[0] for p in self.not_cumulative}
        return [p for p, b in self.blanks.items() if b.kind.numeric and p.partition(".")[0] not in apart]

    def groups(self, patterns: tuple[str, ...]) -> dict[str, dict[str, str]]:
        """Find groups of blanks by pattern: group path → short name → full path."""
        found: dict[str, dict[str, str]] = {}
        for path in self.blanks:
            group, _, name = path.rpartition(".")
            if any(fnmatchcase(group, pattern) for pattern in patterns):
                found.setdefault(group, {})[name] = path
        return found

    def label_of(self, path: str) -> str:
        """The words of the paper for a field path."""
        if path in self.by_id:
            return self.by_id[path].label
        for clause in self.clauses:
            if path.startswith(f"{clause.id}."):
                return clause.names.get(path[len(clause.id) + 1 :], clause.label)
        return next((h.label for h in self.header if f"header.{h.id}" == path), path)

    @model_validator(mode="after")
    def _ids_once(self) -> "Form":
        for noun, ids in (
            ("列", [c.id for c in self.columns]),
            ("行", [c.id for c in self.clauses]),
            ("规则", [r.id for r in self.rules]),
            ("表头、签字栏", [f.id for f in (*self.header, *self.signatures)]),
        ):
            twice = {i for i in ids if ids.count(i) > 1}
            if twice:
                raise ValueError(f"{noun}的id重复：{'、'.join(sorted(twice))}")
        operands = {n for made in self.computed.values() for n in made.operands}
        used = {k for row in self.rows for k in row if k not in OF_THE_ROW}
        used |= {*self.fixed, *self.merged, *operands, *([self.subtotal] if self.subtotal else [])}
        if strange := used - set(self.by_id):
            raise ValueError(f"rows、fixed、merged、subtotal、computed 中没有这样的列：{'、'.join(sorted(strange))}")
        numberless = [self.by_id[n].label for n in (*operands, *self.computed) if not self.by_id[n].kind.numeric]
        if numberless:
            raise ValueError(f"不是数的列不能用来计算：{'、'.join(numberless)}")
        if self.totals and any("depth" in row for row in self.rows):
            raise ValueError("有上下级的行（depth）不能再有合计行（total）")
        if both := operands & set(self.computed):
            raise ValueError(f"算出的列不能再用来计算：{'、'.join(sorted(both))}")
        paths = [b.path for c in self.clauses for b in c.blanks]
        if len(paths) != len(set(paths)):
            raise ValueError(f"空格的id重复：{'、'.join(sorted({p for p in paths if paths.count(p) > 1}))}")
        return self

    def setting_of(self, path: str) -> Setting:
        """What the form adds to the type of a blank or a column."""
        return self.blanks[path].setting if path in self.blanks else self.by_id[path].setting

    def type_of(self, path: str) -> FieldType:
        """The type of a blank or a column."""
        return self.blanks[path].kind if path in self.blanks else self.by_id[path].kind
