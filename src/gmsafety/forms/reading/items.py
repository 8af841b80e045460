"""Splitting a cell into its numbered items: 1. 2. 3., （一）（二）, 一是 二是, ① ②."""

import re
from collections.abc import Iterator

_STYLES = (
    re.compile(r"[0-9０-９]{1,2}[ \t\u3000]*[.．、:：][ \t\u3000]*"),
    re.compile(r"[(（][0-9０-９]{1,2}[)）][ \t\u3000]*[.．、]?"),
    re.compile(r"[0-9０-９]{1,2}[)）][ \t\u3000]*"),
    re.compile(r"[①-⑨][ \t\u3000]*[.．、]?"),
    re.compile(r"[一二三四五六七八九][、.．][ \t\u3000]*"),
    re.compile(r"[(（][一二三四五六七八九][)）][ \t\u3000]*[.．、]?"),
    re.compile(r"第?[一二三四五六七八九]是[,，:：]?"),
    re.compile(r"[0-9０-９](?![0-9０-９.．、)）:：])"),
)


def split_items(text: str, count: int) -> dict[int, str]:
    """Split a cell into its numbered items; without numbers, by lines where their count is right.

    The first mark sets the style, so that numbers inside an item (（1）…, 2.5万元) do not split it.
    """
    text = text.strip()
    style = next((s for s in _STYLES if s.match(text)), None)
    if style is None:
        later = next((s for s in _STYLES[:-1] for _ in _marks(s, text, "\n") if _number(_.group()) == 2), None)
        if later is None:
            return _by_lines(text, count)
        text, style = f"{_mark_of(later)}{text}", later
    starts = _in_order(list(_marks(style, text, "\n")), count)
    if len(starts) < count and style is not _STYLES[-1]:
        inline = _in_order(
            [m for m in _marks(style, text, "\n。；;.．") if not text[m.end() : m.end() + 1].isdigit()], count
        )
        starts = inline if len(inline) > len(starts) else starts
        starts = _each_in_its_style(text, count) or starts if len(starts) < count else starts
    ends = [m.start() for _, m in starts[1:]] + [len(text)]
    return {index: text[m.end() : end].strip() for (index, m), end in zip(starts, ends, strict=True)}


def _each_in_its_style(text: str, count: int) -> list[tuple[int, re.Match[str]]]:
    """Marks that count from 1 to the last item, each at the beginning of a line, but not all of one style."""
    lines = [m.start() for m in re.finditer(r"^[ \t\u3000]*(?=\S)", text, re.MULTILINE)]
    marks = [next((m for s in _STYLES[:-1] if (m := s.match(text, start))), None) for start in lines]
    found = [m for m in marks if m is not None]
    counted = [_number(m.group()) for m in found] == list(range(1, count + 1))
    return list(enumerate(found)) if counted else []


def _marks(style: re.Pattern[str], text: str, after: str) -> Iterator[re.Match[str]]:
    """Find marks of a style at the beginning of the text and after one of some characters."""
    for match in style.finditer(text):
        before = text[: match.start()].rstrip(" \t\u3000")
        if not before or before[-1] in after or (match.start() and text[match.start() - 1] == "\n"):
            yield match


def _in_order(marks: list[re.Match[str]], count: int) -> list[tuple[int, re.Match[str]]]:
    """Keep the marks that count up, each with the index of its item; as many as there are items, by position."""
    if len(marks) == count:
        return list(enumerate(marks))
    kept: list[tuple[int, re.Match[str]]] = []
    for mark in marks:
        index = _number(mark.group()) - 1
        if index < count and index > (kept[-1][0] if kept else -1):
            kept.append((index, mark))
    return kept


def _by_lines(text: str, count: int) -> dict[int, str]:
    lines = [line for line in text.split("\n") if line.strip()]
    return dict(enumerate(lines)) if len(lines) == count else {0: text}


def _mark_of(style: re.Pattern[str]) -> str:
    """The first mark of a style."""
    return next(m for m in ("1.", "（1）", "1）", "①", "一、", "（一）", "一是") if style.fullmatch(m))


def _number(mark: str) -> int:
    for numerals in ("①②③④⑤⑥⑦⑧⑨", "一二三四五六七八九"):
        for character in mark:
            if character in numerals:
                return numerals.index(character) + 1
    return int("".join(c for c in mark if c.isdigit()))
