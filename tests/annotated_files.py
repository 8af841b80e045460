"""What the tests of annotated copies share: the parts of a package, what is marked in it, workbooks with everything."""

import base64
import io
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import xlsxwriter
from lxml import etree

from gmsafety.findings import Finding, Place, Severity
from gmsafety.forms.marks import AUTHOR, OPENING
from gmsafety.forms.reading.wordfile import word_cells
from gmsafety.kinds import KINDS

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
TOUCHED = ("[Content_Types].xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/styles.xml")
"""Parts of a workbook that must know of our sheet and our fills."""


def parts(data: bytes | Path) -> dict[str, bytes]:
    """The parts of a package by name."""
    with zipfile.ZipFile(io.BytesIO(data) if isinstance(data, bytes) else data) as package:
        return {name: package.read(name) for name in package.namelist()}


def packed(parts: dict[str, bytes]) -> bytes:
    """A package of parts."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, data in parts.items():
            package.writestr(name, data)
    return out.getvalue()


def changed(before: bytes | Path, after: bytes) -> set[str]:
    """The parts that are new, gone or other bytes."""
    old, new = parts(before), parts(after)
    return {n for n in {*old, *new} if old.get(n) != new.get(n)}


def same_xml(one: bytes, other: bytes) -> bool:
    """Tell whether two parts say the same as XML."""
    return one == other or len({etree.tostring(etree.fromstring(x), method="c14n") for x in (one, other)}) == 1


def differing(before: bytes | Path, after: bytes) -> set[str]:
    """The parts that are new, gone or say something else."""
    old, new = parts(before), parts(after)
    return {n for n in changed(before, after) if n not in old or n not in new or not same_xml(old[n], new[n])}


def marked(data: bytes, name: str) -> dict[str, str]:
    """Our comments by place, as `sheet!A1` or `table 1 row 3 col 4`."""
    return _marked_document(data) if name.endswith(".docx") else _marked_workbook(data)


def _marked_workbook(data: bytes) -> dict[str, str]:
    book = openpyxl.load_workbook(io.BytesIO(data))
    return {
        f"{sheet.title}!{cell.coordinate}": cell.comment.text.partition(OPENING)[2]
        for sheet in book.worksheets
        for row in sheet.iter_rows()
        for cell in row
        if cell.comment is not None and OPENING in cell.comment.text
    }


def _marked_document(data: bytes) -> dict[str, str]:
    told = parts(data)
    if "word/comments.xml" not in told:
        return {}
    comments = etree.fromstring(told["word/comments.xml"])
    texts = {
        c.get(f"{W}id"): "".join(c.itertext()) for c in comments.iter(f"{W}comment") if c.get(f"{W}author") == AUTHOR
    }
    found: dict[str, str] = {}
    for (table, row, col), cell in word_cells(etree.fromstring(told["word/document.xml"]).find(f"{W}body")).items():
        numbers = [r.get(f"{W}id") for r in cell.iter(f"{W}commentReference")]
        found |= {f"table {table} row {row} col {col}": texts[n] for n in numbers if n in texts}
    return found


def finding(where: str, sheet: str | None = None, *, slug: str = "negative-number", text: str = "-1") -> Finding:
    """A finding at a cell."""
    return KINDS[slug].at(Place(where, sheet), field="数", text=text)


def remark(where: str, sheet: str | None = None) -> Finding:
    """A warning at a cell, in other words than a finding."""
    place = Place(where, sheet)
    return KINDS["rule-not-met"].at(place, severity=Severity.WARNING, say="这里要核对。", remedy="请核对。")


def everything(folder: Path) -> Path:
    """A workbook with a picture, a chart, formulas, lists, rules, comments, merged cells and a hidden sheet."""
    path, picture = folder / "everything.xlsx", folder / "picture.png"
    picture.write_bytes(base64.b64decode(_PICTURE))
    book = xlsxwriter.Workbook(str(path))
    sheet, hidden = book.add_worksheet("数"), book.add_worksheet("藏")
    grey = book.add_format({"bg_color": "#D9D9D9", "border": 1, "num_format": "0.00"})
    sheet.merge_range("A1:D1", "标题", book.add_format({"bold": True, "font_name": "仿宋_GB2312"}))
    for row in range(1, 12):
        sheet.write_row(row, 0, ["某某公司", row, row * 1.5], grey)
        sheet.write_formula(row, 3, f"=B{row + 1}*C{row + 1}", grey, row * row * 1.5)
    sheet.write_comment("B3", "我的批注", {"author": "某某"})
    sheet.set_column("A:A", 33.5)
    sheet.data_validation("A2:A20", {"validate": "list", "source": ["某某公司", "另一家"]})
    sheet.conditional_format("B2:B20", {"type": "cell", "criteria": ">", "value": 5, "format": grey})
    sheet.insert_image("H2", str(picture))
    chart = book.add_chart({"type": "column"})
    chart.add_series({"values": "=数!$B$2:$B$12"})
    sheet.insert_chart("H8", chart)
    sheet.autofilter("A2:D12")
    sheet.print_area("A1:D12")
    hidden.write("A1", "看不见的")
    hidden.hide()
    book.define_name("合计", "=数!$D$2:$D$12")
    book.close()
    return path


def retagged(data: bytes, part: str, prefix: str) -> bytes:
    """The same workbook with a prefix before every name of a sheet's XML, as some programs write it."""
    told = parts(data)
    root: Any = etree.fromstring(told[part])
    main = etree.QName(root).namespace
    spaces = {(prefix if uri == main else p): uri for p, uri in root.nsmap.items()}
    new = etree.Element(root.tag, nsmap=spaces)
    new.attrib.update(root.attrib)
    new.extend(list(root))
    told[part] = etree.tostring(new, xml_declaration=True, encoding="UTF-8", standalone=True)
    return packed(told)
