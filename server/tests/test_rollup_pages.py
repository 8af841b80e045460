"""The pages of roll-ups: a city's clerk rolls up, fills in, adjusts and files; others look."""

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from fastapi.testclient import TestClient

from gmsafety_server import auth
from gmsafety_server.node import Node
from gmsafety_server.web import COOKIE
from rolling import LEDGER, REASON, WEEKLY, City, MakePerson, own_part
from world import CITY, PROVINCE, ZEZHOU, Person

WEEK = "2024-12-27"


class Browser:
    """Somebody at a browser without scripts: follows links, sends the forms of the page it is on."""

    def __init__(self, http: TestClient, node: Node, person: Person) -> None:
        with node.db.write() as tx:
            secret = auth.open_session(tx, person.user_id, node.clock.now(), hours=8, agent="test")
        self.http, self.cookies, self.page = http, {COOKIE: secret}, ""

    def open(self, path: str) -> str:
        """A page, as text; nothing in it may need a laxer content security policy."""
        answer = self.http.get(path, headers=self._headers())
        assert 200 == answer.status_code, f"{path}: {answer.status_code} {answer.text[-400:]}"
        self.page = answer.text
        assert not re.search(r"<script(?![^>]* src=)|\sstyle=|\son[a-z]+=", self.page), path
        return unescape(self.page)

    def send(self, path: str, fields: dict[str, Any] | None = None, **more: Any) -> Any:
        """Send the form of the page: its hidden fields, and these."""
        action = next(f for f in re.findall(r"<form.*?</form>", self.page, re.S) if f'action="{path}"' in f)
        hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', action))
        return self.http.post(path, data={**hidden, **(fields or {})}, headers=self._headers(), **more)

    def status(self, path: str) -> int:
        return self.http.get(path, headers=self._headers()).status_code

    def _headers(self) -> dict[str, str]:
        return {"Cookie": "; ".join(f"{n}={v}" for n, v in self.cookies.items()), "Accept": "text/html"}


@pytest.fixture
def browser(http: TestClient, node: Node) -> Callable[[Person], Browser]:
    return lambda person: Browser(http, node, person)


def words(page: str) -> str:
    """What is read on a page."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page))


def test_from_the_list_to_the_province(city: City, browser: Callable[[Person], Browser], http: TestClient) -> None:
    city.receive(WEEK, WEEKLY, counties=("zezhou", "gaoping"))
    clerk = browser(city.clerk)
    http.follow_redirects = False
    assert 4 == words(clerk.open("/rollups")).count("未汇总")

    clerk.page = next(f for f in re.findall(r"<tr>.*?</tr>", clerk.page, re.S) if WEEKLY in f and WEEK in f)
    made = clerk.send("/rollups")
    assert 303 == made.status_code
    where = made.headers["location"]
    page = clerk.open(where)
    assert "周调度统计表 第2周（12月27日）" in page
    assert "4 个单位没有计入：" in page
    assert "晋城市工业和信息化局（待报）" in words(page)

    cell = words(clerk.open(f"{where}/cells/self.general.found"))
    assert "第2行 · 一般问题隐患发现数" in cell
    assert "zezhou_weekly.xlsx，工作表“周调度统计表”F8单元格" in cell

    clerk.open(f"{where}/own")
    wrong = clerk.send(f"{where}/own", {"joint.city.firms": "约16", "publicity.text": "市电视台报道。"})
    assert 422 == wrong.status_code
    assert "有 1 处没有看懂，还没有保存" in unescape(wrong.text)
    assert "市电视台报道。" in unescape(wrong.text)
    clerk.open(f"{where}/own")
    kept = clerk.send(
        f"{where}/own", {"joint.city.firms": "16家", "penalty.fine": "3.5", "publicity.text": "市电视台报道。"}
    )
    assert 303 == kept.status_code
    assert "市电视台报道。" in clerk.open(where)

    clerk.open(f"{where}/adjustments?path=self.plans")
    nothing = clerk.send(f"{where}/adjustments", {"path": "self.plans", "how": "delta", "amount": "-2", "reason": " "})
    assert (422, True) == (nothing.status_code, "请写明原因" in nothing.text)
    done = clerk.send(
        f"{where}/adjustments", {"path": "penalty.fine", "how": "delta", "amount": "-1.5", "reason": "重复"}
    )
    assert 303 == done.status_code
    assert "第5行“处罚企业金额（万元）” -1.5" in words(clerk.open(where))

    page = clerk.open(f"{where}/file")
    assert "山西省应急管理厅" in page
    refused = clerk.send(f"{where}/file")
    assert 422 == refused.status_code
    assert "请改正；数字确实如此的，请写明原因" in unescape(refused.text)
    filed = [clerk.send(f"{where}/file", {"reason": REASON}) for _ in range(2)]
    assert [303, 303] == [f.status_code for f in filed]
    assert "已上报" in words(clerk.open("/rollups"))
    assert 1 == city.clerk.get("/submissions", params={"unit": CITY}).json()["total"]


def test_a_correction_of_nothing_is_not_offered(city: City, browser: Callable[[Person], Browser]) -> None:
    city.receive(WEEK, WEEKLY, counties=("zezhou",))
    made = city.file_upward(city.roll_up(WEEK))
    where, clerk = f"/rollups/{made['uid']}", browser(city.clerk)
    page = clerk.open(where)
    assert [f'href="{where}/file"' in page, "与已报的第1版内容相同" in page] == [False, True]

    clerk.open(f"{where}/file")
    refused = clerk.send(f"{where}/file", {"reason": REASON})
    told = {"reason": REASON, "note": "应上级要求重报"}
    filed = [clerk.send(f"{where}/file", told, follow_redirects=False) for _ in range(2)]

    assert (422, True) == (refused.status_code, "与已报的第1版内容相同；仍要报送的" in unescape(refused.text))
    assert [303, 303] == [f.status_code for f in filed]


def test_where_a_number_comes_from_is_empty_until_one_is_asked_for(
    city: City, browser: Callable[[Person], Browser]
) -> None:
    city.receive(WEEK, WEEKLY, counties=("zezhou",))
    where, clerk = f"/rollups/{city.roll_up(WEEK)['uid']}", browser(city.clerk)

    assert 'class="card note trace is-empty" id="trace"' in clerk.open(where)
    told = clerk.open(f"{where}/cells/self.general.found")
    assert ['class="card note trace" id="trace"' in told, "data-put-away" in told] == [True, True]


def test_a_correction_below_is_told(city: City, browser: Callable[[Person], Browser]) -> None:
    first = city.file("zezhou", WEEK)
    made = city.roll_up(WEEK, basis="submitted")
    city.correct("zezhou", WEEK, first, self__plans=99)
    clerk, reviewer = browser(city.clerk), browser(city.reviewer)
    page = words(clerk.open(f"/rollups/{made['uid']}"))

    assert "下级的表有变化，1 处会改变" in page
    assert "泽州县应急管理局 第1版 → 第2版" in page
    assert "有更正" in words(clerk.open("/rollups"))
    assert "重新汇总" not in words(reviewer.open(f"/rollups/{made['uid']}")).replace("重新汇总后", "")

    clerk.open(f"/rollups/{made['uid']}")
    clerk.send(f"/rollups/{made['uid']}/refresh")
    assert "下级的表有变化" not in clerk.open(f"/rollups/{made['uid']}")


def test_a_ledger(city: City, browser: Callable[[Person], Browser]) -> None:
    """Every row bears the unit it came from; the own rows are uploaded."""
    city.receive(WEEK, LEDGER, counties=("zezhou",))
    made = city.change(city.roll_up(WEEK, LEDGER), "PUT", "own", json=own_part(WEEK))
    clerk = browser(city.clerk)
    where = f"/rollups/{made['uid']}"
    page = clerk.open(where)

    assert len(made["rows"]) == len(re.findall(rf'href="{where}/cells/rows\[\d+\]"', page))
    assert f"city_own_{WEEK}.json" in clerk.open(f"{where}/cells/rows[{len(made['rows']) - 1}]")
    assert "砂光机除尘风管" in clerk.open(f"{where}/own")
    assert "台账不能调整" in clerk.open(f"{where}/adjustments")
    clerk.open(f"{where}/own")
    clerk.send(f"{where}/own/drop")
    assert "还没有本级的行" in clerk.open(f"{where}/own")
    assert 200 == clerk.status(f"{where}/download.xlsx")


def test_the_province_looks_down(city: City, browser: Callable[[Person], Browser], person: MakePerson) -> None:
    made = city.roll_up(WEEK)
    above = browser(person(PROVINCE, "leader"))

    assert "晋城市应急管理局" in words(above.open("/rollups?of=below"))
    assert 'action="/rollups' not in above.open(f"/rollups/{made['uid']}")
    assert 403 == above.status(f"/rollups/{made['uid']}/own")


def test_who_sees_nothing(city: City, browser: Callable[[Person], Browser], person: MakePerson) -> None:
    made = city.roll_up(WEEK)
    county = browser(city.counties["zezhou"])

    assert "没有需要汇总的表" in county.open("/rollups")
    assert 404 == county.status(f"/rollups/{made['uid']}")
    assert 404 == browser(person(ZEZHOU, "leader")).status(f"/rollups/{made['uid']}/cells/self.plans")
    assert 404 == browser(city.clerk).status(f"/rollups/{made['uid']}/cells/self.nothing")


def test_only_our_own_page_changes_anything(city: City, browser: Callable[[Person], Browser], http: TestClient) -> None:
    made = city.roll_up(WEEK)
    clerk = browser(city.clerk)
    answer = http.post(f"/rollups/{made['uid']}/refresh", data={"etag": 1}, headers=clerk._headers())

    assert 403 == answer.status_code
    assert 1 == city.look(made)["etag"]
