"""A node is updated while messages wait in its outbox and inbox: afterwards they go on, and nothing is lost."""

from collections.abc import Callable, Iterator

import pytest

from exchanging import ACTOR, Lines, Station, connected, settle
from gmsafety import Catalog, cli
from gmsafety_server.cli.opening import opened
from gmsafety_server.db import Database
from gmsafety_server.features.exchange import introducing
from gmsafety_server.migrations import NotUpToDate, downgrade, revision_of, revisions
from gmsafety_server.settings import Settings
from gmsafety_server.tables import outbox
from test_exchange_story import Office
from world import StandingClock

BEFORE = "0003"


@pytest.fixture
def nodes(databases: Callable[[], str], catalog: Catalog, clock: StandingClock) -> Iterator[list[Station]]:
    lines = Lines()
    made = [Station(name, databases(), catalog, clock, lines) for name in ("zezhou", "jincheng")]
    with connected(made):
        yield made


def post(station: Station, content: bytes) -> int:
    """Store a message without taking it up."""
    return station.http.post("/exchange/v1/messages", content=content).status_code


def as_before(station: Station) -> str:
    """Close the node, and give its database the tables of the program before this one."""
    station.node.db.close()
    address = station._settings.database
    db = Database(address)
    downgrade(db, BEFORE)
    with db.read() as tx:
        assert BEFORE == revision_of(tx) != revisions()[0]
    db.close()
    return address


def test_messages_wait_while_a_node_is_updated(
    nodes: list[Station], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    county, city = nodes
    office = Office(county)
    settle(*nodes)
    first = office.file()
    second = office.correct(first, 21)
    with city.node.db.write() as tx:
        introducing.rotate(tx, city.node, actor=ACTOR)
    for sent in [m for m in county.rows(outbox) if m.kind == "submission"][1:]:
        assert 202 == post(city, bytes(sent.content))  # held: the one before it is still in the outbox
    assert 200 == post(county, bytes(city.rows(outbox)[-1].content))
    waiting = [(s.counts()["unsent"], s.counts()["held"], s.counts()["untaken"]) for s in nodes]
    assert [(2, 0, 1), (1, 1, 0)] == waiting

    for station in nodes:
        address = as_before(station)
        refused = pytest.raises(NotUpToDate, match=r"请先备份（gmsafety db backup），再运行 gmsafety db upgrade")
        with refused, opened(Settings(database=address, node=station.name)):
            pass
        monkeypatch.setenv("GMSAFETY_DATABASE", address)
        monkeypatch.setenv("GMSAFETY_NODE", station.name)
        assert 2 == cli.main(["serve", "--port", "0"])
        out, err = capfd.readouterr()
        assert ("", True) == (out, "gmsafety db upgrade" in err)
        assert 0 == cli.main(["db", "upgrade"])
        assert "数据库已升级到最新" in capfd.readouterr().out
        station.start_again()

    assert waiting == [(s.counts()["unsent"], s.counts()["held"], s.counts()["untaken"]) for s in nodes]
    settle(*nodes)
    assert [(0, 0, 0)] * 2 == [(s.counts()["unsent"], s.counts()["held"], s.counts()["untaken"]) for s in nodes]
    told = [Office(s).look(second) for s in nodes]
    same = ("state", "revision", "body", "payload_hash", "supersedes", "receipts", "findings", "received_at")
    assert {n: told[0][n] for n in same} == {n: told[1][n] for n in same}
    assert ["stored", "checked"] == [r["receipt"]["kind"] for r in told[0]["receipts"]]
    assert "superseded" == office.look(first)["state"]
    assert [[], []] == [s.faults() for s in nodes]
