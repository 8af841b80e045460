"""Settings: where they come from, which is stronger, what is refused, and that the page about them is whole."""

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from gmsafety.cli import main
from gmsafety_server.cli.opening import NotReady, settings_of
from gmsafety_server.settings import Settings

PAGE = (Path(__file__).parents[2] / "docs/server.md").read_text("utf-8")
TABLE = re.compile(r"^\| `(GMSAFETY_[A-Z_]+)` \|([^|]*)\|[^|]+\|$", re.MULTILINE)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder without settings of its own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_what_is_said_nowhere() -> None:
    settings = Settings()

    assert ("sqlite:///gmsafety.db", "127.0.0.1", 8000, 1) == (
        settings.database, settings.host, settings.port, settings.workers,
    )  # fmt: skip
    assert settings.is_sqlite
    assert not settings.demo
    assert not Settings(database="postgresql://h/n").is_sqlite


def test_which_is_stronger(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is passed in, then the environment, then the file."""
    (elsewhere / "gmsafety.toml").write_text('title = "文件"\nport = 8001\nnode = "file"\n', "utf-8")
    monkeypatch.setenv("GMSAFETY_PORT", "8002")
    monkeypatch.setenv("GMSAFETY_NODE", "environment")
    settings = Settings(node="passed")

    assert ("文件", 8002, "passed") == (settings.title, settings.port, settings.node)


def test_another_file(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (elsewhere / "gmsafety.toml").write_text("port = 8001\n", "utf-8")
    (elsewhere / "other.toml").write_text("port = 8003\n", "utf-8")
    monkeypatch.setenv("GMSAFETY_CONFIG", str(elsewhere / "other.toml"))

    assert 8003 == Settings().port


def test_another_file_that_is_not_there(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("GMSAFETY_CONFIG", "nowhere.toml")

    assert 2 == main(["db", "upgrade"])
    assert "找不到文件：nowhere.toml\n" == capfd.readouterr().err


def test_a_pass_phrase_does_not_show_itself() -> None:
    settings = Settings(key_passphrase=SecretStr("open sesame"))

    assert "open sesame" not in repr(settings)
    assert "open sesame" not in str(settings)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("GMSAFETY_PORT", "many", "设置不对：port："),
        ("GMSAFETY_PORT", "65536", "设置不对：port："),
        ("GMSAFETY_WORKERS", "0", "设置不对：workers："),
        ("GMSAFETY_UPLOAD_LIMIT", "10", "设置不对：upload_limit："),
        ("GMSAFETY_SEAL_SECONDS", "0", "设置不对：seal_seconds："),
        ("GMSAFETY_SECURE_COOKIES", "perhaps", "设置不对：secure_cookies："),
        ("GMSAFETY_NODE", "", "设置不对：node：应为1至40个"),
        ("GMSAFETY_NODE", " ", "设置不对：node：应为1至40个"),
        ("GMSAFETY_NODE", "jin\u200bcheng", "设置不对：node：应为1至40个"),
        ("GMSAFETY_NODE", "a/b", "设置不对：node：应为1至40个"),
    ],
)
def test_what_is_refused(
    name: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(ValidationError):
        Settings()
    with pytest.raises(NotReady, match=said):
        settings_of()
    assert 2 == main(["db", "status"])
    assert capfd.readouterr().err.startswith(said)


@pytest.mark.parametrize(
    ("content", "said"),
    [("port = ", "设置文件 gmsafety.toml 不是 TOML："), ("port = 1\nport = 2\n", "设置文件 gmsafety.toml 不是 TOML：")],
)
def test_a_file_that_is_none(content: str, said: str, elsewhere: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (elsewhere / "gmsafety.toml").write_text(content, "utf-8")

    assert 2 == main(["db", "status"])
    assert capfd.readouterr().err.startswith(said)


def test_a_misspelt_name_in_the_file_is_told(elsewhere: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A setting that nobody reads is worse than none: the database would be another one than meant."""
    (elsewhere / "gmsafety.toml").write_text('databse = "sqlite:///other.db"\n', "utf-8")

    assert 2 == main(["db", "upgrade"])
    assert "没有这项设置：databse" in capfd.readouterr().err
    assert ["gmsafety.toml"] == [f.name for f in elsewhere.iterdir()]


# --- the page ----------------------------------------------------------------------------------------------------


def shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return str(value) if not str(value).isascii() else f"`{value}`"


def test_every_setting_is_on_the_page_with_its_default() -> None:
    told = {name: default.strip() for name, default in TABLE.findall(PAGE)}
    fields = {f"GMSAFETY_{name.upper()}": shown(field.default) for name, field in Settings.model_fields.items()}

    assert fields == told
