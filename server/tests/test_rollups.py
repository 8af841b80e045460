"""The city rolls up what its counties filed: the numbers of the scenario, where each comes from, and what changes it."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest

from gmsafety import Catalog
from gmsafety.duties import BEIJING
from gmsafety.forms import read
from gmsafety.forms.printed import from_printed
from gmsafety.forms.schema import to_json
from gmsafety_server.node import Node
from rolling import COUNTIES, LEDGER, REASON, WEEKLY, City, MakePerson, own_part, value
from world import CITY, GAOPING, PROVINCE, SCENARIO, ZEZHOU, StandingClock, day, scenario_file

WEEKS = ("2024-12-20", "2024-12-27", "2025-01-03")
MEMBERS = {"jincheng.jincheng-gxj", "jincheng.jincheng-scjgj", "jincheng.jincheng-sthjj"}


@pytest.fixture
def city(person: MakePerson, clock: StandingClock) -> City:
    return City(person, clock)


def wanted(week: str) -> dict[str, Any]:
    return dict(json.loads((SCENARIO / f"expected_rollup_{week}.json").read_text("utf-8")))


@pytest.mark.parametrize("week", WEEKS)
def test_the_scenario(week: str, city: City) -> None:
    city.receive(week, WEEKLY, LEDGER)
    table, ledger = city.roll_up(week, own=True), city.roll_up(week, LEDGER, own=True)
    expected = wanted(week)
    clauses = table["printed"]["clauses"]
    stages = [row["stage"] for row in ledger["body"]["rows"]]

    assert {n: c["numbers"] for n, c in expected["clauses"].items()} == {n: clauses[n]["numbers"] for n in "12345"}
    assert expected["contributions"] == table["contributions"]
    assert expected["ledger_rows_by_unit"] == ledger["contributions"]
    assert expected["ledger_rows_by_stage"] == {s: stages.count(s) for s in dict.fromkeys(stages)}
    assert expected["ledger_rows"] == len(ledger["rows"])
    assert not [m for m in table["missing"] if m["of_level"]]
    assert MEMBERS == {m["unit"] for m in table["missing"]}
    assert not table["stale"]


def test_equal_to_the_core(city: City, catalog: Catalog) -> None:
    """Values, contributions, sources and findings are those of the command line."""
    week = "2025-01-03"
    city.receive(week, WEEKLY)
    made = city.roll_up(week, own=True)
    told = own_part(week)
    result = catalog.rollup(WEEKLY).apply(
        [read(scenario_file(week, c, "weekly"), catalog) for c in COUNTIES], unit=catalog.unit(CITY),
        own=from_printed(told["body"], catalog.form(WEEKLY)), period=day(week), own_file=told["file"],
    )  # fmt: skip
    printed = city.clerk.get(f"/rollups/{made['uid']}/download.printed.json").json()

    assert to_json(result.record) == made["body"]
    assert result.contributions() == printed["contributions"]
    assert json.loads(json.dumps(result.source_list())) == printed["sources"]
    assert [f.to_json() for f in result.findings] == [f for f in made["findings"] if f["code"] != "GM-X601"]


def test_every_number_opens_to_its_cell(city: City) -> None:
    week = "2025-01-03"
    city.receive(week, WEEKLY)
    made = city.roll_up(week, own=True)
    answer = city.clerk.get(f"/rollups/{made['uid']}/cells/joint.county.firms").json()
    cells = {p["area"]: (p["file"], p["place"], p["value"], p["revision"]) for p in answer["parts"]}

    assert {
        "沁水县": ("qinshui_weekly.xlsx", "工作表“附件1”C7单元格", 34, 1),
        "阳城县": ("yangcheng_weekly.docx", "第1个表格第4行第3列", 55, 1),
        "陵川县": ("lingchuan_weekly.xlsx", "工作表“周调度统计表”C7单元格", 17, 1),
        "泽州县": ("zezhou_weekly.xlsx", "工作表“周调度统计表”F10单元格", 64, 1),
        "高平市": ("gaoping_weekly.xlsx", "工作表“周调度统计表”C8单元格", 59, 1),
    } == cells
    assert (229, "229", 3) == (answer["value"], answer["shown"], answer["clause"])
    for part in answer["parts"]:
        file = city.clerk.get(f"/submissions/{part['submission']}/files/{part['file_hash']}")
        assert 200 == file.status_code
        assert part["payload_hash"] == part["file_hash"]


def test_every_sum_is_the_sum_of_its_parts(city: City) -> None:
    city.receive("2024-12-20", WEEKLY)
    for number in city.roll_up("2024-12-20", own=True)["numbers"]:
        assert (number["value"] or 0) == sum(p["value"] for p in number["parts"]), number["path"]


def test_a_ledger_row_opens_to_its_row(city: City) -> None:
    week = "2024-12-27"
    city.receive(week, LEDGER)
    made = city.roll_up(week, LEDGER, own=True)
    parts = [row["part"] for row in made["rows"]]
    yangcheng = next(n for n, p in enumerate(parts) if p["area"] == "阳城县")
    cell = city.clerk.get(f"/rollups/{made['uid']}/cells/rows[{yangcheng}].detail").json()

    assert ["lower"] * (len(parts) - 2) + ["own"] * 2 == [p["kind"] for p in parts]
    assert made["body"]["rows"][yangcheng]["detail"] == cell["parts"][0]["value"]
    assert "yangcheng_ledger.docx" == cell["parts"][0]["file"]
    assert 404 == city.clerk.get(f"/rollups/{made['uid']}/cells/rows[999]").status_code
    assert 404 == city.clerk.get(f"/rollups/{made['uid']}/cells/self.plans").status_code


def test_missing_units_are_named(city: City) -> None:
    week = "2024-12-27"
    city.receive(week, WEEKLY, counties=("zezhou", "qinshui"))
    city.file("gaoping", week)
    city.clock.set(datetime(2024, 12, 27, 12, 1, tzinfo=BEIJING))
    made = city.roll_up(week)
    states = {m["unit"].partition(".")[2]: m["state"] for m in made["missing"] if m["of_level"]}
    others = {m["unit"]: m["state"] for m in made["missing"] if not m["of_level"]}

    assert {
        "chengqu-office": "missing",
        "yangcheng-office": "missing",
        "lingchuan-office": "missing",
        "gaoping-office": "submitted",
    } == states
    assert dict.fromkeys(MEMBERS, "missing") == others
    assert 4 == sum(f["kind"] == "unit-missing" for f in made["findings"])
    assert 2 == len(made["sources"])


def test_submitted_forms_count_where_that_was_chosen(city: City) -> None:
    week = "2024-12-27"
    city.receive(week, WEEKLY, accept=False)
    made = city.roll_up(week)
    assert [] == made["sources"]
    assert value(made, "self.plans") is None

    told = {"item": WEEKLY, "period": week, "basis": "submitted"}
    answer = city.clerk.post("/rollups", json=told)
    assert (428, "GM-H461") == (answer.status_code, answer.json()["code"])

    answer = city.clerk.post("/rollups", json=told, seen=made["etag"])
    assert 200 == answer.status_code
    assert "submitted" == answer.json()["basis"]
    assert 6 == len(answer.json()["sources"])
    assert made["uid"] == city.clerk.post("/rollups", json=told).json()["uid"]


def test_a_correction_makes_it_stale(city: City) -> None:
    """Returned and corrected below: the cells that change are named with the revisions, until it is rolled up again."""
    week = "2024-12-27"
    city.receive(week, WEEKLY, counties=tuple(c for c in COUNTIES if c != "zezhou"))
    first = city.accept(city.file("zezhou", week))
    made = city.roll_up(week, own=True)
    before = value(made, "self.general.found")
    answer = city.reviewer.post(f"/submissions/{first['uid']}/reopen", seen=first["etag"], json={"note": "重报"})
    city.give_back(answer.json())
    gone = city.look(made)
    assert gone["stale"]
    assert {(1, None)} == {(b["before"], b["after"]) for c in gone["changes"] for b in c["because"]}
    assert [ZEZHOU] == [s["unit"] for s in gone["sources"] if s["state"] == "returned"]

    found = first["body"]["values"]["self"]["general"]["found"]
    second = city.correct("zezhou", week, first, self__general__found=found + 5, publicity__text="更正后的宣传情况。")
    city.accept(second)
    stale = city.look(made)
    listed = city.clerk.get("/rollups", params={"item": WEEKLY}).json()
    because = {"unit": ZEZHOU, "unit_name": "泽州县应急管理局", "before": 1, "after": 2}

    assert ["self.general.found", "publicity.text"] == [c["path"] for c in stale["changes"]]
    assert {
        "kind": "changed",
        "path": "self.general.found",
        "label": "第2行“一般问题隐患发现数”",
        "before": str(before),
        "after": str(before + 5),
        "columns": [],
        "because": [because],
    } == stale["changes"][0]
    assert [True] == [r["stale"] for r in listed["items"]]
    assert before == value(stale, "self.general.found")

    fresh = city.change(stale, "POST", "refresh")
    assert (False, []) == (fresh["stale"], fresh["changes"])
    assert before + 5 == value(fresh, "self.general.found")
    assert [2] == [s["revision"] for s in fresh["sources"] if s["unit"] == ZEZHOU]


def test_a_correction_of_a_ledger_names_rows(city: City) -> None:
    week = "2024-12-27"
    first = city.accept(city.file("zezhou", week, LEDGER))
    made = city.roll_up(week, LEDGER, basis="submitted")
    rows = json.loads(json.dumps(first["body"]["rows"]))
    gone = rows.pop(0)
    rows[0]["progress"] = "已完成整改，完成时间2024年12月26日"
    rows.append({**gone, "enterprise": "泽州县示例丙铸造有限公司"})
    answer = city.reviewer.post(f"/submissions/{first['uid']}/reopen", seen=first["etag"], json={"note": "重报"})
    assert 200 == answer.status_code
    body = {**first["body"], "rows": rows}
    told = {"message_id": "zezhou-ledger-2", "item": LEDGER, "period": week, "supersedes": first["payload_hash"]}
    answer = city.counties["zezhou"].post("/submissions", json={**told, "reason": REASON, "body": body})
    assert 201 == answer.status_code, answer.text
    changes = city.look(made)["changes"]

    assert ["removed", "changed", "added"] == [c["kind"] for c in changes]
    assert gone["enterprise"] in changes[0]["label"]
    assert ["整改完成情况"] == [c["label"] for c in changes[1]["columns"]]
    assert "泽州县示例丙铸造有限公司" in changes[2]["label"]
    assert [[(1, 2)]] * 3 == [[(b["before"], b["after"]) for b in c["because"]] for c in changes]


def test_adjustments(city: City) -> None:
    week = "2024-12-27"
    city.receive(week, WEEKLY)
    made = city.roll_up(week, own=True)
    found, fine = value(made, "self.general.found"), value(made, "penalty.fine")
    told = [
        {"path": "self.general.found", "delta": -3, "reason": "一家企业两县重复填报"},
        {"path": "penalty.fine", "value": 1_500_000, "reason": "以处罚决定书为准"},
    ]
    made = city.change(made, "PUT", "adjustments", json={"adjustments": told})
    part = next(n for n in made["numbers"] if n["path"] == "self.general.found")["parts"][-1]

    assert (found - 3, 1_500_000) == (value(made, "self.general.found"), value(made, "penalty.fine"))
    assert ("adjustment", -3, "一家企业两县重复填报") == (part["kind"], part["value"], part["reason"])
    assert found == sum(made["contributions"]["2"]["2"].values())
    assert [("第2行“一般问题隐患发现数”", str(found), str(found - 3), "-3")] == [
        (a["label"], a["before"], a["after"], a["change"]) for a in made["adjustments"][:1]
    ]
    assert 1_500_000 - fine == sum(
        p["value"]
        for n in made["numbers"]
        if n["path"] == "penalty.fine"
        for p in n["parts"]
        if p["kind"] == "adjustment"
    )
    assert [] == city.change(made, "PUT", "adjustments", json={"adjustments": []})["adjustments"]


BAD_ADJUSTMENTS = [
    ("no reason", {"path": "self.plans", "delta": 1}),
    ("blank reason", {"path": "self.plans", "delta": 1, "reason": "  "}),
    ("neither delta nor value", {"path": "self.plans", "reason": "x"}),
    ("both", {"path": "self.plans", "delta": 1, "value": 1, "reason": "x"}),
    ("a text", {"path": "publicity.text", "value": 1, "reason": "x"}),
    ("no such number", {"path": "self.nothing", "value": 1, "reason": "x"}),
    ("below zero", {"path": "self.plans", "delta": -1_000_000, "reason": "x"}),
    ("half a firm", {"path": "self.plans", "value": 1.5, "reason": "x"}),
]


def test_bad_adjustments(city: City) -> None:
    city.receive("2024-12-27", WEEKLY, counties=("zezhou",))
    made = city.roll_up("2024-12-27")
    path = f"/rollups/{made['uid']}/adjustments"
    answers = {
        why: city.clerk.send("PUT", path, seen=made["etag"], json={"adjustments": [told]})
        for why, told in BAD_ADJUSTMENTS
    }

    assert {why: (422, "GM-H485") for why, _ in BAD_ADJUSTMENTS} == {
        why: (a.status_code, a.json()["code"]) for why, a in answers.items()
    }
    assert made["etag"] == city.look(made)["etag"]


def test_a_ledger_is_not_adjusted(city: City) -> None:
    made = city.roll_up("2024-12-27", LEDGER)
    told = {"adjustments": [{"path": "rows", "value": 1, "reason": "x"}]}
    answer = city.clerk.send("PUT", f"/rollups/{made['uid']}/adjustments", seen=made["etag"], json=told)

    assert (422, ["台账不能调整，请由填报单位更正"]) == (
        answer.status_code, [e["message"] for e in answer.json()["errors"]],
    )  # fmt: skip


def test_own_part_from_files(city: City, catalog: Catalog) -> None:
    """The own part may come as the scenario's JSON, and as the workbook of a result; its bytes are kept."""
    week = "2024-12-27"
    made = city.roll_up(week)
    name = f"city_own_{week}.json"
    given = (SCENARIO / name).read_bytes()
    made = city.change(made, "PUT", "own/file", files={"file": (name, given, "application/json")})
    number = next(n for n in made["numbers"] if n["path"] == "joint.city.firms")
    assert [(name, "第3行“市本级检查企业数”")] == [(p["file"], p["place"]) for p in number["parts"]]
    assert given == city.clerk.get(f"/rollups/{made['uid']}/own/file").content

    workbook = city.clerk.get(f"/rollups/{made['uid']}/download.xlsx").content
    made = city.change(made, "PUT", "own/file", files={"file": ("市本级.xlsx", workbook)})
    again = next(n for n in made["numbers"] if n["path"] == "joint.city.firms")
    assert number["value"] == again["value"]
    assert [("市本级.xlsx", "工作表“周调度统计表”C7单元格")] == [(p["file"], p["place"]) for p in again["parts"]]

    made = city.change(made, "DELETE", "own")
    assert made["own"] is None
    assert value(made, "joint.city.firms") is None


def test_own_parts_that_are_none(city: City) -> None:
    made = city.roll_up("2024-12-27")
    path = f"/rollups/{made['uid']}/own"
    ledger = scenario_file("2024-12-27", "zezhou", "ledger").read_bytes()
    raw = city.clerk.headers | {"If-Match": '"1"', "Content-Type": "application/json"}
    answers = [
        city.clerk.send("PUT", f"{path}/file", seen=1, files={"file": ("x.xlsx", b"PK nonsense")}),
        city.clerk.send("PUT", f"{path}/file", seen=1, files={"file": ("x.xlsx", ledger)}),
        city.clerk.send("PUT", f"{path}/file", seen=1, files={"file": ("x.json", b"[1]")}),
        city.clerk.send("PUT", path, seen=1, json={"body": {"values": {"self": {"plans": "many"}}}}),
        city.clerk.send("PUT", path, seen=1, json={"body": {"clauses": {"99": {}}}}),
        city.clerk.send("PUT", path, seen=1, json={"body": {"form": "other", "values": {}}}),
        city.clerk.send("PUT", path, seen=1, json={"body": {}}),
        city.clerk.send("PUT", path, seen=1, json={"body": {"values": {}, "remarks": {"self": 5}}}),
        city.clerk.send("PUT", path, seen=1, json={"body": {"values": {"publicity": {"text": "a\0b"}}}}),
        city.clerk.http.put(f"/api/v1{path}", headers=raw, content='{"body": {"values": {"penalty": {"fine": NaN}}}}'),
        city.clerk.http.put(
            f"/api/v1{path}", headers=raw, content='{"body": {"values": {"publicity": {"text": "\\ud800"}}}}'
        ),
        city.clerk.send("PUT", path, seen=2, json={"body": {"values": {}}}),
        city.clerk.send("PUT", path, json={"body": {"values": {}}}),
    ]
    codes = ["GM-H480", "GM-H481", "GM-H485", "GM-H485", "GM-H485", "GM-H481", "GM-H485"]
    codes += ["GM-H485"] * 4 + ["GM-H460", "GM-H461"]

    assert codes == [a.json()["code"] for a in answers]
    assert city.look(made)["own"] is None


def test_an_own_part_of_another_unit_is_not_counted(city: City) -> None:
    made = city.roll_up("2024-12-27")
    body = {"unit": "泽州县应急管理局", "clauses": {"2": {"numbers": [1] * 11}}}
    made = city.change(made, "PUT", "own", json={"body": body})

    assert "own-part-differs" in {f["kind"] for f in made["findings"]}
    assert value(made, "self.plans") is None


def test_filed_upward(city: City, catalog: Catalog, person: MakePerson) -> None:
    """The result is a submission of the city like any other: slot, receipts, file, findings; and opens to the counties."""
    week = "2025-01-03"
    city.receive(week, WEEKLY, LEDGER)
    ledger = city.roll_up(week, LEDGER, own=True)
    table = city.roll_up(week, own=True)
    adjusted = [{"path": "self.plans", "delta": 1, "reason": "补计一家"}]
    table = city.change(table, "PUT", "adjustments", json={"adjustments": adjusted})
    assert ["GM-X601"] == [f["code"] for f in table["findings"]]
    assert ("shanxi.gongmao-2024", PROVINCE, "open") == tuple(
        table["upward"][n] for n in ("campaign", "upper", "state")
    )

    told = {"message_id": "jincheng-weekly-1"}
    path = f"/rollups/{table['uid']}/file"
    answer = city.clerk.post(path, seen=table["etag"], json=told)
    assert (422, "GM-H482") == (answer.status_code, answer.json()["code"])
    filed = city.change(table, "POST", "file", json={**told, "reason": "高平市台账待补"})
    again = city.clerk.post(path, seen=table["etag"], json={**told, "reason": "高平市台账待补"})
    other = city.clerk.post(path, seen=filed["etag"], json={**told, "reason": "另一个原因"})
    assert (200, filed) == (again.status_code, again.json())
    assert (409, "GM-H450") == (other.status_code, other.json()["code"])

    submission = city.clerk.get(f"/submissions/{filed['submission']['uid']}").json()
    [file] = submission["files"]
    content = city.clerk.get(f"/submissions/{submission['uid']}/files/{file['hash']}").content
    reading = read(content, catalog, name=file["name"])
    assert ("filed", "submitted", 1) == (filed["state"], submission["state"], submission["revision"])
    assert ["stored", "checked"] == [r["receipt"]["kind"] for r in submission["receipts"]]
    assert table["body"] == submission["body"]
    assert f"晋城市_{week}_周调度统计表.xlsx" == file["name"]
    assert reading.record is not None
    assert table["body"] == to_json(reading.record)
    assert [("GM-X601", "C6")] == [(f["code"], f["where"]) for f in submission["findings"]]
    assert "汇总调整：第2行“制定自查自改方案的企业数” +1（补计一家）" == submission["note"]

    city.file_upward(ledger)
    province = person(PROVINCE, "clerk", "reviewer")
    for uid in (submission["uid"], city.look(ledger)["submission"]["uid"]):
        seen = province.get(f"/submissions/{uid}").json()["etag"]
        assert 200 == province.post(f"/submissions/{uid}/accept", seen=seen, json={}).status_code
    above = province.post("/rollups", json={"item": WEEKLY, "period": week})
    assert 201 == above.status_code, above.text
    cell = province.get(f"/rollups/{above.json()['uid']}/cells/self.plans").json()
    [part] = cell["parts"]
    assert ("晋城市", file["name"], "C6") == (part["area"], part["file"], part["where"])
    assert part["value"] == sum(p["value"] for p in part["below"])
    assert ["城区", "沁水县", "阳城县", "陵川县", "泽州县", "高平市"] == [p["area"] for p in part["below"][:-1]]
    assert ("adjustment", "补计一家") == (part["below"][-1]["kind"], part["below"][-1]["reason"])
    assert 6 == value(above.json(), "deployment.counties")


def test_filed_again_after_a_correction(city: City) -> None:
    """What was filed first stays open to the revisions it was made of then."""
    week = "2024-12-27"
    first = city.file("zezhou", week)
    made = city.roll_up(week, basis="submitted")
    filed = city.file_upward(made)
    city.correct("zezhou", week, first, self__plans=first["body"]["values"]["self"]["plans"] + 1)

    told = {"message_id": "second-filing-1", "supersedes": filed["submission"]["payload_hash"]}
    answer = city.clerk.post(f"/rollups/{made['uid']}/file", seen=filed["etag"], json=told)
    assert (422, "GM-H482") == (answer.status_code, answer.json()["code"])

    fresh = city.change(filed, "POST", "refresh")
    assert ("draft", "submitted") == (fresh["state"], fresh["submission"]["state"])
    told = {"message_id": "second-filing-2", "reason": REASON}
    answer = city.clerk.post(f"/rollups/{made['uid']}/file", seen=fresh["etag"], json=told)
    assert (409, "GM-H451") == (answer.status_code, answer.json()["code"])

    again = city.file_upward(fresh, supersedes=filed["submission"]["payload_hash"])
    old = city.clerk.get(f"/submissions/{filed['submission']['uid']}").json()
    assert (2, "superseded") == (again["submission"]["revision"], old["state"])


def test_together_is_once(city: City) -> None:
    """Equal requests that arrive together make one roll-up, and file it once."""
    told = {"item": WEEKLY, "period": "2024-12-27"}
    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(lambda _: city.clerk.post("/rollups", json=told), range(6)))
        path, sent = f"/rollups/{made[0].json()['uid']}/file", {"message_id": "together-1", "reason": REASON}
        filed = list(pool.map(lambda _: city.clerk.post(path, seen=1, json=sent), range(6)))

    assert {200, 201} >= {a.status_code for a in made}
    assert 1 == len({a.json()["uid"] for a in made})
    assert [200] * 6 == [a.status_code for a in filed]
    assert 1 == len({a.json()["submission"]["uid"] for a in filed})
    assert 1 == city.clerk.get("/submissions", params={"unit": CITY}).json()["total"]


def test_a_unit_that_files_nowhere(city: City, person: MakePerson) -> None:
    """The province rolls up, and has nobody to file with."""
    clerk = person(PROVINCE, "clerk")
    made = clerk.post("/rollups", json={"item": WEEKLY, "period": "2024-12-27"}).json()
    answer = clerk.post(f"/rollups/{made['uid']}/file", seen=1, json={"message_id": "province-1", "reason": "x"})

    assert made["upward"] is None
    assert (422, "GM-H484") == (answer.status_code, answer.json()["code"])


NOT_ROLLED_UP = [
    (ZEZHOU, {"item": WEEKLY, "period": "2024-12-27"}, "GM-H484"),
    (CITY, {"item": WEEKLY, "period": "2024-12-26"}, "GM-H484"),
    (CITY, {"item": "no-such-form", "period": "2024-12-27"}, "GM-H484"),
    (CITY, {"item": WEEKLY, "period": "2024-12-27", "campaign": "shanxi.gongmao-2024"}, "GM-H484"),
    (CITY, {"item": "jincheng.gongmao-2024/summary/summary", "period": "2025-03-25"}, "GM-H486"),
    (CITY, {"item": WEEKLY, "period": "2024-12-27", "basis": "rumour"}, "GM-H485"),
    (CITY, {"item": WEEKLY, "period": "2024-12-27", "unit": ZEZHOU}, "GM-H485"),
]


def test_what_is_not_rolled_up(person: MakePerson) -> None:
    people = {unit: person(unit, "clerk") for unit in (ZEZHOU, CITY)}
    answers = [people[unit].post("/rollups", json=told) for unit, told, _ in NOT_ROLLED_UP]

    assert [(422, code) for _, _, code in NOT_ROLLED_UP] == [(a.status_code, a.json()["code"]) for a in answers]


def test_downloads(city: City, catalog: Catalog) -> None:
    week = "2025-01-03"
    city.receive(week, WEEKLY, counties=("zezhou", "gaoping"))
    made = city.roll_up(week, own=True)
    path = f"/rollups/{made['uid']}/download"
    files = {suffix: city.clerk.get(f"{path}.{suffix}") for suffix in ("xlsx", "docx", "json", "printed.json")}
    told = files["printed.json"].json()

    assert all("attachment" in f.headers["content-disposition"] for f in files.values())
    for suffix in ("xlsx", "docx"):
        reading = read(files[suffix].content, catalog, name=f"x.{suffix}")
        assert reading.record is not None
        assert made["body"] == to_json(reading.record)
    assert made["body"] == files["json"].json()
    assert (made["contributions"], made["printed"]["clauses"]) == (told["contributions"], told["clauses"])
    assert 422 == city.clerk.get(f"{path}.exe").status_code


def test_who_may(city: City, person: MakePerson) -> None:
    made = city.roll_up("2024-12-27")
    path = f"/rollups/{made['uid']}"
    people = {
        "province": person(PROVINCE, "leader"),
        "reviewer": city.reviewer,
        "administrator": person(CITY, "administrator"),
        "county": city.counties["zezhou"],
        "other city": person("shanxi.changzhi-office", "clerk"),
        "read token": person(CITY, "clerk", scopes=["read"]),
        "file token": person(CITY, "clerk", scopes=["file"]),
    }
    told = {"adjustments": []}
    seen = {
        name: (p.get(path).status_code, p.send("PUT", f"{path}/adjustments", seen=1, json=told).status_code)
        for name, p in people.items()
    }

    assert {
        "province": (200, 403),
        "reviewer": (200, 403),
        "administrator": (403, 403),
        "county": (404, 404),
        "other city": (404, 404),
        "read token": (200, 403),
        "file token": (403, 403),
    } == seen
    assert [1, 0] == [people[n].get("/rollups").json()["total"] for n in ("province", "county")]
    rollup_only = person(CITY, "clerk", scopes=["rollup", "read"])
    answer = rollup_only.post(f"{path}/file", seen=1, json={"message_id": "no-file-scope", "reason": "x"})
    assert (403, "GM-H431") == (answer.status_code, answer.json()["code"])


def test_who_files_is_known_from_the_account(city: City, catalog: Catalog) -> None:
    """A county whose form bears no name of a unit, or a wrong one, is counted as the county that filed it."""
    week = "2024-12-27"
    city.clock.set(datetime(2024, 12, 27, 10, tzinfo=BEIJING))
    for county, name in (("zezhou", None), ("gaoping", "泽州县应急管理局")):
        body = json.loads(json.dumps(to_json(read(scenario_file(week, county, "weekly"), catalog).record)))
        body["header"]["unit"] = name
        told = {"message_id": f"no-name-{county}", "item": WEEKLY, "period": week, "reason": REASON, "body": body}
        answer = city.counties[county].post("/submissions", json=told)
        assert 201 == answer.status_code, answer.text
    made = city.roll_up(week, basis="submitted")

    assert [GAOPING, ZEZHOU] == sorted(s["unit"] for s in made["sources"])
    assert {"泽州县", "高平市"} == set(made["contributions"]["2"]["1"])


def test_changes_are_in_the_audit_log(city: City, node: Node) -> None:
    from sqlalchemy import select  # noqa: PLC0415 - only here

    from gmsafety_server.tables import audit  # noqa: PLC0415 - only here

    city.receive("2024-12-27", WEEKLY, counties=("zezhou",))
    made = city.roll_up("2024-12-27", own=True)
    told = {"adjustments": [{"path": "penalty.fine", "delta": 0.5, "reason": "分角"}]}
    made = city.change(made, "PUT", "adjustments", json=told)
    made = city.change(made, "POST", "refresh")
    city.file_upward(made)
    with node.db.read() as tx:
        query = select(audit.c.action).where(audit.c.object == made["uid"]).order_by(audit.c.id)
        actions = list(tx.execute(query).scalars())

    assert [f"rollup.{a}" for a in ("made", "own", "adjusted", "refreshed", "filed")] == actions


def test_after_the_week(city: City) -> None:
    """A form that came after the roll-up makes it stale too; the list says so per page."""
    week = "2024-12-27"
    made = city.roll_up(week, basis="submitted")
    city.clock.set(city.clock.now() + timedelta(minutes=1))
    city.file("zezhou", week)
    stale = city.look(made)

    assert stale["stale"]
    assert {("泽州县应急管理局", None, 1)} == {
        (b["unit_name"], b["before"], b["after"]) for c in stale["changes"] for b in c["because"]
    }
    assert 0 == len(city.look(city.change(made, "POST", "refresh"))["changes"])
