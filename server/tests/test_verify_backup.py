"""`gmsafety verify` knows a backup, too: what it holds is verified as `gmsafety db verify` does."""

import json
from pathlib import Path

import pytest

from gmsafety import cli


@pytest.fixture
def backup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GMSAFETY_DATABASE", f"sqlite:///{tmp_path}/node.db")
    assert 0 == cli.main(["db", "upgrade"])
    assert 0 == cli.main(["db", "backup", "b.zip"])
    capfd.readouterr()
    return tmp_path / "b.zip"


def test_a_backup_holds(backup: Path, capfd: pytest.CaptureFixture[str]) -> None:
    status = cli.main(["verify", "b.zip", "--json"])
    told = json.loads(capfd.readouterr().out)[0]

    assert (0, "backup", True) == (status, told["kind"], told["holds"])
    assert "取自备份本身，只能证明前后一致" == told["facts"]["公钥"]
    assert "相符" == told["facts"]["审计记录"]


def test_a_damaged_backup_does_not(backup: Path, capfd: pytest.CaptureFixture[str]) -> None:
    data = bytearray(backup.read_bytes())
    data[len(data) // 3] ^= 0x55
    backup.write_bytes(data)

    assert 1 == cli.main(["verify", "b.zip"])
    assert capfd.readouterr().out.startswith("不成立　b.zip：")
