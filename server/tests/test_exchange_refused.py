"""What a node does not take: refused with a signed code, logged, nothing changed; and the way is free afterwards."""

import json
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from exchanging import ACTOR, Lines, Station, connected, settle
from gmsafety import Catalog
from gmsafety.exchange.answers import SignedRefusal, SignedStored, read_answer
from gmsafety.exchange.calls import HEADER, Call, sign_call
from gmsafety.exchange.canonical import canonical, digest
from gmsafety.exchange.envelope import Message, opened, seal
from gmsafety.exchange.receipts import Verdict
from gmsafety.exchange.signing import SigningKey
from gmsafety_server.features.exchange import examining, introducing, reconciling, repository, service
from gmsafety_server.features.exchange.doorway import Doorway
from gmsafety_server.tables import inbox, outbox, peers
from test_exchange_story import TABLE, WEEK, Office, receipts
from world import GAOPING, StandingClock

FILED_LATER = {
    "message_id": "m-later-1",
    "item": "shanxi.major-hazard-ledger",
    "period": WEEK,
    "nil": True,
    "reason": "试",
}


@pytest.fixture
def nodes(databases: Callable[[], str], catalog: Catalog, clock: StandingClock) -> Iterator[list[Station]]:
    lines = Lines()
    made = [Station(name, databases(), catalog, clock, lines) for name in ("zezhou", "jincheng")]
    with connected(made):
        yield made


@pytest.fixture
def county(nodes: list[Station]) -> Office:
    return Office(nodes[0])


@pytest.fixture
def city(nodes: list[Station]) -> Station:
    return nodes[1]


@pytest.fixture
def message(county: Office) -> Message:
    """A nil report as the county's node has sealed it, not sent yet."""
    told = {"message_id": "m-12345678", "item": TABLE, "period": WEEK, "nil": True, "reason": "本周没有"}
    assert 201 == county.clerk.post("/submissions", json=told).status_code
    return opened(bytes(county.station.rows(outbox)[0].content))


def post(city: Station, content: bytes) -> tuple[int, Any]:
    """What the city answers; its signature holds."""
    answer = city.http.post("/exchange/v1/messages", content=content)
    told = read_answer(answer.content)
    assert Verdict.VALID is told.verify([city.node.key.public])
    return answer.status_code, told


def changed(message: Message, key: SigningKey, **values: Any) -> bytes:
    """The message with something else in its envelope, signed again."""
    payload = values.pop("payload", message.payload)
    envelope = message.envelope.model_copy(update={**values, "payload_hash": digest(canonical(payload))})
    return seal(envelope, payload, key).to_bytes()


def respelt(message: Message) -> bytes:
    told = json.loads(message.to_bytes())
    told["payload"]["note"] = "改了"
    return canonical(told)


STRANGER = SigningKey.generate("zezhou-2024-1")

CASES: dict[str, tuple[str, Callable[[Message, SigningKey], bytes]]] = {
    "malformed": ("malformed", lambda m, _: m.to_bytes()[:-20]),
    "no JSON": ("malformed", lambda _m, _k: b"\xff\x00"),
    "version": ("version", lambda m, _: m.to_bytes().replace(b"gmsafety/1", b"gmsafety/9")),
    "not for us": ("not-for-us", lambda m, k: changed(m, k, receiver="shanxi")),
    "unknown sender": ("unknown-sender", lambda m, k: changed(m, k, sender="gaoping")),
    "another's key": ("bad-signature", lambda m, _: changed(m, STRANGER)),
    "payload changed": ("payload-differs", lambda m, _: respelt(m)),
    "clock": ("clock", lambda m, k: changed(m, k, sealed_at=m.envelope.sealed_at + timedelta(hours=1))),
    "a test": ("not-applicable", lambda m, k: changed(m, k, test=True)),
    "another's unit": (
        "not-applicable",
        lambda m, k: changed(m, k, subject=m.envelope.subject and m.envelope.subject.model_copy(update={"unit": GAOPING})),
    ),
    "no such unit": (
        "not-applicable",
        lambda m, k: changed(m, k, subject=m.envelope.subject and m.envelope.subject.model_copy(update={"unit": "a.b"})),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_refused(case: str, message: Message, county: Office, city: Station, caplog: pytest.LogCaptureFixture) -> None:
    slug, make = CASES[case]
    content = make(message, county.station.node.key)
    before = city.standing()
    with caplog.at_level(logging.WARNING, "gmsafety.exchange"):
        status, told = post(city, content)

    assert isinstance(told, SignedRefusal)
    assert (slug, status, digest(content)) == (told.refusal.slug, told.refusal.status, told.refusal.received)
    assert before == city.standing()
    assert [digest(content)] == [digest(content) for r in caplog.records if digest(content) in r.getMessage()]
    settle(county.station, city)
    assert (0, 0) == (county.station.counts()["unsent"], city.counts()["failed"])


def test_other_bytes_under_the_same_id(message: Message, county: Office, city: Station) -> None:
    settle(county.station, city)
    before = city.standing()
    other = changed(message, county.station.node.key, payload={**message.payload, "note": "另一份"})
    status, told = post(city, other)

    assert (409, "other-content", message.hash) == (status, told.refusal.slug, told.refusal.stored_hash)
    assert before == city.standing()


def test_a_revoked_key(message: Message, county: Office, city: Station) -> None:
    with city.node.db.write() as tx:
        introducing.revoke_key(tx, city.node, "zezhou", county.station.node.key.key_id, actor=ACTOR)
    before = city.standing()
    county.station.work()
    [row] = county.station.rows(outbox)

    assert ("bad-signature", True) == (row.problem, row.dead_at is not None)
    assert before == city.standing()


def test_a_closed_node(message: Message, county: Office, city: Station) -> None:
    """It is refused as a stranger is; opened again, the dead letter is sent by hand and arrives."""
    with city.node.db.write() as tx:
        introducing.open_peer(tx, city.node, "zezhou", is_open=False, actor=ACTOR)
    county.station.work()
    [row] = county.station.rows(outbox)
    assert ("unknown-sender", {"dead": 1, "unsent": 0}) == (
        row.problem, {n: county.station.counts()[n] for n in ("dead", "unsent")},
    )  # fmt: skip
    with county.station.node.db.read() as tx:
        assert ["1件被对方拒收"] == [f.text for f in service.faults(tx, county.station.node)]

    with city.node.db.write() as tx:
        introducing.open_peer(tx, city.node, "zezhou", is_open=True, actor=ACTOR)
    with county.station.node.db.write() as tx:
        service.send_again(tx, county.station.node, row.id, actor=ACTOR)
    settle(county.station, city)
    [row] = county.station.rows(outbox)
    assert (None, None) == (row.dead_at, row.problem)


def test_what_came_too_early_waits(message: Message, county: Office, city: Station) -> None:
    """The second message is held until the first is there; the gap is told, and both are taken up in order."""
    assert 201 == county.clerk.post("/submissions", json=FILED_LATER).status_code
    first, second = (bytes(r.content) for r in county.station.rows(outbox))
    status, told = post(city, second)
    assert isinstance(told, SignedStored)
    assert (202, True) == (status, told.stored.held)
    city.work()
    with city.node.db.read() as tx:
        [fault] = service.faults(tx, city.node)
    assert ("zezhou", "缺第1件及以前的，后面1件在等") == (fault.where, fault.text)

    assert 200 == post(city, first)[0]
    settle(county.station, city)
    assert [1, 2] == [r.sequence for r in sorted(city.rows(inbox), key=lambda r: (r.taken_at, r.sequence))]
    assert {"held": 0, "untaken": 0, "failed": 0} == {n: city.counts()[n] for n in ("held", "untaken", "failed")}


def test_an_answer_that_is_not_the_other_nodes(message: Message, county: Office, city: Station) -> None:
    """A proxy says 200, somebody else signs: neither counts as delivered."""
    lines = county.station.lines
    forged = read_answer(city.http.post("/exchange/v1/messages", content=b"{}").content)
    assert isinstance(forged, SignedRefusal)
    for content in (b"<html>OK</html>", forged.to_bytes()):
        lines.after = lambda _name, reply, content=content: type(reply)(200, content)  # type: ignore[misc]
        county.station.clock.set(county.station.rows(outbox)[0].next_try)
        county.station.work()
        [row] = county.station.rows(outbox)
        assert (None, None) == (row.answered_at, row.dead_at)
    lines.after = lambda _name, reply: reply
    county.station.clock.set(row.next_try)
    settle(county.station, city)

    assert 0 == county.station.counts()["unsent"]
    assert 1 == len([r for r in city.rows(inbox) if r.kind == "submission"])


def test_fifty_at_once(message: Message, county: Office, city: Station) -> None:
    city.http.app.state.doorway = Doorway(city.node, 100)  # type: ignore[attr-defined]
    content = message.to_bytes()
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: city.http.post("/exchange/v1/messages", content=content), range(50)))

    assert {200} == {a.status_code for a in answers}
    assert 1 == len({a.content for a in answers})
    assert 1 == len(city.rows(inbox))


def test_busy(message: Message, city: Station) -> None:
    city.http.app.state.doorway = Doorway(city.node, 0)  # type: ignore[attr-defined]
    answer = city.http.post("/exchange/v1/messages", content=message.to_bytes())
    told = read_answer(answer.content)

    assert isinstance(told, SignedRefusal)
    assert (429, "2", "busy") == (answer.status_code, answer.headers["retry-after"], told.refusal.slug)
    assert [] == city.rows(inbox)


def test_too_large(city: Station) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(city.node.settings.upload_limit // 2**20 + 1):
            yield b"x" * 2**20

    answer = city.http.post("/exchange/v1/messages", content=endless())
    told = read_answer(answer.content)

    assert isinstance(told, SignedRefusal)
    assert (413, "too-large") == (answer.status_code, told.refusal.slug)


def test_calls_of_strangers(county: Office, city: Station) -> None:
    """Files and messages are given to known nodes only: not to others, not later, not for another request."""
    key, now = county.station.node.key, city.node.clock.now()

    def ask(signer: SigningKey = key, target: str = "/exchange/v1/messages", **more: Any) -> int:
        told = {"id": "c-1", "caller": "zezhou", "receiver": "jincheng", "method": "GET", "target": target}
        call = Call(**{**told, "called_at": now, **more})  # type: ignore[arg-type]
        headers = {HEADER: sign_call(call, signer).to_header()}
        return int(city.http.get("/exchange/v1/messages", headers=headers).status_code)

    assert 204 == ask()
    assert [401] * 6 == [
        ask(STRANGER),
        ask(caller="gaoping"),
        ask(receiver="shanxi"),
        ask(target="/exchange/v1/files/0"),
        ask(called_at=now - timedelta(hours=1)),
        int(city.http.get("/exchange/v1/messages").status_code),
    ]


def test_what_cannot_be_taken_up_is_kept_and_told(county: Office, city: Station, message: Message) -> None:
    """The city does not know the form's period: the message stays, the county sees why, and it can be taken up later."""
    with city.node.db.write() as tx:
        from gmsafety_server.tables import slots  # noqa: PLC0415 - only here

        gone = {"unit": "shanxi.taiyuan-office"}
        mine = (
            slots.c.unit == "jincheng.zezhou-office",
            slots.c.item == TABLE,
            slots.c.period == message.envelope.subject.period,
        )  # type: ignore[union-attr]
        numbers = [r.id for r in tx.execute(slots.select().where(*mine))]
        tx.execute(update(slots).where(slots.c.id.in_(numbers)).values(gone))
    settle(county.station, city)
    [row] = [r for r in city.rows(inbox) if r.problem]
    filed = county.clerk.get("/submissions").json()["items"][0]
    history = county.clerk.get(f"/submissions/{filed['uid']}/history").json()

    assert ("not-owed", 1) == (row.problem, city.counts()["failed"])
    assert ("returned", "本单位这一期没有这项报送任务。请核对期次和报表；确需报送的，请管理员分配任务。") == (
        filed["state"], history[-1]["text"],
    )  # fmt: skip
    assert [("turned-down", True)] == [
        (r.problem, "没有这项报送任务" in r.detail) for r in county.station.rows(outbox) if r.problem
    ]
    with city.node.db.write() as tx:
        tx.execute(update(slots).where(slots.c.id.in_(numbers)).values(unit="jincheng.zezhou-office"))
        service.take_again(tx, city.node, row.id, actor=ACTOR)
    settle(county.station, city)
    told = county.look(filed)
    assert 0 == city.counts()["failed"]
    assert ("submitted", ["stored", "checked"]) == (told["state"], receipts(told))
    assert [] == county.station.faults()


def test_the_keys_are_changed(county: Office, city: Station, message: Message) -> None:
    """The new key is told with the old one; after the next start it signs, and the old one can go."""
    settle(county.station, city)
    old = county.station.node.key.key_id
    with county.station.node.db.write() as tx:
        introducing.rotate(tx, county.station.node, actor=ACTOR)
    county.station.start_again()
    county.clerk.http = county.station.http
    assert 201 == county.clerk.post("/submissions", json=FILED_LATER).status_code
    settle(county.station, city)
    new = county.station.node.key.key_id
    signers = [{s.key_id for s in opened(bytes(r.content)).signatures} for r in county.station.rows(outbox)]
    with county.station.node.db.write() as tx:
        introducing.retire(tx, county.station.node, old, revoked=True, actor=ACTOR)
    settle(county.station, city)
    with city.node.db.read() as tx:
        [known] = tx.execute(peers.select().where(peers.c.name == "zezhou"))

    assert [{old}, {old}, {new, old}] == signers
    assert {old: True, new: False} == {k["key_id"]: k["revoked"] for k in known._mapping["keys"]}
    assert (0, 0) == (county.station.counts()["dead"], city.counts()["failed"])
    assert 400 <= post(city, message.to_bytes())[0]  # what the revoked key has signed is not taken, not even again
    assert [] == city.faults()


def test_a_form_waits_for_the_keys_before_it(county: Office, city: Station) -> None:
    """A statement, a new key and receipts signed with it come at once: the key is there before these are read."""
    filed = county.file()
    county.station.work()
    with city.node.db.write() as tx:
        reconciling.state_now(tx, city.node, "zezhou", actor=ACTOR)
        introducing.rotate(tx, city.node, actor=ACTOR)
    city.start_again()
    settle(county.station, city)

    assert ["digest", "keys", "receipt", "report"] == [r.kind for r in county.station.rows(inbox)][:4]
    assert [] == in_vain(county.station)
    assert ["stored", "checked"] == receipts(county.look(filed))


def test_receipts_of_a_key_that_was_revoked_on_their_way(county: Office, city: Station) -> None:
    """What the key had signed while it was good is in the county, and could not be taken up yet; it counts."""
    above, filed = Office(city), county.file()
    county.station.work()
    city.work()
    above.decide(filed, "accept")
    city.work()
    tomorrow = county.station.clock.now() + timedelta(days=1)
    with county.station.node.db.write() as tx:
        tx.execute(update(inbox).where(inbox.c.kind == "receipt").values(next_try=tomorrow, failures=1))
    old = city.node.key.key_id
    with city.node.db.write() as tx:
        introducing.rotate(tx, city.node, actor=ACTOR)
    settle(county.station, city)
    city.start_again()
    with city.node.db.write() as tx:
        introducing.retire(tx, city.node, old, revoked=True, actor=ACTOR)
    settle(county.station, city)
    waiting = [r.kind for r in county.station.rows(inbox) if r.taken_at is None]
    with county.station.node.db.write() as tx:
        tx.execute(update(inbox).values(next_try=None))
    settle(county.station, city)

    told = county.look(filed)
    assert ["receipt", "report", "decision"] == waiting
    assert [] == in_vain(county.station)
    assert ("accepted", ["stored", "checked", "accepted"]) == (told["state"], receipts(told))
    assert {old} == {r["signature"]["key_id"] for r in told["receipts"]}
    assert [[], []] == [station.faults() for station in (county.station, city)]


def test_revoked_before_the_other_knows_the_new_one(county: Office, city: Station, clock: StandingClock) -> None:
    """Nothing is taken by a key that nobody knows; with the anchor by hand, and sent again, all arrives, once."""
    old, station = county.station.node.key.key_id, county.station
    clock.set(clock.moment + timedelta(minutes=1))
    with station.node.db.write() as tx:
        introducing.rotate(tx, station.node, actor=ACTOR)
    station.start_again()
    county.clerk.http = station.http
    filed = county.file()
    with station.node.db.write() as tx:
        assert ["jincheng"] == examining.unaware(tx)
        introducing.retire(tx, station.node, old, revoked=True, actor=ACTOR)
    settle(station, city)
    refused = [(r.kind, r.problem, r.id) for r in station.rows(outbox)]
    assert [("keys", "bad-signature"), ("submission", "bad-signature")] == [r[:2] for r in refused][:2]

    city.adds(station)
    with station.node.db.write() as tx:
        for _, _, number in refused:
            assert repository.send_again(tx, number, station.node.clock.now())
    settle(station, city)
    told = county.look(filed)
    assert ["stored", "checked"] == receipts(told) == receipts(Office(city).look(filed))
    assert ([], 0) == (in_vain(city), station.counts()["dead"])
    assert [[], []] == [s.faults() for s in (station, city)]


def in_vain(station: Station) -> list[tuple[str, str, str]]:
    """The messages that nothing came of."""
    return [(r.kind, r.problem, r.detail) for r in station.rows(inbox) if r.problem]
