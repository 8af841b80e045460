"""Looking at a form without filing it: read, recognised, checked as it would be; nothing is stored."""

from dataclasses import dataclass
from datetime import date
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Connection

from gmsafety.findings import Finding
from gmsafety.forms import read
from gmsafety.forms.reading import Reading
from gmsafety.forms.spec import Form

from ...directory import Directory
from ...errors import Problem
from ...node import Node
from ...planning import Item
from ...scope import Viewer, require
from ..submissions.judging import NO_SUCH_UNIT, Desk, as_json, lay_out, look
from ..submissions.schemas import Enclosure, Envelope, Parcel
from . import repository
from .schemas import CheckOut
from .service import find_form

_NAME = "looked-at-only"
_NO_TABLE = ("wrong-form", "no-table")


@dataclass(frozen=True)
class Brought:
    """What was brought to be looked at: a file or JSON, and what was said about it."""

    item: str | None = None
    period: date | None = None
    campaign: str | None = None
    unit: str | None = None
    file: Enclosure | None = None
    body: dict[str, Any] | None = None
    nil: bool = False


def check(node: Node, viewer: Viewer, brought: Brought) -> CheckOut:
    """Look at what was brought, as it would be looked at if it were filed now."""
    with node.db.read() as tx:
        directory = node.directory(tx)
        unit = _unit(directory, viewer, brought.unit)
    reading = read(brought.file.content, directory.catalog, name=brought.file.name) if brought.file else None
    form = _form(node, brought, reading)
    if form is None:
        return _unknown(unit, reading)
    with node.db.read() as tx:
        desk = _desk(tx, node, unit, form, _day(node, brought, reading), brought)
    files = (brought.file,) if brought.file else ()
    envelope = Envelope(message_id=_NAME, item=form.ref, period=desk.slot.period, unit=unit, action="draft")
    looked = look(node, desk, Parcel(envelope, files, brought.body, brought.nil))
    owed = desk.slot.campaign or None
    return _told(
        looked.findings, unit=unit, item=form.ref, title=form.title, campaign=owed,
        period=desk.slot.period if owed else None, refusal=looked.refusal, body=looked.carried[0],
    )  # fmt: skip


def _unit(directory: Directory, viewer: Viewer, name: str | None) -> str:
    known = (directory.units.get(name) or directory.units.named(name)) if name else None
    if name and known is None:
        raise Problem("not-found", NO_SUCH_UNIT)
    unit = known.ref if known else viewer.unit
    if unit not in directory.units:
        raise Problem("not-found", "本单位今天没有开着")
    require(viewer, "submission.file", directory.path(unit), unseen=NO_SUCH_UNIT)
    return unit


def _form(node: Node, brought: Brought, reading: Reading | None) -> Form | None:
    """The form that was named, or the one that was recognised; None for a file that is no form."""
    if brought.item is not None:
        return find_form(node.catalog, brought.item)
    if reading is not None:
        return reading.record.form if reading.record is not None else None
    named = (brought.body or {}).get("form")
    if not isinstance(named, str):
        wrong = [{"field": "item", "message": "内容没有写明是哪张表"}]
        raise Problem("not-valid", "请写明是哪张表（item），或在内容里写明（form）", errors=wrong)
    printed = [f for f in node.catalog.forms.values() if f.printed_id == named]
    return printed[0] if len(printed) == 1 else find_form(node.catalog, named)


def _desk(tx: Connection, node: Node, unit: str, form: Form, day: date, brought: Brought) -> Desk:
    """The desk of the slot that is meant, or one without anything beside it where the unit does not owe the form."""
    asked = repository.slots_on if brought.period is None else repository.slots_of
    found = [s for s in asked(tx, unit, form.ref, day) if brought.campaign in (None, s.campaign)]
    if found:
        return lay_out(tx, node, found[0], drafts=True)
    directory = node.directory(tx)
    upper = directory.units[unit].parent
    about = {"campaign": "", "item": form.ref, "period": day, "opens": day, "due_at": node.clock.now()}
    nobodys = SimpleNamespace(unit=unit, upper=upper, **about)
    return Desk(directory, nobodys, Item(form.ref, "form", form.title, form=form.ref))  # type: ignore[arg-type]  # not a row


def _day(node: Node, brought: Brought, reading: Reading | None) -> date:
    """The day that says which period is meant: as it was named, as the paper says, else today."""
    if brought.period is not None:
        return brought.period
    filed = reading.record.filed if reading is not None and reading.record is not None else None
    return filed or node.clock.today()


def _unknown(unit: str, reading: Reading | None) -> CheckOut:
    findings = reading.findings if reading is not None else ()
    wrong = any(f.kind.slug in _NO_TABLE for f in findings)
    return _told(
        findings, unit=unit, item=None, title=None, campaign=None, period=None, body=None,
        refusal="wrong-form" if wrong else "unreadable",
    )  # fmt: skip


def _told(findings: tuple[Finding, ...], **more: Any) -> CheckOut:
    told = [as_json(f) for f in findings]
    counts = {f"{s}s": sum(f["severity"] == s for f in told) for s in ("error", "warning")}
    return CheckOut.model_validate({**more, **counts, "findings": told})
