"""A blank form to send down: for one unit and one period, with last period's figures beside, and how to fill it in."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from itertools import chain, islice
from typing import Any

from ..record import Record
from ..spec import Clause, Form
from ..stamp import Stamp
from ..types.dates import chinese_date
from .guide import guide
from .paper import NO_DATE, Paper, clause_text, filled_rows, lay_out


@dataclass(frozen=True, slots=True)
class Issue:
    """For whom and when a blank form is made, and what goes down with it.

    `unit` is the full name of a registered unit, `unit_name` what it is called on paper; `previous` is what the unit
    filed last period, in the same version of the form.
    """

    unit: str = ""
    unit_name: str = ""
    period: date | None = None
    previous: Record | None = None
    instructions: bool = False


def lay_out_blank(form: Form, issue: Issue) -> Paper:
    """Put a blank form on paper for whom it is meant; without anybody, word for word as printed."""
    paper = lay_out(form, None)
    rows, count = _rows(paper, form, issue.previous)
    return replace(
        paper,
        header=tuple(
            (label, _known(field.id, issue) or (NO_DATE if field.type == "date" else ""))
            for field, (label, _) in zip(form.header, paper.header, strict=True)
        ),
        rows=rows,
        count=count,
        comments=dict(_comments(form, issue.previous)),
        stamp=Stamp.of(form, unit=issue.unit, unit_name=issue.unit_name, period=issue.period),
        guide=guide(form) if issue.instructions else (),
    )


def _known(field: str, issue: Issue) -> str:
    if field == "unit":
        return issue.unit_name
    return chinese_date(issue.period) if field == "date" and issue.period else ""


def _is_continued(form: Form, previous: Record | None) -> bool:
    """Tell whether the rows of the last period go on in this one: a ledger that is never begun anew."""
    return form.is_grid and form.numbers == "cumulative" and bool(form.key) and not form.fixed and previous is not None


def _rows(paper: Paper, form: Form, previous: Record | None) -> tuple[Iterator[list[Any]], int]:
    """The rows of a blank form; a cumulative ledger begins with those of the last period."""
    if previous is None or not _is_continued(form, previous) or not len(previous.rows):
        return paper.rows, paper.count
    serial = next((i for i, c in enumerate(form.columns) if c.type == "serial"), 0)
    known = len(previous.rows)
    empty = [[cell if i != serial or not isinstance(cell, int) else cell + known for i, cell in enumerate(row)]
             for row in islice(paper.rows, paper.count)]  # fmt: skip
    return chain(filled_rows(form, previous), empty), known + paper.count


def _comments(form: Form, previous: Record | None) -> Iterator[tuple[tuple[int, int], str]]:
    """What stood in a cell last period, by row and column: a comment is on the paper, but is no value."""
    if previous is None or form.numbers != "cumulative":
        return
    when = f"上期（{chinese_date(previous.filed)}）" if previous.filed else "上期"
    if not form.is_grid:
        place = next((i for i, c in enumerate(form.columns) if c.id == "text"), 2)
        for number, clause in enumerate(form.clauses):
            if _counts(form, clause):
                yield (number, place), f"{when}：{clause_text(clause, previous)}"
    elif form.fixed and len(previous.rows) == len(form.printed_rows):
        for col, column in enumerate(form.columns):
            for number, value in enumerate(previous.rows.columns.get(column.id, ())):
                if column.kind.numeric and column.id not in form.fixed and value is not None:
                    yield (number, col), f"{when}：{column.kind.show(value)}"


def _counts(form: Form, clause: Clause) -> bool:
    """Tell whether a clause holds cumulative numbers."""
    counted = set(form.counted)
    return any(b.path in counted for b in clause.blanks)
