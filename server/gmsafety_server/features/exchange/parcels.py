"""A submission as it travels, as the parcel that it was filed as."""

from uuid import UUID

from sqlalchemy import Connection

from gmsafety.exchange.envelope import Envelope
from gmsafety.exchange.payloads import Submission

from ...errors import Problem
from ..submissions.schemas import Enclosure, Parcel
from ..submissions.schemas import Envelope as Told
from . import repository


def parcel_of(tx: Connection, envelope: Envelope, told: Submission) -> Parcel:
    """The files and the content of a submission, with what was said of it."""
    subject = envelope.subject
    assert subject is not None
    enclosures = tuple(
        Enclosure(a.role, a.name, a.media_type, repository.blob(tx, a.hash) or b"") for a in envelope.attachments
    )
    sent = Told(
        message_id=told.message_id, item=subject.item, period=subject.period, campaign=subject.campaign,
        unit=subject.unit, reason=told.reason, note=told.note, supersedes=subject.supersedes,
    )  # fmt: skip
    body = None if enclosures or told.record is None else told.record
    return Parcel(sent, enclosures, body=body, nil=told.nil and not enclosures)


def uuid_of(text: str) -> str:
    """The name of a submission, as a UUID is spelt."""
    try:
        return str(UUID(text))
    except ValueError as error:
        raise Problem("not-valid", "报送的编号不是UUID") from error
