"""Parts of a Word package that python-docx leaves alone: the table of fonts and the custom properties."""

from typing import Any

from docx.opc.constants import CONTENT_TYPE, RELATIONSHIP_TYPE
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from lxml import etree

from ..stamp import Stamp
from .paper import FALLBACKS

_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_PROPERTIES = "http://schemas.openxmlformats.org/officeDocument/2006/custom-properties"
_TYPES = "http://schemas.openxmlformats.org/officeDocument/2006/docPropsVTypes"
_FORMAT = "{D5CDD505-2E9C-101B-9397-08002B2CF9AE}"
"""The id that office suites give to properties that a user made."""


def name_fonts(document: Any) -> None:
    """Name, for each font of the official look, the one to take where it is not installed."""
    root = etree.Element(f"{{{_W}}}fonts", nsmap={"w": _W})
    for name, others in FALLBACKS.items():
        font = etree.SubElement(root, f"{{{_W}}}font", {f"{{{_W}}}name": name})
        etree.SubElement(font, f"{{{_W}}}altName", {f"{{{_W}}}val": ",".join(others)})
        etree.SubElement(font, f"{{{_W}}}charset", {f"{{{_W}}}val": "86"})
    for part in document.part.package.iter_parts():
        if part.content_type == CONTENT_TYPE.WML_FONT_TABLE:
            part._blob = _serialised(root)  # a part that python-docx carries as bytes


def put_stamp(document: Any, stamp: Stamp) -> None:
    """Carry the stamp in the document's custom properties."""
    root = etree.Element(f"{{{_PROPERTIES}}}Properties", nsmap={None: _PROPERTIES, "vt": _TYPES})  # type: ignore[dict-item]  # None is the prefix of no prefix
    for number, (name, text) in enumerate(stamp.properties.items(), 2):
        told = {"fmtid": _FORMAT, "pid": str(number), "name": name}
        node = etree.SubElement(root, f"{{{_PROPERTIES}}}property", told)
        etree.SubElement(node, f"{{{_TYPES}}}lpwstr").text = text
    package = document.part.package
    uri = PackURI("/docProps/custom.xml")
    part = Part(uri, CONTENT_TYPE.OFC_CUSTOM_PROPERTIES, _serialised(root), package)
    package.relate_to(part, RELATIONSHIP_TYPE.CUSTOM_PROPERTIES)


def _serialised(root: Any) -> bytes:
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)
