"""What reading needs, and what it gives."""

from dataclasses import dataclass
from datetime import date
from typing import Protocol

from ...findings import Finding
from ..record import Record
from ..spec import Form
from ..stamp import Stamp


class Forms(Protocol):
    """What reading needs of a catalog: the forms that a file may be, of each the newest version first."""

    @property
    def readable(self) -> tuple[Form, ...]: ...

    def form(self, name: str) -> Form:
        """Return a form by full or short name."""

    def window(self, form: Form) -> tuple[date | None, date | None]:
        """Return first and last day of the form's campaign."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file gave: a record, or none and the reason; everything found while reading; further forms in it.

    `stamp` is what the file says of itself, where it was written by us for this form.
    """

    file: str
    record: Record | None
    findings: tuple[Finding, ...]
    also: tuple["Reading", ...] = ()
    stamp: Stamp | None = None

    @property
    def form(self) -> Form | None:
        """The form, where the file was recognised."""
        return self.record.form if self.record else None
