"""Do the plugins fit together? Every dangling name, double id, unknown field and lax child, with file and line."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any, Protocol

from .addresschecks import addresses_of_campaign
from .calendar import WorkCalendar
from .campaigns import Campaign
from .codes import AreaTable
from .content import Content
from .entities import Units
from .errors import CatalogError, Problem, UnknownName
from .findings import Kind
from .forms.spec import Form, Rule
from .forms.versions import Versions
from .kinds import KINDS
from .provenance import Actor, Citation, Document
from .rulechecks import rules_of_campaign
from .rules import compile_expression, nest
from .versionchecks import versions_of


class Shelf(Protocol):
    """What the checks need of a catalog."""

    @property
    def contents(self) -> tuple[Content, ...]: ...
    @property
    def areas(self) -> AreaTable: ...
    @property
    def units(self) -> Units: ...
    @property
    def documents(self) -> Mapping[str, Document]: ...
    @property
    def campaigns(self) -> Mapping[str, Campaign]: ...
    @property
    def forms(self) -> Mapping[str, Form]: ...
    @property
    def versions(self) -> Mapping[str, Versions]: ...
    @property
    def actors(self) -> Mapping[str, Actor]: ...
    @property
    def kinds(self) -> Mapping[str, Kind]: ...
    @property
    def calendar(self) -> WorkCalendar: ...

    def form(self, name: str) -> Form:
        """Return a form by name."""


def once(contents: Iterable[Content]) -> None:
    """Refuse a plugin name, an id or a finding code that is declared twice."""
    problems: list[Problem] = []
    plugins: set[str] = set()
    codes: dict[str, str] = {k.code: "gmsafety" for k in KINDS.values()}
    slugs: dict[str, str] = dict.fromkeys(KINDS, "gmsafety")
    actors: dict[str, tuple[str, str]] = {}
    for content in contents:
        problems += _actor_otherwise(content, actors)
        if content.plugin in plugins:
            problems.append(Problem(content.plugin, "__init__.py", 1, "有两个插件用了这个名称", "请改其中一个的名称"))
        plugins.add(content.plugin)
        problems += _twice_inside(content)
        for kind in content.kinds:
            problems += _kind_twice(content, kind, codes, slugs)
    if problems:
        raise CatalogError(problems)


def _actor_otherwise(content: Content, actors: dict[str, tuple[str, str]]) -> Iterator[Problem]:
    """Several regions may name the same kind of body (企业), but then they call it the same."""
    for actor in content.actors:
        title, plugin = actors.setdefault(actor.id, (actor.title, content.plugin))
        if title != actor.title:
            text = f"“{actor.id}”在{plugin}中叫“{title}”，这里叫“{actor.title}”"
            yield content.problem("actors", actor.id, text, "请用同一个名称，或换一个id")


def _kind_twice(content: Content, kind: Kind, codes: dict[str, str], slugs: dict[str, str]) -> Iterator[Problem]:
    for known, name in ((codes, kind.code), (slugs, kind.slug)):
        if name in known:
            yield content.problem("findings", kind.slug, f"{name}已由{known[name]}使用", "请换一个")
        known[name] = content.plugin


def _twice_inside(content: Content) -> Iterator[Problem]:
    for noun in ("documents", "units", "campaigns", "actors", "forms", "checklists", "layouts"):
        ids = [_name(v) for v in getattr(content, noun)]
        for name in sorted({i for i in ids if ids.count(i) > 1}):
            yield content.problem(noun, name, f"{noun}中的“{name}”写了两次", "请改其中一个的id")


def _name(value: Any) -> str:
    """What a thing is told apart by: a form also by its version, a region's layout by its form."""
    return f"{value.id}@{value.version}" if isinstance(value, Form) else str(getattr(value, "id", "") or value.of)


def together(catalog: Shelf) -> tuple[list[Problem], list[str]]:
    """Check what only all plugins together can tell; return problems, and notes that are no obstacle."""
    problems: list[Problem] = []
    notes: list[str] = []
    for content in catalog.contents:
        problems += _units(content, catalog)
        problems += versions_of(content, catalog)
        for form in content.forms:
            problems += _form(content, form, catalog)
        for checklist in content.checklists:
            problems += _form(content, checklist.form, catalog)
        for campaign in content.campaigns:
            problems += _campaign(content, campaign, catalog)
            problems += rules_of_campaign(content, campaign, catalog)
            if campaign.parent and campaign.parent in catalog.campaigns:
                found, remarks = _stricter(content, campaign, catalog.campaigns[campaign.parent], catalog)
                problems += found
                notes += remarks
    return problems, notes


def _units(content: Content, catalog: Shelf) -> Iterator[Problem]:
    for unit in content.units:
        if unit.area not in catalog.areas:
            yield content.problem("units", unit.id, f"单位“{unit.name}”的行政区划{unit.area}不存在", "请核对代码")
        if unit.parent and unit.parent not in catalog.units:
            yield content.problem(
                "units", unit.id, f"单位“{unit.name}”的上级{unit.parent}没有登记", "请写全名（插件.id），或启用该插件"
            )


def _cites(content: Content, noun: str, name: str, citation: Citation | None, catalog: Shelf) -> Iterator[Problem]:
    if citation is None or citation.document is None:
        return
    if citation.document not in catalog.documents and f"{content.plugin}.{citation.document}" not in catalog.documents:
        yield content.problem(noun, name, f"依据的文件“{citation.document}”没有登记", "请在 documents 中登记")


def _form(content: Content, form: Form, catalog: Shelf) -> Iterator[Problem]:
    name = f"{form.id}@{form.version}"
    if form.campaign and form.campaign not in catalog.campaigns:
        yield content.problem("forms", name, f"专项行动“{form.campaign}”没有登记", "请写全名（插件.id）")
    if form.source.document is None:
        yield content.problem("forms", name, f"表“{form.title}”没有写明依据的文件", "请在 source 中写 document")
    yield from _cites(content, "forms", name, form.source, catalog)
    for rule in form.rules:
        yield from _cites(content, "forms", name, rule.source, catalog)
        yield from _rule(content, form, rule, catalog)
    paths = list(form.blanks) if form.clauses else [c.id for c in form.columns]
    for step_name, step in form.rollup.items():
        for pattern in (*step.sum, *step.own, *step.list):
            if not any(fnmatchcase(p, pattern) for p in paths):
                yield content.problem("forms", name, f"汇总“{step_name}”的“{pattern}”不对应任何栏目", "请核对栏目的id")
        for path, blank in form.blanks.items():
            named = (*step.sum, *step.own, *step.list)
            if blank.kind.numeric and not any(fnmatchcase(path, p) for p in named):
                yield content.problem(
                    "forms", name, f"汇总“{step_name}”没有写“{path}”如何汇总", "请写入 sum、own 或 list"
                )
    yield from _layout(content, form, catalog)
    for pattern in (*form.not_cumulative, *form.key):
        if not any(fnmatchcase(p, pattern) for p in paths):
            yield content.problem("forms", name, f"“{pattern}”不对应任何栏目", "请核对栏目的id")


def _layout(content: Content, form: Form, catalog: Shelf) -> Iterator[Problem]:
    widths, columns = len(form.layout.widths), len(form.columns)
    if widths and widths != columns:
        yield content.problem("forms", form.id, f"layout.widths 有{widths}个宽度，表有{columns}栏", "请逐栏写宽度")
    printed = form.printed_id or form.id
    for other in catalog.forms.values():
        if other is not form and (other.printed_id or other.id) == printed and other.plugin != form.plugin:
            yield content.problem("forms", form.id, f"printed_id“{printed}”已由{other.ref}使用", "请换一个")


def _trial(rule: Rule, form: Form) -> str:
    """Try a rule that only uses numbers; say what is wrong with it."""
    group = next(iter(form.groups(rule.over).values()), {})
    paths = {**{p: p for p in form.blanks}, **group}
    values: dict[str, object] = {n: 1 for n, p in paths.items() if form.blanks[p].kind.numeric}
    values |= {c.id: 1 for c in form.columns if form.is_grid and c.kind.numeric}
    try:
        for name, source in (*rule.let.items(), ("", rule.check)):
            expression = compile_expression(source)
            if not expression.operands or not all(o in values for o in expression.operands):
                return ""
            values[name] = expression.value(nest({o: values[o] for o in expression.operands}))
    except ArithmeticError:
        return ""
    except ValueError as error:
        return str(error)
    return "" if isinstance(values[""], bool) else f"“{rule.check}”的结果不是真假，而是一个值"


def _rule(content: Content, form: Form, rule: Rule, catalog: Shelf) -> Iterator[Problem]:
    def wrong(text: str, remedy: str = "请改正规则") -> Problem:
        return content.problem("forms", f"{form.id}@{form.version}/{rule.id}", f"规则“{rule.id}”：{text}", remedy)

    if rule.kind not in catalog.kinds:
        yield wrong(f"没有发现种类“{rule.kind}”", "请在 findings 中登记，或改用已有的")
    other = None
    if rule.with_:
        try:
            other = catalog.form(rule.with_ if "." in rule.with_ else f"{content.plugin}.{rule.with_}")
        except UnknownName as error:
            yield wrong(str(error))
            return
    try:
        expressions = [compile_expression(s) for s in (*rule.let.values(), rule.check)]
    except ValueError as error:
        yield wrong(f"表达式有误：{error}")
        return
    known = _known_names(form, rule, other)
    for expression in expressions:
        for operand in expression.operands:
            if operand not in known and operand not in rule.let:
                yield wrong(f"没有栏目“{operand}”", "请核对栏目的id")
        for name, fields in expression.row_fields.items():
            columns = other.rule_names() if other and name == "ledger" else form.rule_names()
            for field in sorted(fields - columns):
                yield wrong(f"“{name}”没有栏目“{field}”", "请核对栏目的id")
    if expressions and rule.with_ is None and (trouble := _trial(rule, form)):
        yield wrong(trouble)
    if rule.at and rule.at not in form.rule_names() and rule.at not in {c.id for c in form.clauses}:
        yield wrong(f"没有栏目“{rule.at}”", "请核对 at")


def _known_names(form: Form, rule: Rule, other: Form | None) -> set[str]:
    names = form.rule_names() | {"campaign.first", "campaign.last"}
    if other:
        names |= {"ledger"} if other.is_grid else {f"table.{n}" for n in other.rule_names()}
    if rule.over:
        groups = form.groups(rule.over)
        names |= set.intersection(*(set(g) for g in groups.values())) if groups else set()
    return names


def _campaign(content: Content, campaign: Campaign, catalog: Shelf) -> Iterator[Problem]:
    def wrong(text: str, remedy: str) -> Problem:
        return content.problem("campaigns", campaign.id, f"专项行动“{campaign.id}”：{text}", remedy)

    document = campaign.document if "." in campaign.document else f"{content.plugin}.{campaign.document}"
    if document not in catalog.documents:
        yield wrong(f"依据的文件“{campaign.document}”没有登记", "请在 documents 中登记")
    if campaign.area not in catalog.areas:
        yield wrong(f"行政区划{campaign.area}不存在", "请核对代码")
    if campaign.parent and campaign.parent not in catalog.campaigns:
        yield wrong(f"上级专项行动“{campaign.parent}”没有登记", "请写全名（插件.id），或启用该插件")
    roles = {u.role for u in catalog.units.values()} | {*catalog.actors}
    for duty in campaign.duties:
        for name in duty.file:
            if name not in catalog.forms:
                text = f"“{duty.title}”要报的表“{name}”没有登记"
                yield content.problem("campaigns", f"{campaign.id}/{duty.id}", text, "请写全名（插件.id）")
        for role in (*duty.from_, *duty.to):
            if role not in roles:
                text = f"“{duty.title}”的“{role}”不是任何单位的角色"
                yield content.problem("campaigns", f"{campaign.id}/{duty.id}", text, "请核对 from、to，或登记这类单位")
        yield from _cites(content, "campaigns", campaign.id, duty.source, catalog)
    yield from addresses_of_campaign(content, campaign, catalog)


def _stricter(content: Content, child: Campaign, parent: Campaign, catalog: Shelf) -> tuple[list[Problem], list[str]]:
    """A child may only be stricter: for the same form, each period of the parent has one of the child, not later."""
    problems, notes = [], []
    key = child.document if "." in child.document else f"{content.plugin}.{child.document}"
    issued = catalog.documents[key].issued if key in catalog.documents else None
    for duty in parent.duties:
        for form in duty.file:
            mine = [o for d in child.duties if form in d.file for o in d.occurrences(catalog.calendar)]
            for theirs in duty.occurrences(catalog.calendar) if mine else ():
                first, _ = theirs.window
                if any(first <= o.period and o.due <= theirs.due and o.period <= theirs.period for o in mine):
                    continue
                if issued and theirs.period < issued:
                    notes.append(
                        f"{child.ref}：{form} 的 {theirs.period} 一期早于文件印发日 {issued}，下级没有对应的期次"
                    )
                else:
                    text = f"“{form}”{theirs.period}一期比上级宽（上级截止{theirs.due:%m-%d %H:%M}）"
                    problem = content.problem("campaigns", child.id, text, "下级的截止时间不得晚于上级")
                    problems.append(replace(problem, slug="laxer"))
    return problems, notes
