"""Reading a clause table: fixed rows whose cells are sentences with blanks."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ...findings import Finding, Place
from ...kinds import KINDS
from ..sentence import Sentence, SentenceReading
from ..spec import Clause, Form
from ..types import Parsed, fold, is_blank, squash
from ..types.fields import as_text
from ..types.text import LONGEST_CELL, looks_like_formula, no_note_marks, shorten
from .identify import Match
from .items import split_items
from .tables import Row

_NOT_BEGUN = re.compile(
    r"未(?:正式|组织|全面|到|接到|安排|实施|进行|作出|予以)?(?:开展|启动|开始|进行|部署|涉及|组织|安排|通知|处罚|行政处罚|时间)|(?:尚|暂|还|仍)未|"
    r"(?:计划|拟|将|待|预计|届时|下步|下一步|按照?|根据|\d月).{0,24}(?:开展|启动|实施|进行|填报|填写|上报|安排|通知|部署)|"
    r"^(?:本[周期月]|目前|截至目前)?[,]?暂?无|^零$|不涉及|没有|零报告|^[(]?(?:由|待|待由)?[省市县]级?.{0,6}(?:填写|填报|工作|统一|组织|安排)|"
    r"无(?:此项|该项)|[市县]级不填|不填|开展后(?:再)?填|^(?:\d{4}年)?\d{1,2}月份?[。]?$"
)
_COUNTS_SOMETHING = re.compile(r"\d\s*(?:家|条|个|人|万元|项|次)")
_TELLING = 4
_BELOW = re.compile(r"^(?:说明|注|备注|附|单位|主要负责人|负责人|填表人|填报人|审核|联系|电话|签字|日期|制表)")
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
    used = {r for lines in match.labels.values() for r in lines}
    for number, clause in enumerate(match.form.clauses, 1):
        lines = match.labels.get(clause.id, ())
        if not lines and (line := _by_words(clause, rows, used)) is not None:
            lines = (line,)
            used.add(line)
            place = Place(match.table.where(line, match.label_col or 0), match.table.sheet)
            typed = shorten(as_text(_cell(rows[line], match.label_col or 0)))
            out.findings.append(
                KINDS["wording-differs"].at(place, label=clause.label, found=typed or "空白", printed=clause.label)
            )
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
    out.findings += _no_clause(match, rows, used)
    return out


def _cell(row: Row, col: int) -> object:
    return row[col] if col < len(row) else ""


def _by_words(clause: Clause, rows: list[Row], used: set[int]) -> int | None:
    """The row of a clause whose label was changed: one that no other clause has, with several of its printed words."""
    words = [w for s in clause.sentences for w in s.literals if len(w.core) >= _TELLING]
    for number, row in enumerate(rows):
        if number not in used and len(words) > 1:
            folded = fold("".join(c for c in row if isinstance(c, str)))
            if sum(bool(w.find(folded, 0)) for w in words) * 2 > len(words):
                return number
    return None


def _no_clause(match: Match, rows: list[Row], used: set[int]) -> Iterator[Finding]:
    """Show rows from the first clause on that are neither one nor a note of the form."""
    first = min(used, default=len(rows))
    notes = [fold(n) for n in match.form.notes]
    for number, row in enumerate(rows[first:], first):
        if number in used:
            continue
        said = [as_text(c) for c in row if c not in ("", None)]
        text = fold("".join(said))
        if text and len(said) > 1 and not _BELOW.match(text) and not any(n in text or text in n for n in notes):
            place = Place(match.table.where(number, 0), match.table.sheet)
            yield KINDS["not-understood"].at(place, text=shorten(" ".join(said), 80))


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
    raw = _text_of(match, line, text_col, rows)
    if raw == "":
        text_col = _moved(clause, row, text_col)
        raw = row[text_col] if text_col < len(row) else ""
    place = Place(match.table.where(line, text_col), match.table.sheet)
    out.cells[clause.id] = place.where
    if isinstance(raw, str) and len(raw) > LONGEST_CELL:
        out.values |= {b.path: None for b in clause.blanks}
        out.findings.append(KINDS["cell-too-long"].at(place, field=clause.label, length=len(raw)))
        return
    if raw not in ("", None):
        out.typed[clause.id] = raw
    reading = read_clause(clause, as_text(raw))
    out.values |= {path: parsed.value for path, parsed in reading.values.items()}
    out.findings += _findings(match.form, clause, reading, place, raw)
    has_remark = remark_col is not None and remark_col != text_col and remark_col < len(row)
    remark = squash(row[remark_col]) if has_remark and remark_col is not None and row[remark_col] else ""
    if remark and fold(remark) != fold(clause.remark or "") and not is_blank(remark):
        out.remarks[clause.id] = remark
        out.cells[f"remark.{clause.id}"] = match.table.where(line, remark_col or 0)
        out.nil = out.nil or bool(NIL.search(remark))
    if isinstance(raw, str) and NIL.search(raw) and not any(reading.values[b.path].value for b in clause.blanks):
        out.nil = True


def _moved(clause: Clause, row: Row, text_col: int) -> int:
    """The column in which a clause's printed words really stand, where its own cell is empty."""
    for col, cell in enumerate(row):
        if isinstance(cell, str) and len(cell) > 12:
            folded = fold(cell)
            words = [w for s in clause.sentences for w in s.literals if len(w.core) >= 4]
            if any(w.find(folded, 0) for w in words):
                return col
    return text_col


def _text_of(match: Match, line: int, text_col: int, rows: list[Row]) -> object:
    """The sentence of a clause; where it was spread over several rows under one label, their lines together."""
    first = rows[line][text_col] if text_col < len(rows[line]) else ""
    labelled = {r for lines in match.labels.values() for r in lines}
    texts = [first]
    for number in range(line + 1, len(rows)):
        row = rows[number]
        other = [c for i, c in enumerate(row) if i < text_col and c not in ("", None)]
        if number in labelled or other or text_col >= len(row):
            break
        if row[text_col] not in ("", None):
            texts.append(row[text_col])
    said = [t for t in texts if t not in ("", None)]
    return "\n".join(str(t) for t in said) if len(said) > 1 else (said[0] if said else "")


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
    return KINDS["sentence-changed"].at(place, label=clause.label, blanks=blanks, text=shorten(as_text(raw), 80))


def read_clause(clause: Clause, text: str) -> SentenceReading:
    """Read one clause cell: values by path, blanks that were lost, remarks."""
    nothing = {b.path: Parsed(None) for b in clause.blanks}
    if is_blank(text):
        return SentenceReading(nothing)
    if any(s.number for s in clause.sentences):
        return _merge(clause, split_items(text, len(clause.sentences)), nothing)
    if all(s.is_narrative for s in clause.sentences):
        return _merge(clause, {0: text}, nothing)
    parts = _by_opening(clause, fold(no_note_marks(text)))
    if not parts or _says_not_begun(clause, text):
        if _says_nothing(text):
            return SentenceReading(nothing)
        parts = parts or {0: text}
    return _merge(clause, parts, nothing)


def _says_not_begun(clause: Clause, text: str) -> bool:
    """Tell whether the cell says that nothing was done, and holds none of the printed words."""
    folded = fold(text)
    return _says_nothing(text) and not any(
        len(literal.core) >= 4 and literal.find(folded, 0) for s in clause.sentences for literal in s.literals
    )


def _says_nothing(text: str) -> bool:
    """Tell whether a short text says that there is nothing to report, and counts nothing."""
    folded = fold(text)
    return len(folded) < 60 and bool(_NOT_BEGUN.search(folded)) and not _COUNTS_SOMETHING.search(folded)


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
