"""All plugins, read once, frozen and cross-checked; what does not fit stops the start and says where."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import TypeVar

import pluggy

from . import crosschecks, hookspecs
from .addressing import Addressing
from .calendar import WorkCalendar
from .campaigns import Campaign
from .checklists import Checklist
from .codes import Area, AreaTable
from .content import Content
from .duties import Duty, Occurrence
from .entities import ROLES, Unit, Units
from .errors import CatalogError, ContentError, Problem, UnknownName
from .findings import Kind
from .forms.record import Record
from .forms.spec import Form, RegionLayout
from .forms.versions import Carried, Versions
from .kinds import KINDS
from .provenance import Actor, Document
from .rollups import Rollup

ENTRY_POINTS = "gmsafety"
_T = TypeVar("_T")


@dataclass(frozen=True)
class Catalog:
    """Everything the plugins declare. Names are full (`shanxi.weekly-dispatch`) or short where unique."""

    contents: tuple[Content, ...]
    areas: AreaTable
    units: Units
    documents: Mapping[str, Document]
    campaigns: Mapping[str, Campaign]
    forms: Mapping[str, Form]
    versions: Mapping[str, Versions]
    checklists: Mapping[str, Checklist]
    actors: Mapping[str, Actor]
    kinds: Mapping[str, Kind]
    calendar: WorkCalendar
    notes: tuple[str, ...] = ()

    def form(self, name: str, *, on: date | None = None) -> Form:
        """Return a form by full or short name; UnknownName otherwise.

        Of several versions it is the newest published one, the one asked for `on` a day, or that named after an @.
        """
        ref, _, version = name.partition("@")
        if not version and on is None and (ref in self.forms or "." not in ref):
            return _one("表", name, self.forms)
        versions = _one("表", ref, self.versions)
        form = versions.get(version) if version else versions.on(on) if on else versions.current
        if form is None:
            raise UnknownName("表", name, [f.edition for f in versions.forms])
        return form

    @cached_property
    def readable(self) -> tuple[Form, ...]:
        """The forms that a file may be: of each the newest version first, drafts not."""
        return tuple(f for v in self.versions.values() for f in reversed(v.forms) if f.status != "draft")

    def printed_in(self, form: Form, unit: Unit | None) -> Form:
        """The form in the layout of a unit's region: the nearest, on its way up, that prints the form in its own."""
        chain = [unit, *self.units.ancestors(unit)] if unit else []
        for plugin in dict.fromkeys(u.plugin for u in chain):
            for layout in self._layouts.get(plugin, ()):
                if layout.of == form.ref:
                    return form.model_copy(update={"layout": layout.over(form.layout)})
        return form

    def printed(self, record: Record) -> Record:
        """A record in the layout of the region of the unit that it names."""
        unit = self.units.named(str(record.header.get("unit") or ""))
        form = self.printed_in(record.form, unit)
        return record if form is record.form else replace(record, form=form)

    @cached_property
    def _layouts(self) -> dict[str, tuple[RegionLayout, ...]]:
        return {c.plugin: c.layouts for c in self.contents if c.layouts}

    def carry(self, record: Record, to: Form) -> Carried:
        """Carry a record over to another version of its form; the same record where there is nothing to do."""
        return self.versions[to.ref].carry(record, to) if record.form.ref == to.ref else Carried(record)

    def checklist(self, name: str) -> Checklist:
        """Return a checklist by full or short name; UnknownName otherwise. It is among the forms, too."""
        return _one("检查表", name, self.checklists)

    def campaign(self, name: str) -> Campaign:
        """Return a campaign by full or short name; UnknownName otherwise."""
        return _one("专项行动", name, self.campaigns)

    def unit(self, name: str) -> Unit:
        """Return a unit by id, name, alias, or the area code it alone files for; UnknownName otherwise."""
        return self.units.get_one(name)

    def role_title(self, role: str) -> str:
        """What a role of a duty, task or route is called: as a region calls it, else as usual."""
        actor = self.actors.get(role)
        return actor.title if actor else ROLES.get(role, role)

    def window(self, form: Form) -> tuple[date | None, date | None]:
        """Return first and last day of the form's campaign, or None twice."""
        campaign = self.campaigns.get(form.campaign or "")
        return (campaign.first, campaign.last) if campaign else (None, None)

    def rollup(self, form: str | Form) -> Rollup:
        """Return the roll-up of a form, in the version that is given, or the newest."""
        return Rollup(self.form(form) if isinstance(form, str) else form, self.units, self.kinds, self.carry)

    def duties(
        self,
        *,
        campaign: str | None = None,
        unit: str | None = None,
        between: tuple[date | str, date | str] | None = None,
    ) -> list[Occurrence]:
        """Return what is due, in order of time: of one campaign or all, for one unit or all, within days included."""
        who = self.unit(unit) if unit else None
        chosen = [self.campaign(campaign)] if campaign else list(self.campaigns.values())
        first, last = (date.fromisoformat(d) if isinstance(d, str) else d for d in between or (date.min, date.max))
        found = [
            replace(occurrence, campaign=c.ref)
            for c in chosen
            for duty in c.duties
            if who is None or self.owes(who, duty, c)
            for occurrence in duty.occurrences(self.calendar)
            if first <= occurrence.period <= last
        ]
        return sorted(found, key=lambda o: (o.due, o.duty.id))

    def owes(self, unit: Unit, duty: Duty, campaign: Campaign) -> bool:
        """Tell whether a unit owes a duty of a campaign: by its role or the side of a pair, in the campaign's area."""
        inside = campaign.area in (unit.area, *(a.code for a in self.areas.ancestors(unit.area)))
        return inside and (unit.role in duty.from_ or not self.addressing(campaign).roles(unit).isdisjoint(duty.from_))

    def addressing(self, campaign: Campaign) -> Addressing:
        """The roles of units in a campaign, and to whom its duties go."""
        return self._addressing[campaign.ref]

    @cached_property
    def _addressing(self) -> dict[str, Addressing]:
        return {c.ref: Addressing.of(c, self.units, self.forms) for c in self.campaigns.values()}

    @cached_property
    def _duties_of_forms(self) -> dict[str, list[tuple[Campaign, Duty]]]:
        found: dict[str, list[tuple[Campaign, Duty]]] = {}
        for campaign in self.campaigns.values():
            for duty in campaign.duties:
                for name in duty.file:
                    found.setdefault(self.form(name).ref, []).append((campaign, duty))
        return found

    def period(self, form: Form, unit: Unit | None, day: date) -> Occurrence | None:
        """Find the period of a form that a day belongs to, for a unit where it owes the form."""
        for campaign, duty in self._duties_of_forms.get(form.ref, []):
            if unit is not None and not self.owes(unit, duty, campaign):
                continue
            for occurrence in duty.occurrences(self.calendar):
                first, last = occurrence.window
                if first <= day <= last:
                    return replace(occurrence, campaign=campaign.ref)
        return None

    def periods(self, form: Form, unit: Unit) -> list[date]:
        """Every day that names a period of a form for a unit: it owes the form itself, or those below it do."""
        units = [unit, *self.units.children(unit)]
        owed = self._duties_of_forms.get(form.ref, [])
        duties = [duty for campaign, duty in owed if any(self.owes(u, duty, campaign) for u in units)]
        return sorted({o.period for duty in duties for o in duty.occurrences(self.calendar)})


def _one(noun: str, name: str, known: Mapping[str, _T]) -> _T:
    if name in known:
        return known[name]
    found = [ref for ref in known if ref.partition(".")[2] == name]
    if len(found) != 1:
        raise UnknownName(noun, name, known)
    return known[found[0]]


def installed_plugins() -> dict[str, str]:
    """Name every installed plugin and the module it lives in."""
    return {e.name: e.value for e in sorted(entry_points(group=ENTRY_POINTS), key=lambda e: e.name)}


def load_catalog(plugins: Iterable[object] | None = None, *, calendar: WorkCalendar | None = None) -> Catalog:
    """Load every installed plugin, or those given (modules, names of installed ones, or `Content` values).

    CatalogError lists every problem with plugin, file and line; then nothing is loaded.
    """
    contents, problems, fine = [], list[Problem](), list[str]()
    for name, source in _sources(plugins):
        try:
            content = source if isinstance(source, Content) else _ask(name, source)
            contents.append(content)
            fine.append(content.plugin)
        except ContentError as error:
            problems += error.problems
    if problems:
        raise CatalogError(problems, fine)
    return _assemble(sorted(contents, key=lambda c: c.plugin), calendar or WorkCalendar())


def _sources(plugins: Iterable[object] | None) -> Iterator[tuple[str, object]]:
    known = {e.name: e for e in entry_points(group=ENTRY_POINTS)}
    for plugin in sorted(known) if plugins is None else plugins:
        if isinstance(plugin, str):
            if plugin not in known:
                raise UnknownName("插件", plugin, sorted(known))
            yield plugin, known[plugin].load()
        else:
            yield getattr(plugin, "__name__", type(plugin).__name__), plugin


def _ask(name: str, module: object) -> Content:
    """Ask one plugin through the hook; a misspelt hook or argument is refused."""
    manager = pluggy.PluginManager("gmsafety")
    manager.add_hookspecs(hookspecs)
    try:
        manager.register(module, name)
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        raise ContentError([Problem(name, "__init__.py", 1, str(error), "请核对钩子的名称和参数")]) from error
    answers = manager.hook.gmsafety_content()
    if len(answers) != 1 or not isinstance(answers[0], Content):
        raise ContentError([Problem(name, "__init__.py", 1, "没有给出内容", "请实现 gmsafety_content 并返回 Content")])
    return answers[0]


def _assemble(contents: list[Content], calendar: WorkCalendar) -> Catalog:
    areas = AreaTable.national()
    extra = [a for c in contents for a in c.areas]
    areas = areas.with_areas(extra) if extra else areas
    crosschecks.once(contents)
    versions = _versions(f for c in contents for f in (*c.forms, *(k.form for k in c.checklists)))
    catalog = Catalog(
        contents=tuple(contents),
        areas=areas,
        units=Units((u for c in contents for u in c.units), areas),
        documents=MappingProxyType({f"{c.plugin}.{d.id}": d for c in contents for d in c.documents}),
        campaigns=MappingProxyType({x.ref: x for c in contents for x in c.campaigns}),
        forms=MappingProxyType({ref: v.current for ref, v in versions.items() if v.current}),
        versions=MappingProxyType(versions),
        checklists=MappingProxyType({k.ref: k for c in contents for k in c.checklists}),
        actors=MappingProxyType({a.id: a for c in contents for a in c.actors}),
        kinds=MappingProxyType({**KINDS, **{k.slug: k for c in contents for k in c.kinds}}),
        calendar=calendar,
    )
    problems, notes = crosschecks.together(catalog)
    if problems:
        bad = {p.plugin for p in problems}
        raise CatalogError(problems, [c.plugin for c in contents if c.plugin not in bad])
    object.__setattr__(catalog, "notes", tuple(notes))
    return catalog


def _versions(forms: Iterable[Form]) -> dict[str, Versions]:
    found: dict[str, list[Form]] = {}
    for form in forms:
        found.setdefault(form.ref, []).append(form)
    return {ref: Versions.of(versions) for ref, versions in found.items()}


__all__ = ["Area", "Catalog", "installed_plugins", "load_catalog"]
