"""Definitions go down: a node without any plugin shows, checks and files the form; what is looser is refused."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from browsing import Browser
from exchanging import ACTOR, Lines, Station, connected, settle
from gmsafety import Catalog, load_catalog
from gmsafety.content import Content
from gmsafety.definitions import content_of, hash_of, snapshot_of
from gmsafety.duties import BEIJING
from gmsafety.exchange.envelope import Draft, opened
from gmsafety.exchange.payloads import Definitions
from gmsafety.forms import fill
from gmsafety.forms.record import Record
from gmsafety_server.errors import Problem
from gmsafety_server.features.exchange import carrying, defining, handing_down
from gmsafety_server.features.exchange.takingup import take_up
from gmsafety_server.mail.posting import post
from gmsafety_server.tables import audit, definitions, inbox, outbox
from test_exchange_story import TABLE, WEEK, Office, receipts
from world import ZEZHOU, StandingClock, scenario_file

Change = Callable[[dict[str, Any]], None]


@pytest.fixture
def lines() -> Lines:
    return Lines()


@pytest.fixture
def nodes(
    databases: Callable[..., str], catalog: Catalog, clock: StandingClock, lines: Lines
) -> Iterator[list[Station]]:
    """A county without any plugin, a city, a province."""
    bare = load_catalog([])
    county = Station("zezhou", databases(bare=True), bare, clock, lines)
    made = [county, *(Station(name, databases(), catalog, clock, lines) for name in ("jincheng", "shanxi"))]
    with connected(made):
        yield made


def push(station: Station, region: str, to: str | None = None) -> list[tuple[str, str]]:
    with station.node.db.write() as tx:
        sent = handing_down.push(tx, station.node, region, to=to, actor=ACTOR)
    return [(s.receiver, s.region) for s in sent]


def shelf(station: Station) -> list[tuple[str, str, str]]:
    """Every snapshot of a node: region, who sent it, what it is."""
    return [(r.region, r.sender, r.state) for r in station.rows(definitions)]


def changed(catalog: Catalog, region: str, change: Change) -> Content:
    """The content of a region, with something changed in its snapshot."""
    told = json.loads(json.dumps(snapshot_of(next(c for c in catalog.contents if c.plugin == region))))
    change(told)
    return content_of(region, told)


def with_region(catalog: Catalog, content: Content) -> Catalog:
    return load_catalog([*(c for c in catalog.contents if c.plugin != content.plugin), content])


def form_in(told: Mapping[str, Any], name: str) -> dict[str, Any]:
    return next(f for f in told["forms"] if f["form"] == name)


def second_version(told: dict[str, Any]) -> None:
    """From the first of January the weekly table asks for one thing more."""
    form = json.loads(json.dumps(form_in(told, "weekly-dispatch")))
    form |= {"version": "2025-1", "follows": "2024-1", "opens": "2025-01-01"}
    asked = {"id": "training", "label": "教育培训", "text": [{"say": "培训{people:count}人次。"}]}
    form["clauses"].insert(2, asked)
    for step in form["rollup"].values():
        step["sum"] = [*step["sum"], "training.people"]
    told["forms"].append(form)


def without_a_rule(told: dict[str, Any]) -> None:
    form = form_in(told, "weekly-dispatch")
    form["rules"] = [r for r in form["rules"] if r["id"] != "fixed-not-above-found"]


def test_a_county_without_a_plugin_files_the_weekly_table(nodes: list[Station]) -> None:
    county, city, _ = nodes
    assert () == county.node.catalog.contents
    assert [("zezhou", "shanxi"), ("zezhou", "jincheng")] == push(city, "jincheng")
    assert [] == push(city, "jincheng")
    settle(county, city)

    assert [("shanxi", "jincheng", "in-force"), ("jincheng", "jincheng", "in-force")] == shelf(county)
    assert "泽州县应急管理局" == county.node.catalog.unit(ZEZHOU).name
    assert [] == [r.problem for r in city.rows(outbox) if r.problem]

    office, above = Office(county), Office(city)
    page = Browser(county.node, office.clerk).get(f"/file?item={TABLE}&period={WEEK}")
    file = ("file", ("周调度.xlsx", scenario_file(WEEK, "zezhou", "weekly").read_bytes()))
    looked = office.clerk.post("/check/files", data={"item": TABLE, "period": WEEK}, files=[file])
    blank = office.clerk.get(f"/forms/{TABLE}/blank.docx")
    filed = office.file()
    settle(county, city)
    above.decide(filed, "accept")
    settle(county, city)
    told = office.look(filed)

    assert "周调度统计表" in page.text
    assert (200, 200) == (looked.status_code, blank.status_code)
    assert ("accepted", ["stored", "checked", "accepted"]) == (told["state"], receipts(told))
    assert above.look(filed)["body"] == told["body"]
    assert [[], []] == [station.faults() for station in (county, city)]


def test_what_is_in_force_is_named_by_every_envelope(nodes: list[Station], catalog: Catalog) -> None:
    county, city, _ = nodes
    push(city, "jincheng")
    settle(county, city)
    Office(county).file()
    settle(county, city)
    named = {
        (r.kind, envelope.applied)
        for r in (*county.rows(outbox), *city.rows(outbox))
        if (envelope := opened(bytes(r.content)).envelope).subject is not None
    }
    name = hash_of(snapshot_of(next(c for c in catalog.contents if c.plugin == "shanxi")))

    assert {("submission", name), ("receipt", name), ("report", name)} == named


def filled(station: Station, version: str, day: str, **values: int) -> Record:
    """The weekly table of the county, in a version, with some of its numbers."""
    form = station.node.catalog.form(f"{TABLE}@{version}")
    given = {name.replace("__", "."): number for name, number in values.items()}
    told = {p: given.get(p, 0 if b.kind.numeric else None) for p, b in form.blanks.items()}
    header = {"unit": "泽州县应急管理局", "date": date.fromisoformat(day)}
    return Record(form, header, told)


def test_a_new_version_in_the_middle_of_the_campaign(
    nodes: list[Station], catalog: Catalog, clock: StandingClock, tmp_path: Path
) -> None:
    county, city, province = nodes
    push(city, "jincheng")
    province.start_again()
    settle(*nodes)
    before = Office(county)
    first = before.file()
    settle(*nodes)

    province._catalog = with_region(catalog, changed(catalog, "shanxi", second_version))
    province.start_again()
    settle(*nodes)
    assert ("shanxi", "shanxi", "in-force") in shelf(city)
    assert [("shanxi", "jincheng", "superseded"), ("shanxi", "jincheng", "in-force")] == [
        row for row in shelf(county) if row[0] == "shanxi"
    ]
    assert {"2025-1"} == {s.node.catalog.form(TABLE).version for s in nodes}

    clock.set(datetime(2025, 1, 3, 9, 0, tzinfo=BEIJING))
    office, above = Office(county), Office(city)
    record = filled(county, "2025-1", "2025-01-03", training__people=31, self__plans=4)
    file = fill(record, tmp_path / "new.xlsx")
    told = office.clerk.file(file, TABLE, "2025-01-03", reason="数字确实如此")
    assert 201 == told.status_code, told.text
    settle(*nodes)
    seen = above.look(told.json())

    assert ("2025-1", 31) == (seen["body"]["version"], seen["body"]["values"]["training"]["people"])
    assert "2024-1" == above.look(first)["body"]["version"]
    assert [[]] * 3 == [station.faults() for station in nodes]


def send(station: Station, receiver: str, region: str, number: int, content: Content) -> str:
    """Send a snapshot past all checks of the sender."""
    told = Definitions(
        region=region, number=number, issued_at=station.node.clock.now(), content=snapshot_of(content)
    )  # fmt: skip
    with station.node.db.write() as tx:
        return post(tx, station.node, Draft("definitions", receiver, told.model_dump())).envelope.id


def test_a_looser_one_of_a_node_that_only_passes_it_on(nodes: list[Station], catalog: Catalog) -> None:
    county, city, _ = nodes
    push(city, "jincheng")
    settle(county, city)
    before, number = county.node.catalog, 2024122799

    send(city, "zezhou", "shanxi", number, changed(catalog, "shanxi", without_a_rule))
    settle(county, city)
    [refused] = [r for r in county.rows(definitions) if r.state == "refused"]
    [kept] = [r for r in county.rows(inbox) if r.problem]
    [told] = [r for r in city.rows(outbox) if r.problem]
    said = "GM-E814 下发的规定比上级的宽：《冶金工贸行业隐患排查整治专项行动周调度统计表》2024-1版：规则“fixed-not-above-found”　删去（“{label}”已整改{fixed}条，多于发现的{found}条。）"

    assert county.node.catalog is before
    assert (number, [said.partition("宽：")[2]]) == (refused.number, refused.detail)
    assert ("looser-definitions", said) == (kept.problem, kept.detail)
    assert ("turned-down", f"没有采用下发的定义（shanxi第{number}号）：{said}") == (told.problem, told.detail)
    with county.node.db.read() as tx:
        assert "definitions.refused" in set(tx.execute(select(audit.c.action)).scalars())
    assert [[], []] == [station.faults() for station in (county, city)]


def test_the_issuer_may_change_its_own(nodes: list[Station], catalog: Catalog) -> None:
    county, city, _ = nodes
    push(city, "jincheng")
    settle(county, city)

    def later(told: dict[str, Any]) -> None:
        duty = next(d for c in told["campaigns"] for d in c["duties"] if d["id"] == "summary")
        duty["by"] = "2025-03-28"

    send(city, "zezhou", "jincheng", 2024122799, changed(catalog, "jincheng", later))
    settle(county, city)
    assert ["in-force"] == [r.state for r in county.rows(definitions) if r.number == 2024122799]
    assert "03-28" in str(county.node.catalog.duties(campaign="jincheng.gongmao-2024", unit=ZEZHOU)[-1].due)


def test_what_the_upper_level_declares_is_not_loosened_by_the_lower(nodes: list[Station], catalog: Catalog) -> None:
    county, city, _ = nodes
    push(city, "jincheng")
    settle(county, city)

    def later(told: dict[str, Any]) -> None:
        duty = next(d for c in told["campaigns"] for d in c["duties"] if d["id"] == "weekly-forms")
        duty |= {"every": "saturday", "first": "2024-12-21", "last": "2025-03-29"}

    send(city, "zezhou", "jincheng", 2024122799, changed(catalog, "jincheng", later))
    settle(county, city)
    [kept] = [r for r in county.rows(inbox) if r.problem]
    assert "looser-definitions" == kept.problem
    assert "比上级宽" in kept.detail


def test_a_lower_node_sends_nothing_up(nodes: list[Station], catalog: Catalog) -> None:
    _, city, province = nodes
    send(city, "shanxi", "shanxi", 2024122799, changed(catalog, "shanxi", without_a_rule))
    settle(*nodes)
    [kept] = [r for r in province.rows(inbox) if r.problem]

    assert ("not-applicable", True) == (kept.problem, "定义只由上级节点下发" in kept.detail)
    assert province.node.catalog.contents == catalog.contents
    with pytest.raises(Problem, match="不是下级节点"):
        push(city, "shanxi", "shanxi")


def test_by_package(nodes: list[Station], lines: Lines, tmp_path: Path) -> None:
    county, city, _ = nodes
    lines.cut = {"zezhou", "jincheng"}
    push(city, "jincheng")
    carrying.export(city.node, "zezhou", tmp_path / "down.gmx", actor=ACTOR)
    carrying.bring_in(county.node, tmp_path / "down.gmx", actor=ACTOR)
    take_up(county.node)
    office = Office(county)
    filed = office.file()
    carrying.export(county.node, "jincheng", tmp_path / "up.gmx", actor=ACTOR)
    carrying.bring_in(city.node, tmp_path / "up.gmx", actor=ACTOR)
    take_up(city.node)

    assert ["in-force", "in-force"] == [state for _, _, state in shelf(county)]
    assert "submitted" == Office(city).look(filed)["state"]


def test_an_administrator_goes_back(nodes: list[Station], catalog: Catalog) -> None:
    county, city, _ = nodes
    push(city, "jincheng")
    settle(county, city)

    def stricter(told: dict[str, Any]) -> None:
        form_in(told, "weekly-dispatch")["rules"].append({"id": "more", "check": "self.plans <= 100000"})

    send(city, "zezhou", "shanxi", 2024122799, changed(catalog, "shanxi", stricter))
    settle(county, city)
    first = next(r for r in county.rows(definitions) if r.region == "shanxi")
    assert "superseded" == first.state
    county.start_again()

    def back(**told: Any) -> None:
        with county.node.db.write() as tx:
            defining.use_again(tx, county.node, first.id, actor=ACTOR, **told)

    with pytest.raises(Problem, match="请写明原因"):
        back(reason=" ", looser=True)
    with pytest.raises(Problem, match=r"比在用的宽，有1处：.*规则“more”　删去"):
        back(reason="新规则有误", looser=False)
    back(reason="新规则有误", looser=True)
    with county.node.db.read() as tx:
        county.node.directory(tx)
    last = county.rows(definitions)[-1]
    county.start_again()
    rules = [r.id for r in county.node.catalog.form(TABLE).rules]

    assert ("in-force", first.hash, "新规则有误", ACTOR) == (last.state, last.hash, last.reason, last.actor)
    assert 1 == len(last.detail)
    assert "more" not in rules


def test_an_installed_plugin_beside_a_snapshot(
    databases: Callable[..., str], catalog: Catalog, clock: StandingClock, lines: Lines
) -> None:
    made = [Station(name, databases(), catalog, clock, lines) for name in ("zezhou", "jincheng")]
    county, city = made
    with connected(made):
        push(city, "jincheng")
        settle(*made)
        assert [("shanxi", "jincheng", "in-force"), ("jincheng", "jincheng", "in-force")] == [
            row for row in shelf(county) if row[2] == "in-force"
        ]
        county._catalog = with_region(catalog, changed(catalog, "shanxi", without_a_rule))
        county.start_again()
        refused = [r for r in county.rows(definitions) if r.state == "refused"]

        assert [("shanxi", "zezhou")] == [(r.region, r.sender) for r in refused]
        assert "fixed-not-above-found" in refused[0].detail[0]
        assert "fixed-not-above-found" in [r.id for r in county.node.catalog.form(TABLE).rules]

        county._catalog = with_region(catalog, changed(catalog, "shanxi", second_version))
        county.start_again()
        assert "2025-1" == county.node.catalog.form(TABLE).version


def test_the_pages(nodes: list[Station], catalog: Catalog) -> None:
    county, city, _ = nodes
    above = Browser(city.node, city.person("administrator"))
    home = "/admin/exchange/definitions"
    first = above.send(above.get(home), f"{home}/jincheng/push")
    assert ["已列入待发：shanxi第2024122701号（zezhou）、jincheng第2024122701号（zezhou）。"] == first.said()
    settle(county, city)
    assert "泽州县节点 jincheng 2024122701" in above.get(home).text
    assert ["下级节点都已有这一份，没有再发。"] == above.send(above.get(home), f"{home}/jincheng/push").said()

    send(city, "zezhou", "shanxi", 2024122799, changed(catalog, "shanxi", without_a_rule))
    settle(county, city)
    keeper = Browser(county.node, county.person("administrator"))
    page = keeper.get(home)
    assert "山西省 shanxi 5张表、" in page.text
    assert "2024122701 晋城市节点 2024-12-27" in page.text
    assert "没有采用 1 处" in page.text
    refused = next(r for r in county.rows(definitions) if r.state == "refused")
    shown = keeper.get(f"{home}/{refused.id}")
    assert "规则“fixed-not-above-found” 删去" in shown.text
    not_ticked = keeper.send(shown, f"{home}/{refused.id}/use", reason="上级电话通知")
    assert "比在用的宽，有1处" in not_ticked.said()[0]
    ticked = keeper.send(
        keeper.get(f"{home}/{refused.id}"), f"{home}/{refused.id}/use", reason="上级电话通知", looser="1"
    )
    assert ["已改用山西省第2024122799号定义。"] == ticked.said()
    assert "fixed-not-above-found" not in [r.id for r in county.node.catalog.form(TABLE).rules]
    assert "由 " in keeper.get(home).text
    assert ["没有这份定义。"] == keeper.get(f"{home}/999").said()
    other = Browser(city.node, city.person("administrator", unit=ZEZHOU))
    assert "由节点的管理员办理" in other.get(home).text
