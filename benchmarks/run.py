"""`make bench`: measure, print the table, write `benchmarks/report/report.json`.

`ARGS=--page` also puts the table into docs/benchmarks.md; `ARGS="--only start"` measures one group.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from measure import ROOT, Figure
from memory import memory_figures
from report import machine, missed, table, update_page, write_json
from starting import start_figures
from tables import table_figures

REPORT = ROOT / "benchmarks/report/report.json"
PAGE = ROOT / "docs/benchmarks.md"


def main() -> None:
    """Measure every group, or those asked for."""
    asked = _arguments()
    with TemporaryDirectory(prefix="bench-") as name:
        folder, rounds = Path(name), asked.rounds
        groups: dict[str, Callable[[], list[Figure]]] = {
            "tables": lambda: table_figures(folder, rounds),
            "memory": lambda: memory_figures(folder, max(3, rounds // 3)),
            "start": lambda: start_figures(2 * rounds + 1),
        }
        figures = []
        for group in asked.only or groups:
            print(f"measuring: {group}", file=sys.stderr, flush=True)
            figures += groups[group]()
    on = machine()
    print(f"{on['python']}, {on['cores']} cores, {on['platform']}\n\n{table(figures)}\n\n{missed(figures)}")
    write_json(figures, REPORT)
    if asked.page:
        update_page(figures, PAGE)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure gmsafety against its goals.")
    parser.add_argument("--rounds", type=int, default=9, help="rounds of the tables; the other groups follow from it")
    parser.add_argument(
        "--only", action="append", choices=["tables", "memory", "start"], help="measure this group only"
    )
    parser.add_argument("--page", action="store_true", help="also put the table into docs/benchmarks.md")
    asked = parser.parse_args()
    if asked.page and asked.only:
        parser.error("--page needs every group")
    if asked.rounds < 3:
        parser.error("a median needs at least 3 rounds")
    return asked


if __name__ == "__main__":
    main()
