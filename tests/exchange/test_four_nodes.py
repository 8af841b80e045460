"""County, city, province and a central enterprise, under every fault: nothing is lost, nothing is twice.

GMSAFETY_EXCHANGE_STEPS says how many steps (`make soak`: 200,000), GMSAFETY_EXCHANGE_SEED which run to play again,
GMSAFETY_EXCHANGE_PAGE into which page the figures are written.
"""

import itertools
import os
import re
import secrets
from pathlib import Path

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from exchange_faults import EVERY_FAULT, FIGURES, LOSSES, Faults

STEPS = int(os.environ.get("GMSAFETY_EXCHANGE_STEPS", "5000"))
SEED = int(os.environ.get("GMSAFETY_EXCHANGE_SEED", "0")) or secrets.randbits(32)
PAGE = os.environ.get("GMSAFETY_EXCHANGE_PAGE")
A_RUN = 60
_TABLE = re.compile(r"(?<=<!-- four-nodes -->\n).*?(?=<!-- /four-nodes -->)", re.DOTALL)


def play(number: int, steps: int) -> None:
    """Play runs of so many steps together; hypothesis ends some of them early."""
    run_state_machine_as_test(
        seed(SEED + number)(Faults),
        settings=settings(
            max_examples=1 + steps // A_RUN,
            stateful_step_count=A_RUN,
            deadline=None,
            database=None,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.generate, Phase.shrink),
        ),
    )


def test_after_every_fault_all_is_everywhere_once() -> None:
    print(f"\nseed {SEED} (GMSAFETY_EXCHANGE_SEED={SEED} plays the same again)", flush=True)
    FIGURES.clear()
    for number in itertools.count():
        play(number, STEPS - FIGURES["steps"])
        if FIGURES["steps"] >= STEPS:
            break
    print(told := table())
    if PAGE:
        page = Path(PAGE)
        page.write_text(_TABLE.sub(lambda _: told, page.read_text("utf-8")), "utf-8")

    assert [] == [fault for fault in EVERY_FAULT if not FIGURES[f"fault: {fault}"]], "faults that were never met"


def table() -> str:
    """What was done and seen, and what came of it."""
    rest = sorted(set(FIGURES) - set(LOSSES))
    rows = [("seed", str(SEED)), *((what, f"{FIGURES[what]:,}") for what in (*rest, *LOSSES))]
    return "| | |\n|---|--:|\n" + "".join(f"| {what} | {count} |\n" for what, count in rows)
