"""Running a node: its figures and its log, keys that change while it runs, both kinds of keys, what the doctor sees."""

import json
import logging
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from browsing import Browser
from exchanging import ACTOR, Lines, Station, connected, settle
from gmsafety import Catalog
from gmsafety.exchange import sm2
from gmsafety_server.errors import Problem
from gmsafety_server.features.exchange import carrying, examining, introducing
from gmsafety_server.features.exchange.service import Fault
from gmsafety_server.logs import JsonLine
from gmsafety_server.node import open_node
from gmsafety_server.sealer import Sealer
from gmsafety_server.tables import inbox, keys, peers
from test_exchange_story import Office
from world import StandingClock

SAMPLE = re.compile(r'[a-z_]+(\{[a-z]+="[^"\n]*"(,[a-z]+="[^"\n]*")*\})? -?[0-9.e+-]+')


@pytest.fixture
def nodes(databases: Callable[[], str], catalog: Catalog, clock: StandingClock) -> Iterator[list[Station]]:
    lines = Lines()
    made = [Station(name, databases(), catalog, clock, lines) for name in ("zezhou", "jincheng")]
    with connected(made):
        yield made


@contextmanager
def logged() -> Iterator[list[dict[str, Any]]]:
    """The lines of the log as a file would hold them."""
    found: list[dict[str, Any]] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(json.loads(JsonLine().format(record)))

    log, handler = logging.getLogger("gmsafety.exchange"), Keep()
    before = log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    yield found
    log.removeHandler(handler)
    log.setLevel(before)


def samples(text: str) -> dict[str, float]:
    """The text of Prometheus, read strictly: each sample below the family that it belongs to."""
    found: dict[str, float] = {}
    family = ""
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, family, kind = line.split(" ")
            assert kind in ("counter", "gauge", "histogram"), line
        elif not line.startswith("# HELP "):
            assert SAMPLE.fullmatch(line.replace('le="+Inf"', 'le="Inf"')), line
            name, value = line.rsplit(" ", 1)
            assert name.split("{")[0].removesuffix("_bucket").removesuffix("_sum").removesuffix("_count") == family
            assert name not in found
            found[name] = float(value)
    return found


def test_figures_and_lines(nodes: list[Station]) -> None:
    county, city = nodes
    settle(*nodes)
    with logged() as lines:
        office = Office(county)
        office.file()
        settle(*nodes)
        assert 400 == city.http.post("/exchange/v1/messages", content=b"{}").status_code
    told = samples(city.http.get("/metrics").text)
    event = "gmsafety_exchange_events_total"

    assert 1 == told[f'{event}{{code="GM-E801",outcome="refused",way="in"}}']
    assert told[f'{event}{{code="",outcome="delivered",way="out"}}'] >= 2
    assert told[f'{event}{{code="",outcome="done",way="taken"}}'] >= 1
    assert told["gmsafety_exchange_delivery_seconds_count"] >= 2
    assert 0 == told['gmsafety_exchange_clock_skew_seconds{peer="zezhou"}']
    assert 0 == told['gmsafety_exchange_peer_dead{peer="zezhou"}']
    assert told['gmsafety_exchange_peer_last_contact_timestamp_seconds{peer="zezhou"}'] > 1.7e9
    about = [line for line in lines if "message" in line]
    assert {"in", "out", "taken"} == {line["way"] for line in about}
    wanted = {"at", "level", "logger", "process", "text", "way", "outcome", "peer", "message", "kind", "sequence"}
    assert all(wanted <= line.keys() for line in about)
    assert "GM-E801" == [line["code"] for line in lines if line.get("outcome") == "refused"][-1]

    keeper = city.person("administrator")
    details = keeper.get("/exchange/health").json()
    assert (0, 0, "zezhou") == (details["queues"]["unsent"], details["queues"]["held"], details["peers"][0]["name"])
    assert details["tables"] == details["newest_tables"]
    assert (city.node.db.is_sqlite, True) == (details["disk_free"] is not None, "private" not in json.dumps(details))
    assert 403 == city.person("clerk").get("/exchange/health").status_code


def test_keys_change_while_the_server_runs(nodes: list[Station]) -> None:
    """Another process changes the keys; the one that runs goes on with them."""
    county, city = nodes
    office = Office(county)
    first = office.file()
    settle(*nodes)
    apart = open_node(city._settings, catalog=city.node.catalog, clock=city.clock)
    with apart.db.write() as tx:
        new = introducing.rotate(tx, apart, actor=ACTOR).key_id
    old = city.node.key.key_id
    assert old != new
    Sealer(city.node)._try()
    assert (new, [old]) == (city.node.key.key_id, [k.key_id for k in city.node.others])
    assert not city.node.look_after_keys()
    settle(*nodes)
    apart.look_after_keys()
    with apart.db.write() as tx:
        introducing.retire(tx, apart, old, revoked=True, actor=ACTOR)
    apart.db.close()
    city.node.look_after_keys()
    assert (new, ()) == (city.node.key.key_id, city.node.others)
    settle(*nodes)
    second = office.correct(first, 21)
    settle(*nodes)
    given = office.look(second)["receipts"]
    assert [new] * 2 == [r["signature"]["key_id"] for r in given]
    assert [[], []] == [s.faults() for s in nodes]


def test_both_kinds_of_keys(nodes: list[Station]) -> None:
    """A node of the national suite among others; what it signed is verified by those that sign otherwise."""
    pytest.importorskip("gmssl_pyx", reason="needs gmsafety[sm]")
    county, city = nodes
    office = Office(county)
    with city.node.db.write() as tx:
        key = introducing.sign_by(tx, city.node, sm2.SM2, actor=ACTOR)
        assert key is not None
    assert city.node.look_after_keys()
    with city.node.db.write() as tx:
        assert introducing.sign_by(tx, city.node, sm2.SM2, actor=ACTOR) is None
    settle(*nodes)
    first = office.file()
    settle(*nodes)
    Office(city).decide(first, "accept")
    settle(*nodes)

    told = office.look(first)
    assert [sm2.SM2] * 3 == [r["signature"]["algorithm"] for r in told["receipts"]]
    assert "accepted" == told["state"]
    assert [[], []] == [s.faults() for s in nodes]
    with city.node.db.write() as tx:
        back = introducing.rotate(tx, city.node, actor=ACTOR, algorithm="Ed25519")
    city.node.look_after_keys()
    settle(*nodes)
    assert back.key_id in {k["key_id"] for k in county_keys(county)}


def county_keys(county: Station) -> list[dict[str, Any]]:
    with county.node.db.read() as tx:
        return list(tx.execute(select(peers.c["keys"]).where(peers.c.name == "jincheng")).scalar_one())


def test_without_the_extra_it_says_so(nodes: list[Station], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gmssl_pyx", None)
    with pytest.raises(Exception, match=r"pip install gmsafety\[sm\]"), nodes[0].node.db.write() as tx:
        introducing.sign_by(tx, nodes[0].node, sm2.SM2, actor=ACTOR)

    with nodes[0].node.db.read() as tx:
        assert 1 == len(tx.execute(select(keys)).all())


def seen(station: Station) -> list[Fault]:
    """What the doctor finds, beside the PostgreSQL of the tests, which does not wait for the disk."""
    with station.node.db.read() as tx:
        found = list(examining.examined(tx, station.node))
    hasty = [f.text for f in found if f.where == "数据库"]
    said = "PostgreSQL 的 fsync = off，synchronous_commit = off，断电时已答复的消息可能丢失"
    assert hasty == ([] if station.node.db.is_sqlite else [said])
    return [f for f in found if f.where != "数据库"]


def test_the_doctor_looks_it_over(nodes: list[Station], clock: StandingClock) -> None:
    county = nodes[0]
    settle(*nodes)
    peer = examining.peer_of(next(r for r in _rows(county) if r.name == "jincheng"))
    assert [] == seen(county)
    assert [] == list(examining.published(county.lines, peer))

    clock.set(clock.moment + timedelta(minutes=1))
    with county.node.db.write() as tx:
        introducing.rotate(tx, county.node, actor=ACTOR)
    county.node.look_after_keys()
    assert [f"jincheng 还不知道新密钥 {county.node.key.key_id}"] == [f.text for f in seen(county)]
    settle(*nodes)
    assert ["各节点都已知道新密钥，旧密钥"] == [f.text.split(" ")[0] for f in seen(county)]

    told = county_keys(county)
    with county.node.db.write() as tx:
        end = (clock.now() + timedelta(days=3)).strftime("%Y-%m-%dT%H:%M:%SZ")
        values = {"keys": [{**told[0], "valid_until": end}], "units": ["jincheng.zezhou-office"]}
        tx.execute(update(peers).where(peers.c.name == "jincheng").values(values))
        tx.execute(update(keys).where(keys.c.key_id != county.node.key.key_id).values(retired_at=clock.now()))
    found = {f.where: f.text for f in seen(county)}
    assert "之后没有可用的" in found["jincheng"]
    assert "同时由jincheng、zezhou服务" == found["jincheng.zezhou-office"]

    clock.set(clock.moment + timedelta(days=9))
    assert "9天没有消息" in [f.text for f in seen(county)]
    another = peer.model_copy(update={"keys": (peer.keys[0].model_copy(update={"public_key": "AA=="}),)})
    assert ["公布的密钥"] == [f.text.split(" ")[0] for f in examining.published(county.lines, another)]
    strange = peer.model_copy(update={"name": "somebody"})
    assert ["这个地址上是节点 jincheng"] == [f.text for f in examining.published(county.lines, strange)]


def _rows(station: Station) -> list[Any]:
    with station.node.db.read() as tx:
        return list(tx.execute(select(peers)))


def test_handed_over_on_a_stick(nodes: list[Station], clock: StandingClock, tmp_path: Path) -> None:
    county, city = nodes
    settle(*nodes)
    county.lines.cut.add("jincheng")
    filed = Office(county).file()
    file = tmp_path / "a.gmx"
    carrying.export(county.node, "jincheng", file, actor=ACTOR)
    at = clock.now() + timedelta(minutes=50)
    clock.set(clock.moment + timedelta(hours=2))
    for wrong, said in ((clock.now() + timedelta(minutes=1), "还没有到"), (at - timedelta(days=1), "早于打包的时间")):
        with pytest.raises(Problem, match=said):
            carrying.bring_in(city.node, file, actor=ACTOR, handed_over=carrying.HandedOver(wrong, "某某"))
    assert [] == [r for r in city.rows(inbox) if r.kind == "submission"]
    carrying.bring_in(city.node, file, actor=ACTOR, handed_over=carrying.HandedOver(at, "某某"))
    carrying.bring_in(city.node, file, actor=ACTOR, handed_over=carrying.HandedOver(clock.now(), "另一人"))
    city.work()
    row = next(r for r in city.rows(inbox) if r.kind == "submission")

    assert (at, "某某") == (row.carried_at, row.carried_by)
    assert row.sealed_at < row.carried_at < row.stored_at == clock.now()
    assert "2024-12-27T05:00:00Z" == Office(city).look(filed)["receipts"][0]["receipt"]["received_at"]
    shown = Browser(city.node, city.person("reviewer")).get(f"/submissions/{filed['uid']}").text
    assert "手工带来：2024-12-27 11:50 交到（某某 记），2024-12-27 11:00 封存，2024-12-27 13:00 存入" in shown
