"""A form through its versions: which is asked for when, files of the old one, comparing and rolling up across them."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gmsafety import Catalog, load_catalog
from gmsafety.cli import main
from gmsafety.content import Content, form_in, read_content
from gmsafety.errors import CatalogError
from gmsafety.forms import blank, check, fill, read
from gmsafety.forms.record import Record, Rows
from gmsafety.forms.specdiff import compare_specs
from gmsafety.forms.versions import State
from strategies import records

HERE = Path(__file__).parent / "versions"
FILES = {path.stem: path.read_text("utf-8") for path in HERE.glob("*.yaml")}


def content(folder: Path, files: dict[str, str], name: str = "gmsafety_versions") -> Content:
    """Write a package and read its content."""
    package = folder / name
    (package / "forms").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    for file, text in files.items():
        (package / ("" if file == "region" else "forms") / f"{file}.yaml").write_text(text, "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        return read_content(name, plugin="versions", title="几个版本")


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    return load_catalog([content(tmp_path_factory.mktemp("region"), FILES)])


# day, the version asked for, what 2024-1 is, what 2025-1 is
@pytest.mark.parametrize(
    ("day", "asked", "old", "new"),
    [
        ("2024-12-20", "2024-1", State.OPEN, State.COMING),
        ("2025-01-10", "2024-1", State.OPEN, State.COMING),
        ("2025-01-11", "2025-1", State.CLOSING, State.OPEN),
        ("2025-01-31", "2025-1", State.CLOSING, State.OPEN),
        ("2025-02-01", "2025-1", State.CLOSED, State.OPEN),
    ],
)
def test_which_version_is_asked_for(region: Catalog, day: str, asked: str, old: State, new: State) -> None:
    versions, on = region.versions["versions.weekly"], date.fromisoformat(day)

    assert region.form("weekly", on=on).version == asked
    assert [versions.state(f, on) for f in versions.forms] == [old, new]
    assert region.form("weekly").version == region.forms["versions.weekly"].version == "2025-1"
    assert region.form("versions.weekly@2024-1").version == "2024-1"


def weekly(catalog: Catalog, version: str, unit: str, day: date, **values: Any) -> Record:
    """A weekly table; blanks by their path with _ for dots."""
    form = catalog.form(f"versions.weekly@{version}")
    given = {path.replace("__", "."): value for path, value in values.items()}
    assert not set(given) - set(form.blanks)
    return Record(form, {"unit": unit, "date": day}, {p: given.get(p) for p in form.blanks})


OLD = {"self__firms": 12, "self__found": 9, "self__fixed": 7}


def test_a_file_of_the_old_version_is_read_as_such(region: Catalog, tmp_path: Path) -> None:
    record = weekly(region, "2024-1", "高平市安委办", date(2025, 1, 17), **OLD)
    for suffix in (".xlsx", ".docx"):
        reading = read(fill(record, tmp_path / f"old{suffix}"), region)

        assert reading.record is not None
        assert reading.record.form.version == "2024-1"
        assert reading.record.same_content(record)
        assert [f.kind.slug for f in check(reading, region)] == ["old-version"]


# filed on, what is said of a table in the old version
@pytest.mark.parametrize(
    ("filed", "said"),
    [
        (date(2025, 1, 10), None),
        (date(2025, 1, 17), "这是2024-1版（已有新版，仍可接收），现用2025-1版；已按字段对照核对。"),
        (date(2025, 2, 7), "这是2024-1版（已停用），应使用2025-1版。"),
    ],
)
def test_a_version_out_of_its_time_is_said(region: Catalog, filed: date, said: str | None) -> None:
    found = check(weekly(region, "2024-1", "高平市安委办", filed, **OLD), region)

    assert [f.message for f in found] == ([said] if said else [])


def test_cumulative_numbers_are_compared_across_versions(region: Catalog) -> None:
    before = weekly(region, "2024-1", "高平市安委办", date(2025, 1, 10), **OLD)
    fallen = weekly(
        region, "2025-1", "高平市安委办", date(2025, 1, 17), self__firms=12, self__general__found=8, self__general__fixed=7
    )  # fmt: skip

    found = check(fallen, region, previous=before)

    assert [f.code for f in found] == ["GM-P501"]
    assert "上期为9，本期为8" in found[0].message


def test_rows_of_a_ledger_are_known_again_across_versions(region: Catalog) -> None:
    old, new = region.form("versions.ledger@2024-1"), region.form("ledger")
    header = {"unit": "高平市安委办", "date": date(2025, 1, 10)}
    rows = [{"number": n, "enterprise": f"高平市示例{n}厂", "detail": f"隐患{n}", "fine": None} for n in (1, 2)]
    before = Record(old, header, rows=Rows.of(rows, old))
    kept = [{"number": 1, "enterprise": "高平市示例1厂", "hazard": "隐患1", "grade": "重大"}]
    now = Record(new, {**header, "date": date(2025, 1, 17)}, rows=Rows.of(kept, new))

    found = check(now, region, previous=before)

    assert [(f.code, f.message) for f in found] == [
        ("GM-P502", "上期第2条“高平市示例2厂，隐患2”本期没有；台账为累计数据，已销号的也应保留。")
    ]


def test_a_roll_up_takes_both_versions(region: Catalog, tmp_path: Path) -> None:
    day = date(2025, 1, 17)
    old = weekly(region, "2024-1", "高平市安委办", day, **OLD, self__fine=Decimal(30000))
    new = weekly(region, "2025-1", "陵川县安委办", day, self__firms=3, self__general__found=4, self__major__found=1)
    files = [fill(record, tmp_path / f"{record.header['unit']}.xlsx") for record in (old, new)]

    made = region.rollup("weekly").apply(
        [read(file, region) for file in files], unit=region.unit("versions.city"), period=day
    )

    numbers = {p: made[p].value for p in ("self.firms", "self.general.found", "self.general.fixed", "self.major.found")}
    assert numbers == {"self.firms": 15, "self.general.found": 13, "self.general.fixed": 7, "self.major.found": 1}
    assert [str(s) for s in made["self.general.found"].sources] == [
        "陵川县安委办 陵川县安委办.xlsx Sheet1!C4 = 4",
        "高平市安委办 高平市安委办.xlsx Sheet1!C4 = 9",
    ]
    left = [f.message for f in made.findings if f.kind.slug == "left-behind"]
    assert left == ["2025-1版没有这些栏目，所填内容不计入：企业自查。"]


@settings(max_examples=60, deadline=None)
@given(data=st.data(), name=st.sampled_from(["weekly", "ledger"]))
def test_carried_over_and_back_nothing_that_both_ask_is_lost(region: Catalog, data: st.DataObject, name: str) -> None:
    versions = region.versions[f"versions.{name}"]
    record = data.draw(records(versions.forms[0]))
    there = versions.carry(record, versions.forms[1])
    back = versions.carry(there.record, versions.forms[0]).record

    dropped = versions.forms[1].dropped
    kept = {p: None if p in dropped else v for p, v in record.values.items()}
    columns = {c: [None] * len(v) if c in dropped else v for c, v in record.rows.columns.items()}
    assert back.same_content(Record(record.form, record.header, kept, Rows(columns, len(record.rows)), record.nil))
    filled = any(record.values.get(p) is not None for p in dropped) or any(
        v is not None for c in dropped for v in record.rows.columns.get(c, ())
    )
    assert bool(there.left) == filled


# file, what is written, what instead, what is said
BAD = (
    ("weekly-2025", "{firms}家企业", "{firms:money}家企业", "“self.firms”的类型由count变成了money"),
    ("weekly-2025", "dropped: self.fine\n", "", "2024-1版的“self.fine”不见了"),
    ("weekly-2025", "self.fixed: self.general.fixed", "self.fixed: self.general.gone", "不是这一版的栏目"),
    ("weekly-2025", "self.fixed: self.general.fixed", "self.fixed: self.general.found", "几个栏目都改成了“self.general.found”"),
    ("weekly-2025", "moved: {", "moved: {self.lost: self.firms, ", "2024-1版没有栏目“self.lost”"),
    ("weekly-2025", 'follows: "2024-1"', 'follows: "2023-9"', "接着的“2023-9”版没有登记"),
    ("weekly-2025", 'follows: "2024-1"\n', "", "2025-1版没有写明接着哪一版"),
    ("weekly-2025", 'version: "2025-1"', 'version: "2024-1"', "写了两次"),
    ("weekly-2025", "opens: 2025-01-11", "opens: 2025-01-11\ncloses: 2025-01-01", "停用日期早于启用日期"),
    ("ledger-2025", "{id: inspected, label: 检查时间, type: date}", "{id: inspected, label: 检查时间}", "类型由date变成了text"),
    ("region", "of: versions.ledger", "of: versions.gone", "版式所属的表“versions.gone”没有登记"),
    ("region", "widths: [6, 24, 14, 12, 40]", "widths: [6, 24]", "版式的 widths 有2个宽度，表有5栏"),
    ("region", "annex: 附件7", "title: 别的台账", "版式的标题“别的台账”不是《隐患台账》的标题"),
)  # fmt: skip


@pytest.mark.parametrize(("file", "written", "instead", "said"), BAD, ids=[b[3] for b in BAD])
def test_versions_that_do_not_fit_are_refused(file: str, written: str, instead: str, said: str, tmp_path: Path) -> None:
    assert written in FILES[file]
    name = f"gmsafety_versions_{BAD.index((file, written, instead, said))}"
    with pytest.raises(CatalogError) as caught:
        load_catalog([content(tmp_path, {**FILES, file: FILES[file].replace(written, instead)}, name)])

    assert said in str(caught.value)
    assert f"{file}.yaml:" in str(caught.value)


def test_a_draft_is_asked_of_nobody(tmp_path: Path) -> None:
    draft = {**FILES, "weekly-2025": FILES["weekly-2025"].replace("opens:", "status: draft\nopens:")}
    catalog = load_catalog([content(tmp_path, draft, "gmsafety_versions_draft")])
    new = weekly(catalog, "2025-1", "高平市安委办", date(2025, 1, 17), self__firms=1)

    assert catalog.form("weekly", on=date(2025, 2, 1)).version == "2024-1"
    assert [f.version for f in catalog.readable if f.id == "weekly"] == ["2024-1"]
    assert [f.kind.slug for f in check(new, catalog)] == ["closed-version"]
    assert "草稿" in check(new, catalog)[0].message


def test_a_version_under_test_is_read_and_said(tmp_path: Path) -> None:
    tested = {**FILES, "weekly-2025": FILES["weekly-2025"].replace("opens:", "status: test\nopens:")}
    catalog = load_catalog([content(tmp_path, tested, "gmsafety_versions_test")])
    new = weekly(catalog, "2025-1", "高平市安委办", date(2025, 1, 17), self__firms=1, self__major__found=2)
    reading = read(fill(new, tmp_path / "new.xlsx"), catalog)

    assert reading.record is not None
    assert reading.record.same_content(new)
    assert [f.message for f in check(reading, catalog)] == ["这是2025-1版（试填），现用2024-1版；已按字段对照核对。"]


def test_two_versions_told_apart(region: Catalog) -> None:
    told = [(c.about, c.where, c.text) for c in compare_specs(*region.versions["versions.ledger"].forms)]

    assert told == [
        ("form", "启用日期", "由“（无）”改为“2025-01-11”"),
        ("field", "隐患内容", "编号由detail改为hazard，累计比较和汇总按此对照"),
        ("field", "隐患内容", "名称由“隐患明细”改为“隐患内容”"),
        ("field", "处罚情况", "不再填报"),
        ("field", "隐患等级", "新增，类型为choice"),
    ]


def test_a_version_differs_in_nothing_from_itself(region: Catalog) -> None:
    for versions in region.versions.values():
        assert not any(compare_specs(form, form) for form in versions.forms)


def test_a_region_prints_a_shared_form_in_its_own_layout(region: Catalog, tmp_path: Path) -> None:
    form = region.form("ledger")
    own = region.printed_in(form, region.unit("versions.gaoping"))
    sheet = openpyxl.load_workbook(blank(own, tmp_path / "own.xlsx")).active
    assert sheet is not None

    assert sheet["A1"].value == "附件7"
    assert sheet.page_setup.orientation == "landscape"
    assert region.printed_in(form, None) is form
    assert region.printed(Record(form, {"unit": "高平市安委办", "date": None})).form.layout == own.layout
    assert region.printed(Record(form, {"unit": "别处", "date": None})).form is form
    assert (
        read(fill(Record(own, {"unit": "高平市安委办", "date": None}), tmp_path / "filled.xlsx"), region).form is form
    )


@pytest.fixture
def two_files(tmp_path: Path) -> list[str]:
    paths = [tmp_path / f"{name}.yaml" for name in ("ledger-2024", "ledger-2025")]
    for path in paths:
        path.write_text(FILES[path.stem], "utf-8")
    return [str(p) for p in paths]


def test_specs_diff_of_two_files(two_files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["specs", "diff", *two_files]) == 0
    shown = capsys.readouterr().out

    assert "《隐患台账》2024-1版与2025-1版的不同" in shown
    assert "新增，类型为choice" in shown
    assert main(["specs", "diff", two_files[0], "shanxi.weekly-dispatch"]) == 2
    assert "不是同一张表的两个版本" in capsys.readouterr().err


def test_specs_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["specs", "list", "weekly-dispatch", "--on", "2024-12-20"]) == 0
    shown = capsys.readouterr().out

    assert "shanxi.weekly-dispatch" in shown
    assert "使用中" in shown


def test_a_text_that_declares_no_form() -> None:
    assert form_in("documents: []\n", "documents.yaml") is None
