"""Requests to one server: with the token, within time-outs, and again where that cannot do harm."""

import random
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cache
from ipaddress import ip_address
from typing import Any, TypeVar, cast
from urllib.parse import quote

from pydantic import TypeAdapter, ValidationError

from .. import __version__
from ..exchange.errors import client_extra
from .errors import ProblemError, StrangeAnswer, Unreachable
from .values import A, Page, query

with client_extra():
    import httpx2

T = TypeVar("T")
PAGE = 200
_PROBLEM = "application/problem+json"
_BRACES = re.compile(r"\{\w+\}")
_LATER = frozenset((429, 502, 503, 504))


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a request is tried: attempts, the first pause, the longest pause, seconds for one attempt."""

    attempts: int = 4
    first: float = 0.5
    longest: float = 20.0
    timeout: float = 60.0

    def pause(self, attempt: int, asked: float | None) -> float | None:
        """Seconds before the next attempt, with chance, so that many do not come back together; None: give up.

        What the server asked for (Retry-After) is kept to, or given up where it is longer than the longest pause.
        """
        if attempt >= self.attempts or (asked is not None and asked > self.longest):
            return None
        pause: float = random.uniform(0, min(self.longest, self.first * 2.0 ** (attempt - 1)))
        return pause + (asked or 0.0)


PATIENT = Patience()


class Connection:
    """Requests to one server; safe to share between threads."""

    def __init__(
        self, address: str, token: str | None = None, *, patience: Patience = PATIENT, headers: Mapping[str, str] = {}
    ) -> None:
        self.address = _whole(address)
        self.patience = patience
        given = {"User-Agent": f"gmsafety/{__version__}", "Accept": "application/json", **headers}
        if token is not None:
            given["Authorization"] = f"Bearer {token}"
        self._http = httpx2.Client(
            headers=given,
            timeout=httpx2.Timeout(patience.timeout, connect=min(10.0, patience.timeout)),
            trust_env=not _is_loopback(self.address),
        )

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def ask(self, route: str, *names: object, again: bool = False, **request: Any) -> httpx2.Response:
        """Send a request and return what was answered; ProblemError where the server refused.

        `route` is method and path, `names` fill its braces. Only what changes nothing, or says itself that it may
        come twice (`again`), is sent again.
        """
        method, _, path = route.partition(" ")
        url = self.address + _filled(path, names)
        attempts = self.patience.attempts if again or method == "GET" else 1
        for attempt in range(1, attempts + 1):
            answer, why = self._once(method, url, request)
            if answer is not None and answer.status_code not in _LATER:
                return _accepted(answer, url)
            asked = _asked_for(answer) if answer is not None else None
            pause = self.patience.pause(attempt, asked) if attempt < attempts else None
            if pause is None:
                break
            time.sleep(pause)
        if answer is None:
            raise Unreachable(self.address, why, attempts=attempt)
        return _accepted(answer, url)

    def _once(self, method: str, url: str, request: Mapping[str, Any]) -> tuple[httpx2.Response | None, str]:
        try:
            return self._http.request(method, url, **request), ""
        except httpx2.InvalidURL as error:
            raise Unreachable(self.address, f"地址不对（{error}）", attempts=1) from error
        except httpx2.TimeoutException:
            return None, "没有及时回答"
        except httpx2.TransportError as error:
            return None, str(error) or type(error).__name__

    def take(self, kind: type[T], route: str, *names: object, **request: Any) -> T:
        """Send a request and return the answer as a value."""
        answer = self.ask(route, *names, **request)
        try:
            value: T = _adapter(cast(Any, kind)).validate_json(answer.content)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise StrangeAnswer(str(answer.url), f"{where} {first['msg']}".strip()) from error
        return value

    def leaf(self, kind: type[A], route: str, *names: object, **filters: Any) -> Iterator[A]:
        """All items of a list, fetched page by page while they are taken."""
        number = 1
        while True:
            params = query(**filters, page=number, size=PAGE)
            page = self.take(Page[kind], route, *names, params=params)  # type: ignore[valid-type]
            yield from page.items
            if number >= page.pages:
                return
            number += 1


def seen(etag: int) -> dict[str, str]:
    """The header that names the version a change rests on."""
    return {"If-Match": f'"{etag}"'}


def body(**values: Any) -> dict[str, Any]:
    """The JSON of a request: what is said, values as JSON carries them."""
    return query(**values)


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _whole(address: str) -> str:
    whole = address.strip().rstrip("/")
    return whole if "://" in whole else f"http://{whole}"


def _is_loopback(address: str) -> bool:
    """True for this machine, which is never reached through a proxy."""
    try:
        host = httpx2.URL(address).host
    except httpx2.InvalidURL:
        return False
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _filled(path: str, names: tuple[object, ...]) -> str:
    fillings = iter(names)
    return _BRACES.sub(lambda _: quote(str(next(fillings)), safe=""), path)


def _asked_for(answer: httpx2.Response) -> float | None:
    """The seconds of Retry-After; a date is taken as seconds from the server's own Date."""
    told = answer.headers.get("retry-after", "")
    if not told:
        return None
    if told.strip().isdigit():
        return float(told)
    try:
        later = parsedate_to_datetime(told) - parsedate_to_datetime(answer.headers.get("date", ""))
    except (ValueError, TypeError):
        return None
    return max(0.0, later.total_seconds())


def _accepted(answer: httpx2.Response, url: str) -> httpx2.Response:
    """The answer of a request that was done; its problem is raised otherwise."""
    if answer.is_success:
        return answer
    if answer.headers.get("content-type", "").startswith(_PROBLEM):
        try:
            told = answer.json()
        except ValueError:
            told = None
        if isinstance(told, dict):
            raise ProblemError(told)
    raise StrangeAnswer(url, f"HTTP {answer.status_code}")


__all__ = ["PATIENT", "Connection", "Patience", "body", "seen"]
