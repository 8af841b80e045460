"""Looking at what came in, before anything is stored: which slot, can it be read, what does the check find."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import PurePath
from typing import Any

from sqlalchemy import Connection

from gmsafety.exchange.canonical import canonical, digest
from gmsafety.findings import FILE, Finding
from gmsafety.forms import check, read
from gmsafety.forms.printed import from_printed, is_printed
from gmsafety.forms.reading import Reading
from gmsafety.forms.record import Record
from gmsafety.forms.schema import from_json
from gmsafety.forms.spec import Form

from ...carried import carry, record_of
from ...directory import Directory
from ...errors import Problem
from ...node import Node
from ...planning import Item, find_item
from ...scope import Viewer, require
from ...tables import AnyRow
from . import repository
from .artefacts import check_artefacts
from .schemas import Parcel


@dataclass(frozen=True)
class Looked:
    """A parcel that was looked at; `refusal` names the problem for which it cannot be filed at all."""

    parcel: Parcel
    slot: AnyRow
    item: Item
    message_hash: str
    payload_hash: str
    record: Record | None = None
    findings: tuple[Finding, ...] = ()
    refusal: str | None = None

    @property
    def carried(self) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
        """Content and origin for the database."""
        return carry(self.record) if self.record else (None, None)


@dataclass(frozen=True)
class Desk:
    """What a form is checked with: the slot, the units of today, last period's form, the other forms."""

    directory: Directory
    slot: AnyRow
    item: Item
    previous: Record | None = None
    beside: tuple[Record, ...] = field(default=())


def lay_out(tx: Connection, node: Node, slot: AnyRow) -> Desk:
    """Fetch what a form of this slot is checked with."""
    directory = node.directory(tx)
    item = find_item(node.catalog, slot.campaign, slot.item)
    if item is None:
        raise Problem("not-owed", f"没有插件定义“{slot.item}”")
    if item.kind != "form":
        return Desk(directory, slot, item)
    before = repository.before(tx, slot)
    previous = record_of(before.body, before.origin, node.catalog) if before is not None and before.body else None
    others = tuple(record_of(r.body, r.origin, node.catalog) for r in repository.beside(tx, slot))
    return Desk(directory, slot, item, previous, others)


def find_desk(tx: Connection, node: Node, viewer: Viewer, parcel: Parcel) -> Desk:
    """Find the slot of a parcel; refuses a unit that is not one's own, and what is not owed."""
    envelope = parcel.envelope
    directory = node.directory(tx)
    unit = directory.units.get(envelope.unit) or directory.units.named(envelope.unit) if envelope.unit else None
    if envelope.unit and unit is None:
        raise Problem("not-found", "没有这个单位")
    ref = unit.ref if unit else viewer.unit
    require(viewer, "submission.file", directory.path(ref))
    found = repository.find_slots(tx, ref, envelope.item, envelope.period, envelope.campaign)
    if not found:
        raise Problem("not-owed")
    if len(found) > 1:
        campaigns = "、".join(s.campaign for s in found)
        raise Problem("not-valid", f"几项专项行动都要报这张表，请写明 campaign：{campaigns}")
    return lay_out(tx, node, found[0])


def look(node: Node, desk: Desk, parcel: Parcel) -> Looked:
    """Read and check a parcel; stores nothing, and holds no transaction."""
    check_artefacts(desk.item, parcel, limit=node.settings.upload_limit)
    payload_hash = _payload_hash(parcel)
    looked = Looked(parcel, desk.slot, desk.item, _message_hash(parcel, payload_hash), payload_hash)
    if desk.item.kind != "form":
        return looked
    form = node.catalog.form(desk.item.ref)
    reading = _taken(parcel, form, desk)
    record = reading.record
    if record is None:
        wrong = any(f.kind.slug in ("wrong-form", "no-table") for f in reading.findings)
        return _with(looked, reading.findings, refusal="wrong-form" if wrong else "unreadable")
    if record.form.ref != form.ref:
        said = f"这是《{record.form.title}》，应报《{form.title}》。"
        finding = node.catalog.kinds["wrong-form"].at(FILE, say=said, remedy="请上传正确的表。")
        return _with(looked, (finding,), refusal="wrong-form")
    return _with(looked, judge(desk, reading), record=record)


def _with(looked: Looked, findings: tuple[Finding, ...], **more: Any) -> Looked:
    from dataclasses import replace  # noqa: PLC0415 - small

    return replace(looked, findings=findings, **more)


def _taken(parcel: Parcel, form: Form, desk: Desk) -> Reading:
    """The form in the parcel: read from its file, or taken from JSON."""
    catalog = desk.directory.catalog
    if parcel.enclosures:
        first = parcel.enclosures[0]
        return read(first.content, catalog, name=PurePath(first.name).name)
    name = "零报告" if parcel.nil else "JSON"
    if parcel.nil and parcel.body is None:
        unit = catalog.units[desk.slot.unit]
        header = {h.id: None for h in form.header} | {"unit": unit.name, "date": desk.slot.period}
        values = dict.fromkeys(form.blanks)
        return Reading(name, Record(form, header, values, nil=True), ())
    body = dict(parcel.body or {})
    named = body.pop("form", None)
    if named not in (None, form.ref, form.id, form.printed_id):
        raise Problem("wrong-form", f"内容写明是“{named}”，应为“{form.ref}”")
    try:
        record = from_printed(body, form) if is_printed(body) else from_json(body, form)
    except (ValueError, TypeError, AttributeError, KeyError, OverflowError, RecursionError) as error:
        wrong = [{"field": "body", "message": part} for part in str(error).split("；")]
        raise Problem("not-valid", errors=wrong) from error
    if parcel.nil and not record.nil:
        record = Record(form, record.header, record.values, record.rows, True, record.remarks)
    return Reading(name, record, ())


def judge(desk: Desk, form: Reading | Record) -> tuple[Finding, ...]:
    """Everything that is found: the core's check, the unit and the period it is filed for, and the forms beside it."""
    catalog = desk.directory.catalog
    record = form.record if isinstance(form, Reading) else form
    found = list(check(form, catalog, previous=desk.previous, beside=desk.beside))
    if record is None:
        return tuple(found)
    known = {(f.code, f.place) for f in found}
    found += [f for f in _other_way(desk, record) if (f.code, f.place) not in known]
    return (*_envelope(desk, record), *found)


def _other_way(desk: Desk, record: Record) -> list[Finding]:
    """What this form shows to be wrong in those filed before it: rules that stand in the other form."""
    catalog, found = desk.directory.catalog, []
    for other in desk.beside:
        if any(r.with_ in (record.form.id, record.form.ref) for r in other.form.rules):
            alone = set(check(other, catalog))
            name = other.origin.file if other.origin else other.form.title
            found += [f.in_file(name) for f in check(other, catalog, beside=[record]) if f not in alone]
    return found


def _envelope(desk: Desk, record: Record) -> list[Finding]:
    """The unit and the date on the paper, against those it is filed for."""
    catalog, found = desk.directory.catalog, []
    printed = str(record.header.get("unit") or "")
    named = catalog.units.named(printed, below=catalog.units.get(desk.slot.upper or "")) if printed else None
    named = named or (catalog.units.named(printed) if printed else None)
    if named is not None and named.ref != desk.slot.unit:
        place = record.place("header.unit")
        unit = catalog.units[desk.slot.unit].name
        found.append(catalog.kinds["account-differs"].at(place, text=printed, unit=unit))
    first = desk.slot.period - timedelta(days=6)
    if record.filed is not None and not first <= record.filed <= desk.slot.period:
        place = record.place("header.date")
        found.append(catalog.kinds["period-differs"].at(place, text=record.filed, first=first, last=desk.slot.period))
    return found


def _payload_hash(parcel: Parcel) -> str:
    """What is filed, as a hash: the bytes of one file, the list of several, or canonical JSON."""
    if len(parcel.enclosures) == 1:
        return digest(parcel.enclosures[0].content)
    if parcel.enclosures:
        return digest(canonical([[e.artefact, digest(e.content)] for e in parcel.enclosures]))
    try:
        return digest(canonical({"body": parcel.body, "nil": parcel.nil}))
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        wrong = [{"field": "body", "message": str(error)}]
        raise Problem("not-valid", "内容不能写成规范的JSON", errors=wrong) from error


def _message_hash(parcel: Parcel, payload_hash: str) -> str:
    told = parcel.envelope.model_dump(mode="json")
    told["files"] = [[e.artefact, e.name, digest(e.content)] for e in parcel.enclosures]
    return digest(canonical({**told, "payload": payload_hash}))


def as_json(finding: Finding) -> dict[str, Any]:
    """A finding for the database and for clients: as the core tells it, and its place in words."""
    return {**finding.to_json(), "place": finding.place.chinese}
