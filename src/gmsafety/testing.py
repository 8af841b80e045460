"""The conformance kit every region runs: what a plugin declares must load, cite, print, and read back.

`check_plugin` returns every complaint at once; a plugin's own test asserts that there is none.
"""

import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import Any

from .campaigns import Campaign
from .catalog import Catalog, load_catalog
from .content import Content
from .errors import CatalogError, GmsafetyError
from .forms import blank, fill, read
from .forms.printed import from_printed, to_printed
from .forms.record import Record, Rows
from .forms.schema import from_json, json_schema, to_json
from .forms.spec import Form
from .forms.types import FieldType, Setting

_BRACES = re.compile(r"\{([^{}]*)\}")
_SUFFIXES = (".xlsx", ".docx")


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing a plugin does not keep: about what, and what is wrong."""

    about: str
    text: str

    def __str__(self) -> str:
        return f"{self.about}：{self.text}"


def check_plugin(plugin: object, *needs: object) -> list[Complaint]:
    """Run the whole kit on a plugin (a module or a `Content`), loaded with the plugins it needs."""
    try:
        catalog = load_catalog([plugin, *needs])
    except CatalogError as error:
        return [Complaint(f"{p.file}:{p.line}", f"{p.text}（{p.remedy}）") for p in error.problems]
    content = _content_of(plugin, catalog)
    return [*_documents(content), *_campaigns(content, catalog), *_kinds(content), *_forms(content, catalog)]


def _content_of(plugin: object, catalog: Catalog) -> Content:
    if isinstance(plugin, Content):
        return plugin
    answer = plugin.gmsafety_content()  # type: ignore[attr-defined]  # load_catalog has seen that it is there
    return next(c for c in catalog.contents if c.plugin == answer.plugin)


def _documents(content: Content) -> Iterator[Complaint]:
    for document in content.documents:
        if document.issued is None and not document.note:
            yield Complaint(document.id, "没有印发日期，也没有说明（note）")


def _campaigns(content: Content, catalog: Catalog) -> Iterator[Complaint]:
    for campaign in content.campaigns:
        yield from _duties(campaign, catalog)
        declared: Iterator[Any] = chain(
            campaign.tasks, campaign.targets, campaign.routes, campaign.gates, campaign.watches
        )
        for thing in (campaign, *campaign.phases, *campaign.duties, *declared):
            if not thing.source.quote and not thing.source.reading:
                yield Complaint(f"{campaign.id} {thing.id}", "依据既没有引文（quote）也没有解读（reading）")


def _duties(campaign: Campaign, catalog: Catalog) -> Iterator[Complaint]:
    for duty in campaign.duties:
        occurrences = list(duty.occurrences(catalog.calendar))
        if not occurrences and duty.kind in ("once", "recurring", "window", "quota"):
            yield Complaint(f"{campaign.id} {duty.id}", "没有任何一期")
        for occurrence in occurrences:
            if not campaign.first <= occurrence.period <= campaign.last:
                yield Complaint(f"{campaign.id} {duty.id}", f"{occurrence.period}不在专项行动期间")


def _kinds(content: Content) -> Iterator[Complaint]:
    for kind in content.kinds:
        if not kind.remedy.strip():
            yield Complaint(kind.slug, "没有写怎么改（remedy）")


def _forms(content: Content, catalog: Catalog) -> Iterator[Complaint]:
    for form in (*content.forms, *(c.form for c in content.checklists)):
        yield from _messages(form)
        with tempfile.TemporaryDirectory() as folder:
            try:
                yield from _projections(form, catalog, Path(folder))
            except (GmsafetyError, ValueError) as error:
                yield Complaint(form.ref, f"不能投影：{error}")


def _messages(form: Form) -> Iterator[Complaint]:
    """Every name in braces in a rule's sentence must be something the rule knows."""
    for rule in form.rules:
        groups = form.groups(rule.over)
        known = form.rule_names() | {"campaign.first", "campaign.last", "label", *rule.let}
        known |= {name for names in groups.values() for name in names}
        for name in _BRACES.findall(rule.say or ""):
            if name not in known:
                yield Complaint(f"{form.ref} {rule.id}", f"句子里的“{{{name}}}”不是已知的栏目")


def _projections(form: Form, catalog: Catalog, folder: Path) -> Iterator[Complaint]:
    record = example_record(form)
    json_schema(form)
    for name, other in (
        ("JSON", from_json(to_json(record), form)),
        ("纸面视图", from_printed(to_printed(record), form)),
    ):
        if not record.same_content(other):
            yield Complaint(form.ref, f"经{name}往返后不相同")
    for suffix in _SUFFIXES:
        filled = read(fill(record, folder / f"filled{suffix}"), catalog)
        if filled.record is None or filled.form is not form:
            yield Complaint(form.ref, f"写成{suffix}后认不出来：{_said(filled.findings)}")
        elif not record.same_content(filled.record):
            yield Complaint(form.ref, f"经{suffix}往返后不相同：{_said(filled.findings)}")
        empty = read(blank(form, folder / f"blank{suffix}"), catalog)
        if empty.form is not form:
            yield Complaint(form.ref, f"空白表{suffix}认不出来：{_said(empty.findings)}")


def _said(findings: tuple[Any, ...]) -> str:
    return "；".join(f.message for f in findings if not f.is_remark)


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
