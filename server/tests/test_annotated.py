"""The annotated copy over HTTP: the clerk's own file back, what was found marked at its cell."""

import io
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote
from uuid import uuid4

import openpyxl
import pytest

from browsing import Browser
from gmsafety import Catalog
from gmsafety.client import Client
from gmsafety.duties import BEIJING
from gmsafety.forms import read
from gmsafety_server.node import Node
from world import CITY, GAOPING, ZEZHOU, Person, StandingClock, scenario_file

WEEKLY, LEDGER = "shanxi.weekly-dispatch", "shanxi.major-hazard-ledger"


@pytest.fixture(autouse=True)
def _third_week(clock: StandingClock) -> None:
    clock.set(datetime(2025, 1, 3, 11, 0, tzinfo=BEIJING))


def file_both(clerk: Person) -> dict[str, object]:
    """Gaoping's ledger and its weekly table, which counts one hazard more."""
    clerk.file(scenario_file("2025-01-03", "gaoping", "ledger"), LEDGER, "2025-01-03", reason="情况属实")
    path = scenario_file("2025-01-03", "gaoping", "weekly")
    return dict(clerk.file(path, WEEKLY, "2025-01-03", reason="情况属实").json())


def test_a_clerk_gets_the_file_back_marked(person: Callable[..., Person], catalog: Catalog) -> None:
    clerk = person(GAOPING, "clerk")
    filed = file_both(clerk)
    answer = clerk.get(f"/submissions/{filed['uid']}/annotated")
    told = unquote(answer.headers["content-disposition"])
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    sheet, listed = book["周调度统计表"], book["核对结果"]

    assert "attachment; filename*=UTF-8''gaoping_weekly.核对.xlsx" == told
    assert "企业自查发现重大事故隐患4条，台账中“企业自查”有3条。" in sheet["C7"].comment.text
    assert "FFFFC9CB" == sheet["C7"].fill.fgColor.rgb
    assert ("1处错误", "GM-X601") == (listed["A2"].value.partition("，")[0], listed["H6"].value)
    assert "'周调度统计表'!C7" == listed["C6"].hyperlink.location
    again, before = (
        read(content, catalog, name="x.xlsx").record
        for content in (answer.content, scenario_file("2025-01-03", "gaoping", "weekly").read_bytes())
    )
    assert again is not None
    assert before is not None
    assert before.same_content(again)


def test_the_city_gets_it_too_and_the_neighbour_does_not(person: Callable[..., Person]) -> None:
    filed = file_both(person(GAOPING, "clerk"))

    assert 200 == person(CITY, "reviewer").get(f"/submissions/{filed['uid']}/annotated").status_code
    assert 404 == person(ZEZHOU, "clerk").get(f"/submissions/{filed['uid']}/annotated").status_code


def test_the_page_offers_it_where_something_was_found(node: Node, person: Callable[..., Person]) -> None:
    someone = person(GAOPING, "clerk")
    filed = file_both(someone)
    clerk = Browser(node, someone)
    page = clerk.get(f"/submissions/{filed['uid']}")
    link = f"/submissions/{filed['uid']}/annotated"

    assert [link] == [a.get("href") for a in page.all("#findings a.btn")]
    assert someone.get(link).content == clerk.http.get(link).content


def test_a_form_that_was_no_file_has_no_copy(person: Callable[..., Person]) -> None:
    clerk = person(ZEZHOU, "clerk")
    told = {"message_id": f"m-{uuid4().hex}", "item": WEEKLY, "period": "2024-12-27", "nil": True}
    filed = clerk.post("/submissions", json=told).json()
    answer = clerk.get(f"/submissions/{filed['uid']}/annotated")

    assert (404, "GM-H440") == (answer.status_code, answer.json()["code"])


def test_a_program_takes_it(client: Callable[..., Client], person: Callable[..., Person], tmp_path: Path) -> None:
    filed = file_both(person(GAOPING, "clerk"))
    program = client(GAOPING, "clerk")
    content = program.submissions.download_annotated(str(filed["uid"]), tmp_path / "copy.xlsx")

    assert (tmp_path / "copy.xlsx").read_bytes() == content
    assert "核对结果" in openpyxl.load_workbook(io.BytesIO(content)).sheetnames
