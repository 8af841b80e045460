"""What every request passes first: its size, the headers of the answer, and the clock, which is the server's."""

from datetime import datetime
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .clock import DemoClock
from .errors import Problem
from .node import Node

CLOCK_HEADER = b"gmsafety-clock"
POLICY = "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; form-action 'self'; base-uri 'none'"
_ROOM = 64 * 1024  # the other fields of a form, beside its files


class Gate:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp, node: Node) -> None:
        self.app, self.node = app, node
        self.limit = node.settings.upload_limit + _ROOM

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it with a problem."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        try:
            self._clock(headers.get(CLOCK_HEADER))
            if int(headers.get(b"content-length") or 0) > self.limit:
                raise Problem("too-large")
        except (Problem, ValueError) as error:
            problem = error if isinstance(error, Problem) else Problem("bad-request")
            await _refuse(problem, scope, send)
            return
        counted = _Counted(receive, self.limit)
        try:
            await self.app(scope, counted, _with_headers(send, scope["path"]))
        except _TooLarge:
            await _refuse(Problem("too-large"), scope, send)

    def _clock(self, asked: bytes | None) -> None:
        if asked is None:
            return
        clock = self.node.clock
        if not isinstance(clock, DemoClock):
            raise Problem("clock-refused")
        moment = datetime.fromisoformat(asked.decode("ascii"))
        if moment.tzinfo is None:
            raise Problem("bad-request", "时间要写明时区")
        clock.set(moment)


class _TooLarge(HTTPException):
    """Raised while a body is read; what parses bodies lets this kind of error through."""

    def __init__(self) -> None:
        super().__init__(413)


class _Counted:
    """Counts what comes in, for requests that do not say their length."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self.receive, self.left = receive, limit

    async def __call__(self) -> Message:
        message = await self.receive()
        self.left -= len(message.get("body", b""))
        if self.left < 0:
            raise _TooLarge
        return message


def _with_headers(send: Send, path: str) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=message["headers"])
            headers.setdefault("Content-Security-Policy", POLICY)
            headers.setdefault("X-Content-Type-Options", "nosniff")
            headers.setdefault("Referrer-Policy", "same-origin")
            if not path.startswith("/static/"):
                headers.setdefault("Cache-Control", "no-store")
            message["headers"] = headers.raw
        await send(message)

    return sending


async def _refuse(problem: Problem, scope: Scope, send: Send) -> None:
    from fastapi.responses import JSONResponse  # noqa: PLC0415 - only for refusals

    body: dict[str, Any] = problem.to_json(scope["path"])
    response = JSONResponse(body, problem.type.status, media_type="application/problem+json")

    async def nothing() -> Message:
        return {"type": "http.disconnect"}

    await response(scope, nothing, send)
