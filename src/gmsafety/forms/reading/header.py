"""The lines around a table: 填报单位, 填报时间, in whatever cells they stand."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from ...findings import Finding, Place
from ...kinds import KINDS
from ..columns import FormField
from ..spec import Form
from ..types import Setting
from ..types.dates import Window, loosen
from ..types.text import squash
from .tables import Row, Table

Line = list[tuple[object, str]]
_SEAL = re.compile(r"[(（](?:盖章|公章|签章|章|代章)[)）]")
_OTHERS = (
    "填报人|填表人|报送人|审核人|审批人|签发人|联系人|联系电话|电话|负责人|单位负责人|主要负责人|制表人|经办人|期数"
)
_DATE_PIECES = re.compile(r"[\d\s年月日号./-]+")
_ONLY_DATE = re.compile(r"(?:19|20)\d\d(?:年\d{1,2}月\d{1,2}日?|[-./]\d{1,2}[-./]\d{1,2})")
_AROUND_DATE = re.compile(r"^(?:截至|截止到?|至)|[(（]?第[\d一二三四五六七八九十]+[周期次][)）]?$")
_BRACKET = re.compile(r"[(（][^()（）]*[)）]$")
_LABEL = re.compile(r"[^\s_＿:：]+[:：]")
_ANOTHER = re.compile(r"[\s_＿][^\s\d_＿:：,，;；、]{2,8}[:：]")
_DAY_SIGNED = re.compile(r"(?:^|\s)(?:19|20)\d\d\s?[年./-]\s?\d{1,2}\s?[月./-]\s?\d{1,2}\s?日?$")
_NO_DAY = re.compile(r"(?:20\d\d)?[\s_＿]{0,20}年[\s_＿]{0,20}月[\s_＿]{0,20}日$")
_FEW = 3
_TRIM = " _＿:：,，;；。\t\u3000\n()（）[]【】"


def header_lines(table: Table, rows: list[Row]) -> list[Line]:
    """The lines that may hold header fields: text above a Word table, then rows above the header row."""
    place = f"table {table.ordinal}" if table.ordinal else "file"
    lines: list[Line] = text_lines(table.above, place)
    lines += [[(f"{s.label}：", s.where), (s.value, s.where)] for s in table.stated]
    for number, row in enumerate(rows):
        cells = [(c, table.where(number, i)) for i, c in enumerate(row) if c not in ("", None)]
        if cells:
            lines.append(cells)
    return lines


def text_lines(texts: tuple[str, ...] | list[str], place: str) -> list[Line]:
    """Lines of running text, all at one place."""
    return [[(line, place)] for text in texts for line in text.split("\n")]


def read_header(
    form: Form, lines: list[Line], window: Window, sheet: str | None
) -> tuple[dict[str, object], dict[str, str], list[Finding]]:
    """Return the values of the header fields, their cells, and what was found."""
    values: dict[str, object] = {}
    cells: dict[str, str] = {}
    found: list[Finding] = []
    labels = _labels_pattern([*_OTHERS.split("|"), *(w for f in form.header for w in (f.label, *f.aliases))])
    for field in form.header:
        raw, where = _find(field, lines, labels)
        if raw is None and field.type == "date":
            raw, where = _bare_date(lines) or (raw, where)
        if where:
            cells[f"header.{field.id}"] = where
        place = Place(where or "file", sheet)
        value, trouble = field.kind.read(raw, Setting(choices=field.choices, window=window))
        values[field.id] = value
        if trouble:
            found.append(KINDS[trouble.slug].at(place, **{"field": field.label, **trouble.data}))
        elif value is None:
            found.append(KINDS["missing-header"].at(place, label=field.label))
    return values, cells, found


def read_signatures(form: Form, texts: Iterable[str]) -> dict[str, str | None]:
    """What stands on the lines for signatures, among the lines of text below a table."""
    fields = [f.model_copy(update={"label": _BRACKET.sub("", f.label)}) for f in form.signatures]
    labels = _labels_pattern([f.label for f in fields])
    lines = text_lines(list(texts), "file")
    return {f.id: _signer(_find(f, lines, labels)[0]) for f in fields}


@dataclass(frozen=True, slots=True)
class Gap:
    """Where in a line of text the value of a field belongs; `is_alone` where the line is the label and no more."""

    field: str
    start: int
    end: int
    is_alone: bool


def gaps(fields: Iterable[FormField], text: str) -> Iterator[Gap]:
    """The places for the values of fields in a line: after each label that has a colon or room, up to the next one."""
    if not text.strip():
        return
    named = [f.model_copy(update={"label": _BRACKET.sub("", f.label)}) for f in fields]
    every = _labels_pattern([*_OTHERS.split("|"), *(w for f in named for w in (f.label, *f.aliases))])
    for field in named:
        for match in _labels_pattern([field.label, *field.aliases]).finditer(text):
            ends = [m.start() for m in (every.search(text, match.end()), _LABEL.search(text, match.end())) if m]
            end = min(ends, default=len(text))
            has_room = match.group()[-1] in ":：" or not text[match.end() : match.end() + 2].strip(_TRIM)
            if has_room:
                yield Gap(field.id, match.end(), end, match.group().strip() == text.strip())


def _signer(raw: object) -> str | None:
    """Who signed: what stands on the line, without the day."""
    return _DAY_SIGNED.sub("", str(raw)).strip() or None if raw else None


def _bare_date(lines: list[Line]) -> tuple[object, str] | None:
    """A date that stands in a cell by itself, without any label; not one among the cells of a row of data."""
    for line in lines:
        if len(line) > _FEW:
            continue
        for text, where in line:
            if isinstance(text, date) or (isinstance(text, str) and _ONLY_DATE.fullmatch(loosen(text).strip(_TRIM))):
                return text, where
    return None


def _labels_pattern(labels: list[str]) -> re.Pattern[str]:
    spaced = "|".join(r"\s*".join(map(re.escape, label)) for label in sorted(labels, key=len, reverse=True))
    return re.compile(rf"(?:{spaced})\s*(?:[(（][^()（）]{{1,6}}[)）])?\s*[:：]?")


def _find(field: FormField, lines: list[Line], labels: re.Pattern[str]) -> tuple[object, str | None]:
    """Find a field's value: first where its label has a colon or a cell of its own, then anywhere."""
    best: tuple[object, str | None] = (None, None)
    for strict in (True, False):
        for raw, where in _candidates(field, lines, labels, strict=strict):
            if raw is not None and raw != "":
                return raw, where
            best = best if best[1] else (None, where)
    return best


def _candidates(
    field: FormField, lines: list[Line], labels: re.Pattern[str], *, strict: bool
) -> Iterator[tuple[object, str]]:
    mine = _labels_pattern([field.label, *field.aliases])
    for number, line in enumerate(lines):
        for index, (text, where) in enumerate(line):
            if not isinstance(text, str):
                continue
            for match in mine.finditer(text):
                alone = match.group().strip() == text.strip()
                if strict and not alone and match.group()[-1] not in ":：":
                    continue
                following = labels.search(text, match.end())
                another = _ANOTHER.search(text, match.end())
                ends = [m.start() for m in (following, another) if m]
                value = _trim(text[match.end() : min(ends, default=None)], field)
                if value:
                    yield value, where
                elif following:
                    yield None, where
                else:
                    yield _beside(lines, number, index, labels, field)


def _beside(
    lines: list[Line], number: int, index: int, labels: re.Pattern[str], field: FormField
) -> tuple[object, str]:
    """The value of a label that stands alone: in the cells to the right, or in a line without labels below."""
    right: Line = []
    for raw, place in lines[number][index + 1 :]:
        if isinstance(raw, str) and labels.search(raw):
            break
        right.append((raw, place))
    if field.type == "date" and len(right) > 1:
        joined = "".join(f"{raw:g}" if isinstance(raw, float) else str(raw) for raw, _ in right)
        if _DATE_PIECES.fullmatch(unicodedata.normalize("NFKC", joined)):
            return joined, right[0][1]
    for raw, place in right:
        if not isinstance(raw, str) or _trim(raw, field):
            return (_trim(raw, field) if isinstance(raw, str) else raw), place
    if field.type == "date" and number + 1 < len(lines) and len(lines[number + 1]) == 1:
        raw, place = lines[number + 1][0]
        if isinstance(raw, str) and _DATE_PIECES.fullmatch(unicodedata.normalize("NFKC", raw)):
            return (_trim(raw, field) or None), place
    return None, lines[number][index][1]


def _trim(text: str, field: FormField) -> str:
    value = _SEAL.sub("", squash(text)).strip(_TRIM)
    if field.type != "date":
        return _NO_DAY.sub("", value).strip(_TRIM)
    value = _AROUND_DATE.sub("", value).strip(_TRIM)
    return value if re.search(r"\d", loosen(value)) else ""
