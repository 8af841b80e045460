"""From where another node may speak; who speaks from elsewhere is told what a stranger is told, and no redirect leads on."""

import json
import logging
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest
from fastapi.testclient import TestClient

from browsing import Browser
from exchanging import ACTOR, Lines, Station, connected, settle
from gmsafety import Catalog, cli
from gmsafety.exchange.answers import SignedRefusal, read_answer
from gmsafety.exchange.receipts import Verdict
from gmsafety_server.errors import Problem
from gmsafety_server.features.exchange.allowing import allow
from gmsafety_server.features.exchange.calling import MESSAGES, call
from gmsafety_server.features.exchange.wire import HttpWire, Reply
from gmsafety_server.mail.stations import find_peer
from gmsafety_server.tables import outbox
from test_exchange_story import TABLE, WEEK, Office, receipts
from world import StandingClock

NETWORKS = ["10.1.0.0/16", "2001:db8::/32"]
INSIDE, OUTSIDE = ("10.1.2.3", "::ffff:10.1.2.3", "2001:db8::7"), ("10.2.0.1", "2001:db9::1", "not-an-address")


@pytest.fixture
def nodes(databases: Callable[[], str], catalog: Catalog, clock: StandingClock) -> Iterator[list[Station]]:
    lines = Lines()
    made = [Station(name, databases(), catalog, clock, lines) for name in ("zezhou", "jincheng")]
    with connected(made):
        yield made


@pytest.fixture
def city(nodes: list[Station]) -> Station:
    """A city that the county may speak to from its own network only."""
    city = nodes[1]
    with city.node.db.write() as tx:
        allow(tx, city.node, "zezhou", NETWORKS, actor=ACTOR)
    return city


def seen_from(city: Station, address: str) -> TestClient:
    """The city's door, as one comes to it who has this address."""
    return TestClient(city.http.app, raise_server_exceptions=False, client=(address, 50000))


@pytest.mark.parametrize("address", OUTSIDE)
def test_a_message_from_elsewhere(
    address: str, nodes: list[Station], city: Station, caplog: pytest.LogCaptureFixture
) -> None:  # fmt: skip
    county = nodes[0]
    told = {"message_id": "m-12345678", "item": TABLE, "period": WEEK, "nil": True, "reason": "本周没有"}
    filed = Office(county).clerk.post("/submissions", json=told).json()
    [row] = county.rows(outbox)
    before = city.standing()
    with caplog.at_level(logging.WARNING, "gmsafety.exchange"):
        answer = seen_from(city, address).post(MESSAGES, content=bytes(row.content))
    refused = read_answer(answer.content)

    assert isinstance(refused, SignedRefusal)
    assert (403, "unknown-sender", "不接收") == (answer.status_code, refused.refusal.slug, refused.refusal.said)
    assert Verdict.VALID is refused.verify([city.node.key.public])
    assert before == city.standing()
    assert f"自称 zezhou 的来自 {address}，不在所许的地址之内" in [r.getMessage() for r in caplog.records]

    county.lines.there["jincheng"] = seen_from(city, INSIDE[0])
    settle(*nodes)
    person = county.person("clerk")
    assert ["stored", "checked"] == receipts(person.get(f"/submissions/{filed['uid']}").json())
    again = seen_from(city, address).post(MESSAGES, content=bytes(row.content))
    assert "unknown-sender" == read_answer(again.content).refusal.slug  # type: ignore[union-attr]


def test_calls(nodes: list[Station], city: Station) -> None:
    """A call from elsewhere is answered in the words for a stranger; the ping is for everybody."""
    county = nodes[0]
    with county.node.db.read() as tx:
        peer = find_peer(tx, "jincheng")
    assert peer is not None

    def got(address: str, path: str = MESSAGES) -> Reply:
        county.lines.there["jincheng"] = seen_from(city, address)
        return call(county.node, county.lines, peer, "GET", path)

    assert {204} == {got(address).status for address in INSIDE}
    for address in OUTSIDE:
        assert (401, "不是已登记节点的请求") == (got(address).status, json.loads(got(address).content)["detail"])
    assert 200 == got(OUTSIDE[0], "/exchange/v1/ping").status


def test_it_is_shown_and_lifted(nodes: list[Station], city: Station) -> None:
    keeper = Browser(city.node, city.person("administrator"))
    assert "只可来自 10.1.0.0/16、2001:db8::/32" in keeper.get("/admin/exchange").text

    with city.node.db.write() as tx:
        allow(tx, city.node, "zezhou", [], actor=ACTOR)
    assert "只可来自" not in keeper.get("/admin/exchange").text
    told = {"message_id": "m-12345678", "item": TABLE, "period": WEEK, "nil": True, "reason": "本周没有"}
    assert 201 == Office(nodes[0]).clerk.post("/submissions", json=told).status_code
    settle(*nodes)
    assert 0 == nodes[0].counts()["unsent"]


@pytest.mark.parametrize(
    ("name", "networks", "said"),
    [("zezhou", ["10.1.0.0/99"], "“10.1.0.0/99”不是网络地址"), ("nobody", [], "没有登记节点“nobody”")],
)
def test_what_cannot_be_allowed(city: Station, name: str, networks: list[str], said: str) -> None:
    with pytest.raises(Problem, match=said), city.node.db.write() as tx:
        allow(tx, city.node, name, networks, actor=ACTOR)


def test_by_command(
    nodes: list[Station], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    city = nodes[1]
    monkeypatch.setenv("GMSAFETY_DATABASE", city.node.db.url.render_as_string(hide_password=False))
    monkeypatch.setenv("GMSAFETY_NODE", "jincheng")

    def run(*words: str) -> tuple[int, str]:
        return cli.main(["node", "peer", *words]), "".join(capfd.readouterr())

    assert (0, "zezhou 只可从 10.1.0.0/16 呼叫。\n") == run("allow", "zezhou", "--from", "10.1.2.3/16")
    assert [["10.1.0.0/16"]] == [p["networks"] for p in json.loads(run("list", "--json")[1])]
    assert (0, "zezhou 从哪里呼叫不限。\n") == run("allow", "zezhou")
    assert 2 == run("allow", "zezhou", "--from", "somewhere")[0]


def test_a_redirect_is_not_followed() -> None:
    """What another node answers leads nowhere but to it."""
    asked: list[str] = []

    class Elsewhere(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.path)
            self.send_response(307)
            self.send_header("Location", f"http://127.0.0.1:{self.server.server_address[1]}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        wire = HttpWire()
        reply = wire("POST", f"http://127.0.0.1:{server.server_address[1]}{MESSAGES}", content=b"{}")
        wire.close()
        server.shutdown()
        thread.join()

    assert (307, [MESSAGES]) == (reply.status, asked)
