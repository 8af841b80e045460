"""What this process counts while it runs, in the words of Prometheus; it begins with nothing at every start."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from threading import Lock

Labels = tuple[tuple[str, str], ...]
Sample = tuple[str, Mapping[str, str], float]
BUCKETS = (1.0, 5.0, 15.0, 60.0, 300.0, 1800.0, 7200.0, 86400.0)


class Meters:
    """Counters, gauges and histograms of one process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts: Counter[tuple[str, Labels]] = Counter()
        self._gauges: dict[tuple[str, Labels], float] = {}
        self._spread: dict[str, list[int]] = {}
        self._sums: Counter[str] = Counter()

    def count(self, name: str, **labels: str) -> None:
        """Count one."""
        with self._lock:
            self._counts[name, tuple(sorted(labels.items()))] += 1

    def put(self, name: str, value: float, **labels: str) -> None:
        """Note a value in the place of the one before."""
        with self._lock:
            self._gauges[name, tuple(sorted(labels.items()))] = value

    def observe(self, name: str, seconds: float) -> None:
        """Note how long something took."""
        with self._lock:
            spread = self._spread.setdefault(name, [0] * (len(BUCKETS) + 1))
            spread[bisect_left(BUCKETS, seconds)] += 1
            self._sums[name] += seconds  # type: ignore[assignment]

    def counted(self, name: str) -> list[Sample]:
        """The samples of a counter or a gauge."""
        with self._lock:
            found = [*self._counts.items(), *self._gauges.items()]
        return [(named, dict(labels), value) for (named, labels), value in sorted(found) if named == name]

    def spread(self, name: str) -> list[Sample]:
        """The samples of a histogram."""
        with self._lock:
            parts, total = list(self._spread.get(name, [0] * (len(BUCKETS) + 1))), float(self._sums[name])
        sums = [sum(parts[: n + 1]) for n in range(len(parts))]
        ends = [*(f"{b:g}" for b in BUCKETS), "+Inf"]
        buckets: list[Sample] = [(f"{name}_bucket", {"le": end}, n) for end, n in zip(ends, sums, strict=True)]
        return [*buckets, (f"{name}_sum", {}, total), (f"{name}_count", {}, sums[-1])]


def family(name: str, kind: str, about: str, samples: Iterable[Sample]) -> Iterator[str]:
    """The lines of one metric in the text format of Prometheus."""
    yield f"# HELP {name} {about}"
    yield f"# TYPE {name} {kind}"
    for named, labels, value in samples:
        told = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
        yield f"{named}{{{told}}} {value:.15g}" if told else f"{named} {value:.15g}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
