"""The board, the due list and their words: the same in Python and in SQL, on each database."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, true

from gmsafety.duties import BEIJING
from gmsafety_server.features.board import repository, unit_rows
from gmsafety_server.features.board.repository import Reach
from gmsafety_server.features.board.states import WORDS, Standing, standing
from gmsafety_server.features.board.tallies import FIELDS, Tally, rate
from gmsafety_server.node import Node
from gmsafety_server.tables import slots
from world import CITY, GAOPING, OTHER_CITY, PROVINCE, ZEZHOU, StandingClock, scenario_file

WEEKLY, LEDGER = "shanxi.weekly-dispatch", "shanxi.major-hazard-ledger"
CAMPAIGN = "jincheng.gongmao-2024"
QINSHUI = "jincheng.qinshui-office"


def at(text: str) -> datetime:
    """A moment of 2024-12-27 in China, or of another day: `23 11:00`."""
    day, _, clock = text.rpartition(" ")
    return datetime.fromisoformat(f"2024-12-{day or '27'}T{clock}").replace(tzinfo=BEIJING)


FRIDAY_NOON = at("12:00")


@dataclass
class Slot:
    state: str = "open"
    received_at: datetime | None = None
    nil: bool = False
    opens: date = date(2024, 12, 21)
    due_at: datetime = FRIDAY_NOON


WORD_TABLE = [
    # now, state, received, nil → word, late minutes
    ("20 23:59:59", "open", None, False, "not-due", 0),
    ("21 00:00:00", "open", None, False, "due", 0),
    ("27 11:59:59", "open", None, False, "due", 0),
    ("27 12:00:00", "open", None, False, "due", 0),
    ("27 12:00:00.900", "open", None, False, "due", 0),
    ("27 12:00:01", "open", None, False, "missing", 0),
    ("27 11:00", "submitted", "10:59", False, "submitted", 0),
    ("27 13:00", "submitted", "12:00:00", False, "submitted", 0),
    ("27 13:00", "submitted", "12:00:01", False, "late", 1),
    ("27 13:00", "submitted", "12:01:00", False, "late", 1),
    ("27 13:00", "submitted", "12:22:01", False, "late", 23),
    ("27 13:00", "submitted", "11:00", True, "nil", 0),
    ("27 13:00", "submitted", "12:23", True, "nil", 23),
    ("27 13:00", "returned", "12:23", False, "returned", 23),
    ("27 13:00", "returned", "11:23", False, "returned", 0),
    ("27 13:00", "accepted", "11:23", False, "accepted", 0),
    ("27 13:00", "accepted", "12:23", True, "accepted", 23),
]


@pytest.mark.parametrize(("now", "state", "received", "nil", "word", "late"), WORD_TABLE)
def test_words(now: str, state: str, received: str | None, nil: bool, word: str, late: int) -> None:
    slot = Slot(state, at(received) if received else None, nil)

    assert Standing(word, nil, late) == standing(slot, at(now))
    assert word in WORDS


@st.composite
def some_slots(draw: st.DrawFn) -> list[Slot]:
    """Slots as they can be: what is open has not come in, everything else has, to the second."""
    found = []
    for state in draw(st.lists(st.sampled_from(("open", "submitted", "returned", "accepted")), min_size=1, max_size=9)):
        due = at("12:00") + timedelta(seconds=draw(st.integers(-3, 3) | st.integers(-(10**6), 10**6)))
        late = timedelta(seconds=draw(st.integers(-3, 3) | st.integers(-(10**6), 10**6)))
        came = None if state == "open" else due + late
        opens = date(2024, 12, 27) + timedelta(days=draw(st.integers(-8, 8)))
        found.append(Slot(state, came, state != "open" and draw(st.booleans()), opens, due))
    return found


class _Undo(Exception):
    pass


def _put(tx: Any, some: list[Slot]) -> Reach:
    """Enter slots of one campaign, each of a unit of its own, in three periods."""
    fixed = {"campaign": "x.x", "duty": "x", "item": "x.x", "kind": "form", "area": "140500", "upper": CITY}
    rows = [
        {
            **fixed, "unit": f"x.u{n}", "path": f"/x.u{n}/", "period": date(2024, 12, 20 + n % 3), "opens": s.opens,
            "due_at": s.due_at, "state": s.state, "nil": s.nil, "revision": 1, "received_at": s.received_at,
        }
        for n, s in enumerate(some)
    ]  # fmt: skip
    tx.execute(insert(slots), rows)
    return Reach(true(), "x.x", "x.x")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(some=some_slots(), microseconds=st.integers(0, 999_999))
def test_sql_says_the_same(node: Node, some: list[Slot], microseconds: int) -> None:
    now = at("12:00").replace(microsecond=microseconds)
    expected = {f"x.u{n}": standing(s, now) for n, s in enumerate(some)}
    with suppress(_Undo), node.db.write() as tx:
        reach = _put(tx, some)
        cells = repository.cells(tx, reach, now, list(expected), names=False)
        counts = unit_rows.counts(tx, reach, now)
        bearing = {word: unit_rows.bearing(tx, reach, now, word) for word in WORDS}
        raise _Undo

    assert expected == {c.unit: Standing(c.word, c.nil, c.late_minutes) for c in cells}
    assert {u: Tally.of([(s.word, s.nil, s.late_minutes > 0)]) for u, s in expected.items()} == {
        unit: Tally.of_counts(c) for unit, c in counts.items()
    }
    assert {word: {u for u, s in expected.items() if s.word == word} for word in WORDS} == bearing


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (None, "/"),
        (0.0, "0%"),
        (1.0, "100%"),
        (11 / 12, "91.7%"),
        (14 / 27, "51.9%"),
        (0.25, "25%"),
        (2499 / 2500, "99.9%"),
        (1 / 2500, "0.1%"),
    ],
)
def test_rates_are_printed(value: float | None, printed: str) -> None:
    assert printed == rate(value)


TALLY_TABLE = """
    word       nil  late  → expected received on_time late nil due missing submitted returned accepted not_due
    not-due    -    -     → 0        0        0       0    0   0   0       0         0        0        1
    due        -    -     → 1        0        0       0    0   1   0       0         0        0        0
    missing    -    -     → 1        0        0       0    0   0   1       0         0        0        0
    nil        nil  -     → 1        1        1       0    1   0   0       1         0        0        0
    nil        nil  late  → 1        1        0       1    1   0   0       1         0        0        0
    submitted  -    -     → 1        1        1       0    0   0   0       1         0        0        0
    late       -    late  → 1        1        0       1    0   0   0       1         0        0        0
    returned   -    late  → 1        1        0       1    0   0   0       0         1        0        0
    accepted   nil  -     → 1        1        1       0    1   0   0       0         0        1        0
"""


def test_what_is_counted() -> None:
    header, *lines = [line.split("→") for line in TALLY_TABLE.strip().splitlines()]
    names = header[1].split()
    for left, right in lines:
        word, nil, late = left.split()
        counted = Tally.of([(word, nil == "nil", late == "late")])

        assert dict(zip(names, map(int, right.split()), strict=True)) == {n: getattr(counted, n) for n in names}, word
    assert set(FIELDS) == set(names)


def test_rates() -> None:
    """Twelve counties: eight in time, one late, one nil, two have not filed; of a week that has not begun none is expected."""
    marks = [("accepted", False, False)] * 7 + [("returned", False, False), ("late", False, True), ("nil", True, False)]
    tally = Tally.of([*marks, *[("missing", False, False)] * 2, *[("not-due", False, False)] * 12])

    assert (12, 10, 9, 1, 2, 12) == (
        tally.expected, tally.received, tally.on_time, tally.late, tally.missing, tally.not_due,
    )  # fmt: skip
    assert (0.833333, 0.75) == (tally.completeness, tally.timeliness)
    assert (None, None) == (Tally().completeness, Tally().timeliness)


# ------------------------------------------------------------------- the interface


def _file(who: Any, week: str, county: str, kind: str, **more: Any) -> dict[str, Any]:
    item = WEEKLY if kind == "weekly" else LEDGER
    answer = who.file(scenario_file(week, county, kind), item, week, **more)
    assert 201 == answer.status_code, answer.text
    filed: dict[str, Any] = answer.json()
    return filed


@pytest.fixture
def friday(person: Callable[..., Any], clock: StandingClock) -> dict[str, Any]:
    """Zezhou in time and accepted, Gaoping 23 minutes late, Qinshui returned; 泽州's ledger in draft; 12:30 by the clock."""
    people = {
        "zezhou": person(ZEZHOU, "clerk"), "gaoping": person(GAOPING, "clerk"), "qinshui": person(QINSHUI, "clerk"),
        "city": person(CITY, "reviewer", "leader"), "province": person(PROVINCE, "leader"),
    }  # fmt: skip
    reason = {"reason": "测试"}
    clock.set(at("11:30"))
    accepted = _file(people["zezhou"], "2024-12-27", "zezhou", "weekly", **reason)
    draft = _file(people["zezhou"], "2024-12-27", "zezhou", "ledger", action="draft")
    returned = _file(people["qinshui"], "2024-12-27", "qinshui", "weekly", **reason)
    clock.set(at("12:22:01"))
    late = _file(people["gaoping"], "2024-12-27", "gaoping", "weekly", **reason)
    city = people["city"]
    assert 200 == city.post(f"/submissions/{accepted['uid']}/accept", seen=accepted["etag"], json={}).status_code
    reasons = {"reasons": [{"where": "C4", "text": "与台账不符"}], "note": "请核对"}
    assert 200 == city.post(f"/submissions/{returned['uid']}/return", seen=returned["etag"], json=reasons).status_code
    clock.set(at("12:30"))
    return {**people, "accepted": accepted, "draft": draft, "returned": returned, "late": late}


def test_due_list(friday: dict[str, Any]) -> None:
    """What a county owes: states, the time left, the draft, and where it is written."""
    answer = friday["zezhou"].get("/due", params={"from": "2024-12-20", "to": "2025-01-03"})
    assert 200 == answer.status_code, answer.text
    told = answer.json()

    assert (ZEZHOU, "泽州县应急管理局") == (told["unit"], told["unit_name"])
    assert [
        ("2024-12-20", WEEKLY, "missing", -10110, None),
        ("2024-12-20", LEDGER, "missing", -10110, None),
        ("2024-12-27", WEEKLY, "accepted", None, friday["accepted"]["uid"]),
        ("2024-12-27", LEDGER, "missing", -30, None),
        ("2025-01-03", WEEKLY, "not-due", 10050, None),
        ("2025-01-03", LEDGER, "not-due", 10050, None),
    ] == [(d["period"], d["item"], d["state"], d["minutes_left"], d["submission"]) for d in told["items"]]
    ledger = told["items"][3]
    assert friday["draft"]["uid"] == ledger["draft"]
    assert ("重大事故隐患台账", "第2周（12月27日）", "晋城市应急管理局") == (
        ledger["caption"], ledger["period_title"], ledger["upper_name"],
    )  # fmt: skip
    assert ("四（三）", "2025-02-25T12:00:00+08:00") == (
        ledger["source"]["clause"], datetime.fromisoformat(ledger["closes_at"]).astimezone(BEIJING).isoformat(),
    )  # fmt: skip
    assert "每周五12:00前" in ledger["source"]["quote"]


def test_due_list_says_holidays_and_returns(friday: dict[str, Any], clock: StandingClock) -> None:
    holidays = friday["zezhou"].get("/due", params={"from": "2025-01-31", "to": "2025-01-31"}).json()["items"]
    returned = friday["qinshui"].get("/due", params={"from": "2024-12-27", "to": "2024-12-27"}).json()["items"]

    assert [["public-holiday"], ["public-holiday"]] == [[f["flag"] for f in d["flags"]] for d in holidays]
    assert "2025-01-31是法定节假日（春节）" == holidays[0]["flags"][0]["text"]
    weekly = next(d for d in returned if d["item"] == WEEKLY)
    assert ("returned", "请核对", "与台账不符", "晋城市应急管理局") == (
        weekly["state"], weekly["returned"]["note"], weekly["returned"]["reasons"][0]["text"],
        weekly["returned"]["unit_name"],
    )  # fmt: skip


def test_due_list_of_others(friday: dict[str, Any], person: Callable[..., Any]) -> None:
    """A city reads a county's list, but not its drafts; a county reads nobody else's."""
    city = friday["city"].get("/due", params={"unit": ZEZHOU, "from": "2024-12-27", "to": "2024-12-27"}).json()
    by_name = friday["city"].get("/due", params={"unit": "泽州县应急管理局"})
    other = friday["gaoping"].get("/due", params={"unit": ZEZHOU})
    administrator = person(ZEZHOU, "administrator").get("/due", params={"from": "2024-12-27", "to": "2024-12-27"})

    assert [(WEEKLY, None), (LEDGER, None)] == [(d["item"], d["draft"]) for d in city["items"]]
    assert 200 == by_name.status_code
    assert (404, "GM-H440") == (other.status_code, other.json()["code"])
    assert [None, None] == [d["submission"] for d in administrator.json()["items"]]


def test_board(friday: dict[str, Any]) -> None:
    """The city sees its counties and departments; every cell says how it stands and leads to what was filed."""
    answer = friday["city"].get("/board", params={"item": WEEKLY, "from": "2024-12-20", "to": "2025-01-03"})
    assert 200 == answer.status_code, answer.text
    board = answer.json()
    cells = {row["unit"]: row["cells"] for row in board["rows"]}

    assert (CAMPAIGN, WEEKLY, CITY) == (board["campaign"], board["item"], board["unit"])
    assert ["2024-12-20", "2024-12-27", "2025-01-03"] == [p["period"] for p in board["periods"]]
    assert ["第1周（12月20日）", "第2周（12月27日）", "第3周（1月3日）"] == [p["title"] for p in board["periods"]]
    assert {"state": "accepted", "nil": False, "late_minutes": 0, "revision": 1,
            "submission": friday["accepted"]["uid"]} == cells[ZEZHOU][1]  # fmt: skip
    assert ["missing", "late", "not-due"] == [c["state"] for c in cells[GAOPING]]
    assert (23, friday["late"]["uid"]) == (cells[GAOPING][1]["late_minutes"], cells[GAOPING][1]["submission"])
    assert "returned" == cells[QINSHUI][1]["state"]
    week, units = board["periods"][1]["totals"], board["total"]
    assert units == len(board["rows"])
    assert (units, 3, 2, 1, units - 3) == (
        week["expected"], week["received"], week["on_time"], week["late"], week["missing"],
    )  # fmt: skip
    assert (round(3 / units, 6), round(2 / units, 6)) == (week["completeness"], week["timeliness"])
    assert (0, units, None, None) == (
        board["periods"][2]["totals"]["expected"], board["periods"][2]["totals"]["not_due"],
        board["periods"][2]["totals"]["completeness"], board["periods"][2]["totals"]["timeliness"],
    )  # fmt: skip
    assert {n: sum(p["totals"][n] for p in board["periods"]) for n in FIELDS} == {n: board["totals"][n] for n in FIELDS}


def test_board_is_narrowed(friday: dict[str, Any]) -> None:
    """By name, level, state and unit; sorted by what is missing; a page at a time. Totals follow unit and level only."""
    city = friday["city"]
    week = {"item": WEEKLY, "from": "2024-12-27", "to": "2024-12-27"}

    def units(**more: Any) -> list[str]:
        return [r["unit"] for r in city.get("/board", params={**week, **more}).json()["rows"]]

    everybody = units()
    counties = units(level="county")
    assert 6 == len([u for u in counties if u.endswith("-office")])
    assert [ZEZHOU] == units(q="泽州")
    assert [ZEZHOU] == units(q="140525 应急")
    assert [GAOPING] == units(state="late")
    assert [QINSHUI] == units(state="returned")
    assert [ZEZHOU] == units(unit=ZEZHOU)
    assert {ZEZHOU, GAOPING, QINSHUI} == set(units(sort="missing")[-3:])
    assert GAOPING == units(sort="late")[0]
    assert everybody == units(size=4) + units(size=4, page=2) + units(size=4, page=3) + units(size=4, page=4)
    narrowed = city.get("/board", params={**week, "q": "泽州", "state": "accepted"}).json()
    assert (1, len(everybody)) == (narrowed["total"], narrowed["totals"]["expected"])
    assert 1 == city.get("/board", params={**week, "unit": ZEZHOU}).json()["totals"]["expected"]


def test_board_by_relation(friday: dict[str, Any], person: Callable[..., Any]) -> None:
    """A county sees itself; the province sees the city's counties too; another city sees none of them."""
    params = {"campaign": CAMPAIGN, "item": WEEKLY, "from": "2024-12-27", "to": "2024-12-27"}
    county = friday["zezhou"].get("/board", params=params).json()
    province = friday["province"].get("/board", params=params).json()
    stranger = person(OTHER_CITY, "leader").get("/board", params=params).json()
    administrator = person(CITY, "administrator").get("/board", params=params).json()

    assert [ZEZHOU] == [r["unit"] for r in county["rows"]]
    assert {ZEZHOU, GAOPING, QINSHUI} < {r["unit"] for r in province["rows"]}
    assert (0, [], 0) == (stranger["total"], stranger["rows"], stranger["totals"]["expected"])
    assert [None] == [r["cells"][0]["submission"] for r in administrator["rows"] if r["unit"] == ZEZHOU]


REFUSED = [
    ({"campaign": "nobody.nothing"}, 404, "GM-H440"),
    ({"item": "nothing"}, 404, "GM-H440"),
    ({"campaign": CAMPAIGN, "item": "nothing"}, 404, "GM-H440"),
    ({"unit": PROVINCE}, 404, "GM-H440"),
    ({"unit": OTHER_CITY}, 404, "GM-H440"),
    ({"unit": "nobody"}, 404, "GM-H440"),
    ({"level": "village"}, 422, "GM-H485"),
    ({"state": "lost"}, 422, "GM-H485"),
    ({"from": "2025-01-03", "to": "2024-12-27"}, 422, "GM-H485"),
    ({"from": "yesterday"}, 422, "GM-H485"),
    ({"page": "0"}, 422, "GM-H485"),
]


def test_board_refuses(person: Callable[..., Any]) -> None:
    leader = person(CITY, "leader")
    answers = [(params, leader.get("/board", params=params)) for params, _, _ in REFUSED]

    assert REFUSED == [(params, a.status_code, a.json()["code"]) for params, a in answers]


def test_summary(friday: dict[str, Any]) -> None:
    """The province: its cities by what stands under them; the city: its counties; the unit's own part under its name."""
    params = {"campaign": CAMPAIGN, "item": WEEKLY, "from": "2024-12-27", "to": "2024-12-27"}
    province = friday["province"].get("/board/summary", params=params).json()
    city = friday["city"].get("/board/summary", params=params).json()
    own = friday["zezhou"].get("/board/summary", params=params).json()

    assert [(CITY, 3)] == [(g["unit"], g["totals"]["received"]) for g in province["groups"]]
    assert province["totals"] == province["groups"][0]["totals"] == city["totals"]
    received = {g["unit"]: g["totals"]["received"] for g in city["groups"]}
    assert (1, 1, 1, 3) == (received[ZEZHOU], received[GAOPING], received[QINSHUI], sum(received.values()))
    assert [(ZEZHOU, "泽州县应急管理局", 1)] == [
        (g["unit"], g["unit_name"], g["totals"]["received"]) for g in own["groups"]
    ]


def test_usual_board(friday: dict[str, Any]) -> None:
    """Without a word about it: what is filed to one's own unit, forms first; else what it owes itself."""
    boards = {name: friday[name].get("/board").json() for name in ("province", "city", "zezhou")}

    assert {
        "province": "shanxi.gongmao-2024", "city": CAMPAIGN, "zezhou": CAMPAIGN,
    } == {name: b["campaign"] for name, b in boards.items()}  # fmt: skip
    assert {"form"} == {"deliverable" if "/" in b["item"] else "form" for b in boards.values()}


def test_counts_are_never_old(friday: dict[str, Any], clock: StandingClock, person: Callable[..., Any]) -> None:
    """Remembered totals change with every filing, at the deadline, and on the opening day."""
    city = friday["city"]

    def week(period: str) -> tuple[int, ...]:
        totals = city.get("/board", params={"item": WEEKLY, "from": period, "to": period}).json()["totals"]
        groups = city.get("/board/summary", params={"item": WEEKLY, "from": period, "to": period}).json()["groups"]
        assert totals["received"] == sum(g["totals"]["received"] for g in groups)
        assert totals["missing"] == sum(g["totals"]["missing"] for g in groups)
        return tuple(totals[n] for n in ("not_due", "due", "missing", "received"))

    units = city.get("/board", params={"item": WEEKLY}).json()["total"]
    assert (0, 0, units - 3, 3) == week("2024-12-27")
    _file(person("jincheng.yangcheng-office", "clerk"), "2024-12-27", "yangcheng", "weekly", reason="测试")
    assert (0, 0, units - 4, 4) == week("2024-12-27")
    assert (units, 0, 0, 0) == week("2025-01-03")
    clock.set(datetime(2024, 12, 28, 0, 0, tzinfo=BEIJING))
    assert (0, units, 0, 0) == week("2025-01-03")
    clock.set(datetime(2025, 1, 3, 12, 0, tzinfo=BEIJING))
    assert (0, units, 0, 0) == week("2025-01-03")
    clock.set(datetime(2025, 1, 3, 12, 0, 1, tzinfo=BEIJING))
    assert (0, 0, units, 0) == week("2025-01-03")


def test_on_time_to_the_end_of_the_second(
    person: Callable[..., Any], clock: StandingClock, friday: dict[str, Any]
) -> None:
    """What comes at 12:00:00.5 is in time, on the board as on the receipt."""
    clock.set(datetime(2025, 1, 3, 4, 0, 0, 500_000, tzinfo=UTC))
    filed = _file(friday["zezhou"], "2025-01-03", "zezhou", "weekly", reason="测试")
    week = {"item": WEEKLY, "from": "2025-01-03", "to": "2025-01-03"}
    board = friday["city"].get("/board", params={**week, "unit": ZEZHOU}).json()

    assert 0 == filed["late_minutes"]
    assert ("submitted", 0) == tuple(board["rows"][0]["cells"][0][n] for n in ("state", "late_minutes"))
    assert 1 == board["totals"]["on_time"]


def test_one_statement_each(node: Node, friday: dict[str, Any]) -> None:
    """However many units: a board is a fixed number of statements."""
    from sqlalchemy import event  # noqa: PLC0415 - only here

    told: list[str] = []
    event.listen(node.db.writer, "before_cursor_execute", lambda *a: told.append(a[2]))
    if node.db.is_sqlite:
        event.listen(node.db.reader, "before_cursor_execute", lambda *a: told.append(a[2]))
    counts = []
    for unit in (ZEZHOU, CITY):
        told.clear()
        friday["city"].get("/board", params={"campaign": CAMPAIGN, "item": WEEKLY, "unit": unit})
        counts.append(len([t for t in told if "slots" in t]))

    assert [3, 3] == counts
