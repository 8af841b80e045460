"""A filled form as a page shows it: the paper with every cell and number at hand, and the words for its places.

`templates/form.html` draws it; findings, reasons of a return and sources of a roll-up are tied to its anchors.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from gmsafety.findings import Place
from gmsafety.forms.computed import show_cell
from gmsafety.forms.record import Record
from gmsafety.forms.sentence import Sentence
from gmsafety.forms.spec import Clause, Form
from gmsafety.forms.writing.head import HeadCell, head_cells

NIL = "零报告"
_CELL = re.compile(r"[A-Z]{1,3}\d+")
_ROW = re.compile(r"rows\[(\d+)\]\.(\w+)")
_MOST_ROWS = 200
_SHORT = ("serial", "count", "ratio", "date", "choice")


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a cell: printed words, or what stands in a blank (then `path` and `label` name the blank).

    `told` marks a text of some sentences, which is not set off as a number or a name is.
    """

    text: str
    path: str = ""
    label: str = ""
    told: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell: its anchor on the page, its place as findings name it, the words for that place."""

    anchor: str
    where: str
    words: str
    parts: tuple[Part, ...]
    centred: bool = False
    unbroken: bool = False

    @property
    def text(self) -> str:
        """What stands in it."""
        return "".join(p.text for p in self.parts)


@dataclass(frozen=True)
class Sheet:
    """A form on a page. `hidden` counts rows of a long grid that are left out."""

    form: Form
    title: tuple[str, ...]
    header: tuple[tuple[str, Cell], ...]
    head: tuple[tuple[HeadCell, ...], ...]
    shares: tuple[int, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...]
    nil: bool
    hidden: int = 0
    sheet: str | None = None
    _paths: Mapping[str, tuple[Cell, ...]] = field(default_factory=dict, repr=False)

    def cells(self) -> Iterator[Cell]:
        """Every cell, those of the header first."""
        yield from (cell for _, cell in self.header)
        yield from (cell for row in self.rows for cell in row)

    def find(self, where: str, sheet: str | None = None, *, about: str = "") -> Cell | None:
        """The cell of a place, as a finding or the reason of a return names it.

        Where two fields of the header share a cell, it is the one that the words `about` the place name.
        """
        if sheet is not None and self.sheet is not None and sheet != self.sheet:
            return None
        found = self._paths.get(where, ())
        if not found and "." in where and not where.startswith("rows["):
            found = self._paths.get(where.partition(".")[0], ())
        return next((c for c in found if c.words in about), found[0] if found else None)

    def words(self, where: str, sheet: str | None = None, *, about: str = "") -> str:
        """Say a place as a clerk says it: `第 3 行 · 企业自查自改（C4 单元格）`."""
        cell = self.find(where, sheet, about=about)
        if cell is None:
            return Place(where, sheet).chinese
        if _CELL.fullmatch(where):
            return f"{cell.words}（{where} 单元格）"
        if where.startswith("table "):
            return f"{cell.words}（{Place(where).chinese}）"
        label = self.form.label_of(where)
        return cell.words if label in (where, cell.words) or cell.words.endswith(label) else f"{cell.words} · {label}"

    def places(self) -> list[tuple[str, str]]:
        """The cells that may be named in a return, with their words; none where there are too many to choose from."""
        named = {c.where: c.words for c in reversed(list(self.cells())) if c.where and c.text}
        return list(named.items())[::-1] if len(named) <= _MOST_ROWS else []


def sheet_of(record: Record, *, keep: Collection[str] = (), most: int = _MOST_ROWS) -> Sheet:
    """Lay a record out for a page; of a long grid the first rows, and those that hold a place in `keep`."""
    form = record.form
    header = tuple((h.label, _header(record, h.id, h.label, h.kind.show(record.header.get(h.id)))) for h in form.header)
    chosen = _chosen(record, keep, most) if form.is_grid else []
    rows = tuple(_grid_rows(record, chosen)) if form.is_grid else tuple(_clause_rows(record))
    hidden = len(record.rows) - len(chosen) if form.is_grid else 0
    widths = form.layout.widths or tuple(c.width for c in form.columns)
    made = Sheet(
        form=form, title=form.layout.title or (form.title,), header=header,
        head=tuple(tuple(row) for _, row in groupby(head_cells(form.columns), key=lambda c: c.top)),
        shares=tuple(round(100 * w / sum(widths)) for w in widths),
        rows=rows, notes=form.notes, nil=record.nil, hidden=hidden,
        sheet=record.origin.sheet if record.origin else None,
    )  # fmt: skip
    paths: dict[str, tuple[Cell, ...]] = {}
    for cell in made.cells():
        paths[cell.where] = (*paths.get(cell.where, ()), cell) if cell.where else ()
    if not form.is_grid:
        paths |= {clause.id: (row[2],) for clause, row in zip(form.clauses, made.rows, strict=True)}
    object.__setattr__(made, "_paths", paths)
    return made


def _header(record: Record, name: str, label: str, text: str) -> Cell:
    path = f"header.{name}"
    return Cell(f"cell-{name}", record.place(path).where, label, (Part(text, path, label),))


def _clause_rows(record: Record) -> Iterator[tuple[Cell, ...]]:
    form = record.form
    for number, clause in enumerate(form.clauses, 1):
        words = f"第 {number} 行 · {clause.label}"
        remark = record.remarks.get(clause.id) or clause.remark or ""
        place = record.origin.cells.get(f"remark.{clause.id}", "") if record.origin else f"remarks.{clause.id}"
        yield (
            Cell(f"cell-{number}-1", "", words, (Part(str(number)),), centred=True),
            Cell(f"cell-{number}-2", "", words, (Part(clause.label),), centred=True),
            Cell(f"cell-{number}-3", record.place(clause.id).where, words, tuple(_parts(record, clause))),
            Cell(f"cell-{number}-4", place, f"{words} · 备注", (Part(remark),)),
        )


def _parts(record: Record, clause: Clause) -> Iterator[Part]:
    """The sentences of a clause; one that is blank throughout says 无, as on paper."""
    if all(record.values.get(b.path) is None for b in clause.blanks):
        yield Part("无")
        return
    for index, sentence in enumerate(clause.sentences):
        if index and clause.sentences[0].number:
            yield Part("\n")
        if not (sentence.optional and all(record.values.get(b.path) is None for b in sentence.blanks)):
            yield from _said(record, sentence)


def _said(record: Record, sentence: Sentence) -> Iterator[Part]:
    yield Part(sentence.literals[0].printed)
    for blank, literal in zip(sentence.blanks, sentence.literals[1:], strict=True):
        value = record.values.get(blank.path)
        shown = blank.kind.show(value) if value is not None else "无" if sentence.is_narrative else ""
        yield Part(shown, blank.path, record.form.label_of(blank.path), blank.kind.name == "narrative")
        yield Part(literal.printed)


def _chosen(record: Record, keep: Collection[str], most: int) -> list[int]:
    """Which rows of a grid are shown."""
    count = len(record.rows)
    if count <= most:
        return list(range(count))
    wanted = {int(m.group(1)) for k in keep if (m := _ROW.fullmatch(k))}
    if record.origin is not None:
        lines = {int(m.group()) for k in keep if (m := re.search(r"(?<=[A-Z])\d+$|(?<=row )\d+", k))}
        wanted |= {i for i, line in enumerate(record.origin.lines) if line in lines}
    return sorted({*range(most // 2), *sorted(i for i in wanted if i < count)[: most // 2]})


def _grid_rows(record: Record, chosen: list[int]) -> Iterator[tuple[Cell, ...]]:
    form = record.form
    serial = next((c.id for c in form.columns if c.type == "serial"), "")
    if not chosen and record.nil:
        words = (Part("1"), Part("无"), *(Part("/") for _ in form.columns[2:]))
        yield tuple(Cell(f"cell-1-{n}", "", NIL, (p,), centred=True) for n, p in enumerate(words, 1))
    for index in chosen:
        row = record.rows[index]
        name = f"序号 {row[serial]}" if row.get(serial) is not None else f"第 {index + 1} 条"
        yield tuple(
            Cell(
                f"cell-{index + 1}-{number}",
                where if (where := record.cell(index, column.id).where) != "header row" else "",
                f"{name} · {column.label}",
                (Part(show_cell(column, row), f"rows[{index}].{column.id}", column.label),),
                centred=column.type in _SHORT,
                unbroken=column.type == "date",
            )
            for number, column in enumerate(form.columns, 1)
        )


@dataclass(frozen=True, slots=True)
class Mark:
    """Something to be said at a cell: the number of a finding, or what an upper unit wrote."""

    severity: str
    label: str
    text: str
    href: str = ""


def marks_of(sheet: Sheet, said: Collection[tuple[str, str | None, Mark]]) -> dict[str, list[Mark]]:
    """What is said at places, by the anchor of the cell; what has no cell on the sheet is left out."""
    marks: dict[str, list[Mark]] = {}
    for where, name, mark in said:
        cell = sheet.find(where, name, about=mark.text)
        if cell is not None:
            marks.setdefault(cell.anchor, []).append(mark)
    return marks


def place_json(finding: Mapping[str, Any], sheet: Sheet | None) -> tuple[str, str]:
    """The place of a finding in words, and the address of its cell on the page (empty where it has none)."""
    if sheet is None or finding.get("file"):
        return str(finding["place"]), ""
    where, name, about = str(finding["where"]), finding.get("sheet"), str(finding["message"])
    cell = sheet.find(where, name, about=about)
    return sheet.words(where, name, about=about), f"#{cell.anchor}" if cell else ""
