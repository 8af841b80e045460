"""The pages of the exchange: what waits, what failed and why; sent or taken up again by hand; for whom they are."""

from collections.abc import Callable, Iterator

import pytest

from browsing import Browser
from exchanging import ACTOR, Lines, Station, connected, settle
from gmsafety import Catalog
from gmsafety_server.features.exchange import introducing
from gmsafety_server.tables import outbox
from test_exchange_story import TABLE, WEEK, Office, receipts
from world import GAOPING, StandingClock, scenario_file


@pytest.fixture
def nodes(databases: Callable[[], str], catalog: Catalog, clock: StandingClock) -> Iterator[list[Station]]:
    lines = Lines()
    made = [Station(name, databases(), catalog, clock, lines) for name in ("zezhou", "jincheng")]
    with connected(made):
        yield made


def test_a_dead_letter_is_seen_and_sent_again(nodes: list[Station]) -> None:
    county, city = nodes
    office = Office(county)
    with city.node.db.write() as tx:
        introducing.open_peer(tx, city.node, "zezhou", is_open=False, actor=ACTOR)
    filed = office.file()
    settle(*nodes)
    keeper = Browser(county.node, county.person("administrator"))
    overview, box = keeper.get("/admin/exchange"), keeper.get("/admin/exchange/outbox?standing=dead")
    [row] = county.rows(outbox)
    action = f"/admin/exchange/outbox/{row.id}/again"

    assert "1件被对方拒收" in overview.text
    assert "晋城市节点 jincheng 晋城市应急管理局 https://jincheng" in overview.text
    assert "有问题 GM-E804 不接收" in box.text
    assert "泽州县应急管理局《" in box.text
    assert {action} == box.actions()

    with city.node.db.write() as tx:
        introducing.open_peer(tx, city.node, "zezhou", is_open=True, actor=ACTOR)
    after = keeper.send(box, action)
    assert [f"第{row.id}件已列入待发。"] == after.said()
    settle(*nodes)
    assert "没有发现问题" in keeper.get("/admin/exchange").text
    assert "已送达" in keeper.get("/admin/exchange/outbox").text
    assert "收到回执" in keeper.get("/admin/exchange/inbox").text
    assert ["stored", "checked"] == receipts(office.look(filed))
    again = keeper.send(box, action)
    assert ["这件已经送达，或没有这件。请刷新后查看当前状态。"] == again.said()
    assert 404 == keeper.get("/admin/exchange/nothing").status


def test_receipts_of_the_upper_node_on_the_pages(nodes: list[Station]) -> None:
    county, city = nodes
    office, above = Office(county), Office(city)
    clerk = Browser(county.node, office.clerk)
    draft = clerk.upload(TABLE, WEEK, ("form", scenario_file(WEEK, "zezhou", "weekly")))
    filed = office.clerk.get("/submissions").json()["items"][0]
    done = clerk.send(draft, f"/submissions/{filed['uid']}/submit", reason="数字确实如此")
    assert "已交发往上级单位的节点" in done.text
    assert [] == done.all(f"a[href=/submissions/{filed['uid']}/receipt]")
    settle(*nodes)
    above.decide(filed, "return", reasons=[{"where": "C6", "text": "请与台账核对"}])
    settle(*nodes)
    page = Browser(county.node, office.clerk).get(f"/submissions/{filed['uid']}")

    assert "请与台账核对" in page.text
    assert "@" not in page.text.split("办理")[0]


def test_those_who_do_not_keep_the_node_see_nothing_of_it(nodes: list[Station]) -> None:
    _, city = nodes
    other = Browser(city.node, city.person("administrator", unit=GAOPING))

    for path in ("/admin/exchange", "/admin/exchange/inbox", "/admin/exchange/outbox"):
        page = other.get(path)
        assert "由节点的管理员办理" in page.text
        assert "zezhou" not in page.text
    assert 403 == Browser(city.node, city.person("clerk")).get("/admin/exchange").status
