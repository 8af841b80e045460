"""People at the nodes of the proof: clerks who file and correct, a clerk who rolls up, reviewers who decide.

Each goes on until it is over, and says nothing that could be strange: what was not answered is sent again as it was.
"""

from abc import ABC, abstractmethod
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from threading import Event
from typing import Any
from uuid import uuid4

import httpx2

from burst import FIRST, TIMEOUT, WEEKLY, WEEKS, Clerk, Message, enlist
from gmsafety_server.db import Database
from real_nodes import Site

LEDGER = "shanxi.major-hazard-ledger"
_FORESEEN = (200, 201, 404, 409, 412, 422, 503)
Pace = tuple[float, float]


class Filer(Clerk):
    """A clerk of a county who sends each message until it is answered."""

    def __init__(self, site: Site, seed: str, pace: Pace) -> None:
        db = Database(site.server.environment["GMSAFETY_DATABASE"])
        super().__init__(site.name, enlist(db, site.station.unit, "clerk"), site.server)
        db.close()
        self.again_sent, self.chance, self.pace = 0, Random(f"{seed}/{site.name}/clerk"), pace

    def run(self, over: Event) -> None:
        """File until it is over; the last message, too, is answered before this ends."""
        with self.client as client:
            while not over.is_set():
                over.wait(self.chance.uniform(*self.pace))
                self.patiently(client, self.next())
            self.patiently(client, self.next())

    def patiently(self, client: httpx2.Client, message: Message) -> None:
        """Send a message until it is answered."""
        while not self.strange and not self.file(client, message):
            self.again_sent += 1
            Event().wait(0.2)


class NilFiler(Filer):
    """A clerk of the city, who has nothing to list, and says so again and again."""

    def __post_init__(self) -> None:
        pass  # no files are needed

    def next(self) -> Message:
        """The next revision of the next week."""
        period = (FIRST + timedelta(days=7 * (len(self.messages) % WEEKS))).isoformat()
        told = {"message_id": f"{self.county}-{uuid4().hex}", "item": LEDGER, "period": period, "nil": True}
        told["reason"] = f"第{len(self.messages)}次核对，本周没有"
        if period in self.current:
            told |= {"supersedes": self.current[period], "note": "更正"}
        self.messages.append(Message(told, None))
        return self.messages[-1]


@dataclass
class Visitor(ABC):
    """Somebody who asks and tells the server of a node; where nobody answers, they come back later."""

    site: Site
    role: str
    seed: str
    pace: Pace
    answers: Counter[str] = field(default_factory=Counter)
    strange: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        db = Database(self.site.server.environment["GMSAFETY_DATABASE"])
        self._headers = {"Authorization": f"Bearer {enlist(db, self.site.station.unit, self.role)}"}
        db.close()
        self.chance = Random(f"{self.seed}/{self.site.name}/{self.role}")

    def run(self, over: Event) -> None:
        """Go on until it is over."""
        base = f"{self.site.server.address}/api/v1"
        with httpx2.Client(base_url=base, headers=self._headers, timeout=TIMEOUT, trust_env=False) as client:
            while not over.is_set():
                over.wait(self.chance.uniform(*self.pace))
                try:
                    self.once(client)
                except httpx2.HTTPError:
                    over.wait(0.2)

    @abstractmethod
    def once(self, client: httpx2.Client) -> None:
        """Do one thing."""

    def told(self, answer: httpx2.Response) -> dict[str, Any] | None:
        """What was answered; None where it was not what was asked for."""
        self.answers[f"{answer.request.method} {answer.status_code}"] += 1
        if answer.status_code not in _FORESEEN:
            self.strange.append(
                f"{answer.request.method} {answer.request.url} {answer.status_code} {answer.text[:300]}"
            )
        return dict(answer.json()) if answer.status_code < 300 else None


class Reviewer(Visitor):
    """Accepts, returns with a reason, takes an acceptance back."""

    def once(self, client: httpx2.Client) -> None:
        """Decide on one of the submissions that wait, or on one that was accepted."""
        state = self.chance.choice(("submitted", "submitted", "accepted"))
        found = self.told(client.get("/submissions", params={"state": state, "size": 20}))
        below = [i for i in (found or {"items": []})["items"] if i["unit"] != self.site.station.unit]
        if not below:
            return
        item = self.chance.choice(below)
        what, told = self._decision(state)
        seen = {"If-Match": f'"{item["etag"]}"'}
        self.told(client.post(f"/submissions/{item['uid']}/{what}", json=told, headers=seen))

    def _decision(self, state: str) -> tuple[str, dict[str, Any]]:
        if state == "accepted":
            return "reopen", {"note": "再核对"}
        if self.chance.random() < 0.5:
            return "accept", {}
        return "return", {"reasons": [{"where": "C6", "text": "请核对"}]}


class Roller(Visitor):
    """A clerk of the city who makes the city's form of those below, and files it upward again and again."""

    def once(self, client: httpx2.Client) -> None:
        """Roll one week up, and file it; where the province has returned it, after rolling it up anew."""
        period = (FIRST + timedelta(days=7 * self.chance.randrange(WEEKS))).isoformat()
        made = self.told(client.post("/rollups", json={"item": WEEKLY, "period": period}))
        if made is None:
            return
        filed = made["submission"]
        if filed is not None and filed["state"] != "returned":
            return
        if filed is not None:
            made = self._change(client, made, "refresh")
        if made is not None:
            self._change(client, made, "file", json={"message_id": f"r-{uuid4().hex}", "reason": "已核实"})

    def _change(self, client: httpx2.Client, made: dict[str, Any], what: str, **more: Any) -> dict[str, Any] | None:
        seen = {"If-Match": f'"{made["etag"]}"'}
        return self.told(client.post(f"/rollups/{made['uid']}/{what}", headers=seen, **more))
