"""What happens to the nodes of the proof while people work: kills, lines that part, full disks, new keys; by a seed."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from random import Random
from threading import Event, Thread
from typing import Any

from faulty_lines import FaultyLines, Line
from players import Filer, NilFiler, Pace, Reviewer, Roller, Visitor
from real_nodes import UNITS, UPPER, Site

_JOIN = 300.0


@dataclass(frozen=True)
class Plan:
    """How much of what happens; the order, the moments and whom it meets are in the seed."""

    seed: str
    kills: int
    partings: int
    rotations: int
    fulls: int
    faults: float = 0.25
    wait: Pace = (0.1, 1.0)
    pace: Pace = (0.2, 1.2)

    def steps(self) -> list["Step"]:
        """Everything that happens, in its order."""
        chance, steps, killed = Random(self.seed), list[Step](), 0
        while killed < self.kills:
            steps.append(self._step("kill", chance))
            killed += len(steps[-1].killed)
        amounts = {"part": self.partings, "rotate": self.rotations, "fill": self.fulls}
        steps += [self._step(kind, chance) for kind, times in amounts.items() for _ in range(times)]
        chance.shuffle(steps)
        return steps

    def _step(self, kind: str, chance: Random) -> "Step":
        return Step(
            kind, chance.choice(sorted(UNITS)), chance.uniform(*self.wait), chance.uniform(0.5, 4.0),
            chance.choice(("refused", "silent")), chance.random() < 0.4,
        )  # fmt: skip


@dataclass(frozen=True)
class Step:
    """One thing that happens to a node: after how long, for how long.

    `whole`: to all its lines, where they part, and to all its neighbours too, where they are killed.
    """

    kind: str
    name: str
    after: float
    seconds: float
    how: str
    whole: bool

    @property
    def neighbours(self) -> list[str]:
        """The nodes that a line leads to."""
        return sorted({b if a == self.name else a for a, b in UPPER.items() if self.name in (a, b)})

    @property
    def killed(self) -> list[str]:
        """The nodes that lose their power."""
        return [self.name, *(self.neighbours if self.whole else ())]


@dataclass
class Done:
    """What has happened."""

    kills: int = 0
    partings: int = 0
    rotations: int = 0
    fulls: int = 0
    without_disk: int = 0


@dataclass
class Outages:
    """Nodes, lines and people, and what happens to them."""

    plan: Plan
    sites: dict[str, Site]
    lines: FaultyLines
    done: Done = field(default_factory=Done)
    _agenda: list[tuple[float, Callable[[], None]]] = field(default_factory=list)
    _locksmith: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))
    _turns: list[Future[int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        seed, pace, city = self.plan.seed, self.plan.pace, self.sites["jincheng"]
        counties = [Filer(self.sites[n], seed, pace) for n in ("zezhou", "gaoping")]
        self.filers: list[Filer] = [*counties, NilFiler(city, seed, pace)]
        self.visitors: list[Visitor] = [
            Reviewer(city, "reviewer", seed, pace),
            Reviewer(self.sites["shanxi"], "reviewer", seed, pace),
            Roller(city, "clerk", seed, pace),
        ]

    def play(self, tell: Callable[[str], Any]) -> None:
        """Let everybody work, and everything happen; afterwards all is whole again, and nobody works any more."""
        over = Event()
        work = [*(p.run for p in self.filers), *(p.run for p in self.visitors)]
        threads = [Thread(target=run, args=(over,)) for run in work]
        self.lines.heal(*self._all_lines(), share=self.plan.faults)
        for thread in threads:
            thread.start()
        try:
            for number, step in enumerate(self.plan.steps()):
                self._wait(step.after)
                self._happen(step)
                if number % 25 == 24:
                    tell(str(self.done))
        finally:
            self._end()
            over.set()
            for thread in threads:
                thread.join(_JOIN)

    @property
    def strange(self) -> list[str]:
        """What was answered to people and should not have been."""
        return [s for f in self.filers for s in f.strange] + [s for v in self.visitors for s in v.strange]

    def _all_lines(self) -> list[Line]:
        return [line for site in self.sites.values() for line in site.lines.values()]

    def _wait(self, seconds: float) -> None:
        """Wait, and meanwhile end what was to end by then."""
        end = time.monotonic() + seconds
        while (now := time.monotonic()) < end:
            for entry in [e for e in self._agenda if e[0] <= now]:
                self._agenda.remove(entry)
                entry[1]()
            time.sleep(0.02)

    def _later(self, seconds: float, what: Callable[[], None]) -> None:
        self._agenda.append((time.monotonic() + seconds, what))

    def _happen(self, step: Step) -> None:
        site = self.sites[step.name]
        if step.kind == "kill":
            for name in step.killed:
                self._kill(self.sites[name])
        elif step.kind == "part":
            self._part(site, step)
        elif step.kind == "rotate":
            self._rotate(site)
        else:
            self._fill(site, step)

    def _kill(self, site: Site) -> None:
        if site.is_full:  # on a full disk it would not start
            site.free()
        site.kill()
        self.done.kills += 1

    def _rotate(self, site: Site) -> None:
        """A new key, while everything else goes on; one node after the other."""
        self._turns.append(self._locksmith.submit(site.rotate))

    def _fill(self, site: Site, step: Step) -> None:
        if site.disk is None:
            self.done.without_disk += 1
        elif not site.is_full:
            site.settled()
            site.fill()
            self.done.fulls += 1
            self._later(step.seconds, site.free)

    def _part(self, site: Site, step: Step) -> None:
        """One neighbour, or all of them, cannot be reached for a while, nor reach this node."""
        neighbours = step.neighbours
        chosen = neighbours if step.whole else [neighbours[int(step.seconds * 1000) % len(neighbours)]]
        both = [line for n in chosen for line in (site.lines[n], self.sites[n].lines[site.name])]
        self.lines.part(step.how, *both)
        self.done.partings += 1
        self._later(step.seconds, lambda: self.lines.heal(*both))

    def _end(self) -> None:
        """Make all whole."""
        self._agenda.clear()
        self.lines.heal(*self._all_lines(), share=0.0)
        for site in self.sites.values():
            if site.is_full:
                site.free()
            site.settled()
        self._locksmith.shutdown()
        self.done.rotations = sum(turn.result() for turn in self._turns)


def quiet(sites: dict[str, Site], *, seconds: float) -> None:
    """Wait until nothing is on its way any more."""
    end, still = time.monotonic() + seconds, 0
    while still < 2:
        standing = {name: site.station.counts() for name, site in sites.items()}
        waiting = {n: {k: c[k] for k in ("unsent", "untaken", "held", "dead")} for n, c in standing.items()}
        still = still + 1 if not any(v for told in waiting.values() for v in told.values()) else 0
        assert time.monotonic() < end, f"still on its way: {waiting}"
        time.sleep(0.3)
