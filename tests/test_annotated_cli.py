"""`gmsafety forms check --annotate`: where copies go, and what is said of files that bear no marks."""

import json
import shutil
from pathlib import Path

import openpyxl
import pytest

from compare import SAMPLES
from gmsafety.cli import main

FAIL = SAMPLES / "should_fail"
BAD, WORD, OLD = FAIL / "rectified_over_found.xlsx", FAIL / "part_over_total.docx", SAMPLES / "judgement" / "ledger.xls"


def test_copies_are_written_beside_their_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["forms", "check", str(BAD), str(WORD), str(OLD), "--annotate", str(tmp_path)])
    said = capsys.readouterr().out

    assert 1 == status
    assert {"rectified_over_found.核对.xlsx", "part_over_total.核对.docx"} == {p.name for p in tmp_path.iterdir()}
    assert f"已标注：{tmp_path / 'rectified_over_found.核对.xlsx'}" in said
    assert "“ledger.xls”是 .xls 文件，不能涂色和批注。请另存为 .xlsx 后再核对。" in said


def test_json_says_where_or_why_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["forms", "check", str(BAD), str(OLD), "--annotate", str(tmp_path), "--json"])
    bad, old = json.loads(capsys.readouterr().out)
    book = openpyxl.load_workbook(bad["annotated"])

    assert "核对结果" == book.sheetnames[-1]
    assert (None, True) == (old["annotated"], "另存为 .xlsx" in old["not_annotated"])
    assert "not_annotated" not in bad


def test_nothing_is_written_over_what_was_read_or_just_written(tmp_path: Path) -> None:
    """Two files of one name, and a copy that is checked again where it lies."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    given = [shutil.copy(BAD, tmp_path / name / "x.xlsx") for name in "ab"]
    main(["forms", "check", *map(str, given), "--annotate", str(tmp_path)])
    first = tmp_path / "x.核对.xlsx"
    before = first.read_bytes()
    main(["forms", "check", str(first), "--annotate", str(tmp_path)])

    assert {"x.核对.xlsx", "x.核对(2).xlsx"} == {p.name for p in tmp_path.glob("*.xlsx")}
    assert before == first.read_bytes() == (tmp_path / "x.核对(2).xlsx").read_bytes()


def test_a_folder_is_made_but_not_the_way_to_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert 1 == main(["forms", "check", str(BAD), "--annotate", str(tmp_path / "new")])
    assert [f"{BAD.stem}.核对.xlsx"] == [p.name for p in (tmp_path / "new").iterdir()]
    capsys.readouterr()
    assert 3 == main(["forms", "check", str(BAD), "--annotate", str(tmp_path / "none" / "deep")])
    assert "没有文件夹" in capsys.readouterr().err
