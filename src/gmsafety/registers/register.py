"""The register as a value."""

from collections.abc import Iterable, Iterator

from ..enterprises import Enterprise
from ..hazards import Hazard
from ..inspections import Inspection
from ..penalties import Penalty
from ..provenance import Value


class Register(Value):
    """Everything that is registered; JSON by `model_dump_json` and `model_validate_json`."""

    enterprises: tuple[Enterprise, ...] = ()
    hazards: tuple[Hazard, ...] = ()
    inspections: tuple[Inspection, ...] = ()
    penalties: tuple[Penalty, ...] = ()

    @property
    def names(self) -> dict[str, str]:
        """The enterprises' names by credit code."""
        return {e.credit_code: e.name for e in self.enterprises}

    def hazards_of(self, enterprise: Enterprise) -> tuple[Hazard, ...]:
        """The hazards of an enterprise."""
        return tuple(h for h in self.hazards if h.enterprise == enterprise.credit_code)


def key_of(value: Enterprise | Hazard | Inspection | Penalty) -> str:
    """What an entry is known by: the credit code of an enterprise, the id of everything else."""
    return value.credit_code if isinstance(value, Enterprise) else value.id


def twice(keys: Iterable[str]) -> Iterator[tuple[int, int]]:
    """Positions of entries that are there already, each with the position of the first."""
    first: dict[str, int] = {}
    for position, key in enumerate(keys):
        if first.setdefault(key, position) != position:
            yield position, first[key]
