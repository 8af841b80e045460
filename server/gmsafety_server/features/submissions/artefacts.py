"""The files of a parcel: are they all there, not too large, and of the kind that their names say."""

import re

from gmsafety.exchange.wire import is_unseen
from gmsafety.findings import Finding
from gmsafety.forms.reading.safety import inspect

from ...errors import Problem
from ...planning import Item
from .schemas import Enclosure, Parcel

NAMES = {"form": "报表", "editable": "可编辑文件", "scan": "盖章扫描件", "extra": "附件"}
_OFFICE = (".xlsx", ".docx")
_PICTURES = {".pdf": b"%PDF-", ".jpg": b"\xff\xd8\xff", ".jpeg": b"\xff\xd8\xff", ".png": b"\x89PNG\r\n\x1a\n"}
_HEAD = 1024  # scanners put a few bytes before the mark
ALLOWED = {
    "form": (*_OFFICE, ".xls", ".ods"),
    "editable": _OFFICE,
    "scan": tuple(_PICTURES),
    "extra": (*_OFFICE, *_PICTURES),
}
"""What each kind of file may be; a form is also read where it has another name, and refused with a finding."""


def plain_name(given: str | None) -> str:
    """The name of a file as it is kept: without its folders, and without what cannot be seen."""
    last = re.split(r"[/\\]", given or "")[-1].encode("utf-8", "replace").decode()
    seen = "".join(mark for mark in last if not is_unseen(mark)).strip()
    stem, dot, end = seen.rpartition(".")
    return f"{stem[: 250 - len(end)]}{dot}{end}"[:255] or "文件"


def check_artefacts(item: Item, parcel: Parcel, *, limit: int) -> tuple[Finding, ...]:
    """Refuse a parcel whose files are too large, of a wrong kind or not complete; all that is wrong is said at once.

    Returns why a document of the right kind cannot be opened, or holds what no document should.
    """
    if sum(len(e.content) for e in parcel.enclosures) > limit:
        raise Problem("too-large")
    wrong = [problem for e in parcel.enclosures if (problem := _wrong(e, item))]
    if wrong:
        raise Problem("wrong-type", "；".join(wrong))
    if item.kind == "form":
        _one_form(parcel)
    else:
        _complete(item, parcel)
    return tuple(finding for e in parcel.enclosures if e.artefact != "form" for finding in _unsafe(e))


def _one_form(parcel: Parcel) -> None:
    given = [e.artefact for e in parcel.enclosures]
    if given and (given[0] != "form" or given.count("form") > 1):
        raise Problem("artefact-missing", "第一个文件应是报表，其余是附件")
    if not given and parcel.body is None and not parcel.nil:
        raise Problem("artefact-missing", "没有报表：请上传文件，或写明零报告")


def _complete(item: Item, parcel: Parcel) -> None:
    if parcel.body is not None or parcel.nil:
        raise Problem("not-valid", f"“{item.title}”以文件报送")
    given = {e.artefact for e in parcel.enclosures}
    if missing := [a for a in item.artefacts if a not in given]:
        raise Problem("artefact-missing", f"缺少：{'、'.join(NAMES.get(a, a) for a in missing)}", missing=missing)


def _wrong(enclosure: Enclosure, item: Item) -> str | None:
    """Say what is wrong with one file; a form is judged by reading it, and kept even when it cannot be read."""
    name, artefact = enclosure.name, enclosure.artefact
    known = ("form", "extra") if item.kind == "form" else (*item.artefacts, "editable", "scan", "extra")
    if artefact not in known:
        return f"“{name}”：没有“{artefact}”这种材料"
    if artefact == "form":
        return None
    suffix, allowed = enclosure.suffix, ALLOWED.get(artefact, ALLOWED["extra"])
    if suffix not in allowed:
        return f"“{name}”：{NAMES.get(artefact, artefact)}应为 {'、'.join(s[1:] for s in allowed)}"
    if suffix in _PICTURES and _PICTURES[suffix] not in enclosure.content[:_HEAD]:
        return f"“{name}”的内容不是{suffix[1:]}"
    return None


def _unsafe(enclosure: Enclosure) -> list[Finding]:
    if enclosure.suffix not in _OFFICE:
        return []
    return [f.in_file(enclosure.name) for f in inspect(enclosure.content, enclosure.name).findings]
