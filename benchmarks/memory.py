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
    return [
        figure(
            "long-ledger-check-peak",
            [c["peak"] for c in checked],
            "MB",
            "ledger, 100,000 rows: peak of read + check",
            files=[made],
            goal=Goal(300),
        ),
        figure("catalog-peak", [c["before"] for c in checked], "MB", "– of which library and catalog"),
        figure(
            "long-ledger-check",
            [c["seconds"] / ROWS * 1e6 for c in checked],
            "µs/row",
            "– read + check, first file of the process",
            files=[made],
        ),
        figure(
            "long-ledger-fill-peak",
            [w["peak"] for w in written],
            "MB",
            "ledger, 100,000 rows: peak of fill",
            files=[LEDGER],
        ),
        figure(
            "long-ledger-record-peak",
            [w["before"] for w in written],
            "MB",
            "– of which library, catalog and the rows",
            files=[LEDGER],
        ),
        figure(
            "long-ledger-fill",
            [w["seconds"] / ROWS * 1e6 for w in written],
            "µs/row",
            "– fill, in the official look",
            files=[LEDGER],
        ),
    ]
