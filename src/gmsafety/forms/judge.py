"""Judging the rules of a form: over the form, over groups of blanks, over each row of a grid."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from ..findings import Finding, Kind, Place, Severity
from ..rules import Expression, compile_expression, holds, nest
from .record import Record
from .spec import Form, Rule
from .types import FIELD_TYPES
from .types.dates import Window, chinese_date
from .types.numbers import plain

_NAME = re.compile(r"\{([a-z_][\w.]*)\}")


@dataclass(frozen=True, slots=True)
class Bench:
    """What rules are judged with: the kinds of finding, the window of the campaign, the other form if there is one."""

    kinds: Mapping[str, Kind]
    window: Window
    ledger: Record | None = None
    table: Record | None = None

    def around(self, record: Record) -> dict[str, Any]:
        """Values every rule may use: header fields and the campaign."""
        values = {f"header.{h.id}": h.kind.to_rule(record.header.get(h.id)) for h in record.form.header}
        for name, day in (("campaign.first", self.window.first), ("campaign.last", self.window.last)):
            values[name] = day.isoformat() if day else None
        return values


def judge(record: Record, rule: Rule, bench: Bench) -> Iterator[Finding]:
    """Judge one rule; yields a finding for each place where it does not hold."""
    if rule.over:
        yield from _over_groups(record, rule, bench)
    elif rule.each == "row":
        yield from _over_rows(record, rule, bench)
    else:
        yield from _over_form(record, rule, bench)


def _over_form(record: Record, rule: Rule, bench: Bench) -> Iterator[Finding]:
    values = {**form_values(record), **bench.around(record), **_others(rule, bench)}
    found = _verdict(rule, values)
    if found is not None:
        paths = [o for o in _operands(rule) if o in record.form.blanks]
        place = record.place(rule.at or (paths[0] if paths else "header.unit"))
        yield _finding(record.form, rule, bench, place, {**values, **found})


def _over_groups(record: Record, rule: Rule, bench: Bench) -> Iterator[Finding]:
    around = {**form_values(record), **bench.around(record)}
    for group, names in record.form.groups(rule.over).items():
        values = {**around, **{short: around[path] for short, path in names.items()}}
        found = _verdict(rule, values)
        if found is not None:
            label = record.form.label_of(next(iter(names.values())))
            clause = next((c.label for c in record.form.clauses if group.split(".")[0] == c.id), label)
            yield _finding(record.form, rule, bench, record.place(group), {**values, **found, "label": clause})


def _over_rows(record: Record, rule: Rule, bench: Bench) -> Iterator[Finding]:
    """Judge a rule for each row; rows with the same operands are judged once."""
    around = bench.around(record)
    names = [o for o in _operands(rule) if o not in around]
    columns = row_columns(record, names, bench.window)
    if len(columns) < len(names):
        return
    at = rule.at or next((n for n in names if n in record.form.by_id), names[0])
    seen: dict[tuple[Any, ...], dict[str, Any] | None] = {}
    for index, key in enumerate(zip(*(columns[n] for n in names), strict=True)):
        if key not in seen:
            seen[key] = _verdict(rule, {**around, **dict(zip(names, map(as_rule, key), strict=True))})
        found = seen[key]
        if found is not None:
            shown = {**around, **dict(zip(names, key, strict=True)), **found}
            yield _finding(record.form, rule, bench, record.cell(index, at), shown)


def _operands(rule: Rule) -> list[str]:
    expressions = [compile_expression(s) for s in (*rule.let.values(), rule.check)]
    names = [o for e in expressions for o in e.operands if o not in rule.let]
    return list(dict.fromkeys(names))


def _verdict(rule: Rule, values: dict[str, Any]) -> dict[str, Any] | None:
    """Return the `let` values of a rule that does not hold; None where it holds or is not judged."""
    named: dict[str, Any] = {}
    for name, source in rule.let.items():
        value = _let(compile_expression(source), values, rule.missing)
        if value is None:
            return None
        named[name] = value
    expression = compile_expression(rule.check)
    return named if holds(expression, {**values, **named}, missing=rule.missing) is False else None


def _let(expression: Expression, values: Mapping[str, Any], missing: str) -> Any:
    known = {o: values.get(o) for o in expression.operands}
    if any(v is None for v in known.values()):
        if missing != "zero":
            return None
        known = {o: 0 if v is None else v for o, v in known.items()}
    try:
        return expression.value(nest(known))
    except ArithmeticError:
        return None


def _others(rule: Rule, bench: Bench) -> dict[str, Any]:
    """Give a rule that looks across forms the rows of the ledger, only with the fields it reads."""
    values: dict[str, Any] = {}
    if bench.ledger is not None:
        fields = {
            f for s in (*rule.let.values(), rule.check) for f in compile_expression(s).row_fields.get("ledger", ())
        }
        count = len(bench.ledger.rows)
        columns = _blank_columns(bench.ledger.form, fields, count, bench.window)
        columns |= row_columns(bench.ledger, sorted(fields), bench.window)
        names = list(columns)
        rows = zip(*columns.values(), strict=True) if names else iter([()] * count)
        values["ledger"] = [{n: as_rule(v) for n, v in zip(names, row, strict=True)} for row in rows]
    if bench.table is not None:
        values |= {f"table.{path}": value for path, value in form_values(bench.table).items()}
    return values


def _blank_columns(form: Form, fields: Iterable[str], count: int, window: Window) -> dict[str, list[Any]]:
    """What a column comes to that the other form does not have: the same as one that is blank throughout."""
    found: dict[str, list[Any]] = {}
    for column in form.columns:
        values = {column.id: None}
        if column.kind.derived:
            values |= column.kind.derive(None, column.setting.within(window))
        found |= {name: [value] * count for name, value in values.items() if name in fields}
    return found


def form_values(record: Record) -> dict[str, Any]:
    """The blanks of a clause table as rules see them; a number below zero is a finding already, and left unjudged."""
    values = {path: blank.kind.to_rule(record.values.get(path)) for path, blank in record.form.blanks.items()}
    return {p: None if record.form.blanks[p].kind.numeric and v is not None and v < 0 else v for p, v in values.items()}


def row_columns(record: Record, names: list[str], window: Window) -> dict[str, list[Any]]:
    """Columns of a grid by name, with those that are derived from another one; missing columns are left out."""
    found: dict[str, list[Any]] = {}
    for name in names:
        if name in record.rows.columns:
            found[name] = record.rows.columns[name]
            continue
        for column in record.form.columns:
            if name in column.kind.derived and column.id in record.rows.columns:
                found[name] = derived(record, column.id, window)[name]
    return found


def derived(record: Record, column: str, window: Window) -> dict[str, list[Any]]:
    """Compute what follows from a column, each distinct value once."""
    spec = record.form.by_id[column]
    setting = spec.setting.within(Window(window.first, window.last, record.filed))
    seen: dict[Any, dict[str, Any]] = {}
    for value in record.rows.columns[column]:
        if value not in seen:
            seen[value] = spec.kind.derive(value, setting)
    return {name: [seen[v][name] for v in record.rows.columns[column]] for name in spec.kind.derived}


def as_rule(value: Any) -> Any:
    """Give a value to CEL: dates as ISO text, tuples as lists."""
    if isinstance(value, date):
        return value.isoformat()
    return FIELD_TYPES["money"].to_rule(value) if hasattr(value, "to_integral_value") else value


def _finding(form: Form, rule: Rule, bench: Bench, place: Place, values: Mapping[str, Any]) -> Finding:
    kind = bench.kinds[rule.kind]
    say = _NAME.sub(lambda m: _show(form, m.group(1), values), rule.say) if rule.say else None
    severity = Severity(rule.severity) if rule.severity else None
    field = form.by_id[rule.at].label if rule.at in form.by_id else form.label_of(rule.at or "")
    return kind.at(place, severity=severity, field=field, say=say or kind.title + "。")


def _show(form: Form, name: str, values: Mapping[str, Any]) -> str:
    value = values.get(name)
    if value is None:
        return "空白"
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        value = date.fromisoformat(value)
    if isinstance(value, date):
        return chinese_date(value)
    if name in form.blanks and form.blanks[name].kind.name == "money":
        return plain(value / 10000) if not isinstance(value, int) else f"{value / 10000:g}"
    return "、".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
