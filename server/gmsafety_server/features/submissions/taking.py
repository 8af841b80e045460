"""The form in a parcel: read from its file or taken from JSON, and carried over to the version its period asks for."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import rfc8785

from gmsafety import Catalog
from gmsafety.exchange.canonical import canonical
from gmsafety.exchange.errors import NotCanonical
from gmsafety.findings import FILE, Finding
from gmsafety.forms import read
from gmsafety.forms.checking import version_finding
from gmsafety.forms.printed import from_printed, is_printed
from gmsafety.forms.reading import Reading
from gmsafety.forms.record import Record, Rows
from gmsafety.forms.schema import from_json
from gmsafety.forms.spec import Form
from gmsafety.forms.types.text import shorten

from ...directory import Directory
from ...errors import Problem
from ...tables import AnyRow
from .schemas import Parcel

_COMMON = {"form", "version", "header", "nil"}


def taken(parcel: Parcel, form: Form, directory: Directory, slot: AnyRow) -> Reading:
    """The form in the parcel: read from its file, or taken from JSON."""
    if parcel.enclosures:
        first = parcel.enclosures[0]
        return read(first.content, directory.catalog, name=first.name)
    if parcel.body is None:
        unit = directory.units[slot.unit]
        header = {h.id: None for h in form.header} | {"unit": unit.name, "date": slot.period}
        return Reading("零报告", Record(form, header, dict.fromkeys(form.blanks), nil=True), ())
    record = record_from_body(parcel.body, _version_named(parcel.body, form, directory.catalog))
    if (record.nil or parcel.nil) and (len(record.rows) or any(record.values.get(p) for p in form.counted)):
        raise _not_valid(["写明了零报告，又填了内容；请去掉其中一样"])
    return Reading("JSON", replace(record, rows=_whole(record), nil=record.nil or parcel.nil), ())


def _whole(record: Record) -> Rows:
    """The rows with every column: one that JSON never mentions is blank, which is found where it must not be."""
    rows, blank = record.rows, [None] * record.rows.count
    return Rows({c.id: rows.columns.get(c.id, blank) for c in record.form.columns}, rows.count) if rows.count else rows


def record_from_body(body: Mapping[str, Any], form: Form) -> Record:
    """A record from JSON, in either of its two writings; Problem with everything that is not as it should be."""
    if body.get("form") not in (None, form.ref, form.id, form.printed_id):
        raise Problem("wrong-form", f"内容写明是“{body['form']}”，应为“{form.ref}”")
    try:
        if is_printed(body):
            return from_printed(body, form)
        wrong = list(_strange(body, form))
        record = from_json(body, form)
    except ValueError as error:
        raise _not_valid(str(error).split("；")) from error
    except (TypeError, AttributeError, KeyError, OverflowError, RecursionError) as error:
        raise _not_valid(["内容的结构与 `forms schema` 所述不符"]) from error
    if wrong:
        raise _not_valid(wrong)
    return record


def _strange(body: Mapping[str, Any], form: Form) -> Iterator[str]:
    """What would be dropped in silence: keys that no record of this form has."""
    known = _COMMON | ({"rows", "signatures"} if form.is_grid else {"values", "remarks"})
    yield from (f"{key}：没有这一项" for key in body if key not in known)
    names = {h.id for h in form.header}
    yield from (f"header.{key}：没有这一项" for key in body.get("header") or {} if key not in names)
    signers = {s.id for s in form.signatures}
    yield from (f"signatures.{key}：没有这一项" for key in body.get("signatures") or {} if key not in signers)
    if body.get("version") not in (None, form.version):
        yield f"version：这是{body['version']}版，应为{form.version}版"
    if not isinstance(body.get("nil", False), bool):
        yield "nil：应为 true 或 false"
    clauses = {c.id for c in form.clauses}
    for key, text in dict(body.get("remarks") or {}).items():
        if key not in clauses or not isinstance(text, str):
            yield f"remarks.{key}：没有这一行，或不是文字"


def _not_valid(messages: list[str]) -> Problem:
    return Problem("not-valid", errors=[{"field": "body", "message": m} for m in messages])


def _version_named(body: Mapping[str, Any], form: Form, catalog: Catalog) -> Form:
    """The version that JSON says it is written in; without a word that of the period."""
    named = body.get("version")
    return catalog.versions[form.ref].get(named) or form if isinstance(named, str) else form


def in_version_asked(reading: Reading, form: Form, catalog: Catalog, period: date) -> Reading:
    """The reading in the version that the period asks for; that it came in another is said, and what has no place."""
    record = reading.record
    if record is None or record.form.ref != form.ref or record.form.version == form.version:
        return reading
    carried = catalog.carry(record, form)
    found: list[Finding] = [f for f in (version_finding(record, catalog, period),) if f]
    if carried.left:
        fields = "、".join(shorten(text, 20) for text in carried.left)
        found.append(catalog.kinds["left-behind"].at(FILE, version=form.version, fields=fields))
    return replace(reading, record=carried.record, findings=(*reading.findings, *found))


def bytes_of(told: Mapping[str, Any]) -> bytes:
    """JSON as canonical bytes; refused is what no database or no file keeps: half characters, NaN, U+0000."""
    try:
        data = _written(told)
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise _not_valid(["不能写成规范的JSON：有半个字符、NaN，或超过2的53次方的整数"]) from error
    if rb"\u0000" in data and _holds_nul(told):
        raise _not_valid(["文字中有空字符（U+0000）"])
    return data


def _written(value: Any) -> bytes:
    """As canonical JSON, and with fractions where there are any, for paper has them (3.55万元)."""
    try:
        return canonical(value)
    except NotCanonical:
        return rfc8785.dumps(value)


def _holds_nul(value: Any) -> bool:
    """Tell whether a text holds the one character that not every database keeps."""
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, Mapping):
        return any(_holds_nul(k) or _holds_nul(v) for k, v in value.items())
    return isinstance(value, list) and any(map(_holds_nul, value))
