"""A region with two forms of the kinds that no notice prints here: statistics by industry, a ledger with sub-totals."""

from pathlib import Path

import pytest

from gmsafety import Catalog
from gmsafety.catalog import load_catalog
from gmsafety.content import read_content

HERE = Path(__file__).parent
REGION = """
documents:
  - {id: notice-1, title: 通知, issuer: 某市, level: city}
"""


@pytest.fixture(scope="session")
def region(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """The catalog of that region alone."""
    folder = tmp_path_factory.mktemp("region")
    package = folder / "gmsafety_statistics"
    (package / "forms").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "region.yaml").write_text(REGION, "utf-8")
    for name in ("statistics", "towns"):
        (package / "forms" / f"{name}.yaml").write_text((HERE / f"{name}.yaml").read_text("utf-8"), "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        return load_catalog([read_content(package.name, plugin="statistics", title="统计")])
