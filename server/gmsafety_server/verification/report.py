"""What one check of the verifier says."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

AT_MOST = 1000
"""How many faults of a kind are named; more are counted."""


@dataclass(frozen=True, slots=True)
class Check:
    """One check: what it counted (name → number), and what does not hold, each as a sentence."""

    name: str
    title: str
    counts: Mapping[str, int]
    faults: tuple[str, ...]
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """The check for programs."""
        told = {"check": self.name, "title": self.title, "counts": dict(self.counts)}
        return {**told, "faults": list(self.faults), "note": self.note}


class Faults:
    """Collects faults, and does not fill the memory where everything is wrong."""

    def __init__(self) -> None:
        self._told: list[str] = []
        self._count = 0

    def add(self, *faults: str) -> None:
        """Note what does not hold."""
        self.extend(faults)

    def extend(self, faults: Iterable[str]) -> None:
        """Note several."""
        for fault in faults:
            self._count += 1
            if self._count <= AT_MOST:
                self._told.append(fault)

    def all(self) -> tuple[str, ...]:
        """What was noted, with a last line for what was only counted."""
        more = self._count - len(self._told)
        return (*self._told, f"另有{more}处未列出") if more else tuple(self._told)
