"""The city rolls up what its counties filed: the numbers of the scenario, where each comes from, and what changes it."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from gmsafety import Catalog
from gmsafety.duties import BEIJING
from gmsafety.forms import read
from gmsafety.forms.printed import from_printed
from gmsafety.forms.schema import to_json
from rolling import COUNTIES, LEDGER, REASON, WEEKLY, City, own_part, value
from world import CITY, GAOPING, SCENARIO, ZEZHOU, day, scenario_file

WEEKS = ("2024-12-20", "2024-12-27", "2025-01-03")
MEMBERS = {"jincheng.jincheng-gxj", "jincheng.jincheng-scjgj", "jincheng.jincheng-sthjj"}


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
