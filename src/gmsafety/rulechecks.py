"""Do the tasks, targets, routes, gates and watches of a campaign fit together? Each fault with file and line."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from .campaigns import Campaign
from .content import Content
from .entities import Units
from .errors import Problem
from .gates import Gate, Watch
from .provenance import Actor, Citation, Document
from .routing import ties
from .rules import compile_expression
from .tasks import Task


class Shelf(Protocol):
    """What these checks need of a catalog."""

    @property
    def units(self) -> Units: ...
    @property
    def documents(self) -> Mapping[str, Document]: ...
    @property
    def actors(self) -> Mapping[str, Actor]: ...


def rules_of_campaign(content: Content, campaign: Campaign, catalog: Shelf) -> Iterator[Problem]:
    """Check everything a campaign declares beside phases and duties."""
    yield from _twice(content, campaign)
    yield from _roles(content, campaign, {u.role for u in catalog.units.values()} | {*catalog.actors})
    yield from _sources(content, campaign, catalog)
    for one, two in ties(campaign.routes):
        text = f"路由“{one.title}”与“{two.title}”会同时适用于同一家企业，分不出先后"
        yield _problem(content, campaign, one.id, text, "请把其中一条的 when 写得更具体")
    for task in campaign.tasks:
        yield from _task(content, campaign, task)
    for gate in campaign.gates:
        yield from _gate(content, campaign, gate)
    for watch in campaign.watches:
        yield from _expression(content, campaign, watch.id, watch.check, watch)


def _problem(content: Content, campaign: Campaign, name: str, text: str, remedy: str) -> Problem:
    return content.problem("campaigns", f"{campaign.id}/{name}", text, remedy)


def _twice(content: Content, campaign: Campaign) -> Iterator[Problem]:
    for noun in ("duties", "tasks", "targets", "routes", "gates", "watches"):
        ids = [v.id for v in getattr(campaign, noun)]
        for name in sorted({i for i in ids if ids.count(i) > 1}):
            yield _problem(content, campaign, name, f"{noun}中的“{name}”写了两次", "请改其中一个的id")


def _roles(content: Content, campaign: Campaign, roles: set[str]) -> Iterator[Problem]:
    named: Iterable[tuple[str, tuple[str, ...]]] = (
        *((r.id, (*r.to, *r.may_delegate)) for r in campaign.routes),
        *((t.id, t.by) for t in campaign.tasks),
    )
    for name, wanted in named:
        for role in wanted:
            if role not in roles:
                text = f"“{role}”不是任何单位的角色"
                yield _problem(content, campaign, name, text, "请核对，或在 units、actors 中登记")


def _sources(content: Content, campaign: Campaign, catalog: Shelf) -> Iterator[Problem]:
    cited: Iterable[tuple[str, Citation]] = (
        *(
            (v.id, v.source)
            for noun in ("tasks", "targets", "routes", "gates", "watches")
            for v in getattr(campaign, noun)
        ),
        *((g.id, c.source) for g in campaign.gates for c in g.conditions),
    )
    for name, source in cited:
        document = source.document
        if document and document not in catalog.documents and f"{content.plugin}.{document}" not in catalog.documents:
            yield _problem(content, campaign, name, f"依据的文件“{document}”没有登记", "请在 documents 中登记")


def _task(content: Content, campaign: Campaign, task: Task) -> Iterator[Problem]:
    for noun in ("duties", "targets", "watches"):
        known = {v.id for v in getattr(campaign, noun)}
        for name in getattr(task, noun):
            if name not in known:
                yield _problem(content, campaign, task.id, f"{noun}中没有“{name}”", "请核对id")


def _gate(content: Content, campaign: Campaign, gate: Gate) -> Iterator[Problem]:
    for condition in gate.conditions:
        yield from _expression(content, campaign, gate.id, condition.check, gate)


def _expression(content: Content, campaign: Campaign, name: str, check: str, of: Gate | Watch) -> Iterator[Problem]:
    try:
        expression = compile_expression(check)
    except ValueError as error:
        yield _problem(content, campaign, name, f"表达式有误：{error}", "请改正表达式")
        return
    for operand in expression.operands:
        if operand not in of.facts:
            yield _problem(content, campaign, name, f"facts 中没有“{operand}”", "请在 facts 中写明它叫什么")
