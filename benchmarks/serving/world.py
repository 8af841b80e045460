"""A province with as many counties as asked for; each has a clerk with a token, and all its slots are planned."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, select

from gmsafety import Catalog, load_catalog
from gmsafety.exchange.canonical import digest
from gmsafety.forms import read
from gmsafety.forms.schema import to_json
from gmsafety_server import planning
from gmsafety_server.db import Database
from gmsafety_server.migrations import upgrade
from gmsafety_server.node import open_node
from gmsafety_server.settings import Settings
from gmsafety_server.tables import assignments, tokens, unit_changes, units, users

ROOT = Path(__file__).parents[2]
WEEKLY = "shanxi.weekly-dispatch"
CAMPAIGN = "jincheng.gongmao-2024"
PROVINCE = "shanxi.shanxi-office"
COUNTIES_OF_A_CITY = 150
FRIDAYS = tuple(date(2024, 12, 20) + timedelta(weeks=n) for n in range(15))
BEGINNING = date(2000, 1, 1)
SAMPLE = ROOT / "examples/first-friday/2024-12-27/zezhou_weekly.xlsx"
_AREAS = ("140502", "140521", "140522", "140524", "140525", "140581")
LATE_DAYS = 100_000  # the weeks of the campaign are over; the server's own clock is measured all the same


@dataclass(frozen=True, slots=True)
class County:
    """A county of the benchmark and the token of its clerk."""

    number: int

    @property
    def ref(self) -> str:
        """Its reference; of no plugin, for an administrator has set it up."""
        return f"bench.county-{self.number:05d}"

    @property
    def city(self) -> str:
        """The city above it."""
        return f"bench.city-{self.number // COUNTIES_OF_A_CITY:03d}"

    @property
    def name(self) -> str:
        """Its name, unlike every other."""
        return f"示范{self.number:05d}县应急管理局"

    @property
    def token(self) -> str:
        """The secret of its clerk."""
        return f"gms_benchmark-{self.number:05d}-token-of-no-other-use"


def counties(count: int) -> tuple[County, ...]:
    """The first counties."""
    return tuple(County(n) for n in range(count))


def settings_of(address: str, **more: Any) -> Settings:
    """Settings of a node that takes forms of the winter of 2024."""
    return Settings(database=address, node="bench", late_days=LATE_DAYS, **more)


def build(address: str, count: int, *, catalog: Catalog | None = None) -> None:
    """Make a database with this many counties, their clerks, and the slots of all weeks."""
    catalog = catalog or load_catalog()
    db = Database(address)
    upgrade(db)
    db.close()
    node = open_node(settings_of(address), catalog=catalog)
    now = node.clock.now()
    with node.db.write() as tx:
        change = _set_up(tx, count, now)
        _assign(tx, count, change)
        planning.plan(tx, catalog, after=None, only={c.ref for c in counties(count)})
    with node.db.write() as tx:
        _give_tokens(tx, count, now)
    node.db.close()


def _set_up(tx: Connection, count: int, now: datetime) -> int:
    change = {"kind": "open", "day": BEGINNING, "units": [], "reason": "benchmark", "at": now}
    number: int = tx.execute(insert(unit_changes).values(change).returning(unit_changes.c.id)).scalar_one()
    above = tx.execute(select(units.c.path).where(units.c.ref == PROVINCE)).scalar_one()
    same = {"aliases": [], "since": BEGINNING, "until": None, "change_id": number}
    upper = {"level": "city", "role": "city-office", "area": "140500", "parent": PROVINCE, **same}
    lower = {"level": "county", "role": "county-office", **same}
    cities = [
        {"ref": ref, "name": f"示范{ref[-3:]}市应急管理局", "path": f"{above}{ref}/", **upper}
        for ref in dict.fromkeys(c.city for c in counties(count))
    ]
    rows = [
        {
            "ref": c.ref, "name": c.name, "area": _AREAS[c.number % len(_AREAS)], "parent": c.city,
            "path": f"{above}{c.city}/{c.ref}/", **lower,
        }
        for c in counties(count)
    ]  # fmt: skip
    tx.execute(insert(units), [*cities, *rows])
    return number


def _assign(tx: Connection, count: int, change: int) -> None:
    same = {"campaign": CAMPAIGN, "duty": "weekly-forms", "by_hand": True, "since": BEGINNING, "until": None}
    tx.execute(insert(assignments), [{"unit": c.ref, "change_id": change, **same} for c in counties(count)])


def _give_tokens(tx: Connection, count: int, now: datetime) -> None:
    same = {"roles": ["clerk"], "password": "-", "must_change": False, "failures": 0}
    rows = [
        {"login": f"clerk{c.number:05d}", "name": "某某", "unit": c.ref, "created_at": now, "changed_at": now, **same}
        for c in counties(count)
    ]
    tx.execute(insert(users), rows)
    known = {row.unit: row.id for row in tx.execute(select(users.c.id, users.c.unit))}
    over = datetime(2100, 1, 1, tzinfo=UTC)
    given = [
        {
            "hash": digest(c.token.encode()), "user_id": known[c.ref], "name": "benchmark", "hint": c.token[:9],
            "scopes": ["read", "file"], "created_at": now, "expires_at": over,
        }
        for c in counties(count)
    ]  # fmt: skip
    tx.execute(insert(tokens), given)


def sample_body(catalog: Catalog) -> dict[str, Any]:
    """The body of a county's weekly table that is known to be clean."""
    record = read(SAMPLE, catalog).record
    if record is None:
        raise RuntimeError(f"{SAMPLE.name} cannot be read")
    return to_json(record)


def body_of(sample: Mapping[str, Any], county: County, period: date) -> dict[str, Any]:
    """The table of a county and a week: the sample's, with this county's name and day, and numbers of its own."""
    body = deepcopy(dict(sample))
    body["header"] = {"unit": county.name, "date": period.isoformat()}
    body["values"]["deployment"]["city"] = county.name.removesuffix("应急管理局")
    body["values"]["self"]["plans"] += county.number % 7
    return body


def in_turn(count: int) -> Iterator[tuple[County, date]]:
    """Every county and week, week by week, as forms come in."""
    return ((county, friday) for friday in FRIDAYS for county in counties(count))
