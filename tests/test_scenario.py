"""Three Fridays, six counties: what the city's roll-up must come to, number by number."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from compare import SCENARIO
from gmsafety import Catalog, load_catalog
from gmsafety.cli import main
from gmsafety.forms import check, fill, read
from gmsafety.forms.printed import from_printed, to_printed
from gmsafety.rollups import RollupResult

WEEKS = ("2024-12-20", "2024-12-27", "2025-01-03")
COUNTIES = ("chengqu", "gaoping", "lingchuan", "qinshui", "yangcheng", "zezhou")


def files_of(week: str, kind: str) -> list[Path]:
    """The counties' files of one form."""
    return [next((SCENARIO / week).glob(f"{c}_{kind}.[xd]*[xc]")) for c in COUNTIES]


def rolled(week: str, form: str, kind: str, catalog: Catalog) -> RollupResult:
    """The city's form of a week."""
    own = json.loads((SCENARIO / f"city_own_{week}.json").read_text("utf-8"))
    readings = [read(p, catalog) for p in files_of(week, kind)]
    return catalog.rollup(form).apply(
        readings,
        unit=catalog.unit("140500"),
        own=from_printed(own, catalog.form(form)),
        period=date.fromisoformat(week),
    )


def wanted(week: str) -> dict[str, Any]:
    """The expected roll-up."""
    return dict(json.loads((SCENARIO / f"expected_rollup_{week}.json").read_text("utf-8")))


@pytest.mark.parametrize("week", WEEKS)
def test_table(week: str, catalog: Catalog) -> None:
    result = rolled(week, "weekly-dispatch", "weekly", catalog)
    clauses = to_printed(result.record)["clauses"]

    assert {n: c["numbers"] for n, c in wanted(week)["clauses"].items()} == {n: clauses[n]["numbers"] for n in "12345"}
    assert wanted(week)["contributions"] == result.contributions()
    assert () == result.findings
    assert () == result.missing


@pytest.mark.parametrize("week", WEEKS)
def test_ledger(week: str, catalog: Catalog) -> None:
    result = rolled(week, "major-hazard-ledger", "ledger", catalog)
    stages = result.record.rows.columns["stage"]

    assert wanted(week)["ledger_rows_by_unit"] == result.contributions()
    assert wanted(week)["ledger_rows_by_stage"] == {s: stages.count(s) for s in sorted(set(stages), key=stages.index)}
    assert list(range(1, wanted(week)["ledger_rows"] + 1)) == result.record.rows.columns["number"]


@pytest.mark.parametrize("week", WEEKS)
def test_every_number_opens_to_its_cell(week: str, catalog: Catalog) -> None:
    result = rolled(week, "weekly-dispatch", "weekly", catalog)
    for path, value in result.record.values.items():
        blank = result.record.form.blanks[path]
        if blank.kind.numeric and value is not None:
            assert value == sum(s.value for s in result[path].sources)
    cell = {s.area: (s.file, s.where) for s in result["self.general.found"].sources}

    assert ("qinshui_weekly.xlsx", "附件1!C6") == cell["沁水县"]
    assert ("yangcheng_weekly.docx", "table 1 row 3 col 3") == cell["阳城县"]


def test_the_planted_disagreement(catalog: Catalog) -> None:
    folder = SCENARIO / "2025-01-03"
    beside = [read(folder / "gaoping_ledger.xlsx", catalog)]
    findings = check(read(folder / "gaoping_weekly.xlsx", catalog), catalog, beside=beside)
    wrong = [f for f in findings if not f.is_remark]

    assert [("GM-X601", "C7")] == [(f.code, f.place.where) for f in wrong]
    assert "企业自查发现重大事故隐患4条，台账中“企业自查”有3条。" == wrong[0].message


def test_a_ledger_without_a_column_is_compared_all_the_same(catalog: Catalog) -> None:
    """A column that is not there is the same as one that is blank throughout: nothing is finished."""
    ledger = from_printed({"rows": [{"序号": 1, "检查环节": "企业自查"}]}, catalog.form("major-hazard-ledger"))
    clause = {"2": {"numbers": [None, None, None, 1, 1, *[None] * 6]}}
    table = from_printed({"clauses": clause}, catalog.form("weekly-dispatch"))

    wrong = [f for f in check(table, catalog, beside=[ledger]) if f.code == "GM-X601"]
    assert ["企业自查重大事故隐患已整改1条，台账中“企业自查”已完成整改的有0条。"] == [f.message for f in wrong]


def test_the_citys_table_disagrees_too(catalog: Catalog) -> None:
    """The roll-up uses table and ledger as filed, so the county's disagreement is seen again above."""
    table = rolled("2025-01-03", "weekly-dispatch", "weekly", catalog).record
    ledger = rolled("2025-01-03", "major-hazard-ledger", "ledger", catalog).record

    assert ["GM-X601"] == [f.code for f in check(table, catalog, beside=[ledger]) if not f.is_remark]


@pytest.mark.parametrize("suffix", [".xlsx", ".docx"])
def test_the_citys_files_read_back(suffix: str, catalog: Catalog, tmp_path: Path) -> None:
    for form, kind in (("weekly-dispatch", "weekly"), ("major-hazard-ledger", "ledger")):
        record = rolled("2025-01-03", form, kind, catalog).record
        reading = read(fill(record, tmp_path / f"city_{kind}{suffix}"), catalog)
        assert reading.record is not None
        assert record.same_content(reading.record)
        assert () == reading.findings


@pytest.mark.parametrize("week", WEEKS)
def test_by_the_command(week: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [str(p) for p in files_of(week, "weekly")]
    own = str(SCENARIO / f"city_own_{week}.json")
    target = tmp_path / "city.xlsx"
    status = main(
        [
            "rollup",
            "weekly-dispatch",
            "--unit",
            "140500",
            "--period",
            week,
            *files,
            "--own",
            own,
            "--to",
            str(target),
            "--json",
        ]
    )
    view = json.loads(capsys.readouterr().out)[0]

    assert 0 == status
    assert target.exists()
    assert wanted(week)["contributions"] == view["contributions"]
    assert wanted(week)["clauses"]["2"]["numbers"] == view["clauses"]["2"]["numbers"]
    assert view["clauses"]["2"]["numbers"][0] == sum(s["value"] for s in view["sources"]["2"]["1"])


def test_what_cannot_be_rolled_up_is_said(catalog: Catalog) -> None:
    week = SCENARIO / "2024-12-20"
    names = ["zezhou_weekly.xlsx", "zezhou_weekly.xlsx", "qinshui_ledger.xlsx"]
    readings = [read(week / n, catalog) for n in names]
    other_week = read(SCENARIO / "2024-12-27" / "gaoping_weekly.xlsx", catalog)
    city = read(SCENARIO.parent.parent / "tests/samples/should_pass/weekly_city_march_lo.docx", catalog)
    result = catalog.rollup("weekly-dispatch").apply(
        [*readings, other_week, city], unit=catalog.unit("jincheng-office"), period=date(2024, 12, 20)
    )

    assert {
        "unit-twice": 1,
        "not-rolled-up": 1,
        "period-differs": 1,
        "unit-not-below": 1,
        "unit-missing": 4,
    } == {k: sum(f.kind.slug == k for f in result.findings) for k in {f.kind.slug for f in result.findings}}
    assert 27 + 32 == result.record["self.plans"]


def test_counties_are_counted_once_on_the_way_to_the_province() -> None:
    """City to province sums counties, not cities; the two halves of row 3 stay apart."""
    catalog = load_catalog()
    city = rolled("2025-01-03", "weekly-dispatch", "weekly", catalog).record
    province = catalog.rollup("weekly-dispatch").apply([city], unit=catalog.unit("shanxi-office"))

    assert (6, 6) == (province.record["deployment.counties"], province.record["deployment.counties_planned"])
    assert city["joint.city.firms"] == province.record["joint.city.firms"]
    assert "晋城市：元旦期间开展夜查暗访。" == province.record["deployment.mobilisation"]


def test_a_county_does_not_write_the_citys_numbers(catalog: Catalog) -> None:
    record = read(SCENARIO / "2024-12-20" / "zezhou_weekly.xlsx", catalog).record
    assert record is not None
    values = {**record.values, "joint.city.firms": 5}
    wrong = type(record)(record.form, record.header, values, origin=record.origin)
    result = catalog.rollup("weekly-dispatch").apply([wrong], unit=catalog.unit("140500"))

    assert result.record["joint.city.firms"] is None
    assert "not-own-number" in {f.kind.slug for f in result.findings}
