"""The files of a parcel: are they all there, not too large, and of the kind that their names say."""

from gmsafety.findings import Finding
from gmsafety.forms.reading.safety import inspect

from ...errors import Problem
from ...planning import Item
from .schemas import Enclosure, Parcel

NAMES = {"form": "报表", "editable": "可编辑文件", "scan": "盖章扫描件", "extra": "附件"}
_OFFICE = (".xlsx", ".docx")
_PICTURES = {".pdf": b"%PDF-", ".jpg": b"\xff\xd8\xff", ".jpeg": b"\xff\xd8\xff", ".png": b"\x89PNG\r\n\x1a\n"}
_ALLOWED = {"form": _OFFICE, "editable": _OFFICE, "scan": tuple(_PICTURES), "extra": (*_OFFICE, *_PICTURES)}


def check_artefacts(item: Item, parcel: Parcel, *, limit: int) -> None:
    """Refuse a parcel whose files are too large, of a wrong kind or not complete; all that is wrong is said at once."""
    if sum(len(e.content) for e in parcel.enclosures) > limit:
        raise Problem("too-large")
    given = [e.artefact for e in parcel.enclosures]
    wrong = [problem for e in parcel.enclosures if (problem := _wrong(e, item))]
    if wrong:
        raise Problem("wrong-type", "；".join(wrong))
    if item.kind == "form":
        if given and given[0] != "form":
            raise Problem("artefact-missing", "第一个文件应是报表")
        if not given and parcel.body is None and not parcel.nil:
            raise Problem("artefact-missing", "没有报表：请上传文件，或写明零报告")
        return
    if parcel.body is not None or parcel.nil:
        raise Problem("not-valid", f"“{item.title}”以文件报送")
    if missing := [NAMES.get(a, a) for a in item.artefacts if a not in given]:
        raise Problem("artefact-missing", f"缺少：{'、'.join(missing)}", missing=missing)


def _wrong(enclosure: Enclosure, item: Item) -> str | None:
    """Say what is wrong with one file; a form is judged by reading it, and kept even when it cannot be read."""
    suffix = f".{enclosure.name.rpartition('.')[2].lower()}"
    known = ("form", "extra") if item.kind == "form" else (*item.artefacts, "extra")
    if enclosure.artefact not in known:
        return f"“{enclosure.name}”：没有“{enclosure.artefact}”这种材料"
    if item.kind == "form" and enclosure.artefact == "form":
        return None
    if suffix not in _ALLOWED.get(enclosure.artefact, ()):
        allowed = "、".join(s[1:] for s in _ALLOWED.get(enclosure.artefact, ()))
        return f"“{enclosure.name}”：{NAMES.get(enclosure.artefact, enclosure.artefact)}应为 {allowed}"
    if suffix in _OFFICE:
        found: list[Finding] = [f for f in inspect(enclosure.content, enclosure.name).findings if not f.is_remark]
        return f"“{enclosure.name}”：{found[0].message}" if found else None
    right = enclosure.content.startswith(_PICTURES[suffix])
    return None if right else f"“{enclosure.name}”的内容不是{suffix[1:]}"
