"""The board of a province beside an empty page: 1,500 units and 15 weeks, page and interface, over HTTP."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

from measure import Figure, Goal, alternate, figure, ratios
from sqlalchemy import insert, select, update

from gmsafety import load_catalog
from gmsafety_server import audit, auth
from gmsafety_server.db import Database
from gmsafety_server.tables import AnyRow, slots, submissions, users

from . import world
from .boarded import EMPTY
from .filing import COUNTIES, NAMES, databases
from .load import Line, get, wait_for
from .processes import environment_of, uvicorn
from .stored import file_all

LOOKS = 15
_WEEKS = f"campaign={world.CAMPAIGN}&item={world.WEEKLY}&from={world.FRIDAYS[0]}&to={world.FRIDAYS[-1]}"
_STATES = ("accepted",) * 6 + ("submitted", "submitted", "returned", "open")


def board_figures(folder: Path, rounds: int) -> list[Figure]:
    """Measure the board on both databases."""
    catalog = load_catalog()
    found = []
    for kind in NAMES:
        place = folder / f"board-{kind}"
        place.mkdir()
        with databases(kind, place) as made:
            world.build(made.node, COUNTIES, catalog=catalog)
            db = Database(made.node)
            sample = world.sample_body(catalog)
            with db.write() as tx:
                file_all(tx, world.WEEKLY, lambda slot, s=sample: s, _state)
            session, token = enter_reader(db, world.PROVINCE)
            with uvicorn("serving.boarded:app", 1, **environment_of(made.node)) as port:
                found += _looked(db, kind, Line(port), (session, token), rounds)
            db.close()
    return found


def _state(slot: AnyRow) -> str:
    """Most are accepted; some wait, some were returned, some are missing."""
    return _STATES[(slot.id * 7919) % len(_STATES)]


def enter_reader(db: Database, unit: str) -> tuple[str, str]:
    """Somebody of a unit, who looks: the secrets of a session and of a token."""
    now = datetime.now(UTC)
    values: dict[str, Any] = {"login": "reader", "name": "某某", "unit": unit, "roles": ["leader"]}
    rest = {"password": "-", "must_change": False, "failures": 0, "created_at": now, "changed_at": now}
    with db.write() as tx:
        number = tx.execute(insert(users).values(**values, **rest).returning(users.c.id)).scalar_one()
        session = auth.open_session(tx, number, now, hours=24, agent="benchmark")
        over = now + timedelta(days=1)
        _, token = auth.new_token(tx, number, "benchmark", scopes=["read"], now=now, expires_at=over)
    return session, token


def _looked(db: Database, kind: str, line: Line, who: tuple[str, str], rounds: int) -> list[Figure]:
    session, token = who
    turns = count()
    page, told = get(f"/board?{_WEEKS}", session=session), get(f"/api/v1/board?{_WEEKS}", token=token)

    def looking(request: bytes, *, changed: bool) -> Callable[[], float]:
        def look() -> float:
            taken = []
            for _ in range(LOOKS):
                if changed:
                    _change(db, next(turns))
                taken.append(wait_for(line, request))
            return median(taken) * 1e3

        return look

    measures = [
        looking(get(EMPTY, session=session), changed=False),
        *(looking(request, changed=changed) for request in (page, told) for changed in (False, True)),
    ]
    empty, *others = alternate(measures, rounds=rounds)
    where = f"{NAMES[kind]}, board of {COUNTIES:,} units × {len(world.FRIDAYS)} weeks"
    first = "the first look after something was filed ÷ empty page"
    names = {
        "page": (f"{where}: page ÷ empty page", Goal(3)),
        "page-first": (f"– page, {first}", None),
        "api": (f"{where}: API ÷ empty page", Goal(3)),
        "api-first": (f"– API, {first}", None),
    }
    return [
        *(
            figure(f"board-{kind}-{name}", ratios(values, empty), "×", what, goal=goal)
            for (name, (what, goal)), values in zip(names.items(), others, strict=True)
        ),
        figure(f"board-{kind}-ms", others[0], "ms", "– page"),
        figure(f"board-{kind}-empty", empty, "ms", "– empty page: log-in, layout, navigation"),
    ]


def _change(db: Database, turn: int) -> None:
    """A decision on one submission, each time another one: what was counted holds no more."""
    known = slots.join(submissions, submissions.c.id == slots.c.submission_id)
    columns = (slots.c.id, slots.c.state, slots.c.path, submissions.c.uid)
    with db.write() as tx:
        filed = select(*columns).select_from(known).where(slots.c.id > turn * 7919 % 20_000).order_by(slots.c.id)
        slot = tx.execute(filed.limit(1)).one()
        state = "returned" if slot.state == "accepted" else "accepted"
        tx.execute(update(slots).where(slots.c.id == slot.id).values(state=state))
        audit.record(tx, datetime.now(UTC), "benchmark", f"submission.{state}", slot.uid, path=slot.path)
