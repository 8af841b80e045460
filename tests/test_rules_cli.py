"""The commands about enterprises, tasks and checklists, as somebody at a prompt uses them."""

import json
from pathlib import Path
from typing import Any

import pytest

from gmsafety import cli

SAMPLES = Path(__file__).parent / "samples"
RESUMPTION = "jincheng.zezhou-resumption-2025"
SMELTER = {"metal_smelting": True, "blast_furnace": False}


@pytest.fixture
def told(capfd: pytest.CaptureFixture[str]) -> Any:
    """Run a command; gives its exit status and its JSON."""

    def run(*arguments: str) -> tuple[int, list[dict[str, Any]]]:
        status = cli.main([*arguments, "--json"])
        return status, json.loads(capfd.readouterr().out)

    return run


def enterprise(path: Path, **content: Any) -> str:
    file = path / "enterprise.json"
    file.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return str(file)


def test_route(tmp_path: Path, told: Any) -> None:
    status, found = told("route", enterprise(tmp_path, tags=SMELTER), "--campaign", RESUMPTION, "--purpose", "guidance")

    assert (0, ["county-office"], True) == (status, found[0]["to"], found[0]["experts"])


def test_route_of_an_enterprise_by_its_record(tmp_path: Path, told: Any) -> None:
    """A light-industry firm below the line of 20 million: the town's."""
    record = {
        "credit_code": "91140525MA0000001P", "name": "泽州县示例甲木业有限公司", "area": "140525",
        "confirmed_industry": "轻工", "figures": {"staff": 20, "revenue": 3_000_000}, "traits": {"metal_smelting": False},
    }  # fmt: skip
    from gmsafety.codes import check_digit  # noqa: PLC0415 - only here

    record["credit_code"] = record["credit_code"][:17] + check_digit(str(record["credit_code"])[:17])
    _, found = told("route", enterprise(tmp_path, enterprise=record), "--campaign", RESUMPTION)

    assert [["town-office"]] == [r["to"] for r in found if r["purpose"] == "guidance"]


def test_gate(tmp_path: Path, told: Any) -> None:
    file = enterprise(tmp_path, tags=SMELTER, facts={"open_majors": 2})
    status, (verdict,) = told("gate", file, "--campaign", RESUMPTION, "--waive", "no-majors=已论证")

    assert (1, "deny", {"no-majors": "已论证"}) == (status, verdict["verdict"], verdict["waivers"])
    assert "还有重大事故隐患没有整改" in [r["text"] for r in verdict["reasons"]]


@pytest.mark.parametrize("text", ["[]", "{", '{"name": 1}'])
def test_what_is_no_enterprise_is_said(tmp_path: Path, text: str, capfd: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "e.json"
    file.write_text(text)

    assert 2 == cli.main(["route", str(file)])
    assert "e.json" in capfd.readouterr().err


@pytest.mark.parametrize("command", [["tasks"], ["tasks", "--all"], ["quotas"], ["tasks", "--unit", "140500"]])
def test_lists_for_people(command: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert 0 == cli.main(command)
    assert "┃" in capfd.readouterr().out


def test_checklists(told: Any, capfd: pytest.CaptureFixture[str]) -> None:
    _, listed = told("checklists", "list")
    _, (one,) = told("checklists", "show", "jincheng.checklist")

    assert 36 == {c["id"]: c["items"] for c in listed}["jincheng.checklist"] == one["count"]
    assert 0 == cli.main(["checklists", "show", "resumption-guidance"])
    assert "查资料" not in capfd.readouterr().err


@pytest.mark.parametrize("printed", [[], ["--as-printed"]])
def test_a_checklist_on_paper(printed: list[str], tmp_path: Path, told: Any) -> None:
    to = tmp_path / "checklist.docx"
    status, _ = told("checklists", "blank", "jincheng.checklist", "--to", str(to), *printed)

    assert 0 == status
    assert to.exists()


def test_a_filled_in_checklist(told: Any, capfd: pytest.CaptureFixture[str]) -> None:
    file = str(SAMPLES / "should_pass" / "checklist_items.xlsx")
    status, outcomes = told("checklists", "read", file)

    assert (1, 36) == (status, len(outcomes))
    assert {"JC-C1.3", "JC-C4.3", "JC-C6.2"} == {o["id"] for o in outcomes if o["bad"]}
    assert 1 == cli.main(["checklists", "read", file])
    assert "不合格 3 项" in capfd.readouterr().out


def test_another_form_is_no_checklist(capfd: pytest.CaptureFixture[str]) -> None:
    assert 1 == cli.main(["checklists", "read", str(SAMPLES / "should_pass" / "weekly_plain.xlsx")])
