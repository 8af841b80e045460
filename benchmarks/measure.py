"""Measuring side by side: a warm-up, then A B A B …; a figure is a median with its smallest and largest value."""

import gc
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

ROOT = Path(__file__).parents[1]
CHILD = Path(__file__).with_name("child.py")


@dataclass(frozen=True, slots=True)
class Goal:
    """The most that a figure should be, or the least where `is_least`; `later` is what it should come to."""

    bound: float
    later: float | None = None
    is_least: bool = False

    @property
    def sign(self) -> str:
        """As it is shown."""
        return "≥" if self.is_least else "≤"

    def is_met(self, value: float) -> bool:
        """Tell whether a value is good enough."""
        return value >= self.bound if self.is_least else value <= self.bound


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure: the median of its rounds, the goal if it has one, the files it was measured on."""

    name: str
    value: float
    least: float
    most: float
    rounds: int
    unit: str
    what: str
    files: tuple[str, ...] = ()
    goal: Goal | None = None

    @property
    def met(self) -> bool | None:
        """Tell whether the goal is met; None where there is none."""
        return None if self.goal is None else self.goal.is_met(self.value)


def figure(
    name: str,
    values: Sequence[float],
    unit: str,
    what: str,
    *,
    files: Sequence[Path] = (),
    goal: Goal | None = None,
) -> Figure:
    """Make a figure of the values of all rounds; a file inside the project is named by its path there."""
    named = tuple(f.relative_to(ROOT).as_posix() if f.is_relative_to(ROOT) else f.name for f in files)
    return Figure(name, median(values), min(values), max(values), len(values), unit, what, named, goal)


def seconds(action: Callable[[], object]) -> float:
    """Time one call; rubbish of earlier calls is collected before the clock starts."""
    gc.collect()
    start = perf_counter()
    action()
    return perf_counter() - start


def alternate(measures: Sequence[Callable[[], Any]], *, rounds: int) -> list[list[Any]]:
    """Call every measure once to warm up, then all of them in turn, `rounds` times; returns the values per measure."""
    for measure in measures:
        measure()
    taken: list[list[Any]] = [[] for _ in measures]
    for _ in range(rounds):
        for values, measure in zip(taken, measures, strict=True):
            values.append(measure())
    return taken


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Divide round by round, so that a slow moment of the machine weighs on both sides."""
    return [a / b for a, b in zip(ours, theirs, strict=True)]


def in_child(task: str, *args: object) -> dict[str, float]:
    """Run a task of `child.py` in a fresh process; returns what it measured. RuntimeError says why it failed."""
    command = [sys.executable, str(CHILD), task, *map(str, args)]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    if done.returncode:
        raise RuntimeError(f"{task}: {done.stderr.strip()}")
    measured: dict[str, float] = json.loads(done.stdout)
    return measured
