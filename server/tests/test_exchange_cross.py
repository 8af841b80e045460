"""Cross inspection between two cities and the province: lists handed over to a peer, feedback to two addressees."""

from collections.abc import Callable, Iterator
from datetime import date, datetime
from itertools import permutations
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from browsing import Browser, words
from exchanging import ACTOR, Lines, Station, settle
from gmsafety import Catalog
from gmsafety.duties import BEIJING
from gmsafety.exchange.envelope import opened
from gmsafety.forms import fill
from gmsafety.forms.record import Record, Rows
from gmsafety_server.features.exchange import carrying
from gmsafety_server.tables import inbox, outbox
from rolling import REASON
from test_deliverables import PDF
from test_exchange_direct import filings
from test_exchange_story import Office, receipts
from world import CITY, OTHER_CITY, PROVINCE, ZEZHOU, StandingClock

LIST = "shanxi.gongmao-2024/hand-over/shanxi.inspection-findings"
FEEDBACK = "shanxi.gongmao-2024/cross-feedback/shanxi.cross-inspection-summary"
SAME = ("state", "revision", "body", "payload_hash", "receipts", "findings", "received_at", "files")
DAY = "2025-03-12"
WORKS = "某某铸造有限公司"
NAMES = {"changzhi": OTHER_CITY, "jincheng": CITY, "shanxi": PROVINCE}


class Team(Office):
    """People of a city, or of the province."""

    def __init__(self, station: Station, unit: str = "") -> None:
        self.station = station
        self.clerk, self.reviewer = (station.person(role, unit=unit) for role in ("clerk", "reviewer"))

    def begin(self, item: str, **more: Any) -> dict[str, Any]:
        answer = self.clerk.post("/occasions", json={"item": item, "day": DAY, **more})
        assert 201 == answer.status_code, answer.text
        return dict(answer.json())

    def hand_over(self, enterprise: str = WORKS, day: str = DAY, **more: Any) -> dict[str, Any]:
        """The list of an enterprise, as JSON."""
        begun = self.begin(LIST)
        rows = [
            {"number": 1, "detail": "煤气报警失效", "basis": "第四条（二）", "grade": "重大事故隐患"},
            {"number": 2, "detail": "安全标志缺失", "grade": "一般隐患"},
            {"number": 3, "detail": "台账不全", "grade": "一般隐患"},
        ]
        body = {"header": {"enterprise": enterprise, "date": day}, "rows": rows}
        return self.put(begun, body, **more)

    def put(self, begun: dict[str, Any], body: dict[str, Any], **more: Any) -> dict[str, Any]:
        told = {"message_id": f"m-{uuid4().hex}", "item": begun["item"], "period": begun["period"], "reason": REASON}
        answer = self.clerk.post("/submissions", json={**told, "campaign": begun["campaign"], "body": body, **more})
        assert 201 == answer.status_code, answer.text
        return dict(answer.json())


@pytest.fixture
def lines() -> Lines:
    return Lines()


@pytest.fixture
def nodes(
    databases: Callable[[], str], catalog: Catalog, clock: StandingClock, lines: Lines
) -> Iterator[list[Station]]:
    """长治, 晋城 and the province, each knowing the others."""
    clock.set(datetime(2025, 3, 12, 10, 0, tzinfo=BEIJING))
    made = [Station(name, databases(), catalog, clock, lines, unit=unit) for name, unit in NAMES.items()]
    for station in made:
        station.introduces_itself()
    for one, other in permutations(made, 2):
        one.adds(other)
    yield made
    for station in made:
        station.node.db.close()


@pytest.fixture
def teams(nodes: list[Station]) -> list[Team]:
    return [Team(station) for station in nodes]


def faults(nodes: list[Station]) -> list[Any]:
    """What the verifiers find, and messages that came to nothing."""
    boxes = ((s.name, row) for s in nodes for box in (inbox, outbox) for row in s.rows(box))
    troubles = [(name, row.kind, row.problem, row.detail) for name, row in boxes if row.problem]
    return [f for s in nodes for f in s.faults()] + troubles


def test_a_list_is_handed_over(teams: list[Team], nodes: list[Station], catalog: Catalog, tmp_path: Path) -> None:
    """As a workbook with photographs: byte for byte at the inspected city, receipted, acknowledged, on both pages."""
    inspecting, inspected, province = teams
    begun = inspecting.begin(LIST)
    form = catalog.form("shanxi.inspection-findings")
    path = tmp_path / "清单.xlsx"
    record = Record(
        form, {"enterprise": WORKS, "date": date(2025, 3, 11)}, rows=Rows.of([{"number": 1, "detail": "积尘"}], form)
    )
    _ = fill(record, path)
    sent = [("file", (path.name, path.read_bytes())), ("file", ("现场.pdf", PDF))]
    told = {"message_id": f"m-{uuid4().hex}", "item": begun["item"], "period": begun["period"], "reason": REASON}
    answer = inspecting.clerk.post("/submissions/files", data=told, files=sent)
    assert 201 == answer.status_code, answer.text
    filed = answer.json()
    assert ("submitted", [], None, 0) == tuple(filed[n] for n in ("state", "receipts", "due_at", "late_minutes"))
    settle(*nodes)

    here, there = inspecting.look(filed), inspected.look(filed)
    assert {n: here[n] for n in SAME} == {n: there[n] for n in SAME}
    assert ["stored", "checked"] == receipts(there)
    signed = there["receipts"][0]["receipt"]
    assert ("jincheng", CITY, OTHER_CITY, None) == (
        signed["node"], signed["receiver"]["unit"], signed["sender"]["unit"], signed["due_at"],
    )  # fmt: skip
    for file, (_, content) in zip(there["files"], (f[1] for f in sent), strict=True):
        assert content == inspected.clerk.get(f"/submissions/{filed['uid']}/files/{file['hash']}").content
    assert 200 == inspected.clerk.get(f"/submissions/{filed['uid']}/record.docx").status_code

    inspected.decide(filed, "accept")
    settle(*nodes)
    assert ("accepted", "accepted") == (inspecting.look(filed)["state"], receipts(inspecting.look(filed))[-1])
    assert [] == filings(nodes[2])
    assert 404 == province.clerk.get(f"/submissions/{filed['uid']}").status_code
    assert [] == faults(nodes)


def test_who_sees_a_list_and_who_decides(teams: list[Team], nodes: list[Station]) -> None:
    inspecting, inspected, _ = teams
    filed = inspecting.hand_over()
    settle(*nodes)
    elsewhere = Team(nodes[1], unit=ZEZHOU)
    uid, seen = filed["uid"], inspected.look(filed)["etag"]
    above = nodes[1].person("clerk", unit=PROVINCE)

    assert [uid] == [i["uid"] for i in inspected.clerk.get("/submissions").json()["items"]]
    assert 404 == elsewhere.clerk.get(f"/submissions/{uid}").status_code
    assert 0 == elsewhere.clerk.get("/submissions").json()["total"]
    assert 200 == above.get(f"/submissions/{uid}").status_code
    assert refused(inspecting.reviewer.post(f"/submissions/{uid}/accept", seen=seen, json={}))[0] in (403, 404)
    assert 403 == inspected.clerk.post(f"/submissions/{uid}/accept", seen=seen, json={}).status_code


def test_several_lists_on_one_day(teams: list[Team], nodes: list[Station]) -> None:
    """Two enterprises on the same day are two filings; each is returned or corrected for itself."""
    inspecting, inspected, _ = teams
    one, two = inspecting.hand_over("甲厂"), inspecting.hand_over("乙厂")
    assert [1, 2] == [int(f["item"].rpartition("/")[2]) for f in (one, two)]
    settle(*nodes)
    inspected.decide(one, "return", note="企业名称不全")
    settle(*nodes)
    assert ("returned", "submitted") == (inspecting.look(one)["state"], inspecting.look(two)["state"])
    body = inspecting.look(one)["body"] | {"header": {"enterprise": "甲厂（全称）", "date": DAY}}
    again = inspecting.put(
        {"item": one["item"], "period": DAY, "campaign": one["campaign"]}, body, supersedes=one["payload_hash"]
    )
    settle(*nodes)
    assert (2, "甲厂（全称）") == (again["revision"], inspected.look(again)["body"]["header"]["enterprise"])
    assert [] == faults(nodes)


def feed_back(inspected: Team, nodes: list[Station]) -> dict[str, Any]:
    """The inspected city begins with the lists that it has received, and files."""
    begun = inspected.begin(FEEDBACK, prefilled=True)
    draft = inspected.look({"uid": begun["draft"]})
    body = draft["body"]
    for row in body["rows"]:
        row |= {"area": "泽州县", "progress": "已整改"}
    assert 204 == inspected.clerk.send("DELETE", f"/submissions/{draft['uid']}", seen=draft["etag"]).status_code
    return inspected.put(begun, body)


def test_feedback_goes_to_two_addressees(teams: list[Team], nodes: list[Station]) -> None:
    """Begun with the lists received; the same bytes to both; each gives its own receipts, the province decides."""
    inspecting, inspected, province = teams
    for enterprise in ("甲厂", "乙厂"):
        inspecting.hand_over(enterprise)
    settle(*nodes)
    filed = feed_back(inspected, nodes)
    rows = [(r["number"], r["enterprise"], r["inspector"], r["general"], r["major"]) for r in filed["body"]["rows"]]
    assert [(1, "甲厂", "长治市应急管理局", 2, 1), (2, "乙厂", "长治市应急管理局", 2, 1)] == rows
    settle(*nodes)

    both = [inspecting.look(filed), province.look(filed)]
    assert {filed["payload_hash"]} == {t["payload_hash"] for t in both}
    sent = [opened(bytes(r.content)) for r in nodes[1].rows(outbox) if r.kind == "submission"]
    assert (["changzhi", "shanxi"], 1) == (
        sorted(m.envelope.receiver for m in sent),
        len({m.envelope.payload_hash for m in sent}),
    )
    told = inspected.look(filed)
    assert [("changzhi", "stored"), ("changzhi", "checked"), ("shanxi", "stored"), ("shanxi", "checked")] == sorted(
        [(r["receipt"]["node"], r["receipt"]["kind"]) for r in told["receipts"]], key=lambda p: (p[0], p[1] != "stored")
    )
    refused = inspecting.reviewer.post(f"/submissions/{filed['uid']}/accept", seen=both[0]["etag"], json={})
    assert (403, "这不是报给本单位的") == (refused.status_code, refused.json()["detail"])

    province.decide(filed, "return", note="请写明处罚情况")
    settle(*nodes)
    assert ("returned", "submitted") == (inspected.look(filed)["state"], inspecting.look(filed)["state"])
    body = inspected.look(filed)["body"]
    body["rows"][0]["penalty"] = "罚款一万元"
    again = inspected.put(
        {"item": filed["item"], "period": DAY, "campaign": filed["campaign"]}, body, supersedes=filed["payload_hash"]
    )
    settle(*nodes)
    province.decide(again, "accept")
    settle(*nodes)
    states = [t.look(again)["state"] for t in (inspected, province, inspecting)]
    assert ["accepted", "accepted", "submitted"] == states
    assert "superseded" == inspecting.look(filed)["state"]
    assert "罚款一万元" == inspecting.look(again)["body"]["rows"][0]["penalty"]
    assert [] == faults(nodes)


def test_one_addressee_is_down(teams: list[Team], nodes: list[Station], lines: Lines, clock: StandingClock) -> None:
    """The other one is not kept waiting; the first gets it when it is back."""
    inspecting, inspected, province = teams
    inspecting.hand_over()
    settle(*nodes)
    lines.cut.add("changzhi")
    filed = feed_back(inspected, nodes)
    settle(nodes[1], nodes[2])
    province.decide(filed, "accept")
    settle(nodes[1], nodes[2])
    assert ("accepted", {"shanxi"}) == (inspected.look(filed)["state"], givers(inspected, filed))
    lines.cut.clear()
    clock.set(max(r.next_try for r in nodes[1].rows(outbox)))
    settle(*nodes)
    assert {"shanxi", "changzhi"} == givers(inspected, filed)
    assert ("accepted", "submitted") == (inspected.look(filed)["state"], inspecting.look(filed)["state"])
    assert [] == faults(nodes)


def givers(team: Team, filed: dict[str, Any]) -> set[str]:
    return {r["receipt"]["node"] for r in team.look(filed)["receipts"]}


def test_through_the_node_of_the_province(
    databases: Callable[[], str], catalog: Catalog, clock: StandingClock, lines: Lines
) -> None:
    """Two cities that do not know each other: the province's node sends on, and says what it was told in its own name."""
    clock.set(datetime(2025, 3, 12, 10, 0, tzinfo=BEIJING))
    nodes = [Station(name, databases(), catalog, clock, lines, unit=unit) for name, unit in NAMES.items()]
    for station in nodes:
        station.introduces_itself()
    for city in nodes[:2]:
        city.adds(nodes[2])
        nodes[2].adds(city)
    inspecting, inspected, province = (Team(s) for s in nodes)
    try:
        filed = inspecting.hand_over()
        settle(*nodes)
        assert ["stored", "checked"] == receipts(inspecting.look(filed)) == receipts(inspected.look(filed))
        assert ({"shanxi"}, {"jincheng"}) == (givers(inspecting, filed), givers(inspected, filed))
        inspected.decide(filed, "accept")
        settle(*nodes)
        assert "accepted" == inspecting.look(filed)["state"] == province.look(filed)["state"]

        answer = feed_back(inspected, nodes)
        settle(*nodes)
        assert {r["receipt"]["receiver"]["unit"] for r in inspected.look(answer)["receipts"]} == {OTHER_CITY, PROVINCE}
        assert 4 == len(inspected.look(answer)["receipts"])
        province.decide(answer, "accept")
        settle(*nodes)
        assert ["accepted", "submitted"] == [t.look(answer)["state"] for t in (inspected, inspecting)]
        assert [] == faults(nodes)
    finally:
        for station in nodes:
            station.node.db.close()


def test_carried_by_hand(teams: list[Team], nodes: list[Station], lines: Lines, tmp_path: Path) -> None:
    """The networks of two cities do not touch: list, receipts and feedback go in packages."""
    inspecting, inspected, _ = teams
    lines.cut |= set(NAMES)

    def carry(one: Team, other: Team) -> None:
        package = tmp_path / f"{uuid4().hex}.gmx"
        carrying.export(one.station.node, other.station.name, package, actor=ACTOR)
        for _ in range(2):
            carrying.bring_in(other.station.node, package, actor=ACTOR)
            other.station.work()

    filed = inspecting.hand_over()
    carry(inspecting, inspected)
    carry(inspected, inspecting)
    assert ["stored", "checked"] == receipts(inspecting.look(filed)) == receipts(inspected.look(filed))
    answer = feed_back(inspected, nodes)
    carry(inspected, inspecting)
    carry(inspecting, inspected)
    assert {"changzhi"} == givers(inspected, answer)
    assert "submitted" == inspected.look(answer)["state"]


def test_what_is_not_the_units_to_file(teams: list[Team], nodes: list[Station]) -> None:
    inspecting = teams[0]
    told = inspecting.clerk.get("/occasions").json()
    assert [["晋城市应急管理局"], ["晋城市应急管理局"]] == [
        [a["unit_name"] for a in o["to"]] for o in told if o["duty"] == "hand-over"
    ]
    county = nodes[1].person("clerk", unit=ZEZHOU)
    assert [] == county.get("/occasions").json()
    assert (422, "GM-H484") == refused(county.post("/occasions", json={"item": LIST}))
    early = inspecting.clerk.post("/occasions", json={"item": LIST, "day": "2024-12-01"})
    assert "too-early" in early.json()["type"]
    assert 403 == inspecting.reviewer.post("/occasions", json={"item": LIST}).status_code


def refused(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_on_the_pages(teams: list[Team], nodes: list[Station]) -> None:
    """Begun, uploaded, filed, received, acknowledged and answered by people at browsers; quotas stand where they are met."""
    inspecting, _, province = teams
    clerk = Browser(nodes[0].node, inspecting.clerk)
    page = clerk.get("/occasions")
    assert "移交检查问题隐患清单和印证资料" in page.text
    assert "交叉检查时间不少于 5天" in page.text
    assert "0天，还差5天" in page.text
    assert "交叉检查抽检企业中的中小企业比例不少于 60%" in page.text
    slot = clerk.send(page, "/occasions", item=LIST, day=DAY)
    assert "没有规定期限" in slot.text
    assert "→ 晋城市应急管理局" in slot.text
    for number in range(1, 11):
        inspecting.hand_over(f"第{number}厂", f"2025-03-{number // 2 + 1:02}")
    settle(*nodes)
    page = clerk.get("/occasions")
    assert "10家，已达到" in page.text
    assert "6天，已达到" in page.text
    assert "报出的 10 份" in page.text
    assert "晋城市应急管理局 已收到 03-12 10:00" in page.text

    other = Browser(nodes[1].node, nodes[1].person("clerk", "reviewer"))
    received = other.get("/occasions")
    assert "收到的 10 份" in received.text
    assert "第3厂 检查问题隐患清单（第3份） 长治市应急管理局" in received.text
    waiting = other.get("/review")
    assert "长治市应急管理局" in waiting.text
    href = next(a.get("href") for a in received.all("a") if a.text == "第3厂")
    one = other.get(href)
    assert "煤气报警失效" in one.text
    assert "没有规定期限" in one.text
    accepted = other.send(one, f"{href}/accept")
    assert ["已接受《长治市应急管理局 检查问题隐患清单（第3份） 3月12日》。"] == accepted.said()

    draft = other.send(other.get("/occasions"), "/occasions", item=FEEDBACK, day=DAY, prefilled="true")
    assert "已按收到的清单填好各行" in draft.said()[0]
    assert "第10厂" in draft.text
    filed = other.send(draft, f"{draft.path}/submit", reason=REASON)
    assert "待送" in filed.text
    settle(*nodes)
    filed = other.get(filed.path)
    sent = words(filed.all("#sent")[0])
    assert "长治市应急管理局 只收件 已收到" in sent
    assert "山西省应急管理厅 接受或退回 已收到" in sent
    above = Browser(nodes[2].node, province.reviewer)
    assert "晋城市应急管理局" in above.get("/review").text
    group = Browser(nodes[0].node, inspecting.reviewer).get(filed.path)
    assert 200 == group.status
    assert f"{filed.path}/accept" not in group.actions()
    assert 200 == other.get(f"{filed.path}/receipt").status
    assert [] == faults(nodes)
