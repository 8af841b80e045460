"""Looking at what came in, before anything is stored: which slot, can it be read, what does the check find."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import rfc8785
from sqlalchemy import Connection

from gmsafety.exchange.canonical import canonical, digest
from gmsafety.exchange.errors import NotCanonical
from gmsafety.findings import FILE, Finding
from gmsafety.forms import check, read
from gmsafety.forms.printed import from_printed, is_printed
from gmsafety.forms.reading import Reading
from gmsafety.forms.record import Record, Rows
from gmsafety.forms.schema import from_json
from gmsafety.forms.spec import Form

from ...carried import carry, has_form, record_of
from ...directory import Directory
from ...errors import Problem
from ...node import Node
from ...planning import Item, find_item
from ...scope import Viewer, require
from ...tables import AnyRow
from . import repository
from .artefacts import check_artefacts
from .schemas import Enclosure, Envelope, Parcel

_COMPARED = frozenset(("not-comparable", "pair-not-comparable"))
NO_SUCH_UNIT = "没有这个单位"
_NO_TABLE = ("wrong-form", "no-table")
_COMMON = {"form", "version", "header", "nil"}


@dataclass(frozen=True)
class Looked:
    """A parcel that was looked at; `refusal` names the problem for which it cannot be filed at all."""

    parcel: Parcel
    desk: "Desk"
    message_hash: str
    payload_hash: str
    record: Record | None = None
    findings: tuple[Finding, ...] = ()
    refusal: str | None = None

    @property
    def slot(self) -> AnyRow:
        """What it is filed for."""
        return self.desk.slot

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
    drafts: tuple[Record, ...] = field(default=())
    in_force: frozenset[tuple[str, int]] = frozenset()


class Overtaken(Exception):
    """Another form that this one is checked with was filed since; it is to be looked at again."""


def lay_out(tx: Connection, node: Node, slot: AnyRow, *, drafts: bool, directory: Directory | None = None) -> Desk:
    """Fetch what a form of this slot is checked with; a draft also with the drafts beside it."""
    directory = directory or node.directory(tx)
    item = find_item(node.catalog, slot.campaign, slot.item)
    if item is None:
        raise Problem("not-owed", f"没有插件定义“{slot.item}”")
    if item.kind != "form":
        return Desk(directory, slot, item)
    before, beside = repository.around(tx, slot, drafts=drafts)
    known = before is not None and has_form(before.body, node.catalog)
    previous = record_of(before.body, before.origin, node.catalog) if before is not None and known else None
    still = [r for r in beside if has_form(r.body, node.catalog)]
    records = [(r.state == "draft", record_of(r.body, r.origin, node.catalog)) for r in still]
    filed, waiting = (tuple(r for is_draft, r in records if is_draft is wanted) for wanted in (False, True))
    in_force = frozenset((r.item, r.revision) for r in beside if r.state != "draft")
    return Desk(directory, slot, item, previous, filed, waiting, in_force)


def find_slot(tx: Connection, directory: Directory, viewer: Viewer, envelope: Envelope) -> AnyRow:
    """Find the slot of an envelope; refuses a unit that is not one's own, and what is not owed."""
    unit = directory.units.get(envelope.unit) or directory.units.named(envelope.unit) if envelope.unit else None
    if envelope.unit and unit is None:
        raise Problem("not-found", NO_SUCH_UNIT)
    ref = unit.ref if unit else viewer.unit
    if ref not in directory.units:
        raise Problem("not-found", "本单位今天没有开着")
    require(viewer, "submission.file", directory.path(ref), unseen=NO_SUCH_UNIT)
    found = repository.find_slots(tx, ref, envelope.item, envelope.period, envelope.campaign)
    if not found:
        raise Problem("not-owed")
    if len(found) > 1:
        campaigns = "、".join(s.campaign for s in found)
        raise Problem("not-valid", f"几项专项行动都要报这张表，请写明 campaign：{campaigns}")
    return found[0]


def look(node: Node, desk: Desk, parcel: Parcel) -> Looked:
    """Read and check a parcel; stores nothing, and holds no transaction."""
    unsafe = check_artefacts(desk.item, parcel, limit=node.settings.upload_limit)
    payload_hash = payload_hash_of(parcel)
    looked = Looked(parcel, desk, message_hash_of(parcel, payload_hash), payload_hash)
    if unsafe:
        return replace(looked, findings=unsafe, refusal="unreadable")
    if desk.item.kind != "form":
        return looked
    form = node.catalog.form(desk.item.ref)
    reading = _taken(parcel, form, desk)
    if reading.record is None:
        wrong = any(f.kind.slug in _NO_TABLE for f in reading.findings)
        return replace(looked, findings=reading.findings, refusal="wrong-form" if wrong else "unreadable")
    if reading.record.form.ref != form.ref:
        said = f"这是《{reading.record.form.title}》，应报《{form.title}》。"
        finding = node.catalog.kinds["wrong-form"].at(FILE, say=said, remedy="请上传正确的表。")
        return replace(looked, findings=(finding,), refusal="wrong-form")
    return replace(looked, findings=judge(desk, reading), record=reading.record)


def look_again(node: Node, desk: Desk, row: AnyRow, enclosures: tuple[Enclosure, ...]) -> tuple[Finding, ...]:
    """What a draft's content comes to now: last period's form and those beside it may have come or gone since."""
    if row.body is None:
        return ()
    if enclosures:
        reading = read(enclosures[0].content, desk.directory.catalog, name=enclosures[0].name)
        return judge(desk, reading)
    return judge(desk, record_of(row.body, row.origin, node.catalog))


def findings_now(tx: Connection, node: Node, row: AnyRow) -> list[dict[str, Any]]:
    """The findings of a submission; of a draft, anew where what it is checked with has changed since."""
    slot = repository.slot(tx, row.slot_id)
    if row.state != "draft" or row.body is None or slot is None:
        return list(row.findings)
    before, beside = repository.around(tx, slot, drafts=True)
    if not any(other is not None and other.changed_at > row.changed_at for other in (before, *beside)):
        return list(row.findings)
    desk = lay_out(tx, node, slot, drafts=True)
    return [as_json(f) for f in look_again(node, desk, row, forms_of(tx, row))]


def forms_of(tx: Connection, row: AnyRow) -> tuple[Enclosure, ...]:
    """The file that a form was read from; none for one that came as JSON."""
    files = [f for f in repository.files_of(tx, row.id) if f.artefact == "form"]
    return tuple(Enclosure("form", f.name, f.media_type, repository.blob(tx, f.hash) or b"") for f in files)


def _taken(parcel: Parcel, form: Form, desk: Desk) -> Reading:
    """The form in the parcel: read from its file, or taken from JSON."""
    if parcel.enclosures:
        first = parcel.enclosures[0]
        return read(first.content, desk.directory.catalog, name=first.name)
    if parcel.body is None:
        unit = desk.directory.units[desk.slot.unit]
        header = {h.id: None for h in form.header} | {"unit": unit.name, "date": desk.slot.period}
        return Reading("零报告", Record(form, header, dict.fromkeys(form.blanks), nil=True), ())
    record = record_from_body(parcel.body, form)
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
    known = _COMMON | ({"rows"} if form.is_grid else {"values", "remarks"})
    yield from (f"{key}：没有这一项" for key in body if key not in known)
    names = {h.id for h in form.header}
    yield from (f"header.{key}：没有这一项" for key in body.get("header") or {} if key not in names)
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


def judge(desk: Desk, form: Reading | Record) -> tuple[Finding, ...]:
    """Everything that is found: the core's check, the unit and the period it is filed for, and the forms beside it.

    What is found only against a draft says so: it is not found any more when the form is filed without that draft.
    """
    record = form.record if isinstance(form, Reading) else form
    found = _judged(desk, form, desk.beside)
    if desk.drafts and record is not None:
        against = [f for f in _judged(desk, form, desk.drafts) if f not in found]
        found += [replace(f, remedy=f"{f.remedy}（对照的是尚未报送的草稿。）") for f in against]
    envelope = _envelope(desk, record) if record is not None else []
    if any(f.kind.slug == "account-differs" for f in envelope):  # whatever else it is compared with is another's, too
        found = [f for f in found if f.kind.slug not in _COMPARED]
    return (*envelope, *found)


def _judged(desk: Desk, form: Reading | Record, beside: tuple[Record, ...]) -> list[Finding]:
    record = form.record if isinstance(form, Reading) else form
    found = list(check(form, desk.directory.catalog, previous=desk.previous, beside=beside))
    if record is None:
        return found
    known = {(f.code, f.place) for f in found}
    return found + [f for f in _other_way(desk, record, beside) if (f.code, f.place) not in known]


def _other_way(desk: Desk, record: Record, beside: tuple[Record, ...]) -> list[Finding]:
    """What this form shows to be wrong in those filed before it: rules that stand in the other form."""
    catalog, found = desk.directory.catalog, []
    for other in beside:
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
    first = desk.slot.opens
    if record.filed is not None and not first <= record.filed <= desk.slot.period:
        place = record.place("header.date")
        found.append(catalog.kinds["period-differs"].at(place, text=record.filed, first=first, last=desk.slot.period))
    return found


def payload_hash_of(parcel: Parcel) -> str:
    """What is filed, as a hash: the bytes of one file, the list of several, or canonical JSON."""
    if len(parcel.enclosures) == 1:
        return digest(parcel.enclosures[0].content)
    if parcel.enclosures:
        return digest(canonical([[e.artefact, digest(e.content)] for e in parcel.enclosures]))
    return digest(bytes_of({"body": parcel.body, "nil": parcel.nil}))


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


def message_hash_of(parcel: Parcel, payload_hash: str) -> str:
    """Everything a message says, as a hash: the same message sent again has the same."""
    told = parcel.envelope.model_dump(mode="json")
    told["files"] = [[e.artefact, e.name, digest(e.content)] for e in parcel.enclosures]
    return digest(canonical({**told, "payload": payload_hash}))


def as_json(finding: Finding) -> dict[str, Any]:
    """A finding for the database and for clients: as the core tells it, and its place in words."""
    return {**finding.to_json(), "place": finding.place.chinese}
