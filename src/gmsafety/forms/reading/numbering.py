"""Numbers that Word prints before paragraphs by itself: they are on the paper, but not in the text."""

import zipfile
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_NUMERALS = "零一二三四五六七八九十"
_CIRCLED = "①②③④⑤⑥⑦⑧⑨⑩"
_PART = "word/numbering.xml"


@dataclass(frozen=True, slots=True)
class Level:
    """How the first level of a list prints its numbers."""

    pattern: str
    style: str
    start: int

    def mark(self, number: int) -> str:
        """The number as printed."""
        if self.style.startswith(("chinese", "japaneseCounting", "ideograph")) and number <= 10:
            shown = _NUMERALS[number]
        elif self.style == "decimalEnclosedCircle" and number <= 10:
            shown = _CIRCLED[number - 1]
        elif self.style in ("bullet", "none"):
            return ""
        else:
            shown = str(number)
        return self.pattern.replace("%1", shown)


@dataclass
class Numbering:
    """The lists of a document, and how far each has counted."""

    levels: dict[str, Level] = field(default_factory=dict)
    styles: dict[str, str] = field(default_factory=dict)
    counted: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, package: zipfile.ZipFile, parser: Any) -> "Numbering":
        """Read the lists of a package; none where it has no such part."""
        if _PART not in package.namelist():
            return cls()
        root = etree.fromstring(package.read(_PART), parser)
        shapes = {a.get(f"{_W}abstractNumId"): _first_level(a) for a in root.iter(f"{_W}abstractNum")}
        levels = {}
        for number in root.iter(f"{_W}num"):
            shape = number.find(f"{_W}abstractNumId")
            level = shapes.get(shape.get(f"{_W}val")) if shape is not None else None
            if level is not None:
                levels[number.get(f"{_W}numId")] = level
        return cls(levels, _styles(package, parser))

    def mark(self, paragraph: Any) -> str:
        """Count one paragraph, and give the number printed before it."""
        name = paragraph.find(f"{_W}pPr/{_W}numPr/{_W}numId")
        depth = paragraph.find(f"{_W}pPr/{_W}numPr/{_W}ilvl")
        style = paragraph.find(f"{_W}pPr/{_W}pStyle")
        key = name.get(f"{_W}val") if name is not None else None
        if key is None and style is not None:
            key = self.styles.get(style.get(f"{_W}val"))
        level = self.levels.get(key or "")
        if key is None or level is None or (depth is not None and depth.get(f"{_W}val") != "0"):
            return ""
        self.counted[key] = self.counted.get(key, level.start - 1) + 1
        return level.mark(self.counted[key])


def _styles(package: zipfile.ZipFile, parser: Any) -> dict[str, str]:
    """Paragraph styles that number their paragraphs, each with its list."""
    if "word/styles.xml" not in package.namelist():
        return {}
    found = {}
    for style in etree.fromstring(package.read("word/styles.xml"), parser).iter(f"{_W}style"):
        number = style.find(f"{_W}pPr/{_W}numPr/{_W}numId")
        if number is not None:
            found[style.get(f"{_W}styleId")] = number.get(f"{_W}val")
    return found


def _first_level(shape: Any) -> Level | None:
    for level in shape.iter(f"{_W}lvl"):
        if level.get(f"{_W}ilvl") == "0":
            value = {c.tag.removeprefix(_W): c.get(f"{_W}val") for c in level}
            start = value.get("start") or "1"
            return Level(
                value.get("lvlText") or "%1.", value.get("numFmt") or "decimal", int(start) if start.isdigit() else 1
            )
    return None
