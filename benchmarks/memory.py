"""Memory at its peak: a ledger of 100,000 rows, made here, in fresh processes that do nothing else."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from measure import Figure, Goal, alternate, figure, in_child
from tables import LEDGER

ROWS = 100_000


def memory_figures(folder: Path, rounds: int) -> list[Figure]:
    """Measure peaks of memory, and the time per row, of reading and of writing the long ledger."""
    made = folder / f"ledger_{ROWS}_rows.xlsx"
    in_child("make", LEDGER, ROWS, made)
    measures: list[Callable[[], dict[str, float]]] = [
        partial(in_child, "check", made, ROWS),
        partial(in_child, "write", LEDGER, ROWS, folder / "official.xlsx"),
    ]
    checked, written = alternate(measures, rounds=rounds)
    return [*_reading(checked, made), *_writing(written)]


def _reading(checked: list[dict[str, float]], made: Path) -> list[Figure]:
    peaks, per_row = _columns(checked)
    return [
        figure(
            "long-ledger-check-peak",
            peaks,
            "MB",
            "ledger, 100,000 rows: peak of read + check",
            files=[made],
            goal=Goal(300),
        ),
        figure("catalog-peak", [c["before"] for c in checked], "MB", "– of which library and catalog"),
        figure("long-ledger-check", per_row, "µs/row", "– read + check, first file of the process", files=[made]),
    ]


def _writing(written: list[dict[str, float]]) -> list[Figure]:
    peaks, per_row = _columns(written)
    before = [w["before"] for w in written]
    return [
        figure("long-ledger-fill-peak", peaks, "MB", "ledger, 100,000 rows: peak of fill", files=[LEDGER]),
        figure("long-ledger-record-peak", before, "MB", "– of which library, catalog and the rows", files=[LEDGER]),
        figure("long-ledger-fill", per_row, "µs/row", "– fill, in the official look", files=[LEDGER]),
    ]


def _columns(measured: list[dict[str, float]]) -> tuple[list[float], list[float]]:
    """Peaks in MB, times in microseconds a row."""
    return [m["peak"] for m in measured], [m["seconds"] / ROWS * 1e6 for m in measured]
