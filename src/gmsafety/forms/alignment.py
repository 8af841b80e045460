"""Printed words of a sentence, and where they still stand in a text that a clerk rewrote."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, pairwise

from .types import fold

_PUNCT = r"[,.;:。、;:_*()\[\]“”\"'‘’《》]*"
_DROP = re.compile(r"[\s,.;:。、，；：_*()（）\[\]【】“”\"'‘’《》]+")
_BRACKET = re.compile(r"\([^()]{1,3}\)")
_AROUND = r"(?>(?:\([^()\d]{0,8}\)|[,.;:。、;:_*()\[\]“”\"'‘’《》])*)"
_TOKEN = re.compile(r"-?\d+(?:\.\d+)?|[*_]+|/(?=[^\d])|无(?=[家条人万个])")
_MOST = 12
_SHORT_GAP = 12
_ALIKE = 75.0


@dataclass(frozen=True)
class Literal:
    """The printed words between two blanks."""

    printed: str
    core: str
    pattern: re.Pattern[str]

    @classmethod
    def of(cls, pieces: list[tuple[str, bool]], *, skip: str = "") -> "Literal":
        """Compile printed words; pieces marked True may be absent, and so may a short word in brackets."""
        printed = "".join(text for text, _ in pieces)
        pattern, core = "", []
        for index, (text, optional) in enumerate(pieces):
            folded = fold(text[len(skip) :] if index == 0 else text)
            core.append("" if optional else _DROP.sub("", folded))
            words = _AROUND.join(_words(part) for part in _BRACKET.split(folded))
            words = f"(?:{words})?" if optional else words
            pattern += _PUNCT + words if pattern and words else words
        return cls(printed, "".join(core), re.compile(pattern))

    @property
    def is_empty(self) -> bool:
        """True where nothing is printed."""
        return not self.core

    @property
    def is_short(self) -> bool:
        """True where too little is printed to recognise a sentence by."""
        return len(self.core) < 3

    def find(self, text: str, start: int) -> re.Match[str] | None:
        """Find the words from a position on."""
        return self.pattern.search(text, start)

    def ends(self, text: str) -> bool:
        """Tell whether a text ends with the last words of this."""
        return bool(self.core) and _DROP.sub("", text).endswith(self.core[-3:])

    @cached_property
    def head(self) -> str:
        """The unit with which the words begin: 家, 条, 万元, 个县."""
        return self.core[:2] if self.core.startswith(("个", "万")) else self.core[:1]


@dataclass(frozen=True, slots=True)
class Alike:
    """A stretch whose words differ a little from the printed ones."""

    parts: tuple[str, ...]
    remarks: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Chain:
    """Which printed words were found, in order, and where; an end that was not found stands open."""

    spans: dict[int, tuple[int, int]]
    open_start: bool
    open_end: bool

    def gaps(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Yield (first blank, after last blank, text between) for each stretch between words that were found."""
        for left, right in pairwise(sorted(self.spans)):
            yield left, right, text[self.spans[left][1] : self.spans[right][0]]

    def around(self, text: str) -> tuple[str, str]:
        """Return what stands before the first of the printed words and after the last; they may not be open ends."""
        first, last = min(self.spans, default=0), max(self.spans, default=0)
        start, end = self.spans.get(first, (0, 0))[0], self.spans.get(last, (0, len(text)))[1]
        return text[:start], text[end:]

    def is_open(self, first: int, last: int, end: int) -> tuple[bool, bool]:
        """Tell whether a stretch begins or ends where printed words should stand but were not found."""
        return self.open_start and first == 0, self.open_end and last == end


def alike(literals: tuple[Literal, ...], gap: str, opened: tuple[bool, bool]) -> Alike | None:
    """Match a stretch of blanks by its numbers, if the words between them are alike and the units equal."""
    tokens = list(_TOKEN.finditer(gap))
    if len(tokens) != len(literals) - 1:
        return None
    ends = [0, *(t.end() for t in tokens)]
    starts = [*(t.start() for t in tokens), len(gap)]
    remarks = []
    for index, (literal, end, start) in enumerate(zip(literals, ends, starts, strict=True)):
        words = _DROP.sub("", gap[end:start])
        outer = (index == 0, index == len(literals) - 1)
        wanted = (
            literal.core if outer == (False, False) or any(o and p for o, p in zip(outer, opened, strict=True)) else ""
        )
        if not _is_alike(words, wanted, literal.head if index else ""):
            return None
        if words != wanted:
            remarks.append((words, wanted))
    return Alike(tuple(t.group() for t in tokens), tuple(remarks))


def _is_alike(words: str, wanted: str, unit: str) -> bool:
    from rapidfuzz import fuzz  # noqa: PLC0415 - only for a rewritten sentence

    if words == wanted or not wanted:
        return words == wanted
    return words.startswith(unit) and fuzz.ratio(words, wanted) >= _ALIKE


def align(literals: tuple[Literal, ...], text: str) -> Chain:
    """Find the heaviest chain of printed words that stand in order in the text."""
    nodes: list[tuple[int, int, int]] = []
    for index, literal in enumerate(literals):
        if len(literal.core) > 1:
            found = islice(literal.pattern.finditer(text), _MOST)
            nodes += [(*match.span(), index) for match in found]
    nodes.sort()
    best: list[tuple[int, int | None]] = []
    for here, (start, _, index) in enumerate(nodes):
        weight, before = 0, None
        for other in range(here):
            if nodes[other][1] <= start and nodes[other][2] < index and best[other][0] > weight:
                weight, before = best[other][0], other
        best.append((weight + len(literals[index].core) * 10 - index % 2, before))
    spans: dict[int, tuple[int, int]] = {}
    at = max(range(len(nodes)), key=lambda i: best[i][0], default=None)
    while at is not None:
        spans[nodes[at][2]] = nodes[at][:2]
        at = best[at][1]
    last = len(literals) - 1
    if last - 1 in spans and last not in spans and literals[-1].core:
        ending = literals[-1].find(text, spans[last - 1][1])
        if ending and ending.start() - spans[last - 1][1] <= _SHORT_GAP:
            spans[last] = ending.span()
    open_start = bool(spans) and 0 not in spans and not literals[0].is_empty
    open_end = bool(spans) and last not in spans and not literals[-1].is_empty
    if spans:
        spans.setdefault(0, (0, 0))
        spans.setdefault(last, (len(text), len(text)))
    return Chain(spans, open_start, open_end)


def _words(folded: str) -> str:
    return _PUNCT.join(re.escape(c) for c in _DROP.sub("", folded))
