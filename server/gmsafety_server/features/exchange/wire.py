"""The line to other nodes: HTTP, within time-outs, over connections that are kept."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Protocol
from urllib.parse import urlsplit

import httpx2

CONNECT_SECONDS = 10.0
SECONDS = 60.0
_NOTHING: Mapping[str, str] = {}


class Unreached(Exception):
    """Nothing came back: whether the message arrived is not known."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back; header names are in small letters."""

    status: int
    content: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def retry_after(self) -> float | None:
        """The seconds that were asked for, where they were."""
        told = self.headers.get("retry-after", "")
        return float(told) if told.isascii() and told.isdigit() else None


class Wire(Protocol):
    """One request to another node; Unreached where nothing comes back."""

    def __call__(
        self, method: str, url: str, *, headers: Mapping[str, str] = _NOTHING, content: bytes = b""
    ) -> Reply: ...  # fmt: skip


class HttpWire:
    """Requests over HTTP; goes to no other address than the one it is given, whatever is answered."""

    def __init__(self) -> None:
        timeout = httpx2.Timeout(SECONDS, connect=CONNECT_SECONDS)
        self._near = httpx2.Client(timeout=timeout, follow_redirects=False, trust_env=False)
        self._far = httpx2.Client(timeout=timeout, follow_redirects=False)

    def __call__(
        self, method: str, url: str, *, headers: Mapping[str, str] = _NOTHING, content: bytes = b""
    ) -> Reply:  # fmt: skip
        """Send one request."""
        http = self._near if _is_loopback(url) else self._far
        try:
            got = http.request(method, url, headers=dict(headers), content=content)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise Unreached(f"{type(error).__name__} {error}".strip()) from error
        return Reply(got.status_code, got.content, {k.lower(): v for k, v in got.headers.items()})

    def close(self) -> None:
        """Give the connections back."""
        self._near.close()
        self._far.close()


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
