"""The mail room: what is taken, what waits, what is refused and with what words; nothing refused changes anything."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from gmsafety.exchange import SigningKey, Verdict, canonical, digest
from gmsafety.exchange.answers import REFUSALS, SignedRefusal, SignedStored, read_answer
from gmsafety.exchange.envelope import Attachment, Envelope, Link, Message, seal
from gmsafety.exchange.mailroom import LARGEST_MESSAGE, Answer, Entry, MailRoom, Mark, Outgoing
from gmsafety.exchange.peers import Peer, PeerKey

NOW = dt.datetime(2024, 12, 27, 4, tzinfo=dt.UTC)
COUNTY, CITY = SigningKey.generate("zezhou-1"), SigningKey.generate("jincheng-1")
OLD, ENDED = SigningKey.generate("zezhou-0"), SigningKey.generate("zezhou-00")
SINCE = NOW - dt.timedelta(days=30)
ROOM = MailRoom("jincheng", CITY)
NOTICE: dict[str, Any] = {"state": "ready", "at": "2024-12-27T04:00:00Z", "program": "p", "waiting": 0}


@dataclass
class Shelf:
    """A store in memory, with what a mail room asks of one."""

    peers: dict[str, Peer] = field(default_factory=dict)
    inbox: dict[tuple[str, str], Entry] = field(default_factory=dict)
    marks: dict[tuple[str, str], Mark] = field(default_factory=dict)
    held: dict[tuple[str, str, int], Entry] = field(default_factory=dict)
    taken: list[str] = field(default_factory=list)
    outbox: list[Outgoing] = field(default_factory=list)

    def peer(self, name: str) -> Peer | None:
        return self.peers.get(name)

    def received(self, sender: str, message: str) -> Entry | None:
        return self.inbox.get((sender, message))

    def incoming(self, sender: str, epoch: str) -> Mark | None:
        return self.marks.get((sender, epoch))

    def settled(self, sender: str) -> str | None:
        return None

    def waiting(self, sender: str, epoch: str, sequence: int) -> Entry | None:
        return self.held.get((sender, epoch, sequence))

    def keep(self, entry: Entry) -> None:
        self.inbox[entry.sender, entry.id] = entry
        if entry.held:
            self.held[entry.sender, entry.link.epoch, entry.link.sequence] = entry
        else:
            self.taken.append(entry.id)

    def release(self, entry: Entry) -> None:
        del self.held[entry.sender, entry.link.epoch, entry.link.sequence]
        self.taken.append(entry.id)

    def advance(self, sender: str, mark: Mark) -> None:
        self.marks[sender, mark.epoch] = mark

    def has(self, attachment: Attachment) -> bool:
        return False

    def outgoing(self, receiver: str) -> Mark:
        return Mark("e1")

    def send(self, message: Outgoing) -> None:
        self.outbox.append(message)


@pytest.fixture
def shelf() -> Shelf:
    revoked = PeerKey.of(OLD.public, SINCE).model_copy(update={"revoked": True})
    ended = PeerKey.of(ENDED.public, SINCE).model_copy(update={"valid_until": NOW})
    keys = (PeerKey.of(COUNTY.public, SINCE), revoked, ended)
    shut = Peer(name="shut", title="停", keys=keys, is_open=False)
    return Shelf(peers={"zezhou": Peer(name="zezhou", title="泽州县", keys=keys), "shut": shut})


def message(number: int = 1, previous: str | None = None, key: SigningKey = COUNTY, **changes: Any) -> Message:
    said = {
        "id": f"m-{number}", "kind": "ping", "sender": "zezhou", "receiver": "jincheng", "sealed_at": NOW,
        "link": Link(epoch="e1", sequence=number, previous=previous), "payload_hash": digest(canonical(NOTICE)),
    }  # fmt: skip
    return seal(Envelope(**{**said, **changes}), NOTICE, key)


def chain(count: int) -> list[Message]:
    out: list[Message] = []
    for number in range(1, count + 1):
        out.append(message(number, out[-1].hash if out else None))
    return out


def receive(shelf: Shelf, content: bytes | Message, now: dt.datetime = NOW) -> Answer:
    return ROOM.receive(content if isinstance(content, bytes) else content.to_bytes(), shelf, now=now)


def stored(answer: Answer) -> SignedStored:
    read = read_answer(answer.content)

    assert isinstance(read, SignedStored)
    assert Verdict.VALID == read.verify([CITY.public])
    return read


def refused(answer: Answer) -> SignedRefusal:
    read = read_answer(answer.content)

    assert isinstance(read, SignedRefusal)
    assert Verdict.VALID == read.verify([CITY.public])
    return read


def test_one_is_stored(shelf: Shelf) -> None:
    sent = message()
    answer = receive(shelf, sent)

    assert (200, sent.hash, False) == (answer.status, stored(answer).stored.message_hash, stored(answer).stored.held)
    assert ["m-1"] == shelf.taken
    assert sent.to_bytes() == shelf.inbox["zezhou", "m-1"].content


def test_the_same_again_gives_the_same_answer(shelf: Shelf) -> None:
    first = receive(shelf, message())
    later = receive(shelf, message(), NOW + dt.timedelta(days=3))

    assert (first.content, True) == (later.content, later.is_again)
    assert ["m-1"] == shelf.taken


def test_a_later_one_waits(shelf: Shelf) -> None:
    one, two, three = chain(3)

    assert [202, 202, 200] == [receive(shelf, m).status for m in (three, two, one)]
    assert ["m-1", "m-2", "m-3"] == shelf.taken
    assert not shelf.held
    assert Mark("e1", 3, three.hash) == shelf.marks["zezhou", "e1"]


def swapped() -> bytes:
    return message().model_copy(update={"payload": {**NOTICE, "waiting": 9}}).to_bytes()


AHEAD = dt.timedelta(minutes=16)
ABSENT = Attachment(role="original", name="a.xlsx", media_type="x/y", size=1, hash=digest(b"a"))
REFUSED: dict[str, tuple[str, Callable[[], bytes]]] = {
    "no JSON": ("malformed", lambda: b"{"),
    "another shape": ("malformed", lambda: b"{}"),
    "no signature": ("malformed", lambda: message().to_bytes().replace(b'"signatures":[{', b'"signatures":[],"x":[{')),
    "another version": ("version", lambda: message().to_bytes().replace(b"gmsafety/1", b"gmsafety/2")),
    "for another": ("not-for-us", lambda: message(receiver="shuozhou").to_bytes()),
    "of a stranger": ("unknown-sender", lambda: message(sender="shuozhou").to_bytes()),
    "of one that is shut": ("unknown-sender", lambda: message(sender="shut").to_bytes()),
    "signed by a stranger": ("bad-signature", lambda: message(key=SigningKey.generate("zezhou-1")).to_bytes()),
    "signed by an unknown key": ("bad-signature", lambda: message(key=SigningKey.generate("x")).to_bytes()),
    "signed by a revoked key": ("bad-signature", lambda: message(key=OLD).to_bytes()),
    "sealed after the end of its key": ("bad-signature", lambda: message(key=ENDED).to_bytes()),
    "changed on its way": ("bad-signature", lambda: message().to_bytes().replace(b'"m-1"', b'"m-2"')),
    "another payload": ("payload-differs", swapped),
    "from the future": ("clock", lambda: message(sealed_at=NOW + AHEAD).to_bytes()),
    "the same id": ("other-content", lambda: message(sealed_at=NOW - AHEAD, id="m-0").to_bytes()),
    "a place that is taken": ("broken-chain", lambda: message(sealed_at=NOW - AHEAD).to_bytes()),
    "another before it": ("broken-chain", lambda: message(2, digest(b"another")).to_bytes()),
    "without its file": ("attachments-missing", lambda: message(attachments=(ABSENT,)).to_bytes()),
    "without end": ("too-large", lambda: bytes(LARGEST_MESSAGE + 1)),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(case: str, shelf: Shelf) -> None:
    slug, make = REFUSED[case]
    receive(shelf, message(id="m-0"))
    before = (dict(shelf.inbox), dict(shelf.marks), list(shelf.taken))
    content = make()
    answer = receive(shelf, content)
    said = refused(answer).refusal

    assert (slug, REFUSALS[slug].code, REFUSALS[slug].status) == (said.slug, said.code, answer.status)
    assert digest(content) == said.received
    assert before == (shelf.inbox, shelf.marks, shelf.taken)


def test_a_stranger_learns_nothing(shelf: Shelf) -> None:
    unknown = refused(receive(shelf, message(sender="shuozhou"))).refusal
    known = refused(receive(shelf, message(key=SigningKey.generate("zezhou-1")))).refusal

    assert (unknown.said, unknown.status, unknown.stored_hash) == (known.said, known.status, known.stored_hash)
