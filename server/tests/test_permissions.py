"""Every route × role × relation against the table in `scope.PERMISSIONS`; and what is visible against what one may."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import combinations
from typing import Any
from urllib.parse import unquote

import pytest
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient
from sqlalchemy import Connection, select

from every_route import PUBLIC, ROUTES, UNITS, Entry, World
from gmsafety_server import auth
from gmsafety_server.app import create_app
from gmsafety_server.audit import record
from gmsafety_server.errors import PROBLEMS
from gmsafety_server.node import Node
from gmsafety_server.scope import PERMISSIONS, SCOPES, Relation, Role, Viewer, visible
from gmsafety_server.tables import audit, sessions
from world import CITY, Person

DOWN = frozenset((Relation.SELF, Relation.CHILD, Relation.BELOW))


# --- every route has an action and a line in the table -----------------------------------------------------------


def _actions(dependant: Any) -> Iterator[str]:
    if action := getattr(dependant.call, "action", None):
        yield action
    for other in dependant.dependencies:
        yield from _actions(other)


def actions_of_routes(app: Any) -> dict[str, set[str]]:
    """Every route of the application, with the actions that its dependencies ask for."""
    found: dict[str, set[str]] = {}
    for route in iter_route_contexts(app.routes):
        dependant = getattr(route, "dependant", None)
        named = set(_actions(dependant)) if dependant is not None else set()
        for method in sorted(set(route.methods or ["MOUNT"]) - ({"HEAD"} if "GET" in (route.methods or ()) else set())):
            found[f"{method} {route.path}"] = named
    return found


@pytest.fixture
def actions(node: Node) -> dict[str, set[str]]:
    return actions_of_routes(create_app(node))


def test_every_route_asks_for_one_action(actions: dict[str, set[str]]) -> None:
    open_to_all = {name for name, asked in actions.items() if not asked}
    several = {name: asked for name, asked in actions.items() if len(asked) > 1}

    assert set() == open_to_all - PUBLIC, "these routes ask nobody who they are; if that is meant, add them to PUBLIC"
    assert set() == PUBLIC - open_to_all, "these are in PUBLIC and ask for an action, or are gone"
    assert {} == several, "a route asks for one action"


def test_every_route_is_in_the_table(actions: dict[str, set[str]]) -> None:
    wanted = set(actions) - PUBLIC

    assert set() == wanted - set(ROUTES), "add a line for these routes to ROUTES in every_route.py"
    assert set() == set(ROUTES) - wanted, "these lines of ROUTES have no route any more"


# --- route × role × relation -------------------------------------------------------------------------------------


class Asking:
    """A city with somebody of each role, and everything that may be asked for."""

    def __init__(self, node: Node, http: TestClient, person: Callable[..., Person]) -> None:
        self.node, self.http, self.person = node, http, person
        self.world = World(node, person)
        self.people = {role: person(CITY, role.value) for role in Role}
        self._kept: dict[tuple[Any, Relation], dict[str, Any]] = {}
        self._sessions: dict[int, tuple[str, str]] = {}
        self.actions = {name: next(iter(asked)) for name, asked in actions_of_routes(http.app).items() if asked}

    def ask(self, name: str, who: Person | None, relation: Relation) -> int:
        """Ask for the object of a unit, and tell how it was answered; what was changed is made anew for the next."""
        entry, (method, template) = ROUTES[name], name.split(" ")
        made = self._made(entry, relation)
        path = template
        for key, value in {**made, **entry.fixed}.items():
            path = path.replace(f"{{{key}}}", str(value))
        given = entry.asked(made)
        headers = {"If-Match": '"99"'} if entry.seen else {}
        self.http.cookies.clear()
        if template.startswith("/api/"):
            headers |= who.headers if who else {}
        elif who:
            secret, csrf = self._visit(who)
            self.http.cookies.set("gmsafety", secret)
            if method == "POST":
                given["data"] = {**given.get("data", {}), "csrf_token": csrf}
        answer = self.http.request(method, path, headers=headers, follow_redirects=False, **given)
        if method != "GET" and answer.status_code < 400:
            self._kept.clear()
        return self._status(answer)

    def _made(self, entry: Entry, relation: Relation) -> dict[str, Any]:
        if entry.make is None:
            return {}
        if (entry.make, relation) not in self._kept:
            self._kept[entry.make, relation] = entry.make(self.world, UNITS[relation])
        return self._kept[entry.make, relation]

    def _visit(self, who: Person) -> tuple[str, str]:
        """A session of somebody: the secret of the cookie, and of the forms."""
        now, known = self.node.clock.now(), self._sessions.get(who.user_id)
        with self.node.db.write() as tx:
            rows = select(sessions.c.csrf).where(sessions.c.user_id == who.user_id)
            if known is None or tx.execute(rows).first() is None:
                secret = auth.open_session(tx, who.user_id, now, hours=24, agent="")
                known = self._sessions[who.user_id] = (secret, str(tx.execute(rows).scalar_one()))
        return known

    def _status(self, answer: Any) -> int:
        """The status; a page that goes back and says why it was not done answers what it says."""
        assert answer.status_code < 500, answer.text
        flash = unquote(answer.headers.get("set-cookie", ""))
        if answer.status_code == 303 and "gmsafety-said=" in flash:
            for slug in ("not-found", "not-allowed"):
                if PROBLEMS[slug].remedy in flash:
                    return PROBLEMS[slug].status
        out = answer.headers.get("location", "").startswith("/login") and 'gmsafety=""' not in flash
        return 401 if out else int(answer.status_code)


def expected(entry: Entry, action: str, role: Role, relation: Relation) -> str:
    """What the table says: `open`, `403` in sight, `404` out of sight."""
    granted = PERMISSIONS[action].get(role, frozenset())
    if not granted or entry.make is None:
        return "open" if granted else "403"
    if entry.nobodys or (entry.private and relation is not Relation.SELF):
        return "404"
    if relation in granted:
        return "open"
    anywhere = frozenset().union(*PERMISSIONS[action].values())
    in_sight = relation in DOWN or (relation is Relation.ABOVE and Relation.ABOVE in anywhere)
    return "403" if in_sight else "404"


@pytest.fixture
def asking(node: Node, person: Callable[..., Person]) -> Iterator[Asking]:
    """Failures of the server are raised, so that they are seen."""
    with TestClient(create_app(node)) as http:
        yield Asking(node, http, person)


@pytest.mark.parametrize("room", sorted({name.split("/")[3 if "/api/" in name else 1] for name in ROUTES}))
def test_routes_keep_to_the_table(asking: Asking, room: str) -> None:
    names = [n for n in ROUTES if n.split("/")[3 if "/api/" in n else 1] == room]
    wrong = []
    for name in names:
        entry, action = ROUTES[name], asking.actions[name]
        for relation in UNITS if entry.make else [Relation.SELF]:
            for role, who in asking.people.items():
                status = asking.ask(name, who, relation)
                told = str(status) if status in (401, 403, 404) else "open"
                if told != expected(entry, action, role, relation):
                    wrong.append(
                        f"{name} ({action}) by {role} on {relation}: {expected(entry, action, role, relation)}, not {status}"
                    )

    assert [] == wrong


def test_nobody_gets_in_without_logging_in(asking: Asking) -> None:
    assert {} == {name: got for name in ROUTES if (got := asking.ask(name, None, Relation.SELF)) != 401}


def test_a_token_opens_what_its_scope_says(asking: Asking, person: Callable[..., Person]) -> None:
    """For each scope a token with that scope only, of somebody who may do everything."""
    every = [role.value for role in Role]
    people = {scope: person(CITY, *every, scopes=[scope]) for scope in SCOPES}
    wrong = []
    for name in ROUTES:
        if not name.split(" ")[1].startswith("/api/"):
            continue
        action = asking.actions[name]
        granted = frozenset().union(*PERMISSIONS[action].values())
        relation = Relation.SELF if Relation.SELF in granted else Relation.CHILD
        for scope, who in people.items():
            status = asking.ask(name, who, relation)
            opened = {action, ROUTES[name].also or action} <= SCOPES[scope]
            if opened != (status not in (401, 403)):
                wrong.append(f"{name} ({action}) with a token for {scope}: {status}")

    assert [] == wrong


def test_every_action_is_in_a_scope_and_on_a_route(actions: dict[str, set[str]]) -> None:
    used = {action for asked in actions.values() for action in asked}

    assert set(PERMISSIONS) == frozenset().union(*SCOPES.values())
    assert set() == used - set(PERMISSIONS)


def test_nothing_is_open_to_strangers() -> None:
    assert [] == [a for a, roles in PERMISSIONS.items() for r in roles.values() if Relation.OTHER in r]


# --- what is visible is what one may see -------------------------------------------------------------------------

TREE = [
    "/p/", "/p/a/", "/p/a/x/", "/p/a/x/t/", "/p/a/x/t/u/", "/p/a/y/", "/p/b/", "/p/b/x/", "/p/ab/", "/p/a_/", "/p/a-/",
    "/p/a_/x/", "/p/az/x/", "/q/", "/q/a/", "/q/a/x/", "/-/", "/",
]  # fmt: skip
ROLES = [frozenset(some) for n in (0, 1, 2) for some in combinations(Role, n)]


@contextmanager
def planted(node: Node) -> Iterator[Connection]:
    """A transaction that sees a row at each path of the tree."""
    with node.db.write() as tx:
        for path in TREE:
            record(tx, node.clock.now(), "x", "x", "x", path=path)
    with node.db.read() as tx:
        yield tx


@pytest.mark.parametrize(
    ("path", "former"),
    [
        ("/p/", ()),
        ("/p/a/", ("/q/a/",)),
        ("/p/a_/", ()),
        ("/p/a/x/", ("/p/b/x/", "/q/a/x/")),
        ("/p/a/x/t/u/", ()),
    ],
)
def test_visible_is_what_one_may_see(node: Node, path: str, former: tuple[str, ...]) -> None:
    """`scope.visible` as SQL against `Viewer.may` asked for each row."""
    wrong = []
    with planted(node) as tx:
        for roles in ROLES:
            viewer = Viewer(1, "x", "某某", path.split("/")[-2], path, roles, former=former)
            for action in PERMISSIONS:
                seen = set(tx.execute(select(audit.c.path).where(visible(viewer, action, audit.c.path))).scalars())
                if seen != {p for p in TREE if viewer.may(action, p)}:
                    wrong.append((sorted(roles), action, seen))

    assert [] == wrong


def test_a_token_without_the_scope_sees_nothing(node: Node) -> None:
    viewer = Viewer(1, "x", "某某", "a", "/p/a/", frozenset(Role), scopes=frozenset({"file"}))
    with planted(node) as tx:
        seen = tx.execute(select(audit.c.path).where(visible(viewer, "submission.read", audit.c.path))).all()

    assert [] == seen
