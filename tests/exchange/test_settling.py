"""What is done about a statement and about copies, where the other node errs, lies, or is damaged."""

import datetime as dt
from typing import Any

import pytest

from exchange_books import Books
from exchange_faults import check
from exchange_nodes import START, Node, World, key
from exchange_steps import come_to_rest, file, kinds, send, take_up
from gmsafety.exchange.answers import Stored, sign_stored
from gmsafety.exchange.canonical import DEEPEST, canonical, digest
from gmsafety.exchange.envelope import Attachment, Draft, Envelope, Link, Message, seal
from gmsafety.exchange.errors import Malformed
from gmsafety.exchange.mailroom import LARGEST_MESSAGE, LARGEST_SEALED, WIDEST_GAP
from gmsafety.exchange.reconciling import MOST_ASKED, Ask, Asked, Channel, Copies, Copy, Statement, new_epoch
from gmsafety.exchange.settling import LARGEST_COPIES, Reaction, copies_of, heed, regained
from gmsafety.exchange.wire import LARGEST_INT

MANY = 10**15
"""A number that no channel ever reaches."""


@pytest.fixture
def world() -> World:
    return World()


def notice(number: int, link: Link, text: Any = "", **more: Any) -> Message:
    """What the county says to the city."""
    fields = {"kind": "notice", "sender": "county", "receiver": "city", **more}
    payload = {"text": text}
    envelope = Envelope(
        id=f"county-n-{number}", link=link, sealed_at=dt.datetime(2024, 12, 27, tzinfo=dt.UTC),
        payload_hash=digest(canonical(payload)), **fields,
    )  # fmt: skip
    return seal(envelope, payload, key("county", 1))


def copy_of(message: Message, **changed: Any) -> Copy:
    """A message with the answer of the city."""
    fields = {"node": "city", "sender": "county", "message": message.envelope.id, "message_hash": message.hash}
    stored = Stored(**{**fields, "stored_at": message.envelope.sealed_at, **changed})
    return Copy(message=message, answer=sign_stored(stored, key("city", 1)))


# -- a node that does not know that it was put back


def test_a_disk_put_back_without_a_word_is_noticed(world: World) -> None:
    """No restore was told: what the node says first has a number that it used before. What it lost comes back."""
    county, city = world.nodes["county"], world.nodes["city"]
    file(county, 0)
    come_to_rest(world)
    county.back_up()
    county.reconcile("city")
    file(county, 1)
    come_to_rest(world)
    before = county.desk
    county.put_back(0)
    county.reconcile("city")

    assert before != county.desk

    send(county)

    assert not county.file(2), "it waits for what the city has"

    come_to_rest(world)
    (row,) = [r for r in county.tables.outbox.values() if r.dead]

    assert before == county.desk == city.desk
    assert "broken-chain" == row.dead
    assert {("county", row.out.link.epoch)} <= world.forked, "a person looks at what was said twice"
    assert county.file(2)


def test_a_clock_put_back_at_the_restore(world: World) -> None:
    """The epoch that is opened has a smaller name than the one that was lost. With the clock set, it begins anew."""
    county = world.nodes["county"]
    world.put_back.add("county")
    county.back_up()
    world.now += dt.timedelta(hours=1)
    county.restore(0)
    come_to_rest(world)
    filed = file(county, 0)
    come_to_rest(world)
    lost = county.tables.heads["city"].epoch
    county.skew = -dt.timedelta(hours=30)
    county.restore(0)

    assert county.tables.heads["city"].epoch < lost

    county.skew = dt.timedelta()
    come_to_rest(world)
    before = county.outgoing(), len(county.tables.outbox)
    county.revive()
    come_to_rest(world)

    assert before == (county.outgoing(), len(county.tables.outbox)), "it does not begin anew for ever by itself"
    assert not county.file(0)

    world.now += dt.timedelta(minutes=1)
    county.begin_anew("city")
    come_to_rest(world)

    assert county.tables.heads["city"].epoch > lost
    check(world.nodes, filed, set())


def test_a_clock_put_back_between_two_restores(world: World) -> None:
    """Found by the machine: the city has the first epoch, and has not heard the statement; the second is older to it."""
    county, city = world.nodes["county"], world.nodes["city"]
    county.back_up()
    county.restore(0)
    send(county)
    county.skew = -dt.timedelta(minutes=2)
    county.restore(0)
    county.skew = dt.timedelta()
    come_to_rest(world)

    assert {"city": "asking"} == county.tables.waits
    assert not any(row.dead for row in county.tables.outbox.values())

    world.now += dt.timedelta(minutes=5)
    county.begin_anew("city")
    come_to_rest(world)

    assert max(e for s, e in city.tables.marks if s == "county") == county.tables.heads["city"].epoch
    check(world.nodes, {}, set())


def test_of_two_epochs_the_later_has_the_greater_name_whatever_the_clock() -> None:
    now = dt.datetime(2024, 12, 27, tzinfo=dt.UTC)
    first = new_epoch(now)
    second = new_epoch(now - dt.timedelta(days=1), after=[first])
    third = new_epoch(now - dt.timedelta(days=2), after=[first, second])
    other = new_epoch(now - dt.timedelta(days=2, seconds=1), after=[first, second])

    assert other != third
    assert first < second < third < new_epoch(now + dt.timedelta(seconds=1), after=[first, second, third])


# -- forks


def react(node: Node, message: Message) -> Reaction:
    books = Books(node.tables.copy())
    return heed(node.room(books.tables), books, message)


def stated(sender: Node, receiver: Node, **changed: Any) -> Message:
    """A statement of a node, with something in it changed."""
    books = Books(sender.tables.copy())
    told = Statement.model_validate({**_told(sender, receiver), **changed})
    return sender.post(books, Draft("digest", receiver.name, told.model_dump()))


def _told(sender: Node, receiver: Node) -> dict[str, Any]:
    books = Books(sender.tables.copy())
    payload: dict[str, Any] = sender.state_to(books, receiver.name).payload
    return {"waiting": False, "received": payload["received"], "sent": ()}


def test_another_message_at_the_same_number_is_for_a_person(world: World) -> None:
    county, city = world.nodes["county"], world.nodes["city"]
    file(county, 0, 1)
    come_to_rest(world)
    epoch = county.tables.heads["city"].epoch
    first = Channel(epoch=epoch, sequence=1, hash=digest(b"another"))

    assert (epoch,) == react(city, stated(county, city, sent=(first,))).forked
    assert (epoch,) == react(county, stated(city, county, received=(first,))).forked
    assert () == react(city, stated(county, city)).forked


def test_what_waits_and_never_follows_is_for_a_person(world: World) -> None:
    """The second was held; then another first came than the one it names."""
    county, city = world.nodes["county"], world.nodes["city"]
    county.back_up()
    file(county, 0, 1)
    city.receive(county.outgoing()[1].out.content)
    county.put_back(0)
    file(county, 3)
    come_to_rest(world)

    assert (county.tables.heads["city"].epoch,) == react(city, stated(county, city)).forked


# -- claims that are too great


def test_a_claim_without_end_costs_nothing(world: World) -> None:
    county, city = world.nodes["county"], world.nodes["city"]
    claim = Channel(epoch="20200101", sequence=LARGEST_INT, hash=digest(b""))
    reaction = react(city, stated(county, city, sent=(claim,), received=(claim,)))

    assert MOST_ASKED == len(reaction.missing)
    assert MOST_ASKED == len(Ask.of(reaction.missing).numbers)


@pytest.mark.parametrize(
    "wrong",
    [
        {"sequence": 3, "beyond": (3,)},
        {"sequence": 3, "beyond": (7, 5)},
        {"sequence": 3, "beyond": (5, 5)},
        {"sequence": 3, "beyond": (MANY,)},
        {"sequence": 3, "lost": (2, 1)},
    ],
)
def test_a_channel_that_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="编号没有按顺序，或相隔太远"):
        Channel(epoch="a", hash=digest(b""), **wrong)


def test_a_message_far_beyond_the_last_is_not_stored(world: World) -> None:
    city = world.nodes["city"]
    farthest = notice(1, Link(epoch="a", sequence=WIDEST_GAP, previous=digest(b"")))
    too_far = notice(2, Link(epoch="a", sequence=WIDEST_GAP + 1, previous=digest(b"")))
    said = [
        city.room(city.tables).receive(m.to_bytes(), Books(city.tables.copy()), now=city.now)
        for m in (farthest, too_far)
    ]

    assert [202, 409] == [a.status for a in said]


def test_no_more_is_asked_for_than_can_be_answered() -> None:
    with pytest.raises(ValueError, match="一次最多请求10,000条"):
        Ask(missing=(Asked(epoch="a", numbers=tuple(range(1, MOST_ASKED + 2))),))


def test_numbers_that_never_were_go_unheeded(world: World) -> None:
    county, city = world.nodes["county"], world.nodes["city"]
    filed = file(county, 0)
    come_to_rest(world)
    epoch = county.tables.heads["city"].epoch
    with city.disk.transaction() as books:
        wanted = Ask.of([(epoch, 1), (epoch, MANY), ("another", 1)])
        city.post(books, Draft("ask", "county", wanted.model_dump()))
    send(city)
    take_up(county)

    assert [1] == [row.out.link.sequence for row in county.outgoing()]

    come_to_rest(world)
    check(world.nodes, filed, set())


# -- copies


FIRST = notice(1, Link(epoch="0", sequence=1, previous=None))
SECOND = notice(2, Link(epoch="0", sequence=2, previous=FIRST.hash))
FORGED = seal(SECOND.envelope, SECOND.payload, key("city", 1))
UNSAID = Message(envelope=FIRST.envelope, payload={"text": "another"}, signatures=FIRST.signatures)

PRESENT = notice(1, Link(epoch=new_epoch(START), sequence=9, previous=digest(b"")))
SIGNED_ELSE = copy_of(FIRST).answer.model_copy(update={"signature": copy_of(SECOND).answer.signature})


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (copy_of(FORGED), "signed by the city in the name of the county"),
        (copy_of(UNSAID), "not the payload that was signed"),
        (copy_of(notice(1, FIRST.envelope.link, receiver="province")), "for another node"),
        (copy_of(PRESENT), "a number of the open epoch that is still to be given"),
        (copy_of(FIRST, message_hash=SECOND.hash), "an answer to another message"),
        (copy_of(FIRST, node="province"), "an answer of another node"),
        (Copy(message=FIRST, answer=SIGNED_ELSE), "an answer with the signature of another"),
    ],
)  # fmt: skip
def test_what_is_not_ours_is_not_taken_back(world: World, bad: Copy, why: str) -> None:
    good = SECOND if bad.message.envelope.id == FIRST.envelope.id else FIRST
    back = given_back(world, bad, copy_of(good))

    assert ([good], [bad.message.envelope.id]) == ([c.message for c in back.good], list(back.bad)), why


def test_what_is_here_is_not_overwritten(world: World) -> None:
    """The same again is nothing; another message at its number, or of its id, is told."""
    at_its_number = notice(3, FIRST.envelope.link)
    of_its_id = notice(1, SECOND.envelope.link)

    assert ((copy_of(FIRST),), ()) == given_back(world, copy_of(FIRST), copy_of(FIRST))
    assert ("county-n-3", "county-n-1") == given_back(
        world, copy_of(FIRST), copy_of(at_its_number), copy_of(of_its_id)
    ).bad


def given_back(world: World, *copies: Copy) -> Any:
    """What the county makes of copies from the city."""
    county, city = world.nodes["county"], world.nodes["city"]
    county.reconcile("city")
    (asked,) = county.outgoing()[:1]
    books = Books(city.tables.copy())
    told = Copies(messages=copies).model_dump()
    message = city.post(books, Draft("copies", "county", told, answers=asked.out.id))
    keys = [k.public for k in county.keys]
    return regained(message, county.tables.peers["city"], "county", keys, Books(county.tables.copy()))


def kept(message: Message) -> tuple[bytes, bytes]:
    return message.to_bytes(), copy_of(message).answer.to_bytes()


def test_copies_are_cut_by_their_size() -> None:
    megabyte = "x" * 2**20
    messages = [notice(n, Link(epoch="0", sequence=n + 1, previous=FIRST.hash), megabyte) for n in range(1, 11)]
    parts = list(copies_of(kept(m) for m in messages))

    assert [m.hash for m in messages] == [c.message.hash for part in parts for c in part.messages]
    assert [3, 3, 3, 1] == [len(part.messages) for part in parts]
    assert all(len(canonical(part.model_dump())) < LARGEST_COPIES + 100 for part in parts)


def test_a_copy_of_the_largest_message_fits(world: World) -> None:
    county, city = world.nodes["county"], world.nodes["city"]
    frame = len(notice(1, FIRST.envelope.link).to_bytes())
    largest = notice(1, FIRST.envelope.link, "x" * (LARGEST_SEALED - frame))
    larger = notice(1, FIRST.envelope.link, "x" * (LARGEST_SEALED - frame + 1))
    books = Books(city.tables.copy())

    assert 200 == city.room(city.tables).receive(largest.to_bytes(), books, now=city.now).status
    assert 413 == city.room(city.tables).receive(larger.to_bytes(), books, now=city.now).status

    entry = books.tables.inbox["county", largest.envelope.id]
    (copies,) = copies_of([(entry.content, entry.answer)])
    sealed = city.post(books, Draft("copies", "county", copies.model_dump())).to_bytes()

    assert len(sealed) < LARGEST_MESSAGE
    assert 200 == county.room(county.tables).receive(sealed, Books(county.tables.copy()), now=county.now).status
    with pytest.raises(Malformed, match="过大"):
        city.post(books, Draft("notice", "county", {"text": "x" * LARGEST_SEALED}))


def test_what_is_too_deep_is_not_copied() -> None:
    deep: Any = "here"
    for _ in range(DEEPEST - 4):
        deep = [deep]

    assert [] == list(copies_of([kept(notice(1, FIRST.envelope.link, deep))]))


def test_the_files_of_copies_go_along(world: World) -> None:
    county, city = world.nodes["county"], world.nodes["city"]
    scan = Attachment(role="scan", name="盖章件.pdf", media_type="application/pdf", size=3, hash=digest(b"abc"))
    (copies,) = copies_of(
        kept(notice(n, Link(epoch=str(n), sequence=1, previous=None), attachments=(scan,))) for n in (1, 2)
    )

    assert (scan,) == copies.attachments

    draft = Draft("copies", "county", copies.model_dump(), attachments=copies.attachments)
    sealed = city.post(Books(city.tables.copy()), draft).to_bytes()
    books = Books(county.tables.copy())
    room = county.room(county.tables)

    assert b'"attachments-missing"' in room.receive(sealed, books, now=county.now).content
    books.tables.files[scan.hash] = None
    assert 200 == room.receive(sealed, books, now=county.now).status


def test_copies_are_not_copied() -> None:
    told = notice(1, FIRST.envelope.link, kind="copies")

    assert [] == list(copies_of([kept(told)]))


def test_who_asks_again_is_given_back_once(world: World) -> None:
    county, city = world.nodes["county"], world.nodes["city"]
    county.back_up()
    filed = file(county, 0, 1)
    come_to_rest(world)
    county.restore(0)
    for _ in range(3):
        county.reconcile("city")
        send(county)
    come_to_rest(world)

    assert 1 == kinds(county, "city").count("copies")
    check(world.nodes, filed, set())

    city.back_up()
    county.restore(0)
    send(county)
    take_up(city)
    city.restore(0)
    come_to_rest(world)

    assert 2 == kinds(county, "city").count("copies"), "what was given and lost on the way is given again"
    check(world.nodes, filed, set())


def test_a_node_that_lost_its_copies_is_not_asked_for_them_for_ever(world: World) -> None:
    """The county was given back what it lost; then the city lost that it gave, and the county its copy of the city."""
    county, city = world.nodes["county"], world.nodes["city"]
    county.back_up()
    filed = file(county, 0)
    come_to_rest(world)
    city.back_up()
    county.restore(0)
    come_to_rest(world)
    city.restore(0)
    come_to_rest(world)
    before = len(county.tables.inbox), len(city.tables.inbox)
    city.reconcile("county")
    come_to_rest(world)

    assert (1, 1) == (len(county.tables.inbox) - before[0], len(city.tables.inbox) - before[1])
    check(world.nodes, filed, set())


# -- keys


def test_what_was_stored_before_its_key_was_revoked_is_taken_up(world: World) -> None:
    """Its sender was told that it is stored, and sends it no more; what comes after is refused."""
    county, city = world.nodes["county"], world.nodes["city"]
    filed = file(county, 0, 1)
    first, second = county.outgoing()
    held = city.receive(second.out.content)
    county.lose_key()
    city.pin_by_hand(county)

    assert b'"bad-signature"' in (city.receive(first.out.content) or b"")
    assert b'"held":true' in (held or b"")

    come_to_rest(world)
    check(world.nodes, filed, set())
