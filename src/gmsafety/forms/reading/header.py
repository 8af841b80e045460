"""The lines above a table: 填报单位, 填报时间, in whatever cells they stand."""

import re
import unicodedata
from collections.abc import Iterator

from ...findings import Finding, Place
from ...kinds import KINDS
from ..spec import Form, FormField
from ..types import Setting, fold
from ..types.dates import Window
from ..types.text import squash
from .tables import Row, Table

Line = list[tuple[object, str]]
_SEAL = re.compile(r"[(（](?:盖章|公章|签章|章)[)）]")


def header_lines(table: Table, rows: list[Row]) -> list[Line]:
    """The lines that may hold header fields: text above a Word table, then rows above the header row."""
    place = f"table {table.ordinal}" if table.ordinal else "file"
    lines: list[Line] = [[(text, place)] for above in table.above for text in above.split("\n")]
    for number, row in enumerate(rows):
        cells = [(c, table.where(number, i)) for i, c in enumerate(row) if c not in ("", None)]
        if cells:
            lines.append(cells)
    return lines


def read_header(
    form: Form, lines: list[Line], window: Window, sheet: str | None
) -> tuple[dict[str, object], dict[str, str], list[Finding]]:
    """Return the values of the header fields, their cells, and what was found."""
    values: dict[str, object] = {}
    cells: dict[str, str] = {}
    found: list[Finding] = []
    labels = _labels_pattern([w for f in form.header for w in (f.label, *f.aliases)])
    for field in form.header:
        raw, where = _find(field, lines, labels)
        if where:
            cells[f"header.{field.id}"] = where
        place = Place(where or "file", sheet)
        setting = Setting(choices=field.choices, window=window)
        value, trouble = field.kind.read(raw, setting)
        values[field.id] = value
        if trouble:
            found.append(KINDS[trouble.slug].at(place, **{"field": field.label, **trouble.data}))
        elif value is None:
            found.append(KINDS["missing-header"].at(place, label=field.label))
    return values, cells, found


def _labels_pattern(labels: list[str]) -> re.Pattern[str]:
    spaced = "|".join(r"\s*".join(map(re.escape, label)) for label in labels)
    return re.compile(rf"(?:{spaced})\s*(?:[(（][^()（）]{{1,6}}[)）])?\s*[:：]?")


def _find(field: FormField, lines: list[Line], labels: re.Pattern[str]) -> tuple[object, str | None]:
    mine = _labels_pattern([field.label, *field.aliases])
    for number, line in enumerate(lines):
        for index, (text, where) in enumerate(line):
            match = mine.search(text) if isinstance(text, str) else None
            if match is None or not isinstance(text, str):
                continue
            following = labels.search(text, match.end())
            value = _trim(text[match.end() : following.start() if following else None], field)
            if value:
                return value, where
            for raw, place in _after(lines, number, index, labels, same_line=bool(following)):
                if not isinstance(raw, str) or _trim(raw, field):
                    return (_trim(raw, field) if isinstance(raw, str) else raw), place
            return None, where
    return None, None


def _after(
    lines: list[Line], number: int, index: int, labels: re.Pattern[str], *, same_line: bool
) -> Iterator[tuple[object, str]]:
    """Cells that may hold a value whose label stands alone: to the right, then a line without labels below."""
    for raw, place in [] if same_line else lines[number][index + 1 :]:
        if isinstance(raw, str) and labels.search(raw):
            return
        yield raw, place
    if number + 1 < len(lines) and len(lines[number + 1]) == 1:
        raw, place = lines[number + 1][0]
        if isinstance(raw, str) and re.fullmatch(r"[\d\s年月日./-]+", unicodedata.normalize("NFKC", raw)):
            yield raw, place


def _trim(text: str, field: FormField) -> str:
    value = _SEAL.sub("", squash(text)).strip(" _＿:：\t\u3000")
    if field.type == "date" and not re.search(r"[\d〇一二三四五六七八九]", fold(value)):
        return ""
    return value
