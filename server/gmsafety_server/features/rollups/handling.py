"""One request of a unit, from looking to commit, in the same way for programs and for pages."""

from contextlib import suppress

from fastapi import Response, UploadFile
from sqlalchemy.exc import IntegrityError

from ...errors import Problem
from ...node import Node
from ...scope import Viewer
from ..submissions.artefacts import plain_name
from ..submissions.judging import Overtaken
from ..submissions.papers import TYPES, Suffix
from ..submissions.schemas import Enclosure
from ..submissions.views import attachment
from . import filing, owning, printing, service, views
from .gathering import form_of, lay_bench, made_of, upward_slot
from .schemas import FileIn, RollupIn

_BYTES = "application/octet-stream"
_TURNS = 3


def make_or_find(node: Node, viewer: Viewer, told: RollupIn, seen: int | None) -> tuple[str, bool]:
    """Roll up; two equal requests that arrive together are one."""
    try:
        with node.db.write() as tx:
            return service.propose(tx, node, viewer, told, seen=seen)
    except IntegrityError:  # another request made the same one a moment ago
        with node.db.write() as tx:
            return service.propose(tx, node, viewer, told, seen=seen)


def take_own(node: Node, viewer: Viewer, uid: str, seen: int, enclosure: Enclosure) -> None:
    """Read the own part from a file; one that cannot be read is kept for evidence."""
    with node.db.read() as tx:
        row = service.find(tx, viewer, "rollup.write", uid)
        catalog = node.directories.on(tx, row.period).catalog
    try:
        own = owning.from_file(form_of(node, row.item, row.period), catalog, enclosure)
    except owning.Unreadable as refused:
        with node.db.write() as tx:
            problem = owning.keep_refused(tx, node, viewer, row, enclosure, refused)
        raise problem from refused
    with node.db.write() as tx:
        owning.keep(tx, enclosure)
        service.set_own(tx, node, viewer, uid, seen=seen, own=own)


def enclosed(file: UploadFile) -> Enclosure:
    """A file as it was sent."""
    return Enclosure("form", plain_name(file.filename), (file.content_type or _BYTES)[:120], file.file.read())


def file_upward(node: Node, viewer: Viewer, uid: str, seen: int, told: FileIn) -> str:
    """File the result with the upper unit; returns the uid of the submission.

    Where a form that it is checked with comes in while it is looked at, it is looked at again.
    """
    for _ in range(_TURNS):
        with suppress(Overtaken):
            return _file_upward(node, viewer, uid, seen, told)
    raise Problem("busy")


def _file_upward(node: Node, viewer: Viewer, uid: str, seen: int, told: FileIn) -> str:
    with node.db.read() as tx:
        ready = filing.prepare(tx, node, viewer, uid)
    looked = filing.wrap(node, ready, told)
    try:
        with node.db.write() as tx:
            done = filing.store(tx, node, viewer, ready, looked, seen=seen)
    except IntegrityError:  # the same message or revision was stored a moment ago
        with node.db.write() as tx:
            done = filing.store(tx, node, viewer, ready, looked, seen=seen)
    node.wake()
    return done


def downloaded(node: Node, viewer: Viewer, uid: str, suffix: Suffix) -> Response:
    """The result as a file."""
    with node.db.read() as tx:
        row = service.find(tx, viewer, "rollup.read", uid)
        made = made_of(tx, node, row)
        found = lay_bench(tx, node, row, upward_slot(tx, node, row)).judge(made)
    findings = [views.finding_json(f, made) for f in found]
    content = printing.write(made, suffix, findings)
    return attachment(printing.file_name(made.parts, made.parts.form, suffix), TYPES[suffix], content)
