"""The life of a submission below: stored, drafted, handed in. What comes after is in `deciding`.

Every function works inside a transaction that the edge opened, and commits nothing. Whoever changes a submission holds
the row of its slot first, so that two never wait for each other.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, NamedTuple

from sqlalchemy import Connection

from gmsafety.duties import BEIJING
from gmsafety.exchange.canonical import digest
from gmsafety.findings import Finding
from gmsafety.forms.record import Record

from ... import audit
from ...carried import carry, content_hash
from ...errors import Problem
from ...mail.letters import answer_down, file_upward
from ...mail.stations import Stations, stations
from ...names import new_uid
from ...node import Node
from ...planning import Item
from ...scope import Viewer, require
from ...tables import AnyRow
from . import addressing, marks, repository
from .judging import Arrival, Looked, Overtaken, as_json
from .receipting import Receipts

STATES = {
    "draft": "草稿",
    "submitted": "已报待审",
    "accepted": "已接受",
    "returned": "已退回",
    "superseded": "已被更正",
    "withdrawn": "已撤回",
}
"""The words for the states of a submission."""


@dataclass(frozen=True, slots=True)
class HandedIn:
    """A draft as it is handed in: what is found in it now, and why it is filed all the same."""

    item: Item
    findings: tuple[Finding, ...]
    reason: str | None
    in_force: frozenset[tuple[str, int]] | None = None
    record: Record | None = None

    def content(self, body: Mapping[str, Any] | None) -> dict[str, Any]:
        """The content for the database where it is no longer what the draft holds: it came in an older version."""
        if self.record is None or body is None or body["version"] == self.record.form.version:
            return {}
        return dict(zip(("body", "origin"), carry(self.record), strict=True))


def known(before: AnyRow | None, message_hash: str) -> str | None:
    """The submission this very message has made before; another content under its name is refused."""
    if before is None:
        return None
    if before.message_hash != message_hash:
        said = {"stored_hash": before.message_hash, "received_hash": message_hash, "uid": before.uid}
        raise Problem("other-content", **said)
    return str(before.uid)


class Stored(NamedTuple):
    """What became of a parcel; where it is new, `row` is as `find` gives it, with `files`, `receipts`, `directory`."""

    uid: str
    is_new: bool
    row: Any = None


def store(tx: Connection, node: Node, viewer: Viewer, looked: Looked) -> Stored:
    """Store a parcel as a draft or a filed submission; one that was stored before is only named."""
    envelope = looked.parcel.envelope
    slot, in_force = repository.lock_period(tx, looked.slot.id, looked.slot)
    if slot is None:
        raise Problem("not-owed")
    before, draft = repository.met(tx, slot, envelope.message_id)
    if looked.arrival is not None and draft is not None and marks.went_over(tx, slot.path) is not None:
        _left_behind(tx, node, viewer, slot, draft)
        before, draft = repository.met(tx, slot, envelope.message_id)
    uid = known(before, looked.message_hash)
    if uid is not None:
        return Stored(uid, False)
    if looked.desk.item.kind == "form" and in_force != looked.desk.in_force:
        raise Overtaken
    now, arrival = node.clock.now(), looked.arrival
    around = _served_here(tx, node, slot, arrived=arrival is not None)
    _reception_open(node, slot, arrival.stored_at if arrival else now)
    current = repository.by_id(tx, slot.submission_id)
    _may_follow(current, envelope.supersedes, arrived=arrival is not None)
    if draft is not None:
        raise Problem("draft-exists", uid=draft.uid, revision=draft.revision)
    values = row_values(node, viewer, looked, revision=_next(slot, arrival))
    uid = arrival.uid if arrival else new_uid(now)
    values |= {"created_at": now, "changed_at": now, "uid": uid, "supersedes": envelope.supersedes}
    if arrival is not None and arrival.findings is not None:
        values["findings"] = list(arrival.findings)
    is_filed = envelope.action == "submit"
    if is_filed:
        if arrival is None:
            _may_be_filed(values["findings"], envelope.reason)
        received = arrival.stored_at if arrival else now
        values |= {"state": "submitted", "received_at": received, "etag": 2}
    files = keep_files(tx, looked)
    number = repository.add(tx, values, files)
    row = SimpleNamespace(**{**slot._mapping, **values, "id": number}, files=files, receipts=[])
    row.around, row.filed_at, row.outdated = around, now, False
    row.onward = arrival.onward if arrival else None
    row.directory = looked.desk.directory
    row.current_id, row.first_received_at = slot.submission_id, slot.received_at
    if is_filed:
        title = looked.desk.item.title
        receipts = Receipts(node, looked.desk.directory, row, title=title)
        receipts.having(arrival.given if arrival else ())
        _file(tx, node, viewer, row, slot=slot, receipts=receipts)
    else:
        tell(tx, node, viewer, row, "drafted")
    return Stored(row.uid, True, row)


def _left_behind(tx: Connection, node: Node, viewer: Viewer, slot: AnyRow, draft: AnyRow) -> None:
    """Drop the draft that stayed here when its unit went to another node, where it was gone on with."""
    told = {"item": draft.item, "period": draft.period, "hash": draft.payload_hash}
    audit.record(tx, node.clock.now(), viewer.actor, "submission.discarded", draft.uid, path=slot.path, **told)
    repository.remove(tx, draft.id, draft.etag)


def _served_here(tx: Connection, node: Node, slot: AnyRow, *, arrived: bool) -> Stations:
    """The nodes around the slot; a unit that another node serves files there, and not here."""
    around = stations(tx, node.settings.node)
    elsewhere = around.of(slot.path)
    if elsewhere is not None and not arrived:
        raise Problem("not-allowed", f"本单位在节点“{elsewhere}”报送，不在这里")
    return around


def _next(slot: AnyRow, arrival: Arrival | None) -> int:
    """The number of the next revision; what another node has numbered keeps its number."""
    if arrival is None:
        return int(slot.revision) + 1
    if arrival.revision <= slot.revision:
        raise Problem("revision-exists", f"第{arrival.revision}版已经报过")
    return arrival.revision


def closing(node: Node, slot: AnyRow) -> datetime:
    """Until when a period is open for what has not come in at all."""
    due: datetime = slot.due_at
    return due + timedelta(days=node.settings.late_days)


def _reception_open(node: Node, slot: AnyRow, at: datetime) -> None:
    """A period is open from its beginning until long after its deadline; what came in can be corrected after that."""
    if at.astimezone(BEIJING).date() < slot.opens:
        raise Problem("too-early", f"{slot.opens}起接收{slot.period}期")
    if slot.state == "open" and at > closing(node, slot):
        raise Problem("closed", f"{slot.period}期已于截止{node.settings.late_days}天后停止接收")


def _may_follow(current: AnyRow | None, supersedes: str | None, *, arrived: bool = False) -> None:
    """A correction names what it corrects; what was accepted is not corrected.

    Another node has seen to the order of what arrived; what it corrects may be a revision that was not taken up here.
    """
    if current is None:
        if supersedes is not None and not arrived:
            raise Problem("stale", "这一期还没有报过，没有可更正的那一版")
        return
    told = {name: getattr(current, name) for name in ("uid", "revision", "state", "payload_hash")}
    if current.state == "accepted":
        raise Problem("accepted", current=told)
    if arrived:
        return
    if supersedes is None:
        raise Problem("revision-exists", current=told)
    if supersedes != current.payload_hash:
        raise Problem("stale", "要更正的不是现在的那一版", current=told)


def row_values(node: Node, viewer: Viewer, looked: Looked, *, revision: int) -> dict[str, Any]:
    """What a submission is entered as; a draft, before it is filed."""
    envelope, slot = looked.parcel.envelope, looked.slot
    body, origin = looked.carried
    return {
        "slot_id": slot.id, "sender": slot.unit, "message_id": envelope.message_id,
        "message_hash": looked.message_hash, "campaign": slot.campaign, "item": slot.item, "period": slot.period,
        "unit": slot.unit, "revision": revision, "state": "draft",
        "nil": bool(looked.record and looked.record.nil), "body": body, "origin": origin,
        "findings": [as_json(f) for f in looked.findings], "reason": envelope.reason, "note": envelope.note,
        "payload_hash": looked.payload_hash, "made_of": [p.model_dump() for p in looked.made_of] or None,
        "etag": 1, "test": node.test, "created_by": viewer.user_id,
        "received_at": None,
    }  # fmt: skip


def keep_files(tx: Connection, looked: Looked) -> list[dict[str, Any]]:
    """Keep the bytes of a parcel's files; returns how they are named and found again."""
    kept = []
    for enclosure in looked.parcel.enclosures:
        name = digest(enclosure.content)
        repository.keep_blob(tx, name, enclosure.content)
        told = {"artefact": enclosure.artefact, "name": enclosure.name, "media_type": enclosure.media_type}
        kept.append({**told, "size": len(enclosure.content), "hash": name})
    return kept


def to_be_answered(findings: list[dict[str, Any]]) -> int:
    """How many findings there are that want to be put right, or a reason; remarks do not."""
    return sum(f["severity"] != "info" for f in findings)


def _may_be_filed(findings: list[dict[str, Any]], reason: str | None) -> None:
    """What wants to be put right is filed with a reason only."""
    wrong = to_be_answered(findings)
    if wrong and not reason:
        raise Problem("reason-needed", f"有{wrong}处需要处理", findings=findings)


def _file(tx: Connection, node: Node, viewer: Viewer, row: Any, *, slot: AnyRow, receipts: Receipts) -> None:
    """What belongs to a submission that has come in: two receipts, its slot, the one it corrects, the history.

    Where another node serves the upper unit, it is told, and receipts come from there.
    """
    now, wrong = row.received_at, to_be_answered(row.findings)
    current = repository.by_id(tx, slot.submission_id)
    if current is not None and current.state == "submitted":
        repository.change(tx, current.id, current.etag, {"state": "superseded", "changed_at": row.filed_at})
    row.receipts = _send_round(tx, node, row, slot, receipts)
    first = min(now, slot.received_at or now).replace(
        microsecond=0
    )  # a correction may have come before what it corrects
    row.current_id, row.first_received_at = row.id, first
    mark = {"state": "submitted", "nil": row.nil, "revision": row.revision, "submission_id": row.id}
    repository.mark_slot(tx, slot.id, {**mark, "received_at": row.first_received_at})
    marks.doubt_above(tx, row)
    tell(tx, node, viewer, row, "submitted", text=row.reason, findings=wrong)


def _send_round(tx: Connection, node: Node, row: Any, slot: AnyRow, receipts: Receipts) -> list[str]:
    """Give receipts for those that are served here, and send it on to the nodes of the others; tells the receipts.

    What another node sent on has been sent by it to all but those for which it asks this one to.
    """
    every = addressing.ways(tx, row, slot.id)
    told: list[dict[str, Any]] = []
    fresh: list[str] = []
    for way in every:
        if row.around.above(way.path) is None:
            own = receipts if way.decides else receipts.towards(way.unit)
            own.stored(row.filed_at)
            own.checked(row.filed_at, row.findings)
            told += [*own.before, *own.given]
            fresh += [given["signed"] for given in own.given]
    if told:
        repository.add_receipts(tx, told)
    onward = every if row.onward is None else [way for way in every if way.unit in row.onward]
    to = addressing.sent_to(row.around, every)
    for name in addressing.nodes(row.around, onward):
        file_upward(tx, node, name, row, title=receipts.title, to=to)
    lower = row.around.of(row.path)
    if lower is not None:
        answer_down(tx, node, lower, row, fresh)
    return [given["signed"] for given in told]


def tell(
    tx: Connection, node: Node, viewer: Viewer, row: Any, kind: str, *, text: str | None = None, **data: Any
) -> None:
    """Write the history and the audit log."""
    now = node.clock.now()
    line = {"submission_id": row.id, "kind": kind, "at": now, "by_user": viewer.user_id, "unit": viewer.unit}
    repository.add_event(tx, {**line, "text": text, "data": data or None})
    told = {"item": row.item, "period": row.period, "revision": row.revision, "hash": row.payload_hash, **data}
    if kind == "submitted":
        told["content"] = content_hash(row.body)
    audit.record(tx, now, viewer.actor, f"submission.{kind}", row.uid, path=row.path, **told)


def find(tx: Connection, viewer: Viewer, action: str, uid: str) -> AnyRow:
    """A submission in sight; a draft is in sight of its own unit only."""
    row = repository.with_slot(tx, uid)
    if row is None or (row.state == "draft" and row.unit != viewer.unit):
        raise Problem("not-found")
    require(viewer, action, addressing.place(tx, viewer, row, row.slot_id))
    return row


def find_slot(tx: Connection, viewer: Viewer, action: str, number: int) -> AnyRow:
    """A slot in sight."""
    slot = repository.slot(tx, number)
    if slot is None:
        raise Problem("not-found")
    require(viewer, action, addressing.place(tx, viewer, slot, slot.id))
    return slot


def hold(tx: Connection, viewer: Viewer, action: str, uid: str) -> tuple[AnyRow, AnyRow]:
    """A submission in sight and its slot, so that nobody else changes them until the commit."""
    slot = repository.lock_slot(tx, find(tx, viewer, action, uid).slot_id)
    if slot is None:
        raise Problem("not-found")
    return find(tx, viewer, action, uid), slot


def unchanged(row: AnyRow, seen: int) -> None:
    """Refuse what rests on another state than the present one."""
    if row.etag != seen:
        raise Problem("stale", current={"uid": row.uid, "state": row.state, "etag": row.etag})


def done_before(tx: Connection, viewer: Viewer, row: AnyRow, seen: int, told: Mapping[str, Any]) -> bool:
    """Tell whether this very request was done a moment ago: the same person, the same words, nothing since."""
    last = repository.last_event(tx, row.id) if row.etag == seen + 1 else None
    return last is not None and last.by_user == viewer.user_id and all(getattr(last, k) == v for k, v in told.items())


def submit(tx: Connection, node: Node, viewer: Viewer, uid: str, *, seen: int, handed: HandedIn) -> None:
    """Hand in a draft; done twice, it answers as the first time."""
    row = find(tx, viewer, "submission.file", uid)
    _, in_force = repository.lock_period(tx, row.slot_id, row)
    if handed.in_force not in (None, in_force):
        raise Overtaken
    row, slot = hold(tx, viewer, "submission.file", uid)
    around = _served_here(tx, node, slot, arrived=False)
    reason = handed.reason or row.reason
    if row.state == "submitted" and done_before(tx, viewer, row, seen, {"kind": "submitted", "text": reason}):
        return
    unchanged(row, seen)
    if row.state != "draft":
        raise Problem("wrong-state", f"现在是“{STATES[row.state]}”，不是草稿", state=row.state)
    now = node.clock.now()
    _reception_open(node, slot, now)
    _may_follow(repository.by_id(tx, slot.submission_id), row.supersedes)
    draft = SimpleNamespace(**row._mapping, around=around, filed_at=now)
    draft.reason, draft.findings, draft.received_at = reason, [as_json(f) for f in handed.findings], now
    draft.files, draft.onward = [f._mapping for f in repository.files_of(tx, row.id)], None
    _may_be_filed(draft.findings, reason)
    said = {"reason": reason, "findings": draft.findings, **handed.content(row.body)}
    draft.body = said.get("body", draft.body)
    values = {"state": "submitted", "received_at": draft.received_at, "changed_at": draft.received_at, **said}
    if not repository.change(tx, row.id, row.etag, values):
        raise Problem("stale")
    receipts = Receipts(node, node.directory(tx), draft, title=handed.item.title)
    _file(tx, node, viewer, draft, slot=slot, receipts=receipts)


def replace(tx: Connection, node: Node, viewer: Viewer, uid: str, *, seen: int, looked: Looked) -> None:
    """Give a draft another content; its message stays the one that made it."""
    row, slot = hold(tx, viewer, "submission.file", uid)
    unchanged(row, seen)
    if row.state != "draft":
        raise Problem("wrong-state", "已报送的内容不能更改，请报送更正版", state=row.state)
    if looked.slot.id != slot.id:
        raise Problem("not-valid", "不是这份草稿的表或期次")
    told = row_values(node, viewer, looked, revision=row.revision)
    kept = ("nil", "body", "origin", "findings", "reason", "note", "payload_hash")
    values = {name: told[name] for name in kept} | {"changed_at": node.clock.now()}
    if not repository.change(tx, row.id, seen, values):
        raise Problem("stale")
    repository.replace_files(tx, row.id, keep_files(tx, looked))
    tell(tx, node, viewer, SimpleNamespace(**{**row._mapping, **values}), "redrafted")


def discard(tx: Connection, node: Node, viewer: Viewer, uid: str, *, seen: int) -> AnyRow:
    """Throw a draft away; returns what it was."""
    row, _ = hold(tx, viewer, "submission.file", uid)
    unchanged(row, seen)
    if row.state != "draft":
        raise Problem("wrong-state", "已报送的不能删除", state=row.state)
    told = {"item": row.item, "period": row.period, "hash": row.payload_hash}
    audit.record(tx, node.clock.now(), viewer.actor, "submission.discarded", uid, path=row.path, **told)
    if not repository.remove(tx, row.id, seen):
        raise Problem("stale")
    return row
