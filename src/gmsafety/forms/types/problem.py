"""What understanding a cell yields: a value, or a value withheld and the reason."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a cell was not taken as it stands: the slug of a finding kind and the data of its sentence."""

    slug: str
    data: dict[str, Any] = field(default_factory=dict)


class Parsed(NamedTuple):
    """A value and what was wrong; a value of None with no trouble is a blank."""

    value: Any
    trouble: Trouble | None = None


BLANK = Parsed(None)
