"""What a file that we wrote carries inside: of which form it is, and for whom and when it was sent down."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from .spec import Form
from .spechash import spec_hash

PREFIX = "gmsafety-"
"""What the names of the document properties begin with; they are shown by office suites among the custom ones."""

DEFINED_NAME = "_gmsafety_stamp"
"""The hidden name of a workbook that says the same, for programs that drop custom properties."""

_MEMBERS = ("form", "version", "spec", "unit", "unit-name", "period")
_BETWEEN = "|"


@dataclass(frozen=True, slots=True)
class Stamp:
    """Form, version and fingerprint of what was asked; unit and period where the form was sent down to somebody."""

    form: str
    version: str
    spec: str
    unit: str = ""
    unit_name: str = ""
    period: date | None = None

    @classmethod
    def of(cls, form: Form, *, unit: str = "", unit_name: str = "", period: date | None = None) -> "Stamp":
        """The stamp of a form as it is declared now."""
        return cls(form.ref, form.version, spec_hash(form), unit, unit_name, period)

    @property
    def properties(self) -> dict[str, str]:
        """As document properties by name."""
        return {f"{PREFIX}{name}": text for name, text in zip(_MEMBERS, self._texts, strict=True) if text}

    @property
    def line(self) -> str:
        """As one line of text."""
        return _BETWEEN.join(text.replace(_BETWEEN, " ").replace('"', "'") for text in self._texts)

    @property
    def _texts(self) -> tuple[str, ...]:
        day = self.period.isoformat() if self.period else ""
        return (self.form, self.version, self.spec, self.unit, self.unit_name, day)

    @classmethod
    def from_properties(cls, given: Mapping[str, str]) -> "Stamp | None":
        """Take a stamp from document properties; None where they hold none."""
        return _made([given.get(f"{PREFIX}{name}", "") for name in _MEMBERS])

    @classmethod
    def from_line(cls, line: str) -> "Stamp | None":
        """Take a stamp from its line; None where it is none."""
        texts = line.split(_BETWEEN)
        return _made(texts) if len(texts) == len(_MEMBERS) else None


def _made(texts: list[str]) -> Stamp | None:
    form, version, spec, unit, unit_name, day = (t.strip() for t in texts)
    if not form:
        return None
    try:
        period = date.fromisoformat(day) if day else None
    except ValueError:
        period = None
    return Stamp(form, version, spec, unit, unit_name, period)
