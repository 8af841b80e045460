"""Reading a file as it really arrives: safe → a workbook or document → which form → shape → types.

The rules of the form come after, in `gmsafety.forms.checking`.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePath

from ...findings import Finding
from ..spec import Form
from .delimited import delimited_tables
from .desk import Desk
from .flat import flat_form, read_flat
from .result import Forms, Reading
from .safety import Inspection, inspect
from .tables import Table


def read(source: str | Path | bytes, catalog: Forms, *, form: str | None = None, name: str | None = None) -> Reading:
    """Read one file; the form is found by itself, unless it is named.

    `source` is a path or the bytes themselves (then `name` says what the file is called). Never raises for what a
    file holds; OSError where the path cannot be opened.
    """
    data = source if isinstance(source, bytes) else Path(source).read_bytes()
    file = name or ("文件.xlsx" if isinstance(source, bytes) else PurePath(source).name)
    inspection = inspect(data, file)
    if inspection.format is None:
        return Reading(file, None, inspection.findings)
    tables, found = _tables(data, inspection)
    if found:
        return Reading(file, None, tuple(found))
    forms = list(_named(form, catalog) if form else catalog.readable)
    if inspection.format == "csv":
        return _read_delimited(Desk(file, data, inspection, catalog), tables, forms)
    return Desk(file, data, inspection, catalog).read(tables, forms)


def _named(name: str, catalog: Forms) -> Iterator[Form]:
    """The form of a name: in every version, unless the name says which."""
    form = catalog.form(name)
    yield from [form] if "@" in name else [f for f in catalog.readable if f.ref == form.ref] or [form]


def _read_delimited(desk: Desk, tables: list[Table], forms: list[Form]) -> Reading:
    """Read every table of a text file: an exported clause table, else like any other."""
    readings: list[Reading] = []
    for table in tables:
        flat = flat_form(table, forms)
        readings += read_flat(desk.file, table, flat, desk.catalog) if flat else [desk.read([table], forms)]
    first, *also = readings
    return replace(first, also=(*first.also, *also))


def _tables(data: bytes, inspection: Inspection) -> tuple[list[Table], list[Finding]]:
    if inspection.format == "csv":
        return delimited_tables(data)
    if inspection.format == "docx":
        from .wordfile import word_tables  # noqa: PLC0415 - each format loads its own library

        return word_tables(data)
    from .workbook import workbook_tables  # noqa: PLC0415 - as above

    return workbook_tables(data)


__all__ = ["Forms", "Reading", "read"]
