"""Accounts: logging in, lock-out, tokens, passwords, and what an administrator may do."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from browsing import Browser
from gmsafety_server import auth
from gmsafety_server.node import Node
from gmsafety_server.tables import audit, sessions, tokens, users
from world import CITY, GAOPING, OTHER_CITY, PASSWORD, PROVINCE, ZEZHOU, StandingClock

Make = Callable[..., Any]
TOKENS = "/api/v1/tokens"


def login(http: TestClient, who: str, password: str = PASSWORD, **more: Any) -> Any:
    return http.post(TOKENS, json={"login": who, "password": password, **more})


def test_a_password_costs_what_rfc_9106_recommends() -> None:
    """The second recommended option; the tests themselves do with less."""
    source = Path(auth.__file__).read_text("utf-8")

    assert 'WORK = {"time_cost": 3, "memory_cost": 64 * 1024, "parallelism": 4}' in source
    assert auth.hash_password(PASSWORD).startswith("$argon2id$")


# --- logging in --------------------------------------------------------------------------------------------------


def test_a_token_is_shown_once(http: TestClient, person: Make, node: Node) -> None:
    clerk = person(ZEZHOU, "clerk")
    answer = login(http, clerk.login, name="每周自动报送", scopes=["read", "account"], days=7)
    assert 201 == answer.status_code, answer.text
    made = answer.json()
    bearer = {"Authorization": f"Bearer {made['token']}"}
    listed = http.get(TOKENS, headers=bearer).json()

    assert made["token"].startswith("gms_")
    assert ["每周自动报送", "test"] == [t["name"] for t in listed]
    assert {"id", "name", "hint", "scopes", "created_at", "expires_at", "revoked_at"} == set(listed[0])
    assert made["hint"] == made["token"][:9] == listed[0]["hint"]
    with node.db.read() as tx:
        said = "".join(tx.execute(select(audit.c.data)).scalars())
    assert made["token"] not in said
    assert PASSWORD not in said


def test_an_expired_token_is_told_from_an_unknown_one(http: TestClient, person: Make, clock: StandingClock) -> None:
    clerk = person(ZEZHOU, "clerk")
    token = login(http, clerk.login, days=1).json()["token"]
    clock.set(clock.moment + timedelta(days=2))

    def code(secret: str) -> str:
        answer = http.get("/api/v1/me", headers={"Authorization": f"Bearer {secret}"})
        assert 401 == answer.status_code
        assert "Bearer" == answer.headers["www-authenticate"]
        return str(answer.json()["code"])

    assert ("GM-H411", "GM-H410") == (code(token), code("gms_nobody"))


@pytest.mark.parametrize("known", [True, False], ids=["known", "unknown"])
def test_known_and_unknown_names_are_told_the_same(
    http: TestClient, person: Make, clock: StandingClock, known: bool
) -> None:
    name = person(ZEZHOU, "clerk").login if known else "nobody-here"
    said = [login(http, name, "wrong password") for _ in range(6)]
    told = {k: said[0].json()[k] for k in ("code", "detail", "remedy")}

    assert [401, 401, 401, 401, 401, 429] == [a.status_code for a in said]
    assert {"code": "GM-H412", "detail": "账号或密码不对", "remedy": "请核对后再试；忘记密码请找本单位管理员"} == told
    assert ("GM-H413", "900") == (said[5].json()["code"], said[5].headers["retry-after"])

    clock.set(clock.moment + timedelta(minutes=16))
    assert (201 if known else 401) == login(http, name).status_code


def test_a_right_password_forgets_the_wrong_ones(http: TestClient, person: Make) -> None:
    name = person(ZEZHOU, "clerk").login
    tried = ["wrong password"] * 4 + [PASSWORD] + ["wrong password"] * 4 + [PASSWORD]

    assert [401] * 4 + [201] + [401] * 4 + [201] == [login(http, name, word).status_code for word in tried]


def test_a_locked_account_is_not_opened_by_the_right_password(http: TestClient, person: Make) -> None:
    name = person(ZEZHOU, "clerk").login
    for _ in range(5):
        login(http, name, "wrong password")

    assert 429 == login(http, name).status_code


def test_wrong_passwords_that_come_together_are_all_counted(http: TestClient, person: Make) -> None:
    name = person(ZEZHOU, "clerk").login
    with ThreadPoolExecutor(6) as pool:
        told = [a.status_code for a in pool.map(lambda _: login(http, name, "wrong password"), range(6))]

    assert {401, 429} >= set(told)
    assert 429 == login(http, name).status_code


def test_a_queue_of_passwords_has_an_end(http: TestClient, person: Make) -> None:
    """Each costs 64 MB and a core; those who wait would hold the threads that others need."""
    name = person(ZEZHOU, "clerk").login
    places = 0
    while auth._IN_QUEUE.acquire(blocking=False):
        places += 1
    full = login(http, name)
    for _ in range(places):
        auth._IN_QUEUE.release()

    assert (503, "GM-H503", "2") == (full.status_code, full.json()["code"], full.headers["retry-after"])
    assert 201 == login(http, name).status_code


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"scopes": ["everything"]}, "scopes.0"),
        ({"scopes": []}, "scopes"),
        ({"days": 366}, "days"),
        ({"days": 0}, "days"),
        ({"name": "  "}, "name"),
        ({"admin": True}, "admin"),
    ],
)
def test_a_token_is_asked_for_properly(http: TestClient, body: dict[str, Any], field: str) -> None:
    answer = login(http, "nobody-here", **body)

    assert (422, [field]) == (answer.status_code, [e["field"] for e in answer.json()["errors"]])


def test_a_token_is_revoked_by_its_owner_only(http: TestClient, person: Make) -> None:
    clerk, other = person(ZEZHOU, "clerk"), person(ZEZHOU, "clerk")
    number = login(http, clerk.login).json()["id"]

    assert 404 == other.send("DELETE", f"/tokens/{number}").status_code
    assert [204, 204] == [clerk.send("DELETE", f"/tokens/{number}").status_code for _ in range(2)]
    assert [True, False] == [t["revoked_at"] is not None for t in clerk.get("/tokens").json()]


def test_me_says_what_the_token_opens(person: Make) -> None:
    me = person(ZEZHOU, "clerk", "leader", scopes=["read"]).get("/me").json()

    assert ("泽州县应急管理局", ["clerk", "leader"], ["read"]) == (me["unit_name"], me["roles"], me["scopes"])


# --- one's own password ------------------------------------------------------------------------------------------

NEW = "a horse of another colour"


@pytest.mark.parametrize(
    ("old", "new", "status", "said"),
    [
        (PASSWORD, NEW, 204, ""),
        ("not the old one", NEW, 422, "原密码不对"),
        (PASSWORD, PASSWORD, 422, "新密码与原密码相同"),
        (PASSWORD, "short", 422, "内容不对"),
        (PASSWORD, "aaaaaaaaaaaaa", 422, "密码太简单"),
    ],
)
def test_a_password_is_changed(http: TestClient, person: Make, old: str, new: str, status: int, said: str) -> None:
    clerk = person(ZEZHOU, "clerk")
    answer = clerk.post("/me/password", json={"old": old, "new": new})

    assert status == answer.status_code, answer.text
    assert said in (answer.json()["detail"] if answer.content else "")
    assert (201 if status == 204 or new == PASSWORD else 401) == login(http, clerk.login, new).status_code


def test_wrong_old_passwords_lock_the_account(person: Make) -> None:
    clerk = person(ZEZHOU, "clerk")
    tried = [clerk.post("/me/password", json={"old": "guessed it?", "new": NEW}).status_code for _ in range(6)]

    assert [422] * 5 + [429] == tried


# --- accounts as an administrator sees them ----------------------------------------------------------------------


def new_user(name: str, unit: str, *roles: str, **more: Any) -> dict[str, Any]:
    return {"login": name, "name": "某某", "unit": unit, "roles": list(roles), **more}


def test_a_first_password_has_to_be_changed(http: TestClient, person: Make) -> None:
    admin = person(CITY, "administrator")
    made = admin.post("/users", json=new_user("zezhou-1", ZEZHOU, "clerk"))
    assert 201 == made.status_code, made.text
    first = made.json()["password"]
    bearer = {"Authorization": f"Bearer {login(http, 'zezhou-1', first).json()['token']}"}

    assert made.json()["must_change"]
    assert "GM-H415" == http.get("/api/v1/submissions", headers=bearer).json()["code"]
    assert http.get("/api/v1/me", headers=bearer).json()["must_change"]
    assert 204 == http.post("/api/v1/me/password", json={"old": first, "new": NEW}, headers=bearer).status_code
    assert 200 == http.get("/api/v1/submissions", headers=bearer).status_code
    assert "password" not in admin.get("/users/zezhou-1").json()


@pytest.mark.parametrize(
    ("unit", "status"),
    [(CITY, 201), (ZEZHOU, 201), (PROVINCE, 404), (OTHER_CITY, 404), ("nowhere.at-all", 404)],
)
def test_accounts_are_made_in_sight_only(person: Make, unit: str, status: int) -> None:
    admin = person(CITY, "administrator")
    admin.post("/users", json=new_user("to-be-moved", ZEZHOU, "clerk"))

    assert status == admin.post("/users", json=new_user("somebody", unit, "clerk")).status_code
    moved = admin.send("PATCH", "/users/to-be-moved", json={"unit": unit}).status_code
    assert (200 if status == 201 else 404) == moved


@pytest.mark.parametrize("unit", [PROVINCE, OTHER_CITY])
def test_accounts_out_of_sight_do_not_exist(person: Make, unit: str) -> None:
    admin, stranger = person(CITY, "administrator"), person(unit, "clerk")
    answers = [
        admin.get(f"/users/{stranger.login}"),
        admin.send("PATCH", f"/users/{stranger.login}", json={"disabled": True}),
        admin.get("/users/nobody-here"),
    ]

    assert [(404, "GM-H440")] * 3 == [(a.status_code, a.json()["code"]) for a in answers]
    assert stranger.login not in [u["login"] for u in admin.get("/users").json()["items"]]


@pytest.mark.parametrize(
    ("change", "key", "after"),
    [
        ({"name": "另某某"}, "name", "另某某"),
        ({"roles": ["reviewer", "clerk"]}, "roles", ["clerk", "reviewer"]),
        ({"unit": GAOPING}, "unit_name", "高平市应急管理局"),
        ({"password": "given by telephone"}, "must_change", True),
    ],
)
def test_an_account_is_changed(person: Make, change: dict[str, Any], key: str, after: Any) -> None:
    admin, clerk = person(CITY, "administrator"), person(ZEZHOU, "clerk")
    answer = admin.send("PATCH", f"/users/{clerk.login}", json=change)

    assert (200, after) == (answer.status_code, answer.json().get(key)), answer.text


@pytest.mark.parametrize(
    "body",
    [{}, {"name": None}, {"roles": []}, {"roles": ["king"]}, {"unlock": False}, {"login": "x"}, {"password": "short"}],
)
def test_an_account_is_changed_properly(person: Make, body: dict[str, Any]) -> None:
    admin, clerk = person(CITY, "administrator"), person(ZEZHOU, "clerk")

    assert 422 == admin.send("PATCH", f"/users/{clerk.login}", json=body).status_code


def test_a_disabled_account_is_shut_at_once(http: TestClient, person: Make) -> None:
    admin, clerk = person(CITY, "administrator"), person(ZEZHOU, "clerk")
    assert 200 == clerk.get("/me").status_code
    admin.send("PATCH", f"/users/{clerk.login}", json={"disabled": True})

    assert [401, 401] == [clerk.get("/me").status_code, login(http, clerk.login).status_code]
    admin.send("PATCH", f"/users/{clerk.login}", json={"disabled": False})
    assert ("GM-H411", 201) == (clerk.get("/me").json()["code"], login(http, clerk.login).status_code)


def test_an_administrator_unlocks(http: TestClient, person: Make) -> None:
    admin, clerk = person(CITY, "administrator"), person(ZEZHOU, "clerk")
    for _ in range(5):
        login(http, clerk.login, "wrong password")
    locked = admin.get(f"/users/{clerk.login}").json()["locked_until"]
    admin.send("PATCH", f"/users/{clerk.login}", json={"unlock": True})

    assert locked is not None
    assert 201 == login(http, clerk.login).status_code


@pytest.mark.parametrize("change", [{"disabled": True}, {"roles": ["clerk"]}])
def test_the_last_administrator_stays(person: Make, change: dict[str, Any]) -> None:
    admin = person(CITY, "administrator")
    said = admin.send("PATCH", f"/users/{admin.login}", json=change).json()
    second = person(CITY, "administrator")
    done = admin.send("PATCH", f"/users/{admin.login}", json=change).status_code
    last = second.send("PATCH", f"/users/{second.login}", json=change).json()

    assert ("GM-H457", 200, "GM-H457") == (said["code"], done, last["code"])


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["city-1", "gaoping-1", "zezhou-1", "zezhou-2"]),
        (f"?unit={ZEZHOU}", ["zezhou-1", "zezhou-2"]),
        ("?role=reviewer", ["city-1"]),
        ("?disabled=true", ["zezhou-2"]),
        ("?q=高平", ["gaoping-1"]),
        ("?q=zhou-1", ["zezhou-1"]),
        ("?q=%25", []),
        ("?size=2&page=2", ["zezhou-1", "zezhou-2"]),
    ],
)
def test_accounts_are_found(person: Make, query: str, found: list[str]) -> None:
    admin = person(CITY, "administrator", "reviewer", login="city-1")
    person(GAOPING, "clerk", login="gaoping-1")
    person(ZEZHOU, "clerk", login="zezhou-1")
    person(ZEZHOU, "leader", login="zezhou-2")
    person(PROVINCE, "administrator", login="province-1")
    admin.send("PATCH", "/users/zezhou-2", json={"disabled": True})

    assert found == [u["login"] for u in admin.get(f"/users{query}").json()["items"]]


def test_a_name_is_given_once(person: Make) -> None:
    admin = person(CITY, "administrator")
    body = new_user("somebody", ZEZHOU, "clerk")
    answers = [admin.post("/users", json=body), admin.post("/users", json=body)]

    assert [201, 422] == [a.status_code for a in answers]
    assert [{"field": "login", "message": "已有这个账号名"}] == answers[1].json()["errors"]


def test_no_password_and_no_token_is_in_the_log(http: TestClient, person: Make, node: Node) -> None:
    admin = person(CITY, "administrator", login="city-1")
    first = admin.post("/users", json=new_user("somebody", ZEZHOU, "clerk")).json()["password"]
    token = login(http, "somebody", first).json()["token"]
    admin.send("PATCH", "/users/somebody", json={"password": NEW, "roles": ["leader"]})
    login(http, "somebody", "a wrong password")
    login(http, "typed my password here", "x")
    with node.db.read() as tx:
        rows = tx.execute(select(audit).order_by(audit.c.id)).all()
    text = "\n".join(f"{r.actor} {r.action} {r.object} {r.data}" for r in rows)

    assert ["user.added", "token.made", "user.changed", "login.failed", "login.failed"] == [r.action for r in rows]
    assert [] == [s for s in (first, token, NEW, "wrong password", "typed my") if s in text]


# --- pages -------------------------------------------------------------------------------------------------------


def door(http: TestClient, path: str = "/login") -> str:
    """Open the log-in page, and take the secret out of its form."""
    return str(http.get(path).text.split('name="csrf_token" value="')[1].split('"')[0])


def enter(http: TestClient, name: str, password: str = PASSWORD, *, next: str = "/account") -> Any:
    told = {"login": name, "password": password, "next": next, "csrf_token": door(http)}
    return http.post("/login", data=told, follow_redirects=False)


def csrf(http: TestClient, path: str = "/account") -> str:
    return door(http, path)


def hidden(http: TestClient, path: str) -> dict[str, str]:
    """The hidden fields of a page's forms."""
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', http.get(path).text))


@pytest.mark.parametrize(
    ("next", "where"),
    [
        ("/account", "/account"),
        ("/board?period=2024-12-27&x=1", "/board?period=2024-12-27&x=1"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("https://evil.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ],
)
def test_one_goes_on_to_local_paths_only(http: TestClient, person: Make, next: str, where: str) -> None:
    answer = enter(http, person(ZEZHOU, "clerk").login, next=next)

    assert (303, where) == (answer.status_code, answer.headers["location"])


def test_a_page_sends_to_the_log_in_and_back(http: TestClient) -> None:
    answer = http.get("/account?x=1&y=2", follow_redirects=False)

    assert (303, "/login?next=%2Faccount%3Fx%3D1%26y%3D2") == (answer.status_code, answer.headers["location"])
    assert 'name="next" value="/account?x=1&amp;y=2"' in http.get(answer.headers["location"]).text


def test_the_session_cookie_is_kept_from_scripts_and_strangers(http: TestClient, person: Make) -> None:
    answer = enter(http, person(ZEZHOU, "clerk").login)
    cookie = next(c for c in answer.headers.get_list("set-cookie") if c.startswith("gmsafety="))

    assert "HttpOnly; Max-Age=43200; Path=/; SameSite=lax" == cookie.split("; ", 1)[1]


def test_the_log_in_form_is_our_own(http: TestClient, person: Make) -> None:
    name = person(ZEZHOU, "clerk").login
    told = {"login": name, "password": PASSWORD, "csrf_token": "made elsewhere"}
    without = http.post("/login", data=told, follow_redirects=False)
    door(http)
    other = http.post("/login", data=told, follow_redirects=False)

    assert [403, 403] == [without.status_code, other.status_code]
    assert "页面已过期" in other.text


def test_a_session_is_new_at_each_log_in(http: TestClient, person: Make, node: Node) -> None:
    name = person(ZEZHOU, "clerk").login
    enter(http, name)
    before = http.cookies["gmsafety"]
    csrf_before = csrf(http)
    http.get("/login", follow_redirects=False)
    told = {"login": name, "password": PASSWORD, "csrf_token": "x", "next": "/"}
    http.cookies.set("gmsafety-door", "x", path="/login")
    http.post("/login", data=told, follow_redirects=False)

    assert before != http.cookies["gmsafety"]
    assert csrf_before != csrf(http)
    with node.db.read() as tx:
        assert 1 == tx.execute(select(func.count()).select_from(sessions)).scalar_one()


def test_a_wrong_password_is_told_on_the_page(http: TestClient, person: Make) -> None:
    answer = enter(http, person(ZEZHOU, "clerk").login, "wrong password")

    assert 401 == answer.status_code
    assert "账号或密码不对。" in answer.text


def test_a_form_of_another_site_is_refused(http: TestClient, person: Make) -> None:
    enter(http, person(ZEZHOU, "clerk").login)
    answers = [
        http.post("/logout", data=told, headers={"Accept": "text/html"}) for told in ({}, {"csrf_token": "guessed"})
    ]

    assert [403, 403] == [a.status_code for a in answers]
    assert "GM-H414" in answers[1].text


def test_a_session_is_over_after_logging_out(http: TestClient, person: Make) -> None:
    enter(http, person(ZEZHOU, "clerk").login)
    secret = http.cookies["gmsafety"]
    answer = http.post("/logout", data={"csrf_token": csrf(http)}, follow_redirects=False)
    http.cookies.set("gmsafety", secret)

    assert (303, "/login") == (answer.status_code, answer.headers["location"])
    assert "/login" in http.get("/account", follow_redirects=False).headers["location"]


def test_all_other_sessions_end_with_the_password(http: TestClient, person: Make) -> None:
    name = person(ZEZHOU, "clerk").login
    enter(http, name)
    elsewhere = http.cookies["gmsafety"]
    http.cookies.clear()
    enter(http, name)
    told = {"old": PASSWORD, "new": NEW, "again": NEW, "csrf_token": csrf(http, "/account/password")}
    answer = http.post("/account/password", data=told, follow_redirects=False)

    assert (303, "/account") == (answer.status_code, answer.headers["location"])
    assert "密码已更改" in http.get("/account").text
    http.cookies.clear()
    http.cookies.set("gmsafety", elsewhere)
    assert 303 == http.get("/account", follow_redirects=False).status_code


@pytest.mark.parametrize(
    ("old", "new", "again", "said"),
    [
        ("wrong password", NEW, NEW, "原密码不对"),
        (PASSWORD, NEW, NEW + "!", "两次输入的不一样"),
        (PASSWORD, "short", "short", "密码至少10位"),
        (PASSWORD, PASSWORD, PASSWORD, "新密码与原密码相同"),
    ],
)
def test_the_password_page_says_what_is_wrong(
    http: TestClient, person: Make, old: str, new: str, again: str, said: str
) -> None:
    enter(http, person(ZEZHOU, "clerk").login)
    told = {"old": old, "new": new, "again": again, "csrf_token": csrf(http, "/account/password")}
    answer = http.post("/account/password", data=told)

    assert 422 == answer.status_code
    assert said in answer.text


def test_a_first_password_leads_to_one_of_ones_own(http: TestClient, person: Make, node: Node) -> None:
    person(CITY, "administrator").post("/users", json=new_user("somebody", CITY, "administrator", password=PASSWORD))

    assert "/account/password" == enter(http, "somebody", next="/admin/users").headers["location"]
    assert "/account/password" == http.get("/admin/users", follow_redirects=False).headers["location"]
    assert "这是初始密码" in http.get("/account/password").text


def test_tokens_are_made_and_revoked_on_the_page(http: TestClient, person: Make, node: Node) -> None:
    enter(http, person(ZEZHOU, "clerk").login)
    told = {"name": "每周自动报送", "days": "30", "scopes": ["read", "file"], **hidden(http, "/account")}
    made = http.post("/account/tokens", data=told).text
    again = http.post("/account/tokens", data=told).text
    with node.db.read() as tx:
        row = tx.execute(select(tokens).order_by(tokens.c.id.desc())).first()
    assert row is not None
    http.post(f"/account/tokens/{row.id}/revoke", data={"csrf_token": csrf(http)})

    assert f"{row.hint}" in made
    assert "只显示这一次" in made
    assert ["没有再次申请" in again, "只显示这一次" in again, again.count(row.hint)] == [True, False, 1]
    assert "已撤销" in http.get("/account").text
    assert "只显示这一次" not in http.get("/account").text


def test_accounts_are_looked_after_on_pages(http: TestClient, person: Make, node: Node) -> None:
    enter(http, person(CITY, "administrator").login)
    told = {"login": "zezhou-1", "name": "某某", "unit": ZEZHOU, "roles": ["clerk"], "csrf_token": csrf(http)}
    made = http.post("/admin/new-user", data=told).text
    again = http.post("/admin/new-user", data=told)
    page = "/admin/users/zezhou-1"
    for do in ("disable", "enable"):
        http.post(page, data={"do": do, "csrf_token": csrf(http, page)})
    resetting = {"do": "reset", **hidden(http, page)}
    reset = http.post(page, data=resetting).text
    with node.db.read() as tx:
        given = tx.execute(select(users.c.password).where(users.c.login == "zezhou-1")).scalar_one()
    reloaded = http.post(page, data=resetting).text
    changed = {**told, "do": "save", "name": "另某某", "roles": ["clerk", "leader"], "csrf_token": csrf(http, page)}
    http.post(page, data=changed)
    with node.db.read() as tx:
        row = tx.execute(select(users).where(users.c.login == "zezhou-1")).one()

    assert "初始密码只显示这一次" in made
    assert "初始密码只显示这一次" in reset
    assert ["没有再次重设" in reloaded, "初始密码只显示这一次" in reloaded] == [True, False]
    assert given == row.password
    assert (422, True) == (again.status_code, "已有这个账号名" in again.text)
    assert ("另某某", ["clerk", "leader"], None) == (row.name, row.roles, row.disabled_at)
    assert "zezhou-1" in http.get("/admin/users?q=泽州").text


@pytest.mark.parametrize(
    ("roles", "offered"),
    [
        (["clerk"], ["read", "file", "rollup", "account"]),
        (["reviewer"], ["read", "review", "account"]),
        (["leader"], ["read", "account"]),
        (["administrator", "auditor"], ["read", "account", "admin", "audit"]),
    ],
)
def test_a_token_is_offered_what_the_roles_open(node: Node, person: Make, roles: list[str], offered: list[str]) -> None:
    boxes = Browser(node, person(ZEZHOU, *roles)).get("/account").all("input[name=scopes]")

    assert offered == [b.get("value") for b in boxes]
    assert ["read"] == [b.get("value") for b in boxes if "checked" in b.attrib]


def test_the_address_of_administration_leads_to_the_accounts(node: Node, person: Make) -> None:
    assert "/admin/users" == Browser(node, person(CITY, "administrator")).get("/admin").path
    assert 403 == Browser(node, person(CITY, "clerk")).get("/admin").status


def test_problems_are_told_on_a_page(http: TestClient, person: Make) -> None:
    enter(http, person(ZEZHOU, "clerk").login)
    answers = [http.get(path, headers={"Accept": "text/html"}) for path in ("/nowhere", "/admin/users")]

    assert [404, 403] == [a.status_code for a in answers]
    assert ["GM-H440" in answers[0].text, "GM-H430" in answers[1].text] == [True, True]
    assert "application/problem+json" == http.get("/api/v1/nowhere").headers["content-type"]
