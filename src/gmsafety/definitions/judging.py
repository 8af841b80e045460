"""Is a snapshot fit to be put in force beside the others? The same judges as `gmsafety plugin check`, and bounds."""

from collections.abc import Iterable, Sequence

from ..catalog import Catalog, load_catalog
from ..content import Content
from ..errors import CatalogError, Problem
from ..exchange.errors import NotCanonical
from ..testing.conformance import ASPECTS
from .bounds import out_of_bounds
from .snapshot import hash_of, written

_MOST_KNOWN = 200
_fit: set[tuple[str, ...]] = set()
"""What was found fit, by content and by what stood beside it: it is looked at once, which takes seconds."""


def faults_of(content: Content, others: Iterable[Content]) -> tuple[Problem, ...]:
    """Everything for which the content of a snapshot is not put in force; nothing where it is fit."""
    beside = list(others)
    try:
        key = tuple(f"{c.plugin} {hash_of(written(c))}" for c in (content, *sorted(beside, key=lambda c: c.plugin)))
    except NotCanonical as error:
        return (Problem(content.plugin, "快照", 1, f"不能写成规范的JSON：{error}", "请改正这一处"),)
    if key in _fit:
        return ()
    if faults := _faults(content, beside):
        return faults
    if len(_fit) >= _MOST_KNOWN:
        _fit.clear()
    _fit.add(key)
    return ()


def _faults(content: Content, others: Sequence[Content]) -> tuple[Problem, ...]:
    bounds = [Problem(content.plugin, "快照", 1, *said) for said in out_of_bounds(content)]
    if bounds:
        return tuple(bounds)
    try:
        catalog = load_catalog([*others, content])
    except CatalogError as error:
        return error.problems
    except Exception as error:  # it comes from outside: whatever is wrong with it, it is not put in force
        text = f"不能载入：{type(error).__name__}：{error}"
        return (Problem(content.plugin, "快照", 1, text, "请用 gmsafety plugin check 核对"),)
    return tuple(p for aspect in ASPECTS for p in aspect.check(content, catalog).problems)


def in_order(contents: Sequence[Content]) -> list[Content]:
    """The regions, each after those whose things it names."""
    waiting, ordered = {c.plugin: c for c in contents}, list[Content]()
    while waiting:
        free = [c for c in waiting.values() if not (_needs(c) & set(waiting)) - {c.plugin}] or [*waiting.values()][:1]
        ordered += free
        for content in free:
            del waiting[content.plugin]
    return ordered


def needed_by(region: str, catalog: Catalog) -> list[Content]:
    """The content of a region and of all those it builds on, each after those it needs."""
    known = {c.plugin: c for c in catalog.contents}
    wanted, waiting = dict[str, Content](), [region]
    while waiting:
        name = waiting.pop()
        if name in known and name not in wanted:
            wanted[name] = known[name]
            waiting += _needs(known[name])
    return in_order(list(wanted.values()))


def _needs(content: Content) -> set[str]:
    """The regions whose things a region names: units above its own, campaigns, documents, forms."""
    named: list[str | None] = [u.parent for u in content.units]
    named += [d.implements for d in content.documents]
    named += [*(f.campaign for f in content.forms), *(c.campaign for c in content.checklists)]
    named += [layout.of for layout in content.layouts]
    for campaign in content.campaigns:
        named += [campaign.parent, campaign.document, *(name for duty in campaign.duties for name in duty.file)]
    for form in content.forms:
        named += [form.source.document, *(rule.with_ for rule in form.rules)]
    return {name.partition(".")[0] for name in named if name and "." in name}
