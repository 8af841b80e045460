"""What one installation is told from outside: by environment variables (`GMSAFETY_...`) or by `gmsafety.toml`."""

import os
import re
from errno import ENOENT
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

MEGABYTE = 1024 * 1024


class Settings(BaseSettings):
    """Settings of a node; the environment is stronger than the file, and what is passed in is stronger than both."""

    model_config = SettingsConfigDict(env_prefix="GMSAFETY_", extra="forbid", frozen=True)

    database: str = Field("sqlite:///gmsafety.db", description="SQLAlchemy address: sqlite:///… or postgresql://…")
    node: str = Field("node", description="short name of this installation; it stands in key ids and receipts")
    title: str = Field("工贸安全专项行动报送", description="name shown at the head of every page")
    host: str = "127.0.0.1"
    port: int = Field(8000, ge=0, le=65535)
    workers: int = Field(1, ge=1, le=64, description="processes that serve; more than one wants PostgreSQL")
    proxies: str = Field("127.0.0.1", description="addresses of reverse proxies, whose word on who calls is taken")
    public_url: str | None = Field(None, description="address under which others reach this node, for calendar feeds")
    secure_cookies: bool = Field(False, description="send cookies over HTTPS only")
    key_passphrase: SecretStr | None = Field(None, description="protects the private key in the database")
    upload_limit: int = Field(20 * MEGABYTE, ge=1024, description="bytes of one request at most")
    session_hours: int = Field(12, ge=1, le=24 * 30)
    late_days: int = Field(60, ge=0, description="how long after its deadline a form is still taken")
    plugins: str | None = Field(
        None, description="installed regions that are loaded, separated by commas; empty: none, all come from above"
    )
    seal_seconds: float = Field(1.0, gt=0, description="how often the audit log is sealed")
    post_seconds: float = Field(1.0, gt=0, description="how often the outbox is looked at, besides after each commit")
    poll_seconds: float = Field(15.0, gt=0, description="how often a node without an address asks the others")
    log_file: Path | None = Field(None, description="file for the full log: every request, and failures in detail")
    log_format: Literal["text", "json"] = Field("text", description="json: one object a line, for programs")
    demo: bool = Field(False, description="receipts are marked as test; the client may set the clock")

    @field_validator("node")
    @classmethod
    def _plain(cls, node: str) -> str:
        """Refuse what no receipt would take: the name stands in every one of them."""
        if not re.fullmatch(r"\w[\w.-]{0,39}", node):
            raise PydanticCustomError("odd_name", "应为1至40个字母、汉字、数字、点或横线，以字母、汉字或数字开头")
        return node

    @property
    def regions(self) -> list[str] | None:
        """The installed regions that are loaded; None for all."""
        named = self.plugins.replace("，", ",").split(",") if self.plugins is not None else None
        return [name.strip() for name in named if name.strip()] if named is not None else None

    @property
    def is_sqlite(self) -> bool:
        """True for the embedded database."""
        return self.database.startswith("sqlite")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments first, then the environment, then the file (GMSAFETY_CONFIG, or gmsafety.toml where one lies)."""
        named = os.environ.get("GMSAFETY_CONFIG")
        path = Path(named or "gmsafety.toml")
        if named and not path.is_file():
            raise FileNotFoundError(ENOENT, "no such settings", named)
        toml = (TomlConfigSettingsSource(settings_cls, path),) if path.is_file() else ()
        return (init_settings, env_settings, *toml)
