"""What every endpoint and page shares: who is asking, which version they saw, and how a problem is told."""

import logging
import math
import secrets
from collections.abc import Callable, Coroutine
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, FastAPI, Header, Query, Request, Security
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from fastapi.security import HTTPBearer
from pydantic import BaseModel, Field
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from .auth import find_token, viewer_of_session, viewer_of_token
from .errors import PROBLEMS, Problem
from .node import Node
from .scope import Viewer, require_role

COOKIE = "gmsafety"
_log = logging.getLogger("gmsafety.web")
PROBLEM_JSON = "application/problem+json"
_BEARER = HTTPBearer(auto_error=False, description="令牌：在“我的账号”里申请，或 `gmsafety user token`")


class ProblemBody(BaseModel):
    """A problem as RFC 9457 has it; `code` never changes, `remedy` says what to do."""

    type: str = Field(examples=["/problems/stale"])
    title: str
    status: int = Field(examples=[412])
    detail: str
    code: str = Field(examples=["GM-H460"])
    remedy: str
    instance: str | None = None


def problems(*slugs: str, public: bool = False) -> dict[int | str, dict[str, Any]]:
    """The `responses` of an endpoint: these problems, and those that every endpoint can answer (`public`: anybody)."""
    found: dict[int | str, dict[str, Any]] = {}
    closed = () if public else ("not-logged-in", "not-allowed")
    for slug in (*slugs, *closed, "not-valid", "bad-request", "busy"):
        kind = PROBLEMS[slug]
        entry = found.setdefault(kind.status, {"model": ProblemBody, "description": "", "content": {PROBLEM_JSON: {}}})
        entry["description"] = "；".join(filter(None, (entry["description"], f"{kind.code} {kind.title}")))
        examples = entry["content"][PROBLEM_JSON].setdefault("examples", {})
        examples[slug] = {"summary": kind.title, "value": Problem(slug).to_json()}
    return found


async def here(request: Request) -> Node:
    """The node that serves the request; `async`, for a thread of its own would cost more than all it does."""
    node: Node = request.app.state.node
    return node


Here = Annotated[Node, Depends(here)]


def signed_in(action: str) -> Callable[..., Viewer]:
    """Who asks with a token; refused where neither their roles nor the token open the action on any unit."""

    def viewer(request: Request, node: Here, _bearer: Annotated[Any, Security(_BEARER)] = None) -> Viewer:
        kind, _, secret = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not secret:
            raise Problem("not-logged-in", headers={"WWW-Authenticate": "Bearer"})
        with node.db.glance() as tx:
            row = find_token(tx, secret.strip())
        directory = node.directory_as_of(row.as_of if row is not None else 0)
        found = viewer_of_token(row, node.clock.now(), directory)
        if found.must_change and not action.startswith("account."):
            raise Problem("must-change")
        require_role(found, action)
        return found

    viewer.action = action  # type: ignore[attr-defined]
    return viewer


class LoginFirst(Exception):
    """A page was asked for without a session."""


class PasswordFirst(Exception):
    """A page was asked for by somebody who has to choose a password of their own first."""


def visiting(action: str) -> Callable[..., Viewer]:
    """Who looks at a page: sent to the log-in page without a session."""

    def viewer(request: Request, node: Here) -> Viewer:
        found = viewer_of_cookie(request, node)
        if found is None:
            raise LoginFirst
        if found.must_change and not action.startswith("account."):
            raise PasswordFirst
        require_role(found, action)
        request.state.viewer = found
        return found

    viewer.action = action  # type: ignore[attr-defined]
    return viewer


def viewer_of_cookie(request: Request, node: Node) -> Viewer | None:
    """Whose browser it is, or None where it has no session."""
    secret = request.cookies.get(COOKIE)
    if not secret:
        return None
    with node.db.read() as tx:
        return viewer_of_session(tx, secret, node.clock.now(), node.directory(tx))


def posting(action: str) -> Callable[..., Coroutine[Any, Any, Viewer]]:
    """Who sends a form of a page: `visiting`, and the form was made by our own page."""
    looking = visiting(action)

    async def viewer(request: Request, found: Annotated[Viewer, Depends(looking)]) -> Viewer:
        await check_csrf(request)
        return found

    viewer.action = action  # type: ignore[attr-defined]
    return viewer


async def check_csrf(request: Request) -> None:
    """Refuse a form that was not made by our own page; used by every page that changes something."""
    form = await request.form()
    sent = str(form.get("csrf_token") or request.headers.get("x-csrf-token") or "")
    viewer: Viewer = request.state.viewer
    if not viewer.csrf or not secrets.compare_digest(sent.encode(), viewer.csrf.encode()):
        raise Problem("page-expired")


def if_match(value: Annotated[str | None, Header(alias="If-Match", description="读到的 ETag")] = None) -> int:
    """The version the client saw; required."""
    if value is None:
        raise Problem("if-match-missing")
    text = value.strip().removeprefix("W/").strip('"')
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise Problem("stale")
    return int(text)


IfMatch = Annotated[int, Depends(if_match)]


def etag(number: int) -> dict[str, str]:
    """The header that names a version."""
    return {"ETag": f'"{number}"'}


class Paging(BaseModel):
    """Which page of a list."""

    page: int = Field(1, ge=1, le=100_000)
    size: int = Field(50, ge=1, le=500)

    @property
    def offset(self) -> int:
        """How many rows come before it."""
        return (self.page - 1) * self.size


Page = Annotated[Paging, Query()]


def paged(items: list[Any], total: int, paging: Paging) -> dict[str, Any]:
    """A page of a list, and how many there are."""
    pages = max(1, math.ceil(total / paging.size))
    return {"items": items, "total": total, "page": paging.page, "size": paging.size, "pages": pages}


def tell_problems(app: FastAPI) -> None:
    """Answer every failure with a problem; a traceback never leaves the server."""

    @app.exception_handler(Problem)
    def _problem(request: Request, error: Problem) -> Response:
        return _answer(request, error)

    @app.exception_handler(LoginFirst)
    def _login(request: Request, error: LoginFirst) -> Response:
        target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        told = "" if request.method != "GET" or target == "/" else f"?{urlencode({'next': target})}"
        return _go(request, f"/login{told}")

    @app.exception_handler(PasswordFirst)
    def _password(request: Request, error: PasswordFirst) -> Response:
        return _go(request, "/account/password")

    @app.exception_handler(RequestValidationError)
    def _invalid(request: Request, error: RequestValidationError) -> Response:
        wrong = [{"field": ".".join(str(p) for p in e["loc"][1:]), "message": e["msg"]} for e in error.errors()]
        return _answer(request, Problem("not-valid", errors=wrong))

    @app.exception_handler(HTTPException)
    def _http(request: Request, error: HTTPException) -> Response:
        slug = {404: "not-found", 405: "wrong-method", 413: "too-large"}.get(error.status_code, "bad-request")
        return _answer(request, Problem(slug, headers=error.headers))

    @app.exception_handler(DBAPIError)
    @app.exception_handler(PoolTimeout)
    def _database(request: Request, error: DBAPIError | PoolTimeout) -> Response:
        _log.warning("%s %s", request.method, request.url.path, exc_info=error)
        if _is_bad_value(error):
            return _answer(request, Problem("bad-request"))
        return _answer(request, Problem("busy", headers={"Retry-After": "2"}))

    @app.exception_handler(Exception)
    def _failed(request: Request, error: Exception) -> Response:
        return _answer(request, Problem("failed"))


def _go(request: Request, where: str) -> Response:
    if request.headers.get("hx-request"):
        return Response(status_code=204, headers={"HX-Redirect": where})
    return RedirectResponse(where, 303)


def _is_bad_value(error: DBAPIError | PoolTimeout) -> bool:
    return isinstance(error, IntegrityError | DataError)


def _answer(request: Request, problem: Problem) -> Response:
    page: Callable[[Request, Problem], Response] | None = getattr(request.app.state, "problem_page", None)
    human = "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/api/")
    if page is not None and human:
        return page(request, problem)
    body = problem.to_json(request.url.path)
    return JSONResponse(body, problem.type.status, headers=problem.headers, media_type=PROBLEM_JSON)
