"""The annotated copy: the file that came in, given back with what was found in it marked at its cells."""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from sqlalchemy import Connection

from gmsafety.findings import Finding, Kind, Place, Severity
from gmsafety.forms import annotate
from gmsafety.forms.annotating import NotAnnotatable

from ...errors import Problem
from ...node import Node
from ...scope import Viewer
from ...tables import AnyRow
from . import judging, papers, service

_MARKABLE = (".xlsx", ".docx")


def has_copy(files: list[AnyRow]) -> bool:
    """Tell whether a submission came as a file that bears marks."""
    return any(f.artefact == "form" and f.name.lower().endswith(_MARKABLE) for f in files)


def annotated(tx: Connection, node: Node, viewer: Viewer, uid: str) -> tuple[str, bytes]:
    """The copy of a submission's file, made as it is asked for: its name and its bytes."""
    return copy_of(tx, node, service.find(tx, viewer, "submission.read", uid))


def copy_of(tx: Connection, node: Node, row: AnyRow) -> tuple[str, bytes]:
    """The copy of the file of a submission that was found already."""
    form = next(iter(judging.forms_of(tx, row)), None)
    if form is None:
        raise Problem("not-found", "这份报送不是以电子表格或文档报来的表，没有可标注的文件")
    findings = [_finding(told, node.catalog.kinds) for told in judging.findings_now(tx, node, row)]
    record = papers.record_in(node, row)
    try:
        content = annotate(form.content, findings, name=form.name, records=[record] if record else [])
    except NotAnnotatable as error:
        raise Problem("not-valid", str(error)) from error
    name = PurePath(form.name)
    return f"{name.stem}.核对{name.suffix}", content


def _finding(told: Mapping[str, Any], kinds: Mapping[str, Kind]) -> Finding:
    """A finding as it was kept; its kind may be one that no plugin defines any more."""
    slug, code, severity = str(told["kind"]), str(told["code"]), Severity(told["severity"])
    kind = kinds.get(slug) or Kind(slug, code, severity, slug, "", "")
    place = Place(str(told["where"]), told.get("sheet"), told.get("file"))
    return Finding(kind, severity, place, str(told["message"]), str(told["remedy"]))
