"""`make bench`: measure, print the table, write `benchmarks/report/report.json`.

`ARGS="--part server"` measures the server only, `ARGS="--only start"` one group; `ARGS=--scale` fills databases with
millions of rows and takes as long as that takes. `--page` also puts what was measured into docs/benchmarks.md.
"""

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from bulk import bulk_figures
from measure import ROOT, Figure
from memory import memory_figures
from report import machine, missed, table, update_page, write_json
from serving.board import board_figures
from serving.exchange import exchange_figures
from serving.filing import filing_figures
from serving.rollup import rollup_figures
from serving.scale import scale_figures
from serving.split import split_figures
from serving.year import sharing_figures, year_figures
from starting import start_figures
from tables import table_figures

REPORT = ROOT / "benchmarks/report/report.json"
PAGE = ROOT / "docs/benchmarks.md"
Measure = Callable[[Path, int], list[Figure]]

PARTS: Mapping[str, Mapping[str, Measure]] = {
    "library": {
        "tables": table_figures,
        "memory": lambda folder, rounds: memory_figures(folder, max(3, rounds // 3)),
        "start": lambda _, rounds: start_figures(2 * rounds + 1),
        "bulk": lambda folder, rounds: bulk_figures(folder, max(3, rounds // 3)),
    },
    "server": {
        "filing": filing_figures,
        "split": split_figures,
        "rollup": rollup_figures,
        "board": board_figures,
    },
    "year": {
        "shared": lambda _, rounds: sharing_figures(rounds),
        "year": year_figures,
    },
    "exchange": {"exchange": exchange_figures},
    "scale": {"scale": scale_figures},
}
"""Part of the page → group → what measures it."""
_CHOSEN = ("library", "server", "exchange", "year")


def main() -> None:
    """Measure every group, or those asked for."""
    asked = _arguments()
    parts = ["scale"] if asked.scale else asked.part or list(_CHOSEN)
    measured: dict[str, list[Figure]] = {}
    with TemporaryDirectory(prefix="bench-", dir=asked.folder) as name:
        for part in PARTS if asked.only else parts:
            groups = [g for g in PARTS[part] if g in (asked.only or PARTS[part])]
            for group in groups:
                print(f"measuring: {group}", file=sys.stderr, flush=True)
                measured.setdefault(part, []).extend(PARTS[part][group](Path(name), asked.rounds))
    figures = [figure for some in measured.values() for figure in some]
    on = machine()
    print(f"{on['python']}, {on['cores']} cores, {on['platform']}\n\n{table(figures)}\n\n{missed(figures)}")
    write_json(figures, REPORT)
    for part, some in measured.items() if asked.page else ():
        update_page(some, PAGE, part)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure gmsafety against its goals.")
    groups = [group for part in PARTS.values() for group in part]
    parser.add_argument("--rounds", type=int, default=9, help="rounds of the tables; the other groups follow from it")
    parser.add_argument("--only", action="append", choices=groups, help="measure this group only")
    parser.add_argument("--part", action="append", choices=_CHOSEN, help="measure this part only")
    parser.add_argument(
        "--scale", action="store_true", help="measure with millions of stored rows; wants 60 GB of disk"
    )
    parser.add_argument("--folder", type=Path, help="where databases and files are made; the system's own if not given")
    parser.add_argument("--page", action="store_true", help="also put the tables into docs/benchmarks.md")
    asked = parser.parse_args()
    if asked.page and asked.only:
        parser.error("--page needs every group of a part")
    if asked.rounds < 3:
        parser.error("a median needs at least 3 rounds")
    return asked


if __name__ == "__main__":
    main()
