"""A campaign (专项行动) or a year's work: from when to when, in which phases, with which duties, tasks and rules."""

from datetime import date

from pydantic import Field, model_validator

from .duties import AnyDuty
from .gates import Gate, Watch
from .pairings import Pairing
from .provenance import Citation, Erratum, Value
from .routing import Route
from .tasks import Target, Task


class Phase(Value):
    """A phase of a campaign (阶段)."""

    id: str
    title: str
    first: date
    last: date
    source: Citation


class Campaign(Value):
    """A campaign, as one document sets it out; `parent` is the campaign of the upper level that it carries out."""

    id: str
    title: str
    document: str
    area: str
    first: date
    last: date
    parent: str | None = None
    source: Citation
    phases: tuple[Phase, ...] = ()
    duties: tuple[AnyDuty, ...] = Field(())
    tasks: tuple[Task, ...] = ()
    targets: tuple[Target, ...] = ()
    routes: tuple[Route, ...] = ()
    gates: tuple[Gate, ...] = ()
    watches: tuple[Watch, ...] = ()
    pairings: tuple[Pairing, ...] = ()
    errata: tuple[Erratum, ...] = ()
    plugin: str = ""

    @property
    def ref(self) -> str:
        """The full name, `plugin.id`."""
        return f"{self.plugin}.{self.id}" if self.plugin else self.id

    @model_validator(mode="after")
    def _in_order(self) -> "Campaign":
        for noun, first, last in [
            (self.title, self.first, self.last),
            *((p.title, p.first, p.last) for p in self.phases),
        ]:
            if last < first:
                raise ValueError(f"“{noun}”结束日期{last}早于开始日期{first}")
        return self
