"""Messages that come at the same time share a commit: each is answered as if it had come alone."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import date
from time import sleep
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal
from sqlalchemy import event, text

from exchanging import Lines, Station, connected
from gmsafety import Catalog
from gmsafety.exchange.answers import SignedStored, read_answer
from gmsafety.exchange.envelope import Draft, read_letter, seal
from gmsafety.exchange.mailroom import Answer
from gmsafety.exchange.payloads import Notice
from gmsafety.exchange.receipts import Verdict
from gmsafety.exchange.signing import SigningKey
from gmsafety_server.features.exchange.doorway import Doorway
from gmsafety_server.features.exchange.receiving import Visit, receive, receive_together
from gmsafety_server.mail.posting import post
from gmsafety_server.mail.stations import senders
from gmsafety_server.tables import inbox, outbox
from world import StandingClock

MOST_STATEMENTS = 8


@pytest.fixture
def nodes(databases: Callable[[], str], catalog: Catalog, clock: StandingClock) -> Iterator[list[Station]]:
    lines = Lines()
    made = [Station(name, databases(), catalog, clock, lines) for name in ("zezhou", "jincheng")]
    with connected(made):
        yield made


@pytest.fixture
def city(nodes: list[Station]) -> Station:
    return nodes[1]


@pytest.fixture
def messages(nodes: list[Station]) -> list[bytes]:
    """Twelve messages of the county, one after the other in its channel."""
    county = nodes[0]
    with county.node.db.write() as tx:
        for number in range(12):
            told = Notice(title=f"第{number}件", issuer="泽州县应急管理局", issued=date(2024, 12, 27), text="试")
            post(tx, county.node, Draft("notice", "jincheng", told.model_dump()))
    return [bytes(row.content) for row in county.rows(outbox) if row.kind == "notice"]


def together(city: Station, contents: list[bytes]) -> list[Answer]:
    return receive_together(city.node, [Visit(read_letter(content)) for content in contents])


def stored(answer: Answer, city: Station) -> SignedStored:
    told = read_answer(answer.content)
    assert isinstance(told, SignedStored)
    assert Verdict.VALID is told.verify([city.node.key.public])
    return told


@contextmanager
def counted(city: Station) -> Iterator[list[str]]:
    """What the city's node asks of its database."""
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    event.listen(city.node.db.writer, "before_cursor_execute", note)
    yield asked
    event.remove(city.node.db.writer, "before_cursor_execute", note)


def test_as_many_statements_for_ten_as_for_one(messages: list[bytes], city: Station) -> None:
    receive(city.node, messages[0])
    with counted(city) as for_one:
        together(city, messages[1:2])
    with counted(city) as for_ten:
        together(city, messages[2:])

    assert len(for_ten) == len(for_one) <= MOST_STATEMENTS
    assert messages == [bytes(row.content) for row in city.rows(inbox)]


def test_a_channel_in_any_order(messages: list[bytes], city: Station) -> None:
    """What comes before the message it follows is held; that one may come in the same transaction, or later."""
    first, second, third, fourth = messages[:4]
    answers = together(city, [fourth, second, first])

    assert [202, 202, 200] == [a.status for a in answers]
    assert [True, False, False] == [row.held for row in city.rows(inbox)]
    assert [200] == [a.status for a in together(city, [third])]
    assert not any(row.held for row in city.rows(inbox))
    assert [200] == [a.status for a in together(city, messages[4:5])]


def test_the_same_twice_in_one(messages: list[bytes], city: Station) -> None:
    first, again = together(city, [messages[0], messages[0]])

    assert (first.content, 200, 200) == (again.content, first.status, again.status)
    assert (False, True) == (first.is_again, again.is_again)
    assert 1 == len(city.rows(inbox))


def test_one_that_is_refused_is_refused_alone(messages: list[bytes], city: Station) -> None:
    changed = messages[1].replace("第1件".encode(), "第9件".encode())
    answers = together(city, [messages[0], changed, messages[1]])

    assert ["", "payload-differs", ""] == [a.slug for a in answers]
    assert [messages[0], messages[1]] == [bytes(row.content) for row in city.rows(inbox)]


@contextmanager
def kept_busy(city: Station, doorway: Doorway, first: bytes) -> Iterator[Callable[[bytes], Future[Answer]]]:
    """The county's node is held, and so is who comes with the first message; gives how others come."""
    with start_blocking_portal() as portal, city.node.db.write() as tx:
        senders(tx, ["zezhou"])
        coming = portal.start_task_soon(doorway.receive, first)
        _wait_for(lambda: doorway.is_busy and not doorway.waiting)
        yield lambda content: coming if content is first else portal.start_task_soon(doorway.receive, content)


def at_the_door(city: Station, contents: list[bytes]) -> list[Answer]:
    """The answers to messages that come while the node is kept busy: one is being taken in, all others wait."""
    doorway = Doorway(city.node)
    with kept_busy(city, doorway, contents[0]) as come:
        coming = []
        for count, content in enumerate(contents):  # in this order, as they are in their channel
            coming.append(come(content))
            _wait_for(lambda count=count: doorway.waiting == count)  # type: ignore[misc]
    return [answer.result() for answer in coming]


def _wait_for(there: Callable[[], bool]) -> None:
    while not there():
        sleep(0.01)


def test_who_waits_shares_the_next_commit(messages: list[bytes], city: Station) -> None:
    commits: list[object] = []

    def note(connection: object) -> None:
        commits.append(connection)

    event.listen(city.node.db.writer, "commit", note)
    answers = at_the_door(city, messages)
    event.remove(city.node.db.writer, "commit", note)

    assert 3 == len(commits)  # of what kept them waiting, of the first, and of all others
    told = [stored(answer, city).stored for answer in answers]
    assert [read_letter(content).hash for content in messages] == [t.message_hash for t in told]
    assert not any(row.held for row in city.rows(inbox))


def test_what_cannot_be_stored_keeps_no_other_from_it(messages: list[bytes], city: Station) -> None:
    """The database will not have one of them: all others of its transaction are stored after all."""
    unwanted = read_letter(messages[3]).message.envelope.id
    with city.node.db.write() as tx:
        tx.execute(text(_REFUSING[tx.dialect.name].format(unwanted)))
    answers = at_the_door(city, messages[:4])

    assert [True, True, True, False] == [a.is_stored for a in answers]
    assert (429, "busy") == (answers[3].status, answers[3].slug)
    assert set(messages[:3]) == {bytes(row.content) for row in city.rows(inbox)}


_REFUSING = {
    "sqlite": "CREATE TRIGGER no BEFORE INSERT ON inbox WHEN NEW.message_id = '{}' BEGIN SELECT RAISE(ABORT, 'no'); END",
    "postgresql": "ALTER TABLE inbox ADD CONSTRAINT no CHECK (message_id <> '{}')",
}


def test_strangers_keep_nobody_waiting(messages: list[bytes], nodes: list[Station]) -> None:
    """Without a known name and its key nothing is begun, whoever is writing."""
    county, city = nodes
    message = read_letter(messages[0]).message
    stranger = message.envelope.model_copy(update={"sender": "nobody"})
    false_key = SigningKey.generate(county.node.key.key_id)
    forged = [seal(e, message.payload, false_key).to_bytes() for e in (stranger, message.envelope)]
    doorway = Doorway(city.node)
    with city.node.db.write(), start_blocking_portal() as portal:
        answers = [portal.call(doorway.receive, content) for content in (*forged, b"{}")]

    assert ["unknown-sender", "bad-signature", "malformed"] == [a.slug for a in answers]
    assert [] == city.rows(inbox)


def test_taking_up_gives_way_for_a_while_only(messages: list[bytes], city: Station) -> None:
    """Where somebody is always at the door, what is stored is taken up all the same."""
    doorway = Doorway(city.node)
    doorway.give_way()
    with kept_busy(city, doorway, messages[0]) as come:
        doorway.give_way()
        assert doorway.is_busy
        first = come(messages[0])
    assert first.result().is_stored
    _wait_for(lambda: not doorway.is_busy)


def test_a_large_message_is_read_apart(messages: list[bytes], nodes: list[Station], city: Station) -> None:
    """Nobody waits for the reading; it is taken in as any other."""
    county = nodes[0]
    with county.node.db.write() as tx:
        told = Notice(title="长", issuer="泽州县应急管理局", issued=date(2024, 12, 27), text="试" * 100_000)
        post(tx, county.node, Draft("notice", "jincheng", told.model_dump()))
    contents = [*messages, bytes(county.rows(outbox)[-1].content)]
    doorway = Doorway(city.node)
    with start_blocking_portal() as portal:
        answers = [portal.call(doorway.receive, content) for content in contents]
        assert "malformed" == portal.call(doorway.receive, contents[-1][:-1]).slug

    assert 256 * 2**10 < len(contents[-1])
    assert all(answer.is_stored for answer in answers)
    assert contents == [bytes(row.content) for row in city.rows(inbox)]


def test_nothing_is_searched_from_end_to_end(messages: list[bytes], city: Station) -> None:
    """What is asked of the inbox is found by an index, however much is in it; SQLite tells how it looks."""
    if not city.node.db.is_sqlite:
        pytest.skip("PostgreSQL decides by how much there is")
    together(city, messages[:2])
    plans: list[str] = []

    def explain(connection: Any, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        if statement.startswith("SELECT") and "inbox" in statement:
            raw = connection.connection.driver_connection
            plans.extend(row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {statement}", parameters))

    event.listen(city.node.db.writer, "before_cursor_execute", explain)
    together(city, messages[2:])
    event.remove(city.node.db.writer, "before_cursor_execute", explain)

    looks = [plan for plan in plans if "inbox" in plan]
    assert 2 == len(looks)
    assert all(plan.startswith("SEARCH inbox USING INDEX") for plan in looks), plans
