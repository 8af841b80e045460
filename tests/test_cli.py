"""The command line: what it prints, its JSON contract, its exit status, and that it never shows a traceback."""

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from compare import SAMPLES, SCENARIO
from gmsafety.cli import main

PASS, FAIL = SAMPLES / "should_pass", SAMPLES / "should_fail"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    """Run a command; return exit status, standard output, standard error."""

    def call(*args: object) -> tuple[int, str, str]:
        status = main([str(a) for a in args])
        out = capsys.readouterr()
        return status, out.out, out.err

    return call


# arguments, exit status
STATUS = (
    (("plugin", "list"), 0),
    (("campaigns", "list"), 0),
    (("campaigns", "show", "shanxi.gongmao-2024"), 0),
    (("campaigns", "show", "no-such"), 2),
    (("duties", "--campaign", "jincheng.gongmao-2024"), 0),
    (("duties", "--unit", "nobody"), 2),
    (("forms", "list"), 0),
    (("forms", "show", "weekly-dispatch"), 0),
    (("forms", "show", "no-such"), 2),
    (("forms", "schema", "major-hazard-ledger"), 0),
    (("forms", "read", PASS / "weekly_plain.xlsx"), 0),
    (("forms", "read", "no-such-file.xlsx"), 2),
    (("forms", "check", PASS / "ledger_nil.xlsx"), 0),
    (("forms", "check", FAIL / "rectified_over_found.xlsx"), 1),
    (("forms", "check", FAIL / "truncated.xlsx"), 1),
    (("forms", "blank", "weekly-dispatch", "--to", "/no/such/folder/x.xlsx"), 3),
    (("forms", "blank", "weekly-dispatch", "--to", "x.ods"), 2),
    (("--version",), 0),
    (("rollup", "weekly-dispatch", PASS / "weekly_plain.xlsx", "--unit", "140500", "--period", "2024-12-21"), 2),
    (("rollup", "weekly-dispatch", PASS / "weekly_plain.xlsx", "--unit", "140525", "--period", "2025-01-10"), 2),
    (("forms", "nonsense"), 2),
    (("rollup", "weekly-dispatch", PASS / "weekly_plain.xlsx", "--unit", "140500", "--period", "someday"), 2),
    ((), 2),
)


@pytest.mark.parametrize(
    ("args", "status"), STATUS, ids=lambda a: " ".join(map(str, a))[-40:] if isinstance(a, tuple) else ""
)
def test_exit_status(args: tuple[object, ...], status: int, run: Any) -> None:
    got, out, err = run(*args)

    assert status == got, out + err
    assert "Traceback" not in out + err
    assert bool(err) or status in (0, 1) or not args


def test_check_json_is_as_documented(run: Any) -> None:
    status, out, _ = run("forms", "check", FAIL / "rectified_over_found.xlsx", PASS / "weekly_plain.xlsx", "--json")
    wrong, fine = json.loads(out)
    finding = wrong["findings"][0]

    assert 1 == status
    assert ["rectified_over_found.xlsx", "weekly-dispatch", "2024-1"] == [
        wrong["file"],
        wrong["form"],
        wrong["version"],
    ]
    assert {"code", "kind", "severity", "where", "sheet", "message", "remedy"} == set(finding)
    assert ("GM-R401", "error", "C6", "周调度统计表") == tuple(
        finding[k] for k in ("code", "severity", "where", "sheet")
    )
    assert "“企业自查自改”已整改112条，多于发现的109条。" == finding["message"]
    assert [] == fine["findings"]


def test_an_unreadable_file_is_a_finding(run: Any) -> None:
    status, out, _ = run("forms", "check", FAIL / "password_protected.xlsx", "--json")
    (view,) = json.loads(out)

    assert 1 == status
    assert (None, None, ["encrypted-file"]) == (view["form"], view["version"], [f["kind"] for f in view["findings"]])


def test_previous_and_with(run: Any) -> None:
    support = FAIL / "support"
    fell = run(
        "forms",
        "check",
        FAIL / "cumulative_drop.xlsx",
        "--previous",
        support / "cumulative_drop_previous.xlsx",
        "--json",
    )
    pair = run(
        "forms",
        "check",
        FAIL / "table_ledger_mismatch.xlsx",
        "--with",
        support / "table_ledger_mismatch_ledger.xlsx",
        "--json",
    )

    assert ["lower-than-last-period"] == [f["kind"] for f in json.loads(fell[1])[0]["findings"]]
    assert (
        "“一般问题隐患发现数”上期为138，本期为132；累计数据不应减少。"
        == json.loads(fell[1])[0]["findings"][0]["message"]
    )
    assert {"table-ledger-mismatch"} == {f["kind"] for f in json.loads(pair[1])[0]["findings"]}
    assert (1, 1) == (fell[0], pair[0])


def test_a_week_of_all_counties_in_one_call(run: Any) -> None:
    """Six tables, each with its own ledger and its own last week, found by the unit that filed them."""
    week, before = SCENARIO / "2025-01-03", SCENARIO / "2024-12-27"
    tables = sorted(p for p in week.glob("*weekly*") if p.suffix != ".json")
    extra: list[object] = []
    for ledger in sorted(p for p in week.glob("*ledger*") if p.suffix != ".json"):
        extra += ["--with", ledger]
    for last in sorted(p for p in before.glob("*weekly*") if p.suffix != ".json"):
        extra += ["--previous", last]
    _, out, _ = run("forms", "check", *tables, *extra, "--json")
    wrong = {v["file"]: [f["kind"] for f in v["findings"] if f["severity"] != "info"] for v in json.loads(out)}

    assert {"gaoping_weekly.xlsx": ["table-ledger-mismatch"]} == {f: k for f, k in wrong.items() if k}


def test_read_prints_the_printed_view(run: Any) -> None:
    _, out, _ = run("forms", "read", PASS / "weekly_plain.xlsx", "--printed", "--json")
    (view,) = json.loads(out)

    assert [28, 134, 106, 4, 4, 5, 11, 34, 26, 3, 3] == view["clauses"]["2"]["numbers"]
    assert {"填报单位": "泽州县应急管理局", "填报时间": "2025-01-10"} == view["header"]


def test_read_keeps_cells_and_what_was_typed(run: Any) -> None:
    _, out, _ = run("forms", "read", PASS / "ledger_mixed_dates.xlsx", "--json")
    (view,) = json.loads(out)

    assert "2024-12-23" == view["rows"][7]["inspected"]
    assert "G12" == view["cells"][7]["inspected"]
    assert "二〇二四年十二月二十三日" == view["typed"]["7.inspected"]


def test_blank_fill_convert(run: Any, tmp_path: Path) -> None:
    source = SCENARIO / "2024-12-20" / "zezhou_weekly.xlsx"
    steps = [source, tmp_path / "a.json", tmp_path / "b.docx", tmp_path / "c.xlsx"]
    for before, after in pairwise(steps):
        assert 0 == run("forms", "convert", before, after)[0]
    _, out, _ = run("forms", "read", source, tmp_path / "c.xlsx", "--printed", "--json")
    first, last = json.loads(out)

    assert first["clauses"] == last["clauses"]
    assert first["header"] == last["header"]


def test_fill_takes_a_record_or_a_printed_view(run: Any, tmp_path: Path) -> None:
    _, printed, _ = run("forms", "read", PASS / "ledger_nil.xlsx", "--printed", "--json")
    _, plain, _ = run("forms", "read", PASS / "ledger_nil.xlsx", "--json")
    for name, text in (("printed", printed), ("plain", plain)):
        data = tmp_path / f"{name}.json"
        data.write_text(text, "utf-8")
        assert 0 == run("forms", "fill", "major-hazard-ledger", data, "--to", tmp_path / f"{name}.xlsx")[0]
        assert json.loads(run("forms", "read", tmp_path / f"{name}.xlsx", "--printed", "--json")[1])[0]["nil"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "不是合法的JSON"),
        ("[1, 2]", "应为一个JSON对象"),
        ('{"header": {"填报单位": "x"}, "rows": [{"没有的列": 1}]}', "没有“没有的列”一列"),
        ('{"header": {}, "rows": [{"inspected": "someday"}]}', "rows[0].inspected"),
    ],
)
def test_data_that_does_not_fit_is_said(text: str, said: str, run: Any, tmp_path: Path) -> None:
    data = tmp_path / "data.json"
    data.write_text(text, "utf-8")
    status, _, err = run("forms", "fill", "major-hazard-ledger", data, "--to", tmp_path / "x.xlsx")

    assert 3 == status
    assert said in err


def test_another_forms_data_is_refused(run: Any, tmp_path: Path) -> None:
    data = tmp_path / "weekly.json"
    data.write_text(run("forms", "read", PASS / "weekly_plain.xlsx", "--printed", "--json")[1], "utf-8")
    status, _, err = run("forms", "fill", "major-hazard-ledger", data, "--to", tmp_path / "x.xlsx")

    assert 3 == status
    assert "是“weekly-dispatch”的数据" in err


def test_a_file_to_compare_with_that_cannot_be_read_is_said(run: Any) -> None:
    status, out, _ = run("forms", "check", PASS / "weekly_plain.xlsx", "--with", FAIL / "truncated.xlsx", "--json")

    assert 1 == status
    assert ["pair-not-comparable"] == [f["kind"] for f in json.loads(out)[0]["findings"]]


def test_a_rollup_names_the_file_and_judges_its_rules(run: Any) -> None:
    files = [FAIL / "rectified_over_found.xlsx"]
    _, out, _ = run("rollup", "weekly-dispatch", *files, "--unit", "140500", "--period", "2025-01-10", "--json")
    found = {f["kind"]: f.get("file") for f in json.loads(out)[0]["findings"]}

    assert "rectified_over_found.xlsx" == found["rectified-exceeds-found"]


def test_names_go_up_to_the_province(run: Any) -> None:
    city = PASS / "weekly_city_march_lo.docx"
    _, out, _ = run("rollup", "weekly-dispatch", city, "--unit", "shanxi-office", "--period", "2025-03-21", "--json")

    assert ["运城市", "闻喜县", "新绛县"] == json.loads(out)[0]["clauses"]["4"]["texts"]


def test_duties_as_json_and_as_a_calendar(run: Any) -> None:
    status, out, _ = run("duties", "--campaign", "jincheng.gongmao-2024", "--unit", "140525", "--json")
    weekly = [d for d in json.loads(out) if d["duty"] == "weekly-forms"]

    assert 0 == status
    assert 15 == len(weekly)
    assert ("2024-12-20", "2024-12-20T12:00:00+08:00") == (weekly[0]["period"], weekly[0]["due"])
    assert ["2025-01-31"] == [d["period"] for d in weekly if any(f["flag"] == "public-holiday" for f in d["flags"])]


def test_days_off_can_be_added(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    days = tmp_path / "days.yaml"
    days.write_text("year: 2027\nsource: 示例\nholidays: {元旦: [2027-01-01, 2027-01-03]}\nworkdays: []\n", "utf-8")
    monkeypatch.setenv("GMSAFETY_CALENDAR", str(days))
    fine = run("duties", "--unit", "140525", "--json")
    monkeypatch.setenv("GMSAFETY_CALENDAR", str(tmp_path / "missing.yaml"))
    missing = run("duties", "--unit", "140525")

    assert 0 == fine[0]
    assert 2 == missing[0]
    assert "missing.yaml" in missing[2]


def test_the_calendar_file() -> None:
    command = [sys.executable, "-m", "gmsafety.cli", "duties", "--unit", "140525", "--ics"]
    done = subprocess.run(command, check=True, capture_output=True)

    assert done.stdout.startswith(b"BEGIN:VCALENDAR")
    assert 16 == done.stdout.count(b"BEGIN:VEVENT")


def test_everything_that_lists_also_speaks_json(run: Any) -> None:
    for args in (("plugin", "list"), ("campaigns", "list"), ("campaigns", "show", "shanxi.gongmao-2024"), ("forms", "list"), ("forms", "show", "weekly-dispatch"), ("plugin", "schema"), ("duties",)):  # fmt: skip
        _, out, _ = run(*args, *(["--json"] if args != ("plugin", "schema") else []))
        assert isinstance(json.loads(out), list)


def test_a_human_reads_place_what_and_remedy(run: Any) -> None:
    _, out, _ = run("forms", "check", FAIL / "done_without_date.xlsx")

    assert "1 处需要处理" in out
    assert "工作表“台账”L6单元格：已完成整改，但没有写完成时间。请在“整改完成情况”中写明完成时间。" in out
    assert "GM-R405" in out


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGPIPE")
@pytest.mark.parametrize("command", ["forms show weekly-dispatch", "forms schema weekly-dispatch"])
def test_a_reader_who_leaves_is_no_finding(command: str) -> None:
    """`gmsafety forms show weekly-dispatch | head -1`."""
    process = subprocess.Popen(
        [sys.executable, "-m", "gmsafety", *command.split()], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.close()
    _, said = process.communicate()

    assert (141, b"") == (process.returncode, said)
