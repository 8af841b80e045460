"""The world of the server's tests: units, people, a clock that stands, the files of the scenario."""

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from fastapi.testclient import TestClient
from sqlalchemy import func, select

from gmsafety.duties import BEIJING
from gmsafety_server.clock import Clock
from gmsafety_server.node import Node
from gmsafety_server.tables import metadata

SCENARIO = Path(__file__).parents[2] / "examples" / "first-friday"
FRIDAY = datetime(2024, 12, 27, 11, 0, tzinfo=BEIJING)
ZEZHOU, GAOPING, CITY, PROVINCE = (
    "jincheng.zezhou-office",
    "jincheng.gaoping-office",
    "shanxi.jincheng-office",
    "shanxi.shanxi-office",
)
OTHER_CITY = "shanxi.changzhi-office"
PASSWORD = "correct horse battery"


class StandingClock(Clock):
    """A clock that stands until it is set."""

    def __init__(self, moment: datetime = FRIDAY) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment.astimezone(UTC)

    def set(self, moment: datetime) -> None:
        self.moment = moment


@dataclass
class Person:
    """Somebody with an account, who speaks to the interface with a token."""

    http: TestClient
    user_id: int
    login: str
    token: str
    unit: str
    headers: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.headers = {"Authorization": f"Bearer {self.token}"}

    def get(self, path: str, **more: Any) -> Any:
        return self.http.get(f"/api/v1{path}", headers=self.headers, **more)

    def send(self, method: str, path: str, *, seen: int | None = None, **more: Any) -> Any:
        headers = self.headers | ({"If-Match": f'"{seen}"'} if seen is not None else {})
        return self.http.request(method, f"/api/v1{path}", headers=headers, **more)

    def post(self, path: str, **more: Any) -> Any:
        return self.send("POST", path, **more)

    def file(self, path: Path, item: str, period: str, **more: Any) -> Any:
        """File a workbook or a document."""
        told = {"message_id": f"m-{uuid4().hex}", "item": item, "period": period, **more}
        return self.post("/submissions/files", data=told, files={"file": (path.name, path.read_bytes())})


def counts(node: Node) -> dict[str, int]:
    """How many rows every table has that a filing may touch."""
    apart = ("audit", "seals", "sessions")
    with node.db.read() as tx:
        tables = [t for t in metadata.sorted_tables if t.name not in apart]
        return {t.name: tx.execute(select(func.count()).select_from(t)).scalar_one() for t in tables}


def scenario_file(week: str, county: str, kind: str) -> Path:
    """A county's file of a week: `scenario_file("2024-12-27", "zezhou", "weekly")`."""
    return next((SCENARIO / week).glob(f"{county}_{kind}.[xd]*[xc]"))


def received(week: str, area: str) -> datetime:
    """When the scenario says that an area's files came in."""
    told = json.loads((SCENARIO / "received.json").read_text("utf-8"))["received"]
    return datetime.fromisoformat(told[f"{week}/{area}"])


def day(text: str) -> date:
    return date.fromisoformat(text)
