"""One task in a fresh process, so that its peak of memory and its first moments are its own.

`child.py TASK [ARGUMENT...]` prints what it measured as JSON. Whatever a task needs is imported inside it.
"""

# ruff: noqa: PLC0415 - see above

import sys
from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gmsafety import Catalog
    from gmsafety.forms import Record


def peak() -> float:
    """The most memory this process has held, in MB of 10⁶ bytes.

    Linux's own mark of the process comes first: `ru_maxrss` outlives `exec`, and would show the parent's peak.
    """
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) * 1024 / 1e6
    except (OSError, StopIteration):
        import resource

        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most / 1e6 if sys.platform == "darwin" else most * 1024 / 1e6


def load() -> dict[str, float]:
    """Import the library, load the catalog."""
    start = perf_counter()
    import gmsafety.catalog

    imported = perf_counter()
    gmsafety.catalog.load_catalog()
    loaded = perf_counter()
    return {"call": loaded - imported, "cold": loaded - start, "peak": peak()}


def check(path: str, rows: str) -> dict[str, float]:
    """Read and check a ledger that is known to be clean."""
    from gmsafety import load_catalog
    from gmsafety.forms import check, read

    catalog = load_catalog()
    before, start = peak(), perf_counter()
    reading = read(path, catalog)
    findings = check(reading, catalog)
    taken = perf_counter() - start
    count = len(reading.record.rows) if reading.record else 0
    if findings or count != int(rows):
        raise SystemExit(f"{path}: {count} rows of {rows}; {[str(f) for f in findings[:3]]}")
    return {"seconds": taken, "peak": peak(), "before": before}


def write(sample: str, rows: str, to: str) -> dict[str, float]:
    """Write a ledger in the official look, its rows those of the sample again and again."""
    from gmsafety import load_catalog
    from gmsafety.forms import fill

    record = _lengthened(sample, int(rows), load_catalog())
    before, start = peak(), perf_counter()
    fill(record, to)
    return {"seconds": perf_counter() - start, "peak": peak(), "before": before}


def _lengthened(sample: str, count: int, catalog: "Catalog") -> "Record":
    from dataclasses import replace

    from large_ledger import renamed

    from gmsafety.forms import read
    from gmsafety.forms.record import Rows

    record = read(sample, catalog).record
    if record is None:
        raise SystemExit(f"{sample}: not recognised")
    times = -(-count // len(record.rows))
    columns: dict[str, list[Any]] = {name: (values * times)[:count] for name, values in record.rows.columns.items()}
    columns["serial"] = list(range(1, count + 1))
    columns["enterprise"] = [renamed(name, number) for number, name in enumerate(columns["enterprise"], 1)]
    return replace(record, rows=Rows(columns, count), origin=None)


def make(sample: str, rows: str, to: str) -> dict[str, float]:
    """Make a longer ledger of a sample."""
    from pathlib import Path

    from large_ledger import make_ledger

    start = perf_counter()
    make_ledger(Path(sample), int(rows), Path(to))
    return {"seconds": perf_counter() - start, "peak": peak()}


TASKS: dict[str, Callable[..., dict[str, float]]] = {"check": check, "load": load, "make": make, "write": write}

if __name__ == "__main__":
    measured = TASKS[sys.argv[1]](*sys.argv[2:])
    import json

    print(json.dumps(measured))
