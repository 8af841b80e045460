"""`gmsafety register`: a blank one, one that is checked, read as JSON and written again."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from entity_values import credit_code
from gmsafety import cli
from gmsafety.enterprises import Enterprise
from gmsafety.hazards import Hazard
from gmsafety.registers import Register, read_register, write_register

ONE = credit_code(1)


@pytest.fixture
def workbook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A register of one enterprise and one hazard."""
    monkeypatch.chdir(tmp_path)
    firm = Enterprise(credit_code=ONE, name="示例钢铁有限公司", area="140525", gbt4754="3120")
    hazard = Hazard(id="YH-1", enterprise=ONE, detail="煤气报警失效", stage="市县检查", found=date(2025, 1, 6))
    write_register(Register(enterprises=(firm,), hazards=(hazard,)), tmp_path / "register.xlsx")
    return tmp_path / "register.xlsx"


def run(capfd: pytest.CaptureFixture[str], *words: str) -> tuple[int, Any]:
    status = cli.main(["register", *words, "--json"])
    return status, json.loads(capfd.readouterr().out)[0]


def test_a_blank_one(workbook: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert (0, {"file": "blank.xlsx", "path": "blank.xlsx"}) == run(capfd, "blank", "--to", "blank.xlsx")
    reading = read_register(Path("blank.xlsx").read_bytes())

    assert ["企业", "隐患", "检查", "行政处罚"] == openpyxl.load_workbook("blank.xlsx").sheetnames
    assert (Register(), ()) == (reading.register, reading.findings)


def test_there_and_back(workbook: Path, capfd: pytest.CaptureFixture[str]) -> None:
    status, told = run(capfd, "read", "register.xlsx")
    Path("data.json").write_text(json.dumps([told]), encoding="utf-8")
    alone = {"enterprises": told["register"]["enterprises"], "hazards": told["register"]["hazards"]}
    Path("alone.json").write_text(json.dumps(alone), encoding="utf-8")

    assert (0, []) == (status, told["findings"])
    assert "示例钢铁有限公司" == told["register"]["enterprises"][0]["name"]
    for data in ("data.json", "alone.json"):
        assert 0 == cli.main(["register", "write", data, "--to", "again.xlsx"])
        assert read_register(workbook.read_bytes()) == read_register(Path("again.xlsx").read_bytes())


def test_what_is_wrong_is_said_with_its_cell(workbook: Path, capfd: pytest.CaptureFixture[str]) -> None:
    book = openpyxl.load_workbook(workbook)
    book["隐患"]["B2"] = credit_code(2)
    book["企业"]["A2"] = ONE[:-1]
    book.save(workbook)
    status, told = run(capfd, "check", "register.xlsx")
    found = {f["code"]: (f["sheet"], f["where"]) for f in told["findings"]}

    assert 1 == status
    assert ("企业", "A2") == found["GM-T315"]
    assert ("隐患", "B2") == found["GM-X603"]
    assert 1 == cli.main(["register", "check", "register.xlsx"])
    assert "工作表“隐患”B2单元格" in capfd.readouterr().out


def test_for_people(workbook: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert 0 == cli.main(["register", "read", "register.xlsx"])
    said = capfd.readouterr().out
    assert all(words in said for words in ("没有问题", "行政处罚"))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("{", "不是合法的JSON"),
        ("[]", "应为一个JSON对象"),
        ('{"firms": []}', "firms"),
        ('{"enterprises": [{"name": "示例厂"}]}', "enterprises.0.credit_code"),
        (json.dumps({"enterprises": [{"credit_code": ONE, "name": "示例厂", "area": "140525"}] * 2}), "登记了两次"),
    ],
)
def test_json_that_is_no_register(data: str, said: str, workbook: Path, capfd: pytest.CaptureFixture[str]) -> None:
    Path("data.json").write_text(data, encoding="utf-8")

    assert 3 == cli.main(["register", "write", "data.json", "--to", "x.xlsx"])
    assert said in capfd.readouterr().err
    assert not Path("x.xlsx").exists()


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        ("blank --to x.docx", 2, "登记簿请用 .xlsx"),
        ("blank --to nowhere/x.xlsx", 3, "没有文件夹“nowhere”"),
        ("write register.xlsx --to register.xlsx", 2, "是要读取的文件"),
        ("read none.xlsx", 2, "没有文件"),
    ],
)
def test_wrong_use(words: str, status: int, said: str, workbook: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert status == cli.main(["register", *words.split()])
    assert said in capfd.readouterr().err
