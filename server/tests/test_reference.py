"""What a client looks up, and looking at a form without filing it."""

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.schema import DropTable

from gmsafety import Catalog
from gmsafety.exchange import PublicKey, SignedReceipt
from gmsafety.forms import read
from gmsafety_server.errors import PROBLEMS
from gmsafety_server.node import Node
from gmsafety_server.tables import blobs, keys, metadata
from world import CITY, GAOPING, ZEZHOU, received, scenario_file

WEEKLY, LEDGER = "shanxi.weekly-dispatch", "shanxi.major-hazard-ledger"
CAMPAIGN = "jincheng.gongmao-2024"


@pytest.fixture
def clerk(person: Callable[..., Any]) -> Any:
    return person(ZEZHOU, "clerk")


# ------------------------------------------------------------------- the catalog


def test_campaigns_and_duties(clerk: Any) -> None:
    campaigns = {c["ref"]: c for c in clerk.get("/campaigns").json()}
    duties = {d["id"]: d for d in clerk.get(f"/campaigns/{CAMPAIGN}/duties").json()}

    assert {"shanxi.gongmao-2024", CAMPAIGN} <= set(campaigns)
    city = campaigns[CAMPAIGN]
    assert ("2024-12-15", "2025-03-31", "shanxi.gongmao-2024") == (city["first"], city["last"], city["parent"])
    assert "〔2024〕" in [e["read"] for e in city["errata"]]
    assert [WEEKLY, LEDGER] == [i["item"] for i in duties["weekly-forms"]["items"]]
    assert [f"{CAMPAIGN}/summary/summary"] == [i["item"] for i in duties["summary"]["items"]]
    weeks = duties["weekly-forms"]["occurrences"]
    assert (15, "2024-12-20", "第1周（12月20日）") == (len(weeks), weeks[0]["period"], weeks[0]["title"])
    holiday = next(w for w in weeks if w["period"] == "2025-01-31")
    assert ["public-holiday"] == [f["flag"] for f in holiday["flags"]]
    assert "四（三）" == duties["weekly-forms"]["source"]["clause"]


def test_forms(clerk: Any, catalog: Catalog) -> None:
    lines = {f["ref"]: f for f in clerk.get("/forms").json()}
    form = clerk.get(f"/forms/{WEEKLY}").json()
    short = clerk.get("/forms/weekly-dispatch").json()

    assert set(catalog.forms) == set(lines)
    assert ("clauses", "grid") == (lines[WEEKLY]["shape"], lines[LEDGER]["shape"])
    assert form == short
    assert list(catalog.form(WEEKLY).blanks) == [f["id"] for f in form["fields"]]
    assert form["declaration"]["title"] == form["title"]


def test_schema_describes_what_is_filed(clerk: Any) -> None:
    """What the schema asks for is what comes back of a form that was filed."""
    schema = clerk.get(f"/forms/{WEEKLY}/schema").json()
    filed = clerk.file(scenario_file("2024-12-27", "zezhou", "weekly"), WEEKLY, "2024-12-27", reason="测试").json()

    assert "https://json-schema.org/draft/2020-12/schema" == schema["$schema"]
    assert set(schema["required"]) <= set(filed["body"]) <= set(schema["properties"])


def test_blank(clerk: Any, catalog: Catalog) -> None:
    """The blank form is a file that is recognised as this form."""
    for suffix in ("xlsx", "docx"):
        answer = clerk.get(f"/forms/{WEEKLY}/blank.{suffix}")
        reading = read(answer.content, catalog, name=f"blank.{suffix}")
        assert 200 == answer.status_code
        assert reading.record is not None
        assert WEEKLY == reading.record.form.ref


def test_a_blank_form_for_a_period(clerk: Any, catalog: Catalog) -> None:
    """It is made for the unit of the account, and says so in its header and in its mark."""
    answer = clerk.get(f"/forms/{WEEKLY}/blank.xlsx", params={"period": "2024-12-27"})
    reading = read(answer.content, catalog, name="blank.xlsx")
    assert reading.record is not None
    assert reading.stamp is not None
    assert {"unit": "泽州县应急管理局", "date": date(2024, 12, 27)} == reading.record.header
    assert (WEEKLY, ZEZHOU, date(2024, 12, 27)) == (reading.stamp.form, reading.stamp.unit, reading.stamp.period)


UNKNOWN = ["/campaigns/nothing/duties", "/forms/nothing", "/forms/nothing/schema", "/forms/nothing/blank.xlsx"]


def test_unknown(clerk: Any, http: Any, person: Callable[..., Any]) -> None:
    assert [404] * 4 == [clerk.get(path).status_code for path in UNKNOWN]
    assert 422 == clerk.get(f"/forms/{WEEKLY}/blank.pdf").status_code
    assert [401] * 4 == [http.get(f"/api/v1{path}").status_code for path in UNKNOWN]
    assert "GM-H431" == person(CITY, "reviewer", scopes=["review"]).get("/forms").json()["code"]


# ------------------------------------------------------- open to everybody: node, health, problems


def test_node_and_health(http: Any, node: Node) -> None:
    told = http.get("/api/v1/node").json()

    assert ("jincheng", False) == (told["node"], told["test"])
    assert [node.key.public.key_id] == [k["key_id"] for k in told["keys"]]
    assert [node.key.public.fingerprint] == [k["fingerprint"] for k in told["keys"]]
    assert (200, {"status": "ok"}) == (http.get("/health").status_code, http.get("/health").json())
    assert 200 == http.head("/health").status_code


def test_health_without_tables(http: Any, node: Node) -> None:
    """The server answers, but not “ok”."""
    with node.db.write() as tx:
        tx.execute(DropTable(keys))
    answer = http.get("/health")

    assert (503, "GM-H503") == (answer.status_code, answer.json()["code"])


def test_problems_are_explained(http: Any, clerk: Any) -> None:
    """The `type` of every problem is an address that says what it means, to people and to programs."""
    told = clerk.get("/forms/nothing").json()
    kind = http.get(told["type"]).json()
    people = http.get(told["type"], headers={"Accept": "text/html"})
    every = http.get("/problems").json()

    assert (told["code"], told["title"], told["remedy"]) == (kind["code"], kind["title"], kind["remedy"])
    assert ("text/html; charset=utf-8", True) == (people.headers["content-type"], kind["remedy"] in people.text)
    assert [t.code for t in PROBLEMS.values()] == [k["code"] for k in every]
    assert all(t.code in http.get("/problems", headers={"Accept": "text/html"}).text for t in PROBLEMS.values())
    assert 404 == http.get("/problems/nothing").status_code


# ------------------------------------------------------------------------- receipts


def test_receipts_are_verified(clerk: Any, http: Any) -> None:
    """As it was given it is valid, here and with the public key; changed or signed by a stranger it is not."""
    filed = clerk.file(scenario_file("2024-12-27", "zezhou", "weekly"), WEEKLY, "2024-12-27", reason="测试").json()
    receipt = filed["receipts"][0]
    changed = json.loads(json.dumps(receipt))
    changed["receipt"]["received_at"] = "2024-12-27T02:59:59Z"
    strange = json.loads(json.dumps(receipt))
    strange["signature"]["key_id"] = "somebody-2024-1"
    verdicts = [clerk.post("/receipts/verify", json=r).json() for r in (receipt, changed, strange)]
    known = [PublicKey.from_json({n: k[n] for n in ("key_id", "algorithm", "public_key")})
            for k in http.get("/api/v1/node").json()["keys"]]  # fmt: skip

    assert ["valid", "bad-signature", "unknown-key"] == [v["verdict"] for v in verdicts]
    assert "签名有效" == verdicts[0]["words"]
    assert "泽州县应急管理局" in verdicts[0]["receipt"]
    assert "valid" == SignedReceipt.from_json(receipt).verify(known)


def test_not_a_receipt(clerk: Any) -> None:
    for body in ({}, {"receipt": {}}, {"receipt": 1, "signature": []}):
        answer = clerk.post("/receipts/verify", json=body)
        assert (422, "GM-H485") == (answer.status_code, answer.json()["code"]), body


# ---------------------------------------------------------------- looking without filing


def _rows(node: Node) -> dict[str, int]:
    with node.db.read() as tx:
        return {t.name: tx.execute(select(func.count()).select_from(t)).scalar_one() for t in metadata.sorted_tables}


def _look(who: Any, content: bytes, name: str = "报表.xlsx", **told: str) -> dict[str, Any]:
    answer = who.post("/check/files", data=told, files={"file": (name, content)})
    assert 200 == answer.status_code, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_file_is_looked_at_as_if_filed(clerk: Any, node: Node) -> None:
    """The form and the week are recognised, the findings are those of filing, and nothing is stored."""
    path = scenario_file("2024-12-27", "zezhou", "weekly")
    before = _rows(node)
    looked = _look(clerk, path.read_bytes(), path.name)
    after = _rows(node)
    filed = clerk.file(path, WEEKLY, "2024-12-27", reason="测试").json()

    assert before == after
    assert (WEEKLY, CAMPAIGN, "2024-12-27", None) == (
        looked["item"], looked["campaign"], looked["period"], looked["refusal"],
    )  # fmt: skip
    assert filed["findings"] == looked["findings"]
    assert filed["body"] == looked["body"]
    assert (filed["errors"], filed["warnings"]) == (looked["errors"], looked["warnings"])


def test_what_stands_beside_is_looked_at_too(clerk: Any, person: Callable[..., Any], clock: Any) -> None:
    """The table against the ledger that was filed: one major hazard too many is found; another's table is compared
    with nothing."""
    clock.set(received("2025-01-03", "高平市"))
    gaoping = person(GAOPING, "clerk")
    table = scenario_file("2025-01-03", "gaoping", "weekly").read_bytes()
    alone = {f["code"] for f in _look(gaoping, table, period="2025-01-03")["findings"]}
    gaoping.file(scenario_file("2025-01-03", "gaoping", "ledger"), LEDGER, "2025-01-03", reason="测试")
    beside = {f["code"] for f in _look(gaoping, table, period="2025-01-03")["findings"]}
    other = _look(clerk, table, period="2024-12-27")

    assert {"GM-X601"} == beside - alone
    assert {"account-differs", "period-differs"} <= {f["kind"] for f in other["findings"]}


def test_not_owed(person: Callable[..., Any]) -> None:
    """A unit that does not owe the form may look at it all the same, for itself alone."""
    department = person("shanxi.shanxi-office", "clerk")
    looked = _look(department, scenario_file("2024-12-27", "zezhou", "weekly").read_bytes())

    assert (WEEKLY, None, None, None) == (looked["item"], looked["campaign"], looked["period"], looked["refusal"])
    assert looked["body"]["header"]["unit"]


def test_files_that_cannot_be_read(clerk: Any, node: Node) -> None:
    """They are an answer, not a failure; and they are not kept."""
    picture = _look(clerk, b"\x89PNG\r\n\x1a\n", "照片.png")
    named = _look(clerk, b"PK\x03\x04 broken", "报表.xlsx", item=WEEKLY)
    wrong = _look(clerk, scenario_file("2024-12-27", "zezhou", "ledger").read_bytes(), item=WEEKLY)
    with node.db.read() as tx:
        kept = tx.execute(select(func.count()).select_from(blobs)).scalar_one()

    assert [("unreadable", True), ("unreadable", True), ("wrong-form", True)] == [
        (a["refusal"], bool(a["findings"])) for a in (picture, named, wrong)
    ]
    assert (None, WEEKLY, WEEKLY) == (picture["item"], named["item"], wrong["item"])
    assert 0 == kept


def test_json_is_looked_at(clerk: Any) -> None:
    """By its own word of which form it is; too many mended is found; what does not fit is said."""
    path = scenario_file("2024-12-27", "zezhou", "weekly")
    body = _look(clerk, path.read_bytes(), path.name)["body"]
    right = clerk.post("/check", json={"body": body}).json()
    body["values"]["self"]["general"]["fixed"] = body["values"]["self"]["general"]["found"] + 1
    wrong = clerk.post("/check", json={"body": body, "period": "2024-12-27"}).json()
    nil = clerk.post("/check", json={"item": "weekly-dispatch", "nil": True}).json()

    assert (WEEKLY, "2024-12-27") == (right["item"], right["period"])
    assert [] == [f["message"] for f in right["findings"] if "多于发现" in f["message"]]
    assert ["GM-R401"] == [f["code"] for f in wrong["findings"] if "多于发现" in f["message"]]
    assert (WEEKLY, True) == (nil["item"], nil["body"]["nil"])


REFUSED = [
    ({}, 422, "GM-H485"),
    ({"nil": True}, 422, "GM-H485"),
    ({"item": WEEKLY}, 422, "GM-H483"),
    ({"item": "nothing", "nil": True}, 404, "GM-H440"),
    ({"body": {"form": "nothing"}}, 404, "GM-H440"),
    ({"body": {"form": 5}}, 422, "GM-H485"),
    ({"body": {"form": WEEKLY, "values": {"nothing": 1}}}, 422, "GM-H485"),
    ({"item": LEDGER, "body": {"form": WEEKLY}}, 422, "GM-H481"),
    ({"item": WEEKLY, "nil": True, "unit": CITY}, 404, "GM-H440"),
    ({"item": WEEKLY, "nil": True, "unit": "nobody"}, 404, "GM-H440"),
    ({"item": WEEKLY, "nil": True, "more": 1}, 422, "GM-H485"),
]


def test_looking_refuses(clerk: Any, person: Callable[..., Any]) -> None:
    answers = [(told, clerk.post("/check", json=told)) for told, _, _ in REFUSED]

    assert REFUSED == [(told, a.status_code, a.json()["code"]) for told, a in answers]
    assert "GM-H430" == person(CITY, "reviewer").post("/check", json={"item": WEEKLY, "nil": True}).json()["code"]


# ------------------------------------------------------------------- checklists, routes, gates

RESUMPTION = "jincheng.zezhou-resumption-2025"


def test_checklists(clerk: Any) -> None:
    listed = {c["ref"]: c["items"] for c in clerk.get("/checklists").json()}
    one = clerk.get("/checklists/jincheng.checklist").json()

    assert (36, 21) == (listed["jincheng.checklist"], listed["jincheng.resumption-guidance"])
    assert 10 == len(one["declaration"]["groups"])
    assert 404 == clerk.get("/checklists/no-such").status_code


def test_what_a_campaign_asks_for_beside_duties(clerk: Any) -> None:
    told = clerk.get(f"/campaigns/{RESUMPTION}/rules").json()

    assert {"tasks", "targets", "quotas", "routes", "gates", "watches"} == set(told)
    assert {"blast-furnace", "metal-smelting", "above-scale", "below-scale"} <= {r["id"] for r in told["routes"]}
    assert 404 == clerk.get("/campaigns/no-such/rules").status_code


def test_routes_and_gates_are_asked_about_an_enterprise(clerk: Any) -> None:
    smelter = {"tags": {"metal_smelting": True, "blast_furnace": False}}
    routed = clerk.post(f"/campaigns/{RESUMPTION}/route", json=smelter).json()
    unsure = clerk.post(f"/campaigns/{RESUMPTION}/route", json={"tags": {"metal_smelting": True}}).json()
    denied = clerk.post(f"/campaigns/{RESUMPTION}/gate", json={**smelter, "facts": {"open_majors": 1}}).json()
    odd = clerk.post(f"/campaigns/{RESUMPTION}/gate", json={**smelter, "facts": {"open_majors": "many"}})

    assert [["county-office"]] == [r["to"] for r in routed if r["purpose"] == "guidance"]
    assert [(None, ["blast_furnace"])] == [(r["route"], r["open"]) for r in unsure if r["purpose"] == "guidance"]
    assert ["deny"] == [g["verdict"] for g in denied]
    assert "deny" in {r["verdict"] for r in denied[0]["reasons"]}
    assert odd.status_code in (200, 422)
    assert 422 == clerk.post(f"/campaigns/{RESUMPTION}/gate", json={"clock": 1}).status_code
