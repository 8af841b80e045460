"""What must not be taken: each has a code and a remedy, nothing is half written, and a stranger learns nothing."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from gmsafety import Catalog
from gmsafety.duties import BEIJING
from gmsafety.forms import check, read
from gmsafety_server.node import Node
from world import CITY, GAOPING, ZEZHOU, Person, StandingClock, counts, scenario_file

WEEKLY, LEDGER = "shanxi.weekly-dispatch", "shanxi.major-hazard-ledger"
SAMPLES = Path(__file__).parents[2] / "tests" / "samples" / "should_fail"
HOSTILE = sorted(p for p in SAMPLES.iterdir() if p.suffix in (".xlsx", ".docx", ".xlsm"))
PERIOD = "2025-01-10"
BOUNDARY = "gmsafety-test"

# The files that cannot be filed, with reason or without: the problem, and what is found.
REFUSED = """
empty_file.xlsx           | GM-H480 | GM-F101 | 文件是空的（0字节）。
entity_expansion.xlsx     | GM-H480 | GM-F105 | 文件内含有DOCTYPE或实体定义，正常的表格不会有。
inflates_to_300mb.xlsx    | GM-H480 | GM-F104 | 文件解压后超过256MB，远超正常表格。
old_binary_renamed.xlsx   | GM-H480 | GM-F107 | 文件实际是Excel 97-2003 文件（.xls），扩展名却是.xlsx。
password_protected.xlsx   | GM-H480 | GM-F103 | 文件设有密码，无法读取。
scanned_picture_only.docx | GM-H481 | GM-S201 | 文件里没有可以读取的表格，只有图片。
truncated.xlsx            | GM-H480 | GM-F102 | 文件已损坏，无法打开：压缩包不完整。
with_macro.xlsm           | GM-H480 | GM-F106 | 文件带有宏（VBA工程），为安全起见不予读取。
wrong_form.xlsx           | GM-H481 | GM-S202 |
"""


def refused() -> dict[str, tuple[str, str, str]]:
    rows = [[cell.strip() for cell in line.split("|")] for line in REFUSED.strip().splitlines()]
    return {name: (problem, code, said) for name, problem, code, said in rows}


OWED = (WEEKLY, LEDGER)


def test_every_hostile_file(person: Callable[..., Person], clock: StandingClock, node: Node, catalog: Catalog) -> None:
    """Each is either kept and refused, or a draft with what the core finds in it; nothing else is written."""
    clock.set(datetime(2025, 1, 10, 9, 0, tzinfo=BEIJING))
    clerk = person(ZEZHOU, "clerk")
    outcomes = {}
    for path in HOSTILE:
        before = counts(node)
        reading = read(path, catalog)
        item = reading.record.form.ref if reading.record else WEEKLY
        if item not in OWED:  # a form of the city, which a county cannot file at all
            continue
        answer = clerk.file(path, item, PERIOD, action="draft")
        told = answer.json()
        codes = {f["code"] for f in told["findings"]}
        if answer.status_code == 201:
            missing = {f.code for f in check(reading, catalog)} - codes
            assert set() == missing, path.name
            assert 204 == clerk.send("DELETE", f"/submissions/{told['uid']}", seen=told["etag"]).status_code
            assert {"blobs"} == {t for t, n in counts(node).items() if n != before[t]}
            continue
        assert {"blobs", "refusals"} == {t for t, n in counts(node).items() if n != before[t]}, path.name
        assert told["findings"][0]["message"] + "原件已留存备查。" == told["detail"]
        kept = clerk.get(f"/refusals/{told['kept']}/file")
        assert path.read_bytes() == kept.content
        said = refused()[path.name][2] and told["findings"][0]["message"]
        outcomes[path.name] = (told["code"], told["findings"][0]["code"], said)

    assert refused() == outcomes


def test_the_evidence(person: Callable[..., Person], clock: StandingClock) -> None:
    """Listed for the unit and for those above, once however often it is sent; out of sight for others."""
    clock.set(datetime(2025, 1, 10, 9, 0, tzinfo=BEIJING))
    zezhou, gaoping, city = person(ZEZHOU, "clerk"), person(GAOPING, "clerk"), person(CITY, "reviewer")
    path = SAMPLES / "truncated.xlsx"
    first, again = (zezhou.file(path, WEEKLY, PERIOD).json() for _ in range(2))
    listed = zezhou.get("/refusals").json()

    assert first["kept"] == again["kept"]
    assert "请按所列问题改正后重新上传" == first["remedy"]
    assert [(first["kept"], "truncated.xlsx", "unreadable", "泽州县应急管理局", PERIOD)] == [
        tuple(r[k] for k in ("uid", "name", "problem", "unit_name", "period")) for r in listed["items"]
    ]
    assert listed["items"] == city.get("/refusals", params={"unit": ZEZHOU}).json()["items"]
    assert listed["items"][0] == city.get(f"/refusals/{first['kept']}").json()
    assert 0 == gaoping.get("/refusals").json()["total"]
    for end in ("", "/file"):
        assert 404 == gaoping.get(f"/refusals/{first['kept']}{end}").status_code


def test_another_form_than_the_one_it_is_filed_as(person: Callable[..., Person]) -> None:
    answer = person(ZEZHOU, "clerk").file(scenario_file("2024-12-27", "zezhou", "ledger"), WEEKLY, "2024-12-27")
    found = answer.json()["findings"]

    assert (422, "GM-H481") == (answer.status_code, answer.json()["code"])
    assert [
        "这是《冶金工贸行业隐患排查整治专项行动重大事故隐患台账》，应报《冶金工贸行业隐患排查整治专项行动周调度统计表》。"
    ] == [f["message"] for f in found]


def deep(depth: int) -> str:
    return '{"a":' * depth + "1" + "}" * depth


def filed(body: str) -> str:
    told = {"message_id": f"m-{uuid4().hex}", "item": LEDGER, "period": "2024-12-27"}
    return f'{json.dumps(told)[:-1]}, "body": {body}}}'


# A body in JSON as it may arrive: the status, the code, and a word of what is said about it.
BODIES = [
    ("no JSON", "{", 422, "GM-H485", ""),
    ("no object", "[]", 422, "GM-H485", ""),
    ("nothing to file", filed("null"), 422, "GM-H483", "没有报表"),
    ("a key nobody knows", '{"message_id": "m-12345678", "item": "x", "period": "2024-12-27", "state": "accepted"}', 422, "GM-H485", "state"),
    ("a message id with a space", '{"message_id": "m 12345678", "item": "x", "period": "2024-12-27"}', 422, "GM-H485", "message_id"),
    ("no such day", '{"message_id": "m-12345678", "item": "x", "period": "2024-12-32"}', 422, "GM-H485", "period"),
    ("not a number", filed('{"rows": [{"number": NaN}]}'), 422, "GM-H485", ""),
    ("too large a number", filed('{"rows": [{"number": 99999999999999999999}]}'), 422, "GM-H485", ""),
    ("a number of 5000 digits", filed('{"rows": [{"number": %s}]}' % ("9" * 5000)), 400, "GM-H400", ""),
    ("a fraction", filed('{"rows": [{"number": 1.5}]}'), 422, "GM-H485", ""),
    ("half a character", filed('{"rows": [{"detail": "\\ud800"}]}'), 422, "GM-H485", ""),
    ("a NUL", filed('{"rows": [{"detail": "a\\u0000b"}]}'), 422, "GM-H485", "U+0000"),
    ("a NUL in a key", filed('{"rows": [{"\\u0000": "b"}]}'), 422, "GM-H485", "U+0000"),
    ("nested too deep", filed(deep(200)), 422, "GM-H485", ""),
    ("nested far too deep", filed(deep(100_000)), 400, "GM-H400", ""),
    ("rows that are no rows", filed('{"rows": [1]}'), 422, "GM-H485", "rows[0]：应为成组的名称和值"),
    ("a header that is none", filed('{"header": [1], "rows": []}'), 422, "GM-H485", "header：应为成组的名称和值"),
    ("a column nobody asked for", filed('{"rows": [{"colour": "red"}]}'), 422, "GM-H485", "colour"),
    ("a part nobody asked for", filed('{"rows": [], "values": {}}'), 422, "GM-H485", "values"),
    ("a header field nobody asked for", filed('{"header": {"colour": "red"}, "rows": []}'), 422, "GM-H485", "colour"),
    ("another version", filed('{"version": "2019-1", "rows": []}'), 422, "GM-H485", "2019-1"),
    ("another form", filed('{"form": "shanxi.weekly-dispatch", "values": {}}'), 422, "GM-H481", "shanxi.weekly-dispatch"),
    ("nil that is a word", filed('{"nil": "no", "rows": []}'), 422, "GM-H485", "nil"),
    ("a day that is none", filed('{"rows": [{"inspected": "2024-02-30"}]}'), 422, "GM-H485", "inspected"),
]  # fmt: skip


def test_bodies(person: Callable[..., Person], node: Node) -> None:
    clerk = person(ZEZHOU, "clerk")
    before = counts(node)
    headers = clerk.headers | {"Content-Type": "application/json"}
    for name, text, status, code, word in BODIES:
        answer = clerk.http.post("/api/v1/submissions", headers=headers, content=text.encode())
        told = answer.json()
        assert (name, status, code, True) == (name, answer.status_code, told["code"], word in answer.text), answer.text
        assert told["remedy"]
    assert before == counts(node)


def multipart(size: int, name: str = "表.xlsx") -> Iterator[bytes]:
    """A request with a file of so many bytes, in pieces."""
    for field, value in {"message_id": f"m-{uuid4().hex}", "item": WEEKLY, "period": "2024-12-27"}.items():
        yield f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'.encode()
    yield f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
    for _ in range(size // 2**16):
        yield bytes(2**16)
    yield f"\r\n--{BOUNDARY}--\r\n".encode()


@pytest.mark.parametrize("told", [True, False], ids=["with its length", "without its length"])
def test_too_large(person: Callable[..., Person], node: Node, told: bool) -> None:
    """The length that is told is believed before a byte is read; what is not told is counted."""
    clerk = person(ZEZHOU, "clerk")
    before = counts(node)
    headers = clerk.headers | {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    pieces = multipart(21 * 2**20)
    content = b"".join(pieces) if told else pieces
    answer = clerk.http.post("/api/v1/submissions/files", headers=headers, content=content)

    assert (413, "GM-H470") == (answer.status_code, answer.json()["code"])
    assert before == counts(node)


def test_a_little_too_large(person: Callable[..., Person], node: Node) -> None:
    """One byte more than 20 MB passes the gate, for a request is a little larger than its files."""
    clerk = person(ZEZHOU, "clerk")
    told = {"message_id": f"m-{uuid4().hex}", "item": WEEKLY, "period": "2024-12-27"}
    answer = clerk.post("/submissions/files", data=told, files={"file": ("表.xlsx", bytes(20 * 2**20 + 1))})

    assert (413, "GM-H470") == (answer.status_code, answer.json()["code"])


HEADERS = [
    ({"Authorization": ""}, 401, "GM-H410"),
    ({"Authorization": "Bearer gms_unknown"}, 401, "GM-H410"),
    ({"Authorization": "Basic dTpw"}, 401, "GM-H410"),
    ({"Gmsafety-Clock": "2024-12-27T11:59:00+08:00"}, 400, "GM-H401"),
    ({"Content-Type": "text/plain"}, 422, "GM-H485"),
    ({"Content-Length": "x"}, 400, "GM-H400"),
]


def test_headers(person: Callable[..., Person], node: Node) -> None:
    clerk = person(ZEZHOU, "clerk")
    before = counts(node)
    body = json.dumps({"message_id": f"m-{uuid4().hex}", "item": LEDGER, "period": "2024-12-27", "nil": True})
    for headers, status, code in HEADERS:
        told = clerk.headers | {"Content-Type": "application/json"} | headers
        answer = clerk.http.post("/api/v1/submissions", headers=told, content=body)
        assert (headers, status, code) == (headers, answer.status_code, answer.json()["code"])
    assert before == counts(node)


def test_tokens(person: Callable[..., Person], clock: StandingClock) -> None:
    told = {"message_id": f"m-{uuid4().hex}", "item": LEDGER, "period": "2024-12-27", "nil": True}
    reading, reviewer = person(ZEZHOU, "clerk", scopes=["read"]), person(ZEZHOU, "reviewer")
    answers = [reading.post("/submissions", json=told), reviewer.post("/submissions", json=told)]
    assert [(403, "GM-H431"), (403, "GM-H430")] == [(a.status_code, a.json()["code"]) for a in answers]

    clock.set(clock.moment + timedelta(days=30))
    answer = reading.get("/submissions")
    assert (401, "GM-H411", "请重新申请令牌") == (answer.status_code, answer.json()["code"], answer.json()["remedy"])


NAMES = [
    ("../../etc/passwd.xlsx", "passwd.xlsx"),
    ("C:\\表\\周调度.xlsx", "周调度.xlsx"),
    ("a\u202exslx.xlsx", "axslx.xlsx"),
    ("很长" * 200 + ".xlsx", "很长" * 123 + ".xlsx"),
    ("<script>.xlsx", "<script>.xlsx"),
]


def test_names_of_files(person: Callable[..., Person]) -> None:
    clerk = person(ZEZHOU, "clerk")
    content = scenario_file("2024-12-27", "zezhou", "weekly").read_bytes()
    for name, kept in NAMES:
        told = {"message_id": f"m-{uuid4().hex}", "item": WEEKLY, "period": "2024-12-27", "action": "draft"}
        draft = clerk.post("/submissions/files", data=told, files={"file": (name, content)}).json()
        assert [kept] == [f["name"] for f in draft["files"]]
        clerk.send("DELETE", f"/submissions/{draft['uid']}", seen=draft["etag"])


FILES = [
    (["extra", "form"], ["附件.pdf", "表.xlsx"], "GM-H483"),
    (["form", "form"], ["表.xlsx", "表.xlsx"], "GM-H483"),
    (["form"], ["表.xlsx", "附件.pdf"], "GM-H485"),
    (["form", "extra"], ["表.xlsx", "程序.exe"], "GM-H471"),
    (["form", "extra"], ["表.xlsx", "假.png"], "GM-H471"),
    (["form", "seal"], ["表.xlsx", "附件.pdf"], "GM-H471"),
    (["form", "extra"], ["表.xlsx", "附件.pdf"], None),
]


def test_files_that_go_with_a_form(person: Callable[..., Person], node: Node) -> None:
    clerk = person(ZEZHOU, "clerk")
    before = counts(node)
    form = scenario_file("2024-12-27", "zezhou", "weekly").read_bytes()
    for artefacts, files, code in FILES:
        told = {"message_id": f"m-{uuid4().hex}", "item": WEEKLY, "period": "2024-12-27", "artefact": artefacts}
        sent = [("file", (name, form if name == "表.xlsx" else b"%PDF-1.7")) for name in files]
        answer = clerk.post("/submissions/files", data=told, files=sent)
        assert (files, code) == (files, answer.json().get("code"))
        assert code is None or before == counts(node)


def test_addresses_and_queries(person: Callable[..., Person]) -> None:
    clerk = person(ZEZHOU, "clerk")
    for path in ("/submissions/x", "/submissions/%00", "/refusals/x", "/nothing", f"/submissions/{'9' * 300}"):
        answer = clerk.get(path)
        assert (path, 404, "GM-H440") == (path, answer.status_code, answer.json()["code"])
    for query in ("page=0", "size=501", "period=yesterday", "state=lost", "unit=%00"):
        answer = clerk.get(f"/submissions?{query}")
        assert (query, 422, "GM-H485") == (query, answer.status_code, answer.json()["code"])
