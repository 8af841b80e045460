"""The first moments: importing the library, asking the command for help, loading the catalog, each in a new process."""

import shutil
import subprocess
import sys
import sysconfig
from functools import partial

from measure import Figure, Goal, alternate, figure, in_child, seconds


def start_figures(rounds: int) -> list[Figure]:
    """Measure imports, `gmsafety --help` and the catalog."""
    return [*_processes(rounds), *_catalog(rounds)]


def _processes(rounds: int) -> list[Figure]:
    script = shutil.which("gmsafety", path=sysconfig.get_path("scripts"))
    if script is None:
        raise RuntimeError("the command gmsafety is not installed beside this Python")
    commands = [
        [sys.executable, "-c", "pass"],
        [sys.executable, "-c", "import gmsafety"],
        [sys.executable, "-c", "from gmsafety import load_catalog; from gmsafety.forms import check, fill, read"],
        [script, "--help"],
    ]
    bare, package, names, shown = alternate([partial(_milliseconds, c) for c in commands], rounds=rounds)
    return [
        figure(
            "import",
            [p - b for p, b in zip(package, bare, strict=True)],
            "ms",
            "import gmsafety, less a bare interpreter",
            goal=Goal(150),
        ),
        figure("import-process", package, "ms", "– import gmsafety, whole process"),
        figure("bare-interpreter", bare, "ms", "– bare interpreter, whole process"),
        figure(
            "import-names",
            [n - b for n, b in zip(names, bare, strict=True)],
            "ms",
            "– with load_catalog, read, check, fill, less a bare interpreter",
        ),
        figure("help", shown, "ms", "gmsafety --help, whole process", goal=Goal(400)),
    ]


def _milliseconds(command: list[str]) -> float:
    run = subprocess.run
    return 1e3 * seconds(lambda: run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True))


def _catalog(rounds: int) -> list[Figure]:
    (loaded,) = alternate([lambda: in_child("load")], rounds=rounds)
    return [
        figure(
            "catalog-load",
            [x["call"] * 1e3 for x in loaded],
            "ms",
            "load_catalog(), first call, five plugins",
            goal=Goal(300),
        ),
        figure("catalog-cold", [x["cold"] * 1e3 for x in loaded], "ms", "– with all imports"),
    ]
