"""Documents that are handed in (总结, 方案): which files make them complete, of which kind, and their life."""

from collections.abc import Callable
from datetime import datetime
from io import BytesIO
from typing import Any
from uuid import uuid4
from zipfile import ZipFile

import pytest

from gmsafety.duties import BEIJING
from gmsafety_server.errors import Problem
from gmsafety_server.features.submissions.artefacts import check_artefacts
from gmsafety_server.features.submissions.schemas import Enclosure, Envelope, Parcel
from gmsafety_server.planning import Item
from world import CITY, ZEZHOU, Person, StandingClock, day, scenario_file

SUMMARY, DUE = "jincheng.gongmao-2024/summary/summary", "2025-03-25"
WORD = scenario_file("2024-12-27", "yangcheng", "weekly").read_bytes()
EXCEL = scenario_file("2024-12-27", "zezhou", "weekly").read_bytes()
PDF, JPG, PNG = b"%PDF-1.7\n%", b"\xff\xd8\xff\xe0\x00\x10JFIF", b"\x89PNG\r\n\x1a\n\x00"
PLAN = Item("x", "deliverable", "实施方案", ("editable", "scan"))
LIMIT = 20 * 2**20


def with_macro() -> bytes:
    """A document that carries a VBA project."""
    data = BytesIO(WORD)
    with ZipFile(data, "a") as package:
        package.writestr("word/vbaProject.bin", b"x")
    return data.getvalue()


def outcome(item: Item, *files: tuple[str, str, bytes]) -> str:
    """`ok`, the code of the problem and what it says, or the codes of what cannot be opened."""
    envelope = Envelope(message_id="m-12345678", item=item.ref, period=day(DUE))
    enclosures = tuple(Enclosure(artefact, name, "", content) for artefact, name, content in files)
    try:
        found = check_artefacts(item, Parcel(envelope, enclosures), limit=LIMIT)
    except Problem as problem:
        return f"{problem.type.code} {problem.detail}"
    return "ok" if not found else "、".join(f"{f.code} {f.place.file}" for f in found)


@pytest.mark.parametrize(
    ("files", "told"),
    [
        # --- complete
        ([("editable", "方案.docx", WORD), ("scan", "方案.pdf", PDF)], "ok"),
        ([("editable", "方案.xlsx", EXCEL), ("scan", "方案.JPG", JPG)], "ok"),
        ([("scan", "1.png", PNG), ("scan", "2.jpeg", JPG), ("editable", "方案.docx", WORD), ("extra", "附件.pdf", PDF)], "ok"),
        ([("editable", "方案.docx", WORD), ("scan", "扫描.pdf", b"\r\n" + PDF)], "ok"),
        # --- not complete
        ([], "GM-H483 缺少：可编辑文件、盖章扫描件"),
        ([("editable", "方案.docx", WORD)], "GM-H483 缺少：盖章扫描件"),
        ([("extra", "方案.docx", WORD), ("scan", "方案.pdf", PDF)], "GM-H483 缺少：可编辑文件"),
        # --- of a wrong kind
        ([("editable", "方案.doc", b"x"), ("scan", "方案.pdf", PDF)], "GM-H471 “方案.doc”：可编辑文件应为 xlsx、docx"),
        ([("editable", "方案.pdf", PDF), ("scan", "方案.pdf", PDF)], "GM-H471 “方案.pdf”：可编辑文件应为 xlsx、docx"),
        ([("editable", "方案.docx", WORD), ("scan", "方案.docx", WORD)], "GM-H471 “方案.docx”：盖章扫描件应为 pdf、jpg、jpeg、png"),
        ([("editable", "方案.docx", WORD), ("scan", "方案.pdf", JPG)], "GM-H471 “方案.pdf”的内容不是pdf"),
        ([("editable", "方案.docx", WORD), ("scan", "docx", b"")], "GM-H471 “docx”：盖章扫描件应为 pdf、jpg、jpeg、png"),
        ([("form", "方案.docx", WORD), ("seal", "方案.pdf", PDF)], "GM-H471 “方案.docx”：没有“form”这种材料；“方案.pdf”：没有“seal”这种材料"),
        # --- not what no document should be
        ([("editable", "方案.docx", PDF), ("scan", "方案.pdf", PDF)], "GM-F107 方案.docx"),
        ([("editable", "方案.docx", with_macro()), ("scan", "方案.pdf", PDF)], "GM-F106 方案.docx"),
        ([("editable", "方案.docx", WORD[:900]), ("scan", "方案.pdf", PDF), ("extra", "表.xlsx", b"")], "GM-F102 方案.docx、GM-F101 表.xlsx"),
        # --- too large together
        ([("editable", "方案.docx", WORD), ("scan", "方案.pdf", PDF + bytes(LIMIT))], "GM-H470 内容太大"),
    ],
)  # fmt: skip
def test_what_makes_it_complete(files: list[tuple[str, str, bytes]], told: str) -> None:
    assert told == outcome(PLAN, *files)


def hand_in(person: Person, *files: tuple[str, str, bytes], **more: Any) -> Any:
    told = {"message_id": f"m-{uuid4().hex}", "item": SUMMARY, "period": DUE, **more}
    artefacts = [artefact for artefact, _, _ in files]
    sent = [("file", (name, content)) for _, name, content in files]
    return person.post("/submissions/files", data={**told, "artefact": artefacts}, files=sent)


def test_its_life(person: Callable[..., Person], clock: StandingClock) -> None:
    clock.set(datetime(2025, 3, 25, 23, 59, 59, tzinfo=BEIJING))
    clerk, reviewer = person(ZEZHOU, "clerk"), person(CITY, "reviewer")
    first = hand_in(clerk, ("editable", "总结.docx", WORD), ("scan", "总结.pdf", PDF)).json()
    back = reviewer.post(f"/submissions/{first['uid']}/return", seen=first["etag"], json={"note": "缺数据"}).json()
    second = hand_in(clerk, ("editable", "总结（二稿）.docx", WORD), supersedes=first["payload_hash"]).json()
    accepted = reviewer.post(f"/submissions/{second['uid']}/accept", seen=second["etag"], json={}).json()

    assert ("专项行动工作总结", None, [], 0) == tuple(first[k] for k in ("title", "body", "findings", "late_minutes"))
    assert [("editable", "总结.docx", len(WORD)), ("scan", "总结.pdf", len(PDF))] == [
        (f["artefact"], f["name"], f["size"]) for f in first["files"]
    ]
    assert ("returned", "submitted", 2, "accepted") == (
        back["state"],
        second["state"],
        second["revision"],
        accepted["state"],
    )
    kept = reviewer.get(f"/submissions/{first['uid']}/files/{first['files'][1]['hash']}")
    assert (PDF, "application/octet-stream") == (kept.content, kept.headers["content-type"])
    assert 404 == reviewer.get(f"/submissions/{first['uid']}/record.xlsx").status_code


@pytest.mark.parametrize(
    ("files", "more", "status", "code"),
    [
        ([("scan", "总结.pdf", PDF)], {}, 422, "GM-H483"),
        ([("editable", "总结.txt", b"x")], {}, 415, "GM-H471"),
        ([("editable", "总结.docx", with_macro())], {}, 422, "GM-H480"),
        ([("editable", "总结.docx", WORD)], {"artefact": ["editable", "scan"]}, 422, "GM-H485"),
    ],
)
def test_what_is_refused(
    person: Callable[..., Person], clock: StandingClock, files: list[Any], more: dict[str, Any], status: int, code: str
) -> None:
    clock.set(datetime(2025, 3, 20, tzinfo=BEIJING))
    clerk = person(ZEZHOU, "clerk")
    told = {"message_id": f"m-{uuid4().hex}", "item": SUMMARY, "period": DUE, "artefact": [f[0] for f in files], **more}
    answer = clerk.post("/submissions/files", data=told, files=[("file", f[1:]) for f in files])

    assert (status, code) == (answer.status_code, answer.json()["code"])
    assert (0, code == "GM-H480") == (
        clerk.get("/submissions").json()["total"],
        clerk.get("/refusals").json()["total"] == 1,
    )


def test_it_has_no_json(person: Callable[..., Person], clock: StandingClock) -> None:
    clock.set(datetime(2025, 3, 20, tzinfo=BEIJING))
    told = {"message_id": f"m-{uuid4().hex}", "item": SUMMARY, "period": DUE}
    for more in ({"nil": True}, {"body": {}}):
        answer = person(ZEZHOU, "clerk").post("/submissions", json={**told, **more})
        assert (422, "GM-H485", "“专项行动工作总结”以文件报送") == (
            answer.status_code,
            answer.json()["code"],
            answer.json()["detail"],
        )
