"""The register as a workbook: what is written is read back, and whatever is wrong is told cell by cell, all at once."""

from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from entity_values import credit_code, registers
from gmsafety.enterprises import Enterprise
from gmsafety.hazardevents import Judged, Listed, Ordered
from gmsafety.hazards import Grade, Hazard, Measure, Penalty
from gmsafety.inspections import Inspection
from gmsafety.registers import Register, read_register, write_register
from gmsafety.registers.sheets import sheets

ONE, TWO = credit_code(1), credit_code(2)
DAY = date(2025, 1, 6)


def hazard() -> Hazard:
    found = Hazard(
        id="YH-1", enterprise=ONE, detail="煤气报警失效", stage="市县检查", found=DAY, found_by="示例县应急管理局"
    )
    judged = found.after(Judged(on=DAY, grade=Grade.MAJOR, basis="四（六）"))
    ordered = judged.after(Ordered(on=DAY, measure=Measure(action="更换", funds=35_000, time_limit=date(2025, 1, 20))))
    return ordered.after(Listed(on=DAY, level="county", supervisor="示例县安委会", due=date(2025, 1, 31)))


@pytest.fixture
def register() -> Register:
    one = Enterprise(
        credit_code=ONE,
        name="示例钢铁有限公司",
        area="140525",
        gbt4754="3120",
        figures={"staff": 350, "revenue": 18_000_000},
    )
    two = Enterprise(credit_code=TWO, name="=示例机械厂", area="140525101", more={"port_zone": "东区", "old": "1"})
    inspection = Inspection(
        id="JC-1",
        enterprise=ONE,
        stage="市县检查",
        first=DAY,
        inspected_by="示例县应急管理局",
        hazards=("YH-1",),
        inspectors=("0001", "0002"),
    )
    penalty = Penalty(
        id="CF-1",
        enterprise=ONE,
        hazard="YH-1",
        decided=DAY,
        by="示例县应急管理局",
        kinds=("罚款", "停产整改"),
        amount=50_000,
    )
    return Register(enterprises=(one, two), hazards=(hazard(),), inspections=(inspection,), penalties=(penalty,))


def written(register: Register, folder: Path, **cells: Any) -> bytes:
    """The register as a workbook in which a clerk typed into some cells: `企业_D2`."""
    path = folder / "register.xlsx"
    write_register(register, path)
    if cells:
        book = openpyxl.load_workbook(path)
        for where, value in cells.items():
            sheet, _, cell = where.partition("_")
            book[sheet][cell] = value
        book.save(path)
    return path.read_bytes()


def cell(sheet: str, label: str, row: int = 2) -> str:
    """The address of a cell by the heading of its column."""
    labels = [column.label for s in sheets() if s.title == sheet for column in s.columns]
    return f"{sheet}_{openpyxl.utils.get_column_letter(labels.index(label) + 1)}{row}"


def test_what_is_written_is_read_back(register: Register, tmp_path: Path) -> None:
    reading = read_register(written(register, tmp_path))

    assert () == reading.findings
    assert register == reading.register


@given(registers())
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_register_is_read_back(tmp_path_factory: pytest.TempPathFactory, register: Register) -> None:
    reading = read_register(written(register, tmp_path_factory.mktemp("any")))

    assert {"not-registered"} >= {f.kind.slug for f in reading.findings}
    assert register == reading.register
    assert register == Register.model_validate_json(register.model_dump_json())


@pytest.mark.parametrize(
    ("at", "typed", "path", "meant"),
    [
        (("企业", "从业人员"), "３５０人", "figures.staff", 350),
        (("企业", "营业收入（万元）"), "1,800万元", "figures.revenue", 18_000_000),
        (("企业", "统一社会信用代码"), f" {ONE.lower()}", "credit_code", ONE),
        (("企业", "行政区划代码"), 140525, "area", "140525"),
        (("企业", "在规模以上名录"), "√", "on_scale_list", True),
        (("企业", "在规模以上名录"), "无", "on_scale_list", False),
        (("企业", "地址"), "无", "address", None),
        (("企业", "重点监管级别"), "县级", "key_level", "county"),
        (("企业", "金属冶炼"), "涉及", "traits.metal_smelting", True),
        (("隐患", "整改时限"), "2025.1.20", "measure.time_limit", date(2025, 1, 20)),
        (("隐患", "判定依据（10号令）"), "四(六)", "basis", ("第四条（六）",)),
        (("行政处罚", "处罚种类"), "罚款；停产整改", "kinds", ("罚款", "停产整改")),
    ],
)
def test_cells_as_clerks_type_them(
    at: tuple[str, str], typed: Any, path: str, meant: Any, register: Register, tmp_path: Path
) -> None:
    reading = read_register(written(register, tmp_path, **{cell(*at): typed}))
    value: Any = getattr(reading.register, next(s.field for s in sheets() if s.title == at[0]))[0]
    for part in path.split("."):
        value = getattr(value, part)

    assert [] == [str(f) for f in reading.findings if f.kind.slug != "derived-differs"]
    assert meant == value


WRONG = [
    # 工作表    栏                  所填                       所报
    ("企业", "统一社会信用代码", ONE[:-1], "wrong-credit-code"),
    ("企业", "企业名称", None, "missing-value"),
    ("企业", "行政区划代码", "示例县", "value-not-allowed"),
    ("企业", "行业代码", "炼钢", "value-not-allowed"),
    ("企业", "确认的行业", "化工", "not-in-list"),
    ("企业", "从业人员", "三百多", "not-a-number"),
    ("企业", "从业人员", -3, "negative-number"),
    ("企业", "从业人员", 3.5, "not-an-integer"),
    ("企业", "营业收入（万元）", "1800或1900", "several-numbers"),
    ("企业", "营业收入（万元）", 0.00001, "money-too-fine"),
    ("企业", "在规模以上名录", "也许", "not-in-list"),
    ("企业", "其他标签", "东区", "value-not-allowed"),
    ("企业", "其他标签", "staff=3", "entry-contradicts"),
    ("企业", "其他标签", "x=[1]", "value-not-allowed"),
    ("隐患", "发现日期", "2025.2.30", "impossible-date"),
    ("隐患", "检查环节", "上级检查", "not-in-list"),
    ("隐患", "判定依据（10号令）", "第九十条（一）", "value-not-allowed"),
    ("隐患", "督办完成时间", None, "missing-value"),
    ("隐患", "隐患等级", "一般隐患", "entry-contradicts"),
    ("隐患", "经过", None, "entry-contradicts"),
    ("隐患", "经过", "昨天判定了", "value-not-allowed"),
    ("隐患", "经过", "2025-13-45 判定→已判定", "value-not-allowed"),
    ("检查", "结束日期", "2025-01-01", "entry-contradicts"),
    ("行政处罚", "处罚种类", "罚款、拘留", "not-in-list"),
    ("行政处罚", "处罚种类", None, "missing-value"),
]


@pytest.mark.parametrize(("sheet", "label", "typed", "slug"), WRONG)
def test_a_wrong_cell_is_told_where_it_stands_and_its_row_is_not_taken(
    sheet: str, label: str, typed: Any, slug: str, register: Register, tmp_path: Path
) -> None:
    where = cell(sheet, label)
    reading = read_register(written(register, tmp_path, **{where: typed}))
    told = [f for f in reading.findings if f.kind.slug not in ("not-registered", "row-not-taken")]
    place = f"{sheet}!{'A2' if slug == 'entry-contradicts' else where.partition('_')[2]}"

    assert [(slug, place)] == [(f.kind.slug, str(f.place)) for f in told]
    assert [f"{sheet}!A2"] == [str(f.place) for f in reading.findings if f.kind.slug == "row-not-taken"]
    field = next(s.field for s in sheets() if s.title == sheet)
    assert len(getattr(register, field)) - 1 == len(getattr(reading.register, field))


def test_everything_wrong_is_told_at_once(register: Register, tmp_path: Path) -> None:
    typed = {
        cell("企业", "从业人员"): "很多",
        cell("企业", "行业代码"): "炼钢",
        cell("企业", "统一社会信用代码", 3): "123",
        cell("隐患", "发现日期"): "上周",
        cell("行政处罚", "金额（万元）"): "五到十",
    }
    told = read_register(written(register, tmp_path, **typed)).findings

    wrong = {f"{f.place}" for f in told if f.kind.slug not in ("row-not-taken", "not-registered")}
    assert {where.replace("_", "!") for where in typed} == wrong


def test_what_is_computed_is_not_taken_from_the_sheet(register: Register, tmp_path: Path) -> None:
    reading = read_register(
        written(register, tmp_path, **{cell("企业", "规模"): "大型", cell("隐患", "状态"): "已销号"})
    )

    assert [
        "“规模”由其他各栏得出，应为“小型”，表上的“大型”未采用。",
        "“状态”由其他各栏得出，应为“整改中”，表上的“已销号”未采用。",
    ] == [f.message for f in reading.findings]
    assert register == reading.register


def test_twice_and_not_registered(register: Register, tmp_path: Path) -> None:
    typed = {
        cell("企业", "统一社会信用代码", 3): ONE,
        cell("检查", "发现的隐患"): "YH-1\nYH-9",
        cell("行政处罚", "统一社会信用代码"): TWO,
    }
    told = [f.message for f in read_register(written(register, tmp_path, **typed)).findings]

    assert [
        f"“{ONE}”已在第2行登记，本行未采用。",
        "“发现的隐患”的“YH-9”在工作表“隐患”中没有登记。",
        f"“统一社会信用代码”的“{TWO}”在工作表“企业”中没有登记。",
    ] == [m for m in told if "企业名称" not in m]


def own_list(*rows: list[Any], title: str = "企业") -> bytes:
    """A list that a clerk made."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = title
    for row in rows:
        sheet.append(row)
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def test_a_list_of_ones_own_columns_in_ones_own_order() -> None:
    head = ["单位名称", "电话", "行政区划 代码", "信用代码"]
    reading = read_register(own_list(["示例县企业名单"], head, ["示例钢铁有限公司", "无", 140525, ONE], [None, "/"]))

    assert [("示例钢铁有限公司", ONE)] == [(e.name, e.credit_code) for e in reading.register.enterprises]
    slugs = {f.kind.slug for f in reading.findings}
    assert {"missing-sheet", "unknown-column", "missing-column", "not-understood"} == slugs
    assert not [f for f in reading.findings if f.severity == "error"]


@pytest.mark.parametrize(
    ("data", "name", "slug"),
    [
        (b"", "登记簿.xlsx", "empty-file"),
        (b"PK\x03\x04 broken", "登记簿.xlsx", "corrupt-file"),
        (b"\x89PNG", "登记簿.png", "unsupported-format"),
        (own_list(["x"], title="Sheet1"), "登记簿.xlsx", "no-table"),
        (own_list(["甲", "乙"], ["丙", "丁"]), "登记簿.xlsx", "no-table"),
        (own_list(), "登记簿.xlsx", "no-table"),
    ],
)
def test_a_file_that_is_no_register(data: bytes, name: str, slug: str) -> None:
    reading = read_register(data, name=name)

    assert slug in [f.kind.slug for f in reading.findings]
    assert Register() == reading.register


@given(
    st.lists(
        st.lists(st.none() | st.text(max_size=8) | st.integers() | st.booleans() | st.dates(), max_size=30), max_size=4
    )
)
@settings(max_examples=40, deadline=None)
def test_no_data_raises(rows: list[list[Any]]) -> None:
    for sheet in sheets():
        clean = [
            [openpyxl.cell.cell.ILLEGAL_CHARACTERS_RE.sub("", v) if isinstance(v, str) else v for v in r] for r in rows
        ]
        reading = read_register(own_list([c.label for c in sheet.columns], *clean, title=sheet.title))

        assert all(f.message and f.remedy for f in reading.findings)
