"""What a clerk does on pages: upload, report nil, change or discard a draft, file it; each goes on to another page."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Path, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import UploadFile

from ...errors import Problem
from ...node import Node
from ...scope import Viewer
from ...tables import AnyRow
from ...web import Here, posting
from . import handling, service
from .artefacts import NAMES, plain_name
from .onward import Seen, Text, go, sorry
from .schemas import Enclosure, Envelope, MessageId, Parcel

router = APIRouter(include_in_schema=False)
Filer = Annotated[Viewer, Depends(posting("submission.file"))]
Withdrawer = Annotated[Viewer, Depends(posting("submission.withdraw"))]
Name = Annotated[MessageId, Form()]
Number = Annotated[int, Path(ge=1, le=2**53)]
_BYTES = "application/octet-stream"


async def given_files(request: Request) -> tuple[Enclosure, ...]:
    """The files of a page's form: its fields are called `file.form`, `file.editable`, `file.scan`, `file.extra`."""
    form = await request.form()
    found = []
    for artefact in NAMES:
        for given in form.getlist(f"file.{artefact}"):
            if isinstance(given, UploadFile) and given.filename:
                content = await given.read()
                found.append(
                    Enclosure(artefact, plain_name(given.filename), (given.content_type or _BYTES)[:120], content)
                )
    return tuple(found)


Given = Annotated[tuple[Enclosure, ...], Depends(given_files)]


def _envelope(slot: AnyRow, name: str, *, action: str, supersedes: str = "", note: str = "") -> Envelope:
    return Envelope(
        message_id=name, item=slot.item, period=slot.period, campaign=slot.campaign, unit=slot.unit,
        action="submit" if action == "submit" else "draft", note=note.strip() or None, supersedes=supersedes or None,
    )  # fmt: skip


def _slot(node: Node, viewer: Viewer, number: int) -> AnyRow:
    with node.db.read() as tx:
        return service.find_slot(tx, viewer, "submission.file", number)


def _not_taken(where: str, problem: Problem) -> Response:
    """What cannot be filed was kept: the slot's page shows why. A draft that is there already is gone on with."""
    if "kept" in problem.more:
        return RedirectResponse(f"{where}?refused={problem.more['kept']}#refused", 303)
    if problem.type.slug == "draft-exists":
        return go(
            f"/submissions/{problem.more['uid']}", "这一期已有草稿：可在这里更换文件，或报送、删除。", kind="warning"
        )
    return sorry(where, problem)


@router.post("/slots/{number}/upload")
def upload(
    number: Number, node: Here, viewer: Filer, files: Given, message_id: Name, supersedes: Text = ""
) -> Response:
    """Make a draft of the files; nothing is filed before the clerk has seen what is found in them."""
    slot = _slot(node, viewer, number)
    if not files:
        return go(f"/slots/{number}", "没有选择文件。", kind="error")
    try:
        told = _envelope(slot, message_id, action="draft", supersedes=supersedes)
        uid, _ = handling.take(node, viewer, Parcel(told, files))
    except Problem as problem:
        return _not_taken(f"/slots/{number}", problem)
    return RedirectResponse(f"/submissions/{uid}", 303)


@router.post("/slots/{number}/nil")
def report_nil(number: Number, node: Here, viewer: Filer, message_id: Name, supersedes: Text = "") -> Response:
    """File a nil report; where that raises a finding it becomes a draft, to which a reason can be written."""
    slot = _slot(node, viewer, number)
    try:
        try:
            told = _envelope(slot, message_id, action="submit", supersedes=supersedes)
            uid, _ = handling.take(node, viewer, Parcel(told, nil=True))
        except Problem as problem:
            if problem.type.slug != "reason-needed":
                raise
            told = _envelope(slot, message_id, action="draft", supersedes=supersedes)
            uid, _ = handling.take(node, viewer, Parcel(told, nil=True))
            return go(f"/submissions/{uid}", "零报告与以前所报的数不合，请写明原因后报送。", kind="warning")
    except Problem as problem:
        return _not_taken(f"/slots/{number}", problem)
    return go(f"/submissions/{uid}", "零报告已报送，回执在下面。")


@router.post("/submissions/{uid}/files")
def replace(uid: str, node: Here, viewer: Filer, files: Given, seen: Seen) -> Response:
    """Give a draft other files."""
    with node.db.read() as tx:
        row = service.find(tx, viewer, "submission.file", uid)
        slot = service.find_slot(tx, viewer, "submission.file", row.slot_id)
    where = f"/submissions/{uid}"
    if not files:
        return go(where, "没有选择文件。", kind="error")
    told = _envelope(slot, row.message_id, action="draft", supersedes=row.supersedes or "", note=row.note or "")
    try:
        handling.change(node, viewer, uid, seen=seen, parcel=Parcel(told, files))
    except Problem as problem:
        return _not_taken(where if "kept" not in problem.more else f"/slots/{slot.id}", problem)
    return go(where, "文件已更换，并重新核对。")


@router.post("/submissions/{uid}/submit")
def submit(uid: str, node: Here, viewer: Filer, seen: Seen, reason: Text = "") -> Response:
    """File a draft."""
    where = f"/submissions/{uid}"
    try:
        handling.hand_in(node, viewer, uid, seen=seen, reason=reason.strip() or None)
    except Problem as problem:
        return sorry(where, problem)
    return go(where, "已报送，回执在下面。")


@router.post("/submissions/{uid}/withdraw")
def withdraw(uid: str, node: Here, viewer: Withdrawer, seen: Seen, reason: Text = "") -> Response:
    """Take back what was filed."""
    where = f"/submissions/{uid}"
    if not reason.strip():
        return go(where, "撤回要写明原因。", kind="error")
    try:
        handling.withdraw(node, viewer, uid, seen=seen, reason=reason.strip())
    except Problem as problem:
        return sorry(where, problem)
    with node.db.read() as tx:
        row = service.find(tx, viewer, "submission.withdraw", uid)
    if row.state != "withdrawn":
        return go(where, "撤回的申请已交发往上级单位的节点；收到它的回执后，这一期回到未报。")
    return go(f"/slots/{row.slot_id}", f"第{row.revision}版已撤回，回执在那一版的页上。这一期现在是未报。")


@router.post("/submissions/{uid}/discard")
def discard(uid: str, node: Here, viewer: Filer, seen: Seen) -> Response:
    """Throw a draft away."""
    try:
        slot = handling.discard(node, viewer, uid, seen=seen)
    except Problem as problem:
        return sorry(f"/submissions/{uid}", problem)
    return go(f"/slots/{slot}", "草稿已删除。", kind="info")
