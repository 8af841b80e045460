"""What reading needs, and what it gives."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from ...findings import Finding
from ..record import Record
from ..spec import Form


class Forms(Protocol):
    """What reading needs of a catalog."""

    @property
    def forms(self) -> Mapping[str, Form]: ...

    def form(self, name: str) -> Form:
        """Return a form by full or short name."""

    def window(self, form: Form) -> tuple[date | None, date | None]:
        """Return first and last day of the form's campaign."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file gave: a record, or none and the reason; everything found while reading; further forms in it."""

    file: str
    record: Record | None
    findings: tuple[Finding, ...]
    also: tuple["Reading", ...] = ()

    @property
    def form(self) -> Form | None:
        """The form, where the file was recognised."""
        return self.record.form if self.record else None
