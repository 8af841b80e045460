"""The vectors are those that the program writes, and hold by the specification alone."""

import ast
import json
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
VECTORS = HERE / "vectors"
SCRIPT = HERE / "independent.py"


def test_the_program_still_writes_them(tmp_path: Path) -> None:
    runpy.run_path(str(HERE / "make_vectors.py"))["write"](tmp_path)
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    assert {path.name: path.read_bytes() for path in VECTORS.iterdir()} == written


def test_they_hold_for_a_script_that_knows_only_the_specification() -> None:
    done = subprocess.run([sys.executable, "-I", SCRIPT, VECTORS], capture_output=True, text=True, check=False)

    assert (0, "") == (done.returncode, done.stderr)
    assert int(done.stdout.split()[0]) > 200


def test_the_script_uses_nothing_of_ours() -> None:
    tree = ast.parse(SCRIPT.read_text("utf-8"))
    named = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    named |= {n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}

    assert {"cryptography"} == {name.split(".")[0] for name in named} - set(sys.stdlib_module_names)


@pytest.mark.parametrize("name", ["messages.json", "chain.json", "answers.json", "receipts.json"])
def test_the_script_finds_a_changed_byte(name: str, tmp_path: Path) -> None:
    for path in VECTORS.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    cases = json.loads((VECTORS / name).read_text("utf-8"))
    cases[0]["bytes_hex"] = cases[0]["bytes_hex"].replace(b"zezhou".hex(), b"zezhov".hex())
    (tmp_path / name).write_text(json.dumps(cases), "utf-8")
    done = subprocess.run([sys.executable, "-I", SCRIPT, tmp_path], capture_output=True, text=True, check=False)

    assert 1 == done.returncode
