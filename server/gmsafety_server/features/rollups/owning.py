"""The unit's own part: taken from JSON or read from a file, and kept with the file it came in."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from gmsafety import Catalog
from gmsafety.exchange.canonical import digest
from gmsafety.findings import FILE, Finding
from gmsafety.forms import read
from gmsafety.forms.record import Record
from gmsafety.forms.spec import Form

from ... import audit
from ...carried import carry
from ...errors import Problem
from ...names import new_uid
from ...node import Node
from ...scope import Viewer
from ...tables import AnyRow
from ..submissions import repository as papers
from ..submissions import taking
from ..submissions.judging import as_json
from ..submissions.schemas import Enclosure

Own = dict[str, Any]
_CONTENT = ("clauses", "rows", "ledger_rows", "values", "nil")


class Unreadable(Exception):
    """The file is none of this form; its findings say why."""

    def __init__(self, problem: str, findings: tuple[Finding, ...]) -> None:
        self.problem, self.findings = problem, findings


def from_body(form: Form, body: Mapping[str, Any], file: str | None = None) -> Own:
    """Take the own part from JSON: a record or a printed view."""
    return carried(_record(form, body), {"name": file} if file else None, ())


def from_file(form: Form, catalog: Catalog, enclosure: Enclosure) -> Own:
    """Read the own part from a file: xlsx, docx, or JSON."""
    file: dict[str, Any] = {"name": enclosure.name, "media_type": enclosure.media_type}
    file |= {"hash": digest(enclosure.content), "size": len(enclosure.content)}
    if enclosure.name.lower().endswith(".json"):
        return carried(_record(form, _parsed(enclosure)), file, ())
    reading = read(enclosure.content, catalog, name=enclosure.name)
    if reading.record is None:
        raise Unreadable("unreadable", reading.findings)
    if reading.record.form.ref != form.ref:
        said = f"这是《{reading.record.form.title}》，应为《{form.title}》。"
        raise Unreadable("wrong-form", (catalog.kinds["wrong-form"].at(FILE, say=said, remedy="请上传正确的表。"),))
    return carried(reading.record, file, reading.findings)


def carried(record: Record, file: Mapping[str, Any] | None, findings: tuple[Finding, ...]) -> Own:
    """An own part for the database."""
    body, origin = carry(record)
    return {"body": body, "origin": origin, "file": file, "findings": [as_json(f) for f in findings]}


def _parsed(enclosure: Enclosure) -> Mapping[str, Any]:
    try:
        body = json.loads(enclosure.content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise Problem("not-valid", f"“{enclosure.name}”不是合法的JSON") from error
    if not isinstance(body, dict):
        raise Problem("not-valid", f"“{enclosure.name}”应为一个JSON对象")
    return body


def _record(form: Form, body: Mapping[str, Any]) -> Record:
    if not any(k in body for k in _CONTENT):
        raise Problem("not-valid", f"没有表的内容（{'、'.join(_CONTENT)} 中的任何一项）")
    taking.bytes_of(body)
    return taking.record_from_body(body, form)


def keep(tx: Connection, enclosure: Enclosure) -> None:
    """Keep the bytes of a file."""
    papers.keep_blob(tx, digest(enclosure.content), enclosure.content)


def keep_refused(
    tx: Connection, node: Node, viewer: Viewer, row: AnyRow, enclosure: Enclosure, refused: Unreadable
) -> Problem:
    """Keep a file that cannot be taken, for evidence, and say why it cannot."""
    keep(tx, enclosure)
    now, findings = node.clock.now(), [as_json(f) for f in refused.findings]
    key = {"unit": row.unit, "campaign": row.campaign, "item": row.item, "period": row.period}
    file = {"name": enclosure.name, "size": len(enclosure.content), "hash": digest(enclosure.content)}
    told = {**key, **file, "problem": refused.problem}
    values = {**told, "uid": new_uid(now), "path": row.path, "findings": findings, "by_user": viewer.user_id, "at": now}
    uid, fresh = papers.refuse(tx, values)
    if fresh:
        audit.record(tx, now, viewer.actor, "rollup.refused", uid, path=row.path, **told)
    said = f"{refused.findings[0].message}原件已留存备查。" if refused.findings else ""
    return Problem(refused.problem, said, findings=findings, kept=uid)
