"""Where a number comes from: unit, revision, file, sheet, cell; through a lower unit's own roll-up further down."""

import re
from collections.abc import Callable
from typing import Any

from gmsafety.findings import Place
from gmsafety.forms.spec import Form
from gmsafety.rollups import Source

from ...tables import AnyRow
from .reckoning import Adjusted, Made, own_name

ROW = re.compile(r"rows\[(\d{1,6})\](?:\.([a-z_]+))?")
Below = Callable[[AnyRow], Made | None]
"""Gives the roll-up that a submission was filed from, if it was."""


def nothing_below(_row: AnyRow) -> Made | None:
    """For who does not look further down."""
    return None


def labelled(form: Form, path: str) -> str:
    """The printed row and words of a number: 第2行“一般问题隐患发现数”."""
    number = next((n for n, c in enumerate(form.clauses, 1) if path.startswith(f"{c.id}.")), None)
    if number is None:
        return form.label_of(path)
    return f"第{number}行“{form.label_of(path)}”"


def place_words(form: Form, place: Place) -> str:
    """A place in words; of what was never in a file, by the printed row."""
    if place.where == "file" and not place.sheet:
        return "整张表"
    if place.where in form.blanks:
        return labelled(form, place.where)
    if place.where.startswith("header."):
        return next((h.label for h in form.header if f"header.{h.id}" == place.where), place.where)
    if match := ROW.fullmatch(place.where):
        column = form.by_id.get(match[2] or "")
        return f"第{int(match[1]) + 1}行" + (f"“{column.label}”" if column else "")
    return place.chinese


def knows(made: Made, path: str) -> bool:
    """Tell whether a roll-up has this number or row."""
    match = ROW.fullmatch(path)
    if match and made.parts.form.is_grid:
        return int(match[1]) < len(made.record.rows) and (match[2] is None or match[2] in made.parts.form.by_id)
    return path in made.record.values


def parts_of(made: Made, path: str, below: Below = nothing_below) -> list[dict[str, Any]]:
    """The parts of a number or a row, in the order in which they were counted; adjustments last."""
    if match := ROW.fullmatch(path):
        column = match[2] or (made.parts.form.key[0] if made.parts.form.key else made.parts.form.columns[0].id)
        return [_row_part(made, int(match[1]), column, below)]
    told = [_number_part(made, path, source, below) for source in made.result.sources.get(path, ())]
    return [*told, *(_adjustment(made, a) for a in made.adjusted if a.path == path)]


def _number_part(made: Made, path: str, source: Source, below: Below) -> dict[str, Any]:
    given = made.lower.get(source.unit)
    kind = made.parts.form.type_of(path)
    value = {"value": kind.to_json(source.value), "shown": kind.show(source.value)}
    if given is None:
        record = made.own
        return {**_own(made, source), **_where(made, record.place(path) if record else None), **value}
    deeper = below(given.row)
    opened = parts_of(deeper, path, below) if deeper else None
    return {**_lower(source, given.row), **_where(made, given.record.place(path)), **value, "below": opened}


def _row_part(made: Made, index: int, column: str, below: Below) -> dict[str, Any]:
    source = made.result.row_sources[index]
    line = index - made.first_rows[source.unit]
    given = made.lower.get(source.unit)
    kind = made.parts.form.type_of(column)
    cell = made.record.rows[index].get(column)
    value = {"value": kind.to_json(cell), "shown": kind.show(cell)}
    if given is None:
        record = made.own
        return {**_own(made, source), **_where(made, record.cell(line, column) if record else None), **value}
    deeper = below(given.row)
    opened = parts_of(deeper, f"rows[{line}].{column}", below) if deeper else None
    place = given.record.cell(line, column)
    return {**_lower(source, given.row), **_where(made, place), **value, "below": opened}


def _lower(source: Source, row: AnyRow) -> dict[str, Any]:
    return {
        "kind": "lower", "area": source.area, "unit": row.unit, "unit_name": source.unit, "submission": row.uid,
        "revision": row.revision, "state": row.state, "file": row.file, "file_hash": row.file_hash,
        "payload_hash": row.payload_hash, "reason": row.reason,
    }  # fmt: skip


def _own(made: Made, source: Source) -> dict[str, Any]:
    own = made.parts.own or {}
    return {
        "kind": "own", "area": source.area, "unit": made.parts.unit.ref, "unit_name": source.unit, "submission": None,
        "revision": None, "state": None, "file": own_name(own), "file_hash": (own.get("file") or {}).get("hash"),
        "payload_hash": None, "reason": None, "below": None,
    }  # fmt: skip


def _adjustment(made: Made, adjusted: Adjusted) -> dict[str, Any]:
    kind = made.parts.form.type_of(adjusted.path)
    return {
        "kind": "adjustment", "area": made.parts.directory.units.area_name(made.parts.unit),
        "unit": made.parts.unit.ref, "unit_name": made.parts.unit.name, "submission": None, "revision": None,
        "state": None, "file": None, "file_hash": None, "where": None, "sheet": None, "place": None,
        "value": kind.to_json(adjusted.change), "shown": signed(kind.show(adjusted.change)), "payload_hash": None,
        "reason": adjusted.told["reason"], "below": None,
    }  # fmt: skip


def signed(shown: str) -> str:
    """A change with its sign."""
    return shown if shown.startswith("-") else f"+{shown}"


def _where(made: Made, place: Place | None) -> dict[str, Any]:
    if place is None:
        return {"where": None, "sheet": None, "place": None}
    return {"where": place.where, "sheet": place.sheet, "place": place_words(made.parts.form, place)}
