"""Filling somebody's own copy of a form: only the value cells change, everything else stays as it came.

What was filled in is read back: what the copy has no place for is a finding, and nothing is lost in silence.
"""

from pathlib import Path

from ...errors import GmsafetyError
from ...findings import Finding
from ..reading.identify import matches
from ..reading.safety import inspect
from ..record import Record
from .readback import not_placed


class CannotFill(GmsafetyError):
    """The file is no copy of the form, or cannot be opened."""

    is_usage = True


def fill_template(record: Record, template: str | Path, to: str | Path) -> tuple[Finding, ...]:
    """Fill a copy of the form (.xlsx or .docx) with a record; returns what found no place in it.

    CannotFill where the file is not a copy of this form.
    """
    source, target = Path(template), Path(to)
    data = source.read_bytes()
    inspection = inspect(data, source.name)
    if inspection.format not in ("xlsx", "docx"):
        why = inspection.findings[0].message if inspection.findings else ""
        raise CannotFill(f"不能填写“{source.name}”：{why or '请先另存为 .xlsx 或 .docx'}")
    if target.suffix.lower() != source.suffix.lower():
        raise CannotFill(f"模板是{source.suffix}，不能写成“{target.name}”；请写成{source.suffix}")
    if inspection.format == "docx":
        from ..reading.wordfile import word_tables as tables_of  # noqa: PLC0415 - each format loads its own library
        from .document import filled_document as filled  # noqa: PLC0415 - as above
    else:
        from ..reading.workbook import workbook_tables as tables_of  # noqa: PLC0415 - as above
        from .workbook import filled_workbook as filled  # noqa: PLC0415 - as above
    tables, findings = tables_of(data)
    if findings:
        raise CannotFill(f"不能填写“{source.name}”：{findings[0].message}")
    sure = [m for m in matches(tables, [record.form]) if m.is_sure]
    if not sure:
        raise CannotFill(f"“{source.name}”里没有《{record.form.title}》，请核对模板")
    try:
        done = filled(data, record, sure[0])
    except (KeyError, ValueError, SyntaxError) as error:  # SyntaxError is what lxml raises for XML with a fault
        raise CannotFill(f"不能填写“{source.name}”：文件有缺损，请用办公软件打开后另存一份") from error
    target.write_bytes(done)
    return not_placed(record, done, target.name)


__all__ = ["CannotFill", "fill_template"]
