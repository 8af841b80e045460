"""Lists of the command line: on the screen without the ids of roles, and on paper with their sources."""

import json
import re
from pathlib import Path

import openpyxl
import pytest
from docx import Document

from gmsafety import Catalog, cli

RESUMPTION = "jincheng.zezhou-resumption-2025"
ENTERPRISE = {"tags": {"metal_smelting": True, "blast_furnace": False}, "facts": {"open_majors": 2}}
LISTS = {
    "duties --unit 泽州县应急管理局": "报送任务清单",
    "tasks --campaign shuozhou.gongmao-2024": "重点任务清单",
    "quotas --year 2022": "次数要求清单",
    f"route e.json --campaign {RESUMPTION}": "企业检查指导分工表",
    f"gate e.json --campaign {RESUMPTION} --waive no-majors=已论证": "企业条件判定表",
    "checklists list": "检查表一览表",
    "checklists show jincheng.checklist": "全市冶金工贸行业安全生产隐患排查整治专项行动检查表",
    "campaigns list": "专项行动一览表",
    "campaigns show linfen.safety-2022": "2022年全市安全生产工作",
    "order10 --industry 有限空间": "工贸企业重大事故隐患判定标准（应急管理部令第10号）一览表",
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an enterprise of which little is known."""
    monkeypatch.chdir(tmp_path)
    Path("e.json").write_text(json.dumps(ENTERPRISE), encoding="utf-8")
    return tmp_path


def run(command: str) -> int:
    return cli.main(command.split())


@pytest.mark.parametrize(("command", "title"), LISTS.items())
def test_every_list_is_printed(command: str, title: str, capfd: pytest.CaptureFixture[str]) -> None:
    statuses = [run(f"{command} --to list.{kind}") for kind in ("xlsx", "docx")]
    said = capfd.readouterr().out
    (table,) = Document("list.docx").tables
    sheet = openpyxl.load_workbook("list.xlsx").active
    rows = [[str(c or "") for c in row] for row in sheet.iter_rows(values_only=True)]
    in_word = [[c.text for c in row.cells] for row in table.rows]
    headings = next(row for row in rows if row[0] == "序号")
    start = rows.index(headings)

    assert [1 if command.startswith("gate") else 0] * 2 == statuses
    assert "已写入：list.xlsx\n已写入：list.docx\n" == said
    assert title == rows[0][0].replace("\n", "")
    assert in_word == rows[start : start + len(in_word)]
    assert [str(n) for n in range(1, len(in_word))] == [row[0] for row in in_word[1:]]
    assert "〔1〕" in "".join(map(str, rows)) or command.startswith("order10")


@pytest.mark.parametrize("command", [c for c in LISTS if not c.startswith(("route", "gate"))])
def test_with_json_both_are_given(command: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert 0 == run(f"{command} --json")
    alone = json.loads(capfd.readouterr().out)

    assert 0 == run(f"{command} --json --to list.xlsx")
    assert alone == json.loads(capfd.readouterr().out)
    assert Path("list.xlsx").exists()


def test_a_waiver_and_a_reason_stand_on_paper() -> None:
    run(f"gate e.json --campaign {RESUMPTION} --waive no-majors=已论证 --to gate.docx")
    document = Document("gate.docx")
    cells = {c.text for row in document.tables[0].rows for c in row.cells}

    assert {"还有重大事故隐患没有整改", "不得"} <= cells
    assert "豁免（仅记录，不改变结论）：no-majors  已论证" in [p.text for p in document.paragraphs]


@pytest.mark.parametrize(
    ("command", "status", "said"),
    [
        ("duties --to 2025-01-31", 2, "不能写成“2025-01-31”文件"),
        ("duties --ics --to x.docx", 2, "--ics 和 --to 不能同时用"),
        ("tasks --to list.odt", 2, "请用 .xlsx"),
        ("quotas --to nowhere/list.docx", 3, "没有文件夹“nowhere”"),
        ("route e.json --to e.json", 2, "是要读取的文件"),
        ("quotas --for e.json --to e.json", 2, "是要读取的文件"),
        ("order10 第四条（九）", 2, "应急管理部令第10号没有第四条（九）。"),
        ("order10 --industry 商贸", 2, "没有名为“商贸”的行业或领域"),
    ],
)
def test_what_cannot_be_done_is_said(command: str, status: int, said: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert status == run(command)
    assert said in capfd.readouterr().err


def test_every_role_has_a_name(catalog: Catalog) -> None:
    """Of all five regions: who owes, who receives, who inspects and who may do it instead."""
    asked = {
        role
        for campaign in catalog.campaigns.values()
        for roles in (
            *(r for d in campaign.duties for r in (d.from_, d.to)),
            *(t.by for t in campaign.tasks),
            *(r for one in campaign.routes for r in (one.to, one.may_delegate)),
        )
        for role in roles
    }

    assert {"enterprise": "企业", "city-government": "市级人民政府"}.items() <= {
        r: catalog.role_title(r) for r in asked
    }.items()
    assert [] == sorted(role for role in asked if re.search("[a-z]", catalog.role_title(role)))
    assert "another-role" == catalog.role_title("another-role")


@pytest.mark.parametrize("command", ["duties", "tasks --all", "quotas", "campaigns show shanxi.gongmao-2024"])
def test_no_role_is_shown_by_its_id(command: str, catalog: Catalog, capfd: pytest.CaptureFixture[str]) -> None:
    ids = {*catalog.actors, *(u.role for u in catalog.units.values())}

    assert 0 == run(command)
    words = set(re.findall("[a-z]+(?:-[a-z]+)*", capfd.readouterr().out))
    assert set() == words & ids
