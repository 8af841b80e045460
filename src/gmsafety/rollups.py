"""Rolling up: the upper unit's form from the lower ones' and its own rows; every number keeps where it came from.

Operators are declared per step between levels (`county -> city`): `sum`, `own` (the upper unit's own), `list` (texts by
unit), `rows: append`. A blank counts as nothing; a number nobody filed stays blank.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from fnmatch import fnmatchcase
from typing import Any

from .entities import Unit, Units
from .errors import GmsafetyError
from .findings import FILE, Finding, Kind
from .forms.reading import Reading
from .forms.record import Record, Rows
from .forms.spec import Form, Step
from .forms.types.text import shorten
from .forms.versions import Carried


class NoStep(GmsafetyError):
    """The form declares no roll-up to the level of this unit."""

    is_usage = True


@dataclass(frozen=True, slots=True)
class Source:
    """Where a part of a rolled-up value stands: area, unit, file, cell, and the value there."""

    area: str
    unit: str
    file: str
    where: str
    value: Any

    def __str__(self) -> str:
        return f"{self.unit} {self.file} {self.where} = {self.value}"


@dataclass(frozen=True, slots=True)
class Rolled:
    """A value of the upper form and what it was made from."""

    value: Any
    sources: tuple[Source, ...]


@dataclass(frozen=True)
class RollupResult:
    """The upper unit's form, the sources of each value, what was found on the way; `areas` are those that filed."""

    unit: Unit
    record: Record
    sources: Mapping[str, tuple[Source, ...]]
    row_sources: tuple[Source, ...]
    findings: tuple[Finding, ...]
    missing: tuple[Unit, ...]
    areas: tuple[str, ...] = ()

    def __getitem__(self, path: str) -> Rolled:
        """Return a value with its sources."""
        return Rolled(self.record[path], self.sources.get(path, ()))

    def contributions(self) -> dict[str, Any]:
        """What each area gave: by printed row and number for a clause table, counts of rows for a grid."""
        if self.record.form.is_grid:
            counts = dict.fromkeys(self.areas, 0)
            for source in self.row_sources:
                counts[source.area] += 1
            return counts
        return {n: by for n, by in _by_number(self.record.form, self._areas) if by}

    def source_list(self) -> dict[str, Any]:
        """Every source of every number, by printed row and number (a grid: by row)."""
        if self.record.form.is_grid:
            return {str(i): [_as_json(s, s.value)] for i, s in enumerate(self.row_sources, 1)}
        return {n: by for n, by in _by_number(self.record.form, self._sources_json) if by}

    def _areas(self, path: str) -> dict[str, Any]:
        kind = self.record.form.type_of(path)
        return {s.area: kind.to_printed(s.value) for s in self.sources.get(path, ())}

    def _sources_json(self, path: str) -> list[dict[str, Any]]:
        kind = self.record.form.type_of(path)
        return [_as_json(s, kind.to_printed(s.value)) for s in self.sources.get(path, ())]


def _by_number(form: Form, give: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, clause in enumerate(form.clauses, 1):
        numeric = [b.path for b in clause.blanks if b.kind.numeric]
        yield str(number), {str(i): given for i, path in enumerate(numeric, 1) if (given := give(path))}


def _as_json(source: Source, value: Any) -> dict[str, Any]:
    return {"area": source.area, "unit": source.unit, "file": source.file, "where": source.where, "value": value}


@dataclass(frozen=True)
class Rollup:
    """The roll-up of one form."""

    form: Form
    units: Units
    kinds: Mapping[str, Kind]
    carry: Callable[[Record, Form], Carried] = lambda record, _: Carried(record)

    def apply(
        self,
        tables: Iterable[Reading | Record],
        *,
        unit: Unit,
        own: Record | None = None,
        period: date | None = None,
        own_file: str = "",
    ) -> RollupResult:
        """Make the unit's form of a period out of the forms of the units below it and its own part.

        `period` is the due day of the week. `own_file` names where the own part was taken from.
        """
        name, step = self._step(unit)
        work = _Work(self, step, unit, period, own_file)
        for table in tables:
            work.take(table)
        return work.finish(own, self._expected(unit, name))

    def _step(self, unit: Unit) -> tuple[str, Step]:
        for name, step in self.form.rollup.items():
            lower, _, upper = name.partition("->")
            if upper.strip() == unit.level.value:
                return lower.strip(), step
        raise NoStep(f"《{self.form.title}》没有汇总到{unit.level.chinese}的规定")

    def _expected(self, unit: Unit, level: str) -> list[Unit]:
        return [u for u in self.units.children(unit) if u.level.value == level and u.role.endswith("office")]


@dataclass
class _Work:
    """One roll-up under way."""

    rollup: Rollup
    step: Step
    unit: Unit
    period: date | None
    own_file: str
    taken: dict[str, tuple[Unit, Record]] = field(default_factory=dict)
    found: list[Finding] = field(default_factory=list)

    def take(self, table: Reading | Record) -> None:
        """Take one lower form, or say why not."""
        kinds, record = self.rollup.kinds, table.record if isinstance(table, Reading) else table
        file = table.file if isinstance(table, Reading) else _file(table)
        if isinstance(table, Reading):
            self.found += [f.in_file(file) for f in table.findings if not f.is_remark]
        if record is None or record.form.ref != self.rollup.form.ref:
            why = f"它是《{record.form.title}》" if record else "文件未能读取"
            self.found.append(kinds["not-rolled-up"].at(FILE, file=file, why=why))
            return
        record = self._in_this_version(record, file)
        name = str(record.header.get("unit") or "")
        lower = self.rollup.units.named(name, below=self.unit) or self.rollup.units.named(name)
        if lower is None or lower.parent != self.unit.ref:
            self.found.append(self._not_below(lower, name, record).in_file(file))
        elif lower.ref in self.taken:
            first = _file(self.taken[lower.ref][1])
            self.found.append(kinds["unit-twice"].at(FILE, unit=lower.name, first=first, second=file))
        else:
            self.taken[lower.ref] = (lower, record)
            self._check_period(record)
            if not record.nil and not len(record.rows) and not any(v is not None for v in record.values.values()):
                self.found.append(kinds["empty-form-filed"].at(FILE, unit=lower.name).in_file(file))

    def _in_this_version(self, record: Record, file: str) -> Record:
        """The record in the version that is rolled up; what this version does not ask is said."""
        carried = self.rollup.carry(record, self.rollup.form)
        if carried.left:
            kind, left = self.rollup.kinds["left-behind"], "、".join(shorten(t, 20) for t in carried.left)
            self.found.append(kind.at(FILE, version=self.rollup.form.version, fields=left).in_file(file))
        return carried.record

    def _not_below(self, lower: Unit | None, name: str, record: Record) -> Finding:
        """Say why a form is not counted: nobody registered its unit, or the unit files with another one."""
        kind, place = self.rollup.kinds["unit-not-below"], record.place("header.unit")
        if not name:
            return kind.at(place, say="没有填写填报单位，未计入。")
        if lower is None:
            return kind.at(place, say=f"填报单位“{shorten(name)}”没有登记，或不能确定是哪一个，未计入。")
        if lower.parent and self.rollup.units.is_below(lower, self.unit):
            upper = self.rollup.units[lower.parent].name
            return kind.at(place, say=f"“{lower.name}”报送{upper}，由其汇总，此处未计入。")
        return kind.at(place, text=lower.name, upper=self.unit.name)

    def _mine(self, own: Record | None) -> Record | None:
        """The upper unit's own part, unless it names another unit; an unregistered name must hold the unit's area."""
        name = str(own.header.get("unit") or "") if own else ""
        if own is None or not name:
            return own
        named = self.rollup.units.named(name, below=self.unit) or self.rollup.units.named(name)
        area = self.rollup.units.area_name(self.unit)
        if named is not self.unit if named else area not in name:
            kind = self.rollup.kinds["own-part-differs"]
            self.found.append(kind.at(FILE, file=self._file(own), text=shorten(name), unit=self.unit.name))
            return None
        self._check_period(own)
        return own

    def _check_period(self, record: Record) -> None:
        if self.period is None or record.filed is None:
            return
        first = self.period - timedelta(days=6)
        if not first <= record.filed <= self.period:
            kind = self.rollup.kinds["period-differs"]
            finding = kind.at(record.place("header.date"), text=record.filed, first=first, last=self.period)
            self.found.append(finding.in_file(self._file(record)))

    def finish(self, own: Record | None, expected: list[Unit]) -> RollupResult:
        own = self._mine(self._in_this_version(own, self._file(own)) if own else None)
        order = sorted(self.taken.values(), key=lambda pair: (pair[0].area, pair[0].ref))
        missing = tuple(u for u in expected if u.ref not in self.taken)
        self.found += [self.rollup.kinds["unit-missing"].at(FILE, unit=u.name) for u in missing]
        everyone = [*order, (self.unit, own)] if own else order
        header = self._header(own)
        areas = tuple(dict.fromkeys(self.rollup.units.area_name(u) for u, _ in everyone))
        if self.rollup.form.is_grid:
            rows, row_sources = self._append(everyone)
            record = Record(self.rollup.form, header, rows=rows, nil=not len(rows) and bool(self.taken))
            return RollupResult(self.unit, record, {}, row_sources, tuple(self.found), missing, areas)
        values, sources = self._values(order, own)
        record = Record(self.rollup.form, header, values)
        return RollupResult(self.unit, record, sources, (), tuple(self.found), missing, areas)

    def _header(self, own: Record | None) -> dict[str, Any]:
        header: dict[str, Any] = {h.id: None for h in self.rollup.form.header}
        header["unit"] = (own.header.get("unit") if own else None) or self.unit.name
        header["date"] = self.period or (own.filed if own else None)
        return header

    def _append(self, everyone: list[tuple[Unit, Record]]) -> tuple[Rows, tuple[Source, ...]]:
        rows: list[dict[str, Any]] = []
        sources = []
        serial = next((c.id for c in self.rollup.form.columns if c.type == "serial"), None)
        key = self.rollup.form.key[0] if self.rollup.form.key else ""
        for unit, record in everyone:
            for index, row in enumerate(record.rows):
                rows.append({**row, serial: len(rows) + 1} if serial else row)
                where = str(record.cell(index, key))
                sources.append(
                    Source(
                        self.rollup.units.area_name(unit), unit.name, self._file(record), where, row.get(serial or "")
                    )
                )
        return Rows.of(rows, self.rollup.form), tuple(sources)

    def _values(
        self, order: list[tuple[Unit, Record]], own: Record | None
    ) -> tuple[dict[str, Any], dict[str, tuple[Source, ...]]]:
        values: dict[str, Any] = {}
        sources: dict[str, tuple[Source, ...]] = {}
        for path, blank in self.rollup.form.blanks.items():
            parts = self._parts(path, order, own)
            sources[path] = tuple(parts)
            if blank.kind.numeric:
                values[path] = sum((p.value for p in parts), type(parts[0].value)(0)) if parts else None
            elif _matches(path, self.step.list):
                values[path] = self._joined(blank.kind.name, parts) or None
            else:
                values[path] = parts[-1].value if parts else None
        return values, sources

    def _parts(self, path: str, order: list[tuple[Unit, Record]], own: Record | None) -> list[Source]:
        """The parts of one value of the upper form; what a lower unit wrote in the upper one's place is said."""
        mine = [self._source(self.unit, own, path)] if own and own.values.get(path) is not None else []
        lower = [self._source(u, r, path) for u, r in order if r.values.get(path) is not None]
        if _matches(path, self.step.own):
            numeric = self.rollup.form.blanks[path].kind.numeric
            kept = [s for s in lower if numeric and not s.value]
            self._say_not_own(path, [s for s in lower if numeric and s.value])
            return [*kept, *mine]
        if _matches(path, self.step.list):
            return [*mine, *lower]
        return [*lower, *mine] if _matches(path, self.step.sum) else mine

    def _say_not_own(self, path: str, sources: list[Source]) -> None:
        kind, label = self.rollup.kinds["not-own-number"], self.rollup.form.label_of(path)
        for source in sources:
            _, record = next(pair for pair in self.taken.values() if pair[0].name == source.unit)
            place = record.place(path)
            text = self.rollup.form.type_of(path).show(source.value)
            self.found.append(kind.at(place, unit=source.unit, upper=self.unit.name, field=label, text=text))

    def _source(self, unit: Unit, record: Record, path: str) -> Source:
        area = self.rollup.units.area_name(unit)
        return Source(area, unit.name, self._file(record), str(record.place(path)), record.values[path])

    def _file(self, record: Record) -> str:
        return record.origin.file if record.origin else self.own_file or "（无文件）"

    def _joined(self, kind: str, parts: list[Source]) -> Any:
        """Names one after the other; texts by unit, the upper unit's own first and without a name."""
        if kind == "names":
            return tuple(name for p in parts for name in p.value)
        if kind == "name":
            return "、".join(str(p.value) for p in parts)
        return "\n".join(str(p.value) if p.unit == self.unit.name else f"{p.area}：{p.value}" for p in parts)


def _matches(path: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(path, pattern) for pattern in patterns)


def _file(record: Record) -> str:
    return record.origin.file if record.origin else "（无文件）"
