"""The tutorial from a notice to a plugin: every file is written as it is shown, every command run and compared."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from gmsafety import cli
from pages import BLOCK, commands, looks_like, text_of

PAGE = text_of("docs/tutorial.md")
NAMED = re.compile(r"# ([\w./-]+\.\w+)\n")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, with a place where pip installs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.syspath_prepend(tmp_path / "installed")
    return tmp_path


def run(command: str, here: Path, capfd: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Do what a reader types at the prompt."""
    program, *words = command.split()
    if program == "gmsafety":
        return cli.main(words), "".join(capfd.readouterr())
    if program == "rm":
        for word in words:
            (here / word).unlink()
        return 0, ""
    if program == "pip":
        options = ("-q", "--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check")
        words = ["-m", "pip", *words, *options, "--target", "installed"]
    done = subprocess.run(
        [sys.executable, *words, *(["-p", "no:cacheprovider"] if "pytest" in words else [])],
        env={"PYTHONPATH": str(here / "installed"), "PATH": "", "HOME": str(here), "SYSTEMROOT": "C:\\Windows"},
        capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_the_tutorial_is_true(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    done = []
    for language, block in BLOCK.findall(PAGE):
        if (named := NAMED.match(block)) and language != "console":
            (here / named[1]).write_text(block.removeprefix(named[0]), "utf-8")
            done.append(named[1])
        for command, shown, stated in commands(block) if language == "console" else ():
            status, output = run(command, here, capfd)
            done.append(command.split()[0])

            assert stated == status, f"$ {command}\n{output}"
            assert looks_like(shown).fullmatch(output), f"$ {command}\n{output}"

    assert {"gmsafety": 13, "rm": 1, "pip": 1, "python": 1} == {p: done.count(p) for p in done if "." not in p}
    assert 8 == sum("." in name for name in done)
    assert 160 > sum(len(f.read_text("utf-8").splitlines()) for f in written(here / "yunling"))


def written(folder: Path) -> list[Path]:
    """Every file of the region that its author answers for; pip leaves a folder beside them."""
    return [f for f in folder.rglob("*") if f.is_file() and not {".schema", "build", "__pycache__"} & {*f.parts}]
