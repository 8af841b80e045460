"""Every sample file, judged as its expected result says. The files are fictional; the habits are real."""

from pathlib import Path

import pytest

from compare import (
    SAMPLES,
    SCENARIO,
    differences,
    expected,
    false_findings,
    form_of,
    sample_files,
    unmet,
)
from gmsafety import Catalog, Finding
from gmsafety.forms import check, read
from gmsafety.forms.printed import to_printed
from gmsafety.forms.reading import Reading
from gmsafety.forms.types.dates import Window

FILES = [*sample_files(SAMPLES), *sample_files(SCENARIO)]


def judged(path: Path, catalog: Catalog) -> tuple[Reading, tuple[Finding, ...]]:
    """Read a sample and check it with the files that belong to it."""
    wanted = expected(path)
    previous = read(path.parent / wanted["previous"], catalog) if "previous" in wanted else None
    beside = [read(path.parent / wanted["pair"], catalog)] if "pair" in wanted else []
    reading = read(path, catalog)
    return reading, check(reading, catalog, previous=previous, beside=beside)


def wrong_values(reading: Reading, path: Path, catalog: Catalog) -> list[str]:
    """Where what was read differs from what is expected."""
    wanted = expected(path)
    if reading.record is None:
        return [] if wanted["form"] is None else ["nothing was read"]
    window = Window(*catalog.window(reading.record.form), reading.record.filed)
    view = to_printed(reading.record, window)
    if "rows_at" in wanted:
        wanted = {**wanted, "rows": []}
        view = {**view, "rows": []}
    return differences(view, wanted)


def test_there_are_samples() -> None:
    assert len(FILES) > 80


@pytest.mark.parametrize("path", FILES, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_sample(path: Path, catalog: Catalog) -> None:
    wanted = expected(path)
    reading, findings = judged(path, catalog)
    wrong = wrong_values(reading, path, catalog)
    missed = unmet(findings, wanted["findings"])

    if wanted["verdict"] == "right-or-said":
        assert not wrong or not missed
        return
    assert wanted["form"] == form_of(reading)
    assert [] == wrong
    assert [] == missed
    assert [] == false_findings(findings, wanted["findings"])


@pytest.mark.parametrize("path", sample_files(SAMPLES / "large"), ids=lambda p: p.name)
def test_large_sample(path: Path, catalog: Catalog) -> None:
    wanted = expected(path)
    record = judged(path, catalog)[0].record
    assert record is not None
    rows = to_printed(record, Window(*catalog.window(record.form), record.filed))["rows"]

    assert wanted.get("row_count", len(rows)) == len(rows)
    assert wanted.get("done_count", 0) == sum(r["_done"] for r in rows) or "done_count" not in wanted
    for stage, count in wanted.get("by_stage", {}).items():
        assert count == sum(r["检查环节"] == stage for r in rows)
    for number, row in wanted.get("rows_at", {}).items():
        got = {"form": wanted["form"], "rows": [rows[int(number) - 1]]}
        assert [] == differences(got, {"form": wanted["form"], "rows": [row]})
