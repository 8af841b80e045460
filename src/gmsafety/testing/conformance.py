"""What a region must keep, one aspect after the other; every one says how many things it looked at."""

import re
import tempfile
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Literal

from ..campaigns import Campaign
from ..catalog import Catalog, load_catalog
from ..checklists import Checklist
from ..content import Content
from ..duties import Duty
from ..errors import CatalogError, Problem
from ..findings import Kind
from ..forms import blank, fill, read
from ..forms.printed import from_printed, to_printed
from ..forms.record import Record
from ..forms.schema import from_json, json_schema, to_json
from ..forms.spec import Form, Rule
from ..provenance import Citation, Document
from .examples import example_record

_BRACES = re.compile(r"\{([^{}]*)\}")
_DATED = ("once", "recurring", "window", "quota")

Complaints = Iterator[tuple[str, str]]
"""What is wrong with one thing, and what to do."""


@dataclass(frozen=True, slots=True)
class Check:
    """One aspect of a plugin: of how many things, and what is wrong with them. `count` is None where it was not run."""

    slug: str
    title: str
    count: int | None
    problems: tuple[Problem, ...] = ()

    @property
    def state(self) -> Literal["ok", "wrong", "nothing", "not-run"]:
        """How it ended; `nothing` where the plugin has no such thing."""
        if self.problems:
            return "wrong"
        return "not-run" if self.count is None else "ok" if self.count else "nothing"


@dataclass(frozen=True, slots=True)
class Thing:
    """Something that a plugin declares, under the name that leads to its file and line."""

    noun: str
    name: str
    value: Any


@dataclass(frozen=True, slots=True)
class Aspect:
    """What is asked of things of one sort."""

    slug: str
    title: str
    things: Callable[[Content], Iterable[Thing]]
    judge: Callable[[Any, Catalog], Complaints]

    def check(self, content: Content, catalog: Catalog) -> Check:
        """Ask it of everything in a plugin; an error that nobody foresaw is a problem, too."""
        things = list(self.things(content))
        problems = [
            content.problem(t.noun, t.name, f"“{t.name}”{text}", remedy)
            for t in things
            for text, remedy in _safely(self.judge, t.value, catalog)
        ]
        return Check(self.slug, self.title, len(things), tuple(problems))


def _safely(judge: Callable[[Any, Catalog], Complaints], value: Any, catalog: Catalog) -> list[tuple[str, str]]:
    try:
        return list(judge(value, catalog))
    except Exception as error:
        return [(f"不能核对：{type(error).__name__}：{error}", "请改正这一处的写法")]


# --- the things --------------------------------------------------------------------------------------------------


def _documents(content: Content) -> Iterator[Thing]:
    return (Thing("documents", d.id, d) for d in content.documents)


def _cited(content: Content) -> Iterator[Thing]:
    for campaign in content.campaigns:
        yield Thing("campaigns", campaign.id, campaign.source)
        declared: Iterable[Any] = chain(
            campaign.phases, campaign.duties, campaign.tasks, campaign.targets, campaign.routes, campaign.gates,
            campaign.watches,
        )  # fmt: skip
        for thing in declared:
            yield Thing("campaigns", f"{campaign.id}/{thing.id}", thing.source)
            for condition in getattr(thing, "conditions", ()):
                yield Thing("campaigns", f"{campaign.id}/{thing.id}/{condition.id}", condition.source)


def _duties(content: Content) -> Iterator[Thing]:
    return (Thing("campaigns", f"{c.id}/{d.id}", (c, d)) for c in content.campaigns for d in c.duties)


def _kinds(content: Content) -> Iterator[Thing]:
    return (Thing("findings", k.slug, k) for k in content.kinds)


def _checklists(content: Content) -> Iterator[Thing]:
    return (Thing("checklists", c.id, c) for c in content.checklists)


def _rules(content: Content) -> Iterator[Thing]:
    return (Thing("forms", f"{f.id}/{r.id}", (f, r)) for f in content.forms for r in f.rules)


def _forms(content: Content) -> Iterator[Thing]:
    return (Thing("forms", f.id, f) for f in (*content.forms, *(c.form for c in content.checklists)))


# --- what is asked of them ---------------------------------------------------------------------------------------


def _is_dated(document: Document, _: Catalog) -> Complaints:
    if document.issued is None and not document.note:
        yield "没有印发日期，也没有说明", "请写 issued，或在 note 中写明缘由"


def _cites(source: Citation, _: Catalog) -> Complaints:
    if not source.quote and not source.reading:
        yield "的依据既没有引文也没有解读", "请在 source 中写 quote（原文）或 reading（我们的理解）"


def _has_days(owed: tuple[Campaign, Duty], catalog: Catalog) -> Complaints:
    campaign, duty = owed
    periods = [o.period for o in duty.occurrences(catalog.calendar)]
    if not periods and getattr(duty, "kind", "") in _DATED:
        yield "没有任何一期", "请核对起止日期"
    outside = [p.isoformat() for p in periods if not campaign.first <= p <= campaign.last]
    if outside:
        yield f"有{len(outside)}期不在专项行动期间：{'、'.join(outside[:3])}", "请核对职责或专项行动的起止日期"


def _says_what_to_do(kind: Kind, _: Catalog) -> Complaints:
    if not kind.remedy.strip():
        yield "没有写怎么改", "请写 remedy"


def _has_polarity(checklist: Checklist, _: Catalog) -> Complaints:
    answers = [c for c in checklist.columns if c.type == "answer"]
    if checklist.judged and len(answers) != 1:
        yield f"有{len(answers)}个回答栏（type: answer）", "请只留一个；不回答是、否的，请写 judged: false"
    for group in checklist.groups:
        if not group.items and not group.note:
            yield f"的“{group.title}”没有检查项", "请补上检查项，或在 note 中写明缘由"
        for item in group.items:
            if item.bad == "unclear" and not item.note and not item.several:
                yield f"的{item.id}分不清哪种回答是问题", "请写 bad: yes 或 no，或在 note 中写明缘由"


def _says_known_names(declared: tuple[Form, Rule], _: Catalog) -> Complaints:
    form, rule = declared
    known = form.rule_names() | {"campaign.first", "campaign.last", "label", *rule.let}
    known |= {name for names in form.groups(rule.over).values() for name in names}
    for name in _BRACES.findall(rule.say or ""):
        if name not in known:
            yield f"的句子里的“{{{name}}}”不是已知的栏目", "请核对栏目的id"


def _has_own_title(form: Form, catalog: Catalog) -> Complaints:
    for other in catalog.forms.values():
        if other.ref != form.ref and other.title == form.title:
            yield f"与{other.ref}的标题相同：《{form.title}》", "请写出不同的标题；有人照着重打一份，就分不清是哪一张"


def _has_schema(form: Form, _: Catalog) -> Complaints:
    if not json_schema(form).get("properties"):
        yield "的JSON Schema是空的", "请核对表的栏目"


def _same_as_json(form: Form, _: Catalog) -> Complaints:
    record = example_record(form)
    yield from _unchanged(record, from_json(to_json(record), form), "JSON")


def _same_as_printed(form: Form, _: Catalog) -> Complaints:
    record = example_record(form)
    yield from _unchanged(record, from_printed(to_printed(record), form), "纸面视图")


def _same_as_xlsx(form: Form, catalog: Catalog) -> Complaints:
    return _same_as_file(form, catalog, ".xlsx")


def _same_as_docx(form: Form, catalog: Catalog) -> Complaints:
    return _same_as_file(form, catalog, ".docx")


def _same_as_file(form: Form, catalog: Catalog, suffix: str) -> Complaints:
    record = example_record(form)
    with tempfile.TemporaryDirectory() as folder:
        filled = read(fill(record, Path(folder) / f"filled{suffix}"), catalog)
        empty = read(blank(form, Path(folder) / f"blank{suffix}"), catalog)
    said = "；".join(f.message for f in (*filled.findings, *empty.findings) if not f.is_remark)
    if filled.record is None or filled.form is not form or empty.form is not form:
        yield f"写成{suffix}后认不出来：{said}", "请核对标题、列名，与别的表有所区别"
    else:
        yield from _unchanged(record, filled.record, suffix, said)


def _unchanged(record: Record, other: Record, name: str, said: str = "") -> Complaints:
    if not record.same_content(other):
        yield f"经{name}往返后不相同{'：' if said else ''}{said}", "请核对栏目的类型和印好的句子"


ASPECTS: Sequence[Aspect] = (
    Aspect("documents", "每份文件有印发日期，没有的写明缘由", _documents, _is_dated),
    Aspect("citations", "每一项都引了原文，或写明是解读", _cited, _cites),
    Aspect("dates", "每项职责都有日期，都在专项行动期间", _duties, _has_days),
    Aspect("kinds", "自定的发现种类写明怎么改", _kinds, _says_what_to_do),
    Aspect("polarity", "检查表分得清哪种回答是问题", _checklists, _has_polarity),
    Aspect("messages", "规则的句子只用已知的栏目", _rules, _says_known_names),
    Aspect("titles", "每张表的标题与别的表不同", _forms, _has_own_title),
    Aspect("schema", "每张表有JSON Schema", _forms, _has_schema),
    Aspect("json", "写成JSON，读回不变", _forms, _same_as_json),
    Aspect("printed", "写成纸面视图，读回不变", _forms, _same_as_printed),
    Aspect("xlsx", "写成Excel，认得出来，读回不变", _forms, _same_as_xlsx),
    Aspect("docx", "写成Word，认得出来，读回不变", _forms, _same_as_docx),
)
"""Everything that is asked of a plugin that could be loaded, in the order in which it is told."""
LOADS = ("loads", "内容能载入：键、日期、编号不错，引用的名称都有登记")


def examine(plugin: object, *needs: object) -> list[Check]:
    """Load a plugin with those it needs, and look at every aspect; where it cannot be loaded, nothing else is run."""
    name = getattr(plugin, "__name__", "") or getattr(plugin, "plugin", "")
    try:
        catalog = load_catalog([plugin, *needs])
        content = plugin if isinstance(plugin, Content) else _content_of(plugin, catalog)
    except CatalogError as error:
        return unloaded(error.problems)
    except Exception as error:
        return unloaded([problem_of(error, name, name)])
    things = sum(len(getattr(content, n)) for n in ("documents", "units", "campaigns", "forms", "checklists"))
    return [Check(*LOADS, things), *(aspect.check(content, catalog) for aspect in ASPECTS)]


def unloaded(problems: Sequence[Problem]) -> list[Check]:
    return [Check(*LOADS, None, tuple(problems)), *(Check(a.slug, a.title, None) for a in ASPECTS)]


def _content_of(plugin: Any, catalog: Catalog) -> Content:
    declared = plugin.gmsafety_content()
    return next(c for c in catalog.contents if c.plugin == declared.plugin)


def problem_of(error: BaseException, plugin: str, package: str = "") -> Problem:
    """Say in words what went wrong in the Python of a plugin: at the last line of its own, if there is one."""
    own = [f for f in traceback.extract_tb(error.__traceback__) if package and package in Path(f.filename).parts]
    file, line = (Path(own[-1].filename).name, own[-1].lineno or 1) if own else ("__init__.py", 1)
    if isinstance(error, SyntaxError) and error.filename:
        file, line = Path(error.filename).name, error.lineno or 1
    return Problem(plugin, file, line, f"Python代码出错：{type(error).__name__}：{error}", "请改正这一行")
