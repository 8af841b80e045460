"""Four nodes as real processes: killed, cut off, without room, with new keys; at the end all is everywhere, once.

A short run here; `make test-faults` has at least 200 kills and 100 partings on each database (GMSAFETY_FAULT_ROUNDS),
prints its figures, and writes them into GMSAFETY_EXCHANGE_PAGE. GMSAFETY_EXCHANGE_SEED plays a run again: the same
things happen, in the same order.
"""

import os
import random
import re
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from faulty_lines import FAULTS, faulty_lines
from gmsafety import Catalog
from outages import Outages, Plan, quiet
from proving import Proof, prove
from real_nodes import Land, sites

ROUNDS = int(os.environ.get("GMSAFETY_FAULT_ROUNDS", "0"))
PAGE = os.environ.get("GMSAFETY_EXCHANGE_PAGE")
SEED = os.environ.get("GMSAFETY_EXCHANGE_SEED") or str(random.randrange(10**6))
NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
pytestmark = pytest.mark.timeout(20 * ROUNDS + 900)
_TABLE = re.compile(r"(?<=<!-- processes -->\n).*?(?=<!-- /processes -->)", re.DOTALL)
_BEGIN = tuple(f"| {name} |" for name in NAMES.values())


def plan() -> Plan:
    if not ROUNDS:
        return Plan(SEED, kills=3, partings=3, rotations=1, fulls=1)
    partings, pace = (ROUNDS + 1) // 2, (0.5, 2.5)
    return Plan(SEED, kills=ROUNDS, partings=partings, rotations=ROUNDS // 20, fulls=ROUNDS // 10, pace=pace)


def database_for(kind: str, databases: Callable[[], str], templates: dict[str, Any]) -> Callable[[Path | None], str]:
    """Databases of nodes; an SQLite one lies on the disk of its node, where it has one."""

    def make(folder: Path | None) -> str:
        if kind == "postgresql" or folder is None:
            return databases()
        shutil.copy(templates["sqlite"], folder / "node.db")
        return f"sqlite:///{folder / 'node.db'}"

    return make


@pytest.fixture
def kind(request: pytest.FixtureRequest) -> str:
    """Which database it is."""
    return str(request.node.callspec.params["databases"])


def test_everything_goes_wrong_and_all_arrives(
    kind: str,
    databases: Callable[[], str],
    templates: dict[str, Any],
    catalog: Catalog,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    played = plan()

    def tell(text: str) -> None:
        with capsys.disabled():
            print(f"\n{kind}, seed {SEED}: {text}", end="", flush=True)

    make = database_for(kind, databases, templates)
    with (
        faulty_lines(SEED) as lines,
        sites(Land(catalog, tmp_path, make, lines, disks=kind == "sqlite")) as made,
    ):
        outages = Outages(played, made, lines)
        outages.play(tell if ROUNDS else lambda _text: None)
        quiet(made, seconds=900)
        found = prove(made)
        with ThreadPoolExecutor(len(made)) as pool:
            verified = list(pool.map(lambda site: site.command("db", "verify"), made.values()))
        said = "".join(site.server.said for site in made.values())
    told = figures(kind, outages, found)
    tell("; ".join(f"{name} {number}" for name, number in told.items()))

    assert [] == outages.strange, f"{kind}, seed {SEED}"
    assert [] == found.faults, f"{kind}, seed {SEED}"
    assert (0, 0) == (found.lost, found.twice)
    assert {0} == {told.returncode for told in verified}, [told.stdout[-500:] for told in verified]
    assert "Traceback" not in said
    done = outages.done
    assert done.kills >= played.kills
    assert done.partings == played.partings
    assert found.submissions >= sum(not m.refused for f in outages.filers for m in f.messages)
    if PAGE:
        write_row(Path(PAGE), told)


def figures(kind: str, outages: Outages, found: Proof) -> dict[str, str]:
    """The row of the table."""
    done, met = outages.done, outages.lines.met
    wrong = sum(met[fault] for fault in FAULTS)
    numbers = {
        "nodes": len(outages.sites), "kills": done.kills, "partitions": done.partings, "full disks": done.fulls,
        "new keys": done.rotations, "requests": met["turns"], "of these gone wrong": wrong,
        "filings": found.submissions, "messages": found.messages,
        "sent again": found.sent_again + sum(f.again_sent for f in outages.filers),
        "turned down": found.turned_down, "lost": found.lost, "twice": found.twice,
    }  # fmt: skip
    told = {"database": NAMES[kind], **{name: f"{number:,}" for name, number in numbers.items()}}
    if done.without_disk:
        told["full disks"] = "–"  # only the administrator of the machine can mount a small one; and for SQLite
    return told


def write_row(page: Path, told: dict[str, str]) -> None:
    """Put a row into the table of the page, in place of the one of this database."""
    text = page.read_text("utf-8")
    [before] = _TABLE.findall(text)
    rows = {line.split("|")[1].strip(): line for line in before.splitlines() if line.startswith(_BEGIN)}
    rows[told["database"]] = f"| {' | '.join(told.values())} |"
    head = f"| {' | '.join(told)} |\n|---|{'--:|' * (len(told) - 1)}\n"
    table = head + "".join(f"{rows[name]}\n" for name in NAMES.values() if name in rows)
    page.write_text(_TABLE.sub(lambda _: table, text), "utf-8")


def test_the_figures_are_written(tmp_path: Path) -> None:
    """Each database has its row, and a later run takes its place."""
    page = tmp_path / "page.md"
    page.write_text("前\n<!-- processes -->\n<!-- /processes -->\n后\n", "utf-8")
    for name, kills in (("PostgreSQL", "1"), ("SQLite", "2"), ("PostgreSQL", "3")):
        write_row(page, {"database": name, "kills": kills})

    assert (
        "前\n<!-- processes -->\n| database | kills |\n|---|--:|\n| SQLite | 2 |\n| PostgreSQL | 3 |\n<!-- /processes -->\n后\n"
        == page.read_text("utf-8")
    )
