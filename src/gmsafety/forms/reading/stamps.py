"""The stamp in a file: found before anything is compared, and held against what the file turns out to be."""

import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from lxml import etree

from ...findings import FILE, Finding
from ...kinds import KINDS
from ..spec import Form
from ..spechash import spec_hash
from ..stamp import DEFINED_NAME, Stamp
from .identify import Match

_CUSTOM, _BOOK, _META = "docProps/custom.xml", "xl/workbook.xml", "meta.xml"
_LARGEST = 2**20
_AT_LEAST = 0.25


def stamp_in(data: bytes, kind: str | None) -> Stamp | None:
    """The stamp of a package: in its custom properties, else in the hidden name of a workbook."""
    if kind not in ("xlsx", "docx", "ods"):
        return None
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            return Stamp.from_properties(dict(_properties(package))) or _named(package)
    except (zipfile.BadZipFile, etree.XMLSyntaxError, KeyError, ValueError):
        return None


def _properties(package: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    for node in _each(package, _CUSTOM, "{*}property"):
        yield str(node.get("name")), "".join(node.itertext())
    for node in _each(package, _META, "{*}user-defined"):
        name = next((v for k, v in node.attrib.items() if str(k).endswith("}name")), "")
        yield str(name), "".join(node.itertext())


def _named(package: zipfile.ZipFile) -> Stamp | None:
    for node in _each(package, _BOOK, "{*}definedName"):
        if node.get("name") == DEFINED_NAME:
            return Stamp.from_line(str(node.text or "").strip('="'))
    return None


def _each(package: zipfile.ZipFile, part: str, tag: str) -> Iterable[Any]:
    if part not in package.namelist() or package.getinfo(part).file_size > _LARGEST:
        return ()
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    return etree.fromstring(package.read(part), parser).iter(tag)


def stamped_form(stamp: Stamp | None, forms: Sequence[Form]) -> Form | None:
    """The form that a stamp names: in its version, else in the one that is read first."""
    same = [f for f in forms if stamp is not None and f.ref == stamp.form]
    return next((f for f in same if stamp is not None and f.version == stamp.version), same[0] if same else None)


def sure_matches(found: list[Match], stamped: Form | None) -> list[Match]:
    """What the tables surely are: a table that may be the stamped form is that form, and comes first."""
    sure = [m for m in found if m.is_sure]
    mine = next((m for m in found if m.form is stamped), None)
    if mine is None or not (mine.is_sure or (not sure and mine.score >= _AT_LEAST)):
        return sure
    return [mine, *(m for m in sure if m is not mine and (m.form is stamped or m.table is not mine.table))]


def stamp_findings(stamp: Stamp | None, taken: Sequence[Form], forms: Sequence[Form]) -> Iterator[Finding]:
    """Say where a stamp contradicts what the file was read as, or what is asked now."""
    if stamp is None:
        return
    marked = stamped_form(stamp, forms)
    if marked is None or all(f.ref != marked.ref for f in taken):
        named = f"《{marked.title}》" if marked else f"“{stamp.form}”（未登记）"
        yield KINDS["mark-contradicts"].at(FILE, marked=named, found=taken[0].title)
    elif marked.version != stamp.version:
        yield KINDS["mark-outdated"].at(FILE, marked=stamp.version, why=f"没有登记这一版，已按{marked.version}版读取")
    elif stamp.spec and stamp.spec != spec_hash(marked):
        yield KINDS["mark-outdated"].at(FILE, marked=stamp.version, why="此后这一版所问的栏目改过")
