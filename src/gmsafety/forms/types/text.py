"""Folding of what clerks type: full width, line breaks inside words, the many ways to write nothing."""

import re
import unicodedata

LONGEST_CELL = 32767
_SPACE = re.compile(r"[\s\u200b\u200c\u200d\u2060\ufeff]+")
_ESCAPED = re.compile(r"_x(000[dDaA9]|00[aA]0)_")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_DIRTY = re.compile(r"_x0|[\x00-\x08\x0b-\x1f\ufffe\uffff]")
_EDGES = " \t\n\u3000\u00a0\u200b\ufeff"
_APART = "␀"
_NOT_FIRST = frozenset(" *＊_＿=+-@")
_BLANK = frozenset(
    {
        "",
        "/",
        "\\",
        "-",
        "--",
        "---",
        "—",
        "——",
        "–",
        "－",
        "无",
        "无。",
        "空",
        "未填",
        "**",
        "*",
        "__",
        "_",
        "xx",
        "//",
    }
)
_LONGEST_BOXES = 200
_EMPTY, _FULL = "□☐○◯", "☑☒√✓✔■●"
_EMPTY_BOX, _TICK = re.compile(f"[{_EMPTY}]"), re.compile(f"[{_FULL}]")
_WORDS = f"[^{_EMPTY}{_FULL}\\s;；,，、/]+"
_TICKED_BEFORE = re.compile(rf"(?=\s*[{_EMPTY}{_FULL}]).*?[{_FULL}]\s*({_WORDS})", re.DOTALL)
_TICKED_AFTER = re.compile(rf"(?=\s*[^\s{_EMPTY}{_FULL}]).*?({_WORDS})\s*[{_FULL}]", re.DOTALL)
_ONLY_BOXES = re.compile(
    rf"\s*(?:[{_EMPTY}{_FULL}]\s*{_WORDS}[\s;；,，、/]*|{_WORDS}\s*[{_EMPTY}{_FULL}][\s;；,，、/]*)+"
)
_FILLERS = re.compile(r"[*＊_＿\s]+")
_DOTS = re.compile(r"[.．。…·⋯︙⋮\s]{2,}|[…⋯︙⋮]")
_NOTE_MARKS = str.maketrans(dict.fromkeys("⁰¹²³⁴⁵⁶⁷⁸⁹①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳❶❷❸❹❺", "^"))
MINUS = str.maketrans({"−": "-", "﹣": "-", "－": "-", "‐": "-", "‑": "-", "–": "-", "—": "-"})


def fold(text: object) -> str:
    """Return the text in NFKC with all white space deleted: what two typings of one word share."""
    folded = "".join(unicodedata.normalize("NFKC", str(text)).split())
    return folded if folded.isprintable() else _SPACE.sub("", folded)


def fold_all(texts: list[str]) -> list[str]:
    """Fold many texts at once, which is much sooner done."""
    joined = _APART.join(texts)
    return fold(joined).split(_APART) if joined.count(_APART) == len(texts) - 1 else [fold(t) for t in texts]


def is_plain(text: str) -> bool:
    """Tell quickly whether a text stands for itself: longer than anything blank, and nothing in it to clean."""
    return (
        8 < len(text) <= LONGEST_CELL
        and text.isprintable()
        and text[0] not in _NOT_FIRST
        and text[-1] != " "
        and "_x0" not in text
    )


def no_note_marks(text: str) -> str:
    """Keep raised and circled digits from being read as digits: 134² is not 1342."""
    return text.translate(_NOTE_MARKS)


def squash(text: object) -> str:
    """Return the text as typed, trimmed, without spreadsheet escapes and invisible characters."""
    if isinstance(text, str) and not _DIRTY.search(text):
        return text.strip(_EDGES)
    cleaned = _ESCAPED.sub("\n", str(text)).replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROL.sub("", cleaned).strip(_EDGES)


def is_blank(value: object) -> bool:
    """Tell whether a cell says nothing: empty, `/`, `无`, `—`, or a printed filler left as it was."""
    if value is None:
        return True
    if not isinstance(value, str):
        return False
    if len(value) > 8:
        return not value.strip("*＊_＿ \t\n\u3000")
    folded = fold(value).lower()
    return folded in _BLANK or not _FILLERS.sub("", folded)


def is_dots(value: object) -> bool:
    """Tell whether a cell holds only the printed `.....` of an open-ended table."""
    return isinstance(value, str) and bool(_DOTS.fullmatch(value.strip()))


def ticked(text: str) -> str | None:
    """The words at the one box that is ticked, among boxes that are not: ☑是 □否; None where it is no such text."""
    if (
        len(text) > _LONGEST_BOXES
        or not _EMPTY_BOX.search(text)
        or len(_TICK.findall(text)) != 1
        or not _ONLY_BOXES.fullmatch(text)
    ):
        return None
    found = _TICKED_BEFORE.match(text) or _TICKED_AFTER.match(text)
    return found.group(1) if found else None


def looks_like_formula(text: str) -> bool:
    """Tell whether a spreadsheet would run this text as a formula when it is typed again."""
    return text[:1] in "=+-@" and len(text) > 1 and not is_blank(text)


def shorten(text: object, limit: int = 40) -> str:
    """Return the text in one line, cut for a message."""
    line = " ".join(str(text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
