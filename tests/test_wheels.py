"""What the wheels carry is enough: they are built, installed into a bare environment and asked what they know."""

import json
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = {
    "gmsafety": ROOT / "src/gmsafety",
    "gmsafety_shanxi": ROOT / "plugins/shanxi/gmsafety_shanxi",
    "gmsafety_jincheng": ROOT / "plugins/jincheng/gmsafety_jincheng",
    "gmsafety_linfen": ROOT / "plugins/linfen/gmsafety_linfen",
    "gmsafety_shuozhou": ROOT / "plugins/shuozhou/gmsafety_shuozhou",
    "gmsafety_tianjin": ROOT / "plugins/tianjin/gmsafety_tianjin",
}
DISTRIBUTIONS = [ROOT, *(ROOT / "plugins" / n for n in ("shanxi", "jincheng", "linfen", "shuozhou", "tianjin"))]


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, encoding="utf-8", check=False)

    assert 0 == done.returncode, f"{' '.join(map(str, command))}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def pip(*arguments: str | Path, cwd: Path) -> None:
    run(sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments, cwd=cwd)


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The wheels, built from the source tree."""
    folder = tmp_path_factory.mktemp("wheels")
    pip("wheel", "--no-index", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, *DISTRIBUTIONS, cwd=folder)
    return sorted(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def dependencies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The installed packages of this environment without gmsafety's own editable ones."""
    folder = tmp_path_factory.mktemp("dependencies")
    for installed in Path(sysconfig.get_path("platlib")).iterdir():
        if installed.suffix != ".pth" and "gmsafety" not in installed.name:
            (folder / installed.name).symlink_to(installed)
    return folder


@pytest.fixture(scope="module")
def environment(wheels: list[Path], dependencies: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment that holds the wheels, and beside them only what gmsafety depends on."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True, with_pip=False)
    pip("--python", folder, "install", "--no-index", "--no-deps", *wheels, cwd=folder)
    (place("purelib", folder) / "dependencies.pth").write_text(f"{dependencies}\n", encoding="utf-8")
    return folder


def place(kind: str, environment: Path) -> Path:
    """Where an environment keeps its `purelib` (installed modules) or its `scripts`."""
    prefixes = {"base": str(environment), "platbase": str(environment)}
    return Path(sysconfig.get_path(kind, scheme="venv", vars=prefixes))


def test_every_file_of_a_package_travels(wheels: list[Path]) -> None:
    carried: set[str] = set()
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            carried.update(name for name in archive.namelist() if ".dist-info/" not in name)
    expected = {
        path.relative_to(package.parent).as_posix()
        for package in PACKAGES.values()
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }

    assert expected == carried


def test_modules_come_from_the_wheels(environment: Path, tmp_path: Path) -> None:
    imports = "".join(f"import {name}; print({name}.__file__)\n" for name in PACKAGES)
    printed = run(place("scripts", environment) / "python", "-c", imports, cwd=tmp_path)

    assert [place("purelib", environment) / name / "__init__.py" for name in PACKAGES] == [
        Path(line) for line in printed.splitlines()
    ]


@pytest.mark.parametrize("command", [["python", "-m", "gmsafety.cli"], ["gmsafety"]], ids=" ".join)
def test_installed_regions_are_listed(command: list[str], environment: Path, tmp_path: Path) -> None:
    program, *arguments = command
    printed = run(place("scripts", environment) / program, *arguments, "plugin", "list", "--json", cwd=tmp_path)
    listed = {plugin["name"] for plugin in json.loads(printed)}

    assert {"shanxi", "jincheng", "linfen", "shuozhou", "tianjin"} <= listed
