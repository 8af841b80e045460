"""Sums over the whole tree, made by the database, are those that Python makes of the same forms."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, insert, select

from gmsafety import Catalog
from gmsafety.codes import Level
from gmsafety.rules import nest
from gmsafety_server.features.rollups.totals import ROWS, Question, Total, folded, summed_paths, totals
from gmsafety_server.node import Node
from gmsafety_server.scope import within
from gmsafety_server.tables import slots, submissions, unit_changes, units
from world import CITY, PROVINCE, ZEZHOU, Person, scenario_file

WEEKLY, LEDGER = "shanxi.weekly-dispatch", "shanxi.major-hazard-ledger"
DAY, NOW = date(2024, 12, 27), datetime(2024, 12, 27, 4, tzinfo=UTC)
PATHS = ("self.plans", "self.major.found", "penalty.fine")
COUNTIES = [f"/p/c{n % 3}/k{n}/" for n in range(5)]
MakePerson = Callable[..., Person]

numbers = st.one_of(st.none(), st.integers(0, 10**12))
tables = st.lists(
    st.fixed_dictionaries({
        "county": st.integers(0, len(COUNTIES) - 1),
        "state": st.sampled_from(["open", "submitted", "accepted", "returned"]),
        "nil": st.booleans(),
        "values": st.fixed_dictionaries({"self.plans": numbers, "self.major.found": numbers})
        .flatmap(lambda v: st.one_of(st.none(), st.integers(0, 10**14).map(lambda n: n / 100)).map(lambda f: {**v, "penalty.fine": f})),
    }),
    max_size=25,
)  # fmt: skip


class Undone(Exception):
    """Ends a transaction that nothing is kept of."""


@contextmanager
def nothing_kept(node: Node) -> Iterator[Connection]:
    try:
        with node.db.write() as tx:
            yield tx
            raise Undone
    except Undone:
        pass


def enter(tx: Connection, user: int, told: list[dict[str, Any]], *, period: date = DAY) -> None:
    """Townships of five counties in three cities, each with its table."""
    change = {"kind": "seed", "day": date(2000, 1, 1), "units": [], "reason": "x", "at": NOW}
    number = tx.execute(insert(unit_changes).values(change).returning(unit_changes.c.id)).scalar_one()
    for index, table in enumerate(told):
        ref, path = f"t{index}", f"{COUNTIES[table['county']]}t{index}/"
        dated = {"since": date(2000, 1, 1), "until": None, "change_id": number}
        unit = {"ref": ref, "name": ref, "area": "140525", "level": "township", "role": "town", "parent": "x"}
        tx.execute(insert(units).values(**unit, aliases=[], path=path, **dated))
        same = {"campaign": "x.y", "item": WEEKLY, "period": period, "unit": ref, "nil": table["nil"], "revision": 1}
        slot = {**same, "duty": "d", "kind": "form", "opens": period, "due_at": NOW, "area": "140525", "upper": "x"}
        made = insert(slots).values(**slot, path=path, state=table["state"], submission_id=None, received_at=NOW)
        key = tx.execute(made.returning(slots.c.id)).scalar_one()
        if table["state"] == "open":
            continue
        body = {"form": WEEKLY, "values": nest({**table["values"], "publicity.text": "文字"})}
        rest = {"uid": f"u{index}", "sender": ref, "message_id": f"m{index}", "message_hash": "x", "payload_hash": "x"}
        times = {"created_at": NOW, "changed_at": NOW, "received_at": NOW, "created_by": user, "etag": 1, "test": False}
        values = {**same, **rest, **times, "slot_id": key, "state": table["state"], "body": body, "findings": []}
        filed = tx.execute(insert(submissions).values(values).returning(submissions.c.id)).scalar_one()
        tx.execute(slots.update().where(slots.c.id == key).values(submission_id=filed))


def added(told: list[dict[str, Any]], depth: int, states: tuple[str, ...]) -> list[Total]:
    """The same in Python."""
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for index, table in enumerate(told):
        if table["state"] in states:
            parts = [*COUNTIES[table["county"]].strip("/").split("/"), f"t{index}"]
            groups[f"/{'/'.join(parts[:depth])}/"].append(table)
    return [
        Total(path, len(some), sum(t["nil"] for t in some), tuple(total(some, p) for p in PATHS))
        for path, some in sorted(groups.items())
    ]


def total(some: list[dict[str, Any]], path: str) -> Decimal | None:
    found = [Decimal(str(t["values"][path])) for t in some if t["values"][path] is not None]
    return round(sum(found, Decimal(0)), 2) if found else None


def test_totals_are_the_sums(node: Node, person: MakePerson) -> None:
    user = person(PROVINCE, "clerk").user_id

    @settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
    @given(tables, st.integers(1, 5), st.sampled_from(["accepted", "submitted"]))
    def check(told: list[dict[str, Any]], depth: int, basis: str) -> None:
        states = ("accepted",) if basis == "accepted" else ("submitted", "accepted")
        with nothing_kept(node) as tx:
            enter(tx, user, told)
            asked = Question(WEEKLY, PATHS, DAY, depth, basis=basis, level=Level.TOWNSHIP)

            assert added(told, depth, states) == totals(tx, asked)

    check()


def test_what_is_not_asked_for_does_not_count(node: Node, person: MakePerson) -> None:
    user = person(PROVINCE, "clerk").user_id
    values = dict.fromkeys(PATHS, 1)
    told = [{"county": n, "state": "accepted", "nil": False, "values": values} for n in range(5)]
    questions = {
        "all": Question(WEEKLY, PATHS, DAY, 1),
        "one city": Question(WEEKLY, PATHS, DAY, 2, within=within(slots.c.path, "/p/c0/")),
        "another level": Question(WEEKLY, PATHS, DAY, 1, level=Level.COUNTY),
        "another form": Question(LEDGER, PATHS, DAY, 1),
        "another period": Question(WEEKLY, PATHS, date(2025, 1, 3), 1),
        "another campaign": Question(WEEKLY, PATHS, DAY, 1, campaign="x.z"),
    }
    with nothing_kept(node) as tx:
        enter(tx, user, told)
        counts = {name: [(t.path, t.reporting) for t in totals(tx, asked)] for name, asked in questions.items()}

    nothing: list[tuple[str, int]] = []
    assert {
        "all": [("/p/", 5)],
        "one city": [("/p/c0/", 2)],
        "another level": nothing,
        "another form": nothing,
        "another period": nothing,
        "another campaign": nothing,
    } == counts


def test_cities_at_different_depths() -> None:
    """A city under a province, a district that stands under it directly, and a unit with no city above."""
    one = Total("/p/c/", 2, 1, (Decimal(3), None))
    other = Total("/p/c/k/", 1, 0, (Decimal(1), Decimal(2)))
    lone = Total("/p/x/", 1, 0, (None, None))
    heads = {"/p/c/": "c", "/p/d/k/": "k"}

    assert {"c": Total("/p/c/", 3, 1, (Decimal(4), Decimal(2))), None: lone} == folded([one, other, lone], heads)


def test_which_numbers_are_sums(catalog: Catalog) -> None:
    """What is the city's own is no sum of counties; from there on it is."""
    form = catalog.form(WEEKLY)
    by = {
        (level, upper): set(summed_paths(form, Level(level), Level(upper)))
        for level, upper in (("county", "city"), ("city", "province"), ("county", "province"), ("township", "county"))
    }

    assert "joint.city.firms" not in by["county", "city"]
    assert "joint.city.firms" in by["city", "province"]
    assert by["county", "city"] & by["city", "province"] == by["county", "province"]
    assert by["county", "city"] | by["city", "province"] == by["township", "county"]
    assert [ROWS] == summed_paths(catalog.form(LEDGER), Level.COUNTY, Level.CITY)


def test_by_the_interface(person: MakePerson) -> None:
    reviewer, province = person(CITY, "reviewer", "clerk"), person(PROVINCE, "leader")
    for county in ("zezhou", "gaoping", "qinshui"):
        clerk = person(f"jincheng.{county}-office", "clerk")
        for item, kind in ((WEEKLY, "weekly"), (LEDGER, "ledger")):
            filed = clerk.file(scenario_file("2024-12-27", county, kind), item, "2024-12-27").json()
            if county != "qinshui":
                answer = reviewer.post(f"/submissions/{filed['uid']}/accept", seen=filed["etag"], json={})
                assert 200 == answer.status_code
    asked = {"item": WEEKLY, "period": "2024-12-27", "level": "county", "by": "city"}
    told = province.get("/totals", params=asked).json()
    rolled = reviewer.post("/rollups", json={"item": WEEKLY, "period": "2024-12-27"}).json()
    sums = {n["path"]: n["value"] for n in rolled["numbers"] if n["path"] in told["labels"]}
    ledger = province.get("/totals", params={**asked, "item": LEDGER, "basis": "submitted"}).json()
    hidden = clerk.get("/totals", params={**asked, "by": "county"}).json()
    answer = province.get("/totals", params={**asked, "level": "city", "by": "county"})

    assert [(CITY, 2, 0)] == [(g["unit"], g["reporting"], g["nil"]) for g in told["groups"]]
    assert sums == told["groups"][0]["sums"] == told["total"]["sums"]
    assert "第2行“一般问题隐患发现数”" == told["labels"]["self.general.found"]
    assert 3 == ledger["total"]["reporting"]
    assert 0 < ledger["total"]["sums"][ROWS]
    assert [] == hidden["groups"]
    assert (422, "GM-H485") == (answer.status_code, answer.json()["code"])
    assert 404 == person(ZEZHOU, "clerk").get("/total").status_code


def test_the_database_adds(node: Node) -> None:
    """One statement, whichever the number of groups and paths."""
    with node.db.read() as tx:
        assert [] == totals(tx, Question(WEEKLY, PATHS, DAY, 3))
        assert 0 == len(list(tx.execute(select(submissions.c.id))))
