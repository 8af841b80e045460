"""Looking at what came in, before anything is stored: which slot, can it be read, what does the check find."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from gmsafety.exchange.canonical import canonical, digest
from gmsafety.exchange.payloads import Part
from gmsafety.exchange.receipts import SignedReceipt
from gmsafety.findings import FILE, Finding
from gmsafety.forms import check, read
from gmsafety.forms.reading import Reading
from gmsafety.forms.record import Record

from ...carried import carry, has_form, record_of
from ...directory import Directory
from ...errors import Problem
from ...node import Node
from ...planning import NO_DEADLINE, Item, find_item
from ...scope import Viewer, require
from ...tables import AnyRow
from . import repository
from .artefacts import check_artefacts
from .schemas import Enclosure, Envelope, Parcel
from .taking import bytes_of, in_version_asked, taken

_COMPARED = frozenset(("not-comparable", "pair-not-comparable"))
NO_SUCH_UNIT = "没有这个单位"
_NO_TABLE = ("wrong-form", "no-table")


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a parcel that another node sent on has brought along: its names there, and when it was stored here.

    `onward` are the units to whose nodes this one is asked to send it.
    `given` are receipts that were given for it before this node was restored, `findings` what was found then.
    """

    uid: str
    revision: int
    stored_at: datetime
    content_hash: str
    message_hash: str
    onward: frozenset[str] = frozenset()
    given: tuple[SignedReceipt, ...] = ()
    findings: tuple[dict[str, Any], ...] | None = None


@dataclass(frozen=True)
class Looked:
    """A parcel that was looked at; `refusal` names the problem for which it cannot be filed at all.

    `arrival` is None for what is filed here; `made_of` names what a roll-up was added up from.
    """

    parcel: Parcel
    desk: "Desk"
    message_hash: str
    payload_hash: str
    record: Record | None = None
    findings: tuple[Finding, ...] = ()
    refusal: str | None = None
    arrival: Arrival | None = None
    made_of: tuple[Part, ...] = ()

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


@dataclass(frozen=True)
class Again:
    """A draft looked at once more: its content as it would be filed now, and what is found."""

    record: Record | None
    findings: tuple[Finding, ...]


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
    form = node.catalog.form(desk.item.form, on=desk.slot.period)
    reading = taken(parcel, form, desk.directory, desk.slot)
    if reading.record is None:
        wrong = any(f.kind.slug in _NO_TABLE for f in reading.findings)
        return replace(looked, findings=reading.findings, refusal="wrong-form" if wrong else "unreadable")
    if reading.record.form.ref != form.ref:
        said = f"这是《{reading.record.form.title}》，应报《{form.title}》。"
        finding = node.catalog.kinds["wrong-form"].at(FILE, say=said, remedy="请上传正确的表。")
        return replace(looked, findings=(finding,), refusal="wrong-form")
    reading = in_version_asked(reading, form, desk.directory.catalog, desk.slot.period)
    return replace(looked, findings=judge(desk, reading), record=reading.record)


def look_again(node: Node, desk: Desk, row: AnyRow, enclosures: tuple[Enclosure, ...]) -> Again:
    """What a draft's content comes to now: last period's form and those beside it may have come or gone since.

    A draft of an older version of the form is carried over to the one that its period asks for.
    """
    if row.body is None:
        return Again(None, ())
    catalog, period = desk.directory.catalog, desk.slot.period
    if enclosures:
        reading = read(enclosures[0].content, desk.directory.catalog, name=enclosures[0].name)
    else:
        reading = Reading("JSON", record_of(row.body, row.origin, node.catalog), ())
    reading = in_version_asked(reading, catalog.form(desk.item.form, on=period), catalog, period)
    return Again(reading.record, judge(desk, reading))


def findings_now(tx: Connection, node: Node, row: AnyRow) -> list[dict[str, Any]]:
    """The findings of a submission; of a draft, anew where what it is checked with has changed since."""
    slot = repository.slot(tx, row.slot_id)
    if row.state != "draft" or row.body is None or slot is None:
        return list(row.findings)
    before, beside = repository.around(tx, slot, drafts=True)
    if not any(other is not None and other.changed_at > row.changed_at for other in (before, *beside)):
        return list(row.findings)
    desk = lay_out(tx, node, slot, drafts=True)
    return [as_json(f) for f in look_again(node, desk, row, forms_of(tx, row)).findings]


def forms_of(tx: Connection, row: AnyRow) -> tuple[Enclosure, ...]:
    """The file that a form was read from; none for one that came as JSON."""
    files = [f for f in repository.files_of(tx, row.id) if f.artefact == "form"]
    return tuple(Enclosure("form", f.name, f.media_type, repository.blob(tx, f.hash) or b"") for f in files)


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
    if desk.slot.due_at < NO_DEADLINE and record.filed is not None and not first <= record.filed <= desk.slot.period:
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


def message_hash_of(parcel: Parcel, payload_hash: str) -> str:
    """Everything a message says, as a hash: the same message sent again has the same."""
    told = parcel.envelope.model_dump(mode="json")
    told["files"] = [[e.artefact, e.name, digest(e.content)] for e in parcel.enclosures]
    return digest(canonical({**told, "payload": payload_hash}))


def as_json(finding: Finding) -> dict[str, Any]:
    """A finding for the database and for clients: as the core tells it, and its place in words."""
    return {**finding.to_json(), "place": finding.place.chinese}
