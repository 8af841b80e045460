"""The annotated copy: the clerk's own file back, what is wrong marked at its cell and listed behind.

Apart from our marks it is the same file: parts that bear none come out byte for byte.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath
from xml.parsers.expat import ExpatError

from ...findings import Finding
from ..reading.safety import inspect
from ..record import Record
from .package import NotAnnotatable

_MARKABLE = ("xlsx", "docx")


def annotate(
    source: str | Path | bytes,
    findings: Iterable[Finding],
    *,
    to: str | Path | None = None,
    name: str | None = None,
    records: Iterable[Record] = (),
) -> bytes:
    """Return a copy of a file with its findings marked, and write it to a path if one is given.

    `records` are what was read from the file, from which columns have their printed titles; `name` says what bytes
    are called. Marks of an earlier time are taken out first. NotAnnotatable where the file bears no marks.
    """
    data = source if isinstance(source, bytes) else Path(source).read_bytes()
    file = name or ("文件.xlsx" if isinstance(source, bytes) else PurePath(source).name)
    made = _annotated(data, file, tuple(findings), tuple(records))
    if to is not None:
        Path(to).write_bytes(made)
    return made


def unmarked(source: str | Path | bytes, *, name: str | None = None) -> bytes:
    """Return a copy of a file without the marks of an earlier time; NotAnnotatable as above."""
    data = source if isinstance(source, bytes) else Path(source).read_bytes()
    file = name or ("文件.xlsx" if isinstance(source, bytes) else PurePath(source).name)
    with _opened(file):
        if _format(data, file) == "docx":
            from .wordfile import unmarked_document  # noqa: PLC0415 - each format loads its own

            return unmarked_document(data)
        from .workbook import unmarked_workbook  # noqa: PLC0415 - as above

        return unmarked_workbook(data)


def _annotated(data: bytes, file: str, findings: tuple[Finding, ...], records: tuple[Record, ...]) -> bytes:
    from .listing import titles  # noqa: PLC0415 - only where something is annotated

    with _opened(file):
        if _format(data, file) == "docx":
            from .wordfile import annotated_document  # noqa: PLC0415 - each format loads its own

            return annotated_document(data, findings, titles(records))
        from .workbook import annotated_workbook  # noqa: PLC0415 - as above

        return annotated_workbook(data, findings, titles(records))


def _format(data: bytes, file: str) -> str:
    inspection = inspect(data, file)
    if inspection.format is None:
        raise NotAnnotatable(f"“{file}”不能标注：{inspection.findings[0].message}{inspection.findings[0].remedy}")
    if inspection.format not in _MARKABLE:
        raise NotAnnotatable(f"“{file}”是 .{inspection.format} 文件，不能涂色和批注。请另存为 .xlsx 后再核对。")
    return inspection.format


@contextmanager
def _opened(file: str) -> Iterator[None]:
    """What is wrong inside a package is said in words."""
    try:
        yield
    except (SyntaxError, ExpatError, KeyError, ValueError) as error:  # not well formed, a part missing, no number
        raise NotAnnotatable(f"“{file}”不能标注：文件已损坏。请用原软件打开后另存一份。") from error


__all__ = ["NotAnnotatable", "annotate", "unmarked"]
