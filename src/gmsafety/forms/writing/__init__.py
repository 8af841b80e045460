"""Writing a form in its official look: xlsx and docx, filled in or blank, all from one sheet of paper (`Paper`)."""

from pathlib import Path

from ...errors import GmsafetyError
from ..record import Record
from ..spec import Form
from .paper import lay_out


class CannotWrite(GmsafetyError):
    """The file cannot be written: a text is longer than a cell can hold."""


class UnknownSuffix(CannotWrite):
    """A form is written as .xlsx or .docx, not as this."""

    is_usage = True


def fill(record: Record, to: str | Path) -> Path:
    """Write a record as an official form; the extension says how (.xlsx or .docx). CannotWrite if it cannot."""
    return _write(record.form, record, Path(to))


def blank(form: Form, to: str | Path) -> Path:
    """Write the blank form, word for word as printed; the extension says how."""
    return _write(form, None, Path(to))


def _write(form: Form, record: Record | None, to: Path) -> Path:
    paper = lay_out(form, record)
    suffix = to.suffix.lower()
    if suffix == ".xlsx":
        from .workbook import write_workbook  # noqa: PLC0415 - each format loads its own library

        write = write_workbook
    elif suffix == ".docx":
        from .wordfile import write_wordfile as write  # noqa: PLC0415 - as above
    else:
        raise UnknownSuffix(f"不能写成“{to.suffix or to.name}”文件，请用 .xlsx 或 .docx")
    try:
        write(paper, to)
    except ValueError as error:
        raise CannotWrite(str(error)) from error
    return to


__all__ = ["CannotWrite", "blank", "fill"]
