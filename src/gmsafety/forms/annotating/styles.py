"""Styles of a workbook: each style met is cloned with our fill; the clones stand last, so that they can go again."""

from copy import deepcopy
from typing import Any

from .package import Package, parse, serialise

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
FILLS = {"error": "FFFFC9CB", "warning": "FFFFEDB1", "info": "FFDCEBF9"}
"""The fill of a marked cell by severity; none is a colour that an office program offers."""
_LISTS = ("numFmts", "fonts", "fills", "borders", "cellStyleXfs", "cellXfs")
_LOOKS = {"plain": "", "title": "bold-large", "strong": "bold", "head": "bold", "cell": "", "link": "link"}
_BARE = ("plain", "title", "strong")
_MEDIA = "application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"
_NEW = f"""<styleSheet xmlns="{MAIN}"><fonts count="1"><font><sz val="11"/><name val="宋体"/></font></fonts>
<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>
<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>
<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>
<cellXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/></cellXfs></styleSheet>"""


class Styles:
    """The styles part of a workbook, opened to be added to."""

    def __init__(self, package: Package, workbook: str) -> None:
        self.package = package
        part = package.related(workbook, "styles")
        self.is_new = part is None
        self.part = part or package.free_name("xl/gmsafetyStyles{}.xml")
        self.root = parse(package.read(part)) if part else parse(_NEW.encode())
        self.ns = self.root.tag.rpartition("}")[0] + "}"
        self.clones: dict[tuple[int, str], int] = {}
        self.fills: dict[str, int] = {}
        self.before = {name: len(self.list(name)) for name in ("fonts", "fills", "borders", "cellXfs")}
        self.sources: list[int] = []

    def list(self, name: str) -> Any:
        """One of the lists of the part, made where it is missing."""
        found = self.root.find(f"{self.ns}{name}")
        if found is None:
            found = parse(_NEW.encode()).find(f"{{{MAIN}}}{name}")
            for node in found.iter():
                node.tag = f"{self.ns}{node.tag.rpartition('}')[2]}"
            earlier = {f"{self.ns}{n}" for n in _LISTS[: _LISTS.index(name)]}
            self.root.insert(sum(1 for child in self.root if child.tag in earlier), found)
        return found

    def _add(self, name: str, node: Any) -> int:
        into = self.list(name)
        into.append(node)
        into.set("count", str(len(into)))
        return len(into) - 1

    def _xml(self, text: str) -> Any:
        return parse(f'<x xmlns="{self.ns[1:-1]}">{text}</x>'.encode())[0]

    def fill(self, severity: str) -> int:
        """The number of our fill for a severity."""
        if severity not in self.fills:
            colour = FILLS[severity]
            text = f'<fill><patternFill patternType="solid"><fgColor rgb="{colour}"/><bgColor indexed="64"/>'
            self.fills[severity] = self._add("fills", self._xml(f"{text}</patternFill></fill>"))
        return self.fills[severity]

    def clone(self, style: int, severity: str) -> int:
        """The number of a style that is another in our fill."""
        if (style, severity) not in self.clones:
            known = self.list("cellXfs")
            xf = deepcopy(known[style if style < len(known) else 0])
            xf.set("fillId", str(self.fill(severity)))
            xf.set("applyFill", "1")
            self.sources.append(style)
            self.clones[style, severity] = self._add("cellXfs", xf)
        return self.clones[style, severity]

    def looks(self) -> dict[str, int]:
        """The styles of our own sheet by name, those of the words for a severity among them; after the last clone."""
        font = '<font>{}<sz val="{}"/>{}<name val="宋体"/><family val="3"/><charset val="134"/></font>'
        fonts = {
            "": self._add("fonts", self._xml(font.format("", 10, ""))),
            "bold": self._add("fonts", self._xml(font.format("<b/>", 10, ""))),
            "bold-large": self._add("fonts", self._xml(font.format("<b/>", 16, ""))),
            "link": self._add("fonts", self._xml(font.format("<u/>", 10, '<color rgb="FF0563C1"/>'))),
        }
        side = '<{0} style="thin"><color rgb="FFBFBFBF"/></{0}>'
        sides = "".join(side.format(s) for s in ("left", "right", "top", "bottom"))
        border = self._add("borders", self._xml(f"<border>{sides}<diagonal/></border>"))
        named = {name: (fonts[font], 0, 0 if name in _BARE else border) for name, font in _LOOKS.items()}
        named |= {severity: (fonts["bold"], self.fill(severity), border) for severity in FILLS}
        return {name: self._look(name, *numbers) for name, numbers in named.items()}

    def _look(self, name: str, font: int, fill: int, border: int) -> int:
        wrap = "" if name in _BARE else ' wrapText="1"'
        middle = ' horizontal="center"' if name in ("head", *FILLS) else ""
        text = f'<xf numFmtId="0" fontId="{font}" fillId="{fill}" borderId="{border}" xfId="0" applyFont="1"'
        xf = f'{text} applyFill="1" applyBorder="1" applyAlignment="1"><alignment{middle} vertical="top"{wrap}/></xf>'
        return self._add("cellXfs", self._xml(xf))

    def keep(self, workbook: str, relation: str) -> dict[str, Any]:
        """Put the part back; returns what is needed to take our styles out again."""
        self.package.put(self.part, serialise(self.root))
        if self.is_new:
            self.package.declare(self.part, _MEDIA)
            self.package.relate(workbook, "rIdGmStyles", relation, self.part)
        total = len(self.list("cellXfs"))
        return {"before": self.before, "sources": self.sources, "total": total, "new": self.is_new}


def take_out(package: Package, workbook: str, memory: dict[str, Any] | None) -> dict[int, int]:
    """Take our styles out of a workbook; returns the style that a cell gets back, by the one that is gone.

    Where another program has written the styles anew, ours stay without their fill, and no cell needs another.
    """
    part = package.related(workbook, "styles")
    if part is None:
        return {}
    root = parse(package.read(part))
    ns = root.tag.rpartition("}")[0] + "}"
    ours = [i for i, fill in enumerate(root.findall(f"{ns}fills/{ns}fill")) if _is_ours(fill)]
    if memory and _is_untouched(root, ns, memory, ours):
        first = memory["before"]["cellXfs"]
        for name, count in memory["before"].items():
            found = root.find(f"{ns}{name}")
            del found[count:]
            found.set("count", str(count))
        package.put(part, serialise(root))
        if memory["new"]:
            package.unrelate(workbook, part)
            package.drop(part)
        return {first + n: style for n, style in enumerate(memory["sources"])}
    marked = [xf for xf in root.findall(f"{ns}cellXfs/{ns}xf") if int(xf.get("fillId", 0)) in ours]
    for xf in marked:
        xf.set("fillId", "0")
        xf.attrib.pop("applyFill", None)
    if marked:
        package.put(part, serialise(root))
    return {}


def _is_ours(fill: Any) -> bool:
    colours = {str(c.get("rgb", ""))[-6:].upper() for c in fill.iter("{*}fgColor")}
    return bool(colours & {c[-6:] for c in FILLS.values()})


def _is_untouched(root: Any, ns: str, memory: dict[str, Any], ours: list[int]) -> bool:
    """Tell whether the styles are those that we wrote: as many, and each clone but for its fill like its source."""
    xfs = root.findall(f"{ns}cellXfs/{ns}xf")
    first, sources = memory["before"]["cellXfs"], memory["sources"]
    if len(xfs) != memory["total"] or any(n < memory["before"]["fills"] for n in ours):
        return False
    clones = xfs[first : first + len(sources)]
    return all(_but_for_fill(clone) == _but_for_fill(xfs[n]) for clone, n in zip(clones, sources, strict=True))


def _but_for_fill(xf: Any) -> dict[str, str]:
    return {str(k): str(v) for k, v in xf.attrib.items() if k not in ("fillId", "applyFill")}
