"""Citing 应急管理部令第10号: what it does not have is refused, what needs two things at once is not one thing."""

import json
from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError

from entity_values import credit_code
from gmsafety import Catalog, cli
from gmsafety.checklists import Checklist, Item
from gmsafety.codes.order10 import citations, cited, search, unknown
from gmsafety.content import read_content
from gmsafety.errors import ContentError
from gmsafety.forms import blank, read
from gmsafety.forms.record import Record
from gmsafety.hazardevents import Judged
from gmsafety.hazards import Grade, Hazard
from gmsafety.registers import Register, read_register, write_register

SPACES = "第十三条（一）"
BOTH = ("辨识并建立台账", "设置明显安全警示标志")


@pytest.mark.parametrize(
    ("text", "expected", "wrong"),
    [
        ("四(一)", ["第四条（一）"], []),
        ("第四条（一）、（三）", ["第四条（一）", "第四条（三）"], []),
        ("四（一）（二）", ["第四条（一）", "第四条（二）"], []),
        ("第四条第（六）项", ["第四条（六）"], []),
        ("第四条第一项", ["第四条（一）"], []),
        ("《工贸企业重大事故隐患判定标准》第四条（一）、第五条（十三）", ["第四条（一）", "第五条（十三）"], []),
        ("第四条（一）、第四条（九）", ["第四条（一）"], ["第四条（九）"]),
        ("第十四条", [], ["第十四条"]),
        ("见附件", [], ["见附件"]),
    ],
)
def test_citations(text: str, expected: list[str], wrong: list[str]) -> None:
    assert expected == [s.citation for s in cited(text)]
    assert wrong == unknown(text)


def test_search() -> None:
    assert ["第四条（六）"] == [s.citation for s in search("四（六）")]
    assert [] == search("四（六）", "有色")
    assert {"有限空间"} == {s.field for s in search("", "有限空间")}
    assert ["第四条（九）"] == list(citations("四（九）"))
    assert [] != search("煤气 报警")


def test_the_picker(capfd: pytest.CaptureFixture[str]) -> None:
    assert 0 == cli.main(["order10", "--json"])
    found = json.loads(capfd.readouterr().out)

    assert 64 == len(found)
    assert {SPACES: list(BOTH)} == {s["citation"]: s["parts"] for s in found if s["parts"]}
    assert all(s["own_wording"] for s in found)
    assert 0 == cli.main(["order10", "煤气", "报警", "--industry", "冶金"])
    said = capfd.readouterr().out
    assert "第四条（六）" in said
    assert all(words in said for words in ("短题，自拟", "第十四条"))


# --- checklists --------------------------------------------------------------------------------------------------

LIST = """\
checklist: list
version: "1"
title: 示例检查表
source: {document: d, clause: 附件}
columns: [{id: number, label: 序号, type: serial}, {id: ask, label: 检查内容}, {id: answer, label: 结果, type: answer}]
groups:
  - title: 有限空间
    items:
      - {id: A1, ask: 是否辨识并建立台账。, basis: 第十三条（一）, parts: 辨识并建立台账}
      - {id: A2, ask: 是否设置警示标志。, basis: 第十三条（一）, parts: 设置明显安全警示标志}
"""
HEAD = "documents: [{id: d, title: 通知, issuer: 示例市, level: city}]\n"


@pytest.mark.parametrize(
    ("right", "wrong", "line", "said"),
    [
        ("basis: 第十三条（一）, parts: 辨识", "basis: 第十三条（九）, parts: 辨识", 9, "没有这样的条款：第十三条（九）"),
        ("basis: 第十三条（一）, parts: 辨识", "basis: 第四条（一）、第四条（九）, parts: 辨识", 9, "没有这样的条款：第四条（九）"),
        (", parts: 设置明显安全警示标志", "", 10, "请在 parts 中写明这一项问的是哪些"),
        ("parts: 设置明显安全警示标志", "parts: 上锁", 10, "所引条款没有“上锁”这样的部分"),
        ("parts: 设置明显安全警示标志", "parts: 辨识并建立台账", 1, "却没有检查项问到“设置明显安全警示标志”"),
    ],
    ids=["unknown", "one-of-two", "no-part", "strange-part", "half"],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_its_line(
    right: str, wrong: str, line: int, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = f"example_order10_{tmp_path.name.replace('-', '_')}"
    folder = tmp_path / package
    (folder / "checklists").mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder / "region.yaml").write_text(HEAD, "utf-8")
    (folder / "checklists" / "list.yaml").write_text(LIST.replace(right, wrong), "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ContentError) as caught:
        read_content(package, plugin="example", title="示例")
    (problem,) = caught.value.problems

    assert ("checklists/list.yaml", line) == (problem.file, problem.line)
    assert said in problem.text


def test_an_item_may_ask_after_both() -> None:
    item = Item(id="A", ask="是否辨识并设置标志。", basis=SPACES, parts=BOTH)

    assert BOTH == item.parts


@pytest.mark.parametrize(
    ("bad", "needed"),
    [
        (["JC-C4.1"], {SPACES: BOTH[1:]}),
        (["JC-C4.2"], {SPACES: BOTH[:1]}),
        (["JC-C4.1", "JC-C4.2"], {SPACES: ()}),
        (["JC-C4.2", "JC-C4.3"], {SPACES: BOTH[:1], "第十三条（二）": ()}),
        ([], {}),
    ],
)
def test_one_part_alone_is_no_major_hazard(
    bad: list[str], needed: dict[str, tuple[str, ...]], catalog: Catalog, tmp_path: Path
) -> None:
    checklist = catalog.checklist("jincheng.checklist")
    outcomes = checklist.outcomes(filled(checklist, bad, tmp_path, catalog))

    assert needed == {s.citation: parts for s, parts in checklist.majors(outcomes)}


def filled(checklist: Checklist, bad: list[str], folder: Path, catalog: Catalog) -> Record:
    """The checklist as a workbook in which some questions are answered 否, read back."""
    import openpyxl  # noqa: PLC0415 - only here

    path = blank(checklist.form, folder / "checklist.xlsx")
    book = openpyxl.load_workbook(path)
    asks = {i.ask for i in checklist.items if i.id in bad}
    head = next(row for row in book.active.iter_rows() if any(c.value == "序号" for c in row))
    answer = [c.id for c in checklist.columns].index(next(c.id for c in checklist.columns if c.type == "answer"))
    for row in book.active.iter_rows(min_row=head[0].row + 1):
        if any(c.value in asks for c in row):
            row[answer].value = "否"
    book.save(path)
    record = read(path, catalog).record

    assert record is not None
    return record


# --- hazards and the register ------------------------------------------------------------------------------------


def hazard(detail: str, basis: str = SPACES, grade: Grade = Grade.MAJOR) -> Hazard:
    found = Hazard(id="YH-1", enterprise=credit_code(1), detail=detail, stage="市县检查", found=date(2025, 1, 6))
    return found.after(Judged(on=date(2025, 1, 6), grade=grade, basis=basis))


def test_a_hazard_cites_what_there_is() -> None:
    assert ("第四条（一）", "第四条（三）") == hazard("水冷元件", "第四条（一）、（三）").basis
    with pytest.raises(ValidationError, match="没有这样的条款：第四条（九）"):
        hazard("水冷元件", "第四条（一）、第四条（九）")


@pytest.mark.parametrize(
    ("detail", "grade", "missing"),
    [
        ("未辨识有限空间，未设置警示标志", Grade.MAJOR, None),
        ("未建立有限空间台账，也没有标识", Grade.MAJOR, None),
        ("未建立有限空间台账", Grade.MAJOR, "“设置明显安全警示标志”"),
        ("污水池不合要求", Grade.MAJOR, "“辨识并建立台账”、“设置明显安全警示标志”"),
        ("未建立有限空间台账", Grade.GENERAL, None),
    ],
)
def test_a_major_hazard_of_two_parts_names_both(detail: str, grade: Grade, missing: str | None, tmp_path: Path) -> None:
    path = tmp_path / "register.xlsx"
    write_register(Register(hazards=(hazard(detail, grade=grade),)), path)
    told = [f for f in read_register(path.read_bytes()).findings if f.kind.slug == "part-not-shown"]

    assert ([] if missing is None else [missing]) == [f.message.partition("没有写明：")[2].rstrip("。") for f in told]
    assert ["GM-R417"] * len(told) == [f.code for f in told]
    assert all("隐患" == f.place.sheet for f in told)
