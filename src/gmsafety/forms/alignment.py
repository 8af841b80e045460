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
_TOKEN = re.compile(r"-?\d+(?:\.\d+)?|[*_]+|/(?=[^\d])|无(?=[家条人万个])")
_MOST = 12
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
        parts, core = [], []
        for index, (text, optional) in enumerate(pieces):
            folded = fold(text[len(skip) :] if index == 0 else text)
            core.append("" if optional else _DROP.sub("", folded))
            position = 0
            for bracket in _BRACKET.finditer(folded):
                parts += [_words(folded[position : bracket.start()]), f"(?:{_words(bracket.group())})?"]
                position = bracket.end()
            tail = _words(folded[position:])
            parts.append(f"(?:{tail})?" if optional and tail else tail)
        return cls(printed, "".join(core), re.compile(_PUNCT.join(p for p in parts if p)))

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
    """Which printed words were found, in order, and where."""

    spans: dict[int, tuple[int, int]]

    def gaps(self, literals: tuple[Literal, ...], text: str) -> Iterator[tuple[int, int, str]]:
        """Yield (first blank, after last blank, text between) for each stretch between words that were found."""
        found = sorted(self.spans)
        for left, right in pairwise(found):
            yield left, right, text[self.spans[left][1] : self.spans[right][0]]

    def alike(self, literals: tuple[Literal, ...], gap: str) -> Alike | None:
        """Match a stretch of several blanks by its numbers, if the words between them are alike and the units equal."""
        from rapidfuzz import fuzz  # noqa: PLC0415 - only for a rewritten sentence

        tokens = list(_TOKEN.finditer(gap))
        if len(tokens) != len(literals) - 1 or _DROP.sub("", gap[: tokens[0].start()]):
            return None
        if _DROP.sub("", gap[tokens[-1].end() :]):
            return None
        remarks = []
        for left, right, literal in zip(tokens, tokens[1:], literals[1:-1], strict=False):
            words = _DROP.sub("", gap[left.end() : right.start()])
            if not words.startswith(literal.head) or fuzz.ratio(words, literal.core) < _ALIKE:
                return None
            if words != literal.core:
                remarks.append((words, literal.core))
        return Alike(tuple(t.group() for t in tokens), tuple(remarks))


def align(literals: tuple[Literal, ...], text: str) -> Chain:
    """Find the heaviest chain of printed words that stand in order in the text."""
    nodes: list[tuple[int, int, int]] = []
    for index, literal in enumerate(literals):
        if not literal.is_empty:
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
    if literals[0].is_empty and spans:
        spans[0] = (0, 0)
    if literals[-1].is_empty and spans:
        spans[len(literals) - 1] = (len(text), len(text))
    return Chain(spans)


def _words(folded: str) -> str:
    return _PUNCT.join(re.escape(c) for c in _DROP.sub("", folded))
