"""What a board remembers is what it would count: after every filing, decision and deadline, on each database."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from gmsafety.duties import BEIJING
from gmsafety_server.features.board.remembered import Remembered
from rolling import LEDGER, WEEKLY, City
from world import StandingClock

WEEKS = ("2024-12-20", "2024-12-27")
COUNTIES = ("zezhou", "gaoping", "yangcheng", "lingchuan")
LOOKS: list[tuple[str, dict[str, Any]]] = [
    ("/board", {"item": WEEKLY}),
    ("/board", {"item": WEEKLY, "from": "2024-12-20", "to": "2024-12-27"}),
    ("/board", {"item": LEDGER, "from": "2024-12-27"}),
    ("/board", {"item": WEEKLY, "unit": "jincheng.zezhou-office"}),
    ("/board", {"item": WEEKLY, "state": "accepted"}),
    ("/board", {"item": WEEKLY, "sort": "missing", "size": 2}),
    ("/board/units", {"item": WEEKLY}),
    ("/board/units", {"item": LEDGER, "from": "2024-12-20", "to": "2024-12-27", "sort": "missing", "size": 3}),
    ("/board/units", {"item": WEEKLY, "state": "late", "area": "140500", "sort": "timeliness"}),
    ("/board/summary", {"item": WEEKLY}),
]


def _looked(city: City) -> list[Any]:
    return [city.reviewer.send("GET", path, params=told).json() for path, told in LOOKS]


def _as_counted_anew(http: TestClient, city: City) -> list[Any]:
    state: Any = http.app.state  # type: ignore[attr-defined]  # a FastAPI
    kept, state.remembered = state.remembered, Remembered()
    try:
        return _looked(city)
    finally:
        state.remembered = kept


class Play:
    """A city in which something happens at each step; which, dice say."""

    def __init__(self, city: City, clock: StandingClock, seed: int) -> None:
        self.city, self.clock, self.dice = city, clock, random.Random(seed)
        self.open = [(c, w, i) for c in COUNTIES for w in WEEKS for i in (WEEKLY, LEDGER)]
        self.filed: list[tuple[str, str, dict[str, Any]]] = []
        self.returned: list[tuple[str, str, dict[str, Any]]] = []
        self.dice.shuffle(self.open)

    def step(self) -> str:
        """Do one of the things that can be done now."""
        ways: list[Callable[[], str]] = [self.wait]
        ways += [self.file, self.file, self.draft] if self.open else []
        ways += [self.accept, self.give_back] if self.filed else []
        ways += [self.correct] if self.returned else []
        return self.dice.choice(ways)()

    def wait(self) -> str:
        self.clock.set(self.clock.now() + timedelta(hours=self.dice.choice((1, 7, 49))))
        return "wait"

    def file(self) -> str:
        county, week, item = self.open.pop()
        self.filed.append((county, week, self.city.file(county, week, item)))
        return f"file {county} {week} {item}"

    def draft(self) -> str:
        county, week, item = self.open[0]
        self.city.file(county, week, item, action="draft")
        self.open.pop(0)
        return f"draft {county} {week} {item}"

    def accept(self) -> str:
        _, _, filed = self.filed.pop()
        self.city.accept(filed)
        return f"accept {filed['unit']}"

    def give_back(self) -> str:
        county, week, filed = self.filed.pop()
        self.city.give_back(filed)
        self.returned.append((county, week, filed))
        return f"return {filed['unit']}"

    def correct(self) -> str:
        county, week, filed = self.returned.pop()
        self.filed.append((county, week, self.city.correct(county, week, filed)))
        return f"correct {filed['unit']}"


@pytest.mark.parametrize("seed", range(3))
def test_what_is_remembered_is_what_is_counted(http: TestClient, city: City, clock: StandingClock, seed: int) -> None:
    clock.set(datetime(2024, 12, 21, 8, 0, tzinfo=BEIJING))
    play, told = Play(city, clock, seed), []
    _looked(city)
    for _ in range(18):
        told.append(play.step())
        assert _as_counted_anew(http, city) == _looked(city), f"seed {seed}: {told}"
    assert play.filed or play.returned or not play.open
