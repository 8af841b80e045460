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
from .biff import cells_of_workbook

LARGEST_FILE = 20 * 2**20
LARGEST_CONTENT = 256 * 2**20
MOST_PARTS = 4000
LARGEST_AREA = 4_000_000
LARGEST_WORD = 16 * 2**20
_FAR = rb"(?:[A-Za-z]{3}|[A-Za-z]{2}\d{4}|[A-Za-z]\d{6}|\d{6})"
_FAR_CELL = re.compile(rb'r="' + _FAR)
_FAR_CELL_SPELT_OTHERWISE = re.compile(rb"\br\s*=\s*[\"']" + _FAR)
_WIDE_TEXT = (b"\xff\xfe", b"\xfe\xff")
_CELL = re.compile(rb"\br\s*=\s*[\"']([A-Za-z]+)(\d+)[\"']")
_ADDRESS = re.compile(r"([A-Za-z]+)(\d+)")
_SUSPECT_PART = 32 * 2**20
_SUSPECT_RATIO = 120
_CHUNK = 2**18
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_DOCTYPES = (b"<!DOCTYPE", b"<!ENTITY", "<!DOCTYPE".encode("utf-16-le"), "<!DOCTYPE".encode("utf-16-be"))
_MACRO_TYPE = re.compile(rb"vbaProject|macroEnabled", re.IGNORECASE)
_MAGIC = {
    b"\x89PNG": "PNG 图片", b"\xff\xd8\xff": "JPEG 图片", b"GIF8": "GIF 图片", b"BM": "BMP 图片", b"Rar!": "RAR 压缩包",
    b"7z\xbc\xaf": "7z 压缩包", b"\x1f\x8b": "gzip 压缩包", b"{\\rtf": "RTF 文档", b"%PDF": "PDF 文件",
}  # fmt: skip
_BROKEN = (
    zipfile.BadZipFile, zlib.error, etree.XMLSyntaxError, EOFError, KeyError, OSError, RuntimeError, ValueError,
)  # fmt: skip
DELIMITED = frozenset({".csv", ".tsv", ".txt"})
_EXTENSIONS = {"xlsx": {".xlsx"}, "docx": {".docx"}, "ods": {".ods"}, "xls": {".xls"}}
_KNOWN = frozenset({".xlsx", ".docx", ".ods", ".xls"})
_ACTUAL = {
    "xlsx": "Excel 工作簿（.xlsx）",
    "docx": "Word 文档（.docx）",
    "ods": "OpenDocument 表格（.ods）",
    "xls": "Excel 97-2003 文件（.xls）",
}


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a file is (`xlsx`, `docx`, `xls`, `ods`, `csv`, or None if it cannot be taken) and what was found."""

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
    if extension not in _KNOWN:
        return _refuse("unsupported-format", actual=f"{extension or '没有扩展名的'}文件")
    if extension not in _EXTENSIONS["xls"]:
        return _refuse("wrong-extension", actual=_ACTUAL["xls"], extension=extension or "（没有扩展名）")
    try:
        return _refuse("sheet-too-large") if cells_of_workbook(data) > LARGEST_AREA else Inspection("xls")
    except ValueError as error:
        return _refuse("corrupt-file", why=str(error))


def _inspect_zip(data: bytes, extension: str) -> Inspection:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            return _inspect_package(package, extension)
    except _BROKEN as error:
        return _refuse("corrupt-file", why=_why(error))


def _inspect_package(package: zipfile.ZipFile, extension: str) -> Inspection:
    infos = package.infolist()
    names = {i.filename for i in infos}
    if any(i.flag_bits & 1 for i in infos):
        return _refuse("encrypted-file")
    if len(infos) > MOST_PARTS or sum(i.file_size for i in infos) > LARGEST_CONTENT or any(map(_is_suspect, infos)):
        return _refuse("zip-bomb", limit=LARGEST_CONTENT // 2**20)
    if any(i.filename == "word/document.xml" and i.file_size > LARGEST_WORD for i in infos):
        return _refuse("sheet-too-large")
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
            if info.filename == "[Content_Types].xml" and _MACRO_TYPE.search(chunk):
                return _refuse("macro")
            if any(d in chunk for d in _DOCTYPES):
                return _refuse("xml-entities")
            if b"<f" in chunk or b":f>" in chunk or b't="e"' in chunk:
                formulas.append(info.filename)
            if info.filename.startswith("xl/") and (_has_far_cells(chunk) or _has_nameless_cells(chunk)):
                far.append(info.filename)
            if info.filename.endswith(".rels") and b"External" in chunk:
                linked.append(info.filename)
    if any(_bound(package, part) > LARGEST_AREA and _area(package, part) > LARGEST_AREA for part in dict.fromkeys(far)):
        return _refuse("sheet-too-large")
    if form == "ods" and _ods_area(package) > LARGEST_AREA:
        return _refuse("sheet-too-large")
    return Inspection(form, (), tuple(dict.fromkeys(formulas)), tuple(dict.fromkeys(linked)))


def _bound(package: zipfile.ZipFile, part: str) -> int:
    """Count the cells of the rectangle around every address, used or not: never too few, and quickly found."""
    letters: set[bytes] = set()
    first, last = 10**9, 0
    for chunk in _chunks(package, package.getinfo(part)):
        if _has_nameless_cells(chunk):
            return LARGEST_AREA + 1
        found = _CELL.findall(chunk)
        if found:
            columns, numbers = zip(*found, strict=True)
            letters.update(columns)
            rows = set(map(int, set(numbers)))
            first, last = min(first, *rows), max(last, *rows)
    cols = [_number_of(c.decode()) for c in letters]
    return (last - first + 1) * (max(cols) - min(cols) + 1) if cols else 0


def _has_far_cells(chunk: bytes) -> bool:
    """Tell whether an address there is far down or far to the right; quick for the spelling that programs use."""
    if b"r='" in chunk or b"r =" in chunk or b"r=\n" in chunk:
        return bool(_FAR_CELL_SPELT_OTHERWISE.search(chunk))
    return bool(_FAR_CELL.search(chunk))


def _has_nameless_cells(chunk: bytes) -> bool:
    """Tell whether cells may stand there without an address, which then follows from their position."""
    if chunk.startswith(_WIDE_TEXT) or (b":c" in chunk and re.search(rb":c[ >/]", chunk)):
        return True
    if chunk.count(b"<c") <= chunk.count(b'<c r="') + 1:
        return False
    cells = chunk.count(b"<c ") + chunk.count(b"<c>") + chunk.count(b"<c/")
    return cells > chunk.count(b'<c r="') + 1


def _area(package: zipfile.ZipFile, part: str) -> int:
    """Count the cells of the rectangle around everything that holds a value; the reader would lay it out in full."""
    row_number = col_number = 0
    top, bottom, left, right = 10**7, 0, 10**7, 0
    with package.open(part) as stream:
        tags, events = ("{*}c", "{*}row"), ("start", "end")
        for event, node in etree.iterparse(stream, events=events, tag=tags, resolve_entities=False, no_network=True):
            is_cell = str(node.tag).endswith("}c")
            if not is_cell and event == "start":
                row_number, col_number = int(node.get("r") or row_number + 1), 0
            elif is_cell and event == "end":
                address = _ADDRESS.fullmatch(node.get("r") or "")
                col_number = _number_of(address.group(1)) if address else col_number + 1
                if len(node):
                    row = int(address.group(2)) if address else row_number  # an address has the last word
                    top, bottom = min(top, row), max(bottom, row)
                    left, right = min(left, col_number), max(right, col_number)
                _forget(node)
            elif event == "end":
                _forget(node)
    return (bottom - top + 1) * (right - left + 1) if bottom else 0


def _ods_area(package: zipfile.ZipFile) -> int:
    """The same for OpenDocument, where rows and cells may be repeated any number of times."""
    area = largest = row_number = widest = 0
    tags = ("{*}table-row", "{*}table")
    with package.open("content.xml") as stream:
        for _, node in etree.iterparse(stream, tag=tags, resolve_entities=False, no_network=True):
            if str(node.tag).endswith("}table"):
                area = max(area, largest * widest)
                largest = row_number = widest = 0
                continue
            row_number += _repeated(node, "rows")
            width = 0
            for cell in node:
                width += _repeated(cell, "columns")
                if len(cell):
                    widest = max(widest, width)
                    largest = row_number
            _forget(node)
    return max(area, largest * widest)


def _repeated(node: Any, what: str) -> int:
    value = next((v for k, v in node.attrib.items() if str(k).endswith(f"}}number-{what}-repeated")), "1")
    return int(value) if str(value).isdigit() else 1


def _forget(node: Any) -> None:
    """Free a part of a tree that was looked at, with everything before it."""
    node.clear()
    while node.getprevious() is not None:
        del node.getparent()[0]


def _number_of(letters: str) -> int:
    number = 0
    for letter in letters.upper():
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
    start = data[:512].lstrip(b"\xef\xbb\xbf \r\n\t")
    actual = next((name for magic, name in _MAGIC.items() if start.startswith(magic)), None)
    if start.lower().startswith((b"<html", b"<!doctype html", b"<table", b"<?xml", b"mime-version")):
        actual = "网页或XML文件"
    if extension in DELIMITED and not actual:
        return Inspection("csv")
    if extension not in _KNOWN:
        return _refuse("unsupported-format", actual=actual or f"{extension or '没有扩展名的'}文件")
    if actual or _is_text(data[:4096]):
        return _refuse("wrong-extension", actual=actual or "纯文本文件", extension=extension)
    return _refuse("corrupt-file", why="开头不是表格或文档应有的标记")


def _is_text(data: bytes) -> bool:
    """Tell whether bytes read as plain text, in UTF-8 or in the national encoding."""
    if b"\0" in data:
        return False
    for encoding in ("utf-8", "gb18030"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError as error:
            if error.start < len(data) - 4:
                continue
            text = data[: error.start].decode(encoding)
        return all(c.isprintable() or c in "\r\n\t" for c in text)
    return False


def _why(error: Exception) -> str:
    return "压缩包不完整" if isinstance(error, (zipfile.BadZipFile, EOFError)) else "压缩数据有误"


def _refuse(slug: str, **data: Any) -> Inspection:
    return Inspection(None, (KINDS[slug].at(FILE, **data),))
