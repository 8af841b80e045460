"""The pages of desk, board, due list and feeds, read as a person reads them."""

import csv
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from html import unescape
from typing import Any
from urllib.parse import parse_qs

import pytest
from fastapi.testclient import TestClient
from openpyxl import load_workbook

from gmsafety.duties import BEIJING
from gmsafety_server import auth
from gmsafety_server.node import Node
from gmsafety_server.web import COOKIE
from world import CITY, GAOPING, PROVINCE, ZEZHOU, StandingClock, scenario_file

WEEKLY, LEDGER = "shanxi.weekly-dispatch", "shanxi.major-hazard-ledger"
CAMPAIGN = "jincheng.gongmao-2024"


@dataclass
class Browser:
    """Somebody's browser, logged in."""

    http: TestClient
    secret: str

    def get(self, path: str, **more: Any) -> Any:
        self.http.cookies.clear()
        headers = {"Accept": "text/html", "Cookie": f"{COOKIE}={self.secret}"}
        return self.http.get(path, headers=headers, **more)

    def words(self, path: str) -> str:
        """What the page says, without its marks, in one line."""
        answer = self.get(path)
        assert 200 == answer.status_code, answer.text
        content = answer.text.partition("<main")[2]
        return " ".join(re.sub(r"<[^>]+>", " ", content).replace("&amp;", "&").split())

    def send(self, path: str, **form: str) -> Any:
        """Send a form of a page, with the secret that the page holds."""
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.get("/feeds").text)
        assert found is not None
        self.http.cookies.clear()
        data, headers = {"csrf_token": found.group(1), **form}, {"Cookie": f"{COOKIE}={self.secret}"}
        return self.http.post(path, data=data, headers=headers, follow_redirects=False)


@pytest.fixture
def browser(node: Node, http: TestClient) -> Callable[[Any], Browser]:
    """Log somebody in."""

    def open_session(who: Any) -> Browser:
        with node.db.write() as tx:
            secret = auth.open_session(tx, who.user_id, node.clock.now(), hours=24 * 300, agent="test")
        return Browser(http, secret)

    return open_session


@dataclass
class Friday:
    """The people of a Friday at 12:30, and what they have filed."""

    clerk: Any
    late: Any
    city: Any
    accepted: dict[str, Any]
    returned: dict[str, Any]


@pytest.fixture
def friday(person: Callable[..., Any], clock: StandingClock) -> Friday:
    """Zezhou's table accepted and its ledger returned; Gaoping 23 minutes late, waiting for review."""
    made = Friday(person(ZEZHOU, "clerk"), person(GAOPING, "clerk"), person(CITY, "reviewer", "leader"), {}, {})
    clock.set(datetime(2024, 12, 27, 11, 0, tzinfo=BEIJING))
    for who, kind, item in ((made.clerk, "weekly", WEEKLY), (made.clerk, "ledger", LEDGER)):
        filed = who.file(scenario_file("2024-12-27", "zezhou", kind), item, "2024-12-27", reason="测试").json()
        if kind == "weekly":
            made.accepted = made.city.post(f"/submissions/{filed['uid']}/accept", seen=filed["etag"], json={}).json()
        else:
            told = {"reasons": [{"where": "H5", "text": "第5行缺完成时间"}], "note": "请核对"}
            made.returned = made.city.post(f"/submissions/{filed['uid']}/return", seen=filed["etag"], json=told).json()
    clock.set(datetime(2024, 12, 27, 12, 22, 1, tzinfo=BEIJING))
    made.late.file(scenario_file("2024-12-27", "gaoping", "weekly"), WEEKLY, "2024-12-27", reason="测试")
    clock.set(datetime(2024, 12, 27, 12, 30, tzinfo=BEIJING))
    return made


def test_desk_of_a_clerk(friday: Friday, browser: Callable[[Any], Browser]) -> None:
    """What came back stands first with its reasons, then what is overdue, then this week; then receipts and history."""
    desk = browser(friday.clerk)
    words = desk.words("/")
    page = desk.get("/").text

    heads = [re.sub(r"<[^>]+>|\d", "", h).strip() for h in re.findall(r"<h2>(.*?)</h2>", page)]
    assert ["退回", "逾期未报", "本周任务", "最近回执", "最近"] == heads
    assert "泽州县应急管理局 · 12月27日 周五" in words
    assert "请核对 H5 单元格 第5行缺完成时间" in words
    assert ["晋城市应急管理局 退回了重大事故隐患台账 第2周"] == re.findall(r"晋城市应急管理局 退回了\S+ \S+", words)
    assert f'<a class="btn small primary" href="/submissions/{friday.returned["uid"]}">修改后再报</a>' in page
    assert "/file?campaign=jincheng.gongmao-2024&amp;item=shanxi.weekly-dispatch&amp;period=2024-12-20" in page
    assert friday.accepted["receipts"][0]["receipt"]["id"] not in page
    assert "下级报送" not in words
    assert "待审" not in words


def test_desk_before_the_deadline(
    person: Callable[..., Any], browser: Callable[[Any], Browser], clock: StandingClock
) -> None:
    """The time left is counted to the next deadline; a draft is gone on with."""
    clock.set(datetime(2024, 12, 19, 10, 40, tzinfo=BEIJING))
    clerk = person(ZEZHOU, "clerk")
    draft = clerk.file(scenario_file("2024-12-20", "zezhou", "weekly"), WEEKLY, "2024-12-20", action="draft").json()
    page = browser(clerk).get("/").text

    assert 'data-countdown="2024-12-20T04:00:00+00:00"' in page
    assert f'href="/submissions/{draft["uid"]}">继续草稿</a>' in page
    assert 1 == page.count(">上传</a>")


def test_desk_of_a_reviewer(friday: Friday, browser: Callable[[Any], Browser]) -> None:
    """What waits, with its lateness; how far the counties have come, and who is missing."""
    desk = browser(friday.city)
    words = desk.words("/")

    assert "高平市应急管理局 周调度统计表 第2周（12月27日） 报市 今日 12:22 迟23分钟 审核" in words
    line = re.search(
        r"周调度统计表 第2周（12月27日） 报市 今日 12:00 截止 已报 (\d+ / \d+) 报送率 (\S+) · 按时率 (\S+)", words
    )
    assert line is not None
    assert ("2 / 9", "22.2%", "11.1%") == line.groups()
    assert "未报 " in words
    assert "沁水县应急管理局" in words
    assert '<span class="count">1<' in desk.get("/").text


def test_desks_of_others(friday: Friday, person: Callable[..., Any], browser: Callable[[Any], Browser]) -> None:
    """An administrator sees no submissions; a province its cities; somebody without duties an empty desk."""
    administrator = browser(person(CITY, "administrator")).get("/").text
    province = browser(person(PROVINCE, "leader")).words("/")

    assert friday.accepted["uid"] not in administrator
    assert "最近回执" not in administrator
    assert "下级报送" in province
    assert "晋城市应急管理局" in province


def test_board_page(friday: Friday, browser: Callable[[Any], Browser]) -> None:
    """Words, marks and colours; cells lead to what was filed; totals, rates and a legend."""
    page = browser(friday.city).get(f"/board?what={CAMPAIGN}~{WEEKLY}").text
    words = browser(friday.city).words(f"/board?what={CAMPAIGN}~{WEEKLY}")

    assert f'<td class="cell is-accepted"><a class="cell-in" href="/submissions/{friday.accepted["uid"]}"' in page
    assert "迟23分钟" in words
    assert 1 == page.count('<td class="cell is-late">')
    assert "已报 / 应报 0 / 9 2 / 9" in words
    assert "22.2%" in words
    assert '<ul class="legend"' in page
    assert '<th scope="col">第1周<small>12月20日 12:00</small></th>' in page
    assert "按时 ÷（按时＋迟报＋未报）" in words


def test_a_desk_tells_two_campaigns_apart(friday: Friday, browser: Callable[[Any], Browser]) -> None:
    """Two Fridays' weeks are not counted alike: what goes to the province and what comes to the city say which."""
    city, county = browser(friday.city).words("/"), browser(friday.clerk).words("/")

    assert "第3周（12月27日） 报省" in city
    assert "第2周（12月27日） 报市" in city
    assert ["报省" in county, "报市" in county] == [False, False]


def test_board_page_is_narrowed(friday: Friday, browser: Callable[[Any], Browser]) -> None:
    """Filters stay in every link of the page; nothing found says so; a wrong filter is a problem page."""
    city = browser(friday.city)
    narrowed = city.get(f"/board?what={CAMPAIGN}~{WEEKLY}&from=&to=&level=county&state=late&q=&sort=area").text
    assert ["高平市应急管理局"] == re.findall(r'<a href="/due\?unit=[^"]+">([^<]+)</a>', narrowed)
    link = re.search(r'href="/board\.xlsx\?([^"]+)"', narrowed)
    assert link is not None
    assert {
        "campaign": [CAMPAIGN], "item": [WEEKLY], "from": ["2024-12-20"], "to": ["2024-12-27"], "level": ["county"],
        "state": ["late"],
    } == parse_qs(unescape(link.group(1)))  # fmt: skip
    assert "没有符合条件的单位" in city.words("/board?q=没有这个单位")
    other = f"{CAMPAIGN}~{CAMPAIGN}/summary/summary"
    assert "3月25日 23:59" in city.words(f"/board?what={other}&from=2024-12-20&to=2024-12-27")  # weeks of another table
    assert "只看 泽州县应急管理局 及其下级" in city.words(f"/board?unit={ZEZHOU}")
    assert [200, 200] == [city.get(f"/{p}?from=2024-12-27&to=2024-12-20").status_code for p in ("board", "due")]
    assert "第1周 12月20日 12:00 第2周" in city.words(f"/board?what={CAMPAIGN}~{WEEKLY}&from=2024-12-27&to=2024-12-20")
    assert 422 == city.get("/board?level=village").status_code
    assert 404 == city.get("/board?what=nobody~nothing").status_code


def test_summary_page(friday: Friday, browser: Callable[[Any], Browser]) -> None:
    words = browser(friday.city).words(f"/board/summary?what={CAMPAIGN}~{WEEKLY}&from=2024-12-27&to=2024-12-27")

    assert "泽州县应急管理局 1 1 100% 1 0 0 0 0 0 1 100%" in words
    assert "高平市应急管理局 1 1 100% 0 1 0 0 0 1 0 0%" in words
    assert "合计 9 2 22.2%" in words


def test_downloads(friday: Friday, browser: Callable[[Any], Browser]) -> None:
    """Every unit and every total, in a workbook and as text; what is counted is said in the workbook."""
    city = browser(friday.city)
    query = f"what={CAMPAIGN}~{WEEKLY}&from=2024-12-20&to=2024-12-27"
    text = city.get(f"/board.csv?{query}")
    book = load_workbook(io.BytesIO(city.get(f"/board.xlsx?{query}").content))
    rows = list(csv.reader(io.StringIO(text.content.decode("utf-8-sig"))))
    sheet = [["" if v is None else str(v) for v in r] for r in book["报送进度"].iter_rows(min_row=3, values_only=True)]

    assert text.content.startswith(b"\xef\xbb\xbf")
    assert ["单位", "行政区划", "第1周（12月20日）", "第2周（12月27日）"] == rows[0][:4]
    assert ["高平市应急管理局", "140581", "未报", "迟23分钟", "2", "1", "50%", "0", "1", "1", "0%"] in rows
    assert ["报送率", "", "0%", "22.2%"] == rows[-2]
    assert [r + [""] * (11 - len(r)) for r in rows] == sheet
    assert "按时 ÷（按时＋迟报＋未报）" in [r[1].value for r in book["说明"].iter_rows()]
    assert 404 == city.get(f"/board.pdf?{query}").status_code


def test_due_page(friday: Friday, browser: Callable[[Any], Browser]) -> None:
    """One's own list with what to do; a lower unit's without."""
    own = browser(friday.clerk).words("/due?from=2025-01-31&to=2025-01-31")
    lower = browser(friday.city).get(f"/due?unit={ZEZHOU}").text

    assert "2025-01-31是法定节假日（春节）" in own
    assert "请于每周五12:00前报送" in own
    assert "泽州县应急管理局" in lower
    assert ">上传</a>" not in lower
    assert 404 == browser(friday.clerk).get(f"/due?unit={CITY}").status_code


def test_feeds_page(friday: Friday, browser: Callable[[Any], Browser], http: TestClient) -> None:
    """Made, shown once, revoked; a form that is not our own is refused."""
    clerk = browser(friday.clerk)
    made, again = clerk.send("/feeds", seen="0"), clerk.send("/feeds", seen="0")
    address = re.search(r"http://testserver(/feeds/[^<\"]+\.ics)", made.text)
    assert address is not None
    assert (303, 1) == (again.status_code, clerk.words("/feeds").count("有效"))
    assert 200 == http.get(address.group(1)).status_code
    assert address.group(1) not in clerk.get("/feeds").text
    assert 403 == http.post("/feeds", headers={"Cookie": f"{COOKIE}={clerk.secret}"}).status_code
    number = re.search(r'action="/feeds/(\d+)/revoke"', clerk.get("/feeds").text)
    assert number is not None
    assert 303 == clerk.send(f"/feeds/{number.group(1)}/revoke").status_code
    assert 404 == http.get(address.group(1)).status_code
    assert "已撤销" in clerk.words("/feeds")


def test_log_in_first(http: TestClient) -> None:
    for path in ("/", "/board", "/board/units", "/board/units.csv", "/board/summary", "/board.csv", "/due", "/feeds"):
        answer = http.get(path, follow_redirects=False)
        assert (303, "/login") == (answer.status_code, answer.headers["location"].partition("?")[0]), path


def test_between_the_weeks(browser: Callable[[Any], Browser], clock: StandingClock, person: Callable[..., Any]) -> None:
    """A desk without work says what comes next; after the campaign, that there is nothing."""
    desk = browser(person(ZEZHOU, "clerk"))
    clock.set(datetime(2024, 12, 10, 9, 0, tzinfo=BEIJING))
    coming = desk.words("/")
    clock.set(datetime(2025, 7, 1, 9, 0, tzinfo=BEIJING))
    over = desk.words("/")

    assert "下一次截止 12月20日 12:00" in coming
    assert "下一项：周调度统计表 第1周（12月20日），12月20日 12:00 截止。" in coming
    assert "本单位近期没有报送任务。" in over
