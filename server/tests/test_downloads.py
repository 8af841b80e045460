"""What can be taken away of a submission: the official form, JSON, receipts, and what another revision says otherwise."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

from gmsafety import Catalog
from gmsafety.duties import BEIJING
from gmsafety.exchange.canonical import canonical
from gmsafety.exchange.receipts import SignedReceipt, in_words
from gmsafety.forms import read
from gmsafety.forms.printed import to_printed
from gmsafety.forms.types.dates import Window
from world import GAOPING, ZEZHOU, Person, StandingClock, scenario_file

WEEKLY, LEDGER = "shanxi.weekly-dispatch", "shanxi.major-hazard-ledger"


def test_the_official_form_reads_back(person: Callable[..., Person], catalog: Catalog) -> None:
    clerk = person(ZEZHOU, "clerk")
    for kind, item, title in (("weekly", WEEKLY, "周调度统计表"), ("ledger", LEDGER, "重大事故隐患台账")):
        path = scenario_file("2024-12-27", "zezhou", kind)
        filed = clerk.file(path, item, "2024-12-27", reason="情况属实").json()
        record = read(path, catalog).record
        assert record is not None
        for suffix in ("xlsx", "docx"):
            answer = clerk.get(f"/submissions/{filed['uid']}/record.{suffix}")
            told = unquote(answer.headers["content-disposition"])
            assert f"attachment; filename*=UTF-8''泽州县应急管理局_{title}_2024-12-27_第1版.{suffix}" == told
            again = read(answer.content, catalog, name=f"x.{suffix}").record
            assert again is not None
            assert record.same_content(again)
        window = Window(*catalog.window(record.form), record.filed)
        printed = {**to_printed(record, window), "file": path.name}
        assert printed == clerk.get(f"/submissions/{filed['uid']}/record.printed.json").json()
        assert filed["body"] == clerk.get(f"/submissions/{filed['uid']}/record.json").json()
        kept = clerk.get(f"/submissions/{filed['uid']}/files/{filed['files'][0]['hash']}")
        assert path.read_bytes() == kept.content
    for wrong, status in (
        ("record.exe", 422),
        (f"files/{'0' * 64}", 404),
        ("receipts/9", 404),
        ("receipts/0.txt", 404),
    ):
        assert status == clerk.get(f"/submissions/{filed['uid']}/{wrong}").status_code


def test_a_text_no_cell_holds(person: Callable[..., Person]) -> None:
    told = {"message_id": f"m-{uuid4().hex}", "item": WEEKLY, "period": "2024-12-27"}
    body = {"header": {"填报单位": "泽州县", "填报时间": "2024-12-27"}, "clauses": {"7": {"text": "长" * 40_000}}}
    clerk = person(ZEZHOU, "clerk")
    filed = clerk.post("/submissions", json={**told, "body": body}).json()
    answer = clerk.get(f"/submissions/{filed['uid']}/record.xlsx")

    assert (422, "GM-H485") == (answer.status_code, answer.json()["code"])
    assert body["clauses"]["7"] == clerk.get(f"/submissions/{filed['uid']}/record.printed.json").json()["clauses"]["7"]


def test_receipts(person: Callable[..., Person]) -> None:
    clerk = person(ZEZHOU, "clerk")
    filed = clerk.file(scenario_file("2024-12-27", "zezhou", "weekly"), WEEKLY, "2024-12-27").json()
    for number, receipt in enumerate(filed["receipts"], 1):
        path = f"/submissions/{filed['uid']}/receipts/{number}"
        assert canonical(receipt) == clerk.get(path).content
        assert in_words(SignedReceipt.from_json(receipt)) == clerk.get(f"{path}.txt").text


def test_what_a_correction_changes(person: Callable[..., Person], clock: StandingClock) -> None:
    """By row and label, in the words of the paper; rows of a ledger by what makes them the same, then by number."""
    clock.set(datetime(2024, 12, 27, 10, 0, tzinfo=BEIJING))
    clerk = person(GAOPING, "clerk")
    header = {"填报单位": "高平市", "填报时间": "2024-12-27"}

    def file(item: str, supersedes: str | None = None, **body: Any) -> dict[str, Any]:
        told = {"message_id": f"m-{uuid4().hex}", "item": item, "period": "2024-12-27", "reason": "情况属实"}
        more = {"supersedes": supersedes} if supersedes else {}
        answer = clerk.post("/submissions", json={**told, **more, "body": {"header": header, **body}})
        assert 201 == answer.status_code, answer.text
        return dict(answer.json())

    def changes(one: dict[str, Any], other: dict[str, Any]) -> list[tuple[str, ...]]:
        told = clerk.get(f"/submissions/{one['uid']}/diff", params={"against": other["uid"]}).json()
        return [tuple(c[k] for k in ("kind", "where", "label", "before", "after")) for c in told["changes"]]

    clauses = {"2": {"numbers": [33, 9, 8, *[0] * 8]}, "5": {"numbers": [3, 10, 0, 0, 0, 0, 0]}}
    first = file(WEEKLY, clauses=clauses)
    after = {"2": {"numbers": [34, 9, 8, *[0] * 8]}, "5": {"numbers": [3, 3.55, 0, 0, 0, 0, 0]}, "7": {"text": "无人"}}
    second = file(WEEKLY, first["payload_hash"], clauses=after)
    assert [
        ("changed", "第 2 行 · 企业自查自改", "制定自查自改方案的企业数", "33", "34"),
        ("changed", "第 5 行 · 行政处罚", "处罚企业金额（万元）", "10", "3.55"),
        ("changed", "第 7 行 · 存在问题", "存在问题", "", "无人"),
    ] == changes(second, first)
    assert [] == changes(first, first)

    def row(number: int, detail: str, **more: str) -> dict[str, Any]:
        told = {
            "序号": number,
            "企业名称": "某某公司",
            "检查环节": "企业自查",
            "检查时间": "2024-12-20",
            "重大隐患明细": detail,
        }
        return {**told, **more}

    first = file(LEDGER, rows=[row(1, "甲"), row(2, "乙"), row(3, "丙"), row(4, "丁")])
    rows = [row(1, "甲", 备注="已核"), row(2, "乙乙"), row(3, "丁"), row(5, "戊")]
    second = file(LEDGER, first["payload_hash"], rows=rows)
    assert [
        ("changed", "序号 1", "备注", "", "已核"),
        ("changed", "序号 2", "重大隐患明细", "乙", "乙乙"),
        ("added", "序号 5", "整行", "", "某某公司，2024年12月20日，戊"),
        ("removed", "序号 3", "整行", "某某公司，2024年12月20日，丙", ""),
        ("renumbered", "序号 3", "序号", "4", "3"),
    ] == changes(second, first)
    whole = clerk.get(f"/submissions/{second['uid']}/diff", params={"against": first["uid"]}).json()
    assert "共4处不同：改了2行，新增1行，删去1行（另有1行只是序号顺延）。" == whole["words"]
    assert (4, {"values": 0, "changed": 2, "added": 1, "removed": 1, "moved": 0, "renumbered": 1}) == (
        whole["count"],
        whole["counts"],
    )
    for against, code in ((filed_elsewhere(person), "GM-H440"), ("x", "GM-H440"), ("", "GM-H485")):
        answer = clerk.get(f"/submissions/{second['uid']}/diff", params={"against": against})
        assert code == answer.json()["code"]


def filed_elsewhere(person: Callable[..., Person]) -> str:
    told = {"message_id": f"m-{uuid4().hex}", "item": LEDGER, "period": "2024-12-27", "nil": True}
    return str(person(ZEZHOU, "clerk").post("/submissions", json=told).json()["uid"])
