"""What the mail room says to whatever comes in, and that it changes nothing by saying no."""

import datetime as dt
import json
from dataclasses import replace
from typing import Any

import pytest

from exchange_books import Books, Disk
from gmsafety.exchange import mailroom
from gmsafety.exchange.answers import REFUSALS, SignedRefusal, SignedStored, read_answer
from gmsafety.exchange.canonical import canonical, digest
from gmsafety.exchange.envelope import Attachment, Envelope, Link, Message, seal
from gmsafety.exchange.mailroom import Answer, MailRoom, Mark
from gmsafety.exchange.peers import Peer, PeerKey
from gmsafety.exchange.receipts import Verdict
from gmsafety.exchange.reconciling import Channel, Statement
from gmsafety.exchange.settling import settle, statement
from gmsafety.exchange.signing import SigningKey

NOON = dt.datetime(2024, 12, 27, 4, 0, tzinfo=dt.UTC)
COUNTY, CITY, STRANGER = (SigningKey.generate(name) for name in ("county-1", "city-1", "stranger-1"))
SCAN = Attachment(role="scan", name="盖章件.pdf", media_type="application/pdf", size=3, hash=digest(b"abc"))


class Desk:
    """The city's mail room with its store, and the county that writes to it."""

    def __init__(self) -> None:
        self.disk, self.room = Disk(), MailRoom("city", CITY)
        county = Peer(name="county", title="某县", keys=(PeerKey.of(COUNTY.public, NOON),))
        shut = Peer(name="shut", title="某区", keys=(PeerKey.of(STRANGER.public, NOON),), is_open=False)
        self.disk.tables.peers.update({"county": county, "shut": shut})

    def receive(self, content: bytes, *, now: dt.datetime = NOON, slug: str = "") -> Answer:
        with self.disk.transaction() as books:
            return self.room.receive(content, books, now=now, examine=lambda message: slug)

    def queue(self) -> list[str]:
        """What is to be taken up, in this order."""
        return [message for _, message in self.disk.tables.ready]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def said(
    message_id: str, *, after: Message | None = None, epoch: str = "a", key: SigningKey = COUNTY, **more: Any
) -> Message:
    """A message of the county, the next after another."""
    link = Link(epoch=epoch, sequence=1, previous=None)
    if after is not None:
        link = Link(epoch=epoch, sequence=after.envelope.link.sequence + 1, previous=after.hash)
    payload = more.pop("payload", {"text": message_id})
    fields = {
        "id": message_id, "kind": "notice", "sender": "county", "receiver": "city", "link": link, "sealed_at": NOON,
        "payload_hash": digest(canonical(payload)), **more,
    }  # fmt: skip
    return seal(Envelope(**fields), payload, key)


def chain(*ids: str, epoch: str = "a") -> list[Message]:
    messages: list[Message] = []
    for message_id in ids:
        messages.append(said(message_id, after=messages[-1] if messages else None, epoch=epoch))
    return messages


def changed(message: Message, **fields: Any) -> bytes:
    """The bytes of a message in which something was changed after it was signed."""
    return canonical({**json.loads(message.to_bytes()), **fields})


FIRST, SECOND, THIRD = chain("m-1", "m-2", "m-3")
OTHER_VERSION = FIRST.to_bytes().replace(b"gmsafety/1", b"gmsafety/2")
ENVELOPE = json.loads(FIRST.to_bytes())["envelope"]

REFUSED = [  # what is sent, slug, status
    ("not JSON", b"PK\x03\x04", "malformed", 400),
    ("a list", b"[]", "malformed", 400),
    ("no id", changed(FIRST, envelope={k: v for k, v in ENVELOPE.items() if k != "id"}), "malformed", 400),
    ("no signature", changed(FIRST, signatures=[]), "malformed", 400),
    ("a fraction", changed(FIRST).replace(b'"m-1"}', b'"m-1","n":0.5}'), "malformed", 400),
    ("cut off", FIRST.to_bytes()[:-9], "malformed", 400),
    ("version 2", OTHER_VERSION, "version", 400),
    ("for the province", said("m", receiver="province").to_bytes(), "not-for-us", 421),
    ("of a node unknown", said("m", sender="nobody").to_bytes(), "unknown-sender", 403),
    ("of a node shut out", said("m", sender="shut", key=STRANGER).to_bytes(), "unknown-sender", 403),
    ("signed by a stranger", said("m", key=STRANGER).to_bytes(), "bad-signature", 403),
    ("changed on the way", changed(FIRST, envelope={**ENVELOPE, "test": True}), "bad-signature", 403),
    ("another payload", changed(FIRST, payload={"text": "m-9"}), "payload-differs", 400),
    ("an hour ahead", said("m", sealed_at=NOON + dt.timedelta(hours=1)).to_bytes(), "clock", 409),
    ("files not here", said("m", attachments=(SCAN,)).to_bytes(), "attachments-missing", 409),
    ("the id of another", said("old-1", payload={"text": "changed"}).to_bytes(), "other-content", 409),
    ("the number of another", said("m", after=None, epoch="old").to_bytes(), "broken-chain", 409),
    (
        "after another than ours",
        said("m", link=Link(epoch="old", sequence=2, previous=digest(b"another"))).to_bytes(),
        "broken-chain",
        409,
    ),
]


@pytest.mark.parametrize(("content", "slug", "status"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_is_refused(desk: Desk, content: bytes, slug: str, status: int) -> None:
    desk.receive(said("old-1", epoch="old").to_bytes())
    before = desk.disk.tables.copy()
    answer = desk.receive(content)
    refused = read_answer(answer.content)

    assert isinstance(refused, SignedRefusal)
    assert (slug, status, status) == (refused.refusal.slug, refused.refusal.status, answer.status)
    assert Verdict.VALID is refused.verify([CITY.public])
    assert digest(content) == refused.refusal.received
    assert before == desk.disk.tables


@pytest.mark.parametrize("slug", ["busy", "not-applicable", "looser-definitions", "attachment-differs"])
def test_is_refused_by_who_examines_it(desk: Desk, slug: str) -> None:
    before = desk.disk.tables.copy()
    answer = desk.receive(FIRST.to_bytes(), slug=slug)

    assert REFUSALS[slug].status == answer.status
    assert before == desk.disk.tables
    assert 200 == desk.receive(FIRST.to_bytes()).status


def test_too_large(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailroom, "LARGEST_MESSAGE", len(FIRST.to_bytes()) - 1)
    answer = desk.receive(FIRST.to_bytes())

    assert 413 == answer.status
    assert not desk.disk.tables.inbox


def test_every_refusal_is_tried() -> None:
    tried = {row[2] for row in REFUSED} | {
        "busy",
        "not-applicable",
        "looser-definitions",
        "attachment-differs",
        "too-large",
    }

    assert set(REFUSALS) == tried


def test_a_stranger_learns_nothing() -> None:
    told = {REFUSALS[slug].words for slug in ("unknown-sender", "bad-signature")}

    assert {"不接收"} == told


def test_missing_files_are_named(desk: Desk) -> None:
    content = said("m", attachments=(SCAN,)).to_bytes()
    refused = read_answer(desk.receive(content).content)
    desk.disk.tables.files[SCAN.hash] = None

    assert isinstance(refused, SignedRefusal)
    assert (SCAN.hash,) == refused.refusal.missing
    assert 200 == desk.receive(content).status


def test_fifty_times_the_same(desk: Desk) -> None:
    answers = {desk.receive(FIRST.to_bytes()).content for _ in range(50)}

    assert 1 == len(answers) == len(desk.disk.tables.inbox)
    assert ["m-1"] == desk.queue()


def test_the_same_id_with_other_bytes_is_told_what_is_stored(desk: Desk) -> None:
    desk.receive(FIRST.to_bytes())
    refused = read_answer(desk.receive(said("m-1", payload={"text": "changed"}).to_bytes()).content)

    assert isinstance(refused, SignedRefusal)
    assert (409, FIRST.hash) == (refused.refusal.status, refused.refusal.stored_hash)


def test_the_same_under_another_key_is_the_same(desk: Desk) -> None:
    new = SigningKey.generate("county-2")
    first = desk.receive(FIRST.to_bytes())
    peer = desk.disk.tables.peers["county"].without_key("county-1")
    desk.disk.tables.peers["county"] = peer.with_keys([PeerKey.of(new.public, NOON + dt.timedelta(hours=1))])

    assert 403 == desk.receive(FIRST.to_bytes()).status
    assert first.content == desk.receive(MailRoom("county", new).sign_again(FIRST.to_bytes())).content


def test_what_came_too_early_waits_for_its_turn(desk: Desk) -> None:
    answers = [desk.receive(m.to_bytes()) for m in (THIRD, SECOND, THIRD, FIRST, SECOND, THIRD)]
    stored = [read_answer(a.content) for a in answers]

    assert [202, 202, 200, 200, 200, 200] == [a.status for a in answers]
    assert [True, True, True, False, True, True] == [s.stored.held for s in stored if isinstance(s, SignedStored)]
    assert answers[0].content == answers[2].content == answers[5].content
    assert ["m-1", "m-2", "m-3"] == desk.queue()
    assert Mark("a", 3, THIRD.hash) == desk.disk.tables.marks["county", "a"]


def test_an_answer_under_a_revoked_key_is_signed_anew(desk: Desk) -> None:
    first = read_answer(desk.receive(FIRST.to_bytes()).content)
    new = SigningKey.generate("city-2")
    desk.room = replace(desk.room, key=new, revoked=frozenset(("city-1",)))
    again = read_answer(desk.receive(FIRST.to_bytes()).content)

    assert isinstance(first, SignedStored)
    assert isinstance(again, SignedStored)
    assert first.stored == again.stored
    assert Verdict.VALID is again.verify([new.public])


def ends(desk: Desk, *known: Channel, epoch: str = "b") -> None:
    """The county was restored, goes on in another epoch, and says what it still knows of the old ones."""
    with desk.disk.transaction() as books:
        settle(desk.room, books, "county", Statement(sent=known), Link(epoch=epoch, sequence=1, previous=None))


def test_what_both_have_lost_is_passed_over(desk: Desk) -> None:
    desk.receive(FIRST.to_bytes())
    desk.receive(THIRD.to_bytes())
    ends(desk, Channel(epoch="a", sequence=1, hash=FIRST.hash))

    assert ["m-1", "m-3"] == desk.queue()
    assert Mark("a", 3, THIRD.hash, last=3, lost=(2,)) == desk.disk.tables.marks["county", "a"]
    assert 409 == desk.receive(SECOND.to_bytes()).status


def test_what_the_sender_still_has_is_waited_for(desk: Desk) -> None:
    desk.receive(THIRD.to_bytes())
    ends(desk, Channel(epoch="a", sequence=1, hash=FIRST.hash))

    assert [] == desk.queue()
    assert 200 == desk.receive(FIRST.to_bytes()).status
    assert ["m-1", "m-3"] == desk.queue()


def test_an_epoch_that_was_left_takes_no_more(desk: Desk) -> None:
    desk.receive(FIRST.to_bytes())
    ends(desk, Channel(epoch="a", sequence=1, hash=FIRST.hash))

    assert 409 == desk.receive(SECOND.to_bytes()).status
    assert 409 == desk.receive(said("m-9", epoch="A").to_bytes()).status


def test_a_channel_of_which_only_a_later_message_came_is_known(desk: Desk) -> None:
    """Found by the machine: the county was restored twice, and the first message of the epoch between was lost."""
    desk.receive(SECOND.to_bytes())
    ends(desk)

    assert ["m-2"] == desk.queue()
    assert (Channel(epoch="a", sequence=2, hash=SECOND.hash, lost=(1,)),) == statement(
        Books(desk.disk.tables), "county"
    ).received
