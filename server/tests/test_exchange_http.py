"""Nodes on ports of this machine, with the threads behind them; one behind a firewall; two that are not connected."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from exchanging import ACTOR, Lines, Station, connected, settle
from gmsafety import Catalog
from gmsafety_server.clock import DemoClock
from gmsafety_server.errors import Problem
from gmsafety_server.features.exchange import carrying, introducing, service
from gmsafety_server.features.exchange.postman import Postman
from gmsafety_server.features.exchange.wire import HttpWire
from gmsafety_server.mail.stations import find_peer
from gmsafety_server.tables import inbox, outbox
from serving import served
from test_exchange_story import Office, agree, receipts
from world import FRIDAY, StandingClock

SOON = 60.0


def until(what: Callable[[], Any], *, seconds: float = SOON) -> Any:
    """Wait for something that comes about in another thread."""
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.05)
    return found


class Served(Station):
    """A node on a port, with its thread."""

    def begin(self, stack: ExitStack) -> None:
        self.address = stack.enter_context(served(self.http.app))
        self.postman = Postman(self.node)
        self.postman.start()
        stack.callback(self.postman.stop)

    def introduces_itself(self, *, own_address: bool = True) -> None:
        with self.node.db.write() as tx:
            introducing.set_own(
                tx, self.node, title=self.name, units=[self.unit],
                address=self.address if own_address else None, actor=ACTOR,
            )  # fmt: skip


@pytest.fixture
def served_nodes(databases: Callable[[], str], catalog: Catalog) -> Iterator[list[Served]]:
    lines = Lines()
    with ExitStack() as stack:
        made = [
            Served(name, databases(), catalog, DemoClock(FRIDAY), lines) for name in ("zezhou", "jincheng", "shanxi")
        ]
        for station in made:
            stack.callback(station.node.db.close)
            station.begin(stack)
        yield made


def test_over_http(served_nodes: list[Served]) -> None:
    """Filed at the county; the city, behind a firewall of its own, cannot be called by the province and asks it."""
    county, city, province = (Office(s) for s in served_nodes)
    stations = served_nodes
    for station in stations:
        station.introduces_itself()
    for lower, upper in ((stations[0], stations[1]), (stations[1], stations[2])):
        lower.adds(upper)
        upper.adds(lower)

    filed = county.file()
    until(lambda: receipts(county.look(filed)) == ["stored", "checked"])
    city.decide(filed, "accept")
    until(lambda: county.look(filed)["state"] == "accepted")
    above = city.roll_up()
    until(lambda: receipts(city.look(above)) == ["stored", "checked"])
    province.decide(above, "return", reasons=[{"where": "C6", "text": "请核对"}])
    until(lambda: city.look(above)["state"] == "returned")

    for station in stations:
        until(lambda station=station: station.counts()["unsent"] == 0)  # type: ignore[misc]
    assert [[]] * 3 == [s.faults() for s in stations]
    metrics = stations[1].http.get("/metrics").text
    assert 'gmsafety_exchange_messages{standing="unsent"} 0\n' in metrics
    assert 'gmsafety_exchange_messages{standing="received"} 4\n' in metrics
    wire = HttpWire()
    with stations[0].node.db.read() as tx:
        peer = find_peer(tx, "jincheng")
    assert peer is not None
    assert "ready" == service.look_at(stations[0].node, wire, peer).state
    wire.close()


def test_a_node_that_only_calls(databases: Callable[[], str], catalog: Catalog, clock: StandingClock) -> None:
    """The county has no address: it posts, and fetches what is for it."""
    lines = Lines()
    county, city = (Station(name, databases(), catalog, clock, lines) for name in ("zezhou", "jincheng"))
    with connected([county, city]):
        county.introduces_itself(own_address=False)
        city.adds(county)
        del lines.there["zezhou"]
        below, above = Office(county), Office(city)
        filed = below.file()
        assert ["stored", "checked"] == receipts(agree(filed, below, above))
        above.decide(filed, "accept")
        assert "accepted" == agree(filed, below, above)["state"]
        assert all(r.answered_at for r in city.rows(outbox))


def test_carried_by_hand(databases: Callable[[], str], catalog: Catalog, clock: StandingClock, tmp_path: Path) -> None:
    """Two networks that do not touch: a package there, a package back, either of them twice."""
    lines = Lines()
    county, city = (Station(name, databases(), catalog, clock, lines) for name in ("zezhou", "jincheng"))
    there, back = tmp_path / "there.gmx", tmp_path / "back.gmx"
    with connected([county, city]):
        lines.cut |= {"zezhou", "jincheng"}
        below, above = Office(county), Office(city)
        filed = below.file()
        assert (1, 0) == carrying.export(county.node, "jincheng", there, actor=ACTOR)
        assert carrying.Carried("zezhou", fresh=1) == carrying.bring_in(city.node, there, actor=ACTOR)
        assert carrying.Carried("zezhou", again=1) == carrying.bring_in(city.node, there, actor=ACTOR)
        settle(city)
        assert (2, 1) == carrying.export(city.node, "zezhou", back, actor=ACTOR)
        assert carrying.Carried("jincheng", fresh=2, answers=1) == carrying.bring_in(county.node, back, actor=ACTOR)
        settle(county)
        assert ["stored", "checked"] == receipts(below.look(filed)) == receipts(above.look(filed))
        assert 0 == county.counts()["unsent"]

        before = city.standing()
        data = bytearray(there.read_bytes())
        data[200] ^= 1
        (tmp_path / "broken.gmx").write_bytes(data)
        with pytest.raises(Exception, match="GM-"):
            carrying.bring_in(city.node, tmp_path / "broken.gmx", actor=ACTOR)
        with pytest.raises(Problem, match="包不能接收"):
            carrying.bring_in(county.node, there, actor=ACTOR)
        assert before == city.standing()
        assert 1 == len([r for r in city.rows(inbox) if r.kind == "submission"])


def test_a_large_attachment_is_gone_on_with(
    databases: Callable[[], str], catalog: Catalog, clock: StandingClock
) -> None:
    """The line breaks in the middle of a file of three parts: the rest is sent, and not the whole again."""
    from gmsafety_server.features.exchange.wire import Reply, Unreached  # noqa: PLC0415 - only here

    lines = Lines()
    county, city = (Station(name, databases(), catalog, clock, lines) for name in ("zezhou", "jincheng"))
    with connected([county, city]):
        below, above = Office(county), Office(city)
        picture = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 10_000
        from rolling import REASON  # noqa: PLC0415 - only here
        from test_exchange_story import TABLE, WEEK  # noqa: PLC0415 - only here
        from world import scenario_file  # noqa: PLC0415 - only here

        form = scenario_file(WEEK, "zezhou", "weekly")
        told = {"message_id": "m-12345678", "item": TABLE, "period": WEEK, "reason": REASON}
        files = [("file", (form.name, form.read_bytes())), ("file", ("现场.png", picture))]
        answer = below.clerk.post("/submissions/files", data=told, files=files)
        assert 201 == answer.status_code, answer.text

        def breaks(_name: str, reply: Reply) -> Reply:
            puts = [c for method, _url, c in lines.sent if method == "PUT"]
            if len(puts) == 3:
                raise Unreached("cut")
            return reply

        lines.after = breaks
        county.work()
        lines.after = lambda _name, reply: reply
        clock.set(county.rows(outbox)[0].next_try)
        settle(county, city)
        parts = [len(c) for method, _url, c in lines.sent if method == "PUT"]

        assert sum(parts) == len(picture) + len(form.read_bytes())
        assert ["stored", "checked"] == receipts(above.look(answer.json()))
        assert (
            picture
            == above.clerk.get(f"/submissions/{answer.json()['uid']}/files/{answer.json()['files'][1]['hash']}").content
        )
