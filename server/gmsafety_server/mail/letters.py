"""What nodes write to each other about a submission: it is filed, it came in, it was checked, it was decided."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from gmsafety import Catalog
from gmsafety.exchange.canonical import canonical
from gmsafety.exchange.envelope import Attachment, Draft, Subject
from gmsafety.exchange.errors import NotCanonical
from gmsafety.exchange.payloads import Decision, Outdated, Part, Received, Report, Submission, To, Withdrawal
from gmsafety.exchange.receipts import SignedReceipt
from gmsafety.forms.spechash import spec_hash

from ..errors import Problem
from ..node import Node
from ..planning import NO_DEADLINE, find_item
from .posting import post


def file_upward(
    tx: Connection, node: Node, receiver: str, row: Any, *, title: str, to: tuple[To, ...]
) -> None:  # fmt: skip
    """Tell the node of an addressee that a form is filed; `row.files`, as which it came, travel along."""
    enclosed = tuple(
        Attachment(role=f["artefact"], name=f["name"], media_type=f["media_type"], size=f["size"], hash=f["hash"])
        for f in row.files
    )
    record = _travelling(row.body, has_files=bool(enclosed))
    payload = Submission(
        title=title, submission=row.uid, message_id=row.message_id, content_hash=row.payload_hash,
        filed_at=row.received_at, record=record, nil=row.nil, reason=row.reason, note=row.note,
        made_of=tuple(Part.model_validate(p) for p in row.made_of or ()), to=to,
    )  # fmt: skip
    draft = Draft(
        "submission", receiver, payload.model_dump(), subject_of(node.catalog, row), attachments=enclosed, test=row.test
    )
    post(tx, node, draft, due_at=_due(row))


def _travelling(body: Mapping[str, Any] | None, *, has_files: bool) -> dict[str, Any] | None:
    """The content of a form as it travels; one with fractions has no canonical JSON, and travels as its file only."""
    if body is None:
        return None
    try:
        canonical(body)
    except NotCanonical as error:
        if has_files:
            return None
        raise Problem("not-valid", f"内容不能写成规范的JSON，不能报给别的节点：{error}。请以文件报送") from error
    return dict(body)


def answer_down(tx: Connection, node: Node, receiver: str, row: Any, signed: Iterable[str]) -> None:
    """Send receipts to the node of the unit that filed; the one of the check with everything that was found."""
    subject = subject_of(node.catalog, row)
    for text in signed:
        receipt = SignedReceipt.from_json(text)
        kind = receipt.receipt.kind
        if kind == "stored":
            draft = Draft("receipt", receiver, Received(receipt=receipt).model_dump(), subject, test=row.test)
        elif kind == "checked":
            found = tuple({k: v for k, v in f.items() if k != "place"} for f in row.findings)
            told = Report(receipt=receipt, findings=found)
            draft = Draft("report", receiver, told.model_dump(), subject, test=row.test)
        else:
            draft = Draft("decision", receiver, Decision(receipt=receipt).model_dump(), subject, test=row.test)
        post(tx, node, draft, due_at=_due(row))


def withdraw_upward(tx: Connection, node: Node, receiver: str, row: Any, *, reason: str) -> None:
    """Ask the node of the upper unit to take a submission back."""
    told = Withdrawal(payload_hash=row.payload_hash, withdrawn_at=node.clock.now(), reason=reason)
    subject = subject_of(node.catalog, row).model_copy(update={"action": "withdraw"})
    post(tx, node, Draft("withdraw", receiver, told.model_dump(), subject, test=row.test), due_at=row.due_at)


def tell_upward(tx: Connection, node: Node, receiver: str, row: Any, told: Outdated) -> None:
    """Tell the node of the upper unit that a roll-up filed there is out of date, or up to date again."""
    draft = Draft("outdated", receiver, told.model_dump(), subject_of(node.catalog, row), test=row.test)
    post(tx, node, draft, due_at=_due(row))


def _due(row: Any) -> datetime | None:
    return row.due_at if row.due_at < NO_DEADLINE else None


def subject_of(catalog: Catalog, row: Any) -> Subject:
    """The form that a message is about."""
    version = str(row.body["version"]) if row.body is not None else None
    item = find_item(catalog, row.campaign, row.item)
    versions = catalog.versions.get(item.form) if item is not None else None
    form = versions.get(version) if versions is not None and version is not None else None
    return Subject(
        campaign=row.campaign, item=row.item, version=version, spec_hash=spec_hash(form) if form else None,
        period=row.period, unit=row.unit, revision=row.revision, action="replace" if row.supersedes else "normal",
        supersedes=row.supersedes,
    )  # fmt: skip
