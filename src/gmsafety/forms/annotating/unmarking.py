"""Taking our marks out of a workbook, also where another program has saved it since."""

from dataclasses import dataclass
from typing import Any

from ..marks import MEMORY, may_be_ours
from . import notes, styles
from .indexsheet import remembered
from .package import Package, parse, serialise
from .sheetxml import Unmarking, as_utf8, without_notes


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet of cells: its name and its part."""

    name: str
    part: str


class Book:
    """A workbook's main part and its sheets."""

    def __init__(self, package: Package) -> None:
        self.package = package
        self.part = package.related("", "officeDocument") or "xl/workbook.xml"
        root = parse(package.read(self.part))
        strict = "purl.oclc.org" in str(root.tag)
        self.relation = (
            "http://purl.oclc.org/ooxml/officeDocument/relationships"
            if strict
            else "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
        )
        targets = {r.id: r.target for r in package.relations(self.part) if r.kind == "worksheet"}
        named = [(str(s.get("name")), _relation_id(s)) for s in root.iterfind("{*}sheets/{*}sheet")]
        self.sheets = [Sheet(name, targets[r]) for name, r in named if r in targets and targets[r] in package]


def _relation_id(sheet: Any) -> str:
    return next((str(v) for k, v in sheet.attrib.items() if str(k).endswith("}id")), "")


def unmark(book: Book) -> None:
    """Take out our sheet, our comments and our fills; a workbook without any stays as it is, byte for byte."""
    memory = None
    for sheet in [s for s in book.sheets if may_be_ours(s.name)]:
        texts = _texts(book.package, sheet.part)
        if any(t.startswith(MEMORY) for t in texts):
            memory = memory or remembered(texts)
            _remove(book, sheet)
    back = styles.take_out(book.package, book.part, memory["styles"] if memory else None)
    for sheet in book.sheets:
        made = memory["sheets"].get(sheet.name, {}) if memory else {}
        if sheet.part in book.package:
            _clean(book.package, sheet.part, back, made)


def _clean(package: Package, part: str, back: dict[int, int], made: dict[str, Any]) -> None:
    if notes.take_out(package, part):
        package.put(part, without_notes(package.read(part)))
    if back:
        content = as_utf8(package.read(part))
        walk = Unmarking(content, back, set(made.get("cells", ())), set(made.get("rows", ())))
        cleaned = walk.edited()
        if cleaned != content:
            package.put(part, cleaned)


def _texts(package: Package, part: str) -> list[str]:
    """The texts of a small sheet in their order, wherever they are kept."""
    root = parse(package.read(part))
    shared = _shared(package) if root.find(".//{*}c[@t='s']") is not None else []
    texts = []
    for cell in root.iter("{*}c"):
        value = cell.find("{*}v")
        if cell.get("t") == "s" and value is not None and int(value.text or 0) < len(shared):
            texts.append(shared[int(value.text or 0)])
        else:
            texts.append(
                "".join(t.text or "" for t in cell.iter("{*}t")) or (value.text or "" if value is not None else "")
            )
    return texts


def _shared(package: Package) -> list[str]:
    part = package.related(package.related("", "officeDocument") or "xl/workbook.xml", "sharedStrings")
    if part is None:
        return []
    return ["".join(t.text or "" for t in s.iter("{*}t")) for s in parse(package.read(part)).iter("{*}si")]


def _remove(book: Book, sheet: Sheet) -> None:
    """Take a sheet out of a workbook; what counts sheets by their place counts anew."""
    package = book.package
    root = parse(package.read(book.part))
    sheets = root.find("{*}sheets")
    index = next(i for i, s in enumerate(sheets) if s.get("name") == sheet.name)
    sheets.remove(sheets[index])
    had_names = root.find("{*}definedNames/{*}definedName") is not None
    for name in list(root.iterfind("{*}definedNames/{*}definedName")):
        local = int(name.get("localSheetId", -1))
        if local == index:
            name.getparent().remove(name)
        elif local > index:
            name.set("localSheetId", str(local - 1))
    names = root.find("{*}definedNames")
    if names is not None and not len(names) and had_names:
        root.remove(names)
    for view in root.iterfind("{*}bookViews/{*}workbookView"):
        for which in ("activeTab", "firstSheet"):
            at = int(view.get(which, 0))
            if at > index or at >= len(sheets):
                view.set(which, str(max(at - 1, 0)))
    package.put(book.part, serialise(root))
    for relation in package.relations(sheet.part):
        if not relation.is_external and relation.target in package:
            package.drop(relation.target)
    package.unrelate(book.part, sheet.part)
    package.drop(sheet.part)
