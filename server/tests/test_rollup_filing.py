"""The result goes up: filed like any submission, once; who may do it, and what is never rolled up."""

from concurrent.futures import ThreadPoolExecutor

from gmsafety import Catalog
from gmsafety.forms import read
from gmsafety.forms.schema import to_json
from gmsafety_server.node import Node
from rolling import LEDGER, REASON, WEEKLY, City, MakePerson, value
from world import CITY, PROVINCE, ZEZHOU


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
    rollup_only = person(CITY, "clerk", scopes=["rollup"])
    answer = rollup_only.send("PUT", f"{path}/adjustments", seen=1, json=told)
    assert (200, 2) == (answer.status_code, answer.json()["etag"])
    answer = rollup_only.post(f"{path}/file", seen=2, json={"message_id": "no-file-scope", "reason": "x"})
    assert (403, "GM-H431") == (answer.status_code, answer.json()["code"])


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
