"""A folder or an archive of files checked in one go: none stops the others, nothing is unpacked to the disk."""

import io
import json
import os
import shutil
import struct
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from compare import SAMPLES, SCENARIO
from gmsafety import load_catalog
from gmsafety.cli import main, workers
from gmsafety.cli.workers import Outcome, Settings, Task, check_all
from gmsafety.forms import gathering, read
from gmsafety.forms.gathering import Gathered, TooManyFiles, gather, safe_name

WEEK = SCENARIO / "2025-01-03"
FILES = sorted(p for p in WEEK.iterdir() if p.suffix != ".json")
BAD = SAMPLES / "should_fail"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    """Run a command; return exit status, standard output, standard error."""

    def call(*args: object) -> tuple[int, str, str]:
        status = main([str(a) for a in args])
        out = capsys.readouterr()
        return status, out.out, out.err

    return call


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six counties' forms in folders of their own, with files that cannot be read and what systems leave behind."""
    made = tmp_path / "报来的"
    for path in FILES:
        county = made / path.name.partition("_")[0]
        county.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, county)
    for name in ("truncated.xlsx", "empty_file.xlsx", "password_protected.xlsx", "inflates_to_300mb.xlsx"):
        shutil.copy(BAD / name, made)
    for name in ("~$gaoping_weekly.xlsx", "Thumbs.db", ".DS_Store", "__MACOSX/._x.xlsx", "说明.md"):
        (made / name).parent.mkdir(exist_ok=True)
        (made / name).write_bytes(b"x")
    return made


def archive(members: dict[str, bytes], *, to: Path, utf8: bool = True) -> Path:
    """A zip; without `utf8`, names are in GBK and no flag says so, as Windows in China writes them."""
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in members.items():
            made.writestr(zipfile.ZipInfo(name), data)
    if not utf8:
        data = to.read_bytes()
        for name in members:
            data = data.replace(name.encode(), name.encode("gbk").ljust(len(name.encode()), b" "))
        data = data.replace(b"\x00\x08\x00\x00", b"\x00\x00\x00\x00")
        to.write_bytes(data)
    return to


def test_a_folder_in_one_go(run: Any, folder: Path) -> None:
    """Every file is there once, with its unit and day; each table is judged by the ledger of its unit."""
    status, out, err = run("forms", "check", folder, "--json")
    told = {t["file"]: t for t in json.loads(out)}
    table = told["gaoping_weekly.xlsx"]

    assert 1 == status
    assert "" == err
    assert {p.name for p in FILES} <= set(told)
    assert ("weekly-dispatch", "高平市应急管理局", "2025-01-03") == (table["form"], table["unit"], table["date"])
    assert ["GM-X601"] == [f["code"] for f in table["findings"] if f["severity"] == "error"]
    assert {
        "truncated.xlsx": "GM-F102",
        "empty_file.xlsx": "GM-F101",
        "password_protected.xlsx": "GM-F103",
        "inflates_to_300mb.xlsx": "GM-F104",
    } == {n: t["findings"][0]["code"] for n, t in told.items() if t.get("findings") and t["form"] is None}
    assert {
        "~$gaoping_weekly.xlsx": "办公软件的临时文件",
        "Thumbs.db": "系统文件",
        "说明.md": "不是表格文件",
    }.items() <= {n: t["skipped"] for n, t in told.items() if "skipped" in t}.items()


def test_the_same_findings_as_one_by_one(run: Any, tmp_path: Path) -> None:
    """A folder of bad samples finds what each file by itself shows."""
    names = [
        "rectified_over_found.xlsx",
        "negative_number.xlsx",
        "future_date.xlsx",
        "two_numbers.xlsx",
        "missing_column.xlsx",
    ]
    for n in range(2):  # enough files for several processes
        (tmp_path / str(n)).mkdir()
        for name in names:
            shutil.copy(BAD / name, tmp_path / str(n))
    _, out, _ = run("forms", "check", tmp_path / "0", tmp_path / "1", "--json")
    together = [(t["file"], t["findings"]) for t in json.loads(out)]
    alone = [(n, json.loads(run("forms", "check", BAD / n, "--json")[1])[0]["findings"]) for n in sorted(names)]

    assert alone * 2 == together


def test_the_summary_on_screen_and_on_paper(run: Any, folder: Path, tmp_path: Path) -> None:
    to = tmp_path / "汇总.xlsx"
    status, out, err = run("forms", "check", folder, "--to", to)
    sheet = openpyxl.load_workbook(to).active
    assert sheet is not None
    cells = [[c for c in row if c is not None] for row in sheet.iter_rows(values_only=True)]

    assert 1 == status
    assert "" == err
    assert "共16个文件：11个没有问题，1个有问题，4个未能读取；另有" in out
    assert "没有核对（办公软件的临时文件）" in out
    assert len(FILES) + 4 == sum(isinstance(row[0], int) for row in cells if row)
    assert any("高平市应急管理局" in row and "1 处需要处理" in row for row in cells)


def test_an_archive_of_marked_copies(run: Any, folder: Path, tmp_path: Path) -> None:
    """Every copy under the name its file came with; those that cannot be marked are named."""
    to = tmp_path / "标注.zip"
    _, out, _ = run("forms", "check", folder, "--annotate", to)
    with zipfile.ZipFile(to) as made:
        names = made.namelist()
        reading = read(made.read("gaoping/gaoping_weekly.核对.xlsx"), load_catalog(), name="x.xlsx")

    assert sorted(f"{p.name.partition('_')[0]}/{p.stem}.核对{p.suffix}" for p in FILES) == sorted(names)
    assert reading.record is not None
    assert "没有标注：" in out


def test_names_in_gbk(run: Any, tmp_path: Path) -> None:
    made = archive(
        {"高平市/周调度表.xlsx": (WEEK / "gaoping_weekly.xlsx").read_bytes()}, to=tmp_path / "a.zip", utf8=False
    )
    found = gather([made])

    assert ["高平市/周调度表.xlsx"] == ["".join(g.name.removeprefix(f"{made.as_posix()}/").split()) for g in found]
    assert 0x800 & zipfile.ZipFile(made).infolist()[0].flag_bits == 0
    assert 0 == len([g for g in found if g.refused or g.skipped])


# a name in an archive, where it leads
NAMES = (
    ("../../etc/x.xlsx", "etc/x.xlsx"),
    ("/etc/x.xlsx", "etc/x.xlsx"),
    ("C:\\表\\x.xlsx", "表/x.xlsx"),
    ("a/./../b/x.xlsx", "a/b/x.xlsx"),
    ("x\u202e.xlsx\n", "x.xlsx"),
    ("..", "文件"),
)


@pytest.mark.parametrize(("name", "safe"), NAMES)
def test_no_name_leads_elsewhere(name: str, safe: str) -> None:
    assert safe == safe_name(name)


def test_marked_copies_of_tricky_names_stay_inside(run: Any, tmp_path: Path) -> None:
    data = (WEEK / "gaoping_weekly.xlsx").read_bytes()
    made = archive({"../../x.xlsx": data, "/x.xlsx": data, "a/../x.xlsx": data}, to=tmp_path / "a.zip")
    run("forms", "check", made, "--annotate", tmp_path / "o.zip")

    assert ["a/x.核对.xlsx", "x.核对(2).xlsx", "x.核对.xlsx"] == sorted(zipfile.ZipFile(tmp_path / "o.zip").namelist())


def test_what_an_archive_may_hold(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nested, encrypted, too large, broken, or too much altogether: each said, the good one read."""
    monkeypatch.setattr(gathering, "LARGEST_ARCHIVE", 10 * 2**20)
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as nested:
        nested.writestr("x.xlsx", b"x")
    good = (WEEK / "gaoping_ledger.xlsx").read_bytes()
    members = {"好.xlsx": good, "内.zip": inner.getvalue(), "密.xlsx": b"secret", "坏.xlsx": b"broken" * 50}
    large = {"大.xlsx": b"\0" * (21 * 2**20), "多.xlsx": b"\0" * (15 * 2**20)}
    made = archive({**members, **large}, to=tmp_path / "a.zip")
    data = bytearray(made.read_bytes())
    opened = zipfile.ZipFile(made)
    entries = [i for i in range(opened.start_dir, len(data)) if data[i : i + 4] == b"PK\x01\x02"]
    for entry, info in zip(entries, opened.infolist(), strict=True):
        if info.filename == "坏.xlsx":  # its bytes no longer fit its checksum
            at = info.header_offset + 30 + len("坏.xlsx".encode())
            data[at + 2] ^= 0xFF
        if info.filename == "密.xlsx":
            struct.pack_into("<H", data, entry + 8, info.flag_bits | 1)
    made.write_bytes(bytes(data))
    status, out, _ = run("forms", "check", made, "--json")
    told = {t["file"]: (t["form"], [f["code"] for f in t["findings"]]) for t in json.loads(out)}

    assert 1 == status
    assert ("major-hazard-ledger", []) == told["好.xlsx"]
    assert [["GM-F108"], ["GM-F110"], ["GM-F104"], ["GM-F103"], ["GM-F102"]] == [
        told[n][1] for n in ("内.zip", "大.xlsx", "多.xlsx", "密.xlsx", "坏.xlsx")
    ]


def test_an_archive_that_is_none(run: Any, tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04 and no more")
    status, out, _ = run("forms", "check", tmp_path / "a.zip", "--json")

    assert (1, ["GM-F102"]) == (status, [f["code"] for f in json.loads(out)[0]["findings"]])


def test_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "表.xlsx").symlink_to(WEEK / "gaoping_ledger.xlsx")

    assert ["是链接，没有跟随"] == [g.skipped for g in gather([tmp_path / "x"])]


def test_no_end_of_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "MOST_FILES", 3)
    for n in range(5):
        (tmp_path / f"{n}.xlsx").write_bytes(b"x")

    with pytest.raises(TooManyFiles):
        gather([tmp_path])


def test_nothing_to_check(run: Any, tmp_path: Path) -> None:
    status, _, err = run("forms", "check", tmp_path)

    assert 3 == status
    assert "没有可以核对的文件" in err


class Deadly(Gathered):
    """A file at which the process dies, as one does that the system kills for want of memory."""

    def load(self) -> bytes:
        os._exit(9)


def test_a_process_that_dies_takes_no_other_file_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_FEW", 2)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    files: list[Gathered] = [Gathered(p.name, p) for p in FILES[:4]]
    files.insert(1, Deadly("坏.xlsx", FILES[0]))
    tasks = [Task(n, f) for n, f in enumerate(files)]
    outcomes: dict[int, Outcome] = {o.number: o for o in check_all(tasks, Settings(), load_catalog())}

    assert set(range(5)) == set(outcomes)
    assert "中途退出" in outcomes[1].failed
    assert [4] == [sum(bool(o.forms) and not o.failed for o in outcomes.values())]
