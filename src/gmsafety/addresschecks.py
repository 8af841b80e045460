"""Do pairs, what is filed upon an event, and what is counted of it fit together? Each fault with file and line."""

from collections.abc import Iterator, Mapping
from typing import Protocol

from .campaigns import Campaign
from .content import Content
from .duties import Duty, Standing
from .entities import Units
from .errors import Problem
from .forms.spec import Form
from .pairings import Pairing
from .provenance import Actor
from .rules import compile_expression

_READ = ("header", "rows", "sender")


class Shelf(Protocol):
    """What the checks need of a catalog."""

    @property
    def units(self) -> Units: ...
    @property
    def forms(self) -> Mapping[str, Form]: ...
    @property
    def actors(self) -> Mapping[str, Actor]: ...


def addresses_of_campaign(content: Content, campaign: Campaign, catalog: Shelf) -> Iterator[Problem]:
    """Everything that is wrong with the pairs of a campaign, and with what is filed upon an event."""
    for pairing in campaign.pairings:
        for text, remedy in _pairing(pairing, catalog):
            yield content.problem("campaigns", campaign.id, f"“{pairing.title}”{text}", remedy)
    for duty in campaign.duties:
        if isinstance(duty, Standing):
            for text, remedy in _upon_event(duty, campaign, catalog):
                yield content.problem("campaigns", f"{campaign.id}/{duty.id}", f"“{duty.title}”{text}", remedy)
    for target in campaign.targets:
        if target.tally is not None and target.tally.field not in _heads(campaign, target.tally.duty, catalog):
            text = f"目标“{target.title}”的“{target.tally.duty}”的表头没有“{target.tally.field}”这一栏"
            yield content.problem("campaigns", campaign.id, text, "请核对 tally")


def _pairing(pairing: Pairing, catalog: Shelf) -> Iterator[tuple[str, str]]:
    form = catalog.forms.get(pairing.form)
    if form is None:
        yield f"的表“{pairing.form}”没有登记", "请写全名（插件.id）"
        return
    columns = {c.id for c in form.columns}
    for side in (pairing.one, pairing.other):
        if side.role not in catalog.actors:
            yield f"的“{side.role}”没有登记", "请在 actors 中登记这一方"
        if side.column not in columns:
            yield f"的表没有“{side.column}”这一列", "请核对 column"
            continue
        for name in dict.fromkeys(str(row.get(side.column) or "") for row in form.rows):
            if catalog.units.named(name) is None:
                yield f"中的“{name}”不是登记的单位", "请核对表中印的名称，或给单位加上别名"


def _upon_event(duty: Standing, campaign: Campaign, catalog: Shelf) -> Iterator[tuple[str, str]]:
    if duty.each is not None and duty.each not in _heads(campaign, duty.id, catalog):
        yield f"的表头没有“{duty.each}”这一栏", "请核对 each"
    if duty.prefill is None:
        return
    if duty.prefill.of not in {d.id for d in campaign.duties}:
        yield f"的 prefill 写的“{duty.prefill.of}”不是这项专项行动的任务", "请核对 of"
    columns = {c.id for form in _forms(duty, catalog) for c in form.columns}
    for column, text in duty.prefill.row.items():
        if column not in columns:
            yield f"的表没有“{column}”这一列", "请核对 prefill"
        try:
            read = compile_expression(text).operands
        except ValueError as error:
            yield f"的表达式有误：{error}", "请改正表达式"
            continue
        strange = [name for name in read if name.partition(".")[0] not in _READ]
        if strange:
            yield f"的表达式用了“{'、'.join(strange)}”", f"只能用 {'、'.join(_READ)}"


def _forms(duty: Duty, catalog: Shelf) -> list[Form]:
    return [catalog.forms[name] for name in duty.file if name in catalog.forms]


def _heads(campaign: Campaign, duty: str, catalog: Shelf) -> set[str]:
    """The fields of the heads of a duty's forms."""
    found = next((d for d in campaign.duties if d.id == duty), None)
    return {h.id for form in _forms(found, catalog) for h in form.header} if found is not None else set()
