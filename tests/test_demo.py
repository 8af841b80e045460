"""`gmsafety demo`, as a process of its own: it plays, it goes on, it leaves other people's files alone."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from compare import SCENARIO
from gmsafety import Catalog
from gmsafety.forms import read
from gmsafety.forms.printed import to_printed

COMMAND = [sys.executable, "-m", "gmsafety", "demo", "--folder", "data", "--out", "out"]


def run(folder: Path, *more: str, port: int = 0) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "COLUMNS": "100"}
    return subprocess.run(
        [*COMMAND, "--port", str(port), *more],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=folder,
        env=environment,
        check=False,
    )


@contextmanager
def left_running(folder: Path, *more: str, port: int = 0) -> Iterator[tuple[str, str]]:
    """The demonstration, begun in the background, until somebody interrupts it: what it said, and its address."""
    command = ["sh", "-c", 'trap "" INT; exec "$@"', "demo", *COMMAND, "--port", str(port), *more]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, encoding="utf-8", cwd=folder) as process:
        assert process.stdout is not None
        said = ""
        while "Ctrl+C" not in said:
            line = process.stdout.readline()
            assert line, said
            said += line
        yield said, re.search(r"http://127\.0\.0\.1:\d+", said)[0]  # type: ignore[index]
        process.send_signal(signal.SIGINT)
        assert "演示已停止。" in process.stdout.read()
        assert 0 == process.wait()


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder in which the story was played, and what was said."""
    folder = tmp_path_factory.mktemp("demo")
    done = run(folder, "--exit")

    assert (0, "") == (done.returncode, done.stderr)
    return folder, done.stdout


def test_the_story_is_told(played: tuple[Path, str]) -> None:
    _, said = played
    told = [
        "泽州县应急管理局登录，看到本周要报",
        "C7单元格：企业自查发现重大事故隐患4条，台账中“企业自查”有3条。 GM-X601",
        "市局退回高平市应急管理局，写明是哪一格：C7",
        "陵川县迟了281分钟",
        "← gaoping_weekly.xlsx 工作表“周调度统计表”C7单元格",
        "第2行“重大事故隐患发现数” 10 → 9",
        "签名全部有效",
        "jincheng-shenhe",
    ]

    assert [] == [words for words in told if words not in said]


def test_the_citys_official_forms_are_there(played: tuple[Path, str], catalog: Catalog) -> None:
    folder, _ = played
    written = sorted(p for p in (folder / "out").iterdir() if p.name.startswith("晋城市"))
    records = {p.stem: read(p, catalog).record for p in written}
    wanted = json.loads((SCENARIO / "expected_rollup_2025-01-03.json").read_text("utf-8"))
    table, ledger = (records[f"晋城市_2025-01-03_{n}"] for n in ("周调度统计表", "重大事故隐患台账"))
    assert table is not None
    assert ledger is not None
    figures = {n: c["numbers"] for n, c in to_printed(table)["clauses"].items() if n in wanted["clauses"]}
    wanted["clauses"]["2"]["numbers"][3] -= 1  # the county that counted one too many corrected it

    assert 12 == len(written)
    assert None not in records.values()
    assert {n: c["numbers"] for n, c in wanted["clauses"].items()} == figures
    assert wanted["ledger_rows"] == len(ledger.rows)


def test_it_goes_on_with_what_is_there(played: tuple[Path, str]) -> None:
    folder, _ = played
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = taken.getsockname()[1]
        with left_running(folder, "--continue", port=number) as (said, address):
            about = httpx2.get(f"{address}/api/v1/node", trust_env=False).json()
            second = run(folder, "--exit")

    assert "第1周" not in said
    assert f"端口 {number} 已被占用" in said
    assert about["test"]
    assert "2025-01-03" == about["now"][:10]
    assert (2, True) == (second.returncode, "另一个演示正在使用" in second.stderr)


def test_what_is_no_demonstration_stays(tmp_path: Path) -> None:
    file = tmp_path / "data" / "gmsafety.db"
    nothing = run(tmp_path, "--continue", "--exit")
    file.parent.mkdir()
    file.write_text("my diary")
    other = run(tmp_path, "--exit")

    assert (2, True) == (nothing.returncode, "没有可以继续的演示" in nothing.stderr)
    assert (2, True) == (other.returncode, "不是演示的数据库" in other.stderr)
    assert "my diary" == file.read_text()
