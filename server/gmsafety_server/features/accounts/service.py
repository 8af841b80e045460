"""Logging in, one's own password, one's own tokens."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from ... import audit, auth
from ...errors import Problem
from ...node import Node
from ...scope import Viewer
from . import repository
from .schemas import TokenAsked

_KEPT = timedelta(days=90)


def identify(node: Node, login: str, password: str) -> Viewer:
    """Whose log-in name and password these are; wrong ones are counted. Opens its own transactions, briefly."""
    login = login.strip().lower()
    with node.db.read() as tx:
        attempt = auth.begin_attempt(tx, login)
        directory = node.directory(tx)
    try:
        row = auth.check_password(attempt, password, node.clock.now())
    except Problem as problem:
        if problem.type.slug == "wrong-password":
            with node.db.write() as tx:
                auth.count_failure(tx, login, node.clock.now(), directory)
        raise
    viewer = auth.viewer_of_user(row, directory)
    if viewer is None:
        raise Problem("not-allowed", "所在单位已撤销或尚未设立，请联系上级单位管理员")
    return viewer


def log_in(tx: Connection, node: Node, viewer: Viewer, *, agent: str, before: str | None) -> str:
    """Begin a session, always a new one; returns the secret for the cookie."""
    now = node.clock.now()
    if before:
        auth.close_session(tx, before)
    auth.clear_failures(tx, viewer.user_id, now)
    audit.record(tx, now, viewer.actor, "login", viewer.login, path=viewer.path)
    return auth.open_session(tx, viewer.user_id, now, hours=node.settings.session_hours, agent=agent)


def log_out(tx: Connection, node: Node, viewer: Viewer, secret: str) -> None:
    """End a session."""
    auth.close_session(tx, secret)
    audit.record(tx, node.clock.now(), viewer.actor, "logout", viewer.login, path=viewer.path)


def make_token(tx: Connection, node: Node, viewer: Viewer, asked: TokenAsked) -> dict[str, Any]:
    """Make a token; its secret is in the answer and nowhere else."""
    now = node.clock.now()
    repository.forget_tokens(tx, viewer.user_id, now - _KEPT)
    expires = now + timedelta(days=asked.days)
    number, secret = auth.new_token(tx, viewer.user_id, asked.name, scopes=asked.scopes, now=now, expires_at=expires)
    told = {"name": asked.name, "scopes": sorted(set(asked.scopes))}
    audit.record(
        tx, now, viewer.actor, "token.made", f"{viewer.login}/{number}", path=viewer.path,
        **told, expires_at=expires,
    )  # fmt: skip
    made = {"id": number, "hint": secret[:9], "created_at": now, "expires_at": expires, "revoked_at": None}
    return {**told, **made, "token": secret}


def revoke_token(tx: Connection, node: Node, viewer: Viewer, number: int) -> None:
    """End one of one's own tokens."""
    if not repository.revoke(tx, viewer.user_id, number, node.clock.now()):
        raise Problem("not-found")
    subject = f"{viewer.login}/{number}"
    audit.record(tx, node.clock.now(), viewer.actor, "token.revoked", subject, path=viewer.path)


def change_password(node: Node, viewer: Viewer, old: str, new: str) -> None:
    """Change one's own password; all sessions end. Opens its own transactions, briefly."""
    try:
        identify(node, viewer.login, old)
    except Problem as problem:
        if problem.type.slug != "wrong-password":
            raise
        wrong = [{"field": "old", "message": "原密码不对"}]
        raise Problem("not-valid", "原密码不对", errors=wrong) from problem
    _fit(viewer.login, old, new)
    hashed = auth.hash_password(new)
    with node.db.write() as tx:
        now = node.clock.now()
        auth.clear_failures(tx, viewer.user_id, now)
        repository.change(tx, viewer.user_id, {"password": hashed, "must_change": False, "changed_at": now})
        auth.close_sessions(tx, viewer.user_id)
        audit.record(tx, now, viewer.actor, "password.changed", viewer.login, path=viewer.path)


def _fit(login: str, old: str, new: str) -> None:
    said = ""
    if new == old:
        said = "新密码与原密码相同"
    elif len(new) < auth.PASSWORD_LENGTH:
        said = f"密码至少{auth.PASSWORD_LENGTH}位"
    elif len(set(new)) < 4 or login in new.lower():
        said = "密码太简单：不要用账号名，不要只重复几个字符"
    if said:
        raise Problem("not-valid", said, errors=[{"field": "new", "message": said}])
