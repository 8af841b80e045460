"""What is written reads back the same: through Excel, Word, JSON and the printed view, for every registered form."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gmsafety import load_catalog
from gmsafety.forms import blank, fill, read
from gmsafety.forms.printed import from_printed, to_printed
from gmsafety.forms.record import Record
from gmsafety.forms.schema import from_json, model_of, to_json
from gmsafety.testing import example_record
from strategies import records

CATALOG = load_catalog()
FORMS = list(CATALOG.forms.values())
ANY = st.sampled_from(FORMS).flatmap(records)
SLOW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def through_file(record: Record, suffix: str) -> Record:
    """Write a record and read it back."""
    with tempfile.TemporaryDirectory() as folder:
        reading = read(fill(record, Path(folder) / f"form{suffix}"), CATALOG)
    assert reading.record is not None, [str(f) for f in reading.findings]
    return reading.record


@pytest.mark.parametrize("suffix", [".xlsx", ".docx"])
@SLOW
@given(record=ANY)
def test_through_a_file(suffix: str, record: Record) -> None:
    again = through_file(record, suffix)

    assert dict(record.values) == dict(again.values)
    assert record.rows == again.rows
    assert record.same_content(again)


@SLOW
@given(record=ANY)
def test_through_json(record: Record) -> None:
    data = to_json(record)

    assert record.same_content(from_json(data, record.form))
    model_of(record.form).model_validate(data)


@SLOW
@given(record=ANY)
def test_through_the_printed_view(record: Record) -> None:
    assert record.same_content(from_printed(to_printed(record), record.form))


@pytest.mark.parametrize("form", FORMS, ids=lambda f: f.ref)
@pytest.mark.parametrize("suffix", [".xlsx", ".docx"])
def test_a_nil_report_stays_one(form: object, suffix: str) -> None:
    chosen = next(f for f in FORMS if f is form)
    example = example_record(chosen)
    nil = Record(chosen, example.header, dict.fromkeys(chosen.blanks), nil=True)
    again = through_file(nil, suffix)

    assert again.nil
    assert nil.values == again.values
    assert 0 == len(again.rows)


@pytest.mark.parametrize("form", FORMS, ids=lambda f: f.ref)
@pytest.mark.parametrize("suffix", [".xlsx", ".docx"])
def test_a_blank_form_is_blank(form: object, suffix: str, tmp_path: Path) -> None:
    chosen = next(f for f in FORMS if f is form)
    reading = read(blank(chosen, tmp_path / f"blank{suffix}"), CATALOG)
    assert reading.record is not None

    assert reading.form is chosen
    assert {None} >= set(reading.record.values.values())
    assert [*map(dict, chosen.printed_rows)] == [
        {k: v for k, v in r.items() if v is not None} for r in reading.record.rows
    ]
    assert {"missing-header", "empty-rows", "nothing-filled"} >= {f.kind.slug for f in reading.findings}


def test_text_that_looks_like_a_formula_is_written_as_text(tmp_path: Path) -> None:
    form = CATALOG.form("major-hazard-ledger")
    row = {**example_record(form).rows[0], "enterprise": "=cmd|' /C calc'!A0", "remark": "@SUM(1+1)"}
    record = Record(form, example_record(form).header, rows=type(example_record(form).rows).of([row], form))
    import openpyxl  # noqa: PLC0415 - to look at the cells themselves

    sheet = openpyxl.load_workbook(fill(record, tmp_path / "ledger.xlsx")).active
    assert sheet is not None
    cells = [c for line in sheet.iter_rows() for c in line if isinstance(c.value, str) and c.value[:1] in "=@"]

    assert {"s"} == {c.data_type for c in cells}
    assert 2 == len(cells)


@pytest.mark.parametrize("suffix", ["xlsx", "docx"])
def test_after_an_office_suite_saved_it_again(suffix: str, office: Callable[..., list[Path]], tmp_path: Path) -> None:
    """A fixed batch, re-saved by LibreOffice in one call."""
    batch = {f"{form.id}-{n}": example_record(form, rows=n + 1) for form in FORMS for n in range(4)}
    files = [fill(record, tmp_path / f"{name}.{suffix}") for name, record in batch.items()]
    saved = tmp_path / "saved"
    saved.mkdir()
    for path in office(files, suffix, saved):
        reading = read(path, CATALOG)
        assert reading.record is not None
        assert batch[path.stem].same_content(reading.record), path.name
        assert [] == [str(f) for f in reading.findings if not f.is_remark]
