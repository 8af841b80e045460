"""Two files of one form: what changed, row by what makes it the row it is, wherever it stands now."""

import random
import time
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compare import SAMPLES, SCENARIO
from gmsafety import load_catalog
from gmsafety.forms import fill, read
from gmsafety.forms.comparing import NotTheSameForm, compare
from gmsafety.forms.record import Record, Rows
from strategies import records

CATALOG = load_catalog()
FORMS = list(CATALOG.forms.values())
LEDGER, TABLE = CATALOG.form("major-hazard-ledger"), CATALOG.form("weekly-dispatch")
Row = dict[str, Any]


def row(number: int, enterprise: str, day: int, detail: str, **more: Any) -> Row:
    told = {"number": number, "enterprise": enterprise, "inspected": date(2024, 12, day), "detail": detail}
    return {**told, "stage": "企业自查", **more}


ROWS = [
    row(1, "某某铸造有限公司", 10, "炉前坑内有积水"),
    row(2, "某某木业有限公司", 11, "除尘系统未设置锁气卸灰装置"),
    row(3, "某某食品有限公司", 12, "污水池作业未审批", progress="整改中"),
    row(4, "某某机械有限公司", 13, "喷涂间未安装可燃气体报警装置"),
    row(5, "某某纺织有限公司", 14, "烧毛工序燃气管道未设快速切断阀"),
]


def ledger(rows: list[Row], **header: Any) -> Record:
    return Record(
        LEDGER, {"unit": "某某县", "date": date(2024, 12, 27), **header}, rows=Rows.of(rows, LEDGER), nil=not rows
    )


def numbered(*rows: Row) -> list[Row]:
    return [{**r, "number": n} for n, r in enumerate(rows, 1)]


def told(before: list[Row], after: list[Row]) -> list[tuple[Any, ...]]:
    """Kind, row before, row after, columns that changed."""
    found = compare(ledger(before), ledger(after))
    return [(r.kind, r.was, r.row, [c.label for c in r.cells]) for r in found.rows]


A, B, C, D, E = ROWS
NEW = row(9, "某某轧钢有限公司", 20, "煤气柜未设置高低位联锁")

# what was done, rows after, what is told
CASES: tuple[tuple[str, list[Row], list[tuple[Any, ...]]], ...] = (
    ("nothing", ROWS, []),
    ("a cell", [A, B, {**C, "progress": "已完成整改，完成时间12月20日"}, D, E], [("changed", 2, 2, ["整改完成情况"])]),
    ("a typing error in the key", [A, {**B, "enterprise": "某某木业公司"}, C, D, E], [("changed", 1, 1, ["企业名称"])]),
    ("another day", [A, B, C, D, {**E, "inspected": date(2024, 12, 15)}], [("changed", 4, 4, ["检查时间"])]),
    (
        "another enterprise altogether, the rest as it was, also the number",
        [{**A, "enterprise": "示例钢丝绳厂"}, B, C, D, E],
        [("changed", 0, 0, ["企业名称"])],
    ),
    (
        "another enterprise, elsewhere: the hazard tells which row it is",
        numbered(B, C, {**A, "enterprise": "示例钢丝绳厂"}, D, E),
        [("changed", 0, 2, ["企业名称"]), ("renumbered", 1, 0, ["序号"]), ("renumbered", 2, 1, ["序号"])],
    ),
    ("a new row", [*ROWS, NEW], [("added", None, 5, [])]),
    ("a row less", numbered(A, B, C, D), [("removed", 4, None, [])]),
    (
        "the first row goes: the others count on",
        numbered(*ROWS[1:]),
        [("removed", 0, None, []), *(("renumbered", i, i - 1, ["序号"]) for i in range(1, 5))],
    ),
    (
        "the last row comes first",
        numbered(E, A, B, C, D),
        [("moved", 4, 0, ["序号"]), *(("renumbered", i, i + 1, ["序号"]) for i in range(4))],
    ),
    ("two rows change places, with their numbers", [A, C, B, D, E], [("moved", 2, 1, [])]),
    ("one goes, another comes in its place", [A, B, {**NEW, "number": 3}, D, E], [("added", None, 2, []), ("removed", 2, None, [])]),
    ("the same twice", [*ROWS, A], [("added", None, 5, [])]),
    ("another number", [A, B, C, D, {**E, "number": 50}], [("changed", 4, 4, ["序号"])]),
)  # fmt: skip


@pytest.mark.parametrize(("done", "after", "expected"), CASES, ids=[c[0] for c in CASES])
def test_rows_by_what_they_are(done: str, after: list[Row], expected: list[tuple[Any, ...]]) -> None:
    assert expected == told(ROWS, after)


def test_moved_and_changed() -> None:
    found = compare(ledger(ROWS), ledger(numbered({**E, "remark": "已核"}, A, B, C, D)))

    assert [("changed", True, ["备注"])] == [(r.kind, r.moved, [c.label for c in r.cells]) for r in found.rows[:1]]
    assert "共1处不同：改了1行（另有4行只是序号顺延）。" == found.in_words


def test_header_blanks_remarks_and_nil() -> None:
    """Of two files: old and new, the printed label, the cells in both."""
    path = SCENARIO / "2025-01-03/gaoping_weekly.xlsx"
    before = read(path, CATALOG).record
    assert before is not None
    values = {**before.values, "self.major.found": 3, "problems.text": None}
    after = replace(
        before, header={**before.header, "date": date(2025, 1, 2)}, values=values, remarks={"self": "已核"}, nil=True
    )
    found = compare(before, after)

    assert [
        ("header.date", "表头", "填报时间", "2025年1月3日", "2025年1月2日"),
        ("nil", "表头", "零报告", "", "是"),
        ("self.major.found", "第 2 行 · 企业自查自改", "重大事故隐患发现数", "4", "3"),
        ("remark.self", "第 2 行 · 企业自查自改", "备注", "", "已核"),
        ("problems.text", "第 7 行 · 存在问题", "存在问题", str(before.values["problems.text"]), ""),
    ] == [(c.path, c.where, c.label, c.before, c.after) for c in found.values]
    assert {"C7"} == {place.where for place in (found.values[2].old, found.values[2].new)}
    assert 5 == found.count == found.to_json()["count"]


def test_cells_of_both_files(tmp_path: Path) -> None:
    """A row that went down is told by its cell in either file."""
    one, other = ledger(ROWS), ledger(numbered(NEW, A, {**B, "remark": "已核"}, C, D, E))
    paths = fill(one, tmp_path / "一.xlsx"), fill(other, tmp_path / "二.docx")
    before, after = (read(p, CATALOG).record for p in paths)
    assert before is not None
    assert after is not None
    changed = next(r for r in compare(before, after).rows if r.kind == "changed")

    assert ("备注", "", "已核") == (changed.cells[0].label, changed.cells[0].before, changed.cells[0].after)
    assert (before.cell(1, "remark"), after.cell(2, "remark")) == (changed.cells[0].old, changed.cells[0].new)


def test_only_one_form() -> None:
    other = Record(TABLE, {"unit": "某某县", "date": None})

    with pytest.raises(NotTheSameForm) as refused:
        compare(other, ledger(ROWS))
    for name in (LEDGER.title, LEDGER.ref, TABLE.title, TABLE.ref):
        assert name in str(refused.value)


def test_another_version_of_the_form_is_said() -> None:
    before = replace(ledger(ROWS), form=LEDGER.model_copy(update={"version": "2023-9"}))
    found = compare(before, ledger(ROWS))

    assert ("2023-9", LEDGER.version) == found.versions
    assert "表的版本不同：2023-9" in found.in_words
    assert 0 == found.count


@settings(max_examples=60, deadline=None)
@given(record=st.sampled_from(FORMS).flatmap(records), seed=st.integers())
def test_any_form_against_itself(record: Record, seed: int) -> None:
    """Nothing differs; shuffled, rows only move, and none is lost."""
    assert 0 == compare(record, record).count
    if record.form.is_grid and not record.form.fixed:
        rows = list(record.rows)
        random.Random(seed).shuffle(rows)
        found = compare(record, replace(record, rows=Rows.of(rows, record.form)))
        assert {r.kind for r in found.rows} <= {"moved", "renumbered", "changed"}
        assert all(c.path.endswith(".number") for r in found.rows for c in r.cells)


def test_ten_thousand_rows_take_seconds_also_where_every_key_changed() -> None:
    """Time grows with the rows, not with their square: 10,000 × 10,000 pairs would take minutes."""
    before = read(SAMPLES / "large" / "ledger_10000_rows.xlsx", CATALOG).record
    assert before is not None
    rows = [{**r, "enterprise": f"改名{r['enterprise']}"} for r in before.rows]
    random.Random(7).shuffle(rows)
    start = time.perf_counter()
    found = compare(before, replace(before, rows=Rows.of(rows, before.form)))
    taken = time.perf_counter() - start

    assert {"changed"} == {r.kind for r in found.rows}
    assert len(rows) == found.counts["changed"]
    assert taken < 20
