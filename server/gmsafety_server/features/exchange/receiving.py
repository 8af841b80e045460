"""A message comes in: it is stored and answered, or refused; what it asks for is done later."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from gmsafety.exchange.answers import REFUSALS, Refusal, sign_refusal
from gmsafety.exchange.canonical import digest
from gmsafety.exchange.envelope import Envelope, Letter, Message
from gmsafety.exchange.mailroom import Answer, Examine, Seen, look_at
from gmsafety.exchange.peers import Peer

from ...directory import LAST_CHANGE, Directory
from ...mail.posting import room_of
from ...mail.stations import EDITION, Stations, may_speak_from, peer_of, senders, stations
from ...mail.tray import Tray
from ...node import Node
from ..submissions import addressing
from . import journal
from .journal import Event

_STANDING = select(LAST_CHANGE.scalar_subquery().label("change"), EDITION.scalar_subquery().label("edition"))
_TURNS = 3
_FROM_BELOW = ("submission", "withdraw", "outdated")
_FROM_ABOVE = ("receipt", "report", "decision")
_USUAL = ("attachments-missing", "busy")
_log = logging.getLogger("gmsafety.exchange")


@dataclass(frozen=True, slots=True)
class Visit:
    """A message that somebody brings, read before anybody is kept waiting for it, and from which address."""

    letter: Letter
    origin: str | None = None

    @property
    def sender(self) -> str:
        """The name that the message bears."""
        return self.letter.message.envelope.sender


def receive(node: Node, content: bytes, *, origin: str | None = None) -> Answer:
    """Take a message into the inbox; the answer is given when it is committed."""
    seen = look_at(content)
    return refused(node, seen) if seen.letter is None else receive_one(node, Visit(seen.letter, origin))


def receive_one(node: Node, visit: Visit) -> Answer:
    """Take in what one visit brings; where the database fails nothing is stored, and it may come again."""
    try:
        for _ in range(_TURNS):
            with suppress(IntegrityError):  # the same message may come twice at once
                return receive_together(node, [visit])[0]
    except SQLAlchemyError as error:
        _log.error("暂时不能接收", exc_info=error)
    return refused(node, Seen(visit.letter.content, slug="busy"))


def look_up(node: Node, visits: Sequence[Visit]) -> list[Peer | None]:
    """Who brings messages, without holding anything for them; one that speaks from where it may not is nobody."""
    with node.db.glance() as tx:
        known = senders(tx, {visit.sender for visit in visits}, lock=False)
    rows = ((visit, known.get(visit.sender)) for visit in visits)
    return [peer_of(row) if row is not None and may_speak_from(visit.origin, row) else None for visit, row in rows]


def receive_together(node: Node, visits: Sequence[Visit]) -> list[Answer]:
    """Take in what several visits bring, in one transaction; where it fails, nothing of any of them is stored."""
    with node.db.write() as tx:
        now = node.clock.now()
        tray = Tray(tx, now, [v.letter for v in visits])
        answers = list(_taken_in(node, visits, tray, now, _examine(tx, node)))
        tray.put_in()
    for visit, answer in zip(visits, answers, strict=True):
        _tell(node, visit.letter, answer)
    if any(answer.is_stored and not answer.is_again for answer in answers):
        node.wake()
    return answers


def _taken_in(
    node: Node, visits: Sequence[Visit], tray: Tray, now: datetime, examine: Examine
) -> Iterator[Answer]:  # fmt: skip
    room = room_of(node)
    for visit in visits:
        tray.origin = visit.origin
        yield room.take_in(visit.letter, tray, now=now, examine=examine)


def refused(node: Node, seen: Seen) -> Answer:
    """A signed refusal of what is no message, and of one that nobody has looked at; with a line in the log."""
    answer = refusal(node, seen.slug, seen.content)
    _tell_refused(node, answer, seen.content)
    return answer


def refusal(node: Node, slug: str, content: bytes) -> Answer:
    """A signed refusal without a look at the message."""
    kind = REFUSALS[slug]
    told = Refusal(
        node=node.settings.node, received=digest(content), code=kind.code, slug=slug, status=kind.status,
        said=kind.words, refused_at=node.clock.now(),
    )  # fmt: skip
    return Answer(kind.status, sign_refusal(told, node.key).to_bytes(), slug=slug)


def _examine(tx: Connection, node: Node) -> Examine:
    """Nobody speaks for a unit that is not theirs, and tests do not mix with what counts."""

    @cache
    def known() -> tuple[Directory, Stations]:
        own = node.settings.node
        now = tx.execute(_STANDING, {"own": own}).one()
        return node.directory(tx, change=now.change), stations(tx, own, edition=now.edition)

    def look(message: Message) -> str:
        envelope = message.envelope
        if envelope.test != node.test:
            return "not-applicable"
        if envelope.subject is None:
            return ""
        directory, around = known()
        path = directory.path(envelope.subject.unit)
        if envelope.kind in _FROM_BELOW and around.of(path) != envelope.sender:
            return "not-applicable"
        sender, subject = envelope.sender, envelope.subject
        if envelope.kind in _FROM_ABOVE and not addressing.may_answer(tx, around, sender, subject, path):
            return "not-applicable"
        return ""

    return look


def _tell(node: Node, letter: Letter, answer: Answer) -> None:
    """A line of the log for each message."""
    envelope = letter.message.envelope
    if answer.is_stored:
        outcome = "again" if answer.is_again else "held" if answer.status == 202 else "stored"
        said = f"收到 {envelope.sender} {envelope.id}{'（再次）' if answer.is_again else ''}"
        journal.note(node, Event.came(envelope, outcome), said)
    else:
        _tell_refused(node, answer, letter.content, envelope)


def _tell_refused(node: Node, answer: Answer, content: bytes, envelope: Envelope | None = None) -> None:
    """Of a refused message the reason, with its hash; what it says of itself is not proved."""
    level = logging.INFO if answer.slug in _USUAL else logging.WARNING
    code = REFUSALS[answer.slug].code
    event = Event.came(envelope, "refused", code) if envelope is not None else Event("in", "refused", code)
    journal.note(node, event, f"拒收 {code} {answer.slug} {digest(content)}，{len(content)}字节", level=level)
