"""The pages on which forms are filed and reviewed, as they work without a script."""

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from urllib.parse import unquote

import lxml.html
import pytest
from fastapi.testclient import TestClient

from browsing import Browser, Files, Page, select, words
from gmsafety import Catalog
from gmsafety.duties import BEIJING
from gmsafety.forms import check, read
from gmsafety_server.node import Node
from world import CITY, GAOPING, ZEZHOU, Person, StandingClock, counts, scenario_file

WEEKLY, LEDGER = "shanxi.weekly-dispatch", "shanxi.major-hazard-ledger"
SUMMARY = "jincheng.gongmao-2024/summary/summary"
SAMPLES = Path(__file__).parents[2] / "tests" / "samples"
WEEK = "2024-12-27"
Make = Callable[..., Person]


@pytest.fixture
def at(node: Node, person: Make) -> Callable[..., Browser]:
    """Sit down at a browser as somebody of a unit."""
    return lambda unit, *roles: Browser(node, person(unit, *roles))


def test_from_upload_to_acceptance(at: Callable[..., Browser], clock: StandingClock) -> None:
    """A table with a finding is filed with a reason, returned at a cell, corrected, accepted."""
    clock.set(datetime(2025, 1, 10, 11, 20, tzinfo=BEIJING))
    clerk, reviewer = at(ZEZHOU, "clerk"), at(CITY, "reviewer")
    slot = clerk.get(f"/file?item={WEEKLY}&period=2025-01-10")
    assert "待报" in slot.text
    assert "请于每周五12:00前报送" in slot.text
    draft = clerk.upload(WEEKLY, "2025-01-10", ("form", SAMPLES / "should_fail" / "rectified_over_found.xlsx"))

    assert "第 2 行 · 企业自查自改（C6 单元格） ： “企业自查自改”已整改112条，多于发现的109条。" in draft.text
    assert ["1"] == [f.text for f in draft.all("td.flawed .flag")]
    refused = clerk.send(draft, f"{draft.path}/submit", reason="")
    assert ["有1处需要处理。请改正；数字确实如此的，请写明原因（reason）后报送。"] == refused.said()
    filed = clerk.send(draft, f"{draft.path}/submit", reason="含上月结转3条")
    assert ["已报送，回执在下面。"] == filed.said()
    assert "含上月结转3条" in filed.text

    waiting = reviewer.get("/review")
    assert [draft.path] == [a.get("href") for a in waiting.all("tbody .actions a")]
    seen = reviewer.get(draft.path)
    assert {f"{draft.path}/accept", f"{draft.path}/return"} == seen.actions()
    more = {"finding": "1", "where": ["C8", ""], "text": ["县级检查数与上报不符", ""], "note": "今日下班前重报"}
    returned = reviewer.send(seen, f"{draft.path}/return", **more)
    assert ["已退回《泽州县应急管理局 周调度统计表 第4周（1月10日）》。"] == returned.said()

    slot = clerk.get(slot.path)
    told = [
        "第 2 行 · 企业自查自改（C6 单元格）：“企业自查自改”已整改112条，多于发现的109条。",
        "第 4 行 · 市级交叉检查（C8 单元格）：县级检查数与上报不符",
    ]
    assert told == [" ".join(li.text_content().split()) for li in slot.all(".reason-list li")]
    assert "今日下班前重报" in slot.text
    again = clerk.get(draft.path)
    assert 2 == len(again.all("td .flag.is-returned"))
    second = clerk.upload(WEEKLY, "2025-01-10", ("form", SAMPLES / "should_fail" / "rectified_over_found.xlsx"))
    assert "上一版（第1版）退回的原因" in second.text
    clerk.send(second, f"{second.path}/submit", reason="已与市局沟通")
    accepted = reviewer.send(reviewer.get(second.path), f"{second.path}/accept")
    assert ["已接受《泽州县应急管理局 周调度统计表 第4周（1月10日）》。"] == accepted.said()
    locked = clerk.get(slot.path)
    assert "不能再改" in locked.text
    assert set() == locked.actions()
    assert ["第2版", "第1版"] == [
        li.text_content().split()[0] for li in locked.all(".list li") if "版" in li.text_content()
    ][:2]


def test_findings_and_cells_lead_to_each_other(at: Callable[..., Browser], clock: StandingClock) -> None:
    clock.set(datetime(2025, 1, 10, 9, 0, tzinfo=BEIJING))
    clerk = at(ZEZHOU, "clerk")
    names = ["done_without_date.xlsx", "stage_not_in_list.xlsx", "count_contradicts_list.docx", "two_numbers.xlsx"]
    for name in names:
        item = WEEKLY if name in ("count_contradicts_list.docx", "two_numbers.xlsx") else LEDGER
        page = clerk.upload(item, "2025-01-10", ("form", SAMPLES / "should_fail" / name))
        ids = {e.get("id") for e in page.all("[id]")}
        there = [a.get("href") for a in page.all(".finding-place a")]
        back = [a.get("href") for a in page.all(".flag")]
        assert there, name
        assert {*there, *back} <= {f"#{i}" for i in ids}
        assert len(ids) == len(page.all("[id]"))
        clerk.send(page, f"{page.path}/discard")


def test_what_cannot_be_filed(at: Callable[..., Browser], clock: StandingClock, catalog: Catalog) -> None:
    """The page says what is wrong, that the original is kept, and offers the right form."""
    clock.set(datetime(2025, 1, 10, 9, 0, tzinfo=BEIJING))
    clerk, path = at(ZEZHOU, "clerk"), SAMPLES / "should_fail" / "wrong_form.xlsx"
    page = clerk.upload(WEEKLY, "2025-01-10", ("form", path))
    assert "这不是要报的表，没有收下" in page.text
    assert "已原样留存备查" in page.text
    kept = next(a.get("href") for a in page.all("#refused a") if a.get("href").endswith("/file"))
    assert path.read_bytes() == clerk.http.get(kept).content
    assert path.name in clerk.get("/refusals").text
    assert "这一期没有收下的文件" in page.text
    for suffix in ("xlsx", "docx"):
        href = next(a.get("href") for a in page.all("#refused a") if a.get("href").endswith(suffix))
        blank = read(clerk.http.get(href).content, catalog, name=f"x.{suffix}")
        assert blank.form is not None
        assert WEEKLY == blank.form.ref
    page = clerk.upload(WEEKLY, "2025-01-10", ("form", SAMPLES / "should_fail" / "truncated.xlsx"))
    assert "文件不能读取，没有收下" in page.text


def test_blank_forms_are_made_for_the_slot(at: Callable[..., Browser], clock: StandingClock, catalog: Catalog) -> None:
    """Unit and period stand in the header and in the mark; a ledger goes on where last week's ended."""
    clock.set(datetime(2024, 12, 20, 9, 0, tzinfo=BEIJING))
    clerk = at(ZEZHOU, "clerk")
    last = scenario_file("2024-12-20", "zezhou", "ledger")
    page = clerk.upload(LEDGER, "2024-12-20", ("form", last))
    clerk.send(page, f"{page.path}/submit", reason="情况属实")
    clock.set(datetime(2024, 12, 27, 9, 0, tzinfo=BEIJING))
    page = clerk.get(f"/file?item={LEDGER}&period=2024-12-27")
    for suffix in ("xlsx", "docx"):
        reading = read(clerk.http.get(f"{page.path}/blank.{suffix}").content, catalog, name=f"x.{suffix}")
        stamp, record, before = reading.stamp, reading.record, read(last, catalog).record
        assert stamp is not None
        assert record is not None
        assert before is not None
        assert (LEDGER, ZEZHOU, "泽州县应急管理局") == (stamp.form, stamp.unit, stamp.unit_name)
        assert date(2024, 12, 27) == stamp.period
        assert {"unit": "泽州县应急管理局", "date": date(2024, 12, 27)} == record.header
        assert before.rows == record.rows
        assert [] == [str(f) for f in check(reading, catalog) if f.code.startswith("GM-S23")]


def test_nil_reports(at: Callable[..., Browser], clock: StandingClock) -> None:
    """One click files it; after numbers it becomes a draft, for which a reason is asked."""
    clock.set(datetime(2024, 12, 20, 9, 0, tzinfo=BEIJING))
    clerk = at(ZEZHOU, "clerk")
    page = clerk.get(f"/file?item={LEDGER}&period=2024-12-20")
    assert ["《重大事故隐患台账 第1周（12月20日）》本期没有内容，直接报送零报告。"] == [
        f.get("data-confirm") for f in page.all("form[data-confirm]")
    ]
    filed = clerk.send(page, f"{page.path}/nil")
    assert ["零报告已报送，回执在下面。"] == filed.said()
    assert "零报告" in filed.text
    clerk.person.file(scenario_file("2024-12-20", "zezhou", "weekly"), WEEKLY, "2024-12-20", reason="台账待补")
    clock.set(datetime(2024, 12, 27, 9, 0, tzinfo=BEIJING))
    page = clerk.get(f"/file?item={WEEKLY}&period={WEEK}")
    draft = clerk.send(page, f"{page.path}/nil")
    assert ["零报告与以前所报的数不合，请写明原因后报送。"] == draft.said()
    assert "累计数据不应减少" in draft.text
    filed = clerk.send(draft, f"{draft.path}/submit", reason="上期误报，已更正")
    assert ["已报送，回执在下面。"] == filed.said()


def test_a_deliverable(at: Callable[..., Browser], clock: StandingClock, tmp_path: Path) -> None:
    clock.set(datetime(2025, 3, 20, 9, 0, tzinfo=BEIJING))
    clerk = at(ZEZHOU, "clerk")
    page = clerk.get(f"/file?item={SUMMARY}&period=2025-03-25")
    assert [("file.editable", True), ("file.scan", False), ("file.extra", False)] == [
        (i.get("name"), i.get("required") is not None) for i in page.all("input[type=file]")
    ]
    word, scan = scenario_file(WEEK, "yangcheng", "weekly"), tmp_path / "总结.pdf"
    scan.write_bytes(b"%PDF-1.7")
    missing = clerk.upload(SUMMARY, "2025-03-25", ("scan", scan))
    assert ["缺少：可编辑文件。请补齐所列材料。"] == missing.said()
    draft = clerk.upload(SUMMARY, "2025-03-25", ("editable", word), ("scan", scan))
    filed = clerk.send(draft, f"{draft.path}/submit")
    assert ["已报送，回执在下面。"] == filed.said()
    assert "总结.pdf" in filed.text
    assert "盖章扫描件" in filed.text


def test_a_draft_is_changed_and_discarded(at: Callable[..., Browser]) -> None:
    clerk = at(ZEZHOU, "clerk")
    draft = clerk.upload(WEEKLY, WEEK, ("form", scenario_file("2024-12-20", "zezhou", "weekly")))
    assert "不在本期" in draft.text
    right = scenario_file(WEEK, "zezhou", "weekly")
    files: Files = [("file.form", (right.name, right.read_bytes()))]
    changed = clerk.send(draft, f"{draft.path}/files", files)
    assert ["文件已更换，并重新核对。"] == changed.said()
    assert "检查完毕，没有发现问题" in changed.text
    stale = clerk.send(draft, f"{draft.path}/files", files)
    assert ["内容已被他人更改。请刷新，看过最新内容后再办理。"] == stale.said()
    nothing = clerk.send(changed, f"{draft.path}/files", [("file.form", ("", b""))])
    assert ["没有选择文件。"] == nothing.said()
    second = clerk.get(f"/file?item={WEEKLY}&period={WEEK}")
    assert "有一份草稿" in second.text
    gone = clerk.send(changed, f"{draft.path}/discard")
    assert ["草稿已删除。"] == gone.said()
    assert 404 == clerk.get(draft.path).status


def test_a_correction_before_the_decision(at: Callable[..., Browser]) -> None:
    """What differs is shown; the earlier revision stays to be seen."""
    clerk, reviewer = at(ZEZHOU, "clerk"), at(CITY, "reviewer")
    clerk.person.file(scenario_file("2024-12-20", "zezhou", "weekly"), WEEKLY, WEEK, reason="情况属实")
    draft = clerk.upload(WEEKLY, WEEK, ("form", scenario_file(WEEK, "zezhou", "weekly")))
    clerk.send(draft, f"{draft.path}/submit", reason="")
    page = reviewer.get(draft.path)
    rows = [words(tr) for tr in page.all("#changes tbody tr")]
    assert "第 2 行 · 企业自查自改 制定自查自改方案的企业数 改了 27 39" in rows
    first = next(a.get("href") for a in page.all(".list a") if a.text == "第1版")
    assert "这一版已被更正" in reviewer.get(first).text
    there = next(a.get("href") for a in page.all(".list a") if a.text == "比较")
    alone = reviewer.get(there)
    assert rows == [words(tr) for tr in alone.all("#changes tbody tr")]
    assert f"共{len(rows)}处不同：表头和各栏改了{len(rows)}处。" in alone.text
    same = reviewer.get(f"{draft.path}/diff?against={draft.path.rpartition('/')[2]}")
    assert "内容相同" in same.text


def test_reviewing_many(at: Callable[..., Browser], person: Make, clock: StandingClock) -> None:
    """What is clean can be accepted together; what has findings, or has changed since, cannot."""
    reviewer = at(CITY, "reviewer")
    for county in ("qinshui", "zezhou", "gaoping"):
        clerk = person(f"jincheng.{county}-office", "clerk")
        clerk.file(scenario_file(WEEK, county, "ledger"), LEDGER, WEEK, reason="情况属实")
        if county == "gaoping":
            clock.set(datetime(2024, 12, 27, 12, 30, tzinfo=BEIJING))
        clerk.file(
            scenario_file("2024-12-20" if county == "zezhou" else WEEK, county, "weekly"), WEEKLY, WEEK, reason="属实"
        )
    page = reviewer.get("/review")
    rows = [[words(td) for td in select(tr, "td[data-label]")] for tr in page.all("tbody tr")]
    assert ("高平市应急管理局", "迟30分钟") == (rows[0][0], rows[0][2].split()[-1])
    boxes = [i.get("value") for i in page.all("input[name=chosen]")]
    assert (6, 5) == (len(rows), len(boxes))
    only = reviewer.get(f"/review?item={LEDGER}&unit={ZEZHOU}&period=")
    assert [["泽州县应急管理局"]] == [r.text_content().split() for r in only.all("td[data-label=单位]")]
    assert f"item={LEDGER}&unit={ZEZHOU}&period=" == only.form("/review/accept")["back"]
    done = reviewer.send(page, "/review/accept", chosen=[*boxes[:4], boxes[4].split(":")[0] + ":1"])
    assert ["接受了4份；1份没有办成：内容已被他人更改。"] == done.said()
    assert 2 == len(done.all("tbody tr"))
    flawed = next(tr for tr in done.all("tbody tr") if not select(tr, "input[name=chosen]"))
    uid = select(flawed, "th a")[0].get("href").rpartition("/")[2]
    by_hand = reviewer.send(done, "/review/accept", chosen=[f"{uid}:2"])
    assert ["接受了0份；1份没有办成：有问题，请单独审核。"] == by_hand.said()


def test_from_one_waiting_to_the_next(at: Callable[..., Browser], person: Make) -> None:
    reviewer = at(CITY, "reviewer")
    for county in ("qinshui", "zezhou"):
        person(f"jincheng.{county}-office", "clerk").file(
            scenario_file(WEEK, county, "ledger"), LEDGER, WEEK, reason="属实"
        )
    first, second = [a.get("href") for a in reviewer.get("/review").all("tbody .actions a")]
    page = reviewer.get(first)
    assert [second] == [a.get("href") for a in page.all("a[rel=next]")]
    page = reviewer.send(page, f"{first}/accept", then="next")
    assert (second, ["已接受《沁水县应急管理局 重大事故隐患台账 第2周（12月27日）》。"]) == (page.path, page.said())
    page = reviewer.send(page, f"{second}/return", then="next", note="请核对")
    assert ("/review", True) == (page.path, "没有要审的" in page.text)
    page = reviewer.send(reviewer.get(first), f"{first}/reopen", note="县里要更正")
    assert ["已撤销接受《沁水县应急管理局 重大事故隐患台账 第2周（12月27日）》。"] == page.said()
    empty = reviewer.send(page, f"{first}/return", text=[" ", "", ""])
    assert ["退回要写明原因。"] == empty.said()


def test_a_correction_that_came_meanwhile_is_named(at: Callable[..., Browser]) -> None:
    clerk, reviewer = at(ZEZHOU, "clerk"), at(CITY, "reviewer")
    first, second = (_filed(clerk, LEDGER, "ledger") for _ in range(2))
    seen = reviewer.get(first)
    stale = reviewer.http.post(f"{first}/accept", data=_as_it_stood(reviewer, seen, f"{first}/accept"))
    flash = select(lxml.html.fromstring(stale.text), ".flash-words")[0]

    assert "没有办理：填报单位已报第2版，请看新的一版。 查看" == words(flash)
    assert [second] == [a.get("href") for a in select(flash, "a")]


def test_a_correction_of_nothing_says_so(at: Callable[..., Browser]) -> None:
    """To the clerk before it is filed, and to the reviewer; a moment of reception is told once."""
    clerk, reviewer = at(ZEZHOU, "clerk"), at(CITY, "reviewer")
    first = _filed(clerk, LEDGER, "ledger")
    draft = clerk.upload(LEDGER, WEEK, ("form", scenario_file(WEEK, "zezhou", "ledger")))
    clerk.send(draft, f"{draft.path}/submit", reason="再报一次")

    assert "与 第1版 内容相同，没有可更正的。" in draft.text
    assert "与 第1版 内容相同。" in reviewer.get(draft.path).text
    assert "内容相同" not in reviewer.get(first).text
    assert "首次" not in reviewer.get(first).text


def _filed(clerk: Browser, item: str, kind: str) -> str:
    """File the scenario's file of the week; where it stands."""
    draft = clerk.upload(item, WEEK, ("form", scenario_file(WEEK, "zezhou", kind)))
    clerk.send(draft, f"{draft.path}/submit", reason="数字确实如此")
    return draft.path


def _as_it_stood(reviewer: Browser, page: Page, action: str) -> dict[str, str]:
    """The form of a page that was opened before the correction came."""
    token = page.all("input[name=csrf_token]")[0].get("value")
    assert action not in page.actions()
    return {"csrf_token": token, "seen": "1"}


def test_the_printed_receipt(at: Callable[..., Browser], clock: StandingClock) -> None:
    clock.set(datetime(2024, 12, 27, 12, 23, 0, tzinfo=BEIJING))
    clerk, reviewer = at(ZEZHOU, "clerk"), at(CITY, "reviewer")
    filed = clerk.person.file(scenario_file(WEEK, "zezhou", "weekly"), WEEKLY, WEEK).json()
    path = f"/submissions/{filed['uid']}"
    reviewer.send(reviewer.get(path), f"{path}/return", where="C6", text="请核对", note="尽快")
    page = clerk.get(f"{path}/receipt")
    papers = [words(p) for p in page.all(".receipt")]
    assert ["收到", "核对", "审核"] == [p.split()[1] for p in papers]
    assert (
        "晋城市应急管理局 已收到 泽州县应急管理局 报送的《冶金工贸行业隐患排查整治专项行动周调度统计表》2024-12-27期第1版。"
        in papers[0]
    )
    assert "2024-12-27 12:23:00 （截止 2024-12-27 12:00，迟到23分钟）" in papers[0]
    assert "结果： 已退回" in papers[2]
    assert "C6 ：请核对" in page.text
    code = page.all(".receipt-code")[0].text
    assert code in clerk.get(path).text
    assert filed["receipts"][0] == clerk.http.get(f"{path}/receipts/1.json").json()


def test_downloads(at: Callable[..., Browser]) -> None:
    clerk = at(ZEZHOU, "clerk")
    path = scenario_file(WEEK, "zezhou", "weekly")
    filed = clerk.person.file(path, WEEKLY, WEEK).json()
    page = clerk.get(f"/submissions/{filed['uid']}")
    links = {a.get("href") for a in page.all("main a") if a.get("href").startswith(f"/submissions/{filed['uid']}/")}
    for link in links - {f"/submissions/{filed['uid']}/receipt"}:
        answer = clerk.http.get(link)
        assert 200 == answer.status_code, link
        assert "attachment" in answer.headers["content-disposition"]
    original = clerk.http.get(next(link for link in links if "/files/" in link))
    assert (path.read_bytes(), True) == (
        original.content,
        path.name in unquote(original.headers["content-disposition"]),
    )


def test_a_long_ledger_is_shown_in_part(at: Callable[..., Browser], clock: StandingClock) -> None:
    clock.set(datetime(2025, 1, 10, 9, 0, tzinfo=BEIJING))
    clerk = at(ZEZHOU, "clerk")
    filed = clerk.person.file(SAMPLES / "large" / "ledger_10000_rows.xlsx", LEDGER, "2025-01-10", reason="属实").json()
    answer = clerk.http.get(f"/submissions/{filed['uid']}")
    assert "共 10000 条" in answer.text
    assert len(answer.content) < 1_000_000


def test_a_mistake_in_every_row(at: Callable[..., Browser]) -> None:
    """Of very many findings the first are listed, with their rows, and it is said how many are not."""
    clerk = at(ZEZHOU, "clerk")
    rows = [{"number": n, "enterprise": "某某公司", "detail": f"隐患{n}"} for n in range(1, 1001)]
    body = {"header": {"unit": "泽州县", "date": WEEK}, "rows": rows}
    told = {"message_id": "m-12345678", "item": LEDGER, "period": WEEK, "body": body, "reason": "属实"}
    filed = clerk.person.post("/submissions", json=told).json()
    page = clerk.get(f"/submissions/{filed['uid']}")
    assert (3000, 300) == (filed["errors"], len(page.all(".finding")))
    assert "还有 2700 处没有列出" in page.text
    assert len(page.answer.content) < 1_000_000


def test_nothing_is_done_for_a_form_that_is_not_ours(at: Callable[..., Browser], node: Node) -> None:
    clerk, reviewer = at(ZEZHOU, "clerk"), at(CITY, "reviewer")
    filed = clerk.person.post(
        "/submissions", json={"message_id": "m-12345678", "item": LEDGER, "period": WEEK, "nil": True}
    ).json()
    path = f"/submissions/{filed['uid']}"
    before = counts(node)
    slot = clerk.get(f"/file?item={WEEKLY}&period={WEEK}").path
    tries = [
        (clerk, f"{slot}/upload"), (clerk, f"{slot}/nil"), (clerk, f"{path}/files"), (clerk, f"{path}/submit"),
        (clerk, f"{path}/discard"), (reviewer, f"{path}/accept"), (reviewer, f"{path}/return"),
        (reviewer, f"{path}/reopen"), (reviewer, "/review/accept"),
    ]  # fmt: skip
    for browser, action in tries:
        told = {"csrf_token": "x", "seen": "2", "message_id": "m-12345679", "note": "x"}
        answer = browser.http.post(action, data=told, headers={"accept": "text/html"})
        assert (action, 403, True) == (action, answer.status_code, "页面已过期" in answer.text)
    assert before == counts(node)
    assert "submitted" == clerk.person.get(path).json()["state"]


def test_who_sees_which_page(at: Callable[..., Browser], http: TestClient) -> None:
    zezhou, gaoping = at(ZEZHOU, "clerk"), at(GAOPING, "clerk", "reviewer")
    leader, admin = at(CITY, "leader"), at(CITY, "administrator")
    draft = zezhou.upload(WEEKLY, WEEK, ("form", scenario_file(WEEK, "zezhou", "weekly")))
    slot = zezhou.get(f"/file?item={WEEKLY}&period={WEEK}").path
    filed = zezhou.person.file(scenario_file(WEEK, "zezhou", "ledger"), LEDGER, WEEK, reason="属实").json()["uid"]
    seen = {
        path: [browser.get(path).status for browser in (zezhou, gaoping, leader, admin)]
        for path in (
            draft.path,
            slot,
            f"/submissions/{filed}",
            f"/submissions/{filed}/receipt",
            "/submissions",
            "/review",
        )
    }
    assert {
        draft.path: [200, 404, 404, 403], slot: [200, 404, 200, 403],
        f"/submissions/{filed}": [200, 404, 200, 403], f"/submissions/{filed}/receipt": [200, 404, 200, 403],
        "/submissions": [200, 200, 200, 403], "/review": [403, 200, 403, 403],
    } == seen  # fmt: skip
    assert 404 == gaoping.get(f"/file?item={WEEKLY}&period={WEEK}&unit={ZEZHOU}").status
    assert set() == leader.get(f"/submissions/{filed}").actions()
    colleague = at(ZEZHOU, "leader").get(draft.path)
    assert (200, set(), True) == (colleague.status, colleague.actions(), "由本单位经办人报送" in colleague.text)
    answer = http.get(f"/submissions/{filed}", follow_redirects=False)
    assert (303, f"/login?next=%2Fsubmissions%2F{filed}") == (answer.status_code, answer.headers["location"])


def test_empty_pages(at: Callable[..., Browser], clock: StandingClock) -> None:
    clerk, reviewer = at(ZEZHOU, "clerk"), at(CITY, "reviewer")
    assert "还没有报送" in clerk.get("/submissions").text
    assert "没有符合条件的报送" in clerk.get(f"/submissions?state=accepted&item={WEEKLY}&period=&unit=").text
    assert "没有这样的文件" in clerk.get("/refusals").text
    assert "没有要审的" in reviewer.get("/review").text
    clock.set(clock.moment - timedelta(days=7))
    assert "2024-12-21 起接收这一期" in clerk.get(f"/file?item={WEEKLY}&period={WEEK}").text
    clock.set(clock.moment + timedelta(days=100))
    assert "这一期已停止接收" in at(ZEZHOU, "clerk").get(f"/file?item={WEEKLY}&period={WEEK}").text


INLINE = re.compile(r"<[^>]+\s(style|on\w+)\s*=|<style|<script(?![^>]*\ssrc=)", re.IGNORECASE)


def test_no_page_carries_style_or_script(at: Callable[..., Browser]) -> None:
    clerk, reviewer = at(ZEZHOU, "clerk"), at(CITY, "reviewer")
    draft = clerk.upload(WEEKLY, WEEK, ("form", scenario_file("2024-12-20", "zezhou", "weekly")))
    filed = clerk.person.file(scenario_file(WEEK, "zezhou", "ledger"), LEDGER, WEEK, reason="属实").json()["uid"]
    slot = clerk.get(f"/file?item={WEEKLY}&period={WEEK}").path
    pages = [draft.path, slot, f"/submissions/{filed}", f"/submissions/{filed}/receipt", "/submissions", "/refusals"]
    for browser, path in [*((clerk, p) for p in pages), (reviewer, "/review"), (reviewer, f"/submissions/{filed}")]:
        page = browser.get(path)
        assert (path, 200, None) == (path, page.status, INLINE.search(page.answer.text))
        assert 1 == len(page.all("h1"))


def test_words_that_look_like_tags(at: Callable[..., Browser]) -> None:
    clerk, reviewer = at(ZEZHOU, "clerk"), at(CITY, "reviewer")
    evil = "<img src=x onerror=alert(1)>"
    body = {"header": {"填报单位": evil, "填报时间": WEEK}, "clauses": {"7": {"text": evil}}}
    told = {"message_id": "m-12345678", "item": WEEKLY, "period": WEEK, "body": body, "reason": evil}
    path = f"/submissions/{clerk.person.post('/submissions', json=told).json()['uid']}"
    reviewer.send(reviewer.get(path), f"{path}/return", where=evil[:20], text=evil, note=evil)
    slot = clerk.get(f"/file?item={LEDGER}&period={WEEK}").path
    clerk.send(clerk.get(slot), f"{slot}/upload", [("file.form", (f"{evil}.xlsx", b"x"))])
    for page in (path, f"{path}/receipt", slot, "/submissions", "/refusals"):
        assert "<img" not in clerk.get(page).answer.text
