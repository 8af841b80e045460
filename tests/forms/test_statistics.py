"""Headings over headings, units, computed cells, rows under rows, sub-totals: printed, filled in, read back, compared."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from docx import Document
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gmsafety import Catalog
from gmsafety.content import read_content
from gmsafety.errors import GmsafetyError
from gmsafety.findings import Finding
from gmsafety.forms import blank, check, fill, read
from gmsafety.forms.columns import Computed
from gmsafety.forms.computed import compute
from gmsafety.forms.record import Record, Rows
from gmsafety.forms.schema import from_json, to_json
from strategies import records

SUFFIXES = (".xlsx", ".docx")

# 行业, 辖区内, 已检查, 一般发现, 一般已整改, 重大发现, 重大已整改, 罚款（万元）; the sums are left to the machine
NUMBERS: tuple[tuple[Any, ...], ...] = (
    ("合计", None, None, None, None, None, None, None),
    ("冶金", None, None, None, None, None, None, None),
    ("炼铁", 7, 2, 0, 0, 0, 0, None),
    ("炼钢", 27, 3, 15, 6, 3, 1, "0.5"),
    ("有色", 6, 3, None, None, 3, 0, "1"),
    ("机械", 22, 5, 22, 8, 3, 0, None),
    ("其中：机械铸造", 9, 4, 18, 8, 0, 0, None),
)
NAMES = ("industry", "firms", "inspected", "general_found", "general_fixed", "major_found", "major_fixed", "fine")


def statistics(region: Catalog, **changed: dict[str, Any]) -> Record:
    """The table above as a record; `changed` cells by industry."""
    form = region.form("statistics")
    rows = [{**dict(zip(NAMES, row, strict=True)), **changed.get(row[0], {})} for row in NUMBERS]
    for row in rows:
        row["fine"] = None if row["fine"] is None else Decimal(row["fine"]) * 10000
    return Record(form, {"unit": "某市", "date": None}, rows=Rows.of(rows, form))


def test_sums_and_ratios_follow(region: Catalog) -> None:
    by = {row["industry"]: row for row in statistics(region).rows}

    shown = {name: (r["firms"], r["general_found"], r["general_rate"], r["open"], r["fine"]) for name, r in by.items()}
    assert shown == {
        "合计": (62, 37, Decimal("0.378"), 31, Decimal(15000)),
        "冶金": (34, 15, Decimal("0.4"), 11, Decimal(5000)),
        "炼铁": (7, 0, None, 0, None),
        "炼钢": (27, 15, Decimal("0.4"), 11, Decimal(5000)),
        "有色": (6, None, None, 3, Decimal(10000)),
        "机械": (22, 22, Decimal("0.364"), 17, None),  # 其中 does not make its whole
        "其中：机械铸造": (9, 18, Decimal("0.444"), 10, None),
    }


@pytest.mark.parametrize(
    ("part", "of", "value"),
    [(6, 15, "0.4"), (1, 3, "0.333"), (2, 3, "0.667"), (0, 4, "0"), (5, 5, "1"), (0, 0, None), (None, 4, None), (3, None, None)],
)  # fmt: skip
def test_a_ratio(part: int | None, of: int | None, value: str | None) -> None:
    how = Computed(part="fixed", of="found")

    assert compute(how, {"fixed": part, "found": of}) == (None if value is None else Decimal(value))


def test_the_head_as_printed(region: Catalog, tmp_path: Path) -> None:
    sheet = openpyxl.load_workbook(blank(region.form("statistics"), tmp_path / "blank.xlsx")).active
    assert sheet is not None
    merged = {str(r) for r in sheet.merged_cells.ranges}

    # five rows: two of headings, titles, and the row of units
    assert [[sheet.cell(row, col).value for col in range(1, 12)] for row in range(3, 7)] == [
        ["行业", "企业", None, "问题隐患", None, None, None, None, None, "罚款", "备注"],
        [None, "辖区内", "已检查", "一般隐患", None, None, "重大事故隐患", None, "未整改", None, None],
        [None, None, None, "发现", "已整改", "整改率", "发现", "已整改", None, None, None],
        [None, "家", "家", "条", "条", None, "条", "条", "条", "万元", None],
    ]
    assert {"A3:A6", "B3:C3", "D3:I3", "D4:F4", "G4:H4", "F5:F6", "I4:I5", "J3:J5", "K3:K6"} <= merged
    assert "3:6" in (sheet.print_title_rows or "").replace("$", "")


def test_a_ratio_of_nothing_is_a_stroke(region: Catalog, tmp_path: Path) -> None:
    table = Document(str(fill(statistics(region), tmp_path / "filled.docx"))).tables[0]
    rates = {row.cells[0].text: row.cells[5].text for row in table.rows[4:]}

    assert rates == {
        "合计": "37.8%", "冶金": "40%", "炼铁": "/", "炼钢": "40%", "有色": "", "机械": "36.4%", "其中：机械铸造": "44.4%",
    }  # fmt: skip


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_was_filled_in_is_read_back(region: Catalog, suffix: str, tmp_path: Path) -> None:
    record = statistics(region)
    reading = read(fill(record, tmp_path / f"filled{suffix}"), region)

    assert reading.record is not None
    assert reading.record.same_content(record)
    assert [f.code for f in reading.findings] == ["GM-S213"]  # 填报时间 was left open


def typed(path: Path, cells: dict[str, Any]) -> Path:
    """Type into cells of a workbook."""
    book = openpyxl.load_workbook(path)
    sheet = book.active
    assert sheet is not None
    for where, value in cells.items():
        sheet[where] = value
    book.save(path)
    return path


def found(path: Path, region: Catalog) -> dict[str, Finding]:
    return {f.place.where: f for f in check(read(path, region), region) if not f.is_remark and f.code != "GM-S213"}


# what a clerk types into a computed cell, and whether it is right. D7: 合计, D8: 冶金, F8: its ratio, I8: what is open
@pytest.mark.parametrize(
    ("where", "value", "said"),
    [
        ("D7", 38, "写38，按同一行（或其下各行）的数算得37"),
        ("D8", None, ""),
        ("F8", "40%", ""),
        ("F8", "40.0%", ""),
        ("F8", 0.4, ""),
        ("F7", "37.84%", ""),
        ("F7", "38%", ""),
        ("F7", 0.37837837, ""),
        ("F7", "37%", "写37%，按同一行（或其下各行）的数算得37.8%"),
        ("F9", "0%", "算得/"),
        ("F9", "100%", "算得/"),
        ("F9", "#DIV/0!", ""),
        ("I8", 12, "写12，按同一行（或其下各行）的数算得11"),
        ("B13", 30, "“企业 辖区内”为22，其中各行相加为30"),
    ],
)
def test_a_computed_cell_is_compared(region: Catalog, where: str, value: Any, said: str, tmp_path: Path) -> None:
    path = typed(fill(statistics(region), tmp_path / "filled.xlsx"), {where: value})
    findings = found(path, region)

    if said:
        place = "B12" if where == "B13" else where
        assert said in findings[place].message
        assert len(findings) <= 3
    else:
        assert not findings


def test_headings_a_clerk_took_away(region: Catalog, tmp_path: Path) -> None:
    """The groups and the units are gone, and the columns 企业 stand last: read by what is left."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["工贸企业隐患排查治理情况统计表"])
    sheet.append(["行业", "发现", "已整改", "整改率", "发现", "已整改", "未整改", "罚款", "备注", "辖区内", "已检查"])
    for name, firms, inspected, *general, fine in NUMBERS:
        sheet.append([name, *general[:2], None, *general[2:], None, fine, None, firms, inspected])
    book.save(tmp_path / "flat.xlsx")
    record = read(tmp_path / "flat.xlsx", region).record

    assert record is not None
    assert record.rows == statistics(region).rows


def test_headings_of_other_shapes(region: Catalog, tmp_path: Path) -> None:
    """Groups repeated in every cell instead of merged, units in the titles, two columns changed round."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["行业", "企业", "企业", *["问题隐患"] * 6, "罚款（万元）", "备注"])
    sheet.append(
        ["行业", "已检查（家）", "辖区内（家）", *["一般隐患"] * 3, *["重大事故隐患"] * 2, "未整改", None, None]
    )
    sheet.append(
        ["行业", None, None, "发现（条）", "已整改（条）", "整改率", "发现（条）", "已整改（条）", None, None, None]
    )
    for name, firms, inspected, *general, fine in NUMBERS:
        sheet.append([name, inspected, firms, *general[:2], None, *general[2:], None, fine])
    book.save(tmp_path / "other.xlsx")
    reading = read(tmp_path / "other.xlsx", region)

    assert reading.record is not None
    assert reading.record.rows == statistics(region).rows
    assert {f.code for f in reading.findings} == {"GM-S207", "GM-S213"}


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_sub_totals(region: Catalog, suffix: str, tmp_path: Path) -> None:
    form = region.form("towns")
    rows = [
        {"number": n, "town": town, "enterprise": f"示例{n}公司", "found": n, "fixed": n // 2}
        for n, town in enumerate(["甲镇", "甲镇", "乙镇", "乙镇", "乙镇"], 1)
    ]
    record = Record(form, {"unit": "某县"}, rows=Rows.of(rows, form))
    path = fill(record, tmp_path / f"towns{suffix}")
    reading = read(path, region)

    assert reading.findings == ()
    assert reading.record is not None
    assert reading.record.same_content(record)
    if suffix == ".xlsx":
        sheet = openpyxl.load_workbook(path).active
        assert sheet is not None
        cells = [[c.value for c in row] for row in sheet.iter_rows(min_row=6)]
        assert [r for r in cells if isinstance(r[0], str)] == [
            ["小计", "甲镇", None, 3, 1, "33.3%"],
            ["小计", "乙镇", None, 12, 5, "41.7%"],
            ["合计", None, None, 15, 6, "40%"],
        ]
        findings = check(read(typed(path, {"D8": 4, "D12": 13, "D13": 16}), region), region)
        assert [f.message for f in findings if not f.is_remark] == [
            "小计写4，所列各行相加为3。", "小计写13，所列各行相加为12。", "合计写16，所列各行相加为15。",
        ]  # fmt: skip


def test_json_carries_what_follows_and_refuses_what_does_not(region: Catalog) -> None:
    record = statistics(region)
    data = to_json(record)

    assert from_json(data, record.form).same_content(record)
    data["rows"][0]["firms"], data["rows"][3]["general_rate"] = 63, "0.5"
    with pytest.raises(
        ValueError, match=r"rows\[0\]\.firms：应为62（算出），现为63；rows\[3\]\.general_rate：应为0\.4"
    ):
        from_json(data, record.form)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), name=st.sampled_from(["statistics", "towns"]), suffix=st.sampled_from(SUFFIXES))
def test_any_record_comes_back(
    region: Catalog, data: st.DataObject, name: str, suffix: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    record = data.draw(records(region.form(name)))
    again = read(fill(record, tmp_path_factory.mktemp("back") / f"form{suffix}"), region, form=name).record

    assert again is not None
    assert again.same_content(record)


BAD = (
    ("fixed: [industry]", "fixed: [industry]\nsubtotal: town", "没有这样的列：town"),
    ("part: general_fixed", "part: no_such", "没有这样的列：no_such"),
    ("part: general_fixed, of: general_found", "part: general_fixed", "要么写 sum（可加 minus），要么写 part 和 of"),
    ("sum: [general_found, major_found]", "sum: [general_found, remark]", "不是数的列不能用来计算：备注"),
    ("minus: [general_fixed, major_fixed]", "minus: [general_rate]", "算出的列不能再用来计算：general_rate"),
    ("unit: 万元, type: money", "unit: 万元, type: money, total: true", "有上下级的行（depth）不能再有合计行（total）"),
)


@pytest.mark.parametrize(("printed", "instead", "said"), BAD)
def test_a_form_that_cannot_be_computed_is_refused(printed: str, instead: str, said: str, tmp_path: Path) -> None:
    source = (Path(__file__).parent / "statistics.yaml").read_text("utf-8")
    assert printed in source
    package = tmp_path / f"gmsafety_bad_{BAD.index((printed, instead, said))}"
    (package / "forms").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "forms" / "bad.yaml").write_text(source.replace(printed, instead), "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(tmp_path)
        with pytest.raises(GmsafetyError) as caught:
            read_content(package.name, plugin="bad", title="不合")

    assert said in str(caught.value)
    assert "bad.yaml:" in str(caught.value)
