"""Blank forms to send down: whose and of when, last period's figures beside, a guide, locked labels and open cells."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import docx
import openpyxl
import pytest
from docx.oxml.ns import qn

from gmsafety import load_catalog
from gmsafety.cli import main
from gmsafety.forms import annotate, blank, check, fill, read
from gmsafety.forms.spec import Form
from gmsafety.forms.writing import Issue
from gmsafety.testing import example_record

CATALOG = load_catalog()
FORMS = list(CATALOG.forms.values())
WEEKLY, LEDGER = CATALOG.form("weekly-dispatch"), CATALOG.form("major-hazard-ledger")
LAST_WEEK = {f.ref: example_record(f) for f in FORMS}


def issue(form: Form) -> Issue:
    return Issue("", "某某市应急管理局", date(2024, 12, 27), LAST_WEEK[form.ref], instructions=True)


@pytest.mark.parametrize("suffix", ["xlsx", "docx"])
@pytest.mark.parametrize("form", FORMS, ids=lambda f: f.ref)
def test_everything_that_goes_down_with_a_form_reads_as_a_blank_form(form: Form, suffix: str, tmp_path: Path) -> None:
    """Comments, guide and mark are no values; a cumulative ledger begins with last week's rows."""
    reading = read(blank(form, tmp_path / f"blank.{suffix}", issue=issue(form)), CATALOG)
    assert reading.record is not None
    goes_on = form.is_grid and form.numbers == "cumulative" and not form.fixed

    assert form is reading.form
    assert {"missing-header", "empty-rows", "nothing-filled"} >= {f.kind.slug for f in reading.findings}
    assert {None} >= set(reading.record.values.values())
    assert (len(LAST_WEEK[form.ref].rows) if goes_on else len(form.printed_rows)) == len(reading.record.rows)
    assert not goes_on or LAST_WEEK[form.ref].rows == reading.record.rows


def test_last_weeks_sentences_are_comments(tmp_path: Path) -> None:
    sheet = openpyxl.load_workbook(blank(WEEKLY, tmp_path / "blank.xlsx", issue=issue(WEEKLY))).worksheets[0]
    document = docx.Document(str(blank(WEEKLY, tmp_path / "blank.docx", issue=issue(WEEKLY))))
    in_excel = {cell.coordinate: cell.comment.text for row in sheet for cell in row if cell.comment}
    in_word = [comment.text for comment in document.comments]

    assert ["C6", "C7", "C9"] == [where for where in in_excel if where in ("C6", "C7", "C9")]
    assert all(text.startswith("上期（2024年12月20日）：") for text in in_excel.values())
    assert "17家企业制定了自查自改工作方案" in in_excel["C6"]
    assert list(in_excel.values()) == in_word


def test_the_header_is_filled_in(tmp_path: Path) -> None:
    cells = openpyxl.load_workbook(blank(WEEKLY, tmp_path / "blank.xlsx", issue=issue(WEEKLY))).worksheets[0]

    assert ["填报单位：某某市应急管理局", "填报时间：2024年12月27日"] == cells["A3"].value.split()


def test_the_guide(tmp_path: Path) -> None:
    book = openpyxl.load_workbook(blank(LEDGER, tmp_path / "blank.xlsx", issue=issue(LEDGER)))
    told = {row[0]: row[1] for row in book["填表说明"].iter_rows(values_only=True)}
    paragraphs = [
        p.text for p in docx.Document(str(blank(LEDGER, tmp_path / "b.docx", issue=issue(LEDGER)))).paragraphs
    ]

    assert LEDGER.notes[0] == told["表上的说明"]
    assert told["检查环节"].endswith("从这几项中选一项：企业自查、市县检查、交叉检查、省级督查、群众举报")
    assert told["检查时间"].startswith("必填；日期")
    assert "整改责任" in told["整改措施"] or "责任" in told["整改措施"]
    assert any(p.startswith("检查环节：") for p in paragraphs)


# --- locked and open ------------------------------------------------------------------------------------------


def locked(path: Path) -> tuple[set[str], set[str]]:
    """The cells of the first sheet that hold something and are locked, and those that are open."""
    sheet = openpyxl.load_workbook(path).worksheets[0]
    cells = [c for row in sheet.iter_rows() for c in row if c.value is not None or c.border.left.style]
    return {c.coordinate for c in cells if c.protection.locked}, {
        c.coordinate for c in cells if not c.protection.locked
    }


def test_labels_are_locked_and_value_cells_open(tmp_path: Path) -> None:
    shut, open_ = locked(blank(WEEKLY, tmp_path / "blank.xlsx"))

    assert {"A1", "A2", "A4", "B4", "C4", "D4", "A13"} <= shut
    assert {f"{col}{row}" for col in "AB" for row in range(5, 13)} <= shut
    assert {"A3", *(f"{col}{row}" for col in "CD" for row in range(5, 13))} <= open_


@pytest.mark.parametrize("form", FORMS, ids=lambda f: f.ref)
def test_every_workbook_is_protected_without_a_password(form: Form, tmp_path: Path) -> None:
    for path in (blank(form, tmp_path / "blank.xlsx"), fill(LAST_WEEK[form.ref], tmp_path / "filled.xlsx")):
        rules = openpyxl.load_workbook(path).worksheets[0].protection
        allowed = {
            name for name in ("formatRows", "formatColumns", "insertRows", "deleteRows") if not getattr(rules, name)
        }
        grows = {"insertRows", "deleteRows"} if form.is_grid and not form.fixed else set()

        assert (True, None) == (rules.sheet, rules.password)
        assert {"formatRows", "formatColumns"} | grows == allowed


def test_protection_survives_an_office_suite_and_hinders_nobody(
    office: Callable[..., list[Path]], tmp_path: Path
) -> None:
    saved = tmp_path / "saved"
    saved.mkdir()
    (path,) = office([blank(LEDGER, tmp_path / "blank.xlsx")], "xlsx", saved)
    shut, open_ = locked(path)
    book = openpyxl.load_workbook(path)
    assert book.worksheets[0].protection.sheet
    assert {"A1", "B4"} <= shut
    assert {"A5", "B5", "M9"} <= open_

    book.worksheets[0]["B5"] = "某某铸造厂"
    book.save(tmp_path / "filled.xlsx")
    reading = read(tmp_path / "filled.xlsx", CATALOG)
    marked = annotate((tmp_path / "filled.xlsx").read_bytes(), check(reading, CATALOG), name="filled.xlsx")
    (tmp_path / "marked.xlsx").write_bytes(marked)
    assert openpyxl.load_workbook(tmp_path / "marked.xlsx").worksheets[0].protection.sheet
    assert ["某某铸造厂"] == [r["enterprise"] for r in read(tmp_path / "marked.xlsx", CATALOG).record.rows]  # type: ignore[union-attr]


def test_word_is_left_open_and_names_its_fallbacks(tmp_path: Path) -> None:
    document = docx.Document(str(blank(WEEKLY, tmp_path / "blank.docx")))
    fonts = next(p for p in document.part.package.iter_parts() if p.partname == "/word/fontTable.xml").blob.decode()

    assert None is document.settings.element.find(qn("w:documentProtection"))
    assert '<w:font w:name="仿宋_GB2312"><w:altName w:val="FangSong_GB2312,仿宋,FangSong"/>' in fonts
    for name in ("方正小标宋简体", "楷体_GB2312", "黑体"):
        assert f'<w:font w:name="{name}"><w:altName' in fonts


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    last = fill(LAST_WEEK[LEDGER.ref], tmp_path / "last.xlsx")
    options = ["--unit", "某某市应急管理局", "--period", "2024-12-27", "--previous", str(last), "--instructions"]
    status = main(["forms", "blank", LEDGER.id, "--to", str(tmp_path / "next.xlsx"), *options])
    reading = read(tmp_path / "next.xlsx", CATALOG)
    wrong = main(["forms", "blank", WEEKLY.id, "--to", str(tmp_path / "x.xlsx"), "--previous", str(last)])
    capsys.readouterr()

    assert (0, 3) == (status, wrong)
    assert reading.record is not None
    assert LAST_WEEK[LEDGER.ref].rows == reading.record.rows
    assert date(2024, 12, 27) == reading.record.filed
