"""What the runs with real processes have found, each small and by itself, on both databases."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from exchanging import ACTOR, Lines, Station, connected, settle
from gmsafety import Catalog
from gmsafety.exchange.answers import SignedRefusal, read_answer
from gmsafety.exchange.receipts import Verdict
from gmsafety_server.db import TAKING, try_turn
from gmsafety_server.errors import Problem
from gmsafety_server.features.exchange import introducing, repository
from gmsafety_server.features.exchange.delivering import LEASE, deliver
from gmsafety_server.features.exchange.takingup import take_up
from gmsafety_server.features.exchange.wire import Reply, Unreached
from gmsafety_server.tables import inbox, keys, outbox, slots, submissions
from test_exchange_story import Office, agree, receipts
from world import StandingClock


@pytest.fixture
def lines() -> Lines:
    return Lines()


@pytest.fixture
def offices(
    databases: Callable[[], str], catalog: Catalog, clock: StandingClock, lines: Lines
) -> Iterator[list[Office]]:
    """County and city."""
    made = [Station(name, databases(), catalog, clock, lines) for name in ("zezhou", "jincheng")]
    with connected(made):
        yield [Office(station) for station in made]


def rotate(station: Station) -> None:
    with station.node.db.write() as tx:
        introducing.rotate(tx, station.node, actor=ACTOR)


def test_a_file_waits_while_the_key_is_changed(offices: list[Office], lines: Lines, clock: StandingClock) -> None:
    """The message that tells of the new key comes after one whose file the other node lacks: the file is put all the
    same, in a call that the older key signs."""
    county, city = offices
    lines.cut.add("jincheng")
    filed = county.file()
    county.station.work()
    rotate(county.station)
    county.station.start_again()
    assert 1 == len(county.station.node.others)
    lines.cut.clear()
    clock.set(max(row.next_try for row in county.station.rows(outbox)))

    assert ["stored", "checked"] == receipts(agree(filed, county, city))
    assert ["submission", "keys"] == [row.kind for row in city.station.rows(inbox)]


def test_both_change_their_key_at_once(offices: list[Office], lines: Lines, clock: StandingClock) -> None:
    """Each answers with a key of which the other has not heard: what follows is sent all the same, for among it is the
    message that tells of the key."""
    county, city = offices
    first = county.file()
    settle(county.station, city.station)
    lines.cut |= {"zezhou", "jincheng"}
    city.decide(first, "return", reasons=[{"where": "C6", "text": "请核对"}])
    filed = county.correct(first, 21)
    for office in offices:
        rotate(office.station)
        office.station.start_again()
    lines.cut.clear()
    for _ in range(4):
        settle(county.station, city.station)
        clock.set(clock.now() + timedelta(seconds=30))

    assert ["stored", "checked"] == receipts(agree(filed, county, city))
    assert [0, 0] == [o.station.counts()["unsent"] for o in offices]
    assert [[], []] == [o.station.faults() for o in offices]


def test_no_more_keys_than_a_message_has_signatures(offices: list[Office]) -> None:
    """With a fifth key nothing could be sent any more; so it is not made, and it is said which one to retire first."""
    county, city = offices
    for _ in range(3):
        rotate(county.station)
    with pytest.raises(Problem, match="已有4个在用的密钥"):
        rotate(county.station)
    county.station.start_again()
    oldest = county.station.rows(keys)[0].key_id if "id" in keys.c else county.station.node.others[-1].key_id
    filed = county.file()
    assert ["stored", "checked"] == receipts(agree(filed, county, city))
    with county.station.node.db.write() as tx:
        introducing.retire(tx, county.station.node, oldest, revoked=False, actor=ACTOR)
    rotate(county.station)


def test_a_correction_comes_before_what_it_corrects(
    offices: list[Office], lines: Lines, clock: StandingClock
) -> None:  # fmt: skip
    """It is held, and its time counts: what came first is the earliest of all, whatever is taken up first."""
    county, city = offices
    first = county.file()
    county.correct(first, 21)
    rows = county.station.rows(outbox)
    county.station.lines.cut.add("jincheng")
    county.station.work()
    county.station.lines.cut.clear()
    early = clock.now()
    assert 202 == city.station.http.post("/exchange/v1/messages", content=bytes(rows[1].content)).status_code
    clock.set(early + timedelta(minutes=5))
    settle(county.station, city.station)

    [slot] = [r for r in city.station.rows(slots) if r.received_at is not None]
    came = sorted(r.received_at for r in city.station.rows(submissions))
    assert [early, clock.now()] == came
    assert early == slot.received_at
    assert [[], []] == [o.station.faults() for o in offices]


def test_no_room_where_it_is_received(offices: list[Office], lines: Lines, clock: StandingClock) -> None:
    """The database can store nothing: a signed answer that asks to come again, and nothing half-written."""
    county, city = offices
    county.file()
    [waiting] = county.station.rows(outbox)
    before, db = city.station.standing(), city.station.node.db
    with db.write() as tx:  # a trigger stands for a disk that is full
        for statement in _refusing(tx.dialect.name, begin=True):
            tx.exec_driver_sql(statement)
    told = dict[str, Any](county="", seen=[])
    lines.after = lambda _name, reply: (told["seen"].append(reply), reply)[1]
    county.station.work()
    [failed] = county.station.rows(outbox)
    answer = read_answer(told["seen"][-1].content)

    assert ("busy", 1, None) == (failed.problem, failed.failures, failed.answered_at)
    assert isinstance(answer, SignedRefusal)
    assert Verdict.VALID == answer.verify([city.station.node.key.public])
    assert (429, "2") == (told["seen"][-1].status, told["seen"][-1].headers["retry-after"])
    assert before == city.station.standing()
    with db.write() as tx:
        for statement in _refusing(tx.dialect.name, begin=False):
            tx.exec_driver_sql(statement)
    clock.set(failed.next_try)
    settle(county.station, city.station)
    assert [waiting.hash] == [row.hash for row in city.station.rows(inbox)]


def _refusing(kind: str, *, begin: bool) -> list[str]:
    """Statements that make every new message fail, and that end it."""
    if kind == "sqlite":
        fails = "CREATE TRIGGER full BEFORE INSERT ON inbox BEGIN SELECT abs(-9223372036854775808); END"
        return [fails] if begin else ["DROP TRIGGER full"]
    function = (
        "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'no room' USING ERRCODE = 'disk_full'; END $$"
    )
    fails = "CREATE TRIGGER no_room BEFORE INSERT ON inbox FOR EACH ROW EXECUTE FUNCTION no_room()"
    return [function, fails] if begin else ["DROP TRIGGER no_room ON inbox", "DROP FUNCTION no_room"]


# --- who sends what ----------------------------------------------------------------------------------------------


def file_three(county: Office) -> None:
    first = county.file()
    county.correct(county.correct(first, 21), 22)


def lease(station: Station, *, limit: int = 50) -> list[int]:
    """Take messages, as a process does that is going to send them."""
    now = station.node.clock.now()
    with station.node.db.write() as tx:
        return [row.id for row in repository.lease(tx, now, now + LEASE, limit=limit)]


def test_a_channel_is_in_one_hand(offices: list[Office], clock: StandingClock) -> None:
    """What another process has taken is left to it, and what comes after that in the same channel as well."""
    county, city = offices
    file_three(county)
    [first] = lease(county.station, limit=1)
    assert [] == lease(county.station)
    assert 0 == deliver(county.station.node, county.station.lines)
    clock.set(clock.now() + LEASE + timedelta(seconds=1))
    assert first == lease(county.station)[0]

    with county.station.node.db.write() as tx:  # as the server does when it starts
        repository.end_leases(tx)
    assert 3 == deliver(county.station.node, county.station.lines)
    assert [1, 2, 3] == [row.sequence for row in city.station.rows(inbox)]
    assert {200} == {row.failures + 200 for row in county.station.rows(outbox)}


def test_sending_takes_long(offices: list[Office], lines: Lines, clock: StandingClock) -> None:
    """Whoever sends keeps what was taken for longer; once somebody else has taken it, it is theirs."""
    county, _ = offices
    file_three(county)

    def slowly(_name: str, reply: Reply) -> Reply:
        clock.set(clock.now() + LEASE * 0.75)
        return reply

    lines.after = slowly
    assert 3 == deliver(county.station.node, lines)

    file_again, clock_now = county.correct, clock.now()
    current = max(county.station.rows(submissions), key=lambda r: r.revision)
    for found in (23, 24):
        told = file_again({"uid": current.uid, "payload_hash": current.payload_hash}, found)
        current = next(r for r in county.station.rows(submissions) if r.uid == told["uid"])

    def taken_over(_name: str, reply: Reply) -> Reply:
        with county.station.node.db.write() as tx:
            tx.execute(update(outbox).values(leased_until=clock_now + 10 * LEASE))
        clock.set(clock.now() + LEASE * 0.75)
        return reply

    lines.after = taken_over
    sent = len(lines.sent)
    deliver(county.station.node, lines)
    posts = [url for method, url, _ in lines.sent[sent:] if method == "POST"]
    assert 1 == len(posts)


def test_what_waited_is_sent_when_the_other_is_there_again(
    offices: list[Office], lines: Lines, clock: StandingClock
) -> None:
    """After many failures the next try is far off; but when anything gets through, the rest need not wait."""
    county, city = offices
    first = county.file()
    lines.cut.add("jincheng")
    for _ in range(8):
        clock.set(county.station.rows(outbox)[0].next_try)
        county.station.work()
    assert county.station.rows(outbox)[0].next_try > clock.now() + timedelta(seconds=10)
    lines.cut.clear()
    county.correct(first, 21)
    settle(county.station, city.station)
    assert [1, 2] == [row.sequence for row in sorted(city.station.rows(inbox), key=lambda r: r.sequence)]
    assert 0 == county.station.counts()["unsent"]


def test_a_message_is_taken_up_by_one(offices: list[Office]) -> None:
    """Over PostgreSQL a message that another process is at is left to it; when that one is gone, it is free again."""
    county, city = offices
    county.file()
    county.station.work()
    [row] = city.station.rows(inbox)
    db = city.station.node.db
    if db.is_sqlite:
        assert 1 == take_up(city.station.node)
        return
    with db.write() as tx:
        assert try_turn(tx, TAKING, row.id)
        assert 0 == take_up(city.station.node)
    assert 1 == take_up(city.station.node)
    with db.read() as tx:
        assert 1 == len(tx.execute(select(submissions)).all())


def test_an_answer_lost_is_not_the_end(offices: list[Office], lines: Lines, clock: StandingClock) -> None:
    """Another round begins where the last one broke off, in the order of the channel."""
    county, city = offices
    file_three(county)
    seen = 0

    def breaks(_name: str, reply: Reply) -> Reply:
        nonlocal seen
        seen += 1
        if seen == 4:
            raise Unreached("cut")
        return reply

    lines.after = breaks
    county.station.work()
    lines.after = lambda _name, reply: reply
    clock.set(max(row.next_try for row in county.station.rows(outbox)))
    settle(county.station, city.station)
    assert [1, 2, 3] == [row.sequence for row in city.station.rows(inbox)]
    assert [[], []] == [o.station.faults() for o in offices]
