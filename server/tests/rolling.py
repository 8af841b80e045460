"""A city and its counties in the tests: files of the scenario come in, are decided, corrected and rolled up."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import uuid4

from gmsafety.duties import BEIJING
from world import CITY, SCENARIO, Person, StandingClock, scenario_file

WEEKLY, LEDGER = "shanxi.weekly-dispatch", "shanxi.major-hazard-ledger"
COUNTIES = ("chengqu", "gaoping", "lingchuan", "qinshui", "yangcheng", "zezhou")
KINDS = {WEEKLY: "weekly", LEDGER: "ledger"}
REASON = "数字确实如此"
MakePerson = Callable[..., Person]


class City:
    """The city's people, and the counties that file with it."""

    def __init__(self, person: MakePerson, clock: StandingClock) -> None:
        self.person, self.clock = person, clock
        self.clerk, self.reviewer = person(CITY, "clerk"), person(CITY, "reviewer")
        self.counties = {c: person(f"jincheng.{c}-office", "clerk") for c in COUNTIES}

    def receive(self, week: str, *items: str, counties: tuple[str, ...] = COUNTIES, accept: bool = True) -> None:
        """The counties file their forms of a week, and the city accepts them."""
        self.clock.set(datetime.fromisoformat(f"{week}T10:00").replace(tzinfo=BEIJING))
        for county in counties:
            for item in items:
                filed = self.file(county, week, item)
                if accept:
                    self.accept(filed)

    def file(self, county: str, week: str, item: str = WEEKLY, **more: Any) -> dict[str, Any]:
        """A county files the scenario's file of a week."""
        answer = self.counties[county].file(scenario_file(week, county, KINDS[item]), item, week, reason=REASON, **more)
        assert 201 == answer.status_code, answer.text
        return dict(answer.json())

    def correct(self, county: str, week: str, filed: dict[str, Any], **values: Any) -> dict[str, Any]:
        """A county files another revision with other numbers."""
        body = json.loads(json.dumps(filed["body"]))
        for path, value in values.items():
            *way, last = path.split("__")
            inner = body["values"]
            for name in way:
                inner = inner[name]
            inner[last] = value
        told = {
            "message_id": f"m-{uuid4().hex}", "item": filed["item"], "period": week, "reason": REASON,
            "supersedes": filed["payload_hash"], "body": body,
        }  # fmt: skip
        answer = self.counties[county].post("/submissions", json=told)
        assert 201 == answer.status_code, answer.text
        return dict(answer.json())

    def accept(self, filed: dict[str, Any]) -> dict[str, Any]:
        answer = self.reviewer.post(f"/submissions/{filed['uid']}/accept", seen=filed["etag"], json={})
        assert 200 == answer.status_code, answer.text
        return dict(answer.json())

    def give_back(self, filed: dict[str, Any]) -> None:
        told = {"reasons": [{"where": "C6", "text": "请核对"}]}
        answer = self.reviewer.post(f"/submissions/{filed['uid']}/return", seen=filed["etag"], json=told)
        assert 200 == answer.status_code, answer.text

    def roll_up(self, week: str, item: str = WEEKLY, *, own: bool = False, **more: Any) -> dict[str, Any]:
        """The city makes its form, with its own part if asked."""
        answer = self.clerk.post("/rollups", json={"item": item, "period": week, **more})
        assert 201 == answer.status_code, answer.text
        made = dict(answer.json())
        return self.change(made, "PUT", "own", json=own_part(week)) if own else made

    def change(self, made: dict[str, Any], method: str, what: str, **more: Any) -> dict[str, Any]:
        answer = self.clerk.send(method, f"/rollups/{made['uid']}/{what}", seen=made["etag"], **more)
        assert 200 == answer.status_code, answer.text
        return dict(answer.json())

    def file_upward(self, made: dict[str, Any], **more: Any) -> dict[str, Any]:
        told = {"message_id": f"m-{uuid4().hex}", "reason": REASON, **more}
        return self.change(made, "POST", "file", json=told)

    def look(self, made: dict[str, Any]) -> dict[str, Any]:
        return dict(self.clerk.get(f"/rollups/{made['uid']}").json())


def own_part(week: str) -> dict[str, Any]:
    name = f"city_own_{week}.json"
    return {"body": json.loads((SCENARIO / name).read_text("utf-8")), "file": name}


def value(made: dict[str, Any], path: str) -> Any:
    return next(n["value"] for n in made["numbers"] if n["path"] == path)
