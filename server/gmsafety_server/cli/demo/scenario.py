"""What is played: the files of the example, in the order and at the moments in which they came in."""

import json
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path

from gmsafety.duties import BEIJING

from ..opening import NotReady

TABLE, LEDGER = "shanxi.weekly-dispatch", "shanxi.major-hazard-ledger"
FORMS = {LEDGER: "重大事故隐患台账", TABLE: "周调度统计表"}
"""Both forms of a week in the order in which they are filed: the table is checked against the ledger."""

_FILES = Path("examples") / "first-friday"
_CHECKOUT = Path(__file__).parents[4]


@dataclass(frozen=True, slots=True)
class County:
    """A county of the scenario; `login` is how its files and its account are called."""

    login: str
    area: str

    @property
    def unit(self) -> str:
        """The unit that files."""
        return f"jincheng.{self.login}-office"


COUNTIES = tuple(
    County(*words)
    for words in (
        ("chengqu", "城区"), ("qinshui", "沁水县"), ("yangcheng", "阳城县"),
        ("lingchuan", "陵川县"), ("zezhou", "泽州县"), ("gaoping", "高平市"),
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Arrival:
    """A county's pair of files of a week, and when it came in."""

    county: County
    week: date
    moment: datetime
    files: dict[str, Path]


@dataclass(frozen=True)
class Scenario:
    """Three weeks of six counties."""

    folder: Path
    due: dict[date, datetime]
    arrivals: tuple[Arrival, ...]

    @property
    def ends(self) -> datetime:
        """The moment at which everything has happened."""
        return at(max(self.due), 17)

    def week(self, day: date) -> list[Arrival]:
        """What came in for a week, in order of time."""
        return [a for a in self.arrivals if a.week == day]

    def own(self, day: date) -> Path:
        """The city's own part of a week."""
        return self.folder / f"city_own_{day}.json"


def read_scenario() -> Scenario:
    """The scenario of the checkout that this program runs from, or is run in."""
    folder = next((f for f in (_CHECKOUT / _FILES, Path.cwd() / _FILES) if (f / "received.json").is_file()), None)
    if folder is None:
        raise NotReady(f"没有找到演示用的文件 {_FILES.as_posix()}；请在源代码的文件夹里运行 gmsafety demo")
    told = json.loads((folder / "received.json").read_text("utf-8"))
    due = {date.fromisoformat(week): datetime.fromisoformat(moment) for week, moment in told["due"].items()}
    came = {name: datetime.fromisoformat(moment) for name, moment in told["received"].items()}
    arrivals = [
        Arrival(county, week, came[f"{week}/{county.area}"], _files(folder, week, county))
        for week in due
        for county in COUNTIES
    ]
    return Scenario(folder, due, tuple(sorted(arrivals, key=lambda a: a.moment)))


def _files(folder: Path, week: date, county: County) -> dict[str, Path]:
    found = {}
    for form, kind in ((LEDGER, "ledger"), (TABLE, "weekly")):
        paths = [p for p in (folder / str(week)).glob(f"{county.login}_{kind}.*") if p.suffix in (".xlsx", ".docx")]
        found[form] = paths[0]
    return found


def at(day: date, hour: int, minute: int = 0) -> datetime:
    """A time of day in China."""
    return datetime.combine(day, time(hour, minute), BEIJING)
