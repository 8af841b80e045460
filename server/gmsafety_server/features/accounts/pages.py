"""The pages of accounts: logging in and out, one's own account."""

import re
import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Path, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError

from ... import auth
from ...errors import Problem
from ...node import Node
from ...scope import SCOPES, Viewer
from ...tables import AnyRow
from ...templating import page, say
from ...web import COOKIE, Here, posting, viewer_of_cookie, visiting
from . import repository, service
from .schemas import TokenAsked

router = APIRouter(include_in_schema=False)
DOOR = "gmsafety-door"
SCOPE_NAMES = {
    "read": "查看", "file": "报送", "review": "审核", "rollup": "汇总", "account": "本人账号", "admin": "管理",
    "audit": "审计",
}  # fmt: skip
_LOCAL = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")
Myself = Annotated[Viewer, Depends(visiting("account.read"))]
Owner = Annotated[Viewer, Depends(posting("account.own"))]
Text = Annotated[str, Form(max_length=2000)]


def local(target: str) -> str:
    """A path of this site to go to; the desk where it is anything else."""
    return target if _LOCAL.fullmatch(target) and len(target) <= 2000 else "/"


def _login_page(request: Request, *, status: int = 200, target: str, login: str = "", error: str = "") -> Response:
    """The form, with a secret that only our own page can send back (double-submit cookie)."""
    door = secrets.token_urlsafe(24)
    response = page(
        request, "accounts/login.html", status=status, door=door, next=local(target), login=login, error=error
    )
    secure = request.app.state.node.settings.secure_cookies
    response.set_cookie(DOOR, door, max_age=3600, path="/login", httponly=True, samesite="lax", secure=secure)
    return response


@router.get("/login")
def login_form(request: Request, node: Here, next: str = "/") -> Response:
    """The log-in page; somebody who is logged in goes on."""
    if viewer_of_cookie(request, node) is not None:
        return RedirectResponse(local(next), 303)
    return _login_page(request, target=next)


@router.post("/login")
def log_in(
    request: Request, node: Here, login: Text = "", password: Text = "", next: Text = "/", csrf_token: Text = ""
) -> Response:
    """Begin a session."""
    door = request.cookies.get(DOOR, "")
    if not door or not secrets.compare_digest(door.encode(), csrf_token.encode()):
        return _login_page(request, status=403, target=next, login=login, error="页面已过期，请再登录一次。")
    try:
        return _enter(request, node, service.identify(node, login, password), local(next))
    except Problem as problem:
        answer = _login_page(
            request, status=problem.type.status, target=next, login=login, error=f"{problem.detail}。"
        )  # fmt: skip
        answer.headers.update(problem.headers)
        return answer


def _enter(request: Request, node: Node, viewer: Viewer, where: str) -> Response:
    """Give the browser a new session."""
    agent, before = request.headers.get("user-agent", ""), request.cookies.get(COOKIE)
    with node.db.write() as tx:
        secret = service.log_in(tx, node, viewer, agent=agent, before=before)
    response = RedirectResponse("/account/password" if viewer.must_change else where, 303)
    settings = node.settings
    response.set_cookie(
        COOKIE, secret, max_age=settings.session_hours * 3600, httponly=True, samesite="lax",
        secure=settings.secure_cookies,
    )  # fmt: skip
    response.delete_cookie(DOOR, path="/login")
    return response


@router.post("/logout")
def log_out(request: Request, node: Here, viewer: Owner) -> Response:
    """End the session."""
    with node.db.write() as tx:
        service.log_out(tx, node, viewer, request.cookies[COOKIE])
    response = RedirectResponse("/login", 303)
    response.delete_cookie(COOKIE)
    return response


def _account(request: Request, node: Node, viewer: Viewer, made: dict[str, Any] | None = None) -> Response:
    with node.db.read() as tx:
        tokens = repository.tokens_of(tx, viewer.user_id)
    return page(
        request, "accounts/account.html", tokens=tokens, scope_names=SCOPE_NAMES, offered=_offered(viewer), made=made,
        newest=_newest(tokens), longest=auth.TOKEN_DAYS,
    )  # fmt: skip


def _offered(viewer: Viewer) -> list[str]:
    """The scopes that open something to the viewer which everybody's scope, 查看, does not."""
    return [s for s in SCOPE_NAMES if s == "read" or any(viewer.may(a) for a in SCOPES[s] - SCOPES["read"])]


def _newest(tokens: list[AnyRow]) -> int:
    """What a form of this page has seen: sent a second time, it has not seen the token it made."""
    return max((t.id for t in tokens), default=0)


@router.get("/account")
def account(request: Request, node: Here, viewer: Myself) -> Response:
    """One's own account: who one is, tokens, calendar."""
    return _account(request, node, viewer)


@router.post("/account/tokens")
def make_token(
    request: Request, node: Here, viewer: Owner, name: Text = "", days: Text = "",
    scopes: Annotated[list[str] | None, Form()] = None, seen: Text = "",
) -> Response:  # fmt: skip
    """Make a token; the page that follows is the only one that shows it, and sent again it makes no second."""
    try:
        asked = TokenAsked.model_validate({"name": name, "days": days, "scopes": scopes or []})
    except ValidationError as error:
        wrong = [{"field": "", "message": e["msg"]} for e in error.errors()]
        raise Problem("not-valid", "请写明用途、天数，并至少选一项权限", errors=wrong) from error
    with node.db.write() as tx:
        if seen != str(_newest(repository.tokens_of(tx, viewer.user_id))):
            return _back("没有再次申请：这份申请已办过，令牌只显示一次。没有记下的，请撤销后重新申请。", "info")
        made = service.make_token(tx, node, viewer, asked)
    return _account(request, node, viewer, made)


@router.post("/account/tokens/{number}/revoke")
def revoke_token(number: Annotated[int, Path(ge=1, le=2**53)], node: Here, viewer: Owner) -> Response:
    """End a token."""
    with node.db.write() as tx:
        service.revoke_token(tx, node, viewer, number)
    return _back("令牌已撤销。")


def _back(words: str, kind: str = "success") -> Response:
    response = RedirectResponse("/account#tokens", 303)
    say(response, words, kind=kind)
    return response


def _password_page(request: Request, errors: dict[str, str], *, status: int = 200) -> Response:
    return page(request, "accounts/password.html", status=status, errors=errors, shortest=auth.PASSWORD_LENGTH)


@router.get("/account/password")
def password_form(request: Request, viewer: Myself) -> Response:
    """The page for another password; everybody with a first password is led here."""
    return _password_page(request, {})


@router.post("/account/password")
def change_password(
    request: Request, node: Here, viewer: Owner, old: Text = "", new: Text = "", again: Text = ""
) -> Response:
    """Change one's own password; this browser gets a new session, all others end."""
    if new != again:
        return _password_page(request, {"again": "两次输入的不一样"}, status=422)
    try:
        service.change_password(node, viewer, old, new)
    except Problem as problem:
        wrong = {e["field"]: e["message"] for e in problem.more.get("errors", ())} or {"old": problem.detail}
        return _password_page(request, wrong, status=problem.type.status)
    with node.db.read() as tx:
        fresh = auth.viewer_of_user(auth.find_user(tx, viewer.login), node.directory(tx))
    response = _enter(request, node, fresh or viewer, "/account" if not viewer.must_change else "/")
    say(response, "密码已更改；其他浏览器上的登录已失效。")
    return response
