"""Marks at the cells of a Word file: a shade that remembers the one before it, and a comment."""

from collections.abc import Iterator
from typing import Any

from ..marks import AUTHOR, OPENING, list_in_document
from .styles import FILLS
from .wordlist import W, element

_W = f"{{{W}}}"
_AFTER_SHADE = tuple(
    f"{_W}{n}" for n in ("noWrap", "tcMar", "textDirection", "tcFitText", "vAlign", "hideMark", "headers", "cellIns",
                         "cellDel", "cellMerge", "tcPrChange")
)  # fmt: skip
_THEME = (("themeFill", "themeColor"), ("themeFillTint", "themeTint"), ("themeFillShade", "themeShade"))
_OURS = {colour[2:] for colour in FILLS.values()}
BOOKMARK = "gmsafety_"
"""What our bookmarks begin with."""


def shade(cell: Any, severity: str) -> None:
    """Shade a cell. The colour it had is kept as that of the pattern, which a clear pattern does not show."""
    look = cell.find(f"{_W}tcPr")
    if look is None:
        look = cell.makeelement(f"{_W}tcPr")
        cell.insert(0, look)
    old = look.find(f"{_W}shd")
    if old is None:
        new = element(f'<w:shd w:val="clear" w:color="auto" w:fill="{FILLS[severity][2:]}"/>')
        later = next((child for child in look if child.tag in _AFTER_SHADE), None)
        look.insert(len(look) if later is None else look.index(later), new)
    elif old.get(f"{_W}val") == "clear" and old.get(f"{_W}color", "auto") == "auto":
        old.set(f"{_W}color", old.get(f"{_W}fill", "auto"))
        old.set(f"{_W}fill", FILLS[severity][2:])
        _rename(old, _THEME)


def _rename(node: Any, names: tuple[tuple[str, str], ...]) -> None:
    for name, other in names:
        if f"{_W}{name}" in node.attrib:
            node.set(f"{_W}{other}", node.attrib.pop(f"{_W}{name}"))


def _unshade(root: Any) -> None:
    for old in list(root.iter(f"{_W}shd")):
        look = old.getparent()
        if str(old.get(f"{_W}fill", "")).upper() not in _OURS or look.tag != f"{_W}tcPr":
            continue
        if old.get(f"{_W}color", "auto") == "auto":
            look.remove(old)
            if not len(look):
                look.getparent().remove(look)
        else:
            old.set(f"{_W}fill", old.get(f"{_W}color"))
            old.set(f"{_W}color", "auto")
            _rename(old, tuple((b, a) for a, b in _THEME))


def comment_on(cell: Any, number: int, bookmark: str) -> bool:
    """Mark the paragraphs of a cell as those that a comment is about; False where it has none."""
    paragraphs = list(_paragraphs(cell))
    if not paragraphs:
        return False
    first, last = paragraphs[0], paragraphs[-1]
    start = 1 if len(first) and first[0].tag == f"{_W}pPr" else 0
    first.insert(start, element(f'<w:bookmarkStart w:id="{number}" w:name="{bookmark}"/>'))
    first.insert(start + 1, element(f'<w:commentRangeStart w:id="{number}"/>'))
    last.append(element(f'<w:commentRangeEnd w:id="{number}"/>'))
    last.append(element(f'<w:r><w:commentReference w:id="{number}"/></w:r>'))
    last.append(element(f'<w:bookmarkEnd w:id="{number}"/>'))
    return True


def _paragraphs(cell: Any) -> Iterator[Any]:
    """The paragraphs of a cell, those inside content controls among them, those of tables inside it not."""
    for child in cell:
        if child.tag == f"{_W}p":
            yield child
        elif child.tag in (f"{_W}sdt", f"{_W}sdtContent", f"{_W}ins", f"{_W}customXml"):
            yield from _paragraphs(child)


def comment(number: int, text: str) -> Any:
    """A comment of ours."""
    made = element(f'<w:comment w:id="{number}" w:author="{AUTHOR}" w:initials="核"/>')
    for line in (OPENING, *text.split("\n")):
        paragraph = element('<w:p><w:r><w:t xml:space="preserve"/></w:r></w:p>')
        paragraph[0][0].text = line
        made.append(paragraph)
    return made


def take_out(root: Any, comments: Any | None) -> None:
    """Take our marks out of a document and its comments."""
    _unshade(root)
    for body in root.findall(f"{_W}body"):
        for node in list_in_document(body):
            body.remove(node)
    bookmarks = [b for b in root.iter(f"{_W}bookmarkStart") if str(b.get(f"{_W}name", "")).startswith(BOOKMARK)]
    numbers = {b.get(f"{_W}id") for b in bookmarks}
    _remove([*bookmarks, *(b for b in root.iter(f"{_W}bookmarkEnd") if b.get(f"{_W}id") in numbers)])
    if comments is None:
        return
    ours = [c for c in comments.iter(f"{_W}comment") if c.get(f"{_W}author") == AUTHOR]
    numbers = {c.get(f"{_W}id") for c in ours}
    marks = (f"{_W}commentRangeStart", f"{_W}commentRangeEnd", f"{_W}commentReference")
    found = [n for n in root.iter(*marks) if n.get(f"{_W}id") in numbers]
    _remove([n.getparent() if n.getparent().tag == f"{_W}r" else n for n in found] + ours)


def _remove(nodes: list[Any]) -> None:
    for node in nodes:
        if node.getparent() is not None:
            node.getparent().remove(node)
