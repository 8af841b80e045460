"""Which body inspects or guides an enterprise: the most specific route whose tags the enterprise bears.

Tags are what is known of an enterprise: `{metal_smelting: true, blast_furnace: false, key_level: county}`. What is not
known leaves the question open; the answer then names the tags that would decide it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import TypeAlias

from pydantic import Field

from .provenance import Citation, Names, TagValue, Value

Tags: TypeAlias = Mapping[str, object]


class Route(Value):
    """Enterprises that bear the tags go to these bodies; with several, all of them."""

    id: str
    title: str
    purpose: str = Field("inspection", description="inspection or guidance: routes of one purpose exclude each other")
    when: dict[str, TagValue] = Field(default_factory=dict, description="tags; none: everybody else")
    to: Names = Field(description="roles of the bodies")
    may_delegate: Names = Field((), description="roles that may do it instead (可由)")
    experts: bool = Field(False, description="with experts that the body engages (聘请专家)")
    source: Citation

    def fits(self, tags: Tags) -> bool | None:
        """Tell whether an enterprise is meant; None where a tag that matters is not known."""
        answers = [tags[name] == wanted if tags.get(name) is not None else None for name, wanted in self.when.items()]
        return False if False in answers else None if None in answers else True


@dataclass(frozen=True, slots=True)
class Routed:
    """Where an enterprise goes; `open` are the tags that are not known and would decide."""

    route: Route | None
    open: tuple[str, ...] = ()


def find_route(routes: Iterable[Route], tags: Tags, purpose: str = "inspection") -> Routed:
    """Find the most specific route; none where tags that are not known could lead to a more specific one."""
    mine = [r for r in routes if r.purpose == purpose]
    fitting = [r for r in mine if r.fits(tags)]
    best = max(fitting, key=lambda r: len(r.when), default=None)
    least = len(best.when) if best else -1
    doubtful = [r for r in mine if r.fits(tags) is None and len(r.when) > least]
    unknown = dict.fromkeys(name for r in doubtful for name in r.when if tags.get(name) is None)
    return Routed(None if unknown else best, tuple(unknown))


def ties(routes: Iterable[Route]) -> Iterator[tuple[Route, Route]]:
    """Pairs of routes that one enterprise could take both, neither being more specific."""
    for one, two in combinations(routes, 2):
        together = all(two.when.get(name, wanted) == wanted for name, wanted in one.when.items())
        nested = one.when.items() < two.when.items() or two.when.items() < one.when.items()
        covered = any(
            len(r.when) > max(len(one.when), len(two.when)) and r.when.items() <= (one.when | two.when).items()
            for r in routes
        )
        if one.purpose == two.purpose and together and not nested and not covered:
            yield one, two
