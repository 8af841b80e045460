"""A hundred files checked in one go, beside one frictionless-py `validate` run for each of them.

frictionless knows no form: it opens the table and looks at its rows. It is not one of our dependencies; where it is not
installed (`requirements/bench.txt`, in an environment of its own), its side of the figure is left out.
"""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from functools import partial
from pathlib import Path

from measure import ROOT, Figure, Goal, alternate, figure, ratios, seconds

SAMPLES = ROOT / "examples/first-friday"
COUNT = 100
FEW = 10
"""How many files frictionless is run on; a hundred take as many times longer as there are more of them."""
ENVIRONMENT = ROOT / "benchmarks/.frictionless"


def bulk_figures(folder: Path, rounds: int) -> list[Figure]:
    """Measure a folder of a hundred files."""
    files = _hundred(folder / "hundred")
    ours = partial(
        seconds, partial(_checked, [_script("gmsafety"), "forms", "check", str(folder / "hundred"), "--json"])
    )
    program = os.environ.get("FRICTIONLESS") or shutil.which("frictionless", path=str(ENVIRONMENT / "bin"))
    if program is None:
        print("frictionless is not installed: its side is left out", file=sys.stderr)
        (mine,) = alternate([ours], rounds=rounds)
        return [_mine(mine)]
    mine, each = alternate([ours, partial(_validated, program, files[:FEW])], rounds=rounds)
    theirs = [seconds_each * COUNT for seconds_each in each]
    goal = Goal(4, is_least=True)
    what = "one frictionless validate run for each of 100 files ÷ gmsafety forms check of the folder"
    return [
        figure("bulk-ratio", ratios(theirs, mine), "×", what, goal=goal),
        _mine(mine),
        figure("bulk-frictionless", [e * 1e3 for e in each], "ms", "– frictionless validate, one file, whole process"),
    ]


def _mine(taken: list[float]) -> Figure:
    return figure("bulk", taken, "s", "– gmsafety forms check, 100 files, whole process")


def _hundred(folder: Path) -> list[Path]:
    """A hundred forms of six counties and three weeks, again and again."""
    samples = sorted(p for p in SAMPLES.glob("*/*.xlsx"))
    folder.mkdir()
    return [
        Path(shutil.copy(samples[n % len(samples)], folder / f"{n:03d}_{samples[n % len(samples)].name}"))
        for n in range(COUNT)
    ]


def _script(name: str) -> str:
    script = shutil.which(name, path=sysconfig.get_path("scripts"))
    if script is None:
        raise RuntimeError(f"the command {name} is not installed beside this Python")
    return script


def _validated(program: str, files: list[Path]) -> float:
    """Seconds for one file, of a few run one after the other."""
    return seconds(lambda: [_run([program, "validate", str(f)]) for f in files]) / len(files)


def _checked(command: list[str]) -> None:
    """Check the folder; RuntimeError where not every file was recognised."""
    told = json.loads(_run(command) or "[]")
    if len([t for t in told if t["form"]]) != COUNT:
        raise RuntimeError(f"{command}: not every file was checked")


def _run(command: list[str]) -> bytes:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode not in (0, 1) or done.stderr:  # 1: something was found
        raise RuntimeError(f"{command}: exit status {done.returncode}: {done.stderr.decode()[-500:]}")
    return done.stdout
