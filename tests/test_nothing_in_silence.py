"""What must never happen without a word: a number counted twice, an original overwritten, a line dropped."""

import json
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import docx
import openpyxl
import pytest

from compare import SAMPLES, SCENARIO
from gmsafety import Catalog
from gmsafety.cli import main
from gmsafety.forms import check, read

WEEK, PERIOD = SCENARIO / "2025-01-03", date(2025, 1, 3)
QINSHUI = WEEK / "qinshui_weekly.xlsx"


def retyped(source: Path, folder: Path, **cells: Any) -> Path:
    """A copy of a file in which a clerk typed into some cells."""
    path = folder / source.name
    book = openpyxl.load_workbook(source)
    for where, value in cells.items():
        book.worksheets[0][where] = value
    book.save(path)
    return path


def slugs(path: Path, catalog: Catalog) -> list[str]:
    return [f.kind.slug for f in check(read(path, catalog), catalog)]


# --- roll-ups ---------------------------------------------------------------------------------------------


def test_a_county_is_not_added_beside_its_city(catalog: Catalog) -> None:
    county = read(WEEK / "zezhou_weekly.xlsx", catalog)
    result = catalog.rollup("weekly-dispatch").apply([county], unit=catalog.unit("shanxi-office"), period=PERIOD)
    (refused,) = [f for f in result.findings if f.kind.slug == "unit-not-below"]

    assert result.record["self.plans"] is None
    assert "由其汇总" in refused.message


@pytest.mark.parametrize(
    ("own", "kinds", "counted"),
    [
        ({}, [], True),
        ({"unit": "晋城市安委会办公室"}, [], True),
        ({"unit": "太原市应急管理局"}, ["own-part-differs"], False),
        ({"unit": "泽州县应急管理局"}, ["own-part-differs"], False),
        ({"week": "2024-12-20"}, ["period-differs"], True),
    ],
)
def test_the_own_part_is_the_units_and_of_this_week(
    own: dict[str, str], kinds: list[str], counted: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = json.loads((SCENARIO / "city_own_2025-01-03.json").read_text("utf-8"))
    (tmp_path / "own.json").write_text(json.dumps({**mine, **own}), "utf-8")
    arguments = ["rollup", "weekly-dispatch", *map(str, sorted(WEEK.glob("*_weekly.[xd]*"))), "--unit", "140500"]
    main([*arguments, "--period", "2025-01-03", "--own", str(tmp_path / "own.json"), "--json"])
    (view,) = json.loads(capsys.readouterr().out)

    expected = {"own-part-differs", "period-differs"}
    assert kinds == [f["kind"] for f in view["findings"] if f["kind"] in expected]
    assert counted == ("晋城市" in view["contributions"]["5"]["2"])


def test_an_empty_form_is_not_taken_for_a_nil_report(catalog: Catalog, tmp_path: Path) -> None:
    empty = retyped(QINSHUI, tmp_path, **{f"C{row}": None for row in range(5, 13)})
    result = catalog.rollup("weekly-dispatch").apply([read(empty, catalog)], unit=catalog.unit("140500"), period=PERIOD)

    assert "nothing-filled" in slugs(empty, catalog)
    assert "empty-form-filed" in [f.kind.slug for f in result.findings]


# --- files ------------------------------------------------------------------------------------------------


def test_no_command_writes_over_what_it_reads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = shutil.copy(WEEK / "zezhou_weekly.xlsx", tmp_path / "zezhou.xlsx")
    own = shutil.copy(SCENARIO / "city_own_2025-01-03.json", tmp_path / "own.json")
    before = table.read_bytes(), own.read_bytes()

    assert 2 == main(["forms", "convert", str(table), str(table)])
    assert 2 == main(["forms", "fill", "weekly-dispatch", str(own), "--to", str(own)])
    roll = ["rollup", "weekly-dispatch", str(table), "--unit", "140500", "--period", "2025-01-03"]
    assert 2 == main([*roll, "--to", str(table)])
    assert "不能写在它上面" in capsys.readouterr().err
    assert before == (table.read_bytes(), own.read_bytes())


def test_a_folder_that_is_not_there_is_a_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert 3 == main(["forms", "blank", "weekly-dispatch", "--to", str(tmp_path / "none" / "x.docx")])
    assert "没有文件夹" in capsys.readouterr().err


@pytest.mark.parametrize(("data", "said"), [("{}", "没有表的内容"), ('{"claus": {}, "rows": []}', "不认识“claus”")])
def test_data_without_the_form_in_it_is_refused(
    data: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "data.json").write_text(data, "utf-8")

    assert 3 == main(
        ["forms", "fill", "weekly-dispatch", str(tmp_path / "data.json"), "--to", str(tmp_path / "x.docx")]
    )
    assert said in capsys.readouterr().err


@pytest.fixture
def both(tmp_path: Path) -> Path:
    """One workbook with the table and the ledger of a county that do not agree."""
    book = openpyxl.load_workbook(WEEK / "gaoping_weekly.xlsx")
    ledger = openpyxl.load_workbook(WEEK / "gaoping_ledger.xlsx").worksheets[0]
    sheet = book.create_sheet("台账")
    for row in ledger.iter_rows(values_only=True):
        sheet.append(row)
    book.save(tmp_path / "both.xlsx")
    return tmp_path / "both.xlsx"


def test_convert_asks_which_of_two_forms(both: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == main(["forms", "convert", str(both), str(tmp_path / "x.docx")])
    assert "请用 --form 指明" in capsys.readouterr().err
    main(["forms", "convert", str(both), str(tmp_path / "x.docx"), "--form", "weekly-dispatch", "--json"])
    (view,) = json.loads(capsys.readouterr().out)

    assert ("x.docx", "weekly-dispatch") == (view["file"], view["form"])


def test_table_and_ledger_of_one_workbook_are_compared(both: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert 1 == main(["forms", "check", str(both)])
    assert "GM-X601" in capsys.readouterr().out


def test_another_weeks_ledger_is_not_compared(capsys: pytest.CaptureFixture[str]) -> None:
    ledger = SCENARIO / "2024-12-20" / "zezhou_ledger.xlsx"
    main(["forms", "check", str(WEEK / "zezhou_weekly.xlsx"), "--with", str(ledger), "--json"])
    (view,) = json.loads(capsys.readouterr().out)

    assert ["pair-not-comparable"] == [f["kind"] for f in view["findings"]]


# --- reading ----------------------------------------------------------------------------------------------


def test_a_sentence_given_twice_has_no_number_where_the_two_differ(catalog: Catalog, tmp_path: Path) -> None:
    sentence = str(openpyxl.load_workbook(QINSHUI).worksheets[0]["C6"].value)
    path = retyped(QINSHUI, tmp_path, C6=f"{sentence}\n{sentence.replace('97', '98')}")
    reading = read(path, catalog)

    assert ["several-numbers", "not-understood"] == slugs(path, catalog)
    assert reading.record is not None
    assert (None, 77) == (reading.record["self.general.found"], reading.record["self.general.fixed"])


ITEMS = "{}沁水县共有1个县（区），其中1个县（区）制定了实施方案（通知）。{}召开推进会。{}联动检查。{}约谈2家。"


@pytest.mark.parametrize(
    "marks",
    [("1、", "\n（2）", "\n③", "\n4）"), ("1. ", "2. ", "3. ", "4. "), ("（一）", "\n二是", "\n3.", "\n④")],
    ids=["each its own", "in one line", "mixed numerals"],
)
def test_items_however_they_are_numbered(marks: tuple[str, ...], catalog: Catalog, tmp_path: Path) -> None:
    path = retyped(QINSHUI, tmp_path, C5=ITEMS.format(*marks))
    record = read(path, catalog).record

    assert record is not None
    texts = [record[f"deployment.{name}"] for name in ("mobilisation", "features", "dispatching")]
    assert ["召开推进会。", "联动检查。", "约谈2家。"] == texts
    assert [] == slugs(path, catalog)


def test_a_date_of_a_row_is_not_the_filing_date(catalog: Catalog, tmp_path: Path) -> None:
    path = retyped(WEEK / "qinshui_ledger.xlsx", tmp_path, I3=None)

    assert "missing-header" in slugs(path, catalog)
    assert "future-date" not in slugs(path, catalog)


@pytest.mark.parametrize(("typed", "said"), [("2024.01.03", True), ("2026.01.03", True), ("2025.01.03", False)])
def test_last_years_number_in_january(typed: str, said: bool, catalog: Catalog, tmp_path: Path) -> None:
    path = retyped(QINSHUI, tmp_path, C3=f"填报时间：{typed}")

    assert said == ("filed-outside-campaign" in slugs(path, catalog))


def test_nil_and_numbers_together_are_said(catalog: Catalog, tmp_path: Path) -> None:
    assert "nil-with-numbers" in slugs(retyped(QINSHUI, tmp_path, D6="零报告"), catalog)
    assert "nil-with-numbers" not in slugs(WEEK / "chengqu_weekly.xlsx", catalog)


@pytest.mark.parametrize("error", ["#REF!", "#SPILL!", "#CALC!"])
def test_an_error_value_costs_its_cell_and_not_the_file(error: str, catalog: Catalog, tmp_path: Path) -> None:
    book = openpyxl.load_workbook(WEEK / "qinshui_ledger.xlsx")
    cell = book.worksheets[0]["B5"]
    cell.value, cell.data_type = error, "e"
    book.save(tmp_path / "error.xlsx")
    (finding,) = check(read(tmp_path / "error.xlsx", catalog), catalog)

    assert ("error-value", "B5") == (finding.kind.slug, finding.place.where)
    assert f"“企业名称”是错误值{error}" in finding.message


@pytest.fixture
def word() -> Any:
    return docx.Document(str(SAMPLES / "should_pass" / "weekly_city_march_lo.docx"))


def test_a_row_is_known_by_its_sentence(word: Any, catalog: Catalog, tmp_path: Path) -> None:
    """企业自查自改 shortened to 企业自查: all eleven numbers are still there."""
    whole = read(SAMPLES / "should_pass" / "weekly_city_march_lo.docx", catalog).record
    word.tables[0].rows[2].cells[1].text = "企业自查"
    word.save(tmp_path / "label.docx")
    record = read(tmp_path / "label.docx", catalog).record

    assert record is not None
    assert whole is not None
    assert whole.values == record.values
    assert "wording-differs" in slugs(tmp_path / "label.docx", catalog)


def test_what_stands_below_or_inside_a_word_table_is_shown(word: Any, catalog: Catalog, tmp_path: Path) -> None:
    word.add_paragraph("另：本周新增重大隐患5条。")
    word.tables[0].rows[3].cells[2].add_table(1, 2).rows[0].cells[0].text = "重大"
    word.save(tmp_path / "more.docx")
    shown = [f.message for f in read(tmp_path / "more.docx", catalog).findings if f.kind.slug == "not-understood"]

    assert 2 == len(shown)
    assert "另：本周新增重大隐患5条" in "".join(shown)


# --- words ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("forms read no.xlsx", "没有文件“no.xlsx”"),
        ("nope", "没有命令“nope”"),
        ("forms read .", "“.”是文件夹"),
        ("duties --from 2025-13-02", "不是日期"),
        ("duties --from 2025-02-01 --until 2025-01-01", "起始日2025-02-01晚于截止日2025-01-01"),
        ("duties --ics --json", "不能同时用"),
        ("campaigns show gongmao-2024", "请写全名"),
    ],
)
def test_wrong_use_is_said_in_chinese(arguments: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == main(arguments.split())
    assert said in capsys.readouterr().err
