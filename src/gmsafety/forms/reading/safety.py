"""Is it safe, and what is it? Judged from the bytes alone, before any library opens the file; memory stays bounded."""

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

from lxml import etree

from ...findings import FILE, Finding
from ...kinds import KINDS

LARGEST_FILE = 20 * 2**20
LARGEST_CONTENT = 256 * 2**20
MOST_PARTS = 4000
LARGEST_AREA = 4_000_000
_FAR_CELL = re.compile(rb'r="(?:[A-Z]{3}\d|[A-Z]{1,2}\d{6})')
_ADDRESS = re.compile(r"([A-Z]{1,3})(\d{1,7})")
_SUSPECT_PART = 32 * 2**20
_SUSPECT_RATIO = 120
_CHUNK = 2**18
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_DOCTYPES = (b"<!DOCTYPE", b"<!ENTITY", "<!DOCTYPE".encode("utf-16-le"), "<!DOCTYPE".encode("utf-16-be"))
_EXTENSIONS = {"xlsx": {".xlsx"}, "docx": {".docx"}, "ods": {".ods"}, "xls": {".xls"}}
_ACTUAL = {
    "xlsx": "Excel 工作簿（.xlsx）",
    "docx": "Word 文档（.docx）",
    "ods": "OpenDocument 表格（.ods）",
    "xls": "Excel 97-2003 文件（.xls）",
}


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a file is (`xlsx`, `docx`, `xls`, `ods`, or None if it cannot be taken) and what was found on the way."""

    format: str | None
    findings: tuple[Finding, ...] = ()
    parts_with_formulas: tuple[str, ...] = ()
    linked: tuple[str, ...] = field(default=())


def inspect(data: bytes, name: str) -> Inspection:
    """Judge the bytes of a file that calls itself `name`."""
    extension = PurePath(name).suffix.lower()
    if not data:
        return _refuse("empty-file")
    if len(data) > LARGEST_FILE:
        return _refuse("file-too-large", size=len(data) // 2**20, limit=LARGEST_FILE // 2**20)
    if data.startswith(_OLE):
        return _inspect_ole(data, extension)
    if data[:4] == b"PK\x03\x04":
        return _inspect_zip(data, extension)
    return _refuse_text(data, extension)


def _inspect_ole(data: bytes, extension: str) -> Inspection:
    if "EncryptedPackage".encode("utf-16-le") in data or "EncryptionInfo".encode("utf-16-le") in data:
        return _refuse("encrypted-file")
    if "WordDocument".encode("utf-16-le") in data:
        if extension in (".docx", ".xlsx"):
            return _refuse("wrong-extension", actual="Word 97-2003 文件（.doc）", extension=extension)
        return _refuse("unsupported-format", actual="Word 97-2003 文件（.doc）")
    if "_VBA_PROJECT".encode("utf-16-le") in data:
        return _refuse("macro")
    if extension not in _EXTENSIONS["xls"]:
        return _refuse("wrong-extension", actual=_ACTUAL["xls"], extension=extension or "（没有扩展名）")
    return Inspection("xls")


def _inspect_zip(data: bytes, extension: str) -> Inspection:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            return _inspect_package(package, extension)
    except (zipfile.BadZipFile, zlib.error, etree.XMLSyntaxError, EOFError, OSError, RuntimeError, ValueError) as error:
        return _refuse("corrupt-file", why=_why(error))


def _inspect_package(package: zipfile.ZipFile, extension: str) -> Inspection:
    infos = package.infolist()
    names = {i.filename for i in infos}
    if any(i.flag_bits & 1 for i in infos):
        return _refuse("encrypted-file")
    if len(infos) > MOST_PARTS or sum(i.file_size for i in infos) > LARGEST_CONTENT or any(map(_is_suspect, infos)):
        return _refuse("zip-bomb", limit=LARGEST_CONTENT // 2**20)
    if any(n.lower().endswith("vbaproject.bin") or "/macrosheets/" in n.lower() for n in names):
        return _refuse("macro")
    form = _format_of(package, names)
    if form is None:
        return _refuse("unsupported-format", actual=f"{extension or '这种'}文件（压缩包，不是表格或文档）")
    if extension not in _EXTENSIONS[form]:
        if extension in (".xlsm", ".docm", ".xltx", ".xltm", ".dotx"):
            return _refuse("unsupported-format", actual=f"{extension} 文件")
        return _refuse("wrong-extension", actual=_ACTUAL[form], extension=extension or "（没有扩展名）")
    return _scan_parts(package, infos, form)


def _is_suspect(info: zipfile.ZipInfo) -> bool:
    return info.file_size > _SUSPECT_PART and info.file_size > _SUSPECT_RATIO * max(info.compress_size, 1)


def _format_of(package: zipfile.ZipFile, names: set[str]) -> str | None:
    if "[Content_Types].xml" in names and any(n.startswith("xl/") for n in names):
        return "xlsx" if "xl/workbook.bin" not in names else None
    if "[Content_Types].xml" in names and any(n.startswith("word/") for n in names):
        return "docx"
    if "mimetype" in names and b"opendocument.spreadsheet" in package.read("mimetype")[:80]:
        return "ods"
    return None


def _scan_parts(package: zipfile.ZipFile, infos: list[zipfile.ZipInfo], form: str) -> Inspection:
    total = 0
    formulas, linked, far = [], [], []
    for info in infos:
        if not info.filename.endswith((".xml", ".rels", ".vml")):
            continue
        for chunk in _chunks(package, info):
            total += len(chunk)
            if total > LARGEST_CONTENT:
                return _refuse("zip-bomb", limit=LARGEST_CONTENT // 2**20)
            if any(d in chunk for d in _DOCTYPES):
                return _refuse("xml-entities")
            if b"<f" in chunk or b":f>" in chunk or b't="e"' in chunk:
                formulas.append(info.filename)
            if _FAR_CELL.search(chunk) and "worksheets/" in info.filename:
                far.append(info.filename)
            if info.filename.endswith(".rels") and b'"External"' in chunk:
                linked.append(info.filename)
    if any(_area(package, part) > LARGEST_AREA for part in dict.fromkeys(far)):
        return _refuse("sheet-too-large")
    return Inspection(form, (), tuple(dict.fromkeys(formulas)), tuple(dict.fromkeys(linked)))


def _area(package: zipfile.ZipFile, part: str) -> int:
    """Count the cells of the rectangle around everything that holds a value; the reader would lay it out in full."""
    rows, cols = [], []
    with package.open(part) as stream:
        for _, cell in etree.iterparse(stream, tag="{*}c", resolve_entities=False, no_network=True):
            address = _ADDRESS.fullmatch(cell.get("r") or "")
            if address and len(cell):
                rows.append(int(address.group(2)))
                cols.append(_number_of(address.group(1)))
            cell.clear()
    return (max(rows) - min(rows) + 1) * (max(cols) - min(cols) + 1) if rows else 0


def _number_of(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def _chunks(package: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """Inflate a part piece by piece, each with the end of the one before, so that no word is cut."""
    tail = b""
    with package.open(info) as part:
        while piece := part.read(_CHUNK):
            yield tail + piece
            tail = piece[-24:]


def _refuse_text(data: bytes, extension: str) -> Inspection:
    start = data[:512].lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if start.startswith((b"<html", b"<!doctype html", b"<table", b"<?xml", b"mime-version")):
        return _refuse("wrong-extension", actual="网页或XML文件", extension=extension or "（没有扩展名）")
    if start.startswith(b"%pdf"):
        return _refuse("unsupported-format", actual="PDF 文件")
    if extension in (".xlsx", ".docx", ".ods", ".xls"):
        return _refuse("corrupt-file", why="开头不是表格或文档应有的标记")
    return _refuse("unsupported-format", actual=f"{extension or '没有扩展名的'}文件")


def _why(error: Exception) -> str:
    return "压缩包不完整" if isinstance(error, (zipfile.BadZipFile, EOFError)) else "压缩数据有误"


def _refuse(slug: str, **data: Any) -> Inspection:
    return Inspection(None, (KINDS[slug].at(FILE, **data),))
