"""Somebody at a browser without a script: pages as trees, and forms that are sent as they stand."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lxml.html
from fastapi.testclient import TestClient

from gmsafety_server import auth
from gmsafety_server.app import create_app
from gmsafety_server.node import Node
from gmsafety_server.web import COOKIE
from world import Person

Files = list[tuple[str, tuple[str, bytes]]]
_STEP = re.compile(r"([a-z0-9]*)(?:#([\w-]+))?((?:\.[\w-]+)*)((?:\[[^]]+\])*)")


def words(element: Any) -> str:
    """What an element says, with a space between its parts."""
    return " ".join(" ".join(element.itertext()).split())


def select(tree: Any, css: str) -> list[Any]:
    """The elements that a simple selector names: tags, #id, .class, [attribute], [attribute=value], one in another."""
    path = ""
    for step in css.split():
        tag, name, classes, attributes = _STEP.fullmatch(step).groups()  # type: ignore[union-attr]
        path += f"//{tag or '*'}" + (f"[@id='{name}']" if name else "")
        path += "".join(f"[contains(concat(' ', @class, ' '), ' {c} ')]" for c in classes.split(".")[1:])
        for attribute in re.findall(r"\[([^]]+)\]", attributes):
            key, _, value = attribute.partition("=")
            path += f"[@{key}='{value}']" if value else f"[@{key}]"
    return list(tree.xpath(f".{path}"))


@dataclass
class Page:
    """A page as it came, after being sent on."""

    answer: Any

    def __post_init__(self) -> None:
        self.status, self.path = self.answer.status_code, self.answer.request.url.path
        self.tree = lxml.html.fromstring(self.answer.text or "<p></p>")

    @property
    def text(self) -> str:
        return words(self.tree.body)

    def all(self, css: str) -> list[Any]:
        return select(self.tree, css)

    def said(self) -> list[str]:
        """What the page says about what was just done."""
        return [words(f) for f in self.all(".flash-words")]

    def form(self, action: str) -> dict[str, str]:
        """The hidden fields of a form."""
        form = next(f for f in self.all("form") if f.get("action") == action)
        return {i.get("name"): i.get("value") or "" for i in select(form, "input[type=hidden]")}

    def actions(self) -> set[str]:
        """The forms that change something, without those of every page."""
        return {f.get("action") for f in self.all("form[method=post]")} - {"/logout"}


class Browser:
    """Somebody at a browser without a script."""

    def __init__(self, node: Node, person: Person) -> None:
        self.node, self.person = node, person
        self.http = TestClient(create_app(node))
        with node.db.write() as tx:
            secret = auth.open_session(tx, person.user_id, node.clock.now(), hours=1000, agent="test")
        self.http.cookies.set(COOKIE, secret)

    def get(self, path: str) -> Page:
        return Page(self.http.get(path))

    def send(self, page: Page, action: str, files: Files | None = None, **fields: Any) -> Page:
        """Send a form of a page with what was filled in."""
        return Page(self.http.post(action, data=page.form(action) | fields, files=files))

    def upload(self, item: str, period: str, *files: tuple[str, Path]) -> Page:
        """Go to what is asked and upload."""
        page = self.get(f"/file?item={item}&period={period}")
        sent = [(f"file.{artefact}", (path.name, path.read_bytes())) for artefact, path in files]
        return self.send(page, f"{page.path}/upload", sent)
