"""Filing the result upward: a submission of the unit like any other, with the official workbook as its file."""

from dataclasses import dataclass, replace

from sqlalchemy import Connection

from gmsafety.forms import read
from gmsafety.forms.reading import Reading
from gmsafety.forms.record import Record

from ... import audit
from ...carried import carry
from ...errors import Problem
from ...node import Node
from ...scope import Viewer, require
from ...tables import AnyRow
from ..submissions import service as submissions
from ..submissions.artefacts import check_artefacts
from ..submissions.judging import Desk, Looked, judge, message_hash_of, payload_hash_of
from ..submissions.papers import TYPES, written
from ..submissions.schemas import Enclosure, Envelope, Parcel
from . import repository
from .gathering import lay_bench, made_of, upward_slot
from .printing import file_name, write
from .reckoning import Made
from .schemas import FileIn
from .service import find
from .tracing import labelled, signed


@dataclass(frozen=True)
class Ready:
    """A result that can be filed: where to, and what it is judged with."""

    row: AnyRow
    made: Made
    slot: AnyRow
    desk: Desk


def prepare(tx: Connection, node: Node, viewer: Viewer, uid: str) -> Ready:
    """Fetch the result and the slot it goes to; refuses a unit that owes no such form."""
    row = find(tx, viewer, "rollup.write", uid)
    require(viewer, "submission.file", row.path)
    slot = upward_slot(tx, node, row)
    if slot is None:
        raise Problem("not-owed", f"本单位{row.period}这一期没有向上级报送这张表的任务，汇总结果可下载使用")
    bench = lay_bench(tx, node, row, slot)
    if bench.desk is None:
        raise Problem("not-owed")
    return Ready(row, made_of(tx, node, row), slot, bench.desk)


def wrap(node: Node, ready: Ready, told: FileIn) -> Looked:
    """Write the workbook and check it; holds no transaction."""
    made, slot, desk = ready.made, ready.slot, ready.desk
    name, content = file_name(made.parts, made.parts.form, "xlsx"), write(made, "xlsx", [])
    envelope = Envelope(
        message_id=told.message_id, item=slot.item, period=slot.period, campaign=slot.campaign, unit=slot.unit,
        reason=told.reason, note=_note(made, told.note), supersedes=told.supersedes,
    )  # fmt: skip
    parcel = Parcel(envelope, (Enclosure("form", name, TYPES["xlsx"], content),))
    check_artefacts(desk.item, parcel, limit=node.settings.upload_limit)
    record = _placed(made.record, content, name, desk)
    beside = tuple(_in_workbook(r, made, desk) for r in desk.beside)
    findings = judge(replace(desk, beside=beside), Reading(name, record, made.findings))
    payload_hash = payload_hash_of(parcel)
    return Looked(parcel, desk, message_hash_of(parcel, payload_hash), payload_hash, record, findings)


def _placed(record: Record, content: bytes, name: str, desk: Desk) -> Record:
    """A record with the cells at which its values stand in its workbook."""
    found = read(content, desk.directory.catalog, name=name, form=record.form.ref).record
    return replace(record, origin=found.origin if found else None)


def _in_workbook(record: Record, made: Made, desk: Desk) -> Record:
    """Another form of the period that is rolled up and not filed: with the cells it will have."""
    if record.origin is not None:
        return record
    name = file_name(made.parts, record.form, "xlsx")
    return _placed(record, written(record.form, record, "xlsx"), name, desk)


def _note(made: Made, note: str | None) -> str | None:
    """The words of the person who files, and every adjustment with its reason."""
    form = made.parts.form
    lines = [note] if note else []
    for a in made.adjusted:
        change = signed(form.type_of(a.path).show(a.change))
        lines.append(f"汇总调整：{labelled(form, a.path)} {change}（{a.told['reason']}）")
    return "\n".join(lines) or None


def store(tx: Connection, node: Node, viewer: Viewer, ready: Ready, looked: Looked, *, seen: int) -> str:
    """Store the submission and what it was made of; the same message again is answered as the first time."""
    row = find(tx, viewer, "rollup.write", ready.row.uid, lock=True)
    envelope = looked.parcel.envelope
    before = repository.by_message(tx, row.unit, envelope.message_id)
    if before is not None:
        _same(before, looked)
        return str(before.uid)
    if row.etag != seen or row.etag != ready.row.etag:
        raise Problem("stale", current={"uid": row.uid, "state": row.state, "etag": row.etag})
    counted = repository.counted(tx, [row.id])[row.id]
    if counted != repository.in_force(tx, [row.id])[row.id] and not envelope.reason:
        raise Problem("reason-needed", "下级的报表已有变化，汇总还没有更新：请重新汇总，或写明原因")
    looked = replace(looked, made_of=repository.parts_of(tx, counted))
    uid = submissions.store(tx, node, viewer, looked).uid
    filed = repository.by_message(tx, row.unit, envelope.message_id)
    if filed is None:
        raise Problem("failed")
    kept = {"basis": row.basis, "sources": sorted(counted), "own": row.own, "adjustments": row.adjustments}
    repository.add_filing(tx, {"submission_id": filed.id, "rollup_id": row.id, **kept})
    repository.doubt(tx, row.id)
    now = node.clock.now()
    repository.change(tx, row.id, seen, {"state": "filed", "submission_id": filed.id, "changed_at": now})
    told = {"submission": uid, "revision": filed.revision, "sources": sorted(counted)}
    audit.record(tx, now, viewer.actor, "rollup.filed", row.uid, path=row.path, **told)
    return uid


def _same(before: AnyRow, looked: Looked) -> None:
    """Two workbooks of the same content are not the same bytes: the content is compared."""
    envelope = looked.parcel.envelope
    body = carry(looked.record)[0] if looked.record else None
    told = (before.item, before.period, before.body, before.reason, before.note, before.supersedes)
    sent = (envelope.item, envelope.period, body, envelope.reason, envelope.note, envelope.supersedes)
    if told != sent:
        hashes = {"stored_hash": before.payload_hash, "received_hash": looked.payload_hash}
        raise Problem("other-content", **hashes, uid=before.uid)
