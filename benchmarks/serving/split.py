"""Where the time of one submission goes: its steps one after the other in one process, without HTTP around them."""

from collections.abc import Iterator
from itertools import islice, pairwise
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

import orjson
from measure import Figure, figure
from pydantic import TypeAdapter

from gmsafety import load_catalog
from gmsafety_server import auth
from gmsafety_server.features.submissions import judging, repository, service, views
from gmsafety_server.features.submissions.schemas import Envelope, FormIn, Parcel, SubmissionDetail
from gmsafety_server.node import Node, open_node

from . import world
from .filing import NAMES, databases, told_of

FILED, COUNTIES = 400, 400
_DETAIL = TypeAdapter(SubmissionDetail)
STEPS = {
    "token": "– who asks: token, unit, permission",
    "parse": "– JSON taken in and hashed",
    "fetch": "– slot, last week's table, the other tables",
    "check": "– read as a form and checked",
    "store": "– transaction: rows, two receipts signed, history, audit, commit",
    "answer": "– answer written",
}


def split_figures(folder: Path, rounds: int) -> list[Figure]:
    """Measure the steps on both databases, and how many checks a second that makes."""
    catalog = load_catalog()
    found = []
    for kind in NAMES:
        place = folder / f"split-{kind}"
        place.mkdir()
        with databases(kind, place) as made:
            world.build(made.node, COUNTIES, catalog=catalog)
            node = open_node(world.settings_of(made.node), catalog=catalog)
            waiting = told_of(catalog, COUNTIES)
            list(_taken(node, islice(waiting, FILED)))
            taken = [_medians(_taken(node, islice(waiting, FILED))) for _ in range(max(3, rounds // 2))]
            found += _figures(kind, taken)
            node.db.close()
    return found


def _taken(node: Node, waiting: Iterator[tuple[str, bytes]]) -> Iterator[dict[str, float]]:
    for token, body in waiting:
        yield _file(node, token, body)


def _file(node: Node, token: str, sent: bytes) -> dict[str, float]:
    """File one form as the server does, and look at the clock after each step."""
    marks, busy = [perf_counter()], process_time()
    with node.db.glance() as tx:
        row = auth.find_token(tx, token)
    viewer = auth.viewer_of_token(row, node.clock.now(), node.directory_as_of(row.as_of if row else 0))
    marks.append(perf_counter())
    told = FormIn.model_validate(orjson.loads(sent))
    parcel = Parcel(Envelope(**told.model_dump(exclude={"body", "nil"})), body=told.body, nil=told.nil)
    hashed = judging.message_hash_of(parcel, judging.payload_hash_of(parcel))
    marks.append(perf_counter())
    with node.db.read() as tx:
        directory = node.directory(tx)
        slot = judging.find_slot(tx, directory, viewer, parcel.envelope)
        service.known(repository.by_message(tx, slot.unit, parcel.envelope.message_id), hashed)
        desk = judging.lay_out(tx, node, slot, drafts=False, directory=directory)
    marks.append(perf_counter())
    looked = judging.look(node, desk, parcel)
    marks.append(perf_counter())
    with node.db.write() as tx:
        stored = service.store(tx, node, viewer, looked)
    marks.append(perf_counter())
    filed = stored.row
    detail = views.detail_of(node, filed.directory, filed, filed.files, filed.receipts)
    _DETAIL.dump_json(_DETAIL.validate_python(detail))
    marks.append(perf_counter())
    if detail["state"] != "submitted" or len(detail["receipts"]) != 2:
        raise RuntimeError(f"{detail['state']}, {len(detail['receipts'])} receipts")
    steps = dict(zip(STEPS, (b - a for a, b in pairwise(marks)), strict=True))
    return {**steps, "whole": marks[-1] - marks[0], "busy": process_time() - busy}


def _medians(taken: Iterator[dict[str, float]]) -> dict[str, float]:
    rows = list(taken)
    return {name: median(row[name] for row in rows) for name in rows[0]}


def _figures(kind: str, taken: list[dict[str, float]]) -> list[Figure]:
    where = NAMES[kind]
    whole = figure(f"split-{kind}", [t["whole"] * 1e3 for t in taken], "ms", f"{where}: one submission, without HTTP")
    steps = [
        figure(f"split-{kind}-{name}", [t[name] / t["whole"] * 100 for t in taken], "%", what)
        for name, what in STEPS.items()
    ]
    busy = [t["busy"] / t["whole"] * 100 for t in taken]
    checks = [1 / t["check"] for t in taken]
    return [
        whole,
        *steps,
        figure(f"split-{kind}-busy", busy, "%", "– of all that, this process at work; the rest is database and disk"),
        figure(f"split-{kind}-checks", checks, "/s", "– read as a form and checked, alone"),
    ]
