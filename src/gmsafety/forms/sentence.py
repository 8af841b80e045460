"""Sentences with blanks: compiled from a template, filled with values, and read back from what a clerk typed.

A template is the printed sentence with `{id:type placeholder}` for each blank; `{~发现}` marks printed words that an
erratum strikes out, so that both spellings are read. Reading looks for the printed words in order, tolerant of
punctuation, width and white space; what stands between two of them is the blank. Where the sentence was rewritten,
the longest chain of printed words that is still there is kept (`alignment`), and what it does not settle is said.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .alignment import Literal, align, alike
from .types import FIELD_TYPES, FieldType, Parsed, Setting, Trouble, fold
from .types.dates import find_dates
from .types.text import no_note_marks

_MARK = re.compile(r"\{(~)?([^{}]*)\}")
_ITEM = re.compile(r"(\d+)\s*[.．、]\s*")
_UNIT = re.compile(r"万元|元|个[^\W\d_]|[^\W\d_]")
_LONGEST_GAP = 60
_VAGUE = re.compile(r"[约近余多超逾]|不足|大概|左右|以上|至少|将近|若干")
_LEAD_IN = re.compile(
    r"(?:截至|截止|至)?(?:目前|本周|今日|当前|此次)?(?:为止)?[,:]?(?:全[省市县区镇]|辖区内?|我[市县区]|本[市县区])?(?:累计|共计|共有|共|已有|总计|现有|有|计)*"
)


@dataclass(frozen=True, slots=True)
class Blank:
    """A blank of a sentence: its path in the form, its type, and the filler printed there."""

    path: str
    kind: FieldType
    setting: Setting
    placeholder: str
    before: Literal
    after: Literal

    @property
    def units(self) -> tuple[str, ...]:
        """Words that may follow the number in the blank."""
        return self.setting.units


@dataclass(frozen=True, slots=True)
class SentenceReading:
    """What a sentence gave: a value or trouble for each blank, blanks nothing could be said of, and remarks."""

    values: dict[str, Parsed]
    lost: tuple[str, ...] = ()
    remarks: tuple[tuple[str, str], ...] = ()
    leftover: str = ""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A compiled sentence."""

    literals: tuple[Literal, ...]
    blanks: tuple[Blank, ...]
    number: int | None = None
    optional: bool = False
    is_narrative: bool = field(init=False)

    def __post_init__(self) -> None:
        """Note whether the whole sentence is one narrative."""
        object.__setattr__(self, "is_narrative", len(self.blanks) == 1 and self.blanks[0].kind.name == "narrative")

    @property
    def opening(self) -> Literal:
        """The printed words before the first blank (may be empty)."""
        return self.literals[0]

    def say(self, values: Mapping[str, Any], *, empty: str | None = None) -> str:
        """Write the sentence with values in its blanks.

        `empty` is what a blank without a value gets; None means the printed filler.
        """
        out = [self.literals[0].printed]
        for blank, literal in zip(self.blanks, self.literals[1:], strict=True):
            value = values.get(blank.path)
            filler = blank.placeholder if empty is None or not self.is_narrative else empty
            out += [filler if value is None else blank.kind.show(value), literal.printed]
        return "".join(out)

    def read(self, text: str) -> SentenceReading:
        """Read a sentence back from what was typed."""
        if self.is_narrative:
            return self._read_narrative(text)
        folded = fold(no_note_marks(text))
        reading = self._read_in_order(folded) or self._read_aligned(folded)
        again = self._read_in_order(reading.leftover) if reading.leftover else None
        return self._read_twice(reading, again) if again else reading

    def _read_twice(self, first: SentenceReading, second: SentenceReading) -> SentenceReading:
        """A sentence that stands twice in a cell: a blank of which the two differ has no value."""
        values = dict(first.values)
        for blank in self.blanks:
            two = [r.values[blank.path].value for r in (first, second)]
            if None not in two and two[0] != two[1]:
                text = "、".join(blank.kind.show(v) for v in two)
                values[blank.path] = Parsed(None, Trouble("several-numbers", {"text": text}))
        return replace(first, values=values)

    def _read_narrative(self, text: str) -> SentenceReading:
        blank = self.blanks[0]
        prompt = re.match(rf"{re.escape(blank.placeholder.rstrip('。.'))}[:：]\s*", text)
        if prompt:
            text = text[prompt.end() :]
        if fold(text).rstrip("。.") == fold(blank.placeholder).rstrip("。."):
            return SentenceReading({blank.path: Parsed(None)})
        return SentenceReading({blank.path: blank.kind.read(text, blank.setting)})

    def _read_in_order(self, folded: str) -> SentenceReading | None:
        """Find the printed words one after the other; None where one of them is missing."""
        end = 0
        gaps = []
        for index, literal in enumerate(self.literals):
            match = literal.find(folded, end)
            if match is None:
                return None
            gap = folded[end : match.start()]
            if len(gap) > _LONGEST_GAP:
                return None
            gaps.append(gap)
            end = len(folded) if literal.is_empty and index else match.end()
        if not self.literals[-1].is_empty and self.literals[-1].is_short and len(folded) - end > _LONGEST_GAP:
            return None
        values = {b.path: read_gap(b, gap) for b, gap in zip(self.blanks, gaps[1:], strict=True)}
        return SentenceReading(values, leftover=_leftover(gaps[0], folded[end:]))

    def _read_aligned(self, folded: str) -> SentenceReading:
        chain = align(self.literals, folded)
        values: dict[str, Parsed] = {}
        remarks: list[tuple[str, str]] = []
        for first, last, gap in chain.gaps(folded):
            blanks = self.blanks[first:last]
            opened = chain.is_open(first, last, len(self.blanks))
            if len(blanks) == 1 and opened == (False, False):
                values[blanks[0].path] = read_gap(blanks[0], gap)
                continue
            found = alike(self.literals[first : last + 1], gap, opened)
            if found is not None:
                values |= {b.path: read_gap(b, part) for b, part in zip(blanks, found.parts, strict=True)}
                remarks += found.remarks
            else:
                values |= _read_edges(blanks, gap)
        lost = tuple(b.path for b in self.blanks if b.path not in values)
        head, tail = chain.around(folded)
        return SentenceReading(
            {**{p: Parsed(None) for p in lost}, **values}, lost, tuple(remarks), _leftover(head, tail)
        )


def read_gap(blank: Blank, gap: str) -> Parsed:
    """Read what stands in one blank."""
    gap = gap.strip("_")
    parsed = blank.kind.read(gap, blank.setting)
    if parsed.trouble is None or not blank.before.is_empty:
        return parsed
    shorter = _without_lead_in(gap)
    return parsed if shorter is None else blank.kind.read(shorter, blank.setting)


def _without_lead_in(gap: str) -> str | None:
    """Drop words a clerk put before the first blank (全市共有…); None where they make the number vague."""
    for found in reversed(find_dates(gap)):
        gap = re.sub(r"^[日号]?(?:\d{1,2}(?:[时点]|:\d{2})(?:\d{1,2}分)?)?", "", gap[found.end :])
        break
    rest = gap[_LEAD_IN.match(gap).end() :]  # type: ignore[union-attr]  # every part is optional, so it always matches
    start = re.search(r"-?\d", rest)
    lead = rest[: start.start()] if start else ""
    return None if _VAGUE.search(lead) or not rest[len(lead) :].strip(",.") else rest[len(lead) :]


def _leftover(lead: str, tail: str) -> str:
    lead = lead[_LEAD_IN.match(lead).end() :]  # type: ignore[union-attr]  # as above
    return "；".join(t for t in (lead.strip(",.;:。、"), tail.strip(",.;:。、)")) if len(t) > 1)


def _read_edges(blanks: tuple[Blank, ...], gap: str) -> dict[str, Parsed]:
    """Read the first and the last of several blanks where the number still stands beside its printed words."""
    values: dict[str, Parsed] = {}
    first, last = blanks[0], blanks[-1]
    if head := re.match(r"[_*]*(-?\d+(?:\.\d+)?)[_*]*", gap):
        rest = gap[head.end() :]
        if rest.startswith(first.after.head):
            values[first.path] = read_gap(first, head.group(1))
    start = max(0, len(gap) - _LONGEST_GAP)
    tail = re.search(r"[_*]*(-?\d+(?:\.\d+)?)[_*]*$", gap[start:])
    if tail and last.path not in values and last.before.ends(gap[: start + tail.start()]):
        values[last.path] = read_gap(last, tail.group(1))
    return values


def compile_sentence(template: str, clause: str, *, optional: bool = False) -> Sentence:
    """Compile a template; ValueError names what is wrong with it."""
    template = template.strip("\n")
    item = _ITEM.match(template)
    pieces: list[list[tuple[str, bool]]] = [[]]
    marks: list[tuple[str, str, str]] = []
    position = 0
    for mark in _MARK.finditer(template):
        pieces[-1].append((template[position : mark.start()], False))
        position = mark.end()
        if mark.group(1):
            pieces[-1].append((mark.group(2), True))
        else:
            marks.append(_parse_mark(mark.group(2)))
            pieces.append([])
    pieces[-1].append((template[position:], False))
    if not marks:
        raise ValueError(f"句子里没有空格（{{…}}）：{template}")
    literals = tuple(Literal.of(p, skip=item.group() if item and i == 0 else "") for i, p in enumerate(pieces))
    blanks = tuple(_blank(f"{clause}.{m[0]}", m, literals[i], literals[i + 1]) for i, m in enumerate(marks))
    return Sentence(literals, blanks, int(item.group(1)) if item else None, optional)


def _parse_mark(text: str) -> tuple[str, str, str]:
    name, _, placeholder = text.strip().partition(" ")
    path, _, kind = name.partition(":")
    kind = kind or "count"
    if not re.fullmatch(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*", path):
        raise ValueError(f"空格的id应为小写字母、数字和下划线：{path!r}")
    if kind not in FIELD_TYPES:
        raise ValueError(f"没有字段类型“{kind}”；可用：{'、'.join(FIELD_TYPES)}")
    return path, kind, placeholder.strip() or "**"


def _blank(path: str, mark: tuple[str, str, str], before: Literal, after: Literal) -> Blank:
    unit = _UNIT.match(after.core)
    units: tuple[str, ...] = (unit.group(), unit.group()[0]) if unit else ()
    if mark[1] == "money":
        units = ("万元",)
    return Blank(path, FIELD_TYPES[mark[1]], Setting(units=units, in_sentence=True), mark[2], before, after)


__all__ = ["Blank", "Sentence", "SentenceReading", "Trouble", "compile_sentence", "read_gap"]
