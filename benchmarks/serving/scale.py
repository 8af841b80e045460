"""Time per submission with millions stored, beside the same with ten thousand: two nodes, filed to in turn."""

from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from time import sleep

from measure import Figure, Goal, alternate, figure, ratios

from gmsafety import load_catalog

from . import world
from .filing import CONNECTIONS, COUNTIES, NAMES, databases, filings
from .load import Load, put_on
from .processes import ours
from .seeding import seed

FEW, MANY = 10_000, 5_000_000
FILED = 400
_SEALING = 1.5


def scale_figures(folder: Path, rounds: int, *, kinds: list[str] | None = None, many: int = MANY) -> list[Figure]:
    """Measure on both databases, or those asked for; what was made for one is removed before the next."""
    found = []
    for kind in kinds or NAMES:
        place = folder / f"scale-{kind}"
        place.mkdir()
        found += _measured(kind, place, rounds, many)
        for file in place.glob("*.db*"):
            file.unlink()
    return found


def _measured(kind: str, place: Path, rounds: int, many: int) -> list[Figure]:
    catalog = load_catalog()
    with ExitStack() as stack:
        made = stack.enter_context(databases(kind, place))
        filers = []
        for address, count in ((made.node, FEW), (made.bare, many)):
            world.build(address, COUNTIES, catalog=catalog)
            seed(address, count)
            port = stack.enter_context(ours(address))
            waiting = filings(catalog, COUNTIES)

            def file(port: int = port, waiting: object = waiting) -> Load:
                load = put_on(port, list(islice(waiting, FILED)), connections=CONNECTIONS, folder=place)  # type: ignore[call-overload]
                sleep(_SEALING)
                return load

            filers.append(file)
        few, lots = alternate(filers, rounds=rounds)
    small, large = ([1e3 / load.rate for load in loads] for loads in (few, lots))
    what = f"{NAMES[kind]}: time per submission, {many:,} stored ÷ {FEW:,} stored"
    return [
        figure(f"scale-{kind}", ratios(large, small), "×", what, goal=Goal(1.3)),
        figure(f"scale-{kind}-many", large, "ms", f"– with {many:,} stored"),
        figure(f"scale-{kind}-few", small, "ms", f"– with {FEW:,} stored"),
    ]
