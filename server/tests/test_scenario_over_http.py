"""Three Fridays through the interface: the same values, findings and roll-ups as the library, on each database."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from compare import differences, expected
from gmsafety import Catalog
from gmsafety.client import Client, ProblemError
from gmsafety.client.rolled import RollupDetail
from gmsafety.client.submitted import SubmissionDetail
from gmsafety.forms import check, fill, read
from gmsafety.forms.printed import from_printed
from gmsafety.forms.record import Record
from gmsafety.forms.schema import to_json
from gmsafety.rollups import RollupResult
from world import CITY, PROVINCE, SCENARIO, StandingClock, received, scenario_file

TABLE, LEDGER = "shanxi.weekly-dispatch", "shanxi.major-hazard-ledger"
KINDS = {LEDGER: "ledger", TABLE: "weekly"}  # the table is checked against the ledger, which comes first
AREAS = {
    "chengqu": "城区", "qinshui": "沁水县", "yangcheng": "阳城县", "lingchuan": "陵川县", "zezhou": "泽州县",
    "gaoping": "高平市",
}  # fmt: skip
WEEKS = ("2024-12-20", "2024-12-27", "2025-01-03")
LAST = WEEKS[-1]
GAOPING_TABLE = ("gaoping", TABLE)


class Stage:
    """The people of the scenario, each with a client, and what the counties have filed this week."""

    def __init__(self, address: str, clock: StandingClock, person: Callable[..., Any], catalog: Catalog) -> None:
        self.clock, self.catalog = clock, catalog
        self.counties = {c: Client(address, person(f"jincheng.{c}-office", "clerk").token) for c in AREAS}
        self.clerk = Client(address, person(CITY, "clerk").token)
        self.reviewer = Client(address, person(CITY, "reviewer").token)
        self.province = Client(address, person(PROVINCE, "reviewer").token)
        self.keys = self.clerk.node.keys()
        self.filed: dict[tuple[str, str], SubmissionDetail] = {}

    def close(self) -> None:
        for client in (*self.counties.values(), self.clerk, self.reviewer, self.province):
            client.close()

    def at(self, week: str, time: str) -> None:
        self.clock.set(datetime.fromisoformat(f"{week}T{time}:00+08:00"))

    def file(self, week: str, county: str, item: str) -> SubmissionDetail:
        path, submissions = scenario_file(week, county, KINDS[item]), self.counties[county].submissions
        try:
            filed = submissions.file(path, item, week)
        except ProblemError as problem:
            if problem.slug != "reason-needed":
                raise
            filed = submissions.file(path, item, week, reason="先按现有数字报送")
        self.filed[county, item] = filed
        return filed

    def accept(self, *keys: tuple[str, str]) -> None:
        for key in keys:
            self.filed[key] = self.reviewer.submissions.accept(self.filed[key])

    def roll_up(self, week: str, basis: Any) -> dict[str, RollupDetail]:
        rollups = self.clerk.rollups
        for item in KINDS:
            made = rollups.make(item, week, basis=basis)
            rollups.set_own_file(made, SCENARIO / f"city_own_{week}.json")
        return {item: rollups.get(rollups.make(item, week, basis=basis)) for item in KINDS}


@pytest.fixture
def stage(address: str, clock: StandingClock, person: Callable[..., Any], catalog: Catalog) -> Iterator[Stage]:
    clock.set(datetime.fromisoformat("2024-12-14T08:00:00+08:00"))
    made = Stage(address, clock, person, catalog)
    yield made
    made.close()


# --- what the library comes to -----------------------------------------------------------------------------------


def findings_of_the_library(path: Path, catalog: Catalog, *, alone: bool) -> list[dict[str, Any]]:
    wanted = expected(path)
    previous = read(path.parent / wanted["previous"], catalog) if "previous" in wanted else None
    beside = [] if alone else [read(path.parent / wanted["pair"], catalog)]
    return [f.to_json() for f in check(read(path, catalog), catalog, previous=previous, beside=beside)]


def rolled_by_the_library(week: str, item: str, catalog: Catalog, **corrected: Record) -> RollupResult:
    own = SCENARIO / f"city_own_{week}.json"
    files = {county: scenario_file(week, county, KINDS[item]) for county in AREAS}
    return catalog.rollup(item).apply(
        [corrected.get(county) or read(path, catalog) for county, path in files.items()],
        unit=catalog.unit("140500"),
        own=from_printed(json.loads(own.read_text("utf-8")), catalog.form(item)),
        period=date.fromisoformat(week),
        own_file=own.name,
    )


# --- what the server must come to --------------------------------------------------------------------------------


def assert_filed(stage: Stage, week: str, county: str, item: str) -> None:
    """What is stored is what stands in the file, and what the library finds in it was found."""
    filed, path = stage.filed[county, item], scenario_file(week, county, KINDS[item])
    clerk = stage.counties[county].submissions
    printed = json.loads(clerk.download_form(filed, "printed.json"))
    found = [f.model_dump(exclude={"place"}, exclude_none=False) for f in filed.findings]
    same = [{k: v for k, v in f.items() if k != "file" or v} for f in found]

    assert [] == differences(printed, expected(path))
    assert findings_of_the_library(path, stage.catalog, alone=item == LEDGER) == same
    assert path.read_bytes() == clerk.download(filed, filed.files[0])
    assert (received(week, AREAS[county]), ()) == (filed.received_at, filed.faults(stage.keys))


def assert_rolled(stage: Stage, week: str, made: dict[str, RollupDetail], **corrected: Record) -> None:
    """Values, contributions and sources are those of the library."""
    for item, rollup in made.items():
        result = rolled_by_the_library(week, item, stage.catalog, **(corrected if item == TABLE else {}))
        view = json.loads(stage.clerk.rollups.download(rollup, "printed.json"))

        assert to_json(result.record) == rollup.body
        assert plain(result.contributions()) == rollup.contributions
        if not corrected:
            assert plain(result.source_list()) == view["sources"]


def assert_expected(week: str, made: dict[str, RollupDetail]) -> None:
    """The figures are those that the scenario states."""
    wanted = json.loads((SCENARIO / f"expected_rollup_{week}.json").read_text("utf-8"))
    clauses, stages = made[TABLE].printed["clauses"], [row["stage"] for row in made[LEDGER].body["rows"]]

    assert {n: c["numbers"] for n, c in wanted["clauses"].items()} == {n: clauses[n]["numbers"] for n in "12345"}
    assert wanted["contributions"] == made[TABLE].contributions
    assert wanted["ledger_rows_by_unit"] == made[LEDGER].contributions
    assert wanted["ledger_rows_by_stage"] == {s: stages.count(s) for s in set(stages)}
    assert wanted["ledger_rows"] == len(made[LEDGER].rows)


def plain(value: Any) -> Any:
    """As JSON carries it."""
    return json.loads(json.dumps(value, default=float))


def file_counties(stage: Stage, week: str) -> None:
    for county in sorted(AREAS, key=lambda c: received(week, AREAS[c])):
        stage.clock.set(received(week, AREAS[county]))
        for item in KINDS:
            stage.file(week, county, item)
            assert_filed(stage, week, county, item)


def file_with_the_province(stage: Stage, made: dict[str, RollupDetail]) -> None:
    for rollup in made.values():
        filed = stage.clerk.rollups.file(rollup)
        assert filed.submission is not None
        assert "submitted" == filed.submission.state
        there = stage.province.submissions.get(filed.submission.uid)
        assert (rollup.body, ()) == (there.body, there.faults(stage.keys))
        stage.province.submissions.accept(there)


def test_three_fridays(stage: Stage, tmp_path: Path) -> None:
    for week in WEEKS[:-1]:
        file_counties(stage, week)
        stage.accept(*stage.filed)
        stage.at(week, "14:30")
        made = stage.roll_up(week, "accepted")
        assert_rolled(stage, week, made)
        assert_expected(week, made)
        assert [] == [f for rollup in made.values() for f in rollup.findings if f.severity != "info"]
        file_with_the_province(stage, made)

    file_counties(stage, LAST)
    assert_as_it_came(stage)
    made = stage.roll_up(LAST, "submitted")
    assert_rolled(stage, LAST, made)
    assert_expected(LAST, made)
    record = return_and_correct(stage, tmp_path)
    stage.accept(*stage.filed)
    assert_corrected(stage, made, record)


def assert_as_it_came(stage: Stage) -> None:
    """One is late by the right minutes, one is nil, one does not agree with itself."""
    late = {c: {stage.filed[c, i].late_minutes for i in KINDS} for c in AREAS}
    nil = {c: stage.filed[c, TABLE].nil for c in AREAS}
    wrong = stage.filed[GAOPING_TABLE]
    planted = expected(scenario_file(LAST, "gaoping", "weekly"))["findings"]
    board = stage.reviewer.board.show(item=TABLE, first=LAST, last=LAST)
    cells = {c: board.cell(f"jincheng.{c}-office", LAST) for c in AREAS}

    assert {c: {281} if c == "lingchuan" else {0} for c in AREAS} == late
    assert {c: c == "chengqu" for c in AREAS} == nil
    assert (281, True, "late") == (cells["lingchuan"].late_minutes, cells["chengqu"].nil, cells["lingchuan"].state)
    assert [("GM-X601", "C7")] == [(f.code, f.where) for f in wrong.findings if f.severity != "info"]
    assert {(f["kind"], f["where"]) for f in planted} <= {(f.kind, f.where) for f in wrong.findings}


def return_and_correct(stage: Stage, folder: Path) -> Record:
    """The city returns the cell; the county corrects its own file with the library."""
    wrong, clerk = stage.filed[GAOPING_TABLE], stage.counties["gaoping"].submissions
    stage.at(LAST, "17:00")
    returned = stage.reviewer.submissions.give_back(wrong, [("C7", "台账只有3条")])
    record = read(scenario_file(LAST, "gaoping", "weekly"), stage.catalog).record
    assert record is not None
    right = replace(record, values={**record.values, "self.major.found": 3})
    corrected = clerk.correct(returned, fill(right, folder / "gaoping_weekly.xlsx"))
    stage.filed[GAOPING_TABLE] = corrected
    changed = clerk.diff(corrected, returned).changes

    assert "returned" == returned.state
    assert [("C7", "台账只有3条")] == [(r.where, r.text) for r in returned.receipts[-1].receipt.reasons]
    assert (2, wrong.payload_hash, 0, 0) == (
        corrected.revision,
        corrected.supersedes,
        corrected.errors,
        corrected.late_minutes,
    )
    assert [("4", "3")] == [(c.before, c.after) for c in changed]
    return right


def assert_corrected(stage: Stage, made: dict[str, RollupDetail], record: Record) -> None:
    """The roll-up was stale, and then is that of the corrected table; the province gets it."""
    rollups = stage.clerk.rollups
    stale = {item: rollups.get(rollup) for item, rollup in made.items()}
    fresh = {item: rollups.remake(rollup, "accepted") for item, rollup in stale.items()}
    fresh = {item: rollups.get(rollup) for item, rollup in fresh.items()}

    assert stale[TABLE].stale
    assert [("self.major.found", "11", "10", ["高平市应急管理局"])] == [
        (c.path, c.before, c.after, [b.unit_name for b in c.because]) for c in stale[TABLE].changes
    ]
    assert_rolled(stage, LAST, fresh, gaoping=record)
    assert [] == [f for rollup in fresh.values() for f in rollup.findings if f.severity != "info"]
    file_with_the_province(stage, fresh)
