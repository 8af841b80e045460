"""`gmsafety forms diff` and `forms export` as a clerk and a program use them."""

import csv
import json
from pathlib import Path
from typing import Any

import docx
import openpyxl
import pytest

from compare import SCENARIO
from gmsafety import load_catalog
from gmsafety.cli import main
from gmsafety.forms.schema import from_json

OLD, NEW = SCENARIO / "2024-12-27", SCENARIO / "2025-01-03"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    """Run a command; return exit status, standard output, standard error."""

    def call(*args: object) -> tuple[int, str, str]:
        status = main([str(a) for a in args])
        out = capsys.readouterr()
        return status, out.out, out.err

    return call


def test_a_ledger_a_week_later(run: Any) -> None:
    status, out, err = run("forms", "diff", OLD / "gaoping_ledger.xlsx", NEW / "gaoping_ledger.xlsx", "--json")
    (told,) = json.loads(out)

    assert (1, "") == (status, err)
    assert {"values": 1, "changed": 2, "added": 1, "removed": 0, "moved": 0, "renumbered": 0} == told["counts"]
    assert [("填报时间", "2024年12月27日", "2025年1月3日")] == [
        (v["label"], v["before"], v["after"]) for v in told["values"]
    ]
    assert [
        ("整改完成情况", "重大隐患台账!L7", "重大隐患台账!L7"),
        ("行政处罚情况", "重大隐患台账!K8", "重大隐患台账!K8"),
    ] == [(c["label"], c["old"], c["new"]) for r in told["rows"] for c in r["cells"]]
    assert [] == told["findings"]


def test_the_same_file_as_excel_word_json_and_csv(run: Any, tmp_path: Path) -> None:
    """What was converted says the same: status 0, and that in words."""
    source = NEW / "gaoping_ledger.xlsx"
    for suffix in ("docx", "json"):
        run("forms", "convert", source, tmp_path / f"x.{suffix}")
    run("forms", "export", source, "--to", tmp_path / "x.csv")
    for suffix in ("docx", "json", "csv"):
        status, out, _ = run("forms", "diff", source, tmp_path / f"x.{suffix}")

        assert 0 == status
        assert "内容相同。" in out


@pytest.mark.parametrize("suffix", ["xlsx", "docx"])
def test_the_differences_on_paper(run: Any, tmp_path: Path, suffix: str) -> None:
    to = tmp_path / f"不同.{suffix}"
    status, out, _ = run("forms", "diff", OLD / "gaoping_weekly.xlsx", NEW / "gaoping_weekly.xlsx", "--to", to)
    if suffix == "xlsx":
        sheet = openpyxl.load_workbook(to).active
        assert sheet is not None
        cells = {str(c) for row in sheet.iter_rows(values_only=True) for c in row if c is not None}
    else:
        cells = {c.text for t in docx.Document(str(to)).tables for row in t.rows for c in row.cells}

    assert 1 == status
    assert f"已写入：{to}" in out
    assert {"填报时间", "2024年12月27日", "2025年1月3日", "周调度统计表!A4"} <= cells


def test_two_forms_are_refused_with_both_names(run: Any) -> None:
    status, out, err = run("forms", "diff", NEW / "gaoping_ledger.xlsx", NEW / "gaoping_weekly.xlsx")

    assert (2, "") == (status, out)
    for words in ("gaoping_ledger.xlsx", "shanxi.major-hazard-ledger", "gaoping_weekly.xlsx", "shanxi.weekly-dispatch"):
        assert words in err


def test_another_version_is_said(run: Any, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    run("forms", "convert", NEW / "gaoping_ledger.xlsx", path)
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), "version": "2023-9"}), "utf-8")
    status, out, _ = run("forms", "diff", path, NEW / "gaoping_ledger.xlsx")

    assert 0 == status
    assert "表的版本不同：2023-9 → 2024-1。" in out


def test_a_file_that_cannot_be_read(run: Any, tmp_path: Path) -> None:
    (tmp_path / "x.xlsx").write_bytes(b"PK\x03\x04")
    status, out, _ = run("forms", "diff", tmp_path / "x.xlsx", NEW / "gaoping_ledger.xlsx", "--json")
    (told,) = json.loads(out)

    assert (1, None) == (status, told["form"])
    assert [("x.xlsx", "GM-F102")] == [(f["file"], f["code"]) for f in told["findings"]]


def test_six_tables_in_one_csv(run: Any, tmp_path: Path) -> None:
    """A line a unit, Excel knows the encoding, and all of it comes back."""
    files = [*sorted(NEW.glob("*_weekly.xlsx")), NEW / "yangcheng_weekly.docx"]
    status, _, _ = run("forms", "export", *files, "--to", tmp_path / "x.csv")
    data = (tmp_path / "x.csv").read_bytes()
    rows = list(csv.DictReader(data.decode("utf-8-sig").splitlines()))
    back = json.loads(run("forms", "read", tmp_path / "x.csv", "--json")[1])[0]

    assert 0 == status
    assert data.startswith(b"\xef\xbb\xbf")
    assert [p.as_posix() for p in files] == [r["来源文件"] for r in rows]
    assert {"高平市应急管理局", "泽州县应急管理局"} <= {r["表头：填报单位"] for r in rows}
    assert "4" == next(r for r in rows if "gaoping" in r["来源文件"])["重大事故隐患发现数（self.major.found）"]
    assert len(files) == 1 + len(back["also"])


def test_another_form_is_left_out_of_a_csv_and_named(run: Any, tmp_path: Path) -> None:
    status, out, _ = run(
        "forms",
        "export",
        NEW / "gaoping_ledger.xlsx",
        NEW / "gaoping_weekly.xlsx",
        "--to",
        tmp_path / "x.csv",
        "--json",
    )
    (told,) = json.loads(out)

    assert 1 == status
    assert ["gaoping_ledger.xlsx"] == [r["file"] for r in told["records"]]
    assert "gaoping_weekly.xlsx" in told["left_out"][0]


def test_json_lines(run: Any, tmp_path: Path) -> None:
    """A record a line, of any form; each is a record again."""
    files = [NEW / "gaoping_ledger.xlsx", NEW / "gaoping_weekly.xlsx"]
    run("forms", "export", *files, "--to", tmp_path / "x.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "x.jsonl").read_text("utf-8").splitlines()]
    catalog = load_catalog()

    assert ["gaoping_ledger.xlsx", "gaoping_weekly.xlsx"] == [line["file"] for line in lines]
    for line in lines:
        assert "高平市应急管理局" == from_json(line, catalog.form(line["form"])).header["unit"]


def test_nothing_read_writes_nothing(run: Any, tmp_path: Path) -> None:
    (tmp_path / "x.xlsx").write_bytes(b"")
    (tmp_path / "out.csv").write_text("kept", "utf-8")
    status, _, _ = run("forms", "export", tmp_path / "x.xlsx", "--to", tmp_path / "out.csv")

    assert 1 == status
    assert "kept" == (tmp_path / "out.csv").read_text("utf-8")
    assert {"x.xlsx", "out.csv"} == {p.name for p in tmp_path.iterdir()}


def test_only_csv_and_json_lines(run: Any, tmp_path: Path) -> None:
    assert 2 == run("forms", "export", NEW / "gaoping_ledger.xlsx", "--to", tmp_path / "x.xlsx")[0]


def test_the_schema_as_a_file(run: Any, tmp_path: Path) -> None:
    run("forms", "schema", "weekly-dispatch", "--to", tmp_path / "s.json")

    assert (
        json.loads((tmp_path / "s.json").read_text("utf-8"))
        == json.loads(run("forms", "schema", "weekly-dispatch")[1])[0]
    )
