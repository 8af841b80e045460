"""Reading a clause table: fixed rows whose cells are sentences with blanks."""

import re
from dataclasses import dataclass, field

from ...findings import Finding, Place
from ...kinds import KINDS
from ..sentence import Sentence, SentenceReading
from ..spec import Clause, Form
from ..types import Parsed, fold, is_blank, squash
from ..types.text import LONGEST_CELL, looks_like_formula, shorten
from .identify import Match
from .tables import Row

_NOT_BEGUN = re.compile(
    r"(?:尚|暂|还|仍|均)?未(?:正式|组织|全面)?(?:开展|启动|开始|进行|部署|涉及)|(?:计划|拟|将|待|预计).{0,24}(?:开展|启动|实施|进行|填报|填写)|^暂?无|不涉及|没有|零报告|无(?:此项|该项|相关)"
)
_ITEM = re.compile(
    r"(?:^|(?<=[\n。；;.]))[ \t\u3000]*[(（]?([0-9０-９]{1,2}|[①-⑨])[)）]?"
    r"[ \t\u3000]*[.．、)）：:]?[ \t\u3000]*(?![0-9０-９.])"
)
_MARKED = re.compile(r"[.．、)）①-⑨]")
NIL = re.compile(r"零报告|零报送|无变化零报")


@dataclass
class ClauseReading:
    """What the clauses of one table gave."""

    values: dict[str, object] = field(default_factory=dict)
    remarks: dict[str, str] = field(default_factory=dict)
    cells: dict[str, str] = field(default_factory=dict)
    typed: dict[str, object] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    nil: bool = False


def read_clauses(match: Match, rows: list[Row]) -> ClauseReading:
    """Read every clause of the form out of the rows of its table."""
    out = ClauseReading()
    text_col, remark_col = _columns(match, rows)
    for number, clause in enumerate(match.form.clauses, 1):
        lines = match.labels.get(clause.id, ())
        if not lines:
            out.values |= {b.path: None for b in clause.blanks}
            out.findings.append(
                KINDS["missing-clause"].at(Place("header row", match.table.sheet), number=number, label=clause.label)
            )
            continue
        if len(lines) > 1:
            place = Place(match.table.where(lines[1], match.label_col or 0), match.table.sheet)
            out.findings.append(KINDS["duplicate-clause"].at(place, label=clause.label, count=len(lines)))
        _read_row(match, clause, lines[0], (text_col, remark_col), rows, out)
    return out


def _columns(match: Match, rows: list[Row]) -> tuple[int, int | None]:
    """Find the columns of the sentences and of the remarks: by title, else right of the labels."""
    titles = {fold(t): i for i, t in match.titles}
    by_id = match.form.by_id
    text = titles.get(fold(by_id["text"].label)) if "text" in by_id else None
    remark = titles.get(fold(by_id["remark"].label)) if "remark" in by_id else None
    if text is None:
        label_col = match.label_col or 0
        filled = [
            i
            for lines in match.labels.values()
            for i, c in enumerate(rows[lines[0]])
            if i > label_col and c not in ("", None)
        ]
        text = min(filled, default=label_col + 1)
    return text, remark


def _read_row(
    match: Match, clause: Clause, line: int, columns: tuple[int, int | None], rows: list[Row], out: ClauseReading
) -> None:
    text_col, remark_col = columns
    row = rows[line]
    raw = row[text_col] if text_col < len(row) else ""
    place = Place(match.table.where(line, text_col), match.table.sheet)
    out.cells[clause.id] = place.where
    if isinstance(raw, str) and len(raw) > LONGEST_CELL:
        out.values |= {b.path: None for b in clause.blanks}
        out.findings.append(KINDS["cell-too-long"].at(place, field=clause.label, length=len(raw)))
        return
    if raw not in ("", None):
        out.typed[clause.id] = raw
    reading = read_clause(clause, squash(raw) if isinstance(raw, str) else str(raw if raw is not None else ""))
    out.values |= {path: parsed.value for path, parsed in reading.values.items()}
    out.findings += _findings(match.form, clause, reading, place, raw)
    remark = squash(row[remark_col]) if remark_col is not None and remark_col < len(row) and row[remark_col] else ""
    if remark and fold(remark) != fold(clause.remark or "") and not is_blank(remark):
        out.remarks[clause.id] = remark
        out.cells[f"remark.{clause.id}"] = match.table.where(line, remark_col or 0)
        out.nil = out.nil or bool(NIL.search(remark))
    if isinstance(raw, str) and NIL.search(raw) and not any(reading.values[b.path].value for b in clause.blanks):
        out.nil = True


def _findings(form: Form, clause: Clause, reading: SentenceReading, place: Place, raw: object) -> list[Finding]:
    found = []
    for path, (_, trouble) in reading.values.items():
        if trouble:
            data = {"field": form.label_of(path), **trouble.data}
            if trouble.slug == "not-a-number" and len(str(data.get("text", ""))) > 12:
                found.append(_changed(form, clause, (path,), raw, place))
            else:
                found.append(KINDS[trouble.slug].at(place, **data))
    if reading.lost:
        found.append(_changed(form, clause, reading.lost, raw, place))
    for typed, printed in reading.remarks:
        found.append(
            KINDS["wording-differs"].at(place, label=clause.label, found=shorten(typed), printed=shorten(printed))
        )
    if reading.leftover:
        found.append(KINDS["not-understood"].at(place, text=shorten(reading.leftover)))
    if (
        len(clause.sentences) == 1
        and clause.sentences[0].is_narrative
        and isinstance(raw, str)
        and looks_like_formula(raw)
    ):
        found.append(KINDS["formula-like-text"].at(place, text=shorten(raw)))
    return found


def _changed(form: Form, clause: Clause, lost: tuple[str, ...], raw: object, place: Place) -> Finding:
    blanks = "、".join(dict.fromkeys(form.label_of(p) for p in lost))
    return KINDS["sentence-changed"].at(place, label=clause.label, blanks=blanks, text=shorten(raw, 80))


def read_clause(clause: Clause, text: str) -> SentenceReading:
    """Read one clause cell: values by path, blanks that were lost, remarks."""
    nothing = {b.path: Parsed(None) for b in clause.blanks}
    if is_blank(text):
        return SentenceReading(nothing)
    if any(s.number for s in clause.sentences):
        return _merge(clause, _items(clause, text), nothing)
    if all(s.is_narrative for s in clause.sentences):
        return _merge(clause, {0: text}, nothing)
    parts = _by_opening(clause, fold(text))
    if not parts or _says_not_begun(clause, text):
        if _NOT_BEGUN.search(fold(text)) and len(fold(text)) < 60:
            return SentenceReading(nothing)
        parts = parts or {0: text}
    return _merge(clause, parts, nothing)


def _says_not_begun(clause: Clause, text: str) -> bool:
    """Tell whether the cell says that nothing was done, and holds none of the printed words."""
    folded = fold(text)
    return bool(_NOT_BEGUN.search(folded)) and not any(
        len(literal.core) >= 4 and literal.find(folded, 0) for s in clause.sentences for literal in s.literals
    )


def _merge(clause: Clause, parts: dict[int, str], nothing: dict[str, Parsed]) -> SentenceReading:
    values = dict(nothing)
    lost: list[str] = []
    remarks: list[tuple[str, str]] = []
    leftover: list[str] = []
    for index, sentence in enumerate(clause.sentences):
        if index not in parts:
            if not sentence.optional and not sentence.is_narrative:
                lost += [b.path for b in sentence.blanks]
            continue
        reading = _read_sentence(sentence, parts[index])
        values |= reading.values
        lost += reading.lost
        remarks += reading.remarks
        leftover += [reading.leftover] if reading.leftover else []
    return SentenceReading(values, tuple(lost), tuple(remarks), "；".join(leftover))


def _read_sentence(sentence: Sentence, text: str) -> SentenceReading:
    if is_blank(text) or (not sentence.is_narrative and is_blank(text.strip("。. "))):
        return SentenceReading({b.path: Parsed(None) for b in sentence.blanks})
    return sentence.read(text)


def _items(clause: Clause, text: str) -> dict[int, str]:
    """Split a cell into its numbered items; without numbers, by lines where their count is right."""
    wanted = [s.number or 0 for s in clause.sentences]
    starts: list[tuple[int, int, int]] = []
    for mark in _ITEM.finditer(text):
        number = _number(mark.group(1))
        expected = starts[-1][0] + 1 if starts else wanted[0]
        if number in wanted and number >= expected and _MARKED.search(mark.group()):
            starts.append((number, mark.start(), mark.end()))
    if not starts:
        lines = [line for line in text.split("\n") if line.strip()]
        return dict(enumerate(lines)) if len(lines) == len(wanted) else {0: text}
    parts = {}
    if starts[0][0] != wanted[0] and text[: starts[0][1]].strip():
        parts[0] = text[: starts[0][1]].strip()
    ends = [start for _, start, _ in starts[1:]] + [len(text)]
    for (number, _, begin), end in zip(starts, ends, strict=True):
        parts[wanted.index(number)] = text[begin:end].strip()
    return parts


def _number(mark: str) -> int:
    return "①②③④⑤⑥⑦⑧⑨".index(mark) + 1 if mark in "①②③④⑤⑥⑦⑧⑨" else int(mark)


def _by_opening(clause: Clause, folded: str) -> dict[int, str]:
    """Cut a cell where its sentences begin; a sentence that begins with a blank takes the whole cell."""
    starts = []
    for index, sentence in enumerate(clause.sentences):
        if sentence.opening.is_empty:
            return {0: folded} if len(clause.sentences) == 1 else {}
        match = sentence.opening.find(folded, 0)
        if match:
            starts.append((match.start(), index))
    starts.sort()
    parts = {}
    for number, (start, index) in enumerate(starts):
        end = starts[number + 1][0] if number + 1 < len(starts) else len(folded)
        parts[index] = folded[0 if number == 0 else start : end]
    return parts
