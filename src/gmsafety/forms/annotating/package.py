"""An office package (zip) that is patched: parts that nobody touches come out as they went in."""

import io
import posixpath
import zipfile
from dataclasses import dataclass
from typing import Any

from lxml import etree

from ...errors import GmsafetyError

RELATIONSHIPS = "http://schemas.openxmlformats.org/package/2006/relationships"
_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_TYPES_PART = "[Content_Types].xml"
_EPOCH = (1980, 1, 1, 0, 0, 0)


class NotAnnotatable(GmsafetyError):
    """A file that cannot be marked: it is of another format, or cannot be opened."""

    is_usage = True


def parse(data: bytes) -> Any:
    """Parse a part without touching anything outside it."""
    return etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True))


def serialise(root: Any) -> bytes:
    """The bytes of a part."""
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)


@dataclass(frozen=True, slots=True)
class Relation:
    """One relationship of a part: `kind` is the last word of its type, `target` the part it leads to."""

    id: str
    kind: str
    target: str
    is_external: bool


class Package:
    """The parts of a package by name, with their relationships and content types."""

    def __init__(self, data: bytes) -> None:
        self._zip = zipfile.ZipFile(io.BytesIO(data))
        self._infos = {i.filename: i for i in self._zip.infolist()}
        self._changed: dict[str, bytes] = {}
        self._gone: set[str] = set()

    def __contains__(self, part: str) -> bool:
        return part not in self._gone and (part in self._changed or part in self._infos)

    def __iter__(self) -> Any:
        return iter([n for n in {**self._infos, **self._changed} if n in self])

    def read(self, part: str) -> bytes:
        """The bytes of a part as it stands; KeyError where there is none."""
        if part in self._gone:
            raise KeyError(part)
        return self._changed[part] if part in self._changed else self._zip.read(part)

    def put(self, part: str, data: bytes) -> None:
        """Change a part, or add one."""
        self._gone.discard(part)
        self._changed[part] = data

    def drop(self, part: str) -> None:
        """Take a part out, with its relationships and its content type."""
        self._changed.pop(part, None)
        self._gone.add(part)
        if _rels_part(part) in self:
            self.drop(_rels_part(part))
        root = parse(self.read(_TYPES_PART))
        for node in root.findall(f"{{{_TYPES}}}Override"):
            if str(node.get("PartName", "")).lstrip("/") == part:
                root.remove(node)
                self.put(_TYPES_PART, serialise(root))

    def free_name(self, pattern: str) -> str:
        """The first name of a pattern with `{}` that no part has."""
        taken = {name.lower() for name in self}
        number = 1
        while pattern.format(number).lower() in taken:
            number += 1
        return pattern.format(number)

    def relations(self, part: str) -> list[Relation]:
        """What a part leads to; the empty name stands for the package."""
        if _rels_part(part) not in self:
            return []
        nodes = parse(self.read(_rels_part(part))).iter(f"{{{RELATIONSHIPS}}}Relationship")
        return [_relation(node, part) for node in nodes]

    def related(self, part: str, kind: str) -> str | None:
        """The first part of a kind that a part leads to, if it is there."""
        found = (r.target for r in self.relations(part) if r.kind == kind and not r.is_external)
        return next((t for t in found if t in self), None)

    def relate(self, part: str, name: str, full_kind: str, target: str) -> str:
        """Add a relationship, named after what it is for; returns its id."""
        rels = _rels_part(part)
        root = parse(self.read(rels)) if rels in self else parse(f'<Relationships xmlns="{RELATIONSHIPS}"/>'.encode())
        ids = {node.get("Id") for node in root}
        number = next(n for n in range(1, len(ids) + 2) if f"{name}{n}" not in ids)
        node = etree.SubElement(root, f"{{{RELATIONSHIPS}}}Relationship")
        node.set("Id", f"{name}{number}")
        node.set("Type", full_kind)
        node.set("Target", posixpath.relpath(target, posixpath.dirname(part) or "."))
        self.put(rels, serialise(root))
        return f"{name}{number}"

    def unrelate(self, part: str, target: str) -> None:
        """Take out the relationships of a part that lead to another."""
        rels = _rels_part(part)
        root = parse(self.read(rels))
        for node in list(root):
            if _relation(node, part).target == target:
                root.remove(node)
        if len(root):
            self.put(rels, serialise(root))
        else:
            self.drop(rels)

    def declare(self, part: str, media_type: str) -> None:
        """Say what a new part is."""
        root = parse(self.read(_TYPES_PART))
        node = etree.SubElement(root, f"{{{_TYPES}}}Override")
        node.set("PartName", f"/{part}")
        node.set("ContentType", media_type)
        self.put(_TYPES_PART, serialise(root))

    def declare_extension(self, extension: str, media_type: str) -> None:
        """Say what parts with an extension are, where it is not said yet."""
        root = parse(self.read(_TYPES_PART))
        if any(str(n.get("Extension", "")).lower() == extension for n in root.findall(f"{{{_TYPES}}}Default")):
            return
        node = etree.Element(f"{{{_TYPES}}}Default")
        node.set("Extension", extension)
        node.set("ContentType", media_type)
        root.insert(0, node)
        self.put(_TYPES_PART, serialise(root))

    def undeclare_extension(self, extension: str) -> None:
        """Say no more what parts with an extension are, where there is none left."""
        root = parse(self.read(_TYPES_PART))
        nodes = [n for n in root.findall(f"{{{_TYPES}}}Default") if str(n.get("Extension", "")).lower() == extension]
        if nodes and not any(name.lower().endswith(f".{extension}") for name in self):
            for node in nodes:
                root.remove(node)
            self.put(_TYPES_PART, serialise(root))

    def to_bytes(self) -> bytes:
        """The package, its parts in their old order and the new ones last."""
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
            for name in self:
                info = zipfile.ZipInfo(name, self._infos[name].date_time if name in self._infos else _EPOCH)
                info.compress_type = zipfile.ZIP_DEFLATED
                if name in self._infos:
                    info.compress_type = self._infos[name].compress_type
                    info.external_attr = self._infos[name].external_attr
                new.writestr(info, self.read(name))
        return out.getvalue()


def _rels_part(part: str) -> str:
    folder, name = posixpath.split(part)
    return posixpath.join(folder, "_rels", f"{name}.rels")


def _relation(node: Any, part: str) -> Relation:
    target, mode = str(node.get("Target", "")), node.get("TargetMode", "Internal")
    if mode != "External":
        folder = posixpath.dirname(part)
        target = posixpath.normpath(target.lstrip("/") if target.startswith("/") else posixpath.join(folder, target))
    kind = str(node.get("Type", "")).rpartition("/")[2]
    return Relation(str(node.get("Id")), kind, target, mode == "External")
