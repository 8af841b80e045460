"""A year of a country: 41,000 units × 52 weeks counted per unit and state, and the first page of their list."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from measure import Figure, Goal, alternate, figure, ratios, seconds
from sqlalchemy import func, insert, select, update

from gmsafety import load_catalog
from gmsafety.duties import BEIJING, Recurring
from gmsafety_server import audit
from gmsafety_server.db import Database
from gmsafety_server.features.board import unit_rows
from gmsafety_server.features.board.repository import Reach
from gmsafety_server.features.board.tallies import Counts
from gmsafety_server.scope import within
from gmsafety_server.tables import slots, submissions

from . import country, world
from .board import enter_reader
from .boarded import EMPTY
from .filing import NAMES, databases
from .load import Line, get, wait_for
from .processes import environment_of, uvicorn
from .stored import submission_of

SLOTS = country.UNITS * country.WEEKS
WHERE = f"{country.UNITS:,} units × {country.WEEKS} weeks"


def year_figures(folder: Path, rounds: int) -> list[Figure]:
    """Measure on both databases."""
    catalog, found = load_catalog(), []
    for kind in NAMES:
        place = folder / f"year-{kind}"
        place.mkdir()
        with databases(kind, place) as made:
            world.build(made.node, 1, catalog=catalog)
            today = datetime.now(BEIJING).date()
            country.settle(made.node, today)
            db = Database(made.node)
            found += _counted(db, kind, rounds)
            who = enter_reader(db, country.TOP)
            weeks = ",".join(f"{day}" for day in _span())
            with uvicorn("serving.boarded:app", 1, BENCH_WEEKS=weeks, **environment_of(made.node)) as port:
                found += _listed(db, kind, Line(port), who, rounds)
            db.close()
        for file in place.glob("*.db*"):
            file.unlink()
    return found


def _counted(db: Database, kind: str, rounds: int) -> list[Figure]:
    """The counts by themselves, beside a bare count of the same rows."""
    reach = Reach(within(slots.c.path, f"/{country.TOP}/"), world.CAMPAIGN, world.WEEKLY, *_span())
    bare = select(func.count()).where(reach.condition)

    def ours() -> None:
        with db.read() as tx:
            made = unit_rows.counts(tx, reach, datetime.now(UTC))
        every = Counts.sum(made.values())
        if (len(made), every.expected + every.not_due) != (country.UNITS, SLOTS) or 0 in every:
            raise RuntimeError(f"{len(made)} units: {every}")

    def theirs() -> None:
        with db.read() as tx:
            if (number := tx.execute(bare).scalar_one()) != SLOTS:
                raise RuntimeError(f"{number} slots")

    counted, plain = alternate([lambda: seconds(ours), lambda: seconds(theirs)], rounds=rounds)
    return [
        figure(f"year-{kind}-counts", counted, "s", f"{NAMES[kind]}, {WHERE}: counts per unit and state", goal=Goal(2)),
        figure(f"year-{kind}-counts-ratio", ratios(counted, plain), "×", "– counts ÷ SELECT count(*) of the same rows"),
        figure(f"year-{kind}-bare", plain, "s", "– SELECT count(*)"),
    ]


def _listed(db: Database, kind: str, line: Line, who: tuple[str, str], rounds: int) -> list[Figure]:
    session, token = who
    turns = count()

    def page(**more: str) -> bytes:
        return get(f"/board/units?{_query(**more)}", session=session)

    _holds_all(line, page())

    def anew(ask: Callable[[date], bytes]) -> Callable[[], float]:
        """From an earlier day each time: no two are the same question, and the rows are."""
        return lambda: wait_for(line, ask(_span()[0] - timedelta(days=next(turns))))

    def after_filing() -> float:
        _change(db, next(turns))
        return wait_for(line, page())

    first, told, again, sorted_, filed, empty = alternate(
        [
            anew(lambda day: page(**{"from": f"{day}"})),
            anew(lambda day: get(f"/api/v1/board/units?{_query(**{'from': f'{day}'})}", token=token)),
            lambda: wait_for(line, page()),
            lambda: wait_for(line, page(state="missing", sort="missing", q=f"{next(turns)}")),
            after_filing,
            lambda: wait_for(line, get(EMPTY, session=session)),
        ],
        rounds=rounds,
    )
    where = f"{NAMES[kind]}, {WHERE}: first page of the list, nothing remembered"
    milliseconds = [[s * 1e3 for s in some] for some in (again, sorted_, filed)]
    return [
        figure(f"year-{kind}-page", first, "s", where, goal=Goal(2)),
        figure(f"year-{kind}-api", told, "s", "– the same, API"),
        figure(f"year-{kind}-again", milliseconds[0], "ms", "– the same page again"),
        figure(f"year-{kind}-again-ratio", ratios(again, empty), "×", "– the same page again ÷ empty page"),
        figure(f"year-{kind}-narrowed", milliseconds[1], "ms", "– another question: the missing, most first, by name"),
        figure(f"year-{kind}-filed", milliseconds[2], "ms", "– the first look after something was filed"),
    ]


def _holds_all(line: Line, request: bytes) -> None:
    """RuntimeError where the page is not about every unit: a fast wrong answer is no figure."""
    wait_for(line, request)
    if f"（所列 {country.UNITS} 个单位）" not in line.taken.decode():
        raise RuntimeError("the page does not list every unit")


def _span() -> tuple[date, date]:
    days = country.fridays(datetime.now(BEIJING).date())
    return days[0], days[-1]


def _query(**more: str) -> str:
    first, last = _span()
    told = {"campaign": world.CAMPAIGN, "item": world.WEEKLY, "from": f"{first}", "to": f"{last}", **more}
    return "&".join(f"{name}={value}" for name, value in told.items())


def _change(db: Database, turn: int) -> None:
    """A unit files what was missing, each time another one."""
    missing = select(slots).where(slots.c.unit.startswith("bench.t"), slots.c.state == "open")
    with db.write() as tx:
        slot = tx.execute(missing.where(slots.c.id > turn * 7919).order_by(slots.c.id).limit(1)).one()
        row: dict[str, Any] = submission_of(slot, {}, "submitted", 1)
        number = tx.execute(insert(submissions).values(row).returning(submissions.c.id)).scalar_one()
        told = {"state": "submitted", "received_at": row["received_at"], "submission_id": number, "revision": 1}
        tx.execute(update(slots).where(slots.c.id == slot.id).values(told))
        audit.record(tx, datetime.now(UTC), "benchmark", "submission.submitted", row["uid"], path=slot.path)


def sharing_figures(rounds: int) -> list[Figure]:
    """The library alone: the weeks of a year computed once for each role and shared, beside once for each unit."""
    catalog = load_catalog()
    first, last = _span()
    found = next(d for d in catalog.campaigns[world.CAMPAIGN].duties if isinstance(d, Recurring))
    duty = found.model_copy(update={"first": first, "last": last})
    roles = [("county", "township")[n >= country.COUNTIES] for n in range(country.UNITS)]
    few = country.UNITS // 100

    def shared() -> None:
        year = {role: tuple(duty.occurrences(catalog.calendar)) for role in dict.fromkeys(roles)}
        owed = [year[role] for role in roles]
        if sum(map(len, owed)) != SLOTS:
            raise RuntimeError(f"{sum(map(len, owed))} occurrences")

    def each() -> None:
        if sum(len(tuple(duty.occurrences(catalog.calendar))) for _ in roles[:few]) * 100 != SLOTS:
            raise RuntimeError("other occurrences")

    once, anew = alternate([lambda: seconds(shared), lambda: seconds(each)], rounds=rounds)
    return [
        figure("year-shared", [s * 1e3 for s in once], "ms", f"{WHERE}: occurrences, once per role and shared"),
        figure("year-each", [s * 1e3 / few for s in anew], "ms", "– occurrences of one unit's year, computed anew"),
    ]
