"""The list of units with their counts over a time: counted, narrowed, sorted, paged, printed; on each database."""

import csv
import io
import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import event, insert

from gmsafety.duties import BEIJING
from gmsafety_server import auth
from gmsafety_server.node import Node
from gmsafety_server.tables import slots
from gmsafety_server.web import COOKIE
from rolling import LEDGER, WEEKLY, City
from world import CITY, OTHER_CITY, PROVINCE, ZEZHOU, Person, StandingClock

FIRST, LAST = "2024-12-20", "2025-01-03"
SPAN = {"item": WEEKLY, "from": FIRST, "to": LAST}
GAOPING, QINSHUI = "jincheng.gaoping-office", "jincheng.qinshui-office"


@pytest.fixture
def weeks(city: City, clock: StandingClock) -> City:
    """Two weeks are over, the third has not begun; it is Friday noon and a half.

    Zezhou: both in time and accepted. Gaoping: the first in time, returned; the second late. Qinshui: the first only.
    """
    clock.set(datetime(2024, 12, 20, 11, 0, tzinfo=BEIJING))
    city.accept(city.file("zezhou", FIRST))
    city.give_back(city.file("gaoping", FIRST))
    city.accept(city.file("qinshui", FIRST))
    clock.set(datetime(2024, 12, 27, 11, 0, tzinfo=BEIJING))
    city.accept(city.file("zezhou", "2024-12-27"))
    clock.set(datetime(2024, 12, 27, 12, 22, 1, tzinfo=BEIJING))
    city.file("gaoping", "2024-12-27")
    clock.set(datetime(2024, 12, 27, 12, 30, tzinfo=BEIJING))
    return city


def listed(who: Person, **asked: Any) -> dict[str, Any]:
    answer = who.get("/board/units", params={**SPAN, **asked})
    assert 200 == answer.status_code, answer.text
    return dict(answer.json())


def names(who: Person, **asked: Any) -> list[str]:
    return [row["unit"] for row in listed(who, **asked)["rows"]]


COUNTS = """
    unit                      应报 已报 按时 迟报 待审 退回 接受 未报 未到期
    jincheng.zezhou-office     2    2    2    0    0    0    2    0    1
    jincheng.gaoping-office    2    2    1    1    1    1    0    0    1
    jincheng.qinshui-office    2    1    1    0    0    0    1    1    1
    jincheng.lingchuan-office  2    0    0    0    0    0    0    2    1
"""
FIELDS = ("expected", "received", "on_time", "late", "submitted", "returned", "accepted", "missing", "not_due")


def test_counts_of_units(weeks: City) -> None:
    made = listed(weeks.reviewer)
    counts = {row["unit"]: [str(row["totals"][name]) for name in FIELDS] for row in made["rows"]}
    board = weeks.reviewer.get("/board", params=SPAN).json()

    for line in COUNTS.strip().splitlines()[1:]:
        unit, *numbers = line.split()
        assert numbers == counts[unit], unit
    assert (board["totals"], board["total"]) == (made["totals"], made["total"])
    assert {r["unit"]: r["totals"] for r in board["rows"]} == {r["unit"]: r["totals"] for r in made["rows"]}


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"state": "late"}, [GAOPING]),
        ({"state": "returned"}, [GAOPING]),
        ({"state": "submitted"}, [GAOPING]),
        ({"state": "accepted"}, [QINSHUI, ZEZHOU]),
        ({"state": "due"}, []),
        ({"state": "nil"}, []),
        ({"state": "missing", "area": "140521"}, [QINSHUI]),
        ({"area": "140525"}, [ZEZHOU]),
        ({"area": "140600"}, []),
        ({"q": "泽州"}, [ZEZHOU]),
        ({"q": "高平 1405"}, [GAOPING]),
        ({"unit": ZEZHOU}, [ZEZHOU]),
        ({"level": "township"}, []),
        ({"sort": "late", "size": 1}, [GAOPING]),
        ({"sort": "returned", "size": 1}, [GAOPING]),
        ({"sort": "submitted", "size": 1}, [GAOPING]),
        ({"level": "county", "sort": "missing", "size": 2, "page": 3}, [ZEZHOU, GAOPING]),
        ({"level": "county", "sort": "completeness", "size": 1, "page": 4}, [QINSHUI]),
        ({"level": "county", "sort": "timeliness", "size": 2, "page": 3}, [GAOPING, ZEZHOU]),
        ({"from": "2024-12-27", "to": "2024-12-27", "state": "accepted"}, [ZEZHOU]),
    ],
)
def test_narrowed_and_sorted(weeks: City, asked: dict[str, Any], found: list[str]) -> None:
    assert found == names(weeks.reviewer, **asked)


def test_totals_are_of_what_is_listed(weeks: City) -> None:
    """Of all units that are listed, not of the page; and an area means what lies below it."""
    every = listed(weeks.reviewer)
    page = listed(weeks.reviewer, size=2, page=2)
    whole = listed(weeks.reviewer, area="140500")
    late = listed(weeks.reviewer, state="late")

    assert (every["totals"], every["total"], 2, 5) == (page["totals"], page["total"], len(page["rows"]), page["pages"])
    assert every["rows"][2:4] == page["rows"]
    assert every["rows"] == whole["rows"]
    assert ((2, 2, 1, 1), 1) == (tuple(late["totals"][n] for n in FIELDS[:4]), late["total"])
    assert [] == listed(weeks.reviewer, page=9)["rows"]


def test_what_a_unit_sees(weeks: City, person: Callable[..., Person]) -> None:
    """The province all, a county itself; what is out of sight does not exist."""
    province, stranger = person(PROVINCE, "leader"), person(OTHER_CITY, "leader")
    asked = {"campaign": "jincheng.gongmao-2024"}

    assert listed(weeks.reviewer)["total"] == listed(province, **asked)["total"]
    assert [ZEZHOU] == names(weeks.counties["zezhou"])
    assert [] == names(stranger, **asked)
    assert 404 == stranger.get("/board/units", params={**SPAN, **asked, "unit": CITY}).status_code


@pytest.mark.parametrize("asked", [{"area": "晋城"}, {"sort": "name"}, {"state": "lost"}, {"size": 501}, {"from": "x"}])
def test_what_is_no_question(city: City, asked: dict[str, Any]) -> None:
    assert 422 == city.reviewer.get("/board/units", params=asked).status_code


def test_a_unit_that_was_moved_is_counted_once(weeks: City, node: Node) -> None:
    """Its slots stand at the path it has, and at the one it had."""
    before = listed(weeks.reviewer, unit=CITY, q="泽州")["rows"][0]["totals"]
    day, due = date(2024, 12, 13), datetime(2024, 12, 13, 12, 0, tzinfo=BEIJING)
    with node.db.write() as tx:
        former = node.directory(tx).paths[CITY] + f"jincheng.former/{ZEZHOU}/"
        tx.execute(insert(slots).values(
            campaign="jincheng.gongmao-2024", duty="weekly-forms", item=WEEKLY, kind="form", period=day,
            opens=day - timedelta(days=6), due_at=due, unit=ZEZHOU, area="140525", upper="jincheng.former", path=former,
            state="open", nil=False, revision=0,
        ))  # fmt: skip
    after = listed(weeks.reviewer, q="泽州", **{"from": "2024-12-13"})

    assert (1, before["received"], before["missing"] + 1) == (
        after["total"], after["totals"]["received"], after["totals"]["missing"],
    )  # fmt: skip


def test_statements_do_not_grow_with_the_units(weeks: City, node: Node) -> None:
    """One statement counts all units, however many; asked again, none does."""
    said: list[str] = []

    def hear(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        said.append(statement)

    listed(weeks.reviewer, item=LEDGER)  # log-in, directory and the rest are warm
    engine = node.db.reader
    event.listen(engine, "before_cursor_execute", hear)
    try:
        listed(weeks.reviewer)
        first = [s for s in said if "GROUP BY slots.path" in s]
        said.clear()
        listed(weeks.reviewer, sort="missing", page=2, size=2)
        again = [s for s in said if "GROUP BY slots.path" in s]
    finally:
        event.remove(engine, "before_cursor_execute", hear)

    assert (1, 0) == (len(first), len(again))


# ------------------------------------------------------------------- the page


@pytest.fixture
def look(node: Node, http: Any, weeks: City) -> Callable[[str], Any]:
    """A page as the city's reviewer gets it."""
    with node.db.write() as tx:
        secret = auth.open_session(tx, weeks.reviewer.user_id, node.clock.now(), hours=24, agent="test")

    def get(path: str) -> Any:
        http.cookies.clear()
        return http.get(path, headers={"Accept": "text/html", "Cookie": f"{COOKIE}={secret}"})

    return get


def words(answer: Any) -> str:
    assert 200 == answer.status_code, answer.text
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text.partition("<main")[2]).split())


def test_page(look: Callable[[str], Any]) -> None:
    page = look(f"/board/units?item={WEEKLY}&from={FIRST}&to={LAST}&sort=missing&size=3&page=2")
    text = words(look(f"/board/units?item={WEEKLY}"))  # of all weeks up to the current

    assert "泽州县应急管理局 2 2 100% 2 0 0 0 0 0 0 2 100%" in text
    assert "高平市应急管理局 2 2 100% 1 1 0 0 0 1 1 0 50%" in text
    assert "沁水县应急管理局 2 1 50% 1 0 0 0 1 0 0 1 50%" in text
    assert "合计 18 5 27.8%" in text
    assert "合计 （所列 9 个单位） 18 5 27.8%" in words(page)
    assert '<th scope="col" class="num" aria-sort="descending">' in page.text
    assert f'<a href="/due?unit={QINSHUI}&amp;from={FIRST}&amp;to={LAST}">' in look(
        f"/board/units?item={WEEKLY}&from={FIRST}&to={LAST}"
    ).text  # fmt: skip
    assert 'aria-current="page">各单位合计</a>' in page.text
    assert '<option value="140525">泽州县</option>' in page.text
    assert "data-print" in page.text


def test_empty_page(look: Callable[[str], Any]) -> None:
    assert "没有符合条件的单位 请放宽筛选条件。 清除筛选" in words(look(f"/board/units?item={WEEKLY}&state=nil"))
    assert "没有这一页 回到第一页" in words(look(f"/board/units?item={WEEKLY}&page=7"))
    assert "这里没有要报的" in words(look("/board/units?campaign=tianjin.lookback-2024"))
    assert 422 == look("/board/units?area=x").status_code


def test_downloads(look: Callable[[str], Any]) -> None:
    """All units that are listed and their sums, not a page of them."""
    query = f"item={WEEKLY}&from={FIRST}&to={LAST}&sort=missing&level=county"
    text = look(f"/board/units.csv?{query}")
    book = load_workbook(io.BytesIO(look(f"/board/units.xlsx?{query}").content))
    rows = list(csv.reader(io.StringIO(text.content.decode("utf-8-sig"))))
    sheet = [
        ["" if v is None else str(v) for v in r] for r in book.worksheets[0].iter_rows(min_row=3, values_only=True)
    ]

    assert ["单位", "行政区划", "应报", "已报", "报送率"] == rows[0][:5]
    assert ["泽州县应急管理局", "140525", "2", "2", "100%", "2", "0", "0", "0", "0", "0", "0", "2", "100%"] == rows[-3]
    assert ["合计", "", "12", "5", "41.7%"] == rows[-1][:5]
    assert rows == sheet
    assert "按时 ÷（按时＋迟报＋未报）" in [r[1].value for r in book["说明"].iter_rows()]
    assert 404 == look(f"/board/units.pdf?{query}").status_code
