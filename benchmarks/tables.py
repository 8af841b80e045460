"""Tables read, checked and written: the ledger of 10,000 rows against openpyxl, a weekly table by itself."""

from pathlib import Path
from typing import Any

import openpyxl
from large_ledger import all_cells
from measure import ROOT, Figure, Goal, alternate, figure, ratios, seconds

from gmsafety import Catalog, load_catalog
from gmsafety.findings import Finding, Place
from gmsafety.forms import Reading, Record, annotate, check, fill, read
from gmsafety.kinds import KINDS

LEDGER = ROOT / "tests/samples/large/ledger_10000_rows.xlsx"
LEDGER_ROWS = 10_000
WEEKLY = ROOT / "tests/samples/should_pass/weekly_plain.xlsx"


def table_figures(folder: Path, rounds: int) -> list[Figure]:
    """Measure the ledger and the weekly table; what is written goes to `folder`."""
    catalog = load_catalog()
    return [
        *_reading(catalog, rounds),
        *_writing(_record(read(LEDGER, catalog)), folder, rounds),
        *_annotating(folder, rounds),
        *_weekly(catalog, folder, 3 * rounds),
    ]


def _reading(catalog: Catalog, rounds: int) -> list[Figure]:
    ours, theirs = alternate(
        [lambda: seconds(lambda: _checked(LEDGER, catalog)), lambda: seconds(lambda: _count_cells(LEDGER))],
        rounds=rounds,
    )
    return [
        figure(
            "ledger-check-ratio",
            ratios(ours, theirs),
            "×",
            "ledger, 10,000 rows: read + check ÷ openpyxl read-only",
            files=[LEDGER],
            goal=Goal(0.7, later=0.4),
        ),
        figure("ledger-check", [s * 1e3 for s in ours], "ms", "– read + check", files=[LEDGER]),
        figure(
            "ledger-openpyxl-read", [s * 1e3 for s in theirs], "ms", "– openpyxl read-only, all cells", files=[LEDGER]
        ),
        figure("ledger-check-speed", [LEDGER_ROWS / s for s in ours], "rows/s", "– read + check", files=[LEDGER]),
    ]


def _checked(path: Path, catalog: Catalog) -> None:
    """Read and check a clean file; RuntimeError if it is not found clean, for then something else was measured."""
    reading = read(path, catalog)
    findings = check(reading, catalog)
    if findings or reading.record is None:
        raise RuntimeError(f"{path.name}: {findings[:3]}")


def _count_cells(path: Path) -> int:
    book = openpyxl.load_workbook(path, read_only=True)
    try:
        return sum(len(row) for row in book.worksheets[0].iter_rows(values_only=True))
    finally:
        book.close()


def _writing(record: Record, folder: Path, rounds: int) -> list[Figure]:
    official, bare = folder / "official.xlsx", folder / "bare.xlsx"
    fill(record, official)
    cells = all_cells(official)
    ours, theirs = alternate(
        [lambda: seconds(lambda: fill(record, official)), lambda: seconds(lambda: _write_bare(cells, bare))],
        rounds=rounds,
    )
    return [
        figure(
            "ledger-fill-ratio",
            ratios(ours, theirs),
            "×",
            "ledger, 10,000 rows: fill ÷ openpyxl write-only, no styles",
            files=[LEDGER],
            goal=Goal(1.3, later=1.0),
        ),
        figure("ledger-fill", [s * 1e3 for s in ours], "ms", "– fill, in the official look", files=[LEDGER]),
        figure(
            "ledger-openpyxl-write",
            [s * 1e3 for s in theirs],
            "ms",
            "– openpyxl write-only, the same cells, no styles",
            files=[LEDGER],
        ),
    ]


def _write_bare(cells: list[tuple[Any, ...]], to: Path) -> None:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    for row in cells:
        sheet.append(row)
    book.save(to)


def _annotating(folder: Path, rounds: int) -> list[Figure]:
    """Mark a cell in every twentieth row; openpyxl only loads the workbook and saves it."""
    copy, saved = folder / "annotated.xlsx", folder / "saved.xlsx"
    findings = _every_twentieth()
    ours, theirs = alternate(
        [
            lambda: seconds(lambda: annotate(LEDGER, findings, to=copy)),
            lambda: seconds(lambda: openpyxl.load_workbook(LEDGER).save(saved)),
        ],
        rounds=rounds,
    )
    return [
        figure(
            "ledger-annotate-ratio",
            ratios(ours, theirs),
            "×",
            "ledger, 10,000 rows: annotate 500 cells ÷ openpyxl load + save",
            files=[LEDGER],
            goal=Goal(2.0),
        ),
        figure("ledger-annotate", [s * 1e3 for s in ours], "ms", "– annotate", files=[LEDGER]),
        figure("ledger-openpyxl-save", [s * 1e3 for s in theirs], "ms", "– openpyxl load + save", files=[LEDGER]),
    ]


def _every_twentieth() -> list[Finding]:
    sheet = openpyxl.load_workbook(LEDGER, read_only=True).sheetnames[0]
    columns, rows = "BCDEF", range(20, LEDGER_ROWS, 20)
    places = [Place(f"{columns[n % len(columns)]}{row}", sheet) for n, row in enumerate(rows)]
    return [KINDS["missing-value"].at(place, field="第几栏") for place in [*places, Place("A10", sheet)]]


def _weekly(catalog: Catalog, folder: Path, rounds: int) -> list[Figure]:
    record = _record(read(WEEKLY, catalog))
    checking, filling = alternate(
        [
            lambda: seconds(lambda: _checked(WEEKLY, catalog)),
            lambda: seconds(lambda: fill(record, folder / "weekly.xlsx")),
        ],
        rounds=rounds,
    )
    return [
        figure("weekly-check", [s * 1e3 for s in checking], "ms", "weekly table: read + check", files=[WEEKLY]),
        figure("weekly-fill", [s * 1e3 for s in filling], "ms", "weekly table: fill, xlsx", files=[WEEKLY]),
    ]


def _record(reading: Reading) -> Record:
    if reading.record is None:
        raise RuntimeError(f"{reading.file}: {reading.findings[:3]}")
    return reading.record
