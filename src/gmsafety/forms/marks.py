"""What our marks in an annotated copy are known by, when it comes back: to readers, who pass them over, and to us."""

import re
from itertools import takewhile
from typing import Any

AUTHOR = "gmsafety核对"
"""The author of our comments."""

OPENING = f"【{AUTHOR}】"
"""The words that our part of a comment begins with; what stands before them is the clerk's own."""

SHEET = "核对结果"
"""The name of our sheet, and the title of our list in a Word file; a number follows where the name was taken."""

MEMORY = "gmsafety-marks:"
"""What the cells of our sheet begin with in which we remember what we did."""

LIST_TITLE = f"{SHEET}（{AUTHOR}）"
"""The title of our list in a Word file."""

LIST_TOLD = "有问题的单元格已加底色和批注。改好后直接报送本文件即可：本页、底色和批注不计入填报内容。"
"""What stands below the count of our list in a Word file."""

GUIDE_TITLE = "填表说明（本页不用填写，读取时略过）"
"""What the guide in a blank form begins with: the first cell of its sheet, or a line of a Word file."""

GUIDE_END = "（填表说明完）"
"""The last line of the guide."""

HEADINGS = ("序号", "类别", "位置", "栏目", "现填内容", "问题", "怎样改", "代码")
"""The columns of our list."""

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_COUNT = re.compile(r"(\d+处(错误|提醒|说明)，?)+|没有发现问题")


def may_be_ours(sheet: str) -> bool:
    """Tell whether a sheet may be ours by its name; the first column then says so."""
    return sheet.startswith(SHEET)


def list_in_document(body: Any) -> list[Any]:
    """The elements of a Word file's body that are our list: its title, and what reads as ours right after it."""
    ours = []
    for title in body.iterchildren(f"{_W}p"):
        if _text(title) == LIST_TITLE:
            ours += [title, *takewhile(_reads_as_ours, title.itersiblings())]
    return ours


def guide_in_document(body: Any) -> list[Any]:
    """The paragraphs of a Word file's body that are our guide; none where its last line is missing."""
    lines = [(node, _text(node)) for node in body.iterchildren(f"{_W}p")]
    first = next((node for node, text in lines if text == GUIDE_TITLE), None)
    last = next((node for node, text in lines if text == GUIDE_END), None)
    if first is None or last is None:
        return []
    inside = [first, *takewhile(lambda node: node is not last, first.itersiblings()), last]
    return inside if all(node.tag == f"{_W}p" for node in inside) else []


def _reads_as_ours(node: Any) -> bool:
    text = _text(node)
    if node.tag == f"{_W}tbl":
        return text.startswith("".join(HEADINGS))
    is_empty = not text and all(n.tag == f"{_W}pPr" for n in node)
    return node.tag == f"{_W}p" and (is_empty or text == LIST_TOLD or bool(_COUNT.fullmatch(text)))


def _text(node: Any) -> str:
    return "".join(t.text or "" for t in node.iter(f"{_W}t"))
