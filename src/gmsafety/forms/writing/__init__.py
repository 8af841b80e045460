"""Writing forms in their official look, and plain lists: xlsx, docx and PDF, all from one sheet of paper (`Paper`)."""

from pathlib import Path

from ...errors import GmsafetyError
from ..record import Record
from ..spec import Form
from .issue import Issue, lay_out_blank
from .listing import Listing, lay_out_list
from .paper import Paper, lay_out


class CannotWrite(GmsafetyError):
    """The file cannot be written: a text is longer than a cell can hold."""


class UnknownSuffix(CannotWrite):
    """A form is written as .xlsx, .docx or .pdf, not as this."""

    is_usage = True


def fill(record: Record, to: str | Path) -> Path:
    """Write a record as an official form; the extension says how. CannotWrite if it cannot."""
    return write_paper(lay_out(record.form, record), Path(to))


def blank(form: Form, to: str | Path, *, issue: Issue | None = None) -> Path:
    """Write the blank form, word for word as printed, or as it is issued to a unit; the extension says how."""
    return write_paper(lay_out_blank(form, issue) if issue else lay_out(form, None), Path(to))


def write_list(listing: Listing, to: str | Path) -> Path:
    """Write a list that is no form; the extension says how."""
    return write_paper(lay_out_list(listing), Path(to))


def write_paper(paper: Paper, to: Path) -> Path:
    """Write what is laid out; the extension says how."""
    suffix = to.suffix.lower()
    if suffix == ".xlsx":
        from .workbook import write_workbook  # noqa: PLC0415 - each format loads its own library

        write = write_workbook
    elif suffix == ".docx":
        from .wordfile import write_wordfile as write  # noqa: PLC0415 - as above
    elif suffix == ".pdf":
        from .pdf import write_pdf as write  # noqa: PLC0415 - as above
    else:
        raise UnknownSuffix(f"不能写成“{to.suffix or to.name}”文件，请用 .xlsx、.docx 或 .pdf")
    try:
        write(paper, to)
    except ValueError as error:
        raise CannotWrite(str(error)) from error
    return to


__all__ = ["CannotWrite", "Issue", "Listing", "blank", "fill", "write_list", "write_paper"]
