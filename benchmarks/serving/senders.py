"""The nodes of counties, as the node above them sees them: a name, an Ed25519 key, a channel with sealed messages."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, insert, select

from gmsafety import Catalog
from gmsafety.exchange.calls import HEADER, Call, sign_call
from gmsafety.exchange.canonical import canonical, digest, plain
from gmsafety.exchange.envelope import Attachment, Draft, Subject
from gmsafety.exchange.mailroom import MailRoom, Mark, Outgoing
from gmsafety.exchange.payloads import Submission
from gmsafety.exchange.peers import PeerKey
from gmsafety.exchange.signing import SigningKey
from gmsafety.forms import fill
from gmsafety.forms.schema import from_json
from gmsafety.forms.spechash import spec_hash
from gmsafety_server.db import Database
from gmsafety_server.mail.stations import begin_edition
from gmsafety_server.tables import peers, users

from . import world

NODE = "bench"
_MESSAGES, _FILES = "/exchange/v1/messages", "/exchange/v1/files"
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass
class Channel:
    """How far a county has come in writing to the node above; all that its mail room needs of a store to post."""

    mark: Mark
    sent: list[Outgoing] = field(default_factory=list)

    def outgoing(self, _receiver: str) -> Mark:
        """Where it stands."""
        return self.mark

    def send(self, message: Outgoing) -> None:
        """The message is the next."""
        self.sent.append(message)
        self.mark = self.mark.after(message.link, message.hash)


@dataclass(frozen=True, slots=True)
class Sealed:
    """A message as it is posted, and the file that goes with it, if any."""

    sender: str
    id: str
    hash: str
    content: bytes
    steps: tuple[bytes, ...]
    """The requests, one after the other: the message; with a file, message, look, file, message."""


class Sender:
    """The node of a county."""

    def __init__(self, county: world.County) -> None:
        self.county, self.name = county, county.ref
        self.key = SigningKey.generate(f"{county.ref}-1")
        self._room = MailRoom(self.name, self.key)
        self._channel = Channel(Mark(f"2024-12-01T00:00:00Z-{county.number}"))

    def seal(self, catalog: Catalog, body: Mapping[str, Any], period: date, file: bytes | None = None) -> Sealed:
        """Seal the table of a week; `file` is the workbook that it was filed as."""
        now, uid = datetime.now(UTC), str(uuid4())
        form = catalog.form(world.WEEKLY)
        filed = digest(canonical({"body": body, "nil": False})) if file is None else digest(file)
        told = Submission(
            title=form.title, submission=uid, message_id=f"{self.name}-{period}", content_hash=filed, filed_at=now,
            record=dict(body),
        )  # fmt: skip
        subject = Subject(
            campaign=world.CAMPAIGN, item=world.WEEKLY, version=form.version, spec_hash=spec_hash(form), period=period,
            unit=self.county.ref, revision=1,
        )  # fmt: skip
        enclosed = () if file is None else (_enclosed(file, self.county.number),)
        draft = Draft("submission", NODE, told.model_dump(), subject, attachments=enclosed)
        message = self._room.post(draft, self._channel, message_id=str(uuid4()), now=now)  # type: ignore[arg-type]
        content = message.to_bytes()
        post = _request("POST", _MESSAGES, content)
        steps = (post,) if file is None else (post, *self._putting(file, now), post)
        return Sealed(self.name, message.envelope.id, message.hash, content, steps)

    def _putting(self, file: bytes, now: datetime) -> tuple[bytes, bytes]:
        """Look how much of a file is there, and put it."""
        place = f"{_FILES}/{digest(file)}"
        return self._called("HEAD", place, b"", now), self._called(
            "PUT", f"{place}?first=0&size={len(file)}", file, now
        )

    def _called(self, method: Any, target: str, content: bytes, now: datetime) -> bytes:
        told = Call(
            id=str(uuid4()), caller=self.name, receiver=NODE, method=method, target=target, called_at=now,
            body_hash=digest(content),
        )  # fmt: skip
        return _request(method, target, content, f"{HEADER}: {sign_call(told, self.key).to_header()}\r\n")


def _request(method: str, target: str, content: bytes, header: str = "") -> bytes:
    kind = "" if header else "Content-Type: application/json\r\n"
    head = f"{method} {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n{kind}{header}Content-Length: {len(content)}\r\n\r\n"
    return head.encode() + content


def _enclosed(file: bytes, number: int) -> Attachment:
    return Attachment(
        role="form", name=f"{number:05d}.xlsx", media_type=_XLSX, size=len(file), hash=digest(file)
    )  # fmt: skip


def workbook(catalog: Catalog, body: Mapping[str, Any], folder: Path) -> bytes:
    """The workbook of a table."""
    place = folder / "table.xlsx"
    fill(from_json(body, catalog.form(world.WEEKLY)), place)
    return place.read_bytes()


def pin(address: str, senders: list[Sender]) -> None:
    """Enter the node as that of the province, and the nodes of the counties with their keys."""
    now = datetime.now(UTC)
    db = Database(address)
    with db.write() as tx:
        accounts = _accounts(tx, senders, now)
        same = {"address": None, "is_open": True, "added_at": now, "changed_at": now}
        own = {
            "name": NODE, "title": "示范节点", "units": [world.PROVINCE], "keys": [], "is_own": True, "user_id": None,
        }  # fmt: skip
        rows = [
            {
                "name": s.name, "title": f"{s.county.name}节点", "units": [s.county.ref], "is_own": False,
                "keys": [plain(PeerKey.of(s.key.public, now).model_dump())], "user_id": accounts[f"@{s.name}"],
            }
            for s in senders
        ]  # fmt: skip
        tx.execute(insert(peers), [{**row, **same} for row in (own, *rows)])
        begin_edition(tx)
    db.close()


def _accounts(tx: Connection, senders: list[Sender], now: datetime) -> dict[str, int]:
    """The accounts under which their messages are entered."""
    same = {"roles": [], "must_change": False, "failures": 0, "password": "-"}
    moments = {"disabled_at": now, "created_at": now, "changed_at": now}
    rows = [{"login": f"@{s.name}", "name": s.county.name, "unit": s.county.ref, **same, **moments} for s in senders]
    tx.execute(insert(users), rows)
    return {row.login: row.id for row in tx.execute(select(users.c.id, users.c.login))}
