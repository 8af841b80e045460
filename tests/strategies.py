"""Records of any form, for properties: every value a clerk could mean, none that paper cannot tell from a blank."""

from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from gmsafety.forms.record import Record, Rows
from gmsafety.forms.spec import Form
from gmsafety.forms.types import FieldType, Setting, is_blank

CHINESE = "甲乙丙丁戊己庚辛检查整改隐患企业安全生产落实责任措施粉尘煤气铸造"
DAYS = st.dates(date(2024, 12, 6), date(2025, 3, 31))
NAMES = st.text(CHINESE, min_size=2, max_size=6).map(lambda t: f"{t}县")


def texts() -> st.SearchStrategy[str]:
    """Text that is not blank and has no white space at its ends."""
    letters = st.text(CHINESE + "，。；：、（）“”0123456789aB%．", min_size=2, max_size=40)
    return letters.filter(lambda t: not is_blank(t) and t.strip() == t and t[0] in CHINESE)


def values(kind: FieldType, setting: Setting) -> st.SearchStrategy[Any]:
    """Values of a field type."""
    if setting.choices:
        return st.sampled_from(setting.choices)
    made: dict[str, st.SearchStrategy[Any]] = {
        "count": st.integers(0, 10**6),
        "serial": st.integers(1, 10**5),
        "money": st.integers(0, 10**9).map(Decimal),
        "date": DAYS,
        "name": NAMES,
        "names": st.lists(NAMES, min_size=1, max_size=4).map(tuple),
        "completion": st.one_of(texts(), DAYS.map(lambda d: f"已完成整改，完成时间{d.year}年{d.month}月{d.day}日")),
    }
    return made.get(kind.name, texts())


def records(form: Form) -> st.SearchStrategy[Record]:
    """Records of a form, with blanks anywhere."""
    header = st.fixed_dictionaries(
        {h.id: NAMES if h.type == "text" else values(h.kind, h.setting) for h in form.header}
    )
    if not form.is_grid:
        blanks = {p: st.none() | values(b.kind, b.setting) for p, b in form.blanks.items()}
        return st.builds(lambda h, v: Record(form, h, v), header, st.fixed_dictionaries(blanks))
    cells = {
        c.id: values(c.kind, c.setting) if c.required or c.type == "serial" else st.none() | values(c.kind, c.setting)
        for c in form.columns
    }
    signed = st.fixed_dictionaries({f.id: st.none() | NAMES for f in form.signatures})
    if form.fixed:  # every row is there, as printed; what is to be filled in is anything
        open_cells = {name: how for name, how in cells.items() if name not in form.fixed}
        every = st.tuples(*(_joined(row, open_cells) for row in form.printed_rows))
    else:
        every = st.lists(st.fixed_dictionaries(cells), min_size=1, max_size=5).map(tuple)
    return st.builds(lambda h, r, s: Record(form, h, rows=Rows.of(list(r), form), signatures=s), header, every, signed)


def _joined(row: dict[str, Any], cells: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(cells).map(lambda filled: {**row, **filled})
