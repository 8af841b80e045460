"""`make demo`, as a process of its own."""

import subprocess
import sys
from pathlib import Path

from compare import SCENARIO
from gmsafety import Catalog
from gmsafety.forms import read


def test_the_demo_tells_its_story_and_leaves_the_files(tmp_path: Path, catalog: Catalog) -> None:
    command = [sys.executable, str(SCENARIO / "demo.py"), "--out", str(tmp_path / "out")]
    done = subprocess.run(command, check=True, capture_output=True, text=True, encoding="utf-8", cwd=tmp_path)
    written = sorted((tmp_path / "out").iterdir())

    assert 12 == len(written)
    assert all(read(path, catalog).record for path in written)
    assert "迟281分钟" in done.stdout
    assert "企业自查发现重大事故隐患4条，台账中“企业自查”有3条。" in done.stdout
    assert "← qinshui_weekly.xlsx 附件1!C6" in done.stdout
