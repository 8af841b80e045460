"""Where two things meet that each are fine alone: guesses at once, a moved unit, a form that is gone, a failing page."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from browsing import Browser
from gmsafety.duties import BEIJING
from gmsafety_server import auth
from gmsafety_server.directory import Directories
from gmsafety_server.node import Node
from gmsafety_server.tables import strangers, users
from test_filing import nil
from world import CITY, OTHER_CITY, PASSWORD, PROVINCE, ZEZHOU, Person, StandingClock, scenario_file

WEEKLY, LEDGER = "shanxi.weekly-dispatch", "shanxi.major-hazard-ledger"
WEEK = "2024-12-27"
WRONG = "wrong password"
Make = Callable[..., Person]


def login(http: TestClient, who: str, password: str = PASSWORD) -> Any:
    return http.post("/api/v1/tokens", json={"login": who, "password": password})


@pytest.fixture
def at(node: Node, person: Make) -> Callable[..., Browser]:
    """Sit down at a browser as somebody of a unit."""
    return lambda unit, *roles: Browser(node, person(unit, *roles))


def change(who: Person, kind: str, **told: Any) -> Any:
    body = {"kind": kind, "day": "2025-01-01", "reason": "依据某某文件", **told}
    return who.post("/units/changes", json=body)


# --- guesses -----------------------------------------------------------------------------------------------------


def locked_meanwhile(node: Node, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """While a password is looked at, others guess until the name is locked."""
    matches = auth.matches

    def slow(hashed: str, password: str) -> bool:
        right = matches(hashed, password)
        with node.db.write() as tx:
            row = auth.begin_attempt(tx, name)
            if row.locked_until is None:
                for _ in range(auth.FAILURES_ALLOWED):
                    auth.count_failure(tx, name, node.clock.now(), node.directory(tx))
        return right

    monkeypatch.setattr(auth, "matches", slow)


@pytest.mark.parametrize("password", [PASSWORD, WRONG])
def test_a_guess_that_overtakes_the_lock_is_not_let_in(
    http: TestClient, node: Node, person: Make, monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    """Nor does the answer tell which of the guesses was right; and the lock stays."""
    clerk = person(ZEZHOU, "clerk")
    locked_meanwhile(node, monkeypatch, clerk.login)
    answer = login(http, clerk.login, password)

    assert (429, "GM-H413", "900") == (answer.status_code, answer.json()["code"], answer.headers["retry-after"])
    assert 429 == login(http, clerk.login).status_code
    with node.db.read() as tx:
        assert tx.execute(select(users.c.locked_until).where(users.c.id == clerk.user_id)).scalar() is not None


def test_nor_on_the_pages(node: Node, at: Callable[..., Browser], monkeypatch: pytest.MonkeyPatch) -> None:
    browser = at(ZEZHOU, "clerk")
    browser.http.cookies.clear()
    form = browser.get("/login")
    locked_meanwhile(node, monkeypatch, browser.person.login)
    page = browser.send(form, "/login", login=browser.person.login, password=PASSWORD)

    assert (429, "/login") == (page.status, page.path)
    assert "密码错误次数过多，请15分钟后再试" in page.text


def test_nor_where_the_own_password_is_changed(node: Node, person: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    clerk = person(ZEZHOU, "clerk")
    locked_meanwhile(node, monkeypatch, clerk.login)
    answer = clerk.post("/me/password", json={"old": PASSWORD, "new": "a horse of another colour"})

    assert "GM-H413" == answer.json()["code"]


@pytest.mark.parametrize("known", [True, False], ids=["known", "unknown"])
def test_first_guesses_that_come_together_are_told_the_same_and_counted(
    http: TestClient, node: Node, person: Make, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    matches, together = auth.matches, Barrier(2)

    def slow(hashed: str, password: str) -> bool:
        right = matches(hashed, password)
        together.wait(10)
        return right

    monkeypatch.setattr(auth, "matches", slow)
    for turn in range(6):
        name = person(ZEZHOU, "clerk").login if known else f"nobody-{turn}"
        with ThreadPoolExecutor(2) as pool:
            told = [a.status_code for a in pool.map(lambda _, name=name: login(http, name, WRONG), range(2))]

        assert [401, 401] == told
    with node.db.read() as tx:
        assert [2] * 6 == list(tx.execute(select(strangers.c.failures)).scalars())


@pytest.mark.parametrize("known", [True, False], ids=["known", "unknown"])
def test_wrong_passwords_are_forgotten_whoever_has_the_name(
    http: TestClient, person: Make, clock: StandingClock, known: bool
) -> None:
    """Four, an hour's rest, four: none is locked. What is remembered for an account only would tell that it exists."""
    name = person(ZEZHOU, "clerk").login if known else "nobody-here"
    told = [login(http, name, WRONG).status_code for _ in range(4)]
    clock.set(clock.moment + auth.REMEMBERED + timedelta(seconds=1))
    told += [login(http, name, WRONG).status_code for _ in range(4)]
    clock.set(clock.moment + auth.REMEMBERED)
    told += [login(http, name, WRONG).status_code for _ in range(2)]

    assert [401] * 9 + [429] == told


def test_a_password_that_is_reset_ends_the_tokens(http: TestClient, person: Make) -> None:
    """Whoever had the old one may have made some."""
    admin, clerk = person(CITY, "administrator"), person(ZEZHOU, "clerk")
    assert 200 == clerk.get("/me").status_code
    admin.send("PATCH", f"/users/{clerk.login}", json={"password": "given by telephone"})

    assert "GM-H411" == clerk.get("/me").json()["code"]
    assert 201 == login(http, clerk.login, "given by telephone").status_code


# --- what is out of sight does not exist -------------------------------------------------------------------------


def test_units_out_of_sight_answer_as_those_that_are_none(person: Make) -> None:
    admin, clerk = person(CITY, "administrator"), person(ZEZHOU, "clerk")

    def told(unit: str) -> list[dict[str, Any]]:
        answers = [
            change(admin, "rename", unit=unit, name="某某局"),
            change(admin, "move", unit=ZEZHOU, to=unit),
            admin.post("/users", json={"login": "somebody", "name": "某某", "unit": unit, "roles": ["clerk"]}),
            clerk.post("/submissions", json=nil(LEDGER, WEEK, unit=unit)),
            clerk.post("/check", json={"item": LEDGER, "period": WEEK, "unit": unit, "nil": True}),
        ]
        return [{**a.json(), "detail": a.json()["detail"].replace(unit, "…")} for a in answers]

    assert [404] * 5 == [a["status"] for a in told("nowhere.at-all")]
    assert told("nowhere.at-all") == told(OTHER_CITY)


def test_a_new_upper_unit_does_not_see_what_was_filed_to_the_old_one(
    person: Make, at: Callable[..., Browser], clock: StandingClock
) -> None:
    clerk, reviewer = at(ZEZHOU, "clerk"), at(OTHER_CITY, "reviewer")
    path = scenario_file(WEEK, "zezhou", "weekly")
    filed = clerk.person.file(path, WEEKLY, WEEK, reason="测试").json()
    assert 201 == change(person(PROVINCE, "administrator"), "move", unit=ZEZHOU, to=OTHER_CITY).status_code
    clock.set(datetime(2025, 1, 2, 9, 0, tzinfo=BEIJING))
    own, upper = (b.get(f"/file?item={WEEKLY}&period=2025-01-03&unit={ZEZHOU}") for b in (clerk, reviewer))

    assert (200, 200) == (own.status, upper.status)
    assert f"/submissions/{filed['uid']}" in own.answer.text
    assert [filed["uid"] in upper.answer.text, path.name in upper.answer.text] == [False, False]


def test_drafts_are_no_part_of_the_history_that_others_see(person: Make) -> None:
    clerk, reviewer = person(ZEZHOU, "clerk"), person(CITY, "reviewer")
    draft = clerk.post("/submissions", json=nil(LEDGER, WEEK, action="draft")).json()
    path = f"/submissions/{draft['uid']}"
    changed = clerk.send("PUT", f"{path}/form", seen=draft["etag"], json=nil(LEDGER, WEEK, note="一"))
    clerk.send("POST", f"{path}/submit", seen=changed.json()["etag"], json={"reason": "测试"})
    own, other = ([e["kind"] for e in who.get(f"{path}/history").json()] for who in (clerk, reviewer))

    assert (["drafted", "redrafted", "submitted"], ["submitted"]) == (own, other)


# --- characters and numbers that nobody writes -------------------------------------------------------------------


@pytest.mark.parametrize("mark", ["\u200b", "\u202e", "\u0085", "\u2028"])
def test_a_unit_has_no_name_that_a_receipt_would_refuse(person: Make, mark: str) -> None:
    admin, name = person(PROVINCE, "administrator"), f"泽州区{mark}应急管理局"
    renamed = change(admin, "rename", unit=ZEZHOU, name=name)
    told = {"ref": "jincheng.kfq-office", "parent": CITY, "level": "county", "role": "county-office"}
    opened = change(admin, "open", **told, name="开发区应急管理局", aliases=[name])

    assert [422, 422] == [renamed.status_code, opened.status_code]
    for answer in (renamed, opened):
        assert f"名称里含有看不见的字符U+{ord(mark):04X}" in answer.json()["errors"][0]["message"]


def test_numbers_of_slots_that_no_database_holds(at: Callable[..., Browser]) -> None:
    clerk, far = at(ZEZHOU, "clerk"), "/slots/99999999999999999999"
    form = clerk.get(f"/file?item={LEDGER}&period={WEEK}")
    token = {"csrf_token": form.form("/logout")["csrf_token"], "message_id": "web-0123456789"}

    assert [422, 422] == [clerk.get(where).status for where in (far, f"{far}/blank.xlsx")]
    assert [422, 422] == [clerk.http.post(f"{far}/{what}", data=token).status_code for what in ("upload", "nil")]


@pytest.mark.parametrize("seen", ["²", "9" * 5000, "99999999999999999999", "-1", ""])
def test_versions_that_are_none(at: Callable[..., Browser], seen: str) -> None:
    clerk, reviewer = at(ZEZHOU, "clerk"), at(CITY, "reviewer")
    filed = clerk.person.post("/submissions", json=nil(LEDGER, WEEK, reason="测试")).json()
    path = f"/submissions/{filed['uid']}"
    many = reviewer.send(reviewer.get("/review"), "/review/accept", chosen=f"{filed['uid']}:{seen}")
    one = reviewer.send(reviewer.get(path), f"{path}/accept", seen=seen)

    assert ["接受了0份；1份没有办成"] == [words.split("：")[0] for words in many.said()]
    assert 422 == one.status
    assert "submitted" == clerk.person.get(path).json()["state"]


# --- what fails, and what is gone --------------------------------------------------------------------------------


def test_a_page_that_loses_its_database_says_so(
    node: Node, at: Callable[..., Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database answers who asks, and then nothing more: not to the page, nor to the page that says so."""
    clerk, read, reads = at(ZEZHOU, "clerk"), node.db.read, []

    @contextmanager
    def failing() -> Iterator[Any]:
        reads.append(1)
        if len(reads) > 1:
            raise OperationalError("SELECT 1", {}, Exception("away"))
        with read() as tx:
            yield tx

    monkeypatch.setattr(node.db, "read", failing)
    answer = clerk.http.get("/submissions", headers={"accept": "text/html"})

    assert (503, "2") == (answer.status_code, answer.headers["retry-after"])
    assert "服务器正忙" in answer.text
    assert len(reads) > 2


def without(node: Node, form: str) -> None:
    """What an update of a plugin leaves when it drops a form: neither the form, nor duties that ask for it."""
    old = node.catalog

    def rest(campaign: Any) -> Any:
        kept = [
            d.model_copy(update={"file": tuple(n for n in d.file if old.form(n).ref != form)}) for d in campaign.duties
        ]
        return campaign.model_copy(update={"duties": tuple(kept)})

    campaigns = {name: rest(campaign) for name, campaign in old.campaigns.items()}
    forms = {name: each for name, each in old.forms.items() if name != form}
    versions = {name: each for name, each in old.versions.items() if name != form}
    node.catalog = replace(old, forms=forms, versions=versions, campaigns=campaigns)
    node.directories = Directories(node.catalog)


def test_what_was_filed_outlives_its_form(node: Node, at: Callable[..., Browser]) -> None:
    """The page shows what can be shown without the form, its JSON is given out, and other forms are filed on."""
    browser = at(ZEZHOU, "clerk")
    clerk, path = browser.person, scenario_file(WEEK, "zezhou", "ledger")
    filed = clerk.file(path, LEDGER, WEEK, reason="测试").json()
    where = f"/submissions/{filed['uid']}"
    body = clerk.get(where).json()["body"]
    corrected = clerk.file(
        scenario_file("2025-01-03", "zezhou", "ledger"), LEDGER, WEEK, supersedes=filed["payload_hash"], reason="测试"
    )
    assert 201 == corrected.status_code, corrected.text
    without(node, LEDGER)
    page, slot = browser.get(where), browser.get(f"/file?item={LEDGER}&period={WEEK}")
    second = browser.get(f"/submissions/{corrected.json()['uid']}")

    assert [200] * 3 == [p.status for p in (page, slot, second)]
    assert path.name in page.text
    assert body == clerk.get(f"{where}/record.json").json() == browser.http.get(f"{where}/record.json").json()
    refused = [clerk.get(f"{where}/record.{suffix}").json() for suffix in ("xlsx", "printed.json")]
    assert ["GM-H440"] * 2 == [told["code"] for told in refused]
    assert f"没有插件再定义表“{LEDGER}”" in refused[0]["detail"]
    compared = clerk.get(f"{where}/diff", params={"against": corrected.json()["uid"]})
    assert "GM-H485" == compared.json()["code"]
    weekly = scenario_file(WEEK, "zezhou", "weekly")
    assert 201 == clerk.file(weekly, WEEKLY, WEEK, reason="测试").status_code
