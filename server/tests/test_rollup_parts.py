"""What the city adds to the counties' numbers: its own part, and adjustments with reasons."""

from gmsafety import Catalog
from rolling import LEDGER, WEEKLY, City, value
from world import SCENARIO, scenario_file


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
