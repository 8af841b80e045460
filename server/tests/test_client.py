"""The client against a real server: every route has a method, and nothing is sent twice that may not come twice."""

import ast
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar, get_type_hints

import httpx2
import pytest

import gmsafety.client
from gmsafety.client import Client, ProblemError, StrangeAnswer, Unreachable
from gmsafety.exchange import SigningKey
from gmsafety.forms import read
from gmsafety_server.app import create_app
from gmsafety_server.node import Node, public_keys
from serving import QUICK
from world import CITY, GAOPING, PASSWORD, ZEZHOU, scenario_file

WEEK = "2024-12-27"
TABLE, LEDGER = "weekly-dispatch", "major-hazard-ledger"
PAGE = Path(__file__).parents[2] / "docs" / "client.md"


# --- every route -------------------------------------------------------------------------------------------------


def methods() -> dict[str, str]:
    """Route → method of the client: the routes as they stand in its source."""
    found = {}
    for path in Path(gmsafety.client.__file__).parent.glob("*.py"):
        for room in (n for n in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(n, ast.ClassDef)):
            for method in (n for n in room.body if isinstance(n, ast.FunctionDef)):
                texts = [n.value for n in ast.walk(method) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
                routes = [t for t in texts if re.match(r"(GET|POST|PUT|PATCH|DELETE) /", t)]
                found |= dict.fromkeys(routes, f"{room.name}.{method.name}")
    return found


def test_every_route_has_a_method(node: Node) -> None:
    told = create_app(node).openapi()["paths"]
    served_routes = {f"{method.upper()} {path}" for path, operations in told.items() for method in operations}

    assert [] == sorted(served_routes - set(methods())), "routes without a method of the client"
    assert [] == sorted(set(methods()) - served_routes), "methods without a route of the server"


def test_the_client_needs_no_server_and_the_library_no_client() -> None:
    code = (
        "import sys, gmsafety, gmsafety.client; quick = set(sys.modules); gmsafety.client.Client;"
        "print('httpx2' in quick, 'httpx2' in sys.modules, *(n for n in ('fastapi', 'sqlalchemy') if n in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    assert "False True" == done.stdout.strip()


# --- the page about it ------------------------------------------------------------------------------------------


def test_the_page_names_every_method() -> None:
    rooms = {n: get_type_hints(a.func)["return"] for n, a in vars(Client).items() if isinstance(a, cached_property)}
    wanted = {name: [m for m in vars(room) if not m.startswith("_")] for name, room in rooms.items()}
    lines = re.findall(r"^\| `(\w+)` \| .* \| (.*) \|$", PAGE.read_text("utf-8"), flags=re.MULTILINE)

    assert wanted == {name: re.findall(r"`(\w+)`", methods) for name, methods in lines}


def run(page: Path, address: str, names: dict[str, Any]) -> list[str]:
    """Run what a page shows in blocks marked `py`; returns what they printed."""
    said: list[str] = []
    blocks = "".join(re.findall(r"^```py\n(.*?)^```$", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL))
    source = blocks.replace("http://127.0.0.1:8000", address).replace("demo-gongmao-2024", PASSWORD)
    names["print"] = lambda *words: said.append(" ".join(map(str, words)))
    exec(compile(source, page.name, "exec"), names)
    return said


def test_the_page_runs(address: str, person: Callable[..., Any], tmp_path: Path, monkeypatch: Any) -> None:
    people = {"gaoping": (GAOPING, "clerk"), "jincheng": (CITY, "clerk"), "jincheng-shenhe": (CITY, "reviewer")}
    for login, (unit, role) in people.items():
        person(unit, role, login=login)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").symlink_to(PAGE.parents[1] / "examples")
    names: dict[str, Any] = {}
    said = run(PAGE, address, names)
    for name in ("client", "reviewer", "city"):
        names[name].close()

    assert ["高平市应急管理局", "submitted 1 0"] == said[:2]
    assert any("GM-H482" in words and "高平市" in words for words in said)
    assert (tmp_path / "晋城市台账.docx").stat().st_size > 10_000


def test_the_readme_runs(address: str, person: Callable[..., Any], monkeypatch: Any) -> None:
    person(ZEZHOU, "clerk", login="zezhou")
    monkeypatch.chdir(scenario_file(WEEK, "zezhou", "weekly").parent)
    said = run(PAGE.parents[1] / "README.md", address, {"password": PASSWORD})

    assert [True] == [words.startswith("submitted 0 ") for words in said]


# --- filing and deciding -----------------------------------------------------------------------------------------


def test_filed_returned_corrected_accepted_reopened(client: Callable[..., Client], node: Node) -> None:
    clerk, reviewer = client(ZEZHOU, "clerk"), client(CITY, "reviewer")
    file = scenario_file(WEEK, "zezhou", "weekly")
    with node.db.read() as tx:
        keys = public_keys(tx)

    filed = clerk.submissions.file(file, TABLE, WEEK)
    again = clerk.submissions.file(str(file), TABLE, WEEK)
    returned = reviewer.submissions.give_back(filed, [("C7", "请核对重大事故隐患数")], note="请尽快")
    corrected = clerk.submissions.correct(returned, file, note="核对无误")
    accepted = reviewer.submissions.accept(corrected)
    reopened = reviewer.submissions.reopen(accepted, "再核对")

    assert filed == again
    assert ("submitted", "returned", "submitted", "accepted", "submitted") == tuple(
        s.state for s in (filed, returned, corrected, accepted, reopened)
    )
    assert (1, 2, filed.payload_hash) == (filed.revision, corrected.revision, corrected.supersedes)
    assert ["stored", "checked", "decided"] == [r.receipt.kind for r in returned.receipts]
    assert () == returned.faults(keys) + reopened.faults(keys)
    assert ["submitted", "accepted", "reopened"] == [e.kind for e in clerk.submissions.history(corrected)]
    assert file.read_bytes() == reviewer.submissions.download(filed, filed.files[0])
    assert [2, 1] == [s.revision for s in reviewer.submissions.find(unit=ZEZHOU, item=f"shanxi.{TABLE}", period=WEEK)]


def test_drafts(client: Callable[..., Client], catalog: Any) -> None:
    clerk = client(ZEZHOU, "clerk")
    record = read(scenario_file(WEEK, "zezhou", "weekly"), catalog).record
    draft = clerk.submissions.file_form(record, TABLE, WEEK, action="draft", unit=ZEZHOU)
    changed = clerk.submissions.redraft(draft, scenario_file(WEEK, "zezhou", "weekly"), note="改用文件")
    back = clerk.submissions.redraft_form(changed, record)
    clerk.submissions.discard(back)
    nil = clerk.submissions.file_nil(LEDGER, WEEK, action="draft")
    handed_in = clerk.submissions.submit(nil, reason="上周台账已全部销号")

    assert ("draft", [], ["zezhou_weekly.xlsx"]) == (draft.state, [*draft.files], [f.name for f in changed.files])
    assert [handed_in.uid] == [s.uid for s in clerk.submissions.find()]
    assert ("submitted", True) == (handed_in.state, handed_in.nil)


def test_a_problem_says_what_to_do(client: Callable[..., Client]) -> None:
    clerk = client(GAOPING, "clerk")
    clerk.submissions.file(scenario_file(WEEK, "gaoping", "ledger"), LEDGER, WEEK)
    with pytest.raises(ProblemError) as wrong:
        clerk.submissions.file(scenario_file(WEEK, "zezhou", "weekly"), TABLE, WEEK)
    with pytest.raises(ProblemError) as unknown:
        clerk.submissions.get("0193ffff-0000-7000-8000-000000000000")

    assert ("GM-H482", "reason-needed", 422, True) == (
        wrong.value.code,
        wrong.value.slug,
        wrong.value.status,
        wrong.value.is_usage,
    )
    assert "account-differs" in {f.kind for f in wrong.value.findings}
    assert str(wrong.value).splitlines()[0].endswith("请改正；数字确实如此的，请写明原因（reason）后报送）　GM-H482")
    assert ("GM-H440", 404) == (unknown.value.code, unknown.value.status)


def test_receipts_are_checked_without_the_server(client: Callable[..., Client], node: Node) -> None:
    filed = client(ZEZHOU, "clerk").submissions.file(scenario_file(WEEK, "zezhou", "weekly"), TABLE, WEEK)
    with node.db.read() as tx:
        keys = public_keys(tx)
    stored, checked = filed.receipts
    other = stored.model_copy(update={"receipt": stored.receipt.model_copy(update={"revision": 2})})

    def faults(*receipts: Any, by: Any = keys) -> tuple[str, ...]:
        return filed.model_copy(update={"receipts": receipts}).faults(by)

    assert () == faults(stored, checked)
    assert (f"回执{other.code}：签名不符，回执可能被改动过",) == faults(other)
    assert any("之前缺" in f for f in faults(checked))
    assert any("不相连" in f for f in faults(stored, stored))
    assert ("没有可用来核对签名的公钥",) == tuple(
        f.partition("：")[2] for f in faults(stored, by=[SigningKey.generate("other").public])
    )


# --- what goes wrong on the way ----------------------------------------------------------------------------------


class Unwilling(BaseHTTPRequestHandler):
    """A server that answers what it is told to, one answer after the other."""

    answers: ClassVar[list[tuple[int, dict[str, str], bytes]]] = []
    asked: ClassVar[list[str]] = []

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("content-length") or 0))
        type(self).asked.append(f"{self.command} {self.path}")
        status, headers, content = type(self).answers.pop(0)
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = _answer  # noqa: N815 - as http.server names them

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def unwilling() -> Iterator[Callable[..., str]]:
    """Start a server that gives these answers; gives its address."""
    running = []

    def start(*answers: tuple[int, dict[str, str], bytes]) -> str:
        Unwilling.answers, Unwilling.asked = list(answers), []
        server = ThreadingHTTPServer(("127.0.0.1", 0), Unwilling)
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        running.append(server)
        return f"127.0.0.1:{server.server_address[1]}"

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


BUSY = (503, {"Retry-After": "0", "Content-Type": "application/problem+json"}, b'{"code": "GM-H503", "status": 503}')
LATER = (429, {"Retry-After": "900", "Content-Type": "application/problem+json"}, b'{"code": "GM-H413", "status": 429}')
EMPTY = (200, {"Content-Type": "application/json"}, b'{"items": [], "total": 0, "page": 1, "size": 200, "pages": 1}')
STRANGE = (200, {"Content-Type": "text/html"}, b"<html>")
LOST = (502, {}, b"")


def test_a_busy_server_is_asked_again(unwilling: Callable[..., str]) -> None:
    with Client(unwilling(BUSY, BUSY, EMPTY), "t", patience=QUICK) as client:
        assert [] == list(client.submissions.find())
    assert 3 == len(Unwilling.asked)


@pytest.mark.parametrize(
    ("answers", "error", "asked"),
    [
        ((BUSY, BUSY, BUSY, BUSY), ProblemError, 3),  # not for ever
        ((LATER,), ProblemError, 1),  # not where it would take too long
        ((STRANGE,), StrangeAnswer, 1),
        ((LOST, LOST, LOST), StrangeAnswer, 3),
    ],
)
def test_patience_ends(unwilling: Callable[..., str], answers: Any, error: type[Exception], asked: int) -> None:
    with Client(unwilling(*answers), "t", patience=QUICK) as client, pytest.raises(error):
        list(client.submissions.find())
    assert asked == len(Unwilling.asked)


def test_what_may_not_come_twice_is_sent_once(unwilling: Callable[..., str], client: Callable[..., Client]) -> None:
    draft = client(ZEZHOU, "clerk").submissions.file_nil(LEDGER, WEEK, action="draft")
    with Client(unwilling(BUSY), "t", patience=QUICK) as other, pytest.raises(ProblemError):
        other.submissions.redraft_form(draft, None)

    assert 1 == len(Unwilling.asked)


def test_nobody_there() -> None:
    with Client("127.0.0.1:9", "t", patience=QUICK) as client, pytest.raises(Unreachable) as error:
        list(client.submissions.find())

    assert 3 == error.value.attempts
    assert str(error.value).startswith("连不上服务器 http://127.0.0.1:9（试了3次）：")


@contextmanager
def losing_answers(address: str, *, losses: int) -> Iterator[tuple[str, list[str]]]:
    """Stand between client and server, and lose the first answers after the server gave them."""
    passed: list[str] = []

    class Loser(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["content-length"]))
            headers = {n: self.headers[n] for n in ("authorization", "content-type", "if-match") if n in self.headers}
            answer = httpx2.post(f"{address}{self.path}", content=content, headers=headers, trust_env=False)
            passed.append(f"{self.path} {answer.status_code}")
            if len(passed) <= losses:
                self.close_connection = True
                return
            self.send_response(answer.status_code)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Loser)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}", passed
    server.shutdown()
    server.server_close()


def test_a_lost_answer_files_nothing_twice(address: str, person: Callable[..., Any]) -> None:
    clerk, reviewer = person(ZEZHOU, "clerk"), person(CITY, "reviewer")
    with losing_answers(address, losses=2) as (lossy, passed), Client(lossy, clerk.token, patience=QUICK) as client:
        filed = client.submissions.file(scenario_file(WEEK, "zezhou", "weekly"), TABLE, WEEK)
    with losing_answers(address, losses=1) as (lossy, decided), Client(lossy, reviewer.token, patience=QUICK) as client:
        accepted = client.submissions.accept(filed)

    assert ["/api/v1/submissions/files 201", *["/api/v1/submissions/files 200"] * 2] == passed
    assert [f"/api/v1/submissions/{filed.uid}/accept 200"] * 2 == decided
    assert ["stored", "checked", "decided"] == [r.receipt.kind for r in accepted.receipts]
    assert 1 == clerk.get("/submissions").json()["total"]
