"""A clause table that was exported as one row: every column names the blank it holds."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from itertools import islice
from typing import Any

from ...findings import Finding, Place
from ...kinds import KINDS
from ..exporting import NIL, REMARK, path_in
from ..record import Origin, Record
from ..sentence import Blank
from ..spec import Form
from ..types import Parsed, Setting
from ..types.dates import Window
from ..types.fields import as_text
from .header import header_lines, read_header
from .result import Forms, Reading
from .tables import Table

_ENOUGH = 0.7


def flat_form(table: Table, forms: Iterable[Form]) -> Form | None:
    """The clause table whose blanks the columns of a table name."""
    paths = {path_in(str(title)) for title in next(table.rows(), [])}
    found = [(len(paths & set(f.blanks)) / len(f.blanks), f) for f in forms if not f.is_grid]
    share, form = max(found, key=lambda pair: pair[0], default=(0.0, None))
    return form if share >= _ENOUGH else None


def read_flat(file: str, table: Table, form: Form, catalog: Forms) -> Iterator[Reading]:
    """Read every row as a form of its own."""
    header, places, found = read_header(form, header_lines(table, []), Window(*catalog.window(form)), None)
    filed = header.get("date")
    window = Window(*catalog.window(form), filed if isinstance(filed, date) else None)
    empty = Record(form, header, nil=NIL in table.above, origin=Origin(file, cells=places))
    titles, *rows = islice(table.rows(), 10_000)
    columns = {path: col for col, title in enumerate(titles) if (path := path_in(str(title)))}
    for number, row in enumerate(rows, 1):
        cells = {path: (row[col] if col < len(row) else "", table.where(number, col)) for path, col in columns.items()}
        yield _read(empty, cells, window, found)


def _read(empty: Record, cells: Mapping[str, tuple[Any, str]], window: Window, found: list[Finding]) -> Reading:
    form, values = empty.form, dict[str, Any]()
    found = [*found]
    for path, blank in form.blanks.items():
        raw, where = cells.get(path, ("", ""))
        values[path], trouble = _value(blank, raw, window)
        if trouble is not None:
            found.append(_said(form, path, trouble, Place(where)))
    lost = [form.label_of(p) for p in form.blanks if p not in cells]
    found += [KINDS["missing-column"].at(Place("header row"), column=label) for label in lost]
    remarks = {p.removeprefix(REMARK): as_text(v) for p, (v, _) in cells.items() if p.startswith(REMARK) and v}
    file, places = (empty.origin.file, empty.origin.cells) if empty.origin else ("", {})
    origin = Origin(file, cells={**places, **{p: where for p, (_, where) in cells.items()}})
    return Reading(file, replace(empty, values=values, remarks=remarks, origin=origin), tuple(found))


def _value(blank: Blank, raw: Any, window: Window) -> Parsed:
    if raw == "":
        return Parsed(None)
    setting: Setting = blank.setting.within(window)
    return blank.kind.read(raw, setting)


def _said(form: Form, path: str, trouble: Any, place: Place) -> Finding:
    return KINDS[trouble.slug].at(place, **{"field": form.label_of(path), **trouble.data})
