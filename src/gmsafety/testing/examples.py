"""What a test of a region starts from: a plausible record of a form, and every name a table of clauses may give."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from ..catalog import Catalog
from ..forms.record import Record, Rows
from ..forms.spec import Form
from ..forms.types import FieldType, Setting


def declared_names(catalog: Catalog) -> frozenset[str]:
    """Every name that a table "requirement → where it is encoded" may give: ids, full names, roles, printed errata."""
    found = {*catalog.kinds, *catalog.actors, *(u.role for u in catalog.units.values())}
    inner = ("rules", "phases", "duties", "tasks", "targets", "routes", "gates", "watches", "conditions", "items")
    waiting: list[Any] = [
        v for c in catalog.contents for v in (*c.documents, *c.units, *c.campaigns, *c.forms, *c.checklists)
    ]
    while waiting:
        thing = waiting.pop()
        found |= {thing.id, getattr(thing, "ref", thing.id), *(e.printed for e in getattr(thing, "errata", ()))}
        waiting += [p for noun in inner for p in getattr(thing, noun, ()) if not isinstance(p, str)]
    return frozenset(found)


def example_record(form: Form, *, rows: int = 3) -> Record:
    """Make a plausible record of a form: every field filled, rows apart from each other."""
    day = date(2024, 12, 20)
    header = {h.id: _example(h.kind, h.setting, 0, day) for h in form.header}
    if not form.is_grid:
        values = {p: _example(b.kind, b.setting, i, day) for i, (p, b) in enumerate(form.blanks.items(), 1)}
        return Record(form, header, values)
    printed = form.printed_rows if form.fixed else ({},) * rows
    made = [
        {c.id: row.get(c.id, _example(c.kind, c.setting, n, day)) for c in form.columns}
        for n, row in enumerate(printed, 1)
    ]
    signed = {f.id: f"某某{n}" for n, f in enumerate(form.signatures, 1)}
    return Record(form, header, rows=Rows.of(made, form), signatures=signed)


def _example(kind: FieldType, setting: Setting, number: int, day: date) -> Any:
    if setting.choices:
        return setting.choices[number % len(setting.choices)]
    measure = "；".join(f"{p.split('|')[0]}：示例{number}" for p in setting.parts)
    made = {
        "count": number + 10,
        "serial": number,
        "money": Decimal(12500 * number),
        "date": day - timedelta(days=number),
        "names": ("甲县", "乙县"),
        "name": "示例市",
        "measure": measure,
        "completion": f"已完成整改，完成时间2024年12月{number + 10}日",
    }
    return made.get(kind.name, f"示例文字{number}")
