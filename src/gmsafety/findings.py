"""What a check found: a value with a stable code, a place, a sentence in Chinese and a remedy.

A finding never raises and is never lost; `error` and `warning` are findings, `info` is a remark.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """How much a finding matters."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def chinese(self) -> str:
        """The word shown to a clerk."""
        return {"error": "错误", "warning": "提醒", "info": "说明"}[self.value]


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a file: a cell (`C7`), `table 1 row 3 col 4`, `header row`, `document` or `file`."""

    where: str = "file"
    sheet: str | None = None
    file: str | None = None

    def __str__(self) -> str:
        place = f"{self.sheet}!{self.where}" if self.sheet and self.where[-1:].isdigit() else self.where
        return f"{self.file} {place}" if self.file else place

    @property
    def chinese(self) -> str:
        """The place in words a clerk uses; the file comes first where several were read together."""
        return f"{self.file} {self._inside}" if self.file else self._inside

    @property
    def _inside(self) -> str:
        if self.where.startswith("table ") and " row " in self.where:
            _, table, _, row, _, col = self.where.split()
            return f"第{table}个表格第{row}行第{col}列"
        if self.where.startswith("table "):
            return f"第{self.where[6:]}个表格"
        words = {"file": "整个文件", "document": "文档", "header row": "表头行"}
        place = words.get(self.where, f"{self.where}单元格")
        if not self.sheet:
            return place
        return f"工作表“{self.sheet}”{'' if self.where == 'file' else place}"


FILE = Place()


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of finding: its code never changes, its sentence is a template over the finding's data."""

    slug: str
    code: str
    severity: Severity
    title: str
    message: str
    remedy: str

    def at(self, place: Place, *, severity: Severity | None = None, **data: Any) -> "Finding":
        """Make a finding of this kind at a place."""
        sentence = data.pop("say", None) or self.message.format(**data)
        remedy = data.pop("remedy", None) or self.remedy.format(**data)
        return Finding(self, severity or self.severity, place, sentence, remedy)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found, ready to be shown."""

    kind: Kind
    severity: Severity
    place: Place
    message: str
    remedy: str

    @property
    def code(self) -> str:
        """The stable code, such as `GM-R102`."""
        return self.kind.code

    @property
    def is_remark(self) -> bool:
        """True for `info`, which is no finding."""
        return self.severity is Severity.INFO

    def __str__(self) -> str:
        return f"{self.place}  {self.message}{self.remedy}  [{self.code}]"

    def to_json(self) -> dict[str, Any]:
        """The documented shape of a finding (`forms check --json`)."""
        return {
            "code": self.code,
            "kind": self.kind.slug,
            "severity": self.severity.value,
            "where": self.place.where,
            "sheet": self.place.sheet,
            "message": self.message,
            "remedy": self.remedy,
            **({"file": self.place.file} if self.place.file else {}),
        }

    def in_file(self, file: str) -> "Finding":
        """The same finding, told together with those of other files."""
        return replace(self, place=replace(self.place, file=file))


def has_findings(findings: Iterable[Finding]) -> bool:
    """Tell whether anything more than a remark was found."""
    return any(not f.is_remark for f in findings)
