"""Pages: one way to make an answer out of a template."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from typing import Any
from urllib.parse import quote, unquote

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from gmsafety.duties import BEIJING

from .node import Node
from .scope import Role, Viewer

FLASH = "gmsafety-said"


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the navigation, shown to those who may do its action."""

    href: str
    label: str
    icon: str
    action: str
    group: str = ""
    also: tuple[str, ...] = ()


NAVIGATION: tuple[Entry, ...] = (
    Entry("/", "工作台", "desk", "board.read"),
    Entry("/submissions", "报送", "upload", "submission.read", also=("/slots", "/refusals")),
    Entry("/occasions", "移交与反馈", "send", "submission.read"),
    Entry("/review", "审核", "review", "submission.decide"),
    Entry("/board", "进度", "board", "board.read"),
    Entry("/rollups", "汇总", "rollup", "rollup.read"),
    Entry("/admin/users", "账号", "users", "user.read", "管理"),
    Entry("/admin/units", "单位", "units", "unit.change", "管理"),
    Entry("/admin/exchange", "数据交换", "exchange", "exchange.read", "管理"),
)


def beijing(moment: datetime, pattern: str = "%Y-%m-%d %H:%M") -> str:
    """A moment as it is shown in China."""
    return moment.astimezone(BEIJING).strftime(pattern)


@cache
def _assets() -> Mapping[str, str]:
    file = files(__package__) / "static" / "manifest.json"
    return dict(json.loads(file.read_text("utf-8"))) if file.is_file() else {}


def asset(name: str) -> str:
    """The address of a static file, by the name it had before it was hashed."""
    return f"/static/{_assets().get(name, name)}"


@cache
def environment() -> Environment:
    """The templates, compiled once."""
    made = Environment(
        loader=PackageLoader(__package__), autoescape=select_autoescape(default=True), undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, auto_reload=False,
    )  # fmt: skip
    made.globals.update(asset=asset, version=version("gmsafety-server"))
    made.filters.update(beijing=beijing)
    return made


def page(request: Request, template: str, *, status: int = 200, **context: Any) -> Response:
    """Answer with a page; what was said by `say` on the way here is shown once."""
    node: Node = request.app.state.node
    viewer: Viewer | None = getattr(request.state, "viewer", None)
    flashes = _said(request)
    shared = {
        "node_name": node.settings.title,
        "test": node.test,
        "now": node.clock.now().astimezone(BEIJING),
        "viewer": viewer,
        "csrf_token": viewer.csrf if viewer else "",
        "flashes": flashes,
        "nav": _navigation(request, viewer) if viewer else [],
        **_who(request, node, viewer),
    }
    text = environment().get_template(template).render({**shared, **context})
    response = HTMLResponse(text, status)
    if flashes:
        response.delete_cookie(FLASH)
    return response


def _who(request: Request, node: Node, viewer: Viewer | None) -> dict[str, Any]:
    if viewer is None:
        return {"unit_name": "", "user_name": "", "user_roles": "", "user_menu": []}
    with node.db.read() as tx:
        name = node.directory(tx).name(viewer.unit)
    roles = "、".join(r.chinese for r in Role if r in viewer.roles)
    menu = [{"href": "/account", "label": "我的账号", "icon": "user"}]
    return {"unit_name": name, "user_name": viewer.name, "user_roles": roles, "user_menu": menu}


def _navigation(request: Request, viewer: Viewer) -> list[dict[str, Any]]:
    path = request.url.path
    counts: Mapping[str, int] = getattr(request.state, "counts", {})
    return [
        {
            "href": e.href,
            "label": e.label,
            "icon": e.icon,
            "group": e.group,
            "active": path == e.href or (e.href != "/" and path.startswith((e.href, *e.also))),
            "count": counts.get(e.href, 0),
        }
        for e in NAVIGATION
        if viewer.may(e.action)
    ]


def say(response: Response, text: str, *, kind: str = "success", to: str = "") -> None:
    """Have the next page say something: `success`, `info`, `warning` or `error`; `to` is a page of ours to look at."""
    response.set_cookie(FLASH, quote(f"{kind}|{to}|{text}"[:400]), max_age=60, httponly=True, samesite="lax")


def _said(request: Request) -> list[dict[str, str]]:
    kind, to, text = (*unquote(request.cookies.get(FLASH, "")).split("|", 2), "", "")[:3]
    known = kind in ("success", "info", "warning", "error")
    href = to if re.fullmatch(r"(/[\w-]+)+", to, re.ASCII) else ""
    return [{"kind": kind, "text": text, "href": href}] if known and text else []
