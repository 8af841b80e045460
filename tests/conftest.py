"""What all tests share: the catalog of the installed plugins, and whether an office suite is at hand."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from gmsafety import Catalog, load_catalog


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    """The catalog of all installed plugins."""
    return load_catalog()


@pytest.fixture(scope="session")
def office() -> Callable[..., list[Path]]:
    """Convert files with LibreOffice, many in one call; skipped where it is not installed."""
    soffice = shutil.which("soffice")
    if soffice is None:
        pytest.skip("LibreOffice is not installed (apt-get install libreoffice-calc libreoffice-writer)")

    def convert(files: list[Path], to: str, folder: Path) -> list[Path]:
        profile = f"-env:UserInstallation=file://{folder}/profile"
        command = [soffice, profile, "--headless", "--convert-to", to, "--outdir", str(folder), *map(str, files)]
        subprocess.run(command, check=True, capture_output=True, timeout=240)
        return [folder / f"{f.stem}.{to}" for f in files]

    return convert
