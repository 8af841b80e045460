"""Reading a file as it really arrives: safe → a workbook or document → which form → shape → types.

The rules of the form come after, in `gmsafety.forms.checking`.
"""

from pathlib import Path, PurePath

from ...findings import Finding
from .desk import Desk
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
    forms = [catalog.form(form)] if form else list(catalog.forms.values())
    return Desk(file, data, inspection, catalog).read(tables, forms)


def _tables(data: bytes, inspection: Inspection) -> tuple[list[Table], list[Finding]]:
    if inspection.format == "docx":
        from .wordfile import word_tables  # noqa: PLC0415 - each format loads its own library

        return word_tables(data)
    from .workbook import workbook_tables  # noqa: PLC0415 - as above

    return workbook_tables(data)


__all__ = ["Forms", "Reading", "read"]
