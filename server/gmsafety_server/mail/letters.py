"""What nodes write to each other about a submission: it is filed, it came in, it was checked, it was decided."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection

from gmsafety import Catalog
from gmsafety.exchange.canonical import canonical
from gmsafety.exchange.envelope import Attachment, Draft, Subject
from gmsafety.exchange.errors import NotCanonical
from gmsafety.exchange.payloads import Decision, Received, Report, Submission
from gmsafety.exchange.receipts import SignedReceipt
from gmsafety.forms.spechash import spec_hash

from ..errors import Problem
from ..node import Node
from .posting import post


def file_upward(
    tx: Connection, node: Node, receiver: str, row: Any, *, title: str, files: Iterable[Mapping[str, Any]]
) -> None:  # fmt: skip
    """Tell the node of the upper unit that a form is filed; the files it came as travel along, and are read there."""
    enclosed = tuple(
        Attachment(role=f["artefact"], name=f["name"], media_type=f["media_type"], size=f["size"], hash=f["hash"])
        for f in files
    )
    record = _travelling(row.body, has_files=bool(enclosed))
    payload = Submission(
        title=title, submission=row.uid, message_id=row.message_id, content_hash=row.payload_hash,
        filed_at=row.received_at, record=record, nil=row.nil, reason=row.reason, note=row.note,
    )  # fmt: skip
    draft = Draft(
        "submission", receiver, payload.model_dump(), subject_of(node.catalog, row), attachments=enclosed, test=row.test
    )
    post(tx, node, draft, due_at=row.due_at)


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
        post(tx, node, draft, due_at=row.due_at)


def subject_of(catalog: Catalog, row: Any) -> Subject:
    """The form that a message is about."""
    version = str(row.body["version"]) if row.body is not None else None
    versions = catalog.versions.get(row.item)
    form = versions.get(version) if versions is not None and version is not None else None
    return Subject(
        campaign=row.campaign, item=row.item, version=version, spec_hash=spec_hash(form) if form else None,
        period=row.period, unit=row.unit, revision=row.revision, action="replace" if row.supersedes else "normal",
        supersedes=row.supersedes,
    )  # fmt: skip
