"""What of newer definitions asks less than those in force: every loosening by itself, in plain words.

What cannot be told to be as strict (a condition that reads otherwise) counts as looser.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..calendar import WorkCalendar
from ..checklists import Checklist, Item
from ..content import Content
from ..entities import Unit
from ..findings import Kind
from ..forms.spec import Form, Rule
from ..forms.specdiff import SpecChange, compare_specs
from ..forms.versions import Versions
from ..kinds import KINDS
from .duties import looser_campaign

_SEVERITIES = ("info", "warning", "error")


@dataclass(frozen=True, slots=True)
class Loosening:
    """One thing that is asked less strictly than before: of what, and how."""

    where: str
    text: str

    def __str__(self) -> str:
        return f"{self.where}：{self.text}"


def loosenings(before: Content, after: Content, calendar: WorkCalendar | None = None) -> tuple[Loosening, ...]:
    """Compare two contents of one region; nothing where the newer one asks at least as much."""
    told = (
        *_forms(before, after),
        *_checklists(before.checklists, after.checklists),
        *_campaigns(before, after, calendar or WorkCalendar()),
        *_kinds(before.kinds, after.kinds),
        *_units(before.units, after.units),
    )
    return tuple(Loosening(*said) for said in dict.fromkeys(told))


Said = tuple[str, str]


def _forms(before: Content, after: Content) -> Iterator[Said]:
    was, now = _versions(before.forms), _versions(after.forms)
    weights = [{k.slug: k.severity.value for k in (*KINDS.values(), *c.kinds)} for c in (before, after)]
    for name, versions in was.items():
        if name not in now:
            yield f"《{versions.forms[-1].title}》", "不再有这张表"
            continue
        for form in versions.published:
            same = now[name].get(form.version)
            if same is None:
                yield _title(form), "不再有这一版"
            else:
                yield from _looser_form(form, same, *weights)
        current, newest = versions.current, now[name].current
        if current is not None and newest is not None and versions.get(newest.version) is None:
            yield from _looser_form(current, newest, *weights)


def _versions(forms: Iterable[Form]) -> dict[str, Versions]:
    found: dict[str, list[Form]] = {}
    for form in forms:
        found.setdefault(form.id, []).append(form)
    return {name: Versions.of(versions) for name, versions in found.items()}


def _looser_form(was: Form, now: Form, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Said]:
    rules = {r.id: r for r in was.rules}
    heavy = {r.id for r in now.rules if r.id in rules and _weight(r, after) >= _weight(rules[r.id], before)}
    for change in compare_specs(was, now):
        if change.about == "rule" and change.text.startswith("轻重") and change.path in heavy:
            continue
        # a version that follows comes into use on a day of its own, and ends the one before it
        if change.looser and not (was.version != now.version and change.path in ("closes", "status")):
            yield _title(now), f"{change.where}　{change.text}{_gist(change, rules)}"


def _gist(change: SpecChange, rules: Mapping[str, Rule]) -> str:
    """What a rule that is gone would have said: its id alone tells little."""
    rule = rules.get(change.path) if change.about == "rule" and change.text == "删去" else None
    return f"（{rule.say or rule.check}）" if rule is not None else ""


def _weight(rule: Rule, kinds: Mapping[str, str]) -> int:
    """How much a finding of a rule weighs: as it says itself, or as its kind does."""
    return _SEVERITIES.index(rule.severity or kinds.get(rule.kind, "error"))


def _title(form: Form) -> str:
    return f"《{form.title}》{form.version}版"


def _checklists(before: Iterable[Checklist], after: Iterable[Checklist]) -> Iterator[Said]:
    known = {c.id: c for c in after}
    for was in before:
        now, where = known.get(was.id), f"检查表《{was.title}》"
        if now is None:
            yield where, "不再有这份检查表"
            continue
        if was.judged and not now.judged:
            yield where, "不再按是、否判定"
        items = {i.id: i for i in now.items}
        for item in was.items:
            for text in _looser_item(item, items.get(item.id)):
                yield where, f"{item.id}　{text}"


def _looser_item(was: Item, now: Item | None) -> Iterator[str]:
    if now is None:
        yield "不再检查"
        return
    if was.ask != now.ask:
        yield f"问的由“{was.ask}”改为“{now.ask}”，不能判定是否一样严"
    if was.bad != now.bad:
        yield f"算作问题的回答由{was.bad}改为{now.bad}"
    if was.proof and was.proof != now.proof:
        yield f"印证资料由“{was.proof}”改为“{now.proof or '（无）'}”"
    if gone := [b for b in was.basis if b not in now.basis]:
        yield f"不再依据{'、'.join(gone)}"


def _campaigns(before: Content, after: Content, calendar: WorkCalendar) -> Iterator[Said]:
    known = {c.id: c for c in after.campaigns}
    for was in before.campaigns:
        where = f"专项行动“{was.title}”"
        if was.id not in known:
            yield where, "不再有这项行动"
            continue
        for text in looser_campaign(was, known[was.id], calendar):
            yield where, text


def _kinds(before: Iterable[Kind], after: Iterable[Kind]) -> Iterator[Said]:
    known: Mapping[str, Any] = {k.slug: k for k in after}
    for was in before:
        now = known.get(was.slug)
        if now is None:
            yield f"发现“{was.title}”", "不再有这种发现"
        elif _SEVERITIES.index(now.severity.value) < _SEVERITIES.index(was.severity.value):
            yield f"发现“{was.title}”", f"由{was.severity.chinese}降为{now.severity.chinese}"


def _units(before: Iterable[Unit], after: Iterable[Unit]) -> Iterator[Said]:
    known = {u.id: u for u in after}
    for was in before:
        now, where = known.get(was.id), f"单位“{was.name}”"
        if now is None:
            yield where, "不再登记"
        elif now.role != was.role:
            yield where, f"角色由{was.role}改为{now.role}，所报的随之改变"
        elif now.closed is not None and (was.closed is None or now.closed < was.closed):
            yield where, f"到{now.closed}为止"
