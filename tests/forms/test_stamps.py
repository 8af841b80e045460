"""The mark in a file that we wrote: what it says, what survives, and what is said where it contradicts the paper."""

import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import docx
import openpyxl
import pytest
import rfc8785

from gmsafety import load_catalog
from gmsafety.forms import Reading, blank, check, fill, read
from gmsafety.forms.spec import Form
from gmsafety.forms.spechash import asked_of, canonical, spec_hash
from gmsafety.forms.stamp import Stamp
from gmsafety.forms.writing import Issue
from gmsafety.testing import example_record

CATALOG = load_catalog()
FORMS = list(CATALOG.forms.values())
WEEKLY, LEDGER = CATALOG.form("weekly-dispatch"), CATALOG.form("major-hazard-ledger")
UNIT = next(u for u in CATALOG.units.values() if u.role == "county-office")
FRIDAY = date(2024, 12, 20)
ISSUE = Issue(UNIT.ref, UNIT.name, FRIDAY)
EXPECTED = Stamp(WEEKLY.ref, WEEKLY.version, spec_hash(WEEKLY), UNIT.ref, UNIT.name, FRIDAY)


def codes(reading: Reading) -> set[str]:
    """The kinds of findings that speak of marks."""
    return {f.kind.slug for f in check(reading, CATALOG)} & {"mark-contradicts", "mark-differs", "mark-outdated"}


# --- the fingerprint ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS, ids=lambda f: f.ref)
def test_what_is_asked_is_canonical_json(form: Form) -> None:
    assert rfc8785.dumps(asked_of(form)) == canonical(asked_of(form))


def test_looks_do_not_change_the_fingerprint_but_questions_do() -> None:
    same = [
        LEDGER.model_copy(update={"layout": LEDGER.layout.model_copy(update={"font_size": 9.0})}),
        LEDGER.model_copy(update={"notes": (), "rules": (), "version": "2099-1"}),
    ]
    stage = LEDGER.by_id["stage"].model_copy(update={"choices": ("企业自查", "市县检查")})
    columns = tuple(stage if c.id == "stage" else c for c in LEDGER.columns)

    assert {spec_hash(LEDGER)} == {spec_hash(f) for f in same}
    assert spec_hash(LEDGER) != spec_hash(LEDGER.model_copy(update={"columns": columns}))
    assert len(FORMS) == len({spec_hash(f) for f in FORMS})


# --- where it is kept -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["xlsx", "docx"])
def test_a_blank_form_carries_its_mark(suffix: str, tmp_path: Path) -> None:
    reading = read(blank(WEEKLY, tmp_path / f"blank.{suffix}", issue=ISSUE), CATALOG)

    assert EXPECTED == reading.stamp
    assert reading.record is not None
    assert {"unit": UNIT.name, "date": FRIDAY} == reading.record.header


def test_a_hidden_name_is_the_second_place(tmp_path: Path) -> None:
    """Custom properties are lost where somebody cleans a file; the hidden name stays."""
    book = openpyxl.load_workbook(blank(WEEKLY, tmp_path / "blank.xlsx", issue=ISSUE))
    assert {"gmsafety-form", "gmsafety-spec"} <= {p.name for p in book.custom_doc_props.props}
    assert book.defined_names["_gmsafety_stamp"].hidden
    for name in [p.name for p in book.custom_doc_props.props]:
        del book.custom_doc_props[name]
    book.save(tmp_path / "cleaned.xlsx")

    assert EXPECTED == read(tmp_path / "cleaned.xlsx", CATALOG).stamp


def test_a_filled_form_says_which_form_it_is(tmp_path: Path) -> None:
    stamp = read(fill(example_record(WEEKLY), tmp_path / "filled.xlsx"), CATALOG).stamp

    assert Stamp(WEEKLY.ref, WEEKLY.version, spec_hash(WEEKLY)) == stamp


@pytest.mark.parametrize(("written", "saved_as"), [("xlsx", "xlsx"), ("docx", "docx"), ("xlsx", "ods")])
def test_the_mark_survives_an_office_suite(
    written: str, saved_as: str, office: Callable[..., list[Path]], tmp_path: Path
) -> None:
    saved = tmp_path / "saved"
    saved.mkdir()
    issue = Issue(UNIT.ref, UNIT.name, FRIDAY, example_record(WEEKLY), instructions=True)
    (path,) = office([blank(WEEKLY, tmp_path / f"blank.{written}", issue=issue)], saved_as, saved)
    reading = read(path, CATALOG)

    assert EXPECTED == reading.stamp
    assert [] == [str(f) for f in reading.findings if not f.is_remark]


# --- what it is good for --------------------------------------------------------------------------------------


def test_a_header_that_is_hardly_known_again(tmp_path: Path) -> None:
    """Without the mark this would be any table; with it the form is known."""
    book = openpyxl.load_workbook(blank(LEDGER, tmp_path / "blank.xlsx", issue=ISSUE))
    sheet = book.worksheets[0]
    for where in ("C4", "D4", "E4", "F4", "G4", "I4", "J4", "K4", "L4"):
        sheet[where] = f"第{where}栏"
    sheet["A1"] = sheet["A2"] = None
    sheet.title = "表"
    book.save(tmp_path / "marked.xlsx")
    for prop in [p.name for p in book.custom_doc_props.props]:
        del book.custom_doc_props[prop]
    del book.defined_names["_gmsafety_stamp"]
    book.save(tmp_path / "bare.xlsx")

    assert LEDGER is read(tmp_path / "marked.xlsx", CATALOG).form
    assert None is read(tmp_path / "bare.xlsx", CATALOG).form


def test_another_form_was_pasted_into_a_blank_one(tmp_path: Path) -> None:
    book = openpyxl.load_workbook(blank(WEEKLY, tmp_path / "weekly.xlsx", issue=ISSUE))
    ledger = openpyxl.load_workbook(fill(example_record(LEDGER), tmp_path / "ledger.xlsx")).worksheets[0]
    sheet = book.create_sheet("台账")
    for row in ledger.iter_rows(values_only=True):
        sheet.append(row)
    del book[WEEKLY.layout.sheet]
    book.save(tmp_path / "pasted.xlsx")
    reading = read(tmp_path / "pasted.xlsx", CATALOG)

    assert LEDGER is reading.form
    assert {"mark-contradicts"} == codes(reading)
    assert WEEKLY.title in next(f.message for f in reading.findings if f.code == "GM-S230")


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ({"unit": UNIT.name, "date": FRIDAY}, set()),
        ({"unit": UNIT.aliases[0] if UNIT.aliases else UNIT.name, "date": date(2024, 12, 19)}, set()),
        ({"unit": UNIT.name, "date": date(2024, 12, 27)}, {"mark-differs"}),
        ({"unit": "某某省应急管理厅", "date": FRIDAY}, {"mark-differs"}),
    ],
)
def test_the_header_against_the_mark(header: dict[str, object], found: set[str], tmp_path: Path) -> None:
    document = docx.Document(str(blank(WEEKLY, tmp_path / "blank.docx", issue=ISSUE)))
    line = next(p for p in document.paragraphs if "填报单位" in p.text)
    area = CATALOG.areas.get(UNIT.area)
    unit = str(header["unit"]).format(area=area.name if area else "")
    line.text = f"填报单位：{unit}\t填报时间：{header['date']}"
    document.save(str(tmp_path / "filled.docx"))

    assert found == codes(read(tmp_path / "filled.docx", CATALOG))


@pytest.mark.parametrize(("old", "new"), [(spec_hash(WEEKLY), "0" * 64), (f">{WEEKLY.version}<", ">1999-9<")])
def test_a_blank_form_of_before_the_form_was_changed(old: str, new: str, tmp_path: Path) -> None:
    path = tmp_path / "old.xlsx"
    with zipfile.ZipFile(blank(WEEKLY, tmp_path / "new.xlsx", issue=ISSUE)) as now, zipfile.ZipFile(path, "w") as then:
        for name in now.namelist():
            part = now.read(name)
            then.writestr(name, part.replace(old.encode(), new.encode()) if name.endswith("custom.xml") else part)
    reading = read(path, CATALOG)

    assert WEEKLY is reading.form
    assert {"mark-outdated"} == codes(reading)
