"""Making the upper form: the core's roll-up of what the lower units filed, then the adjustments. Stores nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any

from gmsafety.entities import Unit
from gmsafety.findings import Finding, Place, Severity
from gmsafety.forms.record import Record
from gmsafety.forms.spec import Form
from gmsafety.rollups import NoStep, RollupResult

from ...carried import record_of
from ...directory import Directory
from ...errors import Problem
from ...tables import AnyRow


@dataclass(frozen=True)
class Parts:
    """What a roll-up is made of: the form, the unit and day it is for, submissions below, own part, adjustments."""

    form: Form
    directory: Directory
    unit: Unit
    period: date
    lower: tuple[AnyRow, ...]
    own: Mapping[str, Any] | None
    adjustments: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Adjusted:
    """An adjustment, and what it did to the number."""

    told: Mapping[str, Any]
    before: Any
    after: Any

    @property
    def path(self) -> str:
        """The number."""
        return str(self.told["path"])

    @property
    def change(self) -> Any:
        """What it adds."""
        return self.after - (self.before or type(self.after)(0))


@dataclass(frozen=True, slots=True)
class Lower:
    """A submission that is counted."""

    row: AnyRow
    record: Record


@dataclass(frozen=True)
class Made:
    """The upper form: as the core rolled it up (`result`), and as it stands after the adjustments (`record`)."""

    parts: Parts
    result: RollupResult
    record: Record
    adjusted: tuple[Adjusted, ...]
    lower: Mapping[str, Lower]
    own: Record | None

    @cached_property
    def first_rows(self) -> Mapping[str, int]:
        """The row with which each unit's rows begin."""
        first: dict[str, int] = {}
        for index, source in enumerate(self.result.row_sources):
            first.setdefault(source.unit, index)
        return first

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was found on the way, and what was found in the own part when it came."""
        if self.parts.own is None:
            return self.result.findings
        kinds, name = self.parts.directory.catalog.kinds, own_name(self.parts.own)
        told = (f for f in self.parts.own["findings"] if f["severity"] != Severity.INFO)
        mine = [_finding(f, kinds).in_file(name) for f in told]
        return (*self.result.findings, *mine)


def make(parts: Parts) -> Made:
    """Roll up. A form that has no roll-up to the unit's level is a problem."""
    catalog = parts.directory.catalog
    lower = {_name(row, parts): Lower(row, _record(row, parts)) for row in parts.lower}
    own = record_of(parts.own["body"], parts.own["origin"], catalog) if parts.own else None
    try:
        result = catalog.rollup(parts.form).apply(
            [given.record for given in lower.values()], unit=parts.unit, own=own, period=parts.period,
            own_file=own_name(parts.own) if parts.own else "",
        )  # fmt: skip
    except NoStep as error:
        raise Problem("no-step", str(error)) from error
    record, adjusted = adjust(result.record, parts.adjustments)
    return Made(parts, result, record, adjusted, lower, own)


def own_name(own: Mapping[str, Any]) -> str:
    """What the own part is called in sources."""
    return str((own.get("file") or {}).get("name") or "本级填报")


def _name(row: AnyRow, parts: Parts) -> str:
    return parts.directory.name(row.unit)


def _record(row: AnyRow, parts: Parts) -> Record:
    """What a unit filed. Who filed it is known from the account, whatever is written in the head of the form."""
    units = parts.directory.units
    record = record_of(row.body, row.origin, parts.directory.catalog)
    printed = str(record.header.get("unit") or "")
    named = units.named(printed, below=parts.unit) or units.named(printed) if printed else None
    if row.unit not in units or (named is not None and named.ref == row.unit):
        return record
    return replace(record, header={**record.header, "unit": row.unit})


def adjust(record: Record, adjustments: Sequence[Mapping[str, Any]]) -> tuple[Record, tuple[Adjusted, ...]]:
    """Change numbers of a record, one after the other; `delta` is added to a blank as to zero."""
    values, done = dict(record.values), []
    for told in adjustments:
        kind, path = record.form.type_of(told["path"]), told["path"]
        before = values[path]
        given = kind.from_json(told["value"] if told.get("value") is not None else told["delta"])
        after = given if told.get("value") is not None else (before or type(given)(0)) + given
        values[path] = after
        done.append(Adjusted(told, before, after))
    return replace(record, values=values), tuple(done)


def _finding(told: Mapping[str, Any], kinds: Mapping[str, Any]) -> Finding:
    """A finding as it was before it was put into the database."""
    place = Place(told["where"], told["sheet"], told.get("file"))
    return Finding(kinds[told["kind"]], Severity(told["severity"]), place, told["message"], told["remedy"])
