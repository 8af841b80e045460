"""Statements between nodes: when they are told, what they show, and the tasks that people have of it."""

import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from browsing import Browser
from exchanging import ACTOR, Lines, Station, connected, settle
from gmsafety import Catalog
from gmsafety.exchange.envelope import Draft, opened, seal
from gmsafety.exchange.reconciling import Channel, Copies
from gmsafety.exchange.signing import SigningKey
from gmsafety_server.backup import restore
from gmsafety_server.features.exchange import introducing
from gmsafety_server.features.exchange.reconciling import state_now
from gmsafety_server.mail.books import Books
from gmsafety_server.mail.posting import post
from gmsafety_server.tables import channels_in, exchange_tasks, inbox, outbox
from test_exchange_restored import asking, back_up, go_back, known, open_tasks
from test_exchange_story import TABLE, WEEK, Office, receipts
from world import StandingClock

NIL = {"item": "shanxi.major-hazard-ledger", "period": WEEK, "nil": True, "reason": "本周没有"}


@pytest.fixture
def lines() -> Lines:
    return Lines()


@pytest.fixture
def nodes(
    databases: Callable[[], str], catalog: Catalog, clock: StandingClock, lines: Lines
) -> Iterator[list[Station]]:  # fmt: skip
    made = [Station(name, databases(), catalog, clock, lines) for name in ("zezhou", "jincheng")]
    with connected(made):
        yield made


@pytest.fixture
def county(nodes: list[Station]) -> Office:
    return Office(nodes[0])


@pytest.fixture
def city(nodes: list[Station]) -> Station:
    return nodes[1]


def kinds(station: Station) -> list[str]:
    return [r.kind for r in station.rows(outbox)]


def tasks(station: Station) -> list[tuple[str, str]]:
    return [(t.kind, t.state) for t in station.rows(exchange_tasks)]


def test_when_statements_are_told(nodes: list[Station], clock: StandingClock) -> None:
    """Within the hour after nodes know each other, at a deadline once, daily, and when somebody wants it."""
    county, _ = nodes
    begin = clock.now()  # at eleven
    settle(*nodes)
    assert [[], []] == [kinds(n) for n in nodes]
    clock.set(begin + timedelta(minutes=60))  # at noon weekly forms are due
    settle(*nodes)
    first = [len(kinds(n)) for n in nodes]
    assert [{"digest"}] * 2 == [set(kinds(n)) for n in nodes]
    clock.set(begin + timedelta(hours=5))
    settle(*nodes)
    assert first == [len(kinds(n)) for n in nodes]

    with county.node.db.write() as tx:
        assert ["jincheng"] == state_now(tx, county.node, None, actor=ACTOR)
    settle(*nodes)
    second = [len(kinds(n)) for n in nodes]
    assert [first[0] + 1, first[1] + 1] == second
    clock.set(begin + timedelta(hours=30))
    settle(*nodes)
    assert all(now > before for now, before in zip([len(kinds(n)) for n in nodes], second, strict=True))
    assert [[], []] == [open_tasks(n) for n in nodes]
    assert all(r.problem is None and r.taken_at for n in nodes for r in n.rows(inbox))


def test_a_deadline_that_has_passed_is_told_of_once(nodes: list[Station], clock: StandingClock) -> None:
    county, _ = nodes
    clock.set(clock.now() + timedelta(minutes=45))
    with county.node.db.write() as tx:
        state_now(tx, county.node, "jincheng", actor=ACTOR)
    settle(*nodes)
    before = [len(kinds(n)) for n in nodes]
    clock.set(clock.now() + timedelta(minutes=16))
    settle(*nodes)
    after = [len(kinds(n)) for n in nodes]
    settle(*nodes)

    assert all(b < a for b, a in zip(before, after, strict=True))
    assert after == [len(kinds(n)) for n in nodes]


def test_one_that_is_not_reached_is_told_once(nodes: list[Station], lines: Lines, clock: StandingClock) -> None:
    """Statements do not pile up in the outbox for a node that is down for a week."""
    lines.cut.add("jincheng")
    for _ in range(7):
        clock.set(clock.now() + timedelta(days=1))
        nodes[0].work()

    assert ["digest"] == kinds(nodes[0])


def test_what_a_restored_node_lacks_is_a_task_until_it_is_there(
    county: Office, city: Station, lines: Lines, clock: StandingClock, tmp_path: Path
) -> None:
    back_up(city, tmp_path / "backup.zip")
    filed = county.file()
    settle(county.station, city)
    go_back(city, tmp_path / "backup.zip", clock)
    lines.cut.add("jincheng")
    city.work()
    county.station.work()

    [task] = county.station.rows(exchange_tasks)
    assert ("missing_there", "open", [[1, 1]]) == (task.kind, task.state, task.numbers)
    lines.cut.clear()
    clock.set(max(r.next_try for r in county.station.rows(outbox)))
    settle(county.station, city)
    county.station.work()
    assert [("missing_there", "settled")] == tasks(county.station)
    assert ["stored", "checked"] == receipts(county.look(filed))


def two_filed(county: Office) -> list[Any]:
    """Two nil reports that are not sent yet."""
    for item, name in ((NIL["item"], "m-12345678"), (TABLE, "m-23456789")):
        filed = county.clerk.post("/submissions", json={**NIL, "item": item, "message_id": name})
        assert 201 == filed.status_code, filed.text
    return county.station.rows(outbox)


def test_a_message_that_is_missing_for_long(county: Office, city: Station, lines: Lines, clock: StandingClock) -> None:
    """The second came, the first did not: after half an hour people are told; when it is there, it is settled."""
    second = two_filed(county)[1]
    assert 202 == city.http.post("/exchange/v1/messages", content=bytes(second.content)).status_code
    lines.cut.add("zezhou")
    city.work()
    assert [] == tasks(city)
    clock.set(clock.now() + timedelta(minutes=31))
    city.work()
    [task] = city.rows(exchange_tasks)
    assert ("gap", "open", [[1, 1]]) == (task.kind, task.state, task.numbers)

    lines.cut.clear()
    clock.set(clock.now() + timedelta(minutes=20))
    settle(county.station, city)
    assert [("gap", "settled")] == tasks(city)


def test_what_neither_node_has_any_more(county: Office, city: Station, clock: StandingClock, tmp_path: Path) -> None:
    """The county sent two, of which the second arrived; then it went back to before both."""
    back_up(county.station, tmp_path / "backup.zip")
    second = two_filed(county)[1]
    assert 202 == city.http.post("/exchange/v1/messages", content=bytes(second.content)).status_code
    go_back(county.station, tmp_path / "backup.zip", clock)
    settle(county.station, city)
    with county.station.node.db.write() as tx:
        state_now(tx, county.station.node, None, actor=ACTOR)
    settle(county.station, city)

    [told] = known(county).values()
    assert (["stored", "checked"], "m-23456789") == (receipts(told), told["message_id"])
    assert [[("lost", "jincheng")], [("lost", "zezhou")]] == [open_tasks(s) for s in (county.station, city)]
    page = Browser(city.node, city.person("administrator")).get("/admin/exchange/tasks")
    assert "对方发的第1件，两边都没有了" in page.text


def test_a_refused_form_whose_deadline_is_near(county: Office, city: Station, clock: StandingClock) -> None:
    with city.node.db.write() as tx:
        introducing.open_peer(tx, city.node, "zezhou", is_open=False, actor=ACTOR)
    county.file()
    county.station.work()
    county.station.work()
    keeper = Browser(county.station.node, county.station.person("administrator"))
    listed = keeper.get("/admin/exchange/tasks")
    [task] = county.station.rows(exchange_tasks)
    done, dismissed, opened_ = (f"/admin/exchange/tasks/{task.id}/{to}" for to in ("done", "dismissed", "open"))

    assert ("dead", "open") == (task.kind, task.state)
    assert "发件第1件被对方拒收，将误截止时间（GM-E804 不接收）" in listed.text
    assert {done, dismissed, "/admin/exchange/reconcile"} == listed.actions()
    assert "对账待办 1" in keeper.get("/admin/exchange").text
    assert 'gmsafety_exchange_tasks{kind="dead"} 1\n' in county.station.http.get("/metrics").text

    assert ["请写明为什么不需处理。请按所列逐项改正。"] == keeper.send(listed, dismissed, reason=" ").said()
    after = keeper.send(listed, dismissed, reason="本期已停报")
    assert [f"第{task.id}项：不需处理。在“已处理”“不需处理”里可重新打开。"] == after.said()
    assert "没有待办的差异" in after.text
    county.station.work()
    away = keeper.get("/admin/exchange/tasks?standing=dismissed&kind=dead&peer=jincheng")
    assert "本期已停报" in away.text
    assert [f"第{task.id}项：待办。"] == keeper.send(away, opened_).said()

    with city.node.db.write() as tx:
        introducing.open_peer(tx, city.node, "zezhou", is_open=True, actor=ACTOR)
    with county.station.node.db.write() as tx:
        state_now(tx, county.station.node, None, actor=ACTOR)
    settle(county.station, city)
    clock.set(clock.now() + timedelta(minutes=2))  # what is missing before the statement is asked for
    settle(county.station, city)
    assert [("dead", "settled")] == tasks(county.station)
    assert [None, None] == [r.dead_at for r in county.station.rows(outbox)][:2]


def test_a_database_put_back_without_saying_so(
    county: Office, city: Station, clock: StandingClock, tmp_path: Path
) -> None:
    """The next message shows it: its number was used. The node begins anew, gets back what it lost; a person looks."""
    station = county.station
    assert 201 == county.clerk.post("/submissions", json={**NIL, "message_id": "m-12345678"}).status_code
    settle(station, city)
    back_up(station, tmp_path / "backup.zip")
    weekly = {**NIL, "item": TABLE}
    lost = county.clerk.post("/submissions", json={**weekly, "message_id": "m-23456789"}).json()
    settle(station, city)
    station.node.db.close()
    restore(station.node.db, tmp_path / "backup.zip", force=True, now=None, progress=lambda *_: None)
    station.start_again()
    clock.set(clock.now() + timedelta(minutes=5))
    assert 201 == county.clerk.post("/submissions", json={**weekly, "message_id": "m-34567890"}).status_code
    settle(station, city)
    settle(station, city)

    assert set() == asking(station)
    assert ["broken-chain"] == [r.problem for r in station.rows(outbox) if r.problem]
    assert {("dead", "jincheng"), ("forked", "jincheng")} == set(open_tasks(station))
    assert lost["uid"] not in known(county)  # its number belongs to another message here, and nothing is overwritten
    assert lost["uid"] in known(Office(city))


def test_copies_of_what_was_never_said(county: Office, city: Station) -> None:
    """The city gives back a message that the county has not signed."""
    filed = county.file()
    settle(county.station, city)
    [row] = [r for r in city.rows(inbox) if r.kind == "submission"]
    message = opened(bytes(row.content))
    link = message.envelope.link.model_copy(update={"epoch": "20200101T000000.000000Z"})
    forged = seal(message.envelope.model_copy(update={"link": link, "id": "x"}), message.payload, STRANGER)
    copies = {"messages": [{"message": forged.model_dump(), "answer": _answer(row)}]}
    before = known(county)
    with city.node.db.write() as tx:
        told = Copies.model_validate(copies).model_dump()
        post(tx, city.node, Draft("copies", "zezhou", told, answers=message.envelope.id))
    settle(county.station, city)

    assert before == known(county)
    assert filed["uid"] in before
    assert [("foreign", "open")] == tasks(county.station)
    assert ["submission"] == kinds(county.station)


STRANGER = SigningKey.generate("zezhou-2024-1")


def _answer(row: Any) -> dict[str, Any]:
    from gmsafety.exchange.answers import read_answer  # noqa: PLC0415 - only here

    return read_answer(bytes(row.answer)).model_dump()


def test_the_books_tell_what_is_in_the_boxes(city: Station, clock: StandingClock) -> None:
    """Any numbers of any epochs, with gaps and without: as the core tells it from all of them."""
    chance, now = random.Random(7), clock.now()
    epochs = [f"2024122{n}T000000.000000Z" for n in range(6)]
    sent: dict[str, dict[int, str]] = {}
    with city.node.db.write() as tx:
        books = Books(tx, now)
        for epoch in epochs[:-1]:
            numbers = [n for n in range(1, 40) if chance.random() < 0.9] if epoch != epochs[0] else list(range(1, 30))
            sent[epoch] = {n: f"{epoch[:8]}{n:056d}" for n in numbers}
            tx.execute(insert(outbox), [_row(epoch, n, h, now) for n, h in sent[epoch].items()])
        books.outgoing("zezhou")
        books.begin("zezhou", epochs[-1])
        told = books.sent("zezhou")

    assert [Channel.of(epoch, sent[epoch]) for epoch in epochs[:-1]] == told


def _row(epoch: str, number: int, hashed: str, now: Any) -> dict[str, Any]:
    return {
        "receiver": "zezhou", "message_id": f"{epoch}-{number}", "hash": hashed, "kind": "notice", "epoch": epoch,
        "sequence": number, "content": b"{}", "attachments": [], "posted_at": now, "failures": 0, "next_try": now,
        "answered_at": now,
    }  # fmt: skip


def test_forms_wait_for_older_epochs(county: Office, city: Station, lines: Lines, clock: StandingClock) -> None:
    """What is about a form is taken up when all that its sender said before is complete; the node asks by itself."""
    with city.node.db.write() as tx:
        older = {"sender": "zezhou", "epoch": "20200101T000000.000000Z", "sequence": 3, "hash": "0" * 64, "lost": []}
        tx.execute(insert(channels_in).values(older))
    filed = county.file()
    lines.cut.add("zezhou")
    county.station.work()
    city.work()
    assert [("submission", None)] == [(r.kind, r.taken_at) for r in city.rows(inbox)]
    assert ["digest"] == kinds(city)

    lines.cut.clear()
    clock.set(city.rows(outbox)[0].next_try)
    settle(county.station, city)
    assert ["stored", "checked"] == receipts(county.look(filed))
