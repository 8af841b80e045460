"""Comments of a sheet: ours stand alone or below the clerk's own, with the drawing (VML) that shows them."""

import re
from collections.abc import Mapping
from typing import Any

from ..marks import AUTHOR, OPENING
from .package import Package, parse, serialise
from .sheetxml import coordinates
from .styles import MAIN

_MEDIA = "application/vnd.openxmlformats-officedocument.spreadsheetml.comments+xml"
_VML_MEDIA = "application/vnd.openxmlformats-officedocument.vmlDrawing"
_SHAPE = re.compile(rb"\s*<(?:\w+:)?shape[\s>].*?</(?:\w+:)?shape>", re.DOTALL)
_ANY_SHAPE = re.compile(rb"<(?:\w+:)?(?:shape|rect|oval|line|group|roundrect|polyline|image)[\s>]")
_SHAPE_NUMBER = re.compile(rb"_x0000_s(\d+)")
_LEADS_TO = re.compile(rb"<(?:[\w.-]+:)?legacyDrawing\s[^>]*?\bid\s*=\s*[\"']([^\"']+)")
_NAME = b"gmsafety"
_CELL = (
    re.compile(rb"<(?:\w+:)?Row>\s*(\d+)\s*</"),
    re.compile(rb"<(?:\w+:)?Column>\s*(\d+)\s*</"),
)
_NEW_VML = """<xml xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" \
xmlns:x="urn:schemas-microsoft-com:office:excel">
<o:shapelayout v:ext="edit"><o:idmap v:ext="edit" data="{blocks}"/></o:shapelayout>
<v:shapetype id="_x0000_t202" coordsize="21600,21600" o:spt="202" path="m,l,21600r21600,l21600,xe">
<v:stroke joinstyle="miter"/><v:path gradientshapeok="t" o:connecttype="rect"/></v:shapetype>
</xml>"""
_NEW_SHAPE = """
<v:shape id="_x0000_s{number}" type="#_x0000_t202" style="position:absolute;margin-left:60pt;margin-top:2pt;\
width:200pt;height:{height}pt;z-index:{z};visibility:hidden" fillcolor="#ffffe1" o:insetmode="auto" \
xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" \
xmlns:x="urn:schemas-microsoft-com:office:excel"><v:fill color2="#ffffe1"/>\
<v:shadow on="t" color="black" obscured="t"/><v:path o:connecttype="none"/><v:textbox style="mso-direction-alt:auto">\
<div style="text-align:left"></div></v:textbox>\
<x:ClientData ObjectType="Note"><x:MoveWithCells/><x:SizeWithCells/><x:Anchor>{anchor}</x:Anchor>\
<x:AutoFill>False</x:AutoFill><x:Row>{row}</x:Row><x:Column>{col}</x:Column></x:ClientData></v:shape>"""


def add_notes(package: Package, sheet: str, texts: Mapping[str, str], relation: str) -> str | None:
    """Write a comment at each address; returns the id of a drawing that the sheet must be told of, if it is new.

    `relation` is what types of relationships begin with. A cell under discussion (a threaded comment) is left alone.
    """
    part = package.related(sheet, "comments")
    root = parse(package.read(part)) if part else parse(_empty(relation))
    threads = _threaded(package, sheet)
    added = _write(root, {where: text for where, text in texts.items() if where not in threads})
    if part is None:
        part = package.free_name("xl/comments{}.xml")
        package.relate(sheet, "rIdGmNotes", f"{relation}/comments", part)
        package.declare(part, _MEDIA)
    package.put(part, serialise(root))
    return _draw(package, sheet, added, relation)


def _empty(relation: str) -> bytes:
    strict = "purl.oclc.org" in relation
    ns = "http://purl.oclc.org/ooxml/spreadsheetml/main" if strict else MAIN
    return f'<comments xmlns="{ns}"><authors/><commentList/></comments>'.encode()


def _threaded(package: Package, sheet: str) -> set[str]:
    part = package.related(sheet, "threadedComment")
    return {str(node.get("ref")) for node in parse(package.read(part)).iter("{*}threadedComment")} if part else set()


def _write(root: Any, texts: Mapping[str, str]) -> dict[str, str]:
    """Add our text to the comments; returns those that are new, for which a shape must be drawn."""
    ns = root.tag.rpartition("}")[0] + "}"
    authors, comments = root.find(f"{ns}authors"), root.find(f"{ns}commentList")
    names = [a.text or "" for a in authors]
    if AUTHOR not in names:
        added = root.makeelement(f"{ns}author")
        added.text = AUTHOR
        authors.append(added)
        names.append(AUTHOR)
    known = {c.get("ref"): c for c in comments}
    new = {}
    for where, text in texts.items():
        comment = known.get(where)
        if comment is None:
            comment = root.makeelement(f"{ns}comment", {"ref": where, "authorId": str(names.index(AUTHOR))})
            comment.append(root.makeelement(f"{ns}text"))
            comments.append(comment)
            new[where] = text
        said = comment.find(f"{ns}text")
        before = "".join(said.itertext())
        run = root.makeelement(f"{ns}r")
        words = root.makeelement(f"{ns}t", {"{http://www.w3.org/XML/1998/namespace}space": "preserve"})
        words.text = ("\n\n" if before else "") + f"{OPENING}\n{text}"
        run.append(_small(root, ns))
        run.append(words)
        runs = [i for i, node in enumerate(said) if node.tag in (f"{ns}t", f"{ns}r")]
        said.insert(runs[-1] + 1 if runs else 0, run)
    return new


def _small(root: Any, ns: str) -> Any:
    look = root.makeelement(f"{ns}rPr")
    for name, value in (("sz", {"val": "9"}), ("color", {"indexed": "81"}), ("rFont", {"val": "宋体"})):
        look.append(root.makeelement(f"{ns}{name}", value))
    return look


def _draw(package: Package, sheet: str, added: Mapping[str, str], relation: str) -> str | None:
    """Draw a hidden box for each new comment, in the sheet's drawing of comments or in a new one."""
    part = _drawing(package, sheet)
    old = package.read(part) if part else b""
    number = max([1024, *(int(n) for n in _SHAPE_NUMBER.findall(old))])
    shapes: list[str] = []
    for where, text in added.items():
        at = coordinates(where)
        if at is not None:
            number += 1
            shapes.append(_shape(number, len(shapes) + 1, at, text))
    drawn = "".join(shapes)
    if part is not None:
        end = old.rfind(b"</")
        package.put(part, old[:end] + drawn.encode() + old[end:])
        return None
    blocks = ",".join(str(n) for n in range(1, number // 1024 + 1))
    part = package.free_name("xl/drawings/vmlDrawing{}.vml")
    body = _NEW_VML.format(blocks=blocks)
    package.put(part, body.replace("\n</xml>", f"{drawn}\n</xml>").encode())
    package.declare_extension("vml", _VML_MEDIA)
    return package.relate(sheet, "rIdGmDrawing", f"{relation}/vmlDrawing", part)


def _drawing(package: Package, sheet: str) -> str | None:
    """The drawing of comments of a sheet, which is not that of its headers and footers."""
    content = package.read(sheet)
    found = _LEADS_TO.findall(content, content.rfind(b"sheetData"))
    drawn = {r.id: r.target for r in package.relations(sheet) if r.kind == "vmlDrawing"}
    return next((drawn[i.decode()] for i in found if i.decode() in drawn and drawn[i.decode()] in package), None)


def _shape(number: int, order: int, at: tuple[int, int], text: str) -> str:
    row, col = at[0] - 1, at[1] - 1
    lines = 2 + sum(1 + len(line) // 20 for line in text.split("\n"))
    height = min(16 * lines, 320)
    anchor = f"{col + 1}, 15, {max(row - 1, 0)}, 2, {col + 4}, 15, {max(row - 1, 0) + max(height // 18, 3)}, 4"
    return _NEW_SHAPE.format(number=number, z=order, height=height, anchor=anchor, row=row, col=col)


def take_out(package: Package, sheet: str) -> bool:
    """Take our comments out of a sheet; True where the sheet leads to no drawing of comments any more."""
    part = package.related(sheet, "comments")
    content = package.read(part) if part else b""
    if part is None or _NAME not in content:
        return False
    root = parse(content)
    ns = root.tag.rpartition("}")[0] + "}"
    comments = root.find(f"{ns}commentList")
    gone = {str(c.get("ref")) for c in list(comments) if _cut(c, ns)}
    for comment in [c for c in comments if c.get("ref") in gone]:
        comments.remove(comment)
    _forget_author(root, ns)
    if len(comments):
        package.put(part, serialise(root))
    else:
        package.unrelate(sheet, part)
        package.drop(part)
    return _erase(package, sheet, gone)


def _cut(comment: Any, ns: str) -> bool:
    """Cut our words off a comment; True where nothing else was said."""
    said = comment.find(f"{ns}text")
    left = "".join(t.text or "" for t in said.iter(f"{ns}t")).find(OPENING)
    if left < 0:
        return False
    last = None
    for node in list(said.iter(f"{ns}t")):
        text = node.text or ""
        node.text, left = text[: max(left, 0)], left - len(text)
        last = node if node.text else last
    if last is not None and left < 0:
        last.text = (last.text or "").rstrip("\n")
    for run in list(said):
        if run.tag == f"{ns}r" and not "".join(run.itertext()):
            said.remove(run)
    return not "".join(said.itertext()).strip()


def _forget_author(root: Any, ns: str) -> None:
    """Take our name off the list, where it is last and signs nothing any more."""
    authors = root.find(f"{ns}authors")
    used = {c.get("authorId") for c in root.find(f"{ns}commentList")}
    if len(authors) and (authors[-1].text or "") == AUTHOR and str(len(authors) - 1) not in used:
        authors.remove(authors[-1])


def _erase(package: Package, sheet: str, gone: set[str]) -> bool:
    part = _drawing(package, sheet)
    if part is None or not gone:
        return False
    cells = {(at[0] - 1, at[1] - 1) for where in gone if (at := coordinates(where))}
    left = _SHAPE.sub(lambda m: b"" if _cell_of(m.group()) in cells else m.group(), package.read(part))
    if _ANY_SHAPE.search(left):
        package.put(part, left)
        return False
    package.unrelate(sheet, part)
    package.drop(part)
    package.undeclare_extension("vml")
    return True


def _cell_of(shape: bytes) -> tuple[int, int] | None:
    row, col = (pattern.search(shape) for pattern in _CELL)
    return (int(row[1]), int(col[1])) if row and col and b'"Note"' in shape else None
