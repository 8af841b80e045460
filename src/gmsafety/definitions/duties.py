"""What of a campaign is asked less strictly than before: duties, targets, gates, routes, watches, tasks."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import Any

from ..calendar import WorkCalendar
from ..campaigns import Campaign
from ..duties import Duty, Offset, Quota, Window
from ..gates import Gate, Watch
from ..routing import Route
from ..tasks import Target, Task

_IN_A_YEAR = {"month": 12, "quarter": 4, "half-year": 2, "year": 1}
_SEVERITIES = ("info", "warning", "error")


def looser_campaign(was: Campaign, now: Campaign, calendar: WorkCalendar) -> Iterator[str]:
    """Every loosening of a campaign, in words."""
    if now.area != was.area:
        yield f"范围由{was.area}改为{now.area}"
    if now.last < was.last:
        yield f"由{was.last}结束提前到{now.last}"
    if was.parent and now.parent != was.parent:
        yield f"不再是{was.parent}的落实"
    yield from _each("职责", was.duties, now.duties, lambda a, b: _duty(a, b, calendar))
    yield from _each("任务", was.tasks, now.tasks, _task)
    yield from _each("目标", was.targets, now.targets, _target)
    yield from _each("路由", was.routes, now.routes, _route)
    yield from _each("关口", was.gates, now.gates, _gate)
    yield from _each("监测", was.watches, now.watches, _watch)
    yield from _each("配对", was.pairings, now.pairings, _otherwise)


def _each(
    noun: str, before: Iterable[Any], after: Iterable[Any], tell: Callable[[Any, Any], Iterator[str]]
) -> Iterator[str]:  # fmt: skip
    known = {v.id: v for v in after}
    for was in before:
        if was.id not in known:
            yield f"{noun}“{was.title}”：删去"
            continue
        for text in tell(was, known[was.id]):
            yield f"{noun}“{was.title}”：{text}"


def _otherwise(was: Any, now: Any) -> Iterator[str]:
    if was != now:
        yield "有变，不能判定是否一样严"


def _less(noun: str, was: Iterable[str], now: Iterable[str]) -> Iterator[str]:
    left = set(now)
    if gone := [name for name in was if name not in left]:
        yield f"{noun}少了{'、'.join(gone)}"


def _duty(was: Duty, now: Duty, calendar: WorkCalendar) -> Iterator[str]:
    yield from _less("责任单位", was.from_, now.from_)
    yield from _less("收件单位", was.to, now.to)
    yield from _less("要报的表", was.file, now.file)
    artefacts = [[f"{h.title}（{a}）" for h in duty.hand_in for a in h.artefacts] for duty in (was, now)]
    yield from _less("要交的材料", *artefacts)
    if was.do and was.do != now.do:
        yield f"要做的由“{was.do}”改为“{now.do or '（无）'}”"
    if getattr(was, "kind", "") != getattr(now, "kind", ""):
        yield "期限的种类不同，不能判定是否一样严"
        return
    if getattr(was, "on", None) != getattr(now, "on", None):
        yield f"由“{getattr(was, 'on', None) or '始终'}”改为“{getattr(now, 'on', None) or '始终'}”"
    if isinstance(was, Quota) and isinstance(now, Quota):
        yield from _quota(was, now)
    elif isinstance(was, Offset) and isinstance(now, Offset):
        if was.event != now.event or now.days_after > was.days_after:
            yield f"由{was.event}{was.days_after:+}天改为{now.event}{now.days_after:+}天"
    else:
        yield from _times(was, now, calendar)


def _times(was: Duty, now: Duty, calendar: WorkCalendar) -> Iterator[str]:
    """Each time that it was due, it is due still, and not later."""
    if isinstance(was, Window) and isinstance(now, Window) and now.soft and not was.soft:
        yield "改为“原则上”"
    later = [(o.period, o.due) for o in now.occurrences(calendar)]
    last = date.min
    for occurrence in was.occurrences(calendar):
        due = min((d for period, d in later if last < period <= occurrence.period), default=None)
        if due is None:
            yield f"{occurrence.period}一期不再有，或者推后"
        elif due > occurrence.due:
            yield f"{occurrence.period}一期截止时间由{occurrence.due:%m-%d %H:%M}推后到{due:%m-%d %H:%M}"
        last = occurrence.period


def _quota(was: Quota, now: Quota) -> Iterator[str]:
    if _rate(now) < _rate(was):
        yield f"由每{was.per}至少{was.at_least}次改为每{now.per}至少{now.at_least}次"
    if now.first > was.first or now.last < was.last:
        yield f"期间由{was.first}至{was.last}改为{now.first}至{now.last}"
    for variant in was.variants:
        per, least = now.needed(variant.when)
        if _IN_A_YEAR[per] * least < _rate(variant):
            tags = "、".join(map(str, variant.when))
            yield f"{tags}的由每{variant.per}至少{variant.at_least}次改为每{per}至少{least}次"
    for variant in now.variants:
        per, least = was.needed(variant.when)
        if _rate(variant) < _IN_A_YEAR[per] * least:
            yield f"{'、'.join(map(str, variant.when))}的减为每{variant.per}至少{variant.at_least}次"


def _rate(quota: Any) -> int:
    return _IN_A_YEAR[quota.per] * int(quota.at_least)


def _task(was: Task, now: Task) -> Iterator[str]:
    yield from _less("责任单位", was.by, now.by)
    yield from _less("要点", was.points, now.points)
    for noun, name in (("职责", "duties"), ("目标", "targets"), ("监测", "watches")):
        yield from _less(noun, getattr(was, name), getattr(now, name))


def _target(was: Target, now: Target) -> Iterator[str]:
    if (was.count, was.of, was.unit, was.growth) != (now.count, now.of, now.unit, now.growth):
        yield "计量的不同，不能判定是否一样严"
    if was.at_least is not None and (now.at_least is None or now.at_least < was.at_least):
        yield f"下限由{was.at_least}改为{now.at_least if now.at_least is not None else '（无）'}"
    if was.at_most is not None and (now.at_most is None or now.at_most > was.at_most):
        yield f"上限由{was.at_most}改为{now.at_most if now.at_most is not None else '（无）'}"
    if was.by is not None and (now.by is None or now.by > was.by):
        yield f"期限由{was.by}改为{now.by or '（无）'}"


def _route(was: Route, now: Route) -> Iterator[str]:
    if (was.purpose, was.when) != (now.purpose, now.when):
        yield "适用的企业不同，不能判定是否一样严"
    yield from _less("承担单位", was.to, now.to)
    if extra := [role for role in now.may_delegate if role not in was.may_delegate]:
        yield f"可由{'、'.join(extra)}承担"
    if was.experts and not now.experts:
        yield "不再聘请专家"


def _gate(was: Gate, now: Gate) -> Iterator[str]:
    known = {c.id: c for c in now.conditions}
    for condition in was.conditions:
        same = known.get(condition.id)
        if same is None:
            yield f"条件“{condition.say}”删去"
        elif same.check != condition.check:
            yield f"条件“{condition.say}”由“{condition.check}”改为“{same.check}”，不能判定是否一样严"
        elif same.when != condition.when and not same.when.items() <= condition.when.items():
            yield f"条件“{condition.say}”适用的企业少了"


def _watch(was: Watch, now: Watch) -> Iterator[str]:
    if was.check != now.check:
        yield f"条件由“{was.check}”改为“{now.check}”，不能判定是否一样严"
    if _SEVERITIES.index(now.severity) < _SEVERITIES.index(was.severity):
        yield f"由{was.severity}降为{now.severity}"
